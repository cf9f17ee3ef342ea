"""A value is checked once between the caller and the wire: what comes after carries the checked value."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from zb_mom_ww_mxgateway import LiveSession, Typed, WriteEntry, values, wire
from zb_mom_ww_mxgateway_sim import SimulatedGateway

TAGS = ("TestChildObject.TestInt", "TestChildObject.TestIntArray")
Write = Callable[[LiveSession, int, int, int], Awaitable[object]]


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every value, in order, that is checked; a value that is carried adds nothing."""
    found: list[Any] = []
    check = values._normal

    def noted(value: Any, type_: Any) -> Any:
        found.append(value)
        return check(value, type_)

    monkeypatch.setattr(values, "_normal", noted)
    return found


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda live, *_: live.write(TAGS[0], 5), [5]),
        (lambda live, *_: live.write(TAGS[0], Typed("int32", 5)), [5]),
        (lambda live, *_: live.write_many({TAGS[0]: 5, TAGS[1]: Typed("int32", [1, 2])}), [[1, 2], 5]),
        (lambda live, server, item, _: live.write_and_confirm(server, item, Typed("double", 5)), [5]),
        (lambda live, server, item, _: live.session.write(server, item, 6), [6]),
        (
            lambda live, server, item, _: live.session.write_bulk(server, [WriteEntry(item, 1), WriteEntry(item, 2)]),
            [1, 2],
        ),
        (lambda live, server, _, array: live.session.write_array_elements(server, array, 3, {0: 7, 2: 8}), [7, 8]),
    ],
)
async def test_each_call_checks_a_value_once(
    live: LiveSession, gateway: SimulatedGateway, checked: list[Any], write: Write, expected: list[Any]
) -> None:
    items = await live.subscribe_tags(TAGS)
    for item in items:
        await live.first_value(item)
    sent = len(gateway.calls)
    await write(live, items[0].server_handle, *(item.item_handle for item in items))
    assert len(gateway.calls) > sent
    assert checked == expected


def test_a_value_and_a_list_in_it_are_taken_as_they_are_when_it_is_made(checked: list[Any]) -> None:
    elements = [1, 2]
    typed = Typed("int32", elements)
    elements.append(3)
    assert list(wire.to_mx_value(typed).array_value.int32_values.values) == [1, 2]
    assert wire.to_mx_value(values.normalize(typed)) == wire.to_mx_value([1, 2])
    assert checked == [[1, 2, 3], [1, 2]]


def test_a_time_is_checked_once_and_the_same_value_is_equal_however_it_was_checked() -> None:
    moment = datetime(2026, 10, 2, 8, 14, tzinfo=UTC)
    assert values.normalize(Typed("time", moment)) == values.normalize(moment)
    assert Typed("time", moment) == Typed("time", moment)
    assert repr(Typed("int32", 5)) == "Typed(type='int32', value=5)"
