"""What an adapter is: everything in which one kind of registry differs from the others. Copying is the same for all.

An adapter is pure: it is given an `Access` with the one guarded session (`registry.http`) and speaks HTTP through that
alone. A kind of registry is a file of this package with a class whose `info` tells what it is; `adapters/__init__.py`
lists the classes. The defaults here are those of a plain v2 registry: override what is not so.
Errors are those of `registry.errors`; their sentences are shown to people.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from registry import http
from registry.auth import Auth, Credentials, Tokens
from registry.client import Registry
from registry.errors import Denied, ManifestUnknown, NameUnknown, RegistryError, Unauthorized, Unsupported
from registry.references import Reference

NAME, TAG, LABEL, RESOURCE = "name", "tag", "label", "resource"
ANY_DEPTH, ONLY_TWO, AT_LEAST_TWO = "no_limitation", "only_two", "at_least_two"
"""How many components a repository's name must have there."""


@dataclass(frozen=True)
class Access:
    """Where a registry is and how to sign in there. Empty `username` and `secret` are anonymous."""

    url: str
    session: http.Session
    username: str = ""
    secret: str = field(default="", repr=False)
    tokens: Tokens = field(default_factory=Tokens, repr=False)
    """What the registry's realm has given these credentials so far."""


@dataclass(frozen=True)
class Info:
    """What `GET /replication/adapterinfos` and `GET /registries/{id}/info` tell, and what planning needs to know."""

    type: str
    """Harbor's word: `docker-registry`, `harbor`."""
    description: str = ""
    filters: tuple[str, ...] = (NAME, TAG)
    triggers: tuple[str, ...] = ("manual", "scheduled")
    copy_by_chunk: bool = False
    one_piece: bool = False
    """Whether a blob of any size has to come in one PUT: it takes no PATCH, or none that is large."""
    has_pattern: bool = False
    """Whether Harbor's form knows anything particular about it, be it nothing (Tencent, Volcengine)."""
    endpoint_type: str = ""
    """`EndpointPatternTypeStandard`, `...Fix` (one address) or `...List` (one of `endpoints`); empty for none."""
    endpoints: tuple[tuple[str, str], ...] = ()
    """Names and addresses to choose from."""
    access_key_type: str = ""
    """`AccessKeyTypeStandard` or `AccessKeyTypeFix` (always `access_key_data`); empty for no pattern."""
    access_key_data: str = ""
    access_secret_type: str = ""
    """`AccessSecretTypeStandard` or `AccessSecretTypeFile` (the content of a file)."""
    access_secret_data: str = ""
    path_components: str = ANY_DEPTH


@dataclass(frozen=True, slots=True)
class Found:
    """An artifact that a registry lists. `digest` is empty where the list does not tell it: then each tag is one."""

    repository: str
    tags: tuple[str, ...] = ()
    """Empty for an artifact without a tag, which must then have a digest."""
    digest: str = ""
    labels: frozenset[str] = frozenset()
    type: str = "IMAGE"
    """Harbor's word: IMAGE, CHART, ..."""


class Adapter:
    """One kind of registry, at one address, for one account."""

    info: ClassVar[Info]

    def __init__(self, access: Access) -> None:
        self.access = access

    @property
    def registry_url(self) -> str:
        """Where the v2 API is, which need not be where people go."""
        return self.access.url

    def auth(self) -> Auth:
        """How requests of the v2 API are signed."""
        access = self.access
        return Credentials(self.registry_url, access.session, access.username, access.secret, access.tokens)

    @cached_property
    def registry(self) -> Registry:
        """The v2 client; the copying uses this and nothing else."""
        return Registry(self.registry_url, self.access.session, self.auth())

    def check(self) -> None:
        """Nothing, if the registry is there and takes these credentials; a RegistryError with a sentence if not."""
        self.reach()

    def reach(self) -> None:
        """The v2 API lets us in. Without credentials it is enough that it is there: what it has for everybody is read
        by repository, and a registry may well open nothing else."""
        try:
            self.registry.ping()
        except (Unauthorized, Denied):
            if self.access.username or self.access.secret:
                raise

    def repositories(self, pattern: str) -> Iterator[str]:
        """Names of repositories among which are all that `pattern` (doublestar; empty for all) can match.

        Who has no list of everything may use the literal beginning of the pattern; it is matched again afterwards.
        """
        if pattern and not is_pattern(pattern):
            yield pattern
        else:
            yield from self.registry.catalog()

    def artifacts(self, repository: str) -> Iterator[Found]:
        """Everything in `repository`; nothing where it does not exist."""
        try:
            for tag in self.registry.tags(repository):
                yield Found(repository, (tag,))
        except (NameUnknown, ManifestUnknown):
            return
        except RegistryError as error:
            if error.status != 404:
                raise

    def prepare(self, repository: str, public: bool = False) -> None:
        """See to it that `repository` can be pushed to: make the project, namespace or repository it needs.

        `public` is what the source's project is; only who creates a project heeds it.
        """

    def has_place_for(self, repository: str) -> bool:
        """Whether what `prepare` would make is there already: until then the registry may refuse to be asked."""
        return True

    def delete(self, repository: str, tag: str, digest: str) -> bool:
        """Delete `tag`, or the artifact `digest` where the tag is empty; False where it was gone already."""
        if not tag:
            return self.registry.delete_manifest(Reference(repository, digest))
        try:
            return self.registry.delete_manifest(Reference(repository, tag))
        except RegistryError as error:
            if error.status not in (400, 404, 405):
                raise
        found = self.registry.head_manifest(Reference(repository, tag))
        if found is None:
            return False
        if found.digest != digest:
            raise Unsupported("the tag means something else there by now, and the registry deletes by digest only")
        return self.registry.delete_manifest(Reference(repository, digest))


class Namespaced(Adapter, ABC):
    """A registry whose repositories an API of its own lists, namespace by namespace."""

    def repositories(self, pattern: str) -> Iterator[str]:
        if pattern and not is_pattern(pattern):
            yield pattern
            return
        named = namespace_of(pattern)
        for namespace in [named] if named else self.namespaces():
            yield from self.repositories_in(namespace)

    @abstractmethod
    def namespaces(self) -> Iterator[str]:
        """Every namespace that the account sees."""

    @abstractmethod
    def repositories_in(self, namespace: str) -> Iterator[str]:
        """The full names of the repositories of `namespace`; none where it does not exist."""


def ensure(exists: Callable[[], bool], make: Callable[[], object]) -> None:
    """Make what does not exist. Others may make it at the same time: then their success is ours, too."""
    if exists():
        return
    try:
        make()
    except RegistryError:
        if not exists():
            raise


def namespace_of(pattern: str) -> str:
    """The first component of every name that `pattern` can match; empty where that is not one and the same."""
    first, slash, _ = literal_prefix(pattern).partition("/")
    return first if slash else ""


def is_pattern(text: str) -> bool:
    """Whether `text` is more than a name."""
    return any(letter in text for letter in "*?[]{}\\")


def literal_prefix(pattern: str) -> str:
    """The part of `pattern` before its first special character, up to its last whole component: `library/` of
    `library/a*`."""
    for position, letter in enumerate(pattern):
        if letter in "*?[]{}\\":
            return pattern[: pattern.rfind("/", 0, position) + 1]
    return pattern
