"""The call of the library that makes each rpc and each kind of command of the contract."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contract_calls import ALARM, FIELDS, GUID, INT

from zb_mom_ww_mxgateway import GatewayClient, Session, Write2Entry, WriteEntry, WriteSecured2Entry, WriteSecuredEntry


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
