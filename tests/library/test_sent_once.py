"""What changes the plant goes out once, also where gRPC would send a call again by itself."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from zb_mom_ww_mxgateway import GatewayClient, MxGatewayTransportError

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
ACK, END_STREAM, END_HEADERS = 1, 1, 4
ALARM = b"Galaxy!Area.Object.Alarm"
REFUSED_STREAM = struct.pack(">I", 7)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def header(name: bytes, value: bytes) -> bytes:
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def ended(stream: int, status: bytes, *more: bytes) -> bytes:
    """A call's end with a gRPC status and nothing else."""
    start = b"\x88" + header(b"content-type", b"application/grpc") + header(b"grpc-status", status)
    return frame(HEADERS, END_HEADERS | END_STREAM, stream, start + b"".join(more))


# Ends of a call of which gRPC knows, or is told, that it may be sent again.
INVITATIONS = {
    "the stream is refused": lambda stream: frame(RST_STREAM, 0, stream, REFUSED_STREAM),
    "the connection goes away before it": lambda stream: frame(GOAWAY, 0, 0, struct.pack(">II", max(0, stream - 2), 0)),
    "unavailable, try again": lambda stream: ended(stream, b"14", header(b"grpc-retry-pushback-ms", b"1")),
}


@asynccontextmanager
async def inviting(how: str, calls: list[bytes]) -> AsyncIterator[str]:
    """A server that answers its first two calls, harmless ones, by UNIMPLEMENTED; others it invites to come again. In
    `calls` is what each of them asked for."""
    tasks: set[asyncio.Task[None] | None] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await reader.readexactly(24)  # the client's preface
            writer.write(frame(SETTINGS, 0, 0))
            while True:
                head = await reader.readexactly(9)
                kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
                payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
                if kind in (SETTINGS, PING) and not flags & ACK:
                    writer.write(frame(kind, ACK, 0, payload if kind == PING else b""))
                elif kind == DATA and flags & END_STREAM:
                    calls.append(payload)
                    writer.write(ended(stream, b"12") if len(calls) <= 2 else INVITATIONS[how](stream))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield "{}:{}".format(*server.sockets[0].getsockname()[:2])
    finally:
        server.close()
        for task in filter(None, tasks):
            task.cancel()
        await asyncio.gather(*filter(None, tasks), return_exceptions=True)


@pytest.mark.parametrize("how", INVITATIONS)
async def test_nothing_that_changes_the_plant_is_sent_again(how: str) -> None:
    calls: list[bytes] = []
    async with (
        inviting(how, calls) as endpoint,
        await GatewayClient.connect(endpoint=endpoint, plaintext=True) as client,
    ):
        with pytest.raises(MxGatewayTransportError, match="outcome unknown") as caught:
            await client.acknowledge_alarm(ALARM.decode())
        assert caught.value.outcome_unknown
        # Whatever would have been sent again goes out before this, which does not go out itself as long as it meets the
        # connection that goes away.
        while ALARM in calls[-1]:
            with pytest.raises(MxGatewayTransportError):
                await client.galaxy.test_connection()
    assert [ALARM in call for call in calls] == [False, False, True, False]
