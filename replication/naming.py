"""What a repository is called at the target."""

from __future__ import annotations

from replication.adapters.base import ANY_DEPTH, AT_LEAST_TWO, ONLY_TWO

MOST_LEVELS = 127


class NameUnfit(ValueError):
    """The target cannot have a repository of that name; the message is for people."""


def destination(repository: str, namespace: str, replace_count: int, depth: str = ANY_DEPTH) -> str:
    """The target's name for `repository`. `namespace` takes the place of the first `replace_count` components.

    `a/b/c/image` in the namespace `n`: -1 gives `n/image`, 0 `n/a/b/c/image`, 1 `n/b/c/image`, 3 `n/image`; 4 is
    NameUnfit. Without a namespace the name stays. `depth` is how many components the target takes (`adapters.base`).
    """
    if not namespace:
        name = repository
    else:
        *path, last = repository.split("/")
        if replace_count > len(path):
            raise NameUnfit(
                f"{repository} has only {len(path)} components before the last one, the rule flattens {replace_count}"
            )
        kept = [] if replace_count < 0 else path[replace_count:]
        name = "/".join([namespace, *kept, last])
    components = name.count("/") + 1
    if (depth == ONLY_TWO and components != 2) or (depth == AT_LEAST_TWO and components < 2):
        wanted = "exactly two" if depth == ONLY_TWO else "at least two"
        raise NameUnfit(f"the target takes names of {wanted} components: {name}")
    return name
