"""The files of large galaxies that are kept between runs: their bounds, and two writers at once."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from zb_mom_ww_mxgateway import ClientOptions
from zb_mom_ww_mxgateway_shell.galaxy.kept_galaxy import GalaxyState, KeptGalaxy

STATE = GalaxyState(datetime(2026, 1, 2, 3, 4, 5, 6, UTC), 1, 2, 3)


@pytest.fixture
def files() -> list[KeptGalaxy]:
    """The files of a dozen gateways, oldest first."""
    return [KeptGalaxy(ClientOptions(endpoint=f"plant{number}:5001"), make=True) for number in range(12)]


def test_the_oldest_files_go(files: list[KeptGalaxy]) -> None:
    for age, file in enumerate(reversed(files)):
        file.path.write_bytes(b"of another gateway")
        os.utime(file.path, (1e9 - age, 1e9 - age))
    files[11].write(STATE, [])
    assert [file.path.exists() for file in files] == [False] * 2 + [True] * 10
    files[2].used()
    files[0].write(STATE, [])
    assert [file.path.exists() for file in files] == [True, False, True, False, *[True] * 8]
    assert files[0].path.with_name("salt").exists()


def test_a_file_stays_that_was_written_after_the_clock_was_set_back(files: list[KeptGalaxy]) -> None:
    for file in files[:11]:
        file.path.write_bytes(b"of another gateway")
        os.utime(file.path, (1e11, 1e11))
    files[11].write(STATE, [])
    assert files[11].path.exists()
    assert len([file for file in files if file.path.exists()]) == 10


def test_the_state_is_json_that_any_locale_reads(files: list[KeptGalaxy]) -> None:
    files[0].write(STATE, [json.dumps({"name": "Größe"}).encode()])
    found = files[0].read()
    assert found is not None
    assert found[0] == STATE
    assert json.loads(found[1].read()) == {"name": "Größe"}


def test_two_may_write_at_once() -> None:
    def write(_: int) -> Path:
        file = KeptGalaxy(ClientOptions(endpoint="plant:5001"), make=True)
        file.write(STATE, [b"x" * 100_000])
        assert file.read() is not None
        return file.path

    with ThreadPoolExecutor(4) as threads:
        paths = set(threads.map(write, range(40)))
    assert len(paths) == 1
