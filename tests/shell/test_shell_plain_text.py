"""What is shown is plain to see, in every front end: no key, nothing hidden, nothing obeyed, and columns in line."""

import csv
import json
import re
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import to_plain_text
from prompt_toolkit.renderer import CPR_Support, Renderer
from shell_process import Runs
from shell_terminal import Terminal, shell
from shell_waiting import until
from wcwidth import wcwidth

from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.output.problems import Statement, problem_lines
from zb_mom_ww_mxgateway_shell.output.results import table_lines
from zb_mom_ww_mxgateway_shell.output.watch_table import Row, fitted
from zb_mom_ww_mxgateway_shell.output.wrapping import folded
from zb_mom_ww_mxgateway_shell.terminal.completion import ShellCompleter
from zb_mom_ww_mxgateway_shell.terminal.histories import history_at
from zb_mom_ww_mxgateway_shell.terminal.typed_line import TypedLine
from zb_mom_ww_mxgateway_sim import NativeType, SimulatedGateway, TagDefinition

INT, STRING = "TestChildObject.TestInt", "TestChildObject.TestString"
SECRET = "c2VjcmV0LXZhbHVl-x_y"
KEY = f"mxgw_demo_{SECRET}"
HIDDEN = "\x1b]0;owned\x07\xad\u2066\ufeff\U000e0041\u3164\ufe0f"
SHOWN = "\\x1b]0;owned\\x07\\xad\\u2066\\ufeff\\U000e0041\\u3164\\ufe0f"


def columns(text: str) -> int:
    return sum(wcwidth(character) for character in text)


# Keys.


async def test_a_key_in_a_wrong_place_is_neither_shown_nor_kept_by_a_run(tmp_path: Path) -> None:
    lines = (
        f"tee session.log\nrecord all.csv\nrecord all.jsonl\nrecord-script made.mxs --expect\non-error continue\n"
        f'write {STRING} {KEY}\nread {STRING} --fresh\nwatch {STRING} --count 1\nexpect {STRING} = "{KEY}"\n'
        f'capture k = {STRING}\necho $k {KEY}\nstep "{KEY}"\nnote {KEY}\nregister {KEY}\nhistory {STRING}\n'
        f'alias mine read {KEY}\nalias\nread {KEY}.Level\nexpect {STRING} = "{KEY}x"\n'
        f'wait {STRING} = "{KEY}x" timeout 50ms\nfind {KEY}\nalarms --area {KEY}\nlast-error\nrecord stop\n'
    )
    files = ("session.log", "all.csv", "all.jsonl", "made.mxs", "report.xml")
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as gateway:
        run = Runs(tmp_path, gateway)
        for how in ((), ("--json",), ("--csv",)):
            done = await run(lines, *how, "--report-junit", "report.xml")
            assert done.code
            assert SECRET not in done.out + done.err
            assert gateway.read(STRING).value == KEY
            for name in files:
                kept = (tmp_path / name).read_text(encoding="utf-8")
                assert SECRET not in kept, name
                assert "mxgw_demo_***" in kept, name
                (tmp_path / name).unlink()
        wrong = (KEY, f"connect {KEY}", f"write {INT} {KEY}", f"echo ${{{KEY}}}", f'let {KEY} = "', f"ack {KEY}")
        for line in wrong:
            for how in ((), ("--json",), ("--debug",))[: 1 + 2 * (line == KEY)]:
                done = await run.process("--plaintext", *how, "-e", line)
                assert SECRET not in done.out + done.err, line
        for arguments in (
            ("--endpoint", KEY),
            ("--profile", KEY),
            ("--var", f"{KEY}=1", "-e", "echo 1"),
            ("lint", KEY),
            ("trust", KEY),
            (f"--{KEY}",),
        ):
            done = await run.process(*arguments)
            assert done.code
            assert SECRET not in done.out + done.err, arguments


async def test_a_key_in_a_python_file_is_not_in_what_it_fails_with(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        run = Runs(tmp_path, gateway, "--python", "try.py")
        for text in (f"mxgw_demo_{SECRET}", f"await mx('read {KEY}')", f"raise SystemExit('{KEY}')", f"x = '{KEY}"):
            for how in ((), ("--debug",)):
                done = await run(text + "\n", *how)
                assert done.code
                assert SECRET not in done.out + done.err, text


async def test_a_key_typed_at_the_prompt_or_in_the_pane_is_not_on_the_screen_nor_in_a_history(tmp_path: Path) -> None:
    path = tmp_path / "history"
    async with shell(tmp_path, history=history_at(path)) as sh:
        # What is no tag is a mistake once the galaxy is known, and before that MXAccess says so.
        assert await sh.context.catalogue.loaded(60)
        sh.terminal.type(f"read {KEY}")
        await sh.terminal.shows("read mxgw_demo_*****")
        assert SECRET not in sh.terminal.text
        await sh.terminal.enter("", "no tag mxgw_demo_***", "\ndemo>")
        await sh.terminal.enter(f"echo {KEY}", "\nmxgw_demo_***\ndemo>")
        sh.context.names["k"] = KEY
        found = ShellCompleter(sh.context, TypedLine(sh.context)).get_completions(
            Document("echo $k", 7), CompleteEvent()
        )
        assert [to_plain_text(offer.display_meta) for offer in found] == ["mxgw_demo_***"]
        await sh.terminal.enter("py", ">>>")
        await sh.terminal.enter(f"'{KEY}'", "mxgw_demo_***'")
        await sh.terminal.enter(f"mxgw_demo_{SECRET}", "NameError")
        assert SECRET not in sh.terminal.text
        sh.terminal.type("\x1b[A")
        await until(lambda: sh.terminal.text.rstrip().endswith(">>>"))
        assert SECRET not in sh.terminal.text
        await sh.terminal.enter("exit()", "demo>")
    assert SECRET not in path.read_text(encoding="utf-8")


# What cannot be seen.


async def test_hidden_characters_are_escapes_on_every_screen_and_whole_in_files(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as gateway:
        gateway.set(STRING, HIDDEN)
        run = Runs(tmp_path, gateway)
        name = f"{HIDDEN}.mxs".replace("\x1b", "\x1b[2J")
        (tmp_path / name).write_text(f'watch {STRING} --count 1\nexpect {STRING} = "x"\n', encoding="utf-8")
        for arguments in (["--plaintext", "-c", name], ["lint", name], ["--plaintext", "-e", f"read A.{HIDDEN}"]):
            done = await run.process(*arguments)
            assert not re.search("[\x1b\x07\xad\u2066\ufeff\U000e0041\u3164\ufe0f]", done.out + done.err), arguments
        done = await run(
            f"record all.csv\nrecord all.jsonl\nread {STRING} --fresh\nwatch {STRING} --count 1\nrecord stop\n"
        )
        assert SHOWN in done.out
        done = await run.process("--plaintext", "--csv", "-e", f"read {STRING} --fresh")
        (row,) = csv.DictReader(done.out.splitlines(keepends=True))
        assert row["value"] == HIDDEN
        done = await run.process("--plaintext", "--json", "-e", f"read {STRING} --fresh")
        assert done.objects[0]["result"][0]["value"] == HIDDEN
        with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
            assert HIDDEN in {row["value"] for row in csv.DictReader(file)}
        objects = map(json.loads, (tmp_path / "all.jsonl").read_text(encoding="utf-8").split("\n")[:-1])
        assert HIDDEN in {each["value"] for each in objects}


async def test_menus_and_what_is_typed_show_hidden_characters_too(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        sh.gateway.raise_alarm("ZB!TestArea.A\u2066\ufeffB.Hi", description="bi\u202edi")
        completer, document = ShellCompleter(sh.context, TypedLine(sh.context)), Document("ack Z", 5)
        await until(lambda: list(completer.get_completions(document, CompleteEvent())))
        (offer,) = completer.get_completions(document, CompleteEvent())
        assert to_plain_text(offer.display) == "ZB!TestArea.A\\u2066\\ufeffB.Hi"
        assert "\\u202e" in to_plain_text(offer.display_meta)
        assert offer.text == "ZB!TestArea.A\u2066\ufeffB.Hi"
        sh.terminal.type("echo a\u2066b\u200bc")
        await sh.terminal.shows("echo a\\u2066b\\u200bc")
        # The cursor stands behind what it is behind.
        sh.terminal.type("\x1b[D\x1b[DX")
        await sh.terminal.shows("echo a\\u2066bX\\u200bc")


async def test_a_value_of_a_megabyte_is_a_screenful_for_people_and_whole_for_programs(tmp_path: Path) -> None:
    whole = "x" * 1_048_576
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as gateway:
        gateway.set(STRING, whole)
        run = Runs(tmp_path, gateway)
        done = await run(f"record all.csv\nread {STRING} --fresh\nwatch {STRING} --count 1\nrecord stop\n")
        assert len(done.out) < 20_000
        assert "1,048,576 characters" in done.out
        assert whole in (tmp_path / "all.csv").read_text(encoding="utf-8")
        for how in ("--json", "--csv"):
            assert whole in (await run.process("--plaintext", how, "-e", f"read {STRING} --fresh")).out
        whole = whole[:100_000]
        done = await run(f'write {STRING} "{whole}"\nexpect {STRING} = "{whole}y"\nwrite {INT} {whole}\n')
        assert done.code
        assert len(done.out + done.err) < 40_000


# Wide characters.


def test_columns_stay_in_line_behind_wide_characters() -> None:
    rows = [["温度計.値", "12.5", "良い"], ["Pump.Speed", "31", "good"], ["ポンプ.e\u0301", "true", "x"]]
    lines = table_lines(("tag", "value", "quality"), rows)
    places = [[columns(line[: line.index(cell)]) for cell in row] for line, row in zip(lines[1:], rows, strict=True)]
    assert len({tuple(place) for place in places}) == 1
    panel = [
        Row(("1", "温度計" * 8, "値" * 30, "good", "1 s", ""), "good"),
        Row(("2", "A.b", "1", "bad", "2 s", ""), "bad"),
    ]
    for width in (39, 60, 80, 120):
        shown = [line for line, _ in fitted(panel, width)]
        assert all(columns(line) <= width for line in shown)
        assert columns(shown[1][: shown[1].index("good")]) == columns(shown[2][: shown[2].index("bad")])


def test_carets_stand_under_wide_and_hidden_characters() -> None:
    text = 'write 温度計\u200b.値 "x" oops'
    start = text.index("oops")
    _, line, carets = problem_lines(InputError("wrong", start, start + 4), Statement(text, 3, "f.mxs"))
    assert columns(line[: line.index("oops")]) == carets.index("^")
    assert carets.count("^") == 4
    wide = problem_lines(InputError("wrong", 6, 9), Statement(text, 3, "f.mxs"))
    assert wide[2].count("^") == 6
    (under, _) = problem_lines(InputError("wrong", start, start + 4), Statement(text, 0), indent=5)
    assert under.index("^") == 5 + columns(line[2 : line.index("oops")])


def test_a_long_line_is_shown_around_its_mistake() -> None:
    text = "write A.b " + "x" * 100_000 + " oops " + "y" * 100_000
    start = text.index("oops")
    _, line, carets = problem_lines(InputError("wrong", start, start + 4), Statement(text, 3, "f.mxs"))
    assert len(line) < 200
    assert line[carets.index("^") :].startswith("oops")


@pytest.mark.parametrize("width", [20, 33, 80])
def test_wide_lines_are_folded_at_the_width_of_the_screen(width: int) -> None:
    line = "  tag  温度計は正常です " + "値" * 70 + " end of it  つづく"
    parts = folded(line, width)
    assert all(columns(part) <= width for part in parts)
    assert "".join("".join(parts).split()) == "".join(line.split())


async def test_a_tag_in_wide_characters_is_read_on_a_real_screen(tmp_path: Path) -> None:
    tags = [TagDefinition("温度計.値", NativeType.DOUBLE, 1.5), TagDefinition("Plain.Value", NativeType.DOUBLE, 2.5)]
    async with shell(tmp_path, tags=tags) as sh:
        await sh.terminal.enter("read 温度計.値 Plain.Value", "2.5")
        rows = [line for line in sh.terminal.screen.display if " good " in line]
        # pyte leaves out the second column of a wide character.
        assert len({columns(line[: line.index("good")]) for line in rows}) == 1


# What a terminal can do.


async def test_a_terminal_that_does_not_say_where_its_cursor_is_is_not_complained_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Terminal, "reports", False)
    monkeypatch.setattr(Renderer, "CPR_TIMEOUT", 0.05)
    async with shell(tmp_path, cursor_reports=True) as sh:
        assert sh.prompt is not None
        renderer = sh.prompt._prompt.app.renderer
        await until(lambda: renderer.cpr_support is CPR_Support.NOT_SUPPORTED)
        await sh.terminal.enter("echo on", "\non")
        assert "WARNING" not in sh.terminal.text


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        (
            80,
            [
                "  tag                                           value  unit  quality",
                "  Line_Seven.Infeed_Conveyor.Drive_Temperature  61.25  degC  good",
                "  Short.PV                                       1.5   bar   good",
            ],
        ),
        (
            60,
            [
                "  tag",
                "    value  unit  quality",
                "  Line_Seven.Infeed_Conveyor.Drive_Temperature",
                "    61.25  degC  good",
                "  Short.PV",
                "     1.5   bar   good",
            ],
        ),
        (
            30,
            [
                "  tag",
                "    value  unit  quality",
                "  Line_Seven.Infeed_Conveyor.",
                "  Drive_Temperature",
                "    61.25  degC  good",
                "  Short.PV",
                "     1.5   bar   good",
            ],
        ),
        (
            22,
            [
                "  tag",
                "    value  unit",
                "    quality",
                "  Line_Seven.",
                "  Infeed_Conveyor.",
                "  Drive_Temperature",
                "    61.25  degC",
                "    good",
                "  Short.PV",
                "     1.5   bar",
                "    good",
            ],
        ),
    ],
)
def test_all_rows_of_a_table_that_is_too_wide_are_folded_alike(columns: int, wanted: list[str]) -> None:
    rows = [
        ["Line_Seven.Infeed_Conveyor.Drive_Temperature", "61.25", "degC", "good"],
        ["Short.PV", "1.5", "bar", "good"],
    ]
    lines = table_lines(("tag", "value", "unit", "quality"), rows)
    shown = [part for line in lines for part in folded(line, columns)]
    assert shown == wanted


def test_a_name_without_a_dot_is_parted_where_it_must() -> None:
    first, *rest = table_lines(("tag", "value"), [["x" * 50, "1"]])[1:]
    assert folded(first, 30) == [f"  {'x' * 28}", f"  {'x' * 22}", "    1"]
    assert not rest
