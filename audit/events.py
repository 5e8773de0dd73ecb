"""The events that Harbor records, by name: operation, underscore, resource type."""

from __future__ import annotations

from configuration import values

EVENT_TYPES = (
    "create_artifact",
    "delete_artifact",
    "pull_artifact",
    "create_project",
    "delete_project",
    "delete_repository",
    "login_user",
    "logout_user",
    "create_user",
    "delete_user",
    "update_user",
    "create_robot",
    "delete_robot",
    "update_configuration",
    "create_member",
    "delete_member",
    "update_member",
    "update_project",
)
"""In the order of `GET /auditlog-exts/events`. Others are recorded too (`create_tag`, `delete_tag`, `update_robot`):
purging calls them `other`."""
OTHER = "other"
PULL = "pull_artifact"


def is_kept(event_type: str) -> bool:
    """Whether the operator wants entries of this type; subscribers hear of the event either way."""
    if event_type == PULL and values.get("pull_audit_log_disable"):
        return False
    disabled = str(values.get("disabled_audit_log_event_types"))
    return event_type not in {name.strip() for name in disabled.split(",")}
