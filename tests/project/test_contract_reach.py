"""Every rpc and every kind of command of the contract is reached from the prompt, from mxgw-py and from the library.

Their names come from the descriptors, so a new one fails here until each of the three reaches it.
"""

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import prepared_programs
import pytest

from zb_mom_ww_mxgateway import GatewayClient, Session, Write2Entry, WriteEntry, WriteSecured2Entry, WriteSecuredEntry
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2, mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.scripts.executor import LineRun
from zb_mom_ww_mxgateway_shell.state.context import Context
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


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    """A permissive gateway with an active alarm."""
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as running:
        running.raise_alarm(ALARM)
        yield running


def test_the_contract_has_its_12_rpcs_and_39_kinds() -> None:
    assert (len(RPCS), len(KINDS)) == (12, 39)


# The prompt.


async def follow(feed: Feed) -> Result:
    return await feed.follow(lambda line: None)


@pytest.mark.parametrize("name", CALLS)
async def test_a_line_of_the_shell_makes_the_call(
    name: str, gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MXGATEWAY_PASSWORD", "secret")
    own = SHELL.get(name)
    lines = own or (*BEFORE_CALL.get(name, ()), f"call {name} {fields_of(name, gateway)}")
    context = Context(all_commands(), interactive=False)
    context.assume_yes = context.has_screen = True
    await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "plant")
    try:
        for line in lines:
            before = len(arrived(gateway))
            (await LineRun(context, line.replace("{endpoint}", gateway.endpoint)).run(follow)).unwrap()
        assert name in arrived(gateway)[before:]
    finally:
        while context.connections:
            await context.disconnect()


# The library.


@dataclass(frozen=True)
class Plant:
    """A session with two items, advised and with their first values."""

    client: GatewayClient
    session: Session
    server: int
    items: list[int]
    alarm: str

    @property
    def item(self) -> tuple[int, int]:
        return self.server, self.items[0]

    async def json(self, kind: str) -> object:
        """Call a kind for which the library has no method of its own."""
        return await self.session.call_json(kind, json.dumps(FIELDS[kind]).replace("{alarm}", self.alarm))


async def first(stream: Any) -> object:
    """The first message of a stream."""
    async with stream as messages:
        return await anext(messages)


NOW = datetime.now(UTC)
LIBRARY: Mapping[str, Callable[[Plant], Awaitable[object]]] = {
    "OpenSession": lambda plant: plant.client.open_session(),
    "CloseSession": lambda plant: plant.session.close(),
    "Invoke": lambda plant: plant.session.ping(),
    "StreamEvents": lambda plant: first(plant.session.stream_events(after=1)),
    "AcknowledgeAlarm": lambda plant: plant.client.acknowledge_alarm(ALARM),
    "StreamAlarms": lambda plant: first(plant.client.stream_alarms()),
    "QueryActiveAlarms": lambda plant: first(plant.client.query_active_alarms()),
    "TestConnection": lambda plant: plant.client.galaxy.test_connection(),
    "GetLastDeployTime": lambda plant: plant.client.galaxy.last_deploy_time(),
    "DiscoverHierarchy": lambda plant: anext(plant.client.galaxy.discover()),
    "WatchDeployEvents": lambda plant: first(plant.client.galaxy.watch_deploy_events()),
    "BrowseChildren": lambda plant: plant.client.galaxy.browse(),
    "register": lambda plant: plant.session.register("y"),
    "unregister": lambda plant: plant.session.unregister(plant.server),
    "add_item": lambda plant: plant.session.add_item(plant.server, INT),
    "add_item2": lambda plant: plant.session.add_item2(plant.server, "TestInt", "TestChildObject"),
    "remove_item": lambda plant: plant.session.remove_item(*plant.item),
    "advise": lambda plant: plant.session.advise(*plant.item),
    "un_advise": lambda plant: plant.session.unadvise(*plant.item),
    "advise_supervisory": lambda plant: plant.session.advise_supervisory(*plant.item),
    "add_buffered_item": lambda plant: plant.session.add_buffered_item(plant.server, INT),
    "set_buffered_update_interval": lambda plant: plant.session.set_buffered_update_interval(plant.server, 500),
    "suspend": lambda plant: plant.session.suspend(*plant.item),
    "activate": lambda plant: plant.session.activate(*plant.item),
    "write": lambda plant: plant.session.write(*plant.item, 5),
    "write2": lambda plant: plant.session.write2(*plant.item, 5, NOW),
    "write_secured": lambda plant: plant.session.write_secured(*plant.item, 5, 1),
    "write_secured2": lambda plant: plant.session.write_secured2(*plant.item, 5, NOW, 1),
    "authenticate_user": lambda plant: plant.session.authenticate_user(plant.server, "operator", "secret"),
    "archestra_user_to_id": lambda plant: plant.session.archestra_user_to_id(plant.server, GUID),
    "add_item_bulk": lambda plant: plant.session.add_item_bulk(plant.server, [INT]),
    "advise_item_bulk": lambda plant: plant.session.advise_item_bulk(plant.server, plant.items),
    "remove_item_bulk": lambda plant: plant.session.remove_item_bulk(plant.server, plant.items),
    "un_advise_item_bulk": lambda plant: plant.session.unadvise_item_bulk(plant.server, plant.items),
    "subscribe_bulk": lambda plant: plant.session.subscribe_bulk(plant.server, [INT]),
    "unsubscribe_bulk": lambda plant: plant.session.unsubscribe_bulk(plant.server, plant.items),
    "subscribe_alarms": lambda plant: plant.json("subscribe_alarms"),
    "unsubscribe_alarms": lambda plant: plant.json("unsubscribe_alarms"),
    "acknowledge_alarm": lambda plant: plant.json("acknowledge_alarm"),
    "query_active_alarms": lambda plant: plant.json("query_active_alarms"),
    "acknowledge_alarm_by_name": lambda plant: plant.json("acknowledge_alarm_by_name"),
    "write_bulk": lambda plant: plant.session.write_bulk(plant.server, [WriteEntry(plant.items[0], 5)]),
    "write2_bulk": lambda plant: plant.session.write2_bulk(plant.server, [Write2Entry(plant.items[0], 5, NOW)]),
    "write_secured_bulk": lambda plant: plant.session.write_secured_bulk(
        plant.server, [WriteSecuredEntry(plant.items[0], 5, 1)]
    ),
    "write_secured2_bulk": lambda plant: plant.session.write_secured2_bulk(
        plant.server, [WriteSecured2Entry(plant.items[0], 5, NOW, 1)]
    ),
    "read_bulk": lambda plant: plant.session.read_bulk(plant.server, [INT]),
    "ping": lambda plant: plant.session.ping(),
    "get_session_state": lambda plant: plant.session.get_session_state(),
    "get_worker_info": lambda plant: plant.session.get_worker_info(),
    "drain_events": lambda plant: plant.session.drain_events(1),
    "shutdown_worker": lambda plant: plant.session.shutdown_worker(),
}


@pytest.fixture
async def plant(gateway: SimulatedGateway) -> AsyncIterator[Plant]:
    async with (
        await GatewayClient.connect(endpoint=gateway.endpoint, plaintext=True) as client,
        await client.open_session() as session,
    ):
        server = await session.register("x")
        results = await session.subscribe_bulk(server, [INT, BOOL])
        async with session.stream_events() as events:
            for _ in results:
                await anext(events)
        await session.authenticate_user(server, "operator", "secret")
        yield Plant(client, session, server, [each.item_handle for each in results], str(gateway.alarms[0].guid))


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_of_the_library_makes_the_call(name: str, gateway: SimulatedGateway, plant: Plant) -> None:
    before = len(arrived(gateway))
    made = await LIBRARY[name](plant)
    assert name in arrived(gateway)[before:]
    if isinstance(made, Session):
        await made.close()


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
NOT_IN_PROGRAM: Mapping[str, str] = {
    "QueryActiveAlarms": "stream-alarms prints the active alarms first",
    "GetLastDeployTime": "galaxy-deploy-events prints the last deployment first",
}


def program_line(name: str, gateway: SimulatedGateway) -> tuple[str, ...]:
    return PROGRAM.get(name) or ("call", name, fields_of(name, gateway), *_SESSION)


def test_what_mxgw_py_does_not_reach_has_a_reason_and_nothing_else_has() -> None:
    reached = {*PROGRAM, *FIELDS}
    assert not reached & set(NOT_IN_PROGRAM)
    assert reached | set(NOT_IN_PROGRAM) == set(CALLS)


@pytest.mark.parametrize("name", [name for name in CALLS if name not in NOT_IN_PROGRAM])
async def test_a_command_of_mxgw_py_makes_the_call(
    name: str, gateway: SimulatedGateway, plant: Plant, tmp_path: Path
) -> None:
    line = program_line(name, gateway)
    stamped = tmp_path / "entries.jsonl"
    stamped.write_text(json.dumps({"item_handle": 1, "type": "int32", "value": 5, "timestamp": TIME}) + "\n")
    arguments = [
        word.replace("{session}", plant.session.session_id).replace("{stamped}", str(stamped)) for word in line
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MXGATEWAY_")}
    environment |= {"MXGATEWAY_ENDPOINT": gateway.endpoint, "MXGATEWAY_PASSWORD": "secret"}
    before = len(arrived(gateway))
    code, _, errors = await prepared_programs.ended(
        "zb_mom_ww_mxgateway_cli", [*arguments, "--plaintext"], environment=environment, folder=tmp_path, stdin=None
    )
    assert name in arrived(gateway)[before:], (code, errors.decode())
