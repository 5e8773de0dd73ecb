"""Over https with a private CA: at Haven's own edge, and behind somebody's TLS proxy."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.stack import content
from tests.stack.engine import Docker, Engine, Refused
from tests.stack.fixtures import MakeStack
from tests.stack.stack import ADMIN_PASSWORD, Stack, free_port
from tests.stack.tls import Authority, own_address, proxy
from tests.stack.wire import Answer

pytestmark = pytest.mark.stack

LARGE = 300 * 2**20


@dataclass(frozen=True)
class Secure:
    """A Haven whose address is https, and who vouches for it."""

    stack: Stack
    authority: Authority


@pytest.fixture(scope="module", params=["edge", "proxy-usual", "proxy-bare"])
def secure(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, make_stack: MakeStack
) -> Iterator[Secure]:
    authority = Authority(tmp_path_factory.mktemp("tls"))
    with ExitStack() as exits:
        address, outer = exits.enter_context(own_address()), free_port()
        certificate = authority.issue(address)
        url = {"HAVEN_EXTERNAL_URL": f"https://{address}:{outer}"}
        if request.param == "edge":
            stack = make_stack(
                HAVEN_BIND=address,
                HAVEN_PORT=str(outer),
                HAVEN_TLS_CERT=str(certificate[0]),
                HAVEN_TLS_KEY=str(certificate[1]),
                **url,
            )
        else:
            stack = make_stack(**url)
            headers = request.param.removeprefix("proxy-")
            exits.enter_context(proxy(address, outer, stack.port, certificate, headers))
        stack.ca = authority.path
        exits.callback(stack.remove)
        yield Secure(stack.start(), authority)


def assert_only_https(secure: Secure, answer: Answer) -> None:
    """Nothing that a client would follow leads away from the address it knows."""
    named = [answer.headers.get(name, "") for name in ("Location", "WWW-Authenticate", "Link", "Content-Location")]
    for value in named:
        assert "http://" not in value, answer
        for url in re.findall(r"https://[^/\"\s]+", value):
            assert url == secure.stack.url, answer
    if secure.stack.environment.get("HAVEN_BIND") is None:
        assert f":{secure.stack.port}" not in str(answer.headers), answer


def test_docker_trusts_the_ca_and_carries_300_mb(secure: Secure, engine: Engine) -> None:
    docker = Docker(engine, secure.stack.host)
    with pytest.raises(Refused, match="x509|certificate"):
        docker.login("admin", ADMIN_PASSWORD)
    engine.trust(secure.stack.host, secure.authority.path)
    docker.login("admin", ADMIN_PASSWORD)
    large = os.urandom(LARGE)
    docker.make("library/large:1", {"large.bin": large})

    docker.push("library/large:1")
    docker.pull("library/large:1")

    assert docker.read("library/large:1", "/large.bin") == large
    docker.forget("library/large:1")


def test_nothing_names_http_or_an_inner_port(secure: Secure) -> None:
    admin = secure.stack.admin
    blob = content.Blob(b"over https")
    started = admin("POST", "/v2/library/small/blobs/uploads/", b"")
    answers = [
        started,
        admin("PATCH", started.location, b"over", {"Content-Range": "0-3"}),
        admin.send("GET", "/v2/"),
        admin.send("GET", "/v2"),
        admin.push_blob("library/small", blob),
        admin.push("library/small", "1", content.image(text="over https")),
        admin.push("library/small", "2", content.image(text="over https")),
        admin("GET", "/v2/library/small/tags/list?n=1"),
        admin("POST", f"/v2/library/other/blobs/uploads/?mount={blob.digest()}&from=library/small", b""),
        admin.api("POST", "/projects", {"project_name": "over-https"}),
        admin.api("GET", "/projects?page_size=1"),
        *(admin.send("GET", path) for path in ("/", "/projects", "/account/sign-in", "/harbor/projects", "/c/log_out")),
    ]

    for answer in answers:
        assert answer.status < 500, answer
        assert_only_https(secure, answer)


def test_cookies_are_secure(secure: Secure) -> None:
    wire = secure.stack.client()
    page = wire.send("GET", "/account/sign-in")
    assert page.status == 200, page
    token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page.content)
    assert token
    cookies = "; ".join(value.partition(";")[0] for value in page.headers.get_all("Set-Cookie") or [])
    form = f"csrfmiddlewaretoken={token.group(1).decode()}&principal=admin&username=admin&password={ADMIN_PASSWORD}"
    headers = {
        "Cookie": cookies,
        "Content-Type": "application/x-www-form-urlencoded",
        "Referer": f"{secure.stack.url}/account/sign-in",
        "Origin": secure.stack.url,
    }

    signed_in = wire.send("POST", "/account/sign-in", form.encode(), headers)

    assert signed_in.status in (302, 303), signed_in
    assert_only_https(secure, signed_in)
    given = [*(page.headers.get_all("Set-Cookie") or []), *(signed_in.headers.get_all("Set-Cookie") or [])]
    assert any(cookie.startswith("sid=") for cookie in given)
    for cookie in given:
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert "secure" in attributes, cookie
        assert attributes & {"samesite=lax", "samesite=strict"}, cookie
    assert all("httponly" in cookie.lower() for cookie in given if cookie.startswith("sid="))
    assert signed_in.headers["Strict-Transport-Security"]


def test_a_script_with_a_session_needs_the_first_token_and_no_page(secure: Secure) -> None:
    """What scripts for Harbor do with curl: one token, a login, changes."""
    wire = secure.stack.client()
    jar: dict[str, str] = {}

    def ask(method: str, path: str, kind: str, body: bytes = b"") -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in jar.items())
        headers = {"Content-Type": kind, "X-Harbor-CSRF-Token": token, **({"Cookie": cookies} if jar else {})}
        answer = wire.send(method, path, body, headers)
        pairs = [cookie.partition(";")[0].partition("=") for cookie in answer.headers.get_all("Set-Cookie") or []]
        jar.update({name: value for name, _, value in pairs})
        return answer

    token = ""
    token = ask("GET", "/api/v2.0/systeminfo", "").headers["X-Harbor-CSRF-Token"]
    form = f"principal=admin&password={ADMIN_PASSWORD}".encode()
    assert ask("POST", "/c/login", "application/x-www-form-urlencoded", form).status == 200

    made = ask("POST", "/api/v2.0/projects", "application/json", b'{"project_name": "scripted"}')

    assert (made.status, ask("DELETE", made.location, "application/json").status) == (201, 200)
    token = ""
    assert ask("POST", "/api/v2.0/projects", "application/json", b'{"project_name": "forged"}').status == 403
