"""write-many: the tags and values of a file, in one call."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, NamedTuple

from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.values import Typed
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, age_text, counted, value_form, value_text
from zb_mom_ww_mxgateway_shell.diagnosis.status_texts import security_meaning
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.feeds.items import ensure, values_now
from zb_mom_ww_mxgateway_shell.feeds.write_preparation import (
    OUTCOME_TIMEOUT,
    checked_first_value,
    follow_coming_waits,
    live_session_of,
)
from zb_mom_ww_mxgateway_shell.feeds.write_report import WriteReport, WrittenRows, before_text, given_text, keep_doubt
from zb_mom_ww_mxgateway_shell.galaxy.tag_index_storage import VIEW_ONLY
from zb_mom_ww_mxgateway_shell.language.argument_types import (
    DurationOption,
)
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits, ParsedArguments, Written
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import TAG, ServerOption, Target, full_address
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.value_files import FileMistakes, ValueFileName, ValueRow, read_rows
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.signatures import (
    Signature,
    SigningOptions,
    needs_signature,
    security_name,
    signatures_for,
)

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession, LiveValue, WriteResult
    from zb_mom_ww_mxgateway.commands.writes import BulkEntry

_AT_ONCE = 16
"""Most questions to the galaxy at a time."""


class PreparedRow(NamedTuple):
    """A row of a file that can be written."""

    item: Item
    before: "LiveValue"
    value: Typed
    at: datetime | None
    security: int | None
    """Security classification of the tag; None where the galaxy does not tell."""

    @property
    def change(self) -> str:
        return f"{before_text(self.before)} → {value_text(self.value)}"


@dataclass(slots=True)
class BulkWriting:
    """A bulk write whose outcomes are awaited; it is sent when it is followed."""

    context: Context
    live: "LiveSession"
    rows: Sequence[PreparedRow]
    signatures: Sequence[Signature]
    timeout: float
    session_id: str
    """Session for which the signatures are good: a user id may be another person's in the one that replaces it."""
    started: float = field(default_factory=clock.monotonic)

    async def follow(self, show: Callable[[str], None]) -> Result:
        """Send it, once, and wait for the outcome of each row."""
        self.started = clock.monotonic()
        if self.live.session.session_id != self.session_id and any(each.ids for each in self.signatures):
            raise ShellError(
                "the session that the users are logged in on was lost; nothing was written", ExitCode.GUARDED
            )
        server = self.rows[0].item.server_handle
        entries = [_entry(row, signature) for row, signature in zip(self.rows, self.signatures, strict=True)]
        return self._table(await self.live.write_bulk_and_confirm(server, entries, timeout=self.timeout))

    def result(self) -> Result:
        """Return the result of a wait that was interrupted: each row may have been written."""
        from zb_mom_ww_mxgateway import WriteOutcome, WriteResult

        error = MxGatewayError("the wait for it was interrupted", call="write_bulk", outcome_unknown=True)
        return self._table([WriteResult(WriteOutcome.UNKNOWN, error=error)] * len(self.rows))

    def progress(self) -> str:
        """Return what is awaited, and the time left."""
        left = max(0.0, self.started + self.timeout - clock.monotonic())
        return f"waiting for the outcome of {counted(len(self.rows), 'write')}, {age_text(left)} left"

    def picture(self, columns: int, rows: int) -> list[list[tuple[str, str]]]:
        """Return the progress for a screen."""
        return [[("", self.progress())], [("", "  Ctrl-C stops waiting; what was sent stays sent")]]

    def _table(self, results: "Sequence[WriteResult]") -> Result:
        reports = []
        for row, signature, result in zip(self.rows, self.signatures, results, strict=True):
            keep_doubt(self.context, result, row.item, row.value, row.before, self.started)
            reports.append(
                WriteReport(
                    row.item,
                    row.before,
                    value_text(row.value),
                    value_form(row.value),
                    result,
                    self.timeout,
                    self.live.session.endpoint,
                    row.at,
                    signature.signers,
                )
            )
        return WrittenRows.of(reports)


async def _preview_many(context: Context, file: Token, *, server: int | None = None, **others: object) -> Result:
    rows = await _prepared(context, file, server)
    same = [" (unchanged)" if same_value(row.value, row.before.value) else "" for row in rows]
    for row in rows:
        if row.security is not None and needs_signature(row.security):
            name, means = security_name(row.security), security_meaning(row.security)
            context.notice(f"{row.item.tag} is {name}: {means}; the run needs login USER before")
    return TextResult(
        "\n".join(
            f"would write {row.item.tag}   {row.change}{given_text(row.at, '')}{mark}"
            for row, mark in zip(rows, same, strict=True)
        ),
        {
            "planned": "write-many",
            "tags": [row.item.tag for row in rows],
            "writes": [
                {"before": value_form(row.before.value), "tag": row.item.tag, "value": value_form(row.value)}
                for row in rows
            ],
        },
    )


def _written_rows(scope: Scope, invocation: ParsedArguments) -> list[Written]:
    file: Token = invocation.positional[0]
    rows = read_rows(file)
    return [Written((full_address(row.tag, scope),), file, f"{file.value}:{row.line}") for row in rows]


@command(
    "write-many",
    example="write-many setpoints.csv",
    mutating=True,
    preview=_preview_many,
    traits=CommandTraits(retried_in_finally=True, writes=_written_rows),
)
async def write_many(
    context: Context,
    file: Annotated[Token, ValueFileName()],
    *,
    timeout: DurationOption = None,
    signing: SigningOptions,
    server: ServerOption = None,
) -> Result | Feed:
    """Write all rows of a CSV file in one call, and wait for the outcome of each.

    The first line names the columns: tag and value, and if wanted type and time. A value stands there without
    quotes and prefix: it gets the tag's own type, or the one in the column type (int32, string, double[] …); an
    array is [1, 2, 3], in double quotes because of its commas. time is the source time: all rows have one, or none.
    The separator is a comma.

    All tags are added and advised and have a value before anything is sent. Nothing is sent if any row cannot be
    right: an unknown tag, a tag named twice, a value that cannot be of the tag's type. Tags that need a signature
    and ones that do not cannot be in one file. The user who is logged in signs, and for VerifiedWrite tags a second
    person, as with write.

    Each row has an outcome of its own, as with write; the exit code is that of the worst. --timeout is the time for
    all of it (30 s). Ctrl-C stops the waiting, not the writes.
    """
    try:
        rows = await _prepared(context, file, server, sends=True)
        session_id = context.session.session_id
        signatures = await signatures_for(context, [(row.item, row.security) for row in rows], signing.person)
        for row in rows:
            live = live_session_of(context, row.item)
    except MxGatewayError:
        # The error names another call than the write.
        context.notice("nothing was written")
        raise
    return BulkWriting(context, live, rows, signatures, timeout or OUTCOME_TIMEOUT, session_id)


def _entry(row: PreparedRow, signature: Signature) -> "BulkEntry":
    from zb_mom_ww_mxgateway import Write2Entry, WriteEntry, WriteSecured2Entry, WriteSecuredEntry

    handle = row.item.item_handle
    if signature.ids is None:
        return WriteEntry(handle, row.value) if row.at is None else Write2Entry(handle, row.value, row.at)
    if row.at is None:
        return WriteSecuredEntry(handle, row.value, *signature.ids)
    return WriteSecured2Entry(handle, row.value, row.at, *signature.ids)


async def _prepared(context: Context, file: Token, server: int | None, *, sends: bool = False) -> list[PreparedRow]:
    """Return what to write, with the values before; nothing is written yet.

    Raises InputError at the file's name for rows that cannot be right, each with its place in the file.
    """
    rows = read_rows(file)
    handle = await context.server_for(server)
    mistakes = FileMistakes(file.value)
    targets = _targets(context, rows, handle, mistakes)
    mistakes.refuse(file)
    items = await ensure(context, targets, handle)
    if sends:
        await follow_coming_waits(context)
    values = await values_now(context, items)
    securities = await _securities(context, items)
    made: list[PreparedRow] = []
    lines: dict[tuple[int, int], int] = {}
    for row, target, item, value, security in zip(rows, targets, items, values, securities, strict=True):
        with mistakes.of(row):
            if (first := lines.setdefault(item.key, row.line)) != row.line:
                raise row.tag.mistake(f"{item.tag} is in line {first} already")
            before = await checked_first_value(context, target, item, value)
            if security == VIEW_ONLY:
                raise row.tag.mistake(f"{item.tag} cannot be written (ViewOnly): {security_meaning(security)}")
            typed = row.typed(item.tag, context.type_of(item.tag, item))
            made.append(PreparedRow(item, before, typed, row.at, security))
    _refuse_mixed(rows, items, securities, mistakes)
    mistakes.refuse(file)
    return made


def _targets(context: Context, rows: Sequence[ValueRow], server: int, mistakes: FileMistakes) -> list[Target]:
    found = []
    for row in rows:
        with mistakes.of(row):
            tag = TAG.parse(row.tag, context)
            item = context.find_item(tag, server)
            if item is None and context.catalogue.misses(tag):
                raise row.tag.mistake(f"no tag {tag}{context.catalogue.closest(tag)}")
            found.append(Target(item.tag if item else tag, item, row.tag))
    return found


async def _securities(context: Context, items: Sequence[Item]) -> list[int | None]:
    """Return the security classifications of tags, as far as the galaxy tells."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def of(item: Item) -> int | None:
        async with turns:
            return await context.connected.security_of(item.tag)

    return await asyncio.gather(*map(of, items))


def _refuse_mixed(
    rows: Sequence[ValueRow], items: Sequence[Item], securities: Sequence[int | None], mistakes: FileMistakes
) -> None:
    """Add the mistakes of tags that need a signature, where others need none."""
    plain = next((item for item, kind in zip(items, securities, strict=True) if not needs_signature(kind)), None)
    if plain is None:
        return
    for row, item, kind in zip(rows, items, securities, strict=True):
        if needs_signature(kind):
            mistakes.add(
                row.line,
                row.tag.start + 1,
                f"{item.tag} needs a signature ({security_name(kind)}), and {plain.tag} does not: one file has the one "
                "kind or the other",
            )


COMMANDS = (write_many,)
