"""How time, memory and delay grow with tags, subscribers and gateways.

Each run is a process of its own with its gateways in another. A ratio compares a run with that of 1,000 tags of one
gateway for one subscriber, in the same round: what costs as much a tag, and an event, as there has a ratio of 1.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

Figures = dict[str, dict[str, object]]

BASE = "tags_1000"
# Tags of each gateway, subscribers of each gateway, gateways, and events that come as fast as they can.
LOADS = {
    BASE: (1_000, 1, 1, 30_000),
    "tags_10000": (10_000, 1, 1, 30_000),
    "tags_100000": (100_000, 1, 1, 30_000),
    "subscribers_10": (1_000, 10, 1, 10_000),
    "subscribers_100": (1_000, 100, 1, 3_000),
    "gateways_4": (1_000, 1, 4, 30_000),
    "gateways_16": (1_000, 1, 16, 30_000),
}
# A run of 100,000 tags or 100 subscribers takes long, and a ratio is that of one round: three are enough.
ROUNDS = 3
QUICK = {BASE: (10, 1, 1, 200), "gateways_16": (10, 2, 2, 200)}
RATE, SECONDS = 1_000, 1.0
# Figures of a run: unit and digits.
KINDS = {
    "us_a_tag": ("µs of CPU a tag", 1),
    "elapsed_us_a_tag": ("µs a tag", 1),
    "bytes_a_tag": ("bytes a tag", 0),
    "us_a_delivery": ("µs of CPU a delivery", 2),
    "events_s": ("events/s", 0),
    "us_at_rate": ("µs of CPU an event at 1,000/s", 0),
    "p50_ms": ("ms of delay, p50", 1),
    "p99_ms": ("ms of delay, p99", 1),
}
# Those that should not grow faster than the work. At a rate, wake-ups count more than events: for each packet of each
# gateway; and a delay is mostly that of the gathering of events that come slowly.
COMPARED = ("us_a_tag", "bytes_a_tag", "us_a_delivery")
TARGETS = {f"growth.{name}.{kind}_vs_{BASE}": ("<=", 1.3) for name in LOADS if name != BASE for kind in COMPARED}


def growth_figures(rounds: int, quick: bool) -> Figures:
    """The figures of every load, and what those that must not grow are of those of the first."""
    loads = QUICK if quick else LOADS
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in loads}
    held = {name: read(load, memory=True)["bytes_a_tag"] for name, load in loads.items() if load[1] == 1 or quick}
    for _ in range(min(rounds, ROUNDS)):
        for name, load in loads.items():
            run = read(load, rate=RATE, seconds=0.2 if quick else SECONDS)
            run["us_a_delivery"] = run.pop("us_an_event") / load[1]
            runs[name].append(run | ({"bytes_a_tag": held[name]} if name in held else {}))
    figures: Figures = {}
    for name, found in runs.items():
        for kind, (unit, digits) in KINDS.items():
            if kind in found[0]:
                figures[f"growth.{name}.{kind}"] = figure([run[kind] for run in found], unit, digits)
    for name, found in runs.items():
        for kind in COMPARED:
            if name != BASE and kind in found[0]:
                ratios = [run[kind] / base[kind] for run, base in zip(found, runs[BASE], strict=True)]
                figures[f"growth.{name}.{kind}_vs_{BASE}"] = figure(ratios, "ratio", 3)
    return figures


def figure(values: Sequence[float], unit: str, digits: int) -> dict[str, object]:
    """Their median."""
    return {"value": round(statistics.median(values), digits), "unit": unit}


def read(
    load: tuple[int, int, int, int], *, rate: float = 0, seconds: float = 0, memory: bool = False
) -> dict[str, float]:
    tags, subscribers, gateways, flood = load
    asked = {
        "tags": tags,
        "subscribers": subscribers,
        "gateways": gateways,
        "flood": 0 if memory else flood,
        "rate": rate,
        "seconds": seconds,
        "memory": memory,
    }
    return printed_by([sys.executable, str(Path(__file__).with_name("growth_reader.py")), json.dumps(asked)])


def printed_by(command: list[str]) -> dict[str, float]:
    """The figures that a reader prints."""
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


def table(layer: str, figures: Mapping[str, Mapping[str, object]], kinds: Mapping[str, tuple[str, int]]) -> str:
    """The figures of a layer as docs/measured.md has them: a line for each load or peer."""
    names = dict.fromkeys(name.split(".")[1] for name in figures if name.startswith(f"{layer}."))
    lines = [f"| {layer} | {' | '.join(unit for unit, _ in kinds.values())} |", "|---" * (1 + len(kinds)) + "|"]
    for name in names:
        what, _, count = name.partition("_")
        cells = [f"{int(count):,} {what}" if count else name]
        for kind, (_, digits) in kinds.items():
            found = figures.get(f"{layer}.{name}.{kind}", {}).get("value", "")
            cells.append(f"{found:,.{digits}f}" if isinstance(found, float) else "")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
