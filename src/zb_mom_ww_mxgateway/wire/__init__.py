"""The one place that reads and writes generated messages field by field.

Where upstream's contract turns out to differ from ours, this package changes and the rest stays.
"""

from zb_mom_ww_mxgateway.wire.commands import (
    MUTATING_KINDS,
    SubscribeResult,
    command,
    command_request,
    correlation_of,
    is_mutating,
    kind_name,
    new_handle,
    raise_for_status,
    session_of,
    subscribe_results,
)
from zb_mom_ww_mxgateway.wire.events import from_mx_event
from zb_mom_ww_mxgateway.wire.galaxy import (
    DiscoverPage,
    GalaxyAttribute,
    GalaxyObject,
    discover_page,
    discover_request,
    galaxy_answers,
    last_deploy_time,
)
from zb_mom_ww_mxgateway.wire.handles import HandleChange, handle_changes, refused_writes, written_items
from zb_mom_ww_mxgateway.wire.rpcs import (
    CLOSE_SESSION,
    DISCOVER_HIERARCHY,
    INVOKE,
    LAST_DEPLOY_TIME,
    OPEN_SESSION,
    STREAM_EVENTS,
    TEST_CONNECTION,
    Rpc,
)
from zb_mom_ww_mxgateway.wire.sessions import (
    SessionInfo,
    close_session_request,
    final_state,
    open_session_request,
    raise_for_session_status,
    session_info,
    stream_events_request,
)
from zb_mom_ww_mxgateway.wire.values import from_mx_value, to_mx_value

__all__ = [
    "CLOSE_SESSION",
    "DISCOVER_HIERARCHY",
    "INVOKE",
    "LAST_DEPLOY_TIME",
    "MUTATING_KINDS",
    "OPEN_SESSION",
    "STREAM_EVENTS",
    "TEST_CONNECTION",
    "DiscoverPage",
    "GalaxyAttribute",
    "GalaxyObject",
    "HandleChange",
    "Rpc",
    "SessionInfo",
    "SubscribeResult",
    "close_session_request",
    "command",
    "command_request",
    "correlation_of",
    "discover_page",
    "discover_request",
    "final_state",
    "from_mx_event",
    "from_mx_value",
    "galaxy_answers",
    "handle_changes",
    "is_mutating",
    "kind_name",
    "last_deploy_time",
    "new_handle",
    "open_session_request",
    "raise_for_session_status",
    "raise_for_status",
    "refused_writes",
    "session_info",
    "session_of",
    "stream_events_request",
    "subscribe_results",
    "to_mx_value",
    "written_items",
]
