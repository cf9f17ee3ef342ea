"""What is read while sessions are kept is a regular file: a pipe is never waited for, and a device has no end."""

import os
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from zb_mom_ww_mxgateway.errors import MxGatewayTransportError
from zb_mom_ww_mxgateway.system.regular_files import read_bytes
from zb_mom_ww_mxgateway.transport.known_gateways import KnownGateways
from zb_mom_ww_mxgateway_console.connect.profiles import read_file
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.scripts import loader
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.watch_lists import WatchLists
from zb_mom_ww_mxgateway_shell.terminal.histories import HistoryInMemory, history_at

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a named pipe is what this takes")
SAID = "it is no regular file"


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A pipe that nobody writes to, by a name that a list may have."""
    path = tmp_path / "pipe.tags"
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("name", ["pipe.tags", "/dev/zero"])
def test_an_include_of_one_is_a_mistake_with_its_place(pipe: Path, name: str) -> None:
    script = pipe.with_name("run.mxs")
    script.write_text(f"note first\ninclude {name}\n", encoding="utf-8")
    _, (finding,) = loader.read(str(script))
    assert SAID in str(finding.problem)
    assert isinstance(finding.problem, InputError)
    assert (finding.statement.line, finding.problem.start) == (2, len("include "))


def test_a_list_a_file_of_profiles_and_the_known_gateways_are_none(pipe: Path) -> None:
    reads: list[tuple[type[Exception], Callable[[], object]]] = [
        (ShellError, lambda: WatchLists(pipe.parent).load("pipe")),
        (click.UsageError, lambda: read_file(pipe)),
        (MxGatewayTransportError, lambda: KnownGateways(pipe).get("localhost:5000")),
    ]
    for error, read in reads:
        with pytest.raises(error, match=SAID):
            read()


@pytest.mark.parametrize("command", ["connect", "doctor"])
@pytest.mark.parametrize("option", ["--api-key-file", "--ca-file"])
def test_a_line_takes_no_key_and_no_certificate_from_one(pipe: Path, command: str, option: str) -> None:
    context = Context(all_commands(), interactive=False)
    with pytest.raises(InputError, match=SAID):
        context.registry.parse(f"{command} localhost:5000 {option} {pipe}", context)


def test_a_history_in_one_is_none(pipe: Path) -> None:
    said: list[str] = []
    assert isinstance(history_at(pipe, said.append), HistoryInMemory)
    assert "it is a pipe" in said[0]


def test_the_null_device_is_an_empty_file_and_a_folder_is_called_one(tmp_path: Path) -> None:
    assert read_bytes(Path(os.devnull)) == b""
    with pytest.raises(IsADirectoryError):
        read_bytes(tmp_path)
