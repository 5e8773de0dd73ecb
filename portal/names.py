"""Harbor's words in the reader's language: roles, resources, actions, kinds of artifacts, events."""

from __future__ import annotations

from typing import Any

from django.utils.functional import lazystr
from django.utils.translation import gettext_lazy as _

from accounts.actors import Permission
from accounts.models import Group
from projects.models import Role

ROLES: dict[int, Any] = {
    Role.PROJECT_ADMIN: _("Project admin"),
    Role.MAINTAINER: _("Maintainer"),
    Role.DEVELOPER: _("Developer"),
    Role.GUEST: _("Guest"),
    Role.LIMITED_GUEST: _("Limited guest"),
}

PERMISSIONS: dict[str, Any] = {
    "accessory:list": _("List accessories"),
    "artifact-addition:read": _("Read what belongs to artifacts"),
    "artifact-label:create": _("Put labels on artifacts"),
    "artifact-label:delete": _("Take labels off artifacts"),
    "artifact:create": _("Copy artifacts here"),
    "artifact:delete": _("Delete artifacts"),
    "artifact:list": _("List artifacts"),
    "artifact:read": _("Read artifacts"),
    "export-cve:create": _("Export vulnerabilities"),
    "export-cve:read": _("Read exports of vulnerabilities"),
    "immutable-tag:create": _("Create rules for immutable tags"),
    "immutable-tag:delete": _("Delete rules for immutable tags"),
    "immutable-tag:list": _("List rules for immutable tags"),
    "immutable-tag:update": _("Change rules for immutable tags"),
    "label:create": _("Create labels"),
    "label:delete": _("Delete labels"),
    "label:list": _("List labels"),
    "label:read": _("Read labels"),
    "label:update": _("Change labels"),
    "log:list": _("List the log"),
    "member:create": _("Add members"),
    "member:delete": _("Remove members"),
    "member:list": _("List members"),
    "member:read": _("Read members"),
    "member:update": _("Change members' roles"),
    "metadata:create": _("Create metadata"),
    "metadata:delete": _("Delete metadata"),
    "metadata:list": _("List metadata"),
    "metadata:read": _("Read metadata"),
    "metadata:update": _("Change metadata"),
    "notification-policy:create": _("Create webhooks"),
    "notification-policy:delete": _("Delete webhooks"),
    "notification-policy:list": _("List webhooks"),
    "notification-policy:read": _("Read webhooks"),
    "notification-policy:update": _("Change webhooks"),
    "preheat-policy:create": _("Create preheat policies"),
    "preheat-policy:delete": _("Delete preheat policies"),
    "preheat-policy:list": _("List preheat policies"),
    "preheat-policy:read": _("Read preheat policies"),
    "preheat-policy:update": _("Change preheat policies"),
    "project:delete": _("Delete the project"),
    "project:read": _("Read the project"),
    "project:update": _("Change the project"),
    "quota:read": _("Read the quota"),
    "repository:delete": _("Delete repositories"),
    "repository:list": _("List repositories"),
    "repository:pull": _("Pull"),
    "repository:push": _("Push"),
    "repository:read": _("Read repositories"),
    "repository:update": _("Change repositories"),
    "robot:create": _("Create robots"),
    "robot:delete": _("Delete robots"),
    "robot:list": _("List robots"),
    "robot:read": _("Read robots"),
    "sbom:create": _("Generate SBOMs"),
    "sbom:read": _("Read SBOMs"),
    "sbom:stop": _("Stop generating SBOMs"),
    "scan:create": _("Start scans"),
    "scan:read": _("Read scans"),
    "scan:stop": _("Stop scans"),
    "scanner:create": _("Choose the scanner"),
    "scanner:read": _("Read the scanner"),
    "tag-retention:create": _("Create retention rules"),
    "tag-retention:delete": _("Delete retention rules"),
    "tag-retention:list": _("List retention runs"),
    "tag-retention:read": _("Read retention rules"),
    "tag-retention:update": _("Change retention rules"),
    "tag:create": _("Create tags"),
    "tag:delete": _("Delete tags"),
    "tag:list": _("List tags"),
}

TYPES: dict[str, Any] = {
    "IMAGE": _("Image"),
    "INDEX": _("Multi-platform image"),
    "CHART": _("Helm chart"),
    "CNAB": _("CNAB bundle"),
    "WASM": _("WebAssembly module"),
    "CNAI": _("AI model"),
    "SBOM": _("SBOM"),
}

ACCESSORIES: dict[str, Any] = {
    "signature.cosign": _("Cosign signature"),
    "signature.notation": _("Notation signature"),
    "sbom.harbor": _("SBOM"),
    "accelerator.nydus": _("Nydus accelerator"),
    "attestation.buildkit": _("BuildKit attestation"),
    "attestation.cosign": _("Cosign attestation"),
    "sbom.cosign": _("Cosign SBOM"),
    "subject.accessory": _("Accessory"),
}

EVENTS: dict[str, Any] = {
    "create_artifact": _("Artifact pushed"),
    "create_artifact-label": _("Label put on"),
    "create_label": _("Label created"),
    "create_member": _("Member added"),
    "create_project": _("Project created"),
    "create_project_metadata": _("Metadata added"),
    "create_robot": _("Robot created"),
    "create_tag": _("Tag added"),
    "create_user": _("User created"),
    "delete_artifact": _("Artifact deleted"),
    "delete_artifact-label": _("Label taken off"),
    "delete_label": _("Label deleted"),
    "delete_member": _("Member removed"),
    "delete_project": _("Project deleted"),
    "delete_project_metadata": _("Metadata removed"),
    "delete_repository": _("Repository deleted"),
    "delete_robot": _("Robot deleted"),
    "delete_tag": _("Tag deleted"),
    "delete_user": _("User deleted"),
    "login_user": _("Signed in"),
    "logout_user": _("Signed out"),
    "pull_artifact": _("Artifact pulled"),
    "update_configuration": _("Configuration changed"),
    "create_usergroup": _("Group created"),
    "delete_usergroup": _("Group deleted"),
    "update_label": _("Label changed"),
    "update_quota": _("Storage counted anew"),
    "update_usergroup": _("Group changed"),
    "update_member": _("Role changed"),
    "update_project": _("Project changed"),
    "update_project_metadata": _("Metadata changed"),
    "update_repository": _("Repository described"),
    "update_robot": _("Robot changed"),
    "update_user": _("User changed"),
    "create_registry": _("Endpoint created"),
    "create_replication": _("Replication started"),
    "create_replication-policy": _("Replication rule created"),
    "delete_registry": _("Endpoint deleted"),
    "delete_replication-policy": _("Replication rule deleted"),
    "dry-run_replication": _("Replication tried dry"),
    "retry_replication": _("Replication tried again"),
    "stop_replication": _("Replication stopped"),
    "update_registry": _("Endpoint changed"),
    "update_replication-policy": _("Replication rule changed"),
    "verify_replication": _("Replication verified"),
}


GROUP_TYPES: dict[int, Any] = {
    Group.Type.LDAP: "LDAP",
    Group.Type.HTTP: _("Authentication proxy"),
    Group.Type.OIDC: "OpenID Connect",
}


def group_type(kind: int) -> Any:
    """Where a group comes from."""
    return GROUP_TYPES.get(kind, lazystr(str(kind)))


def event_name(operation: str, resource_type: str) -> str:
    """What happened; an event that Haven does not name is shown in Harbor's words."""
    return str(EVENTS.get(f"{operation}_{resource_type}", f"{operation} {resource_type}".replace("_", " ")))


def role_name(role: int) -> Any:
    """A project role as people call it."""
    return ROLES[role]


def permission_name(permission: Permission) -> Any:
    """What a permission lets one do."""
    words = f"{permission.resource}:{permission.action}"
    return PERMISSIONS.get(words, lazystr(words))


def type_name(kind: str) -> Any:
    """A kind of artifact; a name that Haven does not know is shown as it is, in small letters."""
    if kind in ("", "UNKNOWN"):
        return _("Artifact")
    return TYPES.get(kind, lazystr(kind.replace("_", " ").lower()))


def accessory_name(kind: str) -> Any:
    """A kind of accessory."""
    return ACCESSORIES.get(kind, lazystr(kind))
