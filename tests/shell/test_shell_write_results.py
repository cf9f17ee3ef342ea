"""A write has one of five results, with one word in JSON and one exit code, whatever it was asked for with."""

from pathlib import Path

import pytest
from documents import text_of
from shell_lines import SIMULATED, follow, run
from shell_process import ShellProcess

from zb_mom_ww_mxgateway import WriteOutcome, WriteResult
from zb_mom_ww_mxgateway.errors import (
    MxAccessError,
    MxGatewayArgumentError,
    MxGatewayAuthorizationError,
    MxGatewayTransportError,
    MxGatewayWaitError,
    MxGatewayWorkerError,
    MxGatewayWriteBlockedError,
)
from zb_mom_ww_mxgateway.safety.journal import Journal
from zb_mom_ww_mxgateway.safety.journal_actions import actions, lines_back
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_console.render.write_results import WriteVerdict, verdict_of, verdict_of_error
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, DOUBLE, LEVEL = "TestChildObject.TestInt", "TestChildObject.TestDouble", "Plant.Tank1.Level"


def test_the_table_has_one_exit_code_for_each_word() -> None:
    assert {verdict.word: verdict.exit_code for verdict in WriteVerdict} == {
        "refused_here": 5,
        "refused_there": 3,
        "completed": 0,
        "verified": 0,
        "unknown": 6,
        "not_verified": 1,
        "accepted": 0,
    }
    for page in ("docs/operating.md", "docs/mxgw-py.md"):
        assert [verdict.word for verdict in WriteVerdict if f"`{verdict.word}`" not in text_of(page)] == [], page


@pytest.mark.parametrize(
    ("outcome", "is_as_written", "verdict"),
    [
        (WriteOutcome.COMPLETED, None, WriteVerdict.COMPLETED),
        (WriteOutcome.COMPLETED, True, WriteVerdict.VERIFIED),
        (WriteOutcome.COMPLETED, False, WriteVerdict.NOT_VERIFIED),
        (WriteOutcome.REFUSED, None, WriteVerdict.REFUSED_THERE),
        # A value that is there does not say whose it is.
        (WriteOutcome.ACCEPTED, None, WriteVerdict.UNKNOWN),
        (WriteOutcome.ACCEPTED, True, WriteVerdict.UNKNOWN),
        (WriteOutcome.UNKNOWN, True, WriteVerdict.UNKNOWN),
        (WriteOutcome.UNKNOWN, False, WriteVerdict.UNKNOWN),
    ],
)
def test_a_write_that_was_sent_has_a_result(
    outcome: WriteOutcome, is_as_written: bool | None, verdict: WriteVerdict
) -> None:
    assert verdict_of(WriteResult(outcome), is_as_written) is verdict


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (MxGatewayWriteBlockedError("blocked locally"), WriteVerdict.REFUSED_HERE),
        (MxAccessError("no"), WriteVerdict.REFUSED_THERE),
        (MxGatewayAuthorizationError("no scope", grpc_code="PERMISSION_DENIED"), WriteVerdict.REFUSED_THERE),
        (MxGatewayWorkerError("late", outcome_unknown=True), WriteVerdict.UNKNOWN),
        (MxGatewayTransportError("broken", outcome_unknown=True), WriteVerdict.UNKNOWN),
        # Nothing was sent, and nobody refused it.
        (MxGatewayTransportError("no connection", grpc_code="UNAVAILABLE"), None),
        (MxGatewayArgumentError("no value"), None),
        (MxGatewayWaitError("no first value"), None),
        (ValueError("no"), None),
    ],
)
def test_an_error_is_a_result_where_somebody_refused_or_something_was_sent(
    error: Exception, verdict: WriteVerdict | None
) -> None:
    assert verdict_of_error(error) is verdict


async def test_each_line_has_its_result_and_exit_code(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0.0) as gateway:
        shell = ShellProcess(tmp_path).on(gateway)
        rows = f"tag,value,type\n{INT},6,\n{DOUBLE},no number,string\n"
        (tmp_path / "rows.csv").write_text(rows, encoding="utf-8")

        async def result_of(line: str, *before: str) -> tuple[int, object]:
            given = [word for each in (*before, line) for word in ("-e", each)]
            done = await shell("--plaintext", "--json", *given)
            last = done.objects[-1]
            found = last.get("result", last.get("error"))
            return done.code, [row["result"] for row in found] if isinstance(found, list) else found.get("result")

        assert await result_of(f"write {INT} 5") == (ExitCode.DONE, "completed")
        assert await result_of(f"write {LEVEL} 5") == (ExitCode.REFUSED, "refused_there")
        assert await result_of(f"write {INT} 5", "disarm") == (ExitCode.GUARDED, "refused_here")
        assert await result_of("write-elements TestChildObject.TestIntArray 10 0=5") == (
            ExitCode.GUARDED,
            "refused_here",
        )
        assert await result_of("write-many rows.csv") == (ExitCode.REFUSED, ["completed", "refused_there"])
        assert await result_of("ack ZB!Plant.No.Such") == (ExitCode.REFUSED, ["refused_there"])
        assert await result_of("write No.Such.Tag 5") == (ExitCode.USAGE, None)
        gateway.faults.lose_next_reply("write")
        assert await result_of(f"write {INT} 7") == (ExitCode.UNKNOWN, "unknown")
        gateway.faults.lose_next_reply("write")
        line = 'call write {"server_handle": 1, "item_handle": 1, "value": {"int32_value": 7}}'
        assert await result_of(line, f"watch {INT} --count 1") == (ExitCode.UNKNOWN, "unknown")
        assert await result_of(f"write {DOUBLE} 1.1 --verify") == (ExitCode.DONE, "verified")
        # A valve needs time to travel.
        line = "write Plant.Tank1.Inlet.Position 100 --verify within 100ms"
        assert await result_of(line) == (ExitCode.NOT_MET, "not_verified")
        gateway.faults.hold_write_completes()
        assert await result_of(f"write {INT} 8 --timeout 200ms") == (ExitCode.UNKNOWN, "unknown")


async def test_the_journal_gets_what_was_seen_why_it_was_written_and_by_which_line(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "plant", terms=SIMULATED)
        (tmp_path / "rows.csv").write_text(f"tag,value\n{INT},6\n", encoding="utf-8")
        lines = {
            f'write {DOUBLE} 1.1 --verify --reason "trim"': "verified",
            'write Plant.Tank1.Inlet.Position 100 --verify within 100ms --reason "open it"': "not_verified",
            f'write-many {tmp_path / "rows.csv"} --reason "recipe 7"': "completed",
        }
        context.assume_yes = True
        try:
            for line in lines:
                await run(context, line, follow)
            journal = context.connected.desk.records.journal
            assert isinstance(journal, Journal)
            await journal.drained()
            (written,) = lines_back(journal.folder)
            found = [each for each in actions(written) if each.kind == "action"]
        finally:
            await context.disconnect()
    assert [(each.command, each.result) for each in found] == list(lines.items())
    assert [each.reason for each in found] == ["trim", "open it", "recipe 7"]


async def test_the_limits_file_gives_the_tolerance_of_a_verification(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0.0) as gateway:
        shell = ShellProcess(tmp_path).on(gateway)
        (tmp_path / "limits.toml").write_text(
            'unlisted = "allow"\n[tags."Plant.Tank1.Inlet.*"]\nwritable = true\ntolerance = 100.0\n', encoding="utf-8"
        )
        line = "write Plant.Tank1.Inlet.Position 100 --verify within 30s"
        done = await shell("--plaintext", "--limits", "limits.toml", "--json", "-e", line)
        (written,) = done.objects
        assert (done.code, written["result"]["result"]) == (ExitCode.DONE, "verified")
        assert written["result"]["verified"]["tolerance"] == 100.0
