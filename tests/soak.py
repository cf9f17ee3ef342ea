"""``make soak``: one live session for hours at 1,000 events a second, with a fault every minute.

The simulated gateway runs in its own process and makes the trouble by a schedule. Prints a line every minute and what
was measured at the end, and writes build/soak.json. Exits with 1 if an event was lost that was not reported, if a write
was told wrongly, or if memory, threads, tasks or open files grew.
"""

import argparse
import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from zb_mom_ww_mxgateway import (
    GatewayClient,
    LiveSession,
    LiveState,
    MxGatewayError,
    Overflow,
    Subscription,
    WriteOutcome,
)

# One after another; between two of them the session has to be itself again.
FAULTS = (
    "kill-connection",
    "drop-stream",
    "lose-session",
    "lose-reply write",
    "fault-session",
    "close-session",
    "kill-worker",
    "evict-replay",
    "kill-connection",
    "garbage",
    "overflow",
    "restart",
    "redeploy",
)
WRITTEN = "TestChildObject.TestInt"
# Five changes a second of each, but those that round to the value before: a little over 1,000 events a second.
TAGS = 220


def schedule(seconds: float, every: float) -> str:
    """A fault file: a fault every so many seconds, but none in the last stretch."""
    times = [every * (number + 1) for number in range(int(seconds / every) - 1)]
    return "".join(f"after {at:g}s {FAULTS[number % len(FAULTS)]}\n" for number, at in enumerate(times))


@dataclass
class Seen:
    """What came about."""

    events: int = 0
    gaps: int = 0
    unreported: int = 0
    """Events that are missing where no gap was reported."""
    last: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


async def check_sequences(subscription: Subscription, seen: Seen) -> None:
    """Every event follows the one before, or a gap has been reported."""
    after_gap = False
    async for event in subscription:
        if event.replay_gap is not None:
            seen.gaps += 1
            after_gap = True
            continue
        seen.events += 1
        if seen.last and event.worker_sequence != seen.last + 1 and not after_gap:
            seen.unreported += abs(event.worker_sequence - seen.last - 1)
        seen.last, after_gap = event.worker_sequence, False


async def write(live: LiveSession, seen: Seen, pause: float) -> None:
    """Writes rising numbers; what is said to have been completed must have come back."""
    server = await live.session.register("soak")
    (item,) = await live.subscribe_tags([WRITTEN], server)
    number = 0
    while True:
        await asyncio.sleep(pause)
        number += 1
        try:
            result = await live.write_and_confirm(*item.key, number, timeout=5)
        except MxGatewayError as error:
            seen.outcomes["not sent" if not error.outcome_unknown else "unknown"] += 1
            continue
        seen.outcomes[result.outcome.value] += 1
        if result.outcome is WriteOutcome.REFUSED:
            seen.wrong.append(f"write {number} was refused: {result.error or result.statuses}")
        if result.outcome is WriteOutcome.COMPLETED:
            with suppress(MxGatewayError):
                await live.wait_for(WRITTEN, lambda value, wanted=number: value == wanted, timeout=20)
                continue
            if live.state is LiveState.LIVE and live[WRITTEN].stale_since is None and live[WRITTEN].value != number:
                seen.wrong.append(f"write {number} was completed, and the value is {live[WRITTEN].value}")


def resident() -> float:
    """MiB of memory, where the system tells."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, AttributeError):
        return 0.0


def open_files() -> int:
    try:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())
    except OSError:
        return 0


async def soak(endpoint: str, seconds: float, every: float, report: float) -> tuple[dict[str, float], list[str]]:
    seen, figures, problems = Seen(), list[tuple[float, int, int, int]](), list[str]()
    async with (
        await GatewayClient.connect(endpoint=endpoint, plaintext=True) as client,
        await LiveSession.open(client) as live,
    ):
        server = await live.session.register("load")
        names = [f"Area001.Unit{1 + tag // 50:04}.Value{1 + tag % 50:02}" for tag in range(TAGS)]
        subscription = live.subscribe(queue_size=100_000, overflow=Overflow.DISCONNECT)
        tasks = [
            asyncio.create_task(check_sequences(subscription, seen)),
            asyncio.create_task(write(live, seen, min(1.0, every / 3))),
        ]
        items = await live.subscribe_tags(names, server)
        start = reported = time.monotonic()
        events = 0
        while (now := time.monotonic()) - start < seconds:
            await asyncio.sleep(min(report, seconds - (now - start)) if now - start < seconds else 0)
            now = time.monotonic()
            gc.collect()
            figures.append((resident(), open_files(), threading.active_count(), len(asyncio.all_tasks())))
            rate, events, reported = (seen.events - events) / (now - reported), seen.events, now
            memory, files, threads, running = figures[-1]
            print(
                f"{now - start:7.0f} s  {live.state.value:<10} {rate:6.0f} ev/s  {live.events} events  "
                f"gaps {live.gaps}  lost {live.lost_events}  unreported {seen.unreported}  resumes {live.resumes}  "
                f"rebuilds {live.rebuilds}  {memory:.0f} MiB  {files} files  {threads} threads  {running} tasks",
                flush=True,
            )
            problems += [f"a task ended: {task.exception()!r}" for task in tasks if task.done()]
            if problems:
                break
        try:
            async with asyncio.timeout(30):
                await live.ready()
                for item in items:
                    while (value := live.latest(*item.key)) is None or value.stale_since is not None:
                        await live.changed()
        except (TimeoutError, MxGatewayError) as error:
            problems.append(f"in the end not all is live: {live.state.value}, {error!r}")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    problems += judge(seen, figures)
    quarter = max(1, len(figures) // 4)
    return {
        "soak.seconds": round(time.monotonic() - start, 1),
        "soak.events": seen.events,
        "soak.gaps": live.gaps,
        "soak.lost_events_reported": live.lost_events,
        "soak.lost_events_unreported": seen.unreported,
        "soak.resumes": live.resumes,
        "soak.rebuilds": live.rebuilds,
        "soak.rss_first_quarter": round(statistics.median(row[0] for row in figures[:quarter]), 1),
        "soak.rss_last_quarter": round(statistics.median(row[0] for row in figures[-quarter:]), 1),
        "soak.problems": len(problems),
    } | {f"soak.writes.{outcome}": count for outcome, count in sorted(seen.outcomes.items())}, problems


def judge(seen: Seen, figures: list[tuple[float, int, int, int]]) -> list[str]:
    """What is not as it has to be. Memory may grow by a tenth from the second quarter to the last."""
    problems = list(seen.wrong)
    if seen.unreported:
        problems.append(f"{seen.unreported} events are missing that no gap reported")
    if not seen.events:
        problems.append("no event came")
    if len(figures) >= 8:
        quarter = len(figures) // 4
        for index, (name, slack) in enumerate((("MiB", 8), ("open files", 4), ("threads", 4), ("tasks", 4))):
            before = statistics.median(row[index] for row in figures[quarter : 2 * quarter])
            after = statistics.median(row[index] for row in figures[-quarter:])
            if after > before * 1.1 + slack:
                problems.append(f"{name} grew from {before:g} to {after:g}")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description="One live session for hours, with a fault every minute.")
    parser.add_argument("--seconds", type=float, default=7200)
    parser.add_argument(
        "--fault-every", type=float, default=None, help="seconds; a minute, or a twelfth of a short run"
    )
    parser.add_argument("--output", type=Path, default=Path("build/soak.json"))
    given = parser.parse_args()
    every = given.fault_every or min(60.0, given.seconds / 12)
    with tempfile.TemporaryDirectory() as directory:
        faults = Path(directory) / "faults"
        faults.write_text(schedule(given.seconds, every), encoding="utf-8")
        options = ["--plaintext", "--no-api-key", "--generated-tags", str(TAGS), "--change-period", "0.1"]
        with subprocess.Popen(
            [sys.executable, "-m", "zb_mom_ww_mxgateway_sim", *options, "--faults", str(faults)], stdout=subprocess.PIPE
        ) as simulator:
            assert simulator.stdout is not None
            try:
                endpoint = json.loads(simulator.stdout.readline())["endpoint"]
                measured, problems = asyncio.run(soak(endpoint, given.seconds, every, min(60.0, given.seconds / 12)))
            finally:
                simulator.terminate()
    for name, value in measured.items():
        print(f"{name:<36}{value:>12}")
    for problem in problems:
        print(f"PROBLEM: {problem}")
    given.output.parent.mkdir(parents=True, exist_ok=True)
    form = {name: {"value": value, "unit": ""} for name, value in measured.items()}
    given.output.write_text(json.dumps(form, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
