"""Text that people store can neither run nor restyle anything: every field, on every page that shows it."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from accounts.models import Group, User
from artifacts.models import Accessory, Artifact, Tag
from audit.models import Entry
from configuration import values
from jobs.models import Execution, Job, JobLog, Status
from portal.markdown import excerpt, render
from projects.models import Allowlist, Label, Member, Role
from replication.models import Endpoint, Finding, Policy
from robots.models import Robot
from tests.api.stage import PUSHED
from tests.cast import make_robot, make_user
from tests.portal.conftest import Reader, Scene
from tests.portal.visits import places

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)><style>*{display:none}</style>{{ 7|add:7 }}'&"
MARKDOWN = f"""# {HOSTILE}
[link](javascript:alert(1)) [data](data:text/html,x) <a href="javascript:alert(1)">x</a> ![x](https://evil.test/x.png)
<div style="position:fixed" class="hv-dialog" onclick="alert(1)">{HOSTILE}</div>
| a | b |
|:-:|--:|
| <b>x</b> | {HOSTILE} |
"""


class Suspicion(HTMLParser):
    """Reads a page as a browser does, and notes what only a stranger's text can have put there."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        bad = {name for name in given if name.startswith("on") or name == "style"}
        sources = [str(given.get(name) or "") for name in ("src", "href", "action")]
        if any(source.lower().startswith(("javascript:", "data:", "https://evil")) for source in sources):
            bad.add("address")
        if tag in ("style", "iframe", "object") or (
            tag == "script" and not str(given.get("src")).startswith("/static/")
        ):
            bad.add(tag)
        if tag == "img" and not str(given.get("src")).startswith("/static/"):
            bad.add("img")
        self.found += [f"<{tag}> {name}" for name in sorted(bad)]


@pytest.fixture
def haunted(scene: Scene) -> Scene:
    """The scene, with hostile text in whatever a person may fill in, and in what a client may push."""
    cast, image = scene.cast, scene.image
    scene.repository.description = MARKDOWN
    scene.repository.save()
    inner = {"Cmd": [HOSTILE], "Env": [HOSTILE], "Labels": {HOSTILE: HOSTILE}, "User": HOSTILE, "WorkingDir": HOSTILE}
    attributes = {"author": HOSTILE, "os": HOSTILE, "architecture": HOSTILE, "config": inner}
    told = {"annotations": {HOSTILE: HOSTILE}, "extra_attrs": attributes, "artifact_type": HOSTILE}
    Artifact.objects.filter(pk=image.pk).update(**told)
    Tag.objects.filter(artifact=image, name="v1.9").update(name=HOSTILE)
    Accessory.objects.update(type=HOSTILE[:64])
    label = Label.objects.create(project=cast.private, name=HOSTILE, description=HOSTILE, color='red"><b>'[:16])
    image.labels.add(label)
    Label.objects.create(name=HOSTILE, description=HOSTILE, color="#0065AB")
    make_robot("hostile", cast.private, "repository:pull", description=HOSTILE)
    Robot.objects.update(creator=HOSTILE)
    user = make_user("hostile<b>", comment=HOSTILE)
    User.objects.filter(pk=user.pk).update(realname=HOSTILE)
    group = Group.objects.create(name=HOSTILE, type=Group.Type.LDAP, ldap_group_dn=HOSTILE)
    Member.objects.create(project=cast.private, user=user, role=Role.GUEST)
    Member.objects.create(project=cast.private, group=group, role=Role.GUEST)
    Entry.objects.create(
        op_time=PUSHED, username=HOSTILE, resource=HOSTILE, operation="pull", resource_type=HOSTILE[:60],
        project_id=cast.private.pk, operation_description=HOSTILE,
    )  # fmt: skip
    execution = Execution.objects.create(vendor_type=HOSTILE[:60], trigger=HOSTILE[:16], start_time=PUSHED)
    given = {"kind": HOSTILE[:60], "status": Status.ERROR, "status_message": HOSTILE, "due_at": PUSHED}
    Job.objects.create(execution=execution, **given).log_lines.create(time=PUSHED, line=HOSTILE)
    values.set_values({"banner_message": HOSTILE})
    return scene


def haunt_replication() -> None:
    """Hostile text in what rules, their endpoints and registries elsewhere say."""
    names = {"description": HOSTILE, "access_key": HOSTILE, "problem": HOSTILE, "ca_certificate": HOSTILE}
    Endpoint.objects.update(name=HOSTILE[:64], url=f"https://{HOSTILE}"[:256], **names)
    filters = [{"type": "name", "value": HOSTILE}, {"type": "label", "value": [HOSTILE], "decoration": "matches"}]
    for rule in Policy.objects.all():
        told = {"name": f"{rule.pk}{HOSTILE}", "description": HOSTILE, "dest_namespace": HOSTILE, "creator": HOSTILE}
        Policy.objects.filter(pk=rule.pk).update(filters=filters, cron=HOSTILE[:128], trigger="scheduled", **told)
    Finding.objects.update(source=HOSTILE, target=HOSTILE, detail=HOSTILE)
    spec = {"source": HOSTILE, "target": HOSTILE, "tags": [HOSTILE], "digest": HOSTILE, "operation": HOSTILE}
    Job.objects.update(spec=spec, status_message=f"the source, storing {HOSTILE}: {HOSTILE}")
    JobLog.objects.update(line=HOSTILE)
    Allowlist.objects.update(items=[HOSTILE])


def test_nobodys_text_is_more_than_text(haunted: Scene, reader: Reader) -> None:
    pages = [path for name, path in places(haunted).items() if name != "artifact layers"]  # those ask the registry
    haunt_replication()
    client, own = reader("admin"), Label.objects.filter(project=haunted.cast.private).latest("pk").pk
    pages += [f"{haunted.path}?label={own}"]
    client.post("/account", {"realname": HOSTILE[:90], "email": "admin@haven.test", "comment": HOSTILE[:90]})
    asked: list[tuple[str, dict[str, str]]] = [(path, {}) for path in pages] + [
        (path, {"q": HOSTILE}) for path in ("/search", "/palette", "/projects")
    ]
    asked += [("/audit", {"q": HOSTILE, "resource": HOSTILE, "from": HOSTILE}), ("/account/sign-in", {"next": HOSTILE})]

    for path, query in asked:
        answer = client.get(path, query)
        page = answer.content.decode()
        assert answer.status_code in (200, 302), path
        assert Suspicion(page).found == [], path
        assert "hostile<b>" not in page and "14'" not in page, path


def test_markdown_shows_what_is_harmless_and_nothing_else() -> None:
    shown = render(MARKDOWN)

    assert Suspicion(shown).found == []
    assert "<table>" in shown and "&lt;script&gt;" in shown
    assert not {"class=", "evil.test", "<div", "<img", "align"} & set(shown.split()) and "evil.test" not in shown
    assert 'rel="nofollow noopener noreferrer"' in render("[x](https://haven.test)")
    assert render("### deep\n# top\n###### deepest").count("<h2>") == 2  # readers jump from heading to heading


def test_a_line_of_markdown_has_no_marks() -> None:
    assert excerpt("# Title\n\nTakes **payments** and `refunds`, see [this](https://haven.test).\n\nMore") == (
        "Takes payments and refunds, see this."
    )
    assert excerpt("# Only a title") == excerpt("") == ""


def test_markdown_of_any_size_costs_little() -> None:
    for bomb in (">" * 50_000, "[" * 50_000, "*a " * 30_000, "`" * 50_000, "|" * 50_000, "- " * 20_000, "\0" * 50_000):
        assert len(render(bomb)) < 1_000_000
