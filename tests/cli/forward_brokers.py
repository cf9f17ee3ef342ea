"""Real brokers as processes: nats-server with JetStream, and mosquitto. On Debian, the packages of those names."""

import asyncio
import json
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import nats
import paho.mqtt.client as mqtt
import pytest
from cli_process import DEADLINE, until
from nats.js.api import StorageType, StreamConfig

T = TypeVar("T")

NATS = shutil.which("nats-server")
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")

needs_nats = pytest.mark.skipif(NATS is None, reason="no broker: install nats-server (on Debian, that package)")
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="no broker: install mosquitto (on Debian, that package)")


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Broker:
    """A broker that can be killed and started again, with the same port and storage."""

    def __init__(self, command: list[str], port: int) -> None:
        self.port = port
        self._command = command
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(DEADLINE):
            while True:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return
                assert self._process.returncode is None, self._command
                await asyncio.sleep(0.01)

    async def kill(self) -> None:
        """End it at once, as a power cut would end the process."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def stop(self) -> None:
        """Let it end by itself, and keep what it holds."""
        assert self._process is not None
        self._process.terminate()
        async with asyncio.timeout(DEADLINE):
            await self._process.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.kill()


def nats_broker(folder: Path, *options: str) -> Broker:
    """A NATS server with JetStream, which keeps its streams in the folder."""
    port = free_port()
    assert NATS is not None
    where = ["-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder / "jetstream")]
    return Broker([NATS, *where, *options], port)


def mqtt_broker(folder: Path, *lines: str) -> Broker:
    """A mosquitto, which keeps what it holds in the folder; `lines` of its configuration come before the port's."""
    port = free_port()
    assert MOSQUITTO is not None
    kept = folder / "mosquitto"
    kept.mkdir()
    is_open = not any(line.startswith("password_file") for line in lines)
    config = [
        "persistence true",
        f"persistence_location {kept}/",
        "max_queued_messages 0",
        "user root",
        f"listener {port} 127.0.0.1",
        f"allow_anonymous {'true' if is_open else 'false'}",
        *lines,
    ]
    (folder / "mosquitto.conf").write_text("\n".join(config) + "\n")
    return Broker([MOSQUITTO, "-c", str(folder / "mosquitto.conf")], port)


@asynccontextmanager
async def stream_of(broker: Broker, *, stream: Mapping[str, Any] | None = None, **more: Any) -> AsyncIterator["Stream"]:
    """A stream of JetStream, with these settings, on a connection that outlives its broker."""

    async def ignore(*_: object) -> None:
        """What nats-py would log."""

    client = await nats.connect(
        f"nats://127.0.0.1:{broker.port}",
        reconnect_time_wait=0.05,
        max_reconnect_attempts=-1,
        error_cb=ignore,
        **more,
    )
    context = client.jetstream()
    await context.add_stream(
        StreamConfig(name="PLANT", subjects=["mxgw.>"], storage=StorageType.FILE, **(stream or {}))
    )
    try:
        yield Stream(client, context)
    finally:
        with suppress(Exception):
            await client.close()


class Stream:
    """What a stream has stored."""

    def __init__(self, client: Any, context: Any) -> None:
        self._client = client
        self._context = context

    async def count(self) -> int:
        """The number of its messages; 0 while the broker is away."""
        try:
            info = await self._context.stream_info("PLANT")
        except Exception:
            return 0
        return int(info.state.messages)

    async def until_count(self, least: int) -> None:
        """Wait until it has so many."""
        await _until(self.count, lambda count: count >= least)

    async def until_found(self, is_wanted: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until it has such a message."""
        await _until(self.messages, lambda found: any(is_wanted(form) for _, form in found))

    async def purge(self) -> None:
        """Make room in it."""
        await self._context.purge_stream("PLANT")

    async def messages(self) -> list[tuple[str, dict[str, Any]]]:
        """All of its messages in order, each with its subject."""
        info = await self._context.stream_info("PLANT")
        found = []
        for number in range(info.state.first_seq, info.state.last_seq + 1):
            message = await self._context.get_msg("PLANT", number)
            form = json.loads(message.data)
            assert message.headers["Nats-Msg-Id"] == form["id"]
            found.append((message.subject, form))
        return found


async def _until(ask: Callable[[], Awaitable[T]], is_enough: Callable[[T], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not is_enough(await ask()):  # noqa: ASYNC110  # a broker is asked: it has no event to wait on
            await asyncio.sleep(0.02)


class Listener:
    """A subscriber of MQTT with a session that its broker keeps, so that it misses nothing while it is away."""

    def __init__(self, port: int, topic: str = "#", user: str = "", password: str = "") -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []
        """In the order of their arrival, each with its topic."""
        self.is_subscribed = False
        self._port = port
        self._topic = topic
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="listener", clean_session=False)
        if user:
            self._client.username_pw_set(user, password)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(self._topic, qos=1)
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def _on_subscribe(self, *_: Any) -> None:
        self.is_subscribed = True

    def _on_message(self, client: Any, data: Any, message: Any) -> None:
        self.messages.append((message.topic, json.loads(message.payload)))

    async def __aenter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        await until(lambda: self.is_subscribed)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)


async def news(process: asyncio.subprocess.Process, word: str) -> None:
    """Wait until a forwarder with ``--json`` tells this news."""
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE):
        while json.loads(await process.stdout.readline()).get("news") != word:
            pass


def accounted(messages: Iterable[dict[str, Any]]) -> dict[str, set[int]]:
    """By session, the sequences that arrived as events or that a gap counts; every gap with both ends is whole."""
    found: dict[str, set[int]] = {}
    for message in messages:
        sequences = found.setdefault(message["session_id"], set())
        if message["kind"] == "event":
            sequences.add(message["worker_sequence"])
        elif message["kind"] == "gap" and message["before_sequence"] is not None:
            missing = range(message["after_sequence"] + 1, message["before_sequence"])
            assert message["lost"] in (None, len(missing))
            sequences.update(missing)
    return found


def is_whole(messages: Iterable[dict[str, Any]]) -> bool:
    """Whether every sequence of every session is accounted for, from the first to the last."""
    return all(
        sequences == set(range(1, max(sequences) + 1)) for sequences in accounted(messages).values() if sequences
    )


Condition = Callable[[], object]
