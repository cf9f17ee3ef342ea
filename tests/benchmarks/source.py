"""A server in a process of its own that sends what its reader asks for, and what the reader found.

Any Python can import this: the peers have an environment of their own.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO, TypeVar

# Seconds between looks at what is due: a device is scanned so.
TICK = 0.005
# Bytes are made in portions, not to take the processor from the reader while it waits for the first.
PORTION = 500

Chunk = TypeVar("Chunk")


@dataclass(frozen=True)
class Order:
    """So many events: as fast as the reader takes them, or at a rate."""

    count: int
    rate: float = 0.0

    def share(self, among: int) -> "Order":
        """The part of one of several senders."""
        return Order(self.count // among, self.rate / among)

    def portions(self) -> Iterator[int]:
        """How many to send, each time that some are due."""
        start, sent = time.monotonic(), 0
        while sent < self.count:
            if self.rate:
                time.sleep(TICK)
                due = min(self.count, int((time.monotonic() - start) * self.rate))
            else:
                due = min(self.count, sent + PORTION)
            if due > sent:
                yield due - sent
                sent = due

    def carry_out(self, make: Callable[[int], Chunk], send: Callable[[Chunk], object]) -> None:
        """Makes and sends them all; those that come as fast as they can are made first."""
        if self.rate:
            for count in self.portions():
                send(make(count))
        else:
            for chunk in [make(count) for count in self.portions()]:
                send(chunk)


def orders(lines: TextIO) -> Iterator[Order]:
    """What is asked for on standard input, until it ends."""
    for line in lines:
        yield Order(**json.loads(line))


class Source:
    """The server, from the reader's side. Its ports are there when it has been entered."""

    def __init__(self, script: str, *arguments: object) -> None:
        self._command = [sys.executable, str(Path(__file__).with_name(script)), *map(str, arguments)]
        self.ports: list[int] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.ports = json.loads(self._process.stdout.readline())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # It ends with its standard input.
        self._process.communicate()

    def ask(self, count: int, rate: float = 0.0) -> None:
        """Has it send so many events."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"count": count, "rate": rate}) + "\n")
        self._process.stdin.flush()


Follow = Callable[[int, list[float]], Awaitable[float]]
"""Reads so many events, and looks at value, quality, time and sequence of each.

Appends the seconds since each was sent; returns when the first came.
"""


async def flooded(source: Source, followers: Sequence[Follow], count: int, senders: int = 1) -> dict[str, float]:
    """What so many events took that came as fast as they could, each to every follower of its sender."""
    cpu = time.process_time()
    found = asyncio.gather(*(follow(count // senders, []) for follow in followers))
    await asyncio.sleep(0)
    source.ask(count)
    start = min(await found)
    return {"events_s": count / (time.monotonic() - start), "us_an_event": (time.process_time() - cpu) / count * 1e6}


async def delayed(
    source: Source, followers: Sequence[Follow], rate: float, seconds: float, senders: int = 1
) -> dict[str, float]:
    """How long after they were sent events came that were sent at a rate, and what each took."""
    cpu = time.process_time()
    count = int(rate * seconds) // senders * senders
    delays: list[float] = []
    found = asyncio.gather(*(follow(count // senders, delays) for follow in followers))
    await asyncio.sleep(0)
    source.ask(count, rate)
    await found
    return percentiles(delays) | {"us_at_rate": (time.process_time() - cpu) / count * 1e6}


def percentiles(delays: Iterable[float]) -> dict[str, float]:
    """Median and 99th percentile, in milliseconds."""
    parts = statistics.quantiles(delays, n=100)
    return {"p50_ms": parts[49] * 1e3, "p99_ms": parts[98] * 1e3}
