"""The OCI distribution specification 1.1, row by row, against the public address."""
