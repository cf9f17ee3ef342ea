"""Python on the live session: files run by --python, and the pane."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from shell_process import Runs
from shell_terminal import CTRL_D, shell
from shell_waiting import until

from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"


@pytest.fixture
async def run(tmp_path: Path):  # type: ignore[no-untyped-def]
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        yield Runs(tmp_path, gateway, "--python", "try.py")


EVERYTHING = f"""\
import sys
from beside import TAG

assert items == []
handle = await mx("register python")
assert handle == 1 and _ == 1
await mx(f"watch {{TAG}} --count 1")
(item,) = items
result = await live.write_and_confirm(*item.key, 7)
print("direct", result.outcome.value)
async def written(value):
    return await mx(f"write {{TAG}} {{value}}")
print("by the shell", await asyncio.gather(written(8)))
value = await live.wait_for(TAG, lambda value: value == 8, timeout=10)
print("seen", value.value, value.quality_word, session.session_id == live.session.session_id, client is not None)
limit = 8
await mx("expect {INT} = 8")
assert sys.argv == ["try.py"] and __file__ == "try.py" and __name__ == "__main__"
"""


async def test_a_file_has_the_names_of_the_pane_and_awaits_at_its_top(run: Runs) -> None:
    run.file(f'TAG = "{INT}"\n', "beside.py")
    code, out, err = await run(EVERYTHING)
    assert (code, err) == (0, "")
    for said in ("server 1", "direct completed", "→ 8", "by the shell ['completed']", "seen 8 good True True"):
        assert said in out
    assert [write.value for write in run.gateway.writes] == [7, 8]
    assert [session.state for session in run.gateway.sessions.values()] == ["CLOSED"]


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (
            "x = 1\nawait mx('expect TestChildObject.TestInt = 5')\n",
            1,
            "try.py:2: expected TestChildObject.TestInt = 5",
        ),
        ("assert 1 == 2, 'not so'\n", 1, "try.py:1: AssertionError: not so (--debug shows more)"),
        ("def f():\n    1 / 0\n\nf()\n", 1, "try.py:2: ZeroDivisionError: division by zero"),
        ("x = 1\ny = (\n", 2, "try.py:2:5: '(' was never closed"),
        ("await mx('frob')\n", 2, "try.py:1: no command frob"),
        ("import sys\nsys.exit(7)\n", 7, ""),
        ("import sys\nsys.exit('so it ends')\n", 1, "so it ends"),
        ("exit\nraise SystemExit\n", 0, ""),
        ("await mx('write TestChildObject.TestInt double:1e300')\n", 3, "REFUSED"),
        ("# \xe9 \u2192\n", 0, ""),
        ("raise BaseException('all')\n", 1, "try.py:1: BaseException: all (--debug shows more)"),
        (
            "async with asyncio.TaskGroup() as group:\n"
            "    group.create_task(mx('write TestChildObject.TestInt double:1e300'))\n",
            3,
            "try.py:1: TestChildObject.TestInt",
        ),
        (
            "async def part():\n    raise ValueError('not so')\n\n"
            "kept = asyncio.create_task(part())\nawait asyncio.sleep(0)\nawait asyncio.sleep(0)\n",
            1,
            "try.py:2: in the background: ValueError: not so (--debug shows more)",
        ),
        (
            "from zb_mom_ww_mxgateway import MxGatewayError\n\nasync def lost():\n"
            "    raise MxGatewayError('lost', outcome_unknown=True)\n\nasync def wrong():\n    assert 1 == 2\n\n"
            "async with asyncio.TaskGroup() as group:\n"
            "    for each in (wrong(), lost()):\n        group.create_task(each)\n",
            6,
            "try.py:4: lost",
        ),
        (
            "from zb_mom_ww_mxgateway import MxGatewayError\n\nasync def lost():\n"
            "    raise MxGatewayError('lost', outcome_unknown=True)\n\n"
            "kept = asyncio.create_task(lost())\nawait asyncio.sleep(0)\nawait asyncio.sleep(0)\nassert 1 == 2\n",
            6,
            "try.py:4: in the background: lost",
        ),
        (
            'await mx("read No.Such Plant.Tank1.Level")\n',
            3,
            "try.py:1: No.Such NOT READ: the reference does not resolve\n",
        ),
        (
            "kept = asyncio.create_task(asyncio.sleep(60))\nkept.cancel()\nawait kept\n",
            1,
            "try.py:3: CancelledError (--debug shows more)",
        ),
    ],
)
async def test_what_a_file_ends_with(run: Runs, text: str, code: int, said: str) -> None:
    found, _, err = await run(text)
    assert found == code
    assert said in err
    assert len(err.splitlines()) <= 3


async def test_standard_output_refuses_bytes_and_shows_the_text_after_them(run: Runs) -> None:
    text = (
        "import sys\ntry:\n    sys.stdout.write(b'x')\nexcept TypeError as error:\n    print(error)\nprint('after')\n"
    )
    assert await run(text) == (0, "write() argument must be str, not bytes\nafter\n", "")


async def test_lines_that_run_at_the_same_time_register_once_and_have_their_own_places(run: Runs) -> None:
    text = f"await asyncio.gather(\n    mx('read {INT}'),\n    mx('read {INT}'),\n)\n"
    code, out, _ = await run(text)
    assert (code, out.count("registered mxgw-shell")) == (0, 1)
    done = await run(text, "--json")
    assert [(each["ok"], each["line"]) for each in done.objects] == [(True, 2), (True, 3)]


async def test_a_traceback_comes_only_with_debug_and_a_missing_file_is_reported(run: Runs) -> None:
    run.file("1 / 0\n")
    process = await run.process.start("--plaintext", "--debug", "--python", "try.py")
    _, err = await process.communicate()
    assert b"Traceback" in err
    code, _, said = await run.process("--plaintext", "--python", "nowhere.py")
    assert (code, said) == (2, "mxgw-shell: cannot read nowhere.py: No such file or directory\n")
    run.file("def part(:\n")
    done = await run.process("--plaintext", "--json", "--python", "try.py")
    assert (done.code, done.err, [each["ok"] for each in done.objects]) == (2, "", [False])
    assert done.objects[0]["error"]["message"].startswith("try.py:1:10: ")


RAW = """\
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
server, item = items[0].key
write = pb.WriteCommand(server_handle=server, item_handle=item, value=pb.MxValue(data_type=2, int32_value=5))
command = pb.MxCommand(kind=pb.MX_COMMAND_KIND_WRITE, write=write)
await client.invoke(pb.MxCommandRequest(session_id=session.session_id, command=command))
"""


@pytest.mark.parametrize("written", ["await session.write(*items[0].key, 5)", "await mx('write 1 5')", RAW])
async def test_the_guard_holds_for_python_too(run: Runs, written: str) -> None:
    code, _, err = await run(f"await mx('watch {INT} --count 1')\n{written}\n", "--read-only")
    assert (code, "started with --read-only" in err) == (5, True)
    assert not run.gateway.writes
    assert (await run(f"await mx('watch {INT} --count 1')\n{written}\n"))[0] == 0
    assert [write.value for write in run.gateway.writes] == [5]


async def test_names_come_by_var(run: Runs) -> None:
    code, out, _ = await run("print(limit + 1, tag)\n", "--var", "limit=70", "--var", "tag=A.b")
    assert (code, out) == (0, "71 A.b\n")
    code, _, err = await run("", "--var", "session=5")
    assert (code, err) == (2, "mxgw-shell: --var: session is a name of the shell itself\n")
    code, _, err = await run("", "--var", "limits=[1,")
    assert code == 2
    assert "the closing ] is missing" in err


@pytest.mark.skipif(sys.platform == "win32", reason="no signal reaches another process alone on Windows")
@pytest.mark.parametrize("busy", ["await asyncio.sleep(60)", "while True: pass", "import time; time.sleep(60)"])
async def test_ctrl_c_ends_a_file_whatever_it_is_at_and_lets_it_clean_up(run: Runs, busy: str) -> None:
    run.file(f"try:\n    print('begun', flush=True)\n    {busy}\nfinally:\n    print('cleaned up', flush=True)\n")
    process = await run.process.start("--plaintext", "--python", "try.py")
    assert process.stdout is not None
    async with asyncio.timeout(40):
        assert await process.stdout.readline() == b"begun\n"
        # Python itself overlooks a signal that comes right before it begins to sleep: a person presses again.
        while process.returncode is None:
            process.send_signal(signal.SIGINT)
            await asyncio.wait([asyncio.ensure_future(process.wait())], timeout=10)
        out, err = await process.communicate()
    assert (process.returncode, out) == (130, b"cleaned up\n")
    assert b"Traceback" not in err
    assert [session.state for session in run.gateway.sessions.values()] == ["CLOSED"]


@pytest.mark.skipif(sys.platform == "win32", reason="no signal reaches another process alone on Windows")
async def test_ctrl_c_in_a_file_says_of_a_write_under_way_that_its_outcome_is_unknown(run: Runs) -> None:
    run.gateway.faults.stall("write")
    run.file(f"await mx('read {INT}')\nawait mx('write {INT} 5')\n")
    process = await run.process.start("--plaintext", "--python", "try.py")
    await until(
        lambda: any(
            call.rpc == "Invoke"
            and call.request.HasField("command")
            and call.request.command.WhichOneof("payload") == "write"
            for call in run.gateway.calls
        )
    )
    process.send_signal(signal.SIGINT)
    await until(lambda: process.returncode is not None)
    _, err = await process.communicate()
    # Graver than the interruption: the same as of a command file.
    said = err.decode().splitlines()
    assert (process.returncode, said[0]) == (6, "interrupted; a write was sent, and its outcome is UNKNOWN")
    assert [line.partition("Z  ")[2].partition(",")[0] for line in said[1:]] == [f"{INT}   the write of 5"]


@pytest.mark.skipif(sys.platform == "win32", reason="no signal reaches another process alone on Windows")
@pytest.mark.parametrize("write", [f"mx('write {INT} 5')", "live.write_and_confirm(*item.key, 5)"])
async def test_ctrl_c_in_a_file_says_nothing_of_a_write_that_has_completed(run: Runs, write: str) -> None:
    run.file(
        "import asyncio\nserver = await session.register('try')\n"
        f"(item,) = await live.subscribe_tags(['{INT}'], server)\nawait live.first_value(item)\n"
        f"await {write}\nprint('written', flush=True)\nawait asyncio.sleep(60)\n"
    )
    process = await run.process.start("--plaintext", "--python", "try.py")
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while await process.stdout.readline() not in (b"written\n", b""):
            pass
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert (process.returncode, run.written) == (130, [5])
    assert b"UNKNOWN" not in err


# The pane.


async def test_the_stream_flows_while_python_waits_and_ctrl_c_ends_that_alone(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("watch Plant.Tank1.Level --count 1", "1 sample")
        await screen.enter("py", ">>>")
        live = sh.context.live
        assert live is not None
        screen.type("live.awaited = True; await asyncio.sleep(60)\r")
        async with asyncio.timeout(15):
            while not hasattr(live, "awaited"):
                await live.changed()
            before = live.events
            while live.events < before + 3:
                await live.changed()
        os.kill(os.getpid(), signal.SIGINT)
        await screen.shows("KeyboardInterrupt")
        await screen.enter("live.state.value + '!'", "'live!'")
        # Code that never lets the loop run can be ended as well.
        await screen.enter("import os, threading, time; n = 0", "n = 0")
        late = r'exec("def late():\n while n < 1000: time.sleep(0.01)\n os.kill(os.getpid(), 2)")'
        await screen.enter(f"{late}; threading.Thread(target=late).start()", "start()")
        screen.type("while True: n += 1\r\r")
        async with asyncio.timeout(15):
            while screen.text.count("KeyboardInterrupt") < 2:  # noqa: ASYNC110  # a screen tells nobody
                await asyncio.sleep(0.01)
        await screen.enter("import sys; sys.exit()", "demo>")
        await screen.enter("status", "1 advised")


@pytest.mark.parametrize("write", ["await mx('write {0} 5')", "await live.write_and_confirm(*items[0].key, 5)"])
async def test_ctrl_c_after_a_write_was_accepted_says_so(tmp_path: Path, write: str) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter(f"watch {INT}", "good")
        await screen.enter("py", ">>>")
        sh.gateway.faults.hold_write_completes()
        screen.type(write.format(INT) + "\r")
        live = sh.context.live
        assert live is not None
        await until(lambda: live.unsettled_writes(0.0) and not live.unsettled_writes(0.0, unanswered=True))
        os.kill(os.getpid(), signal.SIGINT)
        await screen.shows("KeyboardInterrupt", "a write was accepted, and no completion was seen: effect unknown")
        assert "UNKNOWN" not in screen.text
        await screen.enter("exit()", "demo>")


@pytest.mark.parametrize("write", ["await mx('write {0} 5')", "await session.write(*items[0].key, 5)"])
async def test_ctrl_c_while_a_write_is_under_way_says_that_its_outcome_is_unknown(tmp_path: Path, write: str) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter(f"watch {INT}", "good")
        await screen.enter("py", ">>>")
        sh.gateway.faults.stall("write")
        screen.type(write.format(INT) + "\r")
        await until(lambda: sh.gateway.mutating_calls > 0)
        os.kill(os.getpid(), signal.SIGINT)
        await screen.shows("KeyboardInterrupt", "a write was sent, and its outcome is UNKNOWN")
        sh.gateway.faults.release()
        # Of what was before it nothing is said again.
        live = sh.context.live
        screen.type("live.awaited = True; await asyncio.sleep(60)\r")
        await until(lambda: hasattr(live, "awaited"))
        os.kill(os.getpid(), signal.SIGINT)
        await until(lambda: screen.text.count("KeyboardInterrupt") == 2, lambda: screen.text)
        assert screen.text.count("UNKNOWN") == 1
        await screen.enter("exit()", "demo>")


async def test_python_at_the_prompt_starts_no_program_for_an_exclamation_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with shell(tmp_path) as sh:
        await sh.terminal.enter('!echo hi > made "x', "a shell on a plant does not start programs")
        await sh.terminal.enter("py", ">>>")
        sh.terminal.type("!echo hi > made\r")
        await until(lambda: sh.terminal.unfolded.count("does not start programs") == 2, lambda: sh.terminal.text)
        await sh.terminal.enter("exit()", "demo>")
    assert not (tmp_path / "made").exists()


async def test_ctrl_c_between_two_inputs_or_while_a_value_is_shown_does_not_leave_python(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("py", ">>>")
        os.kill(os.getpid(), signal.SIGINT)
        await screen.enter("20 + 22", "42")
        # Ctrl-C comes while Python makes the text of the value.
        await screen.enter("import os; kill = lambda self: os.kill(os.getpid(), 2) or 'shown'", "'shown'")
        await screen.enter("type('Killing', (), {'__repr__': kill})()", "KeyboardInterrupt")
        await screen.enter("40 + 3", "43")
        await screen.enter("exit()", "demo>")


async def test_a_failure_in_the_background_of_the_pane_is_one_line(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("py", ">>>")
        text = await sh.terminal.enter(
            "asyncio.create_task(asyncio.wait_for(asyncio.sleep(9), 0.01)) and None", "in the background: TimeoutError"
        )
        assert "Traceback" not in text
        assert "Press ENTER" not in text
        await sh.terminal.enter("20 + 22", "42")
        await sh.terminal.enter("exit()", "demo>")


async def test_an_error_of_a_shell_line_shows_no_frames_of_the_shell(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("py", ">>>")
        text = await sh.terminal.enter(f"await mx('write {INT} five')", "InputError: Integer expected (int32)")
        assert 'Traceback (most recent call last):\n  File "<stdin>", line 1, in <module>\nzb_mom' in text
        assert ".py" not in text
        await sh.terminal.enter("await session.register('')", "MxGatewayArgumentError")
        assert ".py" not in sh.terminal.text
        await sh.terminal.enter("{}['own']", "KeyError: 'own'")
        await sh.terminal.enter("raise BaseException('of a kind of its own')", "BaseException: of a kind of its own")
        await sh.terminal.enter("exit()", "\ndemo>")


async def test_names_and_the_last_result_go_from_one_language_to_the_other(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("let limit = 70", "limit = 70")
        await screen.enter(f"capture was = {INT}", "was = 0")
        await screen.enter("py", ">>>")
        await screen.enter("limit + was + 1", "71")
        await screen.enter("_ + 1", "72")
        await screen.enter("tag, thing = 'TestChildObject.TestBool', object()", "thing")
        await screen.enter("await mx('add-item $limit')", "item 2  70")
        await screen.enter("items[-1].tag", "'70'")
        screen.type(CTRL_D)
        await screen.shows("demo>")
        await screen.enter("write $tag true", "TestChildObject.TestBool   false → true")
        await screen.enter('echo "${limit} was $was"', "70 was 0")
        await screen.enter("echo $_", "echo $_", "70 was 0")
        await screen.enter("write $thing 5", "thing is a object: only a plain value can be used in a line")
        assert "items" not in sh.context.names


class RefusingLoop(asyncio.SelectorEventLoop):
    """As the loops on Windows: it takes no signal handlers."""

    def add_signal_handler(self, *arguments: object) -> None:  # type: ignore[override]
        raise NotImplementedError

    def remove_signal_handler(self, sig: int) -> bool:
        raise NotImplementedError


def test_prompt_and_pane_work_on_a_loop_that_takes_no_signal_handlers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Which there is none of on Windows.
    monkeypatch.delattr(signal, "SIGWINCH", raising=False)

    async def scenario() -> None:
        async with shell(tmp_path) as sh:
            screen = sh.terminal
            await screen.enter("write TestChildObject.TestInt 5", "completed")
            await screen.enter("py", ">>>")
            live = sh.context.live
            assert live is not None
            screen.type("live.awaited = True; await asyncio.sleep(60)\r")
            async with asyncio.timeout(15):
                while not hasattr(live, "awaited"):  # noqa: ASYNC110  # the pane tells nobody
                    await asyncio.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)
            await screen.shows("KeyboardInterrupt")
            await screen.enter("exit()", "demo>")
            await screen.prompted()
            screen.type("watch Plant.Tank1.Level --for 1s\r")
            await screen.shows(" sample")
        assert sh.exit_code == 0

    with asyncio.Runner(loop_factory=RefusingLoop) as runner:
        runner.run(scenario())


@pytest.mark.parametrize("columns", [110, 40])
async def test_the_pane_opens_with_two_lines_of_what_is_there(tmp_path: Path, columns: int) -> None:
    async with shell(tmp_path, columns=columns) as sh:
        screen = sh.terminal
        await screen.enter("let limit = 80", "limit = 80")
        await screen.enter("py", ">>>")
        await screen.shows("Python on this session: live, session, client, items, asyncio, _, and limit")
        await screen.shows('await mx("read TAG") runs a line of the shell; live["TAG"] has', "exit() goes back")
        rows = screen.text.partition("Python on")[2].partition(">>>")[0].rstrip().split("\n")
        assert (len(rows), max(map(len, rows)) <= columns) == (2 if columns == 110 else 5, True)


async def test_a_line_that_reads_gives_python_code_readings_with_their_quality(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        sh.gateway.set(INT, 4710)
        await screen.enter("py", ">>>")
        await screen.enter(f'number = await mx("read {INT}")', f"{INT}  4710")
        await screen.enter("number.value + 1, number.quality, number.quality_word", "(4711, 192, 'good')")
        await screen.enter(f'seen = await mx("watch {INT} --count 1")', "1 sample")
        await screen.enter("seen[0].value + 2, seen[0].quality", "(4712, 192)")
        await screen.enter(f'past = await mx("history {INT}")', "1 change seen since")
        await screen.enter("past[-1].value + 3, past[-1].quality", "(4713, 192)")
        sh.gateway.set(INT, 4709, quality=0)
        await screen.enter(f'doubt = await mx("read {INT} --fresh")', "bad")
        await screen.enter(f'[each.tag for each in await mx("read {INT} --bad")]', f"\n['{INT}']")
        await screen.enter(f'[each.tag for each in await mx("read {INT[:-1]}?")]', f"\n['{INT}']")
        await screen.enter("exit()", "demo>")
        await screen.enter("echo $number", "\n4710\n")
        await screen.enter("echo $doubt", "doubt is bad; doubt.value in Python is its value alone")
