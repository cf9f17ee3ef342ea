"""Files of a journal, as one process sees and continues them; others may append to them in between.

``journal-000001.jsonl``, ``journal-000002.jsonl`` … are never renamed and never removed. The head is kept a second
time in another folder. It is written after the lines are flushed, and is not flushed itself: after a loss of power it
may be older than the lines, which is no contradiction, but it is never newer. It is overwritten in place, by one write
of a fixed length within one sector: replacing the file would cost a second flush on usual file systems.
"""

import errno
import hashlib
import math
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from zb_mom_ww_mxgateway.safety.journal_chain import Head, JournalLine, parse_line, time_text
from zb_mom_ww_mxgateway.system.file_locks import holder_of, lock, locked, unlock
from zb_mom_ww_mxgateway.system.private_files import make_private_folder, open_to_others
from zb_mom_ww_mxgateway.system.state_dir import data_folder, state_folder

_NAME = re.compile(r"journal-(\d{6,})\.jsonl")
_HEAD_NAME = "journal.head"
_LOCK_NAME = "journal.lock"
_HEAD_LENGTH = 88
_LOCK_SECONDS = 10.0
_CHUNK = 65_536
_RECENT = timedelta(minutes=2)
_PLAIN = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class JournalPlaces(NamedTuple):
    """Where a journal is, and where its head is kept apart."""

    folder: Path
    head_folder: Path


def journal_places(*, demo: bool = False) -> JournalPlaces:
    """Return the places of the user's journal, or of the demo's own; raise MxGatewayArgumentError without a home."""
    name = "demo" if demo else "plant"
    return JournalPlaces(state_folder() / "journal" / name, data_folder() / "journal-head" / name)


def file_of(folder: Path, number: int) -> Path:
    """Return the path of the file of this number; the first is 1."""
    return folder / f"journal-{number:06}.jsonl"


def files_in(folder: Path) -> dict[int, Path]:
    """Return the files of a journal by their numbers, in order; raise OSError."""
    if not folder.is_dir():
        return {}
    named = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return dict(sorted((int(match[1]), path) for match, path in named if match))


@contextmanager
def lock_of(folder: Path) -> Iterator[None]:
    """Hold the lock of a journal; raise OSError, TimeoutError if another process holds it for 10 s."""
    with locked(folder / _LOCK_NAME, _LOCK_SECONDS):
        yield


def read_head(head_folder: Path) -> Head | None:
    """Return the head that is kept apart; None if there is none, or none that can be understood."""
    try:
        return Head.parse((head_folder / _HEAD_NAME).read_bytes()[:_HEAD_LENGTH].decode("ascii"))
    except (OSError, ValueError):
        return None


class JournalFiles:
    """Position of one process in the files of a journal. Every method but :meth:`close` needs the lock."""

    def __init__(self, folder: Path, head_folder: Path, rotate_at: int) -> None:
        self.folder: Path = folder
        self._head_folder, self._rotate_at = head_folder, rotate_at
        self._head_path, self._lock_path = str(head_folder / _HEAD_NAME), str(folder / _LOCK_NAME)
        self.head: Head = Head()
        self.head_missing: bool = False
        """Whether the head that is kept apart was missing when the files were opened, and no line says so yet."""
        self._take_name(1)
        self._handle: int | None = None
        self._good_end = 0
        """Offset after the last whole line."""
        self._written_to = 0
        """Offset after the last line that this process wrote."""
        self._size = 0
        """Bytes of the newest file, which do not change while the lock is held, except by this process."""
        self.last_flush: float = math.inf
        """Seconds that the last flush took."""
        self._is_known = False
        """Whether `head` is known from the files, or from what this process wrote."""
        self.waits_for: float | None = None
        """The seconds that it waits for the lock at most, while it does."""

    @contextmanager
    def locked(self, patience: float | None = None) -> Iterator[None]:
        """Hold the lock of the journal, whose folder is made if it is missing; raise OSError."""
        self.waits_for = seconds = _LOCK_SECONDS if patience is None else patience
        try:
            handle = lock(self._lock_path, seconds)
        except FileNotFoundError:
            make_private_folder(self.folder)
            handle = lock(self._lock_path, seconds)
        finally:
            self.waits_for = None
        try:
            yield
        finally:
            unlock(handle)

    def wait_text(self) -> str:
        """Return whom it waits for, and for how long; empty where it does not."""
        if (seconds := self.waits_for) is None:
            return ""
        path = self._lock_path
        return f"the journal waits for {holder_of(path)}, which holds {path}: at most {seconds:g} s"

    def _take_name(self, number: int) -> None:
        self._number = number
        self.path: Path = file_of(self.folder, number)
        """The newest file."""
        self._next = file_of(self.folder, number + 1)

    @property
    def needs_first_line(self) -> bool:
        """Whether the newest file continues another one, and does not say so yet."""
        return self._number > 1 and self._good_end == 0

    @property
    def name_before(self) -> str:
        """Name of the file that the newest one continues."""
        return file_of(self.folder, self._number - 1).name

    def torn(self) -> bytes:
        """Return the bytes of an unfinished line at the end; raise OSError."""
        return self._read(self._good_end) if self._size > self._good_end else b""

    def catch_up(self) -> list[JournalLine]:
        """Take in what others appended since the last time, and return it; raise OSError.

        What does not continue the chain is not returned, and the next line does not continue it either: so the break
        stays visible.
        """
        if self._handle is None or self._was_changed():
            return self._open()
        lines = self._new_lines()
        while self._next.exists():
            self._take_file(self._number + 1)
            lines += self._new_lines()
        return [line for line in lines if self._continues(line)]

    def begin_next_if_full(self) -> None:
        """Begin another file if the newest one is full and ends with a whole line; raise OSError."""
        if self._good_end >= self._rotate_at and self._size == self._good_end:
            self._take_file(self._number + 1)

    def append(self, content: bytes, head: Head) -> None:
        """Append whole lines, which end with `head`, and flush them to the disk; raise OSError.

        After an error nothing of them is left, as far as the disk allows it.
        """
        handle, start = self._opened(), self._size
        if start and start != self._written_to and self._read(start - 1, 1) != b"\n":
            content = b"\n" + content
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(handle, rest) :]
            began = time.perf_counter()
            os.fsync(handle)
            self.last_flush = time.perf_counter() - began
        except BaseException:
            with suppress(OSError):
                os.ftruncate(handle, start)
            raise
        self._good_end = self._size = self._written_to = start + len(content)
        self.head, self.head_missing = head, False

    def close(self) -> None:
        """Close the file."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def keep_head(self) -> None:
        """Keep the head apart; raise OSError."""
        try:
            handle = self._opened_head()
        except FileNotFoundError:
            make_private_folder(self._head_folder)
            handle = self._opened_head()
        try:
            os.write(handle, f"{self.head}\n".rjust(_HEAD_LENGTH).encode("ascii"))
        finally:
            os.close(handle)

    def _opened_head(self) -> int:
        return os.open(self._head_path, os.O_WRONLY | os.O_CREAT | _PLAIN, 0o600)

    def _open(self) -> list[JournalLine]:
        """Open the newest file and find the head: the one that is known, or kept apart, or what continues it here.

        Return the lines after it; the first time, those of the last minutes: a write of theirs may be under way.
        """
        self._take_file(max(files_in(self.folder), default=1))
        if others := open_to_others(self.path):
            self.close()
            raise PermissionError(f"{others}, when you have made sure that the lines are yours")
        kept = self.head if self._is_known else read_head(self._head_folder)
        lines = self._lines_back_to(kept.count if kept else None)
        later = lines
        if kept is None:
            # Nothing says where the chain ends but the files.
            self.head_missing = bool(lines)
            self.head = lines[-1].head if lines else Head()
        else:
            self.head = kept
            place = next((index for index, line in enumerate(lines, start=1) if line.head == kept), 0)
            later = [line for line in lines[place:] if self._continues(line)]
        if not self._is_known:
            recent = time_text(datetime.now(UTC) - _RECENT)
            later = [line for line in lines if line.at >= recent]
        self._is_known = True
        return later

    def _continues(self, line: JournalLine) -> bool:
        if continues := line.follows(self.head):
            self.head = line.head
        return continues

    def _take_file(self, number: int) -> None:
        """Open the file of this number, which is made if it is missing; its lines are not read yet."""
        self.close()
        self._take_name(number)
        self._good_end = self._written_to = 0
        is_new = not self.path.exists()
        if not is_new and not self.path.is_file():
            raise OSError(errno.EINVAL, f"{self.path.name} is no regular file")
        self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _PLAIN, 0o600)
        self._size = os.fstat(self._handle).st_size
        if is_new and sys.platform != "win32":
            # The name of a new file is flushed with its folder.
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _new_lines(self) -> list[JournalLine]:
        if self._size <= self._good_end:
            return []
        lines, self._good_end = _whole_lines(self._read(self._good_end), self._good_end)
        return lines

    def _lines_back_to(self, count: int | None) -> list[JournalLine]:
        """Return the last lines, at least back to the line of this number; None: at least one."""
        found: list[JournalLine] = []
        for number in range(self._number, 0, -1):
            path = file_of(self.folder, number)
            if not path.exists():
                break
            lines, good_end = _last_lines(path, count)
            if number == self._number:
                self._good_end = good_end
            found = lines + found
            if found and (count is None or found[0].number <= count):
                break
        return found

    def _was_changed(self) -> bool:
        """Whether the file was removed, replaced or cut since it was opened."""
        opened = os.fstat(self._opened())
        self._size = opened.st_size
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return True
        return not os.path.samestat(opened, there) or opened.st_size < self._good_end

    def _opened(self) -> int:
        assert self._handle is not None, "the file is opened by catch_up"
        return self._handle

    def _read(self, start: int, length: int = -1) -> bytes:
        with open(self._opened(), "rb", buffering=0, closefd=False) as file:
            file.seek(start)
            return file.read(length)


def _whole_lines(content: bytes, start: int) -> tuple[list[JournalLine], int]:
    """Return the lines of bytes that begin at this offset of a file, and the offset after the last of them.

    A crash may have left the last one without its end.
    """
    lines: list[JournalLine] = []
    good_end = end = start
    for text in content.splitlines(keepends=True):
        end += len(text)
        with suppress(ValueError):
            lines.append(parse_line(text.removesuffix(b"\n")))
            good_end = end
    return lines, good_end


def _last_lines(path: Path, count: int | None) -> tuple[list[JournalLine], int]:
    """Return the last lines of a file, back to this number if it has it, and the offset after the last of them."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        length = _CHUNK
        while True:
            start = max(0, size - length)
            file.seek(start)
            lines, good_end = _whole_lines(file.read(), start)
            if start == 0 or (lines and (count is None or lines[0].number <= count)):
                return lines, good_end if lines else 0
            length *= 4


def torn_hash(content: bytes) -> str:
    """Return the hash by which a line names the unfinished bytes before it."""
    return hashlib.sha256(content).hexdigest()
