"""Files that a run writes as its report: replaced as a whole, or given to a pipe that somebody reads."""

import errno
import threading
from pathlib import Path

from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.process.regular_files import replace

_PATIENCE_SECONDS = 10.0


def write(path: Path, text: str) -> None:
    """Write a report, replacing a former one as a whole; raise ShellError if that fails."""
    try:
        if is_special(path):
            _give(path, text.encode())
        else:
            replace(path, text.encode())
    except OSError as error:
        raise ShellError(f"cannot write {path}: {error.strerror or error}") from error


def is_special(path: Path) -> bool:
    """Return whether it cannot be replaced, such as a pipe or a terminal."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _give(path: Path, data: bytes) -> None:
    """Write to a pipe or a device; raise OSError, also if there is no reader."""
    failed: list[OSError] = []

    def work() -> None:
        try:
            with path.open("wb") as file:
                file.write(data)
        except OSError as error:
            failed.append(error)

    # A thread that can be abandoned: there may never be a reader.
    writing = threading.Thread(target=work, name="report", daemon=True)
    writing.start()
    writing.join(_PATIENCE_SECONDS)
    if writing.is_alive():
        raise OSError(errno.EAGAIN, "no reader")
    if failed:
        raise failed[0]
