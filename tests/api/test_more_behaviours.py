"""What Harbor's clients rely on and no schema says: people, robots, artifacts, rules, the log, projects, the system."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from pytest_django import Settings

from accounts.models import Group, User
from artifacts.models import Accessory, Repository, Tag
from configuration import values
from jobs import actions as jobs
from jobs import tasks
from jobs.models import Execution, Schedule
from projects.models import Member, Project, Role
from replication.models import COPY, Endpoint, Policy
from robots.models import Robot
from tests.api import replication
from tests.api.calling import Caller, caller, code, message
from tests.api.conftest import Stage
from tests.api.stage import PUSHED, make_image, make_index, make_signature, make_system_robot
from tests.cast import PASSWORD, Cast, make_user

NEW = "Another-Horse-9"
PULL = {"resource": "repository", "action": "pull"}


def person(name: str, **fields: str) -> dict[str, str]:
    return {"username": name, "password": PASSWORD, "email": f"{name}@haven.test", "realname": "New", **fields}


def on(project: str, *access: dict[str, str]) -> dict[str, Any]:
    return {"kind": "project", "namespace": project, "access": list(access or (PULL,))}


def robot(*grants: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"name": "bob", "level": "project", "duration": 7, "permissions": list(grants), **fields}


def first_administrator() -> User:
    return User.objects.filter(pk=1).first() or make_user("first", pk=1, is_admin=True)


# People


def test_an_administrator_sets_anothers_password_without_the_old_one(cast: Cast) -> None:
    admin, path = caller(cast.admin), f"/users/{cast.guest.pk}/password"
    assert admin.put(path, {"new_password": NEW}).status_code == 200
    assert Caller("guest@haven.test", NEW).get("/users/current").json()["username"] == "guest"
    assert caller(cast.guest).get("/users/current").status_code == 401
    own = admin.put(f"/users/{cast.admin.pk}/password", {"new_password": NEW})
    assert (own.status_code, code(own)) == (403, "FORBIDDEN")


def test_the_first_administrator_is_never_deleted(cast: Cast) -> None:
    first, second = first_administrator(), make_user("second", is_admin=True)
    response = caller(second).delete(f"/users/{first.pk}")
    assert (response.status_code, code(response)) == (403, "FORBIDDEN")
    assert caller(first).get("/users/current").status_code == 200


def test_the_name_of_who_was_deleted_is_free(cast: Cast) -> None:
    admin, again = caller(cast.admin), person("guest")
    assert admin.post("/users", again).status_code == 409
    assert admin.delete(f"/users/{cast.guest.pk}").status_code == 200
    made = admin.post("/users", again)
    assert made.status_code == 201 and made["Location"] != f"/api/v2.0/users/{cast.guest.pk}"
    assert Caller("guest", PASSWORD).get("/projects/private").status_code == 403  # a name inherits no role


def test_people_register_on_a_page_and_not_by_a_program(cast: Cast) -> None:
    assert code(Caller().post("/users", person("new"))) == "UNAUTHORIZED"
    values.set_values({"self_registration": True})
    refused = Caller().post("/users", person("new"))
    assert (refused.status_code, message(refused)) == (403, "self-registration cannot be triggered via API")
    assert caller(cast.guest).post("/users", person("new")).status_code == 403
    values.set_values({"auth_mode": "ldap_auth"})
    for ask in (Caller(), caller(first_administrator())):  # whom Haven knows in every mode
        assert code(ask.post("/users", person("new"))) == "FORBIDDEN"
    assert not User.objects.filter(username="new").exists()


def test_the_strongest_role_is_shown_first(cast: Cast) -> None:
    groups = {role: Group.objects.create(name=f"g{role}", type=Group.Type.OIDC) for role in Role}
    for role, group in groups.items():
        Member.objects.create(project=cast.private, group=group, role=role)
    ask, strength = caller(cast.stranger), [1, 4, 2, 3, 5]
    for weakest in reversed(strength):
        groups[Role(weakest)].memberships.create(user=cast.stranger)
        expected = strength[strength.index(weakest) :]
        shown = ask.get("/projects/private").json()
        assert (shown["current_user_role_id"], shown["current_user_role_ids"]) == (weakest, expected)
    members = caller(cast.alice).get("/projects/private/members").json()
    names = {entry["role_id"]: entry["role_name"] for entry in members}
    assert names == {1: "projectAdmin", 2: "developer", 3: "guest", 4: "maintainer", 5: "limitedGuest"}


# Robots


def test_a_robot_gets_its_secret_from_us_and_is_not_born_disabled(cast: Cast) -> None:
    ask = caller(cast.alice)
    made = ask.post("/robots", robot(on("private"), secret="Chosen-Secret-1", disable=True))
    secret = made.json()["secret"]
    assert made.status_code == 201 and len(secret) == 32
    assert Caller("robot$private+bob", secret).get("/users/current").status_code == 412
    assert Caller("robot$private+bob", "Chosen-Secret-1").get("/users/current").status_code == 401
    shown = ask.raw("GET", made["Location"])
    assert shown.json()["disable"] is False and "secret" not in shown.json()


def test_a_robot_that_harbor_would_not_make(cast: Cast) -> None:
    admin = caller(cast.admin)
    create = {"resource": "repository", "action": "create"}
    catalog = {"kind": "system", "namespace": "/", "access": [{"resource": "catalog", "action": "read"}]}
    wrong = {
        "bad request permission: repository:create": robot(on("private", create)),
        "bad request permission: repository:pull": robot({**catalog, "access": [PULL]}, level="system"),
        "name": robot(on("private"), name="Bob"),
        "name ": robot(on("private"), name="bob+b"),
        "permission": robot(),
        "access": robot({**on("private"), "access": []}),
        "one project": robot(on("private"), on("public")),
        "kind": robot(catalog),
        "namespace": robot({**catalog, "namespace": "private"}, level="system"),
        "level": robot(on("private"), level="galaxy"),
        "duration": robot(on("private"), duration=0),
        "duration ": robot(on("private"), duration=2**31 - 1),
    }
    for word, body in wrong.items():
        response = admin.post("/robots", body)
        assert (response.status_code, code(response)) == (400, "BAD_REQUEST"), word
        assert not word.startswith("bad request") or message(response) == word
    assert not Robot.objects.exists()
    assert admin.post("/robots", robot(on("private"), duration=2**31 - 2)).status_code == 201


def test_a_robot_gives_to_others_only_what_it_has(stage: Stage) -> None:
    _, secret = make_system_robot("maker", [], {stage.cast.private.pk: ["robot:create", "repository:pull"]})
    maker, push = Caller("robot$maker", secret), {"resource": "repository", "action": "push"}
    refused = maker.post("/robots", robot(on("private", PULL, push)))
    assert (refused.status_code, code(refused)) == (403, "DENIED")
    assert maker.post("/robots", robot(on("private"))).status_code == 201
    assert not Robot.objects.filter(name="bob", permissions__icontains="push").exists()


def test_robots_of_a_project_are_asked_for_by_its_id(stage: Stage) -> None:
    asked = f"/robots?q=Level=project,ProjectID={stage.cast.private.pk}"
    for who in (stage.cast.admin, stage.cast.alice):
        response = caller(who).get(asked)
        assert ([entry["name"] for entry in response.json()], response["X-Total-Count"]) == (["robot$private+ci"], "1")
    for name, found in (("private%252Bci", 1), ("~ate%252Bc", 1), ("ci", 0), ("{all private%252Bci}", 1)):
        path = f"{asked},name={name.replace(' ', '%20')}"  # as Harbor keeps it: with the project, without the prefix
        assert len(caller(stage.cast.alice).get(path).json()) == found, name
        old = f"/projects/private/robots?q=name={name.replace(' ', '%20')}"
        assert len(caller(stage.cast.alice).get(old).json()) == found, name
    assert len(caller(stage.cast.admin).get("/robots?q=name=all").json()) == 1
    assert caller(stage.cast.stranger).get(asked).status_code == 403
    assert caller(stage.cast.alice).get("/robots").status_code == 403  # the system's are the administrators'
    values.set_values({"robot_name_prefix": "bot-"})
    assert caller(stage.cast.alice).get(asked).json()[0]["name"] == "bot-private+ci"


def test_another_duration_counts_from_the_robots_birth(stage: Stage) -> None:
    ask, path = caller(stage.cast.alice), f"/robots/{stage.robot.pk}"
    born = datetime.now(UTC) - timedelta(days=5)
    Robot.objects.filter(pk=stage.robot.pk).update(creation_time=born)
    body = ask.get(path).json()
    assert body["expires_at"] == -1
    for days, ends in ((10, int((born + timedelta(days=10)).timestamp())), (-1, -1)):
        assert ask.put(path, body | {"duration": days}).status_code == 200
        assert ask.get(path).json()["expires_at"] == ends
    assert ask.put(path, body | {"duration": 3}).status_code == 200
    assert stage.callers["robot"].get("/users/current").status_code == 401  # it ended two days ago
    assert ask.put(path, body | {"duration": 0}).status_code == 400


# Artifacts


def test_what_is_shown_of_an_artifact_without_being_asked_for(stage: Stage) -> None:
    ask = caller(stage.cast.guest)
    stage.image.label_uses.create(label=stage.label)
    for path in (f"{stage.path}/v1", f"{stage.path}?q=tags=v1", "/projects/private/artifacts?q=tags=v1"):
        shown = ask.get(path).json()
        artifact = shown[0] if isinstance(shown, list) else shown
        assert len(artifact["tags"]) == 2
        assert (artifact["labels"], artifact["accessories"]) == (None, None)
        assert not {"scan_overview", "sbom_overview", "inherited_accessories"} & artifact.keys()
    every = "with_tag=false&with_label=true&with_accessory=true&with_scan_overview=true&with_sbom_overview=true"
    artifact = ask.get(f"{stage.path}/v1?{every}&with_immutable_status=true&with_signature=true").json()
    assert (artifact["tags"], len(artifact["labels"]), len(artifact["accessories"])) == (None, 1, 1)


def test_a_signature_of_the_index_is_its_childrens_too(stage: Stage) -> None:
    child = stage.index.references.all()[0].child
    inherited, own = make_signature(stage.index), make_signature(child)
    make_index(stage.repository, "unsigned", child)
    Accessory.objects.create(
        artifact=make_image(stage.repository, subject_digest=stage.index.digest),
        repository=stage.repository,
        subject=stage.index,
        subject_digest=stage.index.digest,
        type="sbom.harbor",
    )
    ask = caller(stage.cast.guest)
    asked = "with_accessory=true&with_inherited_accessory=true"
    shown = ask.get(f"{stage.path}/{child.digest}?{asked}").json()
    assert [entry["digest"] for entry in shown["accessories"]] == [own.digest]
    [entry] = shown["inherited_accessories"]
    assert (entry["digest"], entry["subject_artifact_digest"]) == (inherited.digest, stage.index.digest)
    listed = {row["digest"]: row for row in ask.get(f"{stage.path}?{asked}&q=base=*").json()}
    assert [digest for digest, row in listed.items() if "inherited_accessories" in row].count(child.digest) == 1
    assert "inherited_accessories" not in listed[stage.image.digest]


def test_a_repository_is_as_new_as_what_was_done_in_it(stage: Stage) -> None:
    ask, path = caller(stage.cast.maintainer), stage.path.removesuffix("/artifacts")

    def touched() -> bool:
        new: bool = ask.get(path).json()["update_time"] > "2024-01-20T09:18:50.783Z"
        Repository.objects.update(update_time=PUSHED)
        return new

    touched()
    assert not touched()
    for method, sub, body in (
        ("POST", "/v1/tags", {"name": "v2"}),
        ("DELETE", "/v1/tags/v2", None),
        ("DELETE", "/multi", None),
    ):
        assert ask(method, f"{stage.path}{sub}", body).status_code in (200, 201)
        assert touched(), sub
    Repository.objects.update(pull_count=7)
    assert ask.get(path).json()["pull_count"] == 7
    assert ask.get("/search?q=app").json()["repository"][0]["pull_count"] == 7


def test_a_tag_of_an_index_goes_alone_and_its_artifact_with_all_it_holds(stage: Stage) -> None:
    ask = caller(stage.cast.maintainer)
    assert ask.delete(f"{stage.path}/multi/tags/multi").status_code == 200
    assert ask.get(f"{stage.path}/{stage.index.digest}").json()["tags"] is None
    signature = stage.image.accessories.get().artifact
    assert ask.delete(f"{stage.path}/{stage.image.digest}").status_code == 200
    assert ask.get(f"{stage.path}/{signature.digest}").status_code == 404
    assert not Tag.objects.filter(repository=stage.repository).exists()


# Schedules and work


def test_a_schedule_takes_the_cron_that_harbor_takes(cast: Cast) -> None:
    admin, path = caller(cast.admin), "/system/purgeaudit/schedule"
    asked = {"parameters": {"audit_retention_hour": 240_000, "include_event_types": "create_project,other"}}
    for kind in ("Hourly", "Daily", "Weekly", "Custom"):  # the cron counts, whatever the kind is called
        made = admin.post(path, asked | {"schedule": {"type": kind, "cron": "0 15 3 * * MON"}})
        assert (made.status_code, made["Location"]) == (201, "/api/v2.0/system/purgeaudit/0")
        shown = admin.get(path).json()
        assert (shown["schedule"]["type"], shown["schedule"]["cron"]) == (kind, "0 15 3 * * MON")
        assert json.loads(shown["job_parameters"]) == asked["parameters"] | {"dry_run": False}
    for cron in ("@daily", "15 3 * * *", "0 15 3 * * * 2026", "* 15 3 * * *", "5 15 3 * * *", "00 15 3 * * *"):
        refused = admin.put(path, asked | {"schedule": {"type": "Custom", "cron": cron}})
        assert (refused.status_code, code(refused)) == (400, "BAD_REQUEST"), cron
    assert admin.get(path).json()["schedule"]["cron"] == "0 15 3 * * MON"

    Schedule.objects.filter(vendor_type="PURGE_AUDIT_LOG").update(next_run=timezone.now())
    tasks.tick()
    [run] = admin.get("/system/purgeaudit").json()
    assert (run["job_name"], run["job_kind"], run["job_status"]) == ("PURGE_AUDIT_LOG", "SCHEDULE", "Pending")
    assert run["schedule"]["type"] == "Schedule"


def test_queues_have_harbors_names_and_hide_what_it_hides(cast: Cast) -> None:
    names = {queue["job_type"] for queue in caller(cast.admin).get("/jobservice/queues").json()}
    assert {"PURGE_AUDIT_LOG", "EXECUTION_SWEEP", "REPLICATION", "SCHEDULER"} <= names
    assert not names & {"DEMO", "IMAGE_REPLICATE", "IMAGE_SCAN_ALL", "IMAGE_GC", "PURGE_AUDIT"}


# Quotas


def test_a_new_projects_room(cast: Cast) -> None:
    admin, alice = caller(cast.admin), caller(cast.alice)
    assert admin.put("/configurations", {"storage_per_project": 7000}).status_code == 200
    for name, ask, limit, hard in (
        ("usual", admin, None, 7000),
        ("zero", admin, 0, 7000),
        ("more", admin, 1024**5, 1024**5),
        ("ignored", alice, -1, 7000),
    ):
        assert ask.post("/projects", {"project_name": name, "storage_limit": limit}).status_code == 201
        assert ask.get(f"/projects/{name}/summary").json()["quota"] == {
            "hard": {"storage": hard},
            "used": {"storage": 0},
        }
    refused = admin.post("/projects", {"project_name": "vast", "storage_limit": 1024**5 + 1})
    assert (refused.status_code, code(refused)) == (400, "BAD_REQUEST")
    assert not Project.objects.filter(name="vast").exists()


# Registries and replication


def test_the_kinds_of_registries_and_what_rules_can_have_with_them(cast: Cast) -> None:
    admin = caller(cast.admin)
    harbor = replication.endpoint()
    plain = Endpoint.objects.create(name="plain", type="docker-registry", url="https://plain.test")
    kinds = "harbor docker-hub docker-registry huawei-SWR google-gcr aws-ecr azure-acr ali-acr jfrog-artifactory quay"
    more = "gitlab dtr tencent-tcr github-ghcr volcengine-cr"
    assert set(admin.get("/replication/adapters").json()) == {*kinds.split(), *more.split()}
    info = admin.get(f"/registries/{plain.pk}/info").json()
    assert [style["type"] for style in info["supported_resource_filters"]] == ["name", "tag"]
    assert info["supported_triggers"] == ["manual", "scheduled"]
    info = admin.get(f"/registries/{harbor.pk}/info").json()
    assert [style["type"] for style in info["supported_resource_filters"]] == ["name", "tag", "label", "resource"]
    assert (info["supported_triggers"], info["supported_copy_by_chunk"]) == (["manual", "scheduled"], True)
    forms = admin.get("/replication/adapterinfos").json()
    fixed = {"docker-hub": "https://hub.docker.com", "github-ghcr": "https://ghcr.io"}
    for name, url in fixed.items():
        pattern = forms[name]["endpoint_pattern"]
        addresses = [entry["value"] for entry in pattern["endpoints"]]
        assert (pattern["endpoint_type"], addresses) == ("EndpointPatternTypeFix", [url])
    assert {forms[name]["endpoint_pattern"]["endpoint_type"] for name in ("ali-acr", "aws-ecr", "google-gcr")} == {
        "EndpointPatternTypeList"
    }
    assert forms["google-gcr"]["credential_pattern"]["access_key_data"] == "_json_key"


def test_an_endpoint_that_does_not_answer_is_not_kept_by_a_change_either(cast: Cast, settings: Settings) -> None:
    settings.ALLOWED_NETWORKS = ["127.0.0.1"]
    admin, endpoint = caller(cast.admin), replication.endpoint()
    replication.unused()
    path = f"/registries/{endpoint.pk}"
    for body in ({"url": "http://127.0.0.1:9"}, {"name": "x" * 65}, {"name": ""}):
        assert code(admin.put(path, body)) == "BAD_REQUEST", body
    assert code(admin.put(path, {"name": "unused"})) == "CONFLICT"
    shown = admin.get(path).json()
    assert (shown["url"], shown["name"]) == ("https://there.test", "there")
    assert shown["credential"]["access_secret"] == "*****"


def test_what_a_rule_says_of_deletion_flattening_and_speed(cast: Cast) -> None:
    admin, image = caller(cast.admin), {"type": "resource", "value": "image"}
    good: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {"deletion": None, "dest_namespace_replace_count": -1, "speed": 0}),
        ({"replicate_deletion": True}, {"deletion": None, "replicate_deletion": None}),
        ({"deletion": True}, {"deletion": True, "replicate_deletion": True}),
        ({"dest_namespace_replace_count": 0}, {"dest_namespace_replace_count": 0}),
        ({"dest_namespace_replace_count": 3}, {"dest_namespace_replace_count": 3}),
        ({"speed": -1}, {"speed": 0}),
        ({"speed": 512, "override": True, "copy_by_chunk": True}, {"speed": 512, "override": True}),
        ({"filters": []}, {"filters": None}),
        ({"filters": [image]}, {"filters": [image]}),
    ]
    for number, (asked, shown) in enumerate(good):
        made = admin.post("/replication/policies", replication.rule(name=f"rule{number}", **asked))
        assert made.status_code == 201, (asked, made.content)
        told = admin.raw("GET", made["Location"]).json()
        assert {key: told.get(key) for key in shown} == shown, asked
    both = {"dest_registry": {"id": replication.endpoint().pk}, "src_registry": {"id": replication.unused().pk}}
    wrong: list[dict[str, Any]] = [
        {"filters": [{"type": "tag", "value": "v*", "decoration": "likes"}]},
        {"filters": [{"type": "resource", "value": 7}]},
        {"filters": [{"type": "colour", "value": "red"}]},
        {"trigger": {"type": "scheduled"}},
        {"dest_registry": {"id": 0}},
        both,
    ]
    for asked in wrong:
        refused = admin.post("/replication/policies", replication.rule(name="wrong", **asked))
        assert (refused.status_code, code(refused)) == (400, "BAD_REQUEST"), asked
    assert not Policy.objects.filter(name="wrong").exists()


def test_a_run_of_a_rule_in_harbors_words(cast: Cast) -> None:
    admin, policy = caller(cast.admin), replication.policy()
    made = admin.post("/replication/executions", {"policy_id": policy.pk})
    assert made.status_code == 201
    path = made["Location"].removeprefix("/api/v2.0")
    shown = admin.get(path).json()
    assert (shown["policy_id"], shown["status"], shown["trigger"]) == (policy.pk, "InProgress", "manual")
    assert admin.put(path).status_code == 200
    assert admin.get(path).json()["status"] == "Stopped"
    job = jobs.add_job(Execution.objects.get(pk=shown["id"]), COPY, replication.SPEC | {"operation": "deletion"})
    [task] = admin.get(f"{path}/tasks").json()
    assert (task["operation"], task["job_id"], task["resource_type"]) == ("deletion", str(job.pk), "image")
