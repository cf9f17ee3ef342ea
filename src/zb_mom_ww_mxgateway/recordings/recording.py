"""Reading of a recording: row by row, or as a table of Arrow, pandas or Polars."""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, BinaryIO

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.recordings.arrow_columns import ARROW_COLUMNS, batch_of, rows_of, schema
from zb_mom_ww_mxgateway.recordings.columns import NEEDED, Format
from zb_mom_ww_mxgateway.recordings.parts import last_part_in, parts_after, parts_folder
from zb_mom_ww_mxgateway.recordings.recorded_row import RecordedRow
from zb_mom_ww_mxgateway.recordings.text_rows import (
    LONGEST_ROW,
    TornRow,
    cells_of,
    csv_cells,
    json_object,
    json_objects,
)
from zb_mom_ww_mxgateway.system.extras import extra, package

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

_BATCH = 65_536
_LONG = 4_000_000
"""Characters or elements of the values of a batch that has fewer rows."""
_BOM = b"\xef\xbb\xbf"
_PARQUET, _OBJECT = b"PAR1", b'{"kind": "'
_SHOWN = 120


def read_recording(path: str | os.PathLike[str], *, csv_raw: bool = False) -> "Recording":
    """Open a recording, which may still be written: CSV, JSON Lines or Parquet, by its content.

    `csv_raw` is for CSV recorded with ``--csv-raw``, whose texts are as they were sent. A Parquet recording that was
    not ended, as by a killed process, is read from its parts.

    Raises MxGatewayArgumentError where it cannot be read or is no recording, and MxGatewayMissingExtraError where
    Parquet needs the extra ``parquet``.
    """
    return Recording(Path(path), csv_raw=csv_raw)


class Recording:
    """A recording. Each iteration, and each table, reads its files again, in constant memory for rows and batches.

    A row that is not whole, as after a lost power, is one of kind ``torn``.
    """

    def __init__(self, path: Path, *, csv_raw: bool = False) -> None:
        """See :func:`read_recording`."""
        self.path = path
        """The file."""
        self._raw = csv_raw
        self.format: Format = self._format()
        """``csv``, ``jsonl`` or ``parquet``."""
        if self.format == "parquet":
            extra("pyarrow.parquet", "parquet", "Parquet")
        else:
            with self._open(path) as file:
                self._places(file)

    def __iter__(self) -> Iterator[RecordedRow]:
        """Yield every row. Raises MxGatewayArgumentError where a file cannot be read any more."""
        if self.format == "parquet":
            arrow = _arrow()
            for batch in self.to_batches():
                yield from rows_of(batch, arrow)
            return
        with self._open(self.path) as file:
            places = self._places(file)
            if self.format == "jsonl":
                yield from _rows_of_lines(file)
                return
            for cells in csv_cells(file, len(places)):
                if isinstance(cells, TornRow):
                    yield RecordedRow.of_torn(cells)
                else:
                    yield RecordedRow.of_cells(cells, places, raw=self._raw)

    def to_batches(self, size: int = _BATCH) -> "Iterator[pyarrow.RecordBatch]":
        """Yield record batches of at most `size` rows: for what is larger than memory. Needs the extra ``parquet``."""
        arrow = _arrow()
        if self.format == "parquet":
            yield from self._parquet_batches(arrow, size)
            return
        yield from _batches_of(self, arrow, size)

    def to_arrow(self) -> "pyarrow.Table":
        """Return all rows as a table, with a column for each type of value: ``value_double``, ``value_int`` … Needs the
        extra ``parquet``."""
        arrow = _arrow()
        return arrow.Table.from_batches(self.to_batches(), schema(arrow))

    def to_pandas(self) -> "pandas.DataFrame":
        """Return all rows as a DataFrame. Whole numbers, also missing ones, stay exact. Needs pandas and the extra
        ``parquet``."""
        arrow, library = _arrow(), package("pandas", "to_pandas")
        kinds = {
            arrow.int32(): library.Int32Dtype(),
            arrow.int64(): library.Int64Dtype(),
            arrow.uint64(): library.UInt64Dtype(),
            arrow.bool_(): library.BooleanDtype(),
        }
        return self.to_arrow().to_pandas(types_mapper=kinds.get)

    def to_polars(self) -> "polars.DataFrame":
        """Return all rows as a DataFrame of Polars. Needs Polars and the extra ``parquet``."""
        frame: polars.DataFrame = package("polars", "to_polars").from_arrow(self.to_arrow())
        return frame

    # The files.

    def _format(self) -> Format:
        is_unfinished = bool(parts_after(parts_folder(self.path), 0))
        if is_unfinished and not self.path.exists():
            return "parquet"
        with self._open(self.path) as file:
            first = file.read(4)
        if first == _PARQUET:
            return "parquet"
        return "jsonl" if first.removeprefix(_BOM).startswith(b"{") else "csv"

    def _open(self, path: Path) -> BinaryIO:
        file = self._open_if_there(path)
        if file is None:
            raise MxGatewayArgumentError(f"cannot read {path}: {os.strerror(errno.ENOENT)}")
        return file

    def _open_if_there(self, path: Path) -> BinaryIO | None:
        try:
            if not (stat.S_ISREG(mode := path.stat().st_mode) or stat.S_ISDIR(mode)):
                # A pipe would block, and cannot be read twice.
                raise MxGatewayArgumentError(f"cannot read {path}: it is no regular file")
            return path.open("rb")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise MxGatewayArgumentError(f"cannot read {path}: {error.strerror or error}") from error

    def _places(self, file: BinaryIO) -> dict[str, int]:
        """Check the first line, and return the place of each column of CSV; the file is where the rows begin."""
        first = file.readline(LONGEST_ROW)
        line = first.removeprefix(_BOM)
        if self.format == "jsonl":
            found = json_object(line)
            # One that is damaged, and begins as ours do, is a torn row.
            names = list(NEEDED) if found is None and line.startswith(_OBJECT) else list(found or ())
            file.seek(len(first) - len(line))
        else:
            names = cells_of(line) or []
        if not NEEDED.issubset(names):
            shown = line[:_SHOWN].decode("utf-8", "backslashreplace")
            raise self._not_a_recording(f"its first line is {shown!r}" if line else "it is empty")
        return {name: place for place, name in enumerate(names)}

    def _not_a_recording(self, why: str) -> MxGatewayArgumentError:
        return MxGatewayArgumentError(f"{self.path} is no recording: {why}")

    def _parquet_batches(self, arrow: ModuleType, size: int) -> "Iterator[pyarrow.RecordBatch]":
        last = 0
        if is_ended := self.path.exists():
            with self._open_parquet(arrow, self.path) as file:
                last = last_part_in(file.schema_arrow.metadata)
                yield from self._batches_in(arrow, file, size)
        parts = parts_after(parts_folder(self.path), last)
        if not parts and not is_ended:
            raise MxGatewayArgumentError(f"{self.path} was ended while it was read: read it again")
        for number, path in parts:
            # One of lines may have become Parquet meanwhile.
            if path.suffix == ".jsonl" and (lines := self._open_if_there(path)) is not None:
                with lines:
                    yield from batches_of_lines(lines, arrow, size)
                continue
            complete = path.with_suffix(".parquet")
            if not complete.exists():
                raise MxGatewayArgumentError(f"{self.path} was ended while it was read (part {number}): read it again")
            with self._open_parquet(arrow, complete) as file:
                yield from self._batches_in(arrow, file, size)

    def _open_parquet(self, arrow: ModuleType, path: Path) -> Any:
        try:
            return extra("pyarrow.parquet", "parquet", "Parquet").ParquetFile(path)
        except (OSError, arrow.ArrowException) as error:
            raise MxGatewayArgumentError(f"cannot read {path}: {error}") from error

    def _batches_in(self, arrow: ModuleType, file: Any, size: int) -> "Iterator[pyarrow.RecordBatch]":
        wanted = schema(arrow)
        missing = [name for name in ARROW_COLUMNS if name not in file.schema_arrow.names]
        if missing:
            raise self._not_a_recording(f"it has no column {', '.join(missing[:3])}")
        try:
            for batch in file.iter_batches(size, columns=list(ARROW_COLUMNS)):
                # Another program may have written it, with other types of the same columns.
                yield from arrow.Table.from_batches([batch]).select(ARROW_COLUMNS).cast(wanted).to_batches()
        except (OSError, arrow.ArrowException) as error:
            raise MxGatewayArgumentError(f"cannot read {self.path}: {error}") from error


def batches_of_lines(file: BinaryIO, arrow: ModuleType, size: int = _BATCH) -> "Iterator[pyarrow.RecordBatch]":
    """Yield the rows of a part in JSON Lines, which may have none, as record batches. Raises OSError."""
    return _batches_of(_rows_of_lines(file), arrow, size)


def _rows_of_lines(file: BinaryIO) -> Iterator[RecordedRow]:
    for form in json_objects(file):
        yield RecordedRow.of_torn(form) if isinstance(form, TornRow) else RecordedRow.of_object(form)


def _batches_of(rows: Iterable[RecordedRow], arrow: ModuleType, size: int) -> "Iterator[pyarrow.RecordBatch]":
    """Yield record batches of at most `size` rows, and of fewer where the values are long."""
    some: list[RecordedRow] = []
    weight = 0
    for row in rows:
        some.append(row)
        weight += len(row.value) if isinstance(row.value, list | str) else 0
        if len(some) >= size or weight >= _LONG:
            yield batch_of(some, arrow)
            some, weight = [], 0
    if some:
        yield batch_of(some, arrow)


def _arrow() -> ModuleType:
    return extra("pyarrow", "parquet", "a table of a recording")
