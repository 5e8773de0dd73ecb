"""The people of the tests. Everybody's password is `PASSWORD`. Rows are made without an action: nothing is audited."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.contrib.auth.hashers import make_password

from accounts.models import User
from projects.models import Member, Project, Quota, Role
from robots import secrets
from robots.models import Robot

PASSWORD = "Correct-Horse-9"


@dataclass(frozen=True)
class Cast:
    """`private` has a member of every role, `public` has none but its owner; `stranger` is nowhere."""

    admin: User
    alice: User
    """Administrator of the project `private`, and of nothing else."""
    maintainer: User
    developer: User
    guest: User
    limited_guest: User
    stranger: User
    private: Project
    public: Project

    def member(self, role: Role | None) -> User:
        """Who has `role` in `private`; the stranger for None."""
        names = {
            Role.PROJECT_ADMIN: self.alice,
            Role.MAINTAINER: self.maintainer,
            Role.DEVELOPER: self.developer,
            Role.GUEST: self.guest,
            Role.LIMITED_GUEST: self.limited_guest,
        }
        return names[role] if role else self.stranger


ROLES = {
    "alice": Role.PROJECT_ADMIN,
    "maintainer": Role.MAINTAINER,
    "developer": Role.DEVELOPER,
    "guest": Role.GUEST,
    "limited_guest": Role.LIMITED_GUEST,
}


@cache
def hashed(hashers: tuple[str, ...]) -> str:
    """PASSWORD as the first of these `hashers` keeps it; hashed once, everybody has the same."""
    return make_password(PASSWORD)


def new_user(name: str, **fields: object) -> User:
    """What `make_user` saves."""
    password = hashed(tuple(settings.PASSWORD_HASHERS))
    return User(username=name, email=f"{name}@haven.test", realname=name.title(), password=password, **fields)


def make_user(name: str, **fields: object) -> User:
    """A user named `name` who signs in with PASSWORD."""
    user = new_user(name, **fields)
    user.save()
    return user


def make_project(name: str, owner: User | None = None, **fields: object) -> Project:
    """A project with its quota row; `owner` becomes its administrator."""
    project = Project.objects.create(name=name, owner=owner, **fields)
    Quota.objects.create(project=project)
    if owner:
        Member.objects.create(project=project, user=owner, role=Role.PROJECT_ADMIN)
    return project


def make_robot(name: str, project: Project, *permissions: str, **fields: object) -> tuple[Robot, str]:
    """A robot of `project` that may do `permissions` there (`repository:pull`), and its secret."""
    secret = secrets.new_secret()
    granted = {"system": [], "projects": {str(project.pk): list(permissions)}}
    given = {"level": Robot.Level.PROJECT, "duration": -1, **fields}
    digest = secrets.digest(secret)
    return Robot.objects.create(name=name, project=project, permissions=granted, secret_digest=digest, **given), secret


def assemble() -> Cast:
    """Everybody, on stage."""
    users = [new_user("admin", is_admin=True), *(new_user(name) for name in [*ROLES, "stranger"])]
    admin, *others = User.objects.bulk_create(users)
    people = {user.username: user for user in others}
    private = make_project("private", people["alice"])
    public = make_project("public", people["alice"], public=True)
    Member.objects.bulk_create(
        Member(project=private, user=people[name], role=role) for name, role in ROLES.items() if name != "alice"
    )
    return Cast(admin=admin, private=private, public=public, **people)
