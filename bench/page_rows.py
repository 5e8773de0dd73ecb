"""The pages that bench.pages asks for: each address of the portal, with names from the seed, and hard cases beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import URLPattern, reverse
from django.utils import timezone

from bench.calls import ADMIN, MEMBER, NOBODY, Call
from bench.seed import BUSY, LARGE
from portal.urls import urlpatterns

_PROVIDER = "leads to the provider, or back from it: it shows nothing, and there is none"
LEFT_OUT = {
    "provider-login": _PROVIDER,
    "provider-callback": _PROVIDER,
    "provider-onboard": _PROVIDER,
    "provider-logout": _PROVIDER,
    "sign-up": "not there unless people may register themselves; it is the form of user-new",
}
"""Addresses that are not asked for, and why."""
MANY = 5_000
"""Tasks of a run, and findings of a check: more than the seed has for one."""
LED = "project-3"
"""Where the member is an administrator, and may read the log."""
PARTS = ("platforms", "layers", "config", "readme", "values", "dependencies", "accessories", "manifest")
SECTIONS = ("authentication", "system")


def names() -> dict[str, URLPattern]:
    """The addresses that answer a GET, by name: all but those left out, and those whose view takes only a form."""
    found = {str(pattern.name): pattern for pattern in urlpatterns if isinstance(pattern, URLPattern)}
    return {name: one for name, one in found.items() if name not in LEFT_OUT and _answers_get(one)}


def _answers_get(pattern: URLPattern) -> bool:
    from django.test import RequestFactory

    # The decorators of a view refuse before it runs; what else it raises, it raises of a GET that it took.
    try:
        return bool(pattern.callback(RequestFactory().get("/")).status_code != 405)
    except Exception:  # noqa: BLE001  it was let in, and missed the names of its address
        return True


def addresses(system: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each of `names` with its path. `system` and `own` say what the names in addresses stand for: there, in a project.

    Raises KeyError for one that nobody thought of.
    """
    for name, pattern in names().items():
        wanted = getattr(pattern.pattern, "converters", None) or pattern.pattern.regex.groupindex
        known = own if "project" in wanted and name != "quota" else system
        yield name, reverse(f"portal:{name}", kwargs={each: known[each] for each in wanted})


def calls() -> Iterator[Call]:
    """Each address as the administrator, hard cases as it, then what others see. It makes rows: see `add_rows`."""
    made = add_rows()
    system, own = _system(), _own()
    for name, path in addresses({**own, **system, **made}, {**system, **own, **made}):
        yield Call(name, path, NOBODY if name == "sign-in" else ADMIN)
    for title, path in (*_artifacts(own), *_repository(own), *_lists(), *_runs(made), *_logs(), *_found(own["digest"])):
        yield Call(title, path)
    for who, project in ((MEMBER, LARGE), (NOBODY, "project-5")):
        for path in _seen(project):
            yield Call(f"{path} as {who or 'nobody'}", path, who)


def add_rows() -> dict[str, Any]:
    """Make what the seed has none of: a rule of a project with a large run and check, a schedule, an allowlist."""
    from jobs.models import Execution, Job, Schedule, Status
    from projects.models import Allowlist, Project
    from replication.models import CHECKS, COPY, PLAN, VENDOR, VERIFY, Endpoint, Finding, Policy

    now = timezone.now()
    project = Project.objects.get(name=BUSY[0])
    endpoint = Endpoint.objects.order_by("pk")[0]
    rule = Policy.objects.create(name="of the bench", target=endpoint, project=project)
    run = Execution.objects.create(vendor_type=VENDOR, vendor_id=rule.pk, start_time=now)
    spec = {"source": "/".join(BUSY), "target": "mirror/busy", "tags": ["v1"], "digest": "", "policy": rule.pk,
            "operation": "copy", "resource_type": "image"}  # fmt: skip
    ended = {"status": Status.SUCCESS, "due_at": now, "start_time": now, "end_time": now, "spec": spec}
    Job.objects.bulk_create([Job(execution=run, kind=COPY, **ended) for _ in range(MANY)], batch_size=1000)
    check = Execution.objects.create(
        vendor_type=CHECKS, vendor_id=rule.pk, start_time=now, extra_attrs={"operator": ADMIN, "kind": VERIFY}
    )
    job = Job.objects.create(execution=check, kind=VERIFY, **ended)
    states = list(Finding.State)
    Finding.objects.bulk_create([
        Finding(job=job, state=states[n % len(states)], source=f"{BUSY[0]}/busy:v{n}", target=f"mirror/busy:v{n}")
        for n in range(MANY)
    ])  # fmt: skip
    Allowlist.objects.create(project=None, items=[f"CVE-2026-{n}" for n in range(100)])
    Schedule.objects.create(
        vendor_type=VENDOR, vendor_id=rule.pk, kind=PLAN, cron="0 0 0 * * *", cron_type="Daily", next_run=now
    )
    return {"policy": rule.pk, "endpoint": endpoint.pk, "execution": run.pk, "check": check.pk}


def _system() -> dict[str, Any]:
    """What the names in addresses of the system stand for."""
    from accounts.models import Group, User
    from projects.models import Label
    from robots.models import Robot

    return {
        "user": User.objects.get(username=MEMBER).pk,
        "group": Group.objects.order_by("pk")[0].pk,
        "robot": Robot.objects.filter(level="system")[0].pk,
        "label": Label.objects.filter(project=None)[0].pk,
        "name": "system",
    }


def _own() -> dict[str, Any]:
    """What the names in addresses of the busy repository's project stand for."""
    from artifacts.models import Artifact, Repository, Tag
    from projects.models import Label, Member
    from robots.models import Robot

    busy = Repository.objects.get(name="/".join(BUSY))
    image: Any = Artifact.objects.filter(repository=busy, tagged=True, type="IMAGE").exclude(artifact_type="").first()
    return {
        "project": BUSY[0],
        "repository": BUSY[1],
        "digest": image.digest,
        "tag": Tag.objects.filter(artifact=image)[0].name,
        "member": Member.objects.filter(project=busy.project_id)[0].pk,
        "robot": Robot.objects.filter(project=busy.project_id)[0].pk,
        "label": Label.objects.filter(project=busy.project_id)[0].pk,
        "kind": "REPLICATION",
    }


def _artifacts(own: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """One of each sort, part by part: an image, a chart, and an index of a thousand."""
    from django.db.models import Count

    from artifacts.models import Artifact, Reference

    at = f"/projects/{BUSY[0]}/repositories/{BUSY[1]}"
    indexes = Reference.objects.values("parent").annotate(number=Count("pk")).order_by("-number", "parent")
    index = Artifact.objects.get(pk=indexes[0]["parent"])
    chart = Artifact.objects.filter(repository=index.repository, type="CHART").order_by("-pk")[0]
    for title, digest in (("image", own["digest"]), ("chart", chart.digest), ("largest index", index.digest)):
        yield f"artifact, {title}", f"{at}/-/artifacts/{digest}"
        for part in PARTS:
            yield f"artifact, {title}, {part}", f"{at}/-/artifacts/{digest}?view={part}"
    yield "artifact, largest index, delete", f"{at}/-/artifacts/{index.digest}/delete"
    yield "artifact, largest index, copy", f"{at}/-/artifacts/{index.digest}/copy"


def _repository(own: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The list of the busy repository: its orders, filters and what it is searched for."""
    at = f"/projects/{BUSY[0]}/repositories/{BUSY[1]}"
    for sort in ("pushed", "pulled", "size", "-pulled", "-size"):
        yield f"busy repository, sort={sort}", f"{at}?sort={sort}"
    yield "busy repository, deep", f"{at}?page=400"
    yield "busy repository, deep, by size", f"{at}?sort=-size&page=400"
    for chosen in ("kind=CHART", "kind=other", "tagged=yes", "tagged=no", "label=3", "kind=IMAGE&label=3&sort=-size"):
        yield f"busy repository, {chosen}", f"{at}?{chosen}"
        yield f"busy repository, {chosen}, deep", f"{at}?{chosen}&page=400"
    for query in ("v7", "9", "a", "abc", "nightly", "nothing-has-it", own["digest"][:15], own["tag"]):
        yield f"busy repository, q={query}", f"{at}?q={query}"


def _lists() -> Iterator[tuple[str, str]]:
    yield "largest project", f"/projects/{LARGE}"
    yield "largest project, deep", f"/projects/{LARGE}?page=200"
    for sort in ("name", "artifacts", "-artifacts", "-pulls", "-updated"):
        yield f"largest project, sort={sort}", f"/projects/{LARGE}?sort={sort}"
    yield "largest project, q=app-1", f"/projects/{LARGE}?q=app-1"
    for part in ("summary", "members", "members?sort=role", "robots", "labels", "settings", "delete", "replication"):
        yield f"largest project, {part}", f"/projects/{LARGE}/{part}"
    for path in ("projects", "users", "groups", "labels", "quotas", "robots", "endpoints", "replication"):
        yield f"{path}, deep", f"/{path}?page=400"
        yield f"{path}, q=1", f"/{path}?q=1"
    for asked in ("access=public", "sort=-created", "sort=-repositories", "sort=repositories&page=40"):
        yield f"projects, {asked}", f"/projects?{asked}"
    yield "quotas, by limit", "/quotas?sort=-limit"
    yield "users, newest first", "/users?sort=-created"
    yield "endpoints, by state", "/endpoints?sort=state"
    yield from ((f"configuration, {name}", f"/configuration/{name}") for name in SECTIONS)


def _runs(made: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Executions, and the large run and check that `add_rows` has made."""
    for asked in ("page=400", "kind=REPLICATION&page=400", "status=Error", "status=Running", "status=Success&page=400"):
        yield f"jobs, {asked}", f"/jobs?{asked}"
    at = f"/projects/{BUSY[0]}/replication/{made['policy']}"
    yield "run, deep", f"{at}/runs/{made['execution']}?page=200"
    yield "run, status=Success, deep", f"{at}/runs/{made['execution']}?status=Success&page=200"
    yield "check, deep", f"{at}/checks/{made['check']}?page=200"
    yield "check, state=missing", f"{at}/checks/{made['check']}?state=missing"
    yield "system's rule of the seed", "/replication/7"


def _logs() -> Iterator[tuple[str, str]]:
    filters = ("q=person-3", "q=nobody", "event=delete_artifact", "event=pull_artifact", "event=create_artifact",
               "event=login_user", "result=failed", "result=done", "resource=person-3", "resource=nothing",
               "from=2026-03-01&to=2026-05-01", "event=pull_artifact&result=failed", "q=person-3&result=failed",
               "event=delete_artifact&from=2026-03-01&to=2026-05-01", "sort=time")  # fmt: skip
    for at in ("/audit", f"/projects/{LARGE}/log"):
        yield f"{at}, deep", f"{at}?page=400"
        for each in filters:
            yield f"{at}, {each}", f"{at}?{each}"
            yield f"{at}, {each}, deep", f"{at}?{each}&page=400"


def _found(digest: str) -> Iterator[tuple[str, str]]:
    for query in ("a", "1", "v", "app-12", "v1.2.3", "nightly-97", digest, digest[:14], "project-2/busy", "no-such"):
        yield f"search, {query[:20]}", f"/search?q={query}"
        yield f"palette, {query[:20]}", f"/palette?q={query}"


def _seen(project: str) -> Iterator[str]:
    yield from ("/", "/projects", "/projects?q=1", "/search?q=a", "/search?q=v1", "/palette?q=a", "/projects?page=20")
    yield from (f"/projects/{project}", f"/projects/{project}/summary")
    if project == LARGE:
        yield from ("/account", "/account/preferences", f"/projects/{project}/members")
        yield from (f"/projects/{project}?sort=-artifacts", f"/projects/{project}/repositories/team/app-2")
        yield from (f"/projects/{LED}/log", f"/projects/{LED}/log?result=failed&page=400", f"/projects/{LED}/settings")
