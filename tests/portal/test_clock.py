"""When something starts by itself is said in words, in both languages; what has no simple words is shown as it is."""

from __future__ import annotations

from django.utils import translation

from jobs.models import Schedule
from portal.clock import clock, in_words
from replication.models import Policy
from tests.portal.conftest import Reader, Scene
from tests.portal.visits import places

WORDS = {
    "0 * * * * *": ("every minute", "每分钟"),
    "0 */15 * * * *": ("every 15 minutes", "每 15 分钟"),
    "0 0/5 * * * *": ("every 5 minutes", "每 5 分钟"),
    "0 0 * * * *": ("every hour", "每小时"),
    "0 20 * * * *": ("every hour, 20 min past", "每小时的第 20 分钟"),
    "0 0 */6 * * *": ("every 6 hours", "每 6 小时"),
    "0 30 */6 * * *": ("every 6 hours, 30 min past the hour", "每 6 小时，在第 30 分钟"),
    "0 30 2 * * *": ("every day at 02:30 UTC", "每天 02:30（UTC）"),
    "00 30 2 ? * *": ("every day at 02:30 UTC", "每天 02:30（UTC）"),
    "0 0 0 * * 0": ("every week on Sunday at 00:00 UTC", "每周星期日 00:00（UTC）"),
    "0 0 0 * * 7": ("every week on Sunday at 00:00 UTC", "每周星期日 00:00（UTC）"),
    "0 5 4 ? * mon": ("every week on Monday at 04:05 UTC", "每周星期一 04:05（UTC）"),
    "0 5 4 1 * *": ("every month on day 1 at 04:05 UTC", "每月 1 日 04:05（UTC）"),
}
NO_WORDS = (
    *("0 */7 * * * *", "0 0 */5 * * *", "0 0 9-17 * * *", "0 0 0 1 1 *", "0 0 0 1 * 1", "0 0 0 * * 1-5"),
    *("", "x", "0 0 0 * *", "0 1,2 * * * *", "0 */0 * * * *", "0 0 * 3 * *", "0 ² 1 * * *", "<b> 0 0 * * *"),
)


def test_what_is_simple_is_said_in_words() -> None:
    for place, language in enumerate(("en", "zh-hans")):
        with translation.override(language):
            assert {cron: in_words(cron) for cron in WORDS} == {cron: words[place] for cron, words in WORDS.items()}


def test_what_is_not_is_shown_as_it_is() -> None:
    for cron in NO_WORDS:
        assert in_words(cron) == f"{cron} (UTC)"
    assert clock("<b>") == '<span class="hv-mono">&lt;b&gt; (UTC)</span>'


def test_the_pages_say_it_with_the_fields_beside(scene: Scene, reader: Reader) -> None:
    found = places(scene)
    Schedule.objects.update(cron="0 30 2 * * *")
    Policy.objects.update(trigger="scheduled", cron="0 30 2 * * *")
    shown = 'Every day at 02:30 UTC <span class="hv-mono hv-small hv-quiet text-nowrap">0 30 2 * * *</span>'
    for name in ("schedules", "rules", "rule", "purge"):
        Schedule.objects.update(vendor_type="PURGE_AUDIT_LOG" if name == "purge" else "REPLICATION", vendor_id=0)
        assert shown in reader("admin").get(found[name]).content.decode(), name
