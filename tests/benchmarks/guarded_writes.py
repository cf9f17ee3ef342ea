"""What the desk and the journal cost a write: guarded writes beside plain ones, and one flush of the same disk."""

import asyncio
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from zb_mom_ww_mxgateway import GatewayClient, LiveSession
from zb_mom_ww_mxgateway.safety.arming import Arming
from zb_mom_ww_mxgateway.safety.desk import WriteDesk
from zb_mom_ww_mxgateway.safety.journal import Journal
from zb_mom_ww_mxgateway.safety.limits_watch import LimitsFile
from zb_mom_ww_mxgateway.safety.plant_values import LivePlantValues
from zb_mom_ww_mxgateway.safety.write_records import WriteRecords
from zb_mom_ww_mxgateway.safety.write_rules import WriteRules

GUARD_TAG = "TestChildObject.TestBool"
# Enough that each shows its last write when its turn comes again: a tag that does not yet is waited for. So each writer
# has tags of its own, and of reals: a value that a tag has already shows nothing.
TAGS = [f"Area001.Unit{1 + n // 50:04}.Value{1 + n % 50:02}" for n in range(1_000)]
TARGETS = {"calls.guarded_write_beyond_one_flush_vs_plain": ("<=", 1.5)}
LIMITS = f"""
unlisted = "refuse"
[tags."Area001.Unit*"]
writable = true
min = -1000000
max = 1000000
guards = ["{GUARD_TAG} is good"]
"""
Write = Callable[[], Awaitable[object]]


@asynccontextmanager
async def _writer(client: GatewayClient, tags: list[str]) -> AsyncIterator[tuple[Write, LiveSession]]:
    """A write to the next of these tags, whose values the stream shows."""
    async with await LiveSession.open(client) as live:
        server = await live.session.register("bench")
        read = await live.session.read_bulk(server, tags)
        reals = [result.tag_address for result in read if isinstance(result.value, float)]
        items = await live.subscribe_tags([GUARD_TAG, *reals[:300]], server)
        for item in items:
            await live.first_value(item)
        turns = zip(itertools.cycle(items[1:]), itertools.count())

        async def write() -> None:
            item, number = next(turns)
            await live.session.write(*item.key, float(number % 1000))

        yield write, live


def _flush(file: int, line: bytes) -> float:
    """Seconds for one flush of a line."""
    os.write(file, line)
    start = time.perf_counter()
    os.fsync(file)
    return time.perf_counter() - start


async def figures(endpoint: str, disk: Path, rounds: int, calls: int) -> dict[str, dict[str, object]]:
    """Let a plain write and a guarded one take turns, and flush a line in a thread, as the journal does.

    `disk` is a folder on the disk that is flushed.
    """
    with tempfile.TemporaryDirectory(dir=disk) as folder:
        (limits := Path(folder, "limits.toml")).write_text(LIMITS, encoding="utf-8")
        arming = Arming()
        arming.arm(["Area001.*"], reason="bench")
        rules = WriteRules(arming)
        rules.limits = LimitsFile(limits)
        journal = Journal(Path(folder, "journal"), Path(folder, "head"), {"program": "bench"})
        records = WriteRecords("bench", endpoint, journal)
        desk = WriteDesk(rules, records)
        async with (
            await GatewayClient.connect(endpoint=endpoint, plaintext=True, write_guard=desk) as guarded_client,
            await GatewayClient.connect(endpoint=endpoint, plaintext=True) as plain_client,
            _writer(guarded_client, TAGS[::2]) as (guarded, live),
            _writer(plain_client, TAGS[1::2]) as (plain, _),
        ):
            rules.values = LivePlantValues(live)
            await guarded()
            await journal.drained()
            (lines,) = (path.read_bytes() for path in journal.folder.glob("*.jsonl"))
            line = max(lines.splitlines(keepends=True), key=len)
            file = os.open(Path(folder, "flushed"), os.O_CREAT | os.O_APPEND | os.O_WRONLY)
            found = []
            for _ in range(rounds):
                taken: dict[Write, list[float]] = {plain: [], guarded: []}
                flushed = []
                for _ in range(calls):
                    # A plain write before each flush of the disk, which takes longer where it was at rest.
                    for call in (plain, guarded, plain):
                        start = time.perf_counter()
                        await call()
                        taken[call].append(time.perf_counter() - start)
                    flushed.append(await asyncio.to_thread(_flush, file, line))
                found.append([statistics.median(seconds) for seconds in (taken[guarded], taken[plain], flushed)])
            os.close(file)
        await journal.aclose()

    def middle(value: Callable[[float, float, float], float], digits: int = 3) -> float:
        return round(statistics.median(value(*each) for each in found), digits)

    return {
        "calls.guarded_write_vs_plain": {"value": middle(lambda g, p, f: g / p), "unit": "ratio of p50"},
        "calls.guarded_write_beyond_one_flush_vs_plain": {
            "value": middle(lambda g, p, f: (g - f) / p),
            "unit": "ratio of p50",
        },
        "calls.guarded_write_p50": {"value": middle(lambda g, p, f: g * 1e6, 1), "unit": "µs"},
        "calls.plain_write_p50": {"value": middle(lambda g, p, f: p * 1e6, 1), "unit": "µs"},
        "calls.flush_p50": {"value": middle(lambda g, p, f: f * 1e6, 1), "unit": "µs"},
    }
