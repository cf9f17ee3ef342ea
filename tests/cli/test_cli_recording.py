"""``stream-events --output FILE``: every event in a recording, counts at the end, a stream that is never held up."""

import signal
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

import grpc
import pytest
from cli_process import Drive, Open, Run, Start, ended, until

from zb_mom_ww_mxgateway import (
    EventFamily,
    EventHeader,
    MxEvent,
    MxGatewayArgumentError,
    ReplayGap,
    read_recording,
)
from zb_mom_ww_mxgateway.recordings.parts import parts_folder
from zb_mom_ww_mxgateway_cli.commands.recorded_stream import EventRecorder
from zb_mom_ww_mxgateway_console.recordings.recording_file import RecordingFile
from zb_mom_ww_mxgateway_console.recordings.row_text import Row
from zb_mom_ww_mxgateway_console.render.forms import ExpectationNotMet
from zb_mom_ww_mxgateway_console.render.report import Report
from zb_mom_ww_mxgateway_sim import SimulatedGateway

ITEM = "TestChildObject.TestInt"


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
async def test_events_are_rows_and_counted(
    gateway: SimulatedGateway, opened: Open, start: Start, tmp_path: Path, form: str
) -> None:
    path = tmp_path / f"events.{form}"
    process = await start(*opened.stream, "--output", str(path), "--count", "4")
    await until(lambda: gateway.open_streams)
    gateway.set(ITEM, 7)
    gateway.set(ITEM, 8, quality=0)
    await opened.session.write(opened.server, opened.item, 5)
    ran = await ended(process)
    assert (ran.code, ran.out, ran.err) == (0, f"{path}: 3 samples\n", "")
    first, *rows, last = read_recording(path)
    assert (first.kind, last.kind, last.note) == ("start", "stop", "stopped: 3 samples")
    samples = [
        (row.value, row.quality_word, row.worker_sequence, row.item_handle) for row in rows if row.kind == "sample"
    ]
    assert {row.tag for row in rows} == {None}
    assert samples == [(7, "good", 2, 1), (8, "bad", 3, 1), (5, "good", 5, 1)]
    (other,) = [row for row in rows if row.kind == "event"]
    assert (other.note, other.quality, other.value, other.item_handle) == ("ON_WRITE_COMPLETE", None, None, 1)


async def test_a_gap_is_a_row_and_the_counts_are_json(
    gateway: SimulatedGateway, opened: Open, mxgw_py: Run, tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    for value in (1, 2, 3):
        gateway.set(ITEM, value)
    gateway.faults.evict_replay(opened.session.session_id)
    ran = await mxgw_py(*opened.stream, "--after", "2", "--count", "1", "--output", str(path), "--json")
    assert ran.code == 0
    (counts,) = ran.json
    assert counts.pop("milliseconds") > 0
    assert counts == {
        "dropped": 0,
        "file": str(path),
        "gaps": 1,
        "lost": 0,
        "lost_is_known": False,
        "ok": True,
        "samples": 0,
        "session_id": opened.session.session_id,
    }
    assert [row.kind for row in read_recording(path)] == ["start", "gap", "stop"]
    assert [row.note for row in read_recording(path)][-1] == "stopped: 0 samples, more may be lost"


async def test_a_file_that_is_there_is_kept_and_may_be_added_to(
    gateway: SimulatedGateway, opened: Open, mxgw_py: Run, tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    arguments = [*opened.stream, "--for", "100ms", "--output", str(path)]
    assert (await mxgw_py(*arguments)).code == 0
    await until(lambda: not gateway.open_streams)
    before = path.read_bytes()
    ran = await mxgw_py(*arguments)
    assert (ran.code, ran.err) == (
        2,
        f"mxgw-py: {path} is there already: --append adds to it, another name keeps it\n",
    )
    assert path.read_bytes() == before
    assert (await mxgw_py(*arguments, "--append")).code == 0
    assert [row.kind for row in read_recording(path)] == ["start", "stop"] * 2


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (
            ["--output", "events.txt"],
            "'events.txt' is none of json, jsonl, csv, table, and no file that ends with .csv",
        ),
        (["--append"], "--append is for a recording: --output FILE.csv names it"),
        (["--output", "no/such/events.csv"], "cannot write no/such/events.csv: No such file or directory"),
    ],
)
async def test_mistakes_are_said(opened: Open, mxgw_py: Run, arguments: list[str], why: str) -> None:
    ran = await mxgw_py(*opened.stream, "--for", "100ms", *arguments)
    assert ran.code == 2
    assert why in ran.err


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be sent Ctrl-C alone on Windows")
@pytest.mark.usefixtures("heard_hangups")
def values_so_far(path: Path) -> list[object]:
    """The values of a recording that goes on; none before its first part is there."""
    try:
        return [row.value for row in read_recording(path)]
    except MxGatewayArgumentError:
        return []


async def test_ctrl_c_makes_the_file_whole(
    gateway: SimulatedGateway, opened: Open, start: Start, tmp_path: Path
) -> None:
    path = tmp_path / "events.parquet"
    process = await start(*opened.stream, "--output", str(path))
    await until(lambda: gateway.open_streams)
    gateway.set(ITEM, 7)
    await until(lambda: values_so_far(path)[-1:] == [7])
    process.send_signal(signal.SIGINT)
    ran = await ended(process)
    assert (ran.code, ran.out, ran.err) == (130, "", f"mxgw-py: {path}: 1 sample\nmxgw-py: interrupted\n")
    assert not parts_folder(path).exists()
    assert [row.note for row in read_recording(path)][-1] == "interrupted: 1 sample"


async def test_a_stream_that_breaks_leaves_its_reason_and_its_counts(
    gateway: SimulatedGateway, opened: Open, start: Start, tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    process = await start(*opened.stream, "--output", str(path), "--json")
    await until(lambda: gateway.open_streams)
    gateway.set(ITEM, 7)
    await until(lambda: 7 in values_so_far(path))
    gateway.faults.drop_streams(grpc.StatusCode.UNAVAILABLE)
    ran = await ended(process)
    assert ran.code == 4
    (error,) = ran.json
    assert (error["samples"], error["file"], error["ok"]) == (1, str(path), False)
    assert "the event stream was dropped: 1 sample" in str([row.note for row in read_recording(path)][-1])


async def test_a_line_of_a_batch_records_and_knows_the_tags_that_the_batch_added(
    opened: Open, drive: Drive, tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    batch = await drive("--plaintext")
    at = " ".join(opened.at_server)
    (added,) = await batch.ask("add-item", at, "--item TestChildObject.TestBool")
    await batch.ask("advise", at, f"--item-handle {added['item_handle']}")
    session = f"--session-id {opened.session.session_id}"
    (counts,) = await batch.ask("stream-events --plaintext", session, f"--after 1 --count 1 --output {path}")
    assert counts["samples"] == 1
    assert await batch.end() == (0, "")
    assert [row.tag for row in read_recording(path) if row.kind == "sample"] == ["TestChildObject.TestBool"]


class HeldUp(RecordingFile):
    """A file on a disk that takes nothing until it is released."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.reached, self.released = threading.Event(), threading.Event()
        self.problem: OSError | None = None

    @property
    def is_closed(self) -> bool:
        return False

    def put(self, rows: Iterable[Row]) -> None:
        self.reached.set()
        assert self.released.wait(10)
        if self.problem:
            raise self.problem
        self.rows += rows

    def finish(self) -> None:
        self.rows.append(("finished",))

    def close(self) -> None:
        self.rows.append(("closed",))

    def discard(self) -> None:
        raise AssertionError


def event(number: int) -> MxEvent:
    return MxEvent(EventHeader(EventFamily.ON_DATA_CHANGE, 1, 1, 192), number, number)


async def test_what_a_slow_disk_does_not_take_is_a_row_with_its_number() -> None:
    file = HeldUp()
    recorder = EventRecorder(Report(), Path("events.csv"), file, lambda key: "A.b", most_waiting=3)
    async with recorder:
        recorder.take(event(1))
        await until(file.reached.is_set)
        # One is being written, three may wait, and two have no room.
        for number in range(2, 7):
            recorder.take(event(number))
        file.released.set()
        await until(lambda: len(file.rows) == 4)
        recorder.take(event(7))
        recorder.take(MxEvent(EventHeader(replay_gap=ReplayGap(7, 10)), 0))
    kinds = [row[0] for row in file.rows]
    assert kinds == [*["sample"] * 4, "dropped", "sample", "gap", "stop", "finished"]
    assert file.rows[4][-2:] == (2, "GAP 2 events came faster than they could be kept here")
    assert recorder.form == {
        "dropped": 2,
        "file": "events.csv",
        "gaps": 1,
        "lost": 4,
        "lost_is_known": True,
        "samples": 5,
    }


async def test_a_full_disk_ends_it_and_says_so() -> None:
    file = HeldUp()
    file.problem = OSError(28, "No space left on device")
    file.released.set()
    recorder = EventRecorder(Report(), Path("events.csv"), file, lambda key: "A.b")
    with pytest.raises(ExpectationNotMet, match=r"cannot write events.csv: No space left on device$"):
        async with recorder:
            recorder.take(event(1))
    assert file.rows == [("closed",)]
    assert recorder.text == "0 samples"
