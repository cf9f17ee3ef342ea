"""Every command's example runs on a simulated gateway, as help shows it."""

from pathlib import Path

import pytest
from shell_lines import SIMULATED, follow, make_example_files, run

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.watch_lists import WatchLists
from zb_mom_ww_mxgateway_sim import SimulatedGateway

_ITEM = ("register example", "add-item TestChildObject.TestInt")
_BEFORE: dict[str, tuple[str, ...]] = {
    "unregister": _ITEM,
    "add-item": ("register example",),
    "add-buffered": ("register example",),
    "suspend": (*_ITEM, "advise TestChildObject.TestInt"),
    "activate": (*_ITEM, "advise TestChildObject.TestInt", "suspend TestChildObject.TestInt"),
    "call": ("register example",),
    "logout": ("login operator --password-env MXGATEWAY_PASSWORD",),
    "remove-item": _ITEM,
    "advise": _ITEM,
    "unadvise": (*_ITEM, "advise TestChildObject.TestInt"),
    "unalias": ("alias level watch Plant.Tank1.Level --count 1",),
    "arm": ("disarm",),
    "ack": ("write Plant.Tank1.Level.Hi.Limit 50", "watch Plant.Tank1.Level.Hi.InAlarm --for 300ms"),
    "diff": ("snapshot before Plant.Tank1.LevelSP",),
    "restore": ("snapshot before Plant.Tank1.LevelSP", "write Plant.Tank1.LevelSP 57"),
    "copy": ("read Plant.Tank1.Level",),
    "history": ("watch Plant.Tank1.Level --count 2",),
}
_ELSEWHERE = {
    *("connect", "attach", "profile", "trust", "py", "source"),
    *("include", "finally", "requires", "time-limit", "on-error", "tags"),
}
"""connect is run below, on a gateway with a certificate and a key; py and source need a terminal, and are typed at the
prompt; the demo is no gateway that profile saves or trust knows; the others stand in a file."""


async def answer(question: str) -> str:
    return "61.5"


def test_every_command_but_those_tried_elsewhere_is_here() -> None:
    assert set(all_commands().commands) >= set(_BEFORE) | _ELSEWHERE


@pytest.mark.parametrize("name", [name for name in all_commands().commands if name not in _ELSEWHERE])
async def test_the_example_works(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MXGATEWAY_PASSWORD", "secret")
    make_example_files(tmp_path)
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        context = Context(all_commands(), interactive=False)
        context.lists = WatchLists(tmp_path / "lists")
        context.has_screen = True
        context.assume_yes = True
        context.ask_value = answer
        context.write_raw = lambda sequence: None
        context.clear_screen = lambda: None
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "demo", terms=SIMULATED)
        try:
            for line in (*_BEFORE.get(name, ()), context.registry.commands[name].example):
                result = await run(context, line, follow)
                assert result is not None
                assert result.exit_code is ExitCode.DONE, result.lines()
                result.form()
        finally:
            context.spool.stop()
            await context.disconnect()


async def test_the_example_of_connect_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MXGATEWAY_KNOWN_GATEWAYS", str(tmp_path / "known"))
    async with SimulatedGateway(certificate_directory=tmp_path / "certificate") as gateway:
        monkeypatch.setenv("MXGATEWAY_API_KEY", gateway.api_key or "")
        context = Context(all_commands(), interactive=False)
        line = context.registry.commands["connect"].example
        assert "localhost:5001" in line
        result = await run(context, line.replace("localhost:5001", gateway.endpoint), follow)
        assert result is not None
        assert "trusted on first use" in result.lines()[0]
        await context.disconnect()
