"""Each tag has its own decimals, in tables and in lines. No digit is left out; programs get the values as they are."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from shell_lines import SIMULATED, run
from shell_terminal import CTRL_C, shell
from shell_waiting import until

from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway.safety.journal_actions import JournalAction
from zb_mom_ww_mxgateway.values import Typed
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.output.alignment import SampleColumns
from zb_mom_ww_mxgateway_shell.output.decimals import TagDecimals, decimal_text, decimals_of
from zb_mom_ww_mxgateway_shell.output.journal_table import actions_table
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.output.watch_table import Row, fitted
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway, TagDefinition

A, B = "Mix.A", "Mix.Long.B"
TAGS = [TagDefinition(A, value=5.25, unit="bar"), TagDefinition(B, value=100.5)]


@pytest.mark.parametrize(
    ("value", "decimals"),
    [
        (61.0, 1),
        (61.05, 2),
        (Float32(0.1), 1),
        (-0.123456, 6),
        (0.1234567, 0),
        (1e-7, 0),
        (1e22, 0),
        (float("nan"), 0),
        (61, 0),
        (True, 0),
        ("61.05", 0),
        (None, 0),
        ([61.05], 0),
        (Typed("double", 61.05), 2),
    ],
)
def test_decimals_are_those_that_a_value_is_shown_with(value: Any, decimals: int) -> None:
    assert decimals_of(value) == decimals


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("63.000", "63.0"),
        ("12345.500", "…"),
        ("-1234567890.000", "…"),
        ("9007199254740993", "…"),
        ("1e+300", "…"),
        ("123456.5", "…"),
        ("0.123456", "≈0.12"),
        ("00123456", "00…56"),
        ("-inf", "-inf"),
    ],
)
def test_a_number_without_room_is_never_half_of_it(text: str, shown: str) -> None:
    row = Row(("1", "Plant.Tank1.Level", text, "uncertain", "stale for 12.3 s, before the write", ""), "stale")
    _, (line, _) = fitted([row], 39)
    assert line.split()[1] == shown


def test_zeros_are_added_and_nothing_is_taken_away() -> None:
    assert [decimal_text(each, 2) for each in (61.0, 61.05, 61.123, 61, "61.0", 1e-7)] == [
        "61.00", "61.05", "61.123", "61", "61.0", "1e-07",
    ]  # fmt: skip
    known = TagDecimals()
    assert (known.note(A, 5.0), known.note(A, 5.25, 5.5), known.note(A), known.note(B)) == (1, 2, 2, 0)
    assert (known.text(A, 5.0), known.text(B, 5.0)) == ("5.00", "5.0")


def test_columns_of_lines_grow_and_never_shrink() -> None:
    columns = SampleColumns(["A.B", "A.Long", "x" * 60])
    columns.fit("100.25 %")
    assert columns.cells("A.B", "5.5 %") == ("A.B   ", "  5.5 % ")
    assert columns.cells("A.Long", "-1000.0 %") == ("A.Long", "-1000.0 %")
    assert columns.cells("A.B", "5.5 %") == ("A.B   ", "    5.5 %")
    assert columns.cells("x" * 60, "a text") == ("x" * 60, "a text   ")
    assert columns.cells("A.B", "y" * 60) == ("A.B   ", "y" * 60)


def test_the_journal_has_the_decimals_of_each_tag() -> None:
    written = [
        JournalAction(number=1, at="2026-01-01T00:00:00Z", kind="action", user="me", host="here", pid=1, tag=tag)
        for tag in (A, B, A)
    ]
    values = [(5.0, 5.25), (100.0, 5.0), (12.5, 5.0)]
    actions = [replace(each, old=old, new=new) for each, (old, new) in zip(written, values, strict=True)]
    table = actions_table(actions)
    assert [tuple(row[3:5]) for row in table.rows] == [("5.00", "5.25"), ("100.0", "5.0"), ("12.50", "5.00")]
    assert [line.rpartition("Mix")[2].split()[1:] for line in table.lines()[1:]] == [
        ["5.00", "5.25"], ["100.0", "5.0"], ["12.50", "5.00"],
    ]  # fmt: skip
    assert "  Mix.A         5.00  5.25" in table.lines()[1]


@pytest.mark.parametrize("columns", [80, 40])
async def test_every_table_and_line_at_the_prompt_has_them(tmp_path: Path, columns: int) -> None:
    async with shell(tmp_path, columns=columns, tags=TAGS, write_complete_delay=0) as made:
        terminal = made.terminal
        await until(lambda: made.context.catalogue.is_complete)
        await terminal.enter(f"watch {A} {B}", "100.5")
        made.gateway.set(A, 12.5)
        await terminal.shows("12.50")  # In the panel.
        await terminal.enter(f"write {A} 7", "12.50 → 7.00")
        await terminal.enter(f"read {A}", "7.00 ")
        await terminal.enter("changes", "12.50 7.00 7.00")
        await terminal.enter(f"history {A}", "5.25 bar", "12.50 bar", "7.00 bar")
        await terminal.enter("snapshot kept Mix.A", "kept: 1 tag")
        made.gateway.set(A, 8.0)
        await terminal.enter("diff kept", "7.00 bar 8.00 bar")
        await terminal.enter("items", "8.00")
        await terminal.enter("unwatch", "demo>")
        await terminal.enter(f"trend {A}", "8.00 bar")
        terminal.type(CTRL_C)
        await terminal.prompted()


async def _lines(commands: Sequence[str], form: str = "text") -> list[str]:
    shown: list[str] = []

    async def follow(feed: Feed) -> Result:
        return await feed.follow(shown.append)

    async with SimulatedGateway(plaintext=True, api_keys=(), tags=TAGS, write_complete_delay=0) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), terms=SIMULATED)
        try:
            for line in commands:
                result = await run(context, line, follow)
                if result is not None:
                    shown += [json.dumps(result.form())] if form == "json" else result.lines()
        finally:
            await context.disconnect()
    return shown


async def test_lines_of_a_watch_have_their_decimal_points_below_each_other() -> None:
    lines = await _lines([f"watch {A} {B} --count 2"])
    first, second = lines[:2]
    assert first.index(".25") == second.index(".5 ")
    assert first.index("good") == second.index("good")


async def test_programs_get_the_values_as_they_are() -> None:
    (form,) = (json.loads(each) for each in await _lines([f"read {A} {B}"], "json"))
    assert [each["value"] for each in form] == [5.25, 100.5]
