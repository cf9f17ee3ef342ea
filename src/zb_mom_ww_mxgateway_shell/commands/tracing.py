"""trace: the time line of one write."""

import asyncio
from typing import Annotated, Any, Literal as OneOf

from zb_mom_ww_mxgateway_console.render.forms import value_form
from zb_mom_ww_mxgateway_shell.feeds.items import ensure, values_now
from zb_mom_ww_mxgateway_shell.feeds.single_write import prepare_write, preview_write
from zb_mom_ww_mxgateway_shell.feeds.write_preparation import (
    OUTCOME_TIMEOUT,
    before_sending,
    check_is_tag,
    given_reason,
    live_session_of,
)
from zb_mom_ww_mxgateway_shell.feeds.write_report import WriteReport, interrupted_after
from zb_mom_ww_mxgateway_shell.feeds.write_trace import WriteTrace
from zb_mom_ww_mxgateway_shell.language.argument_types import Duration, DurationOption, OneWord, ReasonOption
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.literals import Literal
from zb_mom_ww_mxgateway_shell.language.target_types import (
    ItemOrTag,
    ServerOption,
    Target,
    TargetArgument,
    ValueArgument,
    named_targets,
    written_target,
)
from zb_mom_ww_mxgateway_shell.output.results import Result
from zb_mom_ww_mxgateway_shell.output.tag_texts import shown_value
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.signatures import SigningOptions, signature_for

_WINDOW_SECONDS = 5.0
_LONGEST_SECONDS = 3600.0


class TracedTags(ItemOrTag):
    """Tags whose first change is looked for."""

    name = "tag"
    takes_several = True


async def _preview_trace(
    context: Context, action: str, tag: Target, value: Literal, *, server: int | None = None, **others: Any
) -> Result:
    await ensure(context, others.get("with_") or [], server)
    return await preview_write(context, tag, value, server=server)


@command(
    "trace",
    example="trace write Plant.Tank1.LevelSP 62 --with Plant.Tank1.Level --for 2s",
    mutating=True,
    preview=_preview_trace,
    traits=CommandTraits(writes=written_target, advises=named_targets),
)
async def trace(
    context: Context,
    action: Annotated[OneOf["write"], OneWord("write", ("write",))],
    tag: TargetArgument,
    value: ValueArgument,
    *,
    with_: Annotated[list[Target] | None, TracedTags(may_add=True)] = None,
    for_: Annotated[float, Duration(most=_LONGEST_SECONDS, because="record keeps samples for longer")] = (
        _WINDOW_SECONDS
    ),
    timeout: DurationOption = None,
    reason: ReasonOption = None,
    signing: SigningOptions,
    server: ServerOption = None,
) -> Result:
    """Write a value, and show and draw what happened when, in milliseconds from the moment of sending.

    The time line has: sent; accepted, the answer of MXAccess; completed, its report; the first change of the tag that
    arrived here, and of each tag of --with; and alarms that were raised. It ends --for 5s after the sending. A tag
    that changes by itself may change first for another reason: the value that it got is shown.

    Times are those of the monotonic clock of this machine. The plant's clocks are not compared with it, so a time
    includes the way from the plant to here: about 100 ms for a data change.

    It is a write like any other: arming, limits, guards, the question before it, the journal and the exit code are
    those of write, and an unknown outcome is unknown (6).
    """
    with before_sending(context):
        item, before, typed = await prepare_write(context, tag, value, server, sends=True)
        targets = with_ or []
        others = await ensure(context, targets, server)
        for target, other, now in zip(targets, others, await values_now(context, others), strict=True):
            await check_is_tag(context, target, other, now)
        signature, signers = await signature_for(context, item, signing.person)
        security = await context.connected.security_of(item.tag)
        live, facts = live_session_of(context, item), context.connected.facts.seen(item.tag, before.value, typed)
    for_outcome = timeout or OUTCOME_TIMEOUT
    async with WriteTrace(context, item, others) as tracing:
        with given_reason(reason):
            result = await live.write_and_confirm(*item.key, typed, signature=signature, timeout=for_outcome)
        try:
            await tracing.watch(for_)
        except asyncio.CancelledError:
            raise interrupted_after(item, result, for_outcome) from None
        report = WriteReport(
            item,
            before,
            shown_value(typed, facts),
            value_form(typed),
            result,
            for_outcome,
            live.session.endpoint,
            signers=signers,
            security=security,
            decimals=facts.decimals,
        )
        return tracing.traced(report.text_result(), result, for_)


GROUP = "values"
"""The group of help that they belong to."""
COMMANDS = (trace,)
