"""The prompt, typed into and read from a real screen."""

import asyncio
from pathlib import Path

import grpc
from shell_terminal import CTRL_C, CTRL_D, ENTER, TAB, shell

from zb_mom_ww_mxgateway_cli.output import ExitCode
from zb_mom_ww_mxgateway_shell.terminal.session import history_at


async def test_a_newcomers_first_minute(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.shows("type help, or press Tab", "ready")
        await screen.enter("register acceptance", "server 1")
        await screen.enter("add-item TestChildObject.TestInt", "item 1  TestChildObject.TestInt")
        await screen.enter("advise 1", "advised 1 (TestChildObject.TestInt)")
        await screen.enter("write 1 123", "→ 123", "accepted", "completed")
        await screen.enter("items", "123", "good")
        assert [write.value for write in sh.gateway.writes] == [123]


async def test_watch_shows_moving_values_until_ctrl_c_and_the_prompt_is_back(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        screen.type("watch Plant.Tank1.Level Plant.Pump1.Running" + ENTER)
        await screen.shows("registered mxgw-shell as server 1", "Plant.Tank1.Level", "good", "Ctrl-C ends")
        level = sh.context.live
        assert level is not None
        first = level["Plant.Tank1.Level"].changes
        async with asyncio.timeout(15):
            while level["Plant.Tank1.Level"].changes < first + 3:
                await level.changed()
        screen.type(CTRL_C)
        await screen.shows("samples in")
        await screen.enter("status", "server", "2 advised")


async def test_a_mistake_has_a_caret_under_its_place(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("write TestChildObject.TestInt abc", "Integer expected")
        lines = sh.terminal.text.split("\n")
        typed = next(index for index, line in enumerate(lines) if "TestInt abc" in line)
        caret = next(line for line in lines[typed:] if "^^^" in line)
        assert caret.index("^") == lines[typed].index("abc")
        assert caret.strip() == "^^^"
        assert not sh.gateway.writes


async def test_commands_tags_and_handles_complete(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await sh.context.catalogue.loaded(10)
        screen.type("unreg")
        await screen.shows("Ends a registration")
        screen.type(TAB)
        await screen.shows("demo> unregister")
        screen.type("\x15watch TestChild")
        await screen.shows("TestChildObject.")
        screen.type("Object.TestI")
        await screen.shows("TestChildObject.TestInt ", "TestChildObject.TestIntArray")
        screen.type("\x15" + "register r" + ENTER)
        await screen.shows("server 1")
        await screen.enter("add-item TestChildObject.TestBool", "item 1 ")
        screen.type("advise ")
        await screen.shows("TestChildObject.TestBool, not advised")
        screen.type("\x15")


async def test_the_toolbar_shows_the_usage_of_what_is_typed(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        sh.terminal.type("write TestChildObject.TestInt 5")
        await sh.terminal.shows("write <tag|item> <value> [--for <duration>]", "gaps 0")
        sh.terminal.type("\x15")


async def test_a_value_cannot_touch_the_terminal(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        evil = "a\x1b[2J\x1b]0;owned\x07\x9b31mz"
        sh.gateway.set("TestChildObject.TestString", evil)
        await sh.terminal.enter("watch TestChildObject.TestString --count 1", r"a\x1b[2J\x1b]0;owned\x07\x9b31mz")
        await sh.terminal.enter("items", "TestChildObject.TestString", "demo>")
        assert "\x1b[2J" not in sh.terminal.raw
        assert "\x1b]0;owned" not in sh.terminal.raw


async def test_ctrl_c_stops_the_command_and_not_the_shell(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        sh.terminal.type("writ")
        await sh.terminal.shows("demo> writ")
        sh.terminal.type(CTRL_C)
        await sh.terminal.enter("status", "gateway")


async def test_a_lost_session_is_said_and_rebuilt_behind_the_same_handles(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        live = sh.context.live
        assert live is not None
        await sh.terminal.enter("watch TestChildObject.TestInt --count 1", "1 samples")
        sh.gateway.stall("OpenSession")
        sh.gateway.lose_session(live.session.session_id)
        await sh.terminal.shows("session lost, opening another", "demo:rebuilding>")
        await sh.terminal.enter("write TestChildObject.TestInt 5", "nothing was sent")
        assert not sh.gateway.writes
        sh.gateway.release("OpenSession")
        await sh.terminal.shows("has taken its place: 1 items added again")
        await sh.terminal.enter("write TestChildObject.TestInt 5", "completed")


async def test_the_prompt_says_when_the_session_is_lost_for_good(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        sh.gateway.drop_streams(grpc.StatusCode.UNAUTHENTICATED)
        await sh.terminal.shows("session lost:", "demo:lost>")
        await sh.terminal.enter("write TestChildObject.TestInt 5", "the session is lost")
        assert not sh.gateway.writes
        await sh.terminal.enter("connect", "connected to")
        await sh.terminal.enter("write TestChildObject.TestInt 5", "completed")


async def test_a_dropped_stream_is_said_and_resumed(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("watch TestChildObject.TestInt --count 1", "1 samples")
        sh.gateway.drop_streams()
        await sh.terminal.shows("event stream lost, resuming", "event stream resumed")


async def test_ctrl_d_leaves_after_saying_what_is_open(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("watch TestChildObject.TestInt --count 1", "1 samples")
        sh.terminal.type(CTRL_D)
        await sh.terminal.shows("closing session-", "1 items advised")
    assert sh.exit_code is ExitCode.DONE
    assert sh.gateway.open_streams == 0


async def test_python_runs_on_the_same_live_session(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("watch TestChildObject.TestInt --count 1", "1 samples")
        await screen.enter("py", ">>>")
        await screen.enter("live['TestChildObject.TestInt'].quality", "192")
        await screen.enter("(await live.write_and_confirm(*items[0].key, 77)).outcome.value", "'completed'")
        await screen.enter("await mx('write TestChildObject.TestInt 78')", "→ 78")
        await screen.enter("1/0", "ZeroDivisionError")
        await screen.enter("answer = 40 + 2", "answer = 40 + 2")
        screen.type("exit()" + ENTER)
        await screen.enter("status", "servers")
        assert [write.value for write in sh.gateway.writes] == [77, 78]
        assert sh.context.names["answer"] == 42
        await screen.enter("py", ">>>")
        screen.type(CTRL_D)
        await screen.enter("items", "TestChildObject.TestInt", "78")


def test_a_key_never_reaches_the_history_file(tmp_path: Path) -> None:
    history = history_at(tmp_path / "new" / "history")
    history.append_string("status")
    history.append_string("connect x:1 # mxgw_demo_c2VjcmV0")
    text = (tmp_path / "new" / "history").read_text(encoding="utf-8")
    assert "+status" in text
    assert "c2VjcmV0" not in text
