"""The shape of what a program reads: one for each command, whatever there is; each sample a row with its time."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from shell_lines import connected, result_of
from shell_terminal import shell

from zb_mom_ww_mxgateway_shell.feeds import paced
from zb_mom_ww_mxgateway_shell.output.formats import FORMATTERS
from zb_mom_ww_mxgateway_shell.output.results import Result, sheet_of
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.watch_lists import WatchLists
from zb_mom_ww_mxgateway_sim import SimulatedGateway

LEVEL, SETPOINT, INT = "Plant.Tank1.Level", "Plant.Tank1.LevelSP", "TestChildObject.TestInt"
EMPTY_AND_NOT = {
    "alarms": ("alarms", "alarms"),
    "alias": ("alias", "alias"),
    "changes": ("changes", "changes"),
    "diff": ("", "diff before"),
    "events": ("events --family operation-complete --for 100ms", "events --count 2"),
    "find": ("find Nothing*", "find Plant.Tank*"),
    "find --tags": ("find Nothing* --tags", "find *.Level --tags"),
    "history": ("", f"history {INT}"),
    "items": ("items", "items"),
    "list": ("list", "list"),
    "read": ("", f"read {LEVEL} {INT}"),
    "record": ("record", "record"),
    "revert": ("revert", ""),
    "snapshots": ("snapshots", "snapshots"),
    "users": ("users", "users"),
    "watch": (f"watch {INT} --for 50ms", f"watch {LEVEL} {INT} --count 3"),
    "watches": ("watches", "watches"),
    "why": ("", f"why {LEVEL}"),
}
"""For each command that lists something a line for a session in which there is none of it, and one for another."""
BETWEEN = (
    "alias level read Plant.Tank1.Level",
    f"add-item {INT} A.b",
    f"list save tank {LEVEL}",
    f"watch {INT} {LEVEL}",
    "record all.csv",
    "login operator --password-env MXGATEWAY_PASSWORD",
    f"snapshot before {SETPOINT}",
    f"write {INT} 5",
    "write Plant.Tank1.Level.Hi.Limit 50",
    "watch Plant.Tank1.Level.Hi.InAlarm --for 300ms",
)


@pytest.fixture
async def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Context]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MXGATEWAY_PASSWORD", "secret")
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway, connected(gateway) as made:
        made.lists, made.has_screen, made.assume_yes = WatchLists(tmp_path / "lists"), True, True
        yield made


def heading(result: Result) -> str:
    return FORMATTERS["csv"].lines(result)[0]


def keys(form: Any) -> list[str] | None:
    return sorted(form) if isinstance(form, dict) else None


async def test_a_command_has_one_shape_whatever_there_is(context: Context) -> None:
    empty = {name: await result_of(context, line) for name, (line, _) in EMPTY_AND_NOT.items() if line}
    empty["status"] = await result_of(context, "status")
    for line in BETWEEN:
        await result_of(context, line)
    for name, (_, line) in EMPTY_AND_NOT.items():
        if not line:
            continue
        result = await result_of(context, line)
        sheet = sheet_of(result)
        assert sheet.rows, name
        assert [sorted(row) for row in sheet.rows] == [sorted(sheet.columns)] * len(sheet.rows), name
        if name in empty:
            assert heading(result) == heading(empty[name]), name
            assert keys(result.form()) == keys(empty[name].form()), name
    for name, result in empty.items():
        assert name in ("status", "watch") or not sheet_of(result).rows, name
    full = await result_of(context, "status")
    await context.disconnect()
    none = await result_of(context, "status")
    assert heading(empty["status"]) == heading(full) == heading(none)
    assert keys(empty["status"].form()) == keys(full.form()) == keys(none.form())
    assert [len(sheet_of(each).rows) for each in (empty["status"], full, none)] == [1, 1, 1]


async def test_news_of_alarms_have_the_shape_of_no_news(context: Context) -> None:
    none = await result_of(context, "alarms --follow --for 50ms")
    following = asyncio.create_task(result_of(context, "alarms --follow --count 1"))
    while not following.done():
        for limit in (50, 95):
            await result_of(context, f"write Plant.Tank1.Level.Hi.Limit {limit}")
    some = await following
    (row,) = sheet_of(some).rows
    assert (row["message"], row["reference"]) == ("transition", "ZB!Plant.Tank1.Level.Hi")
    assert sorted(row) == sorted(sheet_of(some).columns)
    assert (heading(some), keys(some.form())) == (heading(none), keys(none.form()))


async def test_an_item_has_one_shape_with_a_value_and_without(context: Context) -> None:
    await result_of(context, "register acceptance")
    for line in ("add-item A.b", f"add-item {INT} {LEVEL}", f"advise {INT}"):
        added = await result_of(context, line)
        assert keys(added.form()) == ["items"]
    records = (await result_of(context, "items")).form()
    assert {record["value"] is None for record in records} == {True, False}
    assert len({tuple(record) for record in records}) == 1


async def test_each_sample_of_a_watch_is_a_row_with_its_time(context: Context) -> None:
    result = await result_of(context, f"watch {LEVEL} --count 3")
    rows = list(csv.DictReader(io.StringIO("\n".join(FORMATTERS["csv"].lines(result)))))
    assert [row["tag"] for row in rows] == [LEVEL] * 3
    times = [row["received_at"] for row in rows]
    assert len({*times}) == 3
    assert times == sorted(times)
    form = result.form()
    assert [str(each["value"]) for each in form["samples"]] == [row["value"] for row in rows]
    assert (form["seen"], form["kept"], [each["tag"] for each in form["items"]]) == (3, 3, [LEVEL])


async def test_a_watch_of_more_samples_than_are_kept_says_so(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway_shell.feeds.watch.KEPT", 2)
    result = await result_of(context, f"watch {LEVEL} --count 3")
    assert len(FORMATTERS["csv"].lines(result)) == 3
    assert FORMATTERS["csv"].remarks(result) == ["3 samples, of which the newest 2 are here"]
    assert paced.older_remarks(2, 2, "samples") == []


async def test_at_the_prompt_each_sample_is_a_row_and_nothing_is_a_heading(tmp_path: Path) -> None:
    async with shell(tmp_path, columns=300) as sh:
        screen = sh.terminal
        await screen.enter("set output csv", "output\ncsv")
        await screen.enter("find Nothing*", "kind,name,template\ndemo>")
        shown = await screen.enter(f"watch {LEVEL} --count 3", "written_seconds_ago\n", "demo>")
        rows = [line for line in shown.split("\n") if f",{LEVEL}," in line]
        assert len(rows) == 3
        assert len({row.split(",")[6] for row in rows}) == 3
