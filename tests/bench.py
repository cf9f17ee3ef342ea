"""``make bench``: what our layers cost beside bare gRPC, as ratios within one run.

The simulated gateway runs in its own process. The variants take turns, round by round, because a machine's
speed drifts; the median of the rounds counts. Prints a table and writes build/bench.json.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc.aio

from zb_mom_ww_mxgateway import GatewayClient, LiveSession
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb, mxaccess_gateway_pb2_grpc

ROUNDS, CALLS = 5, 300
TAG = "TestChildObject.TestInt"


async def p50(call: Callable[[], Awaitable[object]]) -> float:
    """Median seconds of one call after another."""
    taken = []
    for _ in range(CALLS):
        start = time.perf_counter()
        await call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


async def write_ratio(endpoint: str) -> dict[str, dict[str, object]]:
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
        request = others.session.write_request(*handles[1], 1)

        async def bare() -> None:
            reply = await stub.Invoke(pb.MxCommandRequest.FromString(request.SerializeToString()))
            assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_OK

        rounds = [(await p50(lambda: ours.session.write(*handles[0], 1)), await p50(bare)) for _ in range(ROUNDS)]
    return {
        "calls.write_vs_grpc_aio": figure(statistics.median(a / b for a, b in rounds), "ratio of p50"),
        "calls.write_p50": figure(statistics.median(a for a, _ in rounds) * 1e6, "µs"),
        "calls.grpc_aio_p50": figure(statistics.median(b for _, b in rounds) * 1e6, "µs"),
    }


def start_ratio(endpoint: str) -> dict[str, dict[str, object]]:
    """A one-line shell run beside a bare Python that imports grpc.aio, as whole processes."""
    run = [sys.executable, "-m", "zb_mom_ww_mxgateway_shell", "--endpoint", endpoint, "--plaintext", "-e", "status"]
    bare = [sys.executable, "-c", "import grpc.aio"]
    taken: dict[str, list[float]] = {"run": [], "bare": []}
    for _ in range(ROUNDS):
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


def main() -> None:
    simulator = subprocess.Popen(
        [sys.executable, "-m", "zb_mom_ww_mxgateway_sim", "--plaintext", "--no-api-key"], stdout=subprocess.PIPE
    )
    try:
        assert simulator.stdout is not None
        endpoint = json.loads(simulator.stdout.readline())["endpoint"]
        figures = asyncio.run(write_ratio(endpoint)) | start_ratio(endpoint)
    finally:
        simulator.terminate()
        simulator.wait()
    for name, found in figures.items():
        print(f"{name:<36}{found['value']:>10} {found['unit']}")
    target = Path("build/bench.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(figures, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
