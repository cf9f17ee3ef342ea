"""A day at the prompt: help, keys, history, keys of the gateway, what a write left, what is still open."""

import asyncio
import re
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import grpc
import pytest
from prompt_toolkit.history import FileHistory
from shell_lines import SIMULATED, follow, run
from shell_process import KEY, ShellProcess
from shell_terminal import BACKSPACE, CTRL_C, CTRL_D, ENTER, ROWS, TAB, shell
from shell_waiting import until

from zb_mom_ww_mxgateway.errors import MxGatewayAuthenticationError, MxGatewayTransportError
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.process.endings import INTERRUPT
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.language.help_topics import TOPICS
from zb_mom_ww_mxgateway_shell.output.results import TextResult
from zb_mom_ww_mxgateway_shell.output.wrapping import folded
from zb_mom_ww_mxgateway_shell.process.signals import InterruptedInDoubt, on_signals
from zb_mom_ww_mxgateway_shell.scripts.executor import LineRun
from zb_mom_ww_mxgateway_shell.state import profiles
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.terminal import running_view
from zb_mom_ww_mxgateway_shell.terminal.prompt import history_at
from zb_mom_ww_mxgateway_sim import ManualClock, SimulatedGateway

UP, CTRL_R, ESCAPE = "\x1b[A", "\x12", "\x1b"


# Help, completion, history, keys.


async def test_help_names_everything_and_leads_on(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        shown = await sh.terminal.enter("help", "new here?", "help first", "diagnosis     why, last-error, doctor")
        assert all(name in shown for name in sh.context.registry.commands)
        for name, topic in TOPICS.items():
            lines = topic.text.splitlines()
            if len(lines) < ROWS - 5:
                await sh.terminal.enter(f"help {name}", lines[-1][:60])
            else:
                await sh.terminal.enter(f"help {name}", lines[0], "q leaves")
                sh.terminal.type("G")
                await sh.terminal.shows(lines[-1][:60])
                sh.terminal.type("q")
                await sh.terminal.prompted()
        await sh.terminal.enter("help why", "example: why Plant.Tank1.Level")
        await sh.terminal.enter("help vlues", "no command vlues; did you mean values?")
        await sh.terminal.enter("alias lvl watch Plant.Tank1.Level", "lvl stands for")
        await sh.terminal.enter("help lvl", "lvl is an alias for: watch Plant.Tank1.Level")


def test_every_line_of_a_topic_fits_a_screen() -> None:
    assert all(len(line) <= 105 for topic in TOPICS.values() for line in topic.text.splitlines())


def test_what_is_said_of_values_stands_in_one_column() -> None:
    said = [line for line in TOPICS["values"].text.splitlines() if line.startswith("  ")]
    assert len(said) == 5
    assert all(line[40:42] == "  " and line[42] != " " for line in said)


async def test_the_lines_of_the_first_look_work_as_they_stand(tmp_path: Path) -> None:
    lines = [line[2:40].rstrip() for line in TOPICS["first"].text.splitlines() if line.startswith("  ")]
    assert len(lines) > 4
    done = await ShellProcess(tmp_path)(
        "--demo",
        stdin="\n".join(line.split("  ")[0] for line in lines)
        .replace("watch Plant.Tank1.Level", "watch Plant.Tank1.Level --count 1")
        .replace("trend Plant.Tank1.Level", "trend Plant.Tank1.Level --for 100ms"),
    )
    assert (done.code, done.err) == (0, "")


async def test_tab_completes_however_fast_it_comes(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.context.catalogue.loaded(10)
        sh.terminal.type(f"doct{TAB}")
        await sh.terminal.shows("demo> doctor")
        sh.terminal.type(f"\x15write Plant.Tank1.Inl{TAB}")
        await sh.terminal.shows("demo> write Plant.Tank1.Inlet.")
        sh.terminal.type(f"Positio{TAB}")
        await sh.terminal.shows("demo> write Plant.Tank1.Inlet.Position")
        sh.terminal.type(" 60 --ver" + TAB + ENTER)
        await sh.terminal.shows("the value is 60.0, good")


async def test_history_goes_back_searches_and_holds_no_key(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("register first-one", "server 1")
        await screen.enter("register second-one", "server 2")
        await screen.enter("echo done", "done")
        await screen.prompted()
        screen.type(UP + UP)
        await screen.shows("demo> register second-one")
        screen.type("\x15" + CTRL_R)
        await screen.shows("reverse-i-search")
        screen.type("first")
        await screen.shows("`first': register first-one")
        screen.type(ENTER + ENTER)
        await screen.shows("server 3")
    history = history_at(tmp_path / "history")
    history.append_string("status")
    history.append_string(f"echo {KEY}")
    assert history.get_strings() == ["status"]
    assert list(FileHistory(str(tmp_path / "history")).load_history_strings()) == ["status"]


async def test_a_history_that_cannot_be_kept_in_its_file_is_kept_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "history"
    history = history_at(path)
    # As good as a disk that is full, and for every user.
    path.unlink()
    path.mkdir()
    async with shell(tmp_path, history=history) as sh:
        await sh.terminal.enter("echo before", "\nbefore")
        await sh.terminal.prompted()
        sh.terminal.type(UP + BACKSPACE)
        await sh.terminal.shows("demo> echo befor\n")
        sh.terminal.type("e" + ENTER)
        await until(lambda: sh.terminal.text.count("\nbefore") == 2, lambda: sh.terminal.text)
        assert "Traceback" not in sh.terminal.raw


async def test_vi_keys_are_those_of_the_setting(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("set keys vi", "\nkeys vi")
        await sh.terminal.prompted()
        sh.terminal.type("echo onex" + ESCAPE)
        sh.terminal.type("x" + ENTER)
        await sh.terminal.shows("echo one\n", "\none\n")


async def test_emacs_keys_are_there_from_the_start_and_again(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        for word in ("one", "two"):
            sh.terminal.type(f"xecho {word}\x01\x04\x05x\x08" + ENTER)  # to the start, one away, to the end, one more
            await sh.terminal.shows(f"demo> echo {word}\n{word}\n")
            await sh.terminal.enter("set keys vi", "\nkeys vi")
            await sh.terminal.prompted()
            sh.terminal.type("iset keys emacs" + ESCAPE)
            sh.terminal.type("0x" + ENTER)
            await sh.terminal.shows("demo> set keys emacs\nkeys emacs\n")


async def test_timing_is_said_after_each_command(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("set timing on", " ms)")


async def test_colours_can_be_turned_off(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("nonsense", "no command nonsense")
        assert re.search(r"\x1b\[[\d;]*31m", sh.terminal.raw)
        await sh.terminal.enter("set color off", "color off")
        sh.terminal.raw = ""
        await sh.terminal.enter("balderdash", "no command balderdash")
        assert not re.search(r"\x1b\[[\d;]*3\dm", sh.terminal.raw)


async def test_csv_at_the_prompt_has_headings(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("set output csv", "output\ncsv\n")
        await sh.terminal.enter("use", "armed,current,name,state\ntrue,true,demo,ready\n")
        await sh.terminal.enter("set output table", "output table")


async def test_json_at_the_prompt_is_the_object_and_nothing_else(tmp_path: Path) -> None:
    async with shell(tmp_path, columns=500) as sh:
        await sh.terminal.enter("set output json", "output")
        shown = await sh.terminal.enter("watch TestChildObject.TestInt --count 1", '"seen": 1')
        assert "   good   " not in shown


def test_long_lines_fold_at_spaces_under_their_last_column() -> None:
    assert folded("short", 40) == ["short"]
    assert folded("name         ok    " + "word " * 8, 40) == [
        "name         ok    word word word word",
        "                   word word word word",
    ]
    assert folded("Plant.P1   1.0 → 2.0   accepted 2 ms, completed 18 ms", 50)[1].strip() == "18 ms"
    assert folded("Tank 水水水   verified: the value is 60.0, good, 0.0 s", 51)[1].strip() == "0.0 s"
    assert folded("  a  " + "x" * 60, 30)[0] == "  a  " + "x" * 25
    assert all(len(line) <= 40 for line in folded("tag  " + "A.b " * 50, 40))


# Writes that are looked at.


async def test_a_verified_write_waits_for_the_value_and_says_what_it_is(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("write TestChildObject.TestFloat 1.1 --verify", "completed", "the value is 1.1, good")
        await sh.terminal.enter("write Plant.Tank1.LevelSP 70 --verify", "the value is 70.0, good")
        await sh.terminal.enter("write Plant.Tank1.Inlet.Position 95 --verify within 100ms", "NOT VERIFIED")


async def test_a_write_that_is_not_verified_has_its_own_exit_code(tmp_path: Path) -> None:
    # The valve stays where it is: the plant's clock stands still.
    async with SimulatedGateway(plaintext=True, clock=ManualClock(), write_complete_delay=0.0) as gateway:
        process = ShellProcess(tmp_path).on(gateway)
        line = "write Plant.Tank1.Inlet.Position 90 --verify within 2s"
        done = await process("--plaintext", "--json", "-e", line)
        assert done.code == ExitCode.NOT_MET
        result = done.objects[0]["result"]
        assert (result["outcome"], result["verified"]["as_written"]) == ("completed", False)
        gateway.faults.lose_next_reply("write")
        lost = await process("--plaintext", "-e", "write TestChildObject.TestInt 6 --verify")
        assert lost.code == ExitCode.UNKNOWN
        assert "outcome UNKNOWN: write at" in lost.out
        assert "outcome UNKNOWN: write at" in lost.err
        assert "the value is 6, good" in lost.err


# Keys of the gateway: asked for, from a keyring; never shown.


def use_profile(context: Context, gateway: SimulatedGateway, **options: object) -> None:
    connection = Connection(endpoint=gateway.endpoint, plaintext=True)
    profile = profiles.Profile(name="plant", connection=connection, **options)  # type: ignore[arg-type]
    context.profiles = profiles.Profiles(Path("p"), {"plant": profile}, {}, {})


async def test_a_profile_asks_for_the_key_and_does_not_show_it(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True) as gateway, shell(tmp_path) as sh:
        use_profile(sh.context, gateway, asks_key=True)
        sh.terminal.type("connect plant" + ENTER)
        await sh.terminal.shows("API key of plant:")
        sh.terminal.type((gateway.api_key or "") + ENTER)
        await sh.terminal.shows("connected to", "plant (read-only)>")
        assert (gateway.api_key or "?") not in sh.terminal.raw
        sh.terminal.type("doctor plant" + ENTER)
        await sh.terminal.shows("port         ok")
        await until(lambda: sh.terminal.text.count("API key of plant:") == 2, lambda: sh.terminal.text)
        sh.terminal.type("mxgw_wrong_c2VjcmV0" + ENTER)
        await sh.terminal.shows("does not accept the key mxgw_wrong_***")
        sh.terminal.type("connect plant" + ENTER)
        await until(lambda: sh.terminal.text.count("API key of plant:") == 3, lambda: sh.terminal.text)
        sh.terminal.type(CTRL_C)
        await sh.terminal.shows("not given: API key of")


async def test_the_key_of_a_profile_may_be_in_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context(all_commands(), interactive=False)
    async with SimulatedGateway(plaintext=True) as gateway:
        use_profile(context, gateway, keyring="mxgw/plant")
        monkeypatch.setitem(sys.modules, "keyring", None)
        with pytest.raises(MxGatewayAuthenticationError, match="pip install keyring"):
            await run(context, "connect plant", follow)
        kept = {("mxgw", "plant"): gateway.api_key}
        fake = SimpleNamespace(get_password=lambda service, user: kept.get((service, user)))
        monkeypatch.setitem(sys.modules, "keyring", fake)
        await run(context, "connect plant", follow)
        assert context.state == "ready"
        await context.disconnect()
        kept.clear()
        result = await run(context, "doctor plant", follow)
        assert result is not None
        assert result.exit_code is ExitCode.CANNOT_CONNECT
        assert "the keyring has none for mxgw/plant" in "\n".join(result.lines())


# Several connections, and what happens to each.


async def test_what_happens_to_a_connection_is_said_whichever_is_the_current_one(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as second, shell(tmp_path) as sh:
        await sh.terminal.enter("watch TestChildObject.TestInt --count 1", "1 sample")
        await sh.terminal.enter(f"connect {second.endpoint} --plaintext", "connected to")
        await sh.terminal.enter("watch TestChildObject.TestInt --count 1", f"{second.endpoint} (read-only)>")
        sh.gateway.faults.drop_streams()
        await sh.terminal.shows("demo: event stream lost, resuming", "demo: event stream resumed")
        second.faults.drop_streams()
        await sh.terminal.shows("Z  event stream lost, resuming", "Z  event stream resumed")


async def test_another_reason_that_keeps_a_stream_away_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway_shell.scripts.connection_news._STAYS_SECONDS", 0.2)
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("watch TestChildObject.TestInt --count 1", "1 sample")
        for _ in range(5):
            sh.gateway.faults.fail_next("StreamEvents", code=grpc.StatusCode.UNAVAILABLE, details="nobody is at home")
        sh.gateway.faults.drop_streams()
        text = await sh.terminal.shows("event stream lost, resuming", "event stream resumed")
        assert text.count("Z  still resuming: stream_events at") == 1
        assert "UNAVAILABLE nobody is at home" in text


async def test_use_goes_from_one_connection_to_another_and_the_prompt_says_which(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as second, shell(tmp_path) as sh:
        other = second.endpoint
        await sh.terminal.enter(f"connect {other} --plaintext", "connected to", f"\n{other} (read-only)>")
        await sh.terminal.enter("use demo", "demo: ready\ndemo>")
        await sh.terminal.enter("use", "  *  demo", "ready  armed", f"     {other}  ready  read-only")
        await sh.terminal.enter("write TestChildObject.TestInt 5", "completed")
        await sh.terminal.prompted()
        sh.terminal.type("use 1")
        await sh.terminal.shows(f"{other}  ready")
        sh.terminal.type(TAB + ENTER)
        await sh.terminal.shows(f"\n{other}: ready")
        await sh.terminal.enter("write TestChildObject.TestInt 6", "nothing was sent")
        await sh.terminal.enter("use demo", "\ndemo>")
        await sh.terminal.prompted()
        await sh.terminal.enter(f"disconnect {other}", f"disconnected from {other}\ndemo>")
        assert ([write.value for write in sh.gateway.writes], list(second.writes)) == ([5], [])


async def test_a_second_ctrl_c_gives_the_prompt_back_though_the_gateway_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway.commands.session_link._CLOSE_TIMEOUT", 3600.0)
    async with SimulatedGateway(plaintext=True, api_keys=()) as second, shell(tmp_path) as sh:
        await sh.terminal.enter(f"connect {second.endpoint} --plaintext", "connected to")
        second.faults.stall("CloseSession")
        # As where both come before the line is shown to run.
        monkeypatch.setattr(running_view, "_SHOWN_AFTER", 3600.0)
        sh.terminal.type("disconnect" + ENTER)
        await until(lambda: any(call.rpc == "CloseSession" for call in second.calls))
        signal.raise_signal(signal.SIGINT)
        for _ in range(50):
            await asyncio.sleep(0)
        assert "interrupted" not in sh.terminal.text
        signal.raise_signal(signal.SIGINT)
        await sh.terminal.shows("interrupted", "\nmxgw (none in use)>")
        assert sh.prompt is not None
        assert sh.prompt._view._timer is not None
        assert sh.prompt._view._timer.cancelled()  # or it would be shown over the prompt, for good
        await sh.terminal.enter("use demo", "\ndemo>")
        await sh.terminal.prompted()
        second.faults.release("CloseSession")


async def test_an_alias_of_a_write_is_a_write(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("alias w write TestChildObject.TestInt", "w stands for")
        await sh.terminal.prompted()
        sh.terminal.type("\x1b[200~w 5\nstatus\x1b[201~" + ENTER)
        await sh.terminal.shows("WRITES  w 5")
        await sh.terminal.enter("n", "nothing was run")
        line = LineRun(sh.context, "w 5")
        with line.parsed():
            assert str(line.interruption()) == "interrupted; no write was sent"
            # Its connection may have been closed since.
            line.writes = [Mock(is_sent=True, results=None)]
            assert isinstance(line.interruption(), InterruptedInDoubt)


async def test_connecting_again_stays_read_only_and_says_what_is_no_longer_watched(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("watch TestChildObject.TestInt", "good")
        await screen.enter("disarm", "demo (read-only)>")
        await screen.prompted()
        screen.type("connect" + ENTER)
        await screen.shows("no longer watched: TestChildObject.TestInt", "connected to", "ready\ndemo (read-only)>")
        await screen.enter("write TestChildObject.TestInt 5", "lets it through", "nothing was sent")
        assert not sh.gateway.writes
        await screen.enter("arm TestChildObject.*", "armed for 10m: TestChildObject.*")
        await screen.enter("write TestChildObject.TestInt 6", "completed")
        assert [write.value for write in sh.gateway.writes] == [6]


async def test_connecting_again_after_leaving_off_is_to_the_same_and_as_read_only_as_it_was(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("disarm", "demo (read-only)>")
        await screen.enter("disconnect", "disconnected from demo", "mxgw>")
        await screen.enter("connect", "connected to", "ready\ndemo (read-only)>")
        await screen.enter("disconnect", "mxgw>")
        use_profile(sh.context, sh.gateway, read_only=True)
        await screen.enter("connect plant", "plant (read-only)>")
        await screen.enter("disconnect", "disconnected from plant")
        await screen.enter("connect", "disconnected from plant\nmxgw> connect\n", "ready\nplant (read-only)>")
        await screen.enter("write TestChildObject.TestInt 5", "the profile plant is read-only;", "nothing was sent")
        assert not sh.gateway.writes


async def test_connecting_again_is_to_the_gateway_that_is_in_use_not_to_the_last_one(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as second, shell(tmp_path) as sh:
        await sh.terminal.enter(f"connect {second.endpoint} --plaintext", "connected to", f"\n{second.endpoint} (read")
        await sh.terminal.enter("use demo", "demo: ready\ndemo>")
        await sh.terminal.enter("connect", f"connected to {sh.gateway.endpoint} (plaintext)", "ready\ndemo>")
        assert len(second.live_sessions) == 1


async def test_connecting_again_has_worked_although_the_session_before_cannot_be_closed(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        former = sh.context.session.session_id
        sh.gateway.faults.fail_next("CloseSession", code=grpc.StatusCode.UNAVAILABLE)
        shown = await sh.terminal.enter("connect", "the session before it could not be closed", "connected to")
        assert "finds the step that fails" not in shown
        assert sh.context.session.session_id != former
        await sh.terminal.enter("write TestChildObject.TestInt 6", "completed")


async def test_options_of_connect_hold_without_an_endpoint_and_are_refused_beside_a_profile(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        use_profile(sh.context, sh.gateway)
        await sh.terminal.enter("connect --api-key-file nowhere.key", "cannot read nowhere.key")
        await sh.terminal.enter("connect plant --plaintext", "plant has its own options", "--plaintext cannot be")
        await sh.terminal.enter("connect", "connected to")


async def test_a_write_that_did_not_get_as_far_says_that_nothing_was_written(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        sh.gateway.faults.fail_next("subscribe_bulk", code=grpc.StatusCode.UNAVAILABLE)
        await sh.terminal.enter(
            "write TestChildObject.TestInt 6", "nothing was written\nsubscribe_bulk at", "UNAVAILABLE"
        )
        assert not sh.gateway.writes


async def test_a_suspended_item_looks_suspended_wherever_it_is_shown(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("watch TestChildObject.TestInt", "good")
        (item,) = sh.context.items
        await sh.context.session.suspend(*item.key)
        await screen.shows("good     suspended for")
        await screen.enter("items --server 1", "items --server 1\n  server  item", "0      good     suspended for")
        await screen.enter("read TestChildObject.TestInt --fresh", "good     stale for", "cached")
        await screen.enter("watch TestChildObject.TestInt --count 1", "suspended for", "1 sample in")
        await screen.enter("expect TestChildObject.TestInt = 0", "the value is stale")
        await screen.enter("write TestChildObject.TestInt 5", "0 (stale) → 5", "completed")


# Leaving.


async def test_leaving_names_every_connection_and_what_is_watched_on_it(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as second, shell(tmp_path) as sh:
        await sh.terminal.enter("watch Plant.Tank1.Level", "good")
        await sh.terminal.enter(f"connect {second.endpoint} --plaintext", "connected to")
        await sh.terminal.enter(f"tee {tmp_path / 'copy.log'}", "copying to")
        await sh.terminal.prompted()
        sh.terminal.type(CTRL_D)
        await sh.terminal.shows(
            "closing demo: session-",
            "(1 item advised, 1 watched)",
            f"closing {second.endpoint}: session-",
            "ending the copy to",
        )
        sh.context.spool.stop()


async def test_a_gateway_that_is_gone_does_not_keep_the_others_from_being_closed() -> None:
    context = Context(all_commands(), interactive=False)
    async with SimulatedGateway(plaintext=True, api_keys=()) as second:
        async with SimulatedGateway(plaintext=True, api_keys=()) as first:
            await run(context, f"connect {first.endpoint} --plaintext", follow)
            await run(context, f"connect {second.endpoint} --plaintext", follow)
        with pytest.raises(MxGatewayTransportError):
            await context.disconnect()
        assert not context.connections
        assert not second.live_sessions


async def test_leaving_is_not_held_up_by_a_gateway_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway_shell.state.connection._CLOSING_SECONDS", 0.05)
    monkeypatch.setattr("zb_mom_ww_mxgateway.commands.session_link._CLOSE_TIMEOUT", 0.05)
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), terms=SIMULATED)
        gateway.faults.stall("CloseSession")
        with pytest.raises(MxGatewayTransportError, match=r"does not answer: whether session-.* is closed is unknown"):
            await context.disconnect()
        assert not context.connections


async def test_a_failed_connect_leads_to_the_doctor(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(
            "connect 127.0.0.1:1", "nothing listens", "the port\n      doctor 127.0.0.1:1 finds the step that fails"
        )


async def test_an_ipv6_endpoint_is_typed_as_it_is_written_elsewhere(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("connect [::1]:1 --plaintext", "cannot connect to [::1]:1")
        shown = await sh.terminal.enter("connect ::1:1", "an IPv6 address goes in brackets")
        assert f"{'':14}^^^^^\n" in shown
        await sh.terminal.enter("connect plantgw:port", "host:port expected")


@pytest.mark.parametrize(
    ("form", "said"), [("table", "\ninterrupted\n"), ("csv", "interrupted: the result is incomplete")]
)
async def test_ctrl_c_while_a_result_is_shown_stops_that_and_not_the_shell(
    tmp_path: Path, form: str, said: str
) -> None:
    outside: list[str] = []
    with on_signals(INTERRUPT, lambda: outside.append("Ctrl-C ended the whole program")):
        async with shell(tmp_path, generated_tags=300) as sh:
            await sh.terminal.enter("set pager off", "pager")
            await sh.terminal.enter(f"set output {form}", "output")
            shown: list[str] = []

            def one_more(text: str) -> None:
                shown.append(text)
                if len(shown) == 10:
                    signal.raise_signal(signal.SIGINT)

            sh.context.spool.line = one_more  # type: ignore[method-assign]  # Is given each line as it is shown.
            await sh.terminal.enter("find --tags Area001.*", said)
            assert len(shown) < 200
            signal.raise_signal(signal.SIGINT)
            await sh.terminal.enter("set output table", "output table")
    assert not outside


async def test_a_result_that_cannot_be_shown_is_said_and_does_not_end_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lines(said: TextResult) -> list[str]:
        raise ValueError("no such text")

    async with shell(tmp_path) as sh:
        with monkeypatch.context() as broken:
            broken.setattr(TextResult, "lines", lines)
            await sh.terminal.enter("echo what", "internal error, please report it: ValueError: no such text")
        await sh.terminal.enter("echo still there", "\nstill there")


async def test_bytes_that_are_no_utf_8_are_said_and_neither_sent_nor_the_end_of_the_shell(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        log = tmp_path / "session.log"
        await sh.terminal.enter(f"tee {log}", "copying to")
        # So a terminal's bytes are read that are of another encoding.
        sh.terminal.type(b"write TestChildObject.TestString gr\xfcn\r")
        await sh.terminal.shows("this is not a UTF-8 character")
        await sh.terminal.enter("echo still there", "\nstill there")
        assert not sh.gateway.writes
        await sh.terminal.enter("tee", "ended")
        assert "gr\\udcfcn" in log.read_text(encoding="utf-8")
