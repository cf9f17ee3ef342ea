"""The desk at which the writes of one-shot commands are decided, and its journal."""

from pathlib import Path
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway.safety.arming import Arming
from zb_mom_ww_mxgateway.safety.desk import WriteDesk
from zb_mom_ww_mxgateway.safety.journal_chain import Head
from zb_mom_ww_mxgateway.safety.limits_watch import LimitsFile
from zb_mom_ww_mxgateway.safety.plant_values import LivePlantValues
from zb_mom_ww_mxgateway.safety.read_values import Read, ReadPlantValues
from zb_mom_ww_mxgateway.safety.write_note import given
from zb_mom_ww_mxgateway.safety.write_records import WriteRecords
from zb_mom_ww_mxgateway.safety.write_rules import WriteRules
from zb_mom_ww_mxgateway_cli.tag_ranges import TagRanges
from zb_mom_ww_mxgateway_cli.write_policy import GuardedRun, WritePolicy
from zb_mom_ww_mxgateway_console.connect.write_journal import connection_facts, open_journal
from zb_mom_ww_mxgateway_console.connect.write_options import WriteConsent

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient, LiveSession
    from zb_mom_ww_mxgateway.models.write_guard import Admission, PendingWrite

_UNNAMED = "name it: mxgw-py write TAG VALUE, or add the item in the same batch"


class OneShotDesk:
    """The desk of one connection. Each command brings the consent to its own writes."""

    def __init__(self, policy: WritePolicy, client: "GatewayClient", read: Read) -> None:
        """`read` reads values for the decisions of a command without a live session."""
        self._profile = policy.profile
        self._arming = Arming(policy.profile.arming_rules() if policy.profile else None)
        self._armed_by: WriteConsent | None = None
        self._read_values = ReadPlantValues(read)
        self._rules = WriteRules(self._arming)
        self._rules.facts_of = TagRanges(client, read).of
        if policy.limits:
            self._rules.limits = LimitsFile(Path(policy.limits))
        self._journal = open_journal("mxgw-py")
        name, endpoint = policy.profile.name if policy.profile else "", client.options.endpoint
        self._records = WriteRecords(name or endpoint, endpoint, self._journal)
        self._records.facts = lambda: connection_facts(client, name)
        self._records.opened()
        self._desk = WriteDesk(self._rules, self._records)

    async def decide(
        self, pending: "PendingWrite", run: GuardedRun, live: "LiveSession | None"
    ) -> "bool | str | Admission":
        """Decide about one call of the command that runs, by the values of its live session if it has one."""
        self._arm(run.consent)
        self._rules.assume_yes = run.consent.assume_yes
        self._rules.values = self._read_values if live is None else LivePlantValues(live)
        self._records.notice = self._journal.tell_wait = run.report.warning
        with given(reason=run.consent.reason, command=run.command):
            return await self._desk(pending)

    def _arm(self, consent: WriteConsent) -> None:
        """Arm what the command may write, and nothing that another one may."""
        if consent is self._armed_by:
            return
        self._armed_by = consent
        self._arming.disarm("another command runs")
        self._arming.disarmed_because = ""
        self._arming.remedy = lambda tag: f"--arm {tag} lets it through" if tag else _UNNAMED
        globs = [*consent.arm, *(self._profile.arms if self._profile else ())]
        if not globs:
            return
        try:
            self._arming.arm(globs, reason=consent.reason)
        except MxGatewayWriteBlockedError as error:
            refused = f"{error}; --reason TEXT gives it"
            self._arming.remedy = lambda tag: refused
        else:
            self._records.note("armed", globs=globs, reason=consent.reason)

    async def aclose(self) -> Head:
        """End the session in the journal, and return its head. Raise JournalError if lines are lost."""
        self._arming.close()
        self._records.closed()
        return await self._journal.aclose()
