"""snapshot, snapshots, diff, restore: the values of tags at one moment, kept, compared and written back."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any

from zb_mom_ww_mxgateway import arguments
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayError
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway.safety.snapshots import (
    ComparedRow,
    RowState,
    Snapshot,
    take_snapshot,
)
from zb_mom_ww_mxgateway.times import date_and_time, time_text
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted, value_form
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.feeds.bulk_write import BulkWriting, shown_or_asked
from zb_mom_ww_mxgateway_shell.feeds.restore import Restoration, RestorePlan, now_text, restore_plan
from zb_mom_ww_mxgateway_shell.feeds.snapshot_rows import (
    SNAPSHOTS,
    chosen_rows,
    compared_rows,
    loaded_snapshot,
    reason_of,
    say_where,
)
from zb_mom_ww_mxgateway_shell.feeds.watch_targets import Watchable, targets_of
from zb_mom_ww_mxgateway_shell.feeds.write_preparation import (
    OUTCOME_TIMEOUT,
    before_sending,
    follow_coming_waits,
    live_session_of,
)
from zb_mom_ww_mxgateway_shell.language.argument_types import (
    ArgumentType,
    DurationOption,
    ReasonOption,
    Suggestion,
    Tolerance,
)
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits, ParsedArguments, Written
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tag_globs import TagOrGlob
from zb_mom_ww_mxgateway_shell.language.target_types import ServerOption, Target
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, Sheet, Table, TextResult, table_lines
from zb_mom_ww_mxgateway_shell.output.tag_texts import shown_value
from zb_mom_ww_mxgateway_shell.state.confirmation import agreed
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.planned_writes import PlannedKind, PlannedWrite, Preview
from zb_mom_ww_mxgateway_shell.state.signatures import SigningOptions, needs_signature, signatures_for

_LEFT_OUT_SHOWN = 20


class SnapshotName(ArgumentType):
    """Name of a snapshot."""

    name = "name"

    def parse(self, word: Token, context: Scope) -> Token:
        try:
            SNAPSHOTS.path(word.value)
        except MxGatewayArgumentError as error:
            raise word.mistake(str(error)) from None
        return word

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(name, "snapshot") for name in SNAPSHOTS.names() if name.startswith(prefix)]


SnapshotArgument = Annotated[Token, SnapshotName()]
TagsOfSnapshot = Annotated[TagGlob | None, TagOrGlob()]
ToleranceOption = Annotated[Token | None, Tolerance()]


async def _preview_snapshot(
    context: Context, name: Token, *tags: list[Target] | Token, server: int | None = None, **others: object
) -> Result:
    targets = await targets_of(context, tags, server)
    context.file.planned_snapshots[name.value] = [each.tag for each in targets]
    return TextResult(f"would keep values as {name.value}", {"name": name.value, "planned": "snapshot"})


@command(
    "snapshot",
    example="snapshot before Plant.Tank1.LevelSP Plant.LC1.*",
    stream=False,
    preview=_preview_snapshot,
    traits=CommandTraits(reads_plant=True),
)
async def snapshot(
    context: Context,
    name: SnapshotArgument,
    *tags: Annotated[list[Target] | Token, Watchable()],
    server: ServerOption = None,
) -> Result:
    """Keep the values of tags under a name, to compare and to restore them later.

    Tags are named as for watch: one by one, by globs, or by a list. All are read afresh, in one call; what the stream
    brought does not count. Only good values are kept: a tag whose value is bad, uncertain, null or not a number, or
    that cannot be read, is named and left out. The file belongs to you alone. A snapshot of the same name is replaced
    if you agree; without a terminal --yes agrees.
    """
    targets = await targets_of(context, tags, server)
    if SNAPSHOTS.has(name.value):
        await agreed(context, f"replace the snapshot {name.value}?")
    handle = await context.server_for(server)
    live = context.live_session
    taken = await take_snapshot(
        live, name.value, [each.tag for each in targets], handle, galaxy_deployed=await _deployed_at(context)
    )
    left_out = [f"left out: {each.tag}: {each.why}" for each in taken.left_out]
    if not taken.rows:
        raise ShellError("\n".join(["nothing is kept: no tag has a good value", *left_out]), ExitCode.NOT_MET)
    try:
        path = SNAPSHOTS.save(taken)
    except OSError as error:
        raise ShellError(f"cannot write the snapshot {name.value}: {error.strerror}", ExitCode.NOT_MET) from error
    named = left_out[:_LEFT_OUT_SHOWN] + (["…"] if len(left_out) > _LEFT_OUT_SHOWN else [])
    of = f" of {len(taken.rows) + len(left_out)}" if left_out else ""
    return TextResult(
        "\n".join([f"{name.value}: {len(taken.rows)}{of} tags kept", *named]),
        {
            "file": str(path),
            "left_out": {each.tag: each.why for each in taken.left_out},
            "name": name.value,
            "tags": [each.tag for each in taken.rows],
            "taken_at": time_text(taken.taken_at),
        },
    )


async def _deployed_at(context: Context) -> datetime | None:
    """Return when the galaxy was deployed; None where the gateway does not tell."""
    with suppress(MxGatewayError):
        connected = context.connected
        return await connected.brief_galaxy.answer(connected.client.galaxy.last_deploy_time)
    return None


_COLUMNS = ("endpoint", "error", "file", "galaxy_deployed", "left_out", "name", "tags", "taken_at")


@command("snapshots", example="snapshots", needs_session=False, stands_alone=True, in_plan=True)
async def snapshots(context: Context) -> Result:
    """List the snapshots, with when and of which gateway they were taken."""
    rows: list[list[str]] = []
    records: list[dict[str, Any]] = []
    for name in SNAPSHOTS.names():
        path = str(SNAPSHOTS.path(name))
        try:
            found = SNAPSHOTS.load(name)
        except (OSError, ValueError) as error:
            rows.append([name, "", "", "", f"cannot be read: {reason_of(error)}"])
            records.append(dict.fromkeys(_COLUMNS) | {"error": reason_of(error), "file": path, "name": name})
            continue
        left_out = f", {len(found.left_out)} left out" if found.left_out else ""
        held = counted(len(found.rows), "tag") + left_out
        rows.append([name, date_and_time(found.taken_at), found.endpoint, held, ""])
        records.append(
            {
                "endpoint": found.endpoint,
                "error": None,
                "file": path,
                "galaxy_deployed": found.galaxy_deployed and time_text(found.galaxy_deployed),
                "left_out": len(found.left_out),
                "name": name,
                "tags": len(found.rows),
                "taken_at": time_text(found.taken_at),
            }
        )
    headings, empty = ("name", "taken", "gateway", "tags", ""), "no snapshots: snapshot NAME TAG…"
    return Table(headings, rows, records, empty=empty, columns=_COLUMNS)


async def _preview_diff(context: Context, name: Token, *tags: TagGlob | None, **options: Any) -> Result:
    if name.value in context.file.planned_snapshots:
        return TextResult(f"would compare the values kept as {name.value}", {"name": name.value, "planned": "diff"})
    shown = await diff.run(context, name, *tags, **options)
    assert isinstance(shown, TextResult)
    return shown


@command(
    "diff",
    example="diff before",
    stream=False,
    preview=_preview_diff,
    traits=CommandTraits(reads_plant=True),
)
async def diff(
    context: Context,
    name: SnapshotArgument,
    *tags: TagsOfSnapshot,
    tol: ToleranceOption = None,
    server: ServerOption = None,
) -> Result:
    """Compare a snapshot with the plant, and show the tags that differ.

    The tags are read afresh. A real differs if it is further from its value than --tol, else than the tolerance of
    the limits file, else than its type can tell; all else must be equal. A tag whose present value is not good, or
    that cannot be read, is shown too: whether it differs is unknown. With tags or globs behind the name, only those of
    the snapshot are compared.
    """
    found = loaded_snapshot(name)
    handle = await context.server_for(server)
    say_where(context, found)
    compared = await compared_rows(context, found, name, tags, tol, handle)
    shown = [each for each in compared if each.state is not RowState.SAME]
    facts = context.connected.facts
    cells = []
    for each in shown:
        known = facts.seen(each.row.tag, each.row.value, each.now.value)
        now = shown_value(each.now.value, known) if each.now.was_successful else now_text(each)
        cells.append([each.row.tag, shown_value(each.row.value, known), now, each.why or each.now.quality_word])
    same = len(compared) - len(shown)
    summary = f"{same} of {counted(len(compared), 'tag')} as in {name.value}, taken {date_and_time(found.taken_at)}"
    return TextResult(
        "\n".join([*(table_lines(("tag", "then", "now", "quality"), cells) if cells else []), f"  {summary}"]),
        {
            "name": name.value,
            "rows": [_compared_record(each) for each in compared],
            "same": same,
            "taken_at": time_text(found.taken_at),
        },
        [each.row.tag for each in shown],
        rows=Sheet(_COMPARED, [_compared_record(each) for each in compared]),
    )


_COMPARED = ("now", "problem", "quality", "quality_word", "state", "tag", "then")


def _compared_record(compared: ComparedRow) -> dict[str, Any]:
    now = compared.now
    return {
        "now": value_form(now.value),
        "problem": compared.why or None,
        "quality": now.quality,
        "quality_word": now.quality_word,
        "state": compared.state.value,
        "tag": compared.row.tag,
        "then": value_form(compared.row.value),
    }


def _restored_tags(scope: Scope, invocation: ParsedArguments) -> list[Written]:
    """Return what a line may write, where its snapshot was taken already."""
    name, *tags = invocation.positional
    try:
        rows = chosen_rows(loaded_snapshot(name), name, tags)
    except ShellError:
        return [Written((), name)]  # A line before it may take it.
    return [Written((row.tag,), name, f"snapshot {name.value}") for row in rows]


async def _preview_restore(
    context: Context,
    name: Token,
    *tags: TagGlob | None,
    tol: Token | None = None,
    server: int | None = None,
    **others: object,
) -> Result:
    if name.value in context.file.planned_snapshots:
        kept = context.file.planned_snapshots[name.value]
        chosen = [tag for tag in kept if not tags or any(each is not None and each.matches(tag) for each in tags)]
        return Preview(
            f"would restore the values kept as {name.value}",
            {"name": name.value, "planned": "restore", "tags": chosen},
            writes=tuple(PlannedWrite(tag=tag, word=name, kind=PlannedKind.PUT_BACK, is_known=False) for tag in chosen),
        )
    plan = await _plan(context, loaded_snapshot(name), name, tags, tol, server)
    lines = [f"would write {row.item.tag}   {row.change}" for row in plan.rows]
    lines += [f"would leave out {each.compared.row.tag}   {each.reason.why}" for each in plan.problems]
    return Preview(
        "\n".join(lines or [f"nothing to restore: all is as in {name.value}"]),
        {
            "planned": "restore",
            "tags": [row.item.tag for row in plan.rows],
            "writes": [
                {"before": value_form(row.before.value), "tag": row.item.tag, "value": value_form(row.value)}
                for row in plan.rows
            ],
        },
        writes=tuple(
            PlannedWrite(tag=row.item.tag, word=name, type=row.value.type, value=row.value.sent, before=row.before)
            for row in plan.rows
        ),
    )


@command(
    "restore",
    example="restore before",
    mutating=True,
    preview=_preview_restore,
    traits=CommandTraits(retried_in_finally=True, writes=_restored_tags),
)
async def restore(
    context: Context,
    name: SnapshotArgument,
    *tags: TagsOfSnapshot,
    tol: ToleranceOption = None,
    timeout: DurationOption = None,
    reason: ReasonOption = None,
    signing: SigningOptions,
    server: ServerOption = None,
) -> Result | Feed:
    """Write the values of a snapshot back: those that differ, in its order, in one call, each with its outcome.

    It compares as diff does, and writes nothing to a tag that has its value. What cannot be restored is named and left
    out: a read-only tag, one whose present value is not good, and one that is gone or has another type now. The writes
    pass the same guards as write, and one confirmation holds for all of them. With tags or globs behind the name, only
    those of the snapshot are restored. A snapshot of another gateway is restored only if you agree.

    The exit code is that of the worst row; 1 if a tag that differs, or may, was left out, unless it is read-only. Tags
    that need a signature and ones that do not are restored one kind after the other.
    """
    with before_sending(context):
        found = loaded_snapshot(name)
        endpoint = context.live_session.session.endpoint
        if found.endpoint != endpoint:
            await agreed(
                context, f"{name.value} was taken of {found.endpoint}, and this is {endpoint}: restore it here?"
            )
        plan = await _plan(context, found, name, tags, tol, server)
        if not plan.rows:
            return plan.table(None)
        _refuse_mixed(plan)
        await follow_coming_waits(context)
        session_id, texts = context.session.session_id, context.connected.facts
        signed = [(row.item, row.security) for row in plan.rows]
        signatures = await signatures_for(context, signed, signing.person)
        for row in plan.rows:
            live = live_session_of(context, row.item)
    writing = BulkWriting(texts, live, plan.rows, signatures, timeout or OUTCOME_TIMEOUT, session_id, reason)
    return await shown_or_asked(Restoration(plan, writing), context, plan.rows)


async def _plan(
    context: Context,
    found: Snapshot,
    name: Token,
    tags: Sequence[TagGlob | None],
    tol: Token | None,
    server: int | None,
) -> RestorePlan:
    handle = await context.server_for(server)
    say_where(context, found)
    compared = await compared_rows(context, found, name, tags, tol, handle)
    plan = await restore_plan(context, compared, name, handle)
    if plan.same:
        context.notice(f"{plan.same} of {counted(len(compared), 'tag')} as in {name.value}")
    if len(plan.rows) > arguments.BULK_LIMIT:
        raise ShellError(
            f"{len(plan.rows)} tags differ, and one call writes {arguments.BULK_LIMIT} at most: name some of them "
            f"behind {name.value}; nothing was written"
        )
    return plan


def _refuse_mixed(plan: RestorePlan) -> None:
    signed = [row.item.tag for row in plan.rows if needs_signature(row.security)]
    plain = [row.item.tag for row in plan.rows if not needs_signature(row.security)]
    if signed and plain:
        raise ShellError(
            f"{signed[0]} needs a signature, and {plain[0]} does not as far as the galaxy tells: name the tags of "
            "one kind behind the snapshot's name, then those of the other; nothing was written",
            ExitCode.GUARDED,
        )


COMMANDS = (snapshot, snapshots, diff, restore)
