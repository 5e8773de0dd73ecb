"""More of everything, for lists that are long."""

from __future__ import annotations

from accounts.models import Group
from audit.models import Entry
from jobs.models import Execution
from projects.models import Label, Member, Role
from tests.api.stage import PUSHED, make_image, make_index, make_repository, make_signature, make_system_robot
from tests.cast import make_project, make_robot, make_user
from tests.portal.conftest import Scene


def grow(scene: Scene, word: str, times: int) -> None:
    """`times` more rows of each kind, whose names begin with `word`."""
    for name in (f"{word}-{number}" for number in range(times)):
        make_user(name)
        make_project(name, scene.cast.alice)
        make_robot(name, scene.cast.private, "repository:pull")
        image = make_image(scene.repository, f"a-{name}")
        make_index(scene.repository, f"i-{name}", image, make_image(scene.repository))
        make_signature(image)
        make_image(make_repository(scene.cast.private, name), "v1")
        Entry.objects.create(op_time=PUSHED, username="a", project_id=scene.cast.private.pk, resource="r")
        Execution.objects.create(vendor_type="REPLICATION", start_time=PUSHED)
        image.labels.add(Label.objects.create(project=scene.cast.private, name=name), Label.objects.create(name=name))
        group = Group.objects.create(name=name, type=Group.Type.OIDC)
        Member.objects.create(project=scene.cast.private, group=group, role=Role.GUEST)
        make_system_robot(name, [], {0: ["repository:pull"]})
