"""The user's own plant in the demo: tags, logic and faults in every front end, and what is said of mistakes."""

import sys
from pathlib import Path

import pytest
from shell_process import EXAMPLES, ShellProcess

PLANT = str(EXAMPLES / "plants" / "mixer.py")
HEAD = "from zb_mom_ww_mxgateway_sim import every, on_write, tag\n"


@pytest.fixture
def run(tmp_path: Path) -> ShellProcess:
    return ShellProcess(tmp_path)


async def test_tags_logic_and_faults_meet_in_one_plant(run: ShellProcess) -> None:
    (run.folder / "tags.csv").write_text("name,value\nDoor.Open,false\nDoor.Count,0\n")
    (run.folder / "door.py").write_text(
        f"{HEAD}@on_write('Door.Open')\ndef opened(plant, write):\n    plant['Door.Count'] += write.value\n"
    )
    (run.folder / "faults.txt").write_text("after 0s set Plant.Tank1.Level 12.5 uncertain\nafter 0s set Door.Count 5\n")
    files = ("--tags", "tags.csv", "--plant", "door.py", "--faults", "faults.txt", "--generated-tags", "50")
    lines = (
        "write Door.Open true",
        "expect Plant.Tank1.Level = 12.5 quality uncertain",
        "read Area001.Unit0001.Value01",
    )
    done = await run("--demo", *files, *(word for line in lines for word in ("-e", line)))
    assert (done.code, done.err) == (0, "")
    assert "completed" in done.out


@pytest.mark.parametrize("form", ["-c", "stdin", "--python", "test", "plan"])
async def test_every_front_end_has_the_plant(run: ShellProcess, form: str) -> None:
    lines = "write Mixer1.Start true\nwait Mixer1.Running = true timeout 10s\n"
    (run.folder / "mixer.mxs").write_text(f"requires write Mixer*\n{lines}")
    (run.folder / "mixer.py").write_text("".join(f"await mx({line!r})\n" for line in lines.splitlines()))
    demo = ("--demo", "--plant", PLANT)
    match form:
        case "stdin":
            done = await run(*demo, stdin=lines)
        case "test" | "plan":
            done = await run(form, "mixer.mxs", *demo)
        case "--python":
            done = await run(*demo, form, "mixer.py")
        case _:
            done = await run(*demo, form, "mixer.mxs")
    assert (done.code, done.err) == (0, ""), done.out


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("--plant", "x = (\n", "FILE:1:5: '(' was never closed"),
        ("--plant", f"{HEAD}@on_write('No.Tag')\ndef f(plant, write): pass\n", "FILE:2: there is no tag No.Tag"),
        ("--tags", "name,type\nA.B,long\n", "FILE:2:5: no type 'long'"),
        ("--faults", "after 1s set No.Tag 5\n", "FILE:1:14: there is no tag No.Tag"),
    ],
)
async def test_a_mistake_in_a_file_is_exit_2_with_its_place(
    run: ShellProcess, option: str, text: str, message: str
) -> None:
    file = run.folder / "file.txt"
    file.write_text(text)
    done = await run("--demo", option, str(file), "-e", "status")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(message.replace("FILE", str(file)))
    done = await run("--demo", option, str(file), "--json", "-e", "status")
    assert (done.code, done.err) == (2, "")
    assert done.objects[0]["error"]["message"].startswith(message.replace("FILE", str(file)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--plant", PLANT), "--plant is for the simulated plant: add --demo"),
        (("--generated-tags", "5"), "--generated-tags is for the simulated plant: add --demo"),
        (("--demo", "--tags", "no-such.csv"), "'--tags': File 'no-such.csv' does not exist"),
        (("--demo", "--tags", ""), "'--tags': File '' does not exist"),
    ],
)
async def test_what_the_options_cannot_mean_is_a_usage_error(
    run: ShellProcess, arguments: tuple[str, ...], message: str
) -> None:
    done = await run(*arguments, "-e", "status")
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    done = await run("test", *arguments, "missing.mxs")
    assert done.code == 2
    assert message in done.err


async def test_a_failing_function_is_a_line_of_the_run_which_goes_on(run: ShellProcess) -> None:
    file = run.folder / "fails.py"
    file.write_text(f"{HEAD}@on_write('TestChildObject.TestInt')\ndef fails(plant, write):\n    plant['No.Tag'] = 1\n")
    done = await run("--demo", "--plant", str(file), "-e", "write TestChildObject.TestInt 5", "-e", "status")
    assert done.code == 0
    assert done.err.count("\n") == 1
    assert f"demo: {file}:4: fails: there is no tag No.Tag" in done.err


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="it takes a POSIX terminal")
async def test_at_the_prompt_a_function_that_loops_is_said_so_and_ended(run: ShellProcess) -> None:
    from shell_pty import at_a_terminal

    from zb_mom_ww_mxgateway_sim import SimulatedGateway

    file = run.folder / "loops.py"
    # It loops as well where it leaves the processor to others.
    body = "    import time\n    while True: time.sleep(0.01)\n"
    file.write_text(f"{HEAD}@on_write('TestChildObject.TestInt')\ndef loops(plant, write):\n{body}")
    async with at_a_terminal(run, SimulatedGateway(), "--demo", "--plant", str(file), columns=250) as screen:
        await screen.shows("demo>")
        await screen.enter("write TestChildObject.TestInt 5", f"demo: {file}:5: loops has not returned for 1 s")
        await screen.shows("ended, because it did not return, and not called again", "completed")
        await screen.enter("read Plant.Tank1.LevelSP", "60.0")
        await screen.enter("exit", "Leave all the same? [y/N]")
        screen.type("y\r")
        assert await screen.ended() == 0
