"""What is kept of the writes of one connection: its lines in the journal, its changes, and what is under way."""

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from zb_mom_ww_mxgateway.errors import COMMAND_SECONDS, MxGatewayError
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.live.write_tracker import WriteResult
from zb_mom_ww_mxgateway.models.write_guard import PendingWrite, WriteAnswer
from zb_mom_ww_mxgateway.safety.changes import ChangeLedger, OwnWrite, WriteState
from zb_mom_ww_mxgateway.safety.doubtful_writes import DoubtfulWrites
from zb_mom_ww_mxgateway.safety.writes_under_way import COMPLETING_SECONDS, WritesUnderWay
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import item_key

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.journal import Journal
    from zb_mom_ww_mxgateway.safety.journal_chain import JournalLine

_UNDER_WAY_SECONDS = 30.0 + COMMAND_SECONDS
"""How long a write of another program counts as under way where no line tells its end."""
_AROUND = frozenset(("opened", "armed", "disarmed", "closed"))
"""Lines around what is sent: a session that has sent nothing can do without them."""


class OthersWrite(NamedTuple):
    """A write of another program of this user that may be under way."""

    tag: str
    who: str
    until: float
    """Monotonic seconds, by the library's clock."""


class WriteRecords:
    """Records of one connection. Without a journal nothing outlives the process."""

    _all: ClassVar["weakref.WeakSet[WriteRecords]"] = weakref.WeakSet()

    def __init__(self, name: str, endpoint: str, journal: "Journal | None" = None) -> None:
        """`name` is that of the connection, for messages."""
        self.name: str = name
        self.endpoint: str = endpoint
        self.journal: Journal | None = journal
        self.ledger: ChangeLedger = ChangeLedger()
        self.doubtful: DoubtfulWrites = DoubtfulWrites()
        self.notice: Callable[[str], object] = lambda text: None
        """Shows a person what they should know before a write goes out."""
        self.facts: Callable[[], Mapping[str, Any]] = dict
        """Returns what is known of the connection for each line: certificate, galaxy, deploy time …"""
        self.who: str = ""
        """Who writes, for the list of changes."""
        self.sent_in: dict[str, float] = {}
        """When a call was last sent, in monotonic seconds, by session id; under an empty id for what is no write to an
        item, such as an acknowledgement."""
        self._under_way = WritesUnderWay()
        self._others: dict[tuple[str, int], OthersWrite] = {}
        WriteRecords._all.add(self)

    def opened(self) -> None:
        """Write the line that begins a session; in the background."""
        self._post("opened", {})

    def closed(self, **facts: Any) -> None:
        """Write the line that ends a session; in the background."""
        self._post("closed", facts)
        WriteRecords._all.discard(self)

    def note(self, kind: str, **facts: Any) -> None:
        """Write a line about something else: armed, disarmed …; in the background."""
        self._post(kind, facts)

    def refused(self, pending: PendingWrite, form: Mapping[str, Any], why: str) -> None:
        """Write the line of a call that was refused here; in the background."""
        self._post("refused", {**form, "action": pending.correlation_id, "why": why})

    async def announce(self, pending: PendingWrite, form: Mapping[str, Any]) -> str:
        """Write the line of a call that is about to be sent, to the disk; return why it must not be sent.

        Others who are writing to one of its tags now are told.
        """
        tags = {item_key(each.tag): each.tag for each in pending.entries if each.tag}
        if self.journal is not None:
            try:
                await self.journal.append("intent", {**self._frame(), **form, "action": pending.correlation_id})
            except MxGatewayError as error:
                return str(error)
            for line in self.journal.foreign_lines():
                self._take(line)
        for text in self._rivals(tags):
            self.notice(text)
        self._under_way.begin(pending.correlation_id, tags)
        return ""

    def sent(self, pending: PendingWrite, old: Sequence[LiveValue | None]) -> None:
        """Note a call in the moment of sending."""
        are_writes = pending.entries and not any(each.alarm for each in pending.entries)
        self.sent_in[pending.session_id if are_writes else ""] = clock.monotonic()
        self.ledger.sent(pending, old, who=self.who)
        self.doubtful.sent(pending)

    def answered(self, pending: PendingWrite, answer: WriteAnswer, seconds: float | None) -> None:
        """Note how a call ended, `seconds` after it was sent."""
        if answer.outcome == "accepted":
            self._under_way.accepted(pending.correlation_id)
        else:
            self._under_way.end(pending.correlation_id)
        self.doubtful.answered(pending, answer)
        fields: dict[str, Any] = {"action": pending.correlation_id, "outcome": answer.outcome, "why": answer.reason}
        if any(answer.refused):
            fields["refused"] = list(answer.refused)
        self._post("answer", {**fields, "seconds": seconds}, with_facts=False)
        for index in range(len(pending.entries)):
            is_refused = answer.outcome == "refused" and (not answer.refused or answer.refused[index])
            state: WriteState = "accepted" if answer.outcome == "refused" and not is_refused else answer.outcome
            self.ledger.result(pending.correlation_id, index, state)

    def outcomes(self, pending: PendingWrite, outcomes: Sequence[WriteResult]) -> None:
        """Note the outcome of each entry of a call."""
        self._under_way.end(pending.correlation_id)
        fields = [
            {
                "accepted_after": each.accepted_after,
                "completed_after": each.completed_after,
                "outcome": each.outcome.value,
                "why": "; ".join(map(str, each.statuses)) or (str(each.error) if each.error else ""),
            }
            for each in outcomes
        ]
        self._post("outcome", {"action": pending.correlation_id, "entries": fields}, with_facts=False)
        self.doubtful.outcomes(pending, outcomes)
        for index, each in enumerate(outcomes):
            self.ledger.result(pending.correlation_id, index, each.outcome.value)

    def verified(self, correlation_id: str, results: Sequence[Mapping[str, Any] | None]) -> None:
        """Note what a verification of each entry of a call saw; None for an entry that was not verified."""
        self._post(
            "outcome", {"action": correlation_id, "verified": [None if each is None else {**each} for each in results]}
        )

    def has_sent(self, since: float) -> bool:
        """Return whether a call was sent since then (monotonic seconds)."""
        return any(at >= since for at in self.sent_in.values())

    def last_write(self, tag: str) -> OwnWrite | None:
        """Return the last write of this session to a tag that is not put back; None for none."""
        change = self.ledger.of(tag)
        return change.last if change is not None else None

    def _post(self, kind: str, fields: Mapping[str, Any], *, with_facts: bool = True) -> None:
        if self.journal is None:
            return
        try:
            line = {**self._frame(with_facts=with_facts), **fields}
            self.journal.post(kind, line, is_dispensable=kind in _AROUND and not self.sent_in)
        except MxGatewayError as error:
            self.notice(str(error))

    def _frame(self, *, with_facts: bool = True) -> dict[str, Any]:
        """Return what every line has; the lines after an intent leave out what that one tells."""
        return {"connection": self.name, "endpoint": self.endpoint, **(self.facts() if with_facts else {})}

    # Others.

    def _take(self, line: "JournalLine") -> None:
        """Follow a line of another program."""
        action = str(line.fields.get("action", ""))
        if line.kind == "intent" and line.fields.get("endpoint") == self.endpoint:
            for index, entry in enumerate(line.fields.get("entries", ())):
                if tag := entry.get("tag"):
                    until = clock.monotonic() + _UNDER_WAY_SECONDS
                    self._others[action, index] = OthersWrite(tag, _writer(line), until)
        elif line.kind == "answer" and line.fields.get("outcome") == "accepted":
            for key, write in self._others.items():
                if key[0] == action:
                    self._others[key] = write._replace(until=clock.monotonic() + COMPLETING_SECONDS)
        elif line.kind in ("answer", "outcome", "refused"):
            self._others = {each: write for each, write in self._others.items() if each[0] != action}

    def _rivals(self, keys: Mapping[str, str]) -> Iterator[str]:
        """Yield who else is writing to one of these tags, which are by their keys, at this moment."""
        now = clock.monotonic()
        for records in WriteRecords._all:
            if records.endpoint != self.endpoint:
                continue
            where = "this connection" if records is self else f"the connection {records.name}"
            # A write of its own that was accepted is known to whoever made it.
            for key in records._under_way.written(keys, unanswered=records is self):
                yield f"{keys[key]} is being written on {where} at this moment, too"
        for write in self._others.values():
            if write.until > now and item_key(write.tag) in keys:
                yield f"{write.tag} is being written by {write.who} at this moment, too"


def _writer(line: "JournalLine") -> str:
    return f"{line.who.get('user', 'somebody')} on {line.who.get('host', 'a machine')} (process {line.pid})"
