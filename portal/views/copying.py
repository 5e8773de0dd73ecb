"""Copying an artifact into another repository."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actors import Permission
from accounts.errors import Conflict, Denied, Forbidden, NotFound
from accounts.permissions import refuse
from artifacts.actions import record_copy
from artifacts.copying import prepare
from artifacts.models import Accessory, Artifact
from portal import words
from portal.answers import posted, show_form, submit
from portal.artifacts import in_order
from portal.finding import Place, artifact_in, place, repository_in
from portal.forms_artifacts import ALL, CopyForm
from projects.models import Project
from projects.permissions import PULL, PUSH, projects_allowing
from projects.permissions import require as require_in
from registry.errors import RegistryError
from tokens.upstream import registry


@require_http_methods(["GET", "HEAD", "POST"])
def copy(request: HttpRequest, project: str, repository: str, digest: str) -> HttpResponseBase:
    """Copy the artifact, with what belongs to it, to where the reader may push."""
    found = place(request, project)
    row = repository_in(found, repository)
    artifact = artifact_in(row, digest)
    if is_accessory(artifact):
        raise NotFound
    if not may_copy(found):
        refuse(found.actor)
    tags = [tag.name for tag in in_order(artifact.tags.all())]
    first = ALL if len(tags) > 1 else "".join(tags)
    initial = {"project": project, "repository": repository, "tag": first}
    form = CopyForm(posted(request), tags=tags, initial=initial)

    def act(given: dict[str, Any]) -> str:
        return _copy(request, found, artifact, form, given)

    nowhere = ("project", _("There is no project of this name that you may push to."))
    same = ("repository", _("It is here already. Choose another repository."))
    away = (None, _("The registry did not do it. Nothing was copied; try again."))
    full = ("project", _("The storage limit of this project leaves no room for it."))
    refusals = {NotFound: nowhere, Denied: full, Forbidden: nowhere, RegistryAway: away, Conflict: same}
    answer = submit(request, form, act, refusals)
    told = {"repository": row, "artifact": artifact, **found.context}
    return answer or show_form(request, "portal/artifacts/copy.html", form, **told)


def may_copy(found: Place) -> bool:
    """Whether the reader may take something from here, and put it somewhere."""
    return Permission(*PULL) in found.permissions and projects_allowing(found.actor, *PUSH).exists()


def is_accessory(artifact: Artifact) -> bool:
    """Whether the artifact belongs to another one, with which it is copied."""
    return Accessory.objects.filter(artifact=artifact).exists()


class RegistryAway(Conflict):
    """The registry could not be asked, or refused."""


def _copy(request: HttpRequest, found: Place, artifact: Artifact, form: CopyForm, given: dict[str, Any]) -> str:
    target = Project.objects.visible_to(found.actor).filter(name=given["project"]).first()
    if target is None:
        raise NotFound
    require_in(found.actor, *PUSH, target)
    name, tags = form.target(given), form.chosen(given)
    if name == artifact.repository.name:
        raise Conflict("the artifact is in this repository already")
    try:
        copies = prepare(registry(), artifact, target.pk, name, tags)
    except RegistryError as error:
        raise RegistryAway(str(error)) from error
    record_copy(found.actor, artifact, target, copies)
    messages.success(
        request,
        _("%(digest)s is copied to %(repository)s.") % {"digest": words.short(artifact.digest), "repository": name},
    )
    return reverse("portal:artifact", args=[target.name, given["repository"], artifact.digest])
