"""The threads of one copy, and the caller's thread that they report to.

The caller's Watch is spoken to in the caller's thread alone: it waits at a desk, answers what the others ask of the
Watch, and asks itself whether to stop. The others read, send and wait.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from registry.client import Registry
from registry.errors import RegistryError
from replication.transfer.sentences import explain
from replication.transfer.terms import Options, Stopped, Watch

T = TypeVar("T")

GLANCE = 0.5
"""Seconds between two looks at whether to stop, and two reports of progress."""
MOST = 16
"""Blobs at a time, whatever is asked for."""
FIRST_PAUSE = 0.5
"""Seconds before the second attempt; doubled for each further one."""


class Halted(Exception):
    """The copy is ending, for a reason of another thread's."""


class Crew:
    """What the threads of a copy share. `work` runs in a thread of its own and may give `each` more to do."""

    def __init__(self, watch: Watch, options: Options, registries: Sequence[Registry]) -> None:
        self.watch = watch
        self.options = options
        self._registries = registries
        self._desk: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._halted = threading.Event()
        self._board: dict[str, tuple[int, int]] = {}
        self._pool = ThreadPoolExecutor(min(max(options.parallel, 1), MOST), "blob")

    def conduct(self, work: Callable[[], T]) -> T:
        """What `work` returns; called in the caller's thread. Raises Stopped when the Watch says so."""
        done: Future[T] = Future()
        threading.Thread(target=self._lead, args=(work, done), name="copy", daemon=True).start()
        trouble: BaseException | None = None
        look = time.monotonic() + GLANCE
        while not done.done():
            try:
                self._serve(max(look - time.monotonic(), 0))
                if time.monotonic() >= look:
                    look = time.monotonic() + GLANCE
                    self._glance() if trouble is None else self._halt()
            except BaseException as error:
                trouble = trouble or error
                self._halt()
        if trouble is not None:
            raise trouble
        self._show()
        return done.result()

    def _lead(self, work: Callable[[], T], done: Future[T]) -> None:
        try:
            with self._pool:
                result = work()
            done.set_result(result)
        except BaseException as error:
            done.set_exception(error)
        self._desk.put(None)  # the caller waits there

    def _serve(self, seconds: float) -> None:
        try:
            question = self._desk.get(timeout=seconds)
        except queue.Empty:
            return
        if question is not None:
            question()

    def _glance(self) -> None:
        self._show()
        if self.watch.stop():
            raise Stopped

    def _show(self) -> None:
        for digest in list(self._board):
            self.watch.progress(digest, *self._board.pop(digest))

    def _halt(self) -> None:
        """End all that waits or moves bytes."""
        self._halted.set()
        for registry in self._registries:
            registry.session.abort()

    # What the other threads call

    def ask(self, question: Callable[[], T]) -> T:
        """The answer of the caller's thread."""
        answer: Future[T] = Future()

        def serve() -> None:
            try:
                answer.set_result(question())
            except BaseException as error:
                answer.set_exception(error)

        self._desk.put(serve)
        return answer.result()

    def log(self, line: str) -> None:
        self.ask(lambda: self.watch.log(line))

    def report(self, digest: str, done: int, total: int) -> None:
        """Progress of a blob, to be shown before long."""
        self._board[digest] = (done, total)

    def each(self, tasks: Iterable[Callable[[], T]]) -> list[T]:
        """What the tasks return, in their order; they themselves may not ask for more.

        The first failure lets the others end early, and is raised.
        """
        wanted = list(tasks)
        if len(wanted) == 1:
            return [self._unless_halted(wanted[0])]
        futures = [self._pool.submit(self._unless_halted, task) for task in wanted]
        failure: BaseException | None = None
        for future in futures:
            error = future.exception()
            if error is not None:
                self._halted.set()
                if failure is None or isinstance(failure, Halted):
                    failure = error
        if failure is not None:
            raise failure
        return [future.result() for future in futures]

    def _unless_halted(self, task: Callable[[], T]) -> T:
        self.check()
        try:
            return task()
        except BaseException:
            self._halted.set()
            raise

    def check(self) -> None:
        """Return if all is well. Raises Halted."""
        if self._halted.is_set():
            raise Halted

    def sleep(self, seconds: float) -> None:
        """Wait. Raises Halted."""
        if self._halted.wait(seconds):
            raise Halted

    def pace(self, count: int) -> None:
        """Wait until `count` bytes may go."""
        if self.options.bandwidth:
            pause = self.watch.throttle(count)
            if pause > 0:
                self.sleep(pause)


class Patience:
    """Tries again what fails for the moment: each time after a longer pause, never for ever."""

    def __init__(self, crew: Crew, side: str, what: str) -> None:
        self.crew = crew
        self.side = side
        self.what = what
        self._failures = 0

    def progressed(self) -> None:
        """It works; the next failure is the first one again."""
        self._failures = 0

    def after(self, error: RegistryError, *, mendable: bool = False) -> None:
        """Wait, and return when it may be tried again. Raises `error`, explained, where that is of no use.

        `mendable` says that this error can be, although it is none that passes by itself.
        """
        self.crew.check()
        self._failures += 1
        told = explain(error, self.side, self.what)
        options = self.crew.options
        if not (error.temporary or mendable) or self._failures >= options.attempts:
            raise told from error
        wanted = error.retry_after or 0
        if wanted > options.patience:
            raise told from error
        pause = min(FIRST_PAUSE * 2 ** (self._failures - 1), options.patience) * random.uniform(0.5, 1.0)
        pause = max(pause, wanted * random.uniform(1.0, 1.1))
        self.crew.log(f"{told.message}; trying again in {pause:.1f} s")
        self.crew.sleep(pause)


def attempt(crew: Crew, side: str, what: str, act: Callable[[], T]) -> T:
    """What `act` returns, tried again as Patience says. Errors are explained."""
    patience = Patience(crew, side, what)
    while True:
        crew.check()
        try:
            return act()
        except RegistryError as error:
            patience.after(error)
