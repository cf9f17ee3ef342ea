"""Every rpc and every kind of command of the contract, and the line of each program that makes the call.

The names come from the descriptors: a new one fails the tests that use these tables until a line makes it.
"""

import json
from collections.abc import Mapping
from typing import Any

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2, mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import SimulatedGateway

RPCS = [
    method.name
    for file in (pb.DESCRIPTOR, galaxy_repository_pb2.DESCRIPTOR)
    for service in file.services_by_name.values()
    for method in service.methods
]
KINDS = [
    name.removeprefix("MX_COMMAND_KIND_").lower()
    for name, value in pb.MxCommandKind.DESCRIPTOR.values_by_name.items()
    if value.number
]
CALLS = [*RPCS, *KINDS]

INT, BOOL, SECURED = "TestChildObject.TestInt", "TestChildObject.TestBool", "Plant.Interlock.Bypass"
ALARM, GUID, TIME = "ZB!Plant.Tank1.Level.Hi", "7f9f2f9e-52a5-4f0e-9a8b-0d7ce8d0e5b1", "2026-10-02T08:14:00Z"
VALUE = {"int32_value": 5}
STAMP = {"timestamp_value": TIME}

# The fields of a command without a command of its own; {alarm} is the GUID of an active alarm.
FIELDS: Mapping[str, Mapping[str, Any]] = {
    "archestra_user_to_id": {"server_handle": 1, "user_id_guid": GUID},
    "write2": {"server_handle": 1, "item_handle": 1, "value": VALUE, "timestamp_value": STAMP},
    "write_secured": {"server_handle": 1, "item_handle": 1, "current_user_id": 1, "value": VALUE},
    "write_secured2": {
        "server_handle": 1,
        "item_handle": 1,
        "current_user_id": 1,
        "value": VALUE,
        "timestamp_value": STAMP,
    },
    "add_item_bulk": {"server_handle": 1, "tag_addresses": [INT, BOOL]},
    "advise_item_bulk": {"server_handle": 1, "item_handles": [1, 2]},
    "un_advise_item_bulk": {"server_handle": 1, "item_handles": [1, 2]},
    "remove_item_bulk": {"server_handle": 1, "item_handles": [1, 2]},
    "unsubscribe_bulk": {"server_handle": 1, "item_handles": [1, 2]},
    "subscribe_alarms": {},
    "unsubscribe_alarms": {},
    "query_active_alarms": {"alarm_filter_prefix": "ZB!"},
    "acknowledge_alarm": {"alarm_guid": "{alarm}", "comment": "seen"},
    "acknowledge_alarm_by_name": {"group_name": "Plant.Tank1", "alarm_name": "Level.Hi"},
    "write_bulk": {"server_handle": 1, "entries": [{"item_handle": 1, "value": VALUE}]},
    "write2_bulk": {"server_handle": 1, "entries": [{"item_handle": 1, "value": VALUE, "timestamp_value": STAMP}]},
    "write_secured_bulk": {
        "server_handle": 1,
        "entries": [{"item_handle": 1, "current_user_id": 1, "value": VALUE}],
    },
    "write_secured2_bulk": {
        "server_handle": 1,
        "entries": [{"item_handle": 1, "current_user_id": 1, "value": VALUE, "timestamp_value": STAMP}],
    },
    "drain_events": {"max_events": 1},
    "shutdown_worker": {},
}

_ITEM = ("register x", f"add-item {INT}")
_ITEMS = ("register x", f"add-item {INT} {BOOL}")
_ADVISED = (*_ITEM, "advise 1", f"read {INT}")
_USER = ("register x", "login operator --password-env MXGATEWAY_PASSWORD")

# The lines of the shell; the last one makes the call. A kind that is not here is reached with `call`.
SHELL: Mapping[str, tuple[str, ...]] = {
    "OpenSession": ("connect {endpoint} --plaintext",),
    "CloseSession": ("disconnect",),
    "Invoke": ("ping",),
    "StreamEvents": ("connect {endpoint} --plaintext",),
    "AcknowledgeAlarm": (f"ack {ALARM}",),
    "StreamAlarms": ("alarms",),
    "QueryActiveAlarms": ("why Plant.Tank1.Level",),
    "TestConnection": ("galaxy",),
    "GetLastDeployTime": ("galaxy",),
    "DiscoverHierarchy": ("find Plant.*",),
    "WatchDeployEvents": ("deploys --count 1",),
    "BrowseChildren": ("browse",),
    "register": ("register x",),
    "unregister": ("register x", "unregister 1"),
    "add_item": _ITEM,
    "add_item2": ("register x", "add-item TestInt --context TestChildObject"),
    "remove_item": (*_ITEM, "remove-item 1"),
    "advise": (*_ITEM, "advise 1"),
    "un_advise": (*_ITEM, "advise 1", "unadvise 1"),
    "advise_supervisory": (*_ITEM, "advise 1 --supervisory"),
    "add_buffered_item": ("register x", f"add-buffered {INT}"),
    "set_buffered_update_interval": ("register x", f"add-buffered {INT} --every 1s"),
    "suspend": (*_ADVISED, "suspend 1"),
    "activate": (*_ADVISED, "suspend 1", "activate 1"),
    "write": (f"write {INT} 5",),
    "write2": (f"write {INT} 5 --at {TIME}",),
    "write_secured": (*_USER, f"write {SECURED} true"),
    "write_secured2": (*_USER, f"write {SECURED} true --at {TIME}"),
    "authenticate_user": _USER,
    "archestra_user_to_id": ("register x", f"archestra-user {GUID}"),
    "add_item_bulk": _ITEMS,
    "advise_item_bulk": (*_ITEMS, "advise 1 2"),
    "remove_item_bulk": (*_ITEMS, "remove-item 1 2"),
    "un_advise_item_bulk": (*_ITEMS, "advise 1 2", "unadvise 1 2"),
    "subscribe_bulk": (f"watch {INT} --count 1",),
    "read_bulk": (f"read {INT} --fresh",),
    "ping": ("ping",),
    "get_session_state": ("session",),
    "get_worker_info": ("session",),
    "drain_events": ("drain-events",),
    "shutdown_worker": ("shutdown-worker",),
}
# What must be there before a `call`.
BEFORE_CALL: Mapping[str, tuple[str, ...]] = {
    "unsubscribe_bulk": (*_ITEMS, "advise 1 2"),
    "write_bulk": _ADVISED,
    "write2_bulk": _ADVISED,
    "write_secured_bulk": (*_ADVISED, _USER[1]),
    "write_secured2_bulk": (*_ADVISED, _USER[1]),
}


def fields_of(kind: str, gateway: SimulatedGateway) -> str:
    """The fields of a kind, as JSON."""
    return json.dumps(FIELDS[kind]).replace("{alarm}", str(gateway.alarms[0].guid))


def arrived(gateway: SimulatedGateway) -> list[str]:
    """The names of the calls that arrived: of each its rpc, of a command its kind, too."""
    names = []
    for call in gateway.calls:
        names.append(call.rpc)
        if isinstance(call.request, pb.MxCommandRequest):
            names.append(pb.MxCommandKind.Name(call.request.command.kind).removeprefix("MX_COMMAND_KIND_").lower())
    return names


# mxgw-py.

_SESSION = ("--session-id", "{session}")
_SERVER = (*_SESSION, "--server-handle", "1")
_HANDLES = (*_SERVER, "--item-handle", "1")
_BULK = (*_SERVER, "--entry", "1=int32:5")
_STAMPED = (*_SERVER, "--entries-file", "{stamped}")
_SIGNED = ("--user", "operator", "--password-env", "MXGATEWAY_PASSWORD")

# A kind that is not here is reached with `call`.
PROGRAM: Mapping[str, tuple[str, ...]] = {
    "OpenSession": ("open-session",),
    "CloseSession": ("close-session", *_SESSION),
    "Invoke": ("register", *_SESSION, "--client-name", "y"),
    "StreamEvents": ("stream-events", *_SESSION, "--for", "100ms"),
    "AcknowledgeAlarm": ("acknowledge-alarm", "--reference", ALARM),
    "StreamAlarms": ("stream-alarms", "--count", "1"),
    "TestConnection": ("galaxy-browse",),
    "DiscoverHierarchy": ("galaxy-discover",),
    "WatchDeployEvents": ("galaxy-deploy-events", "--count", "1"),
    "BrowseChildren": ("galaxy-browse",),
    "register": ("register", *_SESSION, "--client-name", "y"),
    "unregister": ("unregister", *_SERVER),
    "add_item": ("add-item", *_SERVER, "--item", INT),
    "add_item2": ("add-item2", *_SERVER, "--item", "TestInt", "--context", "TestChildObject"),
    "remove_item": ("remove-item", *_HANDLES),
    "advise": ("advise", *_HANDLES),
    "un_advise": ("unadvise", *_HANDLES),
    "advise_supervisory": ("advise-supervisory", *_HANDLES),
    "add_buffered_item": ("add-buffered-item", *_SERVER, "--item", INT),
    "set_buffered_update_interval": ("add-buffered-item", *_SERVER, "--item", INT, "--interval", "1s"),
    "suspend": ("suspend", *_HANDLES),
    "activate": ("activate", *_HANDLES),
    "write": ("write", *_HANDLES, "--type", "int32", "--value", "5"),
    "authenticate_user": ("write-secured-bulk", *_BULK, *_SIGNED),
    "subscribe_bulk": ("subscribe-bulk", *_SERVER, "--item", INT),
    "read_bulk": ("read-bulk", *_SERVER, "--item", INT),
    "write_bulk": ("write-bulk", *_BULK),
    "write2_bulk": ("write2-bulk", *_STAMPED),
    "write_secured_bulk": ("write-secured-bulk", *_BULK, *_SIGNED),
    "write_secured2_bulk": ("write-secured2-bulk", *_STAMPED, *_SIGNED),
    "ping": ("ping", *_SESSION),
    "get_session_state": ("session-state", *_SESSION),
    "get_worker_info": ("worker-info", *_SESSION),
}


def program_line(name: str, gateway: SimulatedGateway) -> tuple[str, ...]:
    return PROGRAM.get(name) or ("call", name, fields_of(name, gateway), *_SESSION)
