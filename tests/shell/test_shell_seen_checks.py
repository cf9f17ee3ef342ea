"""Waits and expectations from how the value of a tag went: with room, plainly rounded, and none that is not certain."""

import math
from typing import Any

import pytest

from zb_mom_ww_mxgateway_shell.samples.course import Course, HeldValue
from zb_mom_ww_mxgateway_shell.state.seen_checks import SeenTag, plainly, timeout_text, tolerance_for

SENT = 100.0


def tag(*values: tuple[float, Any], losses: tuple[tuple[float, float], ...] = (), quality: str = "good") -> SeenTag:
    """A tag with these values, by seconds before or after a write."""
    held = [HeldValue(SENT + at, value, "good" if at < 0 else quality) for at, value in values]
    return SeenTag("P.A", Course(held, losses), SENT)


def wait(seen: SeenTag, seconds: float = 30.0) -> str | None:
    found = seen.wait(SENT, SENT + seconds)
    return found and found.line


def noisy(middle: float, swing: float, begin: int, end: int) -> list[tuple[float, float]]:
    return [(float(at), middle + (swing if at % 2 else -swing)) for at in range(begin, end)]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([(-9, False), (1.4, True)], "wait P.A = true timeout 5s"),
        ([(-9, False), (4.2, True)], "wait P.A = true timeout 10s"),
        ([(-9, 1), (1, 2), (7, 3)], "wait P.A = 3 timeout 20s"),
        ([(-9, "Off"), (1, "On")], 'wait P.A = "On" timeout 5s'),
        # Back again: what is new counts, so the way there and back is waited for.
        ([(-9, False), (1, True), (3, False)], "wait P.A = false timeout 10s"),
        # First seen after the write.
        ([(0.1, False), (2, True)], "wait P.A = true timeout 5s"),
        ([(-9, 40.0), (1, 44.0)], "wait P.A = 44.0 tol 0.5 timeout 5s"),
        ([(-9, 0.0), *[(at, 10.0 * at) for at in range(1, 6)]], "wait P.A = 50.0 tol 0.5 timeout 10s"),
        ([(-9, 60.0), *[(at, 60.0 - at / 4) for at in range(1, 30)]], "wait P.A <= 53.48 timeout 1m"),
        ([*noisy(20.0, 0.2, -20, 0), *noisy(30.0, 0.2, 1, 30)], "wait P.A = 30.0 tol 1 timeout 5s"),
    ],
)
def test_what_changed_after_a_write_is_waited_for(values: list[tuple[float, Any]], line: str) -> None:
    assert wait(tag(*values)) == line


@pytest.mark.parametrize(
    "values",
    [
        [(-9, False)],
        [],
        [(-9, 1), *[(at, at) for at in range(1, 9)]],
        # It moved before, and is where it was.
        [*noisy(20.0, 0.2, -20, 30)],
        [*[(at, at) for at in range(-20, 0)], (1, 5)],
        [(-9, 1.0), (1, math.nan)],
        [(-9, 1), (1, None)],
        # It rose before, too, or was seen too late to tell.
        [(float(at), 20.0 + at / 10) for at in range(-20, 30)],
        [(-1, 20.0), *[(float(at), 20.0 + at) for at in range(1, 30)]],
        [(float(at), 20.0 + at) for at in range(1, 30)],
        # A number that swings after the write, around where it was.
        [(-9, 20.0), *noisy(20.0, 5.0, 1, 30)],
    ],
)
def test_what_is_not_certain_is_not_waited_for(values: list[tuple[float, Any]]) -> None:
    assert wait(tag(*values)) is None


def test_a_number_that_just_reached_what_was_written_has_settled() -> None:
    seen = tag((-9, 40.0), *[(float(at), 40.0 + at) for at in range(1, 5)])
    found = seen.wait(SENT, SENT + 4.5, 44.0)
    assert found is not None
    assert found.line == "wait P.A = 44.0 tol 0.5 timeout 10s"
    assert seen.wait(SENT, SENT + 4.5, 50.0) == seen.wait(SENT, SENT + 4.5)


def test_where_samples_were_lost_nothing_is_said() -> None:
    values: list[tuple[float, Any]] = [(-9, False), (1, True)]
    assert wait(tag(*values, losses=((SENT + 5, SENT + 6),))) is None
    assert tag(*values, losses=((SENT + 5, SENT + 6),)).expectation(SENT, SENT + 30) == ""
    assert wait(tag(*values, losses=((SENT - 6, SENT - 5),))) == "wait P.A = true timeout 5s"


def test_a_bad_value_is_waited_for_with_its_quality() -> None:
    assert wait(tag((-9, 1), (1, 2), quality="bad")) == "wait P.A = 2 quality bad timeout 5s"


def test_a_tolerance_never_reaches_what_was_there_before() -> None:
    found = wait(tag((-9, 1000.0), (1, 1001.0)))
    assert found is not None
    tolerance = float(found.split(" tol ")[1].split()[0])
    assert tolerance < 0.5


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([(-9, True)], "expect P.A = true"),
        ([(-9, 7)], "expect P.A = 7"),
        ([(-9, "a b")], 'expect P.A = "a b"'),
        ([(-9, 40.0)], "expect P.A = 40.0 tol 0.4"),
        ([(-9, False), (1, True)], "expect P.A = true"),
        ([*noisy(20.0, 0.2, -20, 30)], "expect P.A = 20.0 tol 1"),
        ([(at, 20.0 + at / 10) for at in range(-20, 30)], "expect P.A != null  # 22.9 when recorded, and moving"),
        ([(at, at) for at in range(-20, 30)], "expect P.A != null  # 29 when recorded, and moving"),
        ([], ""),
    ],
)
def test_what_was_stable_is_expected_and_what_moved_is_expected_in_its_range_or_to_be_there(
    values: list[tuple[float, Any]], line: str
) -> None:
    assert tag(*values).expectation(SENT, SENT + 30) == line


def test_as_it_was_before_is_waited_for_where_it_did_not_move() -> None:
    assert tag((-9, False), (1, True)).start(SENT - 5, 3.0) == "wait P.A = false now timeout 10s"
    assert tag(*noisy(20.0, 0.2, -20, 0)).start(SENT - 5, 3.0) == ""
    assert tag().start(SENT - 5, 3.0) == ""


@pytest.mark.parametrize(("number", "plain"), [(0.011, 0.02), (0.2, 0.2), (3.0, 5.0), (51, 100), (0.0, 0.0)])
def test_tolerances_are_plain(number: float, plain: float) -> None:
    assert plainly(number) == pytest.approx(plain)


def test_room_is_twice_what_was_seen_and_one_percent_at_least() -> None:
    assert (tolerance_for(100.0, 0.0), tolerance_for(100.0, 3.0), tolerance_for(0.0, 0.0)) == (1.0, 10.0, 0.001)
    assert [timeout_text(each) for each in (0.1, 2.6, 29, 40, 4000)] == ["5s", "10s", "1m", "2m", "3h"]
