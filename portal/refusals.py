"""What the domain answers to a form or a question that it refuses, in the reader's language: the tables that `said`
of `portal.sentences` reads beside its own.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

SAYINGS: dict[str, Any] = {
    "The system is in read only mode. Any modification is prohibited.": _(
        "Nothing can be changed while Haven is read-only."
    ),
    "a project's name has lower case letters and digits, joined by . _ or -": _(
        "Use lower case letters and digits, joined by dots, hyphens or underscores."
    ),
    "a member is a user or a group": _("A member is a user or a group."),
    "role id is not one of 1 to 5": _("There is no such role."),
    "the project's last administrator must stay one": _(
        "A project needs an administrator: make somebody else one first."
    ),
    "the project contains repositories, can not be deleted": _("It still holds repositories. Delete them first."),
    "a label's color is written as in CSS, #0065AB or green": _("Write a colour as in CSS: #0065AB or green."),
    "the group type is not one of 1 to 3": _("There is no such kind of group."),
    "the group's name must have 1 to 255 characters": _("A group's name has 1 to 255 characters."),
    "a group of LDAP needs its distinguished name": _("A group of LDAP needs its distinguished name."),
    "the authentication mode can not change while there are users": _(
        "The way of signing in cannot change while there are users."
    ),
    "a user of this name or e-mail address exists": _("Somebody has this username or e-mail address already."),
    "a user of this name exists": _("Somebody has this username already."),
    "the new password is the old one": _("The new password is the old one."),
    "the last administrator must stay one": _("Haven needs an administrator: make somebody else one first."),
    "this e-mail address is in use": _("Somebody has this e-mail address already."),
    "somebody else just changed this password": _("Somebody else has just changed this password."),
    "this is not one of the choices": _("This is not one of the choices."),
    "this password is known to everybody, choose another": _("This password is known to everybody. Choose another."),
    "the password needs 8 to 128 characters, among them an upper case letter, a lower case letter and a digit": _(
        "A password needs 8 to 128 characters, among them an upper case letter, a lower case letter and a digit."
    ),
    "the username must have 1 to 255 characters, without blanks around it": _(
        "A username has 1 to 255 characters, without blanks around it."
    ),
    "this username is reserved": _("This username is reserved."),
    "the e-mail address is not valid": _("This is no e-mail address."),
    "the name must have 1 to 255 characters": _("A name has 1 to 255 characters."),
    "the comment must have at most 30 characters": _("A comment has at most 30 characters."),
    "no LDAP server is configured": _("No directory is configured."),
    "no directory is configured": _("No directory is configured."),
    "the directory cannot be reached": _("The directory cannot be reached."),
    "the directory's certificate is not trusted": _("The directory's certificate is not trusted."),
    "the directory does not speak TLS here": _("The directory does not speak TLS here."),
    "the directory's name is not known": _("The directory's name is not known."),
    "the directory broke off": _("The directory broke off."),
    "the directory could not answer": _("The directory could not answer."),
    "this address may not be called: HAVEN_ALLOWED_NETWORKS does not hold it": _(
        "The address is in a private network: the operator has to allow it (HAVEN_ALLOWED_NETWORKS)."
    ),
    "no OpenID Connect provider is configured": _("No provider is configured."),
    "the OpenID Connect provider does not answer": _("The provider does not answer."),
    "there is no discovery document at this address": _("There is no discovery document at this address."),
    "the discovery document is another issuer's": _("The discovery document is another issuer's."),
    "the provider does not publish its keys": _("The provider does not publish its keys."),
    "the provider's keys cannot be read": _("The provider's keys cannot be read."),
    "the provider gives no token: its client id or secret may be wrong": _(
        "The provider gives no token: its client id or secret may be wrong."
    ),
    "the artifact's manifests are too large together: copy it with a client": _(
        "The artifact's manifests are too large together: copy it with a client."
    ),
    "a project's robot has permissions in its project and nowhere else": _(
        "A project's robot has permissions in its project and nowhere else."
    ),
    "a project's robot needs a project": _("A project's robot needs a project."),
    "a robot's name has lower case letters and digits, joined by . _ or -": _(
        "Use lower case letters and digits, joined by dots, hyphens or underscores."
    ),
    "this name is reserved for scanners": _("This name is reserved for scanners."),
    "the description must have at most 1024 characters": _("A description has at most 1,024 characters."),
    "the description has at most 1024 characters": _("A description has at most 1,024 characters."),
    "a robot gives others only permissions that it has itself": _(
        "A robot gives others only permissions that it has itself."
    ),
    "a robot does not change itself": _("A robot does not change itself."),
    "the level is neither system nor project": _("A robot is of the system or of a project."),
    "a robot needs permissions": _("A robot needs permissions."),
    "the namespace of system permissions is /": _("Permissions in the system belong to no project."),
    "bad request empty access": _("Choose at least one permission."),
    "the registry has been changed meanwhile": _("The endpoint has been changed meanwhile."),
    "the registry is used by replication rules: delete these first": _(
        "The endpoint is used by rules: delete these first."
    ),
    "the replication policy has a run in progress: stop it first": _("The rule has a run in progress: stop it first."),
    "the certificate is too large": _("The certificate is too large."),
    "the value of a label filter is a list of names": _("Write the names of labels."),
    "a label filter has at most 100 labels": _("A filter has at most 100 labels."),
    "the speed is too large": _("The speed is too large."),
    "either src_registry or dest_registry should be empty and the other one shouldn't be empty": _(
        "A rule has one endpoint: where it copies from, or where to."
    ),
    "the text holds characters that are not allowed": _("The text holds characters that are not allowed."),
    "invalid trigger type": _("There is no such way to start a rule."),
    "the cron string cannot be empty when the trigger type is scheduled": _("Say when."),
    "a rule runs at certain minutes of the hour: in its cron string the minute cannot be *": _(
        "A rule runs at certain minutes of the hour: the minute cannot be *."
    ),
    "only a rule that pushes can follow events: those of other registries are not heard here": _(
        "Only a rule that pushes can follow events: those of other registries are not heard here."
    ),
    "a single active replication cannot be event based: events would be lost": _(
        "A rule that follows events cannot be limited to one run at a time: events would be lost."
    ),
    "nothing of this run failed or was stopped": _("Nothing of this run failed or was stopped."),
    "the verification found nothing to repair": _("The verification found nothing to repair."),
    "a pattern cannot end in a backslash": _("it ends in a backslash"),
    "a { without its }": _("a { lacks its }"),
    "a } without its {": _("a } lacks its {"),
}
"""Sentences that are always the same."""
SHAPES: tuple[tuple[str, Any], ...] = (
    (r"The project named (?P<name>\S+) already exists", _("This name is taken.")),
    (
        r"Quota exceeded when .+ adding (?P<more>.+) of .+ usage of (?P<used>.+) will .+ limit of (?P<most>.+)\.",
        _("The storage limit of %(most)s leaves no room for another %(more)s; %(used)s are stored."),
    ),
    (
        r"(?P<name>.+) is already a member of the project (?P<place>\S+)",
        _("%(name)s is a member of the project %(place)s already."),
    ),
    (r"metadata (?P<name>\S+) already exists", _("The project says %(name)s already.")),
    (r"the quota .+", _("This is no storage limit.")),
    (
        r"an allow-list holds up to (?P<n>\d+) names of vulnerabilities",
        _("An allow-list holds up to %(n)s names of vulnerabilities."),
    ),
    (r"duplicate CVE ID in allowlist: (?P<name>.+)", _("%(name)s stands there twice.")),
    (r"label (?P<name>.+) already exists", _("There is a label of this name already.")),
    (
        r"a label's name has 1 to (?P<n>\d+) characters, on one line",
        _("A label's name has 1 to %(n)s characters, on one line."),
    ),
    (r"a label's description has at most (?P<n>\d+) characters", _("A description has at most %(n)s characters.")),
    (r"there are users whose names begin with (?P<name>.+)", _("There are users whose names begin with %(name)s.")),
    (
        r"auth_mode (?P<name>.+) is not supported: nobody could sign in",
        _("Haven does not know this way of signing in: nobody could sign in."),
    ),
    (r"the group (?P<name>.+) already exists", _("There is a group of this name already.")),
    (r"invalid DN syntax\. DN: (?P<name>.+)", _("%(name)s is no distinguished name.")),
    (r"LDAP Group DN is not found: DN:(?P<name>.+)", _("The directory has no group %(name)s.")),
    (
        r"unable to update CLI secret under authmode: .+",
        _("Only who signs in by the provider has a secret for docker."),
    ),
    (r"(?P<name>.+) is a local account's name", _("%(name)s is the name of an account of Haven's own.")),
    (r"the username must not contain any of (?P<name>.+)", _("A username has none of these: %(name)s")),
    (r"the directory answers: (?P<name>.+)", _("The directory answers: %(name)s")),
    (r"the discovery document lacks (?P<name>.+)", _("The discovery document lacks %(name)s.")),
    (
        r"the discovery document's (?P<name>.+) is no address, or less safe than the provider's",
        _("The discovery document's %(name)s is no address, or less safe than the provider's."),
    ),
    (r"the OpenID Connect provider: (?P<reason>.+)", _("The provider: %(reason)s")),
    (
        r"invalid tag name: (?P<name>.*)",
        _("A tag has at most 128 letters, digits, dots, hyphens and underscores; no dot or hyphen comes first."),
    ),
    (r"tag (?P<name>\S+) already exists", _("There is a tag %(name)s already.")),
    (r"the artifact carries the label (?P<name>.+) already", _("The artifact carries the label %(name)s already.")),
    (
        r"more than (?P<n>\d+) manifests belong to the artifact: copy it with a client",
        _("More than %(n)s manifests belong to the artifact: copy it with a client."),
    ),
    (
        r"the duration is a number of days, 1 to (?P<n>\d+), or -1 for ever",
        _("Write a number of days, 1 to %(n)s, or nothing for ever."),
    ),
    (r"the robot (?P<name>.+) already exists", _("There is a robot of this name already.")),
    (r"bad request permission kind: .+", _("There is no such kind of permission.")),
    (r"bad request permission: (?P<name>\S+)", _("A robot cannot be given the permission %(name)s.")),
    (
        r"there is no adapter for registries of the type (?P<name>.+)",
        _("Haven does not know registries of the kind %(name)s."),
    ),
    (r"registry (?P<name>.+) already exists", _("There is an endpoint of this name already.")),
    (r"this text has at most (?P<n>\d+) characters", _("This text has at most %(n)s characters.")),
    (r"replication policy (?P<name>.+) already exists", _("There is a rule of this name already.")),
    (
        r"a registry has a name of at most (?P<n>\d+) characters",
        _("An endpoint has a name of at most %(n)s characters."),
    ),
    (r"the value of a (?P<name>\S+) filter is a text", _("A filter's value is a text.")),
    (r"unknown filter type: (?P<name>.+)", _("There is no such filter.")),
    (r"two filters of the type (?P<name>.+)", _("There are two filters of one kind.")),
    (r"the decoration of a (?P<name>.+) filter cannot be .+", _("This filter cannot be turned around.")),
    (r"the \S+ filter is no pattern: (?P<reason>.+)", _("This is no pattern: %(reason)s")),
    (r"not a set of characters: (?P<name>.+)", _("no set of characters: %(name)s")),
    (r"a pattern has at most (?P<n>\d+) characters", _("it has more than %(n)s characters")),
    (r"a pattern has at most (?P<n>\d+) alternatives", _("it has more than %(n)s alternatives")),
    (
        r"a rule of this project pulls into the namespace (?P<name>\S+)",
        _("A rule of this project pulls into the namespace %(name)s."),
    ),
    (r"the flattening level is -1 to (?P<n>\d+)", _("At most %(n)s components can be replaced.")),
    (r"registry (?P<name>\S+) not found", _("There is no such endpoint.")),
    (r"a rule has a name of at most (?P<n>\d+) characters", _("A rule has a name of at most %(n)s characters.")),
    (r"invalid destination namespace: .+", _("Use lower case letters and digits, joined by dots, hyphens or slashes.")),
    (
        r"invalid cron string for scheduled trigger: .+",
        _("Write six fields, the first of them 0, such as 0 30 2 * * *."),
    ),
    (
        r"registries of the type (?P<name>\S+) cannot be filtered by (?P<what>\S+)",
        _("Registries of the kind %(name)s cannot be filtered by %(what)s."),
    ),
    (r"the policy \d+ is disabled", _("The rule is switched off.")),
)
"""Sentences that hold names and numbers."""
