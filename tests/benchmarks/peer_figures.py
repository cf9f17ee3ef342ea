"""Our events beside those of other systems: asyncua's subscription, a subscription of NATS, redis pub/sub.

The same events a tag, a value, a quality, a time and a sequence; the same count. Each server is a process of its own,
and so is each reader, in the environment that ``make bench`` makes for them. A peer that is not installed is left out.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import growth_figures
from growth_figures import Figures, figure, printed_by

HERE = Path(__file__).parent
PEERS = HERE.parents[1] / "build" / "peers" / "bin" / "python"
# The program that each needs.
PROGRAMS = {"asyncua": "", "nats": "nats-server", "redis": "redis-server"}
KINDS = {"us_an_event": ("µs of CPU an event", 1)} | {
    name: growth_figures.KINDS[name] for name in ("events_s", "us_at_rate", "p50_ms", "p99_ms")
}
COUNT, RATE, SECONDS, TAGS = 20_000, 1_000, 1.0, 500


def peer_figures(rounds: int, quick: bool) -> Figures:
    """Figures of each that runs here, and the CPU time of an event of ours in that of theirs."""
    count, seconds = (200, 0.2) if quick else (COUNT, SECONDS)
    runs: dict[str, list[dict[str, float]]] = {"ours": []} | {name: [] for name in PROGRAMS if is_here(name)}
    for _ in range(rounds):
        for name, found in runs.items():
            if name == "ours":
                found.append(growth_figures.read((TAGS, 1, 1, count), rate=RATE, seconds=seconds))
            else:
                command = [str(PEERS), str(HERE / "peer_reader.py"), name, str(count), str(RATE), str(seconds)]
                found.append(printed_by(command))
    figures: Figures = {}
    for name, found in runs.items():
        for kind, (unit, digits) in KINDS.items():
            figures[f"peers.{name}.{kind}"] = figure([run[kind] for run in found], unit, digits)
    for name, found in runs.items():
        if name != "ours":
            ratios = [run["us_an_event"] / peer["us_an_event"] for run, peer in zip(runs["ours"], found, strict=True)]
            figures[f"peers.ours.us_an_event_vs_{name}"] = figure(ratios, "ratio of CPU time", 3)
    return figures


def is_here(name: str) -> bool:
    """Whether a peer can run; says why where it cannot."""
    program = PROGRAMS[name]
    if program and not shutil.which(program):
        print(f"{name} is left out: there is no {program}", file=sys.stderr)
        return False
    if (
        not PEERS.exists()
        or subprocess.run([PEERS, "-c", f"import {name}"], check=False, capture_output=True).returncode
    ):
        print(f"{name} is left out: its package is not in build/peers", file=sys.stderr)
        return False
    return True
