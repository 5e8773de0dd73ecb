"""What the domain says, in the reader's language: of registries elsewhere here, of what it refuses in `refusals`. The
domain speaks plain English; a sentence that is not known is shown as it is.
"""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext_lazy as _

from portal import refusals, words

SAYINGS: dict[str, Any] = {
    "the registry refuses these credentials: check access key and secret": _("The registry refuses these credentials."),
    "the address is in a private network: the operator has to allow it (HAVEN_ALLOWED_NETWORKS)": _(
        "The address is in a private network: the operator has to allow it (HAVEN_ALLOWED_NETWORKS)."
    ),
    "this address is in a private network: the operator has to allow it (HAVEN_ALLOWED_NETWORKS)": _(
        "The address is in a private network: the operator has to allow it (HAVEN_ALLOWED_NETWORKS)."
    ),
    "the server's certificate is not trusted: give the CA's certificate, or check the address": _(
        "The server's certificate is not trusted: give the CA's certificate, or check the address."
    ),
    "the address cannot be read": _("Write an address like https://registry.example.com."),
    "the address must be like https://registry.example.com": _("Write an address like https://registry.example.com."),
    "the address has only host, port and path; credentials have fields of their own": _(
        "The address has only host, port and path; credentials have fields of their own."
    ),
    "the CA certificate must be PEM: -----BEGIN CERTIFICATE----- ...": _(
        "The certificate must be PEM: -----BEGIN CERTIFICATE----- ..."
    ),
    "this endpoint is not shared with project administrators": _(
        "This endpoint is not shared with project administrators."
    ),
    "there already, 0 bytes moved": _("There already, nothing moved"),
    "the target's tag means something else and the rule does not override": _(
        "The target's tag means something else, and the rule does not override."
    ),
    "the rule does not override: it would stay as it is": _("The rule does not override: it would stay as it is."),
    "nothing differs": _("Nothing differs"),
    "stopped": _("Stopped"),
    "the registry refuses these credentials": _("The registry refuses these credentials."),
    "the registry's token service refuses these credentials": _("The registry refuses these credentials."),
    "the server did not answer in time": _("The server did not answer in time."),
    "the server cannot be reached": _("The server cannot be reached."),
    "the server's certificate is not trusted, or its TLS is broken": _(
        "The server's certificate is not trusted, or its TLS is broken."
    ),
    "the server's answer is too large": _("The server's answer is too large."),
    "the server's answer is not JSON": _("The server's answer cannot be read: no registry answers like this."),
    "the server's answer broke off": _("The server's answer broke off."),
    "the registry's answer broke off": _("The server's answer broke off."),
    "the answer broke off": _("The server's answer broke off."),
    "the registry's list does not end": _("The registry's list does not end."),
    "the registry is not available": _("The registry is not available."),
    "too many requests": _("It is asked too often."),
    "requested access to the repository is denied": _("The account may not do this there."),
    "the account may not do this there": _("The account may not do this there."),
    "there is no such image": _("There is no such image."),
    "it does not answer": _("It does not answer."),
    "the registry holds other bytes than the digest says": _("The registry holds other bytes than the digest says."),
    "the registry stored other bytes": _("The registry stored other bytes."),
    "the address answers with a redirect: give the one that it leads to": _(
        "The address answers with a redirect: give the one that it leads to."
    ),
    "the registry's API answers with a redirect: give the address that it leads to": _(
        "The address answers with a redirect: give the one that it leads to."
    ),
    "the tag means something else there by now, and the registry deletes by digest only": _(
        "The tag means something else there by now, and the registry deletes by digest only."
    ),
    "without an account Docker Hub lists no namespaces: begin the name filter with one": _(
        "Without an account Docker Hub lists no namespaces: begin the name filter with one."
    ),
    "without a token GitHub lists no packages: give the repository's full name": _(
        "Without a token GitHub lists no packages: give the repository's full name."
    ),
    "begin the name filter with the project: the credentials do not name one": _(
        "Begin the name filter with the project: the credentials do not name one."
    ),
    "nothing to delete: it is not there, or is something else by now": _(
        "Nothing to delete: it is not there, or is something else by now"
    ),
    "its worker died, in the last attempt too": _("Its worker died, in the last attempt too."),
    "stopped before it ran": _("Stopped before it ran"),
    "the rule is disabled": _("The rule is switched off."),
    "the rule has been deleted": _("The rule has been deleted."),
    "skipped: an earlier run of this rule is still in progress": _(
        "Skipped: an earlier run of this rule still goes on."
    ),
}
"""Sentences that are always the same."""
SHAPES: tuple[tuple[str, Any], ...] = (
    (r"the registry is unhealthy: (?P<reason>.+)", _("The registry cannot be used: %(reason)s")),
    (r"the address cannot be called: (?P<reason>.+)", _("The address cannot be called: %(reason)s")),
    (r"the source, (?P<deed>(?:(?!: ).)+): (?P<reason>.+)", _("The source, %(deed)s: %(reason)s")),
    (r"the target, (?P<deed>(?:(?!: ).)+): (?P<reason>.+)", _("The target, %(deed)s: %(reason)s")),
    (
        r"(?P<reason>.+) \(check the endpoint's user name and password, and what they may do there\)",
        _("%(reason)s Check the endpoint's user name and password, and what they may do there."),
    ),
    (
        r"(?P<reason>.+) \(the endpoint's account may not do this there\)",
        _("%(reason)s The endpoint's account may not do this there."),
    ),
    (
        r"(?P<reason>.+) \(its limits, or a quota, do not allow it\)",
        _("%(reason)s Its limits, or a quota, do not allow it."),
    ),
    (r"(?P<reason>.+) \(it limits how often it may be asked\)", _("%(reason)s It limits how often it may be asked.")),
    (r"looking for blob (?P<what>\S+) in (?P<place>\S+)", _("looking for the blob %(what)s in %(place)s")),
    (r"looking for blob (?P<what>\S+) of (?P<place>\S+)", _("looking for the blob %(what)s in %(place)s")),
    (r"looking for (?P<what>\S+)", _("looking for %(what)s")),
    (r"reading manifest (?P<what>\S+)", _("reading the manifest %(what)s")),
    (r"asking what refers to (?P<what>\S+)", _("asking what refers to %(what)s")),
    (r"reading blob (?P<what>\S+).*", _("reading the blob %(what)s")),
    (r"storing blob (?P<what>\S+).*", _("storing the blob %(what)s")),
    (r"storing (?P<what>\S+)", _("storing %(what)s")),
    (r"deleting (?P<what>\S+)", _("deleting %(what)s")),
    (
        r"the endpoint (?P<name>.+) is no longer shared with project administrators",
        _("The endpoint %(name)s is no longer shared with project administrators."),
    ),
    (
        r"(?P<name>.+) no longer administers the project: one of its administrators has to save the rule",
        _("%(name)s no longer administers the project: one of its administrators has to save the rule."),
    ),
    (
        r"the rule has been changed, and (?P<name>.+) is not of its project",
        _("The rule has been changed, and %(name)s is not of its project."),
    ),
    (
        r"the account may not create the project (?P<name>\S+), which does not exist there",
        _("The account may not create the project %(name)s, which does not exist there."),
    ),
    (r"the key may not call (?P<name>.+) in (?P<place>.+)", _("The key may not call %(name)s in %(place)s.")),
    (
        r"the target takes names of (?P<wanted>.+) components: (?P<name>\S+)",
        _("The target takes names of %(wanted)s components: %(name)s"),
    ),
    (
        r"there is no place for (?P<name>\S+): does the project exist there\?",
        _("There is no place for %(name)s: does the project exist there?"),
    ),
    (
        r"(?P<n>\d+) artifacts match, (?P<m>\d+) of them are there already",
        _("%(n)s match, %(m)s of them are there already"),
    ),
    (
        r"(?P<n>\d+) of (?P<m>\d+) artifacts differ, (?P<k>\d+) could not be compared",
        _("%(n)s of %(m)s differ, %(k)s could not be compared"),
    ),
    (r"(?P<n>\d+) of (?P<m>\d+) artifacts differ", _("%(n)s of %(m)s differ")),
    (r"(?P<n>\d+) artifacts differ", _("%(n)s differ")),
    (r"(?P<n>\d+) to copy, (?P<octets>\d+) bytes to move", _("%(n)s to copy, %(octets)s to move")),
    (
        r"(?P<n>\d+) manifests and (?P<m>\d+) blobs copied \((?P<octets>\d+) bytes\)"
        r"(?:, \d+ (?:mounted|there already))*",
        _("Copied: %(octets)s in %(m)s layers, manifests %(n)s"),
    ),
    (r"(?P<n>\d+) deleted", _("%(n)s deleted")),
    (
        r"(?P<n>\d+) endpoints looked at, (?P<m>\d+) runs forgotten, (?P<k>\d+) spooled files removed",
        _("Endpoints looked at: %(n)s; runs forgotten: %(m)s; spooled files removed: %(k)s"),
    ),
)
"""Sentences that hold names and numbers; `reason` and `deed` are sentences themselves, `octets` is a size."""
_SAYINGS = {**SAYINGS, **refusals.SAYINGS}
_SHAPES = [(re.compile(shape), sentence) for shape, sentence in (*SHAPES, *refusals.SHAPES)]
COUNTS = ("n", "m", "k", "octets")
DEEPEST = 4
"""Sentences within sentences."""


def said(message: str, depth: int = 0) -> str:
    """A sentence of the domain in the reader's language, as far as it is known; else as it is."""
    if message in _SAYINGS:
        return str(_SAYINGS[message])
    if depth < DEEPEST and "; " in message:
        return "; ".join(said(part, depth + 1) for part in message.split("; "))
    for shape, sentence in _SHAPES:
        if depth < DEEPEST and (found := shape.fullmatch(message)):
            return str(sentence) % {name: _told(name, text, depth) for name, text in found.groupdict().items()}
    return message


def _told(name: str, text: str, depth: int) -> str:
    if name in ("reason", "deed"):
        return said(text, depth + 1)
    if name not in COUNTS or not text.isdecimal():
        return text
    return words.size(int(text)) if name == "octets" else words.number(int(text))
