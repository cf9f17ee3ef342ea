"""What the lines of one run may write: what its user names on the command line, and what its file declares."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway.safety.arming import CLOSED, LONGEST_SECONDS
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.connect.write_options import WriteConsent
from zb_mom_ww_mxgateway_shell.state.connection import SESSION_LOST, GatewayConnection

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.arming import ArmedScope
    from zb_mom_ww_mxgateway_shell.state.planned_writes import PlannedWrites

HELD_DESPITE = ("stream", "session")
"""What does not disarm the lines after ``finally``."""
RUN_ENDED = "the run is over"
"""Why a connection is no longer armed after a run."""


def uncovered(declared: Iterable[TagGlob], granted: Sequence[TagGlob]) -> list[TagGlob]:
    """Return the declared globs that name more than each of the granted ones."""
    return [each for each in declared if not any(glob.covers(each) for glob in granted)]


class ArmedOnceMore:
    """Connections that lost their session, and are armed for the lines after ``finally`` alone."""

    def __init__(self) -> None:
        self._all: list[GatewayConnection] = []

    def add(self, connected: GatewayConnection) -> str:
        """Note one that was just armed; return what a person must know of it."""
        self._all.append(connected)
        return f"armed once more for the lines after finally: {connected.arming.scope}"

    def end(self) -> None:
        """Disarm them all."""
        for each in self._all:
            each.arming.disarm(SESSION_LOST)
        self._all.clear()


class RunScope:
    """Arms the connections of one run. It is void as soon as anything disarms one of them.

    After ``finally`` it holds once more if only a session was lost: those lines leave the plant as it is to be.
    """

    def __init__(
        self,
        consent: WriteConsent,
        declared: Sequence[TagGlob] = (),
        *,
        is_file: bool = False,
        takes_declarations: bool = False,
        planned: "PlannedWrites | None" = None,
    ) -> None:
        """`declared` is the scope of a file; other lines may write what the consent names, if they declare nothing.

        With `takes_declarations` the lines come one by one, and their declarations with them. With `planned` only what
        was planned is written.
        """
        self._planned = planned
        self.is_file = is_file
        self.takes_declarations = takes_declarations
        self.alert: Callable[[str], None] = lambda text: None
        """Takes what a person must know of its arming."""
        self._granted = [TagGlob(text) for text in consent.arm]
        self._reason = consent.reason
        self._declared = list(declared)
        self._void = ""
        self._in_ending = False
        self._once_more = ArmedOnceMore()
        self._ends: dict[GatewayConnection, float] = {}
        """When the longest time of each connection that was armed is over, in seconds of the clock."""

    @property
    def is_declared(self) -> bool:
        """Whether the scope is what a file, or lines, declare."""
        return self.is_file or bool(self._declared)

    def declare(self, globs: Sequence[TagGlob], connections: Iterable[GatewayConnection]) -> str:
        """Add what lines that come one by one declare; return the first glob that nobody has let them write."""
        connections = list(connections)
        for each in connections:
            if not each.terms.open_for_all and (missing := uncovered(globs, self._granted_on(each))):
                return str(missing[0])
        self._declared += globs
        for each in connections:
            self.arm(each)
        return ""

    def globs_for(self, connected: GatewayConnection) -> list[TagGlob]:
        """Return what may be written to a connection."""
        if not self.is_declared:
            return self._granted
        if connected.terms.open_for_all:
            return self._declared
        left_out = uncovered(self._declared, self._granted_on(connected))
        return [each for each in self._declared if each not in left_out]

    def _granted_on(self, connected: GatewayConnection) -> list[TagGlob]:
        return [*self._granted, *map(TagGlob, connected.terms.arms)]

    def arm(self, connected: GatewayConnection) -> None:
        """Arm a connection for the run."""
        arming = connected.arming
        if self._planned is not None:
            connected.desk.rules.planned = partial(self._planned.refusal, connected.client.options.endpoint)
        arming.remedy = self.remedy
        if connected not in self._ends:
            self._ends[connected] = clock.monotonic() + arming.rules.longest
            arming.on_disarmed.append(partial(self._on_disarmed, connected))
        globs = self.globs_for(connected)
        if not globs or self._void or arming.for_good:
            return
        if not connected.terms.open_for_all:
            connected.catalogue.watch(connected.client)
        # A run waits by itself for a stream that is lost; nothing of its session goes with it.
        despite = HELD_DESPITE if self._in_ending else ("stream",)
        left = self._ends[connected] - clock.monotonic()
        try:
            arming.arm(globs, None if math.isinf(left) else min(left, LONGEST_SECONDS), self._reason, despite=despite)
        except MxGatewayWriteBlockedError as error:
            gives = ": --reason TEXT gives one" if arming.rules.needs_reason and not self._reason else ""
            self.alert(f"{error}{gives}")

    def begin_ending(self, connections: Iterable[GatewayConnection]) -> None:
        """Arm once more, for the lines after ``finally``, what was disarmed by the loss of a session alone."""
        self._in_ending = True
        if self._void == SESSION_LOST:
            for each in connections:
                self._arm_again(each)

    def end_ending(self) -> None:
        """Disarm what was armed for the lines after ``finally`` alone."""
        self._in_ending = False
        self._once_more.end()

    def end(self, connections: Mapping[str, GatewayConnection]) -> None:
        """End the run's arming."""
        for each in connections.values():
            each.desk.rules.planned = None
            was_armed = each.arming.scope is not None and each.arming.disarm(RUN_ENDED)
            if was_armed and each.terms.open_for_all and not self._void:
                each.arming.reopen()
        self._void = self._void or RUN_ENDED

    def _arm_again(self, connected: GatewayConnection) -> None:
        if not connected.arming.would_hold_despite(HELD_DESPITE):
            return
        self._void = ""
        self.arm(connected)
        if connected.arming.scope is not None:
            self.alert(self._once_more.add(connected))

    def _on_disarmed(self, connected: GatewayConnection, scope: "ArmedScope | None", why: str) -> None:
        if why in (CLOSED, RUN_ENDED):
            return
        self._void = self._void or why
        if self._in_ending and self._void == SESSION_LOST:
            self._arm_again(connected)

    def remedy(self, tag: str) -> str:
        """Return how a run opens a tag."""
        named = f'"{tag or "GLOB"}"'
        if self._void:
            return "see that the plant is as it should be, and run it again"
        if self.is_declared:
            return f"it is not declared: requires write {named}"
        return f"--arm {named} lets it through"
