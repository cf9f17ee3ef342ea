"""The desk of a connection: what it lets through, what it asks, and that what was shown is what is sent."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings, strategies as st

from zb_mom_ww_mxgateway import (
    Admission,
    Float32,
    PendingEntry,
    PendingWrite,
    SparseArray,
    WriteAnswer,
    WriteOutcome,
    WriteResult,
)
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.safety.arming import Arming
from zb_mom_ww_mxgateway.safety.desk import WriteDesk
from zb_mom_ww_mxgateway.safety.selection import LEVELS, SELECTION_SECONDS, Level, SelectedEntry, Selection
from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts
from zb_mom_ww_mxgateway.safety.write_note import given as noted
from zb_mom_ww_mxgateway.safety.write_records import WriteRecords
from zb_mom_ww_mxgateway.safety.write_rules import WriteRules
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.value_types import DataType

TAG = "Tank1.LevelSP"
GOOD, BAD = 192, 0


def value_of(tag: str, value: object, quality: int = GOOD, *, stale: bool = False) -> LiveValue:
    now = clock.monotonic()
    kind = DataType.INTEGER if isinstance(value, int) else DataType.DOUBLE
    return LiveValue(tag, value, quality, kind, "", (), 0, 1, now, 0.0, now if stale else None)  # type: ignore[arg-type]


@dataclass
class Plant:
    """Values by tag, and whether the session dropped."""

    values: dict[str, LiveValue] = field(default_factory=dict)
    sessions: int = 1

    async def prepare(self, tags: Sequence[str]) -> None:
        pass

    def latest(self, tag: str) -> LiveValue | None:
        return self.values.get(tag)

    def set(self, value: object, quality: int = GOOD, tag: str = TAG, *, stale: bool = False) -> None:
        self.values[tag] = value_of(tag, value, quality, stale=stale)


class Desk:
    """A desk on a plant of values, with a person whose answers are given by a function."""

    def __init__(self, level: Level = "none") -> None:
        self.plant = Plant()
        self.plant.set(50)
        self.arming = Arming()
        self.arming.arm(["Tank1.*"], 600)
        self.rules = WriteRules(self.arming, level)
        self.rules.values = self.plant
        self.rules.connection_mark = lambda: self.plant.sessions
        self.records = WriteRecords("plant", "plantgw:5001")
        self.desk = WriteDesk(self.rules, self.records)
        self.shown: list[Selection] = []
        self._number = 0

    def asks(self, answer: Callable[[Selection], str]) -> None:
        async def ask(selection: Selection) -> str:
            self.shown.append(selection)
            return answer(selection)

        self.rules.ask = ask

    def write(self, value: object = 60, tag: str = TAG, **more: int) -> PendingWrite:
        self._number += 1
        entry = PendingEntry(server_handle=1, item_handle=1, tag=tag, value=value, **more)  # type: ignore[arg-type]
        return PendingWrite("write", "plantgw:5001", "session-1", f"c-{self._number}", (entry,))

    async def sent(self, pending: PendingWrite) -> str:
        """Return why it is not sent; empty if it is."""
        answer = await self.desk(pending)
        if not isinstance(answer, Admission):
            return str(answer)
        return answer.refusal()


async def test_what_is_not_armed_is_refused_before_anybody_is_asked() -> None:
    desk = Desk("yes")
    desk.asks(lambda selection: pytest.fail("nobody is asked"))
    assert "Pump1.Run is not among the tags that are armed" in await desk.sent(desk.write(tag="Pump1.Run"))
    desk.arming.disarm("it is late")
    assert "read-only, it is late" in await desk.sent(desk.write())
    assert "tag is unknown" in await desk.sent(desk.write(tag=""))


async def test_arming_that_ends_between_the_answer_and_the_sending_stops_the_write() -> None:
    desk = Desk()
    admission = await desk.desk(desk.write())
    assert isinstance(admission, Admission)
    desk.arming.disarm("the time is over")
    assert "the time is over" in admission.refusal()


@pytest.mark.parametrize(
    ("level", "value", "right", "wrong"),
    [
        ("yes", 60, ["y", "yes", " YES "], ["", "n", "no", "60", TAG]),
        ("value", 60, ["60", "60.0", " 60 "], ["", "y", "yes", "61", TAG, "6O"]),
        ("value", 60.5, ["60.5", "60.50"], ["60", "60,5", "yes"]),
        ("value", True, ["true", "True"], ["1", "yes", ""]),
        ("value", "auto", ["auto"], ["Auto", "AUTO", ""]),
        ("value", 9007199254740993, ["9007199254740993"], ["9007199254740992"]),
        ("value", Float32(0.1), ["0.1", "0.10"], ["0.11", "0"]),
        ("value", datetime(2026, 10, 2, 8, 14, tzinfo=UTC), ["2026-10-02T08:14:00Z"], ["2026-10-02"]),
        ("value", None, ["null"], ["", "None"]),
        # What cannot be typed as it is, is answered by the tag.
        ("value", "", [TAG], [""]),
        ("value", " auto", [TAG], ["auto", ""]),
        ("value", "two\nlines", [TAG], ["two", ""]),
        ("value", [1, 2, 3], [TAG], ["[1, 2, 3]", ""]),
        ("value", SparseArray(3, ((0, 5),)), [TAG], ["5", "3", ""]),
        ("tag", 60, [TAG], [TAG.lower(), "Tank1", "60", "y", ""]),
    ],
)
async def test_each_level_has_its_answer(level: Level, value: object, right: list[str], wrong: list[str]) -> None:
    for answer in right:
        desk = Desk(level)
        desk.asks(lambda selection, answer=answer: answer)  # type: ignore[misc]
        assert not await desk.sent(desk.write(value)), answer
    for answer in wrong:
        desk = Desk(level)
        desk.asks(lambda selection, answer=answer: answer)  # type: ignore[misc]
        assert "the selection is void" in await desk.sent(desk.write(value)), answer


@pytest.mark.parametrize(
    ("entries", "wanted"),
    [
        ((PendingEntry(server_handle=1, item_handle=7, value=[1]),), "item 7 on server 1"),
        ((PendingEntry(alarm="Galaxy!Tank1.Hi"),), "Galaxy!Tank1.Hi"),
        ((PendingEntry(tag=TAG, value=1), PendingEntry(tag="Tank1.Other", value=2)), "2"),
        ((), "write_bulk"),
    ],
)
@pytest.mark.parametrize("level", ["value", "tag"])
def test_a_strict_level_has_an_answer_whatever_is_written(
    entries: tuple[PendingEntry, ...], wanted: str, level: Level
) -> None:
    for answer in ("", " ", "y", "yes", wanted):
        selection = Selection(
            [SelectedEntry(each, TagFacts(), None, (), "", 0.0, None) for each in entries],
            level,
            call="write_bulk",
            endpoint="",
            reason="",
            look=str,
        )
        assert selection.wanted == wanted
        assert selection.is_answered_by(answer) == (answer == wanted)
        assert bool(selection.void()) == (answer != wanted)


@pytest.mark.parametrize("level", LEVELS[1:])
async def test_where_nobody_can_be_asked_nothing_is_sent(level: Level) -> None:
    desk = Desk(level)
    assert "there is no terminal to ask at" in await desk.sent(desk.write())
    desk.rules.assume_yes = True
    assert bool(await desk.sent(desk.write())) is (level != "yes")


async def test_a_selection_shows_what_is_known_of_the_tag() -> None:
    desk = Desk("yes")
    desk.asks(lambda selection: "y")

    async def facts(tags: Sequence[str], /, *, for_a_person: bool) -> Mapping[str, TagFacts]:
        assert for_a_person
        return {tag: TagFacts("level setpoint", "Double", "%", 1) for tag in tags}

    desk.rules.facts_of = facts
    assert not await desk.sent(desk.write(60))
    (selection,) = desk.shown
    (entry,) = selection.entries
    assert (entry.name, entry.facts.description, entry.old and entry.old.value, entry.difference) == (
        TAG,
        "level setpoint",
        50,
        10,
    )
    assert entry.last_write is None
    assert entry.was_changed_since is None
    desk.plant.set(60)
    assert not await desk.sent(desk.write(61))
    (entry,) = desk.shown[-1].entries
    assert entry.last_write is not None
    assert entry.was_changed_since is False
    desk.plant.set(44)
    assert not await desk.sent(desk.write(61))
    assert desk.shown[-1].entries[0].was_changed_since is True


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (lambda desk: desk.plant.set(51), "moved from 50 to 51"),
        (lambda desk: desk.plant.set(50, BAD), "went from good to bad"),
        (lambda desk: desk.plant.set(50, stale=True), "whether Tank1.LevelSP still has its value is unknown"),
        (lambda desk: desk.plant.values.clear(), "has no value now"),
        (lambda desk: setattr(desk.plant, "sessions", 2), "the session dropped"),
        (lambda desk: desk.arming.disarm("the phone rang"), "the phone rang"),
    ],
)
@pytest.mark.parametrize("is_late", [False, True], ids=["before the answer", "after the answer"])
async def test_a_selection_is_void_when_what_it_shows_changes(
    happens: Callable[[Desk], None], said: str, is_late: bool
) -> None:
    desk = Desk("yes")
    desk.asks(lambda selection: "y" if is_late else (happens(desk), "y")[1])
    admission = await desk.desk(desk.write())
    if is_late:
        assert isinstance(admission, Admission)
        happens(desk)
        refused = admission.refusal()
    else:
        refused = str(admission)
    assert said in refused


class HandClock:
    """A clock that a test moves, on a machine that never sleeps."""

    def __init__(self) -> None:
        self.now = clock.monotonic()

    def with_sleep(self) -> float:
        return self.now

    def without_sleep(self) -> float:
        return self.now


async def test_writes_at_the_same_time_are_asked_about_one_after_the_other() -> None:
    """As of ``write_many``: each question has its 30 s, and shows what is so when it is its turn."""
    hand = HandClock()

    async def ask(selection: Selection) -> str:
        desk.shown.append(selection)
        await asyncio.sleep(0)
        hand.now += SELECTION_SECONDS - 1
        desk.plant.set(50 + len(desk.shown), tag="Tank1.Other")
        return "y"

    with clock.replaced(hand):
        desk = Desk("yes")
        desk.rules.ask = ask
        desk.plant.set(50, tag="Tank1.Other")
        answers = await asyncio.gather(*(desk.desk(desk.write(tag=tag)) for tag in (TAG, "Tank1.Other", "Tank1.Other")))
    assert [isinstance(each, Admission) for each in answers] == [True, False, False]
    assert "moved from 51 to 52" in str(answers[1])
    assert "moved from 52 to 53" in str(answers[2])
    assert [each.entries[0].old and each.entries[0].old.value for each in desk.shown] == [50, 51, 52]


async def test_a_value_that_comes_back_does_not_make_a_void_selection_good_again() -> None:
    desk = Desk("yes")

    def answer(selection: Selection) -> str:
        desk.plant.set(51)
        assert selection.void()
        desk.plant.set(50)
        return "y"

    desk.asks(answer)
    assert "moved from 50 to 51" in await desk.sent(desk.write())


async def test_a_selection_expires_and_is_used_once() -> None:
    with clock.replaced(sleep := clock.SimulatedSleep()):
        desk = Desk("yes")
        # Time that is not sleep: arming has its own eye on a machine that slept.
        desk.rules.arming = Arming(open_for_all=True)
        desk.asks(lambda selection: (sleep.sleep(SELECTION_SECONDS), "y")[1])
        assert "it expired after 30 s" in await desk.sent(desk.write())
        desk.asks(lambda selection: "y")
        admission = await desk.desk(desk.write())
        assert isinstance(admission, Admission)
        assert not admission.refusal()
        assert "it was used" in admission.refusal()


async def test_a_caller_can_say_what_the_tag_must_still_be() -> None:
    desk = Desk()
    with noted(expected={TAG.lower(): 50}):
        assert not await desk.sent(desk.write())
        desk.plant.set(49)
        assert "is 49 now, not 50 as expected" in await desk.sent(desk.write())
        desk.plant.set(50, stale=True)
        assert "no good live value" in await desk.sent(desk.write())
        desk.plant.set(50, BAD)
        assert "no good live value" in await desk.sent(desk.write())
    assert not await desk.sent(desk.write())


@pytest.mark.parametrize(
    ("security", "user", "verifier", "said"),
    [
        (1, 0, 0, ""),
        (2, 0, 0, "is a SecuredWrite tag: a user has to sign"),
        (2, 7, 0, ""),
        (3, 7, 0, "is a VerifiedWrite tag"),
        (3, 7, 7, "user 7 signs and verifies"),
        (3, 7, 8, ""),
        (None, 7, 7, "user 7 signs and verifies"),
        (None, 0, 0, ""),
    ],
)
async def test_who_must_sign_signs_whoever_makes_the_call(
    security: int | None, user: int, verifier: int, said: str
) -> None:
    desk = Desk()

    async def facts(tags: Sequence[str], /, *, for_a_person: bool) -> Mapping[str, TagFacts]:
        return {tag: TagFacts(security=security) for tag in tags}

    desk.rules.facts_of = facts
    refused = await desk.sent(desk.write(user_id=user, verifier_user_id=verifier))
    assert said in refused
    assert bool(refused) is bool(said)


async def test_what_waits_to_be_put_back_is_let_through_and_nothing_else() -> None:
    desk = Desk("tag")
    desk.rules.awaits_revert = lambda tag, value: (tag, value) == (TAG, 42)
    desk.arming.disarm("the time is over")
    with noted(reverts=True):
        assert not await desk.sent(desk.write(42))
        assert "read-only" in await desk.sent(desk.write(43))
        assert "read-only" in await desk.sent(desk.write(42, "Tank1.Other"))
    assert "read-only" in await desk.sent(desk.write(42))


async def test_an_action_that_is_broken_off_while_a_person_is_asked_is_recorded() -> None:
    desk = Desk("yes")
    desk.asks(lambda selection: (_ for _ in ()).throw(KeyboardInterrupt))  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        await desk.desk(desk.write())


async def test_the_other_connection_that_writes_the_same_tag_is_named() -> None:
    one, other, elsewhere = Desk(), Desk(), Desk()
    one.records.endpoint = other.records.endpoint = "plantgw:6001"  # No other test's connections are there.
    other.records.name = "other"
    assert isinstance(await elsewhere.desk(elsewhere.write()), Admission)
    told: list[str] = []
    other.records.notice = told.append
    first = await one.desk(one.write())
    assert isinstance(first, Admission)
    assert not await other.sent(other.write())
    assert told == [f"{TAG} is being written on the connection plant at this moment, too"]
    first.answered(WriteAnswer("accepted"))
    told.clear()
    # Accepted is not done: until its completion it is still under way, and then no more.
    assert isinstance(await other.desk(other.write()), Admission)
    assert [text for text in told if "plant" in text] == [
        f"{TAG} is being written on the connection plant at this moment, too"
    ]
    first.confirmed([WriteResult(WriteOutcome.COMPLETED)])
    told.clear()
    second = other.write()
    assert isinstance(await other.desk(second), Admission)
    assert [text for text in told if "plant" in text] == []


EVENTS = ("nothing", "moves", "bad", "stale", "gone", "drops", "disarms", "expires", "same value again", "other tag")
VOIDING = {"moves", "bad", "stale", "gone", "drops", "disarms", "expires"}


@given(
    before=st.lists(st.sampled_from(EVENTS), max_size=3),
    after=st.lists(st.sampled_from(EVENTS), max_size=3),
    level=st.sampled_from(LEVELS[1:]),
    is_right=st.booleans(),
)
@settings(max_examples=300, deadline=None)
async def test_whatever_happens_between_select_and_operate_a_void_selection_sends_nothing(
    before: list[str], after: list[str], level: Level, is_right: bool
) -> None:
    with clock.replaced(sleep := clock.SimulatedSleep()):
        desk = Desk(level)

        def happen(events: list[str]) -> None:
            for event in events:
                match event:
                    case "moves":
                        desk.plant.set(77)
                    case "bad":
                        desk.plant.set(50, BAD)
                    case "stale":
                        desk.plant.set(50, stale=True)
                    case "gone":
                        desk.plant.values.clear()
                    case "drops":
                        desk.plant.sessions += 1
                    case "disarms":
                        desk.arming.disarm("disarmed")
                    case "expires":
                        sleep.sleep(SELECTION_SECONDS + 1)
                    case "same value again":
                        if TAG in desk.plant.values and desk.plant.values[TAG] == replace(
                            desk.plant.values[TAG], value=50
                        ):
                            desk.plant.values[TAG] = replace(desk.plant.values[TAG], changes=9)
                    case "other tag":
                        desk.plant.set(1, tag="Tank2.Level")

        def answer(selection: Selection) -> str:
            happen(before)
            return selection.wanted if is_right else "certainly not"

        desk.asks(answer)
        admission = await desk.desk(desk.write())
        happen(after)
        refused = admission.refusal() if isinstance(admission, Admission) else str(admission)
    # An event that is undone before it was looked at counts as well only where somebody looked; these are not undone.
    is_void = bool(VOIDING & {*before, *after}) or not is_right
    assert bool(refused) is is_void, (refused, before, after)
