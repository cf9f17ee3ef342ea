"""What a connection changed and has not put back: the first value, whose value is there now, and when it is over."""

import gc
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st
from library_reverts import BAD, GOOD, HandClock, held, moved_by_hand

from zb_mom_ww_mxgateway import DataType, Float32, LiveValue, PendingEntry, PendingWrite, SparseArray
from zb_mom_ww_mxgateway.errors import COMMAND_SECONDS
from zb_mom_ww_mxgateway.safety.changes import ChangeLedger, OwnWrite, Standing, TagChange, WriteState
from zb_mom_ww_mxgateway.safety.written_values import is_as_written
from zb_mom_ww_mxgateway.values import Array


@pytest.fixture
def hand_clock() -> Iterator[HandClock]:
    with moved_by_hand() as made:
        yield made


def write(
    ledger: ChangeLedger,
    action: str,
    value: object,
    before: LiveValue | None,
    *states: WriteState,
    tag: str = "Tank1.SP",
) -> None:
    """Write one tag; its outcomes follow each other."""
    entry = PendingEntry(server_handle=1, item_handle=2, tag=tag, value=value)
    ledger.sent(PendingWrite("write", "gw:1", "session-1", action, (entry,)), [before], who="anna")
    for state in states:
        ledger.result(action, 0, state)


def only(ledger: ChangeLedger) -> TagChange:
    (change,) = ledger.open()
    return change


@pytest.mark.parametrize("state", ["refused", "not sent"])
def test_a_refused_write_changed_nothing(state: WriteState) -> None:
    ledger = ChangeLedger()
    write(ledger, "a", 60, held(50), state)
    assert ledger.open() == []


def test_a_write_that_mxaccess_refuses_after_it_was_accepted_changed_nothing() -> None:
    ledger = ChangeLedger()
    write(ledger, "a", 60, held(50), "accepted", "refused")
    assert ledger.open() == []


@pytest.mark.parametrize("state", ["unknown", "accepted"])
def test_an_uncertain_write_may_have_changed_the_tag(state: WriteState) -> None:
    ledger = ChangeLedger()
    write(ledger, "a", 60, held(50), state)
    assert not only(ledger).is_certain
    assert only(ledger).ours == [60]


def test_a_second_write_keeps_the_first_value() -> None:
    ledger = ChangeLedger()
    write(ledger, "a", 60, held(50), "completed")
    write(ledger, "b", 70, held(60), "completed", tag="TANK1.sp")
    change = only(ledger)
    assert change.before is not None
    assert change.before.value == 50
    assert (change.last.value, change.last.who, change.ours) == (70, "anna", [70])


@pytest.mark.parametrize(
    ("first", "second"), [("Tank1.SP[3]", "tank1.sp[003]"), ("Tank1.SP", "Tank1.SP[]"), ("Tank1.SP[]", "Tank1.SP")]
)
def test_another_spelling_of_an_item_keeps_its_first_value(first: str, second: str) -> None:
    ledger = ChangeLedger()
    write(ledger, "a", 60, held(50), "completed", tag=first)
    write(ledger, "b", 70, held(60), "completed", tag=second)
    change = only(ledger)
    assert change.before is not None
    assert (change.before.value, change.ours) == (50, [70])


def test_the_first_value_is_that_of_the_first_write_that_was_not_refused() -> None:
    ledger = ChangeLedger()
    write(ledger, "a", 60, held(50))
    write(ledger, "b", 70, held(55), "completed")
    ledger.result("a", 0, "refused")
    change = only(ledger)
    assert change.before is not None
    assert change.before.value == 55


def test_an_acknowledgement_is_no_change() -> None:
    ledger = ChangeLedger()
    ledger.sent(PendingWrite("acknowledge_alarm", "gw:1", "", "a", (PendingEntry(alarm="Galaxy!Tank1.Hi"),)), [None])
    ledger.result("a", 0, "completed")
    assert ledger.open() == []


def test_each_entry_of_a_bulk_write_has_its_own_outcome() -> None:
    ledger = ChangeLedger()
    entries = tuple(PendingEntry(1, number, f"Tank{number}.SP", 60) for number in (1, 2, 3))
    ledger.sent(PendingWrite("write_bulk", "gw:1", "session-1", "a", entries), [held(50), held(51), None])
    for number, state in enumerate(("completed", "refused", "unknown")):
        ledger.result("a", number, state)  # type: ignore[arg-type]  # The states above.
    assert sorted(each.tag for each in ledger.open()) == ["Tank1.SP", "Tank3.SP"]
    unknown = ledger.of("tank3.sp")
    assert unknown is not None
    assert unknown.before is None


def test_writes_of_calls_long_ago_are_not_kept_however_many_each_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway.safety.changes._MOST_UNDER_WAY", 250)
    ledger = ChangeLedger()
    entries = tuple(PendingEntry(1, number, f"Tank{number}.SP", 60) for number in range(100))
    for number in range(1_000):
        ledger.sent(PendingWrite("write_bulk", "gw:1", "session-1", str(number), entries), [])
        for entry in range(len(entries)):
            ledger.result(str(number), entry, "completed")
    gc.collect()
    # Those of the last calls, and of each tag the first and the newest.
    assert sum(isinstance(each, OwnWrite) for each in gc.get_objects()) <= 100 * 65


def test_a_tag_that_has_its_first_value_again_is_put_back(hand_clock: HandClock) -> None:
    ledger = ChangeLedger()
    write(ledger, "a", 60, held(50), "completed")
    write(ledger, "b", 50, held(60), "completed")
    assert ledger.open() == []


def test_an_uncertain_write_keeps_a_change_open_until_it_cannot_happen_any_more(hand_clock: HandClock) -> None:
    ledger = ChangeLedger()
    write(ledger, "a", 60, held(50), "unknown")
    write(ledger, "b", 50, held(50), "completed")
    assert only(ledger).may_still_happen_for == COMMAND_SECONDS
    assert 60 in only(ledger).ours
    hand_clock.now += COMMAND_SECONDS
    assert ledger.open() == []


def test_numbers_are_stable_and_the_newest_change_is_first(hand_clock: HandClock) -> None:
    ledger = ChangeLedger()
    for number, tag in enumerate(("Tank1.SP", "Tank2.SP", "Tank3.SP")):
        hand_clock.now += 1
        write(ledger, str(number), 60, held(50), "completed", tag=tag)
    hand_clock.now += 1
    write(ledger, "back", 50, held(60), "completed", tag="Tank2.SP")
    assert [(each.number, each.tag) for each in ledger.open()] == [(3, "Tank3.SP"), (1, "Tank1.SP")]
    write(ledger, "again", 60, held(50), "completed", tag="Tank2.SP")
    assert ledger.open()[0].number == 4
    assert ledger.numbered(2) is None


@pytest.mark.parametrize(
    ("present", "standing"),
    [
        (held(60), Standing.OURS),
        (held(50), Standing.BEFORE),
        (held(61), Standing.ANOTHER),
        (held(60, quality=BAD), Standing.UNSURE),
        (held(60, stale=True), Standing.UNSURE),
        (None, Standing.UNSURE),
    ],
)
def test_whose_value_is_there(present: LiveValue | None, standing: Standing) -> None:
    ledger = ChangeLedger()
    write(ledger, "a", 60, held(50), "completed")
    assert only(ledger).standing(present) is standing


def test_a_sparse_array_is_there_where_all_other_elements_have_their_default() -> None:
    written = SparseArray(3, ((1, 7),))
    assert is_as_written(written, Array([0, 7, 0], (3,), DataType.INTEGER))
    assert not is_as_written(written, Array([0, 7, 1], (3,), DataType.INTEGER))
    assert not is_as_written(written, Array([0, 7], (2,), DataType.INTEGER))
    assert not is_as_written(written, 7)


@pytest.mark.parametrize(
    ("value", "data_type", "variant_type", "type_name"),
    [
        (50, DataType.INTEGER, "VT_I4", "int32"),
        (50, DataType.INTEGER, "VT_I8", "int64"),
        (Float32(0.1), DataType.FLOAT, "VT_R4", "float"),
        (0.1, DataType.DOUBLE, "VT_R8", "double"),
        ("a b", DataType.STRING, "VT_BSTR", "string"),
        (datetime(2026, 10, 2, tzinfo=UTC), DataType.TIME, "VT_DATE", "time"),
        (Array([1, 2], (2,), DataType.INTEGER), DataType.INTEGER, "VT_ARRAY|VT_I4", "int32"),
        (5, DataType.UNSPECIFIED, "", "int32"),
        (None, DataType.NO_DATA, "VT_EMPTY", None),
    ],
)
def test_the_first_value_is_written_back_in_its_own_type(
    value: object, data_type: DataType, variant_type: str, type_name: str | None
) -> None:
    ledger = ChangeLedger()
    write(ledger, "a", 60, LiveValue("T", value, GOOD, data_type, variant_type, (), 0, 1, 0.0, 0.0), "completed")  # type: ignore[arg-type]  # A value of any type.
    before = only(ledger).before
    assert before is not None
    sendable = before.sendable()
    assert (sendable and sendable.type) == type_name
    if sendable is not None:
        assert sendable.value == value
        assert before.is_same(sendable.sent)


WRITES = st.tuples(
    st.sampled_from(["Tank1.SP", "Tank2.SP"]),
    st.sampled_from(["completed", "refused", "unknown", "accepted", "stranger", "back"]),
    st.booleans(),
)


@given(st.lists(WRITES, max_size=30), st.sampled_from([0.0, COMMAND_SECONDS / 2, COMMAND_SECONDS]))
def test_a_value_that_is_called_ours_is_never_a_strangers(steps: list[tuple[str, str, bool]], pause: float) -> None:
    """In a plant where each write has a value of its own, whose writer is known."""
    with moved_by_hand() as moved:
        ledger = ChangeLedger()
        plant = {"Tank1.SP": (0, "plant"), "Tank2.SP": (1, "plant")}
        for number, (tag, what, happens) in enumerate(steps, start=100):
            moved.now += pause
            change, before = ledger.of(tag), held(plant[tag][0], tag=tag)
            if what == "stranger":
                plant[tag] = number, "stranger"
            elif what == "back":
                if change is None or change.standing(before) is not Standing.OURS:
                    continue
                assert plant[tag][1] == "us"
                assert change.before is not None
                write(ledger, str(number), change.before.value, before, "completed", tag=tag)
                plant[tag] = change.before.value, "back"  # type: ignore[assignment]  # A whole number here.
                again = ledger.of(tag)
                assert again is None or again.may_still_happen_for > 0
            else:
                write(ledger, str(number), number, before, what, tag=tag)  # type: ignore[arg-type]  # One of its states.
                if what == "completed" or (what != "refused" and happens):
                    plant[tag] = number, "us"
            change = ledger.of(tag)
            if what in ("completed", "unknown", "accepted"):
                assert change is not None
                assert change.last.value == number
            if change is not None and change.standing(held(plant[tag][0])) is Standing.OURS:
                assert plant[tag][1] == "us"
            if plant[tag][1] == "us":
                # What was changed is never forgotten.
                assert change is not None
