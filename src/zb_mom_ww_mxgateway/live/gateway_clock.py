"""The gateway's time of day, as far as its events tell it: the day's clock of this machine may be set meanwhile."""

import time

from zb_mom_ww_mxgateway.system import clock

# Seconds for which the quickest event tells how far the clocks are apart. A gateway's clock that is set back makes
# values look older than they are for twice as long.
_WINDOW = 60.0


class GatewayClock:
    """What the gateway's clock shows now, and how long an event was on its way."""

    def __init__(self) -> None:
        # Until an event tells more, both machines have the same time of day, as it was then.
        self._apart = clock.monotonic() - time.time_ns() / 1e9
        # Of the quickest event of this window, and of the one before.
        self._least = self._least_before = float("inf")
        self._since = 0.0

    def take(self, gateway_time_ns: int, received_at: float) -> float:
        """An event of that gateway time came: for how many seconds more than the quickest it was on its way."""
        apart = received_at - gateway_time_ns / 1e9
        if received_at - self._since > _WINDOW:
            self._least_before, self._least, self._since = self._least, apart, received_at
        elif apart < self._least:
            self._least = apart
        self._apart = min(self._least, self._least_before)
        return apart - self._apart

    def age_of(self, time_ns: int) -> float:
        """Seconds since then; less than 0 for a time that is yet to come."""
        return clock.monotonic() - self._apart - time_ns / 1e9
