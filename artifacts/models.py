from __future__ import annotations

from datetime import date

from django.db import connection, models
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Collate

from accounts.actors import Actor
from projects.models import Label, Project
from projects.permissions import projects_allowing


class RepositoryQuerySet(models.QuerySet["Repository"]):
    def visible_to(self, actor: Actor) -> RepositoryQuerySet:
        """Repositories that exist for `actor`: those of projects whose repositories it may list."""
        return self.filter(project__in=projects_allowing(actor, "repository", "list"))

    def search(self, text: str) -> RepositoryQuerySet:
        """Repositories whose full name contains `text`, taken literally, without regard to case."""
        return self.filter(name__icontains=text)

    def with_counts(self) -> RepositoryQuerySet:
        """With `artifact_count`, of what its list would show, in the same query."""
        listed = Artifact.objects.listed().filter(repository=OuterRef("pk"))
        counted = listed.order_by().values("repository").annotate(n=Count("pk")).values("n")
        return self.annotate(artifact_count=Coalesce(Subquery(counted), 0))


class Repository(models.Model):
    """A named collection of artifacts. `name` is the full name, project first: `library/nginx`."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="repositories")
    name = models.CharField(max_length=255, unique=True)
    description = models.TextField(blank=True, default="")
    pull_count = models.BigIntegerField(default=0)
    creation_time = models.DateTimeField(auto_now_add=True)
    update_time = models.DateTimeField(auto_now=True)

    objects = RepositoryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["project", "name"], name="repository_project_name"),
            models.Index(fields=["project", "-creation_time", "-id"], name="repository_project_creation"),
            models.Index(fields=["-creation_time", "-id"], name="repository_creation"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def short_name(self) -> str:
        """The name without the project's."""
        return self.name.partition("/")[2]


LISTED_ENTRIES = 100
"""How many of an index's entries a list shows; by itself it shows all."""


class ArtifactQuerySet(models.QuerySet["Artifact"]):
    def listed(self) -> ArtifactQuerySet:
        """What a list shows: no accessories, and of the manifests that an index names only those with a tag."""
        return self.filter(listed=True)

    def with_tags(self) -> ArtifactQuerySet:
        """With the tags of all rows read at once, the newest first."""
        return self.prefetch_related(models.Prefetch("tags", Tag.objects.order_by("-push_time", "-id")))

    def with_references(self, most: int | None = LISTED_ENTRIES) -> ArtifactQuerySet:
        """With the entries of all indexes read at once, in the index's order, each with its child.

        Of each index the first `most`, or a page of a hundred indexes would read a hundred thousand rows; None: all.
        """
        entries = Reference.objects.select_related("child").order_by("position")
        entries = entries if most is None else entries.filter(position__lt=most)
        entries = entries.defer("child__extra_attrs", "child__annotations")
        return self.prefetch_related(models.Prefetch("references", entries))

    def with_labels(self) -> ArtifactQuerySet:
        """With the labels of all rows read at once, by name."""
        return self.prefetch_related(models.Prefetch("labels", Label.objects.order_by("name", "pk")))

    def with_accessories(self) -> ArtifactQuerySet:
        """With the accessories of all rows read at once, each with its artifact and repository."""
        accessories = Accessory.objects.select_related("artifact", "repository").order_by("pk")
        accessories = accessories.defer("artifact__extra_attrs", "artifact__annotations")
        return self.prefetch_related(models.Prefetch("accessories", accessories))


LISTED_ORDERS = {
    "push": ["push_time", "id"],
    "tagged": ["tagged", "push_time", "id"],
    "type": ["type", "push_time", "id"],
    "size": ["size", "id"],
    "pull": ["pull_time", "id"],
    "digest": ["digest", "id"],
    "id": ["id"],
}
"""What lists of artifacts are sorted by, or narrowed to before they are sorted by time; by an index's name."""


def _in_lists(scope: str, prefix: str, orders: dict[str, list[str]]) -> list[models.Index]:
    """An index for each of `orders` of what lists show of one `scope`. They are read from either end."""
    listed = Q(listed=True)
    return [models.Index(fields=[scope, *by], condition=listed, name=f"{prefix}_{name}") for name, by in orders.items()]


class Artifact(models.Model):
    """A manifest or an index that a repository holds, with what its listing needs read once at push."""

    class Kept(models.TextChoices):
        """How the registry keeps the manifest's bytes."""

        MANIFEST = "manifest"
        BLOB = "blob"  # by its sha256, where the registry refuses the manifest for its sha512 digests

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+", db_index=False)
    repository = models.ForeignKey(Repository, on_delete=models.PROTECT, related_name="artifacts", db_index=False)
    digest = models.CharField(max_length=140)
    stored_digest = models.CharField(max_length=71)
    """The sha256 digest under which the registry holds the bytes; `digest` itself but for sha512."""
    kept = models.CharField(max_length=8, choices=Kept.choices, default=Kept.MANIFEST)
    media_type = models.CharField(max_length=255)
    """The manifest's media type."""
    artifact_type = models.CharField(max_length=255, blank=True, default="")
    """`artifactType`, or else the config's media type: what the referrers API calls it."""
    config_media_type = models.CharField(max_length=255, blank=True, default="")
    type = models.CharField(max_length=64, default="UNKNOWN")
    """Harbor's word: IMAGE, CHART, CNAB, WASM, ..."""
    size = models.BigIntegerField()
    """Bytes of manifest, config and layers; for an index its own and its children's."""
    manifest_size = models.BigIntegerField()
    """Bytes of the manifest alone."""
    extra_attrs = models.JSONField(default=dict)
    annotations = models.JSONField(default=dict)
    subject_digest = models.CharField(max_length=140, blank=True, default="")
    push_time = models.DateTimeField()
    pull_time = models.DateTimeField(null=True)
    pull_count = models.BigIntegerField(default=0)
    labels = models.ManyToManyField(Label, through="ArtifactLabel", related_name="artifacts")
    listed = models.BooleanField(default=True, db_default=True)
    """Whether lists show it: `artifacts.standing` says when."""
    tagged = models.BooleanField(default=False, db_default=False)
    """Whether a tag names it."""

    objects = ArtifactQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "digest"], name="artifact_digest_unique")]
        indexes = [
            models.Index(fields=["repository", "-push_time", "-id"], name="artifact_repository_push"),
            models.Index(fields=["project", "-push_time", "-id"], name="artifact_project_push"),
            models.Index(
                fields=["repository", "subject_digest"],
                condition=~models.Q(subject_digest=""),
                name="artifact_subject",
            ),
            models.Index(fields=["stored_digest"], name="artifact_stored_digest"),
            *_in_lists("repository", "artifact_listed", LISTED_ORDERS),
            *_in_lists("project", "artifact_shown", {**LISTED_ORDERS, "repository": ["repository", "id"]}),
        ]

    def __str__(self) -> str:
        return self.digest


class Manifest(models.Model):
    """The bytes of an artifact's manifest, apart from the row that lists read."""

    artifact = models.OneToOneField(Artifact, on_delete=models.CASCADE, primary_key=True, related_name="manifest")
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"manifest {self.pk}"


class TagQuerySet(models.QuerySet["Tag"]):
    def called(self, name: str) -> TagQuerySet:
        """Those of exactly this name. Compared as bytes, as the indexes are made that know names by themselves."""
        if connection.vendor != "postgresql":
            return self.filter(name=name)
        return self.alias(octets=Collate("name", "C")).filter(octets=name)


class Tag(models.Model):
    """A name for an artifact; it exists here only, the registry holds no tags."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="tags")
    artifact = models.ForeignKey(Artifact, on_delete=models.CASCADE, related_name="tags", db_index=False)
    name = models.CharField(max_length=128)
    push_time = models.DateTimeField()
    pull_time = models.DateTimeField(null=True)

    objects = TagQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "name"], name="tag_name_unique")]
        indexes = [
            models.Index(fields=["repository", "-push_time", "-id"], name="tag_repository_push"),
            models.Index(fields=["-push_time", "-id"], name="tag_push"),
            models.Index(fields=["artifact", "push_time", "id"], name="tag_artifact_push"),
            models.Index(fields=["artifact", "name"], name="tag_artifact_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Blob(models.Model):
    """A blob that the registry was seen to hold in a repository, with its real size."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="blobs")
    digest = models.CharField(max_length=140)
    stored_digest = models.CharField(max_length=71)
    """The sha256 digest under which the registry holds it."""
    size = models.BigIntegerField()
    touched = models.DateTimeField()
    """When a push last relied on it; collection leaves it alone for two hours."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "digest"], name="blob_digest_unique")]
        indexes = [models.Index(fields=["stored_digest"], name="blob_stored_digest")]

    def __str__(self) -> str:
        return self.digest


class Alias(models.Model):
    """The sha256 digest of a content that somebody calls by its sha512 digest: the registry knows sha256 alone.

    It is true of the bytes, wherever they are; it says nothing about who holds them.
    """

    digest = models.CharField(max_length=140, primary_key=True)
    stored_digest = models.CharField(max_length=71)

    def __str__(self) -> str:
        return self.digest


class ArtifactBlob(models.Model):
    """An artifact's use of a blob, as config or layer."""

    artifact = models.ForeignKey(Artifact, on_delete=models.CASCADE, related_name="blob_uses")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="uses")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["artifact", "blob"], name="artifact_blob_unique")]

    def __str__(self) -> str:
        return f"blob {self.blob_id} of {self.artifact_id}"


class ArtifactLabel(models.Model):
    """An artifact that carries a label."""

    artifact = models.ForeignKey(Artifact, on_delete=models.CASCADE, related_name="label_uses")
    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="uses")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["artifact", "label"], name="artifact_label_unique")]

    def __str__(self) -> str:
        return f"label {self.label_id} of {self.artifact_id}"


class Reference(models.Model):
    """An index's entry: `parent` names `child`, which may not go while it does."""

    parent = models.ForeignKey(Artifact, on_delete=models.CASCADE, related_name="references")
    child = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="parents")
    position = models.PositiveIntegerField()
    platform = models.JSONField(default=dict)
    annotations = models.JSONField(default=dict)
    urls = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["parent", "position"], name="reference_position_unique")]

    def __str__(self) -> str:
        return f"{self.parent_id}[{self.position}]"


class Accessory(models.Model):
    """An artifact that belongs to another: a signature, an SBOM, an attestation. Its subject may come later."""

    artifact = models.OneToOneField(Artifact, on_delete=models.CASCADE, related_name="accessory")
    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="accessories")
    subject = models.ForeignKey(Artifact, null=True, on_delete=models.SET_NULL, related_name="accessories")
    subject_digest = models.CharField(max_length=140)
    type = models.CharField(max_length=64)
    """Harbor's types (`signature.cosign`, `subject.accessory`, ...) and some of ours: see `artifacts.kinship`."""
    creation_time = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["repository", "subject_digest"], name="accessory_subject_digest")]

    def __str__(self) -> str:
        return f"{self.type} of {self.subject_digest}"


class PullDayQuerySet(models.QuerySet["PullDay"]):
    def per_day(self, since: date) -> dict[date, int]:
        """Pulls of each day from `since` on; a day without any is left out. One row a day, whatever was pulled."""
        days = self.filter(day__gte=since).order_by("day").values("day")
        return {row["day"]: row["total"] for row in days.annotate(total=models.Sum("pulls"))}


class PullDay(models.Model):
    """How often a repository was pulled on a day (UTC). Raised with the counters, so it outlives the audit log."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="pull_days")
    day = models.DateField()
    pulls = models.BigIntegerField(default=0)

    objects = PullDayQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "day"], name="pullday_repository_day")]
        indexes = [
            models.Index(fields=["project", "day"], name="pullday_project_day"),
            models.Index(fields=["day"], name="pullday_day"),
        ]

    def __str__(self) -> str:
        return f"{self.pulls} on {self.day}"
