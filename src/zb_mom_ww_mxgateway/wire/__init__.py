"""The one place that reads and writes generated messages field by field.

No call and no state of a session: where upstream's contract turns out to differ from ours, this room changes and the
rest stays. What is for alarms and for the galaxy is loaded when first used. May import ``generated`` and ``models``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError

from zb_mom_ww_mxgateway.wire.commands import (
    MUTATING_KINDS,
    command,
    command_request,
    correlation_of,
    is_mutating,
    kind_name,
    new_handle,
    raise_for_contradiction,
    raise_for_status,
    secret_of,
    session_of,
    write_entry,
)
from zb_mom_ww_mxgateway.wire.events import (
    events_of,
    from_mx_event,
    local_gap,
    messages_of,
)
from zb_mom_ww_mxgateway.wire.handle_map import HandleMap
from zb_mom_ww_mxgateway.wire.handles import (
    concerns_handles,
    handle_changes,
    refused_writes,
    reply_is_doubtful,
    says_session_is_gone,
    written_items,
    written_values,
)
from zb_mom_ww_mxgateway.wire.pending import changes_plant, copy_of, pending_entries
from zb_mom_ww_mxgateway.wire.results import (
    BulkWriteResult,
    ReadResult,
    SubscribeResult,
    WorkerInfo,
    drained_events,
    item_status,
    read_results,
    session_state,
    subscribe_results,
    user_id,
    worker_info,
    write_results,
)
from zb_mom_ww_mxgateway.wire.rpcs import (
    ACKNOWLEDGE_ALARM,
    BROWSE_CHILDREN,
    CLOSE_SESSION,
    DISCOVER_HIERARCHY,
    INVOKE,
    LAST_DEPLOY_TIME,
    OPEN_SESSION,
    QUERY_ACTIVE_ALARMS,
    STREAM_ALARMS,
    STREAM_EVENTS,
    TEST_CONNECTION,
    WATCH_DEPLOY_EVENTS,
    Rpc,
    Undecodable,
)
from zb_mom_ww_mxgateway.wire.sessions import (
    SessionInfo,
    close_session_request,
    open_session_request,
    raise_for_session_status,
    session_info,
    stream_events_request,
)
from zb_mom_ww_mxgateway.wire.values import (
    from_mx_value,
    to_mx_value,
    to_sparse_value,
)

if TYPE_CHECKING:  # the same names for type checkers; the alias marks a re-export
    from zb_mom_ww_mxgateway.wire.alarms import (
        acknowledge_alarm_request as acknowledge_alarm_request,
        from_active_alarm as from_active_alarm,
        from_alarm_feed as from_alarm_feed,
        query_active_alarms_request as query_active_alarms_request,
        stream_alarms_request as stream_alarms_request,
    )
    from zb_mom_ww_mxgateway.wire.galaxy import (
        ChildrenPage as ChildrenPage,
        DeployEvent as DeployEvent,
        DiscoverPage as DiscoverPage,
        GalaxyAttribute as GalaxyAttribute,
        GalaxyObject as GalaxyObject,
        browse_request as browse_request,
        children_page as children_page,
        deploy_event as deploy_event,
        discover_page as discover_page,
        discover_request as discover_request,
        galaxy_answers as galaxy_answers,
        last_deploy_time as last_deploy_time,
    )

__all__ = [
    "ACKNOWLEDGE_ALARM",
    "BROWSE_CHILDREN",
    "CLOSE_SESSION",
    "DISCOVER_HIERARCHY",
    "INVOKE",
    "LAST_DEPLOY_TIME",
    "MUTATING_KINDS",
    "OPEN_SESSION",
    "QUERY_ACTIVE_ALARMS",
    "STREAM_ALARMS",
    "STREAM_EVENTS",
    "TEST_CONNECTION",
    "WATCH_DEPLOY_EVENTS",
    "BulkWriteResult",
    "ChildrenPage",
    "DecodeError",
    "DeployEvent",
    "DiscoverPage",
    "GalaxyAttribute",
    "GalaxyObject",
    "HandleMap",
    "ReadResult",
    "Rpc",
    "SessionInfo",
    "SubscribeResult",
    "Undecodable",
    "WorkerInfo",
    "acknowledge_alarm_request",
    "browse_request",
    "changes_plant",
    "children_page",
    "close_session_request",
    "command",
    "command_request",
    "concerns_handles",
    "copy_of",
    "correlation_of",
    "deploy_event",
    "discover_page",
    "discover_request",
    "drained_events",
    "events_of",
    "from_active_alarm",
    "from_alarm_feed",
    "from_mx_event",
    "from_mx_value",
    "galaxy_answers",
    "handle_changes",
    "is_mutating",
    "item_status",
    "kind_name",
    "last_deploy_time",
    "local_gap",
    "messages_of",
    "new_handle",
    "open_session_request",
    "pending_entries",
    "query_active_alarms_request",
    "raise_for_contradiction",
    "raise_for_session_status",
    "raise_for_status",
    "read_results",
    "refused_writes",
    "reply_is_doubtful",
    "says_session_is_gone",
    "secret_of",
    "session_info",
    "session_of",
    "session_state",
    "stream_alarms_request",
    "stream_events_request",
    "subscribe_results",
    "to_mx_value",
    "to_sparse_value",
    "user_id",
    "worker_info",
    "write_entry",
    "write_results",
    "written_items",
    "written_values",
]

_LATER = {
    "alarms": (
        "acknowledge_alarm_request",
        "from_active_alarm",
        "from_alarm_feed",
        "query_active_alarms_request",
        "stream_alarms_request",
    ),
    "galaxy": (
        "ChildrenPage",
        "DeployEvent",
        "DiscoverPage",
        "GalaxyAttribute",
        "GalaxyObject",
        "browse_request",
        "children_page",
        "deploy_event",
        "discover_page",
        "discover_request",
        "galaxy_answers",
        "last_deploy_time",
    ),
}
_HOME_OF = {name: home for home, names in _LATER.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value
