"""Where the registry keeps its bytes: which driver speaks what, and which generation of the registry has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harbor.environment import Unusable

PREFIX = "REGISTRY_STORAGE"
GENERATIONS = {2: "distribution 2.8 (Debian's docker-registry)", 3: "distribution 3.x (the image registry:3)"}
_TRUE_FALSE = {"true": True, "false": False}


@dataclass(frozen=True)
class Driver:
    """A storage driver: the generations that have it, what it must be told, and what it may be told."""

    generations: frozenset[int]
    required: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> tuple[str, ...]:
        return (*self.required, *self.words, *self.numbers, *self.switches)


BOTH = frozenset({2, 3})
_S3_NUMBERS = ("chunksize", "multipartcopychunksize", "multipartcopymaxconcurrency", "multipartcopythresholdsize")
DRIVERS = {
    "filesystem": Driver(BOTH, words=("rootdirectory",), numbers=("maxthreads",)),
    "s3": Driver(
        BOTH,
        required=("bucket",),
        words=(
            *("region", "regionendpoint", "accesskey", "secretkey", "sessiontoken", "keyid", "rootdirectory"),
            *("storageclass", "objectacl", "useragent", "redirectendpoint", "loglevel"),
        ),
        numbers=_S3_NUMBERS,
        switches=("encrypt", "secure", "skipverify", "v4auth", "forcepathstyle", "accelerate", "usedualstack"),
    ),
    "swift": Driver(
        frozenset({2}),
        required=("authurl", "username", "password", "container"),
        words=(
            *("region", "tenant", "tenantid", "domain", "domainid", "tenantdomain", "tenantdomainid", "trustid"),
            *("prefix", "endpointtype", "secretkey", "accesskey"),
        ),
        numbers=("chunksize", "authversion"),
        switches=("insecureskipverify", "tempurlcontainerkey"),
    ),
    "gcs": Driver(
        frozenset({3}),
        required=("bucket",),
        words=("keyfile", "rootdirectory", "useragent"),
        numbers=("chunksize", "maxconcurrency"),
    ),
    "azure": Driver(
        frozenset({3}),
        required=("accountname", "container"),
        words=(
            *("accountkey", "realm", "rootdirectory", "serviceurl", "connectionstring", "retry_delay"),
            *("credentials_type", "credentials_clientid", "credentials_tenantid", "credentials_secret"),
        ),
        numbers=("max_retries",),
        switches=("skipverify",),
    ),
}
ELSEWHERE = {"oss": "through its S3 API: REGISTRY_STORAGE=s3 with REGISTRY_STORAGE_S3_REGIONENDPOINT"}


def storage(environment: Mapping[str, str], generation: int, root: str) -> dict[str, Any]:
    """The driver's section of the registry's configuration: `{"s3": {"bucket": ...}}`.

    `root` is where a filesystem keeps its files unless told otherwise. Raises Unusable, with a sentence, for a driver
    that this generation does not have, an option that is missing and one that nobody knows.
    """
    name = environment.get(PREFIX, "") or "filesystem"
    driver = _driver(name, generation)
    prefix = f"{PREFIX}_{name.upper()}_"
    given = {key.removeprefix(prefix).lower(): value for key, value in environment.items() if key.startswith(prefix)}
    given = {key: value for key, value in given.items() if value != ""}
    if unknown := sorted(set(given) - set(driver.options)):
        raise Unusable(f"{prefix}{unknown[0].upper()} is not an option of the storage driver {name}.")
    if missing := [option for option in driver.required if option not in given]:
        raise Unusable(f"REGISTRY_STORAGE={name} needs {prefix}{missing[0].upper()}.")
    section: dict[str, Any] = {}
    for key, value in given.items():
        _put(section, key, _typed(driver, prefix, key, value))
    if name == "filesystem":
        section.setdefault("rootdirectory", root)
    if name == "s3":
        _finish_s3(section, prefix)
    return {name: section}


def _driver(name: str, generation: int) -> Driver:
    if name in ELSEWHERE:
        raise Unusable(f"REGISTRY_STORAGE={name}: no registry has this driver; it is reached {ELSEWHERE[name]}.")
    if name not in DRIVERS:
        known = ", ".join(sorted(DRIVERS))
        raise Unusable(f"REGISTRY_STORAGE={name} is no storage driver that Haven knows: it knows {known}.")
    driver = DRIVERS[name]
    if generation not in driver.generations:
        able = " or ".join(GENERATIONS[each] for each in sorted(driver.generations))
        raise Unusable(
            f"REGISTRY_STORAGE={name} does not work with {GENERATIONS[generation]}: set REGISTRY_BIN to {able}."
        )
    return driver


def _typed(driver: Driver, prefix: str, key: str, value: str) -> Any:
    """A value in the type that the driver's decoder insists on."""
    if key in driver.numbers:
        if not value.isdecimal():
            raise Unusable(f"{prefix}{key.upper()} must be a number, not {value!r}.")
        return int(value)
    if key in driver.switches:
        if value.lower() not in _TRUE_FALSE:
            raise Unusable(f"{prefix}{key.upper()} must be true or false, not {value!r}.")
        return _TRUE_FALSE[value.lower()]
    return value


def _put(section: dict[str, Any], key: str, value: Any) -> None:
    """`credentials_type` is `type` below `credentials`."""
    group, _, inner = key.partition("_")
    if group == "credentials":
        section.setdefault(group, {})[inner] = value
    else:
        section[key] = value


def _finish_s3(section: dict[str, Any], prefix: str) -> None:
    if "regionendpoint" in section:
        # 2.8 always puts the bucket into the path at an endpoint of one's own; 3.x wants to be told.
        section.setdefault("forcepathstyle", True)
        section.setdefault("region", "us-east-1")
    elif "region" not in section:
        raise Unusable(f"REGISTRY_STORAGE=s3 needs {prefix}REGION, or {prefix}REGIONENDPOINT for another service.")
