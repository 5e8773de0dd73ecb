from __future__ import annotations

from django.db import models

from projects.models import Project


class Repository(models.Model):
    """A named collection of artifacts. `name` is the full name, project first: `library/nginx`."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="repositories")
    name = models.CharField(max_length=255, unique=True)
    description = models.TextField(blank=True, default="")
    pull_count = models.BigIntegerField(default=0)
    creation_time = models.DateTimeField(auto_now_add=True)
    update_time = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["project", "name"], name="repository_project_name"),
            models.Index(fields=["project", "-creation_time", "-id"], name="repository_project_creation"),
            models.Index(fields=["-creation_time", "-id"], name="repository_creation"),
        ]


class Artifact(models.Model):
    """A manifest or an index that a repository holds, with what its listing needs read once at push."""

    class Kept(models.TextChoices):
        """How the registry keeps the manifest's bytes."""

        MANIFEST = "manifest"
        BLOB = "blob"  # by its sha256, where the registry refuses the manifest for its sha512 digests

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    repository = models.ForeignKey(Repository, on_delete=models.PROTECT, related_name="artifacts")
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
    extra_attrs = models.JSONField(default=dict)
    annotations = models.JSONField(default=dict)
    subject_digest = models.CharField(max_length=140, blank=True, default="")
    push_time = models.DateTimeField()
    pull_time = models.DateTimeField(null=True)
    pull_count = models.BigIntegerField(default=0)

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
            models.Index(fields=["digest"], name="artifact_digest"),
        ]


class Manifest(models.Model):
    """The bytes of an artifact's manifest, apart from the row that lists read."""

    artifact = models.OneToOneField(Artifact, on_delete=models.CASCADE, primary_key=True, related_name="manifest")
    content = models.BinaryField()


class Tag(models.Model):
    """A name for an artifact; it exists here only, the registry holds no tags."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="tags")
    artifact = models.ForeignKey(Artifact, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=128)
    push_time = models.DateTimeField()
    pull_time = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "name"], name="tag_name_unique")]
        indexes = [models.Index(fields=["repository", "-push_time", "-id"], name="tag_repository_push")]


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
        indexes = [models.Index(fields=["digest"], name="blob_digest")]


class ArtifactBlob(models.Model):
    """An artifact's use of a blob, as config or layer."""

    artifact = models.ForeignKey(Artifact, on_delete=models.CASCADE, related_name="blob_uses")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="uses")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["artifact", "blob"], name="artifact_blob_unique")]


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


class Accessory(models.Model):
    """An artifact that belongs to another: a signature, an SBOM, an attestation. Its subject may come later, or never."""

    artifact = models.OneToOneField(Artifact, on_delete=models.CASCADE, related_name="accessory")
    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="accessories")
    subject = models.ForeignKey(Artifact, null=True, on_delete=models.SET_NULL, related_name="accessories")
    subject_digest = models.CharField(max_length=140)
    type = models.CharField(max_length=64)
    """Harbor's types (`signature.cosign`, `signature.notation`, `subject.accessory`, ...) and `attestation.buildkit`."""
    creation_time = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["repository", "subject_digest"], name="accessory_subject_digest")]
