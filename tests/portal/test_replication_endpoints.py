"""Endpoints on their pages: explained, tried, kept, deleted; their secrets seen by nobody; hostile text inert."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from portal.providers import PROVIDERS, offered
from replication.models import Endpoint, Policy
from tests.fakes.registry import FakeRegistry
from tests.portal.conftest import Reader, Scene
from tests.portal.test_hostile import HOSTILE, Suspicion
from tests.portal.test_replication import make_run, make_verification
from tests.replication.served import served

SECRET = "endpoint-canary"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def there(scene: Scene, settings: Settings) -> Iterator[FakeRegistry]:
    """A registry that answers."""
    settings.ALLOWED_NETWORKS = ["127.0.0.1"]
    with served() as found:
        yield found


def typed(url: str, **fields: str) -> dict[str, str]:
    return {"name": "there", "url": url, "type": "docker-registry", "verify": "on", **fields}


def test_every_kind_that_is_offered_is_explained(scene: Scene, reader: Reader) -> None:
    page = reader("admin").get("/endpoints/new").content.decode()
    for kind, provider in offered():
        assert kind in PROVIDERS, kind
        form = reader("admin").get(f"/endpoints/new?type={kind}")
        assert form.status_code == 200 and f"type={kind}" in page, kind
        assert str(provider.address) in form.content.decode(), kind
    assert "What kind of registry is it?" in reader("admin").get("/endpoints/new?type=nonsense").content.decode()


def test_an_endpoint_from_beginning_to_end(there: FakeRegistry, reader: Reader) -> None:
    client = reader("admin")
    new = "/endpoints/new?type=docker-registry"
    form = typed(there.url, access_key="robot", access_secret=SECRET, shared="on")
    assert client.post(new, form)["Location"] == "/endpoints"
    endpoint = Endpoint.objects.get()
    assert (endpoint.secret, endpoint.shared, endpoint.insecure, endpoint.status) == (SECRET, True, False, "healthy")
    assert "There is an endpoint of this name already." in client.post(new, form).content.decode()

    listed, page = client.get("/endpoints").content.decode(), client.get(f"/endpoints/{endpoint.pk}").content.decode()
    assert there.url in listed and "Healthy" in listed and "Shared" in listed
    assert "A secret is kept." in page and SECRET not in page + listed
    client.post(f"/endpoints/{endpoint.pk}", typed(there.url, name="renamed", access_key="robot"))
    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.secret, endpoint.shared) == ("renamed", SECRET, False)
    client.post(f"/endpoints/{endpoint.pk}", typed(there.url, forget="on"))
    endpoint.refresh_from_db()
    assert endpoint.secret == ""

    Policy.objects.create(name="user", target=endpoint)
    used = client.get(f"/endpoints/{endpoint.pk}/delete").content.decode()
    assert "1 rule uses it: delete it first (user)." in used and "btn-danger" not in used
    assert client.post(f"/endpoints/{endpoint.pk}/delete").status_code == 409
    Policy.objects.all().delete()
    assert f"Nothing is changed at {there.url}." in client.get(f"/endpoints/{endpoint.pk}/delete").content.decode()
    client.post(f"/endpoints/{endpoint.pk}/delete")
    assert not Endpoint.objects.exists()


def test_a_connection_is_tried_in_place_and_without_a_script(there: FakeRegistry, reader: Reader) -> None:
    client, test = reader("admin"), "/endpoints/new/test"
    said = client.post(test, typed(there.url, name=""), headers=HTMX).content.decode()
    assert "The registry answers and takes these credentials." in said and "<html" not in said
    page = client.post(test, typed(there.url, name="", access_secret=SECRET)).content.decode()
    assert "The registry answers" in page and there.url in page and SECRET not in page
    away = client.post(test, typed("http://127.0.0.1:9"), headers=HTMX).content.decode()
    assert "The registry cannot be used" in away
    private = client.post(test, typed("http://10.0.0.1"), headers=HTMX).content.decode()
    assert "The address is in a private network" in private
    assert "Write its address first." in client.post(test, typed(""), headers=HTMX).content.decode()
    assert client.post(test, typed(there.url, type="nonsense")).status_code == 404
    assert not Endpoint.objects.exists()


def test_a_kept_secret_goes_to_its_address_and_no_other(there: FakeRegistry, reader: Reader) -> None:
    endpoint = Endpoint(name="there", type="docker-registry", url=there.url, access_key="robot")
    endpoint.keep_secret(SECRET)
    endpoint.save()
    there.require("robot", SECRET, "basic")
    client, test = reader("admin"), f"/endpoints/{endpoint.pk}/test"
    said = client.post(test, typed(there.url, access_key="robot"), headers=HTMX).content.decode()
    assert "The registry answers" in said
    with served() as elsewhere:
        elsewhere.require("robot", SECRET, "basic")
        refused = client.post(test, typed(elsewhere.url, access_key="robot"), headers=HTMX).content.decode()
        assert "The registry refuses these credentials." in refused
    there.calls.clear()
    for who in ("alice", "anonymous"):
        assert reader(who).post(test, typed(there.url)).status_code in (302, 401, 403)
    assert there.calls == []


def test_nobodys_text_is_more_than_text(scene: Scene, reader: Reader) -> None:
    fields = {
        "url": f"https://x.test/{HOSTILE}"[:256],
        "description": HOSTILE,
        "problem": HOSTILE,
        "access_key": HOSTILE,
    }
    endpoint = Endpoint.objects.create(name=HOSTILE[:64], type="harbor", status="unhealthy", **fields)
    rule = Policy.objects.create(
        name=HOSTILE, description=HOSTILE, target=endpoint, creator=HOSTILE, dest_namespace=HOSTILE, cron=HOSTILE[:100],
        trigger="scheduled", filters=[{"type": "name", "value": HOSTILE}, {"type": "label", "value": [HOSTILE]}],
        project=scene.cast.private,
    )  # fmt: skip
    run = make_run(scene, rule, "Error")
    job = run.jobs.get(kind="REPLICATION")
    job.spec |= {"source": HOSTILE, "target": HOSTILE, "tags": [HOSTILE]}
    job.status_message = HOSTILE
    job.save()
    job.log_lines.update(line=HOSTILE)
    check = make_verification(scene, rule, "missing")
    check.jobs.get().replication_findings.update(source=HOSTILE, target=HOSTILE, detail=HOSTILE)
    client = reader("admin")
    paths = ["/endpoints", f"/endpoints/{endpoint.pk}", f"/endpoints/{endpoint.pk}/delete"]
    for desk in ("/replication", "/projects/private/replication"):
        own = f"{desk}/{rule.pk}"
        paths += [desk, f"{desk}/new", own, f"{own}/change", f"{own}/delete", f"{own}/runs/{run.pk}?job={job.pk}"]
        paths += [f"{own}/runs/{run.pk}/retry", f"{own}/checks/{check.pk}"]
    for path in paths:
        answer = client.get(path)
        page = answer.content.decode()
        assert answer.status_code == 200, path
        assert Suspicion(page).found == [] and "14'" not in page, path
