"""What can go wrong in the shell itself: mistakes in what was typed, and commands that cannot be done."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_console.text.wording import closest as closest

NO_PROGRAMS = "a shell on a plant does not start programs: use another terminal for that"
"""The answer to a line that begins with ``!``, which other shells hand to the operating system."""


class ShellError(Exception):
    """A command that cannot be done. One line for a person, and the exit code it leads to in a file."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class InputError(ShellError):
    """Something typed that cannot be right, with its place in the line (from 0, end exclusive).

    A hint that takes long to find is given as a function, and only looked for when somebody reads it.
    """

    def __init__(self, message: str, start: int, end: int, hint: Callable[[], str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        """Without the hint."""
        self.start = start
        self.end = max(end, start + 1)
        self._hint = hint

    def __str__(self) -> str:
        if self._hint is not None:
            self.message += self._hint()
            self._hint = None
        return self.message


class NotMet(InputError):
    """An expectation that is not met, with what there was instead. Points at the tag."""

    def __init__(
        self, message: str, place: tuple[int, int], fields: dict[str, Any], details: Sequence[str] = ()
    ) -> None:
        super().__init__(message, *place)
        self.exit_code = ExitCode.NOT_MET
        self.fields = fields
        """``expected``, ``actual``, and of a wait ``values``: for JSON."""
        self.details = list(details)
        """More lines for a person, safe for a terminal."""
        self.samples: Sequence[Any] = ()
        """The samples of each tag that it is about (``Samples`` of ``output.results``), where it saw any."""


class Failure:
    """What went wrong with a line, for ``last-error``."""

    def __init__(self, error: BaseException, line: str) -> None:
        self.error = error
        self.line = line
        """As typed."""
        self.at = time.time()
        """Seconds since the epoch."""
