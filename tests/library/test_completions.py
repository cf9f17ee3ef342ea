"""Whose completion it is, by the order of sending and answering alone: the rules, without a gateway."""

from typing import Any

import pytest

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.live import completions
from zb_mom_ww_mxgateway.live.awaited_writes import AwaitedWrite
from zb_mom_ww_mxgateway.live.completions import ItemWrites, SentWrite
from zb_mom_ww_mxgateway.models.events import MxEvent


class Done:
    """As much of a completion as the rules look at."""

    def __init__(self, *, failed: bool = False) -> None:
        self.failed = failed


def done(*, failed: bool = False) -> MxEvent:
    made: Any = Done(failed=failed)
    return made


def write(sent: int, answered: int | None = None, *, value: int = 1, at: float = 0.0) -> SentWrite:
    return SentWrite(wire.to_mx_value(value), sent, at, answered, in_flight=answered is None)


def sent(*writes: SentWrite) -> ItemWrites:
    made = ItemWrites()
    for each in writes:
        made.add(each)
    return made


def test_when_a_write_turns_out_to_be_refused_the_completion_is_the_others() -> None:
    first, second = write(1, 3), write(2)
    writes, completion = sent(first, second), done()
    writes.take(completion)
    assert not first.settled
    writes.remove(second)
    assert (first.settled, first.completion, writes.writes) == (True, completion, [])
    assert (second.settled, second.completion) == (True, None)


def test_a_completion_is_not_given_to_the_first_where_that_ones_own_may_be_lost() -> None:
    first, second = write(1, 2), write(3, 4)
    writes = sent(first, second)
    first.may_be_lost = True
    writes.take(done(failed=True))
    assert (first.settled, second.settled) == (False, False)
    assert writes.verdict(second) is None
    writes.take(done())  # As many have come as can come; which is whose nobody knows: but they are in order.
    assert (first.completion and first.completion.failed, second.completion and second.completion.failed) == (
        True,
        False,
    )


def test_a_value_read_back_tells_nothing_of_a_write_that_another_was_sent_after() -> None:
    unknown, first, second = write(1, value=7), write(2, 3, value=5), write(4, 5, value=6)
    writes = sent(unknown, first, second)
    for _ in range(2):
        writes.take(done())
    assert writes.if_carried_out(first) is None
    assert writes.if_carried_out(second) is not None


def test_a_value_read_back_ends_doubt_only_when_nothing_can_be_carried_out_any_more() -> None:
    old, young = write(1, at=0.0), write(2, at=1000.0)
    old.in_flight = young.in_flight = False
    writes = sent(old, young, write(3, 4, at=1001.0))
    writes.read_back(1002.0)
    assert len(writes.writes) == 3
    writes.read_back(1089.0)  # A worker may run for 75 s and be ended after that.
    assert len(writes.writes) == 3
    writes.read_back(1091.0)
    assert writes.writes == []


def test_a_write_that_was_accepted_is_waited_for_however_late_it_completes() -> None:
    overdue, later = write(1, 2, at=0.0), write(3, 4, at=1.0)
    overdue.may_be_lost = True
    writes = sent(overdue, later)
    writes.read_back(1e9)
    assert writes.writes == [overdue, later]
    writes.take(done(failed=True))  # The overdue one's, or the later one's.
    assert (overdue.settled, later.settled, writes.verdict(later)) == (False, False, None)


def test_where_completions_do_not_come_at_all_the_writes_that_wait_for_them_are_bounded_and_none_gets_anothers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(completions, "_MOST", 3)
    all_of_them = [write(2 * number, 2 * number + 1) for number in range(5)]
    writes = sent(*all_of_them)
    assert len(writes.writes) == 3
    assert [each.settled for each in all_of_them] == [True, True, False, False, False]
    for _ in range(5):
        writes.take(done())
    assert [writes.verdict(each) for each in all_of_them] == [None] * 5
    assert all(writes.is_doubtful(each) for each in all_of_them[2:])
    assert writes.completions == []


class Held:
    """As much of a value that is held as the rules look at."""

    def __init__(self, value: object, changes: int, stale_since: float | None = None) -> None:
        self.value, self.changes, self.stale_since, self.data_type = value, changes, stale_since, 0


@pytest.mark.parametrize(
    ("before", "now", "shows"),
    [
        (Held(1, 1), Held(5, 2), True),
        (Held(1, 1), Held(4, 2), False),
        (Held(1, 1), Held(5, 2, stale_since=3.0), False),
        (Held(5, 1), Held(5, 2), False),  # It had it before: as much a change by anybody.
        (Held(1, 1), Held(5, 1), False),
        (None, Held(5, 2), False),
    ],
)
async def test_what_shows_that_a_write_in_doubt_was_carried_out(before: Any, now: Any, shows: bool) -> None:
    held = before
    awaited = AwaitedWrite((1, 1), 5, lambda: held, lambda: None)
    awaited.begin(1.0)
    held = now
    assert awaited._shows() is shows
