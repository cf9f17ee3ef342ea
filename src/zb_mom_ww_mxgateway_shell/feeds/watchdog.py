"""A condition that has to be met to the end of the step."""

from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_shell.errors import NotMet
from zb_mom_ww_mxgateway_shell.feeds.judgement import Judgement
from zb_mom_ww_mxgateway_shell.feeds.vigil import Vigil
from zb_mom_ww_mxgateway_shell.output.problems import Statement, message_of
from zb_mom_ww_mxgateway_shell.output.results import Result
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection


class Watchdog:
    """A standing check: the first break counts, even if the condition is met again when the line ends.

    At a prompt, where no run looks at it, it reports the break at once, and ends.
    """

    def __init__(self, context: Context, connected: "GatewayConnection", judgement: Judgement) -> None:
        self._context = context
        self._standing = context.file.standing
        self._statement = self._standing.declared_by(f"watchdog {judgement.text}")
        self._vigil = Vigil(connected, judgement, self._bark if context.is_typed else None)

    @property
    def statement(self) -> Statement:
        return self._statement

    def _bark(self, error: NotMet) -> None:
        self._standing.remove(self)
        self._context.alert(f"watchdog: {message_of(error)}")

    def broken(self) -> NotMet | None:
        return self._vigil.outcome()

    async def settle(self) -> None:
        await self._vigil.settle()

    def passed(self) -> Result:
        return self._vigil.held(clock.monotonic() - self._vigil.started)

    def close(self) -> None:
        self._vigil.close()
