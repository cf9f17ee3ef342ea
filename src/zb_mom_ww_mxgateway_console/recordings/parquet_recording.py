"""A recording as Parquet: written in parts, and one file once it has ended.

A Parquet file cannot be read before its end is written. So rows go to a part of JSON Lines first, which a killed
process leaves as whole as any recording; a part of some size becomes Parquet; and the end puts all parts into the file.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, Self, TextIO

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.recordings.arrow_columns import ARROW_COLUMNS, schema
from zb_mom_ww_mxgateway.recordings.parts import LAST_PART, last_part_in, part_path, parts_after, parts_folder
from zb_mom_ww_mxgateway.recordings.recording import batches_of_lines, read_recording
from zb_mom_ww_mxgateway.system.extras import extra
from zb_mom_ww_mxgateway.system.file_locks import lock, unlock
from zb_mom_ww_mxgateway.system.private_files import flush_folder
from zb_mom_ww_mxgateway.system.regular_files import put_in_place
from zb_mom_ww_mxgateway_console.process.written_files import open_text, refuse_special
from zb_mom_ww_mxgateway_console.recordings.recording_file import RecordingFile
from zb_mom_ww_mxgateway_console.recordings.row_text import Row, text_of
from zb_mom_ww_mxgateway_console.recordings.text_files import continue_, is_there_already, unwritable

PART_ROWS, PART_BYTES = 50_000, 32 << 20
"""A part that has so many rows, or characters, becomes Parquet."""
_GROUP_ROWS, _GROUP_BYTES = 128 << 10, 64 << 20
"""A row group of the file has so many rows, or bytes in memory."""
_LOCK, _FRESH = "lock", "whole.tmp"


class ParquetRecording(RecordingFile):
    """A recording as Parquet. :meth:`open` makes it."""

    def __init__(self, path: Path, folder: Path, handle: int) -> None:
        """`handle` is the lock of the folder."""
        # A link stays one: the file that it names is replaced.
        self._path = path.resolve() if path.is_symlink() else path
        self._folder = folder
        self._lock: int | None = handle
        # Numbers of parts that the file has are used up, even where a killed process left them in the folder.
        self._last = _last_part_of(path)
        self._part: TextIO | None = None
        self._rows = self._size = 0
        self._is_done = False

    @classmethod
    def open(cls, path: Path, *, append: bool) -> Self:
        """Open it as :func:`open_recording` does."""
        _parquet()
        folder = parts_folder(path)
        try:
            refuse_special(path)
            if path.exists():
                if not append:
                    raise is_there_already(path)
                _check_whole(path)
            if parts_after(folder, 0) and not append:
                raise MxGatewayArgumentError(
                    f"{folder} is there already, with the rows of a recording that did not end: --append continues it, "
                    "another name keeps it"
                )
            folder.mkdir(exist_ok=True)
            handle = _locked(folder / _LOCK)
        except TimeoutError:
            raise MxGatewayArgumentError(f"{path} is being recorded by another process") from None
        except OSError as error:
            raise unwritable(path, error) from error
        made = cls(path, folder, handle)
        try:
            made._take_up()
        except OSError as error:
            made.close()
            raise unwritable(path, error) from error
        except BaseException:
            made.close()
            raise
        return made

    def _take_up(self) -> None:
        """Go on after the last part there is. One of lines becomes Parquet; a row of it that was cut off is mended."""
        for number, part in parts_after(self._folder, self._last):
            self._last = number
            if part.suffix == ".jsonl":
                self._complete(continue_(part, "jsonl", raw=False))

    @property
    def is_closed(self) -> bool:
        return self._lock is None

    @property
    def remains(self) -> str:
        if self._is_done:
            return ""
        return f"the rows are in {self._folder}: read_recording reads them, --append continues them"

    def put(self, rows: Iterable[Row]) -> None:
        rows = list(rows)
        if self._part is None:
            self._last += 1
            lines = part_path(self._folder, self._last, ".jsonl")
            self._part = open_text(lines, "x", errors="backslashreplace", newline="")
            self._rows = self._size = 0
        text = text_of(rows, "jsonl")
        self._part.write(text)
        self._part.flush()
        self._rows += len(rows)
        self._size += len(text)
        if self._rows >= PART_ROWS or self._size >= PART_BYTES:
            self._complete(self._part)

    def _complete(self, part: TextIO) -> None:
        """Make a part of lines, the last one, one of Parquet."""
        part.close()
        self._part = None
        lines = part_path(self._folder, self._last, ".jsonl")
        whole, fresh = lines.with_suffix(".parquet"), lines.with_suffix(".tmp")
        if lines.stat().st_size:
            with lines.open("rb") as file:
                _write(fresh, batches_of_lines(file, _arrow()), self._last)
            put_in_place(fresh, whole)
            flush_folder(self._folder)
        # Windows keeps it while somebody reads it; the one in Parquet counts.
        with suppress(OSError):
            lines.unlink()

    def finish(self) -> None:
        try:
            if self._part is not None:
                self._complete(self._part)
            parts = parts_after(self._folder, _last_part_of(self._path))
            fresh = self._folder / _FRESH
            if parts:
                if len(parts) == 1 and not self._path.exists():
                    fresh = parts[0].path
                else:
                    _write(fresh, read_recording(self._path).to_batches(), self._last)
                with suppress(OSError):  # There may be none yet, and not every file system has modes.
                    shutil.copymode(self._path, fresh)
                put_in_place(fresh, self._path)
                flush_folder(self._path.parent)
            self._is_done = True
            self._remove_folder()
        finally:
            self.close()

    def close(self) -> None:
        self._close_part()
        self._unlock()

    def _close_part(self) -> None:
        if self._part is not None:
            with suppress(OSError):
                self._part.close()
            self._part = None

    def _unlock(self) -> None:
        if self._lock is not None:
            with suppress(OSError):
                unlock(self._lock)
            self._lock = None

    def discard(self) -> None:
        self._close_part()
        try:
            self._remove_folder()
        finally:
            self.close()

    def _remove_folder(self) -> None:
        """Remove the folder with the parts that the file has, unless it has others. Still locked: another process may
        be about to continue the recording."""
        with suppress(OSError):
            if parts_after(self._folder, _last_part_of(self._path)):
                return
            for each in self._folder.iterdir():
                if each.name != _LOCK:
                    each.unlink()
            if sys.platform == "win32":
                self._unlock()  # Windows removes no file that is open, so not one that another process has locked.
            (self._folder / _LOCK).unlink()
            self._folder.rmdir()


def _locked(path: Path) -> int:
    """Take the lock of a folder; raise TimeoutError where another process has it, or removed it just now."""
    handle = lock(path, 0)
    try:
        if os.path.samestat(os.fstat(handle), path.stat()):
            return handle
    except FileNotFoundError:
        pass
    unlock(handle)
    raise TimeoutError(f"{path} was removed while it was locked")


def _write(path: Path, batches: Iterator[Any], last: int) -> None:
    """Write a Parquet file that is on the disk when this returns; `last` is the number of the last part in it."""
    arrow, parquet = _arrow(), _parquet()
    kept = schema(arrow).with_metadata({LAST_PART: str(last)})
    try:
        with path.open("wb") as file:
            _write_groups(file, batches, kept, arrow, parquet)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def _write_groups(file: BinaryIO, batches: Iterator[Any], kept: Any, arrow: ModuleType, parquet: ModuleType) -> None:
    with parquet.ParquetWriter(file, kept, compression="zstd") as writer:
        group: list[Any] = []
        rows = size = 0
        for batch in chain(batches, [None]):
            if batch is not None:
                group.append(batch)
                rows, size = rows + batch.num_rows, size + batch.nbytes
            if group and (batch is None or rows >= _GROUP_ROWS or size >= _GROUP_BYTES):
                writer.write_table(arrow.Table.from_batches(group))
                group, rows, size = [], 0, 0


def _check_whole(path: Path) -> None:
    """Raise MxGatewayArgumentError unless it is a Parquet recording that can be continued."""
    if not path.is_file():
        raise MxGatewayArgumentError(f"cannot write {path}: it is a device or a folder; name a file")
    try:
        names = _parquet().read_schema(path).names
    except (OSError, _arrow().ArrowException) as error:
        raise MxGatewayArgumentError(f"{path} is not a Parquet recording that can be continued: {error}") from error
    if tuple(names) != ARROW_COLUMNS:
        raise MxGatewayArgumentError(
            f"{path} is not a Parquet recording that can be continued: its columns are {', '.join(names)[:120]}; "
            "take another name"
        )


def _last_part_of(path: Path) -> int:
    return last_part_in(_parquet().read_schema(path).metadata) if path.exists() else 0


def _parquet() -> ModuleType:
    return extra("pyarrow.parquet", "parquet", "Parquet")


def _arrow() -> ModuleType:
    return extra("pyarrow", "parquet", "Parquet")
