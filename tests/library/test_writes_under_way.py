"""Which tags a connection is writing to, while it is."""

from collections.abc import Iterator

import pytest

from zb_mom_ww_mxgateway.safety.writes_under_way import COMPLETING_SECONDS, WritesUnderWay
from zb_mom_ww_mxgateway.system import clock


@pytest.fixture
def sleep() -> Iterator[clock.SimulatedSleep]:
    with clock.replaced(made := clock.SimulatedSleep()):
        yield made


def test_a_write_counts_until_its_end() -> None:
    writes = WritesUnderWay()
    writes.begin("c-1", ["a", "b", "a"])
    writes.begin("c-2", ["b"])
    assert list(writes.written(["a", "b", "c"])) == ["a", "b", "b"]
    writes.end("c-1")
    writes.end("c-1")
    assert list(writes.written(["a", "b"], unanswered=True)) == ["b"]


def test_an_accepted_write_counts_for_a_while_and_not_as_unanswered(sleep: clock.SimulatedSleep) -> None:
    writes = WritesUnderWay()
    writes.begin("c-1", ["a"])
    writes.accepted("c-1")
    assert list(writes.written(["a"])) == ["a"]
    assert list(writes.written(["a"], unanswered=True)) == []
    sleep.sleep(COMPLETING_SECONDS)
    assert list(writes.written(["a"])) == []


def test_nothing_is_kept_of_writes_that_ended(sleep: clock.SimulatedSleep) -> None:
    writes = WritesUnderWay()
    for number in range(100):
        writes.begin(f"c-{number}", ["a", str(number)])
        writes.accepted(f"c-{number}")
    sleep.sleep(COMPLETING_SECONDS)
    writes.begin("c-100", ["b"])
    assert [len(kept) for kept in (writes._keys, writes._until, writes._accepted)] == [1, 1, 0]
