"""trend."""

from typing import Annotated

from zb_mom_ww_mxgateway_cli.output import value_text
from zb_mom_ww_mxgateway_shell.commands.values import ensure
from zb_mom_ww_mxgateway_shell.commands.watches import Watchable, targets_of
from zb_mom_ww_mxgateway_shell.context import Context
from zb_mom_ww_mxgateway_shell.kinds import DurationOption, ServerOption, Target
from zb_mom_ww_mxgateway_shell.problems import ShellError
from zb_mom_ww_mxgateway_shell.registry import command
from zb_mom_ww_mxgateway_shell.results import Feed
from zb_mom_ww_mxgateway_shell.trending import Trend
from zb_mom_ww_mxgateway_shell.words import Word

_SPAN = 60.0
_MOST = 6


@command("trend", example="trend Plant.Tank1.Level --for 1s")
async def trend(
    context: Context,
    *tags: Annotated[list[Target] | Word, Watchable()],
    for_: DurationOption = None,
    span: DurationOption = None,
    server: ServerOption = None,
) -> Feed:
    """Draws tags over time, each with its own axis: at the prompt until Ctrl-C, in a file one picture at the end.

    In view is the last minute, or --span 10m, as far as this shell has seen it; in a file the time of --for.
    A value holds until the next. Where nothing is known nothing is drawn, and where a value is not sure its
    line is broken: the line under the chart says which, ? uncertain, ! bad, ~ stale, x a gap.
    """
    if for_ is None and not context.has_screen:
        raise ShellError("a trend in a file needs an end: --for 30s")
    targets = await targets_of(context, tags)
    if len(targets) > _MOST:
        raise ShellError(f"{len(targets)} tags are too many for one screen: at most {_MOST}")
    items = await ensure(context, targets, server)
    live = context.live_session
    for item in items:
        value = live.latest(*item.key)
        if value is not None and value.value is not None and not isinstance(value.value, int | float):
            raise ShellError(f"{item.tag} is no number and no Boolean: {value_text(value.value)[:40]}; watch shows it")
    seconds = span or (_SPAN if context.has_screen or for_ is None else for_)
    return Trend(live, context.connected.history, items, seconds, for_)


COMMANDS = (trend,)
