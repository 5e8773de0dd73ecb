"""Registering oneself, and sessions that end by themselves."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import Entry
from configuration import values
from tests.api.calling import Caller
from tests.cast import PASSWORD, make_user

pytestmark = pytest.mark.django_db
FORM = {
    "username": "newcomer",
    "email": "newcomer@haven.test",
    "realname": "New Comer",
    "password": PASSWORD,
    "again": PASSWORD,
    "is_admin": "on",
    "is_superuser": "1",
}


class TestRegistering:
    def test_by_a_page_where_it_is_allowed(self, client: Client) -> None:
        assert client.get("/account/sign-up").status_code == 404
        assert "/account/sign-up" not in client.get("/account/sign-in").content.decode()
        assert client.post("/account/sign-up", FORM).status_code == 404
        values.set_values({"self_registration": True})
        assert "/account/sign-up" in client.get("/account/sign-in").content.decode()
        assert client.get("/account/sign-up").status_code == 200
        response = client.post("/account/sign-up", FORM)
        assert (response.status_code, response["Location"]) == (302, "/")
        user = User.objects.get()
        assert (user.username, user.is_admin, user.actor.is_admin) == ("newcomer", False, False)
        assert client.session["_auth_user_id"] == str(user.pk)
        made = Entry.objects.get(resource_type="user", operation="create")
        assert (made.username, PASSWORD in str(made.details)) == ("newcomer", False)

    @pytest.mark.parametrize(
        "change",
        [{"username": "TAKEN"}, {"email": "taken@haven.test"}, {"password": "weak", "again": "weak"}, {"again": "x"}],
    )
    def test_what_is_refused(self, client: Client, change: dict[str, str]) -> None:
        values.set_values({"self_registration": True})
        make_user("taken")
        assert client.post("/account/sign-up", FORM | change).status_code == 422
        assert User.objects.count() == 1 and "_auth_user_id" not in client.session

    def test_so_many_from_one_address(self) -> None:
        values.set_values({"self_registration": True})
        statuses = []
        for number in range(22):
            form = FORM | {"username": f"newcomer{number}", "email": f"newcomer{number}@haven.test"}
            statuses.append(Client().post("/account/sign-up", form).status_code)
        assert statuses == [302] * 20 + [429] * 2
        assert User.objects.count() == 20
        elsewhere = Client(REMOTE_ADDR="192.0.2.7").post("/account/sign-up", FORM)
        assert elsewhere.status_code == 302

    def test_not_where_people_come_from_elsewhere(self, client: Client) -> None:
        values.set_values({"self_registration": True, "auth_mode": "ldap_auth"})
        assert client.post("/account/sign-up", FORM).status_code == 404
        assert not User.objects.exists()

    def test_a_form_from_another_site_is_refused(self) -> None:
        values.set_values({"self_registration": True})
        assert Client(enforce_csrf_checks=True).post("/account/sign-up", FORM).status_code == 403
        assert not User.objects.exists()


class TestSessions:
    @pytest.fixture
    def pages(self, first_admin: User) -> Client:
        make_user("alice")
        client = Client()
        client.post("/account/sign-in", {"username": "alice", "password": PASSWORD})
        return client

    def session(self) -> Session:
        return Session.objects.get()

    def pass_time(self, seconds: int) -> None:
        """As if the last renewal had been so long ago."""
        row = self.session()
        told: dict[str, Any] = row.get_decoded()
        told["seen"] -= seconds
        row.session_data = Session.objects.encode(told)
        row.expire_date -= timedelta(seconds=seconds)
        row.save()

    def test_ends_after_the_time_that_is_configured(self, pages: Client) -> None:
        assert Caller(client=pages).get("/users/current").status_code == 200
        self.pass_time(61 * 60)
        assert Caller(client=pages).get("/users/current").status_code == 401

    def test_goes_on_while_somebody_does_something(self, pages: Client) -> None:
        self.pass_time(40 * 60)
        Caller(client=pages).get("/users/current")
        left = (self.session().expire_date - timezone.now()).total_seconds()
        assert 59 * 60 < left <= 60 * 60
        assert abs(self.session().get_decoded()["seen"] - time.time()) < 5

    def test_is_not_kept_by_a_page_that_only_polls(self, pages: Client) -> None:
        self.pass_time(40 * 60)
        Caller(client=pages).get("/users/current", X_Harbor_No_Session_Renewal="true")
        assert (self.session().expire_date - timezone.now()).total_seconds() < 21 * 60

    def test_a_shorter_time_holds_from_the_next_renewal_on(self, pages: Client) -> None:
        values.set_values({"session_timeout": 5})
        self.pass_time(120)
        Caller(client=pages).get("/users/current")
        assert (self.session().expire_date - timezone.now()).total_seconds() <= 5 * 60

    def test_another_mode_of_signing_in_ends_those_that_do_not_fit(self, pages: Client) -> None:
        values.set_values({"auth_mode": "ldap_auth"})
        assert Caller(client=pages).get("/users/current").status_code == 401
