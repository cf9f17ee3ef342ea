"""Commands of one entry: each takes its message, calls the worker, and fills the reply."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, cast

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from . import status
from .codec import Undecodable, decode_value, encode_value, timestamp
from .keys import ApiKey
from .refusal import NotAllowed
from .session import Session
from .status import MxRefusal
from .tagtypes import CoercionError, TagType
from .worker import full_address
from .writing import source_time

WORKER_VERSION = "1.0.0-simulated"
MXACCESS_VERSION = "3.2.0.0 (simulated)"

# A payload is of its kind's own message type; which, the table below knows.
Handler = Callable[[Session, ApiKey, Any, pb.MxCommandReply], Awaitable[None] | None]


def allow(key: ApiKey, reference: str) -> None:
    """NotAllowed unless the tag is in the key's sub-trees."""
    if not key.allows(reference):
        raise NotAllowed(f"the API key does not reach {reference}")


def _register(session: Session, key: ApiKey, command: pb.RegisterCommand, reply: pb.MxCommandReply) -> None:
    handle = session.worker.register(command.client_name)
    reply.register.server_handle = handle
    encode_value(reply.return_value, handle, TagType.INTEGER, False)


def _unregister(session: Session, key: ApiKey, command: pb.UnregisterCommand, reply: pb.MxCommandReply) -> None:
    session.worker.unregister(command.server_handle)


def _add_item(session: Session, key: ApiKey, command: pb.AddItemCommand, reply: pb.MxCommandReply) -> None:
    allow(key, command.item_definition)
    handle = session.worker.add_item(command.server_handle, command.item_definition)
    reply.add_item.item_handle = handle
    encode_value(reply.return_value, handle, TagType.INTEGER, False)


def _add_item2(session: Session, key: ApiKey, command: pb.AddItem2Command, reply: pb.MxCommandReply) -> None:
    allow(key, full_address(command.item_definition, command.item_context))
    handle = session.worker.add_item(command.server_handle, command.item_definition, command.item_context)
    reply.add_item2.item_handle = handle
    encode_value(reply.return_value, handle, TagType.INTEGER, False)


def _remove_item(session: Session, key: ApiKey, command: pb.RemoveItemCommand, reply: pb.MxCommandReply) -> None:
    session.worker.remove_item(command.server_handle, command.item_handle)


def _advise(
    session: Session,
    key: ApiKey,
    command: pb.AdviseCommand | pb.AdviseSupervisoryCommand,
    reply: pb.MxCommandReply,
    *,
    supervisory: bool = False,
) -> None:
    allow(key, session.worker.item(command.server_handle, command.item_handle).address)
    session.worker.advise(command.server_handle, command.item_handle, supervisory=supervisory)


def _un_advise(session: Session, key: ApiKey, command: pb.UnAdviseCommand, reply: pb.MxCommandReply) -> None:
    session.worker.un_advise(command.server_handle, command.item_handle)


def _write(
    session: Session, key: ApiKey, command: pb.WriteCommand | pb.Write2Command, reply: pb.MxCommandReply
) -> None:
    allow(key, session.worker.writable(command.server_handle, command.item_handle).address)
    session.worker.write(
        command.server_handle,
        command.item_handle,
        partial(decode_value, command.value),
        user_id=command.user_id,
        time_ns=write_time(command.timestamp_value) if isinstance(command, pb.Write2Command) else None,
    )


def write_time(message: pb.MxValue) -> int | None:
    """The source time of a write, nanoseconds; MxRefusal if it is no time."""
    try:
        return source_time(decode_value(message))
    except (Undecodable, CoercionError) as error:
        raise MxRefusal(f"the timestamp is no time: {error}", statuses=(status.INVALID_ARGUMENT,)) from error


def _ping(session: Session, key: ApiKey, command: pb.PingCommand, reply: pb.MxCommandReply) -> None:
    pass


def _session_state(session: Session, key: ApiKey, command: pb.GetSessionStateCommand, reply: pb.MxCommandReply) -> None:
    reply.session_state.state = cast("pb.SessionState", session.state_number)


def _worker_info(session: Session, key: ApiKey, command: pb.GetWorkerInfoCommand, reply: pb.MxCommandReply) -> None:
    reply.worker_info.worker_process_id = session.process_id
    reply.worker_info.worker_version = WORKER_VERSION
    reply.worker_info.mxaccess_version = MXACCESS_VERSION
    timestamp(session.started_ns, reply.worker_info.started_at)


def _drain(session: Session, key: ApiKey, command: pb.DrainEventsCommand, reply: pb.MxCommandReply) -> None:
    reply.drain_events.SetInParent()
    reply.drain_events.events.extend(session.events.drain(command.max_events))


HANDLERS: Mapping[int, Handler] = {
    pb.MX_COMMAND_KIND_REGISTER: _register,
    pb.MX_COMMAND_KIND_UNREGISTER: _unregister,
    pb.MX_COMMAND_KIND_ADD_ITEM: _add_item,
    pb.MX_COMMAND_KIND_ADD_ITEM2: _add_item2,
    pb.MX_COMMAND_KIND_REMOVE_ITEM: _remove_item,
    pb.MX_COMMAND_KIND_ADVISE: _advise,
    pb.MX_COMMAND_KIND_UN_ADVISE: _un_advise,
    pb.MX_COMMAND_KIND_ADVISE_SUPERVISORY: partial(_advise, supervisory=True),
    pb.MX_COMMAND_KIND_WRITE: _write,
    pb.MX_COMMAND_KIND_WRITE2: _write,
    pb.MX_COMMAND_KIND_PING: _ping,
    pb.MX_COMMAND_KIND_GET_SESSION_STATE: _session_state,
    pb.MX_COMMAND_KIND_GET_WORKER_INFO: _worker_info,
    pb.MX_COMMAND_KIND_DRAIN_EVENTS: _drain,
}
