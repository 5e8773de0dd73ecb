"""People and groups of an LDAP directory. `directory` alone knows the library; the rest knows people."""
