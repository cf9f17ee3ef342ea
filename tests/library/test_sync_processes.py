"""The synchronous interface in programs: Ctrl-C, the end of the interpreter, a fork, a notebook."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.sync.sent_writes import SentWrites
from zb_mom_ww_mxgateway_testing import MxgwSimulator

SETPOINT = "Plant.Tank1.LevelSP"
BEGIN = """
import os, signal, sys, threading
from zb_mom_ww_mxgateway.sync import connect
plant = connect(sys.argv[1], plaintext=True)
"""
# Prints which commands the gateway has answered.
ANSWERS = """
class Answers:
    def sending(self, request):
        pass

    def answered(self, request, reply):
        print("answered:", request.command.WhichOneof("payload"), flush=True)

    failed = answered

plant.client.observe(Answers())
"""
Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start(mxgw_simulator: MxgwSimulator) -> Iterator[Start]:
    """Starts a program that has a session, as ``plant``."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-X", "dev", "-c", BEGIN + program, mxgw_simulator.endpoint]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def ended(process: "subprocess.Popen[str]", code: int = 0) -> str:
    """What it prints until its end."""
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, out + err
    assert "never awaited" not in err
    # asyncio's debug mode tells what took longer than 100 ms, which a busy machine makes of anything.
    return "".join(line for line in (out + err).splitlines(keepends=True) if not line.startswith("Executing <"))


def until(condition: Callable[[], object]) -> None:
    """Wait for what gives no sign of its own."""
    turn = threading.Event()
    for _ in range(5_000):
        if condition():
            return
        turn.wait(0.01)
    raise AssertionError("it did not come")


def until_accepted(process: "subprocess.Popen[str]") -> None:
    """Wait until a program with ANSWERS has the answer to its write: before that the write is only sent."""
    assert process.stdout is not None
    while process.stdout.readline() != "answered: write\n":
        assert process.poll() is None


posix = pytest.mark.skipif(sys.platform == "win32", reason="a test of Windows cannot send Ctrl-C to one process")


@posix
def test_ctrl_c_during_a_write_that_was_accepted_says_so(start: Start, mxgw_simulator: MxgwSimulator) -> None:
    mxgw_simulator.faults.hold_write_completes()
    process = start(f"""
{ANSWERS}try:
    plant.write("{SETPOINT}", 61.0)
except KeyboardInterrupt as error:
    print(error.__notes__)
print(plant.read(["{SETPOINT}"])[0].value)
""")
    until_accepted(process)
    process.send_signal(signal.SIGINT)
    said = ended(process)
    assert "['write was interrupted after a write was accepted: effect unknown; nothing is sent again']" in said
    assert "61.0" in said  # the session goes on
    assert len(mxgw_simulator.writes) == 1


@posix
def test_ctrl_c_during_an_acknowledgement_says_that_it_was_sent(start: Start, mxgw_simulator: MxgwSimulator) -> None:
    mxgw_simulator.faults.stall("AcknowledgeAlarm")
    process = start("""
try:
    plant.run(plant.client.acknowledge_alarm("Galaxy!Area.Tank1.Level.Hi"))
except KeyboardInterrupt as error:
    print(error.__notes__)
""")
    until(lambda: any(call.rpc == "AcknowledgeAlarm" for call in mxgw_simulator.calls))
    process.send_signal(signal.SIGINT)
    assert "['run was interrupted after a write was sent: outcome unknown; nothing is sent again']" in ended(process)


def test_an_acknowledgement_that_was_made_is_in_no_doubt() -> None:
    sent, request = SentWrites(), wire.acknowledge_alarm_request("Galaxy!Area.Tank1.Level.Hi", "", "", "one")
    sent.sending(request)
    assert sent.note() == "a write was sent: outcome unknown"
    made = pb.ProtocolStatus(code=pb.PROTOCOL_STATUS_CODE_OK)
    sent.answered(request, pb.AcknowledgeAlarmReply(protocol_status=made))
    assert sent.note() == ""


@posix
def test_a_second_ctrl_c_does_not_wait_for_the_cancelled_call(start: Start, mxgw_simulator: MxgwSimulator) -> None:
    mxgw_simulator.faults.hold_write_completes()
    process = start(f"""
import asyncio
{ANSWERS}
async def write():
    try:
        await plant.live.write("{SETPOINT}", 61.0)
    finally:
        print("cancelled", flush=True)
        await asyncio.sleep(600)

try:
    plant.run(write())
except KeyboardInterrupt as error:
    print(error.__notes__)
os._exit(0)
""")
    until_accepted(process)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    assert process.stdout.readline() == "cancelled\n"
    process.send_signal(signal.SIGINT)
    assert "['run was interrupted after a write was accepted: effect unknown" in ended(process)


@posix
def test_ctrl_c_during_a_wait_cancels_the_call(start: Start, mxgw_simulator: MxgwSimulator) -> None:
    process = start(f"""
print(plant.read(["{SETPOINT}"])[0].quality_word, flush=True)
plant.wait_for("{SETPOINT}", lambda value: print("waits", flush=True), timeout=600)
""")
    assert process.stdout is not None
    while "waits" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    said = ended(process, -signal.SIGINT)
    assert "KeyboardInterrupt" in said
    assert "outcome unknown" not in said
    assert mxgw_simulator.live_sessions == []  # closed by the end of the interpreter


@posix
def test_ctrl_c_is_heard_where_another_thread_takes_the_signal(start: Start) -> None:
    process = start(f"""
def met(value):
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)

plant.wait_for("{SETPOINT}", met, timeout=600)
""")
    assert "KeyboardInterrupt" in ended(process, -signal.SIGINT)


def test_the_end_of_a_program_closes_its_session(start: Start, mxgw_simulator: MxgwSimulator) -> None:
    said = ended(start(f"""
plant.subscribe("{SETPOINT}", lambda value: None)
threading.Thread(target=lambda: plant.wait_for("{SETPOINT}", lambda value: False, timeout=600), daemon=True).start()
sys.exit(3)
"""), 3)  # fmt: skip
    assert said == ""
    assert mxgw_simulator.live_sessions == []


def test_a_gateway_that_does_not_answer_does_not_hold_up_the_end(start: Start, mxgw_simulator: MxgwSimulator) -> None:
    process = start('print("connected", flush=True)\nsys.stdin.readline()')
    assert process.stdout is not None
    assert process.stdout.readline() == "connected\n"
    mxgw_simulator.faults.stall("CloseSession")
    ended(process)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_can_neither_use_the_session_nor_connect(start: Start, mxgw_simulator: MxgwSimulator) -> None:
    process = start(f"""
child = os.fork()
if child == 0:
    for work in (lambda: plant.read(["{SETPOINT}"]), lambda: connect(sys.argv[1], plaintext=True)):
        try:
            work()
        except Exception as error:
            print(error, flush=True)
    plant.close()
    del plant
    sys.exit(0)
print(os.waitpid(child, 0)[1], plant.read(["{SETPOINT}"])[0].quality_word)
""")
    said = ended(process)
    assert f"the session belongs to process {process.pid}, from which this one was forked: start processes with" in said
    assert f"process {process.pid}, from which this one was forked, had connected before, and gRPC does not" in said
    assert "\n0 good\n" in said


def test_it_works_in_a_notebook(mxgw_simulator: MxgwSimulator, tmp_path: Path) -> None:
    import nbclient
    import nbformat

    cells = [
        "import asyncio\nasyncio.get_running_loop().is_running()",
        f"from zb_mom_ww_mxgateway.sync import connect\n"
        f"plant = connect('{mxgw_simulator.endpoint}', plaintext=True)\n"
        f"values = []\n"
        f"plant.subscribe('{SETPOINT}', lambda value: values.append(value.value))",
        f"plant.write('{SETPOINT}', 61.0).outcome.value",
        f"plant.wait_for('{SETPOINT}', lambda value: value == 61.0, timeout=30).value",
        "plant.close()",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(
        book, timeout=60, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    shown = [output["data"]["text/plain"] for cell in book.cells for output in cell.outputs]
    assert shown[0] == "True"
    assert "SyncSubscription" in shown[1]
    assert shown[2:] == ["'completed'", "61.0"]
    assert mxgw_simulator.live_sessions == []
