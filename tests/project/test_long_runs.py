"""The long runs work: in small, as nobody has hours for a test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

# They take as long as the machine lets them.
pytestmark = [pytest.mark.timeout(300), pytest.mark.long]

ROOT = Path(__file__).parents[2]


def test_the_benchmarks_run_and_name_their_figures(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    command = [sys.executable, "tests/benchmarks", "--quick", "--output", str(output)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(output.read_text(encoding="utf-8"))
    assert {
        "events.stream_vs_grpc_aio",
        "events.cpu_at_5000_vs_grpc_aio",
        "events.retained_bytes",
        "events.server_capacity",
        "calls.write_vs_grpc_aio",
        "start.shell_line_vs_import_grpc",
        "script.run_vs_grpc_aio",
        "test.suite_of_100_files",
        "shell.complete_prefix_p99_ms",
        "shell.complete_substring_p99_ms",
        "shell.catalogue_bytes_per_tag",
        "shell.catalogue_worst_pause_ms",
        "shell.watch_500_cpu_share",
        "shell.echo_p90_ms_at_20000",
        "growth.tags_1000.bytes_a_tag",
        "growth.tags_1000.p99_ms",
        "growth.gateways_16.us_a_delivery_vs_tags_1000",
        "peers.ours.us_an_event",
    } <= set(figures)
    assert figures["shell.lost_to_record_at_20000"]["value"] == 0
    assert all(isinstance(figure["value"], float) and figure["unit"] for figure in figures.values())


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
