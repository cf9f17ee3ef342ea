"""The file that gets a copy of what is typed and shown."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway_console.render.forms import safe
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.process.regular_files import open_text


class Transcript:
    """A file that gets a copy of what is typed and shown, without keys, from :meth:`start` to :meth:`stop`."""

    def __init__(self, report: Callable[[str], None]) -> None:
        """`report` takes the reason when the file ends by itself."""
        self._report = report
        self._file: TextIO | None = None
        self.path: Path | None = None

    def start(self, path: Path) -> None:
        """Append to this file from now on; raise ShellError if it cannot be written."""
        try:
            file = open_text(path, "a", errors="backslashreplace")
        except OSError as error:
            raise ShellError(f"cannot write {path}: {error.strerror}") from error
        self.stop()
        self._file, self.path = file, path

    def line(self, text: str) -> None:
        """Add a line. If the file can no longer be written, report that once and close it."""
        if self._file is None:
            return
        try:
            self._file.write(redact(text) + "\n")
            self._file.flush()
        except OSError as error:
            path = self.path
            self.stop()
            self._report(safe(f"tee {path} ended: {error.strerror}"))

    def stop(self) -> None:
        """End the copy. Idempotent."""
        file, self._file, self.path = self._file, None, None
        if file is not None:
            with suppress(OSError):
                file.close()
