"""Handlers of the single commands: each takes its message, calls the worker and fills the reply."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, cast

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.net.api_keys import GatewayKey
from zb_mom_ww_mxgateway_sim.plant import status
from zb_mom_ww_mxgateway_sim.plant.status import MxRefusal
from zb_mom_ww_mxgateway_sim.plant.tag_types import CoercionError, NativeType
from zb_mom_ww_mxgateway_sim.runtime.errors import NotAllowed
from zb_mom_ww_mxgateway_sim.sessions.session import GatewaySession
from zb_mom_ww_mxgateway_sim.sessions.worker import full_address
from zb_mom_ww_mxgateway_sim.sessions.write_queue import WriteAuthor, source_time
from zb_mom_ww_mxgateway_sim.wire.codec import UndecodableValue, decode_value, encode_statuses, encode_value, timestamp

WORKER_VERSION = "1.0.0-simulated"
MXACCESS_VERSION = "3.2.0.0 (simulated)"

# ``Any`` is the message type of the command's kind, by the table at the end.
Handler = Callable[[GatewaySession, GatewayKey, Any, pb.MxCommandReply], Awaitable[None] | None]

_OfItem = (
    pb.AdviseCommand
    | pb.AdviseSupervisoryCommand
    | pb.UnAdviseCommand
    | pb.RemoveItemCommand
    | pb.SuspendCommand
    | pb.ActivateCommand
)
_Secured = pb.WriteSecuredCommand | pb.WriteSecured2Command | pb.WriteSecuredBulkEntry | pb.WriteSecured2BulkEntry


def allow(key: GatewayKey, reference: str) -> None:
    """Raise NotAllowed unless the tag is in the key's sub-trees."""
    if not key.allows(reference):
        raise NotAllowed(f"the API key does not reach {reference}")


def allow_item(session: GatewaySession, key: GatewayKey, command: _OfItem) -> None:
    """Raise NotAllowed unless the item is in the key's sub-trees. Raise MxRefusal if there is no such item."""
    allow(key, session.worker.item(command.server_handle, command.item_handle).address)


def _register(session: GatewaySession, key: GatewayKey, command: pb.RegisterCommand, reply: pb.MxCommandReply) -> None:
    handle = session.worker.register(command.client_name)
    reply.register.server_handle = handle
    encode_value(reply.return_value, handle, NativeType.INTEGER, False)


def _unregister(
    session: GatewaySession, key: GatewayKey, command: pb.UnregisterCommand, reply: pb.MxCommandReply
) -> None:
    session.worker.unregister(command.server_handle)


def _add_item(session: GatewaySession, key: GatewayKey, command: pb.AddItemCommand, reply: pb.MxCommandReply) -> None:
    allow(key, command.item_definition)
    handle = session.worker.add_item(command.server_handle, command.item_definition)
    reply.add_item.item_handle = handle
    encode_value(reply.return_value, handle, NativeType.INTEGER, False)


def _add_item2(
    session: GatewaySession,
    key: GatewayKey,
    command: pb.AddItem2Command | pb.AddBufferedItemCommand,
    reply: pb.MxCommandReply,
    *,
    buffered: bool = False,
) -> None:
    allow(key, full_address(command.item_definition, command.item_context))
    handle = session.worker.add_item(
        command.server_handle, command.item_definition, command.item_context, buffered=buffered
    )
    (reply.add_buffered_item if buffered else reply.add_item2).item_handle = handle
    encode_value(reply.return_value, handle, NativeType.INTEGER, False)


def _set_interval(
    session: GatewaySession, key: GatewayKey, command: pb.SetBufferedUpdateIntervalCommand, reply: pb.MxCommandReply
) -> None:
    session.worker.set_buffered_update_interval(command.server_handle, command.update_interval_milliseconds)


def _remove_item(
    session: GatewaySession, key: GatewayKey, command: pb.RemoveItemCommand, reply: pb.MxCommandReply
) -> None:
    allow_item(session, key, command)
    session.worker.remove_item(command.server_handle, command.item_handle)


def _advise(
    session: GatewaySession,
    key: GatewayKey,
    command: pb.AdviseCommand | pb.AdviseSupervisoryCommand,
    reply: pb.MxCommandReply,
    *,
    supervisory: bool = False,
) -> None:
    allow_item(session, key, command)
    session.worker.advise(command.server_handle, command.item_handle, supervisory=supervisory)


def _un_advise(session: GatewaySession, key: GatewayKey, command: pb.UnAdviseCommand, reply: pb.MxCommandReply) -> None:
    allow_item(session, key, command)
    session.worker.un_advise(command.server_handle, command.item_handle)


def _suspend(session: GatewaySession, key: GatewayKey, command: pb.SuspendCommand, reply: pb.MxCommandReply) -> None:
    allow_item(session, key, command)
    found = session.worker.suspend(command.server_handle, command.item_handle)
    reply.suspend.status.CopyFrom(*encode_statuses((found,), ok_is_minus_one=False))


def _activate(session: GatewaySession, key: GatewayKey, command: pb.ActivateCommand, reply: pb.MxCommandReply) -> None:
    allow_item(session, key, command)
    found = session.worker.activate(command.server_handle, command.item_handle)
    reply.activate.status.CopyFrom(*encode_statuses((found,), ok_is_minus_one=False))


def _write(
    session: GatewaySession, key: GatewayKey, command: pb.WriteCommand | pb.Write2Command, reply: pb.MxCommandReply
) -> None:
    allow(key, session.worker.writable(command.server_handle, command.item_handle).address)
    session.worker.write(
        command.server_handle,
        command.item_handle,
        partial(decode_value, command.value),
        author=WriteAuthor(command.user_id),
        time_ns=write_time(command.timestamp_value) if isinstance(command, pb.Write2Command) else None,
    )


def _write_secured(
    session: GatewaySession,
    key: GatewayKey,
    command: pb.WriteSecuredCommand | pb.WriteSecured2Command,
    reply: pb.MxCommandReply,
) -> None:
    allow(key, session.worker.writable(command.server_handle, command.item_handle).address)
    session.worker.write(
        command.server_handle,
        command.item_handle,
        partial(decode_value, command.value),
        author=secured_author(session, command.server_handle, command),
        time_ns=write_time(command.timestamp_value) if isinstance(command, pb.WriteSecured2Command) else None,
    )


def secured_author(session: GatewaySession, server_handle: int, message: _Secured) -> WriteAuthor:
    """Return the users of a secured write. Raise MxRefusal 0x80004021 without a known user or without a value."""
    if message.value.WhichOneof("kind") is None:
        raise MxRefusal("a secured write needs a value", status.NOT_SECURED)
    return session.worker.author(server_handle, message.current_user_id, message.verifier_user_id)


def _authenticate(
    session: GatewaySession, key: GatewayKey, command: pb.AuthenticateUserCommand, reply: pb.MxCommandReply
) -> None:
    user_id = session.worker.authenticate(command.server_handle, command.verify_user, command.verify_user_password)
    reply.authenticate_user.user_id = user_id
    encode_value(reply.return_value, user_id, NativeType.INTEGER, False)


def _user_by_guid(
    session: GatewaySession, key: GatewayKey, command: pb.ArchestrAUserToIdCommand, reply: pb.MxCommandReply
) -> None:
    user_id = session.worker.user_by_guid(command.server_handle, command.user_id_guid)
    reply.archestra_user_to_id.user_id = user_id
    encode_value(reply.return_value, user_id, NativeType.INTEGER, False)


def write_time(message: pb.MxValue) -> int | None:
    """Return the source time of a write in nanoseconds. Raise MxRefusal if the value is not a time."""
    try:
        return source_time(decode_value(message))
    except (UndecodableValue, CoercionError) as error:
        raise MxRefusal(f"the timestamp is not a time: {error}", statuses=(status.INVALID_ARGUMENT,)) from error


def _ping(session: GatewaySession, key: GatewayKey, command: pb.PingCommand, reply: pb.MxCommandReply) -> None:
    pass


def _session_state(
    session: GatewaySession, key: GatewayKey, command: pb.GetSessionStateCommand, reply: pb.MxCommandReply
) -> None:
    reply.session_state.state = cast("pb.SessionState", session.state_number)


def _worker_info(
    session: GatewaySession, key: GatewayKey, command: pb.GetWorkerInfoCommand, reply: pb.MxCommandReply
) -> None:
    reply.worker_info.worker_process_id = session.process_id
    reply.worker_info.worker_version = WORKER_VERSION
    reply.worker_info.mxaccess_version = MXACCESS_VERSION
    timestamp(session.started_ns, reply.worker_info.started_at)


def _drain(session: GatewaySession, key: GatewayKey, command: pb.DrainEventsCommand, reply: pb.MxCommandReply) -> None:
    reply.drain_events.SetInParent()
    reply.drain_events.events.extend(session.events.drain(command.max_events))


def _shut_down(
    session: GatewaySession, key: GatewayKey, command: pb.ShutdownWorkerCommand, reply: pb.MxCommandReply
) -> None:
    session.lose_worker(after_command=True)


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
    pb.MX_COMMAND_KIND_ADD_BUFFERED_ITEM: partial(_add_item2, buffered=True),
    pb.MX_COMMAND_KIND_SET_BUFFERED_UPDATE_INTERVAL: _set_interval,
    pb.MX_COMMAND_KIND_SUSPEND: _suspend,
    pb.MX_COMMAND_KIND_ACTIVATE: _activate,
    pb.MX_COMMAND_KIND_WRITE_SECURED: _write_secured,
    pb.MX_COMMAND_KIND_WRITE_SECURED2: _write_secured,
    pb.MX_COMMAND_KIND_AUTHENTICATE_USER: _authenticate,
    pb.MX_COMMAND_KIND_ARCHESTRA_USER_TO_ID: _user_by_guid,
    pb.MX_COMMAND_KIND_PING: _ping,
    pb.MX_COMMAND_KIND_GET_SESSION_STATE: _session_state,
    pb.MX_COMMAND_KIND_GET_WORKER_INFO: _worker_info,
    pb.MX_COMMAND_KIND_DRAIN_EVENTS: _drain,
    pb.MX_COMMAND_KIND_SHUTDOWN_WORKER: _shut_down,
}
