"""The gateway's time of day, derived from its events, as the clock of this machine may be set meanwhile."""

import time

from zb_mom_ww_mxgateway.system import clock

# Seconds for which the fastest event gives the difference of the clocks. A gateway's clock that is set back makes
# values look older than they are for twice as long.
_WINDOW = 60.0


class GatewayClock:
    """The gateway's clock as seen from here, and the delay of events."""

    def __init__(self) -> None:
        # Until the first event, both machines are taken to have the same time of day.
        self._apart = clock.monotonic() - time.time_ns() / 1e9
        # Of the fastest event of this window, and of the one before.
        self._least = self._least_before = float("inf")
        self._since = 0.0

    def take(self, gateway_time_ns: int, received_at: float) -> float:
        """Take an event of that gateway time; return by how many seconds it was slower than the fastest one."""
        apart = received_at - gateway_time_ns / 1e9
        if received_at - self._since > _WINDOW:
            self._least_before, self._least, self._since = self._least, apart, received_at
        elif apart < self._least:
            self._least = apart
        self._apart = min(self._least, self._least_before)
        return apart - self._apart

    def age_of(self, time_ns: int) -> float:
        """Return the seconds since then; less than 0 for a time in the future."""
        return clock.monotonic() - self._apart - time_ns / 1e9
