"""The time limits of a run: of a file, and of the files that it includes."""

import asyncio
from collections.abc import Callable

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_console.render.text_values import duration_text
from zb_mom_ww_mxgateway_shell.errors import ShellError


class TimeLimit:
    """The time limit of one file: when it has passed, the file waits for nothing more.

    It does not bound the lines after ``finally``.
    """

    def __init__(self, end: Callable[[], None]) -> None:
        """`end` ends what the file waits for."""
        self._end = end
        self._seconds = 0.0
        self._ends_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.is_over = False
        self.is_told = False
        """Whether a line failed because of it."""

    def start(self, seconds: float) -> None:
        """Bound the file from now on; a second limit replaces the first one."""
        self.stop()
        self._seconds, self._ends_at = seconds, clock.monotonic() + seconds
        self._wait()

    def stop(self) -> None:
        """End the limit, unless it has passed. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def error(self) -> ShellError:
        """Return the error of what it ended."""
        return ShellError(f"the time limit of {duration_text(self._seconds)} is over", ExitCode.NOT_MET)

    def _wait(self) -> None:
        # Looks each second: the loop's own clock stops while the machine sleeps.
        left = self._ends_at - clock.monotonic()
        if left > 0:
            self._timer = asyncio.get_running_loop().call_later(min(left, 1.0), self._wait)
            return
        self._timer, self.is_over = None, True
        self._end()


class TimeLimits:
    """The time limits of the files that run now, the outermost first."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end
        self._limits: list[TimeLimit] = []

    def begin(self) -> TimeLimit:
        """Return the limit of a file that begins; it bounds nothing before it is started."""
        limit = TimeLimit(self._end)
        self._limits.append(limit)
        return limit

    def stop(self) -> None:
        """Bound the present file no longer: its last part has begun."""
        self._limits[-1].stop()

    def end(self) -> None:
        """Forget the limit of a file that has ended."""
        self._limits.pop().stop()

    @property
    def passed(self) -> TimeLimit | None:
        """The outermost limit that has passed; None while none has."""
        return next((limit for limit in self._limits if limit.is_over), None)
