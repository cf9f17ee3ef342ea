"""Times reads: round trips of a client, one at a time."""

import math
import statistics
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway_cli.commands.bulk import check_failed
from zb_mom_ww_mxgateway_console.render.report import Report

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import Session


async def measure(
    report: Report, session: "Session", server_handle: int, tags: Sequence[str], rounds: int, timeout_ms: int
) -> None:
    """Time `rounds` calls of read_bulk and print the figures; raise EntriesFailed if a read failed."""
    taken, cached, failed = [], 0, 0
    began = time.perf_counter()
    for _ in range(rounds):
        started = time.perf_counter()
        results = await session.read_bulk(server_handle, tags, timeout_ms)
        taken.append((time.perf_counter() - started) * 1000)
        cached += sum(result.was_cached for result in results)
        failed += sum(not result.was_successful for result in results)
    seconds = time.perf_counter() - began
    reads = rounds * len(tags)
    form: dict[str, Any] = {
        "cached_reads": cached,
        "calls_per_second": round(rounds / seconds, 1),
        "failed_reads": failed,
        **figures(taken),
        "reads": reads,
        "rounds": rounds,
        "seconds": round(seconds, 3),
        "server_handle": server_handle,
        "session_id": session.session_id,
        "tags": len(tags),
    }
    if not (report.formatter.reports_errors and failed):  # Else the error has them.
        report.line(
            {**form, "ok": True},
            f"{rounds} rounds of {len(tags)} tags in {seconds:.3f} s, {form['calls_per_second']} calls a second; "
            f"min {form['min_ms']} ms, median {form['median_ms']} ms, p99 {form['p99_ms']} ms, "
            f"max {form['max_ms']} ms; {cached} of {reads} reads cached",
        )
    check_failed(report, "read_bulk", form, failed, reads)


def figures(milliseconds: Sequence[float]) -> dict[str, float]:
    """Return minimum, median, 99th percentile (nearest rank) and maximum, to the microsecond."""
    ordered = sorted(milliseconds)
    found = {
        "max_ms": ordered[-1],
        "median_ms": statistics.median(ordered),
        "min_ms": ordered[0],
        "p99_ms": ordered[math.ceil(len(ordered) * 0.99) - 1],
    }
    return {name: round(value, 3) for name, value in found.items()}
