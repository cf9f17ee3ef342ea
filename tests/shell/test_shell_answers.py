"""Values that a person, the environment or a file gives to a run: ask and secret."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shell_process import Done, Runs

from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, TEXT = "TestChildObject.TestInt", "TestChildObject.TestString"
SECRET = 'Pa"ss$w\\ord'
no_terminal = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        made = Runs(tmp_path, gateway)
        made.process.environment["PIN"] = SECRET
        yield made


def shows_nothing(folder: Path, *runs: Done) -> None:
    """No output, and no file that the runs wrote, contains the secret in any spelling."""
    texts = [done.out + done.err for done in runs]
    texts += [path.read_text(encoding="utf-8", errors="replace") for path in folder.rglob("*") if path.is_file()]
    for spelled in (SECRET, 'Pa\\"ss', "ss$w", 'Pa""ss', "Pa&quot;ss", "w\\\\ord"):
        assert not [text for text in texts if spelled in text], spelled


ASKS = f'ask reading "what does it show?"\nwrite {INT} $reading\nwrite {TEXT} "$reading l"\n'


async def test_a_question_is_answered_by_var_and_refused_without_a_person(run: Runs) -> None:
    done = await run(ASKS, "--var", "reading=07", "--json", "--yes")
    assert (done.code, run.written) == (0, [7, "07 l"])
    (asked,) = [each for each in done.objects if each["command"] == "ask"]
    assert asked["result"] == {"by": "--var", "name": "reading", "question": "what does it show?", "value": "07"}
    for done in (
        await run(ASKS, "--yes"),
        await run.process("--plaintext", *(word for line in ASKS.splitlines() for word in ("-e", line))),
        await run.process("--plaintext", stdin=ASKS),
    ):
        assert done.code == 5
        assert "nobody to ask “what does it show?”; --var reading=VALUE answers it" in done.err
    assert run.written == [7, "07 l"]
    assert (await run.process("lint", "try.mxs")).code == 0
    planned = await run.process("--plaintext", "plan", "try.mxs")
    assert (planned.code, "would ask" in planned.out) == (0, True), planned
    done = await run('ask reading "?"\n', "--var", "reading=7")
    assert done.code == 0
    (run.folder / "asks.py").write_text("print(await mx('ask reading \"how much?\"'))\n", encoding="utf-8")
    done = await run.process("--plaintext", "--python", "asks.py")
    assert (done.code, "nobody to ask" in done.err) == (5, True)


@no_terminal
async def test_a_person_at_the_terminal_answers(run: Runs) -> None:
    from shell_pty import at_a_terminal

    run.file(f'ask reading "the gauge?"\nwrite {TEXT} $reading\nsecret pin\nwrite {TEXT} "<$pin>"\n')
    async with at_a_terminal(run.process, run.gateway, "--plaintext", "-c", "try.mxs") as terminal:
        await terminal.shows("the gauge?")
        terminal.type("[1,\r")
        await terminal.shows("the closing ] is missing")
        terminal.type("7,5 bar\r")
        await terminal.shows("pin:")
        terminal.type("gr\u00fcn 1\r")
        assert await terminal.ended() == 0
        assert "pin is kept secret" in terminal.text
        assert "gr\u00fcn" not in terminal.raw
    assert run.written == ["7,5 bar", "<gr\u00fcn 1>"]
    run.file(f'ask reading "the gauge?"\nwrite {TEXT} $reading\nfinally\nwrite {TEXT} over\n')
    for answer, code in (("\r", 5), ("\x03", 130)):
        async with at_a_terminal(run.process, run.gateway, "--plaintext", "-c", "try.mxs") as terminal:
            await terminal.shows("the gauge?")
            terminal.type(answer)
            assert await terminal.ended() == code
    assert run.written[2:] == ["over", "over"]


@no_terminal
async def test_the_prompt_asks_and_keeps_secrets(run: Runs) -> None:
    from shell_pty import at_a_terminal

    async with at_a_terminal(run.process, run.gateway) as terminal:
        await terminal.shows("(read-only)>")
        await terminal.enter('ask reading "the gauge?"', "\nthe gauge?")
        await terminal.enter("12", "reading = 12")
        await terminal.enter("secret pin from env PIN", "pin is kept secret")
        await terminal.enter("let copy = $pin", 'copy = "***"')
        await terminal.enter("secret pin2", "\npin2:")
        await terminal.enter("unseen thing", "pin2 is kept secret")
        await terminal.enter("tee copy.log", "copy.log")
        await terminal.enter('note "$pin2 and $pin"', "*** and ***")
        await terminal.enter("expect $pin = 5", "no tag ***")
        await terminal.enter("last-error", "line         expect $pin = 5", "outcome")
        await terminal.enter(f'arm {TEXT} --reason "for $pin"', "armed for")
        await terminal.enter("record-script s.mxs --last 20", "s.mxs: ")
        await terminal.leave()
        assert await terminal.ended() == 0
        assert "unseen" not in terminal.raw
        shows_nothing(run.folder, Done(0, terminal.raw, ""))
    script = (run.folder / "s.mxs").read_text(encoding="utf-8")
    assert "secret pin from env PIN" in script
    assert "*** and ***" in script


async def test_nothing_of_a_run_shows_a_secret(run: Runs) -> None:
    text = (
        f"requires write {TEXT} {INT}\n"
        "tee copy.log\n"
        "secret pin from env PIN\n"
        "let copy = $pin\n"
        'step "the pin $pin" req $pin\n'
        f"write {TEXT} $pin\n"
        f'write {TEXT} "say $pin twice: $copy"\n'
        f"read {TEXT}\n"
        f"watch {TEXT} --count 1\n"
        'comment "$pin"\n'
        "on-error continue\n"
        f"expect {TEXT} = $pin\n"
        f"wait {TEXT} = $pin timeout 200ms\n"
        f"write {INT} $pin\n"
        f'step "end"\nexpect {TEXT} = "x $pin"\nlast-error\nhistory {TEXT}\nwhy {TEXT}\n'
    )
    runs = [
        await run(text, *options, "--report-junit", "out.xml", "--record", "run.jsonl")
        for options in ((), ("--json",), ("--csv",), ("-q",), ("--debug",))
    ]
    assert {done.code for done in runs} == {3}, runs[0]
    assert run.written[:2] == [SECRET, f"say {SECRET} twice: {SECRET}"]
    assert "***" in (run.folder / "out.xml").read_text(encoding="utf-8")
    (run.folder / "try.mxs").unlink()
    shows_nothing(run.folder, *runs)
    journals = [path.read_text(encoding="utf-8") for path in (run.folder / "records").rglob("*.jsonl")]
    assert any("***" in text for text in journals)


async def test_secrets_of_lines_and_of_python(run: Runs) -> None:
    lines = ("secret pin from file pin.txt", f"write {TEXT} $pin", 'note "$pin"')
    (run.folder / "pin.txt").write_text(f"{SECRET}\nnext\n", encoding="utf-8")
    (run.folder / "pins.py").write_text(
        "".join(f"print(await mx({line!r}))\n" for line in lines)
        + "try:\n    print(pin)\nexcept NameError:\n    pass\n",
        encoding="utf-8",
    )
    done = [
        await run.process("--plaintext", *(word for line in lines for word in ("-e", line))),
        await run.process("--plaintext", stdin="\n".join(lines)),
        await run.process("--plaintext", "--python", "pins.py"),
    ]
    assert [each.code for each in done] == [0, 0, 0], done
    assert run.written == [SECRET] * 3
    (run.folder / "pin.txt").unlink()
    shows_nothing(run.folder, *done)


async def test_a_timed_write_keeps_no_secret_in_a_file(run: Runs) -> None:
    done = await run(f"secret pin from env PIN\nwrite {TEXT} $pin --for 30s   # meant\n")
    assert (done.code, run.written) == (2, []), done
    assert "a timed write keeps its values in a file, and one of them is a secret" in done.err
    shows_nothing(run.folder, done)


async def test_a_snapshot_keeps_no_secret_in_a_file(run: Runs) -> None:
    run.process.environment["PIN"] = "471163"
    done = await run(
        f'requires write {INT}\nsecret pin from env PIN\nwrite {INT} $pin\nsnapshot before {INT} {TEXT} "Plant.$pin"\n',
        "--yes",
    )
    assert (done.code, run.written) == (0, [471163]), done
    (kept,) = (run.folder / "records").rglob("before.json")
    form = json.loads(kept.read_text(encoding="utf-8"))
    assert [each["tag"] for each in form["rows"]] == [TEXT]
    assert {each["tag"]: each["why"] for each in form["left_out"]} == {
        INT: "its value looks like a key or a password",
        "Plant.***": "its name has a key or a secret in it",
    }
    assert "471163" not in kept.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("secret pin from env NOT_SET", 5, "the environment variable NOT_SET is not set"),
        ("secret pin from env TINY", 5, "at least 4 characters"),
        ("secret pin from env LINES", 5, "is not one line of text"),
        ("secret pin from file no.txt", 5, "cannot read no.txt"),
        ("secret pin", 5, "nobody to ask: secret pin from env VAR, or from file PATH"),
        ("secret pin from PIN", 2, "from env VAR or from file PATH is expected"),
        ("secret pin from env PIN more", 2, "one word too many"),
        ("secret pin from", 2, "from needs a value"),
    ],
)
async def test_a_secret_that_cannot_be_had_is_refused(run: Runs, line: str, code: int, said: str) -> None:
    run.process.environment |= {"TINY": "abc", "LINES": "one\ntwo three"}
    done = await run(f"{line}\nwrite {INT} 5\n")
    assert (done.code, said in done.err, run.written) == (code, True, []), done
    assert "two three" not in done.out + done.err


async def test_a_secret_is_not_given_on_the_command_line(run: Runs) -> None:
    done = await run(f"secret pin from env PIN\nwrite {TEXT} $pin\n", "--var", "pin=hunter2")
    assert (done.code, run.written) == (2, [])
    assert "others can see --var on the command line" in done.err
