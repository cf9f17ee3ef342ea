"""read, history and record: what was seen, whole, with everything that is missing or in doubt."""

import asyncio
import csv
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from shell_lines import SIMULATED, follow, run
from shell_process import ShellProcess
from shell_terminal import CTRL_D, Shell, shell
from shell_waiting import until

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.output.tag_history import TagHistory
from zb_mom_ww_mxgateway_shell.samples.history import History
from zb_mom_ww_mxgateway_shell.samples.interval_series import IntervalSeries
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, STRING = "TestChildObject.TestInt", "TestChildObject.TestString"


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def recorded(path: Path, *kinds: str) -> list[dict[str, str]]:
    """The rows of a CSV file, once there is one of each kind."""
    await until(lambda: {row.get("kind") for row in csv_rows(path)} >= set(kinds))
    return csv_rows(path)


async def received(sh: Shell, count: int) -> None:
    live = sh.context.live_session
    async with asyncio.timeout(15):
        while live.events < count:
            await live.changed()


def read_bulks(sh: Shell) -> int:
    """The number of reads, without those of units and descriptions."""
    commands = [call.request.command for call in sh.gateway.calls if isinstance(call.request, pb.MxCommandRequest)]
    reads = [each.read_bulk.tag_addresses for each in commands if each.kind == pb.MX_COMMAND_KIND_READ_BULK]
    return sum(not all(tag.endswith((".Description", ".ShortDesc", ".EngUnits")) for tag in tags) for tags in reads)


def lose_events(sh: Shell, *values: int) -> None:
    """The stream breaks, and what happens meanwhile is not kept by the gateway."""
    sh.gateway.faults.drop_streams()
    for value in values:
        sh.gateway.set(INT, value)
    sh.gateway.faults.evict_replay(sh.context.live_session.session.session_id)


# read.


async def test_read_answers_warm_tags_at_once_with_their_age_and_the_others_from_the_gateway(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(f"watch {INT} --count 1", "1 sample")
        await sh.terminal.enter(f"read {INT} TestChildObject.TestDouble", "cached", "gateway")
        assert read_bulks(sh) == 1
        line = next(line for line in sh.terminal.text.split("\n") if "  cached" in line)
        assert line.split()[:3] == [INT, "0", "good"]
        sh.terminal.type(f"read {INT} --fresh\r")
        await until(lambda: read_bulks(sh) >= 2)


async def test_read_says_what_could_not_be_read_and_what_is_stale(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.context.catalogue.loaded(10)
        sh.context.catalogue.is_complete = False
        await sh.terminal.enter("read No.Such", "NOT READ", "does not resolve")
        await sh.terminal.enter(f"watch {INT} --count 1", "1 sample")
        sh.gateway.faults.stall("OpenSession")
        sh.gateway.faults.lose_session(sh.context.live_session.session.session_id)
        await sh.terminal.shows("demo:rebuilding>")
        await sh.terminal.enter(f"read {INT}", "stale for")
        sh.gateway.faults.release("OpenSession")


# history.


async def test_history_shows_every_change_and_the_gap_between_them(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(f"history {INT}", "no samples of")
        await sh.terminal.enter(f"watch {INT} --count 1", "1 sample")
        sh.gateway.set(INT, 11)
        sh.gateway.set(INT, 12, quality=0)
        await received(sh, 3)
        lose_events(sh, 13, 14)
        await sh.terminal.shows("GAP", "event stream resumed")
        sh.gateway.set(INT, 15)
        await received(sh, 5)
        text = await sh.terminal.enter(f"history {INT}", "changes seen since", "kept: the newest 64 MB")
        table = text[text.rindex("time ") :]
        for shown in (" 11 ", " 12 ", " bad", "event stream lost", "GAP", "15"):
            assert shown in table
        assert " 13 " not in table
        await sh.terminal.enter(f"history {INT} --count 1", "1 of ")


async def test_status_says_what_is_recorded_watched_and_copied(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        path, copy = tmp_path / "a.csv", tmp_path / "a.log"
        text = await sh.terminal.enter("status", "items       0, 0 advised\n")
        assert "recording " not in text
        await sh.terminal.enter(f"watch {INT}", "good")
        await sh.terminal.enter(f"record {path}", "recording everything")
        await sh.terminal.enter(f"tee {copy}", "copying to")
        await sh.terminal.enter(
            "status", "1, 1 advised, 1 watched", "recording   /", "a.csv, ", " sample", "copy        to /"
        )
        await sh.terminal.enter("record stop", "closed")
        sh.context.spool.stop()


async def test_record_stop_shows_no_number_where_it_is_unknown_how_many_were_lost(tmp_path: Path) -> None:
    async with shell(tmp_path, columns=200) as sh:
        path = tmp_path / "a.csv"
        await sh.terminal.enter(f"watch {INT} --count 1", "1 sample")
        await sh.terminal.enter(f"record {path}", "recording everything")
        sh.gateway.faults.lose_session(sh.context.live_session.session.session_id)
        await sh.terminal.shows("has taken its place")
        await recorded(path, "gap")
        (recording,) = sh.context.connected.recording
        text = await sh.terminal.enter("record stop", "closed")
        cells = next(line for line in text.splitlines() if " closed " in line).split()
        assert cells[3] == "unknown"
        assert (recording.lost, recording.lost_is_known) == (0, False)
        assert ", more may be lost" in path.read_text(encoding="utf-8").splitlines()[-1]


async def test_the_time_in_which_an_item_is_suspended_shows_in_history_trend_and_record_and_only_its_own(
    tmp_path: Path,
) -> None:
    async with shell(tmp_path) as sh:
        path = tmp_path / "all.csv"
        await sh.terminal.enter(f"watch {INT} {STRING} TestChildObject.TestDouble --count 1", "1 sample")
        await sh.terminal.enter(f"record {path}", "recording everything")
        item, _, other = sh.context.items
        await sh.context.session.suspend(*item.key)
        (start, *_, row) = await recorded(path, "start", "held", "stale")
        assert start["tag"] == ""
        assert (row["kind"], row["tag"], row["item_handle"], row["quality"]) == ("stale", INT, "1", "")
        assert row["note"] == f"{INT} suspended: nothing is reported of it"
        # A stream that is back says nothing of an item that reports nothing.
        sh.gateway.faults.drop_streams()
        await sh.terminal.shows("event stream resumed")
        await sh.terminal.enter(f"trend {INT} --for 100ms", "suspended for", "~ stale")
        await sh.context.session.activate(*item.key)
        sh.gateway.set(INT, 11)
        await recorded(path, "sample")
        await sh.terminal.enter(f"history {INT}", f"{INT} suspended: nothing", f"{INT} no longer suspended")
        history = sh.context.connected.history

        def moods(key: tuple[int, int]) -> list[str]:
            return [interval.mood for interval in IntervalSeries(history, key).since(0.0, time.monotonic())]

        assert [mood for mood, _ in itertools.groupby(moods(item.key))] == ["good", "stale", "good"]
        await sh.terminal.enter(f"history {STRING}", "1 change seen")
        assert not any(mark.key for mark in history.of(other.key).marks)
        kinds = {"held", "stale", "live", "sample"}
        await until(lambda: {row["kind"] for row in csv_rows(path) if row["tag"] == INT} == kinds)


async def test_history_keeps_to_its_bound_and_says_what_it_let_go(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "demo", terms=SIMULATED)
        try:
            await run(context, f"watch {INT} {STRING} --count 2", follow)
            live = context.live_session
            small = History(live, limit=20_000)
            for number in range(1, 201):
                gateway.set(INT, number)
            gateway.set(STRING, "rare")
            async with asyncio.timeout(15):
                while live[STRING].value != "rare":
                    await live.changed()
            often, rarely = (context.find_item(tag) for tag in (INT, STRING))
            assert often is not None
            assert rarely is not None
            seen = small.of(often.key)
            assert 10 < len(seen.events) < 63
            assert len(seen.events) + seen.forgotten == 200
            assert seen.events[-1].value == 200
            assert f", {seen.forgotten} older ones were dropped (kept: " in TagHistory(INT, seen, []).lines()[-1]
            assert [event.value for event in small.of(rarely.key).events] == ["rare"]
            await small.aclose()
        finally:
            await context.disconnect()


# record.


async def test_two_recordings_at_once_hold_every_sample_and_are_stopped_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter(f"record one.csv {INT}", "recording 1 tag to one.csv")
        await screen.enter(f"watch {STRING} --count 1", "1 sample")
        await screen.enter("record all.jsonl", "everything that is advised")
        for number in range(1, 301):
            sh.gateway.set(INT, number)
        sh.gateway.set(STRING, 'a "quoted"\nline')
        await received(sh, 303)
        await screen.enter("record", "one.csv", "all.jsonl", "recording")
        await screen.enter("record stop one.csv", "closed")
        await screen.enter("record stop", "all.jsonl")
        await screen.enter("record", "nothing is recorded")
    rows = csv_rows(tmp_path / "one.csv")
    assert [row["kind"] for row in rows] == ["start", "held", *["sample"] * 300, "stop"]
    assert [int(row["value"]) for row in rows[2:-1]] == list(range(1, 301))
    assert {(row["tag"], row["quality_word"]) for row in rows[1:-1]} == {(INT, "good")}
    objects = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [each["value"] for each in objects if each["kind"] == "sample" and each["tag"] == INT] == list(range(1, 301))
    assert [each["value"] for each in objects if each["kind"] == "sample"][-1] == 'a "quoted"\nline'
    assert objects[-1]["kind"] == "stop"


async def test_a_gap_is_a_row_and_so_is_what_was_read_again_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(f"record tank.csv {INT}", "recording 1 tag")
        lose_events(sh, 13, 14)
        rows = await recorded(tmp_path / "tank.csv", "stale", "gap", "live", "read")
        assert [row["value"] for row in rows if row["kind"] == "read"] == ["14"]
        assert "how many is unknown" in next(row["note"] for row in rows if row["kind"] == "gap")
        sh.gateway.set(INT, 15)
        rows = await recorded(tmp_path / "tank.csv", "sample")
        assert [row["note"] for row in rows if row["kind"] == "gap"][-1].startswith("GAP 2 events lost (sequence ")
        await sh.terminal.enter("record", "tank.csv", "2     1")


async def test_a_value_that_still_holds_after_a_gap_is_a_row_although_it_was_stale_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    at = datetime(2026, 1, 5, 6, tzinfo=UTC)
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(f"record tank.csv {INT}", "recording 1 tag")
        sh.gateway.set(INT, 12, timestamp=at)
        await recorded(tmp_path / "tank.csv", "sample")
        sh.gateway.faults.drop_streams()
        sh.gateway.set(INT, 13)
        sh.gateway.set(INT, 12, timestamp=at)
        sh.gateway.faults.evict_replay(sh.context.live_session.session.session_id)
        rows = await recorded(tmp_path / "tank.csv", "stale", "gap", "live", "read")
    assert [row["value"] for row in rows if row["kind"] in ("sample", "read")] == ["12", "12"]


async def test_what_a_dead_connection_brought_is_in_doubt_since_it_was_last_heard_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._HEARTBEAT", 0.2)
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANSWER_TIMEOUT", 0.5)
    async with shell(tmp_path) as sh:

        def pings() -> int:
            sent = [call.request for call in sh.gateway.calls if isinstance(call.request, pb.MxCommandRequest)]
            return sum(request.command.kind == pb.MX_COMMAND_KIND_PING for request in sent)

        sh.gateway.faults.drop_streams()  # the listening starts anew
        await sh.terminal.shows("event stream resumed")
        await sh.terminal.enter(f"record tank.csv {INT}", "recording 1 tag")
        sh.gateway.faults.stall("ping")
        asked = pings()
        await until(lambda: pings() != asked)
        silent_from = datetime.now(UTC)
        rows = await recorded(tmp_path / "tank.csv", "stale")
        stale = next(row for row in rows if row["kind"] == "stale")
        assert datetime.fromisoformat(stale["received"]) <= silent_from
        sh.gateway.faults.release("ping")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is what this takes")
async def test_a_full_disk_is_said_at_once_and_the_session_goes_on(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        sh.terminal.type("writ")
        await sh.terminal.shows("demo> writ")
        sh.terminal.type("\x15")
        await sh.terminal.enter(
            f"record /dev/full {INT} --format csv --append", "RECORDING /dev/full ENDED", "No space left on device"
        )
        await sh.terminal.enter("record", "No space left on device  0        0     1\ndemo>")
        await sh.terminal.enter(f"write {INT} 5", "completed")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is what this takes")
@pytest.mark.parametrize(("target", "code"), [("/dev/full", 1), ("there.csv", 0)])
@pytest.mark.parametrize("stops", [True, False])
async def test_a_run_whose_recording_could_not_be_written_does_not_end_well(
    tmp_path: Path, target: str, code: int, stops: bool
) -> None:
    line = f"record {target} {INT} --format csv --append"
    done = await ShellProcess(tmp_path)("--demo", "-e", line, *(["-e", "record stop"] if stops else []))
    assert done.code == code
    assert ("RECORDING /dev/full ENDED" in done.err) is bool(code)


async def test_a_file_that_is_there_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.csv").write_text("mine\n", encoding="utf-8")
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("record old.csv", "is there already: --append adds to it")
        await sh.terminal.enter("record no/such/folder.csv", "cannot write", "No such file")
        await sh.terminal.enter("record old", "is unknown: name it")
        await sh.terminal.enter("record old.csv --append", "is not a CSV recording that can be continued")
        assert (tmp_path / "old.csv").read_text(encoding="utf-8") == "mine\n"
        for _ in range(2):
            await sh.terminal.enter("record new.csv --append", "everything that is advised")
            await sh.terminal.enter("record stop", "closed")
        # The screen may still show the first of the two.
        await until(lambda: (tmp_path / "new.csv").read_text(encoding="utf-8").count("\n") == 5)
    lines = (tmp_path / "new.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines] == ["kind", *["start", "stop"] * 2]


async def test_leaving_the_prompt_closes_the_files_properly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(f"record tank.jsonl {INT}", "recording 1 tag")
        sh.gateway.set(INT, 7)
        await received(sh, 2)
        sh.terminal.type(CTRL_D)
        await sh.terminal.shows("closing tank.jsonl")
    await sh.terminal.shows("tank.jsonl closed: 1 sample")
    objects = [json.loads(line) for line in (tmp_path / "tank.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [each["kind"] for each in objects] == ["start", "held", "sample", "stop"]
    assert objects[2]["value"] == 7


async def test_the_end_of_a_script_closes_the_files_properly(tmp_path: Path, gateway: SimulatedGateway) -> None:
    process = ShellProcess(tmp_path).on(gateway)
    process.environment["MXGATEWAY_PLAINTEXT"] = "1"
    done = await process(
        "--plaintext", "-e", f"record t.csv {INT}", "-e", f"write {INT} 5", "-e", f"watch {INT} --for 300ms"
    )
    assert done.code == 0, done.err
    rows = csv_rows(tmp_path / "t.csv")
    assert [row["kind"] for row in rows] == ["start", "held", "sample", "stop"]
    assert rows[2]["value"] == "5"


@contextmanager
def busy_gateway() -> Iterator[str]:
    """The endpoint of a gateway in a process of its own: 100 tags, each changing ten times a second."""
    command = [sys.executable, "-m", "zb_mom_ww_mxgateway_sim", "--plaintext", "--no-api-key"]
    command += ["--generated-tags", "100", "--change-period", "0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["endpoint"]
        finally:
            process.terminate()


async def test_a_blocked_loop_loses_no_row(tmp_path: Path) -> None:
    with busy_gateway() as endpoint:
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=endpoint, plaintext=True), "busy", terms=SIMULATED)
        try:
            path = tmp_path / "all.csv"
            await run(context, f"record {path} Area001.*", follow)
            time.sleep(1.5)  # noqa: ASYNC251  # what is tried
            live = context.live_session
            blocked_until = live.events
            async with asyncio.timeout(30):
                while live.events < blocked_until + 1500:
                    await live.changed()
            last = live.last_worker_sequence
            await run(context, "record stop", follow)
        finally:
            await context.disconnect()
    rows = csv_rows(path)
    sequences = [int(row["worker_sequence"]) for row in rows if row["kind"] == "sample"]
    assert sequences == list(range(sequences[0], sequences[-1] + 1))
    assert sequences[-1] >= last
    assert {row["kind"] for row in rows} == {"start", "held", "sample", "stop"}


async def test_what_comes_faster_than_it_can_be_kept_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway_shell.samples.recorder.WAITING", 10)
    async with shell(tmp_path) as sh:
        path = tmp_path / "t.csv"
        await sh.terminal.enter(f"record {path} {INT}", "recording 1 tag")
        live = sh.context.live_session
        event = next(iter(sh.context.connected.history.of(sh.context.items[0].key).events))
        for _ in range(30):
            event.worker_sequence = live.last_worker_sequence + 1
            live._hub.take(event)
        rows = await recorded(path, "dropped")
        assert next(row["lost"] for row in rows if row["kind"] == "dropped") == "20"
        await sh.terminal.enter("record", "20")


async def test_record_in_a_file_needs_no_screen_and_says_mistakes(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "demo", terms=SIMULATED)
        try:
            with pytest.raises(ShellError, match="is not being recorded; record lists what is"):
                await run(context, f"record stop {INT}", follow)
        finally:
            await context.disconnect()
