"""changes, undo, keep, revert."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.safety.changes import Standing, TagChange
from zb_mom_ww_mxgateway.safety.revert_files import DamagedRevert, RevertRecord
from zb_mom_ww_mxgateway.safety.reverts import Revert, RevertEvent, RevertStage
from zb_mom_ww_mxgateway.safety.write_note import given
from zb_mom_ww_mxgateway.tag_names import item_key, tag_key
from zb_mom_ww_mxgateway.values import Typed
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, age_text, gravest, safe, value_form, value_text
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.feeds.change_rows import (
    CHANGE_COLUMNS,
    HEADINGS,
    change_row,
    left_behind_row,
    revert_row,
)
from zb_mom_ww_mxgateway_shell.feeds.write_preparation import OUTCOME_TIMEOUT, given_reason, live_session_of
from zb_mom_ww_mxgateway_shell.feeds.write_report import WriteReport
from zb_mom_ww_mxgateway_shell.language.argument_types import Count, DurationOption, ReasonOption, Suggestion
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import Tag
from zb_mom_ww_mxgateway_shell.output.results import Result, Sheet, Table, TextResult
from zb_mom_ww_mxgateway_shell.output.revert_text import countdown_text, left_behind_text, news_text, ours_text
from zb_mom_ww_mxgateway_shell.output.tag_texts import shown_value, with_units
from zb_mom_ww_mxgateway_shell.state.context import Context, context_of
from zb_mom_ww_mxgateway_shell.state.plant_changes import ChangeNow, PlantChanges
from zb_mom_ww_mxgateway_shell.state.signatures import SigningOptions, signature_for

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveValue, WriteResult


# What is put back was written before, by a line that is checked.
_PUTS_BACK = CommandTraits(retried_in_finally=True, puts_back=True, writes=lambda context, arguments: ())


class RevertTag(Tag):
    """A tag that a timed write waits to put back."""

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        current = context_of(context).current
        pending = current.changes.pending if current is not None else []
        return [
            Suggestion(each.tag, f"back to {value_text(each.original)} in {countdown_text(each)}")
            for each in pending
            if tag_key(each.tag).startswith(tag_key(prefix))
        ]


RevertTagArgument = Annotated[str | None, RevertTag()]


@command("changes", example="changes")
async def changes(context: Context) -> Result:
    """List what this session changed and has not put back, newest first, with who and when, and what it is now.

    undo N puts a value back. A tag that has its first value again is no longer listed, whoever wrote it. It also lists
    timed writes (write TAG VALUE --for 30s) with the time left, and those that an earlier session at this gateway left
    behind: revert TAG puts their value back, keep TAG leaves it.
    """
    here = context.connected.changes
    rows = await here.now()
    reverts = {item_key(each.tag): each for each in here.pending}
    shown = [change_row(row, reverts.pop(item_key(row.change.tag), None)) for row in rows]
    shown += [revert_row(each) for each in reverts.values()]
    left: list[RevertRecord] = []
    for found in await _left_behind(context):
        if isinstance(found, RevertRecord):
            left.append(found)
        else:
            context.notice(left_behind_text(found))
    shown += [left_behind_row(each) for each in left]
    cells, records = [cells for cells, _ in shown], [record for _, record in shown]
    facts = context.connected.facts
    headings, cells = with_units(HEADINGS, cells, [facts.known(each["tag"]) for each in records], behind="now")
    empty = "nothing is left changed by this session"
    return Table(tuple(headings), cells, records, len(records), empty=empty, columns=CHANGE_COLUMNS)


async def _preview_undo(context: Context, number: int | None = None, **others: object) -> Result:
    what = f"change {number}" if number else "the newest change"
    return TextResult(f"would put back {what}", {"number": number, "planned": "undo"})


@command(
    "undo",
    example="undo",
    mutating=True,
    preview=_preview_undo,
    traits=_PUTS_BACK,
)
async def undo(
    context: Context,
    number: Annotated[int | None, Count()] = None,
    *,
    reason: ReasonOption = None,
    timeout: DurationOption = None,
    signing: SigningOptions,
) -> Result:
    """Write the value back that a tag had before this session changed it: of the newest change, or number N of changes.

    It does so only if the tag still has the value that this session wrote. If it has another one, or that is not known,
    undo shows what it was, ours and what it is now, and asks; without a terminal it is refused. A value that changes in
    the last moment is not overwritten either. Arming, limits and guards hold as for write.
    """
    here, facts = context.connected.changes, context.connected.facts
    change = _chosen(here, number)
    if change is None:
        return TextResult("nothing is left changed by this session", {"tag": None, "outcome": None})
    row = await here.look(change)
    if row.is_back:
        here.ledger.forget(change)
        text = f"{safe(change.name)} is {row.was_text} again already, as before: nothing was sent"
        value = value_form(row.present and row.present.value)
        return TextResult(text, {"outcome": None, "tag": change.tag, "value": value})
    original, item, present = _can_be_undone(row)
    await _agree(context, row)
    signature, signers = await signature_for(context, item, signing.person)
    security = await context.connected.security_of(item.tag)
    live = live_session_of(context, item)
    for_outcome = timeout or OUTCOME_TIMEOUT
    expected = {} if row.standing is Standing.UNSURE else {tag_key(item.tag): present.value}

    async def send() -> "WriteResult":
        with given_reason(reason), given(expected=expected):
            return await live.write_and_confirm(*item.key, original, signature=signature, timeout=for_outcome)

    revert = next((each for each in here.pending if item_key(each.tag) == item_key(item.tag)), None)
    result = await (send() if revert is None else here.reverts.replaced_by(revert, send))
    known = facts.seen(item.tag, present.value, original)
    written, decimals = shown_value(original, known), known.decimals
    form, endpoint = value_form(original), live.session.endpoint
    report = WriteReport(
        item,
        present,
        written,
        form,
        result,
        for_outcome,
        endpoint,
        None,
        signers,
        security=security,
        decimals=decimals,
    )
    return report.text_result()


def _chosen(here: PlantChanges, number: int | None) -> TagChange | None:
    changed = here.ledger.open()
    if number is None:
        return changed[0] if changed else None
    found = here.ledger.numbered(number)
    if found is None:
        numbers = ", ".join(str(each.number) for each in changed)
        there = f"there is {numbers}" if numbers else "nothing is left changed"
        raise ShellError(f"no change {number}: {there}; changes lists them. Nothing was sent", ExitCode.USAGE)
    return found


def _can_be_undone(row: ChangeNow) -> "tuple[Typed, Item, LiveValue]":
    """Return the value to write, the item and its present value; raise ShellError where that is impossible."""
    change = row.change
    name = safe(change.name)
    if change.before is None:
        why = "its value before is not known"
    elif (original := change.before.sendable()) is None:
        why = f"its value before, {value_text(change.before.value)}, cannot be written"
    elif row.item is None or row.present is None:
        why = "it has no value now, so MXAccess takes no write"
    else:
        return original, row.item, row.present
    raise ShellError(f"{name} cannot be put back: {why}; write a value yourself. Nothing was sent", ExitCode.GUARDED)


async def _agree(context: Context, row: ChangeNow) -> None:
    """Return if undo may go on, asking a person where the present value is not surely ours; raise ShellError if not."""
    if not (why := _doubt(row)):
        return
    was = row.was_text
    text = f"{safe(row.change.name)} was {was}, ours is {row.ours_text}, and it is {row.now_text} now: {why}"
    if context.ask is None:
        raise ShellError(f"not undone: {text}; there is no terminal to ask at, and nothing was sent", ExitCode.GUARDED)
    if not await context.ask(f"{text}. Write {was} all the same?"):
        raise ShellError("not confirmed; nothing was sent", ExitCode.GUARDED)


def _doubt(row: ChangeNow) -> str:
    """Return why a person must decide; empty where the present value is surely ours."""
    change = row.change
    match row.standing:
        case Standing.ANOTHER:
            return "somebody else changed it, or the plant made another value of ours"
        case Standing.UNSURE:
            return "it is not good, or may be old"
        case Standing.BEFORE:
            left = change.may_still_happen_for
            return f"ours may still come{f' for {age_text(left)}' if left else ''}"
    if change.between:
        values = ", ".join(map(value_text, change.between))
        return f"somebody else made it {values} in between"
    return "" if change.before is not None and change.before.is_good else "the value before was not good, or old"


@command("keep", example="keep", in_plan=False)
async def keep(context: Context, tag: RevertTagArgument = None) -> Result:
    """Leave the value of a timed write as it is: of this tag, or of every timed write of this session.

    With a tag it also ends one that an earlier session left behind.
    """
    here = context.connected.changes
    reverts = await _named(context, tag)
    for each in reverts:
        with here.news_of(each):
            try:
                await here.reverts.keep(each)
            except (OSError, TimeoutError) as error:
                raise ShellError(f"{safe(each.tag)} is kept, but its file stays: {error}", ExitCode.UNKNOWN) from error
    if not reverts:
        return TextResult("no timed write is pending", {"kept": []})
    text = ", ".join(f"{safe(each.tag)} (it was {value_text(each.original)})" for each in reverts)
    return TextResult(f"kept: {text}", {"kept": [each.tag for each in reverts]})


async def _preview_revert(context: Context, tag: str | None = None, **others: object) -> Result:
    what = tag or "every timed write"
    return TextResult(f"would put back {what}", {"planned": "revert", "tag": tag})


@command(
    "revert",
    example="revert",
    mutating=True,
    preview=_preview_revert,
    traits=_PUTS_BACK,
)
async def revert(context: Context, tag: RevertTagArgument = None) -> Result:
    """Put the value of a timed write back now: of this tag, or of every timed write of this session.

    With a tag it also puts back what an earlier session left behind. A value that somebody else wrote since is only
    overwritten if a person agrees; without a terminal that is refused.
    """
    here = context.connected.changes
    reverts = await _named(context, tag)
    if not reverts:
        return TextResult("no timed write is pending", {"reverts": []}, rows=Sheet(("event", "tag"), []))
    ended = [await _put_back(context, here, each) for each in reverts]
    records = [{"event": event, "tag": each.tag} for each, (event, _, _) in zip(reverts, ended, strict=True)]
    code = gravest(*(code for _, _, code in ended))
    return TextResult(
        "\n".join(text for _, text, _ in ended),
        {"reverts": records},
        exit_code=code,
        rows=Sheet(("event", "tag"), records),
    )


async def _put_back(context: Context, here: PlantChanges, revert: Revert) -> tuple[str, str, ExitCode]:
    """Make one revert; return its last event, the words for it and the exit code."""
    with here.news_of(revert) as news:
        await here.reverts.make_now(revert)
        if news and news[-1].event is RevertEvent.ASKS and news[-1].present is not None and context.ask is not None:
            was = value_text(revert.original)
            if await context.ask(f"{news_text(news[-1])}. Write {was} all the same?"):
                await here.reverts.make_now(revert, news[-1].present)
    if not news:
        # What may still happen is put back when it does, as long as this session lasts.
        done = f"is put back to {value_text(revert.original)}" if revert.stage is RevertStage.MADE else "waits"
        left = age_text(revert.may_still_happen_for)
        text = f"{safe(revert.tag)} {done}; a write of {ours_text(revert)} may still happen for {left}"
        return str(revert.stage), text, ExitCode.UNKNOWN
    event = news[-1].event
    code = {
        RevertEvent.MADE: ExitCode.DONE,
        RevertEvent.BACK: ExitCode.DONE,
        RevertEvent.ASKS: ExitCode.GUARDED,
    }.get(event, ExitCode.UNKNOWN)
    return str(event), news_text(news[-1]), code


async def _named(context: Context, tag: str | None) -> list[Revert]:
    """Return the reverts that a line means: those of this session, or the one of a tag, also one that was left behind.

    Raises ShellError where the tag has none.
    """
    here = context.connected.changes
    if tag is None:
        return here.pending
    found = [each for each in here.pending if item_key(each.tag) == item_key(tag)]
    if found:
        return found
    for record in await _left_behind(context):
        if isinstance(record, RevertRecord) and item_key(record.tag) == item_key(tag):
            adopted = await here.reverts.pending.adopt(record)
            if adopted is None:
                raise ShellError(f"another session is deciding about {safe(tag)} now", ExitCode.GUARDED)
            return [adopted]
    pending = ", ".join(safe(each.tag) for each in here.pending)
    there = f"there is {pending}" if pending else "no timed write is pending"
    raise ShellError(f"{safe(tag)} has no timed write: {there}", ExitCode.USAGE)


async def _left_behind(context: Context) -> "list[RevertRecord | DamagedRevert]":
    try:
        return await context.connected.changes.left_behind()
    except (OSError, TimeoutError) as error:
        context.notice(f"whether a timed write was left behind is unknown: {error}")
        return []


COMMANDS = (changes, undo, keep, revert)
