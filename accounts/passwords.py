"""People's passwords: what one must look like, and checking one without letting a storm of logins take the machine."""

from __future__ import annotations

import fcntl
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.contrib.auth.hashers import is_password_usable, make_password, verify_password

from accounts import recent, scratch
from accounts.digests import keyed
from accounts.errors import BadRequest, Locked

KNOWN_DEFAULT = "Harbor12345"
"""Harbor's default, which is tried on every registry there is: never accepted."""
LONGEST_ASKED = 1024
REMEMBERED = 60
"""Seconds for which a password that was right is not hashed again."""
RULE = "the password needs 8 to 128 characters, among them an upper case letter, a lower case letter and a digit"
Made = TypeVar("Made")
_NEEDED = (re.compile("[A-Z]"), re.compile("[a-z]"), re.compile("[0-9]"))


def check_rules(password: str, field: str = "password") -> None:
    """Return if this may be a password; `BadRequest` says what it needs."""
    if password == KNOWN_DEFAULT:
        raise BadRequest("this password is known to everybody, choose another", field)
    if (
        not 8 <= len(password) <= 128
        or not all(needed.search(password) for needed in _NEEDED)
        or "\x00" in password
        or not _is_whole(password)
    ):
        raise BadRequest(RULE, field)


def is_right(
    password: str,
    encoded: str | None,
    *identity: str,
    before: Callable[[], None] = lambda: None,
    known: bool = True,
) -> bool:
    """Whether `password` is the one whose hash is `encoded`; None, for nobody's, costs the same.

    `identity` is whose password it is, with `auth_epoch`: what is remembered as right ends when that changes.
    `before` is called when it is about to cost something. `Locked` when too many others are being checked; whoever is
    not `known`, having been right from there before, does not wait in a storm.
    """
    if not password or len(password) > LONGEST_ASKED or not _is_whole(password):
        return False
    key = keyed("password", *identity, password)
    if encoded is not None and is_remembered(password, *identity):
        return True
    somebodys = encoded if encoded is not None and is_password_usable(encoded) else None
    right = _checks.run(key, before, lambda: verify_password(password, somebodys or _nobodys())[0], known)
    if not right or somebodys is None or password == KNOWN_DEFAULT:
        return False
    remember(password, *identity)
    return True


def hashed(password: str, known: bool = True) -> str:
    """The hash of a new password, made in its turn as every check is. `Locked` as in `is_right`."""
    return _checks.in_turn(lambda: None, lambda: make_password(password), known)


def is_remembered(password: str, *identity: str) -> bool:
    """Whether `password` was right for `identity` in the last minute, whoever checked it."""
    key = keyed("password", *identity, password)
    if recent.knows(key):
        return True
    if f"right:{key}" not in scratch.read([f"right:{key}"]):
        return False
    recent.remember(key)
    return True


def remember(password: str, *identity: str) -> None:
    """Know for a minute that `password` is right for `identity`: only a keyed digest of it is kept."""
    scratch.write(f"right:{keyed('password', *identity, password)}", 1, REMEMBERED)


def _is_whole(text: str) -> bool:
    """Whether `text` can be encoded: JSON can carry halves of characters."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


@cache
def _nobodys() -> str:
    """A hash that costs what anybody's costs, of a password that nobody has."""
    return make_password(keyed("nobody"))


class _Check:
    """A check under way, and its outcome for all who asked the same meanwhile."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.right: bool | None = None


class Checks:
    """Hashing, one at a time in this process: 143 ms and 100 MB each would otherwise take every thread and all memory.

    Who asks the same question gets the same answer; of others only so many wait. A waiting one holds a thread, and a
    process may have but two: in a storm (`STORM` hashes within `SPAN` seconds) strangers are sent away at once, for
    otherwise everybody who asks for anything waits behind all their hashes. And then only one of them at a time is
    hashed on this machine, told by a lock of the file `machine`: a hash uses every processor there is.
    """

    STORM, SPAN = 8, 10.0

    def __init__(self, waiting: int = 4, patience: float = 5.0, machine: Path | None = None) -> None:
        self._machine = machine
        self._turn = threading.Lock()
        self._places = threading.BoundedSemaphore(1 + waiting)
        self._patience = patience
        self._under_way: dict[str, _Check] = {}
        self._guard = threading.Lock()
        self._begun: deque[float] = deque(maxlen=self.STORM)

    def run(self, key: str, before: Callable[[], None], verify: Callable[[], bool], known: bool = True) -> bool:
        """`verify()`, or what another thread's call for this `key` gives; `before` is called when its turn comes."""
        with self._guard:
            found = self._under_way.get(key)
            check = self._under_way.setdefault(key, found or _Check())
        if found is not None:
            found.done.wait(self._patience if self._may_wait(known) else 0)
            if found.right is None:
                raise _too_many()
            return found.right
        try:
            check.right = self.in_turn(before, verify, known)
            return check.right
        finally:
            with self._guard:
                del self._under_way[key]
            check.done.set()

    def in_turn(self, before: Callable[[], None], work: Callable[[], Made], known: bool = True) -> Made:
        """`work()`, when its turn comes and after `before`. `Locked` when too many others wait."""
        if not self._places.acquire(blocking=False):
            raise _too_many()
        try:
            if not self._turn.acquire(blocking=self._may_wait(known)):
                raise _too_many()
            try:
                before()
                with self._processors(known):
                    self._begun.append(time.monotonic())
                    return work()
            finally:
                self._turn.release()
        finally:
            self._places.release()

    @contextmanager
    def _processors(self, known: bool) -> Iterator[None]:
        if self._machine is None or self._may_wait(known):
            yield
            return
        with ExitStack() as held:
            try:
                fcntl.flock(held.enter_context(self._machine.open("w")), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise _too_many() from None
            yield

    def _may_wait(self, known: bool) -> bool:
        begun = list(self._begun)
        return known or len(begun) < self.STORM or time.monotonic() - begun[0] > self.SPAN


def _too_many() -> Locked:
    return Locked(1, "too many logins at once, try again")


_checks = Checks(machine=settings.LOGIN_STORM)
