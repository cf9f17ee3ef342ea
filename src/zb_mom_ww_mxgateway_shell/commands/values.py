"""write; and the items that commands need."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.errors import MxAccessError, MxGatewayError
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.status import StatusCategory, first_failed
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.values import Typed
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, age_text, error_form, status_form, value_form, value_text
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.argument_types import DurationOption, FlagOption, ToleranceOption
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.comparison import tolerance_for
from zb_mom_ww_mxgateway_shell.language.literals import Literal
from zb_mom_ww_mxgateway_shell.language.target_types import ServerOption, Target, TargetArgument, ValueArgument
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult
from zb_mom_ww_mxgateway_shell.output.value_text import written_text
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted, InterruptedInDoubt
from zb_mom_ww_mxgateway_shell.state.context import FIRST_VALUE_TIMEOUT, Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession, LiveValue, WriteResult

OUTCOME_TIMEOUT = 30.0
"""Seconds to wait for a write's completion: the gateway's own command timeout."""
VERIFY_TIMEOUT = 10.0
"""Seconds for a tag to have the value that was written to it."""
_ANSWER_SECONDS = 1.0
"""So long an item that was written has to show what became of it; a data change takes about 100 ms."""


async def _would_write(
    context: Context, tag: Target, value: Literal, *, server: int | None = None, **others: object
) -> Result:
    item, before, typed = await _ready(context, tag, value, server)
    change = f"{_shown(before)} → {value_text(typed)}"
    same = " (as it is)" if same_value(typed, before.value) else ""
    return TextResult(
        f"would write {item.tag}   {change}{same}",
        {"before": value_form(before.value), "planned": "write", "tag": item.tag, "value": value_form(typed)},
        brief=f"would write {change}{same}",
    )


def _fits(positional: Sequence[Any], options: dict[str, Any]) -> None:
    """What is wrong with the options whatever the tag is."""
    tolerance = options.get("tol")
    if tolerance is not None and not options.get("verify"):
        raise tolerance.mistake("--tol says how much the value of --verify may differ: --verify is missing")


@command(
    "write",
    example="write TestChildObject.TestInt 123",
    mutating=True,
    check=_fits,
    preview=_would_write,
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
    server: ServerOption = None,
) -> Result:
    """Writes a value, and waits until it is known what became of it.

    A bare value takes the tag's own type; int32:5, double:5, string:5 … say another one, quotes make a
    string, [1, 2, 3] is an array. *Completed* means that MXAccess reported the write as done; *accepted*
    that it took it and nothing more is known after --for (30 s). A write whose answer was lost is
    *unknown*: it is never sent again. --verify then waits, at most --for (10 s), until the tag has the
    value that was written, and says what it has now: a valve takes its time to travel. A whole number, a
    text or a time has to be exactly that, a real as near as its type can tell, or within --tol.
    """
    try:
        item, before, typed = await _ready(context, tag, value, server, sends=True)
        room = None if tol is None else tolerance_for(tol, typed.sent)
        live = _still(context, item)
    except MxGatewayError as error:
        if context.is_disconnected:
            raise _left(context) from error
        # What failed is named after another call than the write.
        context.notice("nothing was written")
        raise
    timeout = for_ or OUTCOME_TIMEOUT
    result = await live.write_and_confirm(*item.key, typed, timeout=timeout)
    seen = None
    if verify and result.outcome.value != "refused":
        from zb_mom_ww_mxgateway_shell.feeds.write_check import verified

        try:
            seen = await verified(live, item, typed, for_ or VERIFY_TIMEOUT, room)
        except asyncio.CancelledError:
            # What came of the write is known, be it that it is in doubt; only whether the tag shows it is not.
            kind = Interrupted if result.outcome.value == "completed" else InterruptedInDoubt
            raise kind(f"interrupted; {item.tag}   {_outcome_text(result, timeout)}; NOT VERIFIED") from None
    code = {"completed": ExitCode.DONE, "refused": ExitCode.REFUSED}.get(result.outcome.value, ExitCode.UNKNOWN)
    if code is ExitCode.DONE and seen and not seen.is_as_written:
        code = ExitCode.NOT_MET
    check = f"\n   check:  read {item.tag} --fresh" if result.outcome.value == "unknown" else ""
    outcome = _outcome_text(result, timeout)
    said = f"{_shown(before)} → {value_text(typed)}   {outcome}{f'; {seen.text}' if seen else ''}"
    return TextResult(
        f"{item.tag}   {said}{check}",
        {
            "accepted_ms": _milliseconds(result.accepted_after),
            "before": value_form(before.value),
            "completed_ms": _milliseconds(result.completed_after),
            "error": error_form(result.error) if result.error else None,
            "item_handle": item.item_handle,
            "outcome": result.outcome.value,
            "server_handle": item.server_handle,
            "statuses": [status_form(status) for status in result.statuses],
            "tag": item.tag,
            "value": value_form(typed),
            "verified": seen and seen.form(),
        },
        result.outcome.value,
        code,
        _problem_of(context, result, item, timeout),
        brief=said,
    )


async def _ready(
    context: Context, tag: Target, value: Literal, server: int | None, *, sends: bool = False
) -> tuple[Item, "LiveValue", Typed]:
    """The item, its value before, and what is to be written: all that is known before anything is sent."""
    (item,) = await ensure(context, [tag], server)
    if sends:
        await _follow_what_comes(context)
    before = await _first_value(context, tag, item)
    return item, before, value.for_tag(item.tag, context.type_of(item.tag, item))


async def _follow_what_comes(context: Context) -> None:
    """Follows what the file waits for behind this write. What of it fails is said by the wait itself."""
    if not context.lines_ahead:
        return
    from zb_mom_ww_mxgateway_shell.feeds.wait import coming_waits

    for target in coming_waits(context):
        with suppress(MxGatewayError, ShellError):
            await ensure(context, [target], None)


def _still(context: Context, item: Item) -> "LiveSession":
    """The live session that the item is of, if both are still there; else the write is refused: while it waited,
    another line or Python may have closed the one, or removed the other."""
    if context.is_disconnected:
        raise _left(context)
    live = context.live_session
    if live.session.handles.items.get(item.key) is not item:
        raise ShellError(f"{item.tag} was removed while the write waited; nothing was written", ExitCode.GUARDED)
    return live


def _left(context: Context) -> ShellError:
    name = context.current.name if context.current else ""
    return ShellError(f"the connection {name} was closed while the write waited; nothing was written", ExitCode.GUARDED)


def _shown(before: "LiveValue") -> str:
    return f"{value_text(before.value)}{' (stale)' if before.stale_since else ''}"


async def ensure(
    context: Context, targets: Sequence[Target], server: int | None, *, await_values: bool = True
) -> list[Item]:
    """Items for the targets, with `server` of that server: registers, adds and advises what is not there yet, waits for
    the first values of those unless told not to, and says so."""
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
    # Also of one that was advised in the line before.
    waited = [item for item in items if await_values and live.latest(*item.key) is None]
    if not added and not waited:
        return items
    names = [f"item {item.item_handle}" for item in added.values()]
    said = f"added {', '.join(names) if len(names) <= 3 else f'{len(names)} items'}; " if names else ""
    if not await_values:
        context.notice(said.rstrip("; "))
        return items
    start = clock.monotonic()
    try:
        async with clock.timeout(FIRST_VALUE_TIMEOUT):
            for item in waited:
                await live.first_value(item)
    except TimeoutError:
        missing = [item.tag for item in waited if live.latest(*item.key) is None]
        context.notice(f"{said}no value after {FIRST_VALUE_TIMEOUT:g} s of {', '.join(missing[:3])}")
    else:
        context.notice(f"{said}first values after {age_text(clock.monotonic() - start)}")
    for item in added.values():
        # A name that MXAccess does not know comes with a failed status.
        value = live.latest(*item.key)
        if value is not None and first_failed(value.statuses) is None:
            context.catalogue.learn(item.tag)
    return items


def _item_of(context: Context, target: Target, server: int | None) -> Item | None:
    if target.item is not None and server in (None, target.item.server_handle):
        return target.item
    return context.find_item(target.tag, server)


async def value_now(context: Context, item: Item) -> "LiveValue | None":
    """The value held, once all that has arrived is taken in; for which it waits a moment where a newer one is about to
    come: of an item that has just been written, or when a stream is back and what may be old is being read again.

    It is stale where the gateway does not answer.
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
    """The value, stale since then where it was not before: the gateway does not say whether it is all."""
    return value if value.stale_since is not None else replace(value, stale_since=max(asked_at, value.received_at))


async def shown_writes(live: "LiveSession", items: Iterable[Item]) -> None:
    """Waits until the stream shows what was written of these items, at most a moment from when each write ended."""
    keys = [item.key for item in items]
    while written := [each for key in keys if (each := live.unseen_write(*key))]:
        ends = max(each.at if each.ended_at is None else each.ended_at for each in written) + _ANSWER_SECONDS
        if not await _changed(live, ends):
            return


async def _changed(live: "LiveSession", ends: float) -> bool:
    """Waits until something comes; False when it is then."""
    try:
        async with clock.timeout(ends - clock.monotonic()):
            await live.changed()
    except TimeoutError:
        return False
    return True


def unseen_text(context: Context, item: Item) -> str:
    """What is to be said of a value that is from before a write of it; empty where it is not."""
    return written_text(context.live_session.unseen_write(*item.key))


async def _first_value(context: Context, target: Target, item: Item) -> "LiveValue":
    """The value before a write: a write to an item without one is refused by MXAccess, so it is not tried."""
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
    """The error that a write came to, as ``last-error`` shows it; None where it was completed."""
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
                f"{accepted}; it is not known how an earlier write ended, so no completion can be told to be this "
                "one's: whether it took effect is not known"
            )
        case "accepted":
            return f"{accepted}, not completed within {timeout:g} s: whether it took effect is not known"
    lost = str(result.error or "the event stream was interrupted").removeprefix("outcome unknown: ")
    return f"{accepted}{', then ' if accepted else ''}outcome UNKNOWN: {lost}. It was not sent again"


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(1, round(seconds * 1000))


COMMANDS = (write,)
