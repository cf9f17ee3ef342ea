"""Calls that write, in words: while they are under way, and where the wait for them was interrupted."""

from zb_mom_ww_mxgateway.live.followed_writes import FollowedCall
from zb_mom_ww_mxgateway_console.render.forms import age_text, counted
from zb_mom_ww_mxgateway_shell.feeds.write_report import milliseconds, outcome_text
from zb_mom_ww_mxgateway_shell.state.context import Context


def progress_text(call: FollowedCall) -> str:
    """Return what a call is waiting for, and the time left; empty before it is sent and after its end."""
    if call.results is not None or not call.is_sent:
        return ""
    many = f"{counted(len(call.keys), 'write')} " if len(call.keys) > 1 else ""
    left = f"{age_text(call.seconds_left)} left"
    if call.accepted_after is None:
        return f"{many}sent, waiting for the answer, {left}"
    return f"{many}accepted {milliseconds(call.accepted_after)} ms, waiting for completion, {left}"


def interrupted_text(context: Context, call: FollowedCall) -> str:
    """Return the outcome of each write of a call that was answered before its line was interrupted."""
    tags = {item.key: item.tag for item in context.items}
    results = zip(call.keys, call.results or (), strict=False)
    return "; ".join(f"{tags.get(key, 'the write')}   {outcome_text(result, 0.0)}" for key, result in results)
