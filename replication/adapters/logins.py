"""Logins and tokens that a vendor gives for a time: fetched when first needed, and anew before they end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from registry import http
from registry.auth import Credentials, Flow, Need

EARLY = 60
"""Seconds before its end that a login is no longer used."""
LONGEST = 3600
"""Seconds that one is used at most, whatever the vendor says."""


@dataclass(frozen=True)
class Login:
    """A user name and a secret that are good for `seconds`. A token is one without a user name."""

    secret: str = field(repr=False)
    seconds: float
    username: str = ""


class Kept:
    """The login that `fetch` gives, fetched by one thread at a time."""

    def __init__(self, fetch: Callable[[], Login], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._login: Login | None = None
        self._until = 0.0

    def get(self) -> Login:
        """One that is still good. Raises what fetching it raises."""
        with self._lock:
            if self._login is None or self._until <= self._clock():
                self._login = self._fetch()
                self._until = self._clock() + max(min(self._login.seconds, LONGEST) - EARLY, 1)
            return self._login


class LoginAuth:
    """Signs the v2 API's requests with a login of that kind."""

    def __init__(self, base_url: str, session: http.Session, kept: Kept) -> None:
        self._base_url = base_url
        self._session = session
        self._kept = kept
        self._lock = threading.Lock()
        self._login: Login | None = None
        self._credentials: Credentials | None = None

    def flow(self, request: http.Request, needs: tuple[Need, ...]) -> Flow:
        yield from self._current().flow(request, needs)

    def _current(self) -> Credentials:
        login = self._kept.get()
        with self._lock:
            if self._credentials is None or login is not self._login:
                self._login = login
                self._credentials = Credentials(self._base_url, self._session, login.username, login.secret)
            return self._credentials
