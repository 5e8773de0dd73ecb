"""Signing in by a directory, a real one: who gets in, as whom, in which groups; and who does not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.core.cache import caches

from accounts import actions, scratch
from accounts.actors import SYSTEM, Actor
from accounts.basic import authenticate
from accounts.errors import Locked, Unavailable
from accounts.ldap.directory import DirectoryError, WrongSearchUser, opened
from accounts.ldap.settings import Settings
from accounts.models import INITIAL_ADMIN, Group, User
from audit.models import Entry
from configuration import values
from projects.models import Member, Role
from projects.permissions import allowed
from tests import cast
from tests.slapd import BASE, PASSWORD, Slapd

pytestmark = [pytest.mark.stack, pytest.mark.django_db(transaction=True)]


def sign_in(name: str, password: str = PASSWORD, *, anew: bool = True) -> Actor | None:
    """Who that is; `anew` asks the directory, whatever was right a moment ago."""
    if anew:
        caches["default"].clear()
        scratch.reset()
    return authenticate(name, password, "192.0.2.1")


def nobody_but(*users: User) -> bool:
    """Whether these and the first administrator are all users there are."""
    return set(User.objects.exclude(pk=INITIAL_ADMIN)) == set(users)


def groups_of(name: str) -> set[str]:
    return set(Group.objects.filter(memberships__user__username=name).values_list("name", flat=True))


class TestWhoGetsIn:
    def test_a_person_becomes_a_user_without_a_password(self, directory: Slapd) -> None:
        actor = sign_in("ALICE")
        user = User.objects.get(username="alice")
        assert actor is not None and actor.user_id == user.pk
        assert (user.realname, user.email, user.comment) == ("Alice Liddell", "alice@wonder.test", "from LDAP.")
        assert not user.has_usable_password() and not user.is_admin
        assert PASSWORD not in "".join(
            str(entry.details) + entry.operation_description for entry in Entry.objects.all()
        )
        assert sign_in("alice") is not None
        assert nobody_but(user)

    @pytest.mark.parametrize("password", ["", " ", "\t", "\u00ad", "\u200b", "\x00", "wrong", PASSWORD.lower()])
    def test_no_other_password(self, directory: Slapd, password: str) -> None:
        assert sign_in("alice", password) is None
        assert nobody_but()

    @pytest.mark.parametrize(
        "name",
        ["*", "ali*", "*)(uid=*", "alice)(|(uid=*", "a)(&", "\\2a", "alice\x00", "uid=alice", "nobody", "(alice"],
    )
    def test_no_name_that_is_more_than_a_name(self, directory: Slapd, name: str) -> None:
        assert sign_in(name) is None
        assert nobody_but()

    def test_nobody_by_the_first_of_several_names(self, directory: Slapd) -> None:
        actor = sign_in("carol")
        assert actor is not None and actor.name == "carol"
        assert not User.objects.filter(username="victim").exists()

    def test_who_is_named_like_a_robot_is_refused(self, directory: Slapd) -> None:
        assert sign_in("robot$x") is None
        assert nobody_but()

    def test_who_is_shut_out_stays_out(self, directory: Slapd) -> None:
        sign_in("alice")
        actions.set_active(SYSTEM, User.objects.get(username="alice"), False)
        assert sign_in("alice") is None

    def test_many_wrong_attempts_lock(self, directory: Slapd) -> None:
        with pytest.raises(Locked):
            for _ in range(20):
                sign_in("alice", "wrong", anew=False)

    def test_another_spelling_is_no_way_round_the_lock(self, directory: Slapd) -> None:
        with pytest.raises(Locked):
            for times in range(20):
                sign_in(f"{' ' * times}alice{' ' * times}", "wrong", anew=False)


class TestAccountsOfHaven:
    def test_the_first_administrator_needs_no_directory(self, directory: Slapd, first_admin: User) -> None:
        assert sign_in("admin", cast.PASSWORD) == first_admin.actor
        assert sign_in("admin", PASSWORD) is None  # there is an `admin` in the directory, and it is somebody else
        assert sign_in("admin@haven.test", cast.PASSWORD) == first_admin.actor
        assert User.objects.count() == 1

    def test_nobody_else_by_a_password_of_haven(self, directory: Slapd, first_admin: User) -> None:
        cast.make_user("alice")
        assert sign_in("alice", cast.PASSWORD) is None
        assert sign_in("alice", PASSWORD) is None  # the name is a local account's: the person stays a stranger
        assert User.objects.get(username="alice").realname == "Alice"

    def test_robots_and_the_administrator_work_while_it_is_away(self, directory: Slapd, first_admin: User) -> None:
        project = cast.make_project("private", first_admin)
        robot, secret = cast.make_robot("ci", project, "repository:pull")
        sign_in("bob")
        values.set_values({"ldap_url": "ldap://127.0.0.1:1"})
        assert sign_in("admin", cast.PASSWORD) is not None
        found = sign_in("robot$private+ci", secret)
        assert found is not None and found.robot_id == robot.pk
        with pytest.raises(Unavailable):
            sign_in("bob")

    def test_a_user_of_the_directory_is_nobody_without_it(self, directory: Slapd, first_admin: User) -> None:
        sign_in("alice")
        values.set_values({"auth_mode": "db_auth"})
        assert sign_in("alice") is None and sign_in("alice", "") is None


class TestGroups:
    def test_roles_by_groups_come_and_go_with_the_directory(self, directory: Slapd) -> None:
        project = cast.make_project("private")
        sign_in("bob")
        team = Group.objects.create(name="The team", type=Group.Type.LDAP, ldap_group_dn=f"CN=Team,ou=groups,{BASE}")
        Member.objects.create(project=project, group=team, role=Role.DEVELOPER)
        actor = sign_in("carol")
        assert actor is not None and allowed(actor, project)
        directory.leave("team", "carol")
        actor = sign_in("carol")
        assert actor is not None and not allowed(actor, project)
        assert groups_of("carol") == set()
        with directory.connection() as root:
            root.modify(f"cn=team,ou=groups,{BASE}", {"member": [("MODIFY_ADD", [f"uid=carol,ou=people,{BASE}"])]})

    def test_only_groups_below_their_base_that_fit_the_filter(self, directory: Slapd) -> None:
        sign_in("alice")
        assert groups_of("alice") == {"team", "admins"}
        values.set_values({"ldap_group_search_filter": "(cn=team)"})
        sign_in("alice")
        assert groups_of("alice") == {"team"}
        values.set_values({"ldap_group_search_filter": ""})
        actor = sign_in("alice")
        assert groups_of("alice") == set()
        assert actor is not None and not actor.is_admin

    def test_an_administrator_for_as_long_as_the_group_says(self, directory: Slapd) -> None:
        actor = sign_in("alice")
        assert actor is not None and actor.is_admin
        user = User.objects.get(username="alice")
        assert user.admin_by_group and not user.is_admin
        values.set_values({"ldap_group_admin_dn": f"cn=outside,ou=groups,{BASE}"})
        actor = sign_in("alice")
        assert actor is not None and not actor.is_admin
        assert not User.objects.get(username="alice").actor.is_admin

    def test_where_people_do_not_say_their_groups_the_groups_are_asked(self, directory: Slapd) -> None:
        values.set_values({"ldap_group_membership_attribute": "description"})
        actor = sign_in("alice")
        assert groups_of("alice") == {"team", "admins"}
        assert actor is not None and actor.is_admin

    def test_a_name_that_looks_like_sql_is_a_name(self, directory: Slapd) -> None:
        project = cast.make_project("private")
        actor = sign_in("bob")
        assert groups_of("bob") == {"x') or 1=1--"}
        assert actor is not None and not allowed(actor, project) and not actor.is_admin

    def test_a_login_that_changes_nothing_writes_nothing(self, directory: Slapd) -> None:
        sign_in("alice")
        before = Entry.objects.count()
        sign_in("alice")
        assert Entry.objects.count() == before


class TestRemembering:
    def test_what_was_right_is_not_asked_again_at_once(self, directory: Slapd) -> None:
        sign_in("bob")
        directory.stop()
        try:
            assert sign_in("bob", anew=False) is not None
            with pytest.raises(Unavailable):
                sign_in("bob", "Another-1", anew=False)
            with pytest.raises(Unavailable):
                sign_in("bob")
        finally:
            directory.start()

    def test_another_directory_remembers_nothing(self, directory: Slapd) -> None:
        sign_in("bob")
        values.set_values({"ldap_base_dn": f"ou=elsewhere,{BASE}"})
        assert sign_in("bob", anew=False) is None


@pytest.fixture
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """A port that accepts and says nothing, and what it was told."""
    told: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            try:
                while True:
                    connection, _ = server.accept()
                    connection.settimeout(3)
                    told.append(connection.recv(4096))
            except OSError:
                return

        threading.Thread(target=listen, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}", told


class TestTheWayThere:
    @pytest.mark.parametrize("way", ["secure_url", "starttls_url"])
    def test_tls_by_a_private_authority(self, directory: Slapd, settings: object, way: str) -> None:
        values.set_values({"ldap_url": getattr(directory, way)})
        assert sign_in("bob") is not None
        settings.CA_FILE = ""  # type: ignore[attr-defined]
        with pytest.raises(DirectoryError, match="certificate is not trusted"):
            sign_in("bob")
        values.set_values({"ldap_verify_cert": False})
        assert sign_in("bob") is not None

    def test_a_certificate_for_another_host(self, directory: Slapd, settings: object) -> None:
        settings.ALLOWED_NETWORKS = ["localhost", "127.0.0.1"]  # type: ignore[attr-defined]
        url = directory.secure_url.replace("127.0.0.1", "localhost")
        chosen = replace(Settings.configured(), url=url)
        settings.CA_FILE = str(directory.authority.path)  # type: ignore[attr-defined]
        with pytest.raises(DirectoryError, match="certificate"), opened(chosen):
            raise AssertionError("a stranger's certificate was taken")

    def test_no_password_goes_out_without_the_tls_that_was_asked_for(
        self, directory: Slapd, listener: tuple[str, list[bytes]]
    ) -> None:
        address, told = listener
        for scheme in ("ldap+starttls", "ldaps"):
            values.set_values({"ldap_url": f"{scheme}://{address}"})
            with pytest.raises(Unavailable):
                sign_in("bob")
        assert told and not [words for words in told if b"root" in words or PASSWORD.encode() in words]

    def test_a_private_address_needs_the_operators_word(self, directory: Slapd, settings: object) -> None:
        settings.ALLOWED_NETWORKS = []  # type: ignore[attr-defined]
        with pytest.raises(DirectoryError, match="HAVEN_ALLOWED_NETWORKS"):
            sign_in("bob")

    @pytest.mark.parametrize("password", ["wrong", ""])
    def test_a_search_user_who_is_none(self, directory: Slapd, password: str) -> None:
        values.set_values({"ldap_search_password": password})
        with pytest.raises(WrongSearchUser):
            sign_in("bob")

    def test_one_that_says_nothing_is_not_waited_for_long(
        self, directory: Slapd, listener: tuple[str, list[bytes]]
    ) -> None:
        values.set_values({"ldap_url": f"ldap://{listener[0]}", "ldap_timeout": 1})
        with pytest.raises(Unavailable):
            sign_in("bob")

    def test_one_that_speaks_nonsense_is_away(self, directory: Slapd) -> None:
        for nonsense in (b"HTTP/1.1 400 Bad\r\n\r\n", b"\x30\x03\x02\x01\x02", b"\x30\x07\x02\x01\x01\x7f\x02\x01\x01"):
            with socket.create_server(("127.0.0.1", 0)) as server:
                threading.Thread(target=say, args=(server, nonsense), daemon=True).start()
                values.set_values({"ldap_url": f"ldap://127.0.0.1:{server.getsockname()[1]}", "ldap_timeout": 1})
                with pytest.raises(Unavailable):
                    sign_in("bob")


def say(server: socket.socket, words: bytes) -> None:
    """To the first that asks, whatever the question."""
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(words)
