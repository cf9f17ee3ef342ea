"""The journal: lines in a chain, on the disk before anything goes on, whatever happens in between."""

import asyncio
import errno
import json
import math
import os
import re
import threading
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.models.write_guard import SparseArray
from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway.safety.journal import Journal
from zb_mom_ww_mxgateway.safety.journal_chain import NO_LINE, Head, JournalError, JournalLine, parse_line
from zb_mom_ww_mxgateway.safety.journal_files import lock_of
from zb_mom_ww_mxgateway.safety.journal_values import from_form, to_form
from zb_mom_ww_mxgateway.safety.journal_verification import verify
from zb_mom_ww_mxgateway.value_types import DataType
from zb_mom_ww_mxgateway.values import Array, RawValue, Typed


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    made = made_in(tmp_path)
    yield made
    await made.aclose()


def made_in(root: Path, **options: Any) -> Journal:
    return Journal(root / "state", root / "data", {"profile": "line3"}, **options)


def lines_of(journal: Journal) -> list[JournalLine]:
    found: list[JournalLine] = []
    for path in sorted(journal.folder.glob("*.jsonl")):
        found += [parse_line(text) for text in path.read_bytes().splitlines()]
    return found


def kept_head(journal: Journal) -> Head:
    return Head.parse((journal.head_folder / "journal.head").read_text())


async def test_lines_are_in_a_chain_in_the_order_given(journal: Journal) -> None:
    first = await journal.append("opened", {"endpoint": "here:5000"})
    for number in range(20):
        journal.post("answer", {"number_of": number})
    last = await journal.append("intent", {"tag": "Plant.A"})
    lines = lines_of(journal)
    assert [line.number for line in lines] == list(range(1, 23))
    assert [line.previous for line in lines] == [NO_LINE, *(line.hash for line in lines[:-1])]
    assert [line.fields["number_of"] for line in lines[1:-1]] == list(range(20))
    assert (lines[0], lines[-1]) == (first, last)
    assert {(line.frame, line.pid, line.who["profile"]) for line in lines} == {(journal.frame, os.getpid(), "line3")}
    assert journal.head == last.head == kept_head(journal)


async def flushed_by(journal: Journal, monkeypatch: pytest.MonkeyPatch, seconds: float = 0.0) -> list[str]:
    """The threads that flush one more line, each in so many seconds."""
    threads: list[str] = []

    def fsync(handle: int) -> None:
        threads.append(threading.current_thread().name)
        time.sleep(seconds)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fsync)
        await journal.append("intent", {})
    return threads


async def test_a_quick_disk_is_flushed_by_who_waits_and_a_slow_one_by_the_thread(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await journal.append("opened", {})
    await flushed_by(journal, monkeypatch)
    journal._files.last_flush = 0.0  # however busy this machine is
    assert await flushed_by(journal, monkeypatch, 0.01) == ["MainThread"]
    # It was slow: the loop does not wait for it again until it is quick.
    slow = journal._files.last_flush
    assert slow >= 0.01
    assert await flushed_by(journal, monkeypatch) == ["mxgw-journal"]
    assert journal._files.last_flush != slow
    journal._files.last_flush = 0.0
    assert await flushed_by(journal, monkeypatch) == ["MainThread"]
    assert [line.number for line in lines_of(journal)] == [1, 2, 3, 4, 5]


async def test_the_loop_waits_neither_for_a_lock_nor_for_lines_before(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await journal.append("opened", {})
    await flushed_by(journal, monkeypatch)
    with lock_of(journal.folder):
        waiting = asyncio.ensure_future(journal.append("intent", {"place": 1}))
        await asyncio.sleep(0)
        assert not waiting.done()
        behind = asyncio.ensure_future(journal.append("intent", {"place": 2}))
        await asyncio.sleep(0)
    await asyncio.gather(waiting, behind)
    assert [line.fields["place"] for line in lines_of(journal)[-2:]] == [1, 2]


async def test_a_head_that_cannot_be_kept_lets_nothing_through_and_writes_no_line_twice(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await journal.append("opened", {})
    await flushed_by(journal, monkeypatch)

    def keep_head() -> None:
        raise OSError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(journal._files, "keep_head", keep_head)
        with pytest.raises(JournalError, match="Permission denied"):
            await journal.append("intent", {})
    await journal.append("intent", {"is": "the next"})
    assert [line.kind for line in lines_of(journal)] == ["opened", "intent", "intent", "intent"]


async def test_a_line_says_who_and_when(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    # The environment may name another user.
    monkeypatch.setenv("LOGNAME", "somebody")
    before = datetime.now(UTC)
    line = await journal.append("opened", {})
    assert before <= datetime.fromisoformat(line.at) <= datetime.now(UTC)
    assert line.at.endswith("Z")
    assert set(line.who) == {"user", "host", "profile"}
    assert line.who["user"] != "somebody"
    [written] = [json.loads(text) for text in (journal.folder / "journal-000001.jsonl").read_text().splitlines()]
    assert list(written) == sorted(written)


VALUES = [
    None, True, 5, -(2**63), 2**64, 2**53, 2**53 + 1, 1.0, -0.0, 0.1, 5e-324, math.inf, "", "ä\n\u2028\udc80",
    Float32(0.1), Float32(math.inf), b"\x00\xff", datetime(2026, 10, 2, 8, 14, 0, 250, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2))), [1, [2.5, None]], {"a": {"b": [1]}}, {"$int": "5", "b": 1},
    SparseArray(9, ((2, 1.5), (3, 2**60))), Typed("int64", 2**60), RawValue(DataType.UNKNOWN, "VT_X", 7, "why", b"1"),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=str)
async def test_a_value_comes_back_as_it_was(journal: Journal, value: Any) -> None:
    await journal.append("intent", {"old": value})
    [line] = lines_of(journal)
    found = line.fields["old"]
    assert (type(found), repr(found)) == (type(value), repr(value))


async def test_arrays_keep_dimensions_and_type_and_nan_is_nan(journal: Journal) -> None:
    array = Array([Float32(1.5), Float32(math.nan)], (1, 2), DataType.FLOAT)
    await journal.append("intent", {"new": array})
    found = lines_of(journal)[0].fields["new"]
    assert isinstance(found, Array)
    assert (found.dimensions, found.element_type, repr(found)) == ((1, 2), DataType.FLOAT, "[1.5, nan]")


def test_what_has_no_form_is_its_text_and_a_wrong_form_is_refused() -> None:
    assert from_form(to_form({"x": {1}})) == {"x": "{1}"}
    assert from_form(to_form(Array([], (0,), 99))).element_type == 99
    for form in ({"$int": None}, {"$strange": 1}, {"$array": [1]}, {"$time": 5}):
        with pytest.raises(ValueError, match=r"\$"):
            from_form(form)


async def test_secrets_are_never_written(journal: Journal) -> None:
    await journal.append(
        "intent", {"reason": "key mxgw_id_topsecret", "more": [{"mxgw_id_topsecret": "Bearer xyz123"}]}
    )
    journal.post("intent", {"command": "login ann topsecret", "values": [Typed("string", "mxgw_id_topsecret")]})
    await journal.append("intent", {"reason": "ordinary"})
    content = (journal.folder / "journal-000001.jsonl").read_text()
    assert "topsecret" not in content
    assert "xyz123" not in content


async def test_a_field_cannot_take_the_place_of_the_chain(journal: Journal) -> None:
    with pytest.raises(MxGatewayArgumentError, match="hash, number"):
        await journal.append("intent", {"number": 1, "hash": "x"})


async def test_nothing_is_written_after_the_end(tmp_path: Path) -> None:
    journal = made_in(tmp_path)
    journal.post("opened", {})
    head = await journal.aclose()
    assert head == lines_of(journal)[-1].head
    with pytest.raises(JournalError, match="closed"):
        await journal.append("intent", {})
    assert await journal.aclose() == head


async def test_the_next_one_continues_the_chain_and_sees_what_others_wrote(tmp_path: Path) -> None:
    first, second = made_in(tmp_path), made_in(tmp_path)
    await first.append("opened", {})
    mine = await second.append("opened", {})
    theirs = await first.append("intent", {"tag": "Plant.A"})
    assert (mine.number, theirs.number) == (2, 3)
    assert [line.number for line in second.foreign_lines()] == [1]
    await second.append("intent", {"tag": "Plant.A"})
    assert second.foreign_lines() == [theirs]
    assert second.foreign_lines() == []
    assert [line.number for line in first.foreign_lines()] == [2]
    await first.aclose()
    await second.aclose()


async def test_what_others_wrote_long_ago_is_no_news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = made_in(tmp_path)
    with monkeypatch.context() as earlier:
        earlier.setattr("zb_mom_ww_mxgateway.safety.journal.time_text", lambda moment: "2020-01-01T00:00:00.000000Z")
        await first.append("intent", {"tag": "Plant.A"})
    recent = await first.append("intent", {"tag": "Plant.A"})
    await first.aclose()
    second = made_in(tmp_path)
    await second.append("opened", {})
    assert second.foreign_lines() == [recent]
    await second.aclose()


async def test_a_journal_that_cannot_be_read_at_first_is_not_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made_in(tmp_path)
    await first.append("opened", {})
    await first.aclose()
    second = made_in(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr("zb_mom_ww_mxgateway.safety.journal_files._last_lines", lambda path, count: 1 / 0)
        with pytest.raises(JournalError):
            await second.append("opened", {})
    assert (await second.append("opened", {})).number == 2
    await second.aclose()


def full_disk(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Let the disk be full after some more bytes."""
    left, write = [after], os.write

    def short(handle: int, data: Any) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = write(handle, bytes(data)[: left[0]])
        left[0] -= written
        return written

    monkeypatch.setattr(os, "write", short)


@pytest.mark.parametrize("after", [0, 1, 100])
async def test_a_full_disk_is_reported_and_leaves_no_half_line(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    first = await journal.append("opened", {})
    with monkeypatch.context() as full:
        full_disk(full, after)
        with pytest.raises(JournalError, match=r"No space left.*MXGATEWAY_STATE"):
            await journal.append("intent", {"tag": "lost"})
    assert lines_of(journal) == [first]
    assert journal.problem is None
    again = await journal.append("intent", {"tag": "kept"})
    assert lines_of(journal) == [first, again]
    assert not again.after_torn


async def test_a_flush_that_fails_leaves_no_line(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    first = await journal.append("opened", {})
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fails)
        with pytest.raises(JournalError, match="Input/output"):
            await journal.append("intent", {})
    assert lines_of(journal) == [first]


async def test_posted_lines_are_kept_until_they_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = made_in(tmp_path)
    await journal.append("opened", {})
    with monkeypatch.context() as full:
        full_disk(full, 10)
        journal.post("answer", {"result": "completed"})
        await journal.drained()
        assert "No space left" in str(journal.problem)
        with pytest.raises(JournalError):
            await journal.append("intent", {"tag": "not sent"})
        with pytest.raises(JournalError):
            await journal.aclose()
    again = made_in(tmp_path)
    journal = made_in(tmp_path)
    with monkeypatch.context() as full:
        full_disk(full, 10)
        journal.post("outcome", {})
        await journal.drained()
    assert journal.problem is not None
    await journal.append("intent", {})
    assert journal.problem is None
    assert [line.kind for line in lines_of(again)] == ["opened", "outcome", "intent"]
    await journal.aclose()


async def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file is in its place")
    journal = made_in(tmp_path)
    with pytest.raises(JournalError, match="cannot be written"):
        await journal.append("opened", {})
    await journal.aclose()


async def test_a_head_that_cannot_be_kept_is_reported(journal: Journal) -> None:
    await journal.append("opened", {})
    (journal.head_folder / "journal.head").unlink()
    (journal.head_folder / "journal.head").mkdir()
    with pytest.raises(JournalError):
        await journal.append("intent", {})
    (journal.head_folder / "journal.head").rmdir()
    last = await journal.append("intent", {})
    assert kept_head(journal) == last.head
    assert [line.number for line in lines_of(journal)] == [1, 2, 3]


@pytest.mark.skipif(os.name == "nt", reason="rights are inherited there")
async def test_a_journal_that_others_may_change_is_refused(tmp_path: Path) -> None:
    journal = made_in(tmp_path)
    await journal.append("opened", {})
    path = journal.folder / "journal-000001.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    assert journal.folder.stat().st_mode & 0o777 == 0o700
    await journal.aclose()
    path.chmod(0o666)
    another = made_in(tmp_path)
    with pytest.raises(JournalError, match="chmod go-w"):
        await another.append("opened", {})
    await another.aclose()


async def test_the_loop_goes_on_while_another_process_holds_the_journal(journal: Journal) -> None:
    await journal.append("opened", {})
    with lock_of(journal.folder):
        waiting = asyncio.create_task(journal.append("intent", {}))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not waiting.done()
        journal.post("answer", {})
    assert (await waiting).number == 2
    await journal.drained()
    assert [line.kind for line in lines_of(journal)] == ["opened", "intent", "answer"]


async def test_a_journal_that_another_process_holds_for_long_is_reported(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await journal.append("opened", {})
    monkeypatch.setattr("zb_mom_ww_mxgateway.safety.journal_files._LOCK_SECONDS", 0.0)
    with lock_of(journal.folder), pytest.raises(JournalError, match=r"process.* has held.*; end that process, or set"):
        await journal.append("intent", {})
    assert (await journal.append("intent", {})).number == 2


async def test_a_line_that_waits_for_another_process_says_so_and_later_ones_wait_less(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await journal.append("opened", {})
    monkeypatch.setattr("zb_mom_ww_mxgateway.safety.journal._TELLS_AFTER", 0.01)
    monkeypatch.setattr("zb_mom_ww_mxgateway.safety.journal_files._LOCK_SECONDS", 1.0)
    told: list[str] = []
    journal.tell_wait = told.append
    with lock_of(journal.folder):
        with pytest.raises(JournalError, match="for 1 s"):
            await journal.append("intent", {})
        with pytest.raises(JournalError, match=r"for 0\.5 s"):
            await journal.append("intent", {})
    assert re.fullmatch(
        r"the journal waits for (process \d+|another process), which holds .*journal\.lock: at most 1 s", told[0]
    )
    assert (await journal.append("intent", {})).number == 2


async def test_a_dispensable_line_needs_no_journal_that_another_process_holds(journal: Journal) -> None:
    await journal.append("opened", {})
    with lock_of(journal.folder):
        journal.post("closed", {}, is_dispensable=True)
        await journal.drained()
        assert journal.problem is None
        assert [line.kind for line in lines_of(journal)] == ["opened"]
    # It waits for the next one.
    await journal.append("intent", {})
    assert [line.kind for line in lines_of(journal)] == ["opened", "closed", "intent"]


async def test_a_line_that_is_no_longer_awaited_is_written_all_the_same(journal: Journal) -> None:
    await journal.append("opened", {})
    with lock_of(journal.folder):
        waiting = asyncio.create_task(journal.append("intent", {}))
        await asyncio.sleep(0)
        waiting.cancel()
    await journal.drained()
    assert [line.kind for line in lines_of(journal)] == ["opened", "intent"]


async def test_a_disk_that_is_full_when_a_file_begins_leaves_the_chain_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = made_in(tmp_path, rotate_at=1)
    await journal.append("opened", {})
    for after in (0, 10, 500):
        with monkeypatch.context() as full:
            full_disk(full, after)
            with pytest.raises(JournalError):
                await journal.append("intent", {"text": "x" * 500})
    await journal.append("intent", {})
    head = await journal.aclose()
    assert [line.kind for line in lines_of(journal)] == ["opened", "rotated", "intent"]
    verdict = verify(journal.folder, journal.head_folder)
    assert (verdict.wrong, verdict.complete_up_to) == (None, head)


async def test_a_file_that_disappears_while_it_is_open_leaves_a_gap(journal: Journal) -> None:
    await journal.append("opened", {})
    await journal.append("intent", {})
    (journal.folder / "journal-000001.jsonl").unlink()
    line = await journal.append("answer", {})
    assert line.number == 3
    assert "lines 1 to 2 are missing before it" in str(verify(journal.folder, journal.head_folder).wrong)


async def test_a_file_that_is_cut_while_it_is_open_leaves_a_gap(journal: Journal) -> None:
    await journal.append("opened", {})
    await journal.append("intent", {})
    path = journal.folder / "journal-000001.jsonl"
    os.truncate(path, len(path.read_bytes().splitlines(keepends=True)[0]))
    await journal.append("answer", {})
    assert "line 2 is missing before it" in str(verify(journal.folder, journal.head_folder).wrong)


@pytest.mark.skipif(os.name != "posix", reason="there is no /dev/full")
async def test_a_file_that_is_no_regular_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o700)
    (tmp_path / "a" / "journal-000001.jsonl").symlink_to("/dev/full")
    journal = Journal(tmp_path / "a", tmp_path / "b", {})
    with pytest.raises(JournalError, match="is no regular file"):
        await journal.append("intent", {})
    journal.post("closed", {})
    with pytest.raises(JournalError, match="is no regular file"):
        await journal.aclose()
