"""Moments in the past, as a person types them."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language import moments
from zb_mom_ww_mxgateway_shell.language.moments import Since
from zb_mom_ww_mxgateway_shell.language.tokens import split
from zb_mom_ww_mxgateway_shell.state.context import Context


def since(text: str) -> datetime:
    (word,) = split(text)
    return Since().parse(word, Context(all_commands(), interactive=False))


@pytest.fixture(params=["UTC", "Europe/Vienna", "America/Denver"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("the zone of this machine cannot be changed")
    monkeypatch.setitem(os.environ, "TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize("minutes", [1, 90, 600, 1_435])
def test_a_time_of_day_is_the_last_one_of_clocks_here(minutes: int) -> None:
    wanted = (datetime.now() - timedelta(minutes=minutes)).replace(second=0, microsecond=0)
    found = since(f"{wanted:%H:%M}")
    assert found <= datetime.now(UTC)
    # On a day with a change of clocks a time may come twice, or not at all.
    assert found.astimezone().replace(tzinfo=None) - wanted in (timedelta(0), timedelta(hours=1), timedelta(hours=-1))
    assert since(f"{wanted:%H:%M}:07") in (found + timedelta(seconds=7), found + timedelta(seconds=7, days=-1))


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of this machine cannot be changed")
@pytest.mark.parametrize(
    ("now", "text", "found"),
    [
        ("02:10", "02:05", "02:05+01:00"),  # Clocks were put back: the second one.
        ("02:10", "02:30", "02:30+02:00"),  # The second one is still to come.
        ("03:10", "02:30", "02:30+01:00"),
        ("03:10", "04:00", None),
    ],
)
def test_of_two_times_on_a_day_on_which_clocks_are_put_back_the_last_counts(
    monkeypatch: pytest.MonkeyPatch, now: str, text: str, found: str | None
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clock":
            return cls.fromisoformat(f"2026-10-25T{now}:00+01:00").astimezone(tz)

    monkeypatch.setattr(moments, "datetime", Clock)
    monkeypatch.setitem(os.environ, "TZ", "Europe/Vienna")
    time.tzset()
    try:
        at = f"2026-10-25T{found}" if found else f"2026-10-24T{text}+02:00"
        assert since(text) == datetime.fromisoformat(at)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_duration_and_a_time_with_its_zone_say_when_too() -> None:
    before = datetime.now(UTC)
    assert before - timedelta(minutes=10) <= since("10m") <= datetime.now(UTC) - timedelta(minutes=10)
    assert since("2026-10-02T08:14:00Z") == datetime(2026, 10, 2, 8, 14, tzinfo=UTC)


@pytest.mark.parametrize("text", ["24:00", "8:60", "soon", "14:02:99", "99999999999999h"])
def test_anything_else_is_a_mistake(text: str) -> None:
    with pytest.raises(InputError, match="a duration such as 8h, a time of day such as 14:02, or a time"):
        since(text)
