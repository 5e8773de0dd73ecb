"""A month of use, written as rows: run inside a Haven's own Django, by `gallery`."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import Group, GroupMembership, User
from artifacts.models import Artifact, ArtifactLabel, PullDay, Repository, Tag
from audit.models import Entry
from jobs.models import Execution, Job, JobLog, Status, Trigger
from projects.models import Allowlist, Label, Member, Project, Quota, Role
from robots.models import Robot
from tests.portal.past_replication import replicate

DAYS = 30
LONG = "GARBAGE_COLLECTION"
"""Work of several jobs."""
_dice = random.Random(7)


def dress() -> None:
    """Pushes, pulls and jobs of the last month."""
    now = timezone.now()
    _spread_entries(now)
    _spread_pushes(now)
    for repository in Repository.objects.all():
        _pull(repository, now)
    _work(now)
    replicate(now)
    _label()
    _group()
    _spread_beginnings(now)
    Allowlist.objects.create(project=None, items=["CVE-2026-21441", "CVE-2026-30118", "GHSA-7f7c-xq4p-8v2m"])
    Quota.objects.filter(project__name="payments").update(hard=10 * 2**20)
    Quota.objects.filter(project__name="sandbox").update(hard=2 * 2**30)
    for name, realname in (
        ("grace.hopper", "Grace Hopper"),
        ("margaret", "Margaret Hamilton"),
        ("ken", "Ken Thompson"),
    ):
        User.objects.filter(username=name).update(realname=realname)


def _spread_pushes(now: datetime) -> None:
    for number, artifact in enumerate(Artifact.objects.order_by("-pk")):
        time = now - timedelta(hours=number * 7, minutes=12)
        Artifact.objects.filter(pk=artifact.pk).update(push_time=time)
        Tag.objects.filter(artifact=artifact).update(push_time=time)


def _spread_entries(now: datetime) -> None:
    for number, entry in enumerate(Entry.objects.newest_first()):
        Entry.objects.filter(pk=entry.pk).update(op_time=now - timedelta(minutes=4 + number * 23))


def _spread_beginnings(now: datetime) -> None:
    kinds = ((User, 17), (Group, 12), (Project, 23), (Member, 3), (Robot, 9), (Label, 8), (Repository, 14))
    for kind, days in kinds:
        rows = kind._default_manager.all()
        for number, row in enumerate(rows.order_by("-pk")):
            rows.filter(pk=row.pk).update(creation_time=now - timedelta(days=2 + number * days))
    for number, repository in enumerate(Repository.objects.order_by("-pk")):
        updated = now - timedelta(hours=3 + number * 19)
        Repository.objects.filter(pk=repository.pk).update(update_time=updated)


def _pull(repository: Repository, now: datetime) -> None:
    weight = _dice.randint(4, 40)
    total, entries, days = 0, [], []
    for back in range(DAYS):
        day = (now - timedelta(days=back)).date()
        weekend = 0.35 if day.weekday() > 4 else 1
        pulls = int(weight * weekend * (1.6 + math.sin(back / 4)) + _dice.randint(0, 6))
        days.append(PullDay(project_id=repository.project_id, repository=repository, day=day, pulls=pulls))
        total += pulls
        apart = 37 + repository.pk % 31 * 6
        entries += [_pulled(repository, now - timedelta(days=back, minutes=apart * number)) for number in range(1, 3)]
    PullDay.objects.bulk_create(days)
    Entry.objects.bulk_create(entries)
    Repository.objects.filter(pk=repository.pk).update(pull_count=total)
    for artifact in repository.artifacts.all():
        time = now - timedelta(minutes=_dice.randint(2, 9000))
        Artifact.objects.filter(pk=artifact.pk).update(pull_count=_dice.randint(3, total + 3), pull_time=time)
        Tag.objects.filter(artifact=artifact).update(pull_time=time)


def _pulled(repository: Repository, time: datetime) -> Entry:
    who = _dice.choice(["robot$payments+cluster-prod", "robot$payments+cluster-staging", "margaret", "linus"])
    resource = f"{repository.name}:latest"
    return Entry(
        op_time=time,
        username=who,
        resource_type="artifact",
        resource=resource,
        operation="pull",
        operation_description=f"pull artifact: {resource}",
        project_id=repository.project_id,
    )


def _label() -> None:
    words = (("tested", "#2f9e44", "Passed every check"), ("do not use", "#e03131", ""), ("eol-2027", "#f08c00", ""))
    labels = [Label(name=name, color=color, description=told) for name, color, told in words]
    project = Project.objects.get(name="payments")
    labels += [Label(project=project, name="canary", color="#1971c2", description="Runs for one customer in a hundred")]
    Label.objects.bulk_create(labels)
    made = {label.name: label for label in Label.objects.all()}
    tags = Tag.objects.filter(repository__name="payments/api")
    for tag, name in (("2.11.0", "tested"), ("2.11.0-rc1", "canary"), ("2.9.0", "do not use"), ("2.10.1", "tested")):
        ArtifactLabel.objects.create(artifact=tags.get(name=tag).artifact, label=made[name])


def _group() -> None:
    names = ("payments-team", "platform-team", "auditors")
    groups = [Group.objects.create(name=name, type=Group.Type.OIDC) for name in names]
    for group, people in zip(groups, (("margaret", "linus"), ("ken",), ("radia", "barbara")), strict=True):
        for user in User.objects.filter(username__in=people):
            GroupMembership.objects.create(group=group, user=user)
    Member.objects.create(project=Project.objects.get(name="payments"), group=groups[0], role=Role.DEVELOPER)


def _work(now: datetime) -> None:
    _run("EXECUTION_SWEEP", now - timedelta(hours=2), Status.SUCCESS, "14 executions deleted")
    _run("HOUSEKEEPING", now - timedelta(hours=1), Status.SUCCESS, "sessions cleared, 3 refresh tokens deleted")
    _run("GARBAGE_COLLECTION", now - timedelta(hours=5), Status.ERROR, "the registry did not answer in time", failed=2)
    _run("GARBAGE_COLLECTION", now - timedelta(minutes=3), Status.RUNNING, "")
    _run("PURGE_AUDIT_LOG", now - timedelta(days=1), Status.STOPPED, "stopped")


def _run(kind: str, start: datetime, status: Status, message: str, failed: int = 0) -> None:
    execution = Execution.objects.create(vendor_type=kind, trigger=Trigger.SCHEDULE, start_time=start)
    for number in range(5 if kind == LONG else 1):
        own = Status.SUCCESS if number < 3 - failed and kind == LONG else status
        ends = None if own == Status.RUNNING else start + timedelta(seconds=40 + 25 * number)
        job = Job.objects.create(
            execution=execution,
            kind=kind,
            status=own,
            status_message=message if own != Status.SUCCESS or kind != LONG else "collected",
            attempts=1,
            due_at=start,
            start_time=start,
            end_time=ends,
            lease_until=start + timedelta(days=400) if own == Status.RUNNING else None,
            progress={"done": 7 + number, "total": 20} if own == Status.RUNNING else {},
        )
        lines = [
            "taken by a worker",
            "reading the digests of payments/api",
            "3 of 4 blobs are still used",
        ]
        JobLog.objects.bulk_create(
            JobLog(job=job, time=start + timedelta(seconds=7 * place), line=line) for place, line in enumerate(lines)
        )
