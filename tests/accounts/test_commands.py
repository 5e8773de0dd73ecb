from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.basic import authenticate
from accounts.models import User
from projects.models import Project, Role
from tests.cast import PASSWORD, Cast

HERE = "192.0.2.1"


def run(*command: str) -> str:
    out = io.StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
class TestCreateAdmin:
    def test_a_fresh_installation(self, settings: Any) -> None:
        settings.ADMIN_PASSWORD = ""
        said = run("create_admin")
        [password] = re.findall(r"password: (\S+) \(shown this once\)", said)
        actor = authenticate("admin", password, HERE)
        assert actor
        assert actor.is_admin
        library = Project.objects.get(name="library")
        assert library.public
        assert library.roles_of(actor) == [Role.PROJECT_ADMIN]
        assert run("create_admin") == ""
        assert User.objects.count() == 1

    def test_the_operators_password_is_not_shown(self, settings: Any) -> None:
        settings.ADMIN_PASSWORD = PASSWORD
        assert PASSWORD not in run("create_admin")
        assert authenticate("admin", PASSWORD, HERE)

    @pytest.mark.parametrize("password", ["Harbor12345", "weak"])
    def test_not_just_any_password(self, settings: Any, password: str) -> None:
        settings.ADMIN_PASSWORD = password
        with pytest.raises(CommandError, match="HARBOR_ADMIN_PASSWORD cannot be used"):
            run("create_admin")
        assert not User.objects.exists()

    def test_an_old_installation_is_left_alone(self, cast: Cast, settings: Any) -> None:
        settings.ADMIN_PASSWORD = "Another-Horse-9"
        assert run("create_admin") == ""
        assert authenticate("admin", PASSWORD, HERE)
        assert not Project.objects.filter(name="library").exists()


class TestSetPassword:
    def give(self, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        return run("set_password", name)

    @pytest.mark.parametrize("name", ["admin", "ADMIN", "admin@haven.test"])
    def test_a_way_back_in(self, cast: Cast, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        said = self.give(monkeypatch, name, "Another-Horse-9\nAnother-Horse-9\n")
        assert "admin has a new password" in said
        assert authenticate("admin", "Another-Horse-9", HERE)

    @pytest.mark.parametrize(
        ("name", "text", "sentence"),
        [
            ("nobody", "Another-Horse-9\n", "There is no user nobody"),
            ("admin", "weak\nweak\n", "Not changed: the password needs"),
            ("admin", "Another-Horse-9\nAnother-Horse-8\n", "differ"),
            ("admin", f"{PASSWORD}\n{PASSWORD}\n", "the new password is the old one"),
        ],
    )
    def test_or_one_sentence(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch, name: str, text: str, sentence: str
    ) -> None:
        with pytest.raises(CommandError, match=sentence):
            self.give(monkeypatch, name, text)
        assert authenticate("admin", PASSWORD, HERE)


@pytest.mark.django_db
class TestConfigure:
    def test_changes_and_shows(self) -> None:
        assert "read_only=False" in run("configure").splitlines()
        assert run("configure", "read_only=true", "session_timeout=30") == "changed: read_only, session_timeout\n"
        assert {"read_only=True", "session_timeout=30"} <= set(run("configure").splitlines())
        assert run("configure", "read_only=true") == "nothing to change\n"

    def test_shows_no_secret(self) -> None:
        run("configure", "ldap_search_password=Hidden-Horse-9")
        assert "Hidden-Horse-9" not in run("configure")
        assert "ldap_search_password" not in run("configure")

    @pytest.mark.parametrize("changes", [["read_only"], ["no_such_key=1"], ["session_timeout=30", "read_only=perhaps"]])
    def test_all_or_nothing(self, changes: list[str]) -> None:
        with pytest.raises(CommandError, match="Not changed"):
            run("configure", *changes)
        assert {"read_only=False", "session_timeout=60"} <= set(run("configure").splitlines())
