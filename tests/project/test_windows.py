"""The branches for Windows, as far as another system can run them.

Calls that only POSIX has are found by ``make lint``: mypy reads the sources for Windows, too.
"""

import asyncio
import ctypes
import importlib.util
import io
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import click
import pytest

import zb_mom_ww_mxgateway_shell.__main__ as shell
import zb_mom_ww_mxgateway_sim.__main__ as sim
from zb_mom_ww_mxgateway import times
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.safety.snapshots import SnapshotFolder
from zb_mom_ww_mxgateway.system import clock, private_files, process_limits, regular_files
from zb_mom_ww_mxgateway_console.process import endings
from zb_mom_ww_mxgateway_console.process.standard_streams import fill_closed_streams
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.process import output_writer, stdin
from zb_mom_ww_mxgateway_shell.process.file_patterns import files_named
from zb_mom_ww_mxgateway_shell.state.watch_lists import WatchLists
from zb_mom_ww_mxgateway_shell.terminal import abilities


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")


def test_windows_has_a_clock_that_stands_still_in_sleep(windows: None, monkeypatch: pytest.MonkeyPatch) -> None:
    awake = iter((10, 12, 12))

    def query(reference: Any) -> int:
        reference._obj.value = next(awake) * 10_000_000
        return 1

    kernel = SimpleNamespace(kernel32=SimpleNamespace(QueryUnbiasedInterruptTime=query))
    monkeypatch.setattr(ctypes, "windll", kernel, raising=False)
    made = clock._system_clock()
    assert isinstance(made, clock.WindowsClocks)
    assert made.without_sleep() == 10
    monkeypatch.setattr(clock.time, "monotonic", iter((100.0, 7300.0)).__next__)
    with clock.replaced(made):
        watch = clock.SleepWatch()
        assert watch.slept() == 7200


def test_windows_tells_nothing_of_rights_and_descriptors(windows: None, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "file").chmod(0o666)
    assert private_files.open_to_others(tmp_path / "file") == ""
    assert process_limits.too_few_descriptors() is None


def test_a_console_of_windows_names_no_terminal(windows: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TERM", raising=False)
    assert not abilities.is_dumb()
    monkeypatch.setenv("TERM", "dumb")
    assert abilities.is_dumb()


def test_signals_are_those_that_the_system_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "SIGHUP", raising=False)
    monkeypatch.setattr(signal, "SIGBREAK", 21, raising=False)
    former = signal.getsignal
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_DFL if number == 21 else former(number))
    found = importlib.util.spec_from_file_location("endings_of_windows", endings.__file__)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    assert module.numbers(module.ENDING) == [signal.SIGINT, signal.SIGTERM, 21]


async def test_the_simulator_ends_by_signals_on_a_loop_that_takes_no_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[int, Callable[..., object]] = {}
    loop = asyncio.get_running_loop()

    def no_handler(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(loop, "add_signal_handler", no_handler)
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 0)):
        stopped: asyncio.Future[int] = loop.create_future()
        sim._on_signals(stopped)
        handlers[number](number, None)
        async with asyncio.timeout(20):
            assert await stopped == code


class BeforeEpoch(datetime):
    """A time before 1970, of which Windows does not know the zone."""

    def astimezone(self, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        if tz is None:
            raise OSError(22, "Invalid argument")
        return super().astimezone(tz)


def test_a_time_before_1970_is_shown_in_utc() -> None:
    assert times.shown(BeforeEpoch(1960, 1, 1, tzinfo=UTC)) == datetime(1960, 1, 1, tzinfo=UTC)


class Console:
    """A raw stream that takes each piece as a text of its own, as a console of Windows does."""

    def __init__(self) -> None:
        self.shown = ""

    def write(self, piece: memoryview) -> int:
        self.shown += bytes(piece).decode()
        return len(piece)


@pytest.mark.parametrize("character", ["→", "é", "😀"])
def test_a_console_gets_whole_characters(windows: None, monkeypatch: pytest.MonkeyPatch, character: str) -> None:
    monkeypatch.setattr(os, "linesep", "\r\n")
    for before in range(4):
        text = "x" * before + character * 5_000 + "\n"
        console, wrote = Console(), []
        stream = SimpleNamespace(buffer=SimpleNamespace(raw=console), encoding="utf-8")
        output_writer._write(stream, text, wrote.append)
        assert console.shown == text.replace("\n", "\r\n")
        assert sum(wrote) == len(console.shown.encode())


async def test_standard_input_is_read_as_its_own_stream_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # The bytes of a console's descriptor are of another encoding than its stream's.
    stream = io.TextIOWrapper(io.BufferedReader(io.BytesIO("Behälter\nrest".encode())), encoding="utf-8")  # type: ignore[type-var]
    monkeypatch.setattr(sys, "stdin", stream)
    lines = stdin.StandardInput()
    async with asyncio.timeout(20):
        assert [await lines.text(), await lines.text(), await lines.text()] == ["Behälter\n", "rest", None]


@pytest.mark.parametrize("fill", [fill_closed_streams, sim._fill_closed_streams])
def test_a_descriptor_that_is_there_without_a_stream_is_kept(
    monkeypatch: pytest.MonkeyPatch, fill: Callable[[], None]
) -> None:
    # As where a program without a console is started with handles: the stream is made, and nothing put in its place.
    kept, (reads, writes) = os.dup(0), os.pipe()
    try:
        os.dup2(reads, 0)
        monkeypatch.setattr(sys, "stdin", None)
        monkeypatch.setattr(sys, "__stdin__", None)
        fill()
        assert os.fstat(0).st_ino == os.fstat(reads).st_ino
        os.write(writes, b"line\n")
        assert sys.stdin.readline() == "line\n"
    finally:
        os.dup2(kept, 0)
        for number in (kept, reads, writes):
            os.close(number)


class BusyPath:
    """A fresh file whose target another program has open, for so many tries."""

    def __init__(self, tries: int) -> None:
        self.tries, self.targets = tries, []

    def replace(self, path: object) -> None:
        self.targets.append(path)
        if len(self.targets) <= self.tries:
            raise PermissionError(13, "The process cannot access the file", str(path))


def test_a_file_that_another_program_has_open_is_waited_for(windows: None, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    now = iter(range(1_000))
    monkeypatch.setattr(regular_files, "time", SimpleNamespace(monotonic=lambda: next(now) / 10, sleep=slept.append))
    fresh = BusyPath(tries=5)
    regular_files.put_in_place(fresh, Path("kept"))  # type: ignore[arg-type]  # only what it uses
    assert len(fresh.targets) == 6
    assert len(slept) == 5
    with pytest.raises(PermissionError):
        regular_files.put_in_place(BusyPath(tries=1_000), Path("kept"))  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "platform", "linux")
    at_once = BusyPath(tries=1)
    with pytest.raises(PermissionError):
        regular_files.put_in_place(at_once, Path("kept"))  # type: ignore[arg-type]
    assert len(at_once.targets) == 1


@pytest.mark.parametrize("name", ["con", "NUL", "Com1", "lpt9", "aux.old"])
def test_a_name_that_is_a_device_on_windows_names_no_file(name: str, tmp_path: Path) -> None:
    assert regular_files.is_reserved(name)
    assert not regular_files.is_reserved(f"{name.partition('.')[0]}x")
    if "." not in name:
        with pytest.raises(MxGatewayArgumentError, match="device on Windows"):
            SnapshotFolder(tmp_path).path(name)
        with pytest.raises(ShellError, match="device on Windows"):
            WatchLists(tmp_path).save(name, ["A.B"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("program", [shell, sim])
def test_arguments_stay_as_they_were_typed(program: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    # Where click takes them itself, it replaces *, ~ and $NAME in them on Windows, within quotes too.
    typed = ["-e", "read *", "--arm", "*", "~", "$HOME"]
    taken: list[list[str] | None] = []

    def take(self: click.Command, args: list[str] | None = None, *_: object, **__: object) -> int:
        taken.append(args)
        return 0

    monkeypatch.setattr(sys, "argv", ["program", *typed])
    monkeypatch.setattr(click.Command, "main", take)
    with suppress(SystemExit):
        program.main()
    assert taken == [typed]


def test_patterns_of_files_need_no_shell_that_knows_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.mxs", "a.mxs", "c[1].mxs", "other.txt"):
        Path(name).touch()
    assert files_named(["*.mxs", "c[1].mxs", "z*.mxs", "plain"]) == (
        "a.mxs", "b.mxs", "c[1].mxs", "c[1].mxs", "z*.mxs", "plain",
    )  # fmt: skip
    # A name that no file can have is reported as a file that is missing.
    assert files_named([f"*{'x' * 300}"]) == (f"*{'x' * 300}",)
