"""The limits of a file decide at the desk of a connection, for every entry of a call, up to the moment of sending."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from zb_mom_ww_mxgateway import Admission, PendingEntry, PendingWrite, SparseArray
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.safety.arming import Arming
from zb_mom_ww_mxgateway.safety.desk import WriteDesk
from zb_mom_ww_mxgateway.safety.limits_watch import LimitsFile
from zb_mom_ww_mxgateway.safety.selection import Selection
from zb_mom_ww_mxgateway.safety.write_note import given
from zb_mom_ww_mxgateway.safety.write_records import WriteRecords
from zb_mom_ww_mxgateway.safety.write_rules import WriteRules
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.value_types import DataType
from zb_mom_ww_mxgateway.values import Array

LIMITS = """
unlisted = "refuse"
[tags."Tank.SP"]
writable = true
max = 100
step = 10
writes_per_minute = 3
[tags."Tank.Free"]
writable = true
[tags."Tank.Why"]
writable = true
needs_reason = true
[tags."Tank.Asked"]
writable = true
confirm = "tag"
[tags."Tank.Guarded"]
writable = true
guards = ['Tank.Mode == "Auto"']
[tags."Tank.Array"]
writable = true
step = 10
writes_per_minute = 3
[tags."Tank.No"]
writable = false
note = "wired"
"""


class LimitedDesk:
    """A desk with the limits of a file, on a plant of values."""

    def __init__(self, folder: Path, text: str = LIMITS) -> None:
        self.path = folder / "limits.toml"
        self.path.write_text(text)
        self.values: dict[str, Any] = {"Tank.SP": 50, "Tank.Array": Array([1, 2], (2,), DataType.INTEGER)}
        self.values |= {"Tank.Array[1]": 1, "Tank.Array[2]": 2, "Tank.Mode": "Auto"}
        self.rules = WriteRules(Arming(open_for_all=True))
        self.rules.values = self
        self.rules.limits = LimitsFile(self.path)
        self._desk = WriteDesk(self.rules, WriteRecords("plant", "plantgw:5001"))

    async def prepare(self, tags: Sequence[str]) -> None:
        pass

    def latest(self, tag: str) -> LiveValue | None:
        named = {name.casefold(): value for name, value in self.values.items()}
        if (name := tag.casefold().removesuffix("[]")) not in named:
            return None
        value = named[name]
        return LiveValue(tag, value, 192, DataType.UNSPECIFIED, "", (), 0, 1, clock.monotonic(), 0.0)

    async def admitted(self, *writes: tuple[str, Any]) -> Admission | str:
        entries = tuple(PendingEntry(server_handle=1, item_handle=1, tag=tag, value=value) for tag, value in writes)
        answer = await self._desk(PendingWrite("write_bulk", "plantgw:5001", "session-1", "c-1", entries))
        return answer if isinstance(answer, Admission) else str(answer)

    async def refused(self, *writes: tuple[str, Any]) -> str:
        """Return why a call is not sent; empty if it is."""
        answer = await self.admitted(*writes)
        return answer.refusal() if isinstance(answer, Admission) else answer


@pytest.mark.parametrize(
    ("tag", "value", "text"),
    [
        ("Tank.SP", 60, ""),
        ("Tank.SP", 61, "step: 61 is 11 from 50, more than 10 (limits.toml:3)"),
        ("tank.sp", 101, "max: 101 is above 100 (limits.toml:3)"),
        ("Tank.Free", "anything", ""),
        ("Tank.Why", 1, "needs a reason"),
        ("Tank.Asked", 1, "a person has to retype the tag"),
        ("Tank.No", 1, "writable: no value may be written (limits.toml:23: wired)"),
        ("Tank.Other", 1, "Tank.Other is named by no rule of limits.toml"),
        ("", 1, "unknown to this client"),
        ("Tank.Array", [2, 3], ""),
        ("Tank.Array[1]", 12, "step: 12 is 11 from 1"),
        ("Tank.Array[]", SparseArray(2, ((0, 5),)), ""),
        ("Tank.Array", SparseArray(3, ((0, 5),)), "it is an array of 2, and this is an array of 3"),
    ],
)
async def test_a_write_is_judged_by_the_rule_of_its_tag(tmp_path: Path, tag: str, value: Any, text: str) -> None:
    refused = await LimitedDesk(tmp_path).refused((tag, value))
    assert text in refused
    assert bool(text) == bool(refused)


async def test_a_reason_and_a_guard_that_holds_let_a_write_through(tmp_path: Path) -> None:
    desk = LimitedDesk(tmp_path)
    with given(reason="batch 7"):
        assert await desk.refused(("Tank.Why", 1)) == ""
    assert await desk.refused(("Tank.Guarded", 1)) == ""
    desk.values["Tank.Mode"] = "Hand"
    assert 'Tank.Mode is "Hand"' in await desk.refused(("Tank.Guarded", 1))


async def test_one_entry_that_is_refused_stops_the_call(tmp_path: Path) -> None:
    assert "above 100" in await LimitedDesk(tmp_path).refused(("Tank.Free", 1), ("Tank.SP", 101))


async def test_a_tag_that_a_call_writes_twice_is_not_where_it_was(tmp_path: Path) -> None:
    desk = LimitedDesk(tmp_path)
    assert "step: the change is unknown: the present value is stale" in await desk.refused(
        ("Tank.SP", 60), ("TANK.SP", 55)
    )
    assert await desk.refused(("Tank.Array[1]", 2), ("Tank.Array[2]", 3)) == ""
    assert "stale" in await desk.refused(("Tank.Array[]", [2, 3]), ("Tank.Array[2]", 3))
    assert "stale" in await desk.refused(("Tank.Array[2]", 3), ("Tank.Array", [2, 3]))


async def test_a_step_goes_from_what_was_sent_last_as_well_while_that_may_not_show_yet(tmp_path: Path) -> None:
    desk = LimitedDesk(tmp_path)
    first, second = await desk.admitted(("Tank.SP", 60)), await desk.admitted(("Tank.SP", 40))
    assert isinstance(first, Admission)
    assert isinstance(second, Admission)
    assert first.refusal() == ""
    # The plant still shows 50, as after a write through another handle or session.
    assert "step: 40 is 20 from 60, which was sent last, more than 10" in second.refusal()
    assert "40 is 20 from 60, which was sent last" in await desk.refused(("Tank.SP", 40))
    assert await desk.refused(("Tank.SP", 55)) == ""


async def test_the_writes_of_a_minute_count_whichever_part_of_an_array_they_go_to(tmp_path: Path) -> None:
    desk = LimitedDesk(tmp_path)
    assert await desk.refused(("Tank.Array", [1, 2])) == ""
    assert await desk.refused(("Tank.Array[1]", 2)) == ""
    assert "writes_per_minute: 3 within the last minute" in await desk.refused(
        ("Tank.Array[1]", 2), ("Tank.Array[2]", 2)
    )
    assert await desk.refused(("tank.array[]", [1, 2])) == ""
    assert "3 within the last minute, of 3" in await desk.refused(("Tank.Array[1]", 2))


async def test_a_write_that_is_refused_does_not_count(tmp_path: Path) -> None:
    desk = LimitedDesk(tmp_path)
    for _ in range(5):
        assert await desk.refused(("Tank.SP", 500))
    assert await desk.refused(("Tank.SP", 50)) == ""


async def test_a_file_that_changes_before_the_sending_decides(tmp_path: Path) -> None:
    desk = LimitedDesk(tmp_path)
    admission = await desk.admitted(("Tank.SP", 60))
    assert isinstance(admission, Admission)
    other = tmp_path / "new"
    other.write_text(LIMITS.replace("max = 100", "max = 59"))
    other.replace(desk.path)
    assert "60 is above 59" in admission.refusal()


@pytest.mark.parametrize("changed_before", [False, True])
async def test_a_file_that_changes_while_a_person_is_asked_voids_the_selection(
    tmp_path: Path, changed_before: bool
) -> None:
    desk = LimitedDesk(tmp_path, LIMITS.replace('confirm = "tag"', 'confirm = "yes"'))

    def replace_file(text: str) -> None:
        other = tmp_path / "new"
        other.write_text(text)
        other.replace(desk.path)

    async def ask(selection: Selection) -> str:
        replace_file(LIMITS)
        return "y"

    if changed_before:
        replace_file(desk.path.read_text() + "\n")
    desk.rules.ask = ask
    assert await desk.refused(("Tank.Asked", 1)) == "the selection is void: the limits were read again"


async def test_a_file_with_a_mistake_lets_nothing_through(tmp_path: Path) -> None:
    desk = LimitedDesk(tmp_path, LIMITS + "max = nan")
    assert "limits.toml:26: max must be a number" in await desk.refused(("Tank.Free", 1))
    assert "limits.toml:26" in await desk.refused(("Tank.Other", 1))
