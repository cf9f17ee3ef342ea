"""One MXAccess session: register, add items, advise, write, events."""

from typing import Final, Self

from zb_mom_ww_mxgateway.commands.control import ControlCommands
from zb_mom_ww_mxgateway.commands.items import ItemCommands
from zb_mom_ww_mxgateway.commands.session_link import SessionLink
from zb_mom_ww_mxgateway.commands.writes import WriteCommands
from zb_mom_ww_mxgateway.forwarding import ForwardedMethod
from zb_mom_ww_mxgateway.models.handles import HandleTable
from zb_mom_ww_mxgateway.models.results import SessionInfo
from zb_mom_ww_mxgateway.options import OpenSessionOptions


class Session:
    """An open session. Made by ``client.open_session()``; also an async context manager, which closes it.

    Every command raises MxAccessError when MXAccess refuses it, MxGatewaySessionError when the session is gone or not
    ready, and MxGatewayArgumentError (before anything is sent) for an invalid argument. Cancelling a command stops the
    waiting, not the command. Every command takes a `timeout` in seconds; without one it is
    ``ClientOptions.call_timeout``. A write that is not answered in time has an unknown outcome.
    """

    def __init__(self, link: SessionLink) -> None:
        self._link = link
        self._items = ItemCommands(link)
        self._writes = WriteCommands(link)
        self._control = ControlCommands(link)

    # What is known of it.

    @property
    def session_id(self) -> str:
        """``session-`` and 32 hex digits."""
        return self._link.session_id

    @property
    def endpoint(self) -> str:
        """Host and port of the session's gateway."""
        return self._link.endpoint

    @property
    def info(self) -> SessionInfo:
        """The gateway's description of the session; of an attached one it has the session id alone."""
        return self._link.info

    @property
    def options(self) -> OpenSessionOptions | None:
        """Options it was opened with; None for a session that was attached, or opened by default."""
        return self._link.options

    @property
    def handles(self) -> HandleTable:
        """Handles as the replies confirmed them, whichever way the commands were sent."""
        return self._link.handles

    @property
    def closed(self) -> bool:
        """True once :meth:`close` was called."""
        return self._link.closed

    # Registrations, items, data changes.

    register: Final = ForwardedMethod("_items", ItemCommands.register)
    unregister: Final = ForwardedMethod("_items", ItemCommands.unregister)
    add_item: Final = ForwardedMethod("_items", ItemCommands.add_item)
    add_item2: Final = ForwardedMethod("_items", ItemCommands.add_item2)
    add_buffered_item: Final = ForwardedMethod("_items", ItemCommands.add_buffered_item)
    set_buffered_update_interval: Final = ForwardedMethod("_items", ItemCommands.set_buffered_update_interval)
    remove_item: Final = ForwardedMethod("_items", ItemCommands.remove_item)
    advise: Final = ForwardedMethod("_items", ItemCommands.advise)
    advise_supervisory: Final = ForwardedMethod("_items", ItemCommands.advise_supervisory)
    unadvise: Final = ForwardedMethod("_items", ItemCommands.unadvise)
    suspend: Final = ForwardedMethod("_items", ItemCommands.suspend)
    activate: Final = ForwardedMethod("_items", ItemCommands.activate)
    add_item_bulk: Final = ForwardedMethod("_items", ItemCommands.add_item_bulk)
    advise_item_bulk: Final = ForwardedMethod("_items", ItemCommands.advise_item_bulk)
    remove_item_bulk: Final = ForwardedMethod("_items", ItemCommands.remove_item_bulk)
    unadvise_item_bulk: Final = ForwardedMethod("_items", ItemCommands.unadvise_item_bulk)
    subscribe_bulk: Final = ForwardedMethod("_items", ItemCommands.subscribe_bulk)
    unsubscribe_bulk: Final = ForwardedMethod("_items", ItemCommands.unsubscribe_bulk)
    read_bulk: Final = ForwardedMethod("_items", ItemCommands.read_bulk)

    # Writes, and the users of secured ones.

    write: Final = ForwardedMethod("_writes", WriteCommands.write)
    write2: Final = ForwardedMethod("_writes", WriteCommands.write2)
    write_secured: Final = ForwardedMethod("_writes", WriteCommands.write_secured)
    write_secured2: Final = ForwardedMethod("_writes", WriteCommands.write_secured2)
    write_array_elements: Final = ForwardedMethod("_writes", WriteCommands.write_array_elements)
    write_bulk: Final = ForwardedMethod("_writes", WriteCommands.write_bulk)
    write2_bulk: Final = ForwardedMethod("_writes", WriteCommands.write2_bulk)
    write_secured_bulk: Final = ForwardedMethod("_writes", WriteCommands.write_secured_bulk)
    write_secured2_bulk: Final = ForwardedMethod("_writes", WriteCommands.write_secured2_bulk)
    authenticate_user: Final = ForwardedMethod("_writes", WriteCommands.authenticate_user)
    archestra_user_to_id: Final = ForwardedMethod("_writes", WriteCommands.archestra_user_to_id)

    # The session itself.

    ping: Final = ForwardedMethod("_control", ControlCommands.ping)
    get_session_state: Final = ForwardedMethod("_control", ControlCommands.get_session_state)
    get_worker_info: Final = ForwardedMethod("_control", ControlCommands.get_worker_info)
    drain_events: Final = ForwardedMethod("_control", ControlCommands.drain_events)
    shutdown_worker: Final = ForwardedMethod("_control", ControlCommands.shutdown_worker)
    call_json: Final = ForwardedMethod("_control", ControlCommands.call_json)

    # Commands as messages, events, the end.

    request: Final = ForwardedMethod("_link", SessionLink.request)
    send: Final = ForwardedMethod("_link", SessionLink.send)
    stream_events: Final = ForwardedMethod("_link", SessionLink.stream_events)
    stream_events_raw: Final = ForwardedMethod("_link", SessionLink.stream_events_raw)
    stream_events_proven: Final = ForwardedMethod("_link", SessionLink.stream_events_proven)
    close: Final = ForwardedMethod("_link", SessionLink.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, exc_type: object, exc: BaseException | None, traceback: object) -> None:
        try:
            await self.close()
        except Exception as error:
            if exc is None:
                raise
            # The first error is the one to see; that closing failed too is a note of it.
            exc.add_note(f"and closing the session failed: {error}")

    def __repr__(self) -> str:
        return f"<Session {self.session_id}{' closed' if self.closed else ''}>"
