"""What the library logs: one tree of names, silent by default, and no secret in any line."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    GatewayClient,
    LiveSession,
    LiveState,
    MxGatewayCertificateChangedError,
    MxGatewayError,
    MxGatewayWriteBlockedError,
    WriteEntry,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.system.log import SESSION, log
from zb_mom_ww_mxgateway.transport.tls import KnownGateways, seen_now
from zb_mom_ww_mxgateway_sim import SimulatedGateway

PATIENCE = 20.0
INT, DOUBLE = "TestChildObject.TestInt", "TestChildObject.TestDouble"
PASSWORD = "correct horse battery"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[str, int], list[str]]:
    """The messages logged so far under a name, at a level or above."""
    caplog.set_level(logging.DEBUG, "mxgw")

    def of(name: str, level: int = logging.DEBUG) -> list[str]:
        return [each.getMessage() for each in caplog.records if each.name == name and each.levelno >= level]

    return of


async def state(live: LiveSession, wanted: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not wanted():
            await live.changed()


async def test_nothing_is_printed_without_a_handler(gateway: SimulatedGateway) -> None:
    program = (
        "import asyncio, sys\n"
        "from zb_mom_ww_mxgateway import MxGatewayError, GatewayClient\n"
        "async def main():\n"
        "    try:\n"
        "        await GatewayClient.connect(endpoint=sys.argv[1], plaintext=True, connect_timeout=1)\n"
        "    except MxGatewayError:\n"
        "        pass\n"
        "asyncio.run(main())\n"
        "import logging\n"
        "print(logging.getLogger().handlers, [type(each).__name__ for each in logging.getLogger('mxgw').handlers])\n"
    )
    ran = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program, "127.0.0.1:1"], capture_output=True, text=True, timeout=40
    )
    assert (ran.stdout, ran.stderr) == ("[] ['NullHandler']\n", "")


async def test_each_call_with_duration_code_and_correlation_id(
    gateway: SimulatedGateway, client: GatewayClient, lines: Callable[..., list[str]]
) -> None:
    session = await client.open_session()
    await session.register("log")
    gateway.faults.fail_next("register", code=grpc.StatusCode.INTERNAL)
    with pytest.raises(MxGatewayError) as caught:
        await session.register("log")
    await session.close()
    calls = [line.split() for line in lines("mxgw.calls")]
    assert [call[:2] for call in calls] == [
        ["open_session", "OK"],
        ["register", "OK"],
        ["register", "INTERNAL"],
        ["close_session", "OK"],
    ]
    assert all(float(call[2]) >= 0 and call[3] == "ms" for call in calls)
    assert calls[2][4] == f"[{caught.value.correlation_id}]"
    opened, closed = lines("mxgw.session", logging.INFO)
    assert opened.startswith(f"{session.session_id} opened")
    assert closed == f"{session.session_id} closed"


async def test_connections_made_refused_and_closed(gateway: SimulatedGateway, lines: Callable[..., list[str]]) -> None:
    async with await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True):
        pass
    with pytest.raises(MxGatewayError):
        await GatewayClient.connect(endpoint=gateway.endpoint, api_key="mxgw_other_wrong", plaintext=True)
    said = [line for line in lines("mxgw.connect", logging.INFO) if "closed" not in line]
    assert said[0] == f"connected to {gateway.endpoint}"
    assert "does not accept the key mxgw_other_***" in said[1]
    assert f"connection to {gateway.endpoint} closed" in lines("mxgw.connect", logging.INFO)


async def test_trust_decisions(tmp_path: Path, lines: Callable[..., list[str]]) -> None:
    known = tmp_path / "known"
    async with SimulatedGateway() as gateway:
        names = {"endpoint": gateway.endpoint, "api_key": gateway.api_key}
        for options in ({"known_gateways": known}, {"known_gateways": known}, {"remember_certificate": False}):
            async with await GatewayClient.connect(**names, **options):
                pass
        assert [
            next(words for words in ("first time", "as remembered since", "remembered", "forgotten") if words in line)
            for line in lines("mxgw.trust")
        ] == ["first time", "remembered", "as remembered since", "forgotten"]
        await gateway.swap_certificate()
        with pytest.raises(MxGatewayCertificateChangedError):
            await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, known_gateways=known)
        KnownGateways(known).remember(await seen_now(gateway.endpoint, PATIENCE))
    changed, replaced = lines("mxgw.trust", logging.WARNING)
    assert "certificate changed from" in changed
    assert "trusted from now on" in replaced


async def test_states_resumes_and_rebuilds(
    gateway: SimulatedGateway, live: LiveSession, lines: Callable[..., list[str]]
) -> None:
    await live.subscribe_tags([INT])
    gateway.faults.drop_streams()
    await state(live, lambda: live.state is LiveState.STALE)
    await state(live, lambda: live.state is LiveState.LIVE)
    former = live.session.session_id
    gateway.faults.lose_session(former)
    await state(live, lambda: live.rebuilds and live.state is LiveState.LIVE)
    said = lines("mxgw.session", logging.INFO)
    for text in (
        ": stale",
        "resumed after sequence",
        ": rebuilding",
        f"{former}: rebuilt as {live.session.session_id}",
    ):
        assert any(text in line for line in said), text
    assert any(": live" in line for line in said)


async def test_gaps(gateway: SimulatedGateway, live: LiveSession, lines: Callable[..., list[str]]) -> None:
    (item,) = await live.subscribe_tags([INT])
    await state(live, lambda: live.latest(item.server_handle, item.item_handle))
    gateway.faults.evict_replay(live.session.session_id)
    gateway.faults.drop_streams()
    gateway.set(INT, 1)
    gateway.set(INT, 2)
    gateway.faults.evict_replay(live.session.session_id)
    await state(live, lambda: live.gaps)
    assert any("gap: " in line for line in lines("mxgw.session", logging.WARNING))


async def test_refused_and_unknown_writes(
    gateway: SimulatedGateway, client: GatewayClient, lines: Callable[..., list[str]]
) -> None:
    async with await client.open_session() as session:
        server = await session.register("log")
        item = await session.add_item(server, INT)
        await session.advise(server, item)
        await session.write(server, item, 1)
        assert lines("mxgw.writes") == []
        gateway.faults.fail_next("write", protocol_status=pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE)
        with pytest.raises(MxGatewayError):
            await session.write(server, item, 2)
        gateway.faults.lose_next_reply("write")
        with pytest.raises(MxGatewayError) as caught:
            await session.write(server, item, 3)
        assert caught.value.outcome_unknown
        gateway.faults.stall("write")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await session.write(server, item, 4)
        gateway.faults.calm()
    refused, unknown, cancelled = lines("mxgw.writes", logging.WARNING)
    assert "refused: MXACCESS_FAILURE" in refused
    assert "outcome unknown" in unknown
    assert f"[{caught.value.correlation_id}]" in unknown
    assert "outcome unknown: cancelled" in cancelled


async def test_accepted_writes_whose_completion_is_not_seen(
    gateway: SimulatedGateway, client: GatewayClient, lines: Callable[..., list[str]]
) -> None:
    gateway.faults.hold_write_completes()

    def started(kind: str) -> bool:
        return any(line.startswith(f"{kind} OK") for line in lines("mxgw.calls"))

    async with await LiveSession.open(client) as live:
        server = await live.session.register("log")
        items = await live.subscribe_tags([INT, DOUBLE], server)
        one = asyncio.create_task(live.write_and_confirm(*items[0].key, 1))
        await eventually(lambda: started("write"), "answered")
        one.cancel()
        with pytest.raises(asyncio.CancelledError):
            await one
        entries = [WriteEntry(items[1].item_handle, 1.0)]
        many = asyncio.create_task(live.write_bulk_and_confirm(server, entries))
        await eventually(lambda: started("write_bulk"), "answered")
        gateway.faults.lose_session(live.session.session_id)
        (result,) = await many
    cancelled, lost = lines("mxgw.writes", logging.WARNING)
    assert "accepted: the wait for its completion was interrupted" in cancelled
    assert f"write_bulk [{result.correlation_id}]: outcome unknown: accepted, but " in lost


async def test_a_write_that_a_guard_refuses(gateway: SimulatedGateway, lines: Callable[..., list[str]]) -> None:
    async def never(pending: object) -> str:
        return f"never with {gateway.api_key}"

    options = {"endpoint": gateway.endpoint, "api_key": gateway.api_key, "plaintext": True}
    async with (
        await GatewayClient.connect(**options, write_guard=never) as client,
        await client.open_session() as session,
    ):
        server = await session.register("log")
        item = await session.add_item(server, INT)
        with pytest.raises(MxGatewayWriteBlockedError):
            await session.write(server, item, 1)
    (said,) = lines("mxgw.writes", logging.WARNING)
    assert "nothing was sent" in said
    assert "mxgw_demo_***" in said


@pytest.mark.parametrize("quotes", ["key {key} for {password}", "two\nlines {key} {password}"])
async def test_no_line_has_a_secret(quotes: str, gateway: SimulatedGateway, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = gateway.api_key or ""
    details = quotes.format(key=key, password=PASSWORD)
    failures = (
        {"code": grpc.StatusCode.UNAUTHENTICATED},
        {"code": grpc.StatusCode.INTERNAL},
        {"protocol_status": pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE, "hresult": -2147024809},
    )
    async with await GatewayClient.connect(endpoint=gateway.endpoint, api_key=key, plaintext=True) as client:
        async with await client.open_session() as session:
            server = await session.register(key)
            item = await session.add_item(server, INT)
            for failure in failures:
                for kind, call in (
                    ("authenticate_user", lambda: session.authenticate_user(server, key, PASSWORD)),
                    ("archestra_user_to_id", lambda: session.archestra_user_to_id(server, PASSWORD)),
                    ("write", lambda: session.write(server, item, 1)),
                ):
                    gateway.faults.fail_next(
                        kind, details=details if kind != "write" else quotes.format(key=key, password=""), **failure
                    )
                    with pytest.raises(MxGatewayError):
                        await call()
            # A caller's own request may have a key anywhere.
            request = session.request("ping")
            request.client_correlation_id = f"Bearer {key}"
            await client.invoke(request)
        gateway.faults.fail_next("TestConnection", code=grpc.StatusCode.INTERNAL, details=details.replace(PASSWORD, ""))
        with pytest.raises(MxGatewayError):
            await GatewayClient.connect(endpoint=gateway.endpoint, api_key=key, plaintext=True)
    assert "authenticate_user" in caplog.text
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("mxgw")]
    assert ours
    assert all(key not in line and PASSWORD not in line and "\n" not in line for line in ours)


def test_no_line_has_control_characters_or_ends_early(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mxgw")
    log(SESSION, logging.INFO, "not restored: Tag (\x1b[2J\x07gone\n2026-01-01 INFO forged)")
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == r"not restored: Tag (\x1b[2J\x07gone 2026-01-01 INFO forged)"


async def test_a_handler_that_fails_changes_no_result(client: GatewayClient) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError("no log today")

    logger, handler = logging.getLogger("mxgw"), Broken()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        async with await client.open_session() as session:
            assert await session.register("log") > 0
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


async def test_a_line_that_cannot_be_made_takes_no_outcome_away(
    gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(request: object) -> list[tuple[int, int]]:
        raise KeyError("no such command")

    monkeypatch.setattr("zb_mom_ww_mxgateway.wire.written_items", broken)
    async with (
        await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True) as client,
        await client.open_session() as session,
    ):
        server = await session.register("log")
        (item,) = await session.subscribe_bulk(server, ["TestChildObject.TestInt"])
        await session.write(server, item.item_handle, 7)
    assert [write.value for write in gateway.writes] == [7]
