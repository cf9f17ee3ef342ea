"""A recording as CSV or JSON Lines."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from zb_mom_ww_mxgateway.recordings.columns import TextFormat
from zb_mom_ww_mxgateway_console.recordings.recording_file import RecordingFile
from zb_mom_ww_mxgateway_console.recordings.row_text import Row, text_of


class TextRecording(RecordingFile):
    """A recording as CSV or JSON Lines. It is complete after each row."""

    def __init__(self, path: Path, file: TextIO, form: TextFormat, *, raw: bool, is_new: bool) -> None:
        self._path = path
        self._file = file
        self._form: TextFormat = form
        self._raw = raw
        self._is_new = is_new

    @property
    def is_closed(self) -> bool:
        return self._file.closed

    def put(self, rows: Iterable[Row]) -> None:
        self._file.write(text_of(rows, self._form, raw=self._raw))
        self._file.flush()

    def finish(self) -> None:
        self._file.close()

    def close(self) -> None:
        with suppress(OSError):
            self._file.close()

    def discard(self) -> None:
        self.close()
        if self._is_new:
            with suppress(OSError):
                self._path.unlink()
