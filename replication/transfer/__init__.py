"""Copying images between two registries. Plain Python: HTTP, digests, and what the caller's Watch says.

    copy(source, target, origin, goal, watch=..., options=...) -> Outcome
    missing(source, target, origin, goal, watch=..., options=...) -> Missing
    compare(source, target, origin, goal, watch=..., options=...) -> list[Difference]
    delete(target, goal) -> bool

All raise `registry.errors.RegistryError`, whose message is a sentence that says which side it was, and Stopped. An
error that is `temporary` has been tried `Options.attempts` times; its `retry_after` is what the registry asked for. The
same call goes on where it stopped, in any process, as long as the Watch loads what it saved.
"""

from replication.transfer.comparing import compare, missing
from replication.transfer.copying import copy
from replication.transfer.deleting import delete
from replication.transfer.spool import sweep
from replication.transfer.terms import Difference, Missing, Options, Outcome, Result, Saved, Stopped, Unwatched, Watch

__all__ = [
    "Difference",
    "Missing",
    "Options",
    "Outcome",
    "Result",
    "Saved",
    "Stopped",
    "Unwatched",
    "Watch",
    "compare",
    "copy",
    "delete",
    "missing",
    "sweep",
]
