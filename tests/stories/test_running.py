"""`bin/up` as an operator meets it: the first start, the second, and everything that can be wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.registry import generation_of
from tests import processes
from tests.cast import PASSWORD
from tests.stack import content
from tests.stack.fixtures import MakeStack
from tests.stack.stack import ADMIN_PASSWORD, ROOT, Stack
from tests.stack.wire import raw, raw_status, request_line

pytestmark = pytest.mark.stack


@pytest.fixture
def fresh(make_stack: MakeStack) -> Iterator[Stack]:
    """A stack that has never been started and whose operator gave no password."""
    stack = make_stack()
    del stack.environment["HARBOR_ADMIN_PASSWORD"]
    yield stack
    stack.remove()


def refusal(**environment: str) -> str:
    """What bin/up says when it does not start. One sentence, no traceback."""
    stack = Stack(**environment)
    try:
        done = subprocess.run(
            [str(ROOT / "bin/up")], env=stack.env, capture_output=True, text=True, timeout=60, check=False
        )
    finally:
        stack.remove()
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr.strip()


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_first_and_second_start(fresh: Stack) -> None:
    fresh.start()
    first = fresh.log
    assert f"http://localhost:{fresh.port}" in first
    found = re.search(r"admin\b.*?[Pp]assword:? +(\S{12,})", first, re.DOTALL)
    assert found, first
    password = found.group(1)
    image = content.image(text="kept over a restart")
    assert fresh.client("admin", password).push("library/kept", "1", image).status == 201

    assert fresh.stop() == 0
    fresh.log_file.write_text("")
    fresh.start()

    assert password not in fresh.log
    assert "assword" not in fresh.log
    assert fresh.client("admin", password).pull("library/kept", "1").content == image.content
    assert fresh.client().pull("library/kept", "1").content == image.content, "library is public"
    for private in fresh.data.rglob("*"):
        if private.suffix == ".pem" and b"PRIVATE" in private.read_bytes() or private.name == "secrets.env":
            assert private.stat().st_mode & 0o077 == 0, private


def test_no_default_password(fresh: Stack) -> None:
    fresh.start()

    for guess in ("Harbor12345", "admin", "password", "changeme"):
        client = fresh.client("admin", guess)
        assert client.send("GET", "/service/token?service=harbor-registry", headers=client.basic).status in (401, 429)


def test_ctrl_c_ends_everything_it_started(fresh: Stack) -> None:
    fresh.start()
    pids = [pid for pid, _ in fresh.processes()]
    assert len(pids) >= 7

    assert fresh.stop(signal.SIGINT) == 0

    assert alive(pids) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", fresh.port)) != 0


def test_a_killed_bin_up_leaves_nothing_that_stops_the_next(fresh: Stack) -> None:
    fresh.start()
    pids = [pid for pid, _ in fresh.processes()]
    assert fresh.process
    fresh.process.kill()
    fresh.process.wait()

    fresh.start()

    assert alive(pids) == []


def test_started_twice_it_says_so(stack: Stack) -> None:
    done = subprocess.run(
        [str(ROOT / "bin/up")], env=stack.env, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode != 0
    assert "already running" in done.stderr
    assert stack.is_healthy()


def test_a_taken_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])

        said = refusal(HAVEN_PORT=port)

    assert f"port {port}" in said
    assert "taken" in said
    assert said.count("\n") == 0


def test_a_data_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    said = refusal(HAVEN_DATA=str(tmp_path / "file"))

    assert "HAVEN_DATA" in said
    assert said.count("\n") == 0


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({"HAVEN_BIND": "0.0.0.0"}, "HAVEN_EXTERNAL_URL"),
        ({"HAVEN_BIND": "nonsense"}, "HAVEN_BIND"),
        ({"HAVEN_PORT": "http"}, "HAVEN_PORT"),
        ({"HAVEN_PORT": "70000"}, "HAVEN_PORT"),
        ({"HAVEN_EXTERNAL_URL": "registry.test"}, "HAVEN_EXTERNAL_URL"),
        ({"HAVEN_EXTERNAL_URL": "https://registry.test/path"}, "HAVEN_EXTERNAL_URL"),
        ({"HARBOR_ADMIN_PASSWORD": "Harbor12345"}, "HARBOR_ADMIN_PASSWORD"),
        ({"HARBOR_ADMIN_PASSWORD": "short"}, "assword"),
        ({"SECRET_KEY": "secret"}, "SECRET_KEY"),
        ({"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}, "DATABASE_URL"),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "REDIS_URL"),
        ({"REGISTRY_BIN": "/nowhere/registry"}, "REGISTRY_BIN"),
        ({"REGISTRY_BIN": "/bin/true"}, "REGISTRY_BIN"),
        ({"REGISTRY_STORAGE": "oss"}, "S3"),
        ({"REGISTRY_STORAGE": "floppy"}, "REGISTRY_STORAGE"),
        ({"REGISTRY_STORAGE": "s3"}, "BUCKET"),
        ({"HAVEN_TLS_CERT": "/nowhere.crt", "HAVEN_TLS_KEY": "/nowhere.key"}, "HAVEN_TLS"),
        ({"HAVEN_TLS_CERT": "/nowhere.crt"}, "HAVEN_TLS"),
    ],
)
def test_what_cannot_be_is_one_clear_sentence(environment: dict[str, str], word: str) -> None:
    said = refusal(**environment)

    assert word in said
    assert said.count("\n") == 0, said


def test_a_driver_that_this_registry_does_not_have(stack: Stack) -> None:
    driver = {2: "gcs", 3: "swift"}[generation_of(stack.environment["REGISTRY_BIN"])]

    said = refusal(REGISTRY_STORAGE=driver)

    assert driver in said
    assert "REGISTRY_BIN" in said


def test_beyond_loopback_by_plain_http_warns(fresh: Stack) -> None:
    fresh.environment |= {"HAVEN_BIND": "0.0.0.0", "HAVEN_EXTERNAL_URL": f"http://registry.haven.test:{fresh.port}"}
    fresh.process = processes.start([str(ROOT / "bin/up")], fresh.log_file, fresh.env)
    processes.wait_until(lambda: "ready" in fresh.log, "bin/up", 60, fresh.log_file)

    assert "warning" in fresh.log.lower()
    assert f'"insecure-registries": ["registry.haven.test:{fresh.port}"]' in fresh.log
    for host, status in {f"registry.haven.test:{fresh.port}": 401, "localhost": 421, "127.0.0.1": 421}.items():
        assert raw_status(raw(("127.0.0.1", fresh.port), request_line("GET", "/v2/", host))) == status


def test_two_stacks_side_by_side(stack: Stack, fresh: Stack) -> None:
    fresh.start()

    assert stack.is_healthy()
    assert fresh.is_healthy()
    assert fresh.admin.send("GET", "/service/token?service=harbor-registry", headers=fresh.admin.basic).status == 401


def test_an_operator_gets_back_in(fresh: Stack) -> None:
    fresh.start()

    fresh.manage("set_password", "admin", feed=f"{PASSWORD}\n{PASSWORD}\n")

    assert fresh.client("admin", PASSWORD).api("GET", "/users/current").json["username"] == "admin"


def test_the_token_key_is_changed_without_an_interruption(fresh: Stack) -> None:
    fresh.environment["HARBOR_ADMIN_PASSWORD"] = PASSWORD
    fresh.start()
    admin = fresh.client("admin", PASSWORD)
    image = content.image(text="signed for by two keys")
    assert admin.push("library/rotated", "1", image).status == 201
    old = admin.scoped("repository:library/rotated:pull,push")

    for _ in range(2):
        fresh.manage("rotate_token_key")
        for token in (old, fresh.client("admin", PASSWORD).scoped("repository:library/rotated:pull,push")):
            headers = {"Authorization": f"Bearer {token}", "Accept": "*/*"}
            for path in ("manifests/1", f"blobs/{image.blobs[0].digest()}"):
                assert admin.send("GET", f"/v2/library/rotated/{path}", headers=headers).status == 200


def test_processes_that_die_come_back(fresh: Stack) -> None:
    fresh.start()
    before = {name: fresh.pids(name)[0] for name in ("web", "registry", "edge", "worker", "beat", "redis")}

    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    processes.wait_until(
        lambda: all((fresh.pids(name) or [pid])[0] != pid for name, pid in before.items()), "all six", 30
    )
    fresh.wait_ready()


def test_health_names_its_parts(stack: Stack) -> None:
    answer = stack.client().send("GET", "/api/v2.0/health")

    assert answer.json["status"] == "healthy"
    assert {part["name"] for part in answer.json["components"]} >= {"core", "database", "redis", "registry"}


def test_what_is_set_holds_in_every_process(stack: Stack) -> None:
    admin = stack.client("admin", ADMIN_PASSWORD)
    try:
        for number in range(10):
            assert admin.api("PUT", "/configurations", {"banner_message": f"notice {number}"}).status == 200
            with ThreadPoolExecutor(16) as pool:
                asked = [pool.submit(stack.client().api, "GET", "/systeminfo") for _ in range(32)]
            assert {answer.result().json["banner_message"] for answer in asked} == {f"notice {number}"}
    finally:
        admin.api("PUT", "/configurations", {"banner_message": ""})


def test_what_no_server_takes_is_refused_in_the_form_that_programs_read(stack: Stack) -> None:
    for path in ("/api/v2.0/projects", "/v2/", "/c/login", "/projects"):
        answer = raw(("127.0.0.1", stack.port), request_line("GET", path, f"localhost:{stack.port}", {"X-A": "a\x01b"}))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert raw_status(answer) == 400, answer
        assert json.loads(body)["errors"][0]["code"] == "BAD_REQUEST"
        assert b"html" not in answer.lower() and b"x-request-id: " in head.lower()
