"""What Harbor's clients rely on and no schema says: ways in, errors, lists of every kind, their filters and orders."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.actors import SYSTEM
from accounts.models import User
from artifacts.models import Artifact, Repository, Tag
from audit.actions import record
from audit.models import Entry
from configuration import values
from jobs.models import Execution
from projects.models import Label, Project
from replication import runs
from replication.models import Endpoint, Policy
from tests.api import replication
from tests.api.calling import BASE, Caller, caller, code, message
from tests.api.calls import ASKED, CALLS, filled
from tests.api.conftest import Stage
from tests.api.contract import OPERATIONS
from tests.api.stage import PUSHED, make_image, make_repository, make_system_robot
from tests.cast import PASSWORD, Cast, make_project, make_user
from tokens.signing import key_folder

FORM = "application/x-www-form-urlencoded"

# Ways in


def form(client: Client, path: str, body: str) -> Any:
    """The answer to a form that comes with a page's token."""
    ask = Caller(client=client)
    token = ask.get("/systeminfo")["X-Harbor-CSRF-Token"]
    return ask.raw("POST", path, body.encode(), content_type=FORM, X_Harbor_CSRF_Token=token)


def enter(name: str, password: str = PASSWORD) -> tuple[Client, Any]:
    client = Client(enforce_csrf_checks=True)
    return client, form(client, "/c/login", f"principal={name}&password={password}")


def test_whether_there_is_a_user_is_told_to_who_may_register_or_administers(cast: Cast) -> None:
    asked = {"target=username&value=alice": b"true\n", "target=username&value=none": b"false\n"}
    asked |= {"target=email&value=alice@haven.test": b"true\n", "target=email&value=alice": b"false\n"}
    for client in (Client(enforce_csrf_checks=True), enter("alice")[0]):
        refused = form(client, "/c/userExists", next(iter(asked)))
        assert (refused.status_code, code(refused)) == (412, "PRECONDITION")
    found = {body: form(enter("admin")[0], "/c/userExists", body).content for body in asked}
    assert found == asked
    values.set_values({"self_registration": True})
    found = {body: form(Client(enforce_csrf_checks=True), "/c/userExists", body).content for body in asked}
    assert found == asked
    forged = Caller().raw("POST", "/c/userExists", next(iter(asked)).encode(), content_type=FORM)
    assert (forged.status_code, code(forged)) == (403, "FORBIDDEN")


def test_who_signs_in_elsewhere_is_told_where(cast: Cast) -> None:
    first = User.objects.filter(pk=1).first() or make_user("first", pk=1, is_admin=True)
    values.set_values({"auth_mode": "oidc_auth"})
    for name in ("alice", "nobody"):
        client, response = enter(name)
        told = {"redirect_location": "http://haven.test:8080/c/oidc/login"}
        assert (response.status_code, response.json()) == (403, told), name
        assert "sid" not in client.cookies
    assert enter(first.username)[1].status_code == 200


def test_reading_and_signing_in_go_on_while_it_is_read_only(cast: Cast) -> None:
    values.set_values({"read_only": True})
    client, response = enter("alice")
    assert response.status_code == 200
    assert Caller(client=client).get("/users/current").json()["username"] == "alice"
    assert form(enter("admin")[0], "/c/userExists", "target=username&value=alice").content == b"true\n"
    assert Caller().get("/ping").status_code == 200
    key_folder().prepare()
    grant = f"grant_type=password&service=harbor-registry&client_id=x&username=alice&password={PASSWORD}"
    assert Caller().raw("POST", "/service/token", grant.encode(), content_type=FORM).status_code == 200
    for who in (None, cast.stranger, cast.admin):  # before it is asked who they are
        response = caller(who).post("/projects", {"project_name": "late"})
        assert (response.status_code, code(response)) == (403, "DENIED")
        assert message(response) == "The system is in read only mode. Any modification is prohibited."
    assert not Project.objects.filter(name="late").exists()


def test_a_token_for_docker_opens_no_api(cast: Cast) -> None:
    key_folder().prepare()
    realm = "/service/token?service=harbor-registry&scope=repository:private/app:pull"
    token = caller(cast.admin).raw("GET", realm).json()["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert Caller().raw("GET", "/v2/", **bearer).status_code == 200
    for path in ("/users/current", "/projects/private", "/users"):
        assert Caller().get(path, **bearer).status_code == 401, path


def test_what_only_harbors_own_parts_ask_is_not_there(cast: Cast) -> None:
    client, _ = enter("admin")
    paths = ["/v1/", "/v1/_ping", "/service/notifications/jobs/webhook/1", "/c/authproxy/redirect"]
    for path in [*paths, "/api/internal/renameadmin", "/api/internal/syncquota", "/api/internal/configurations"]:
        for method in ("GET", "POST", "PUT"):
            assert Caller(client=client).raw(method, path).status_code == 404, (method, path)


def test_every_answer_of_every_part_carries_the_request_id(cast: Cast) -> None:
    odd = [f"{BASE}/projects?q=%zz", f"{BASE}/projects/..", "/api", "/c/log_out", "/v1/", "/nowhere"]
    for path in ["/", "/v2/", "/v2/_catalog", "/service/token", f"{BASE}/users", "/account/sign-in", *odd]:
        assert Caller().raw("GET", path, X_Request_Id="asked-0123")["X-Request-Id"] == "asked-0123", path
        assert len(Caller().raw("GET", path)["X-Request-Id"]) == 36, path


def test_the_cookies(cast: Cast) -> None:
    client, _ = enter("alice")
    found = {name: (each["path"], each["samesite"], each["httponly"]) for name, each in client.cookies.items()}
    assert found == {"sid": ("/", "Lax", True), "csrf": ("/", "Strict", True)}
    assert client.cookies["sid"]["max-age"] == 60 * 60
    plain = Caller("alice", PASSWORD)
    assert plain.post("/projects", {"project_name": "plain"}).status_code == 201
    assert "sid" not in plain.client.cookies


# Errors


def test_the_plain_refusals_say_what_harbors_do(cast: Cast) -> None:
    admin = caller(cast.admin)
    for response, wanted in (
        (Caller().get("/users"), (401, "UNAUTHORIZED", "unauthorized")),
        (Caller().get("/projects/private"), (401, "UNAUTHORIZED", "unauthorized")),
        (caller(cast.stranger).get("/projects/private"), (403, "FORBIDDEN", "forbidden")),
        (
            admin.post("/projects", {"project_name": "private"}),
            (409, "CONFLICT", "The project named private already exists"),
        ),
    ):
        assert (response.status_code, code(response), message(response)) == wanted


def test_what_does_not_fit_is_said_before_it_is_asked_who_asks(stage: Stage) -> None:
    """As go-openapi does it: a body, a number, a page, the media types; to nobody too."""
    ask, odd = Caller(), []
    for operation, wanted in OPERATIONS.items():
        path, sent = filled(ASKED[operation].path, stage) if operation in ASKED else "/users/1/cli_secret", []
        if "body" in wanted:
            sent += [(path, b"{", {}), (path, b"[]", {}), (path, b"{}", {"content_type": "text/plain"})]
            sent += [(path, b"", {})] if wanted["body_required"] else []
        for part in wanted.get("parameters", ()):
            if part["in"] == "query" and part["type"] in ("integer", "boolean"):
                sent.append((f"{path}{'&' if '?' in path else '?'}{part['name']}=x", b"{}", {}))
        for where, body, headers in sent:
            response = ask(wanted["method"], where, body, **headers)
            if (response.status_code, code(response)) != (422, "UNPROCESSABLE_ENTITY"):
                odd.append((operation, where, body, headers, response.status_code))
            assert message(response).startswith("validation failure list:\n"), operation
    assert odd == []


def test_a_change_is_made_whole_or_not_at_all(cast: Cast) -> None:
    twice = {"items": [{"cve_id": "CVE-2024-1"}, {"cve_id": "CVE-2024-1"}]}
    response = caller(cast.alice).post("/projects", {"project_name": "half", "cve_allowlist": twice})
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
    assert not Project.objects.filter(name="half").exists() and not Entry.objects.exists()


def test_what_a_project_may_be_called(cast: Cast) -> None:
    admin = caller(cast.admin)
    for name in ("a", "0", "a.b_c-d", "a" * 255):
        assert admin.post("/projects", {"project_name": name}).status_code == 201, name
    for name in ("", " ", "a b", " a", "A", "a..b", "a--b", "-a", "a-", "a/b", "a:b", "é"):
        response = admin.post("/projects", {"project_name": name})
        assert (response.status_code, code(response)) == (400, "BAD_REQUEST"), name
    assert Project.objects.count() == 6


def test_any_path_of_a_project_takes_its_number_or_its_name(cast: Cast) -> None:
    admin = caller(cast.admin)
    number = cast.private.pk
    make_project(str(number))  # its name is the other's number
    for sub in ("", "/summary", "/members", "/metadatas/", "/artifacts", "/_deletable"):
        by_id, by_name = admin.get(f"/projects/{number}{sub}"), admin.get(f"/projects/private{sub}")
        assert by_id.status_code == 200 and by_id.content == by_name.content, sub
    for header in ("true", "1"):
        found = admin.get(f"/projects/{number}", X_Is_Resource_Name=header).json()
        assert found["name"] == str(number) and found["project_id"] != number
    make_repository(cast.private)
    for name, repositories in (("private", 1), (number, 0)):  # a path that takes a name alone takes a number for one
        assert len(admin.get(f"/projects/{name}/repositories").json()) == repositories, name
    made = admin.post(f"/projects/{number}/members", {"role_id": 3, "member_user": {"username": "stranger"}})
    assert made["Location"].startswith(f"{BASE}/projects/{number}/members/")
    assert admin.raw("GET", made["Location"]).json()["entity_name"] == "stranger"


# Lists


LISTS = {name: wanted for name, wanted in OPERATIONS.items() if wanted.get("list")}
TAKE_Q = [name for name, wanted in LISTS.items() if "q" in {part["name"] for part in wanted.get("parameters", ())}]


def address(stage: Stage, operation: str) -> str:
    """Where the list of `operation` is, ready for another parameter."""
    path = "/robots" if operation == "ListRobot" else filled(CALLS[operation].path, stage)
    return f"{path}{'&' if '?' in path else '?'}"


def test_every_list_is_paged_in_the_same_words(stage: Stage) -> None:
    seen = set()
    for operation in LISTS:
        ask, path = stage.callers["admin"], address(stage, operation)
        caller(stage.cast.admin).put("/projects/private", {"metadata": {"severity": "low"}})
        for wrong in ("page_size=101", "page_size=x", "page=x"):
            refused = ask.get(path + wrong)
            assert (refused.status_code, code(refused)) == (422, "UNPROCESSABLE_ENTITY"), (operation, wrong)
        whole = ask.get(f"{path}page_size=0")
        total = int(whole["X-Total-Count"])
        assert (whole.status_code, len(whole.json())) == (200, total) and not whole.has_header("Link"), operation
        first = ask.get(f"{path}page_size=1")
        assert first["X-Total-Count"] == str(total), operation
        assert first.json() == whole.json()[:1] and ('rel="next"' in first.get("Link", "")) == (total > 1), operation
        last = ask.get(f"{path}page_size=1&page={total + 1}")
        assert (last.content, last.has_header("Link")) == (b"[]\n", False), operation
        if total > 1:
            seen.add(operation)
            second = ask.raw("GET", first["Link"].removeprefix("<").partition(">")[0])
            assert second.json() == whole.json()[1:2], operation
            assert second["Link"].startswith("</api/v2.0/") and '; rel="prev"' in second["Link"], operation
    assert len(seen) > 12


def test_every_filter_is_read_strictly_and_strange_keys_are_passed_over(stage: Stage) -> None:
    assert len(TAKE_Q) > 15
    for operation in TAKE_Q:
        ask, path = stage.callers["admin"], address(stage, operation)
        for broken in ("name", "name=", "=x", "name=[1]", "name=%7Ba"):
            refused = ask.get(f"{path}q={broken}")
            assert (refused.status_code, code(refused)) == (400, "BAD_REQUEST"), (operation, broken)
        plain = ask.get(path)
        for strange in ("sort=strange,-secret", "q=strange=1,Secret=~a,x__y=[1~2]"):
            found = ask.get(path + strange)
            assert (found.status_code, found.content) == (200, plain.content), (operation, strange)
            assert found["X-Total-Count"] == plain["X-Total-Count"], operation


def test_what_comes_first_unless_it_is_asked_otherwise(stage: Stage) -> None:
    """Harbor's order of each list, of rows that were made in another, and of some that are as old as each other."""
    cast, admin = stage.cast, caller(stage.cast.admin)
    for name in ("zoo", "abc"):
        make_project(name)
        make_user(name)
        make_system_robot(name, [], {})
        Policy.objects.create(name=name, target=replication.endpoint())
        Label.objects.create(name=name)
        record(cast.admin.actor, "create", "project", name)
    old = PUSHED - timedelta(days=1)
    tagged = [make_image(make_repository(cast.private, name), "b", "c", "a") for name in ("old", "one", "two")]
    Repository.objects.exclude(pk=tagged[0].repository_id).update(creation_time=timezone.now())
    Repository.objects.filter(pk=tagged[0].repository_id).update(creation_time=old)
    Artifact.objects.filter(pk=tagged[2].pk).update(push_time=old)
    Tag.objects.filter(artifact=tagged[1], name="c").update(push_time=PUSHED + timedelta(days=1))
    Policy.objects.filter(name="abc").update(creation_time=old)
    Entry.objects.filter(resource="abc").update(op_time=old)
    started = [runs.start(SYSTEM, Policy.objects.get(name="zoo")) for _ in range(3)]
    Execution.objects.filter(pk=started[1].pk).update(start_time=old)

    def listed(path: str, key: str) -> list[Any]:
        return [row[key] for row in admin.get(f"{path}{'&' if '?' in path else '?'}page_size=100").json()]

    images = [image.pk for image in (tagged[1], tagged[0], stage.index, stage.image, tagged[2])]
    people = ["abc", "alice", "developer", "guest", "limited_guest", "maintainer", "stranger", "zoo"]
    assert listed("/projects", "name") == ["abc", "private", "public", "zoo"]
    assert [name for name in listed("/users", "username") if name in people] == people
    assert listed("/robots", "name") == ["robot$abc", "robot$all", "robot$zoo"]
    assert listed("/labels?scope=g", "name") == ["abc", "zoo"]
    assert listed("/repositories", "name") == ["private/two", "private/one", "private/app/web", "private/old"]
    assert listed("/projects/private/artifacts", "id") == images
    assert listed("/projects/private/repositories/one/artifacts/a/tags", "name") == ["c", "a", "b"]
    assert listed("/replication/policies", "name") == ["zoo", "abc"]
    assert listed("/auditlog-exts", "resource")[-1] == "abc"
    assert listed("/replication/executions", "id") == [started[2].pk, started[0].pk, started[1].pk]
    assert listed("/projects/private/members", "entity_name") == ["alice", *people[2:6]]


def test_several_columns_sort_one_after_the_other(cast: Cast) -> None:
    repository = make_repository(cast.private)
    for size, kind in ((1, "CHART"), (2, "IMAGE"), (3, "CHART"), (4, "IMAGE")):
        Artifact.objects.filter(pk=make_image(repository, type=kind).pk).update(size=size)
    found = caller(cast.admin).get("/projects/private/artifacts?sort=-type,size").json()
    assert [(row["type"], row["size"]) for row in found] == [("IMAGE", 2), ("IMAGE", 4), ("CHART", 1), ("CHART", 3)]
    found = caller(cast.admin).get("/projects/private/artifacts?sort=Type,-Size").json()
    assert [row["size"] for row in found] == [3, 1, 4, 2]


def test_operators_and_names_that_harbor_lets_pass(cast: Cast) -> None:
    admin, number = caller(cast.admin), cast.private.pk
    for query, names in {
        "name=(private%20other)": ["private", "public"],  # all of a list is for what has lists
        "name__exact=private": ["private"],
        "name={'private'%20%22none%22}": ["private"],
        "name=\\private": ["private"],
        f"project_id__gt={number}": ["public"],
        f"ProjectID__lte={number}": ["private"],
        f"ProjectID=[{number}~{number}]": ["private"],
        f"project_id={{{number}%20{number + 1}}}": ["private", "public"],
        "CreationTime__gte=2000-01-01T00:00:00": ["private", "public"],
        "creation_time__lt=2000-01-01T00:00:00": [],
        "public=1": ["public"],
        "Owner=alice,name=~PRIV": ["private"],
        "owner%253Dalice%252Cname%253Dprivate": ["private"],
    }.items():
        response = admin.get(f"/projects?q={query}")
        assert [project["name"] for project in response.json()] == names, query
        assert response["X-Total-Count"] == str(len(names)), query


def test_what_has_two_names_is_found_by_either(stage: Stage) -> None:
    admin, system = caller(stage.cast.admin), stage.cast.admin.actor
    for name, is_admin in (("second", True), ("secondary", False)):
        make_user(name, is_admin=is_admin)
    record(system, "login", "user", "good")
    record(system, "login", "user", "bad", success=False)
    Endpoint.objects.filter(pk=replication.endpoint().pk).update(status="healthy")
    Endpoint.objects.filter(pk=replication.unused().pk).update(status="unhealthy")
    Policy.objects.create(name="both", target=replication.endpoint(), deletion=True, speed=5, trigger="event_based")
    Policy.objects.create(name="none", target=replication.endpoint())
    for path, key, queries in (
        ("/auditlog-exts", "bad", ("operation_result=false", "op_result=false", "IsSuccessful=0")),
        ("/auditlog-exts", "bad", ("resource=bad", "Resource=~BA", "op_time=[2000-01-01T00:00:00~],op_result=f")),
        ("/users", "second", ("username=~second,sysadmin_flag=true", "Username=~second,SysAdminFlag=true")),
        ("/registries", "unused", ("status=unhealthy", "health=unhealthy", "URL=https://unused.test")),
        ("/replication/policies", "both", ("replicate_deletion=true", "ReplicateDeletion=1", "trigger=~event")),
        ("/replication/policies", "both", ("speed=5", "Speed=[1~]")),
    ):
        for query in queries:
            found = admin.get(f"{path}?q={query}").json()
            assert [row.get("resource") or row.get("username") or row["name"] for row in found] == [key], query


def test_a_part_of_a_tag_is_looked_for_letter_by_letter(stage: Stage) -> None:
    """Unlike all else that is looked for by a part; only where the database tells the letters apart."""
    ask = caller(stage.cast.guest)
    assert len(ask.get(f"{stage.path}?q=tags=~ates").json()) == 1
    assert len(ask.get(f"{stage.path}?q=tags=~ATES").json()) == (0 if connection.vendor == "postgresql" else 1)
    assert len(ask.get("/repositories?q=name=~APP").json()) == 1
