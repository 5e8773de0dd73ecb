from __future__ import annotations

import gzip
import io
import json
import tarfile

from artifacts import charts
from artifacts.charts import Chart, read_chart
from artifacts.models import Artifact
from registry.client import Registry
from tests.artifacts.conftest import door_of
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry, fake_session
from tests.stack import content
from tests.stack.content import Blob, Pushable


def pushed(cast: Cast, registry: FakeRegistry, chart: Pushable) -> Chart:
    door_of(cast.developer).push(registry, "private/hello", "1.2.3", chart)
    session, fake = fake_session()
    fake.blobs = registry.blobs
    return read_chart(Registry(fake.url, session), Artifact.objects.get(digest=chart.digest()))


def chart_of(package: bytes, **about: object) -> Pushable:
    config = Blob(json.dumps({"name": "hello", "version": "1.2.3", **about}).encode(), content.HELM_CONFIG)
    layer = Blob(package, content.HELM_CHART)
    document = {"schemaVersion": 2, "mediaType": content.OCI_IMAGE, "config": config.descriptor()}
    return content.manifest({**document, "layers": [layer.descriptor()]}, (config, layer))


def test_values_readme_and_dependencies(cast: Cast, registry: FakeRegistry) -> None:
    files = {"hello/values.yaml": b"a: 1\n", "hello/README.md": b"# Hello\n", "hello/charts/x/values.yaml": b"no: 1"}
    wants = [{"name": "redis", "version": "1", "repository": "oci://x"}, "odd", {"name": 7}]
    found = pushed(cast, registry, chart_of(content.layer(files).content, dependencies=wants))

    assert (found.values, found.readme) == ("a: 1\n", "# Hello\n")
    assert found.dependencies == [
        {"name": "redis", "version": "1", "repository": "oci://x"},
        {"name": "7", "version": "", "repository": ""},
    ]


def test_what_is_no_package_shows_nothing(cast: Cast, registry: FakeRegistry) -> None:
    for package in (
        b"nothing packed",
        gzip.compress(b"no archive"),
        content.layer({"hello/values.yaml": b"a"}).content[:30],
    ):
        assert pushed(cast, registry, chart_of(package)) == Chart()


def test_a_bomb_costs_no_more_than_a_chart(cast: Cast, registry: FakeRegistry) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        member = tarfile.TarInfo("hello/values.yaml")
        member.size = 34 * 2**20
        archive.addfile(member, io.BytesIO(b"a" * member.size))
    found = pushed(cast, registry, chart_of(gzip.compress(raw.getvalue())))

    assert len(found.values) <= charts.MOST_SHOWN


def test_a_link_is_not_followed(cast: Cast, registry: FakeRegistry) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        link = tarfile.TarInfo("hello/values.yaml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)

    assert pushed(cast, registry, chart_of(gzip.compress(raw.getvalue()))) == Chart()
