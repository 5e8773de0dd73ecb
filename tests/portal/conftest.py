from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.test import Client

from artifacts.models import Artifact, Repository
from robots.models import Robot
from tests.api.stage import make_image, make_index, make_repository, make_signature
from tests.cast import Cast, make_robot

BACKEND = "accounts.backends.UserBackend"
Reader = Callable[[str], Client]


@dataclass(frozen=True)
class Scene:
    """The cast, and the same repository `app/web` in `private` and in `public`."""

    cast: Cast
    repository: Repository
    image: Artifact
    """Tagged `v1`, `v1.9`, `v1.10` and `latest`, and signed."""
    index: Artifact
    public_repository: Repository
    public_image: Artifact
    robot: Robot

    @property
    def path(self) -> str:
        return "/projects/private/repositories/app/web"

    @property
    def image_path(self) -> str:
        return f"{self.path}/-/artifacts/{self.image.digest}"


@pytest.fixture
def scene(cast: Cast) -> Scene:
    """Everybody, and something to look at."""
    repository = make_repository(cast.private, "app/web")
    image = make_image(repository, "v1", "v1.9", "v1.10", "latest")
    index = make_index(repository, "multi", make_image(repository), make_image(repository))
    make_signature(image)
    public = make_repository(cast.public, "app/web")
    robot, _ = make_robot("ci", cast.private, "repository:pull")
    return Scene(cast, repository, image, index, public, make_image(public, "v1"), robot)


@pytest.fixture
def reader(cast: Cast) -> Reader:
    """A browser in which the person of this name has signed in; nobody has for "anonymous"."""

    def sit_down(name: str) -> Client:
        client = Client()
        if name != "anonymous":
            client.force_login(getattr(cast, name), backend=BACKEND)
        return client

    return sit_down
