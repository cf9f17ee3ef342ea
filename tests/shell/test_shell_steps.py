"""Steps of a file: requirements and observations, what follows a failure, and the time limit of a file."""

from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from shell_process import Runs

from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        yield Runs(tmp_path, gateway)


def statements(objects: list[dict[str, object]], command: str) -> list[dict[str, object]]:
    return [each for each in objects if each["command"] == command]


async def test_a_step_names_its_requirements_and_observations_never_change_the_exit_code(run: Runs) -> None:
    text = (
        "let more = 'URS-14, URS-15'\n"
        'step "one" req URS-12,URS-13 $more URS-12\n'
        'comment "a noise"\ndeviation "it was late"\nnote "no observation"\n'
        'step "two"\ncomment "quiet"\n'
    )
    done = await run(text, "--json")
    assert done.code == 0, done
    first, second = statements(done.objects, "step")
    assert first["result"] == {"title": "one", "requirements": ["URS-12", "URS-13", "URS-14", "URS-15"]}
    assert second["result"] == {"title": "two", "requirements": []}
    (deviation,) = statements(done.objects, "deviation")
    assert deviation["result"] == {"observation": "deviation", "text": "it was late"}
    assert deviation["requirements"] == ["URS-12", "URS-13", "URS-14", "URS-15"]
    last = statements(done.objects, "comment")[-1]
    assert (last["result"], last["requirements"]) == ({"observation": "comment", "text": "quiet"}, [])
    for done in (
        await run.process("--plaintext", "-e", 'step "x" req A, B', "-e", "deviation 'late'"),
        await run.process("--plaintext", stdin='step "x" req A, B\ndeviation late\n'),
    ):
        assert (done.code, "for A, B" in done.out, "deviation: late" in done.out) == (0, True, True)
    done = await run('step "x" req\n')
    assert (done.code, "req needs a value: <id>" in done.err) == (2, True)


NEXT_STEP = f"""\
on-error next-step
step "first"
expect {INT} = 9
write {INT} 1
step "second"
write {INT} 2
include part.mxs
write {INT} 3
include steps.mxs
step "last"
write {INT} 5
finally
write {INT} 6
"""


async def test_on_error_next_step_leaves_out_the_lines_up_to_the_next_step(run: Runs) -> None:
    run.file("expect Plant.Tank1.Level = 9000\nwrite TestChildObject.TestInt 99\n", "part.mxs", declares=False)
    run.file(f'write {INT} 4\nstep "of an included file"\nexpect {INT} = 4\n', "steps.mxs", declares=False)
    done = await run(NEXT_STEP, "--report-junit", "out.xml")
    assert (done.code, run.written) == (1, [2, 4, 5, 6]), done
    assert '2 of 4 steps passed; 2 failed: "' in done.out
    cases = ElementTree.parse(run.folder / "out.xml").iter("testcase")
    failed = [each.get("name", "").rpartition(" ")[2] for each in cases if each.find("failure") is not None]
    assert failed == ["first", "second"]
    lines = [word for line in NEXT_STEP.replace("include steps.mxs\n", "").splitlines() for word in ("-e", line)]
    done = await run.process("--plaintext", *lines)
    assert (done.code, run.written[4:]) == (1, [2, 5, 6])
    done = await run.process("--plaintext", stdin=NEXT_STEP.replace("include", "# include"))
    assert (done.code, run.written[7:]) == (1, [2, 3, 5, 6])


async def test_the_lines_after_finally_run_after_a_last_step_that_failed(run: Runs) -> None:
    text = f'on-error next-step\nstep "a"\nexpect {INT} = 9\nwrite {INT} 1\nfinally\nwrite {INT} 2\n'
    assert (await run(text)).code == 1
    assert (await run.process("--plaintext", stdin=text)).code == 1
    assert run.written == [2, 2]
    text = f"time-limit 300ms\nnote x\nfinally\nwait {INT} = 3 timeout 800ms\nwrite {INT} 4\n"
    done = [await run(text), await run.process("--plaintext", stdin=text)]
    assert [each.code for each in done] == [1, 1]
    assert "time limit" not in done[0].err + done[1].err
    assert run.written[2:] == [4, 4]


async def test_on_error_next_step_goes_on_with_the_next_row(run: Runs) -> None:
    (run.folder / "rows.csv").write_text("was,n\n2,1\n9,2\n1,3\n", encoding="utf-8")
    run.file(f'step "$n"\nexpect {INT} = $was\nwrite {INT} $n\n', "loop.mxs", declares=False)
    text = f'on-error next-step\ninclude loop.mxs each rows.csv\nwrite {INT} 9\nstep "end"\nwrite {INT} 10\n'
    done = await run(f"write {INT} 2\n{text}")
    assert (done.code, run.written) == (1, [2, 1, 3, 9, 10]), done


@pytest.mark.parametrize(
    ("line", "code", "written"),
    [
        ('confirm "sure?"', 5, [6]),
        ("connect localhost:1", 5, []),  # Another plant than the one before.
        ("write NoSuchObject.Tag 5", 2, [5, 6]),
    ],
)
async def test_what_is_final_ends_the_run_under_next_step_too(
    run: Runs, line: str, code: int, written: list[int]
) -> None:
    text = f'on-error next-step\nstep "a"\n{line}\nstep "b"\nwrite {INT} 5\nfinally\nwrite {INT} 6\n'
    run.file(f"requires write {INT} NoSuchObject.*\n{text}", declares=False)
    done = await run.process("--plaintext", "--arm", "*Object.*", "-c", "try.mxs")
    assert (done.code, run.written) == (code, written), done


async def test_a_time_limit_ends_a_wait_with_a_failure_and_finally_runs(run: Runs) -> None:
    text = (
        f'time-limit 300ms\nstep "a"\nwait {INT} = 77 timeout 60s\nwrite {INT} 5\n'
        f'step "b"\nwrite {INT} 6\nfinally\nwrite {INT} 7\nwait {INT} = 7 now timeout 20s\n'
    )
    done = await run(text, "--report-junit", "out.xml")
    assert (done.code, run.written) == (1, [7]), done
    assert "try.mxs:4:1: the time limit of 0.3s is over" in done.err
    assert '0 of 2 steps passed; 1 failed: "a"; 1 not run; the time limit of 0.3s is over' in done.out
    done = await run.process("--plaintext", *(word for line in text.splitlines() for word in ("-e", line)))
    assert (done.code, run.written) == (1, [7, 7])
    done = await run.process("--plaintext", stdin=text)
    assert (done.code, run.written) == (1, [7, 7, 7])
    planned = await run.process("--plaintext", "plan", "try.mxs")
    assert (planned.code, "ends after 0.3s" in planned.out) == (0, True)


async def test_a_write_on_its_way_gets_a_moment_and_is_unknown_then(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, write_complete_delay=60) as gateway:
        run = Runs(tmp_path, gateway)
        done = await run(f"time-limit 300ms\nwrite {INT} 5 --timeout 50s\nnote never\nfinally\nnote over\n")
        assert (done.code, "never" in done.out, "over" in done.out) == (6, False, True), done
        assert "the time limit of 0.3s is over" in done.err


async def test_the_time_limit_of_an_included_file_is_its_own(run: Runs) -> None:
    run.file(f"time-limit 200ms\nsleep 60s\nwrite {INT} 1\nfinally\nwrite {INT} 2\n", "part.mxs", declares=False)
    done = await run(f"on-error continue\ninclude part.mxs\nwrite {INT} 3\n")
    assert (done.code, run.written) == (1, [2, 3])
    done = await run(f"include part.mxs\nwrite {INT} 3\n")
    assert (done.code, run.written[2:]) == (1, [2])
    run.file(f"sleep 60s\nwrite {INT} 1\nfinally\nwrite {INT} 2\n", "part.mxs", declares=False)
    done = await run(f"requires write {INT}\ntime-limit 200ms\non-error continue\ninclude part.mxs\nwrite {INT} 3\n")
    assert (done.code, run.written[3:]) == (1, [2])


async def test_a_time_limit_belongs_to_the_head_of_a_file(run: Runs) -> None:
    done = await run("note x\ntime-limit 10m\n")
    assert (done.code, "time-limit belongs before the other lines of its file" in done.err) == (2, True)
    done = await run("time-limit soon\nnote x\n")
    assert done.code == 2
    done = await run("time-limit 10m\n")
    assert (done.code, "there is no statement" in done.err) == (2, True)
    done = await run("time-limit 10m\nnote x\n")
    assert done.code == 0
