"""Recordings as Parquet: whole when they end, readable whenever they do not."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet
import pytest
from shell_process import ShellProcess
from shell_terminal import shell
from shell_waiting import until

from zb_mom_ww_mxgateway import MxGatewayArgumentError, RecordedRow, read_recording
from zb_mom_ww_mxgateway.recordings import recording as reading
from zb_mom_ww_mxgateway.recordings.arrow_columns import ARROW_COLUMNS
from zb_mom_ww_mxgateway.recordings.parts import RecordingPart, parts_after, parts_folder
from zb_mom_ww_mxgateway_console.recordings import parquet_recording
from zb_mom_ww_mxgateway_console.recordings.parquet_recording import ParquetRecording
from zb_mom_ww_mxgateway_console.recordings.row_text import Row
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"


def numbered(*numbers: int) -> list[Row]:
    return [("sample", "2026-10-02T08:14:00.250000Z", "A.b", each, *(None,) * 10) for each in numbers]


def values(path: Path) -> list[object]:
    return [row.value for row in read_recording(path) if row.kind == "sample"]


def names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


def record(path: Path, *numbers: int, append: bool = False) -> ParquetRecording:
    recording = ParquetRecording.open(path, append=append)
    for number in numbers:
        recording.put(numbered(number))
    return recording


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tank.parquet"


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_recording, "PART_ROWS", 3)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("count", [1, 2, 3, 4, 9, 10])
def test_every_row_is_in_the_file_once_and_nothing_is_left_beside_it(path: Path, count: int) -> None:
    recording = record(path, *range(count))
    assert values(path) == list(range(count))
    recording.finish()
    assert recording.is_closed
    assert recording.remains == ""
    assert pyarrow.parquet.read_table(path).column_names == list(ARROW_COLUMNS)
    assert values(path) == list(range(count))
    assert names(path.parent) == [path.name]


@pytest.mark.usefixtures("small_parts")
def test_more_is_appended_to_a_file_and_to_what_was_left(path: Path) -> None:
    record(path, 0, 1, 2, 3).finish()
    record(path, 4, 5, 6, 7, append=True).close()
    assert values(path) == list(range(8))
    assert values(path) == list(range(8))
    recording = record(path, 8, append=True)
    assert values(path) == list(range(9))
    recording.finish()
    assert values(path) == list(range(9))
    assert not parts_folder(path).exists()


def test_a_part_that_is_already_in_the_file_counts_once(path: Path) -> None:
    record(path, 0, 1).close()
    left = {each.name: each.read_bytes() for each in parts_folder(path).iterdir()}
    record(path, 2, append=True).finish()
    # Killed after the file was in its place, and before the parts were removed.
    parts_folder(path).mkdir()
    for name, content in left.items():
        (parts_folder(path) / name).write_bytes(content)
    assert values(path) == [0, 1, 2]
    record(path, 3, append=True).finish()
    assert values(path) == [0, 1, 2, 3]


@pytest.mark.parametrize("kept", [0, 1, 20, -1, -20])
def test_a_part_that_was_cut_off_is_read_and_continued(path: Path, kept: int) -> None:
    record(path, 0, 1).close()
    (part,) = parts_folder(path).glob("*.jsonl")
    part.write_bytes(part.read_bytes()[:kept] if kept else b"\0" * 50)
    seen = [row.kind for row in read_recording(path)]
    recording = record(path, 2, append=True)
    recording.finish()
    rows = list(read_recording(path))
    assert rows[-1].value == 2
    # Only the line end was missing.
    assert "torn" in seen or kept == -1
    assert [row.kind for row in rows].count("torn") == (kept != -1)
    assert values(path) == {-1: [0, 1, 2], -20: [0, 2]}.get(kept, [2])


def test_a_part_without_a_row_is_none(path: Path) -> None:
    record(path, 0).close()
    (parts_folder(path) / "000002.jsonl").touch()
    assert values(path) == [0]
    record(path, 1, append=True).finish()
    assert values(path) == [0, 1]


def test_a_folder_without_a_part_keeps_no_name(path: Path) -> None:
    # Killed before the first row.
    ParquetRecording.open(path, append=False).close()
    with pytest.raises(MxGatewayArgumentError, match="No such file"):
        read_recording(path)
    record(path, 0).finish()
    assert values(path) == [0]
    assert names(path.parent) == [path.name]


def test_what_is_there_is_kept(path: Path) -> None:
    record(path, 0).finish()
    with pytest.raises(MxGatewayArgumentError, match=r"tank.parquet is there already: --append adds to it"):
        record(path)
    other = path.with_name("other.parquet")
    record(other, 1).close()
    with pytest.raises(MxGatewayArgumentError, match="of a recording that did not end: --append continues it"):
        record(other)
    assert (values(path), values(other)) == ([0], [1])


def test_what_is_no_recording_is_left_unchanged(path: Path) -> None:
    for content, why in ((b"mine", "not a Parquet recording that can be continued"), (b"", "not a Parquet recording")):
        path.write_bytes(content)
        with pytest.raises(MxGatewayArgumentError, match=why):
            record(path, append=True)
        assert path.read_bytes() == content
    pyarrow.parquet.write_table(pyarrow.table({"kind": ["sample"]}), path)
    with pytest.raises(MxGatewayArgumentError, match="its columns are kind; take another name"):
        record(path, append=True)
    with pytest.raises(MxGatewayArgumentError, match=r"cannot write .*: No such file"):
        record(path.parent / "no" / "such.parquet")
    assert names(path.parent) == [path.name]


def test_a_file_that_is_being_recorded_is_not_written_twice(path: Path) -> None:
    recording = record(path, 0)
    with pytest.raises(MxGatewayArgumentError, match="is being recorded by another process"):
        record(path, append=True)
    recording.put(numbered(1))
    recording.finish()
    assert values(path) == [0, 1]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows removes no file that is open")
def test_a_recording_that_ends_while_it_is_taken_up_is_not_continued_in_a_folder_that_is_gone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    ending = record(path, 0)

    def lock(name: Path, timeout: float) -> int:
        handle = os.open(name, os.O_RDWR)
        ending.finish()
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return handle

    monkeypatch.setattr(parquet_recording, "lock", lock)
    with pytest.raises(MxGatewayArgumentError, match="is being recorded by another process"):
        record(path, append=True)
    assert names(path.parent) == [path.name]
    assert values(path) == [0]


@pytest.mark.parametrize("append", [False, True])
def test_what_is_discarded_leaves_what_was_there(path: Path, append: bool) -> None:
    if append:
        record(path, 0).close()
    ParquetRecording.open(path, append=append).discard()
    assert names(path.parent) == ([parts_folder(path).name] if append else [])
    assert not append or values(path) == [0]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there, and there are no modes")
def test_a_link_stays_one_and_the_rights_of_the_file_stay(path: Path) -> None:
    record(path, 0).finish()
    path.chmod(0o640)
    link = path.with_name("link.parquet")
    link.symlink_to(path.name)
    record(link, 1, append=True).close()
    assert values(link) == values(path) == [0, 1]
    record(link, 2, append=True).finish()
    assert link.is_symlink()
    assert values(path) == [0, 1, 2]
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(names(path.parent)) == ["link.parquet", "tank.parquet"]


def test_a_full_disk_at_the_end_leaves_the_rows_and_says_where(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = record(path, 0, 1)

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(parquet_recording, "put_in_place", full)
        with pytest.raises(OSError, match="No space"):
            recording.finish()
    assert recording.is_closed
    assert recording.remains.startswith(f"the rows are in {parts_folder(path)}: ")
    assert values(path) == [0, 1]
    record(path, append=True).finish()
    assert values(path) == [0, 1]


def test_a_recording_is_read_while_it_is_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_recording, "PART_ROWS", 2)
    recording = record(path, 0)
    batches = read_recording(path).to_batches()
    recording.put(numbered(1))
    # What was a part of lines when it was listed is Parquet now.
    assert [batch.num_rows for batch in batches] == [2]
    recording.finish()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a named pipe is one of what a part cannot be")
@pytest.mark.parametrize(("make", "why"), [(os.mkdir, "Is a directory"), (getattr(os, "mkfifo", None), "no regular")])
def test_a_part_that_is_no_file_is_said_and_not_waited_for(path: Path, make: Callable[[Path], None], why: str) -> None:
    record(path, 0).close()
    make(parts_folder(path) / "000002.jsonl")
    with pytest.raises(MxGatewayArgumentError, match=f"cannot read .*000002.jsonl: .*{why}"):
        values(path)


def test_a_recording_that_ends_while_it_is_opened_is_not_read_as_empty(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = record(path, 0)
    rows = iter(read_recording(path))

    def parts_once_it_has_ended(folder: Path, last: int) -> list[RecordingPart]:
        recording.finish()
        return parts_after(folder, last)

    monkeypatch.setattr(reading, "parts_after", parts_once_it_has_ended)
    with pytest.raises(MxGatewayArgumentError, match="was ended while it was read: read it again"):
        next(rows)


KILLED = """
import os, sys
from pathlib import Path
from zb_mom_ww_mxgateway_console.recordings import parquet_recording
from zb_mom_ww_mxgateway_console.recordings.parquet_recording import ParquetRecording
parquet_recording.PART_ROWS = 500
recording = ParquetRecording.open(Path(sys.argv[1]), append=False)
number = 0
while True:
    row = ("sample", "2026-10-02T08:14:00.250000Z", "A.b", number, *(None,) * 10)
    recording.put([row])
    os.write(1, b"%d\\n" % number)
    number += 1
"""


def test_a_killed_process_loses_no_row_that_was_written(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(2_200):
            last = int(process.stdout.readline())
        process.kill()
        last = max([last, *(int(line) for line in process.stdout.read().split(b"\n")[:-1])])
    found = values(path)
    assert found[: last + 1] == list(range(last + 1))
    assert len(found) <= last + 2
    recording = record(path, 5_000_000, append=True)
    recording.finish()
    assert values(path) == [*found, 5_000_000]


async def test_record_writes_parquet_at_the_prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("tank.parquet")
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(f"record {path} {INT}", "recording 1 tag to tank.parquet")
        await until(lambda: parts_after(parts_folder(path), 0))
        sh.gateway.set(INT, 7)
        await until(lambda: values(path) == [7])
        sh.gateway.faults.drop_streams()
        sh.gateway.set(INT, 8)
        sh.gateway.faults.evict_replay(sh.context.live_session.session.session_id)
        await until(lambda: {"stale", "gap", "live", "read"} <= {row.kind for row in read_recording(path)})
        await sh.terminal.enter(f"record {path} {INT}", "is being recorded: record stop")
        await sh.terminal.enter("record stop", "closed")
        await sh.terminal.enter(f"record {path} {INT}", "is there already: --append adds to it")
        await sh.terminal.enter(f"record {path} {INT} --append", "recording 1 tag")
        await sh.terminal.enter("record stop", "closed")
    rows = list(read_recording(path))
    assert [row.kind for row in rows].count("stop") == 2
    assert rows[1] == RecordedRow(
        "held", rows[1].received, INT, 0, 192, "good", rows[1].source_timestamp, "INTEGER", None, None, 1, 1
    )
    assert not parts_folder(path).exists()


async def test_the_end_of_a_script_makes_the_file_whole(tmp_path: Path, gateway: SimulatedGateway) -> None:
    process = ShellProcess(tmp_path).on(gateway)
    process.environment["MXGATEWAY_PLAINTEXT"] = "1"
    done = await process(
        "--plaintext", "-e", f"record t.parquet {INT}", "-e", f"write {INT} 5", "-e", f"wait {INT} = 5 timeout 10s"
    )
    assert done.code == 0, done.err
    table = pyarrow.parquet.read_table(tmp_path / "t.parquet")
    assert table["kind"].to_pylist()[-1] == "stop"
    assert 5 in table["value_int"].to_pylist()


WITHOUT_EXTRA = """
import sys
sys.modules["pyarrow"] = None
from zb_mom_ww_mxgateway_shell.__main__ import main
main()
"""


def test_a_missing_extra_is_one_line_and_a_mistake_of_usage(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRA, "--demo", "-e", f"record t.parquet {INT}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert 'Parquet needs the extra: pip install "zb-mom-ww-mxaccess-gateway-client[parquet]"' in done.stderr
    assert "Traceback" not in done.stderr
    assert not [name for name in names(tmp_path) if name.startswith("t.parquet")]
