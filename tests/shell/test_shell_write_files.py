"""write-many: rows of a file in one call, each with its outcome; a file that cannot be right sends nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from shell_lines import connected, follow, result_of, run
from shell_process import ShellProcess, declared
from shell_terminal import CTRL_C, shell
from shell_waiting import until

from zb_mom_ww_mxgateway import MxGatewayWriteBlockedError, wire
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, Table
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import GalaxyUser, SimulatedGateway

OBJECT = "TestChildObject"
SECURED, VERIFIED = "Plant.Interlock.Bypass", "Plant.Interlock.Reset"
ALL = f"""tag,value
{OBJECT}.TestInt,5
{OBJECT}.TestDouble,2.5
{OBJECT}.TestString,two words
{OBJECT}.TestBool,true
"""


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    users = [GalaxyUser("bob", "b"), GalaxyUser("anna", "a")]
    async with SimulatedGateway(plaintext=True, api_keys=(), users=users, write_complete_delay=0) as made:
        yield made


@pytest.fixture
async def context(gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Context]:
    monkeypatch.setenv("BOB", "b")
    monkeypatch.setenv("ANNA", "a")
    monkeypatch.chdir(tmp_path)
    async with connected(gateway) as made:
        yield made


def write(text: str, name: str = "file.csv") -> str:
    """The line that writes a file of this text."""
    Path(name).write_bytes(text.encode())
    return f"write-many {name}"


def sent(gateway: SimulatedGateway) -> list[str]:
    """The commands that write, as they arrived."""
    kinds = [wire.kind_name(call.request) for call in gateway.calls if isinstance(call.request, pb.MxCommandRequest)]
    return [kind for kind in kinds if kind.startswith("write")]


async def test_all_rows_go_in_one_call_and_each_has_its_outcome(context: Context, gateway: SimulatedGateway) -> None:
    result = await result_of(context, write(ALL))
    assert result.exit_code is ExitCode.DONE
    assert sent(gateway) == ["write_bulk"]
    assert [write.value for write in gateway.writes] == [5, 2.5, "two words", True]
    assert isinstance(result, Table)
    assert result.headings == ("tag", "change", "outcome")
    assert [row[1] for row in result.rows] == ["0 → 5", "0.0 → 2.5", '"" → two words', "false → true"]
    assert [(record["tag"], record["before"], record["value"], record["outcome"]) for record in result.form()] == [
        (f"{OBJECT}.TestInt", 0, 5, "completed"),
        (f"{OBJECT}.TestDouble", 0.0, 2.5, "completed"),
        (f"{OBJECT}.TestString", "", "two words", "completed"),
        (f"{OBJECT}.TestBool", False, True, "completed"),
    ]
    assert context.last == "completed"


async def test_a_file_of_a_spreadsheet_on_windows(context: Context, gateway: SimulatedGateway) -> None:
    text = (
        f'\ufeffTag,Value,Type\r\n{OBJECT}.TestIntArray,"[1, 2]",int32[]\r\n{OBJECT}.TestString,"a ""b"", c",\r\n\r\n'
    )
    assert (await result_of(context, write(text))).exit_code is ExitCode.DONE
    assert [write.value for write in gateway.writes] == [(1, 2), 'a "b", c']


async def test_texts_are_taken_as_they_are(context: Context, gateway: SimulatedGateway) -> None:
    for text in ("int32:5", "[1]", "$name", "# no comment", "'x'"):
        await run(context, write(f"tag,value\n{OBJECT}.TestString,{text}\n"), follow)
    assert [write.value for write in gateway.writes] == ["int32:5", "[1]", "$name", "# no comment", "'x'"]


async def test_rows_with_times_are_written_with_them(context: Context, gateway: SimulatedGateway) -> None:
    text = f"time,tag,value\n2026-05-01T12:00:00Z,{OBJECT}.TestInt,5\n2026-05-01T14:00:00+01:00,{OBJECT}.TestDouble,6\n"
    result = await result_of(context, write(text))
    assert sent(gateway) == ["write2_bulk"]
    assert [record["source_time"] for record in result.form()] == [
        "2026-05-01T12:00:00.000Z",
        "2026-05-01T13:00:00.000Z",
    ]
    read = await result_of(context, f"read {OBJECT}.TestDouble --fresh")
    assert "2026-05-01T13:00:00.000Z" in str(read.form())


async def test_secured_and_verified_rows_are_signed_each_as_it_needs(
    context: Context, gateway: SimulatedGateway
) -> None:
    line = write(f"tag,value\n{SECURED},true\n{VERIFIED},true\n")
    with pytest.raises(ShellError, match="SecuredWrite tag, and nobody is logged in") as refused:
        await run(context, line, follow)
    assert refused.value.exit_code is ExitCode.GUARDED
    await run(context, "login bob --password-env BOB", follow)
    with pytest.raises(ShellError, match=f"{VERIFIED} is a VerifiedWrite tag, and needs a second person"):
        await run(context, line, follow)
    assert not gateway.writes
    result = await result_of(context, f"{line} --second anna --second-password-env ANNA")
    assert [record["signed_by"] for record in result.form()] == ["signed by bob", "signed by bob, verified by anna"]
    assert sent(gateway) == ["write_secured_bulk"]
    assert [(write.user_id, write.verifier_id) for write in gateway.writes] == [(1, 0), (1, 2)]
    with pytest.raises(ShellError, match="no VerifiedWrite tag"):
        await run(context, f"{write(ALL)} --second anna --second-password-env ANNA", follow)


# What cannot be right.


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "file.csv:1:1: the file is empty"),
        ("tag,value\n", "file.csv:1:1: no row has a value"),
        ("tag;value\nA.b;5\n", "file.csv:1:4: fields are separated by commas, and here by semicolons"),
        ("tag\tvalue\n", "file.csv:1:4: .* by tabs"),
        ("tag,valeu\nA.b,5\n", "file.csv:1:5: no column valeu; did you mean value"),
        ("tag,tag,value\n", "file.csv:1:5: the column tag is there twice"),
        ("tag,type\n", "file.csv:1:1: the column value is missing"),
        ("tag,value,\n", "file.csv:1:11: no column without a name"),
        ("tag,value\nA.b\n", "file.csv:2:1: 1 fields for 2 columns"),
        ("tag,value\nA.b,[1, 2]\n", "file.csv:2:9: 3 fields for 2 columns; .*double quotes"),
        ("tag,value\n,5\n", "file.csv:2:1: a tag is missing"),
        ("tag,value\nA.b,5\nA.B,6\n", "file.csv:3:1: A.B is in line 2 already"),
        ("tag,value\nA.b,5\nA.b[],6\n", r"file.csv:3:1: A.b\[\] is in line 2 already"),
        ("tag,value\nA.b[3],5\nA.b[03],6\n", r"file.csv:3:1: A.b\[03\] is in line 2 already"),
        ("tag,value,type\nA.b,5,int23\n", "file.csv:2:7: no type int23; did you mean int32"),
        ("tag,value,type\nA.b,x,int32\n", "file.csv:2:5: Integer expected"),
        ('tag,value,type\nA.b,"[1, x]",int32[]\n', r"file.csv:2:10: Integer expected"),
        ("tag,value,type\nA.b,5,int32[]\n", r"file.csv:2:5: an array like \[1, 2, 3\] is expected"),
        ("tag,value,time\nA.b,5,noon\n", "file.csv:2:7: Time expected"),
        ("tag,value,time\nA.b,5,2026-05-01T12:00:00\n", "file.csv:2:7: Time zone missing"),
        ("tag,value,time\nA.b,5,2026-05-01T12:00:00Z\nA.c,5,\n", "file.csv:3:1: no time here, and line 2 has one"),
        ('tag,value\nA.b,"5\n', "file.csv:2:5: a quote is not closed"),
    ],
)
async def test_lint_finds_what_is_wrong_with_a_file_without_a_gateway(
    text: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    context = Context(all_commands(), interactive=False)
    (mistake,) = context.registry.check(write(text), context)
    assert mistake.start == len("write-many ")
    with pytest.raises(InputError, match=said):
        raise mistake


async def test_lint_names_every_mistake_and_a_file_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    context = Context(all_commands(), interactive=False)
    (mistake,) = context.registry.check(write("tag,value,type\n,5,\nA.b,x,int32\nA.c,5,x\n"), context)
    assert str(mistake).endswith("(and 2 more mistakes)")
    assert [note.partition(": ")[0] for note in mistake.__notes__] == ["file.csv:3:5", "file.csv:4:7"]
    (missing,) = context.registry.check("write-many other.csv", context)
    assert str(missing) == "cannot read other.csv: No such file or directory"
    assert not context.registry.check(write(ALL), context)
    (tmp_path / "file.csv").write_bytes("tag,value\nA.b,ä\n".encode("latin-1"))
    (undecoded,) = context.registry.check("write-many file.csv", context)
    assert str(undecoded) == "file.csv:2:5: not UTF-8 text; save it as UTF-8"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (f"{OBJECT}.TestDouble,x", f"file.csv:3:{len(OBJECT) + 13}: Number expected"),
        ("No.Such,5", "file.csv:3:1: no tag No.Such"),
        (f"{OBJECT}.TestIntArray,5", "file.csv:3:30: an array like"),
        (f'{OBJECT}.TestDouble,"[5]"', "file.csv:3:29: Number expected"),
        (".TestDouble,5", "file.csv:3:1: a leading dot means the focused object, and there is none"),
        (f"{SECURED},true", f"file.csv:3:1: {SECURED} needs a signature .SecuredWrite., and {OBJECT}.TestInt does not"),
    ],
)
async def test_nothing_is_sent_if_one_row_cannot_be_right(
    context: Context, gateway: SimulatedGateway, rows: str, said: str
) -> None:
    with pytest.raises(InputError, match=said) as refused:
        await run(context, write(f"tag,value\n{OBJECT}.TestInt,5\n{rows}\n"), follow)
    assert refused.value.exit_code is ExitCode.USAGE
    assert not sent(gateway)


async def test_a_tag_named_by_the_focus_and_in_full_is_named_twice(context: Context, gateway: SimulatedGateway) -> None:
    await run(context, f"cd {OBJECT}", follow)
    with pytest.raises(InputError, match=f"file.csv:3:1: {OBJECT}.TestInt is in line 2 already"):
        await run(context, write(f"tag,value\n.TestInt,5\n{OBJECT}.TestInt,6\n"), follow)
    assert not sent(gateway)
    await run(context, write("tag,value\n.TestInt,5\n"), follow)
    assert [write.value for write in gateway.writes] == [5]


async def test_of_several_servers_one_is_named(context: Context, gateway: SimulatedGateway) -> None:
    await run(context, "register one", follow)
    await run(context, "register two", follow)
    with pytest.raises(ShellError, match="several servers: say which"):
        await run(context, write(ALL), follow)
    result = await result_of(context, f"{write(ALL)} --server 2")
    assert {record["server_handle"] for record in result.form()} == {2}


# Outcomes.


async def test_a_refused_row_leaves_the_others_and_gives_the_exit_code(
    context: Context, gateway: SimulatedGateway
) -> None:
    text = f"tag,value,type\n{OBJECT}.TestInt,no number,string\n{OBJECT}.TestDouble,2.5,\n"
    result = await result_of(context, write(text))
    assert result.exit_code is ExitCode.REFUSED
    assert [record["outcome"] for record in result.form()] == ["refused", "completed"]
    assert context.failure is not None
    assert f"write of {OBJECT}.TestInt" in str(context.failure.error)


async def test_a_lost_answer_is_the_worst_and_is_not_sent_again(context: Context, gateway: SimulatedGateway) -> None:
    gateway.faults.fail_next("write_bulk", code=grpc.StatusCode.UNAVAILABLE)
    result = await result_of(context, write(ALL))
    assert result.exit_code is ExitCode.UNKNOWN
    assert {record["outcome"] for record in result.form()} == {"unknown"}
    assert all("It was not sent again" in line for line in result.lines()[1:])
    # Each may still happen, and is looked for.
    assert [write.value for write in context.connected.doubtful.all()] == [5, 2.5, "two words", True]
    assert sent(gateway) == ["write_bulk"]


async def test_completions_that_do_not_come_leave_the_rows_accepted(
    context: Context, gateway: SimulatedGateway
) -> None:
    gateway.faults.hold_write_completes()
    result = await result_of(context, f"{write(ALL)} --timeout 300ms")
    assert result.exit_code is ExitCode.UNKNOWN
    assert {record["outcome"] for record in result.form()} == {"accepted"}
    assert "not completed within 0.3 s" in result.lines()[1]


async def test_the_guard_refuses_all_of_it(context: Context, gateway: SimulatedGateway) -> None:
    await run(context, "disarm", follow)
    with pytest.raises(MxGatewayWriteBlockedError, match="read-only"):
        await run(context, write(ALL), follow)
    assert not sent(gateway)


async def test_the_wait_that_is_interrupted_says_that_every_row_was_accepted(
    context: Context, gateway: SimulatedGateway
) -> None:
    gateway.faults.hold_write_completes()
    feeds: list[Feed] = []

    async def interrupted(feed: Feed) -> Result:
        feeds.append(feed)
        writing = asyncio.create_task(feed.follow(lambda line: None))
        await until(lambda: bool(feed._calls and feed._calls[-1].accepted_after), lambda: "it is accepted")
        writing.cancel()
        await asyncio.wait([writing])
        return feed.result()

    result = await run(context, write(ALL), interrupted)
    assert result is not None
    assert result.exit_code is ExitCode.UNKNOWN
    assert {record["outcome"] for record in result.form()} == {"accepted"}
    assert "accepted" in result.lines()[1]
    assert "the wait for its completion was interrupted: effect unknown" in result.lines()[1]


@pytest.mark.parametrize("line", ["write-many file.csv", f"write {OBJECT}.TestInt 5"])
async def test_a_connection_that_is_closed_meanwhile_does_not_hide_the_outcome(
    context: Context, gateway: SimulatedGateway, line: str
) -> None:
    write(ALL)
    gateway.faults.hold_write_completes()
    writing = asyncio.create_task(run(context, line, follow))
    await until(lambda: bool(sent(gateway)), lambda: "it is sent")
    await context.disconnect()
    result = await writing
    assert result is not None
    assert result.exit_code is ExitCode.UNKNOWN


# By file, by plan, at the prompt.


async def test_in_a_file_the_wait_after_it_sees_its_effect(tmp_path: Path, gateway: SimulatedGateway) -> None:
    (tmp_path / "setpoints.csv").write_text(f"tag,value\n{OBJECT}.TestInt,5\n", encoding="utf-8")
    script = declared(f"write-many setpoints.csv\nwait {OBJECT}.TestInt = 5 timeout 10s\nexpect {OBJECT}.TestInt = 5\n")
    (tmp_path / "steps.mxs").write_text(script, encoding="utf-8")
    program = ShellProcess(tmp_path).on(gateway)
    done = await program("--plaintext", "--json", "-c", "steps.mxs")
    assert done.code == 0, done.err
    assert [each["ok"] for each in done.objects if "command" in each] == [True] * 3
    (tmp_path / "setpoints.csv").write_text(f"tag,value\n{OBJECT}.TestInt,5\n{OBJECT}.TestBool,7\n", encoding="utf-8")
    done = await program("--plaintext", "-c", "steps.mxs")
    assert done.code == ExitCode.USAGE
    assert f"steps.mxs:2:12: setpoints.csv:3:{len(OBJECT) + 11}: " in done.err
    assert len(sent(gateway)) == 1
    done = await program("--plaintext", "--csv", "-e", "write-many setpoints.csv")
    assert done.code == ExitCode.USAGE


async def test_lint_and_plan_of_a_file_say_what_a_run_would_do(tmp_path: Path, gateway: SimulatedGateway) -> None:
    (tmp_path / "setpoints.csv").write_text(ALL, encoding="utf-8")
    (tmp_path / "signed.csv").write_text(f"tag,value\n{SECURED},true\n", encoding="utf-8")
    script = declared(
        f"write-many setpoints.csv\nwrite {OBJECT}.TestInt 6\nlogin bob --password-env NOT_SET\nwrite-many signed.csv\n"
    )
    (tmp_path / "steps.mxs").write_text(script, encoding="utf-8")
    program = ShellProcess(tmp_path).on(gateway)
    assert (await program("lint", "steps.mxs")).code == 0
    done = await program("plan", "--plaintext", "steps.mxs")
    assert done.code == 0, done.err
    assert f"would write {OBJECT}.TestInt   0 → 5" in done.out
    assert f"would write {OBJECT}.TestBool   false → true" in done.out
    assert f"{OBJECT}.TestInt would have been written before, by line 2 (setpoints.csv:2): it is 5 then" in done.out
    assert not sent(gateway)
    (tmp_path / "setpoints.csv").write_text("tag,value\n,5\n", encoding="utf-8")
    done = await program("lint", "steps.mxs")
    assert done.code != 0
    assert "steps.mxs:2:12: setpoints.csv:2:1: a tag is missing" in done.out + done.err
    (tmp_path / "setpoints.csv").write_text("tag,value,type\n,5,\nA.b,5,int\n", encoding="utf-8")
    (finding,) = [each for each in (await program("lint", "--json", "steps.mxs")).objects if each.get("error")]
    assert finding["error"]["message"].startswith("setpoints.csv:2:1: a tag is missing")
    assert [note.partition(": ")[0] for note in finding["error"]["notes"]] == ["setpoints.csv:3:7"]


async def test_at_a_prompt_it_shows_each_row_and_ctrl_c_stops_the_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with shell(tmp_path) as made:
        terminal, gateway = made.terminal, made.gateway
        await terminal.enter(write(ALL), f"{OBJECT}.TestString", '"" → two words', "completed")
        await terminal.enter("record-script steps.mxs --last 1", "1 line")
        assert (tmp_path / "steps.mxs").read_text(encoding="utf-8").splitlines()[-1] == "write-many file.csv"
        gateway.faults.hold_write_completes()
        terminal.type(f"{write(ALL, 'again.csv')}\r")
        await terminal.shows("waiting for the outcome of 4 writes")
        live = made.context.live
        assert live is not None
        await until(
            lambda: live.unsettled_writes(0.0) and not live.unsettled_writes(0.0, unanswered=True),
            lambda: "it is accepted",
        )
        assert len(sent(gateway)) == 2
        terminal.type(CTRL_C)
        await terminal.shows("; the wait for its completion was interrupted: effect unknown")
        gateway.faults.release_write_completes()


async def test_python_gets_its_outcome_and_its_mistakes(tmp_path: Path, gateway: SimulatedGateway) -> None:
    (tmp_path / "setpoints.csv").write_text(ALL, encoding="utf-8")
    (tmp_path / "steps.py").write_text('print("outcome", await mx("write-many setpoints.csv"))\n', encoding="utf-8")
    done = await ShellProcess(tmp_path).on(gateway)("--plaintext", "--python", "steps.py")
    assert done.code == 0, done.err
    assert "outcome completed" in done.out


async def test_json_has_one_record_a_row(tmp_path: Path, gateway: SimulatedGateway) -> None:
    (tmp_path / "setpoints.csv").write_text(ALL, encoding="utf-8")
    done = await ShellProcess(tmp_path).on(gateway)("--plaintext", "--json", "-e", "write-many setpoints.csv")
    (line,) = [json.loads(text) for text in done.out.splitlines() if "write-many" in text]
    assert [record["outcome"] for record in line["result"]] == ["completed"] * 4
