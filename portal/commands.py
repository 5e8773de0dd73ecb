"""The lines that people copy: how to pull a thing with the programs that can."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from portal.context import registry_host

ENGINES = ("Docker", "Podman")


@dataclass(frozen=True)
class Command:
    """A line for a shell, and the program it is for."""

    program: str
    line: str


def pull_commands(kind: str, repository: str, tag: str, digest: str) -> list[Command]:
    """How to pull the artifact of Harbor's type `kind`: by `tag` where it has one, else by `digest`."""
    address = f"{registry_host()}/{repository}"
    reference = f"{address}:{tag}" if tag else f"{address}@{digest}"
    if kind == "IMAGE":
        return [Command(engine, f"{engine.lower()} pull {reference}") for engine in ENGINES]
    if kind == "CHART":
        # Helm knows a chart by its version, which is the tag with "_" for "+"; by digest it takes the address alone.
        line = f"helm pull oci://{address} --version {tag.replace('_', '+')}" if tag else f"helm pull oci://{reference}"
        return [Command("Helm", line), Command("ORAS", f"oras pull {reference}")]
    return [Command("ORAS", f"oras pull {reference}")]


def push_commands(project: str, repository: str = "") -> list[Command]:
    """How to get a first image in: sign in, name it, push it."""
    host = registry_host()
    target = f"{host}/{repository or f'{project}/my-image'}:latest"
    return [
        Command("", f"docker login {host}"),
        Command("", f"docker tag my-image:latest {target}"),
        Command("", f"docker push {target}"),
    ]


def chart_commands(project: str) -> list[Command]:
    """How to get a first Helm chart in."""
    host = registry_host()
    return [
        Command("", f"helm registry login {host}"),
        Command("", f"helm push my-chart-1.0.0.tgz oci://{host}/{project}"),
    ]


def login_command(username: str) -> str:
    """How docker signs in as `username`, quoted for a shell: a robot's name holds a `$`."""
    return f"docker login --username {shlex.quote(username)} {registry_host()}"
