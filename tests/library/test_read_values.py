"""Values that are read when a decision needs them."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from zb_mom_ww_mxgateway import DataType, GatewayClient, MxGatewayTransportError, ReadResult
from zb_mom_ww_mxgateway.safety.conditions import Condition
from zb_mom_ww_mxgateway.safety.read_values import ReadPlantValues
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"


@pytest.fixture
async def values(client: GatewayClient) -> ReadPlantValues:
    session = await client.open_session()
    server = await session.register("test")

    async def read(tags: Sequence[str], seconds: float) -> list[ReadResult]:
        return await session.read_bulk(server, tags, int(seconds * 1000))

    return ReadPlantValues(read)


async def test_each_question_reads_again(values: ReadPlantValues, gateway: SimulatedGateway) -> None:
    for number in (1, 2):
        gateway.set(INT, number)
        await values.prepare([INT, "No.Such.Tag"])
        found = values.latest(INT.upper())
        assert found is not None
        assert (found.value, found.quality_word, found.stale_since) == (number, "good", None)
        assert (found.age < 60, found.data_type) == (True, DataType.INTEGER)
        assert values.latest("No.Such.Tag") is None


async def test_what_cannot_be_read_any_more_has_no_value(values: ReadPlantValues, gateway: SimulatedGateway) -> None:
    await values.prepare([INT])
    gateway.faults.revoke("demo")
    await values.prepare([INT])
    assert values.latest(INT) is None


async def test_a_read_without_an_end_gives_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway.safety.read_values.FIRST_VALUES_TIMEOUT", 0.01)

    async def read(tags: Sequence[str], seconds: float) -> list[ReadResult]:
        await asyncio.Event().wait()
        raise AssertionError

    values = ReadPlantValues(read)
    await values.prepare([INT])
    assert values.latest(INT) is None


async def test_an_error_of_the_read_gives_no_value() -> None:
    async def read(tags: Sequence[str], seconds: float) -> list[ReadResult]:
        raise MxGatewayTransportError("no connection")

    values = ReadPlantValues(read)
    await values.prepare([INT])
    assert values.latest(INT) is None


def result(value: object, taken: datetime) -> ReadResult:
    nanoseconds = int(taken.timestamp() * 1e9)
    return ReadResult(1, INT, 1, True, False, value, 192, taken, (), "", nanoseconds)  # type: ignore[arg-type]  # any


@pytest.mark.parametrize(("seconds", "holds"), [(1, True), (60, False), (-60, False)])
async def test_the_age_of_what_was_read_is_judged(seconds: float, holds: bool) -> None:
    async def read(tags: Sequence[str], within: float) -> list[ReadResult]:
        return [result(5, datetime.now(UTC) - timedelta(seconds=seconds))]

    values = ReadPlantValues(read)
    await values.prepare([INT])
    assert Condition.parse(f"age({INT}) < 30s").verdict(values.latest).holds is holds


async def test_a_value_is_stale_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(tags: Sequence[str], within: float) -> list[ReadResult]:
        return [result(5, datetime.now(UTC))]

    values = ReadPlantValues(read)
    await values.prepare([INT])
    now = clock.monotonic()
    monkeypatch.setattr(clock, "monotonic", lambda: now + 10)
    verdict = Condition.parse(f"{INT} == 5").verdict(values.latest)
    assert not verdict.holds
    assert "stale" in verdict.text
