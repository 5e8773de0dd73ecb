"""A private CA, an address that docker does not take for its own machine, and a TLS proxy to stand before Haven."""

from __future__ import annotations

import ipaddress
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests import processes


class Authority:
    """A CA of the test's own, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Haven's test authority")])
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = self._builder(self.name, self.key).add_extension(x509.BasicConstraints(True, 0), critical=True)
        self.certificate = builder.add_extension(usage, critical=True).sign(self.key, hashes.SHA256())
        self.path = folder / "ca.crt"
        self.path.write_bytes(self.certificate.public_bytes(Encoding.PEM))

    def issue(self, address: str, *hosts: str) -> tuple[Path, Path]:
        """A certificate and its key for a server at an IP address, and by these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
        addresses = [x509.IPAddress(ipaddress.ip_address(address))]
        names = x509.SubjectAlternativeName([*addresses, *(x509.DNSName(host) for host in hosts)])
        certificate = self._builder(name, key).add_extension(names, critical=False).sign(self.key, hashes.SHA256())
        paths = self.folder / f"{address}.crt", self.folder / f"{address}.key"
        paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
        paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return paths

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=2))
        )


@contextmanager
def own_address() -> Iterator[str]:
    """An address of this machine outside 127.0.0.0/8, where docker would not insist on TLS; needs root."""
    address = f"198.51.100.{os.getpid() % 250 + 2}"
    subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    try:
        yield address
    finally:
        subprocess.run(["ip", "address", "del", f"{address}/32", "dev", "lo"], check=True)


PROXY = """
daemon off; worker_processes 1; {user} pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off; client_max_body_size 0;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen {address}:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};
        location / {{
            proxy_pass http://127.0.0.1:{inner}; proxy_http_version 1.1; proxy_request_buffering off;
            proxy_read_timeout 300s; {headers}
        }}
    }}
}}
"""
HEADERS = {
    "usual": "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
    " proxy_set_header X-Forwarded-Proto $scheme;",
    "bare": "proxy_redirect off;",
}
"""What people write into their proxies: the usual lines, or none at all."""


@contextmanager
def proxy(address: str, port: int, inner: int, certificate: tuple[Path, Path], headers: str) -> Iterator[None]:
    """An nginx that ends TLS at `address`:`port` and passes on to 127.0.0.1:`inner`."""
    with tempfile.TemporaryDirectory(prefix="haven-proxy-") as name:
        folder = Path(name)
        text = PROXY.format(
            folder=folder,
            user="user root;" if os.geteuid() == 0 else "",
            address=address,
            port=port,
            inner=inner,
            certificate=certificate[0],
            key=certificate[1],
            headers=HEADERS[headers],
        )
        (folder / "nginx.conf").write_text(text)
        process = processes.start(["nginx", "-e", "stderr", "-c", str(folder / "nginx.conf")], folder / "log")
        try:
            processes.wait_until((folder / "pid").exists, "the proxy", log=folder / "log")
            yield
        finally:
            processes.stop(process)
