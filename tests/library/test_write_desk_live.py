"""The desk of a live session: what it judges by is the session's own values."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from zb_mom_ww_mxgateway import (
    ClientOptions,
    GatewayClient,
    LiveSession,
    MxGatewayWriteBlockedError,
    WriteOutcome,
    wire,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.safety.arming import Arming
from zb_mom_ww_mxgateway.safety.desk import WriteDesk
from zb_mom_ww_mxgateway.safety.journal import Journal
from zb_mom_ww_mxgateway.safety.plant_values import LivePlantValues
from zb_mom_ww_mxgateway.safety.selection import Selection
from zb_mom_ww_mxgateway.safety.write_records import WriteRecords
from zb_mom_ww_mxgateway.safety.write_rules import WriteRules
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"


class Guarded:
    """A live session whose writes are shown, and answered with yes."""

    client: GatewayClient

    def __init__(self, gateway: SimulatedGateway) -> None:
        self.gateway = gateway
        self.rules = WriteRules(Arming(), "yes")
        self.rules.arming.arm([INT], 600)
        self.desk = WriteDesk(self.rules, WriteRecords("plant", gateway.endpoint))
        self.shown: list[Selection] = []
        self.rules.ask = self.ask

    async def ask(self, selection: Selection) -> str:
        self.shown.append(selection)
        return "yes"


@asynccontextmanager
async def guarded(gateway: SimulatedGateway) -> AsyncIterator[tuple[Guarded, LiveSession]]:
    made = Guarded(gateway)
    options = ClientOptions(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True, write_guard=made.desk)
    made.client = client = await GatewayClient.connect(options)
    async with client, await LiveSession.open(client) as live:
        made.rules.values = LivePlantValues(live)
        yield made, live


async def test_a_write_is_sent_after_it_was_shown_and_shown_with_the_value_before(gateway: SimulatedGateway) -> None:
    async with guarded(gateway) as (made, live):
        for number in range(1, 6):
            result = await live.write(INT, number)
            assert result.outcome is WriteOutcome.COMPLETED
            (entry,) = made.shown[-1].entries
            assert entry.old is not None
            assert (entry.old.value, entry.old.stale_since) == (number - 1 if number > 1 else entry.old.value, None)
        assert made.shown[0].use() != ""
        assert len(gateway.writes) == 5


async def test_a_write_flushes_the_journal_once_before_it_is_sent(
    gateway: SimulatedGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "journal", tmp_path / "head", {})
    async with guarded(gateway) as (made, live):
        made.rules.level, made.desk.records.journal = "none", journal
        (item,) = await live.subscribe_tags([INT])
        await live.write(INT, 1)
        await journal.drained()
        flushed: list[str] = []
        fsync = os.fsync

        def counted(handle: int) -> None:
            flushed.append("flush")
            fsync(handle)

        class Sending:
            def sending(self, request: pb.MxCommandRequest) -> None:
                flushed.append(wire.kind_name(request))

            def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
                pass

            def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
                pass

        monkeypatch.setattr(os, "fsync", counted)
        with made.client.observe(Sending()):
            await live.session.write(*item.key, 2)
        assert flushed[: flushed.index("write")].count("flush") == 1
    await journal.aclose()


async def test_a_value_that_changes_while_the_question_stands_voids_it(gateway: SimulatedGateway) -> None:
    async with guarded(gateway) as (made, live):
        await live.write(INT, 1)

        async def ask(selection: Selection) -> str:
            gateway.set(INT, 70)
            await live.wait_for(INT, lambda value: value == 70, timeout=30)
            return "yes"

        made.rules.ask = ask
        with pytest.raises(MxGatewayWriteBlockedError, match="moved from 1 to 70"):
            await live.write(INT, 2)
        assert gateway.read(INT).value == 70
        assert len(gateway.writes) == 1


async def test_a_value_that_becomes_doubtful_while_the_question_stands_voids_it(gateway: SimulatedGateway) -> None:
    async with guarded(gateway) as (made, live):
        await live.write(INT, 1)

        async def ask(selection: Selection) -> str:
            # The session stays the same and so does its stream, but whether the value still holds is unknown.
            live._hub.values.doubt()  # No fault of a gateway does just this.
            return "yes"

        made.rules.ask = ask
        with pytest.raises(MxGatewayWriteBlockedError, match=f"whether {INT} still has its value is unknown now"):
            await live.write(INT, 2)
        assert len(gateway.writes) == 1
