"""The guard: what can be called, and above all that nothing arrives where nothing may."""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

from registry import http
from registry.errors import Blocked, RegistryError, TooLarge, Unavailable
from registry.guard import Guard
from tests.registry.listener import listening

PRIVATE = [
    *[
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "017700000001",
        "0.0.0.0",
        "[::]",
        "10.0.0.1",
    ],
    *["169.254.169.254", "192.168.1.1", "172.16.0.1", "100.64.0.1", "224.0.0.1", "255.255.255.255", "[fe80::1]"],
    *[
        "[fd00::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[::127.0.0.1]",
        "[fec0::1]",
        "[ff02::1]",
        "[::ffff:169.254.169.254]",
    ],
    *["192.0.0.192", "168.63.129.16", "100.100.100.200", "[fd00:ec2::254]"],  # where clouds keep a machine's secrets
]


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_refused_at_save_and_at_use(host: str) -> None:
    url = f"http://{host}:6379/x"
    with pytest.raises((Blocked, Unavailable)):
        http.session().guard.check_url(url)
    with pytest.raises((Blocked, Unavailable)):
        http.session().ask("GET", url)


@pytest.mark.parametrize(
    "url",
    [
        *[
            "file:///etc/passwd",
            "gopher://127.0.0.1",
            "ftp://example.test",
            "http://ok@example.test/",
            "http://",
            "",
            "x",
        ],
        *["http+unix://%2Frun%2Fdocker.sock/", "//example.test", "http://[", "http://example.test:99999/"],
    ],
)
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(Blocked):
        http.session().guard.check_url(url)
    with pytest.raises(RegistryError):
        http.session().ask("GET", url)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_nothing_reaches_a_listener_on_loopback(host: str) -> None:
    with listening() as listener:
        with pytest.raises((Blocked, Unavailable)):
            http.session().ask("GET", f"http://{host}:{listener.server_port}/")
        assert listener.connections == 0


@pytest.mark.parametrize("entry", ["127.0.0.1", "127.0.0.0/8", "0.0.0.0/0"])
def test_the_list_opens_addresses(entry: str) -> None:
    with listening() as listener:
        response = http.session(allow=[entry]).ask("GET", listener.url)
        assert http.read(response, 100) == b"hello"


def test_the_list_opens_names_exactly() -> None:
    with listening() as listener:
        url = f"http://localhost:{listener.server_port}"
        assert http.session(allow=["LOCALHOST."]).ask("GET", url).status_code == 200
        with pytest.raises(Blocked):
            http.session(allow=["ocalhost", "host", "example.test"]).ask("GET", url)


def test_a_name_is_judged_when_it_is_used() -> None:
    """A name that was public when it was saved and is private now."""
    with listening() as listener:
        answers = iter([[_found("93.184.216.34", 80)], [_found("127.0.0.1", listener.server_port)]])
        session = http.Session(Guard(resolve=lambda *_, **__: next(answers)), True, (1, 1))
        session.guard.check_url("http://rebound.test/")
        with pytest.raises(Blocked):
            session.ask("GET", f"http://rebound.test:{listener.server_port}/")
        assert listener.connections == 0


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    found = [_found("93.184.216.34", 80), _found("10.0.0.1", 80)]
    with pytest.raises(Blocked):
        Guard(resolve=lambda *_, **__: found).check_url("http://both.test/")


def _found(address: str, port: int) -> tuple[object, ...]:
    """One line of `getaddrinfo`."""
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))


def test_redirects_are_not_followed_by_themselves() -> None:
    with listening() as target, listening(lambda *_: (302, {"Location": target.url}, b"")) as listener:
        response = http.session(allow=["127.0.0.1"]).ask("GET", listener.url)
        assert response.status_code == 302 and target.connections == 0


def test_cookies_and_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(lambda *_: (200, {"Set-Cookie": "a=b; Path=/"}, b"")) as listener:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        session = http.session(allow=["127.0.0.1"])
        for _ in range(2):
            http.read(session.ask("GET", listener.url), 10)
        assert all("Cookie" not in headers for _, _, headers in listener.seen) and len(listener.seen) == 2


def test_bodies_have_a_limit_and_are_not_decompressed() -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    with listening(lambda *_: (200, {"Content-Encoding": "gzip"}, bomb)) as listener:
        session = http.session(allow=["127.0.0.1"])
        assert http.read(session.ask("GET", listener.url), len(bomb)) == bomb
        with pytest.raises(TooLarge):
            http.read(session.ask("GET", listener.url), 1000)


def test_answers_that_break_off_are_unavailable() -> None:
    with listening(lambda *_: (200, {"Content-Length": "100", "Connection": "close"}, b"short")) as listener:
        listener.respond = lambda *_: (200, {"Content-Length": "100", "Connection": "close"}, b"short")
        response = http.session(allow=["127.0.0.1"], timeout=(1, 0.5)).ask("GET", listener.url)
        with pytest.raises(Unavailable):
            http.read(response, 1000)


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(Unavailable) as given_up:
            http.session(allow=["127.0.0.1"], timeout=(0.5, 0.5)).ask("GET", url)
        assert time.monotonic() - started < 3 and given_up.value.temporary


def test_a_kept_connection_that_was_closed_is_opened_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        session = http.session(allow=["127.0.0.1"], timeout=(2, 2))
        url = f"http://127.0.0.1:{server.getsockname()[1]}"

        def serve() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert [http.read(session.ask("GET", url), 10) for _ in range(2)] == [b"ok", b"ok"]
        thread.join(5)


def test_unix_sockets_are_called_only_where_the_list_names_them(tmp_path: Path) -> None:
    path = Path("/tmp") / f"haven-{time.time_ns()}.sock"
    url = f"http+unix://{str(path).replace('/', '%2F')}/x"
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.bind(str(path))
            server.listen()
            server.settimeout(0.2)
            with pytest.raises(Blocked):
                http.session().ask("GET", url)
            with pytest.raises(Blocked):
                http.session(allow=["/tmp/other.sock", "127.0.0.1"]).ask("GET", url)
            with pytest.raises(TimeoutError):
                server.accept()
            with pytest.raises(Unavailable):  # let in, and no answer
                http.session_to(url.removesuffix("/x")).ask("GET", url, timeout=(0.2, 0.2))
            assert server.accept()
        finally:
            path.unlink(missing_ok=True)


def test_tls_is_verified_by_authority_and_by_name(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "1",
    ]
    command += [
        "-subj",
        "/CN=test",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with listening() as listener:
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
        named, numbered = (f"https://{host}:{listener.server_port}" for host in ("localhost", "127.0.0.1"))
        allow = ["localhost", "127.0.0.1"]
        for session, url in (
            (http.session(allow=allow), named),
            (http.session(allow=allow, verify=str(certificate)), numbered),
        ):
            with pytest.raises(Unavailable, match="certificate"):
                session.ask("GET", url)
        assert listener.seen == []
        trusting = http.session(allow=allow, verify=str(certificate))
        assert http.read(trusting.ask("GET", named), 10) == b"hello"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.test", "https://a.test:443/x?y", True),
        ("https://a.test", "https://A.TEST./", True),
        ("https://a.test", "http://a.test", False),
        ("https://a.test", "https://a.test:444", False),
        ("https://a.test", "https://a.test.evil.test", False),
        ("https://a.test", "https://a.test@evil.test", False),
    ],
)
def test_origins(one: str, other: str, same: bool) -> None:
    assert (http.origin(one) == http.origin(other)) is same
