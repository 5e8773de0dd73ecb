from __future__ import annotations

import pytest

from accounts.actions import set_preferences
from accounts.actors import ANONYMOUS
from accounts.errors import BadRequest, Forbidden, Unauthenticated
from audit.models import Entry
from tests.cast import Cast


def test_what_is_given_is_kept_and_the_rest_stays(cast: Cast) -> None:
    set_preferences(cast.guest.actor, cast.guest, language="zh-hans", time_zone="Asia/Shanghai")
    set_preferences(cast.guest.actor, cast.guest, theme="dark")
    set_preferences(cast.guest.actor, cast.guest, theme="dark")
    set_preferences(cast.guest.actor, cast.guest, language="")

    cast.guest.refresh_from_db()
    assert (cast.guest.language, cast.guest.theme, cast.guest.time_zone) == ("", "dark", "Asia/Shanghai")
    assert Entry.objects.count() == 3


def test_only_ones_own_and_only_what_there_is(cast: Cast) -> None:
    with pytest.raises(Unauthenticated):
        set_preferences(ANONYMOUS, cast.guest, theme="dark")
    with pytest.raises(Forbidden):
        set_preferences(cast.admin.actor, cast.guest, theme="dark")
    for wrong in ({"language": "tlh"}, {"theme": "pink"}, {"time_zone": "../../etc/passwd"}):
        with pytest.raises(BadRequest):
            set_preferences(cast.guest.actor, cast.guest, **wrong)

    cast.guest.refresh_from_db()
    assert (cast.guest.language, cast.guest.theme, cast.guest.time_zone) == ("", "", "")
    assert not Entry.objects.exists()
