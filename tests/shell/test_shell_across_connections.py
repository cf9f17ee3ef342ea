"""One watch, read and trend across connections: plantB:TAG is a tag of another open connection."""

import asyncio
import json
from pathlib import Path

import pytest
from shell_lines import follow, run
from shell_plants import two_plants
from shell_process import ShellProcess
from shell_terminal import CTRL_C, TAB, Shell
from shell_waiting import until

from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.feeds.watch_targets import Watchable
from zb_mom_ww_mxgateway_shell.language.target_types import Target
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"


@pytest.mark.parametrize("columns", [110, 40])
async def test_one_watch_has_tags_of_both_and_stays_in_view_on_both(tmp_path: Path, columns: int) -> None:
    async with two_plants(tmp_path, columns) as (sh, other):
        screen = sh.terminal

        def row(head: str) -> str:
            rows = [line for line in screen.text.split("\n") if " good " in line]
            return next((line for line in rows if line.split()[line.split()[0].isdigit()].startswith(head)), "")

        await screen.enter(f"watch {INT} demo:Plant.Pump1.Running plantB:{INT}", "plantB: added item 1")
        await until(lambda: " 2 " in row("plant"), lambda: screen.text)
        other.set(INT, 77)
        await until(lambda: " 77 " in row("plant"), lambda: screen.text)
        sh.gateway.set(INT, 55)
        await screen.shows(" 55 ")
        assert all(len(line) <= columns for line in screen.text.split("\n"))
        # The other plant's own table; what was named with its connection stays.
        await screen.enter("use plantB", "plantB: ready", "plantB>")
        await screen.gone(" 55 ")
        await until(lambda: " 77 " in row("plant") and bool(row("demo:")), lambda: screen.text)
        await screen.enter(f"unwatch demo:Plant.Pump1.Running plantB:{INT}", "2 no longer watched")
        await screen.enter("use demo", "demo>", " 55 ")
        assert not row("plant")
        await screen.enter(f"watch plantB:{INT}")
        await until(lambda: " 77 " in row("plant"), lambda: screen.text)
        await screen.enter("unwatch", "2 no longer watched")


async def test_the_full_screen_and_the_list_of_watches_have_both(tmp_path: Path) -> None:
    async with two_plants(tmp_path) as (sh, _):
        screen = sh.terminal
        await screen.enter(f"watch {INT} plantB:{INT} --full", "1-2 of 2", f"plantB:{INT}")
        screen.type("/plantb")
        await screen.shows("/plantb")
        screen.type("\r")
        await screen.shows("1-1 of 1 (2 watched)")
        screen.type("\rj")
        await screen.shows(f"plantB:{INT}   good   source time")
        screen.type("q")
        await screen.prompted()
        result = await run(sh.context, "watches", follow)
        assert result is not None
        assert [(each["tag"], each["value"]) for each in result.form()] == [(INT, 1), (f"plantB:{INT}", 2)]


async def test_a_watch_with_an_end_follows_both(tmp_path: Path) -> None:
    async with two_plants(tmp_path) as (sh, other):
        lines: list[str] = []
        line = f"watch {INT} plantB:{INT} plantB:Plant.Pump?.Running --count 6"
        watching = asyncio.create_task(run(sh.context, line, lambda feed: feed.follow(lines.append)))
        await until(lambda: len(lines) == 4, lambda: f"{lines}")
        sh.gateway.set(INT, 11)
        await until(lambda: len(lines) == 5, lambda: f"{lines}")
        other.set(INT, 22)
        result = await watching
        assert result is not None
        samples = [(each["tag"], each["value"]) for each in result.form()["samples"] if INT in each["tag"]]
        assert samples == [(INT, 1), (f"plantB:{INT}", 2), (INT, 11), (f"plantB:{INT}", 22)]
        assert f"plantB:{INT}   22" in lines[-1]


async def test_one_tag_with_and_without_its_connection_is_shown_once(tmp_path: Path) -> None:
    async with two_plants(tmp_path) as (sh, _):
        for line in (f"watch {INT} demo:{INT} --count 1", f"read {INT} demo:{INT}", f"read demo:{INT} {INT}"):
            result = await run(sh.context, line, follow)
            assert result is not None
            shown = result.form()["items"] if line.startswith("watch") else result.form()
            assert len(shown) == 1, line


async def test_read_and_trend_take_both(tmp_path: Path) -> None:
    async with two_plants(tmp_path) as (sh, _):
        screen = sh.terminal
        await screen.enter(f"read plantB:{INT} {INT}", f"plantB:{INT} 2 good")
        result = await run(sh.context, f"read plantB:{INT} {INT}", follow)
        assert result is not None
        assert [(each["tag"], each["value"]) for each in result.form()] == [(f"plantB:{INT}", 2), (INT, 1)]
        await screen.enter(f"trend {INT} plantB:{INT} --span 10s", f"plantB:{INT}", "Ctrl-C ends")
        screen.type(CTRL_C)
        await screen.prompted()


async def test_a_name_with_a_colon_that_is_a_tag_stays_one(tmp_path: Path) -> None:
    async with two_plants(tmp_path) as (sh, _):
        name = f"plantB:{INT}"
        session = sh.context.session
        await session.add_item(await session.register("a program"), name)
        (target,) = _parsed(sh, f"read {name}")
        assert (target.tag, target.connection) == (name, "")
        with pytest.raises(InputError, match=f"no tag {name}2"):
            await run(sh.context, f'read "{name}2"', follow)


@pytest.mark.parametrize(
    "line",
    [
        "write {} 5", "write-elements {} 10 0=5", "trace write {} 5", "history {}", "why {}", "capture x = {}",
        "expect {} = 5", "wait {} = 5", "snapshot s {}", "record r.csv {}", "list save both {}", "list save all {}*",
        "snapshot s {}*", "arm {}*", "events {}*", "journal {}*", "limits check {} 5", "tag {}", "browse {}", "cd {}",
        "add-item {}", "advise {}", "expect-alarm {} active", "expect Plant.Tank1.Level = tag:{}",
    ],
)  # fmt: skip
async def test_what_is_about_the_connection_in_use_takes_no_name_of_another(tmp_path: Path, line: str) -> None:
    async with two_plants(tmp_path) as (sh, other):
        for name in (INT, '"a b"'):
            if name != INT and "*" in line:
                continue
            with pytest.raises(InputError, match="plantB is another connection, and this is about the one in use: use"):
                await run(sh.context, line.format(f"plantB:{name}"), follow)
        with pytest.raises(InputError, match="demo is the connection in use: leave out demo:"):
            await run(sh.context, line.format(f"demo:{INT}"), follow)
        assert not [*sh.gateway.writes, *other.writes]
        assert not sh.context.lists.names()


async def test_tab_quotes_the_name_of_an_item_that_a_line_would_read_as_something_else(tmp_path: Path) -> None:
    async with two_plants(tmp_path) as (sh, _):
        for connected in sh.context.connections.values():
            session = connected.live.session
            for tag in ("Kettle A.Level", "Kettle?", "Kettle.Level"):
                await session.add_item(await session.register("a program"), tag)
        quoted = ['"Kettle A.Level"', "Kettle.Level", '"Kettle?"']
        offered = [each.text for each in Watchable(across=True).suggestions("Kettle", sh.context)]
        assert sorted(offered) == sorted(quoted)
        offered = [each.text for each in Watchable(across=True).suggestions("plantB:Kettle", sh.context)]
        assert sorted(offered) == sorted(f"plantB:{each}" for each in quoted)


def _parsed(sh: Shell, line: str) -> list[Target]:
    invocation = sh.context.registry.parse(line, sh.context)
    assert invocation is not None
    return list(invocation.positional[0])


async def test_mistakes_are_those_of_the_other_connection(tmp_path: Path) -> None:
    async with two_plants(tmp_path) as (sh, _):
        for each in sh.context.connections.values():
            each.catalogue.start(each.client)
            await each.catalogue.loaded(20)
        with pytest.raises(InputError, match=r"no tag Plant\.Tank1\.Levell") as raised:
            await run(sh.context, "watch plantB:Plant.Tank1.Levell", follow)
        assert raised.value.start == len("watch plantB:")
        await sh.terminal.prompted()
        sh.terminal.type("watch plantB:Plant.Pump1.Runn" + TAB)
        await sh.terminal.shows("watch plantB:Plant.Pump1.Running")


async def test_a_recorded_script_names_the_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with two_plants(tmp_path) as (sh, _):
        screen = sh.terminal
        await screen.enter("record-script again.mxs", "recording to")
        await screen.enter(f"watch {INT} plantB:{INT}", "plantB: added")
        await screen.prompted()
        screen.type("unwatch plant" + TAB)
        await screen.shows(f"unwatch plantB:{INT}")
        await screen.enter("", "1 no longer watched")
        await screen.enter("record-script", "again.mxs ended")
        lines = (tmp_path / "again.mxs").read_text(encoding="utf-8").splitlines()
        assert lines[2:] == [f"watch {INT} plantB:{INT} --count 1", f"unwatch plantB:{INT}"]


async def test_a_recorded_name_of_another_connection_keeps_its_quotes(tmp_path: Path) -> None:
    async with two_plants(tmp_path) as (sh, _):
        for each, tag in zip(sh.context.connections.values(), ("3", "a b"), strict=True):
            session = each.live.session
            await session.add_item(await session.register("a program"), tag)
        sh.context.lists.save("odd", ["a b", "3"])
        words = {'plantB:"a b"': 'plantB:"a b"', "plantB:odd": 'plantB:"a b" plantB:"3"', '"3"': '"3"'}
        for word, recorded in words.items():
            invocation = sh.context.registry.parse(f"watch {word}", sh.context)
            assert invocation is not None
            assert Watchable(across=True).script_text(invocation.words[0][1], sh.context) == recorded


async def test_a_file_watches_both_and_its_first_contact_is_with_its_own(tmp_path: Path) -> None:
    options = {"plaintext": True, "api_keys": ()}
    async with SimulatedGateway(**options) as gateway, SimulatedGateway(**options) as other:
        gateway.set(INT, 1)
        other.set(INT, 2)
        process = ShellProcess(tmp_path).on(gateway)
        (tmp_path / "try.mxs").write_text(
            f"connect {other.endpoint} --plaintext\nuse {gateway.endpoint}\n"
            f"watch {INT} {other.endpoint}:{INT} --count 2\n",
            encoding="utf-8",
        )
        done = await process("--plaintext", "--json", "-c", "try.mxs")
        assert done.code == 0, done
        (watched,) = [each for each in done.objects if each["command"] == "watch"]
        samples = [(each["tag"], each["value"]) for each in watched["result"]["samples"]]
        assert samples == [(INT, 1), (f"{other.endpoint}:{INT}", 2)], json.dumps(watched)


async def test_a_list_is_of_one_connection_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    async with two_plants(tmp_path) as (sh, _):
        screen = sh.terminal
        await screen.enter(f"watch plantB:{INT}", "plantB: added item 1")
        await screen.enter("list save both", "nothing is watched on demo")
        await screen.enter("watch Plant.Pump1.Running", "added item 1")
        await screen.enter(
            "list save both", f"of other connections, so not in the list: plantB:{INT}", "list both: 1 tag"
        )


async def test_behind_a_connection_tab_offers_no_other_one(tmp_path: Path) -> None:
    async with two_plants(tmp_path) as (sh, _):
        offered = [each.text for each in Watchable(across=True).suggestions("plantB:", sh.context)]
        assert "plantB:demo:" not in offered
        assert [each.text for each in Watchable(across=True).suggestions("plant", sh.context)] == ["plantB:", "Plant."]


async def test_a_trend_above_the_prompt_ends_with_the_connection_that_it_shows(tmp_path: Path) -> None:
    async with two_plants(tmp_path) as (sh, _):
        screen = sh.terminal
        await screen.enter(f"trend plantB:{INT} --above", f"plantB:{INT}  2")
        await screen.enter("disconnect plantB", "disconnected from plantB\n")
        await screen.gone(f"plantB:{INT}  2")
        await screen.enter("trend Plant.Tank1.Level --above", "Plant.Tank1.Level  6")


async def test_a_narrow_trend_tells_the_connections_apart(tmp_path: Path) -> None:
    async with two_plants(tmp_path, 40) as (sh, _):
        screen = sh.terminal
        await screen.enter("trend plantB:Plant.Tank1.Level Plant.Tank1.Level", "A plantB:…", "B …", "Ctrl-C ends")
        screen.type(CTRL_C)
        await screen.prompted()
