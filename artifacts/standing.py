"""Whether lists show an artifact, and whether a tag names it: kept beside it, so that lists read along an index.

Both follow from other rows. Whoever adds or takes away a tag, an index's entry or a kinship settles the artifacts that
it was about, in the same transaction and with the project's quota row locked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q

from artifacts.models import Accessory, Artifact, ArtifactQuerySet, Reference, Tag

TAGGED: Any = Exists(Tag.objects.filter(artifact=OuterRef("pk")))
_ENTRY = Q(Exists(Reference.objects.filter(child=OuterRef("pk"))))
_ACCESSORY = Q(Exists(Accessory.objects.filter(artifact=OuterRef("pk"))))
LISTED: Any = ExpressionWrapper(~_ACCESSORY & (Q(TAGGED) | ~_ENTRY), BooleanField())
"""No accessories, and of the manifests that an index names only those with a tag."""


def misplaced(rows: ArtifactQuerySet) -> ArtifactQuerySet:
    """Those of `rows` that say otherwise than what is true of them."""
    return rows.alias(is_listed=LISTED, is_tagged=TAGGED).exclude(is_listed=F("listed"), is_tagged=F("tagged"))


def settle(artifacts: Iterable[int]) -> int:
    """Let the artifacts with these ids say what is true of them now; how many said otherwise. One statement."""
    return misplaced(Artifact.objects.filter(pk__in=list(artifacts))).update(listed=LISTED, tagged=TAGGED)
