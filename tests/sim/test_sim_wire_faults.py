"""Faults of the wire: what stalls, what is cut, what is no protocol, what is too large."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from unittest.mock import Mock

import grpc
import pytest
from sim_wire import DEADLINE, Wire, becomes, failing, wire

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy, mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import ManualClock, SimulatedGateway
from zb_mom_ww_mxgateway_sim.faults.call_faults import GARBAGE_REPLY, oversized_reply
from zb_mom_ww_mxgateway_sim.net.tcp_proxy import TcpProxy

TAG = "TestChildObject.TestInt"
# What grpc calls it when it cannot make sense of a connection any more.
BROKEN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL)


async def test_a_killed_connection_ends_its_calls_and_not_the_session(client: Wire, gateway: SimulatedGateway) -> None:
    events, _, _ = await client.watching(TAG)
    gateway.faults.delay("ping", 5)
    waiting = client.calling("ping")
    await becomes(lambda: gateway.calls[-1].rpc == "Invoke" and len(gateway.calls) == 6)
    gateway.faults.kill_connections()
    assert (await failing(waiting))[0] is grpc.StatusCode.UNAVAILABLE
    assert (await events.end())[0] is grpc.StatusCode.UNAVAILABLE
    await becomes(lambda: gateway.open_streams == 0)
    gateway.faults.delay("ping", 0)
    gateway.set(TAG, 5)
    assert (await _reconnected(client)).value.int32_value == 5


async def _reconnected(client: Wire) -> pb.MxEvent:
    """The first event that a resumed stream has; a call may still be given to the connection that is gone."""
    async with asyncio.timeout(DEADLINE):
        while True:
            events = client.stream(after=1)
            try:
                event = await events.next()
            except grpc.aio.AioRpcError:
                continue
            events.call.cancel()
            return event


async def _from_the_port(gateway: SimulatedGateway) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = gateway.endpoint.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def test_any_connection_is_killed(gateway: SimulatedGateway) -> None:
    reader, writer = await _from_the_port(gateway)
    # The server has greeted, so both ends of the proxied connection exist.
    await reader.read(1)
    gateway.faults.kill_connections()
    # What it had sent may come first; then there is nothing more, or not even that.
    with contextlib.suppress(ConnectionError):
        while await asyncio.wait_for(reader.read(1000), DEADLINE):
            pass
    writer.close()


async def test_garbage_on_a_connection_ends_its_calls(client: Wire, gateway: SimulatedGateway) -> None:
    events, _, _ = await client.watching(TAG)
    gateway.faults.garble_connections()
    assert (await events.end())[0] in BROKEN
    assert gateway.sessions[client.session_id].state == "READY"


async def test_garbage_reaches_a_tls_client_too(tmp_path: Path) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path) as gateway, wire(gateway) as client:
        events, _, _ = await client.watching(TAG)
        gateway.faults.garble_connections()
        assert (await events.end())[0] in BROKEN


def test_the_garbage_is_none_and_the_oversized_reply_is_one() -> None:
    from google.protobuf.message import DecodeError

    for message in (pb.MxCommandReply, pb.MxEvent, pb.OpenSessionReply, galaxy.DiscoverHierarchyReply):
        with pytest.raises(DecodeError):
            message.FromString(GARBAGE_REPLY)
        assert message.FromString(oversized_reply()).ByteSize() > 16 * 1024 * 1024


async def test_a_reply_that_cannot_be_read_came_of_a_command_that_was_done(
    client: Wire, gateway: SimulatedGateway
) -> None:
    await client.open()
    gateway.faults.garble_next_reply("register")
    # That is all that grpc.aio makes of it: no error, no message.
    assert await client.invoke("register", client_name="x") is None
    assert await client.register() == 2
    gateway.faults.garble_next_reply("TestConnection")
    call = client.galaxy.TestConnection(galaxy.TestConnectionRequest(), metadata=client.metadata, timeout=DEADLINE)
    assert await call is None


async def test_an_event_that_cannot_be_read_is_followed_by_others(client: Wire, gateway: SimulatedGateway) -> None:
    gateway.faults.garble_next_reply("StreamEvents")
    await client.open()
    server = await client.register()
    await client.advise(server, await client.add(server, TAG))
    gateway.set(TAG, 5)
    events = client.stream()
    assert await events.next() is None
    assert (await events.next()).worker_sequence == 2


async def test_a_reply_beyond_16_mib_is_refused_by_the_client(client: Wire, gateway: SimulatedGateway) -> None:
    await client.open()
    gateway.faults.oversize_next_reply("register")
    code, text = await failing(client.invoke("register", client_name="x"))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "larger than max" in text
    assert await client.register() == 2


async def test_a_reply_that_is_really_too_large_is_refused_by_the_gateway(
    client: Wire, gateway: SimulatedGateway
) -> None:
    await client.open()
    server = await client.register()
    gateway.set("TestChildObject.TestString", "x" * 9_000_000)
    tags = ["TestChildObject.TestString"] * 2
    code, text = await failing(client.invoke("read_bulk", server_handle=server, tag_addresses=tags))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "the reply has 18" in text


async def test_a_drain_leaves_what_does_not_fit_for_the_next(client: Wire, gateway: SimulatedGateway) -> None:
    await client.open()
    server = await client.register()
    await client.advise(server, await client.add(server, "TestChildObject.TestString"))
    for letter in "abc":
        gateway.set("TestChildObject.TestString", letter * 7_000_000)
    drains = [(await client.done("drain_events")).drain_events.events for _ in range(3)]
    assert [[event.worker_sequence for event in events] for events in drains] == [[1, 2, 3], [4], []]


async def test_a_stalled_kind_holds_the_worker_until_it_is_released(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    await client.open()
    gateway.faults.stall("register")
    first = client.calling("register", client_name="x")
    await becomes(lambda: len(gateway.calls) == 2)
    second = client.calling("ping")
    await becomes(lambda: len(gateway.calls) == 3)
    await clock.advance(29)
    assert not first.done()
    assert not second.done()
    gateway.faults.release("register")
    assert (await first).register.server_handle == 1
    await second
    assert await client.register() == 2


async def test_a_stalled_worker_runs_into_the_time_out_of_every_command(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    await client.open()
    gateway.faults.stall("register")
    calls = [client.calling("register"), client.calling("ping")]
    await becomes(lambda: len(gateway.calls) == 3)
    await clock.advance(30.1)
    for call in calls:
        assert (await failing(call))[0] is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_stalled_stream_stays_open_and_delivers_nothing(client: Wire, gateway: SimulatedGateway) -> None:
    events, _, _ = await client.watching(TAG)
    gateway.faults.stall("StreamEvents")
    reading = asyncio.ensure_future(events.next())
    for value in (1, 2):
        gateway.set(TAG, value)
    await client.done("ping")
    assert not reading.done()
    assert gateway.open_streams == 1
    gateway.faults.release()
    assert (await reading).value.int32_value == 1
    assert (await events.next()).value.int32_value == 2


async def test_an_rpc_stalls_and_closing_the_gateway_lets_it_go(gateway: SimulatedGateway, client: Wire) -> None:
    gateway.faults.stall("OpenSession")
    call = asyncio.ensure_future(client.open())
    await becomes(lambda: len(gateway.calls) == 1)
    assert not call.done()
    await gateway.aclose()
    await asyncio.gather(call, return_exceptions=True)


@pytest.mark.parametrize(("policy", "state"), [("fail-fast", "FAULTED"), ("disconnect-subscriber", "READY")])
async def test_an_overflow_on_purpose_is_like_any_other(clock: ManualClock, policy: str, state: str) -> None:
    async with (
        SimulatedGateway(plaintext=True, clock=clock, overflow_policy=policy) as gateway,  # type: ignore[arg-type]  # both of them
        wire(gateway) as client,
    ):
        events, _, _ = await client.watching(TAG)
        gateway.faults.overflow_streams()
        code, text = await events.end()
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "EventQueueOverflow" in text
        assert gateway.sessions[client.session_id].state == state


@contextlib.asynccontextmanager
async def _on_its_own(gateway: SimulatedGateway) -> AsyncIterator[Wire]:
    """A client whose connection is no other's."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(gateway.endpoint, options=options) as channel:
        yield Wire(channel, gateway.api_key)


async def test_a_connection_that_swallows_all_stays_open_and_carries_nothing(
    client: Wire, gateway: SimulatedGateway
) -> None:
    await client.watching(TAG)
    before = len(gateway.calls)
    gateway.faults.swallow_connections("advise")
    swallowed = client.calling("ping")
    # One that is made now is as it should be.
    async with _on_its_own(gateway) as other:
        await other.open()
        assert (len(gateway.calls), gateway.open_connections) == (before + 1, 2)
        # Without a name it is every connection.
        gateway.faults.swallow_connections()
        lost = other.calling("ping")
        async with _on_its_own(gateway) as third:
            await third.open()
            assert len(gateway.calls) == before + 2
        assert (swallowed.done(), lost.done()) == (False, False)
        lost.cancel()
    swallowed.cancel()


async def test_who_comes_while_the_gateway_restarts_is_led_nowhere(gateway: SimulatedGateway) -> None:
    server = gateway._endpoint.server
    await server.stop()
    reader, writer = await _from_the_port(gateway)
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(1), DEADLINE) == b""
    writer.close()
    assert server.proxy._target == 0
    await server.start(None)


class _DeafToPauses(asyncio.Transport):
    """A client's transport that reads on while its connection is made, as asyncio's did until Python 3.11.3."""

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass


async def test_what_comes_before_the_server_is_connected_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    factories: list[Callable[[], asyncio.Protocol]] = []

    async def listening(factory: Callable[[], asyncio.Protocol], *where: object) -> asyncio.Server:
        factories.append(factory)
        return await create_server(asyncio.Protocol, "127.0.0.1", 0)

    received = asyncio.get_running_loop().create_future()

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.set_result(await reader.readexactly(10))
        writer.close()

    create_server = loop.create_server
    proxy = TcpProxy()
    async with await asyncio.start_server(met, "127.0.0.1", 0) as server:
        monkeypatch.setattr(loop, "create_server", listening)
        await proxy.start("127.0.0.1", 0)
        proxy.forward_to(server.sockets[0].getsockname()[1])
        client = factories[0]()
        client.connection_made(_DeafToPauses())
        client.data_received(b"first")
        client.data_received(b" then")
        assert await asyncio.wait_for(received, DEADLINE) == b"first then"
        await proxy.aclose()


async def test_a_connection_that_is_accepted_while_the_proxy_closes_is_reset() -> None:
    proxy = TcpProxy()
    await proxy.start("127.0.0.1", 0)
    late = proxy._accept()
    await proxy.aclose()
    transport = Mock(spec=asyncio.Transport)
    late.connection_made(transport)
    transport.abort.assert_called_once()
    assert proxy.connections == 0


async def test_a_connection_that_waits_for_its_transport_while_the_proxy_closes_is_reset() -> None:
    loop, proxy = asyncio.get_running_loop(), TcpProxy()
    port = await proxy.start("127.0.0.1", 0)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setblocking(False)
        # asyncio accepts it in the first turn of the loop, and makes its transport in the second, behind this.
        for _ in range(2):
            await asyncio.sleep(0)
        await proxy.aclose()
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(loop.sock_recv(client, 1), DEADLINE) == b""
