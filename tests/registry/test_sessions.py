"""What a session can be given and told from outside: authorities of one's own, and to cut its connections."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from registry import http
from registry.auth import Credentials
from registry.client import Body, Registry
from registry.errors import Blocked, Unavailable
from tests.fakes.registry import FakeRegistry, fake_session
from tests.registry.documents import sha256
from tests.registry.listener import Listener, listening
from tests.stack.tls import Authority


def secure(listener: Listener, certificate: Path, key: Path) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener.socket = context.wrap_socket(listener.socket, server_side=True)
    return f"https://127.0.0.1:{listener.server_port}"


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_an_authority_of_ones_own_is_trusted_beside_the_public_ones(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    files = authority.issue("127.0.0.1")
    with listening() as listener:
        url = secure(listener, *files)
        session = http.session(allow=["127.0.0.1"], authorities=authority.path.read_text())
        assert session.ask("GET", url).content == b"hello"
        with pytest.raises(Unavailable, match="certificate is not trusted"):
            http.session(allow=["127.0.0.1"]).ask("GET", url)
        assert http.session(allow=["127.0.0.1"], verify=False).ask("GET", url).content == b"hello"
        assert ssl.create_default_context().get_ca_certs() != []
    with pytest.raises(ValueError):
        http.session(authorities="no certificate")


def test_a_session_that_is_cut_lets_go_of_who_waits_on_it() -> None:
    go_on = threading.Event()

    def hang(method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        go_on.wait(20)
        return 200, {}, b"late"

    with listening(hang) as listener:
        session = http.session(allow=["127.0.0.1"], timeout=(5, 20))
        failed: list[Exception] = []

        def ask() -> None:
            try:
                session.ask("POST", listener.url)
            except Unavailable as error:
                failed.append(error)

        waiting = threading.Thread(target=ask)
        waiting.start()
        while not listener.connections:
            time.sleep(0.01)
        began = time.monotonic()
        session.abort()
        waiting.join(5)
        assert failed and time.monotonic() - began < 2
        go_on.set()
        assert session.ask("GET", listener.url).content == b"late"  # it can be used again


def test_many_threads_that_need_a_token_ask_for_one() -> None:
    fake = FakeRegistry()
    fake.require("bob", "secret")
    session, _ = fake_session(fake)
    registry = Registry(fake.url, session, Credentials(fake.url, session, "bob", "secret"))
    threads = [threading.Thread(target=registry.head_blob, args=("a/b", sha256(b"x"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fake.called(path="^/token$")) == 1


def test_a_token_that_has_ended_is_renewed_before_a_body_goes_out() -> None:
    fake = FakeRegistry()
    fake.require("bob", "secret")
    session, _ = fake_session(fake)
    auth = Credentials(fake.url, session, "bob", "secret")
    registry = Registry(fake.url, session, auth)
    location = registry.start_upload("a/b")
    for token in auth.tokens.held.values():
        token.until = 0
    fake.calls.clear()
    registry.finish_upload("a/b", location, sha256(b"x"), b"x")
    assert [call.method for call in fake.calls] == ["GET", "PUT"]


def test_a_target_that_reads_slowly_is_waited_for_longer_than_one_that_cannot_be_reached() -> None:
    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        time.sleep(2.5)
        received = 0
        while received < 16 * 2**20:
            received += len(connection.recv(2**20))
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        session = http.session(allow=["127.0.0.1"], timeout=(1.5, 20))
        body = Body((b"x" * 2**20 for _ in range(16)), 16 * 2**20)
        answer = session.ask("PUT", f"http://127.0.0.1:{server.getsockname()[1]}/x", data=body)
    assert answer.status_code == 201


def test_a_refusal_keeps_the_connection() -> None:
    """What a registry lacks is most of what is asked before a copy."""

    def missing(method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        return 404, {"Content-Type": "application/json"}, b'{"errors":[{"code":"BLOB_UNKNOWN"}]}'

    with listening(missing) as listener:
        registry = Registry(listener.url, http.session(allow=["127.0.0.1"]))
        for number in range(5):
            assert registry.head_blob("team/app", sha256(str(number).encode())) is None
        assert listener.connections == 1


def test_a_plain_request_is_what_the_library_would_make_of_it() -> None:
    session = http.session(allow=["127.0.0.1"])
    digest = sha256(b"layer")
    cases = [
        ("HEAD", f"https://registry.test/v2/team/app/blobs/{digest}", None),
        ("GET", "http://127.0.0.1:5000/v2/_catalog?n=1000&last=a%2Fb", None),
        ("POST", "http+unix://%2Frun%2Fregistry.sock/v2/team/app/blobs/uploads/", None),
        ("PUT", f"https://registry.test/v2/a/blobs/uploads/1?digest={digest.replace(':', '%3A')}", b"layer"),
        ("PATCH", "https://registry.test/v2/a/blobs/uploads/1", Body([b"abc", b"de"], 5)),
        ("PUT", "https://registry.test/v2/a/../b//c?x=%2f#part", b""),
        ("GET", "https://REGISTRY.test:443/v2/ü", None),
        ("GET", "https://registry.test", None),
    ]
    for method, url, data in cases:
        asked = http.Request(method, url, headers={"Accept": "a", "user-agent": "b"}, data=data)
        ours, theirs = session.prepare_request(asked), super(http.Session, session).prepare_request(asked)
        assert (ours.method, ours.url, dict(ours.headers)) == (theirs.method, theirs.url, dict(theirs.headers))
        assert ours.body is theirs.body
    for header in ("a\r\nb: c", "a\nb"):
        with pytest.raises(Blocked):
            session.prepare_request(http.Request("GET", "https://registry.test/v2/", headers={"Accept": header}))
