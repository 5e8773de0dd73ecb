"""A directory of the test's own: Debian's slapd in a temporary folder, with people and groups, on a port of its own.

It allows what a careful client must not fall for: a bind with a name and no password counts as one of nobody.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import ldap3

from tests import processes
from tests.stack.stack import free_port
from tests.stack.tls import Authority

BASE = "dc=haven,dc=test"
ROOT_DN = f"cn=root,{BASE}"
ROOT_PASSWORD = "the-directory's-own"
PASSWORD = "Wonder-Land-1"
MODULES = "/usr/lib/ldap"
CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
moduleload memberof
allow bind_anon_cred bind_anon_dn
pidfile {folder}/pid
TLSCACertificateFile {authority}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
database mdb
suffix "{base}"
rootdn "{root}"
rootpw "{password}"
directory {folder}/data
overlay memberof
memberof-refint true
access to attrs=userPassword by anonymous auth by * none
access to * by * read
"""


class Slapd:
    """The server. `url` is its plain address, `secure_url` the one with TLS, for 127.0.0.1."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="haven-ldap-"))
        (self.folder / "data").mkdir()
        self.authority = Authority(self.folder)
        certificate, key = self.authority.issue("127.0.0.1")
        self.url, self.secure_url = (f"{scheme}://127.0.0.1:{free_port()}" for scheme in ("ldap", "ldaps"))
        self.config = self.folder / "slapd.conf"
        facts = {"authority": self.authority.path, "certificate": certificate, "key": key, "folder": self.folder}
        text = CONFIG.format(base=BASE, root=ROOT_DN, password=ROOT_PASSWORD, modules=MODULES, **facts)
        self.config.write_text(text)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def starttls_url(self) -> str:
        return self.url.replace("ldap://", "ldap+starttls://")

    def start(self) -> None:
        log = self.folder / "log"
        command = ["slapd", "-d", "0", "-h", f"{self.url}/ {self.secure_url}/", "-f", str(self.config)]
        self.process = processes.start(command, log)
        processes.wait_until(self.answers, "slapd", log=log)

    def answers(self) -> bool:
        host, port = self.url.removeprefix("ldap://").split(":")
        with closing(socket.socket()) as probe:
            return probe.connect_ex((host, int(port))) == 0

    def stop(self) -> None:
        if self.process:
            processes.stop(self.process)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def fill(self) -> None:
        """The people and groups of the tests; every person's password is PASSWORD."""
        self.add(BASE, "dcObject organization", o="Haven")
        for unit in ("people", "groups", "elsewhere"):
            self.add(f"ou={unit},{BASE}", "organizationalUnit")
        for uid, name in (("alice", "Alice Liddell"), ("bob", "Bob"), ("admin", "Somebody else"), ("robot$x", "Robot")):
            self.person(uid, cn=name, mail=f"{uid}@wonder.test" if uid.isalpha() else "robot@wonder.test")
        self.person("carol", uid=["victim", "carol"], cn="Carol")
        self.group("team", "alice", "carol")
        self.group("admins", "alice")
        self.group("outside", "alice", unit="elsewhere")
        self.group("x') or 1=1--", "bob")

    def person(self, rdn: str, **attributes: object) -> str:
        dn = f"uid={rdn},ou=people,{BASE}"
        given = {"sn": rdn, "cn": rdn, "uid": rdn, "userPassword": PASSWORD, **attributes}
        self.add(dn, "inetOrgPerson", **given)
        return dn

    def group(self, name: str, *people: str, unit: str = "groups") -> None:
        members = [f"uid={uid},ou=people,{BASE}" for uid in people]
        self.add(f"cn={name},ou={unit},{BASE}", "groupOfNames", member=members)

    def leave(self, name: str, uid: str) -> None:
        """Take somebody out of a group; the root stays, for a group may not be empty."""
        change = {
            "member": [
                (ldap3.MODIFY_ADD, [ROOT_DN]),
                (ldap3.MODIFY_DELETE, [f"uid={uid},ou=people,{BASE}"]),
            ]
        }
        with self.connection() as root:
            assert root.modify(f"cn={name},ou=groups,{BASE}", change), root.result

    def add(self, dn: str, classes: str, **attributes: object) -> None:
        with self.connection() as root:
            assert root.add(dn, classes.split(), attributes), (dn, root.result)

    def connection(self) -> ldap3.Connection:
        return ldap3.Connection(ldap3.Server(self.url, get_info=ldap3.NONE), ROOT_DN, ROOT_PASSWORD, auto_bind=True)
