"""Timed writes: what is noted before they are sent, what is put back and when, and what never is."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given, settings, strategies as st
from library_reverts import BAD, HandClock, MemoryFolder, MemoryPlant, RevertRig, moved_by_hand

from zb_mom_ww_mxgateway import LiveState, MxGatewayArgumentError, MxGatewayError, MxGatewayWriteBlockedError, Typed
from zb_mom_ww_mxgateway.errors import COMMAND_SECONDS
from zb_mom_ww_mxgateway.safety import write_note
from zb_mom_ww_mxgateway.safety.reverts import Revert, RevertStage

TAG = "Tank1.SP"


@pytest.fixture
def hand_clock() -> Iterator[HandClock]:
    with moved_by_hand() as made:
        yield made


@pytest.fixture
async def rig(hand_clock: HandClock) -> RevertRig:
    return RevertRig(MemoryPlant(**{TAG: 50, "Tank2.SP": 10}))


async def test_the_first_value_is_put_back_when_the_time_comes(rig: RevertRig, hand_clock: HandClock) -> None:
    await rig.write_for(TAG, 60, 30)
    hand_clock.now += 29
    await rig.reverts.look()
    assert rig.plant.values[TAG][0] == 60
    hand_clock.now += 1
    await rig.reverts.look()
    assert rig.plant.values[TAG][0] == 50
    assert (rig.events, rig.reverts.pending.all, rig.folder.files) == (["armed", "made"], [], {})
    assert rig.plant.ledger.open() == []


async def test_the_revert_is_on_disk_before_the_write_is_sent(rig: RevertRig) -> None:
    on_disk: list[tuple[object, ...]] = []

    def look() -> None:
        (record,) = rig.folder.files.values()
        on_disk.append((record.tag, record.original.value, [each.value for each in record.ours], record.endpoint))

    rig.plant.before_sending = look
    await rig.write_for(TAG, 60, 30)
    assert on_disk == [(TAG, 50, [60], "gw:1")]


async def test_nothing_is_sent_where_the_revert_cannot_be_noted(rig: RevertRig) -> None:
    rig.folder.error = OSError(28, "No space left on device")
    with pytest.raises(MxGatewayWriteBlockedError, match="No space left on device; nothing was sent"):
        await rig.write_for(TAG, 60, 30)
    assert (rig.plant.writes, rig.reverts.pending.all) == ([], [])


@pytest.mark.parametrize("outcome", ["refused", "blocked", "lost session"])
async def test_a_write_that_was_refused_leaves_no_revert(rig: RevertRig, hand_clock: HandClock, outcome: str) -> None:
    rig.plant.outcomes = [outcome]
    try:
        await rig.write_for(TAG, 60, 30)
    except MxGatewayError:
        assert outcome != "refused"
    assert (rig.events, rig.reverts.pending.all, rig.folder.files) == (["void"], [], {})


@pytest.mark.parametrize("outcome", ["unknown", "accepted"])
async def test_a_lost_reply_leaves_a_revert_that_is_pending(
    rig: RevertRig, hand_clock: HandClock, outcome: str
) -> None:
    rig.plant.outcomes = [outcome]
    await rig.write_for(TAG, 60, 30)
    assert rig.reverts.pending.of(TAG) is not None
    assert len(rig.folder.files) == 1
    hand_clock.now += 30
    await rig.reverts.look()
    # It has its first value, but the write may still happen.
    assert rig.reverts.pending.of(TAG) is not None
    rig.plant.happens(TAG, 60)
    await rig.reverts.look()
    assert rig.plant.values[TAG][0] == 50
    hand_clock.now += COMMAND_SECONDS
    await rig.reverts.look()
    assert (rig.events, rig.reverts.pending.all, rig.folder.files) == (["armed", "made"], [], {})


async def test_an_error_whose_outcome_is_unknown_leaves_a_revert_that_is_pending(rig: RevertRig) -> None:
    rig.plant.outcomes = ["raised"]
    with pytest.raises(MxGatewayError, match="lost"):
        await rig.write_for(TAG, 60, 30)
    assert rig.reverts.pending.of(TAG) is not None


async def test_a_write_that_was_interrupted_leaves_a_revert_that_is_pending(rig: RevertRig) -> None:
    waiting = asyncio.Event()

    async def send() -> None:
        waiting.set()
        await asyncio.Event().wait()

    item, before = rig.plant.item(TAG), rig.plant.value_of(TAG)
    task = asyncio.ensure_future(rig.reverts.write(item, before, Typed("int32", 60), 30, send))  # type: ignore[arg-type]  # It never returns.
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert rig.reverts.pending.of(TAG) is not None
    assert len(rig.folder.files) == 1


async def test_a_second_timed_write_keeps_the_first_value_and_has_its_own_time(
    rig: RevertRig, hand_clock: HandClock
) -> None:
    await rig.write_for(TAG, 60, 30)
    hand_clock.now += 20
    await rig.write_for(TAG, 70, 30)
    hand_clock.now += 20
    await rig.reverts.look()
    assert rig.plant.values[TAG][0] == 70
    hand_clock.now += 10
    await rig.reverts.look()
    assert rig.plant.values[TAG][0] == 50


async def test_a_second_timed_write_that_was_refused_changes_neither_value_nor_time(
    rig: RevertRig, hand_clock: HandClock
) -> None:
    await rig.write_for(TAG, 60, 30)
    rig.plant.outcomes = ["refused"]
    await rig.write_for(TAG, 70, 3600)
    hand_clock.now += 30
    await rig.reverts.look()
    assert rig.plant.values[TAG][0] == 50


async def test_a_write_without_a_time_leaves_the_revert_as_it_is(rig: RevertRig, hand_clock: HandClock) -> None:
    await rig.write_for(TAG, 60, 30)
    await rig.write(TAG, 62)
    hand_clock.now += 30
    await rig.reverts.look()
    assert rig.plant.values[TAG][0] == 50


async def test_the_first_value_is_that_before_the_timed_write_not_that_of_the_session(
    rig: RevertRig, hand_clock: HandClock
) -> None:
    await rig.write(TAG, 55)
    await rig.write_for(TAG, 60, 30)
    hand_clock.now += 30
    await rig.reverts.look()
    assert rig.plant.values[TAG][0] == 55
    (change,) = rig.plant.ledger.open()
    assert change.before is not None
    assert change.before.value == 50


async def test_the_value_of_somebody_else_stays_and_is_told(rig: RevertRig, hand_clock: HandClock) -> None:
    await rig.write_for(TAG, 60, 30)
    rig.plant.values[TAG] = 65, "stranger"
    hand_clock.now += 30
    await rig.reverts.look()
    await rig.reverts.look()
    assert rig.plant.values[TAG] == (65, "stranger")
    assert rig.events == ["armed", "asks"]
    (revert,) = rig.reverts.pending.all
    assert revert.stage is RevertStage.QUESTION
    (record,) = rig.folder.files.values()
    assert record.stage is RevertStage.QUESTION


async def test_a_value_that_comes_in_the_last_moment_stays(rig: RevertRig, hand_clock: HandClock) -> None:
    await rig.write_for(TAG, 60, 30)
    hand_clock.now += 30

    def interfere() -> None:
        rig.plant.values[TAG] = 65, "stranger"

    rig.plant.before_sending = interfere
    await rig.reverts.look()
    await rig.reverts.look()
    assert rig.plant.values[TAG] == (65, "stranger")
    assert rig.events == ["armed", "asks"]


async def test_a_person_who_agrees_overwrites_only_the_value_that_was_shown(
    rig: RevertRig, hand_clock: HandClock
) -> None:
    await rig.write_for(TAG, 60, 30)
    rig.plant.values[TAG] = 65, "stranger"
    hand_clock.now += 30
    await rig.reverts.look()
    (revert,) = rig.reverts.pending.all
    shown = rig.plant.value_of(TAG)
    rig.plant.values[TAG] = 66, "stranger"
    await rig.reverts.make_now(revert, shown)
    await rig.reverts.look()
    assert rig.plant.values[TAG] == (66, "stranger")
    await rig.reverts.make_now(revert, rig.plant.value_of(TAG))
    assert rig.plant.values[TAG][0] == 50
    assert (rig.reverts.pending.all, rig.folder.files) == ([], {})


async def test_a_timed_write_over_a_strangers_value_is_refused_while_a_revert_is_pending(rig: RevertRig) -> None:
    await rig.write_for(TAG, 60, 30)
    rig.plant.values[TAG] = 65, "stranger"
    with pytest.raises(MxGatewayWriteBlockedError, match="end that with revert or keep first; nothing was sent"):
        await rig.write_for(TAG, 70, 30)
    assert rig.plant.values[TAG] == (65, "stranger")


async def test_a_value_that_is_not_good_is_not_written_for_a_time(rig: RevertRig) -> None:
    rig.plant.quality = BAD
    with pytest.raises(MxGatewayWriteBlockedError, match="not good and live"):
        await rig.write_for(TAG, 60, 30)
    assert rig.plant.writes == []


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf"), 8 * 3600.0 + 1])
async def test_a_time_that_is_none_is_refused(rig: RevertRig, seconds: float) -> None:
    with pytest.raises(MxGatewayArgumentError):
        await rig.write_for(TAG, 60, seconds)
    assert (rig.plant.writes, rig.reverts.pending.all, rig.folder.files) == ([], [], {})


@given(st.one_of(st.floats(), st.integers()))
def test_a_time_is_in_the_future_or_refused(seconds: float) -> None:
    with moved_by_hand() as moved:
        revert = Revert("k", TAG, Typed("int32", 50), "anna", datetime.now(UTC))
        try:
            revert.begin(Typed("int32", 60), seconds)
        except MxGatewayArgumentError:
            assert revert.is_void
            return
        assert moved.now < revert.planned_at <= moved.now + 8 * 3600
        assert not revert.is_due


async def test_the_time_begins_when_the_write_is_sent(rig: RevertRig, hand_clock: HandClock) -> None:
    def a_person_thinks() -> None:
        hand_clock.now += 20

    rig.plant.before_sending = a_person_thinks
    await rig.write_for(TAG, 60, 30)
    rig.plant.before_sending = lambda: None
    hand_clock.now += 20
    await rig.reverts.look()
    assert rig.plant.values[TAG][0] == 60


async def test_after_sleep_of_the_machine_it_is_due_at_once_and_that_is_said(
    rig: RevertRig, hand_clock: HandClock
) -> None:
    await rig.write_for(TAG, 60, 30)
    hand_clock.sleep(3600)
    await rig.reverts.look()
    assert rig.plant.values[TAG][0] == 50
    assert rig.events == ["armed", "slept", "made"]
    assert rig.news[1].why == "3600"


async def test_it_waits_for_a_session_and_for_a_good_value_and_says_so_once(
    rig: RevertRig, hand_clock: HandClock
) -> None:
    async def look_for(seconds: int) -> None:
        for _ in range(seconds):
            hand_clock.now += 1
            await rig.reverts.look()

    await rig.write_for(TAG, 60, 30)
    hand_clock.now += 30
    rig.plant.state = LiveState.REBUILDING
    await look_for(2)
    assert rig.events == ["armed"], "most restarts are over sooner"
    await look_for(5)
    rig.plant.state, rig.plant.quality = LiveState.LIVE, BAD
    await look_for(5)
    assert rig.plant.values[TAG][0] == 60
    rig.plant.quality = 192
    await rig.reverts.look()
    assert rig.plant.values[TAG][0] == 50
    assert rig.events == ["armed", "delayed", "delayed", "made"]


async def test_a_revert_that_is_refused_is_loud_stays_and_can_be_tried_again(
    rig: RevertRig, hand_clock: HandClock
) -> None:
    await rig.write_for(TAG, 60, 30)
    hand_clock.now += 30
    rig.plant.outcomes = ["refused"]
    await rig.reverts.look()
    await rig.reverts.look()
    assert (rig.events, len(rig.plant.writes), len(rig.folder.files)) == (["armed", "failed"], 2, 1)
    (revert,) = rig.reverts.pending.all
    await rig.reverts.make_now(revert)
    assert (rig.plant.values[TAG][0], rig.folder.files) == (50, {})


async def test_a_revert_whose_outcome_is_unknown_is_not_sent_again(rig: RevertRig, hand_clock: HandClock) -> None:
    await rig.write_for(TAG, 60, 30)
    hand_clock.now += 30
    rig.plant.outcomes = ["late"]
    await rig.reverts.look()
    await rig.reverts.look()
    assert (rig.events, len(rig.plant.writes)) == (["armed", "unsure"], 2)
    rig.plant.happens(TAG, 50, reverts=True)
    await rig.reverts.look()
    assert (rig.events, rig.folder.files) == (["armed", "unsure", "made"], {})


async def test_a_revert_without_effect_is_a_failure_once_it_cannot_happen_any_more(
    rig: RevertRig, hand_clock: HandClock
) -> None:
    await rig.write_for(TAG, 60, 30)
    hand_clock.now += 30
    rig.plant.outcomes = ["unknown"]
    await rig.reverts.look()
    hand_clock.now += COMMAND_SECONDS
    await rig.reverts.look()
    assert (rig.events, len(rig.plant.writes), len(rig.folder.files)) == (["armed", "unsure", "failed"], 2, 1)


async def test_the_guard_sees_that_it_is_a_revert_only_while_it_is_made(rig: RevertRig, hand_clock: HandClock) -> None:
    covered: list[bool] = []
    rig.plant.before_sending = lambda: covered.append(rig.reverts.covers("TANK1.sp", 50))
    await rig.write_for(TAG, 60, 30)
    hand_clock.now += 30
    assert not rig.reverts.covers(TAG, 50)
    await rig.reverts.look()
    assert covered == [False, True]
    assert [note.reverts for note in rig.plant.notes] == [False, True]
    assert not rig.reverts.covers(TAG, 50)


async def test_what_is_said_about_one_write_is_not_said_about_the_revert_of_another(hand_clock: HandClock) -> None:
    rig = RevertRig(MemoryPlant(**{TAG: 50, "Tank2.SP": 10}), has_timer=True)
    with write_note.given(reason="to test tank 1", command="write Tank1.SP 60 --for 10m"):
        await rig.write_for(TAG, 60, 600)
    await rig.write_for("Tank2.SP", 20, 30)
    hand_clock.now += 600
    async with asyncio.timeout(30):
        while rig.reverts.pending.all:  # noqa: ASYNC110 - what ends it is a timer of the code under test
            await asyncio.sleep(0.01)
    said = sorted((note.command, note.reason) for note in rig.plant.notes if note.reverts)
    assert said == [("revert Tank1.SP", "to test tank 1"), ("revert Tank2.SP", "puts a timed write back")]
    await rig.reverts.aclose()


async def test_another_value_or_tag_is_not_covered(rig: RevertRig, hand_clock: HandClock) -> None:
    covered: list[bool] = []

    def look() -> None:
        covered.extend((rig.reverts.covers(TAG, 51), rig.reverts.covers("Tank2.SP", 50)))

    await rig.write_for(TAG, 60, 30)
    rig.plant.before_sending = look
    hand_clock.now += 30
    await rig.reverts.look()
    assert covered == [False, False]


async def test_nothing_is_put_back_while_a_timed_write_is_under_way(rig: RevertRig, hand_clock: HandClock) -> None:
    await rig.write_for(TAG, 60, 30)
    (revert,) = rig.reverts.pending.all
    looked: list[int] = []

    async def look_now() -> None:
        await rig.reverts.make_now(revert)
        looked.append(len(rig.plant.writes))

    task: list[asyncio.Task[None]] = []
    rig.plant.before_sending = lambda: task.append(asyncio.ensure_future(look_now()))
    await rig.write_for(TAG, 70, 30)
    await task[0]
    assert looked == [2]
    assert rig.plant.values[TAG][0] == 70


async def test_nothing_is_put_back_if_a_timed_write_begins_while_it_looks(
    rig: RevertRig, hand_clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.write_for(TAG, 60, 30)
    (revert,) = rig.reverts.pending.all
    hand_clock.now += 30

    async def caught_up() -> bool:
        revert.begin(70, 30)
        return True

    monkeypatch.setattr(rig.plant, "caught_up", caught_up)
    await rig.reverts.look()
    assert len(rig.plant.writes) == 1


async def test_what_is_kept_stays(rig: RevertRig, hand_clock: HandClock) -> None:
    await rig.write_for(TAG, 60, 30)
    await rig.reverts.keep(rig.reverts.pending.all[0])
    hand_clock.now += 30
    await rig.reverts.look()
    assert rig.plant.values[TAG][0] == 60
    assert (rig.events, rig.folder.files) == (["armed", "kept"], {})


async def test_at_the_end_everything_is_put_back_at_once(rig: RevertRig) -> None:
    await rig.write_for(TAG, 60, 3600)
    await rig.write_for("Tank2.SP", 20, 7200)
    assert await rig.reverts.finish(10) == []
    assert [each[0] for each in rig.plant.values.values()] == [50, 10]
    assert rig.folder.files == {}


async def test_at_the_end_what_cannot_be_put_back_is_returned_and_stays_on_disk(rig: RevertRig) -> None:
    await rig.write_for(TAG, 60, 3600)
    await rig.write_for("Tank2.SP", 20, 3600)
    rig.plant.outcomes = ["refused"]
    (left,) = await rig.reverts.finish(10)
    assert (left.stage, len(rig.folder.files)) == (RevertStage.FAILED, 1)


async def test_at_the_end_it_does_not_wait_for_ever(rig: RevertRig) -> None:
    await rig.write_for(TAG, 60, 3600)
    rig.plant.state = LiveState.STALE
    (left,) = await rig.reverts.finish(0)
    assert left.tag == TAG
    assert len(rig.folder.files) == 1


async def test_what_was_left_behind_is_never_made_without_a_person(hand_clock: HandClock) -> None:
    plant = MemoryPlant(**{TAG: 50})
    first = RevertRig(plant)
    await first.write_for(TAG, 60, 30)
    folder = MemoryFolder()
    folder.left = list(first.folder.files.values())
    second = RevertRig(plant, folder)
    hand_clock.now += 3600
    await second.reverts.look()
    (record,) = await second.reverts.pending.left_behind()
    revert = await second.reverts.pending.adopt(record)  # type: ignore[arg-type]  # It can be read.
    assert revert is not None
    await second.reverts.look()
    assert plant.values[TAG][0] == 60
    assert revert.planned == record.due_at  # type: ignore[union-attr]  # It can be read.
    assert await second.reverts.pending.adopt(record) is None  # type: ignore[arg-type]  # It can be read.
    plant.ledger.forget(plant.ledger.open()[0])  # It is that of the first process.
    await second.reverts.make_now(revert)
    assert plant.values[TAG][0] == 50
    assert plant.ledger.open() == [], "to put back what another process wrote is no change"
    # The write of the first one has an unknown outcome for this one.
    hand_clock.now += COMMAND_SECONDS
    await second.reverts.look()
    assert folder.files == {}


async def test_what_was_left_behind_and_is_made_is_watched_until_it_is_over(hand_clock: HandClock) -> None:
    plant = MemoryPlant(**{TAG: 50})
    first = RevertRig(plant)
    plant.outcomes = ["happened"]
    await first.write_for(TAG, 60, 30)
    folder = MemoryFolder()
    folder.left = list(first.folder.files.values())
    second = RevertRig(plant, folder, has_timer=True)
    (record,) = await second.reverts.pending.left_behind()
    revert = await second.reverts.pending.adopt(record)  # type: ignore[arg-type]  # It can be read.
    assert revert is not None
    await second.reverts.make_now(revert)
    assert (revert.stage, plant.values[TAG][0]) == (RevertStage.MADE, 50)
    hand_clock.now += COMMAND_SECONDS
    async with asyncio.timeout(30):
        while second.reverts.pending.all:  # noqa: ASYNC110 - what ends it is a timer of the code under test
            await asyncio.sleep(0.01)
    assert folder.files == {}
    await second.reverts.aclose()


async def test_what_belongs_to_another_gateway_is_not_offered(rig: RevertRig) -> None:
    await rig.write_for(TAG, 60, 30)
    (record,) = rig.folder.files.values()
    rig.folder.left = [replace(record, endpoint="other:1")]
    assert await rig.reverts.pending.left_behind() == []


async def test_the_timer_makes_it_by_itself(hand_clock: HandClock) -> None:
    rig = RevertRig(MemoryPlant(**{TAG: 50}), has_timer=True)
    await rig.write_for(TAG, 60, 30)
    hand_clock.now += 30
    async with asyncio.timeout(30):
        while rig.reverts.pending.all:  # noqa: ASYNC110 - what ends it is a timer of the code under test
            await asyncio.sleep(0.01)
    assert rig.plant.values[TAG][0] == 50
    await rig.reverts.aclose()


OUTCOMES = st.sampled_from(
    ["completed"] * 6 + ["refused", "unknown", "happened", "late", "accepted", "raised", "blocked", "lost session"]
)
KINDS = st.sampled_from(["timed"] * 4 + ["time"] * 4 + ["plain", "stranger", "keep", "lands", "interfered time"])
STEPS = st.lists(
    st.tuples(KINDS, st.sampled_from([TAG, TAG, "Tank2.SP"]), OUTCOMES, st.sampled_from([1, 5, 30, 80])),
    min_size=5,
    max_size=25,
)


@given(STEPS)
@settings(max_examples=300)
def test_a_revert_writes_only_its_own_first_value_over_one_of_ours(steps: list[tuple[str, str, str, int]]) -> None:
    """In a plant where each write has a value of its own, whose writer is known."""
    with moved_by_hand() as moved:
        asyncio.run(_taken(steps, moved))


async def _taken(steps: list[tuple[str, str, str, int]], moved: HandClock) -> None:
    plant = MemoryPlant(**{TAG: 1, "Tank2.SP": 2})
    rig = RevertRig(plant)
    first: dict[str, int] = {}
    due: dict[str, float] = {}
    for number, (what, tag, outcome, amount) in enumerate(steps, start=100):
        sent, value, had_one = len(plant.writes), plant.values[tag][0], rig.reverts.pending.of(tag) is not None
        match what:
            case "timed":
                plant.outcomes = [outcome]
                with suppress(MxGatewayError):
                    await rig.write_for(tag, number, amount)
                is_sent = len(plant.writes) > sent
                if not had_one:
                    first[tag] = value
                    # A refused write leaves none; a lost reply leaves one.
                    assert (rig.reverts.pending.of(tag) is not None) == (is_sent and outcome != "refused")
                if is_sent and outcome != "refused":
                    assert rig.reverts.pending.of(tag) is not None
                    due[tag] = moved.now + amount
            case "plain":
                plant.outcomes = [outcome]
                with suppress(MxGatewayError):
                    await rig.write(tag, number)
            case "stranger":
                plant.values[tag] = number, "stranger"
            case "keep" if revert := rig.reverts.pending.of(tag):
                await rig.reverts.keep(revert)
            case "lands" if plant.late:
                plant.happens(*plant.late.pop(0))
            case "time" | "interfered time":
                if amount >= COMMAND_SECONDS:
                    plant.late.clear()
                moved.now += amount
                plant.outcomes = [outcome]
                if what == "interfered time":
                    plant.before_sending = partial(plant.values.update, {tag: (number, "stranger")})
                await rig.reverts.look()
                plant.before_sending = lambda: None
                for written, back in plant.writes[sent:]:
                    assert back == first[written], "the value before its own first timed write"
                    assert due[written] <= moved.now, "not before its time"
        plant.outcomes = []
        assert not any(whose == "stranger" and reverts for _, whose, reverts in plant.replaced)
        await asyncio.sleep(0)
        assert sorted(each.tag for each in rig.folder.files.values()) == sorted(
            each.tag for each in rig.reverts.pending.all
        )
    plant.late.clear()
    for _ in range(4):
        moved.now += 100
        await rig.reverts.look()
    for revert in rig.reverts.pending.all:
        assert revert.stage in (RevertStage.QUESTION, RevertStage.FAILED)
    await rig.reverts.aclose()


def test_due_times_on_disk_are_those_of_the_clock() -> None:
    """To the second: the file is for a person at the next start."""

    async def check() -> None:
        with moved_by_hand():
            rig = RevertRig(MemoryPlant(**{TAG: 1}))
            await rig.write_for(TAG, 60, 600)
            (record,) = rig.folder.files.values()
            assert abs(record.due_at - datetime.now(UTC) - timedelta(minutes=10)) < timedelta(seconds=60)
            assert record.due_monotonic == 1600.0

    asyncio.run(check())
