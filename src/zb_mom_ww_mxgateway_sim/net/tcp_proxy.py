"""A TCP relay in front of the server: connections that can really be cut, and bytes that are no protocol."""

import asyncio
from collections.abc import Callable, Collection

from zb_mom_ww_mxgateway_sim.runtime.task_owner import TaskOwner

# Neither the head of an HTTP/2 frame nor that of a TLS record: too long, and of no known kind.
GARBAGE = b"\xff\xff\xff\xff\xff this is not the protocol \xff" * 1024


class _ProxyEnd(asyncio.Protocol):
    """One end of a relayed connection; what it reads, the other end writes."""

    def __init__(
        self, connected: Callable[["_ProxyEnd"], None], lost: Callable[["_ProxyEnd"], None], *, is_server: bool = False
    ) -> None:
        self._connected = connected
        self._lost = lost
        self.is_server = is_server
        self.transport: asyncio.Transport | None = None
        self.other: _ProxyEnd | None = None
        self.swallows = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._connected(self)

    def data_received(self, data: bytes) -> None:
        if not self.swallows and self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._lost(self)
        if self.swallows and self.is_server:
            # Nobody tells the client. Its own end is heard all the same, also where it was not read from any more.
            if self.other is not None and self.other.transport is not None:
                self.other.transport.resume_reading()
            return
        if self.other is not None and self.other.transport is not None:
            if error is None:
                self.other.transport.close()
            else:
                self.other.transport.abort()


class TcpProxy:
    """Listens in place of a server on another port of this machine, and passes everything on."""

    def __init__(self) -> None:
        self._listening: asyncio.Server | None = None
        self._clients: dict[_ProxyEnd, None] = {}
        self._connecting = TaskOwner("relay")
        self._target = 0

    async def start(self, address: str, port: int) -> int:
        """Listens; the port, which is ``port`` unless that is 0. OSError: it cannot be."""
        self._listening = await asyncio.get_running_loop().create_server(self._accept, address, port)
        bound: int = self._listening.sockets[0].getsockname()[1]
        return bound

    def forward_to(self, port: int) -> None:
        """Where connections from now on lead; 0 is nowhere: they are reset."""
        self._target = port

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._clients)

    def cut(self) -> None:
        """Every connection ends with a reset, in the middle of whatever it was carrying."""
        for client in list(self._clients):
            if client.transport is not None:
                client.transport.abort()

    def garble(self) -> None:
        """Every client is sent bytes that are not the protocol."""
        for client in list(self._clients):
            if client.transport is not None:
                client.transport.write(GARBAGE)

    def swallow(self, server_ports: Collection[int] | None = None) -> None:
        """Every connection, or those that reach the server from these ports, stays open and carries nothing any more,
        either way; nor does its client hear that the server has ended it."""
        for client in list(self._clients):
            if server_ports is None or _port(client.other) in server_ports:
                client.swallows = True
                if client.other is not None:
                    client.other.swallows = True

    async def aclose(self) -> None:
        """Listens no more and ends every connection. Idempotent."""
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.close()
        await self._connecting.aclose()
        for client in list(self._clients):
            if client.transport is not None:
                client.transport.close()

    def _accept(self) -> _ProxyEnd:
        return _ProxyEnd(self._accepted, lambda client: self._clients.pop(client, None))

    def _accepted(self, client: _ProxyEnd) -> None:
        self._clients[client] = None
        if client.transport is not None:
            # Nothing is read before there is someone to hand it to.
            client.transport.pause_reading()
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
                client.transport.resume_reading()


def _port(end: _ProxyEnd | None) -> int:
    """The port of this machine from which it is connected; 0 while it is not."""
    name = end.transport.get_extra_info("sockname") if end is not None and end.transport is not None else None
    return int(name[1]) if name else 0
