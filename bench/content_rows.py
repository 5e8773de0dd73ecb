"""The lists of what a registry holds, as bench.api asks for them: projects, repositories, artifacts, tags."""

from __future__ import annotations

from collections.abc import Iterator

from bench.calls import ADMIN, BASE, MEMBER, NOBODY, Call
from bench.seed import BUSY, LARGE

TAGS_FLOOR = 100.0
"""Milliseconds for a page of the tags of the repository that has 500,000."""
BUSY_ARTIFACTS = f"/projects/{BUSY[0]}/repositories/{BUSY[1]}/artifacts"
WITH_ALL = "with_tag=true&with_label=true&with_accessory=true&with_inherited_accessory=true"


def calls() -> Iterator[Call]:
    """All of them. Those that count deep pages ask for what there is at scale 1."""
    for name, path, who in (*_projects(), *_artifacts()):
        yield Call(name, f"{BASE}{path}", who)
    yield from _tags()
    yield from _v2()


def _projects() -> Iterator[tuple[str, str, str]]:
    for who, title in ((ADMIN, "admin"), (MEMBER, "member"), (NOBODY, "nobody")):
        yield f"projects, {title}", "/projects", who
        yield f"projects, page of 100, {title}", "/projects?page_size=100", who
    yield "projects, deep, newest first", "/projects?page=90&sort=-creation_time", ADMIN
    yield "projects, name=~, member", "/projects?q=name%3D~ject-12&sort=-update_time", MEMBER
    yield "projects, creation_time range", "/projects?q=creation_time%3D[2020-01-01~2035-01-01],public=true", ADMIN
    yield "one project's summary", f"/projects/{LARGE}/summary", ADMIN
    yield "members", f"/projects/{LARGE}/members", ADMIN
    for who, title in ((ADMIN, "admin"), (MEMBER, "member"), (NOBODY, "nobody")):
        yield f"repositories, {title}", "/repositories?page_size=100", who
    yield "repositories, deep", "/repositories?page=190&page_size=100", ADMIN
    yield "repositories, deep, member", "/repositories?page=90&page_size=100", MEMBER
    yield "repositories, name=~", "/repositories?q=name%3D~app-123", ADMIN
    yield "repositories, name=~, member", "/repositories?q=name%3D~app-123", MEMBER
    yield "repositories, most pulled", "/repositories?sort=-pull_count", ADMIN
    yield "repositories of a project", f"/projects/{LARGE}/repositories?page_size=100", ADMIN
    yield "repositories of a project, deep", f"/projects/{LARGE}/repositories?page=45&page_size=100", ADMIN
    yield "repositories of a project, by name", f"/projects/{LARGE}/repositories?sort=name&q=name%3D~app-2", ADMIN
    yield "search, admin", "/search?q=app-77", ADMIN
    yield "search, member", "/search?q=app-77", MEMBER
    yield "search, nobody", "/search?q=app-77", NOBODY
    yield "statistics, admin", "/statistics", ADMIN
    yield "statistics, member", "/statistics", MEMBER


def _artifacts() -> Iterator[tuple[str, str, str]]:
    where = f"{BUSY_ARTIFACTS}?page_size=100"
    yield "artifacts", BUSY_ARTIFACTS, ADMIN
    yield "artifacts, page of 100, with all", f"{where}&{WITH_ALL}", ADMIN
    yield "artifacts, deep, with all", f"{where}&page=600&{WITH_ALL}", ADMIN
    yield "artifacts, type=CHART", f"{where}&q=type%3DCHART", ADMIN
    yield "artifacts, tags=*", f"{where}&q=tags%3D*", ADMIN
    yield "artifacts, tags=nil", f"{where}&q=tags%3Dnil", ADMIN
    yield "artifacts, tags=v1.2.3", f"{where}&q=tags%3Dv1.2.3", ADMIN
    yield "artifacts, tags=~nightly", f"{where}&q=tags%3D~nightly", ADMIN
    yield "artifacts, labels=(3)", f"{where}&q=labels%3D(3)", ADMIN
    yield "artifacts, push_time range", f"{where}&q=push_time%3D[2025-12-01~2026-02-01]", ADMIN
    yield "artifacts, type=~char", f"{where}&q=type%3D~char", ADMIN
    yield "artifacts, type={CHART WASM}", f"{where}&q=type%3D{{CHART%20WASM}}", ADMIN
    yield "artifacts, digest=~abcde", f"{where}&q=digest%3D~abcde", ADMIN
    yield "artifacts, size range, largest first", f"{where}&q=size%3D[1000~90000000]&sort=-size", ADMIN
    for sort in ("-size", "type", "digest", "-pull_time", "id"):
        yield f"artifacts, by {sort}, deep", f"{BUSY_ARTIFACTS}?sort={sort}&page=3000", ADMIN
    yield "artifacts, largest first", f"{where}&sort=-size", ADMIN
    yield "artifacts, base=*", f"{where}&q=base%3D*", ADMIN
    of_project = f"/projects/{LARGE}/artifacts?page_size=100"
    yield "artifacts of a project", of_project, ADMIN
    yield "artifacts of a project, deep, with all", f"{of_project}&page=500&{WITH_ALL}", ADMIN
    short = f"/projects/{LARGE}/artifacts"
    for sort in ("-size", "type", "repository_id", "-pull_time"):
        yield f"artifacts of a project, by {sort}, deep", f"{short}?sort={sort}&page=9000", ADMIN
    yield "artifacts of a project, tags=nil", f"{short}?q=tags%3Dnil", ADMIN
    yield "artifacts of a project, tags=v1.2.3", f"{short}?q=tags%3Dv1.2.3", ADMIN
    yield "artifacts of a project, repository_name=~", f"{short}?q=repository_name%3D~app-123", ADMIN
    newest = f"/projects/{LARGE}/artifacts?latest_in_repository=true"
    config = "application%2Fvnd.oci.image.config.v1%2Bjson"
    yield "artifacts of a project, latest in repository", f"{newest}&q=media_type%3D{config}", ADMIN


def _tags() -> Iterator[Call]:
    """The artifact with the most names, and one with few."""
    from django.db.models import Count

    from artifacts.models import Tag

    rows = Tag.objects.filter(repository__name="/".join(BUSY)).values("artifact__digest")
    digest = rows.annotate(number=Count("pk")).order_by("-number")[0]["artifact__digest"]
    where = f"{BASE}{BUSY_ARTIFACTS}/{digest}"
    yield Call("tags of an artifact", f"{where}/tags", floor=TAGS_FLOOR)
    yield Call("tags of an artifact, name=~", f"{where}/tags?q=name%3D~v&sort=-name", floor=TAGS_FLOOR)
    yield Call("one artifact, with all", f"{where}?{WITH_ALL}")
    yield Call("accessories of an artifact", f"{where}/accessories")
    by_tag = f"{BASE}{BUSY_ARTIFACTS}/v1.2.3/tags"
    yield Call("tags of an artifact, by tag", by_tag, floor=TAGS_FLOOR)


def _v2() -> Iterator[Call]:
    """Lists of the registry's protocol."""
    from accounts.models import User
    from tokens.scopes import Scope
    from tokens.signing import mint

    scopes = [
        Scope("repository", "/".join(BUSY), frozenset({"pull"})),
        Scope("registry", "catalog", frozenset({"*"})),
    ]
    token = mint(User.objects.get(username="admin").actor, scopes, 36_000)
    bearer = {"Authorization": f"Bearer {token}"}
    where = f"/v2/{'/'.join(BUSY)}/tags/list"
    for name, query in (("first", "?n=100"), ("deep", "?n=100&last=v35.5"), ("of 1,000", "?n=1000&last=v20")):
        yield Call(f"/v2 tags, {name} page", f"{where}{query}", floor=TAGS_FLOOR, headers=bearer)
    yield Call("/v2 catalog", "/v2/_catalog?n=100", headers=bearer)
    yield Call("/v2 catalog, deep", "/v2/_catalog?n=100&last=project-5", headers=bearer)
