"""The values that decisions about writes go by: as new as all that has arrived, or marked as stale."""

import asyncio
from contextlib import suppress

import grpc
import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import LiveSession, MxGatewayError, UnseenWrite, wire
from zb_mom_ww_mxgateway.errors import COMMAND_SECONDS
from zb_mom_ww_mxgateway.safety import plant_values
from zb_mom_ww_mxgateway.safety.conditions import Condition
from zb_mom_ww_mxgateway.safety.plant_values import LivePlantValues
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, DOUBLE, ARRAY = "TestChildObject.TestInt", "TestChildObject.TestDouble", "TestChildObject.TestIntArray"


def calls(gateway: SimulatedGateway, *kinds: str) -> list[str]:
    named = [wire.kind_name(each.request) for each in gateway.calls if each.rpc == "Invoke"]
    return [each for each in named if each in kinds]


async def test_all_tags_are_had_in_one_call_and_once(gateway: SimulatedGateway, live: LiveSession) -> None:
    values = LivePlantValues(live)
    gateway.set(INT, 5)
    await values.prepare([INT, DOUBLE, f"{ARRAY}[1]"])
    await values.prepare([INT.upper(), DOUBLE])
    assert calls(gateway, "subscribe_bulk", "add_item", "advise") == ["subscribe_bulk"]
    held = values.latest(INT.lower())
    assert held is not None
    assert (held.value, held.stale_since) == (5, None)
    element = values.latest(f"{ARRAY}[1]")
    assert element is not None
    assert isinstance(element.value, int)


async def test_what_arrived_before_is_taken_in(gateway: SimulatedGateway, live: LiveSession) -> None:
    values = LivePlantValues(live)
    for value in range(1, 20):
        gateway.set(INT, value)
        await values.prepare([INT])
        held = values.latest(INT)
        assert held is not None
        assert held.stale_since is None
    await eventually(lambda: live[INT].value == 19, "the last value has come")


async def test_a_tag_that_cannot_be_had_raises_nothing_and_refuses(
    gateway: SimulatedGateway, live: LiveSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = LivePlantValues(live)
    await values.prepare([INT, "No.Such.Tag"])
    assert Condition.parse(f"{INT} >= 0 or {INT} < 0").verdict(values.latest).holds
    verdict = Condition.parse(f"No.Such.Tag == 1 or {INT} >= 0 or {INT} < 0").verdict(values.latest)
    assert not verdict.holds
    assert verdict.text.startswith("No.Such.Tag ")
    gateway.faults.fail_next("subscribe_bulk", code=grpc.StatusCode.INTERNAL)
    await values.prepare([DOUBLE])
    assert values.latest(DOUBLE) is None
    gateway.faults.stall("subscribe_bulk")
    monkeypatch.setattr(plant_values, "FIRST_VALUES_TIMEOUT", 0.2)  # It does not come.
    await values.prepare([DOUBLE])
    assert values.latest(DOUBLE) is None
    await values.prepare([""])


async def test_a_value_that_the_gateway_does_not_confirm_is_stale(
    gateway: SimulatedGateway, live: LiveSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = LivePlantValues(live)
    await values.prepare([INT])
    with monkeypatch.context() as patched:

        async def not_caught_up(**_: object) -> bool:
            return False

        patched.setattr(live, "caught_up", not_caught_up)
        patched.setattr(plant_values, "_BEHIND", 0.0)
        await values.prepare([INT])
    assert live[INT].stale_since is None
    assert (held := values.latest(INT)) is not None
    assert held.stale_since is not None
    assert "stale since" in Condition.parse(f"{INT} is good").verdict(values.latest).text
    await values.prepare([INT])
    assert (held := values.latest(INT)) is not None
    assert held.stale_since is None


async def test_a_stream_that_was_heard_a_moment_ago_is_not_asked(
    gateway: SimulatedGateway, live: LiveSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    values, asked = LivePlantValues(live), []
    await values.prepare([INT])

    async def caught_up(**_: object) -> bool:
        asked.append(1)
        return True

    monkeypatch.setattr(live, "caught_up", caught_up)
    gateway.set(INT, 77)
    await eventually(lambda: live[INT].value == 77, "an event has come")
    now = live[INT].received_at
    for later, is_asked in ((0.05, False), (0.15, True)):
        with monkeypatch.context() as patched:
            patched.setattr(clock, "monotonic", lambda at=now + later: at)
            await values.prepare([INT])
        assert bool(asked) is is_asked


async def test_a_value_from_before_a_write_to_the_tag_is_stale(
    gateway: SimulatedGateway, live: LiveSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = LivePlantValues(live)
    await values.prepare([INT])
    monkeypatch.setattr(plant_values, "FIRST_VALUES_TIMEOUT", 0.2)
    gateway.faults.stall("write")
    writing = asyncio.create_task(live.write(INT, 77))
    (item,) = live.session.handles.items.values()
    await eventually(lambda: live.unseen_write(*item.key), "the write was sent")
    await values.prepare([INT])
    assert (held := values.latest(INT)) is not None
    assert held.stale_since is not None
    gateway.faults.release("write")
    with suppress(MxGatewayError):
        await writing
    await values.prepare([INT])
    assert (held := values.latest(INT)) is not None
    assert (held.value, held.stale_since) == (77, None)


async def test_a_write_that_never_shows_is_over_with_time(gateway: SimulatedGateway, live: LiveSession) -> None:
    values, sleep = LivePlantValues(live), clock.SimulatedSleep()
    await values.prepare([INT])
    (item,) = live.session.handles.items.values()
    live._hub.unseen._writes[item.key] = [UnseenWrite(77, clock.monotonic(), "c-1")]
    with clock.replaced(sleep):
        assert (held := values.latest(INT)) is not None
        assert held.stale_since is not None
        sleep.sleep(COMMAND_SECONDS + 2)
        assert (held := values.latest(INT)) is not None
        assert held.stale_since is None


async def test_nothing_is_asked_for_no_tags(gateway: SimulatedGateway, live: LiveSession) -> None:
    before = len(gateway.calls)
    await LivePlantValues(live).prepare([])
    assert len(gateway.calls) == before
