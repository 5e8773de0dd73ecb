"""Schedules: work that starts by itself."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from jobs import actions
from jobs.cron import CronInvalid, next_after
from jobs.models import Pause, Schedule, Trigger

_log = logging.getLogger(__name__)
SCHEDULER = "SCHEDULER"
"""The name under which all schedules are paused at once, as if they were a kind of job."""


def set_schedule(
    vendor_type: str,
    kind: str,
    cron: str,
    *,
    vendor_id: int = 0,
    cron_type: str = "Custom",
    spec: Mapping[str, Any] | None = None,
    extra_attrs: Mapping[str, Any] | None = None,
) -> Schedule:
    """The one schedule of `vendor_type` and `vendor_id`, made or changed. Raises CronInvalid."""
    values: dict[str, Any] = {"kind": kind, "cron": cron, "cron_type": cron_type}
    values |= {"spec": dict(spec or {}), "extra_attrs": dict(extra_attrs or {})}
    values |= {"enabled": True, "next_run": next_after(cron, timezone.now())}
    schedule = Schedule(vendor_type=vendor_type, vendor_id=vendor_id, **values)
    # In one statement, so that nobody can remove it between looking for it and changing it.
    of_its_vendor, changed = ["vendor_type", "vendor_id"], [*values, "update_time"]
    Schedule.objects.bulk_create([schedule], update_conflicts=True, unique_fields=of_its_vendor, update_fields=changed)
    return schedule


def remove_schedule(vendor_type: str, vendor_id: int = 0) -> bool:
    """Forget a schedule; False if there was none."""
    return bool(Schedule.objects.filter(vendor_type=vendor_type, vendor_id=vendor_id).delete()[0])


def start_due() -> int:
    """Start everything whose time has come, once however long nobody looked; how many."""
    _ensure_own()
    if is_paused():
        return 0
    due = Schedule.objects.filter(enabled=True, next_run__lte=timezone.now()).order_by("next_run")
    return sum(_started(schedule) for schedule in due[:1000])


def is_paused() -> bool:
    """Whether nothing starts by itself until somebody lets it."""
    return Pause.objects.filter(kind=SCHEDULER).exists()


def _started(schedule: Schedule) -> bool:
    """Start one; what is wrong with it does not keep the others waiting."""
    try:
        return _start(schedule)
    except CronInvalid as error:
        _log.error("schedule %s is switched off: %s", schedule.pk, error)
        Schedule.objects.filter(pk=schedule.pk).update(enabled=False)
    except ValueError as error:
        _log.error("schedule %s cannot start: %s", schedule.pk, error)
    return False


@transaction.atomic
def _start(schedule: Schedule) -> bool:
    """Move `schedule` on and start its work, unless somebody else has."""
    following = next_after(schedule.cron, timezone.now())
    ours = Schedule.objects.filter(pk=schedule.pk, next_run=schedule.next_run, enabled=True)
    if not ours.update(next_run=following):
        return False
    actions.start(
        schedule.kind,
        schedule.vendor_type,
        schedule.spec,
        vendor_id=schedule.vendor_id,
        trigger=Trigger.SCHEDULE,
        extra_attrs=schedule.extra_attrs,
    )
    return True


def _ensure_own() -> None:
    """Haven's own schedules (`settings.OWN_SCHEDULES`: kind and cron) exist; an operator may have changed one."""
    own: Mapping[str, str] = settings.OWN_SCHEDULES
    known = set(Schedule.objects.filter(vendor_type__in=own, vendor_id=0).values_list("vendor_type", flat=True))
    now = timezone.now()
    missing = [
        Schedule(vendor_type=kind, kind=kind, cron=cron, next_run=next_after(cron, now))
        for kind, cron in own.items()
        if kind not in known
    ]
    Schedule.objects.bulk_create(missing, ignore_conflicts=True)
