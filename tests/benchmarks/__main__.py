"""``make bench``: what our layers cost beside bare gRPC, as ratios within one run.

Servers run in processes of their own. The variants take turns, round by round, because a machine's speed
drifts; the median of the rounds counts. Prints a table and writes build/bench.json.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import growth_figures
import grpc.aio
import guarded_writes
import peer_figures
import replay_server
import script_figures
import shell_figures
import suite_figures
from completion import completion_figures
from simulated import simulator

from zb_mom_ww_mxgateway import GatewayClient, LiveSession, wire
from zb_mom_ww_mxgateway.commands.writes import write_request
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb, mxaccess_gateway_pb2_grpc

CALLS = 300
TAG = "TestChildObject.TestInt"
HERE = Path(__file__).parent

# What a figure should be: at most or at least.
TARGETS = {
    "events.stream_vs_grpc_aio": (">=", 8.0),
    "events.cpu_at_5000_vs_grpc_aio": ("<=", 0.45),
    "events.cpu_at_5000_one_by_one_vs_grpc_aio": ("<=", 0.4),
    "events.retained_bytes": ("<=", 300),
    "start.shell_line_vs_import_grpc": ("<=", 2.0),
    "calls.write_vs_grpc_aio": ("<=", 1.15),
    "calls.subscribe_bulk_1000_vs_singles": (">=", 50),
    "shell.complete_prefix_p99_ms": ("<=", 5),
    "shell.complete_substring_p99_ms": ("<=", 50),
    **growth_figures.TARGETS,
    "shell.catalogue_loading_s": ("<=", 5),
    "shell.catalogue_long_pauses": ("<=", 0),
    "shell.catalogue_kept_loading_s": ("<=", 1),
    "shell.catalogue_kept_long_pauses": ("<=", 0),
    **guarded_writes.TARGETS,
    **script_figures.TARGETS,
    **shell_figures.TARGETS,
    **suite_figures.TARGETS,
}
LAYERS = ["events", "calls", "start", "script", "suite", "completion", "shell", "growth", "peers"]

Figures = dict[str, dict[str, object]]


@contextmanager
def replaying(count: int, rate: float = 0, pause: float = 0) -> Iterator[int]:
    """The port of a server that replays so many events."""
    command = [sys.executable, str(HERE / "replay_server.py"), str(count), str(rate), str(pause)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()


def read_events(variant: str, port: int, count: int, *look: str) -> dict[str, float]:
    command = [sys.executable, str(HERE / "event_reader.py"), variant, str(port), str(count), *look]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    assert found["events"] == count
    return found


def event_figures(rounds: int, count: int, paced: int) -> Figures:
    """Our stream beside a bare ``async for`` of grpc.aio: as fast as they go, and at 5,000 events a second."""
    rates: dict[str, list[float]] = {name: [] for name in ("ours", "aio", "ours look", "aio look")}
    with replaying(count) as port:
        capacity = statistics.median(replay_server.capacity(port, count) for _ in range(3))
        for _ in range(rounds):
            for name, found in rates.items():
                variant, *look = name.split()
                run = read_events(variant, port, count, *look)
                found.append((run["events"] - 1) / run["seconds"])
    ratios = [a / b for a, b in zip(rates["ours"], rates["aio"], strict=True)]
    looked = [a / b for a, b in zip(rates["ours look"], rates["aio look"], strict=True)]
    return {
        "events.stream_vs_grpc_aio": figure(statistics.median(ratios), "ratio of events/s"),
        # The same where each event's item, value, quality, time and sequence are looked at, in both.
        "events.stream_looked_at_vs_grpc_aio": figure(statistics.median(looked), "ratio of events/s"),
        "events.stream": figure(statistics.median(rates["ours"]), "events/s"),
        "events.grpc_aio": figure(statistics.median(rates["aio"]), "events/s"),
        "events.server_capacity": figure(capacity, "events/s"),
        # Bursts of 25, as one scan of a device gives them; and each for itself, when every packet wakes gRPC.
        **cpu_figures("events.cpu_at_5000", rounds, paced, 0.005),
        **cpu_figures("events.cpu_at_5000_one_by_one", rounds, paced, 0.0002),
        **decoding_figures(),
    }


def cpu_figures(name: str, rounds: int, count: int, pause: float) -> Figures:
    """The share of a core that 5,000 events a second take."""
    shares: dict[str, list[float]] = {"ours": [], "aio": []}
    with replaying(count, 5_000, pause) as port:
        for _ in range(rounds):
            for variant, found in shares.items():
                run = read_events(variant, port, count)
                found.append(run["cpu"] / run["seconds"])
    ratios = [a / b for a, b in zip(shares["ours"], shares["aio"], strict=True)]
    return {
        f"{name}_vs_grpc_aio": figure(statistics.median(ratios), "ratio of CPU time"),
        name: figure(statistics.median(shares["ours"]) * 100, "% of a core"),
        f"{name}_grpc_aio": figure(statistics.median(shares["aio"]) * 100, "% of a core"),
    }


def decoding_figures(count: int = 20_000) -> Figures:
    """What decoding alone costs, which no stream can do without, and what a kept event needs."""
    data = [replay_server.event(sequence).SerializeToString() for sequence in range(1, count + 1)]
    from_string = pb.MxEvent.FromString
    parse, decode = [], []
    for _ in range(5):
        start = time.perf_counter()
        for part in data:
            from_string(part)
        parse.append(time.perf_counter() - start)
        start = time.perf_counter()
        for part in data:
            wire.from_mx_event(from_string(part), 0.0)
        decode.append(time.perf_counter() - start)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = [wire.from_mx_event(from_string(part), time.monotonic()) for part in data]
    retained = (tracemalloc.get_traced_memory()[0] - before) / len(kept)
    tracemalloc.stop()
    return {
        "events.parse": figure(statistics.median(parse) / count * 1e6, "µs an event"),
        "events.decode": figure(statistics.median(decode) / count * 1e6, "µs an event"),
        "events.retained_bytes": figure(retained, "bytes an event"),
    }


async def subscribe_ratio(endpoint: str, rounds: int, tags: int) -> Figures:
    """One subscribe_bulk beside as many add_item and advise, one after another."""
    names = [f"Area001.Unit{1 + n // 50:04}.Value{1 + n % 50:02}" for n in range(tags)]
    ratios = []
    async with await GatewayClient.connect(endpoint=endpoint, plaintext=True) as client:
        for _ in range(rounds):
            async with await LiveSession.open(client) as live:
                server = await live.session.register("singles")
                start = time.perf_counter()
                for name in names:
                    await live.session.advise(server, await live.session.add_item(server, name))
                singles = time.perf_counter() - start
            async with await LiveSession.open(client) as live:
                server = await live.session.register("bulk")
                start = time.perf_counter()
                results = await live.session.subscribe_bulk(server, names)
                bulk = time.perf_counter() - start
                assert all(result.was_successful for result in results)
            ratios.append(singles / bulk)
    return {f"calls.subscribe_bulk_{tags}_vs_singles": figure(statistics.median(ratios), "times faster")}


async def p50(call: Callable[[], Awaitable[object]], calls: int) -> float:
    """Median seconds of one call after another."""
    taken = []
    for _ in range(calls):
        start = time.perf_counter()
        await call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


async def write_ratio(endpoint: str, rounds: int, calls: int) -> Figures:
    """session.write beside the same message sent on a bare grpc.aio stub, each on its own session."""
    async with (
        await GatewayClient.connect(endpoint=endpoint, plaintext=True) as client,
        await LiveSession.open(client) as ours,
        await LiveSession.open(client) as others,
        grpc.aio.insecure_channel(endpoint) as channel,
    ):
        stub = mxaccess_gateway_pb2_grpc.MxAccessGatewayStub(channel)
        handles = []
        for live in (ours, others):
            server = await live.session.register("bench")
            (item,) = await live.subscribe_tags([TAG], server)
            await live.first_value(item)
            handles.append(item.key)
        request = write_request(others.session._link, *handles[1], 1)

        async def bare() -> None:
            reply = await stub.Invoke(pb.MxCommandRequest.FromString(request.SerializeToString()))
            assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_OK

        found = [
            (await p50(lambda: ours.session.write(*handles[0], 1), calls), await p50(bare, calls))
            for _ in range(rounds)
        ]
    return {
        "calls.write_vs_grpc_aio": figure(statistics.median(a / b for a, b in found), "ratio of p50"),
        "calls.write_p50": figure(statistics.median(a for a, _ in found) * 1e6, "µs"),
        "calls.grpc_aio_p50": figure(statistics.median(b for _, b in found) * 1e6, "µs"),
    }


def start_ratio(endpoint: str, rounds: int) -> Figures:
    """A one-line shell run beside a bare Python that imports grpc.aio, as whole processes."""
    run = [sys.executable, "-m", "zb_mom_ww_mxgateway_shell", "--endpoint", endpoint, "--plaintext", "-e", "status"]
    bare = [sys.executable, "-c", "import grpc.aio"]
    taken: dict[str, list[float]] = {"run": [], "bare": []}
    for _ in range(rounds):
        for name, command in (("run", run), ("bare", bare)):
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            taken[name].append(time.perf_counter() - start)
    ratios = [a / b for a, b in zip(taken["run"], taken["bare"], strict=True)]
    return {
        "start.shell_line_vs_import_grpc": figure(statistics.median(ratios), "ratio"),
        "start.shell_line": figure(statistics.median(taken["run"]) * 1e3, "ms"),
    }


def figure(value: float, unit: str) -> dict[str, object]:
    return {"value": round(value, 3), "unit": unit}


def verdict(name: str, value: object) -> str:
    if name not in TARGETS:
        return ""
    relation, target = TARGETS[name]
    assert isinstance(value, float)
    met = value >= target if relation == ">=" else value <= target
    return f"{'met' if met else 'NOT MET'}: {relation} {target:g}"


def main() -> None:
    parser = argparse.ArgumentParser(description="What the library's layers cost beside bare gRPC.")
    parser.add_argument("--only", choices=LAYERS, action="append", help="some of the figures")
    parser.add_argument("--quick", action="store_true", help="tiny numbers: shows that it works, and measures nothing")
    parser.add_argument("--output", type=Path, default=Path("build/bench.json"))
    given = parser.parse_args()
    wanted = given.only or LAYERS
    given.output.parent.mkdir(parents=True, exist_ok=True)
    rounds = 1 if given.quick else 5
    figures: Figures = {}
    if "events" in wanted:
        figures |= event_figures(rounds, *((500, 500) if given.quick else (60_000, 15_000)))
    with simulator(tags=1000) as endpoint:
        if "calls" in wanted:
            figures |= asyncio.run(write_ratio(endpoint, rounds, 10 if given.quick else CALLS))
            figures |= asyncio.run(
                guarded_writes.figures(endpoint, given.output.parent, rounds, 10 if given.quick else CALLS)
            )
            figures |= asyncio.run(subscribe_ratio(endpoint, rounds, 20 if given.quick else 1000))
        if "start" in wanted:
            figures |= start_ratio(endpoint, rounds)
        if "script" in wanted:
            figures |= script_figures.script_figures(endpoint, rounds if given.quick else 15)
        if "suite" in wanted:
            figures |= suite_figures.suite_figures(endpoint, 1 if given.quick else 3, 5 if given.quick else 100)
    if "completion" in wanted:
        figures |= completion_figures(given.quick)
    if "shell" in wanted:
        figures |= shell_figures.figures(given.quick)
    if "growth" in wanted:
        figures |= growth_figures.growth_figures(rounds, given.quick)
    if "peers" in wanted:
        figures |= peer_figures.peer_figures(rounds, given.quick)
    for name, found in figures.items():
        print(f"{name:<56}{found['value']:>12} {found['unit']:<20}{verdict(name, found['value'])}".rstrip())
    if "growth" in wanted:
        print(f"\nMedians of {min(rounds, growth_figures.ROUNDS)} rounds:\n")
        print(growth_figures.table("growth", figures, growth_figures.KINDS))
    if "peers" in wanted:
        print("\n" + growth_figures.table("peers", figures, peer_figures.KINDS))
    given.output.write_text(json.dumps(figures, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
