"""Many at once: 50 clients pull an image of 10 layers, 20 push to 20 tags, and 20 to one tag.

`python -m bench.crowd [--database sqlite|postgresql] [--rounds N]`

A pull is what docker does: a token, the manifest by its tag, then config and layers; a push uploads an image's own
config and one layer, finds the others there, and puts the manifest. Clients and Haven share this machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.databases import shared_database
from tests.stack import content
from tests.stack.content import Pushable
from tests.stack.stack import Stack
from tests.stack.wire import Client

PULLERS = 50
PUSHERS = 20
LAYERS = 10
LAYER_BYTES = 100_000
REPOSITORY = "library/crowd"
IMAGE = content.image(*(content.layer({"file": os.urandom(LAYER_BYTES)}) for _ in range(LAYERS)), text="crowd")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="both, one after the other, by default")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    if asked.database is None:
        again = [sys.executable, "-m", "bench.crowd", *sys.argv[1:], "--database"]
        return max(subprocess.run([*again, kind], check=False).returncode for kind in ("sqlite", "postgresql"))
    with ExitStack() as cleanup:
        folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="haven-crowd-"))
        url = cleanup.enter_context(shared_database(asked.database, Path(folder)))
        stack = Stack(DATABASE_URL=url)
        cleanup.callback(stack.remove)
        stack.start()
        return _measure(stack, asked.database, asked.rounds)


def _measure(stack: Stack, database: str, rounds: int) -> int:
    print(f"a crowd on {database}, medians of {rounds} rounds")
    answer = stack.admin.push(REPOSITORY, "pulled", IMAGE)
    assert answer.status == 201, answer
    errors = _report("pulls, 50 clients", rounds, lambda _: _together(PULLERS, lambda number: _pull(stack)))

    def push_to(tag: Callable[[int], str]) -> Callable[[int], list[float | str]]:
        def once(round_: int) -> list[float | str]:
            images = [_image(f"{tag(0)} {round_} {number}") for number in range(PUSHERS)]
            return _together(PUSHERS, lambda number: _push(stack, tag(number), images[number]))

        return once

    errors += _report("pushes to 20 tags", rounds, push_to(lambda number: f"tag-{number}"))
    errors += _report("pushes to one tag", rounds, push_to(lambda number: "same"))
    checked = stack.manage("fsck", check=False)
    print(f"fsck: {checked.stdout.strip()}", flush=True)
    return 1 if errors or checked.returncode else 0


def _report(what: str, rounds: int, once: Callable[[int], list[float | str]]) -> int:
    """Print rates and times of `rounds` rounds; the number of errors."""
    rates, times, errors = [], [], []
    for round_ in range(rounds):
        began = time.perf_counter()
        outcomes = once(round_)
        seconds = time.perf_counter() - began
        done = [outcome for outcome in outcomes if isinstance(outcome, float)]
        errors += [outcome for outcome in outcomes if isinstance(outcome, str)]
        times += done
        rates.append(len(done) / seconds)
    times.sort()
    p50, p99 = (times[min(len(times) - 1, len(times) * percent // 100)] if times else 0.0 for percent in (50, 99))
    print(
        f"  {what:20}{statistics.median(rates):8.1f}/s   p50 {p50 * 1000:6.0f} ms   p99 {p99 * 1000:6.0f} ms"
        f"   {len(errors)} errors",
        flush=True,
    )
    for error in errors[:5]:
        print(f"    {error[:300]}")
    return len(errors)


def _together(count: int, act: Callable[[int], None]) -> list[float | str]:
    """`act` by `count` clients that start at the same moment: how long each took in seconds, or what went wrong."""
    gate = threading.Barrier(count)

    def one(number: int) -> float | str:
        gate.wait()
        began = time.perf_counter()
        try:
            act(number)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return time.perf_counter() - began

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def _pull(stack: Stack) -> None:
    client = Client(stack.url)
    answer = client.pull(REPOSITORY, "pulled")
    assert (answer.status, answer.content) == (200, IMAGE.content), answer
    for blob in IMAGE.blobs:
        answer = client("GET", f"/v2/{REPOSITORY}/blobs/{blob.digest()}")
        assert (answer.status, answer.content) == (200, blob.content), answer.status
    client.close()


def _push(stack: Stack, tag: str, image: Pushable) -> None:
    client = stack.admin
    answer = client.push(REPOSITORY, tag, image)
    assert answer.status == 201, answer
    client.close()


def _image(text: str) -> Pushable:
    """An image of the same layers but the last."""
    layers = [blob for blob in IMAGE.blobs if blob.media_type == content.OCI_LAYER]
    return content.image(*layers[:-1], content.layer({"file": text.encode()}), text=text)


if __name__ == "__main__":
    sys.exit(main())
