"""Labels of a project and of all: made, put on artifacts, filtered by, taken off."""

from __future__ import annotations

from projects.models import Label
from tests.portal.conftest import Reader, Scene

GIVEN = {"name": "tested", "color": "#2f9e44", "description": "Passed"}


def test_a_projects_label_from_beginning_to_end(scene: Scene, reader: Reader) -> None:
    client = reader("maintainer")
    client.post("/projects/private/labels/new", GIVEN)
    label = Label.objects.get()
    assert (label.project, label.color) == (scene.cast.private, "#2f9e44")
    again = client.post("/projects/private/labels/new", GIVEN)
    assert again.status_code == 422 and "There is a label of this name already." in again.content.decode()

    client.post(f"{scene.image_path}/labels", {"label": label.pk})
    assert "The label tested is put on." in client.get(scene.image_path).content.decode()
    filtered = client.get(f"{scene.path}?label={label.pk}").content.decode()
    assert scene.image.digest in filtered and scene.index.digest not in filtered
    assert 'fill="#2f9e44"' in filtered and "style=" not in filtered
    assert (
        "1 artifact carries it and loses it."
        in client.get(f"/projects/private/labels/{label.pk}/delete").content.decode()
    )

    client.post(f"/projects/private/labels/{label.pk}", {**GIVEN, "name": "proven"})
    client.post(f"{scene.image_path}/labels", {"remove": label.pk})
    assert not scene.image.labels.exists()
    client.post(f"/projects/private/labels/{label.pk}/delete")
    assert not Label.objects.exists()


def test_who_may_not_leaves_labels_as_they_are(scene: Scene, reader: Reader) -> None:
    own = Label.objects.create(project=scene.cast.private, name="own")
    foreign = Label.objects.create(project=scene.cast.public, name="foreign")
    everywhere = Label.objects.create(name="everywhere")
    put = f"{scene.image_path}/labels"

    assert reader("guest").post(put, {"label": own.pk}).status_code == 403
    assert reader("stranger").post(put, {"label": own.pk}).status_code == 404
    assert reader("developer").post(put, {"label": foreign.pk}).status_code == 404
    assert reader("developer").post(put, {"label": "x"}).status_code == 404
    assert reader("developer").post("/projects/private/labels/new", GIVEN).status_code == 403
    assert reader("maintainer").get(f"/projects/private/labels/{foreign.pk}").status_code == 404
    assert reader("maintainer").get(f"/projects/private/labels/{everywhere.pk}").status_code == 404
    assert reader("alice").post(f"/labels/{everywhere.pk}/delete").status_code == 403
    assert not scene.image.labels.exists()
    reader("developer").post(put, {"label": everywhere.pk})
    assert [label.name for label in scene.image.labels.all()] == ["everywhere"]


def test_a_colour_is_nothing_but_a_colour(scene: Scene, reader: Reader) -> None:
    for wrong in ("red;x", "url(//evil)", '"><script>', "#12345", ""):
        answer = reader("admin").post("/labels/new", {**GIVEN, "color": wrong})
        assert answer.status_code == 422, wrong
    assert not Label.objects.exists()
