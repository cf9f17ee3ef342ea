"""What lint warns of: lines that are allowed, and probably not what their writer means."""

from pathlib import Path

import pytest
from shell_process import ShellProcess

from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.scripts import lint, loader
from zb_mom_ww_mxgateway_shell.state.context import Context

INT, TEXT = "TestChildObject.TestInt", "TestChildObject.TestString"


def warnings(folder: Path, text: str) -> list[str]:
    """The warnings of lint about a file, each with its place; there is nothing else."""
    path = folder / "try.mxs"
    path.write_text(text, encoding="utf-8")
    block, found = loader.read(str(path))
    findings = lint.check(block, found, Context(all_commands(), interactive=False), must_declare=False)
    assert all(each.is_warning for each in findings), findings
    return [lint.lines(each)[0].replace(f"{folder}/", "") for each in findings]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('step "a"\nnote x\nstep "a"\nnote y\n', 'try.mxs:3:6: "a" is the title of another step, too: try.mxs:1'),
        ('let t = a\nstep "$t"\nnote x\nstep "a"\nnote y\n', "try.mxs:4:6: "),
        ('step "a"\n# nothing\nstep "b"\nnote x\n', "try.mxs:1:1: the step is empty"),
        ('step "a"\nnote x\nstep "b"\nfinally\nnote x\n', "try.mxs:3:1: the step is empty"),
        ('note x\nstep "a"\non-error continue\n', "try.mxs:2:1: the step is empty"),
        ("let a = 1\nnote x\n", "try.mxs:1:5: nothing uses $a"),
        ('ask a "how much?"\nnote x\n', "try.mxs:1:5: nothing uses $a"),
        ("let a = 1\nlet a = 2\nnote $a\n", "try.mxs:2:5: $a was set before: try.mxs:1"),
        ("let a = 1\nnote '$a'\n", "try.mxs:2:6: $a in single quotes stays as it is"),
        (f"write {INT} 1\nexpect Plant.Tank1.Level > 0\n", "try.mxs:2:1: expect checks at once, and the plant may"),
        (f'write {INT} 1\nstep "b"\nnote x\nexpect Plant.Tank1.Level > 0\n', "try.mxs:4:1: expect checks at once"),
        (f"time-limit 10s\nwait {INT} = 1 timeout 30s\n", "try.mxs:2:1: it may take 30s, and the time limit of its"),
        (f"time-limit 1m\nexpect {INT} = 1 for 2m\n", "try.mxs:2:1: it may take 2m"),
        ("time-limit 5s\nexpect-alarm Plant.Tank1 active within 20s\n", "try.mxs:2:1: it may take 20s"),
    ],
)
def test_what_is_probably_not_meant_is_a_warning(tmp_path: Path, text: str, said: str) -> None:
    (found,) = warnings(tmp_path, text)
    assert found.startswith(said)
    assert found.endswith("(warning)")


@pytest.mark.parametrize(
    "text",
    [
        'step "a"\nnote x\nstep "b"\nnote y\nfinally\nnote z\n',
        f'capture now = {INT}\nstep "a $now"\nnote x\nstep "b $now"\nnote y\n',
        "let a = 1\nnote \"it's $a'\"\nlet b = 2\nexpect $b > 1\n".replace("expect $b > 1", "note ${b}"),
        "let a = 1   # meant\nnote '$nothing'\n",
        f"write {INT} 1\nexpect {INT} = 1\nexpect {INT}[] != 2   # meant\n",
        f"write {INT} 1\nwait Plant.Tank1.Level > 0 timeout 9s\nexpect {TEXT} != x\n",
        f"write {INT} 1\nsleep 5s # meant\nexpect {TEXT} != x\n",
        f"write {INT} 1\nexpect {TEXT} != x   # meant\n",
        f"time-limit 1m\nwait {INT} = 1 timeout 1m\nfinally\nwait {INT} = 1 timeout 5m\n",
        f"wait {INT} = 1 timeout 5m\n",
    ],
)
def test_what_is_meant_is_no_warning(tmp_path: Path, text: str) -> None:
    assert warnings(tmp_path, text) == []


def test_rows_and_included_files_are_looked_at_with_their_names(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("n\n1\n2\n", encoding="utf-8")
    (tmp_path / "loop.mxs").write_text('let twice = "$n$n"\nstep "row $twice"\nnote $n\n', encoding="utf-8")
    assert warnings(tmp_path, "include loop.mxs each rows.csv\n") == []
    (tmp_path / "loop.mxs").write_text("step \"row '$n'\"\nnote '$n'\n", encoding="utf-8")
    assert warnings(tmp_path, "include loop.mxs each rows.csv\n") == [
        "row 2 of rows.csv, loop.mxs:2:6: $n in single quotes stays as it is: in double quotes it is its value "
        "(warning)"
    ]
    (tmp_path / "loop.mxs").write_text('step "row"\nnote $n\n', encoding="utf-8")
    assert warnings(tmp_path, "include loop.mxs each rows.csv\n") == [
        'row 3 of rows.csv, loop.mxs:1:6: "row" is the title of each of these steps: put a name in it that tells them '
        "apart (warning)"
    ]
    (tmp_path / "loop.mxs").write_text(f"time-limit 1m\nwait {INT} = $n timeout 2m\n", encoding="utf-8")
    (found,) = warnings(tmp_path, "time-limit 5m\ninclude loop.mxs each rows.csv\n")
    assert "it may take 2m, and the time limit of its file is 1m" in found


async def test_a_warning_keeps_no_file_from_running(tmp_path: Path) -> None:
    run = ShellProcess(tmp_path)
    (tmp_path / "try.mxs").write_text('let a = 1\nstep "x"\nstep "x"\nnote y\n', encoding="utf-8")
    done = await run("lint", "try.mxs")
    assert (done.code, done.out.count("(warning)"), "nothing wrong, 3 warnings" in done.out) == (0, 3, True)
    assert (await run("--demo", "-c", "try.mxs")).code == 0


def test_a_file_that_a_line_makes_and_that_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = f"""\
record old.csv {INT}
record stop old.csv
record old.csv {INT} --append
record stop
record new.csv {INT}
trend {INT} --for 1s --save old.svg
trend {INT} --for 1s --save old.svg  # meant
trend {INT} --for 1s --save new.svg
"""
    assert warnings(tmp_path, lines) == []
    for name in ("old.csv", "old.svg"):
        Path(name).touch()
    said = "exists: this line fails until it is moved away, or another one is named (warning)"
    assert warnings(tmp_path, lines) == [
        f"try.mxs:1:8: old.csv {said}",
        f"try.mxs:6:{len(f'trend {INT} --for 1s --save ') + 1}: old.svg {said}",
    ]
