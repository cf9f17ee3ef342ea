"""The replaying gateway with what a shell needs besides: it registers, subscribes, and gives signs of life.

``python shell_gateway.py EVENTS RATE`` prints its port. The stream stays open when all events are sent.
"""

import socket
import sys

from replay_server import (
    DATA,
    END_STREAM,
    OK,
    SESSION,
    Connection,
    Replay,
    serve,
)

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

UNIMPLEMENTED = {":status": "200", "content-type": "application/grpc", "grpc-status": "12"}
ANSWERED = ("TestConnection", "OpenSession", "CloseSession", "StreamEvents")


def reply_to(request: pb.MxCommandRequest) -> pb.MxCommandReply:
    """What the gateway says to a command: the items are 1 to 500 on server 1, in the order they are asked for."""
    command = request.command
    reply = pb.MxCommandReply(session_id=SESSION, kind=command.kind, protocol_status=OK, hresult=0)
    match command.WhichOneof("payload"):
        case "register":
            reply.register.server_handle = 1
        case "subscribe_bulk":
            for number, tag in enumerate(command.subscribe_bulk.tag_addresses, start=1):
                reply.subscribe_bulk.results.add(
                    server_handle=1, tag_address=tag, item_handle=number, was_successful=True
                )
    return reply


class ShellConnection(Connection):
    """One client's connection, whose requests are looked into."""

    def __init__(self, sock: socket.socket, replay: Replay) -> None:
        super().__init__(sock, replay)
        self._bodies: dict[int, bytearray] = {}

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == DATA:
            self._bodies.setdefault(stream, bytearray()).extend(payload)
        super()._take(kind, flags, stream, payload)

    def _answer(self, stream: int, method: str) -> None:
        body = bytes(self._bodies.pop(stream, b""))[5:]
        if method in ANSWERED:
            super()._answer(stream, method)
        elif method == "Invoke":
            reply = self._reply_to(pb.MxCommandRequest.FromString(body))
            self._send(self._headers(stream, {":status": "200", "content-type": "application/grpc"}, 0))
            self._reply(stream, reply)
            self._send(self._headers(stream, {"grpc-status": "0"}, END_STREAM))
        else:
            self._send(self._headers(stream, UNIMPLEMENTED, END_STREAM))

    def _reply_to(self, request: pb.MxCommandRequest) -> pb.MxCommandReply:
        return reply_to(request)

    def _replay_to(self, stream: int) -> None:
        self._streaming = stream
        super()._replay_to(stream)

    def _end(self, stream: int) -> None:
        if stream != getattr(self, "_streaming", None):
            super()._end(stream)


if __name__ == "__main__":
    serve(Replay(int(sys.argv[1]), float(sys.argv[2]), 0.005), ShellConnection)
