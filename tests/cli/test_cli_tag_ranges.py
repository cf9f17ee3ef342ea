"""Ranges of tags as ``mxgw-py`` looks them up before it writes."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from cli_process import until

from zb_mom_ww_mxgateway import ClientOptions, GatewayClient, ReadResult
from zb_mom_ww_mxgateway.safety import known_numbers
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_cli import tag_ranges
from zb_mom_ww_mxgateway_cli.gateways import CommandConnection
from zb_mom_ww_mxgateway_cli.tag_ranges import TagRanges
from zb_mom_ww_mxgateway_cli.write_policy import GuardedRun
from zb_mom_ww_mxgateway_console.connect.write_options import WriteConsent
from zb_mom_ww_mxgateway_console.render.report import Report
from zb_mom_ww_mxgateway_sim import SimulatedGateway

SETPOINT, LEVEL = "Plant.Tank1.LevelSP", "Plant.Tank1.Level"


@pytest.fixture
async def plant() -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        yield gateway


@pytest.fixture
async def ranges(plant: SimulatedGateway, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TagRanges]:
    monkeypatch.setattr(tag_ranges, "_GALAXY_SECONDS", 30.0)
    monkeypatch.setattr(known_numbers, "SECONDS", 60.0)
    async with (
        await GatewayClient.connect(plant.endpoint, plaintext=True) as client,
        await client.open_session() as session,
    ):
        server = await session.register("test")

        async def read(tags: Sequence[str], seconds: float) -> Sequence[ReadResult]:
            return await session.read_bulk(server, tags, int(seconds * 1000))

        yield TagRanges(client, read)


async def ends(ranges: TagRanges, tag: str) -> tuple[float | None, float | None]:
    facts = (await ranges.of([tag], for_a_person=False))[tag]
    return facts.low, facts.high


def questions(gateway: SimulatedGateway) -> int:
    return sum(call.rpc == "DiscoverHierarchy" for call in gateway.calls)


async def test_a_range_is_looked_up_once_and_again_once_it_is_old(plant: SimulatedGateway, ranges: TagRanges) -> None:
    assert await ends(ranges, SETPOINT) == (0.0, 100.0)
    plant.set(f"{SETPOINT}.RangeHi", 50.0)
    assert await ends(ranges, SETPOINT) == (0.0, 100.0)
    with clock.replaced(sleeping := clock.SimulatedSleep()):
        sleeping.sleep(31.0)
        assert await ends(ranges, SETPOINT) == (0.0, 50.0)


async def test_an_end_of_bad_quality_is_unknown(plant: SimulatedGateway, ranges: TagRanges) -> None:
    plant.set(f"{SETPOINT}.RangeHi", 50.0, quality=0)
    assert await ends(ranges, SETPOINT) == (0.0, None)


async def test_a_galaxy_that_does_not_answer_is_left_alone_for_a_while(
    plant: SimulatedGateway, ranges: TagRanges, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tag_ranges, "_GALAXY_SECONDS", 0.05)
    plant.faults.stall("DiscoverHierarchy")
    assert await ends(ranges, SETPOINT) == (None, None)
    assert (asked := questions(plant)) > 0
    assert await ends(ranges, LEVEL) == (None, None)
    assert questions(plant) == asked
    assert "no answer within" in (await ranges.of([LEVEL], for_a_person=False))[LEVEL].untold


async def test_a_write_is_noted_as_sent_only_once_its_ranges_are_looked_up(
    plant: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tag_ranges, "_GALAXY_SECONDS", 30.0)
    monkeypatch.setattr(known_numbers, "SECONDS", 60.0)
    connection = CommandConnection(ClientOptions(endpoint=plant.endpoint, plaintext=True), None)
    await connection.connect(report := Report())
    connection.guard.begin(GuardedRun("mxgw-py write", WriteConsent(), report))
    session = connection.attached((await connection.client.open_session()).session_id)
    server = await session.register("test")
    item = await session.add_item(server, SETPOINT)
    await session.advise(server, item)
    plant.faults.stall("DiscoverHierarchy")
    writing = asyncio.ensure_future(session.write(server, item, 50.0))
    await until(lambda: questions(plant))
    writing.cancel()
    await asyncio.wait([writing])
    assert (connection.guard.is_sent, plant.mutating_calls) == (False, 0)
    plant.faults.release()
    await session.write(server, item, 50.0)
    assert (connection.guard.is_sent, plant.mutating_calls) == (True, 1)
    await connection.aclose()
