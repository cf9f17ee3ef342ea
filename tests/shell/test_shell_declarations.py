"""Files declare what they write: what lint finds, what a run needs, and what it can write then."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from shell_process import Done, Runs
from shell_waiting import until

from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, TEXT, SP = "TestChildObject.TestInt", "TestChildObject.TestString", "Plant.Tank1.LevelSP"


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        made = Runs(tmp_path, gateway)
        made.process.armed = ()
        yield made


async def ran(run: Runs, text: str, *options: str) -> Done:
    """Runs a file that has these lines and no others."""
    run.file(text, declares=False)
    return await run.process("--plaintext", "-c", "try.mxs", *options)


async def linted(run: Runs, text: str, *options: str) -> Done:
    run.file(text, declares=False)
    return await run.process("lint", "try.mxs", *options)


# Lint.


async def lint_of_each(run: Runs, texts: Iterable[str]) -> tuple[Done, list[str]]:
    """Lints a file for each text in one run; gives also what is said of each of them."""
    files = [run.file(text, f"{number}.mxs", declares=False).name for number, text in enumerate(texts)]
    done = await run.process("lint", *files)
    parts = [re.findall(rf"^{file}:.*(?:\n  .*)*", done.out, re.MULTILINE) for file in files]
    return done, ["\n".join(part) for part in parts]


async def test_lint_finds_a_write_that_is_not_declared(run: Runs) -> None:
    (run.folder / "rows.csv").write_text(f"tag,value\n{SP},55\n{INT},7\n", encoding="utf-8")
    wrong = {
        f"write {INT} 5": f':2:7: {INT} is not declared: requires write "{INT}"',
        f"write-elements {INT}Array 3 0=1": f":2:16: {INT}Array is not declared",
        f"write {INT}Array[2] 1": f":2:7: {INT}Array[2] is not declared",
        "write-many rows.csv": f":2:12: rows.csv:3: {INT} is not declared",
        "ack ZB!Plant.Tank1.Level.Hi ZB!Plant.Tank2.Level.Hi": ":2:29: Plant.Tank2.Level.Hi is not declared",
        'call acknowledge_alarm_by_name {"alarm_name": "Tank2.Hi"}': ":2:32: Tank2.Hi is not declared",
    }
    done, told = await lint_of_each(run, [f'requires write "Plant.Tank1.*"\n{line}\n' for line in wrong])
    assert done.code == 2
    for (line, said), of_it in zip(wrong.items(), told, strict=True):
        assert (said in of_it, "1 mistake" in of_it) == (True, True), (line, of_it)


async def test_lint_finds_nothing_wrong_with_what_is_declared(run: Runs) -> None:
    right = (
        f"write {SP} 5",
        f"write {SP.upper()} 5",
        "let place = Tank1\nwrite Plant.$place.LevelSP 5",
        "cd Plant.Tank1\nwrite .LevelSP 5",
        f"alias sp write {SP}\nsp 5",
        "ack ZB!Plant.Tank1.Level.Hi",
        'call acknowledge_alarm_by_name {"alarm_name": "Plant.Tank1.Level.Hi"}',
        'call register {"client_name": "x"}',
        "read Plant.Tank2.Level",
    )
    done, told = await lint_of_each(run, [f'requires write "Plant.Tank1.*"\n{line}\n' for line in right])
    assert (done.code, ["nothing wrong" in each for each in told]) == (0, [True] * len(right)), done


async def test_lint_says_what_it_cannot_check(run: Runs) -> None:
    in_doubt = {
        f"capture tag = {TEXT}\nwrite $tag 5": (":3:1: ", "$tag is known in the run only"),
        "write 1 5": (":2:7: ", "what 1 means is known in the run only"),
        'call write {"server_handle": 1, "item_handle": 1}': (":2:12: ", "is known in the run only"),
        "ack 0f8fad5b-d9cb-469f-a165-70867728950e": (":2:5: ", "is known in the run only"),
    }
    done, told = await lint_of_each(run, [f'requires write "Plant.Tank1.*"\n{line}\n' for line in in_doubt])
    assert done.code == 0, done
    for (line, (place, why)), of_it in zip(in_doubt.items(), told, strict=True):
        assert f"{place}not checked against the declaration: " in of_it, (line, of_it)
        assert (why in of_it, "1 warning" in of_it) == (True, True), (line, of_it)
    # Without a declaration there is nothing that such a write could be let through by.
    done, told = await lint_of_each(run, [f"{line}\n" for line in in_doubt])
    assert done.code == 2
    for of_it in told:
        assert "the file declares no writes: requires write" in of_it, done


async def test_a_wrong_declaration_is_a_mistake(run: Runs) -> None:
    wrong = {
        f"read {INT}\nrequires write {INT}\n": "2:1: requires belongs before the other lines of its file",
        'requires write "*"\n': '1:16: "*" names nothing',
        "requires write\n": "glob is missing",
        "requires read A.B\n": "one of write is expected",
        'let a = 1\nrequires write "Tank$a"\n': "names whole tags or globs, without $",
        "requires write .Level\nread A.B\n": "without a leading dot",
        f"requires write {INT}\narm {INT}\n": "2:1: a file is not armed by itself: declare requires write",
        f"requires write {INT}\n": "there is no statement",
    }
    done, told = await lint_of_each(run, wrong)
    assert done.code == 2
    for (text, said), of_it in zip(wrong.items(), told, strict=True):
        assert said in of_it, (text, of_it)
    for text in list(wrong)[:2]:
        assert (await ran(run, text)).code == 2


async def test_an_alias_in_a_file_hides_no_write(run: Runs) -> None:
    done = await linted(run, f'requires write "Plant.*"\nalias set5 write {INT}\nset5 5\n')
    assert (done.code, f"try.mxs:3:1: {INT} is not declared" in done.out) == (2, True), done


async def test_json_tells_the_place_and_the_exit_code(run: Runs) -> None:
    done = await linted(run, f'requires write "Plant.*"\nwrite {INT} 5\n', "--json")
    (found,) = done.objects
    assert (found["line"], found["error"]["column"], found["severity"]) == (2, 7, "error")


# Runs.


async def test_a_run_needs_consent_before_it_connects(run: Runs) -> None:
    done = await ran(run, f'requires write "TestChildObject.*" {SP}\nwrite {INT} 5\n')
    assert (done.code, run.gateway.calls, run.written) == (5, (), [])
    assert done.err.splitlines()[0] == (
        f'try.mxs:1:16: nothing lets this run write TestChildObject.* {SP}: add --arm "TestChildObject.*" --arm "{SP}"'
    )


@pytest.mark.parametrize(
    ("arms", "code"),
    [
        (["TestChildObject.*"], 0),
        (["testchild*"], 0),
        (["*"], 2),
        (["TestChildObject.Test*"], 5),
        ([INT, TEXT], 5),
        (["Plant.*"], 5),
        (["Plant.*", "Test*Object.*"], 0),
    ],
)
async def test_each_declared_glob_must_be_covered(run: Runs, arms: list[str], code: int) -> None:
    options = [word for glob in arms for word in ("--arm", glob)]
    done = await ran(run, f'requires write "TestChildObject.*"\nwrite {INT} 5\n', *options)
    assert (done.code, run.written) == (code, [5] if code == 0 else []), done


async def test_the_declaration_is_the_scope_whatever_is_armed(run: Runs) -> None:
    text = f'requires write "Plant.*"\ncapture tag = {TEXT}\nread $tag\nwrite $tag 5\n'
    run.gateway.set(TEXT, INT)
    done = await ran(run, text, "--arm", "Plant.*", "--arm", "TestChildObject.*")
    assert (done.code, run.written) == (5, [])
    assert f"{INT} is not among the tags that are armed (Plant.*)" in done.err
    assert f'it is not declared: requires write "{INT}"' in done.err


async def test_a_file_that_declares_nothing_writes_nothing(run: Runs) -> None:
    done = await ran(run, f"read {INT}\nwrite {INT} 5\n", "--arm", "TestChildObject.*")
    assert (done.code, run.gateway.calls, run.written) == (5, (), [])
    assert f'try.mxs:2:7: {INT} is not declared: requires write "{INT}"' in done.err
    done = await ran(run, f"read {INT}\n")
    assert done.code == 0, done


async def test_included_files_declare_for_themselves(run: Runs) -> None:
    run.file(f"requires write {TEXT}\nwrite {TEXT} a\n", "part.mxs", declares=False)
    text = f"requires write {INT}\ninclude part.mxs\nwrite {INT} 5\n"
    done = await ran(run, text, "--arm", INT)
    assert (done.code, run.written) == (5, [])
    assert f'part.mxs:1:16: nothing lets this run write {TEXT}: add --arm "{TEXT}"' in done.err
    done = await ran(run, text, "--arm", INT, "--arm", TEXT)
    assert (done.code, run.written) == (0, ["a", 5]), done


async def test_each_file_of_a_run_has_its_own_scope(run: Runs) -> None:
    run.file(f"requires write {TEXT}\nwrite {TEXT} a\n", "a.mxs", declares=False)
    run.file(f"requires write {INT}\ncapture tag = {TEXT}\nwrite {INT} 5\n", "b.mxs", declares=False)
    both = ("--plaintext", "--arm", "TestChildObject.*", "-c", "a.mxs", "-c", "b.mxs")
    assert (await run.process(*both)).code == 0
    run.file(f"requires write {INT}\nlet tag = {TEXT}\nwrite {TEXT} b\n", "b.mxs", declares=False)
    done = await run.process(*both)
    assert (done.code, run.written) == (5, ["a", 5])


async def test_a_profile_lets_files_write(run: Runs) -> None:
    (run.folder / "profiles.toml").write_text(
        f'[profiles.plant]\nendpoint = "{run.gateway.endpoint}"\nplaintext = true\narms = ["Plant.Tank1.*"]\n'
        f'[profiles.careful]\nendpoint = "{run.gateway.endpoint}"\nplaintext = true\narms = ["Plant.*"]\n'
        f'arm_needs_reason = true\n[profiles.closed]\nendpoint = "{run.gateway.endpoint}"\nplaintext = true\n'
        "read_only = true\n",
        encoding="utf-8",
    )
    run.process.environment["MXGATEWAY_PROFILES"] = str(run.folder / "profiles.toml")
    del run.process.environment["MXGATEWAY_ENDPOINT"]

    async def with_profile(name: str, text: str, *options: str) -> Done:
        run.file(text, declares=False)
        return await run.process("--profile", name, "-c", "try.mxs", *options)

    declared = f'requires write "Plant.Tank1.LevelSP"\nwrite {SP} 51\n'
    assert (await with_profile("plant", declared)).code == 0
    assert (await with_profile("plant", f"write {SP} 52\n")).code == 5
    done = await with_profile("plant", f"requires write {INT}\nwrite {INT} 5\n")
    assert (done.code, f'add --arm "{INT}"' in done.err) == (5, True)
    done = await with_profile("careful", declared)
    assert (done.code, "the profile careful demands a reason for writing: add --reason TEXT" in done.err) == (5, True)
    assert (await with_profile("careful", declared, "--reason", "batch 7")).code == 0
    done = await with_profile("closed", declared, "--arm", "Plant.*")
    assert (done.code, "the profile closed is read-only" in done.err) == (5, True), done
    # A file may connect by itself.
    run.file(f"{declared.splitlines()[0]}\nconnect plant\nwrite {SP} 53\n", declares=False)
    assert (await run.process("-c", "try.mxs")).code == 0
    assert run.written == [51.0, 51.0, 53.0]
    # Lines that declare nothing write what --arm names, and a profile's arms are for declarations.
    assert (await run.process("--profile", "plant", "-e", f"write {SP} 54")).code == 5
    assert (await run.process("--profile", "plant", "--arm", SP, "-e", f"write {SP} 54")).code == 0


async def test_lines_write_what_is_armed(run: Runs) -> None:
    line = f"write {INT} 5"
    done = await run.process("--plaintext", "-e", line)
    assert (done.code, run.written) == (5, [])
    assert f'read-only: --arm "{INT}" lets it through; nothing was sent' in done.err
    done = await run.process("--plaintext", stdin=f"{line}\n")
    assert (done.code, run.written) == (5, [])
    done = await run.process("--plaintext", "--arm", TEXT, "-e", line)
    assert (done.code, run.written) == (5, [])
    assert (await run.process("--plaintext", "--arm", INT, "-e", line)).code == 0
    assert (await run.process("--plaintext", "--arm", INT, stdin=f"{line}\n")).code == 0
    assert run.written == [5, 5]


async def test_lines_may_declare_less_than_is_armed(run: Runs) -> None:
    lines = (f"requires write {TEXT}", f"write {TEXT} a", f"write {INT} 5")
    options = [word for line in lines for word in ("-e", line)]
    done = await run.process("--plaintext", "--arm", "TestChildObject.*", *options)
    assert (done.code, run.written) == (5, []), done
    assert f"{INT} is not declared" in done.err
    # Those of a pipe come one by one.
    done = await run.process("--plaintext", "--arm", "TestChildObject.*", stdin="\n".join(lines) + "\n")
    assert (done.code, run.written) == (5, ["a"]), done
    done = await run.process("--plaintext", "--arm", INT, stdin=f"requires write {TEXT}\nwrite {TEXT} a\n")
    assert (done.code, run.written) == (5, ["a"])
    assert f'not armed: start the run with --arm "{TEXT}"' in done.err


async def test_a_python_file_writes_what_is_armed(run: Runs) -> None:
    (run.folder / "try.py").write_text(
        f"await mx('write {INT} 5')\nfrom zb_mom_ww_mxgateway import MxGatewayWriteBlockedError\n"
        f"try:\n    await live.write('{TEXT}', 'a')\n    print('written')\n"
        "except MxGatewayWriteBlockedError as error:\n    print(error)\n",
        encoding="utf-8",
    )
    done = await run.process("--plaintext", "--python", "try.py")
    assert (done.code, run.written, 'read-only: --arm "' in done.err) == (5, [], True), done
    done = await run.process("--plaintext", "--python", "try.py", "--arm", INT)
    assert (done.code, run.written) == (0, [5]), done
    assert f"{TEXT} is not among the tags that are armed ({INT})" in done.out
    (run.folder / "try.py").write_text("await mx('arm Plant.*')\n", encoding="utf-8")
    done = await run.process("--plaintext", "--python", "try.py", "--arm", INT)
    assert (done.code, "arm is for a person at the prompt" in done.err) == (5, True), done


@pytest.mark.parametrize("given", [("-e", f"arm {INT}"), ("-c", "try.mxs")])
async def test_no_run_arms_itself(run: Runs, given: tuple[str, str]) -> None:
    run.file(f"arm {INT}\n", declares=False)
    done = await run.process("--plaintext", *given)
    assert (done.code, "a file is not armed by itself" in done.err) == (2, True), done
    done = await run.process("--plaintext", stdin=f"arm {INT}\nwrite {INT} 5\n")
    assert (done.code, run.written) == (5, [])
    assert "arm is for a person at the prompt: start the run with --arm GLOB" in done.err


async def test_read_only_goes_before_all(run: Runs) -> None:
    done = await run.process("--plaintext", "--read-only", "--arm", INT, "-e", "status")
    assert (done.code, "--read-only and --arm exclude each other" in done.err) == (2, True)
    done = await ran(run, f"requires write {INT}\nwrite {INT} 5\n", "--read-only")
    assert (done.code, run.written, "started with --read-only" in done.err) == (5, [], True)


async def test_on_the_demo_a_declaration_holds_and_none_is_needed(run: Runs) -> None:
    for text, code in (
        (f"write {INT} 5\n", 0),
        (f"requires write {INT}\nwrite {INT} 5\n", 0),
        (f"requires write {INT}\nwrite {SP} 5\n", 5),
    ):
        run.file(text, declares=False)
        assert (await run.process("--demo", "-c", "try.mxs")).code == code, text
    run.file(f"requires write {INT}\nwrite {INT} 5\n", "a.mxs", declares=False)
    run.file(f"write {SP} 61\n", "b.mxs", declares=False)
    assert (await run.process("--demo", "-c", "a.mxs", "-c", "b.mxs")).code == 0


async def test_a_plan_needs_no_consent(run: Runs) -> None:
    run.file(f"requires write {INT}\nwrite {INT} 5\n", declares=False)
    done = await run.process("--plaintext", "plan", "try.mxs")
    assert (done.code, "would write 0 → 5" in done.out, run.written) == (0, True, []), done


# What disarms a run.


async def test_after_a_lost_session_only_the_lines_after_finally_write(run: Runs) -> None:
    run.gateway.schedule("at write 1 lose-session")
    text = f"requires write {INT}\nwrite {INT} 1\nwrite {INT} 2\nfinally\nwrite {INT} 3\n"
    done = await ran(run, text, "--arm", INT, "--json")
    assert 2 not in run.written
    assert run.written[-1:] == [3], done
    assert f"disarmed, the session was lost: {INT} cannot be written any more" in done.out + done.err
    assert f"armed once more for the lines after finally: {INT}" in done.out + done.err


async def test_disarm_in_a_file_holds_to_its_end(run: Runs) -> None:
    text = f"requires write {INT}\nwrite {INT} 1\ndisarm\nfinally\nwrite {INT} 2\n"
    done = await ran(run, text, "--arm", INT)
    assert (done.code, run.written) == (5, [1]), done
    text = f"requires write {INT}\ndisarm\nconnect --plaintext\nwrite {INT} 2\n"
    done = await ran(run, text, "--arm", INT)
    assert (done.code, run.written) == (5, [1]), done


async def test_a_deployment_disarms_a_run(run: Runs) -> None:
    run.file(
        f"requires write {INT}\nwrite {INT} 1\nwait {INT} = 2 timeout 60s\nwrite {INT} 3\nfinally\nwrite {INT} 4\n",
        declares=False,
    )
    process = await run.process.start("--plaintext", "--json", "-c", "try.mxs", "--arm", INT)
    said: list[str] = []

    async def listen() -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            said.append(line.decode())

    def is_told() -> bool:
        # What was deployed before the shell knew the first deployment is no change to it.
        run.gateway.faults.redeploy()
        told = f"disarmed, the galaxy was redeployed: {INT} cannot be written any more\n"
        return any(line.endswith(told) for line in said)

    listening = asyncio.create_task(listen())
    await until(lambda: run.written == [1])
    await until(is_told)
    run.gateway.set(INT, 2)
    async with asyncio.timeout(60):
        await process.wait()
        await listening
    assert (process.returncode, run.written) == (5, [1])
