"""The vulnerabilities that are put up with: the system's list, and a project's own."""

from __future__ import annotations

from audit.models import Entry
from projects.allowlists import allowlist_of, follows_system
from tests.cast import Cast
from tests.portal.conftest import Reader

SYSTEM, PROJECT = "/configuration/security", "/projects/private/allowlist"
END_OF_2030 = 1924991999


def test_the_systems_list_is_written(cast: Cast, reader: Reader) -> None:
    client = reader("admin")

    given = {"items": "CVE-2026-1, CVE-2026-2\nCVE-2026-1\n\nGHSA-x", "expires": "2030-12-31"}
    assert client.post(SYSTEM, given)["Location"] == SYSTEM

    allowlist = allowlist_of(None)
    assert (allowlist.items, allowlist.expires_at) == (["CVE-2026-1", "CVE-2026-2", "GHSA-x"], END_OF_2030)
    page = client.get(SYSTEM).content.decode()
    assert "CVE-2026-1\nCVE-2026-2\nGHSA-x</textarea>" in page and 'value="2030-12-31"' in page
    client.post(SYSTEM, {"items": "", "expires": ""})
    assert (allowlist_of(None).items, allowlist_of(None).expires_at) == ([], None)
    assert Entry.objects.filter(resource_type="cve-allowlist").count() == 2


def test_a_project_takes_the_systems_list_over_and_leaves_it(cast: Cast, reader: Reader) -> None:
    reader("admin").post(SYSTEM, {"items": "CVE-2026-1"})
    client = reader("alice")
    assert "The system&#x27;s list counts here." in client.get("/projects/private/settings").content.decode().replace(
        "The system's", "The system&#x27;s"
    )

    page = client.post(PROJECT, {"whose": "system", "items": "CVE-2026-9", "copy": "1"}).content.decode()
    assert "CVE-2026-9\nCVE-2026-1</textarea>" in page
    assert allowlist_of(cast.private).items == []  # nothing is saved yet
    client.post(PROJECT, {"whose": "own", "items": "CVE-2026-9\nCVE-2026-1"})
    cast.private.refresh_from_db()
    assert allowlist_of(cast.private).items == ["CVE-2026-9", "CVE-2026-1"] and not follows_system(cast.private)
    assert "There are 2 vulnerabilities on it." in client.get("/projects/private/settings").content.decode()
    client.post(PROJECT, {"whose": "system", "items": "CVE-2026-9"})
    cast.private.refresh_from_db()
    assert follows_system(cast.private) and len(allowlist_of(cast.private).items) == 2


def test_what_is_no_list_is_refused(cast: Cast, reader: Reader) -> None:
    for wrong in ({"items": "x" * 129}, {"items": "\n".join(map(str, range(10_001)))}, {"expires": "soon"}):
        answer = reader("admin").post(SYSTEM, wrong)
        assert answer.status_code == 422, str(wrong)[:60]
    assert allowlist_of(None).pk is None


def test_they_are_the_administrators(cast: Cast, reader: Reader) -> None:
    for path, allowed in ((SYSTEM, {"admin"}), (PROJECT, {"admin", "alice"})):
        for who in ("admin", "alice", "maintainer", "stranger", "anonymous"):
            client, given = reader(who), {"whose": "own", "items": "CVE-2026-7"}
            assert (client.get(path).status_code == 200) == (who in allowed), (path, who)
            if who not in allowed:
                assert client.post(path, given).status_code >= 400 or path == SYSTEM, (path, who)
    assert allowlist_of(None).pk is None and allowlist_of(cast.private).pk is None
