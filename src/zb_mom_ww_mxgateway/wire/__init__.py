"""Translation between messages and Python. Only this room reads and fills the fields of messages.

No calls and no state of a session. A change of the contract changes this room alone. Names are loaded when first
used. May import ``contract``, ``generated`` and ``models``.
"""

from importlib import import_module

# The one list of the names and the modules that they come from; ``make exports`` writes it for type checkers.
_HOMES = {
    "agreement": [
        "COMPARE",
        "misfit_of",
        "misfit_of_alarm",
        "misfit_of_connection",
        "misfit_of_event",
        "misfit_of_opening",
        "misfit_of_reply",
    ],
    "alarms": [
        "acknowledge_alarm_request",
        "from_active_alarm",
        "from_alarm_feed",
        "query_active_alarms_request",
        "stream_alarms_request",
    ],
    "commands": [
        "MUTATING_KINDS",
        "command",
        "command_request",
        "correlation_of",
        "is_mutating",
        "is_ok",
        "kind_name",
        "new_handle",
        "new_request",
        "raise_for_contradiction",
        "raise_for_status",
        "secret_of",
        "session_of",
        "write_entry",
    ],
    "events": ["deferred_events_of", "events_of", "from_mx_event", "local_gap", "messages_of"],
    "galaxy": [
        "ChildrenPage",
        "DiscoverPage",
        "browse_request",
        "children_page",
        "deploy_event",
        "discover_page",
        "discover_request",
        "galaxy_answers",
        "last_deploy_time",
    ],
    "handle_map": ["HandleMap"],
    "handles": [
        "concerns_handles",
        "handle_changes",
        "refused_writes",
        "reply_is_doubtful",
        "says_session_is_gone",
        "write_entries",
        "writes_of",
        "written_items",
    ],
    "pending": ["changes_plant", "judged_copy_of", "pending_entries", "pending_value", "write_answer"],
    "results": [
        "drained_events",
        "item_status",
        "read_results",
        "session_state",
        "subscribe_results",
        "user_id",
        "worker_info",
        "write_results",
    ],
    "rpcs": [
        "ACKNOWLEDGE_ALARM",
        "BROWSE_CHILDREN",
        "CLOSE_SESSION",
        "DISCOVER_HIERARCHY",
        "INVOKE",
        "LAST_DEPLOY_TIME",
        "OPEN_SESSION",
        "QUERY_ACTIVE_ALARMS",
        "STREAM_ALARMS",
        "STREAM_EVENTS",
        "TEST_CONNECTION",
        "WATCH_DEPLOY_EVENTS",
        "DecodeError",
        "Rpc",
        "Undecodable",
    ],
    "sessions": [
        "close_session_request",
        "open_session_request",
        "raise_for_session_status",
        "session_info",
        "stream_events_request",
    ],
    "values": ["from_mx_value", "is_sparse", "to_mx_value", "to_sparse_value"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value
