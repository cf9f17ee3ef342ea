"""Files of recordings: continued only where they are ours and whole, and every line of them is a row."""

import asyncio
import csv
import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from shell_terminal import Shell, shell
from shell_waiting import until

from zb_mom_ww_mxgateway import MxGatewayArgumentError, read_recording
from zb_mom_ww_mxgateway.models.events import EventFamily, EventHeader, MxEvent
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.recordings.columns import COLUMNS, Format, TextFormat
from zb_mom_ww_mxgateway.recordings.parts import parts_folder
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.recordings.opening import open_recording
from zb_mom_ww_mxgateway_console.recordings.recording_file import RecordingFile
from zb_mom_ww_mxgateway_console.recordings.row_text import Key, heading, mark_row, rows_of, text_of
from zb_mom_ww_mxgateway_console.recordings.text_files import continue_, create
from zb_mom_ww_mxgateway_shell.samples import recorder as recording_module
from zb_mom_ww_mxgateway_shell.samples.recorder import RunningRecording

INT = "TestChildObject.TestInt"
KEY = "mxgw_demo_bm90LWEtc2VjcmV0"


def event(value: object, key: Key = (1, 1), *, time_ns: int = 1_700_000_000_000_000_000) -> MxEvent:
    header = EventHeader(EventFamily.ON_DATA_CHANGE, *key, 192, (), 8, "VT_BSTR")
    return MxEvent(header, 7, value, time_ns, received_at=1.0)


def sample(value: object, form: TextFormat, *, time_ns: int = 1_700_000_000_000_000_000) -> str:
    return text_of(rows_of([event(value, time_ns=time_ns)], lambda key: "A.b"), form)


def rows(path: Path, form: TextFormat) -> list[dict[str, object]]:
    """All rows; every line of the file is one."""
    with path.open(encoding="utf-8", newline="") as file:
        if form == "jsonl":
            return [json.loads(line) for line in file]
        found = list(csv.reader(file))
    assert found[0] == list(COLUMNS)
    assert {len(row) for row in found} == {len(COLUMNS)}
    return [dict(zip(COLUMNS, row, strict=True)) for row in found[1:]]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_recording_cut_off_anywhere_is_continued_without_joining_two_rows(tmp_path: Path, form: TextFormat) -> None:
    path = tmp_path / f"cut.{form}"
    first = heading(form) + text_of([mark_row("start", 0.0, "recording")], form)
    whole = first + sample('two\nlines, "quoted"\r and more', form)
    # Every place in the last row, and in the first line.
    for length in [*range(1, 30), *range(len(first), len(whole) + 1)]:
        path.write_text(whole[:length], encoding="utf-8", newline="")
        with continue_(path, form, raw=False) as file:
            file.write(sample("next", form))
        found = rows(path, form)
        assert found[-1]["value"] == "next"
        torn = [row for row in found if row["kind"] == "torn"]
        is_whole = length == len(whole) or length == len(first) or (form == "jsonl" and length == len(whole) - 1)
        assert bool(torn) is not is_whole, length
        if torn and length > len(first):
            # Nothing of it is lost.
            assert whole[len(first) : length] in str(torn[0]["note"])


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_rows_of_long_texts_are_whole_and_looked_at_once(tmp_path: Path, form: TextFormat) -> None:
    path = tmp_path / f"long.{form}"
    # As often as it has lines it would take minutes.
    text = 'line, "of" it\n' * 100_000
    whole = heading(form) + sample(text, form) + sample(text, form)
    path.write_text(whole, encoding="utf-8", newline="")
    with continue_(path, form, raw=False):
        pass
    assert path.read_text(encoding="utf-8") == whole


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_empty_bytes_that_a_lost_power_leaves_are_mended_too(tmp_path: Path, form: TextFormat) -> None:
    path = tmp_path / "power"
    whole = (heading(form) + sample("one", form)).encode()
    for left in (whole + b"\0" * 4096, whole + whole[-20:-1] + b"\0" * 100, b"\0" * 50):
        path.write_bytes(left)
        with continue_(path, form, raw=False) as file:
            file.write(sample("next", form))
        found = rows(path, form)
        assert [row["kind"] for row in found[-2:]] == ["torn", "sample"]
        assert "empty bytes" in str(found[-2]["note"])
        assert b"\0" not in path.read_bytes()


@pytest.mark.parametrize(
    ("form", "text", "why"),
    [
        ("csv", "time;tag;value\n1;2;3\n", "its columns are time;tag;value"),
        ("csv", "kind,received,tag\n", "its columns are kind,received,tag"),
        ("csv", '{"kind": "start"}\n', "its columns are"),
        ("jsonl", heading("csv"), "it begins with kind,received"),
        ("jsonl", '{"kind": "start", "received": "2026"}\n', "it begins with"),
        ("jsonl", '{"tag": "A.b"}\n', "it begins with"),
        ("csv", "not a recording", "its columns are not a recording"),
        ("csv", heading("csv") + sample("x", "csv")[:-9] + sample("x", "csv") * 2, "its row 2 is not whole"),
        ("csv", heading("csv") + sample('a"b', "csv")[:-40] + sample("x", "csv") * 2, "not whole"),
        ("csv", heading("csv") + sample("x\ny", "csv").partition("\n")[0] + sample("x", "csv") * 2, "not whole"),
        ("jsonl", sample("x", "jsonl")[:-9] + sample("x", "jsonl") * 2, "its row 1 is not whole"),
    ],
)
def test_a_file_with_other_columns_is_left_unchanged(tmp_path: Path, form: TextFormat, text: str, why: str) -> None:
    path = tmp_path / "other"
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.raises(MxGatewayArgumentError, match=why):
        continue_(path, form, raw=False)
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a named pipe is what this takes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MxGatewayArgumentError, match="it is a pipe"):
        continue_(tmp_path / "pipe", "csv", raw=False)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_times_of_no_calendar_and_values_of_all_kinds_are_rows(tmp_path: Path, form: TextFormat) -> None:
    path = tmp_path / "odd"
    second = 1_000_000_000
    years = {1601: -11_644_473_600, 1899: -2_209_161_600, 1969: -1}
    outside = [-70_000_000_000 * second, 253_402_300_800 * second, 2**63 - 1, 9_223_372_036_854_775 * second]
    values = [float("nan"), float("-inf"), 1.7e308, 5e-324, -0.0, b"\0\xff", None, [1, 2], "\ud800", "=1+1", KEY]
    with create(path, form) as file:
        file.writelines(sample(1, form, time_ns=at * second) for at in years.values())
        file.writelines(sample(1, form, time_ns=at) for at in outside)
        file.writelines(sample(value, form) for value in values)
    found = rows(path, form)
    times = [str(row["source_timestamp"]) for row in found]
    assert [time[:4] for time in times[:3]] == [str(year) for year in years]
    assert [int(time) for time in times[3:5]] == outside[:2]
    assert int(times[6]) == outside[3]
    assert len(found) == len(years) + len(outside) + len(values)
    assert KEY not in path.read_text(encoding="utf-8")
    assert "mxgw_demo_***" in path.read_text(encoding="utf-8")


TEXTS = st.text() | st.text(st.sampled_from("'\"=+-@,;\r\n\t [{}]0123456789.e\0\u2028ä")) | st.from_regex(r"'*[=+@-].*")
READINGS = st.one_of(
    st.tuples(st.just("BOOLEAN"), st.booleans() | st.lists(st.booleans())),
    st.tuples(st.just("INTEGER"), st.integers(-(2**63), 2**63 - 1) | st.lists(st.integers(-(2**31), 2**31 - 1))),
    st.tuples(st.just("DOUBLE"), st.floats(allow_nan=False) | st.lists(st.floats(allow_nan=False))),
    st.tuples(st.just("STRING"), TEXTS | st.lists(TEXTS, min_size=1)),
    st.tuples(st.just("TIME"), st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))),
    st.tuples(st.just("NO_DATA"), st.none()),
)


@pytest.mark.parametrize("form", ["csv", "csv raw", "jsonl", "parquet"])
@settings(max_examples=20, deadline=None)
@given(readings=st.lists(READINGS, min_size=1, max_size=20))
def test_what_is_written_is_read_again(form: str, readings: list[tuple[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        path, is_raw = Path(folder) / "a.recording", form == "csv raw"
        format_: Any = form.removesuffix(" raw")
        file = open_recording(path, format_, append=False, raw=is_raw)
        file.put([("sample", "2026-10-02T08:14:00Z", "A.b", value, 192, "good", None, kind, *(None,) * 6)
                  for kind, value in readings])  # fmt: skip
        file.finish()
        found = [(row.data_type, row.value) for row in read_recording(path, csv_raw=is_raw)]
    # A text that spells a list of texts is that list in CSV, which the guide says.
    assert found == readings or (format_ == "csv" and any(spells_a_list(value) for _, value in readings))


def spells_a_list(value: object) -> bool:
    try:
        return isinstance(value, str) and isinstance(json.loads(value), list)
    except ValueError:
        return False


async def nameless(sh: Shell, path: Path) -> tuple[RunningRecording, dict[Key, Item], Key, Item]:
    """A recording, the items of its session, and the one of INT, whose name neither knows any more."""
    await sh.terminal.enter(f"record {path}", "recording everything")
    recording = sh.context.connected.recordings[path]
    items = sh.context.live_session.session.handles.items
    await sh.terminal.enter(f"watch {INT} --count 1", "1 sample")
    await until(lambda: recording.samples)
    (key,) = list(items)
    named = items.pop(key)
    del recording._names[key]
    return recording, items, key, named


async def test_a_tag_that_is_known_only_after_its_first_event_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    async with shell(tmp_path) as sh:
        # The answer that names the item is on its way, while its events come.
        recording, items, key, named = await nameless(sh, path)
        for value in (5, 6):
            sh.gateway.set(INT, value)
        await until(lambda: recording._held)
        items[key] = named
        await until(lambda: recording.samples >= 3)
        await sh.terminal.enter("record stop", "closed")
    found = [row for row in rows(path, "csv") if row["kind"] == "sample"]
    assert [(row["tag"], row["value"]) for row in found[-2:]] == [(INT, "5"), (INT, "6")]


async def test_an_item_without_a_name_delays_no_other_and_gets_its_name_later(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    async with shell(tmp_path) as sh:
        recording, items, key, named = await nameless(sh, path)
        sh.gateway.set(INT, 5)
        await until(lambda: recording.samples >= 2)
        items[key] = named
        sh.gateway.set(INT, 6)
        await until(lambda: recording.samples >= 3)
        await sh.terminal.enter("record stop", "closed")
    found = [row for row in rows(path, "csv") if row["kind"] == "sample"]
    assert [(row["tag"], row["value"]) for row in found[-2:]] == [("", "5"), (INT, "6")]


async def test_a_recording_ends_with_its_session_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("tank.csv")
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(f"record {path} {INT}", "recording 1 tag")
        recording = sh.context.connected.recordings[path]
        sh.gateway.set(INT, 7)
        await until(lambda: recording.samples)
        await sh.context.live_session.aclose()
        await sh.terminal.shows("ENDED after 1 sample: the session ended")
        assert not recording.is_running
        assert recording.problem == "the session ended"
        await sh.terminal.enter("record", "the session ended")
    assert [row["kind"] for row in rows(path, "csv")[-2:]] == ["closed", "stop"]
    assert str(rows(path, "csv")[-1]["note"]).startswith("the session ended: 1 sample")


async def test_a_file_that_another_connection_records_to_is_not_written_twice(tmp_path: Path) -> None:
    path = tmp_path / "tank.csv"
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(f"record {path} {INT}", "recording 1 tag")
        await sh.terminal.prompted()
        sh.terminal.type(f"connect {sh.gateway.endpoint} --plaintext\r")
        await until(lambda: len(sh.context.connections) == 2)
        await sh.terminal.shows(f"{sh.gateway.endpoint}>")
        other = tmp_path / "sub" / ".." / "tank.csv"
        (tmp_path / "sub").mkdir()
        await sh.terminal.enter(f"record {other} {INT} --append", "is being recorded")


async def test_the_time_that_the_machine_slept_is_a_row_and_what_holds_afterwards_another(tmp_path: Path) -> None:
    path = tmp_path / "tank.csv"
    machine = clock.SimulatedSleep()
    with clock.replaced(machine):
        async with shell(tmp_path) as sh:
            await sh.terminal.enter(f"record {path} {INT}", "recording 1 tag")
            recording = sh.context.connected.recordings[path]
            sh.gateway.set(INT, 7)
            await until(lambda: recording.samples)
            machine.sleep(3600)
            await until(lambda: {"stale", "live"} <= {row["kind"] for row in rows(path, "csv")})
            sh.gateway.set(INT, 8)
            await until(lambda: rows(path, "csv")[-1]["value"] == "8")
            text = await sh.terminal.enter(f"history {INT}", "changes seen since")
            assert "slept for 3600 s: nothing is known of that time" in text
    kinds = [str(row["kind"]) for row in rows(path, "csv")]
    assert kinds.index("stale") < kinds.index("live") < len(kinds) - 1 - kinds[::-1].index("sample")
    (stale,) = [row for row in rows(path, "csv") if row["kind"] == "stale"]
    assert "slept for 3600 s" in str(stale["note"])


class Gate:
    """Holds up a thread that comes through it, until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def before(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def held_up(*args: Any, **options: Any) -> Any:
            self.reached.set()
            assert self.open.wait(5)
            return work(*args, **options)

        return held_up


@pytest.mark.parametrize("at", ["_write", "_finish"])
@pytest.mark.parametrize("is_done", [False, True], ids=["before it is done", "after it is done"])
async def test_a_recording_that_is_cancelled_at_its_end_has_every_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, is_done: bool
) -> None:
    path, gate = tmp_path / "all.csv", Gate()
    async with shell(tmp_path) as sh:
        recording, items, key, named = await nameless(sh, path)
        # Held back until its name is known, and so what is written last.
        sh.gateway.set(INT, 5)
        await until(lambda: recording._held)
        work = getattr(recording, at)
        done = threading.Event()

        def said(*args: Any) -> None:
            try:
                work(*args)
            finally:
                done.set()

        monkeypatch.setattr(recording, at, gate.before(said))
        recording._stop.set()
        await until(gate.reached.is_set)
        monkeypatch.setattr(recording, at, work)
        assert recording._task is not None
        if is_done:
            # The thread has ended, and the loop has not heard of that yet.
            gate.open.set()
            assert done.wait(5)
        recording._task.cancel()
        await asyncio.wait([recording._task])
        gate.open.set()
        assert done.wait(5)
        items[key] = named
        assert recording._task.cancelled()
        assert recording.problem == ""
    found = rows(path, "csv")
    assert [row["value"] for row in found if row["kind"] == "sample"] == ["0", "5"]
    assert [row["kind"] for row in found].count("stop") == 1


@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("form", ["csv", "parquet"])
async def test_a_recording_that_is_cancelled_while_its_file_is_opened_leaves_none_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, append: bool, form: Format
) -> None:
    path, gate, opened = tmp_path / f"all.{form}", Gate(), list[RecordingFile]()

    def opens(*args: Any, **options: Any) -> RecordingFile:
        opened.append(open_recording(*args, **options))
        return opened[0]

    monkeypatch.setattr(recording_module, "open_recording", gate.before(opens))
    async with shell(tmp_path) as sh:
        start = RunningRecording.start(sh.context.live_session, path, form, (), append=append, alert=print)
        starting = asyncio.create_task(start)
        await until(gate.reached.is_set)
        starting.cancel()
        await asyncio.wait([starting])
        assert starting.cancelled()
        gate.open.set()
        await until(lambda: opened and opened[0].is_closed)
        # An existing file would be as it was; an empty one of text is a recording to go on with.
        await until(lambda: path.exists() is (append and form == "csv"))
        await until(lambda: not parts_folder(path).exists())


async def test_samples_that_arrive_while_a_recording_stops_are_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, gate = tmp_path / "all.csv", Gate()
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(f"watch {INT} --count 1", "1 sample")
        await sh.terminal.enter(f"record {path}", "recording everything")
        recording, live = sh.context.connected.recordings[path], sh.context.live_session
        monkeypatch.setattr(recording, "_write", gate.before(recording._write))
        sh.gateway.set(INT, 5)
        await until(gate.reached.is_set)
        sh.gateway.set(INT, 6)
        await until(lambda: live[INT].value == 6)
        stopping = asyncio.create_task(recording.stop())
        await until(recording._stop.is_set)
        gate.open.set()
        await stopping
    assert [row["value"] for row in rows(path, "csv") if row["kind"] == "sample"] == ["5", "6"]
