"""Gateways that send what their reader asks for: ``python growth_server.py GATEWAYS`` prints their ports.

Each sends the first value of every item that is subscribed, and then, as :mod:`source` says, what it reads from
standard input. It writes bytes as the replaying gateway does, so that it is not its growth that is measured.
The value of an event is the time at which it was sent.
"""

import json
import queue
import socket
import sys
import threading
import time
from functools import partial

import source
from replay_server import Connection, Replay, answer, event, framed
from shell_gateway import ShellConnection, reply_to

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb


class Gateway:
    """One gateway with one session: its items, and what it is about to send."""

    def __init__(self) -> None:
        self.due: queue.SimpleQueue[source.Order] = queue.SimpleQueue()
        self._items = 0
        self._sequence = 0
        self._message = event(1)

    def reply_to(self, request: pb.MxCommandRequest) -> pb.MxCommandReply:
        """What it says to a command: the items are numbered in the order they are asked for."""
        reply = reply_to(request)
        results = reply.subscribe_bulk.results if reply.HasField("subscribe_bulk") else ()
        for result in results:
            self._items += 1
            result.item_handle = self._items
        return reply

    def events(self, count: int) -> bytes:
        """The next events, one of each item in turn."""
        message, parts = self._message, []
        message.value.double_value = time.monotonic()
        for _ in range(count):
            message.worker_sequence = self._sequence + 1
            message.item_handle = 1 + self._sequence % self._items
            self._sequence += 1
            parts.append(framed(message.SerializeToString()))
        return b"".join(parts)


class GrowthConnection(ShellConnection):
    """One client's connection to a gateway; its commands and its events come by two."""

    def __init__(self, gateway: Gateway, sock: socket.socket) -> None:
        super().__init__(sock, Replay(0, 0, 0))
        self._gateway = gateway

    def _reply_to(self, request: pb.MxCommandRequest) -> pb.MxCommandReply:
        reply = self._gateway.reply_to(request)
        # The first values. The thread that sends them may be quicker than the reply, as a gateway's is.
        if count := len(reply.subscribe_bulk.results):
            self._gateway.due.put(source.Order(count))
        return reply

    def _replay_to(self, stream: int) -> None:
        self._streaming = stream
        try:
            while True:
                self._gateway.due.get().carry_out(self._gateway.events, lambda chunk: self._send_all(stream, chunk))
        except (OSError, EOFError):
            pass


def serve(gateways: int) -> None:
    """Serves until standard input ends."""
    found = [Gateway() for _ in range(gateways)]
    ports = []
    for gateway in found:
        server = socket.create_server(("127.0.0.1", 0))
        ports.append(server.getsockname()[1])
        connection: partial[Connection] = partial(GrowthConnection, gateway)
        threading.Thread(target=answer, args=(server, connection), daemon=True).start()
    print(json.dumps(ports), flush=True)
    for order in source.orders(sys.stdin):
        for gateway in found:
            gateway.due.put(order.share(gateways))


if __name__ == "__main__":
    serve(int(sys.argv[1]))
