"""The registry in a dictionary, served on loopback: what code that opens its own connections is tested against."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.registry import Call, FakeRegistry
from tests.serving import Received, Reply, serving


@contextmanager
def served(certificate: tuple[Path, Path] | None = None) -> Iterator[FakeRegistry]:
    """A fake registry at its `url`, for the length of a test; by https with a certificate and its key."""
    fakes: list[FakeRegistry] = []
    with serving(lambda received: _answer(fakes[0], received), certificate) as port:
        fakes.append(FakeRegistry(url=f"{'https' if certificate else 'http'}://127.0.0.1:{port}"))
        yield fakes[0]


def _answer(fake: FakeRegistry, received: Received) -> Reply:
    parts = urlsplit(received.target)
    query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    call = Call(received.method, unquote(parts.path), query, received.headers, received.body)
    fake.calls.append(call)
    return fake._answer(call)
