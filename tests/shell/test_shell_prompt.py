"""The prompt, typed into and read from a real screen."""

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path

import grpc
import pytest
from prompt_toolkit.completion import CompleteEvent, Completion
from prompt_toolkit.document import Document
from shell_plants import two_plants
from shell_process import KEY
from shell_terminal import BACKSPACE, CTRL_C, CTRL_D, ENTER, TAB, shell
from shell_waiting import until

from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language import parser
from zb_mom_ww_mxgateway_shell.language.commands import Command
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.watch_table import Row, fitted
from zb_mom_ww_mxgateway_shell.terminal.completion import ShellCompleter
from zb_mom_ww_mxgateway_shell.terminal.full_watch import FullWatch
from zb_mom_ww_mxgateway_shell.terminal.prompt import history_at
from zb_mom_ww_mxgateway_shell.terminal.prompt_text import prompt_text
from zb_mom_ww_mxgateway_shell.terminal.running_view import RunningView
from zb_mom_ww_mxgateway_shell.terminal.toolbar import Toolbar
from zb_mom_ww_mxgateway_shell.terminal.typed_line import TypedLine
from zb_mom_ww_mxgateway_sim import ALL_SCOPES, GatewayKey, KeyScope, SimulatedGateway


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


async def test_help_completion_and_what_is_said_lead_to_a_recorded_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await sh.context.catalogue.loaded(10)
        await screen.enter("help", "new here?     help first")
        text = await screen.enter(
            "help first", "browse Plant", "trend Plant.Tank1.Level", "ack acknowledges", "record tank.csv"
        )
        assert "watch Plant.Tank1.Level" in text
        await screen.enter("browse", "area  Plant ")
        await screen.prompted()
        screen.type("watch pl" + TAB)
        await screen.shows("demo> watch Plant.")
        screen.type("tank1.vol" + TAB + ENTER)
        await screen.shows("Plant.Tank1.Volume  ", "good")
        await screen.enter("recrod tank.csv", "no command recrod; did you mean record?")
        await screen.enter("record tank", "name it .csv, .jsonl or .parquet")
        await screen.enter("record tank.csv", "recording everything that is advised (1 item) to tank.csv")
        await screen.enter("write Plant.Tank1.Inlet.Position 100", "→ 100.0")
        await screen.prompted()
        screen.type("trend Plant.Tank1.Volume" + ENTER)
        await screen.shows("┤", "└", "Ctrl-C ends", "ALARM severity 300 ZB!Plant.Tank1.Level.Hi", timeout=60)
        screen.type(CTRL_C)
        await screen.prompted()
        screen.type("ack " + TAB + ENTER)
        await screen.shows("ZB!Plant.Tank1.Level.Hi acknowledged")
        await screen.enter("record stop", "tank.csv  closed")
    lines = (tmp_path / "tank.csv").read_text(encoding="utf-8").split("\n")
    assert lines[0].startswith("kind,received,tag,value,quality,")
    assert sum(line.startswith("sample,") and ",Plant.Tank1.Volume," in line for line in lines) > 20


async def test_watched_values_stay_above_a_prompt_that_goes_on(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        screen.type("watch Plant.Tank1.Level Plant.Pump1.Running" + ENTER)
        await screen.shows("registered mxgw-shell as server 1", "quality", "Plant.Pump1.Running", "good")
        live = sh.context.live
        assert live is not None
        screen.type("write TestChildObject.TestI")
        shown = live["Plant.Tank1.Level"].changes
        async with asyncio.timeout(15):
            while live["Plant.Tank1.Level"].changes < shown + 3:
                await live.changed()
        value = f"{live['Plant.Tank1.Level'].changes:>6} "
        await screen.shows(value, "> write TestChildObject.TestI")
        await screen.enter("nt 7", "→ 7")
        await screen.shows("Plant.Tank1.Level", "demo>")
        await screen.enter("unwatch Plant.Tank1.Level", "1 no longer watched")
        await screen.enter("unwatch", "1 no longer watched")
        await screen.enter("register again", "server 2")
        below = screen.text.split("server 2")[1]
        assert "Plant" not in below


async def test_lists_and_watches_are_typed_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "viewer.xml").write_text(
        '<?xml version="1.0"?><WatchList><Tab><Item Reference="Plant.Pump1.Running"/></Tab></WatchList>', "utf-8"
    )
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("watches", "nothing is watched; watch TAG… starts a watch")
        await screen.enter("list", "no lists; list save NAME")
        await screen.enter("list save tank Plant.Tank1.Level TestChildObject.TestInt", "list tank: 2 tags, in")
        await screen.enter("list save tank Plant.Tank2.Level", "replace the list tank? [y/N]")
        await screen.enter("n", "not confirmed; the list tank is as it was")
        await screen.enter("list import viewer --file viewer.xml", "list viewer: 1 tag, in")
        await screen.enter("list show viewer", "  Plant.Pump1.Running")
        await screen.enter("list load viewer", "list viewer: watching 1 item", "Plant.Pump1.Running  true   good")
        await screen.enter("watch tank", "TestChildObject.TestInt  ", "Plant.Tank1.Level")
        await screen.enter("unwatch", "3 no longer watched")
        await screen.enter("watch viewer", "demo>")
        await screen.enter(
            "watches", "item  tag                  value  quality  age", "Plant.Pump1.Running  true   good"
        )
        await screen.enter("list save a.b Plant.Tank1.Level", "letters, digits, - and _ only, not a.b")
        await screen.enter(f"list save tank {KEY}", "a gateway's key is not a tag", "nothing was saved")
        await screen.enter("list show tank", "show tank\n  tag\n  Plant.Tank1.Level\n  TestChildObject.TestInt")
        await screen.enter(
            "list save pumps Plant.Pump?.Start plant.pump1.start Plant.Tank1.Level", "list pumps: 3 tags"
        )
        await screen.enter("list show pumps", "  Plant.Pump1.Start\n  Plant.Pump2.Start\n  Plant.Tank1.Level")
        await screen.enter("list save none No.Such.*", "no tag matches No.Such.*")


async def test_a_watch_with_an_end_is_a_table_in_place_until_then_or_ctrl_c(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        screen.type("watch Plant.Tank1.Level --for 5m" + ENTER)
        await screen.shows("registered mxgw-shell as server 1", "Plant.Tank1.Level", "good", "Ctrl-C ends")
        screen.type(CTRL_C)
        await screen.shows(" sample")
        await screen.enter("status", "server", "1 advised")


@pytest.mark.parametrize("doing", ["watch Plant.Tank1.Level --for 5m", "trend Plant.Tank1.Level"])
async def test_what_is_typed_while_a_picture_is_drawn_stands_under_it_and_at_the_prompt_afterwards(
    tmp_path: Path, doing: str
) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        screen.type(doing + ENTER)
        await screen.shows("Plant.Tank1.Level", "good", "Ctrl-C ends")
        screen.type_ahead(f"write TestChildObject.TestInt 77{BACKSPACE}" + ENTER)
        await screen.shows("typed ahead: write TestChildObject.TestInt 7⏎")
        screen.type(CTRL_C)
        # What was entered is not run by what stops something else.
        await screen.shows("demo> write TestChildObject.TestInt 7")
        assert not sh.gateway.writes
        await screen.enter("8", "→ 78")


async def test_what_is_typed_ahead_is_at_the_prompt_when_a_watch_comes_to_its_end(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        sh.terminal.type("watch Plant.Tank1.Level --for 1s" + ENTER)
        await sh.terminal.shows("Ctrl-C ends")
        sh.terminal.type_ahead("register typed-ahead" + ENTER)
        await sh.terminal.shows(" sample", "demo> register typed-ahead")
        assert len(sh.context.servers) == 1
        await sh.terminal.enter("", "server 2")


async def test_a_watch_with_an_end_fits_the_screen_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        sh.terminal.type("watch Plant.* --for 5m" + ENTER)
        await sh.terminal.shows("item  tag", "good", " more", "Ctrl-C ends")
        sh.gateway.faults.stall("OpenSession")
        sh.gateway.faults.lose_session(sh.context.live_session.session.session_id)
        await sh.terminal.shows("stale for", "rebuilding: ", "Ctrl-C ends")
        sh.gateway.faults.release("OpenSession")
        sh.terminal.type(CTRL_C)


async def test_the_full_screen_scrolls_sorts_filters_pauses_and_comes_back(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        screen.type("watch Plant.* --full" + ENTER)
        await screen.shows(" · as asked", "ready · armed · gaps 0", "q leaves", "Plant.")
        screen.type("s")
        await screen.shows("by tag")
        screen.type("r")
        await screen.shows("by tag · reversed")
        screen.type("/level" + ENTER)
        await screen.shows("/level")
        await screen.gone("Position")
        screen.type("/tank1.level" + ENTER)
        await screen.shows("/tank1.level", "Plant.Tank1.Level ")
        screen.type("p")
        text = await screen.shows("PAUSED", "s ago", "Plant.Tank1.Level ")
        row = next(line for line in text.split("\n") if "Plant.Tank1.Level " in line)
        live = sh.context.live_session
        changes = live["Plant.Tank1.Level"].changes
        async with asyncio.timeout(15):
            while live["Plant.Tank1.Level"].changes < changes + 5:
                await live.changed()
        assert row in screen.text
        screen.type("/pump" + ENTER)
        await screen.shows("/pump", "Plant.Pump1.Speed", "PAUSED")
        screen.type("?")
        await screen.shows("this page", "sorts by the next of")
        screen.type("?/" + ENTER + "pb")
        await screen.shows(" watched) · ", "only bad")
        screen.type("b")
        await screen.shows("item  tag")
        screen.type("c")
        await screen.gone("item  tag")
        assert "changes" in screen.text
        screen.type("cc")
        await screen.gone("changes")
        sh.gateway.raise_alarm("ZB!Area.Object.Hi")
        await screen.shows("alarms 1 (1 unacked)")
        screen.type("q")
        await screen.shows("demo>", "more: watch --full shows all", "ALARM severity 500 ZB!Area.Object.Hi")


async def test_the_full_screen_puts_the_worst_first_shows_only_that_and_colours_it(tmp_path: Path) -> None:
    good, bad, unsure = (f"TestChildObject.Test{name}" for name in ("Int", "Double", "String"))

    def order() -> list[str]:
        rows = [line.split()[1] for line in screen.text.split("\n") if "TestChildObject" in line]
        return [row.removeprefix("TestChildObject.Test") for row in rows]

    def colour(tag: str) -> str:
        row = next(row for row, line in enumerate(screen.screen.display) if tag in line)
        return str(screen.screen.buffer[row][screen.screen.display[row].index(tag)].fg)

    async def ordered(*wanted: str) -> None:
        await until(lambda: order() == list(wanted))

    async with shell(tmp_path) as sh:
        screen = sh.terminal
        sh.gateway.set(bad, 1.5, quality=0)
        sh.gateway.set(unsure, "?", quality=64)
        screen.type(f"watch {good} {bad} {unsure} --full" + ENTER)
        await screen.shows("bad", "uncertain", "1-3 of 3 · as asked")
        assert order() == ["Int", "Double", "String"]
        assert [colour(tag) for tag in (good, bad, unsure)] == ["default", "red", "brown"]
        screen.type("ss")
        await screen.shows("by quality")
        await ordered("Double", "String", "Int")
        screen.type("r")
        await ordered("Int", "String", "Double")
        screen.type("rb")
        await ordered("Double", "String")
        await screen.shows("1-2 of 2 (3 watched) · by quality · only bad")
        for value in (1, 2, 3):
            sh.gateway.set(good, value)
        screen.type("bss")
        await screen.shows("by changes")
        await ordered("Int", "Double", "String")
        sh.gateway.faults.stall("OpenSession")
        sh.gateway.faults.lose_session(sh.context.live_session.session.session_id)
        await screen.shows("rebuilding: ", "stale for")
        assert [colour(tag) for tag in (good, bad, unsure)] == ["brown"] * 3
        sh.gateway.faults.release("OpenSession")
        screen.type("q")


async def test_a_full_screen_that_cannot_be_redrawn_is_left_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("watch TestChildObject.TestInt", "good")

        async def fails(view: FullWatch) -> None:
            raise RuntimeError("nothing can be drawn")

        monkeypatch.setattr(FullWatch, "_changed", fails)
        sh.terminal.type("watch --full" + ENTER)
        await sh.terminal.shows("internal error, please report it: RuntimeError: nothing can be drawn", timeout=20)


async def test_a_picture_that_cannot_be_redrawn_is_left_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shell(tmp_path) as sh:

        async def fails(view: RunningView) -> None:
            raise RuntimeError("nothing can be drawn")

        monkeypatch.setattr(RunningView, "_changed", fails)
        sh.terminal.type("wait TestChildObject.TestInt = 99 timeout 60s" + ENTER)
        await sh.terminal.shows("internal error, please report it: RuntimeError: nothing can be drawn", timeout=20)


async def test_the_keys_of_the_full_screen_are_explained_in_whole_words_on_a_narrow_one(tmp_path: Path) -> None:
    async with shell(tmp_path, columns=40) as sh:
        await sh.terminal.enter("watch TestChildObject.TestInt", "good")
        await sh.terminal.enter("watch --full", "q s r / p b c")
        sh.terminal.type("?")
        text = await sh.terminal.shows("this page")
        assert "leaves; what is watched\n             stays watched\n" in text
        sh.terminal.type("qq")


async def test_several_pasted_lines_say_what_they_would_do_first(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        screen = sh.terminal
        lines = "register pasted\nwrite TestChildObject.TestInt 5\nwritee x"
        screen.type(f"\x1b[200~{lines}\n\x1b[201~")
        await screen.shows("3 lines: Enter shows the effect of each")
        # Where the paste ended nobody begins another command.
        completer = ShellCompleter(sh.context, TypedLine(sh.context))
        assert not list(completer.get_completions(Document(f"{lines}\n"), CompleteEvent()))
        assert list(completer.get_completions(Document(""), CompleteEvent()))
        screen.type(ENTER)
        await screen.shows("run these 3 lines?", "WRITES  write TestChildObject.TestInt 5", "no command writee")
        screen.type("n" + ENTER)
        await screen.shows("nothing was run")
        assert not sh.context.servers
        screen.type(f"\x1b[200~{lines}\x1b[201~" + ENTER)
        await until(lambda: screen.text.count("run these 3 lines?") == 2, lambda: screen.text)
        await screen.enter("y", "\ndemo> write TestChildObject.TestInt 5\n", "→ 5", "stopped there")
        # Each stands above what came of it, and what is wrong with it points into it.
        assert "\ndemo> writee x\n      ^^^^^^\nno command writee" in screen.text
        assert [write.value for write in sh.gateway.writes] == [5]


async def test_lines_that_come_with_one_that_runs_are_shown_and_asked_for(tmp_path: Path) -> None:
    """As a terminal pastes that does not mark it."""
    async with shell(tmp_path, cursor_reports=True) as sh:
        lines = ["register pasted", "write TestChildObject.TestInt 5", "write TestChildObject.TestInt 6", ""]
        sh.terminal.type(ENTER.join(lines))
        await sh.terminal.shows("server 1", "2 lines: Enter shows the effect of each, and asks")
        assert not sh.gateway.writes
        await sh.terminal.enter("", "WRITES  write TestChildObject.TestInt 6", "run these 2 lines?")
        await sh.terminal.enter("y", "5 → 6", "completed")
        assert [write.value for write in sh.gateway.writes] == [5, 6]


async def test_nothing_runs_behind_a_line_that_failed(tmp_path: Path) -> None:
    """A terminal hands a long paste over piece by piece, and it may be cut anywhere."""
    async with shell(tmp_path) as sh:
        sh.terminal.type("nonsen")
        sh.terminal.type(f"se{ENTER}write TestChildObject.TestInt 5{ENTER}")
        await sh.terminal.shows("no command nonsense", "demo> write TestChildObject.TestInt 5")
        assert not sh.gateway.writes
        await sh.terminal.enter("", "→ 5")


async def test_a_line_that_is_typed_is_read_without_a_look_into_the_folder_of_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    async with shell(tmp_path, cursor_reports=True) as sh:
        await sh.terminal.enter("list save tank Plant.Tank1.Level", "list tank: 1 tag")
        folder, looks = sh.context.lists._folder, 0
        listed = Path.glob

        def counted(path: Path, pattern: str) -> object:
            nonlocal looks
            looks += path == folder
            return listed(path, pattern)

        monkeypatch.setattr(Path, "glob", counted)
        sh.terminal.type("watch tank")
        await sh.terminal.shows("demo> watch tank", "watch [<tag|item|glob|list>…]")
        for key in " Plant.Tank2.Level Plant.Pump1":
            sh.terminal.type(key)
        await sh.terminal.shows("Plant.Pump1")
        assert looks <= 1
        # What another program has saved meanwhile is found when the line runs.
        (folder / "other.tags").write_text("Plant.Tank2.Level\n")
        sh.terminal.type("\x15")
        await sh.terminal.enter("watch other --count 1", "Plant.Tank2.Level")


async def test_what_is_wrong_is_said_while_typing(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        sh.terminal.type("wrte Plant")
        await sh.terminal.shows("no command wrte")


async def test_long_results_come_a_page_at_a_time_while_the_stream_is_read(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("watch Plant.* --for 1s", " sample")
        live = sh.context.live
        assert live is not None
        await screen.enter("items", "q leaves", "1-38 of")
        before = live.events
        screen.type(" ")
        await screen.shows("39-")
        async with asyncio.timeout(15):
            while live.events < before + 20:
                await live.changed()
        screen.type("q")
        await screen.shows("lines)")


@pytest.mark.parametrize("columns", [40, 60])
async def test_a_narrow_screen_keeps_value_quality_and_age(tmp_path: Path, columns: int) -> None:
    async with shell(tmp_path, columns=columns) as sh:
        sh.terminal.type("watch Plant.Tank1.Inlet.Position" + ENTER)
        await sh.terminal.shows("35.0   good", " s")
        assert all(len(line) <= columns for line in sh.terminal.text.split("\n"))


def test_a_quality_leaves_room_for_ages_and_for_what_tells_tags_apart() -> None:
    rows = [
        Row(("1", "Plant.Tank1.Level", "61.42", "good", "0.1 s", "    12 ▁▂▃"), "good"),
        Row(("2", "Plant.Tank2.Level", "null", "bad", "52 s", "     1 "), "bad"),
        Row(("3", "Plant.Tank3.Level", "12345.678", "uncertain", "stale for 59 min", "     1 ▄"), "stale"),
    ]
    for width in (39, 50, 80, 110):
        head, one, two, three = lines = [line for line, _ in fitted(rows, width)]
        assert all(len(line) <= width for line in lines)
        assert "age" in head
        assert all(part in one for part in ("61.42", "good", "0.1 s"))
        assert all(part in two for part in ("null", " bad", "52 s"))
        assert all(part in three for part in ("uncertain", "stale ", "59 min"))
        if width > 39:
            assert "1.Level" in one
            assert "2.Level" in two
            assert "12345.678" in three


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
        await screen.shows("End a registration")
        screen.type(TAB)
        await screen.shows("demo> unregister")
        screen.type("\x15watch TestChild")
        await screen.shows("TestChildObject.")
        screen.type("Object.TestI")
        await screen.shows("TestChildObject.TestInt ", "TestChildObject.TestIntArray")
        screen.type("\x15" + "register r" + ENTER)
        await screen.shows("server 1")
        await screen.enter("add-item TestChildObject.TestBool", "item 1 ")
        await screen.prompted()
        screen.type("advise ")
        await screen.shows("TestChildObject.TestBool, not advised")
        screen.type("\x15")


async def test_the_toolbar_shows_the_usage_of_what_is_typed(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        sh.terminal.type("write TestChildObject.TestInt 5")
        await sh.terminal.shows("write <tag|item> <value> [--verify]", "gaps 0")
        sh.terminal.type("\x15")


async def test_the_type_that_is_expected_is_said_and_offered_behind_the_tag(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        screen = sh.terminal
        await sh.context.catalogue.loaded(10)
        screen.type("write TestChildObject.TestBool ")
        shown = await screen.shows("write <tag|item> <true|false>", "  true", "  false")
        assert "--verify   " not in shown
        screen.type("t" + TAB)
        await screen.shows("demo> write TestChildObject.TestBool true")
        for tag, said in (
            ("TestInt", "<Integer>"),
            ("TestDouble", "<Double>"),
            ("TestString", "<String>"),
            ("TestIntArray[]", "<[Integer, …]>"),
        ):
            screen.type(f"\x15write TestChildObject.{tag} ")
            await screen.shows(f"write <tag|item> {said}")
        screen.type("\x15write --verify --timeout 5s TestChildObject.TestInt ")
        await screen.shows("write <tag|item> <Integer>")
        screen.type("\x15expect TestChildObject.TestBool = ")
        await screen.shows("expect <tag|item> <operator> <true|false>", "  false")
        screen.type("\x15set keys ")
        await screen.shows("set [<setting>] [<emacs|vi>]", "  vi")
        screen.type("\x15alias open write TestChildObject.TestBool" + ENTER)
        await screen.shows("open stands for")
        screen.type("open ")
        await screen.shows("write <tag|item> <true|false>", "  false")
        screen.type("maybe --verify ")
        await screen.shows("Boolean expected: true or false")
        screen.type("\x15")


@pytest.mark.parametrize(("columns", "said"), [(40, " write <tag|item> <Double>"), (80, " … <Double> [--")])
async def test_what_is_expected_next_is_in_view_on_a_narrow_screen(tmp_path: Path, columns: int, said: str) -> None:
    async with shell(tmp_path, cursor_reports=True, columns=columns) as sh:
        await sh.context.catalogue.loaded(10)
        await sh.terminal.shows("rtt" if columns > 40 else "gaps 0")
        sh.terminal.type("write Plant.Tank1.LevelSP ")
        await sh.terminal.shows(said)
        sh.terminal.type("5")
        await sh.terminal.shows(said)
        sh.terminal.type(" --at ")
        await sh.terminal.shows("[--at <time>]")
        sh.terminal.type("\x15")


async def test_a_value_that_is_advised_says_its_type_by_handle_where_the_galaxy_does_not(tmp_path: Path) -> None:
    keys = (GatewayKey("low", "s", scopes=ALL_SCOPES - {KeyScope.METADATA_READ}),)
    async with SimulatedGateway(plaintext=True, api_keys=keys) as gateway, shell(tmp_path, cursor_reports=True) as sh:
        key = tmp_path / "key"
        key.write_text(gateway.api_key or "", encoding="utf-8")
        await sh.terminal.enter(f"connect {gateway.endpoint} --plaintext --api-key-file {key}", "connected to")
        await sh.terminal.prompted()
        sh.terminal.type("write TestChildObject.TestBool ")
        await sh.terminal.shows("write <tag|item> <value>")
        await sh.terminal.enter("\x15watch TestChildObject.TestBool --count 1", "1 sample")
        await sh.terminal.prompted()
        sh.terminal.type("write 1 ")
        await sh.terminal.shows("write <tag|item> <true|false>", "  false")
        sh.terminal.type("\x15")


async def test_the_toolbar_says_whether_writes_are_let_through_and_the_round_trip_while_it_is_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody has to wait for it as long as between two signs of life.
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._HEARTBEAT", 3600.0)
    async with shell(tmp_path, cursor_reports=True) as sh:
        await sh.terminal.shows("ready · armed · gaps 0", " ev/s · rtt ", " ms")
        await sh.terminal.enter("disarm", "demo (read-only)>", "ready · read-only · gaps 0")
        await sh.terminal.enter("arm Plant.*", "ready · armed Plant.* 9:")
        await sh.terminal.enter(f"record {tmp_path / 'all.csv'}", " · gaps 0 · recording")
        await sh.terminal.enter("record stop", " · gaps 0 · alarms")
        sh.gateway.faults.drop_streams(grpc.StatusCode.UNAUTHENTICATED)
        assert "rtt" not in (await sh.terminal.shows("demo:lost (read", "lost · read-only")).split("demo:lost")[-1]


async def test_what_is_typed_has_colours_by_what_it_is_and_what_is_wrong_is_underlined(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal

        def look(word: str) -> tuple[str, bool, bool]:
            lines = screen.text.split("\n")
            row = max(index for index, line in enumerate(lines) if line.startswith("demo>"))
            cell = screen.screen.buffer[row][lines[row].index(word)]
            return cell.fg, cell.bold, cell.underscore

        for line, word, wanted in (
            ("status", "status", ("default", True, False)),
            ("write TestChildObject.TestInt 5", "write", ("brown", True, False)),
            ("write TestChildObject.TestInt 5 --verify", "--verify", ("cyan", False, False)),
            ('echo "a text"', '"a text"', ("green", False, False)),
            ("echo 1 # why", "# why", ("brightblack", False, False)),
            ("sttus now", "sttus", ("red", False, True)),
            ("write TestChildObject.TestInt 5 --timeout so", "so", ("default", False, False)),
            ("write TestChildObject.TestInt 5 --timeout soon ", "soon", ("red", False, True)),
            ("write TestChildObject.TestInt five --verify", "five", ("red", False, True)),
        ):
            screen.type(f"\x15{line}")
            await screen.shows(f"demo> {line.rstrip()}")
            await until(lambda word=word, wanted=wanted: look(word) == wanted)
        screen.type("\x15")


async def test_the_toolbar_counts_events_and_gaps(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        await sh.terminal.enter("watch Plant.Tank1.Level", "gaps 0")
        await until(lambda: re.search(r" · [1-9]\d* ev/s", sh.terminal.text))
        live = sh.context.live_session
        sh.gateway.faults.lose_session(live.session.session_id)
        await sh.terminal.shows("has taken its place", "ready · armed · gaps 1")


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
        await sh.terminal.enter("watch TestChildObject.TestInt --count 1", "1 sample")
        sh.gateway.faults.stall("OpenSession")
        sh.gateway.faults.lose_session(live.session.session_id)
        await sh.terminal.shows("session lost, opening another", "demo:rebuilding>")
        await sh.terminal.enter("write TestChildObject.TestInt 5", "nothing was sent")
        assert not sh.gateway.writes
        sh.gateway.faults.release("OpenSession")
        await sh.terminal.shows("has taken its place: 1 item added again")
        await sh.terminal.enter("write TestChildObject.TestInt 5", "completed")


async def test_the_prompt_says_when_the_session_is_lost_for_good(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        sh.gateway.faults.drop_streams(grpc.StatusCode.UNAUTHENTICATED)
        await sh.terminal.shows("session lost:", "demo:lost>")
        await sh.terminal.enter("write TestChildObject.TestInt 5", "the session is lost")
        assert not sh.gateway.writes
        await sh.terminal.enter("connect", "connected to")
        await sh.terminal.enter("write TestChildObject.TestInt 5", "completed")


async def test_a_dropped_stream_is_said_and_resumed(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("watch TestChildObject.TestInt --count 1", "1 sample")
        sh.gateway.faults.drop_streams()
        await sh.terminal.shows("event stream lost, resuming", "event stream resumed")


async def test_ctrl_d_leaves_after_saying_what_is_open(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("watch TestChildObject.TestInt --count 1", "1 sample")
        await sh.terminal.prompted()
        sh.terminal.type(CTRL_D)
        await sh.terminal.shows("closing demo: session-", "1 item advised")
    assert sh.exit_code is ExitCode.DONE
    assert sh.gateway.open_streams == 0


async def test_python_runs_on_the_same_live_session(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("watch TestChildObject.TestInt --count 1", "1 sample")
        await screen.enter("py", ">>>")
        await screen.enter("live['TestChildObject.TestInt'].quality", "192")
        await screen.enter("(await live.write_and_confirm(*items[0].key, 77)).outcome.value", "'completed'")
        await screen.enter("await mx('write TestChildObject.TestInt 78')", "→ 78")
        await screen.enter("1/0", "ZeroDivisionError")
        await screen.enter("answer = 40 + 2", "answer = 40 + 2")
        screen.type("exit()" + ENTER)
        await screen.prompted()
        await screen.enter("status", "servers")
        assert [write.value for write in sh.gateway.writes] == [77, 78]
        assert sh.context.names["answer"] == 42
        await screen.enter("py", ">>>")
        screen.type(CTRL_D)
        await screen.prompted()
        await screen.enter("items", "TestChildObject.TestInt", "78")


def test_a_key_never_reaches_the_history_file(tmp_path: Path) -> None:
    history = history_at(tmp_path / "new" / "history")
    history.append_string("status")
    history.append_string("connect x:1 # mxgw_demo_c2VjcmV0")
    text = (tmp_path / "new" / "history").read_text(encoding="utf-8")
    assert "+status" in text
    assert "c2VjcmV0" not in text


async def test_a_person_is_asked_to_confirm_and_steps_and_notes_are_said(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        sh.terminal.type('confirm "open the valve?"' + ENTER)
        await sh.terminal.shows("open the valve? [y/N]")
        await sh.terminal.enter("y", "\nyes")
        await sh.terminal.prompted()
        sh.terminal.type('confirm "and close it?"' + ENTER)
        await sh.terminal.shows("and close it? [y/N]")
        await sh.terminal.enter("", "\nnot confirmed")
        await sh.terminal.enter('note "so be it"', "\nso be it")
        await sh.terminal.enter("finally", "finally works only in a file")
        await sh.terminal.enter("include x.mxs", "include works only in a file")
        await sh.terminal.enter("let items = 5", "items is a name of the shell itself")
        await sh.terminal.enter("wait TestChildObject.TestInt = 1 timeout 60s", "now 0 (good", "s left", "Ctrl-C ends")
        sh.terminal.type(CTRL_C)
        await sh.terminal.shows("stopped waiting: TestChildObject.TestInt is 0 (good")
        text = await sh.terminal.enter("wait TestChildObject.TestInt = 1 timeout 300ms", "not within 0.3 s")
        # How it stood meanwhile is no longer there, and the carets are under what they point at.
        assert re.search(r"timeout 300ms\n {11}\^{23}\nexpected TestChildObject", text)
        assert "s left" not in text


async def test_a_redraw_parses_nothing_and_each_text_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        await sh.context.catalogue.loaded(10)
        parsed: list[str] = []
        assign = parser.assign

        def counted(command: Command, words: list[Token], line: str) -> tuple[list[parser.Assigned], InputError | None]:
            parsed.append(line)
            return assign(command, words, line)

        monkeypatch.setattr(parser, "assign", counted)
        completed: list[str] = []
        completions = ShellCompleter.get_completions

        def noted(completer: ShellCompleter, document: Document, event: CompleteEvent) -> Iterable[Completion]:
            found = completions(completer, document, event)
            completed.append(document.text)
            return found

        monkeypatch.setattr(ShellCompleter, "get_completions", noted)
        sh.terminal.type("write TestChildObject.TestInt ")
        await sh.terminal.shows("write <tag|item> <Integer> [--verify]", "TestInt")
        sh.terminal.type("5")
        await sh.terminal.shows("TestInt 5")
        # Completion, colours, mistakes and usage share it.
        await until(lambda: "write TestChildObject.TestInt 5" in completed)
        seen = len(parsed)
        assert parsed
        assert len(set(parsed)) == seen
        drawn = 0
        figures = Toolbar.figures

        def counted_figures(toolbar: Toolbar) -> str:
            nonlocal drawn
            drawn += 1
            return figures(toolbar)

        monkeypatch.setattr(Toolbar, "figures", counted_figures)
        await until(lambda: drawn >= 3)
        assert len(parsed) == seen
        sh.terminal.type("\x15")


@pytest.mark.parametrize(
    ("columns", "read_only", "armed", "focused"),
    [
        (
            110,
            "plantgw.example:5001 (read-only)> ",
            ":5001 (armed Plant.* ",
            "plantgw.example:5001 Plant.Tank1 (armed ",
        ),
        (80, "plantgw.example:5001 (read-only)> ", ":5001 (armed ", "…e:5001 Plant.Tank1 (armed "),
        (40, "pla…5001 (read-only)> ", "pla…5001 (armed ", "pla…5001 …t.Tank1 (armed "),
    ],
)
async def test_the_prompt_leaves_half_of_a_row_for_what_is_typed(
    tmp_path: Path, columns: int, read_only: str, armed: str, focused: str
) -> None:
    async with shell(tmp_path, columns=columns) as sh:
        context = sh.context
        made = context.connected
        made.name = "plantgw.example:5001"
        context.connections = {made.name: made}
        made.arming.disarm("it is tried")
        assert prompt_text(context, columns) == read_only
        made.arming.arm(["Plant.*"], 600)
        assert armed in prompt_text(context, columns)
        made.focus = "Plant.Tank1"
        assert focused in prompt_text(context, columns)
        assert len(prompt_text(context, columns)) <= max(columns // 2, 35)
        assert "Plant.Tank1 (armed Plant.* " in prompt_text(context)


async def test_the_prompt_has_the_whole_name_of_a_connection_that_would_look_like_another_one(tmp_path: Path) -> None:
    async with two_plants(tmp_path) as (sh, _):
        context = sh.context
        one, other = context.connections.values()
        one.name, other.name = "plant-north-1", "plant-south-1"
        context.connections = {each.name: each for each in (one, other)}
        one.arming.arm(["Plant.*"], 600)
        assert prompt_text(context, 40).startswith("plant-north-1 (armed ")
        other.name = "plant-south-2"
        context.connections = {each.name: each for each in (one, other)}
        assert prompt_text(context, 40).startswith("pla…th-1 (armed ")
