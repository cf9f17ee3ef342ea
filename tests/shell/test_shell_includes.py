"""Includes that give names to the lines of their files: with NAME=VALUE, and each row of a CSV file."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shell_process import Runs, ShellProcess

from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.scripts import lint, loader
from zb_mom_ww_mxgateway_shell.scripts.rows import Rows
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, TEXT = "TestChildObject.TestInt", "TestChildObject.TestString"


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        (tmp_path / "parts").mkdir()
        yield Runs(tmp_path, gateway)


def said(folder: Path, text: str, *variables: str) -> list[str]:
    """The findings of lint about a file, as a person sees them, a line each."""
    path = folder / "try.mxs"
    path.write_text(text, encoding="utf-8")
    block, found = loader.read(str(path))
    context = Context(all_commands(), interactive=False)
    context.give_names(variables)
    findings = lint.check(block, found, context, must_declare=False)
    return ["\n".join(lint.lines(each)).replace(f"{folder}/", "") for each in findings]


async def test_a_file_runs_once_for_each_row_with_the_names_of_its_columns(run: Runs) -> None:
    (run.folder / "rows.csv").write_text(
        '\ufefftext;number;code\r\n"a; ""b""";1;01\r\n  c d ;2;002\r\n', encoding="utf-8"
    )
    run.file(
        'step "row $number"\n'
        "include inner.mxs with both=$text$code\n"
        f"write {INT} $number\n"
        'finally\nnote "end of ${number}"\n',
        "parts/loop.mxs",
        declares=False,
    )
    run.file(f"write {TEXT} $both\n", "parts/inner.mxs", declares=False)
    done = await run(
        "let number = 7\ninclude parts/loop.mxs with item=x each rows.csv\n"
        f"write {INT} $number\nfinally\nwrite {INT} 0\n",
        "--json",
        "--report-junit",
        "out.xml",
    )
    assert done.code == 0, done
    assert run.written == ['a; "b"01', 1, "c d002", 2, 7, 0]
    objects = done.objects
    assert [each["result"]["row"] for each in objects if "row" in (each["result"] or {})] == [2, 3]
    (included,) = [each for each in objects if each["result"] == {"text": "end of 2"}]
    assert included["place"] == "row 3 of rows.csv, parts/loop.mxs:5"
    assert (included["file"], included["line"], included["step"]) == ("parts/loop.mxs", 5, "row 2")
    last = next(each for each in objects if each["statement"] == f"write {INT} 0")
    assert last["place"] is None
    report = (run.folder / "out.xml").read_text(encoding="utf-8")
    assert 'row 2 of rows.csv, parts/loop.mxs:1 row 1"' in report
    assert "row 3 of rows.csv, parts/loop.mxs:3" in report
    planned = await run.process("--plaintext", "--json", "plan", "try.mxs")
    tags = [each["result"].get("tag") for each in planned.objects if each["ok"] and each["command"] == "write"]
    assert tags == [TEXT, INT, TEXT, INT, INT, INT]


async def test_a_failure_names_the_row_wherever_lines_come_from(run: Runs) -> None:
    (run.folder / "rows.csv").write_text("wanted\n0\n5\n", encoding="utf-8")
    run.file(f"expect {INT} = $wanted\n", "loop.mxs", declares=False)
    text = "include loop.mxs each rows.csv"
    place = f"row 3 of rows.csv, loop.mxs:1:8: expected {INT} = 5, is 0"
    for done in (
        await run(f"{text}\n"),
        await run.process("--plaintext", "-e", text),
        await run.process("--plaintext", "-c", "-", stdin=text),
    ):
        assert done.code == 1, done
        assert place in done.err
    done = await run.process("--plaintext", "-e", "include loop.mxs with wanted=6")
    assert f"loop.mxs:1:8: expected {INT} = 6" in done.err
    done = await run("include loop.mxs with wanted=6\n")
    assert done.err.startswith(f"try.mxs:1, loop.mxs:1:8: expected {INT} = 6")
    done = await run("on-error continue\ninclude loop.mxs each rows.csv\ninclude loop.mxs with wanted=7\n", "-q")
    assert (done.code, done.err.count("expected")) == (1, 2)


async def test_each_row_is_held_to_the_declaration_and_declares_by_its_names(run: Runs) -> None:
    (run.folder / "rows.csv").write_text(f"tag,value\n{INT},1\n{TEXT},x\nPlant.Tank1.LevelSP,50\n", encoding="utf-8")
    run.file("write $tag $value\n", "loop.mxs", declares=False)
    done = await run("requires write TestChildObject.*\ninclude loop.mxs each rows.csv\n")
    assert (done.code, run.written) == (5, [])
    assert done.err.startswith("row 4 of rows.csv, loop.mxs:1:7: Plant.Tank1.LevelSP is not declared")
    run.file("requires write $tag\nwrite $tag $value\n", "loop.mxs", declares=False)
    run.file("include loop.mxs each rows.csv\n", declares=False)
    done = await run.process("--plaintext", "-c", "try.mxs")
    assert (done.code, run.written) == (0, [1, "x", 50.0])
    done = await run.process("--plaintext", "-c", "try.mxs", "--arm", "TestChildObject.*")
    assert done.code == 5
    assert "nothing lets this run write Plant.Tank1.LevelSP" in done.err


@pytest.mark.parametrize(
    ("content", "places"),
    [
        ("", ["1:1: the file is empty"]),
        ("tag,sp\n", ["1:1: there is no row"]),
        ("tag,,sp\na,b,c\n", ["1:5: the column has no name"]),
        ("tag,2nd,_,tag\n", ["1:5: a name is expected", "1:9: _ is a name of", "1:11: the column tag is there twice"]),
        ("tag\tsp\na\tb\n", ["1:1: a name is expected: letters, digits and _, without $; columns are separated by"]),
        ("tag;sp\na;1\nb\n\n;\nc;1;2\n", ["3:1: 1 cells for 2", "5:1: the row is empty", "6:5: 3 cells for 2"]),
        ('tag;sp\na;"1\n', ["2:3: a quote is not closed"]),
        ("tag,sp\na,[1\n", ["2:3: the closing ] is missing"]),
        ("tag,sp\na,[1 2]\n", ["2:6: a comma is missing"]),
        ("tag,sp\na,'x\n", ["2:3: the closing ' is missing"]),
    ],
)
def test_what_is_wrong_with_rows_has_its_row_and_column(content: str, places: list[str]) -> None:
    rows = Rows(content.encode(), "rows.csv")
    found = [f"{each.statement.place}:{each.problem.start + 1}: {each.problem}" for each in rows.mistakes]
    assert len(found) == len(places)
    for text, expected in zip(found, places, strict=True):
        assert text.startswith(f"rows.csv:{expected}")


def test_a_cell_is_the_exact_text_of_its_value() -> None:
    (row,) = Rows('a,b,c,d,e\n01,5\u201d valve,"x, $y","""01""",\n'.encode(), "rows.csv").rows
    assert {name: value.value for name, value in row.values.items()} == {
        "a": "01",
        "b": "5\u201d valve",
        "c": "x, $y",
        "d": "01",
        "e": "",
    }


def test_rows_that_are_not_utf_8_or_very_wrong_are_told_in_a_few_lines() -> None:
    (mistake,) = Rows("tag\nM\xfcller\n".encode("latin-1"), "rows.csv").mistakes
    assert mistake.statement.place == "rows.csv:2"
    assert "save it as UTF-8" in str(mistake.problem)
    mistakes = Rows(("a,b\n" + "x\n" * 50).encode(), "rows.csv").mistakes
    assert len(mistakes) == 20
    assert mistakes[-1].problem.__notes__ == ["and 30 more mistakes in rows.csv"]


def test_lint_names_each_rows_own_mistake_and_counts_those_that_many_rows_share(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("hold\n" + "".join(f"{9 - n}s\n" for n in range(9)), encoding="utf-8")
    (tmp_path / "loop.mxs").write_text(f"nope\nwait {INT} = 1 hold $hold timeout 5s\n", encoding="utf-8")
    found = said(tmp_path, "include loop.mxs each rows.csv\n")
    assert found[0].startswith("row 2 of rows.csv, loop.mxs:1:1: no command nope")
    assert found[0].endswith(
        "the same: row 3 of rows.csv, row 4 of rows.csv, row 5 of rows.csv, row 6 of rows.csv, row 7 of rows.csv, "
        "row 8 of rows.csv, row 9 of rows.csv, row 10 of rows.csv"
    )
    assert [each.split(",")[0] for each in found[1:]] == [f"row {n} of rows.csv" for n in range(2, 7)]
    assert "hold 9 s cannot end within timeout 5 s" in found[1]
    (tmp_path / "rows.csv").write_text("hold\n" + "".join(f"{n + 6}s\n" for n in range(99)), encoding="utf-8")
    found = said(tmp_path, "include loop.mxs each rows.csv\n")
    assert len(found) == 1 + 5
    assert found[-1].endswith("row 15 of rows.csv, row 16 of rows.csv and 84 more")


def test_names_that_an_include_gives_are_checked(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("tank,gain\nTank1,3\n", encoding="utf-8")
    (tmp_path / "inner.mxs").write_text('note "$x"\n', encoding="utf-8")
    (tmp_path / "loop.mxs").write_text("let tank = 5\ninclude inner.mxs with x=$tank.Level\n", encoding="utf-8")
    found = said(tmp_path, "include loop.mxs with area=1 each rows.csv\n")
    assert [each.split("\n")[0] for each in found] == [
        "row 2 of rows.csv, loop.mxs:1:5: tank has its value from an include: take another name",
        "try.mxs:1:23: nothing in loop.mxs is called $area (warning)",
        "rows.csv:1:6: nothing in loop.mxs is called $gain (warning)",
    ]
    for line, place in (
        ("include loop.mxs with a", "1:23: NAME=VALUE is expected"),
        ("include loop.mxs with a=1 2b=3", "1:27: a name is expected"),
        ("include loop.mxs with _=1", "1:23: _ is a name of the shell itself"),
        ("include loop.mxs with a=1 a=2", "1:27: a is given twice"),
        ("include loop.mxs with tank=1 each rows.csv", "1:23: tank is a column of rows.csv, too"),
        ("include loop.mxs with", "1:23: with needs a value"),
        ("include loop.mxs each", "1:23: each needs a value"),
        ("include loop.mxs each no.csv", "1:23: cannot read no.csv"),
        ("include loop.mxs with a=$nope", "1:25: $nope is not set"),
        ("include loop.mxs rows.csv", "1:18: one word too many"),
        ('include loop.mxs with a="x', "1:25: the closing"),
    ):
        assert any(place in each for each in said(tmp_path, f"{line}\n")), line
    found = said(tmp_path, "include loop.mxs each rows.csv\n", "tank=Tank7")
    assert any("rows.csv:1:1: tank is given by --var, too" in each for each in found)


async def test_values_of_with_may_name_what_the_run_sets_before(run: Runs) -> None:
    run.file(f'write {TEXT} "$name is $level"\n', "loop.mxs", declares=False)
    done = await run(
        f"requires write {TEXT}\nlet base = Tank\ncapture was = {INT}\n"
        'include loop.mxs with name="$base 1" level=$was\n'
        "include loop.mxs with name='$base' level=007\n"
    )
    assert (done.code, run.written) == (0, ["Tank 1 is 0", "$base is 007"]), done
    assert 'name = "Tank 1", level = 0' in done.out
    planned = await run.process("--plaintext", "plan", "try.mxs")
    assert planned.code == 0


def test_a_file_knows_what_was_read_for_it(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("n\n1\n2\n", encoding="utf-8")
    (tmp_path / "loop.mxs").write_text("note $n\n", encoding="utf-8")
    (tmp_path / "try.mxs").write_text("include loop.mxs each rows.csv\n", encoding="utf-8")
    block, _ = loader.read(str(tmp_path / "try.mxs"))
    assert [(Path(each.name).name, each.size) for each in block.sources] == [
        ("try.mxs", 31),
        ("loop.mxs", 8),
        ("rows.csv", 6),
    ]


async def test_many_rows_are_no_endless_include(tmp_path: Path) -> None:
    run = ShellProcess(tmp_path)
    (tmp_path / "rows.csv").write_text("n\n" + "".join(f"{n}\n" for n in range(2_000)), encoding="utf-8")
    (tmp_path / "loop.mxs").write_text("note $n\n", encoding="utf-8")
    (tmp_path / "try.mxs").write_text("include loop.mxs each rows.csv\n", encoding="utf-8")
    done = await run("lint", "--json", "try.mxs")
    assert (done.code, done.out) == (0, "")
    (tmp_path / "loop.mxs").write_text("nope $n\n", encoding="utf-8")
    done = await run("lint", "--json", "try.mxs")
    (finding,) = [json.loads(line) for line in done.out.splitlines()]
    assert finding["place"] == "row 2 of rows.csv, loop.mxs:1"
    assert finding["error"]["notes"][0].endswith("and 1989 more")
