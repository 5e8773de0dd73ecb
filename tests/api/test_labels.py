"""Labels: of every project and of one, on artifacts, and as a filter of lists."""

from __future__ import annotations

from typing import Any

from artifacts.models import ArtifactLabel
from audit.models import Entry
from projects.models import Label
from tests.api.calling import Caller, caller, code
from tests.api.conftest import Stage
from tests.api.stage import make_image, make_repository


def make(ask: Caller, name: str, project_id: int | None = None, **fields: Any) -> Label:
    """The label that `ask` makes: of a project, or of all."""
    scope = {"scope": "p", "project_id": project_id} if project_id else {"scope": "g"}
    response = ask.post("/labels", {"name": name, **scope, **fields})
    assert response.status_code == 201, response.content
    assert response.content == b""
    label = Label.objects.get(name=name)
    assert response["Location"] == f"/api/v2.0/labels/{label.pk}"
    return label


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [label["name"] for label in response.json()]


def test_what_a_label_shows(stage: Stage) -> None:
    shown = caller(stage.cast.guest).get(f"/labels/{stage.label.pk}").json()
    assert {key: value for key, value in shown.items() if not key.endswith("_time")} == {
        "id": stage.label.pk,
        "name": "blessed",
        "description": "by us",
        "color": "#FFD700",
        "scope": "p",
        "project_id": stage.cast.private.pk,
    }
    everywhere = make(caller(stage.cast.admin), "everywhere")
    shown = caller(stage.cast.admin).get(f"/labels/{everywhere.pk}").json()
    assert (shown["scope"], "project_id" in shown, "color" in shown) == ("g", False, False)


def test_lists(stage: Stage) -> None:
    admin, own = caller(stage.cast.admin), f"/labels?scope=p&project_id={stage.cast.private.pk}"
    for name in ("b", "a%", "C"):
        make(admin, name)
    assert names(caller(stage.cast.guest).get(own)) == ["blessed"]
    assert sorted(names(Caller().get("/labels?scope=g"))) == ["C", "a%", "b"]
    assert names(admin.get("/labels?scope=g&sort=-name"))[-1] == min(["b", "a%", "C"])
    assert names(admin.get("/labels?scope=g&name=A%25")) == ["a%"]
    assert names(admin.get("/labels?scope=g&q=name=~c")) == ["C"]
    assert names(admin.get("/labels?scope=g&project_id=1&q=name=blessed")) == []
    page = admin.get("/labels?scope=g&page_size=2&page=2")
    assert (page["X-Total-Count"], len(page.json())) == ("3", 1)


def test_what_is_refused(stage: Stage) -> None:
    pk, label = stage.cast.private.pk, f"/labels/{stage.label.pk}"
    asked = {"name": "new", "scope": "p", "project_id": pk}
    admin, stranger, nobody = stage.callers["admin"], stage.callers["stranger"], stage.callers["nobody"]
    answers = [
        (admin.get("/labels"), 400),
        (admin.get("/labels?scope=x"), 400),
        (admin.get("/labels?scope=p"), 400),
        (admin.get("/labels?scope=p&project_id=x"), 422),
        (admin.get("/labels?scope=p&project_id=12345"), 404),
        (stranger.get(f"/labels?scope=p&project_id={pk}"), 403),
        (stranger.get("/labels?scope=p&project_id=12345"), 403),
        (nobody.get(f"/labels?scope=p&project_id={pk}"), 401),
        (stage.callers["limited_guest"].get(label), 403),
        (nobody.get(label), 401),
        (nobody.post("/labels", asked), 401),
        (stage.callers["developer"].post("/labels", asked), 403),
        (stage.callers["alice"].post("/labels", {"name": "new", "scope": "g"}), 403),
        (stage.callers["alice"].post("/labels", asked | {"name": "blessed"}), 409),
        (admin.post("/labels", {"name": "new", "scope": "p"}), 400),
        (admin.post("/labels", {"name": "new"}), 400),
        (admin.post("/labels", asked | {"project_id": 12345}), 404),
        (admin.post("/labels", asked | {"name": ""}), 400),
        (admin.post("/labels", asked | {"name": "x" * 129}), 400),
        (admin.post("/labels", asked | {"color": "url(//evil)"}), 400),
        (admin.post("/labels", asked | {"name": 7}), 422),
        (admin.post("/labels"), 422),
        (admin.put(label, {"name": ""}), 400),
        (stranger.put(label, {"name": "x"}), 403),
        (stranger.delete(label), 403),
        (admin.get("/labels/12345"), 404),
        (admin.delete("/labels/12345"), 404),
        (admin.get("/labels/x"), 422),
    ]
    assert [(number, response.status_code) for number, (response, status) in enumerate(answers)] == [
        (number, status) for number, (_, status) in enumerate(answers)
    ]
    assert Label.objects.count() == 1


def test_a_label_stays_where_it_belongs(stage: Stage) -> None:
    ask = caller(stage.cast.alice)
    moved = {"name": "gold", "color": "gold", "scope": "g", "project_id": stage.cast.public.pk, "id": 99}
    assert ask.put(f"/labels/{stage.label.pk}", moved).status_code == 200
    stage.label.refresh_from_db()
    assert (stage.label.name, stage.label.project_id, stage.label.description) == ("gold", stage.cast.private.pk, "")


def test_on_artifacts(stage: Stage) -> None:
    ask, admin = caller(stage.cast.developer), caller(stage.cast.admin)
    everywhere, foreign = make(admin, "everywhere"), make(admin, "foreign", stage.cast.public.pk)
    where = f"{stage.path}/v1/labels"
    for label in (everywhere, stage.label):
        assert ask.post(where, {"id": label.pk}).status_code == 200
    again = ask.post(where, {"id": everywhere.pk})
    assert (again.status_code, code(again)) == (409, "CONFLICT")
    for missing in (foreign.pk, 12345, 0):
        assert ask.post(where, {"id": missing}).status_code == 404
        assert ask.delete(f"{where}/{missing}").status_code == 404
    assert ask.post(f"{stage.path}/none/labels", {"id": everywhere.pk}).status_code == 404
    assert caller(stage.cast.guest).post(where, {"id": everywhere.pk}).status_code == 403
    assert Caller().delete(f"{where}/{everywhere.pk}").status_code == 401

    guest = caller(stage.cast.guest)
    assert guest.get(f"{stage.path}/v1").json()["labels"] is None
    assert [label["name"] for label in guest.get(f"{stage.path}/v1?with_label=true").json()["labels"]] == [
        "blessed",
        "everywhere",
    ]
    assert ask.delete(f"{where}/{stage.label.pk}").status_code == 200
    assert ask.delete(f"{where}/{stage.label.pk}").status_code == 404
    assert admin.delete(f"/labels/{everywhere.pk}").status_code == 200
    assert guest.get(f"{stage.path}/v1?with_label=true").json()["labels"] is None
    assert ArtifactLabel.objects.count() == 1
    assert Entry.objects.filter(resource_type="artifact-label").count() == 3


def test_lists_by_labels(stage: Stage) -> None:
    image = make_image(make_repository(stage.cast.private, "other"), "v1")
    both = Label.objects.create(name="both")
    for artifact in (stage.index, image, stage.image):
        artifact.label_uses.create(label=both)
    ask = caller(stage.cast.guest)

    def found(query: str, where: str = "/projects/private/artifacts") -> set[str]:
        return {artifact["digest"] for artifact in ask.get(f"{where}?q=labels={query}").json()}

    assert found(f"({both.pk})") == {stage.index.digest, image.digest, stage.image.digest}
    assert found(f"({both.pk}%20{stage.label.pk})") == {stage.index.digest}
    assert found(f"({both.pk})", stage.path) == {stage.index.digest, stage.image.digest}
    assert found(f"({stage.label.pk}%2012345)") == set()
    for bad in ("1", "(a)", "%7B1%202%7D", f"({'%20'.join(map(str, range(30)))})"):
        assert ask.get(f"/projects/private/artifacts?q=labels={bad}").status_code == 400
