"""The question to the write guard of a client."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import MxGatewayWriteBlockedError

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.models.write_guard import WriteGuard


async def ask_guard(
    guard: "WriteGuard",
    request: Any,
    call: str,
    *,
    endpoint: str,
    tag_of: Callable[[str, int, int], str],
    printable: Callable[[str], str],
) -> None:
    """Ask the guard for a request that changes the plant, and raise MxGatewayWriteBlockedError unless it says True.

    `tag_of` finds the tag behind a session and its handles; `printable` makes the guard's words fit for an error.
    """
    from zb_mom_ww_mxgateway.models.write_guard import PendingWrite  # Lazy: most sessions write nothing.

    session_id = wire.session_of(request)
    pending = PendingWrite(
        call=call,
        endpoint=endpoint,
        session_id=session_id,
        correlation_id=wire.correlation_of(request),
        entries=tuple(
            replace(entry, tag=tag_of(session_id, entry.server_handle, entry.item_handle))
            for entry in wire.pending_entries(request)
        ),
    )
    cause: Exception | None = None
    try:
        answer: object = await guard(pending)
    except Exception as error:
        answer, cause = f"the guard failed: {error}" if str(error) else f"the guard failed: {error!r}", error
    if answer is True:
        return
    if isinstance(answer, str) and answer:
        reason = printable(answer)
    else:
        reason = "the write guard said no" if answer is False else f"the write guard answered {answer!r}, not True"
    raise MxGatewayWriteBlockedError(
        f"blocked locally: {pending}: {reason}; nothing was sent",
        pending=pending,
        endpoint=endpoint,
        call=call,
        correlation_id=wire.correlation_of(request) or None,
    ) from cause
