"""The limits of a connection: those of a file, read again when it has changed."""

from pathlib import Path
from typing import TypeAlias

from zb_mom_ww_mxgateway.safety.limits import Limits, Rule
from zb_mom_ww_mxgateway.safety.limits_file import LimitsError, read_limits

_Mark: TypeAlias = tuple[int, ...] | str


class LimitsFile:
    """The limits in a file as it is now. While it cannot be read, or has a mistake, no write may be made."""

    def __init__(self, path: Path) -> None:
        self.path: Path = path.absolute()
        self.news: str = ""
        """What happened to the file since it was first read; empty for nothing."""
        self._mark = self._look()
        self._limits = self._read()

    @property
    def limits(self) -> Limits:
        """The limits, from the file as it was when :meth:`refusal` was last asked."""
        return self._limits

    @property
    def text(self) -> str:
        """The file with its number of rules, or why it cannot be read, for a person."""
        return self._limits.text

    def refusal(self) -> str:
        """Return why every write is refused; empty where the limits could be read. Reads a file that has changed."""
        mark = self._look()
        if mark != self._mark:
            self._mark = mark  # From before it is read: a change meanwhile is read the next time.
            self.news = f"{self.path.name} has changed and was read again"
            self._limits = self._read()
        return self._limits.refusal()

    def rule_for(self, tag: str) -> Rule | None:
        """Return the rule that applies to a tag; None where none names it."""
        return self._limits.rule_for(tag)

    def unlisted_refusal(self, tag: str) -> str:
        """Return why a tag that no rule names is not written; empty where it may be."""
        return self._limits.unlisted_refusal(tag)

    def _read(self) -> Limits:
        try:
            return read_limits(self.path, self.news)
        except LimitsError as error:
            return Limits.unreadable(self.path.name, str(error))

    def _look(self) -> _Mark:
        """Return something that differs once the file has changed."""
        try:
            found = self.path.stat()
        except (OSError, ValueError) as error:
            return str(error)
        return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev
