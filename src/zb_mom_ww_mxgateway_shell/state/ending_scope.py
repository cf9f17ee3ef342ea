"""What the lines after ``finally`` of a file at the prompt may still write where its session was lost."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_shell.state.connection import SESSION_LOST, GatewayConnection
from zb_mom_ww_mxgateway_shell.state.run_scope import HELD_DESPITE, ArmedOnceMore, uncovered

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.arming import ArmedScope


class EndingScope:
    """Arms once more, for the lines after ``finally``, what a person had armed and only a lost session disarmed.

    Those lines leave the plant as it is to be. They get what the file declares, for the time that was left.
    """

    def __init__(self, declared: Sequence[TagGlob], alert: Callable[[str], None]) -> None:
        """`alert` takes what a person must know of its arming."""
        self._declared = declared
        self._alert = alert
        self._in_ending = False
        self._lost: dict[GatewayConnection, ArmedScope] = {}
        """What was armed on connections when they lost their session."""
        self._once_more = ArmedOnceMore()

    @contextmanager
    def following(self, connections: Iterable[GatewayConnection]) -> Iterator[None]:
        """See within the block what disarms the connections."""
        followed = [(each.arming, partial(self._on_disarmed, each)) for each in connections]
        for arming, listener in followed:
            arming.on_disarmed.append(listener)
        try:
            yield
        finally:
            for arming, listener in followed:
                arming.on_disarmed.remove(listener)

    def begin_ending(self, connections: Iterable[GatewayConnection]) -> None:
        """Arm once more, for the lines after ``finally``, those of the open connections that lost their session."""
        self._in_ending = True
        for connected in connections:
            if connected in self._lost:
                self._arm_again(connected)

    def end_ending(self) -> None:
        """Disarm what was armed for the lines after ``finally`` alone."""
        self._in_ending = False
        self._once_more.end()

    def _on_disarmed(self, connected: GatewayConnection, scope: "ArmedScope | None", why: str) -> None:
        if why != SESSION_LOST or scope is None:
            return
        self._lost[connected] = scope
        if self._in_ending:
            self._arm_again(connected)

    def _arm_again(self, connected: GatewayConnection) -> None:
        scope, arming = self._lost.pop(connected), connected.arming
        missing = uncovered(self._declared, scope.globs)
        globs = [each for each in self._declared if each not in missing]
        if not globs or not arming.would_hold_despite(HELD_DESPITE):
            return
        left = scope.until - clock.monotonic()
        try:
            arming.arm(globs, None if math.isinf(left) else left, scope.reason, despite=HELD_DESPITE)
        except MxGatewayWriteBlockedError as error:
            self._alert(str(error))
            return
        self._alert(self._once_more.add(connected))
