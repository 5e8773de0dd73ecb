from __future__ import annotations

from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery

from accounts.actors import Actor, Permission
from accounts.models import User
from accounts.permissions import system_allowed
from configuration.sealed import seal, unseal
from jobs.models import Execution, Job
from projects.models import Project
from projects.permissions import projects_allowing

VENDOR = "REPLICATION"
"""Executions of policies, in Harbor's word."""
CHECKS = "REPLICATION_CHECK"
"""Executions that only look: dry runs, verifications, the endpoints' health."""
PLAN, COPY, DRY_RUN, VERIFY, HEALTH = (
    "REPLICATION_PLAN",
    "REPLICATION",
    "REPLICATION_DRY_RUN",
    "REPLICATION_VERIFY",
    "REPLICATION_HEALTH",
)
"""Kinds of jobs. A run is one PLAN, and a COPY for each artifact; what is deleted at the target is a COPY too."""
OWN_RULES = Permission("project", "update")
"""Who may this in a project may have rules of it: its administrators."""


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def visible_to(self, actor: Actor) -> EndpointQuerySet:
        """Endpoints that `actor` may list: all, or, for who administers a project, those that are shared."""
        if Permission("registry", "list") in system_allowed(actor):
            return self
        if not actor.is_authenticated or not projects_allowing(actor, *OWN_RULES).exists():
            return self.none()
        return self.filter(shared=True)

    def search(self, text: str) -> EndpointQuerySet:
        """Endpoints whose name contains `text`, taken literally, without regard to case."""
        return self.filter(name__icontains=text)

    def with_counts(self) -> EndpointQuerySet:
        """With `policy_count`, of the rules that use it, in the same query."""
        used = Policy.objects.filter(Q(source=OuterRef("pk")) | Q(target=OuterRef("pk"))).order_by()
        counted = used.annotate(one=models.Value(1)).values("one").annotate(n=Count("pk")).values("n")
        return self.annotate(policy_count=models.functions.Coalesce(Subquery(counted), 0))


class Endpoint(models.Model):
    """A registry elsewhere: where it is, what kind it is, and how to sign in there."""

    class Status(models.TextChoices):
        """Harbor's words for what the last look found."""

        HEALTHY = "healthy"
        UNHEALTHY = "unhealthy"

    name = models.CharField(max_length=64, unique=True)
    type = models.CharField(max_length=32)
    """The kind of registry: a key of `adapters.KINDS`."""
    url = models.CharField(max_length=256)
    description = models.CharField(max_length=1024, blank=True, default="")
    credential_type = models.CharField(max_length=16, blank=True, default="")
    """Harbor's word, `basic`; it decides nothing."""
    access_key = models.CharField(max_length=255, blank=True, default="")
    sealed_secret = models.TextField(blank=True, default="")
    insecure = models.BooleanField(default=False)
    """Certificates are not checked."""
    ca_certificate = models.TextField(blank=True, default="")
    """PEM of authorities that are trusted besides the usual ones."""
    shared = models.BooleanField(default=False)
    """Project administrators may use it in rules of their project."""
    status = models.CharField(max_length=16, choices=Status.choices, blank=True, default="")
    problem = models.CharField(max_length=512, blank=True, default="")
    """Why it is unhealthy, in a sentence."""
    checked_at = models.DateTimeField(null=True)
    creation_time = models.DateTimeField(auto_now_add=True)
    update_time = models.DateTimeField(auto_now=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["-creation_time", "-id"], name="endpoint_creation")]

    def __str__(self) -> str:
        return self.name

    @property
    def secret(self) -> str:
        """The secret in the clear, for the session that needs it; empty where it can no longer be opened."""
        return unseal(self.sealed_secret) or "" if self.sealed_secret else ""

    def keep_secret(self, secret: str) -> None:
        """Seal `secret`; empty forgets it. The row is not saved."""
        self.sealed_secret = seal(secret) if secret else ""


class PolicyQuerySet(models.QuerySet["Policy"]):
    def visible_to(self, actor: Actor) -> PolicyQuerySet:
        """Rules that `actor` may list: all, or those of the projects that it administers."""
        if Permission("replication-policy", "list") in system_allowed(actor):
            return self
        return self.filter(project__in=projects_allowing(actor, *OWN_RULES))

    def search(self, text: str) -> PolicyQuerySet:
        """Rules whose name contains `text`, taken literally, without regard to case."""
        return self.filter(name__icontains=text)

    def listed(self) -> PolicyQuerySet:
        """With the endpoints and projects of all rows read at once."""
        return self.select_related("source", "target", "project")

    def with_last_run(self) -> PolicyQuerySet:
        """With `last_run`, the id of the newest execution, in the same query."""
        runs = Execution.objects.filter(vendor_type=VENDOR, vendor_id=OuterRef("pk")).order_by("-start_time", "-pk")
        return self.annotate(last_run=Subquery(runs.values("pk")[:1]))


class Policy(models.Model):
    """A rule: what is copied between Haven and an endpoint, and when. Exactly one side is an endpoint."""

    class Trigger(models.TextChoices):
        MANUAL = "manual"
        SCHEDULED = "scheduled"
        EVENT = "event_based"

    name = models.CharField(max_length=256, unique=True)
    description = models.CharField(max_length=1024, blank=True, default="")
    project = models.ForeignKey(
        Project, null=True, blank=True, on_delete=models.CASCADE, related_name="replication_policies"
    )
    """The project whose administrators own the rule: it pulls into it or pushes out of it. Null is the system's."""
    source = models.ForeignKey(Endpoint, null=True, blank=True, on_delete=models.PROTECT, related_name="pulled_by")
    """Null is Haven itself: the rule pushes."""
    target = models.ForeignKey(Endpoint, null=True, blank=True, on_delete=models.PROTECT, related_name="pushed_by")
    """Null is Haven itself: the rule pulls."""
    dest_namespace = models.CharField(max_length=255, blank=True, default="")
    replace_count = models.SmallIntegerField(default=-1)
    """How many leading components `dest_namespace` takes the place of; -1 is all but the last."""
    filters = models.JSONField(default=list)
    """`[{"type", "value", "decoration"}]` as checked by `filters`."""
    trigger = models.CharField(max_length=16, choices=Trigger.choices, default=Trigger.MANUAL)
    cron = models.CharField(max_length=128, blank=True, default="")
    deletion = models.BooleanField(default=False)
    override = models.BooleanField(default=False)
    enabled = models.BooleanField(default=True)
    speed = models.IntegerField(default=0)
    """KB (1024 bytes) a second over all workers; 0 for as fast as it goes."""
    copy_by_chunk = models.BooleanField(default=False)
    single_active = models.BooleanField(default=False)
    creator = models.CharField(max_length=255, blank=True, default="")
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """Who saved a project's rule last: it runs as long as they administer the project."""
    creation_time = models.DateTimeField(auto_now_add=True)
    update_time = models.DateTimeField(auto_now=True)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "policies"
        constraints = [
            models.CheckConstraint(condition=Q(source__isnull=True) ^ Q(target__isnull=True), name="policy_one_side"),
        ]
        indexes = [
            models.Index(fields=["-creation_time", "-id"], name="policy_creation"),
            models.Index(fields=["trigger", "enabled"], name="policy_trigger"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_push(self) -> bool:
        """Out of Haven, to an endpoint."""
        return self.source_id is None

    @property
    def endpoint(self) -> Endpoint:
        """The side that is not Haven."""
        endpoint = self.target if self.is_push else self.source
        assert endpoint is not None
        return endpoint


class BlobInFlight(models.Model):
    """How far a job came with a blob: what it, or who takes it over, goes on from."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+")
    repository = models.CharField(max_length=255)
    """The repository at the target."""
    digest = models.CharField(max_length=140)
    sealed_location = models.TextField()
    """The upload's address there, sealed: some registries sign it."""
    offset = models.BigIntegerField(default=0)
    """Bytes that the target was known to have."""
    update_time = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "blobs in flight"
        constraints = [
            models.UniqueConstraint(fields=["job", "repository", "digest"], name="blob_in_flight_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.digest} at {self.offset}"


class Finding(models.Model):
    """What a dry run or a verification found out about one artifact that a rule matches."""

    class State(models.TextChoices):
        THERE = "there"
        MISSING = "missing"
        DIFFERENT = "different"
        """The tag means something else at the target."""
        INCOMPLETE = "incomplete"
        """The artifact is there, some of its accessories are not."""
        FAILED = "failed"
        """It could not be compared; `detail` says why."""

    DRIFT = (State.MISSING, State.DIFFERENT, State.INCOMPLETE)
    """What a copy would mend."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="replication_findings")
    source = models.CharField(max_length=512)
    """`library/nginx:1.27`, as the source calls it."""
    target = models.CharField(max_length=512)
    state = models.CharField(max_length=16, choices=State.choices)
    bytes = models.BigIntegerField(default=0)
    """What is missing at the target, blobs and manifests."""
    detail = models.CharField(max_length=512, blank=True, default="")
    subject = models.JSONField(default=dict)
    """The spec of the job that would copy it: the repair."""

    class Meta:
        indexes = [models.Index(fields=["job", "state", "id"], name="finding_job_state")]

    def __str__(self) -> str:
        return f"{self.source}: {self.state}"
