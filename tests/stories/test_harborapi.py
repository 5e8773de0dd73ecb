"""A platform team's automation, written for Harbor with its Python client, pointed at Haven with nothing else changed.

The client reads every answer into its own models of Harbor's schemas, so an answer of another shape fails here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from harborapi import HarborAsyncClient
from harborapi import models as m
from harborapi.exceptions import Conflict, NotFound, Unauthorized

from tests.cast import PASSWORD
from tests.stack.content import image
from tests.stack.stack import ADMIN_PASSWORD, Stack

pytestmark = pytest.mark.stack
Part = Callable[[HarborAsyncClient], Awaitable[None]]


def client(stack: Stack, name: str, secret: str) -> HarborAsyncClient:
    return HarborAsyncClient(url=f"{stack.url}/api/v2.0", username=name, secret=secret)


def test_a_story(stack: Stack) -> None:
    asyncio.run(story(stack))


async def story(stack: Stack) -> None:
    admin = client(stack, "admin", ADMIN_PASSWORD)
    await system(admin)
    await projects(admin)
    await people(stack, admin)
    await robots(stack, admin)
    push = stack.client("admin", ADMIN_PASSWORD)
    push.push("story/team/app", "v1", image(text="hello"))
    push.push("story/team/app", "v2", image(text="again"))
    await artifacts(admin)
    await labels(admin)
    await quotas(admin)
    await log_and_purge(admin)
    await configuration(admin)
    await ending(stack, admin)


async def system(admin: HarborAsyncClient) -> None:
    assert (await admin.health_check()).status == "healthy"
    info = await admin.get_system_info()
    assert info.auth_mode == "db_auth" and info.harbor_version and info.harbor_version.startswith("v2.")
    assert (await admin.get_current_user()).sysadmin_flag
    assert await admin.get_current_user_permissions("/system")
    assert (await admin.get_permissions()).system
    assert (await admin.get_system_volume_info()).storage
    assert await admin.ping() == "Pong"


async def projects(admin: HarborAsyncClient) -> None:
    location = await admin.create_project(
        m.ProjectReq(project_name="story", metadata=m.ProjectMetadata(public="false"), storage_limit=10**9)
    )
    project = await admin.get_project("story")
    assert location == "/api/v2.0/projects/story"  # the client asks for the name in it
    assert project.metadata and project.repo_count == 0
    with pytest.raises(Conflict):
        await admin.create_project(m.ProjectReq(project_name="story"))
    assert await admin.project_exists("story") and not await admin.project_exists("nowhere")
    await admin.update_project("story", m.ProjectReq(metadata=m.ProjectMetadata(auto_scan="true")))
    await admin.set_project_metadata("story", m.ProjectMetadata(severity="high"))
    metadata = await admin.get_project_metadata("story")
    assert (str(metadata.public), str(metadata.auto_scan), str(metadata.severity)) == ("false", "true", "high")
    assert [found.name for found in await admin.get_projects(query="name=~stor")] == ["story"]
    assert (await admin.get_project_deletable("story")).deletable
    with pytest.raises(NotFound):
        await admin.get_project("nowhere")


async def people(stack: Stack, admin: HarborAsyncClient) -> None:
    new = m.UserCreationReq(username="teller", email="t@haven.test", realname="Teller", password=PASSWORD)
    await admin.create_user(new)
    user = await admin.get_user_by_username("teller")
    assert user.user_id and not user.sysadmin_flag
    assert "teller" in [found.username for found in await admin.get_users(limit=None)]
    assert [found.username for found in await admin.search_users_by_username("tell")] == ["teller"]
    await admin.update_user(user.user_id, m.UserProfile(email="teller@haven.test", realname="T", comment="tells"))
    await admin.set_user_admin(user.user_id, is_admin=True)
    await admin.set_user_admin(user.user_id, is_admin=False)
    await admin.add_project_member_user("story", "teller", 2)
    members = {found.entity_name: found for found in await admin.get_project_members("story")}
    assert members["teller"].role_id == 2 and members["teller"].id
    await admin.update_project_member_role("story", members["teller"].id, 4)
    teller = client(stack, "teller", PASSWORD)
    assert (await teller.get_project("story")).current_user_role_id == 4
    await teller.set_user_password(user.user_id, "Another-Horse-9", PASSWORD)
    with pytest.raises(Unauthorized):
        await teller.get_current_user()
    await admin.remove_project_member("story", members["teller"].id)
    await admin.create_usergroup(m.UserGroup(group_name="tellers", group_type=2))
    assert "tellers" in [group.group_name for group in await admin.get_usergroups()]


async def robots(stack: Stack, admin: HarborAsyncClient) -> None:
    access = [m.Access(resource="repository", action="list"), m.Access(resource="repository", action="pull")]
    grant = m.RobotPermission(kind="project", namespace="story", access=access)
    made = await admin.create_robot(m.RobotCreate(name="ci", level="system", duration=7, permissions=[grant]))
    assert made.id and made.name == "robot$ci" and made.secret
    robot = client(stack, made.name, made.secret)
    assert await robot.get_repositories("story") == []
    [found] = [robot for robot in await admin.get_robots() if robot.id == made.id]
    found.description = "builds"
    await admin.update_robot(made.id, found)
    assert (await admin.get_robot(made.id)).description == "builds"
    await admin.refresh_robot_secret(made.id, "Fresh-Horse-99")
    await client(stack, made.name, "Fresh-Horse-99").get_repositories("story")
    await admin.delete_robot(made.id)


async def artifacts(admin: HarborAsyncClient) -> None:
    repository = await admin.get_repository("story", "team/app")
    assert (repository.name, repository.artifact_count) == ("story/team/app", 2)
    await admin.update_repository("story", "team/app", m.Repository(description="an app"))
    assert (await admin.get_repositories("story"))[0].description == "an app"
    found = await admin.get_artifacts("story", "team/app", with_label=True, with_accessory=True, query="tags=v1")
    assert [[tag.name for tag in artifact.tags or ()] for artifact in found] == [["v1"]]
    one = await admin.get_artifact("story", "team/app", "v1")
    assert one.digest and one.type == "IMAGE" and one.icon and (await admin.get_icon(one.icon)).content
    await admin.create_artifact_tag("story", "team/app", "v1", m.Tag(name="stable"))
    assert {tag.name for tag in await admin.get_artifact_tags("story", "team/app", one.digest)} == {"v1", "stable"}
    await admin.delete_artifact_tag("story", "team/app", "v1", "stable")
    assert await admin.get_artifact_accessories("story", "team/app", "v1") == []
    location = await admin.copy_artifact("story", "copy", "story/team/app:v1")
    assert location == "/api/v2.0/projects/story/repositories/copy/artifacts/v1"
    assert (await admin.get_artifact("story", "copy", "v1")).digest == one.digest
    hits = await admin.search("story")
    assert hits.project and hits.repository and hits.repository[0].repository_name == "story/copy"
    assert (await admin.get_statistics()).total_repo_count


async def labels(admin: HarborAsyncClient) -> None:
    await admin.create_label(m.Label(name="blessed", color="#0065AB", scope="g"))
    [label] = await admin.get_labels(scope="g", name="blessed")
    assert label.id
    await admin.add_artifact_label("story", "team/app", "v1", label)
    artifact = await admin.get_artifact("story", "team/app", "v1", with_label=True)
    assert [found.name for found in artifact.labels or ()] == ["blessed"]
    await admin.update_label(label.id, m.Label(name="blessed", description="fit", scope="g"))
    await admin.delete_artifact_label("story", "team/app", "v1", label.id)
    await admin.delete_label(label.id)


async def quotas(admin: HarborAsyncClient) -> None:
    project = await admin.get_project("story")
    [quota] = await admin.get_quotas(reference="project", reference_id=str(project.project_id))
    assert quota.id and quota.hard and quota.used and (quota.used.root or {})["storage"] > 0
    await admin.update_quota(quota.id, m.QuotaUpdateReq(hard=m.ResourceList({"storage": 2 * 10**9})))
    assert (await admin.get_quota(quota.id)).hard == m.ResourceList({"storage": 2 * 10**9})
    summary = await admin.get_project_summary("story")
    assert summary.repo_count == 2 and summary.quota


async def log_and_purge(admin: HarborAsyncClient) -> None:
    logs = await admin.get_audit_logs(query="operation=create", sort="-op_time", limit=50)
    assert {"project", "artifact"} <= {entry.resource_type for entry in logs}
    assert await admin.get_project_logs("story")
    parameters = {"audit_retention_hour": 24, "include_event_types": "pull_artifact", "dry_run": True}
    await admin.create_purge_job_schedule(
        m.Schedule(schedule=m.ScheduleObj(type="Manual"), parameters=parameters)  # type: ignore[arg-type]
    )
    for _ in range(60):
        run, *_ = await admin.get_purge_job_history()
        if run.job_status not in ("Pending", "Running"):
            break
        await asyncio.sleep(0.5)
    assert run.id and run.job_status == "Success"
    assert "would be deleted" in str(await admin.get_purge_job_log(run.id))
    await admin.update_cve_allowlist(m.CVEAllowlist(items=[m.CVEAllowlistItem(cve_id="CVE-2024-1")]))
    assert [item.cve_id for item in (await admin.get_cve_allowlist()).items or ()] == ["CVE-2024-1"]


async def configuration(admin: HarborAsyncClient) -> None:
    before = await admin.get_config()
    assert before.token_expiration and before.token_expiration.value == 30 and before.token_expiration.editable
    await admin.update_config(m.Configurations(token_expiration=20, banner_message="hello"))
    after = await admin.get_config()
    assert after.token_expiration and after.token_expiration.value == 20
    await admin.update_config(m.Configurations(token_expiration=30, banner_message=""))


async def ending(stack: Stack, admin: HarborAsyncClient) -> None:
    await admin.delete_artifact("story", "team/app", "v2")
    for repository in ("team/app", "copy"):
        await admin.delete_repository("story", repository)
    await admin.delete_project("story")
    user = await admin.get_user_by_username("teller")
    assert user.user_id
    await admin.delete_user(user.user_id)
    assert not await admin.project_exists("story")
