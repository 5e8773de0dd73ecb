from __future__ import annotations

from dataclasses import dataclass

import pytest

from artifacts.models import Artifact, Repository
from projects.models import Label
from robots.models import Robot
from tests.api.calling import Caller, caller
from tests.api.stage import make_image, make_index, make_repository, make_signature, make_system_robot
from tests.cast import Cast, make_robot


@dataclass(frozen=True)
class Stage:
    """The cast, and in `private` the repository `app/web` with an image, an index and a signature."""

    cast: Cast
    repository: Repository
    image: Artifact
    """Tagged `v1` and `latest`, and signed."""
    index: Artifact
    """Tagged `multi`; of two images without a tag."""
    robot: Robot
    """`robot$private+ci`, which may pull."""
    system_robot: Robot
    """`robot$all`, which may do much everywhere."""
    robot_secret: str
    system_secret: str
    label: Label
    """`blessed`, of the project; on the index."""

    @property
    def path(self) -> str:
        """Where the repository's artifacts are."""
        return "/projects/private/repositories/app%252Fweb/artifacts"

    @property
    def callers(self) -> dict[str, Caller]:
        """Everybody who may call, by name; `nobody` is nobody."""
        cast = self.cast
        people = ("admin", "alice", "maintainer", "developer", "guest", "limited_guest", "stranger")
        robots = {
            "robot": Caller("robot$private+ci", self.robot_secret),
            "system_robot": Caller("robot$all", self.system_secret),
        }
        return {"nobody": Caller(), **{name: caller(getattr(cast, name)) for name in people}, **robots}


@pytest.fixture
def stage(cast: Cast) -> Stage:
    """Everybody, and something in their project."""
    repository = make_repository(cast.private, "app/web")
    image = make_image(repository, "v1", "latest")
    index = make_index(repository, "multi", make_image(repository), make_image(repository))
    make_signature(image)
    robot, secret = make_robot("ci", cast.private, "repository:pull", "repository:read", "artifact:read")
    every = ["repository:list", "repository:read", "artifact:read", "artifact:list", "tag:list", "project:read"]
    system_robot, system_secret = make_system_robot("all", ["project:list", "user:list"], {0: every})
    label = Label.objects.create(project=cast.private, name="blessed", color="#FFD700", description="by us")
    index.label_uses.create(label=label)
    return Stage(cast, repository, image, index, robot, system_robot, secret, system_secret, label)
