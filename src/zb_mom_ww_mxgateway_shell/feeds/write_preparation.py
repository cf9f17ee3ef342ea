"""What every command that writes does before it sends anything."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.safety.write_note import given
from zb_mom_ww_mxgateway.status import StatusCategory, first_failed
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.feeds.alarm_states import alarms_read
from zb_mom_ww_mxgateway_shell.feeds.items import ensure, value_now
from zb_mom_ww_mxgateway_shell.feeds.watch_targets import targets_of
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.target_types import Target
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession, LiveValue

_LINES_AHEAD = 50
"""Number of following lines that are searched for checks of alarms."""

OUTCOME_TIMEOUT = 30.0
"""Seconds to wait for a write's completion: the gateway's own command timeout."""


def given_reason(reason: str | None, *, expects_refusal: bool = False) -> AbstractContextManager[None]:
    """Within the block: say why each write is made, where a reason is given; else that of the arming holds.

    Say also if the plant is to refuse it.
    """
    said: dict[str, Any] = {"reason": reason} if reason else {}
    if expects_refusal:
        said["expects_refusal"] = True
    return given(**said) if said else nullcontext()


async def follow_coming_waits(context: Context) -> None:
    """Advise the tags that the file waits for behind this write, and read the alarms if it checks some. Such a line
    reports its own errors."""
    if not context.file.lines_ahead:
        return
    if any(traits.reads_alarms for traits in _traits_ahead(context)):
        with suppress(MxGatewayError, ShellError):
            await alarms_read(context)
    from zb_mom_ww_mxgateway_shell.feeds.wait import coming_waits

    for group in coming_waits(context):
        with suppress(MxGatewayError, ShellError):
            await ensure(context, await targets_of(context, [group]), None)


def _traits_ahead(context: Context) -> Iterator[CommandTraits]:
    for line in context.file.lines_ahead[:_LINES_AHEAD]:
        command = context.registry.commands.get(line.split(maxsplit=1)[0] if line.strip() else "")
        if command is not None:
            yield command.traits


def live_session_of(context: Context, item: Item) -> "LiveSession":
    """Return the live session of the item; refuse the write if the session or the item is gone.

    While the write waited, another line or Python may have closed the connection or removed the item.
    """
    if context.is_disconnected:
        raise _closed_error(context)
    live = context.live_session
    if live.session.handles.items.get(item.key) is not item:
        raise ShellError(f"{item.tag} was removed while the write waited; nothing was written", ExitCode.GUARDED)
    return live


@contextmanager
def before_sending(context: Context) -> Iterator[None]:
    """Within the block, in which nothing is sent: tell with an error that nothing was written.

    Raise ShellError where the connection was closed meanwhile.
    """
    try:
        yield
    except MxGatewayError as error:
        if context.is_disconnected:
            raise _closed_error(context) from error
        # The error names another call than the write.
        context.notice("nothing was written")
        raise


def _closed_error(context: Context) -> ShellError:
    """Return the error of a write whose connection was closed before it was sent."""
    name = context.current.name if context.current else ""
    return ShellError(f"the connection {name} was closed while the write waited; nothing was written", ExitCode.GUARDED)


async def first_value(context: Context, target: Target, item: Item) -> "LiveValue":
    """Return the value before a write. MXAccess refuses a write to an item without one, so it is not sent."""
    return await checked_first_value(context, target, item, await value_now(context, item))


async def checked_first_value(context: Context, target: Target, item: Item, value: "LiveValue | None") -> "LiveValue":
    """Return the value of an item that can be written; raise why it cannot."""
    if value is None:
        raise ShellError(f"{item.tag} has no value yet, so it cannot be written; nothing was sent", ExitCode.REFUSED)
    await check_is_tag(context, target, item, value)
    return value


async def check_is_tag(context: Context, target: Target, item: Item, value: "LiveValue | None") -> None:
    """Raise InputError where the value of an item says that the plant has no such tag."""
    failed = None if value is None else first_failed(value.statuses)
    if failed and failed.category == StatusCategory.CONFIGURATION_ERROR:
        if context.client is not None:
            context.catalogue.start(context.client)
            await context.catalogue.loaded(2.0)
        raise target.word.mistake(
            f"no tag {item.tag}: {failed}; nothing was written{context.catalogue.closest(item.tag)}"
        )
