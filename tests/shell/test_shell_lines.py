"""What lines may be made of, the same in a file, with -e, from standard input, and in lint and plan."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shell_process import Runs, ShellProcess

from zb_mom_ww_mxgateway_sim import SimulatedGateway
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType
from zb_mom_ww_mxgateway_sim.plant.tags import TagDefinition

INT = "TestChildObject.TestInt"


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    tags = [
        TagDefinition("Unit1.Pump1.Start", NativeType.BOOLEAN, False),
        TagDefinition("Unit1.Pump01.Start", NativeType.BOOLEAN, False),
        TagDefinition("Unit1.Batch.Id", NativeType.STRING, ""),
        TagDefinition("Unit1.Flow.Total", NativeType.DOUBLE, 12345678.9),
        TagDefinition("Unit1.Flow.Coarse", NativeType.FLOAT, 0.1),
    ]
    async with SimulatedGateway(plaintext=True, write_complete_delay=0, tags=tags) as gateway:
        yield Runs(tmp_path, gateway)


async def test_a_name_is_put_into_a_tag_as_it_was_given(run: Runs) -> None:
    done = await run("write Unit1.Pump$pump.Start true\nexpect Unit1.Pump$pump.Start = true\n", "--var", "pump=01")
    assert (done.code, [write.tag for write in run.gateway.writes]) == (0, ["Unit1.Pump01.Start"]), done
    done = await run("let pump = 01\nwrite Unit1.Pump$pump.Start false\n")
    assert [write.tag for write in run.gateway.writes] == ["Unit1.Pump01.Start"] * 2, done
    done = await run("write Unit1.Batch.Id $batch\nexpect Unit1.Batch.Id = $batch\n", "--var", "batch=00123E4")
    assert (done.code, run.written[-1]) == (0, "00123E4"), done


async def test_a_real_is_shown_and_expected_with_all_its_digits(run: Runs) -> None:
    done = await run(
        "read Unit1.Flow.Total Unit1.Flow.Coarse\nwrite Unit1.Flow.Total 12345679.9 --verify\n"
        "expect Unit1.Flow.Total = 12345679.9\nexpect Unit1.Flow.Coarse = 0.1\n"
        "capture x = Unit1.Flow.Total\nexpect Unit1.Flow.Total = $x\n"
    )
    assert done.code == 0, done
    assert " 12345678.9 " in done.out
    assert " 0.1 " in done.out
    assert "12345678.9 → 12345679.9" in done.out
    done = await run("expect Unit1.Flow.Total = 1.234568e+07\n")
    assert done.code == 1
    assert "is 12345679.9 (good" in done.err + done.out


async def test_a_write_says_the_real_of_32_bits_that_it_sends(run: Runs) -> None:
    done = await run("write Unit1.Flow.Coarse 16777217\nread Unit1.Flow.Coarse\n", "--json")
    written, (read,) = (each["result"] for each in done.objects)
    assert (written["value"], read["value"], run.written) == (16777216.0, 16777216.0, [16777216.0])


async def test_what_some_program_takes_for_a_line_end_hides_nothing(run: Runs) -> None:
    texts = [f"# level test{end}write {INT} 1{end}expect {INT} = 99{end}" for end in "\r\v\f\x85\u2028"]
    files = [run.file(text, f"{number}.mxs") for number, text in enumerate(texts)]
    linted = await run.process("lint", *map(str, files))
    assert linted.code == 2
    for file in files:
        assert re.search(rf"{file.name}:.* within a line: it is no end of a line here", linted.out), linted
    text = texts[0]
    for done in (
        await run(text),
        await run.process("lint", str(run.folder / "try.mxs")),
        await run.process("--plaintext", "plan", "try.mxs"),
        await run.process("--plaintext", "-e", text),
        await run.process("--plaintext", stdin=text),
    ):
        assert done.code == 2, done
        assert "within a line: it is no end of a line here" in done.out + done.err, done
    assert run.written == []


async def test_a_file_without_a_statement_is_no_passed_test(run: Runs) -> None:
    texts = ("", "\n\n", "\ufeff", "on-error continue\nfinally\n", "# only a remark\n")
    files = [run.file(text, f"{number}.mxs").name for number, text in enumerate(texts)]
    linted = await run.process("lint", *files)
    assert linted.code == 2
    assert linted.out.count("there is no statement") == len(texts), linted
    for text in texts:
        done = await run(text, "--report-junit", "out.xml")
        assert done.code == 2
        assert "there is no statement" in done.err
        assert 'errors="1"' in (run.folder / "out.xml").read_text(encoding="utf-8")
    assert (await run.process("--plaintext", "plan", "try.mxs")).code == 2
    done = await run.process("--plaintext", "-c", "-", stdin="# only a remark\n")
    assert done.code == 2, done


@pytest.mark.parametrize("text", ["", "# only a remark\n"])
async def test_standard_input_and_lines_without_a_statement_are_mistakes_too(run: Runs, text: str) -> None:
    piped = await run.process("--plaintext", stdin=text)
    assert (piped.code, piped.err.strip()) == (2, "standard input: there was no statement")
    path = run.folder / "empty.mxs"
    path.write_text(text, encoding="utf-8")
    # Standard input that is a file is read as a whole.
    whole = await run.process("--plaintext", "-c", "-", stdin=text)
    lines = await run.process("--plaintext", "-e", text)
    for done in (whole, lines):
        assert done.code == 2, done
        assert "there is no statement" in done.err


async def test_quotes_that_an_editor_made_curly_are_pointed_at(run: Runs) -> None:
    done = await run(f"write {INT} 5\nwrite TestChildObject.TestString \u201chello\u201d\nstep \u201cone\u201d\n")
    assert (done.code, run.written) == (2, [])
    assert "try.mxs:3:34: a curly quote" in done.err
    assert "try.mxs:4:6: a curly quote" in done.err
    done = await run(f'write TestChildObject.TestString "it\u2019s"\nwrite {INT} 5\n')
    assert (done.code, run.written) == (0, ["it\u2019s", 5])


async def test_cd_and_a_leading_dot_work_wherever_lines_come_from(run: Runs) -> None:
    text = "cd Plant.Tank1\nexpect .Level > 0\ncd\n"
    for done in (
        await run(text),
        await run.process("lint", "try.mxs"),
        await run.process("--plaintext", "plan", "try.mxs"),
        await run.process("--plaintext", *(part for line in text.splitlines() for part in ("-e", line))),
        await run.process("--plaintext", stdin=text),
    ):
        assert done.code == 0, done
    for wrong in ("expect .Level > 0\n", "cd Plant.Tank1\ncd\nread .Level\n"):
        for done in (await run(wrong), await run.process("lint", "try.mxs")):
            assert done.code == 2
            assert "a leading dot means the focused object, and there is none" in done.out + done.err


async def test_files_that_include_each_other_without_end_are_one_line(tmp_path: Path) -> None:
    run = ShellProcess(tmp_path)
    for number in range(26):
        text = f"include {number + 1}.mxs\n" * 2 if number < 25 else "note x\n"
        (tmp_path / f"{number}.mxs").write_text(text, encoding="utf-8")
    for number in range(200):
        (tmp_path / f"deep{number}.mxs").write_text(f"include deep{number + 1}.mxs\n", encoding="utf-8")
    for options, first, said in (
        (("lint",), "0", "more than 10000 files are included"),
        (("--demo", "-c"), "deep0", "more than 50 deep"),
    ):
        done = await run(*options, f"{first}.mxs")
        assert done.code == 2
        assert said in done.out + done.err
        assert len((done.out + done.err).splitlines()) == 1


async def test_a_mistake_in_a_file_that_is_included_twice_is_said_once(tmp_path: Path) -> None:
    run = ShellProcess(tmp_path)
    (tmp_path / "bad.mxs").write_text("nope x\n", encoding="utf-8")
    text = "include bad.mxs\ninclude ./bad.mxs\ninclude bad.mxs\nnote x\n"
    (tmp_path / "twice.mxs").write_text(text, encoding="utf-8")
    done = await run("lint", "twice.mxs")
    assert (done.code, done.out.count("no command nope")) == (2, 1)


async def test_lint_refuses_a_var_that_nothing_uses(tmp_path: Path) -> None:
    run = ShellProcess(tmp_path)
    (tmp_path / "one.mxs").write_text("echo $limit\n", encoding="utf-8")
    (tmp_path / "two.mxs").write_text("note x\n", encoding="utf-8")
    assert (await run("lint", "one.mxs", "two.mxs", "--var", "limit=5")).code == 0
    done = await run("lint", "one.mxs", "--var", "limit=5", "--var", "limt=6")
    assert done.code == 2
    assert "--var limt: nothing in one.mxs is called $limt; did you mean limit?" in done.out


async def test_lint_is_told_that_a_sleep_is_meant(tmp_path: Path) -> None:
    run = ShellProcess(tmp_path)
    (tmp_path / "one.mxs").write_text("sleep 5s # meant: the seal has to dry\nsleep 5s # as agreed\n", encoding="utf-8")
    done = await run("lint", "one.mxs")
    assert done.code == 0
    assert [line[:12] for line in done.out.splitlines() if "(warning)" in line] == ["one.mxs:2:1:"]


async def test_a_tag_on_the_right_is_a_mistake_wherever_it_is_asked_for(run: Runs) -> None:
    text = "expect Unit1.Batch.Id != Plant.Tank1.Level\nwait Unit1.Batch.Id = Unit1.Pump1.Start timeout 5s\n"
    for done in (
        await run(text),
        await run.process("lint", "try.mxs"),
        await run.process("--plaintext", "plan", "try.mxs"),
        await run.process("--plaintext", *(part for line in text.splitlines() for part in ("-e", line))),
    ):
        assert done.code == 2, done
        said = done.out + done.err
        assert '"Plant.Tank1.Level" in quotes is that text' in said
        assert '"Unit1.Pump1.Start" in quotes is that text' in said
    done = await run(
        'write Unit1.Batch.Id "Recipe.A"\nexpect Unit1.Batch.Id = "Recipe.A"\ncapture x = Unit1.Batch.Id\n'
        "expect Unit1.Batch.Id = $x\n"
    )
    assert done.code == 0, done


async def test_an_expression_that_explodes_elsewhere_is_an_expectation_like_any(run: Runs) -> None:
    text = "a" * 60 + "!"
    done = await run(f"write Unit1.Batch.Id '{text}'\nexpect Unit1.Batch.Id ~ '^(a+)+$'\n")
    assert done.code == 1, done
    assert "try.mxs:3:" in done.err
    done = await run("expect Unit1.Batch.Id ~ '(?=a)b'\n")
    assert done.code == 2
    assert "is not supported: its matching time is not bounded" in done.err


PLANNED = """\
register x
write Plant.Pump1.Start maybe
write TestChildObject.TestInt 99999999999
expect Plant.Tank1.Levl > 5
wait Plant.Tank1 > 5 timeout 5s
read TestChildObject.TestIntArray[99]
write Plant.Tank*.LevelSP 5
watch Plant.Tank2.Levl --count 1
capture was = Plant.Tank1.Levl
expect TestChildObject.TestInt = $was
add-item Plant.Tank1.Levl
write Plant.Tank1.Level 5
write Plant.Interlock.Bypass true
expect Plant.Tank1.Level < 0
write TestChildObject.TestInt 5
tag Plant.Tank3.Levl
browse Plant.Nothing
record never.csv Plant.Tank1.Levl
events Plant.Tank1.Level --for
frobnicate
events Plant.Tank1.Level --for 1s
"""


async def test_a_plan_lists_all_that_could_not_be_right_and_ends_with_a_mistake(run: Runs) -> None:
    run.file(PLANNED, declares=False)
    done = await run.process("--plaintext", "plan", "try.mxs")
    assert (done.code, run.written) == (2, []), done
    for place, said in [
        ("2:25", "Boolean expected"),
        ("3:31", "does not fit int32"),
        ("4:8", "no tag Plant.Tank1.Levl"),
        ("5:6", "it is an object"),
        ("6:6", "so there is no [99]"),
        ("7:7", "no tag Plant.Tank*.LevelSP"),
        ("8:7", "no tag Plant.Tank2.Levl"),
        ("9:15", "no tag Plant.Tank1.Levl"),
        ("11:10", "no tag Plant.Tank1.Levl"),
        ("12:7", "ViewOnly"),
        ("13:7", "the run needs login USER before"),
        ("16:5", "Plant has no Tank3.Levl"),
        ("17:8", "Plant has no Nothing"),
        ("18:18", "no tag Plant.Tank1.Levl"),
        ("19:32", "--for needs a value"),
        ("20:1", "no command frobnicate"),
    ]:
        assert any(line.startswith(f"try.mxs:{place}: ") and said in line for line in done.err.splitlines()), place
    assert done.err.count("try.mxs:") == 16
    assert "no hash" in done.out
    assert "$was is known in the run only" in done.out
    assert "does not hold now" in done.out
    assert "would write 0 → 5" in done.out


async def test_a_plan_that_fits_the_plant_is_done(run: Runs) -> None:
    run.file(
        "register x\nexpect Plant.Tank1.Level < 0\nwrite Plant.Tank1.LevelSP 50\nadd-item TestChildObject.TestInt\n"
        "read Plant.Tank1.Level\nrecord level.csv Plant.Tank1.Level\nrecord stop level.csv\n"
    )
    done = await run.process("--plaintext", "plan", "try.mxs")
    assert (done.code, run.written, done.err) == (0, [], ""), done
    assert "cannot be had" not in done.out


async def test_a_verification_may_be_given_a_tolerance_and_a_time(run: Runs) -> None:
    for line, said in (
        ("write Unit1.Flow.Total 5 tol 0.5", "add --verify"),
        ("write Unit1.Flow.Total 5 within 2s", "add --verify"),
        ('write Unit1.Batch.Id "a" --verify tol 0.5', "a value of type string has to be equal: only reals"),
        ("write TestChildObject.TestInt 5 --verify tol 1", "a value of type int32 has to be equal: only reals"),
        ("write Unit1.Flow.Total 5 --verify tol 2s", "a number is expected"),
        ("write Unit1.Flow.Total 5 --verify --tol 0.5", "no option --tol; did you mean tol?"),
    ):
        done = await run(f"{line}\n")
        assert (done.code, run.written) == (2, []), line
        assert said in done.err
    done = await run("write Unit1.Flow.Total 5 --verify tol 0.5 within 2s\n")
    assert (done.code, run.written) == (0, [5.0]), done
