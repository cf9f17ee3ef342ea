"""Handles of a lost session, kept valid in the session that replaces it."""

from typing import Any

from zb_mom_ww_mxgateway import arguments
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.wire.handles import USER_REPLIES, handle_changes

_USER_FIELDS = ("user_id", "current_user_id", "verifier_user_id")
# Most items of one server handle that events named before a reply did: as many as one command can add.
_MOST_UNCONFIRMED = arguments.BULK_LIMIT
_ADDING = ("add_item", "add_item2", "add_buffered_item")


class _HandlePairs:
    """Handles of callers, each for one handle of the gateway. A new one never repeats a number that was in use."""

    def __init__(self, highest: int) -> None:
        self.of_gateway: dict[int, int] = {}
        self.of_caller: dict[int, int] = {}
        self._highest = highest
        # Callers' handles that no reply has confirmed yet, the oldest first.
        self._unconfirmed: dict[int, None] = {}

    def bind(self, caller_handle: int, gateway_handle: int) -> None:
        self.of_gateway[caller_handle] = gateway_handle
        self.of_caller[gateway_handle] = caller_handle
        self._highest = max(self._highest, caller_handle)

    def to_caller(self, gateway_handle: int, *, guess: bool = False) -> int:
        """Return the caller's handle. A handle seen for the first time keeps its number if that is free.

        `guess`: an event named the handle, and no reply may ever confirm it.
        """
        if gateway_handle <= 0:
            return gateway_handle
        if gateway_handle not in self.of_caller:
            self.bind(gateway_handle if gateway_handle > self._highest else self._highest + 1, gateway_handle)
            if guess:
                self._unconfirmed[self.of_caller[gateway_handle]] = None
                if len(self._unconfirmed) > _MOST_UNCONFIRMED:
                    self.forget(next(iter(self._unconfirmed)))
        elif not guess:
            self._unconfirmed.pop(self.of_caller[gateway_handle], None)
        return self.of_caller[gateway_handle]

    def forget(self, caller_handle: int) -> None:
        self._unconfirmed.pop(caller_handle, None)
        gateway_handle = self.of_gateway.pop(caller_handle, None)
        if gateway_handle is not None:
            del self.of_caller[gateway_handle]


class HandleMap:
    """Translation of callers' handles into the gateway's, and back.

    A handle from before the loss of a session means the same item in the replacement session, whatever the gateway's
    handle is there. User ids ended with the lost session: an old one is refused.
    """

    def __init__(self, highest: dict[int, int]) -> None:
        """`highest`: the highest item handle in use by server handle; under key 0 the highest server handle."""
        self._highest = highest
        self._servers = _HandlePairs(highest.get(0, 0))
        self._items: dict[int, _HandlePairs] = {}
        self._users: dict[int, dict[int, None]] = {}

    def bind_server(self, caller_handle: int, gateway_handle: int) -> None:
        """Map the caller's server handle to the gateway's."""
        self._servers.bind(caller_handle, gateway_handle)

    def bind_item(self, server_handle: int, caller_handle: int, gateway_handle: int) -> None:
        """Map the caller's item handle to the gateway's; `server_handle` is the caller's."""
        self._items_of(server_handle).bind(caller_handle, gateway_handle)

    def _items_of(self, server_handle: int) -> _HandlePairs:
        if server_handle not in self._items:
            self._items[server_handle] = _HandlePairs(self._highest.get(server_handle, 0))
        return self._items[server_handle]

    def to_gateway(self, request: pb.MxCommandRequest) -> pb.MxCommandRequest:
        """Return a copy with the gateway's handles; raise MxGatewayArgumentError for an unknown handle or user id."""
        sent = pb.MxCommandRequest.FromString(request.SerializeToString())
        payload: Any = getattr(sent.command, sent.command.WhichOneof("payload") or "", None)
        if payload is None or "server_handle" not in payload.DESCRIPTOR.fields_by_name:
            return sent
        server = payload.server_handle
        if server not in self._servers.of_gateway:
            raise MxGatewayArgumentError(f"server handle {server} is not one of this session; nothing was sent")
        items = self._items_of(server).of_gateway
        payload.server_handle = self._servers.of_gateway[server]
        for message in (payload, *getattr(payload, "entries", ())):
            fields = message.DESCRIPTOR.fields_by_name
            if "item_handle" in fields:
                message.item_handle = self._known(items, message.item_handle, server)
            if "item_handles" in fields:
                message.item_handles[:] = [self._known(items, item, server) for item in message.item_handles]
            for name in _USER_FIELDS:
                if (user := getattr(message, name, 0)) and user not in self._users.get(server, {}):
                    raise MxGatewayArgumentError(
                        f"user id {user} was not given since the session was rebuilt: "
                        f"authenticate again; nothing was sent"
                    )
        return sent

    @staticmethod
    def _known(items: dict[int, int], item: int, server: int) -> int:
        if item not in items:
            raise MxGatewayArgumentError(
                f"item handle {item} on server {server} is not one of this session; nothing was sent"
            )
        return items[item]

    def from_gateway(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
        """Replace the gateway's handles by the caller's in the reply to a request."""
        arm = reply.WhichOneof("payload")
        asked: Any = getattr(request.command, request.command.WhichOneof("payload") or "", None)
        server = getattr(asked, "server_handle", 0)
        answer: Any = getattr(reply, arm) if arm else None
        if arm == "register":
            answer.server_handle = self._servers.to_caller(answer.server_handle)
        elif arm in _ADDING:
            answer.item_handle = self._items_of(server).to_caller(answer.item_handle)
        elif arm in USER_REPLIES:
            self._users.setdefault(server, {})[answer.user_id] = None
        elif arm == "drain_events":
            for event in answer.events:
                self.event_from_gateway(event)
        elif answer is not None and "results" in answer.DESCRIPTOR.fields_by_name:
            items = self._items_of(server)
            for result in answer.results:
                # A foreign handle stays: matching results to entries refuses it.
                result.server_handle = self._servers.of_caller.get(result.server_handle, result.server_handle)
                if arm == "read_bulk":  # Its handles do not exist any more.
                    result.item_handle = items.of_caller.get(result.item_handle, 0)
                else:
                    result.item_handle = items.to_caller(result.item_handle)
        for change in handle_changes(request, reply):
            if change.what == "removed":
                self._items_of(change.server_handle).forget(change.item_handle)
            elif change.what == "unregistered":
                self._servers.forget(change.server_handle)
                self._items.pop(change.server_handle, None)
                self._users.pop(change.server_handle, None)

    def event_from_gateway(self, event: pb.MxEvent) -> None:
        """Replace the gateway's handles by the caller's in an event; by 0 if the server handle is not the caller's."""
        if event.server_handle:
            server = self._servers.of_caller.get(event.server_handle, 0)
            event.item_handle = self._items_of(server).to_caller(event.item_handle, guess=True) if server else 0
            event.server_handle = server
