"""An output form is a class and an entry in one table: everything else follows from it."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from shell_process import Done, ShellProcess
from shell_terminal import ENTER, TAB, shell

from zb_mom_ww_mxgateway_shell.output.formats import FORMATTERS, Formatter
from zb_mom_ww_mxgateway_shell.output.results import Result
from zb_mom_ww_mxgateway_sim import SimulatedGateway

TAGGED = """\
import json
from zb_mom_ww_mxgateway_shell.output.formats import FORMATTERS, Formatter

class Tagged(Formatter):
    option_help = "Results between angle brackets."
    def lines(self, result):
        return [f"<{json.dumps(result.form(), sort_keys=True)}>"]

FORMATTERS["tagged"] = Tagged()
from zb_mom_ww_mxgateway_shell.__main__ import main
main()
"""


class Tagged(Formatter):
    """A form that the shell does not have."""

    def lines(self, result: Result) -> list[str]:
        return [f"<{json.dumps(result.form(), sort_keys=True)}>"]


async def tagged(folder: Path, *arguments: str) -> Done:
    """Run mxgw-shell with a fourth form in its table."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        TAGGED,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=ShellProcess(folder).environment,
        cwd=folder,
    )
    async with asyncio.timeout(40):
        out, err = await process.communicate()
    return Done(process.returncode or 0, out.decode(), err.decode())


async def test_a_new_form_shows_files_lines_and_python(tmp_path: Path) -> None:
    (tmp_path / "try.mxs").write_text("step one\necho hello\nexpect $_ = 1\n", encoding="utf-8")
    ran = await tagged(tmp_path, "--tagged", "-c", "try.mxs")
    assert ran.out == '<{"requirements": [], "title": "one"}>\n<{"text": ["hello"]}>\n'
    assert (ran.code, ran.err.startswith("try.mxs:3:1: not connected")) == (4, True)
    ran = await tagged(tmp_path, "--tagged", "-e", "echo hello")
    assert ran == (0, '<{"text": ["hello"]}>\n', "")
    (tmp_path / "try.py").write_text('await mx("echo hello")\n', encoding="utf-8")
    ran = await tagged(tmp_path, "--tagged", "--python", "try.py")
    assert ran == (0, '<{"text": ["hello"]}>\n', "")


async def test_a_new_form_has_its_option_and_its_setting(tmp_path: Path) -> None:
    helped = await tagged(tmp_path, "--help")
    assert "--tagged" in helped.out
    assert "Results between angle brackets." in helped.out
    both = await tagged(tmp_path, "--tagged", "--json", "-e", "echo hello")
    assert (both.code, "--json, --csv, --csv-raw and --tagged exclude each other" in both.err) == (2, True)
    listed = await tagged(tmp_path, "-e", "set output")
    assert "table, json, csv, csv-raw, tagged" in listed.out
    changed = await tagged(tmp_path, "-e", "set output tagged", "-e", "echo hello")
    assert changed.out == '<{"output": "tagged"}>\n<{"text": ["hello"]}>\n'


async def test_a_new_form_shows_results_at_the_prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATTERS, "tagged", Tagged())
    async with shell(tmp_path) as sh:
        sh.terminal.type("set output tag" + TAB + ENTER)
        await sh.terminal.shows('<{"output": "tagged"}>')
        await sh.terminal.enter("echo hello", '<{"text": ["hello"]}>')


@pytest.mark.parametrize("option", ["--json", "--csv"])
async def test_a_notice_before_the_first_statement_is_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway_sim.rpc.gateway_service.GATEWAY_PROTOCOL_VERSION", 4)
    async with SimulatedGateway(plaintext=True) as gateway:
        ran = await ShellProcess(tmp_path).on(gateway)("--plaintext", option, "-e", "echo hello")
    assert len(ran.out.splitlines()) == (1 if option == "--json" else 2)
    assert "speaks gateway protocol version 4, this library 3" in ran.err
