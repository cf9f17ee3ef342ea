"""History of typed lines, in memory and in a file; it never holds a line with a key."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from zb_mom_ww_mxgateway.redaction import redact
from zb_mom_ww_mxgateway.system.private_files import make_private_file, open_to_others
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.process.regular_files import refuse_special


class _KeepsNoKey(History):
    """History without lines that contain a key or another secret, in its file and in memory."""

    holds_secret: Callable[[str], bool] | None = None
    """Tells where a text holds a secret that only its lines together show."""

    def append_string(self, string: str) -> None:
        if redact(string) == string and not (self.holds_secret and self.holds_secret(string)):
            super().append_string(string)


class _InFile(_KeepsNoKey, FileHistory):
    """History in a file. While the file is unusable, as on a full disk, new lines are in memory only."""

    def load_history_strings(self) -> Iterable[str]:
        try:
            return [string for string in super().load_history_strings() if redact(string) == string]
        except OSError:
            return []

    def store_string(self, string: str) -> None:
        with suppress(OSError):
            super().store_string(string)


class HistoryInMemory(_KeepsNoKey, InMemoryHistory):
    """History that ends with the shell."""


def keep_no_secret(history: History, holds_secret: Callable[[str], bool]) -> None:
    """Keep texts out of a history of this module that hold a secret."""
    if isinstance(history, _KeepsNoKey):
        history.holds_secret = holds_secret


def history_at(path: Path, say: Callable[[str], None] = lambda text: None) -> History:
    """Return the history in a file.

    It is in memory instead if there can be no file; also, and then reported, if the file is special or others may
    write it.
    """
    try:
        make_private_file(path)
    except OSError:
        return HistoryInMemory()
    try:
        refuse_special(path)
    except ShellError as error:
        say(f"the history is not used: {error}")
        return HistoryInMemory()
    if others := open_to_others(path):
        say(f"the history is not used: {others}")
        return HistoryInMemory()
    return _InFile(str(path))
