"""Whether a journal is unaltered, and complete up to a head.

*Unaltered*: each line has its hash, and follows the line before it. *Complete up to a head*: the journal has that many
lines, and that hash is the last one's; only this shows that its newest lines, or all of it, are still there. No more is
promised: whoever replaces the lines and the head that is kept apart is found only by a head that was printed, or by a
seal.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from zb_mom_ww_mxgateway.safety.journal_chain import Head, JournalError, JournalLine, is_beginning, parse_line
from zb_mom_ww_mxgateway.safety.journal_files import file_of, files_in, lock_of, read_head, torn_hash
from zb_mom_ww_mxgateway.safety.journal_seal import Seal
from zb_mom_ww_mxgateway.safety.seal_keys import SealKey


@dataclass(frozen=True, slots=True)
class JournalPlace:
    """A place in a journal, and what is there."""

    file: str
    line: int
    """The first is 1; 0 for the whole file."""
    what: str

    def __str__(self) -> str:
        return f"{self.file}{f':{self.line}' if self.line else ''}: {self.what}"


@dataclass(frozen=True, slots=True)
class JournalSeal:
    """A seal in a journal: a signature of the head before it."""

    place: str
    head: Head
    """The seal covers the lines up to this one."""
    key: str
    """Fingerprint of the key, as the line has it."""
    is_checked: bool
    """Whether it is by the key that was given."""


@dataclass(frozen=True, slots=True)
class JournalVerdict:
    """Result of :func:`verify`."""

    wrong: JournalPlace | None
    """The first place that is wrong; None for an unaltered journal."""
    end: Head
    """The last line that is right."""
    complete_up_to: Head | None
    """The head that the journal was compared with, if it has all of it; None without one, and for a wrong journal."""
    torn: JournalPlace | None
    """The unfinished last line that a crash has left; it is no alteration."""
    seals: tuple[JournalSeal, ...]
    notes: tuple[str, ...]
    """What else is worth knowing."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """Files of a journal with their lengths, and the head that was kept apart then."""

    folder: Path
    files: dict[int, tuple[Path, int]]
    kept: Head | None


def verify(
    folder: Path, head_folder: Path | None = None, head: Head | None = None, key: SealKey | None = None
) -> JournalVerdict:
    """Read a whole journal and compare it with a head: with `head`, and with the one kept in `head_folder`.

    Check each seal against `key`. Other processes may go on writing meanwhile; their new lines are left out.
    Raise JournalError if the journal cannot be read.
    """
    try:
        found = _snapshot(folder, head_folder)
        walk = _Walk(found, [each for each in (head, found.kept) if each is not None], key)
        with suppress(_Wrong):
            walk.go()
    except OSError as error:
        raise JournalError(f"the journal in {folder} cannot be read: {error.strerror or error}") from error
    return walk.verdict()


def _snapshot(folder: Path, head_folder: Path | None) -> _Snapshot:
    def taken() -> _Snapshot:
        files = {number: (path, path.stat().st_size) for number, path in files_in(folder).items()}
        return _Snapshot(folder, files, read_head(head_folder) if head_folder else None)

    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        return taken()  # A copy that no one writes to.
    with lock_of(folder):
        return taken()


class _Wrong(Exception):
    """The walk has found the first wrong place."""


@dataclass(slots=True)
class _Unread:
    """Bytes that are no line, since the last line that is one."""

    place: int = 0
    """Line in the file where they begin; 0 if there are none."""
    what: str = ""
    content: bytes = b""

    def add(self, place: int, text: bytes, what: str) -> None:
        self.place, self.what = self.place or place, self.what or what
        self.content += text

    def are_named_by(self, line: JournalLine) -> bool:
        """Whether the line behind them names exactly these bytes, as one that follows a crash does; or there are none
        and it names none."""
        if not self.place:
            return not (line.after_torn or line.torn)
        return line.after_torn and line.torn == torn_hash(self.content[:-1])


class _Walk:
    """One reading of a journal from its first line to the first wrong place, or to its end."""

    def __init__(self, found: _Snapshot, heads: list[Head], key: SealKey | None) -> None:
        self._found, self._heads, self._key = found, heads, key
        self._end = Head()
        self._wrong: JournalPlace | None = None
        self._torn: JournalPlace | None = None
        self._seals: list[JournalSeal] = []
        self._notes: list[str] = []

    def go(self) -> None:
        """Raise _Wrong at the first wrong place."""
        last = max(self._found.files, default=0)
        for number in range(1, last + 1):
            if number not in self._found.files:
                raise self._wrong_at(file_of(self._found.folder, number).name, 0, "this file is missing")
            self._file(number, is_last=number == last)
        for head in self._heads:
            if head.count > self._end.count:
                where = self._found.files[last][0].name if last else str(self._found.folder)
                missing = _numbered(self._end.count + 1, head.count)
                raise self._wrong_at(where, 0, f"its end is cut off: {missing} missing of the head {head}")

    def verdict(self) -> JournalVerdict:
        latest = max(self._heads, key=lambda head: head.count, default=None)
        return JournalVerdict(
            wrong=self._wrong,
            end=self._end,
            complete_up_to=None if self._wrong else latest,
            torn=self._torn,
            seals=tuple(self._seals),
            notes=tuple(self._notes),
        )

    def _wrong_at(self, file: str, line: int, what: str) -> _Wrong:
        self._wrong = JournalPlace(file, line, what)
        return _Wrong()

    def _file(self, number: int, *, is_last: bool) -> None:
        path, size = self._found.files[number]
        has_line, unread = False, _Unread()
        with path.open("rb") as file:
            *texts, rest = file.read(size).split(b"\n")
        for place, text in enumerate(texts, start=1):
            try:
                line = parse_line(text)
            except ValueError as error:
                if not is_beginning(text):
                    raise self._wrong_at(path.name, unread.place or place, unread.what or str(error)) from None
                unread.add(place, text + b"\n", str(error))
                continue
            if not unread.are_named_by(line):
                what = "it names an unfinished line before it, and there is none"
                raise self._wrong_at(path.name, unread.place or place, unread.what or what)
            if unread.place:
                self._notes.append(f"{path.name}:{unread.place}: a crash left this unfinished, as the next line says")
                unread = _Unread()
            if number > 1 and not has_line:
                self._first_line(path.name, place, line, file_of(self._found.folder, number - 1).name)
            self._line(path.name, place, line)
            has_line = True
        if rest and is_last:
            self._tail(path.name, len(texts) + 1, rest)
        elif rest or unread.place:
            raise self._wrong_at(path.name, unread.place or len(texts) + 1, unread.what or "it has no end")
        elif not has_line and not is_last:
            raise self._wrong_at(path.name, 0, "it has no line")

    def _tail(self, name: str, place: int, text: bytes) -> None:
        """Judge what is behind the last end of a line."""
        whole: JournalLine | None = None
        with suppress(ValueError):
            whole = parse_line(text)
        if not is_beginning(text) or (whole is not None and not whole.follows(self._end)):
            raise self._wrong_at(name, place, "it has no end, and it is not the beginning of the next line")
        self._torn = JournalPlace(name, place, f"the last line is unfinished ({len(text)} bytes), as a crash leaves it")

    def _first_line(self, name: str, place: int, line: JournalLine, before: str) -> None:
        if line.kind != "rotated" or line.fields.get("file_before") != before:
            raise self._wrong_at(name, place, f"the first line does not say that the file continues {before}")

    def _line(self, name: str, place: int, line: JournalLine) -> None:
        """Take in a line; raise _Wrong if it does not follow the one before, or if a head names another one."""
        if line.number > self._end.count + 1:
            raise self._wrong_at(name, place, f"{_numbered(self._end.count + 1, line.number - 1)} missing before it")
        if not line.follows(self._end):
            raise self._wrong_at(name, place, "it does not follow the line before it: one of the two was changed")
        for head in self._heads:
            if head.count == line.number and head != line.head:
                raise self._wrong_at(name, place, f"it is another line than the one of the head {head}")
        if line.head_missing:
            self._notes.append(
                f"{name}:{place}: the head that is kept apart was missing then; lines before may be, too"
            )
        if line.kind == "sealed":
            self._seal(name, place, line)
        self._end = line.head

    def _seal(self, name: str, place: int, line: JournalLine) -> None:
        try:
            seal = Seal.of(line)
            if seal.head != self._end:
                raise ValueError("it seals another head than that of the line before it")
            is_checked = self._key is not None and self._key.fingerprint == seal.fingerprint
            if is_checked and self._key is not None:
                seal.check(self._key)
        except ValueError as error:
            raise self._wrong_at(name, place, str(error)) from None
        self._seals.append(JournalSeal(f"{name}:{place}", seal.head, seal.fingerprint, is_checked))


def _numbered(first: int, last: int) -> str:
    return f"line {first} is" if first == last else f"lines {first} to {last} are"
