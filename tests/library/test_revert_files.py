"""Files of pending reverts: there before the write, whole or told, and of one process at a time."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from zb_mom_ww_mxgateway import DataType, Typed
from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.safety.revert_files import DamagedRevert, RevertFolder, RevertRecord, new_key
from zb_mom_ww_mxgateway.safety.reverts import RevertStage
from zb_mom_ww_mxgateway.safety.typed_forms import typed_of
from zb_mom_ww_mxgateway.system.file_locks import locked
from zb_mom_ww_mxgateway.system.private_files import open_to_others
from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway.values import Array

AT = datetime(2026, 10, 2, 8, 14, tzinfo=UTC)


def record(key: str = "", **changes: Any) -> RevertRecord:
    return replace(
        RevertRecord(
            key=key or new_key(),
            endpoint="gw:5001",
            session_id="session-1",
            who="anna",
            tag="Tank1.SP",
            original=Typed("int32", 50),
            ours=(Typed("int32", 60),),
            written_at=AT,
            due_at=AT.replace(minute=24),
            due_monotonic=1600.5,
            may_happen_until=AT.replace(minute=15),
            stage=RevertStage.PENDING,
            why="",
        ),
        **changes,
    )


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.json"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state/reverts"


VALUES = st.one_of(
    st.booleans().map(lambda value: Typed("bool", value)),
    st.integers(-(2**31), 2**31 - 1).map(lambda value: Typed("int32", value)),
    st.integers(-(2**63), 2**63 - 1).map(lambda value: Typed("int64", value)),
    st.floats(width=32, allow_nan=False, allow_infinity=False).map(lambda value: Typed("float", value)),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda value: Typed("double", value)),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=20).map(lambda value: Typed("string", value)),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
        lambda value: Typed("time", value)
    ),
    st.lists(st.integers(-5, 5), min_size=1, max_size=4).map(
        lambda value: Typed("int32", Array(value, (len(value),), DataType.INTEGER))
    ),
    st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=4).map(
        lambda value: Typed("float", Array(value, (len(value),), DataType.FLOAT))
    ),
)


@given(VALUES, st.lists(VALUES, min_size=1, max_size=3))
def test_a_record_reads_back_as_it_was_written(original: Typed, ours: list[Typed]) -> None:
    written = record(original=original, ours=tuple(ours))
    read = RevertRecord.of(json.loads(json.dumps(written.form())))
    for one, other in zip([original, *ours], [read.original, *read.ours], strict=True):
        assert one.type == other.type
        assert same_value(one, other.sent)
        assert one.normal.dimensions == other.normal.dimensions
    assert replace(read, original=original, ours=tuple(ours)) == written


@pytest.mark.parametrize("field", [*record("k").form()])
@pytest.mark.parametrize("value", [None, 5, "", "soon", [], {}, float("nan"), float("inf"), "2026-10-02T08:14"])
def test_a_field_that_is_not_what_it_was_is_never_read(field: str, value: object) -> None:
    form = record("k").form()
    if type(form[field]) is type(value) and field not in ("due", "may_happen_until", "written", "stage"):
        return
    with pytest.raises(ValueError):  # noqa: PT011  # each field has its own words
        RevertRecord.of(form | {field: value})


@pytest.mark.parametrize(
    "value", ["0001-01-01T00:00:00+23:59", "2026-10-02T08:14:00+02:00", "2026-13-02T08:14:00.000Z"]
)
def test_a_time_that_cannot_be_read_is_told_and_never_means_now(folder: Path, value: str) -> None:
    files_of = RevertFolder(folder)
    files_of.save(record("k"))
    path = folder / "k.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"due": value}))
    (found,) = RevertFolder(folder).left_behind()
    assert isinstance(found, DamagedRevert)
    assert path.is_file()


@given(st.integers(0, 2000), st.integers(0, 255))
def test_a_file_with_a_changed_byte_is_the_same_or_is_told(place: int, byte: int) -> None:
    """Whatever it says now, it never says another time without being a whole record."""
    data = bytearray(json.dumps(record("k").form(), sort_keys=True).encode("ascii"))
    data[place % len(data)] = byte
    try:
        read = RevertRecord.of(json.loads(bytes(data)))
    except (ValueError, OverflowError):
        return
    assert read.due_at.tzinfo is UTC or read.due_at.utcoffset() is not None
    assert read.ours


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.datetimes().map(str)))
def test_only_a_time_as_it_was_written_is_read_as_one(due: object) -> None:
    """A time that cannot be read never means at once: the file is told, and kept."""
    try:
        read = RevertRecord.of(record("k").form() | {"due": due})
    except (ValueError, OverflowError):
        return
    assert time_text(read.due_at) == due


def test_a_torn_file_is_told_and_kept(folder: Path) -> None:
    RevertFolder(folder).save(record("k"))
    path = folder / "k.json"
    whole = path.read_bytes()
    for length in range(len(whole) - 1):
        path.write_bytes(whole[:length])
        (found,) = RevertFolder(folder).left_behind()
        assert isinstance(found, DamagedRevert), length
        assert path.read_bytes() == whole[:length]


def test_what_a_living_process_holds_is_not_left_behind(folder: Path) -> None:
    first, second = RevertFolder(folder), RevertFolder(folder)
    first.save(record("k"))
    assert second.left_behind() == []
    assert second.claim("k") is None
    first.close()
    (found,) = second.left_behind()
    assert isinstance(found, RevertRecord)
    assert replace(found, owner="") == record("k")


def test_a_revert_is_claimed_once(folder: Path) -> None:
    gone, second, third = (RevertFolder(folder) for _ in range(3))
    gone.save(record("k"))
    gone.close()
    assert second.claim("k") is not None
    assert third.claim("k") is None
    assert third.left_behind() == []
    second.remove("k")
    assert third.claim("k") is None


def test_a_process_that_was_killed_leaves_its_revert_behind(folder: Path) -> None:
    program = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_revert_files import record
from zb_mom_ww_mxgateway.safety.revert_files import RevertFolder
folder = RevertFolder(Path(sys.argv[1]))
folder.save(record("k"))
print("saved", flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", program, str(folder), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "saved\n"
        mine = RevertFolder(folder)
        assert mine.left_behind() == []
        process.kill()
        process.wait()
        (found,) = mine.left_behind()
        assert isinstance(found, RevertRecord)
        assert mine.claim("k") is not None


def test_what_a_crash_left_besides_is_removed(folder: Path) -> None:
    one = RevertFolder(folder)
    one.save(record("k"))
    (folder / "k2.tmp").write_text("{")
    (folder / "owner-0.lock").touch()
    RevertFolder(folder).left_behind()
    assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".lock", ".lock"]
    one.remove("k")
    one.close()
    assert [path.name for path in folder.iterdir()] == ["folder.lock"]


def test_a_look_at_each_start_waits_for_another_process_only_briefly(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RevertFolder(folder).save(record("k"))
    monkeypatch.setattr("zb_mom_ww_mxgateway.safety.revert_files._LOOK_SECONDS", 0.0)
    with locked(folder / "folder.lock", 0), pytest.raises(TimeoutError, match=r"process.* has held .* for 0 s"):
        RevertFolder(folder).left_behind()


def test_a_file_is_replaced_as_a_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = RevertFolder(folder)
    one.save(record("k"))

    def fail(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        one.save(record("k", why="later"))
    monkeypatch.undo()
    one.close()
    (found,) = RevertFolder(folder).left_behind()
    assert isinstance(found, RevertRecord)
    assert found.why == ""
    assert files(folder) == ["k.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="rights are inherited on Windows")
def test_files_are_for_their_owner_alone(folder: Path) -> None:
    RevertFolder(folder).save(record("k"))
    assert (folder / "k.json").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert open_to_others(folder / "k.json") == ""


@pytest.mark.skipif(sys.platform == "win32", reason="rights are inherited on Windows")
def test_a_folder_that_others_may_change_is_not_used(folder: Path) -> None:
    RevertFolder(folder).save(record("k"))
    folder.chmod(0o777)
    with pytest.raises(PermissionError, match="chmod go-w"):
        RevertFolder(folder).left_behind()
    with pytest.raises(PermissionError):
        RevertFolder(folder).save(record("l"))


def test_a_value_without_a_type_of_a_name_has_no_file_form() -> None:
    assert typed_of(None) is None
    assert typed_of(b"1") is None
    assert typed_of([]) is None
    array = typed_of(Array([1.5], (1,), DataType.FLOAT))
    assert array is not None
    assert array.type == "float"
