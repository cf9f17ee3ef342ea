"""write; and the items and current values that commands need."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.errors import MxAccessError, MxGatewayError
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.status import StatusCategory, first_failed
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway.values import Typed
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, age_text, error_form, status_form, value_form, value_text
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.argument_types import (
    DurationOption,
    FlagOption,
    Text,
    TimeOption,
    ToleranceOption,
)
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.comparison import tolerance_for
from zb_mom_ww_mxgateway_shell.language.literals import Literal
from zb_mom_ww_mxgateway_shell.language.target_types import ServerOption, Target, TargetArgument, ValueArgument
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult
from zb_mom_ww_mxgateway_shell.output.value_text import written_text
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted, InterruptedInDoubt
from zb_mom_ww_mxgateway_shell.state.context import FIRST_VALUE_TIMEOUT, Context
from zb_mom_ww_mxgateway_shell.state.passwords import PasswordSource
from zb_mom_ww_mxgateway_shell.state.signatures import Verifier, signature_for

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession, LiveValue, WriteResult

OUTCOME_TIMEOUT = 30.0
"""Seconds to wait for a write's completion: the gateway's own command timeout."""
VERIFY_TIMEOUT = 10.0
"""Seconds that --verify waits for the written value."""
_ANSWER_SECONDS = 1.0
"""Seconds that a written item gets to show its new value; a data change takes about 100 ms."""


async def _preview_write(
    context: Context, tag: Target, value: Literal, *, server: int | None = None, **others: object
) -> Result:
    item, before, typed = await _prepare(context, tag, value, server)
    change = f"{_value_before_text(before)} → {value_text(typed)}"
    same = " (unchanged)" if same_value(typed, before.value) else ""
    return TextResult(
        f"would write {item.tag}   {change}{same}",
        {"before": value_form(before.value), "planned": "write", "tag": item.tag, "value": value_form(typed)},
        brief=f"would write {change}{same}",
    )


def _check_options(positional: Sequence[Any], options: dict[str, Any]) -> None:
    """Raise a mistake in the options that does not depend on the tag."""
    tolerance = options.get("tol")
    if tolerance is not None and not options.get("verify"):
        raise tolerance.mistake("--tol is how much the value may differ for --verify: add --verify")


@command(
    "write",
    example="write TestChildObject.TestInt 123",
    mutating=True,
    check=_check_options,
    preview=_preview_write,
    traits=CommandTraits(retried_in_finally=True),
)
async def write(
    context: Context,
    tag: TargetArgument,
    value: ValueArgument,
    *,
    verify: FlagOption = False,
    tol: ToleranceOption = None,
    for_: DurationOption = None,
    at: TimeOption = None,
    second: Annotated[str | None, Text("user")] = None,
    second_password_env: Annotated[str | None, Text("variable")] = None,
    second_password_file: Annotated[str | None, Text("file")] = None,
    server: ServerOption = None,
) -> Result:
    """Write a value and wait for its outcome.

    A bare value gets the tag's own type. int32:5, double:5, string:5 … name another type, quotes make a string,
    [1, 2, 3] is an array. *Completed* means that MXAccess reported the write as done. *Accepted* means that
    MXAccess took it, but its effect was still unknown after --for (30 s). *Unknown* means that the answer was
    lost; the shell never sends such a write again.

    --verify then waits, at most --for (10 s), until the tag has the written value, and shows its value: a valve
    needs time to travel. A whole number, a text or a time must be equal. A real must be as near as its type can
    tell, or within --tol.

    --at gives the value a source time. The user who is logged in (login USER) signs for a SecuredWrite tag. For a
    VerifiedWrite tag the shell also asks a second person to log in, for this write alone. A file names that person
    with --second USER, and the password with --second-password-env or --second-password-file.
    """
    try:
        item, before, typed = await _prepare(context, tag, value, server, sends=True)
        room = None if tol is None else tolerance_for(tol, typed.sent)
        signature, signers = await signature_for(
            context, item, Verifier(second, PasswordSource(second_password_env, second_password_file))
        )
        live = _live_session_of(context, item)
    except MxGatewayError as error:
        if context.is_disconnected:
            raise _closed_error(context) from error
        # The error names another call than the write.
        context.notice("nothing was written")
        raise
    timeout = for_ or OUTCOME_TIMEOUT
    result = await live.write_and_confirm(*item.key, typed, timestamp=at, signature=signature, timeout=timeout)
    seen = None
    if verify and result.outcome.value != "refused":
        from zb_mom_ww_mxgateway_shell.feeds.write_check import verified

        try:
            seen = await verified(live, item, typed, for_ or VERIFY_TIMEOUT, room)
        except asyncio.CancelledError:
            # The write has its outcome, perhaps "unknown"; only the check of the tag was interrupted.
            kind = Interrupted if result.outcome.value == "completed" else InterruptedInDoubt
            raise kind(f"interrupted; {item.tag}   {_outcome_text(result, timeout)}; NOT VERIFIED") from None
    code = {"completed": ExitCode.DONE, "refused": ExitCode.REFUSED}.get(result.outcome.value, ExitCode.UNKNOWN)
    if code is ExitCode.DONE and seen and not seen.is_as_written:
        code = ExitCode.NOT_MET
    check = f"\n   check:  read {item.tag} --fresh" if result.outcome.value == "unknown" else ""
    outcome = _outcome_text(result, timeout)
    given = "".join(f", {part}" for part in (f"at {time_text(at)}" if at else "", signers) if part)
    change = f"{_value_before_text(before)} → {value_text(typed)}{given}"
    summary = f"{change}   {outcome}{f'; {seen.text}' if seen else ''}"
    return TextResult(
        f"{item.tag}   {summary}{check}",
        {
            "accepted_ms": _milliseconds(result.accepted_after),
            "before": value_form(before.value),
            "completed_ms": _milliseconds(result.completed_after),
            "error": error_form(result.error) if result.error else None,
            "item_handle": item.item_handle,
            "outcome": result.outcome.value,
            "server_handle": item.server_handle,
            "signed_by": signers or None,
            "source_time": at and time_text(at),
            "statuses": [status_form(status) for status in result.statuses],
            "tag": item.tag,
            "value": value_form(typed),
            "verified": seen and seen.form(),
        },
        result.outcome.value,
        code,
        _problem_of(context, result, item, timeout),
        brief=summary,
    )


async def _prepare(
    context: Context, tag: Target, value: Literal, server: int | None, *, sends: bool = False
) -> tuple[Item, "LiveValue", Typed]:
    """Return the item, its value before the write, and the typed value to write; nothing is written yet."""
    (item,) = await ensure(context, [tag], server)
    if sends:
        await _follow_coming_waits(context)
    before = await _first_value(context, tag, item)
    return item, before, value.for_tag(item.tag, context.type_of(item.tag, item))


async def _follow_coming_waits(context: Context) -> None:
    """Advise the tags that the file waits for behind this write. A wait reports its own errors."""
    if not context.lines_ahead:
        return
    from zb_mom_ww_mxgateway_shell.feeds.wait import coming_waits

    for target in coming_waits(context):
        with suppress(MxGatewayError, ShellError):
            await ensure(context, [target], None)


def _live_session_of(context: Context, item: Item) -> "LiveSession":
    """Return the live session of the item; refuse the write if the session or the item is gone.

    While the write waited, another line or Python may have closed the connection or removed the item.
    """
    if context.is_disconnected:
        raise _closed_error(context)
    live = context.live_session
    if live.session.handles.items.get(item.key) is not item:
        raise ShellError(f"{item.tag} was removed while the write waited; nothing was written", ExitCode.GUARDED)
    return live


def _closed_error(context: Context) -> ShellError:
    name = context.current.name if context.current else ""
    return ShellError(f"the connection {name} was closed while the write waited; nothing was written", ExitCode.GUARDED)


def _value_before_text(before: "LiveValue") -> str:
    return f"{value_text(before.value)}{' (stale)' if before.stale_since else ''}"


async def ensure(
    context: Context, targets: Sequence[Target], server: int | None, *, await_values: bool = True
) -> list[Item]:
    """Return the items of the targets; register, add and advise those that are missing, and report it.

    With `server` the items are of that server. By default it waits for the first values of new items.
    """
    live = context.live_session
    known = [_item_of(context, target, server) for target in targets]
    new = list(dict.fromkeys(target.tag for target, item in zip(targets, known, strict=True) if item is None))
    silent = [item for item in known if item and not item.advised]
    for item in silent:
        await live.session.advise(*item.key)
    added: dict[str, Item] = {}
    if new:
        handle = await context.server_for(server)
        added = dict(zip(new, await live.subscribe_tags(new, handle), strict=True))
    items = [item or added[target.tag] for target, item in zip(targets, known, strict=True)]
    # An item that the line before advised may have no value yet, either.
    waited = [item for item in items if await_values and live.latest(*item.key) is None]
    if not added and not waited:
        return items
    names = [f"item {item.item_handle}" for item in added.values()]
    report = f"added {', '.join(names) if len(names) <= 3 else f'{len(names)} items'}; " if names else ""
    if not await_values:
        context.notice(report.rstrip("; "))
        return items
    start = clock.monotonic()
    try:
        async with clock.timeout(FIRST_VALUE_TIMEOUT):
            for item in waited:
                await live.first_value(item)
    except TimeoutError:
        missing = [item.tag for item in waited if live.latest(*item.key) is None]
        context.notice(f"{report}no value after {FIRST_VALUE_TIMEOUT:g} s of {', '.join(missing[:3])}")
    else:
        context.notice(f"{report}first values after {age_text(clock.monotonic() - start)}")
    for item in added.values():
        # For an unknown name MXAccess sends a failed status.
        value = live.latest(*item.key)
        if value is not None and first_failed(value.statuses) is None:
            context.catalogue.learn(item.tag)
    return items


def _item_of(context: Context, target: Target, server: int | None) -> Item | None:
    if target.item is not None and server in (None, target.item.server_handle):
        return target.item
    return context.find_item(target.tag, server)


async def value_now(context: Context, item: Item) -> "LiveValue | None":
    """Return the cached value after everything that has arrived was processed.

    It waits a moment where a newer value is due: after a write to the item, or while a restored stream reads again.
    The value is stale if the gateway does not answer.
    """
    live, asked_at = context.live_session, clock.monotonic()
    if not await live.caught_up():
        value = live.latest(*item.key)
        return value and in_doubt(value, asked_at)
    await shown_writes(live, [item])
    ends = clock.monotonic() + _ANSWER_SECONDS
    while (held := live.latest(*item.key)) and held.stale_since is not None and live.state.value == "live":
        if not await _changed(live, ends):
            break
    return live.latest(*item.key)


def in_doubt(value: "LiveValue", asked_at: float) -> "LiveValue":
    """Return the value, stale from that time on unless it was already: the gateway confirmed nothing newer."""
    return value if value.stale_since is not None else replace(value, stale_since=max(asked_at, value.received_at))


async def shown_writes(live: "LiveSession", items: Iterable[Item]) -> None:
    """Wait until the stream shows the writes to these items, at most a moment after each write ended."""
    keys = [item.key for item in items]
    while written := [each for key in keys if (each := live.unseen_write(*key))]:
        ends = max(each.at if each.ended_at is None else each.ended_at for each in written) + _ANSWER_SECONDS
        if not await _changed(live, ends):
            return


async def _changed(live: "LiveSession", ends: float) -> bool:
    """Wait for the next change; return False at that time."""
    try:
        async with clock.timeout(ends - clock.monotonic()):
            await live.changed()
    except TimeoutError:
        return False
    return True


def unseen_text(context: Context, item: Item) -> str:
    """Return the remark that the value is from before a write to it; empty if it is not."""
    return written_text(context.live_session.unseen_write(*item.key))


async def _first_value(context: Context, target: Target, item: Item) -> "LiveValue":
    """Return the value before a write. MXAccess refuses a write to an item without one, so it is not sent."""
    value = await value_now(context, item)
    if value is None:
        raise ShellError(f"{item.tag} has no value yet, so it cannot be written; nothing was sent", ExitCode.REFUSED)
    failed = first_failed(value.statuses)
    if failed and failed.category == StatusCategory.CONFIGURATION_ERROR:
        if context.client is not None:
            context.catalogue.start(context.client)
            await context.catalogue.loaded(2.0)
        raise target.word.mistake(
            f"no tag {item.tag}: {failed}; nothing was written{context.catalogue.closest(item.tag)}"
        )
    return value


def _problem_of(context: Context, result: "WriteResult", item: Item, timeout: float) -> MxGatewayError | None:
    """Return the write's error as ``last-error`` shows it; None for a completed write."""
    if result.outcome.value == "completed":
        return None
    if result.error is not None and not result.statuses:
        return result.error
    refused = result.outcome.value == "refused"
    kind = MxAccessError if refused else MxGatewayError
    return kind(
        f"write of {item.tag}: {_outcome_text(result, timeout)}",
        call="write",
        statuses=result.statuses,
        hresult=result.error.hresult if result.error else None,
        reply=result.error.reply if result.error else None,
        correlation_id=result.error.correlation_id if result.error else None,
        endpoint=context.live_session.session.endpoint,
        outcome_unknown=not refused,
    )


def _outcome_text(result: "WriteResult", timeout: float) -> str:
    accepted = f"accepted {_milliseconds(result.accepted_after)} ms" if result.accepted_after is not None else ""
    match result.outcome.value:
        case "completed":
            return f"{accepted}, completed {_milliseconds(result.completed_after)} ms"
        case "refused":
            reason = "; ".join(map(str, result.statuses)) or str(result.error)
            return f"{accepted}{', ' if accepted else ''}REFUSED: {reason}"
        case "accepted" if result.ambiguous:
            return (
                f"{accepted}; effect unknown: an earlier write to this item is unresolved, so no completion can be "
                "matched to this one"
            )
        case "accepted":
            return f"{accepted}, not completed within {timeout:g} s: effect unknown"
    lost = str(result.error or "the event stream was interrupted").removeprefix("outcome unknown: ")
    return f"{accepted}{', then ' if accepted else ''}outcome UNKNOWN: {lost}. It was not sent again"


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(1, round(seconds * 1000))


COMMANDS = (write,)
