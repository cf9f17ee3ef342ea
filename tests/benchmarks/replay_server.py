"""A gateway that replays events made beforehand, over as little HTTP/2 as it takes.

A Python gRPC server needs more time for an event than any client does, so that a benchmark would measure it.
This one writes bytes. ``python replay_server.py EVENTS RATE PAUSE`` prints its port; rate 0 is as fast as the client
takes, PAUSE the seconds after which it writes what is due: long for bursts, short for events one by one.
"""

import contextlib
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Never

from google.protobuf.message import Message
from hpack import Decoder, Encoder

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy_pb, mxaccess_gateway_pb2 as pb

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
FRAME = 16_384
SESSION = "session-" + "0" * 32
OK = pb.ProtocolStatus(code=pb.PROTOCOL_STATUS_CODE_OK)


def event(sequence: int) -> pb.MxEvent:
    """A data change as gateways send them."""
    message = pb.MxEvent(
        family=pb.MX_EVENT_FAMILY_ON_DATA_CHANGE,
        session_id=SESSION,
        server_handle=1,
        item_handle=1 + sequence % 500,
        value=pb.MxValue(data_type=pb.MX_DATA_TYPE_DOUBLE, variant_type="VT_R8", double_value=sequence / 7),
        quality=192,
        worker_sequence=sequence,
        statuses=[
            pb.MxStatusProxy(
                success=-1, category=pb.MX_STATUS_CATEGORY_OK, detected_by=pb.MX_STATUS_SOURCE_RESPONDING_LMX
            )
        ],
        on_data_change=pb.OnDataChangeEvent(),
    )
    for field in (message.source_timestamp, message.worker_timestamp, message.gateway_receive_timestamp):
        field.FromNanoseconds(1_790_000_000_000_000_000 + sequence * 1_000_003)
    return message


def framed(message: bytes) -> bytes:
    """As gRPC puts a message onto a stream."""
    return struct.pack(">BI", 0, len(message)) + message


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


class Replay:
    """What is sent, and how fast."""

    def __init__(self, count: int, rate: float, pause: float) -> None:
        parts = [framed(event(sequence).SerializeToString()) for sequence in range(1, count + 1)]
        self.blob = b"".join(parts)
        self.ends = [0]
        for part in parts:
            self.ends.append(self.ends[-1] + len(part))
        self.rate, self.pause = rate, pause

    def chunks(self) -> Iterator[bytes]:
        """The bytes, when their time has come."""
        view, last, sent, start = memoryview(self.blob), len(self.ends) - 1, 0, time.perf_counter()
        while sent < last:
            due = last
            if self.rate:
                time.sleep(self.pause)
                due = min(last, int((time.perf_counter() - start) * self.rate))
            if due > sent:
                yield bytes(view[self.ends[sent] : self.ends[due]])
                sent = due


class Connection:
    """One client's connection: a thread reads it, and one more writes the events."""

    def __init__(self, sock: socket.socket, replay: Replay) -> None:
        self._sock = sock
        self._replay = replay
        self._decoder, self._encoder = Decoder(), Encoder()
        self._sending = threading.Lock()
        self._room = threading.Condition()
        self._window, self._initial = 65_535, 65_535
        self._windows: dict[int, int] = {}
        self._paths: dict[int, str] = {}
        self._open = True

    def serve(self) -> None:
        with contextlib.suppress(OSError, EOFError), self._sock:
            if self._exactly(len(PREFACE)) != PREFACE:
                return
            self._send(frame(SETTINGS, 0, 0, b""))
            while True:
                head = self._exactly(9)
                length = int.from_bytes(head[:3], "big")
                kind, flags, stream = struct.unpack(">BBI", head[3:])
                self._take(kind, flags, stream & 0x7FFFFFFF, self._exactly(length))
        with self._room:
            self._open = False
            self._room.notify_all()

    def _exactly(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            more = self._sock.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return bytes(data)

    def _send(self, data: bytes) -> None:
        with self._sending:
            self._sock.sendall(data)

    def _send_part(self, stream: int, part: memoryview) -> int:
        """Sends as much of it as there is room for; says how much."""
        # Nothing measured by an old window may follow the acknowledgement of a new one.
        with self._sending:
            with self._room:
                room = max(0, min(self._window, self._windows[stream], len(part)))
                self._window -= room
                self._windows[stream] -= room
            frames = [frame(DATA, 0, stream, bytes(part[at : min(at + FRAME, room)])) for at in range(0, room, FRAME)]
            self._sock.sendall(b"".join(frames))
        return room

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == SETTINGS and not flags & ACK:
            with self._sending:
                for offset in range(0, len(payload), 6):
                    name, value = struct.unpack_from(">HI", payload, offset)
                    if name == 4:
                        with self._room:
                            for known in self._windows:
                                self._windows[known] += value - self._initial
                            self._initial = value
                            self._room.notify_all()
                self._sock.sendall(frame(SETTINGS, ACK, 0, b""))
        elif kind == PING and not flags & ACK:
            self._send(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE:
            more = int.from_bytes(payload, "big")
            with self._room:
                if stream:
                    self._windows[stream] = self._windows.get(stream, self._initial) + more
                else:
                    self._window += more
                self._room.notify_all()
        elif kind == HEADERS:
            assert flags & END_HEADERS, "a benchmark's headers fit into one frame"
            self._windows.setdefault(stream, self._initial)
            headers = dict(self._decoder.decode(payload[5:] if flags & 0x20 else payload))
            self._paths[stream] = headers[":path"].rpartition("/")[2]
        elif kind == DATA:
            self._send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", len(payload))) if payload else b"")
            if flags & END_STREAM:
                self._answer(stream, self._paths.pop(stream))

    def _answer(self, stream: int, method: str) -> None:
        replies = {
            "TestConnection": galaxy_pb.TestConnectionReply(ok=True),
            "OpenSession": pb.OpenSessionReply(session_id=SESSION, gateway_protocol_version=3, protocol_status=OK),
            "CloseSession": pb.CloseSessionReply(session_id=SESSION, protocol_status=OK),
        }
        self._send(self._headers(stream, {":status": "200", "content-type": "application/grpc"}, 0))
        if method == "StreamEvents":
            threading.Thread(target=self._replay_to, args=(stream,), daemon=True).start()
            return
        self._reply(stream, replies[method])
        self._end(stream)

    def _reply(self, stream: int, reply: Message) -> None:
        """Sends the reply of a call. It takes room of the connection, as events do, which a stream must not overrun."""
        message = framed(reply.SerializeToString())
        with self._sending:
            with self._room:
                self._window -= len(message)
            self._sock.sendall(frame(DATA, 0, stream, message))

    def _headers(self, stream: int, headers: dict[str, str], flags: int) -> bytes:
        return frame(HEADERS, END_HEADERS | flags, stream, self._encoder.encode(list(headers.items())))

    def _end(self, stream: int) -> None:
        self._send(self._headers(stream, {"grpc-status": "0"}, END_STREAM))

    def _replay_to(self, stream: int) -> None:
        with contextlib.suppress(OSError, EOFError):
            for chunk in self._replay.chunks():
                self._send_all(stream, chunk)
            self._end(stream)

    def _send_all(self, stream: int, chunk: bytes) -> None:
        """Sends it when there is room; raises EOFError where the client is gone."""
        left = memoryview(chunk)
        while left:
            with self._room:
                while self._open and min(self._window, self._windows[stream]) <= 0:
                    self._room.wait()
                if not self._open:
                    raise EOFError
            left = left[self._send_part(stream, left) :]


def capacity(port: int, count: int) -> float:
    """Events a second that the server sends to one who only counts bytes."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        request = framed(pb.StreamEventsRequest(session_id=SESSION).SerializeToString())
        path = "/mxaccess_gateway.v1.MxAccessGateway/StreamEvents"
        headers = Encoder().encode([(":method", "POST"), (":scheme", "http"), (":path", path), ("te", "trailers")])
        start = time.perf_counter()
        sock.sendall(
            PREFACE
            + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 2**31 - 1))
            + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1 - 65_535))
            + frame(HEADERS, END_HEADERS, 1, headers)
            + frame(DATA, END_STREAM, 1, request)
        )
        wanted = sum(len(framed(event(sequence).SerializeToString())) for sequence in range(1, count + 1))
        start, got = time.perf_counter(), 0
        while got < wanted:
            got += len(sock.recv(1 << 20))
        return count / (time.perf_counter() - start)


def serve(replay: Replay, connection: Callable[[socket.socket, Replay], Connection] = Connection) -> Never:
    """Prints a port and answers every client there, until the process is ended."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        answer(server, lambda sock: connection(sock, replay))


def answer(server: socket.socket, connection: Callable[[socket.socket], Connection]) -> Never:
    """Answers every client that connects, until the process is ended."""
    while True:
        sock, _ = server.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=connection(sock).serve, daemon=True).start()


if __name__ == "__main__":
    serve(Replay(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
