"""Whoever is slow holds some of the threads, and never all."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from accounts.turns import Full, Turns


@pytest.fixture
def slow() -> Iterator[Turns]:
    """Turns of which one thread holds the only one until the test is over."""
    turns, held, over = Turns(patience=0.2), threading.Event(), threading.Event()

    def hold() -> None:
        with turns.taken():
            held.set()
            over.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(5)
    yield turns
    over.set()
    thread.join()


def test_one_waits_a_moment_and_the_next_not_at_all(slow: Turns) -> None:
    began = time.monotonic()
    with pytest.raises(Full), slow.taken():
        raise AssertionError("there was no turn")
    first = time.monotonic() - began
    began = time.monotonic()
    for _ in range(100):
        with pytest.raises(Full), slow.taken():
            raise AssertionError("there was no turn")

    assert 0.1 < first < 2
    assert time.monotonic() - began < first


def test_a_turn_is_given_back_whatever_happens() -> None:
    turns = Turns(patience=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), turns.taken():
            raise ZeroDivisionError


def test_half_of_the_threads_may_ask(settings: Any) -> None:
    settings.WEB_THREADS = 6
    turns = Turns(patience=0)
    with ExitStack() as taken:
        for _ in range(3):
            taken.enter_context(turns.taken())
        with pytest.raises(Full):
            taken.enter_context(turns.taken())
