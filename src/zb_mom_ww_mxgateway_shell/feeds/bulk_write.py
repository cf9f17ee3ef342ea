"""A bulk write: many values in one call, with an outcome for each."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from zb_mom_ww_mxgateway.errors import MxGatewayAuthorizationError, MxGatewayError
from zb_mom_ww_mxgateway.live.followed_writes import FollowedCall, followed_writes
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.models.write_guard import PendingEntry
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.values import Typed
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, age_text, counted, value_form
from zb_mom_ww_mxgateway_console.render.write_results import NOTHING_WRITTEN
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.feeds.write_preparation import given_reason
from zb_mom_ww_mxgateway_shell.feeds.write_report import WriteReport, WrittenRows, before_text, refused
from zb_mom_ww_mxgateway_shell.output.decimals import decimal_text, decimals_of
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.output.tag_texts import TagTexts, shown_value
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.signatures import Signature

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession, LiveValue, WriteResult
    from zb_mom_ww_mxgateway.commands.writes import BulkEntry

_AT_ONCE = 16
"""Most questions to the galaxy at a time."""


class PreparedRow(NamedTuple):
    """A row that can be written."""

    item: Item
    before: "LiveValue"
    value: Typed
    at: datetime | None
    security: int | None
    """Security classification of the tag; None where the galaxy does not tell."""

    @property
    def change(self) -> str:
        decimals = max(decimals_of(self.before.value), decimals_of(self.value))
        return f"{before_text(self.before, decimals)} → {decimal_text(self.value, decimals)}"


@dataclass(slots=True)
class BulkWriting:
    """A bulk write whose outcomes are awaited; it is sent when it is followed."""

    texts: TagTexts
    """What is known of the tags."""
    live: "LiveSession"
    rows: Sequence[PreparedRow]
    signatures: Sequence[Signature]
    timeout: float
    session_id: str
    """Session for which the signatures are good: a user id may be another person's in the one that replaces it."""
    reason: str | None = None
    """Why it is made; None for the reason of the arming, if any."""
    judge_refusals: Callable[[Sequence[WriteReport]], WrittenRows] | None = None
    """Returns the table where all rows are to be refused, or raises; None where they are to be written."""
    started: float = field(default_factory=clock.monotonic)
    _calls: Sequence[FollowedCall] = ()
    """The call that sent it, as far as it is known how it ended."""

    async def follow(self, show: Callable[[str], None]) -> Result:
        """Send it, once, and wait for the outcome of each row."""
        return await self.written()

    def result(self) -> Result:
        """Return the result of a wait that was interrupted: what is known of each row."""
        return self.interrupted()

    async def written(self) -> WrittenRows:
        """Send it, once, and wait for the outcome of each row."""
        self.started = clock.monotonic()
        if self.live.session.session_id != self.session_id and any(each.ids for each in self.signatures):
            raise ShellError(
                "the session that the users are logged in on was lost; nothing was written", ExitCode.GUARDED
            )
        server = self.rows[0].item.server_handle
        entries = [_entry(row, signature) for row, signature in zip(self.rows, self.signatures, strict=True)]
        expects_refusal = self.judge_refusals is not None
        with given_reason(self.reason, expects_refusal=expects_refusal), followed_writes() as self._calls:
            try:
                results = await self.live.write_bulk_and_confirm(server, entries, timeout=self.timeout)
            except MxGatewayAuthorizationError as error:
                if self.judge_refusals is None:
                    raise
                results = [refused(error)] * len(entries)
        return self._table(results)

    def interrupted(self) -> WrittenRows:
        """Return the table of a wait that was interrupted: accepted, unless no answer came. Raise Interrupted where
        nothing was sent."""
        from zb_mom_ww_mxgateway import WriteOutcome, WriteResult

        if not any(call.is_sent for call in self._calls):
            raise Interrupted(NOTHING_WRITTEN)
        if self._calls and self._calls[-1].results is not None:
            return self._table(self._calls[-1].results)
        error = MxGatewayError("the wait for it was interrupted", call="write_bulk", outcome_unknown=True)
        return self._table([WriteResult(WriteOutcome.UNKNOWN, error=error)] * len(self.rows))

    def progress(self) -> str:
        """Return what is awaited, and the time left."""
        left = max(0.0, self.started + self.timeout - clock.monotonic())
        return f"waiting for the outcome of {counted(len(self.rows), 'write')}, {age_text(left)} left"

    def picture(self, columns: int, rows: int) -> list[list[tuple[str, str]]]:
        """Return the progress for a screen."""
        return [[("", self.progress())], [("", "  Ctrl-C stops waiting; what was sent stays sent")]]

    def _table(self, results: "Sequence[WriteResult]") -> WrittenRows:
        reports = []
        for row, signature, result in zip(self.rows, self.signatures, results, strict=True):
            facts = self.texts.seen(row.item.tag, row.before.value, row.value)
            reports.append(
                WriteReport(
                    row.item,
                    row.before,
                    shown_value(row.value, facts),
                    value_form(row.value),
                    result,
                    self.timeout,
                    self.live.session.endpoint,
                    row.at,
                    signature.signers,
                    security=row.security,
                    decimals=facts.decimals,
                )
            )
        return (self.judge_refusals or WrittenRows.of)(reports)


async def shown_or_asked(feed: Feed, context: Context, rows: Sequence[PreparedRow]) -> Result | Feed:
    """Return a feed that writes these rows, or its result where a person is asked before: a picture leaves no room for
    a question."""
    entries = [PendingEntry(tag=row.item.tag, value=row.value.sent) for row in rows]
    if await context.connected.desk.rules.asks_of(entries):
        return await feed.follow(lambda line: None)
    return feed


def _entry(row: PreparedRow, signature: Signature) -> "BulkEntry":
    from zb_mom_ww_mxgateway import Write2Entry, WriteEntry, WriteSecured2Entry, WriteSecuredEntry

    handle = row.item.item_handle
    if signature.ids is None:
        return WriteEntry(handle, row.value) if row.at is None else Write2Entry(handle, row.value, row.at)
    if row.at is None:
        return WriteSecuredEntry(handle, row.value, *signature.ids)
    return WriteSecured2Entry(handle, row.value, row.at, *signature.ids)


async def securities_of(context: Context, items: Sequence[Item]) -> list[int | None]:
    """Return the security classifications of tags, as far as the galaxy tells."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def of(item: Item) -> int | None:
        async with turns:
            return await context.connected.security_of(item.tag)

    return await asyncio.gather(*map(of, items))
