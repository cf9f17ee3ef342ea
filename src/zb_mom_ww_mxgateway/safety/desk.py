"""The write guard of one connection: it decides, has a person asked, keeps the journal and follows every call."""

from zb_mom_ww_mxgateway.models.write_guard import Admission, PendingWrite
from zb_mom_ww_mxgateway.safety.write_note import current_note
from zb_mom_ww_mxgateway.safety.write_records import WriteRecords
from zb_mom_ww_mxgateway.safety.write_rules import WriteRules
from zb_mom_ww_mxgateway.system import clock


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
        from zb_mom_ww_mxgateway.safety.guarded_action import GuardedAction  # Lazy: most sessions write nothing.

        action = GuardedAction(self.rules, self.records, calls, current_note())
        try:
            refused = await action.agree()
        except BaseException as error:
            self.records.refused(calls, action.form(), f"interrupted: {type(error).__name__}")
            raise
        if refused:
            self.records.refused(calls, action.form(), refused)
        return refused

    async def __call__(self, pending: PendingWrite, /) -> bool | str | Admission:
        from zb_mom_ww_mxgateway.safety.guarded_action import GuardedAction  # Lazy: most sessions write nothing.

        self.asked_at = clock.monotonic()
        action = GuardedAction(self.rules, self.records, pending, current_note())
        try:
            refused = await action.decide()
        except BaseException as error:
            self.records.refused(pending, action.form(), f"interrupted: {type(error).__name__}")
            raise
        if refused:
            self.records.refused(pending, action.form(), refused)
            return refused
        return action
