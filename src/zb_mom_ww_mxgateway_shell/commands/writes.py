"""write-many: the tags and values of a file, in one call."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.models.security_classes import VIEW_ONLY
from zb_mom_ww_mxgateway.tag_names import item_key
from zb_mom_ww_mxgateway_console.render.forms import value_form
from zb_mom_ww_mxgateway_shell.diagnosis.status_texts import security_meaning
from zb_mom_ww_mxgateway_shell.feeds.bulk_write import BulkWriting, PreparedRow, securities_of, shown_or_asked
from zb_mom_ww_mxgateway_shell.feeds.expected_refusal import RefusalOption, judged_rows
from zb_mom_ww_mxgateway_shell.feeds.items import ensure, values_now
from zb_mom_ww_mxgateway_shell.feeds.write_preparation import (
    OUTCOME_TIMEOUT,
    before_sending,
    checked_first_value,
    follow_coming_waits,
    live_session_of,
)
from zb_mom_ww_mxgateway_shell.feeds.write_report import given_text
from zb_mom_ww_mxgateway_shell.language.argument_types import (
    DurationOption,
    ReasonOption,
)
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits, ParsedArguments, Written
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import TAG, ServerOption, Target, full_address
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.value_files import FileMistakes, ValueFileName, ValueRow, read_rows
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.planned_writes import PlannedKind, PlannedWrite, Preview
from zb_mom_ww_mxgateway_shell.state.signatures import (
    SigningOptions,
    needs_signature,
    security_name,
    signatures_for,
)

if TYPE_CHECKING:
    pass


async def _preview_many(
    context: Context, file: Token, *, server: int | None = None, refused: str | bool = False, **others: object
) -> Result:
    rows = await _prepared(context, file, server, expects_refusal=bool(refused))
    same = [" (unchanged)" if same_value(row.value, row.before.value) else "" for row in rows]
    return Preview(
        "\n".join(
            f"would write {row.item.tag}   {row.change}{given_text(row.at, '')}{mark}"
            for row, mark in zip(rows, same, strict=True)
        ),
        {
            "expects_refusal": bool(refused),
            "planned": "write-many",
            "tags": [row.item.tag for row in rows],
            "writes": [
                {"before": value_form(row.before.value), "tag": row.item.tag, "value": value_form(row.value)}
                for row in rows
            ],
        },
        writes=tuple(
            PlannedWrite(
                tag=row.item.tag,
                word=file,
                kind=PlannedKind.REFUSED if refused else PlannedKind.VALUE,
                type=row.value.type,
                value=row.value.sent,
                before=row.before,
                at=row.at,
                place=f"{file.value}:{line}",
            )
            for row, line in zip(rows, [each.line for each in read_rows(file, context)], strict=True)
        ),
    )


def _written_rows(scope: Scope, invocation: ParsedArguments) -> list[Written]:
    file: Token = invocation.positional[0]
    rows = read_rows(file, scope)
    return [Written((full_address(row.tag, scope),), file, f"{file.value}:{row.line}") for row in rows]


def _tags_of_rows(scope: Scope, invocation: ParsedArguments) -> list[str]:
    is_known = isinstance(invocation.positional[0], Token)
    if invocation.options.get("server") is not None or not is_known:
        return []
    return [name for row in _written_rows(scope, invocation) for name in row.names]


@command(
    "write-many",
    example="write-many setpoints.csv",
    mutating=True,
    preview=_preview_many,
    traits=CommandTraits(retried_in_finally=True, writes=_written_rows, advises=_tags_of_rows),
)
async def write_many(
    context: Context,
    file: Annotated[Token, ValueFileName()],
    *,
    timeout: DurationOption = None,
    refused: RefusalOption = False,
    reason: ReasonOption = None,
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
    all of it (30 s). Ctrl-C stops the waiting, not the writes. With --refused [STATUS], as for write, the plant is to
    refuse every row.
    """
    with before_sending(context):
        rows = await _prepared(context, file, server, sends=True, expects_refusal=bool(refused))
        session_id, texts = context.session.session_id, context.connected.facts
        signatures = await signatures_for(
            context, [(row.item, row.security) for row in rows], signing.person, as_is=bool(refused)
        )
        for row in rows:
            live = live_session_of(context, row.item)
    writing = BulkWriting(texts, live, rows, signatures, timeout or OUTCOME_TIMEOUT, session_id, reason)
    if refused:
        place = (file.start, file.end)
        writing.judge_refusals = lambda reports: judged_rows(reports, refused, place)
    return await shown_or_asked(writing, context, rows)


async def _prepared(
    context: Context, file: Token, server: int | None, *, sends: bool = False, expects_refusal: bool = False
) -> list[PreparedRow]:
    """Return what to write, with the values before; nothing is written yet.

    Raises InputError at the file's name for rows that cannot be right, each with its place in the file.
    """
    rows = read_rows(file, context)
    handle = await context.server_for(server)
    mistakes = FileMistakes(file.value)
    targets = _targets(context, rows, handle, mistakes)
    mistakes.refuse(file)
    items = await ensure(context, targets, handle)
    if sends:
        await follow_coming_waits(context)
    values = await values_now(context, items)
    securities = await securities_of(context, items)
    made: list[PreparedRow] = []
    lines: dict[str, int] = {}
    for row, target, item, value, security in zip(rows, targets, items, values, securities, strict=True):
        with mistakes.of(row):
            if (first := lines.setdefault(item_key(item.tag), row.line)) != row.line:
                raise row.tag.mistake(f"{item.tag} is in line {first} already")
            before = await checked_first_value(context, target, item, value)
            if security == VIEW_ONLY and not expects_refusal:
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
                f"{item.tag} needs a signature ({security_name(kind)}), and {plain.tag} does not as far as the galaxy "
                "tells: one file has the one kind or the other",
            )


GROUP = "values"
"""The group of help that they belong to."""
COMMANDS = (write_many,)
