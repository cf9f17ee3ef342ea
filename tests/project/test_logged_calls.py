"""Every rpc and every kind of command, answered and refused, with all logging on: no line and no fact has a secret."""

import logging
from collections.abc import Callable
from contextlib import suppress

import grpc
import pytest
from contract_calls import ALARM, CALLS, KINDS
from library_calls import LIBRARY, Plant

from zb_mom_ww_mxgateway import ClientObserver, GatewayClient, MxGatewayError, Session
from zb_mom_ww_mxgateway_sim import GatewayKey, SimulatedGateway

KEY = GatewayKey("logged", "tRuStNo1")
# That of the call of authenticate_user.
PASSWORD = "secret"
TAGS = ["TestChildObject.TestInt", "Plant.Interlock.Bypass"]


class Recorder(ClientObserver):
    """Keeps the text of all that it is told, and the names of the calls."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.calls: set[str] = set()

    def call_ended(self, facts: object) -> None:
        self.texts.append(repr(facts))
        self.calls.add(getattr(facts, "name", ""))


def _kept(self: Recorder, facts: object) -> None:
    self.texts.append(repr(facts))


for _name in vars(ClientObserver):
    if not _name.startswith("_") and _name != "call_ended":
        setattr(Recorder, _name, _kept)


def refusals(gateway: SimulatedGateway, name: str) -> list[Callable[[], None]]:
    """Nothing, and failures of the next call whose texts quote the key and the password."""
    quoted = f"key {KEY.text}, password {PASSWORD}" if name == "authenticate_user" else f"key {KEY.text}"
    return [
        lambda: None,
        lambda: gateway.faults.fail_next(name, code=grpc.StatusCode.INTERNAL, details=quoted),
        lambda: gateway.faults.fail_next(name, code=grpc.StatusCode.UNAUTHENTICATED, details=quoted),
    ]


async def made(name: str, gateway: SimulatedGateway, recorder: Recorder) -> None:
    """Make the call once as it is, and once with each failure, each time in a session of its own."""
    for refuse in refusals(gateway, name):
        async with await GatewayClient.connect(
            endpoint=gateway.endpoint, api_key=KEY.text, plaintext=True, observers=[recorder]
        ) as client:
            session = await client.open_session()
            server = await session.register("logged")
            items = [item.item_handle for item in await session.subscribe_bulk(server, TAGS)]
            refuse()
            with suppress(MxGatewayError):
                opened = await LIBRARY[name](Plant(client, session, server, items, ALARM))
                if isinstance(opened, Session):
                    await opened.close()
            gateway.faults.calm()
            with suppress(MxGatewayError):
                await session.close()


async def test_no_line_and_no_fact_of_any_call_has_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    recorder = Recorder()
    async with SimulatedGateway(plaintext=True, api_keys=[KEY], write_complete_delay=0) as gateway:
        gateway.raise_alarm(ALARM)
        for name in CALLS:
            await made(name, gateway, recorder)
    # All of it was seen.
    assert recorder.calls >= {*KINDS, "open_session", "close_session", "stream_events", "stream_alarms"}
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("mxgw.")]
    assert {line.split()[0] for line in lines} >= {*KINDS, "open_session", "close_session", "stream_events"}
    for text in (*lines, *recorder.texts, caplog.text):
        assert KEY.text not in text
        assert "tRuStNo1" not in text
        assert PASSWORD not in text
