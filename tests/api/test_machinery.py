"""What every operation has in common: who asks, how failures are told, what a path and a body may be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from configuration import values
from projects.models import Project
from tests.api.calling import BASE, Caller, caller, code, message
from tests.cast import PASSWORD, Cast


def test_version_is_above_the_api(db: None) -> None:
    response = Caller().raw("GET", "/api/version")
    assert (response.status_code, response.json()) == (200, {"version": "v2.0"})


def test_every_answer_carries_the_request_id(db: None) -> None:
    assert Caller().get("/ping", X_Request_Id="abc-12345")["X-Request-Id"] == "abc-12345"
    assert len(Caller().get("/nothing")["X-Request-Id"]) == 36


def test_unknown_path(db: None) -> None:
    response = Caller().get("/projectz")
    assert (response.status_code, code(response)) == (404, "NOT_FOUND")
    assert message(response) == "path /api/v2.0/projectz was not found"


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_other_method_of_a_known_path(db: None, method: str) -> None:
    response = Caller()(method, "/users/current")
    assert (response.status_code, code(response)) == (405, "METHOD_NOT_ALLOWED")
    assert response["Allow"] == "GET, HEAD"  # Harbor tells none; a client that looks for it is told


def test_nobody_is_told_to_sign_in_and_who_did_is_told_no(cast: Cast) -> None:
    assert Caller().get("/users").status_code == 401
    response = caller(cast.stranger).get("/users")
    assert (response.status_code, code(response), message(response)) == (403, "FORBIDDEN", "forbidden")


def test_a_wrong_password_is_nobody(cast: Cast) -> None:
    assert Caller("alice", "wrong").get("/users/current").status_code == 401
    assert Caller("alice", "wrong").get("/projects").json()[0]["name"] == "public"


def test_who_guesses_is_told_to_wait(cast: Cast) -> None:
    for _ in range(50):
        response = Caller("alice", "wrong").get("/users/current")
        if response.status_code == 429:
            break
    assert (response.status_code, code(response)) == (429, "TOO_MANY_REQUEST")
    assert int(response["Retry-After"]) >= 1


def test_no_answer_is_kept_and_none_depends_on_the_language(cast: Cast) -> None:
    for language in ("en", "zh-Hans"):
        plain = {"Accept_Language": language, "content_type": "text/plain"}
        response = caller(cast.admin).post("/projects", {"project_name": "a"}, **plain)
        assert message(response).endswith("unsupported media type, only [application/json] are allowed")
    assert caller(cast.admin).get("/users/current")["Cache-Control"] == "no-store"


def test_a_failed_basic_falls_through_to_the_session(cast: Cast) -> None:
    client = signed_in("alice")
    assert Caller("alice", "wrong", client).get("/users/current").json()["username"] == "alice"


@pytest.mark.parametrize("known", [True, False])
def test_a_project_that_is_not_there_looks_like_one_that_is_not_yours(cast: Cast, known: bool) -> None:
    name = "private" if known else "unknown"
    for sub in ("", "/summary", "/_deletable", "/members", "/repositories", "/auditlog-exts", "/metadatas/", "/logs"):
        for who, status in ((None, 401), (cast.stranger, 403)):
            response = caller(who).get(f"/projects/{name}{sub}")
            assert response.status_code == status, (sub, who)
            assert "unknown" not in message(response)
    assert caller(cast.admin).get(f"/projects/{name}/summary").status_code == (200 if known else 404)


def test_an_unforeseen_failure_says_nothing(cast: Cast) -> None:
    cast.private.quota.delete()
    response = caller(cast.admin).get("/projects/private/summary")
    assert (response.status_code, code(response)) == (500, "UNKNOWN")
    assert message(response) == "internal server error"


def test_read_only_refuses_changes_and_lets_people_read(cast: Cast) -> None:
    values.set_values({"read_only": True})
    admin = caller(cast.admin)
    response = admin.post("/projects", {"project_name": "late"})
    assert (response.status_code, code(response)) == (403, "DENIED")
    assert "read only" in message(response)
    assert not Project.objects.filter(name="late").exists()
    assert admin.get("/projects/private").status_code == 200


# Sessions


def signed_in(name: str) -> Client:
    """A browser in which `name` signed in."""
    client = Client(enforce_csrf_checks=True)
    token = client.get(f"{BASE}/systeminfo")["X-Harbor-CSRF-Token"]
    response = client.post(
        "/c/login", {"principal": name, "password": PASSWORD}, headers={"X-Harbor-CSRF-Token": token}
    )
    assert response.status_code == 200, response.content
    return client


def test_login_needs_the_token_that_a_page_was_given(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/c/login", {"principal": "alice", "password": PASSWORD})
    assert (response.status_code, code(response)) == (403, "FORBIDDEN")
    assert "sid" not in client.cookies


def test_login_and_logout(cast: Cast) -> None:
    client = signed_in("alice")
    assert client.get(f"{BASE}/users/current").json()["username"] == "alice"
    assert client.get("/c/log_out").status_code == 200
    assert client.get(f"{BASE}/users/current").status_code == 401


def test_who_signed_in_and_who_tried_is_written_down(cast: Cast) -> None:
    client = signed_in("alice")
    token = client.get(f"{BASE}/systeminfo")["X-Harbor-CSRF-Token"]
    client.post("/c/login", {"principal": "alice", "password": "x"}, headers={"X-Harbor-CSRF-Token": token})
    client.get("/c/log_out")
    logs = caller(cast.admin).get("/auditlog-exts").json()
    assert [(entry["operation"], entry["username"], entry["operation_result"]) for entry in logs] == [
        ("logout", "alice", True),
        ("login", "alice", False),
        ("login", "alice", True),
    ]


def test_login_with_a_wrong_password(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    token = client.get(f"{BASE}/systeminfo")["X-Harbor-CSRF-Token"]
    response = client.post("/c/login", {"principal": "alice", "password": "x"}, headers={"X-Harbor-CSRF-Token": token})
    assert (response.status_code, code(response)) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("token", [None, "", "forged", "0" * 64])
def test_a_session_changes_nothing_without_its_token(cast: Cast, token: str | None) -> None:
    client = signed_in("alice")
    headers = {} if token is None else {"X_Harbor_CSRF_Token": token}
    response = Caller(client=client).post("/projects", {"project_name": "forged"}, **headers)
    assert (response.status_code, code(response)) == (403, "FORBIDDEN")
    assert not Project.objects.filter(name="forged").exists()


def test_a_session_with_its_token_may(cast: Cast) -> None:
    client = signed_in("alice")
    token = client.get(f"{BASE}/users/current")["X-Harbor-CSRF-Token"]
    response = Caller(client=client).post("/projects", {"project_name": "mine"}, X_Harbor_CSRF_Token=token)
    assert response.status_code == 201


def test_a_program_goes_on_with_the_token_it_began_with(cast: Cast) -> None:
    """Over https too, where a browser would name the page it comes from; every answer on the way tells the token."""
    client = Client(enforce_csrf_checks=True)
    first = client.get(f"{BASE}/systeminfo")
    sent = {"X_Harbor_CSRF_Token": first["X-Harbor-CSRF-Token"], "X_Forwarded_Proto": "https"}
    form = b"principal=alice&password=" + PASSWORD.encode()
    ask = Caller(client=client)
    login = ask.raw("POST", "/c/login", form, content_type="application/x-www-form-urlencoded", **sent)
    assert login.status_code == 200, login.content
    assert ask.post("/projects", {"project_name": "first"}, **sent).status_code == 201
    for answer in (login, ask.post("/projects", {"project_name": "forged"})):
        sent["X_Harbor_CSRF_Token"] = answer["X-Harbor-CSRF-Token"]
        assert ask.put("/projects/first", {"metadata": {"public": "true"}}, **sent).status_code == 200
    for foreign in ({"Referer": "https://evil.test/"}, {"Origin": "https://evil.test"}, {"Origin": "null"}):
        assert ask.post("/projects", {"project_name": "forged"}, **sent, **foreign).status_code == 403
    assert not Project.objects.filter(name="forged").exists()


def test_a_session_cookie_asks_for_the_token_even_beside_a_password(cast: Cast) -> None:
    response = Caller("alice", PASSWORD, signed_in("alice")).post("/projects", {"project_name": "both"})
    assert response.status_code == 403
    for name, status in (("sid", 403), ("other", 201)):  # of a session that ended; of somebody else's
        client = Client(enforce_csrf_checks=True)
        client.cookies[name] = "left from before"
        response = Caller("alice", PASSWORD, client).post("/projects", {"project_name": "both"})
        assert response.status_code == status, name


def test_a_session_ends_with_the_password(cast: Cast) -> None:
    client = signed_in("alice")
    user = User.objects.get(username="alice")
    body = {"old_password": PASSWORD, "new_password": "Another-Horse-9"}
    assert caller(cast.alice).put(f"/users/{user.pk}/password", body).status_code == 200
    assert client.get(f"{BASE}/users/current").status_code == 401


# Bodies


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"null",
        b"[]",
        b'"text"',
        b"1",
        b"{",
        b"not json",
        b"\xff\xfe",
        b'{"project_name": 1}',
        b'{"project_name": ["a"]}',
        b'{"project_name": {"a": 1}}',
        b'{"project_name": "' + b"a" * 256 + b'"}',
        b'{"project_name": "a", "storage_limit": 1.5}',
        b'{"project_name": "a", "storage_limit": "1"}',
        b'{"project_name": "a", "storage_limit": NaN}',
        b'{"project_name": "a", "storage_limit": true}',
        b'{"project_name": "a", "storage_limit": 99999999999999999999}',
        b'{"project_name": "a", "storage_limit": ' + b"9" * 5000 + b"}",
        b'{"project_name": "a", "public": "yes"}',
        b'{"project_name": "a", "metadata": []}',
        b'{"project_name": "a", "metadata": {"public": true}}',
        b'{"project_name": "a\\u0000b"}',
        b'{"project_name": "a\\ud800b"}',
        b'{"project_name": ' + b"[" * 100_000,
    ],
)
def test_a_body_that_does_not_fit_is_422(cast: Cast, body: bytes) -> None:
    response = caller(cast.admin).post("/projects", body)
    assert (response.status_code, code(response)) == (422, "UNPROCESSABLE_ENTITY")
    assert message(response).startswith("validation failure list:\n")
    assert Project.objects.count() == 2


def test_what_does_not_fit_is_named_as_go_does(cast: Cast) -> None:
    admin = caller(cast.admin)
    too_long = message(admin.post("/projects", {"project_name": "a" * 256}))
    assert too_long == "validation failure list:\nproject_name in body should be at most 255 chars long"
    nested = message(admin.post("/projects", {"project_name": "a", "metadata": {"public": True}}))
    assert nested == 'validation failure list:\nmetadata.public in body must be of type string: "boolean"'
    assert message(admin.post("/projects")) == "validation failure list:\nproject in body is required"
    page = message(admin.get("/projects?page_size=101"))
    assert page == "validation failure list:\npage_size in query should be less than or equal to 100"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_only_json_is_read(cast: Cast, content_type: str) -> None:
    response = caller(cast.admin).post("/projects", {"project_name": "plain"}, content_type=content_type)
    assert (response.status_code, code(response)) == (422, "UNPROCESSABLE_ENTITY")
    assert not Project.objects.filter(name="plain").exists()


@pytest.mark.parametrize(("accept", "status"), [("text/html", 422), ("application/xml", 422), ("*/*", 200), ("", 200)])
def test_only_json_is_written(cast: Cast, accept: str, status: int) -> None:
    assert caller(cast.admin).get("/users/current", Accept=accept).status_code == status


def test_a_text_is_given_to_who_asks_for_text(db: None) -> None:
    for accept in ("text/plain", "application/json", "*/*"):
        response = Caller().get("/ping", Accept=accept)
        assert (response.status_code, response.content) == (200, b"Pong")


def test_unknown_keys_and_nulls_are_ignored(cast: Cast) -> None:
    body = {"project_name": "odd", "owner_id": 1, "id": 7, "metadata": None, "public": None, "deleted": True}
    assert caller(cast.alice).post("/projects", body).status_code == 201
    assert Project.objects.get(name="odd").owner == cast.alice


def test_a_body_has_an_end(cast: Cast) -> None:
    response = caller(cast.admin).post("/projects", b'{"project_name": "' + b"a" * (1 << 20) + b'"}')
    assert (response.status_code, code(response)) == (413, "REQUEST_ENTITY_TOO_LARGE")


# Paths


@pytest.mark.parametrize(
    "path",
    [
        "/projects/../users",
        "/projects/%2e%2e/users",
        "/projects/..%2fusers",
        "/projects/x%252f..%252f..",
        "/projects/./private",
        "/projects/a%00b",
        "/projects/a%0ab",
        "/projects/%zz",
        "/projects/%ff",
        "/projects?q=%zz",
        "/projects?page=1;page_size=2",
    ],
)
def test_a_path_that_nobody_sends_is_400(cast: Cast, path: str) -> None:
    response = caller(cast.admin).get(path)
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("path", ["/projects/private/", "//projects//private", "/projects/%70rivate"])
def test_a_path_may_be_written_loosely(cast: Cast, path: str) -> None:
    assert caller(cast.admin).get(path).json()["name"] == "private"


def test_a_number_is_an_id_unless_it_is_said_to_be_a_name(cast: Cast) -> None:
    admin = caller(cast.admin)
    assert admin.post("/projects", {"project_name": "77"}).status_code == 201
    assert admin.get("/projects/77").status_code == 404
    assert admin.get("/projects/77", X_Is_Resource_Name="true").json()["name"] == "77"
    assert admin.get(f"/projects/{cast.private.pk}").json()["name"] == "private"


@pytest.mark.parametrize("path", ["/users/one", "/users/1.5", "/users/99999999999999999999", "/robots/x"])
def test_an_id_that_is_no_number_is_422(cast: Cast, path: str) -> None:
    assert caller(cast.admin).get(path).status_code == 422


def test_answers_are_compact_and_end_in_a_newline(cast: Cast) -> None:
    response = caller(cast.admin).get("/projects/private")
    assert response["Content-Type"] == "application/json"
    assert response.content == json.dumps(response.json(), separators=(",", ":")).encode() + b"\n"


def test_nothing_is_written_to_a_page(cast: Cast) -> None:
    """Whatever goes wrong below the API, no HTML comes out."""
    answers: list[Any] = [Caller().raw("GET", path) for path in ("/api", "/api/", "/api/v1", "/api/v2.0", "/c/nothing")]
    for answer in answers:
        assert (answer.status_code, code(answer)) == (404, "NOT_FOUND")
