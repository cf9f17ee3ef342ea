"""The long runs work: in small, as nobody has hours for a test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

# They take as long as the machine lets them.
pytestmark = [pytest.mark.timeout(300), pytest.mark.long]

ROOT = Path(__file__).parents[2]


FIGURES = {
    ("events", "calls", "start", "script", "suite"): {
        "events.stream_vs_grpc_aio",
        "events.cpu_at_5000_vs_grpc_aio",
        "events.retained_bytes",
        "events.server_capacity",
        "calls.write_vs_grpc_aio",
        "start.shell_line_vs_import_grpc",
        "script.run_vs_grpc_aio",
        "test.suite_of_100_files",
    },
    ("completion", "shell"): {
        "shell.complete_prefix_p99_ms",
        "shell.complete_substring_p99_ms",
        "shell.catalogue_bytes_per_tag",
        "shell.catalogue_worst_pause_ms",
        "shell.watch_500_cpu_share",
        "shell.echo_p90_ms_at_20000",
        "shell.lost_to_record_at_20000",
    },
    ("growth", "peers"): {
        "growth.tags_1000.bytes_a_tag",
        "growth.tags_1000.p99_ms",
        "growth.gateways_16.us_a_delivery_vs_tags_1000",
        "peers.ours.us_an_event",
    },
}


@pytest.mark.parametrize("layers", FIGURES, ids="-".join)
def test_the_benchmarks_run_and_name_their_figures(layers: tuple[str, ...], tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    only = [argument for layer in layers for argument in ("--only", layer)]
    command = [sys.executable, "tests/benchmarks", "--quick", *only, "--output", str(output)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(output.read_text(encoding="utf-8"))
    assert set(figures) >= FIGURES[layers]
    assert figures.get("shell.lost_to_record_at_20000", {"value": 0})["value"] == 0
    assert all(isinstance(figure["value"], float) and figure["unit"] for figure in figures.values())


def test_every_layer_of_the_benchmarks_is_run_here() -> None:
    done = subprocess.run([sys.executable, "tests/benchmarks", "--help"], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    assert "{" + ",".join(layer for layers in FIGURES for layer in layers) + "}" in done.stdout.decode()


def test_a_short_soak_loses_nothing_unreported(tmp_path: Path) -> None:
    output = tmp_path / "soak.json"
    command = [sys.executable, "tests/soak.py", "--seconds", "8", "--output", str(output)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(output.read_text(encoding="utf-8"))
    assert figures["soak.lost_events_unreported"]["value"] == 0
    assert figures["soak.events"]["value"] > 1_000
    assert figures["soak.rebuilds"]["value"] >= 1
    assert figures["soak.resumes"]["value"] >= 1
