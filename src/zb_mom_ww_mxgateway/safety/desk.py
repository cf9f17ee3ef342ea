"""The write guard of one connection: it decides, has a person asked, keeps the journal and follows every call."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.models.write_guard import Admission, PendingWrite
from zb_mom_ww_mxgateway.safety.write_note import current_note
from zb_mom_ww_mxgateway.safety.write_records import WriteRecords
from zb_mom_ww_mxgateway.safety.write_rules import WriteRules
from zb_mom_ww_mxgateway.system import clock

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.guarded_action import GuardedAction


class WriteDesk:
    """Give it as ``ClientOptions.write_guard``: whatever changes the plant passes it, whoever makes it.

    It refuses what the rules refuse, has a person asked where the rules demand it, writes the line of each call to the
    journal before the call is sent, and judges once more in the moment of sending.
    """

    def __init__(self, rules: WriteRules, records: WriteRecords) -> None:
        self.rules: WriteRules = rules
        self.records: WriteRecords = records
        self.asked_at: float | None = None
        """Monotonic seconds of the last call that was allowed or refused; None before the first."""

    async def agree(self, calls: PendingWrite) -> str:
        """Have a person agree once to several calls, the entries of `calls`; return why none of them may be sent.

        Make them while ``agreed_under`` is given with these rules; each passes the guard by itself all the same.
        """
        action = self._action(calls)
        return await self._judged(action, action.agree)

    async def __call__(self, pending: PendingWrite, /) -> bool | str | Admission:
        self.asked_at = clock.monotonic()
        action = self._action(pending)
        return await self._judged(action, action.decide) or action

    def _action(self, pending: PendingWrite) -> "GuardedAction":
        from zb_mom_ww_mxgateway.safety.guarded_action import GuardedAction  # Lazy: most sessions write nothing.

        return GuardedAction(self.rules, self.records, pending, current_note())

    async def _judged(self, action: "GuardedAction", judge: Callable[[], Awaitable[str]]) -> str:
        """Return why it must not be sent, by what `judge` finds; the journal has a refusal, and an interruption."""
        try:
            refused = await judge()
        except BaseException as error:
            self.records.refused(action.pending, action.form(), f"interrupted: {type(error).__name__}")
            raise
        if refused:
            self.records.refused(action.pending, action.form(), refused)
        return refused
