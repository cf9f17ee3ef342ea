"""Sends events by way of another system, as :mod:`source` says: ``python peer_source.py asyncua|nats|redis``.

The brokers are started on free ports; the publisher writes bytes to them, so that it is not what is measured. A payload
is JSON with what an event of a gateway tells: tag, value, quality, time and sequence. OPC UA has no sequence.
"""

import asyncio
import datetime
import json
import logging
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator

import source

TAGS = 500
BASE_NS = 1_790_000_000_000_000_000


def messages() -> Iterator[tuple[str, bytes]]:
    """Subject and payload of one event after another; the value is the time at which it is made."""
    sequence = 0
    while True:
        sequence += 1
        tag = 1 + sequence % TAGS
        event = {
            "tag": f"Area001.Unit{tag:04}.Value",
            "value": time.monotonic(),
            "quality": 192,
            "time": BASE_NS + sequence,
            "sequence": sequence,
        }
        yield f"bench.{tag}", json.dumps(event).encode()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def connected(port: int) -> socket.socket:
    """A connection to a broker that has just been started."""
    until = time.monotonic() + 10
    while True:
        try:
            found = socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            # Else a burst waits until the one before has been acknowledged.
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return found


def nats_message(subject: str, payload: bytes) -> bytes:
    return b"PUB %s %d\r\n%s\r\n" % (subject.encode(), len(payload), payload)


def redis_message(subject: str, payload: bytes) -> bytes:
    return b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (
        len(subject),
        subject.encode(),
        len(payload),
        payload,
    )


def drain(sock: socket.socket) -> None:
    while sock.recv(65_536):
        pass


def publish(command: list[str], port: int, hello: bytes, encode: Callable[[str, bytes], bytes]) -> None:
    """Publishes through a broker until standard input ends."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as broker:
        try:
            with connected(port) as sock:
                sock.sendall(hello)
                threading.Thread(target=drain, args=(sock,), daemon=True).start()
                made = messages()
                print(json.dumps([port]), flush=True)
                for order in source.orders(sys.stdin):
                    order.carry_out(lambda count: b"".join(encode(*next(made)) for _ in range(count)), sock.sendall)
        finally:
            broker.terminate()


async def serve_opc_ua() -> None:
    """Serves variables, which it writes without a connection, until standard input ends."""
    from asyncua import Server, ua

    port = free_port()
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
    nodes = [
        await server.nodes.objects.add_variable(f"ns=1;s=Value{number}", f"1:Value{number}", 0.0)
        for number in range(TAGS)
    ]
    began = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    sequence = 0

    async def write(count: int) -> None:
        nonlocal sequence
        for _ in range(count):
            sequence += 1
            value = ua.DataValue(
                ua.Variant(time.monotonic(), ua.VariantType.Double),
                SourceTimestamp=began + datetime.timedelta(microseconds=sequence),
            )
            await server.write_attribute_value(nodes[sequence % TAGS].nodeid, value)
        # Its subscriptions get their turn.
        await asyncio.sleep(0)

    loop = asyncio.get_running_loop()

    def write_soon(count: int) -> None:
        asyncio.run_coroutine_threadsafe(write(count), loop).result()

    def obey() -> None:
        for order in source.orders(sys.stdin):
            order.carry_out(int, write_soon)

    async with server:
        print(json.dumps([port]), flush=True)
        await asyncio.to_thread(obey)


def main(kind: str) -> None:
    port = free_port()
    if kind == "asyncua":
        asyncio.run(serve_opc_ua())
    elif kind == "nats":
        command = ["nats-server", "-a", "127.0.0.1", "-p", str(port)]
        publish(command, port, b'CONNECT {"verbose":false}\r\n', nats_message)
    else:
        with tempfile.TemporaryDirectory() as folder:
            command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", folder]
            publish(command, port, b"", redis_message)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    main(sys.argv[1])
