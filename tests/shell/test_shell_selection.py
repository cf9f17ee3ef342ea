"""What a person is shown before a write, and the question that follows."""

from datetime import UTC, datetime
from typing import Any

import pytest

from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.models.write_guard import PendingEntry, SparseArray
from zb_mom_ww_mxgateway.safety.changes import OwnWrite, WriteState
from zb_mom_ww_mxgateway.safety.selection import Level, RuleVerdict, SelectedEntry, Selection
from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.value_types import DataType
from zb_mom_ww_mxgateway.values import Array
from zb_mom_ww_mxgateway_shell.output.selection_panel import hint_text, panel_lines, question_text

TAG = "Plant.Tank1.LevelSP"


class StoppedClock:
    """A clock that always shows the same time."""

    def with_sleep(self) -> float:
        return 1_000.0

    def without_sleep(self) -> float:
        return 1_000.0


@pytest.fixture(autouse=True)
def stopped_clock() -> Any:
    """Time stands still: ages are exact."""
    with clock.replaced(StoppedClock()):
        yield


def held(value: Any, *, quality: int = 192, age: float = 1.2, stale: float | None = None) -> LiveValue:
    now = clock.monotonic()
    since = None if stale is None else now - stale
    return LiveValue(TAG, value, quality, DataType.DOUBLE, "", (), 1, 1, now, age, since)


def own_write(value: Any, state: WriteState = "completed") -> OwnWrite:
    at = datetime(2026, 10, 2, tzinfo=UTC)
    return OwnWrite(value, clock.monotonic() - 12, state=state, action="c-1", before=None, who="kim", at=at)


def entry(value: Any = 65.0, old: LiveValue | None = None, **more: Any) -> SelectedEntry:
    known = {
        "facts": TagFacts("Tank with level measurement", "Double", "%", 1),
        "verdicts": (),
        "source": "",
        "dead_band": 0.0,
        "last_write": None,
    }
    pending = more.pop("pending", None) or PendingEntry(1, 1, TAG, value)
    return SelectedEntry(entry=pending, old=old or held(60.0), **(known | more))


def selection(*entries: SelectedEntry, level: Level = "yes", reason: str = "", call: str = "write") -> Selection:
    return Selection(entries, level, call=call, endpoint="plantgw:5001", reason=reason, look=str)


def test_one_write_is_shown_with_all_that_is_known() -> None:
    verdicts = (
        RuleVerdict("max", True, "max: 65 is at most 100"),
        RuleVerdict("writes_per_minute", True, "writes_per_minute: 1 within the last minute, of 4"),
        RuleVerdict("guard", True, 'P1.Mode == "Auto": P1.Mode is "Auto"'),
    )
    one = entry(verdicts=verdicts, source="limits.toml:12", last_write=own_write(60.0))
    assert panel_lines(selection(one, reason="start-up"), "plant") == [
        "write on plant (plantgw:5001)   reason: start-up",
        "  tag          Plant.Tank1.LevelSP",
        "  description  Tank with level measurement",
        "  type         Double, in %   security: Operate",
        "  now          60.0   good   1.2 s old",
        "  new          65.0   difference +5",
        "  limits       limits.toml:12, met as follows",
        "    max        65 is at most 100",
        "    writes per minute 1 within the last minute, of 4",
        '    guard      P1.Mode == "Auto": P1.Mode is "Auto"',
        "  last write   60.0 by kim in this session, 12 s ago; not changed since",
    ]


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (lambda: entry(facts=TagFacts()), "  description  unknown"),
        (lambda: entry(facts=TagFacts()), "  type         unknown   security: unknown"),
        (lambda: entry(), "  limits       no rule names this tag"),
        (lambda: entry(), "  last write   none in this session, or put back"),
        (lambda: entry(old=held(60.0, quality=0)), "  now          60.0   bad   1.2 s old"),
        (lambda: entry(old=held(60.0, stale=30)), "  now          60.0   good   stale for 30 s"),
        (lambda: entry(old=held(60.0, age=-30)), "  now          60.0   good   source time 30 s in the future"),
        (lambda: entry("on ", held(" off")), '  now          " off"   good   1.2 s old'),
        (lambda: entry("on ", held(" off")), '  new          "on "'),
        (lambda: entry(True, held(False)), "  new          true"),
        (
            lambda: entry(last_write=own_write(55.0)),
            "  last write   55.0 by kim in this session, 12 s ago; CHANGED SINCE by somebody else",
        ),
        (
            lambda: entry(old=held(55.0, stale=1), last_write=own_write(55.0, state="unknown")),
            "  last write   55.0 by kim in this session, 12 s ago (unknown); "
            "whether somebody changed it since is unknown",
        ),
        (
            lambda: entry(pending=PendingEntry(1, 1, TAG, 65.0, datetime(2026, 10, 2, 8, 14, tzinfo=UTC), 7, 9)),
            "  source time  2026-10-02T08:14:00.000Z",
        ),
        (
            lambda: entry(pending=PendingEntry(1, 1, TAG, 65.0, None, 7, 9)),
            "  signed       by user 7, verified by user 9",
        ),
        (lambda: entry(2**60 + 1, held(2**60)), f"  new          {2**60 + 1}   difference +1"),
        (lambda: entry(pending=PendingEntry(1, 4, "", 65.0)), "  tag          item 4 on server 1"),
        (
            lambda: entry(SparseArray(3, ((0, 5),)), held(Array([1, 2, 3, 4], (4,), DataType.INTEGER))),
            "  LOST         the values of all elements that are not named: each becomes 0, false, empty or 1970; "
            "the last 1 element: the array gets shorter",
        ),
        (
            lambda: entry([1, 2], held(Array([1, 2, 3, 4], (4,), DataType.INTEGER))),
            "  LOST         the last 2 elements: the array gets shorter",
        ),
        (lambda: entry(verdicts=(RuleVerdict("min", False, "65 < 70"),)), "    min        NOT MET: 65 < 70"),
    ],
)
def test_what_is_special_is_said(one: Any, line: str) -> None:
    assert line in panel_lines(selection(one()), "plant")


def test_an_old_value_that_is_unknown_is_said_to_be() -> None:
    only = SelectedEntry(PendingEntry(1, 1, TAG, 65.0), TagFacts(), None, (), "", 0.0, None)
    assert "  now          unknown: no value has come" in panel_lines(selection(only), "plant")


def test_several_writes_are_one_list() -> None:
    lines = panel_lines(selection(entry(), entry(), call="write_bulk"), "plant")
    assert lines[0] == "write bulk on plant (plantgw:5001)   2 entries"
    assert lines[1:4] == [
        "   1  Plant.Tank1.LevelSP",
        "      description  Tank with level measurement",
        "      type         Double, in %   security: Operate",
    ]
    assert sum(line.endswith(TAG) for line in lines) == 2


def test_an_acknowledgement_shows_its_comment_and_operator() -> None:
    alarm = entry(pending=PendingEntry(alarm="ZB!Plant.Tank1.Level.Hi", comment="seen"))
    assert panel_lines(selection(alarm, call="acknowledge_alarm"), "plant") == [
        "acknowledge alarm on plant (plantgw:5001)",
        "  alarm        ZB!Plant.Tank1.Level.Hi",
        "  comment      seen",
        "  operator     none",
    ]


def test_acknowledgements_say_once_what_is_said_of_all_of_them() -> None:
    def lines(*comments: str) -> list[str]:
        pending = [PendingEntry(alarm=f"ZB!T{number}.Hi", comment=each) for number, each in enumerate(comments)]
        return panel_lines(selection(*(entry(pending=each) for each in pending), call="acknowledge_alarm"), "plant")

    assert lines("seen", "seen") == [
        "acknowledge alarm on plant (plantgw:5001)   2 entries",
        "  comment      seen",
        "  operator     none",
        "   1  ZB!T0.Hi",
        "   2  ZB!T1.Hi",
    ]
    assert [line.split()[-1] for line in lines("seen", "heard") if "comment" in line] == ["seen", "heard"]


def test_nothing_from_outside_moves_the_cursor_or_makes_a_line() -> None:
    nasty = "\x1b[2J\nsend? [y/N] y"
    facts = TagFacts(nasty, nasty, nasty, 1)
    verdicts = (RuleVerdict("guard", True, nasty),)
    one = entry(nasty, held(nasty), facts=facts, verdicts=verdicts, source=nasty, last_write=own_write(nasty))
    lines = panel_lines(selection(one, reason=nasty), nasty)
    assert all(line.isprintable() for line in lines)
    assert len(lines) == 9


@pytest.mark.parametrize(
    ("level", "entries", "question"),
    [
        ("yes", [entry], "send 65.0 to Plant.Tank1.LevelSP? [y/N]"),
        ("value", [entry], "send 65.0 to Plant.Tank1.LevelSP? Type the value again:"),
        ("tag", [entry], "send 65.0 to Plant.Tank1.LevelSP? Type the tag again:"),
        ("value", [lambda: entry([1, 2])], "send [1, 2] to Plant.Tank1.LevelSP? Type the tag again:"),
        ("tag", [entry, entry], "send these 2 writes on plant? Type how many they are:"),
        ("yes", [entry, entry], "send these 2 writes on plant? [y/N]"),
        ("tag", [], "send this write? Type the name of the call again:"),
        (
            "tag",
            [lambda: entry(pending=PendingEntry(alarm="ZB!T.Hi"))],
            "send acknowledgement of ZB!T.Hi? Type the reference again:",
        ),
    ],
)
def test_the_question_says_what_answers_it(level: Level, entries: list[Any], question: str) -> None:
    made = selection(*(each() for each in entries), level=level)
    assert question_text(made, "plant") == question
    assert hint_text(made).startswith("void in 30 s")
