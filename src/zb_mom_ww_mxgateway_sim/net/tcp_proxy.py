"""A TCP proxy in front of the server: it can cut connections, garble them and stop passing data."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress

from zb_mom_ww_mxgateway_sim.runtime.task_owner import TaskOwner

# Neither the head of an HTTP/2 frame nor that of a TLS record: too long, and of an unknown type.
GARBAGE = b"\xff\xff\xff\xff\xff this is not the protocol \xff" * 1024


class _ProxyEnd(asyncio.Protocol):
    """One end of a proxied connection. The other end writes what this one reads."""

    def __init__(
        self, connected: Callable[["_ProxyEnd"], None], lost: Callable[["_ProxyEnd"], None], *, is_server: bool = False
    ) -> None:
        self._connected = connected
        self._lost = lost
        self.is_server = is_server
        self.transport: asyncio.Transport | None = None
        self.other: _ProxyEnd | None = None
        self.swallows = False
        self._early = b""
        """Bytes that came before the other end was connected."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._connected(self)

    def data_received(self, data: bytes) -> None:
        if self.swallows:
            return
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)
            return
        self._early += data
        # Only here: what pauses reading in connection_made is undone by asyncio until Python 3.11.3.
        if self.transport is not None:
            self.transport.pause_reading()

    def pass_on(self) -> None:
        """Pass on the early bytes and read on: the other end is connected."""
        early, self._early = self._early, b""
        if self.transport is not None:
            self.transport.resume_reading()
        if early:
            self.data_received(early)

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._lost(self)
        if self.swallows and self.is_server:
            # The client must not learn of it. Reading goes on, because only that shows the end of the client itself.
            if self.other is not None and self.other.transport is not None:
                self.other.transport.resume_reading()
            return
        if self.other is not None and self.other.transport is not None:
            if error is None:
                self.other.transport.close()
            else:
                self.other.transport.abort()


class TcpProxy:
    """Listens in place of a server on another port of this machine, and passes all data on."""

    def __init__(self) -> None:
        self._listening: asyncio.Server | None = None
        self._clients: dict[_ProxyEnd, None] = {}
        self._connecting = TaskOwner("proxy")
        self._target = 0
        self._is_closed = False

    async def start(self, address: str, port: int) -> int:
        """Listen, and return the port: ``port``, or a free one for 0. Raise OSError."""
        self._listening = await asyncio.get_running_loop().create_server(self._accept, address, port)
        bound: int = self._listening.sockets[0].getsockname()[1]
        return bound

    def forward_to(self, port: int) -> None:
        """Lead new connections to that port. With 0 they are reset."""
        self._target = port

    @property
    def connections(self) -> int:
        """Number of connections."""
        return len(self._clients)

    def cut(self) -> None:
        """Reset every connection at once, in the middle of its data."""
        for client in list(self._clients):
            if client.transport is not None:
                client.transport.abort()

    def garble(self) -> None:
        """Send every client bytes that belong to no protocol."""
        for client in list(self._clients):
            if client.transport is not None:
                client.transport.write(GARBAGE)

    def swallow(self, server_ports: Collection[int] | None = None) -> None:
        """Keep connections open, but pass no data and no end on.

        All of them, or those that reach the server from these ports.
        """
        for client in list(self._clients):
            if server_ports is None or _port(client.other) in server_ports:
                client.swallows = True
                if client.other is not None:
                    client.other.swallows = True

    async def aclose(self) -> None:
        """Stop listening and end every connection. Idempotent."""
        self._is_closed = True
        listening, self._listening = self._listening, None
        if listening is not None:
            for each in listening.sockets:
                with suppress(NotImplementedError):  # Windows accepts a connection and makes its transport in one step.
                    asyncio.get_running_loop().remove_reader(each)
            # asyncio makes the transports of the connections that it has accepted: for a closed server it fails, tells
            # nobody, and leaves them open.
            await asyncio.sleep(0)
            listening.close()
        await self._connecting.aclose()
        for client in list(self._clients):
            if client.transport is not None:
                client.transport.close()

    def _accept(self) -> _ProxyEnd:
        return _ProxyEnd(self._accepted, lambda client: self._clients.pop(client, None))

    def _accepted(self, client: _ProxyEnd) -> None:
        if self._is_closed:  # asyncio accepted it before, and nobody else would close it.
            assert client.transport is not None
            client.transport.abort()
            return
        self._clients[client] = None
        self._connecting.start(self._connect(client), "connect")

    async def _connect(self, client: _ProxyEnd) -> None:
        server = client.other = _ProxyEnd(lambda end: None, lambda end: None, is_server=True)
        server.other = client
        server.swallows = client.swallows
        assert client.transport is not None
        try:
            if not self._target:
                raise ConnectionRefusedError
            await asyncio.get_running_loop().create_connection(lambda: server, "127.0.0.1", self._target)
        except OSError:
            client.transport.abort()
        else:
            if client.transport.is_closing() and server.transport is not None:
                server.transport.abort()
            else:
                client.pass_on()


def _port(end: _ProxyEnd | None) -> int:
    """Return the end's local port; 0 while it is not connected."""
    name = end.transport.get_extra_info("sockname") if end is not None and end.transport is not None else None
    return int(name[1]) if name else 0
