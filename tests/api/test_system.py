"""What Haven tells of itself, of what happened in it and of what there is, to whoever asks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.conf import settings as configured
from pytest_django import Settings

from accounts.actors import ANONYMOUS
from audit.actions import record
from configuration import values
from projects.models import Project, Quota
from tests.api.calling import Caller, caller, code
from tests.api.conftest import Stage
from tests.api.stage import make_system_robot
from tests.cast import Cast

PUBLIC = {"auth_mode", "primary_auth_mode", "self_registration", "banner_message", "oidc_provider_name"}
PROTECTED = {
    "current_time",
    "registry_url",
    "external_url",
    "project_creation_restriction",
    "has_ca_root",
    "harbor_version",
    "registry_storage_provider_name",
    "read_only",
    "notification_enable",
}

# The system


def test_strangers_learn_how_to_sign_in_and_who_did_learns_more(cast: Cast, settings: Settings) -> None:
    settings.EXTERNAL_URL = "https://haven.test:8443"
    assert Caller().get("/systeminfo").json().keys() == PUBLIC
    shown = caller(cast.stranger).get("/systeminfo").json()
    assert shown.keys() == PUBLIC | PROTECTED
    assert (shown["external_url"], shown["registry_url"]) == ("https://haven.test:8443", "haven.test:8443")
    assert (shown["auth_mode"], shown["read_only"], shown["has_ca_root"]) == ("db_auth", False, False)
    assert re.fullmatch(r"v2\.\d+\.\d+-\w+", shown["harbor_version"])
    assert re.fullmatch(r"[0-9-]+T[0-9:]+\.\d{3}Z", shown["current_time"])
    assert Caller("stranger", "wrong").get("/systeminfo").json().keys() == PUBLIC


def test_the_provider_is_named_where_people_sign_in_with_it(cast: Cast) -> None:
    values.set_values({"oidc_name": "Keycloak"})
    assert Caller().get("/systeminfo").json()["oidc_provider_name"] == ""
    values.set_values({"auth_mode": "oidc_auth"})
    assert Caller().get("/systeminfo").json()["oidc_provider_name"] == "Keycloak"


def test_the_certificate_of_a_private_authority(cast: Cast, settings: Settings, tmp_path: Path) -> None:
    settings.DATA = tmp_path
    missing = Caller().get("/systeminfo/getcert")
    assert (missing.status_code, code(missing)) == (404, "NOT_FOUND")
    (tmp_path / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\n")
    found = Caller().get("/systeminfo/getcert")
    assert (found.status_code, found.content) == (200, b"-----BEGIN CERTIFICATE-----\n")
    assert found["Content-Disposition"] == "attachment; filename=ca.crt"
    assert caller(cast.guest).get("/systeminfo").json()["has_ca_root"] is True


def test_health_is_200_however_ill_a_part_is(cast: Cast, settings: Settings) -> None:
    settings.REGISTRY_URL = "http://127.0.0.1:9"
    answer = Caller().get("/health")
    parts = {part["name"]: part["status"] for part in answer.json()["components"]}
    assert (answer.status_code, answer.json()["status"]) == (200, "unhealthy")
    assert list(parts) == ["core", "database", "jobservice", "portal", "redis", "registry"]
    assert (parts["database"], parts["registry"], parts["jobservice"]) == ("healthy", "unhealthy", "unhealthy")
    assert b"127.0.0.1" not in answer.content


def test_room_on_the_disk_is_the_administrators_to_know(cast: Cast, settings: Settings, tmp_path: Path) -> None:
    settings.REGISTRY_STORAGE = {**configured.REGISTRY_STORAGE, "driver": "filesystem", "root": str(tmp_path)}
    [storage] = caller(cast.admin).get("/systeminfo/volumes").json()["storage"]
    assert storage["total"] >= storage["free"] > 0
    assert caller(cast.guest).get("/systeminfo/volumes").status_code == 403
    assert Caller().get("/systeminfo/volumes").status_code == 401


def test_statistics_tell_totals_to_administrators_alone(stage: Stage) -> None:
    Quota.objects.filter(project=stage.cast.private).update(used=700)
    mine = {"private_project_count": 1, "private_repo_count": 1, "public_project_count": 1, "public_repo_count": 0}
    none = dict.fromkeys(("total_project_count", "total_repo_count", "total_storage_consumption"), 0)
    assert caller(stage.cast.guest).get("/statistics").json() == mine | none
    foreign = {"private_project_count": 0, "private_repo_count": 0}
    assert caller(stage.cast.stranger).get("/statistics").json() == mine | none | foreign
    total = {"total_project_count": 2, "total_repo_count": 1, "total_storage_consumption": 700}
    assert caller(stage.cast.admin).get("/statistics").json() == mine | total


def test_search_finds_a_part_of_a_name_that_one_may_see(stage: Stage) -> None:
    def found(who: Any, word: str) -> tuple[list[str], list[str]]:
        shown = caller(who).get(f"/search?q={word}").json()
        assert shown.keys() == {"project", "repository"}
        return [one["name"] for one in shown["project"]], [one["repository_name"] for one in shown["repository"]]

    assert found(stage.cast.guest, "iv") == (["private"], ["private/app/web"])
    assert found(stage.cast.guest, "pp%2Fw") == ([], ["private/app/web"])
    assert found(None, "i") == (["public"], [])
    assert found(stage.cast.admin, "nothing-like-it") == ([], [])


# What happened


def test_an_entry_as_harbor_shows_it_in_both_generations(cast: Cast) -> None:
    entry = record(
        cast.guest.actor, "pull", "artifact", "private/app:v1", project=cast.private, description="it was so"
    )
    record(ANONYMOUS, "login", "user", "guest", success=False)
    old = {"id", "username", "resource", "resource_type", "operation", "op_time"}
    for path in ("/auditlog-exts", "/projects/private/auditlog-exts"):
        shown = caller(cast.admin).get(path).json()[-1]
        assert shown.keys() == old | {"operation_description", "operation_result"}
        assert (shown["id"], shown["username"], shown["operation_result"]) == (entry.pk, "guest", True)
    for path in ("/audit-logs", "/projects/private/logs"):
        assert caller(cast.admin).get(path).json()[-1].keys() == old
    assert caller(cast.admin).get("/auditlog-exts?q=operation_result=false").json()[0]["operation"] == "login"


def test_the_events_are_told_in_harbors_order(cast: Cast) -> None:
    shown = caller(cast.admin).get("/auditlog-exts/events").json()
    assert " ".join(row["event_type"] for row in shown) == (
        "create_artifact delete_artifact pull_artifact create_project delete_project delete_repository login_user "
        "logout_user create_user delete_user update_user create_robot delete_robot update_configuration create_member "
        "delete_member update_member update_project"
    )
    assert caller(cast.alice).get("/auditlog-exts/events").status_code == 403


def test_tags_are_recorded_and_what_the_operator_does_not_want_is_not(stage: Stage) -> None:
    admin = caller(stage.cast.admin)
    assert admin.put("/configurations", {"disabled_audit_log_event_types": "create_project"}).status_code == 200
    assert admin.post("/projects", {"project_name": "silent"}).status_code == 201
    for method, sub, body in (("POST", "", {"name": "v2"}), ("DELETE", "/v2", None)):
        assert admin(method, f"{stage.path}/v1/tags{sub}", body).status_code in (200, 201)
    told = [(row["operation"], row["resource_type"], row["resource"]) for row in admin.get("/auditlog-exts").json()]
    assert told == [
        ("delete", "tag", "private/app/web:v2"),
        ("create", "tag", "private/app/web:v2"),
        ("update", "configuration", "configuration"),
    ]


# Projects


def test_a_public_project_lists_to_anybody_and_opens_no_repository(stage: Stage) -> None:
    Project.objects.filter(pk=stage.cast.private.pk).update(public=True)
    path = "/projects/private/repositories"
    assert [row["name"] for row in Caller().get(path).json()] == ["private/app/web"]
    refused = Caller().get(f"{path}/app%252Fweb")
    assert (refused.status_code, code(refused)) == (401, "UNAUTHORIZED")
    assert caller(stage.cast.stranger).get(f"{path}/app%252Fweb").status_code == 403


GOOD = {
    "public": ("true", "false"),
    "enable_content_trust": ("true", "false"),
    "enable_content_trust_cosign": ("true",),
    "prevent_vul": ("true",),
    "severity": ("none", "low", "medium", "high", "critical"),
    "auto_scan": ("true",),
    "auto_sbom_generation": ("true",),
    "reuse_sys_cve_allowlist": ("true",),
    "proxy_speed_kb": ("-1", "512"),
    "max_upstream_conn": ("-1", "5"),
    "proxy_referrer_api": ("true",),
    "proxy_cache_local_on_not_found": ("true",),
    "proxy_cache_filter_pattern": ("library/**",),
    "proxy_cache_filter_kind": ("doublestar", "regex"),
}
BAD = {name: "perhaps" for name in GOOD if not name.startswith("proxy_cache_filter")}


def test_metadata_are_texts_of_known_keys(cast: Cast) -> None:
    alice, path = caller(cast.alice), "/projects/private"
    for name, good in GOOD.items():
        for value in good:
            assert alice.put(f"{path}/metadatas/{name}", {name: value}).status_code == 200, (name, value)
            assert alice.get(path).json()["metadata"][name] == value
    for name, wrong in {**BAD, "retention": "1", "severity": "worst"}.items():
        for refused in (
            alice.put(f"{path}/metadatas/{name}", {name: wrong}),
            alice.put(path, {"metadata": {name: wrong}}) if name in GOOD else None,
        ):
            assert refused is None or (refused.status_code, code(refused)) == (400, "BAD_REQUEST"), name
    assert alice.get(f"{path}/metadatas/").status_code == 403  # no role holds it, as in Harbor
    _, secret = make_system_robot("meta", [], {cast.private.pk: ["metadata:list"]})
    assert Caller("robot$meta", secret).get(f"{path}/metadatas/").json()["severity"] == "critical"


def test_whoever_signed_in_may_ask_what_the_system_puts_up_with(cast: Cast) -> None:
    assert caller(cast.stranger).get("/system/CVEAllowlist").json()["items"] == []
    assert Caller().get("/system/CVEAllowlist").status_code == 401
