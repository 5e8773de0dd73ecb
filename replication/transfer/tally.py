"""Counting what a copy moves, in all of its threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Numbers of an Outcome, while they grow."""

    numbers: dict[str, int] = field(default_factory=dict)
    copied: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, **counts: int) -> None:
        with self.lock:
            for name, count in counts.items():
                self.numbers[name] = self.numbers.get(name, 0) + count

    def holds(self, digest: str, size: int) -> None:
        """The target's repository holds a blob that it did not hold before."""
        with self.lock:
            self.copied[digest] = size
