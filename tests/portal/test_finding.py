"""The search and the command palette: they find by name, tag and digest, and only what their reader may see."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.stage import make_image, make_repository
from tests.portal.conftest import Reader, Scene


def test_an_artifact_is_found_by_tag_and_by_digest(scene: Scene, reader: Reader) -> None:
    client, digest = reader("guest"), scene.image.digest
    address = f"/projects/private/repositories/app/web/-/artifacts/{digest}"

    for query in ("v1.1", "app/web:v1.10", "private/app/web:latest", digest, digest[7:20], f"private/app/web@{digest}"):
        assert address in client.get("/search", {"q": query}).content.decode(), query
        assert address in client.get("/palette", {"q": query}).content.decode(), query
    for query in ("app/web:v2", "0" * 64, "sha256:0000000", "1.10"):
        assert address not in client.get("/search", {"q": query}).content.decode(), query


def test_nobody_finds_what_they_may_not_see(scene: Scene, reader: Reader) -> None:
    for who in ("stranger", "anonymous"):
        client = reader(who)
        for query in ("v1.10", "private", "app/web:v1.10", scene.image.digest, scene.image.digest[7:19]):
            for path in ("/search", "/palette"):
                assert "/projects/private" not in client.get(path, {"q": query}).content.decode(), (who, path, query)


def test_the_palette_offers_the_pages_that_its_reader_may_open(scene: Scene, reader: Reader) -> None:
    admin, guest, nobody = (reader(who).get("/palette").content.decode() for who in ("admin", "guest", "anonymous"))

    assert 'href="/audit"' in admin and 'href="/configuration/system"' in admin and 'href="/account"' in admin
    assert 'href="/audit"' not in guest and 'href="/account"' in guest
    assert 'href="/projects"' in nobody and 'href="/account"' not in nobody
    assert 'href="/audit"' in reader("admin").get("/palette?q=AUDIT").content.decode()
    assert "Search for “zzzz”" in reader("admin").get("/palette?q=zzzz").content.decode()


def test_odd_questions_have_answers(scene: Scene, reader: Reader) -> None:
    for query in ("", " ", ":", "@", "a:b:c", "sha256:", "%", "_", "'", "x" * 5000, "\0", "🦊", "::", "/"):
        for path in ("/search", "/palette"):
            assert reader("guest").get(path, {"q": query}).status_code == 200, query


def test_more_to_find_costs_no_more_questions(scene: Scene, reader: Reader) -> None:
    client = reader("admin")
    for path in ("/search?q=zap", "/palette?q=zap"):
        make_image(make_repository(scene.cast.private, f"zap-{len(path)}"), "zap-1")
        client.get(path)
        with CaptureQueriesContext(connection) as few:
            client.get(path)
        for number in range(8):
            make_image(make_repository(scene.cast.private, f"zap-{len(path)}-{number}"), f"zap-{number}")
        client.get(path)  # what new repositories hold is counted once, and remembered
        with CaptureQueriesContext(connection) as many:
            client.get(path)
        assert len(few) == len(many) <= 12, path
