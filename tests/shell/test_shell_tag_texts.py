"""Units and descriptions beside values, read in the background; numbers aligned at the decimal point."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from shell_lines import SIMULATED, run
from shell_terminal import shell
from shell_waiting import until

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import json_line
from zb_mom_ww_mxgateway_shell.commands import all_commands, reading
from zb_mom_ww_mxgateway_shell.errors import NotMet
from zb_mom_ww_mxgateway_shell.feeds import trend
from zb_mom_ww_mxgateway_shell.output.alignment import aligned
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, table_lines
from zb_mom_ww_mxgateway_shell.output.tag_texts import cut_tag, with_facts
from zb_mom_ww_mxgateway_shell.output.watch_table import Row, fitted, full_table
from zb_mom_ww_mxgateway_shell.state import tag_facts
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway, TagDefinition

LEVEL, POSITION = "Plant.Tank1.Level", "Plant.Tank1.Inlet.Position"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts may take as long as a busy machine needs."""
    monkeypatch.setattr(reading, "_TEXTS_SECONDS", 30.0)
    for name in ("_SECONDS", "_BATCH_SECONDS", "_QUICK"):
        monkeypatch.setattr(tag_facts, name, 30.0)


async def _follow(feed: Feed) -> Result:
    return await feed.follow(lambda line: None)


@asynccontextmanager
async def _at_a_prompt(
    *, interactive: bool = True, **simulated: Any
) -> AsyncIterator[tuple[Context, SimulatedGateway]]:
    """A context as a prompt has it, with the galaxy read."""
    async with SimulatedGateway(plaintext=True, api_keys=(), **simulated) as gateway:
        context = Context(all_commands(), interactive=interactive)
        context.has_screen = interactive
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), terms=SIMULATED)
        try:
            context.catalogue.start(context.connected.client)
            assert await context.catalogue.loaded(20)
            yield context, gateway
        finally:
            await context.disconnect()


def _reads(gateway: SimulatedGateway) -> list[list[str]]:
    """The tags of each bulk read."""
    commands = [call.request.command for call in gateway.calls if isinstance(call.request, pb.MxCommandRequest)]
    return [list(each.read_bulk.tag_addresses) for each in commands if each.WhichOneof("payload") == "read_bulk"]


# Alignment.


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (["61.42", "7", "-123.5"], ["  61.42", "   7", "-123.5"]),
        (["true", "5", "12.5"], ["true", " 5", "12.5"]),
        (["1e-07", "12.5", "2.5e+17"], [" 1e-07", "12.5", " 2.5e+17"]),
        (["5 (bad)", "12.5 (stale)"], [" 5 (bad)", "12.5 (stale)"]),
        # What only begins like a number is text.
        (
            ["2026-11-30 03:50", "5", "12:30", "[1, 2]", "1.5x", ""],
            ["2026-11-30 03:50", "5", "12:30", "[1, 2]", "1.5x", ""],
        ),
        (["nan", "1.5", "-inf"], ["nan", "1.5", "-inf"]),
        # A number of many digits does not push small ones out of sight.
        (["1" * 40, "5", "12"], ["1" * 40, " 5", "12"]),
        ([], []),
    ],
)
def test_numbers_are_aligned_at_the_decimal_point(texts: list[str], shown: list[str]) -> None:
    assert aligned(texts) == shown


def test_a_table_aligns_values_and_nothing_else() -> None:
    lines = table_lines(("item", "value"), [["1", "5"], ["10", "12.25"]])
    assert lines == ["  item  value", "  1      5", "  10    12.25"]


def test_a_watch_table_gives_way_in_order_as_it_gets_narrow() -> None:
    rows = [
        Row(("1", "Plant.Tank1.Level", "61.42", "good", "0.1 s", "    12 ▁▂▃"), "good", "%", "Level of the tank " * 9),
        Row(("2", "Plant.Tank2.Level", "7", "good", "0.1 s", "    12 ▁▂▃"), "good", "m3"),
    ]
    shown = {width: [line for line, _ in fitted(rows, width)] for width in (39, 44, 60, 70, 120, 300)}
    assert all(len(line) <= width for width, lines in shown.items() for line in lines)
    heads = {width: lines[0].split() for width, lines in shown.items()}
    assert heads[300] == ["item", "tag", "value", "unit", "quality", "age", "changes", "description"]
    assert heads[120] == heads[300]
    assert shown[120][1].endswith("…")
    assert heads[70] == ["item", "tag", "value", "unit", "quality", "age", "changes"]
    assert heads[60] == ["item", "tag", "value", "unit", "quality", "age"]
    assert heads[44][:3] == ["tag", "value", "unit"]
    assert heads[39] == ["tag", "value", "quality", "age"] or "unit" in heads[39]
    assert all("61.42" in lines[1] and "good" in lines[1] for lines in shown.values())
    assert shown[70][1].index(".42") == shown[70][2].index("7") + 1


@pytest.mark.parametrize(("columns", "last"), [("100", "description"), ("70", "changes")])
def test_the_list_of_watches_cuts_descriptions_to_the_screen(
    monkeypatch: pytest.MonkeyPatch, columns: str, last: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    row = Row(("1", "Plant.Tank1.Level", "61.42", "good", "0.1 s", "    12 ▁▂▃"), "good", "%", "Level of the tank " * 9)
    headings, cells = full_table([row])
    assert headings[-1] == last
    assert sum(max(map(len, pair)) + 2 for pair in zip(headings, cells[0], strict=True)) < int(columns)


def test_tags_of_another_connection_keep_its_name_and_what_tells_them_apart() -> None:
    rows = [
        Row(("1", f"B:Plant.Tank{tank}.Level", "60.15", "good", "10 min", ""), "good", "%", connection="B:")
        for tank in (1, 2)
    ]
    assert [line.split()[0] for line, _ in fitted(rows, 39)] == ["tag", "B:…ank1.Level", "B:…ank2.Level"]
    assert [cut_tag("B:Plant.Tank1.Level", head, 10) for head in ("B:", "")] == ["B:…1.Level", "…nk1.Level"]
    assert cut_tag("B:A.b", "B:", 5) == "B:A.b"
    assert [cut_tag(f"plant{each}:Tank1.Level", f"plant{each}:", 11) for each in "AB"] == ["pl…tA:…evel", "pl…tB:…evel"]
    assert cut_tag("plantB:Tank1.Level", "plantB:", 13) == "plantB:…Level"


def test_nothing_known_takes_no_room() -> None:
    headings, cells = with_facts(("tag", "value"), [["A.b", "5"]], [TagFacts()])
    assert (headings, cells) == (["tag", "value"], [["A.b", "5"]])
    assert fitted([Row(("1", "A.b", "5", "good", "1 s", ""), "good")], 200)[0][0].split() == [
        "item",
        "tag",
        "value",
        "quality",
        "age",
        "changes",
    ]


def test_descriptions_have_the_room_that_the_screen_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = [TagFacts(description="Level of the feed tank " * 5, units="%")]
    for columns, is_there in ((44, False), (80, True)):
        monkeypatch.setenv("COLUMNS", str(columns))
        headings, cells = with_facts(("tag", "value", "quality"), [["Plant.Tank1.Level", "5", "good"]], facts)
        assert ("description" in headings) is is_there
        assert all(len(line) < columns for line in table_lines(headings, cells))


# At a prompt.


async def test_a_read_shows_unit_and_description_and_json_has_them() -> None:
    async with _at_a_prompt() as (context, _):
        shown = await run(context, f"read {LEVEL} TestChildObject.TestInt", _follow)
        assert shown is not None
        head, level, other = shown.lines()
        assert head.split() == ["tag", "value", "unit", "quality", "age", "from", "description"]
        assert level.split()[2] == "%"
        assert level.endswith("Feed tank")
        first, second = json.loads(json_line(shown.form()))
        assert (first["unit"], first["description"]) == ("%", "Feed tank")
        assert second["unit"] is None
        assert "%" not in other


async def test_items_and_watches_show_them_too() -> None:
    async with _at_a_prompt() as (context, _):
        await run(context, f"read {LEVEL} {POSITION}", _follow)
        await run(context, f"watch {LEVEL} {POSITION}", _follow)
        for line in ("items", "watches"):
            shown = await run(context, line, _follow)
            assert shown is not None
            assert "unit" in shown.lines()[0].split()
            assert [each["unit"] for each in shown.form()] == ["%", "%"]
        lines: list[str] = []

        async def follow(feed: Feed) -> Result:
            return await feed.follow(lines.append)

        await run(context, f"watch {LEVEL} --count 1", follow)
        assert " %   good   " in lines[0]


async def test_history_differences_and_the_galaxys_page_of_a_tag_have_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MXGATEWAY_STATE", str(tmp_path))
    async with _at_a_prompt() as (context, _):
        await run(context, f"watch {POSITION}", _follow)
        await run(context, f"read {POSITION} --fresh", _follow)
        await run(context, f"snapshot before {POSITION}", _follow)
        await run(context, f"write {POSITION} 60", _follow)
        await run(context, f"wait {POSITION} > 40 timeout 20s", _follow)
        for line, wanted in (
            (f"history {POSITION}", (" %  ", "; Inlet valve")),
            ("diff before", (" %  ",)),
            (f"tag {POSITION}", ("unit        %", "description Inlet valve")),
        ):
            shown = await run(context, line, _follow)
            assert shown is not None
            assert all(text in "\n".join(shown.lines()) for text in wanted), shown.lines()


async def test_writes_waits_and_checks_name_the_unit_that_is_known() -> None:
    async with _at_a_prompt() as (context, _):
        await run(context, f"read {POSITION}", _follow)
        for line, wanted in (
            (f"write {POSITION} 60", "→ 60.0 %   accepted"),
            (f"wait {POSITION} = 60 timeout 20s", "60.0 % (good, "),
            ("undo", "→ 35.0 %   accepted"),
        ):
            shown = await run(context, line, _follow)
            assert shown is not None
            assert wanted in shown.lines()[0]
        with pytest.raises(NotMet, match=r"is [0-9.]+ % \(good, "):
            await run(context, f"expect {POSITION} = 7", _follow)


async def test_many_writes_captures_and_changes_name_the_units_that_are_known(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text(f"tag,value\n{POSITION},60\nTestChildObject.TestInt,5\n", encoding="utf-8")
    async with _at_a_prompt() as (context, _):
        await run(context, f"read {POSITION}", _follow)
        for line, *wanted in (
            (f"capture was = {POSITION}", "was = 35.0 % (good, "),
            (f"write-many {rows}", "35.0 → 60.0 %  accepted", "0 → 5  "),
            (f"wait {POSITION} = 60 timeout 20s", ""),
            ("changes", "ours  now   unit  who", "60.0  60.0  %     "),
        ):
            shown = await run(context, line, _follow)
            assert shown is not None
            assert all(text in "\n".join(shown.lines()) for text in wanted), shown.lines()
        assert context.names["was"] == 35.0


async def test_only_what_is_in_view_is_read_a_few_at_a_time() -> None:
    tags = [TagDefinition(f"Site.Unit{n}.PV", value=1.0, description=f"Unit {n}", unit="bar") for n in range(300)]
    async with _at_a_prompt(tags=tags) as (context, gateway):
        await run(context, "watch Site.Unit*.PV", _follow)
        panel = context.connected.panel
        await until(lambda: all(row.unit == "bar" for row in panel.rows(panel.items[:30])))
        reads = _reads(gateway)
        assert max(map(len, reads)) <= 20
        assert {tag.rpartition(".")[0] for read in reads for tag in read} == {item.tag for item in panel.items[:30]} | {
            item.tag.rpartition(".")[0] for item in panel.items[:30]
        }


async def test_a_slow_gateway_holds_nothing_up_and_is_not_asked_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "_TEXTS_SECONDS", 0.1)
    for name in ("_SECONDS", "_BATCH_SECONDS", "_QUICK"):
        monkeypatch.setattr(tag_facts, name, 0.2)
    async with _at_a_prompt() as (context, gateway):
        await run(context, f"watch {LEVEL} {POSITION}", _follow)
        gateway.faults.stall("READ_BULK")
        async with asyncio.timeout(20):
            # An advised tag is read from the cache.
            shown = await run(context, f"read {LEVEL}", _follow)
        assert shown is not None
        assert "unit" not in shown.lines()[0]
        panel = context.connected.panel
        await until(lambda: not panel.rows(panel.items[:1])[0].unit and context.connected.facts.is_idle)
        before = len(_reads(gateway))
        assert max(map(len, _reads(gateway))) <= 4
        # Other tags are not asked for either: the calls of the session, a write too, would wait for that.
        for _ in range(20):
            panel.rows(panel.items)
        assert context.connected.facts.is_idle
        assert len(_reads(gateway)) == before
        gateway.faults.release()


async def test_no_client_is_registered_for_a_description() -> None:
    async with _at_a_prompt() as (context, gateway):
        context.connected.facts.want([LEVEL])
        await run(context, "ping", _follow)
        assert not _reads(gateway)
        assert not context.servers


async def test_a_hostile_description_is_text_on_one_line() -> None:
    hostile = "a\x1b]52;c;aGk=\x07b\nc\u202ed" + "x" * 50_000
    tags = [TagDefinition("Site.A.PV", value=1.0, description=hostile, unit="\x1b[31m%\n" * 9)]
    async with _at_a_prompt(tags=tags) as (context, _):
        shown = await run(context, "read Site.A.PV", _follow)
        assert shown is not None
        text = "\n".join(shown.lines())
        assert len(text) < 1000
        assert all(sign not in text for sign in ("\x1b", "\x07", "\u202e"))
        assert len(shown.lines()) == 2
        await run(context, "watch Site.A.PV", _follow)
        for width in (40, 80, 120, 2000):
            lines = context.connected.panel.lines(width, 10, more="{}")
            assert all(len(line) <= width and line.isprintable() for line, _ in lines)


async def test_a_redeployed_galaxy_has_other_texts() -> None:
    async with _at_a_prompt(tags=[TagDefinition("Site.A.PV", value=1.0, unit="bar")]) as (context, gateway):
        await run(context, "read Site.A.PV", _follow)
        facts = context.connected.facts
        assert facts.known("Site.A.PV").units == "bar"
        gateway.set("Site.A.PV.EngUnits", "mbar")
        gateway.faults.redeploy()
        await until(lambda: context.catalogue.redeployed_at is not None and context.catalogue.is_current)
        await run(context, "read Site.A.PV", _follow)
        assert facts.known("Site.A.PV").units == "mbar"


async def test_the_values_above_a_prompt_have_units_and_their_points_below_each_other(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.context.catalogue.loaded(20)
        sh.gateway.set("TestChildObject.TestDouble", 7.5)
        await sh.terminal.enter(f"watch {LEVEL} TestChildObject.TestDouble", " unit ", "Feed tank")
        lines = [line for line in sh.terminal.text.split("\n") if line.lstrip()[:1].isdigit()]
        level, other = (next(line for line in lines if tag in line) for tag in (LEVEL, "TestDouble"))
        assert other.index("7.5") + 1 == level.index(".", level.index("Level"))


# Without a person.


async def test_a_file_reads_no_descriptions() -> None:
    async with _at_a_prompt(interactive=False) as (context, gateway):
        shown = await run(context, f"read {LEVEL}", _follow)
        assert shown is not None
        assert '"unit": null' in json_line(shown.form())
        await run(context, f"watch {LEVEL} --count 1", _follow)
        assert _reads(gateway) == [[LEVEL]]


async def test_a_trend_shows_the_description_and_a_unit_that_comes_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def too_slow(*_: object) -> dict[str, Any]:
        return {}

    monkeypatch.setattr(trend, "facts_of", too_slow)
    tag = TagDefinition("Oven.T", value=412.5, unit="°C", description="behind\x1b the fan")
    async with shell(tmp_path, tags=[tag]) as sh:
        await sh.terminal.enter("trend Oven.T", "Oven.T  412.5 °C  good", "behind\\x1b the fan", "Ctrl-C ends")
