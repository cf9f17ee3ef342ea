"""A key that somebody types, or names in the wrong place, is shown nowhere and kept nowhere."""

from pathlib import Path

import pytest
from shell_process import KEY, ShellProcess
from shell_terminal import shell

from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.terminal.prompt import history_at

_FILE = f"""let key = {KEY}
step "with {KEY}"
echo $key {KEY}
on-error continue
write TestChildObject.TestInt {KEY}
connect {KEY}:5001 --plaintext
connect localhost:1 --plaintext --api-key-env {KEY}
nonesuch.tag
"""


@pytest.mark.parametrize("how", ["", "--json", "--csv", "--debug"])
async def test_what_a_run_says_and_reports_has_no_key(tmp_path: Path, how: str) -> None:
    # Every output of the process is looked through by the process itself.
    run = ShellProcess(tmp_path)
    options = [how] if how else []
    lines = [option for line in _FILE.splitlines()[:-2] if "on-error" not in line for option in ("-e", line)]
    assert (await run("--demo", *options, *lines)).code == ExitCode.USAGE
    script, report = tmp_path / "a.mxs", tmp_path / "a.xml"
    script.write_text(_FILE.rpartition("nonesuch")[0], encoding="utf-8")
    done = await run("--demo", *options, "-c", str(script), "--report-junit", str(report))
    assert done.code != ExitCode.DONE
    text = report.read_text(encoding="utf-8")
    assert "mxgw_demo_***" in text
    assert KEY not in text
    script.write_text(_FILE, encoding="utf-8")
    assert (await run("lint", *([how] if how == "--json" else []), str(script))).code == ExitCode.USAGE
    assert (await run("--demo", *options, "-c", str(script))).code == ExitCode.USAGE


@pytest.mark.parametrize(
    "arguments",
    [
        ("--endpoint", f"{KEY}:5001", "-e", "status"),
        ("--debug", "--endpoint", f"{KEY}:5001", "-e", "status"),
        ("--debug", "--endpoint", "localhost:1", "--api-key-env", KEY, "-e", "status"),
        ("--profile", KEY, "-e", "status"),
        ("trust", f"{KEY}:5001"),
        ("lint", KEY),
        ("lint", "--json", KEY),
        ("--debug", "--python", KEY),
        (KEY,),
    ],
)
async def test_an_argument_that_is_a_key_is_not_repeated(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = await ShellProcess(tmp_path)(*arguments)
    assert done.code in (ExitCode.USAGE, ExitCode.CANNOT_CONNECT)
    assert ("Traceback" in done.err) is ("--debug" in arguments)


async def test_the_prompt_shows_and_copies_no_key(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen, copy = sh.terminal, tmp_path / "copy.log"
        await screen.enter(f"tee {copy}", "copying to")
        await screen.enter(f"let key = {KEY}", "key = mxgw_demo_***")
        await screen.enter("echo $key", "\nmxgw_demo_***")
        await screen.enter(KEY, "no command mxgw_demo_***")
        await screen.enter(f"write TestChildObject.TestInt {KEY}", "Integer expected")
        await screen.enter("last-error", "line         write TestChildObject.TestInt mxgw_demo_***")
        sh.context.alert(f"as {KEY} says")
        await screen.shows("as mxgw_demo_*** says")
        await screen.enter("set output json", '"json"')
        await screen.enter("last-error", '"line": "write TestChildObject.TestInt mxgw_demo_***"')
        shown = [line for line in screen.text.splitlines() if KEY in line]
        assert all(line.startswith("demo> ") for line in shown)
        await screen.enter("set output table")
        await screen.enter("tee", "copy.log ended")
        assert KEY not in copy.read_text(encoding="utf-8")


def test_a_history_that_can_have_no_file_holds_no_key_either(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be", encoding="utf-8")
    history = history_at(tmp_path / "taken" / "history")
    history.append_string(KEY)
    history.append_string("status")
    assert history.get_strings() == ["status"]
