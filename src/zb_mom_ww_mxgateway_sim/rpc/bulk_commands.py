"""Handlers of the bulk commands: one result for each entry, in order. A failed entry never fails the call."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.net.api_keys import GatewayKey
from zb_mom_ww_mxgateway_sim.plant import status
from zb_mom_ww_mxgateway_sim.plant.status import Category, MxRefusal
from zb_mom_ww_mxgateway_sim.rpc.commands import Handler, secured_author, write_time
from zb_mom_ww_mxgateway_sim.sessions.session import GatewaySession
from zb_mom_ww_mxgateway_sim.sessions.worker import ReadAnswer
from zb_mom_ww_mxgateway_sim.sessions.write_queue import WriteAuthor
from zb_mom_ww_mxgateway_sim.wire.codec import decode_value, encode_reading, encode_statuses, timestamp

_Tags = pb.AddItemBulkCommand | pb.SubscribeBulkCommand
_Items = pb.AdviseItemBulkCommand | pb.RemoveItemBulkCommand | pb.UnAdviseItemBulkCommand | pb.UnsubscribeBulkCommand

_Writes = pb.WriteBulkCommand | pb.Write2BulkCommand | pb.WriteSecuredBulkCommand | pb.WriteSecured2BulkCommand
# Returns the users of an entry's write. ``Any`` is one of the four entry types, by the table at the end.
_AuthorOf = Callable[[GatewaySession, int, Any], WriteAuthor]


def _not_reached(reference: str) -> MxRefusal:
    return MxRefusal(f"the API key does not reach {reference}")


def _add_item_bulk(
    session: GatewaySession, key: GatewayKey, command: _Tags, reply: pb.MxCommandReply, *, advise: bool = False
) -> None:
    payload = reply.subscribe_bulk if advise else reply.add_item_bulk
    payload.SetInParent()
    with session.worker.first_changes_after_reply():
        for tag in command.tag_addresses:
            result = payload.results.add(server_handle=command.server_handle, tag_address=tag)
            try:
                if not key.allows(tag):
                    raise _not_reached(tag)
                result.item_handle = session.worker.add_item(command.server_handle, tag)
                if advise:
                    session.worker.advise(command.server_handle, result.item_handle)
                result.was_successful = True
            except MxRefusal as refusal:
                result.error_message = refusal.text


def _on_items(
    session: GatewaySession,
    key: GatewayKey,
    command: _Items,
    reply: pb.MxCommandReply,
    *,
    arm: str,
    act: Callable[[GatewaySession, int, int], None],
) -> None:
    payload: pb.BulkSubscribeReply = getattr(reply, arm)
    payload.SetInParent()
    for handle in command.item_handles:
        result = payload.results.add(server_handle=command.server_handle, item_handle=handle)
        try:
            item = session.worker.item(command.server_handle, handle)
            result.tag_address = item.address
            if not key.allows(item.address):
                raise _not_reached(item.address)
            act(session, command.server_handle, handle)
            result.was_successful = True
        except MxRefusal as refusal:
            result.error_message = refusal.text


def _advise(session: GatewaySession, server_handle: int, item_handle: int) -> None:
    session.worker.advise(server_handle, item_handle)


def _remove(session: GatewaySession, server_handle: int, item_handle: int) -> None:
    session.worker.remove_item(server_handle, item_handle)


def _un_advise(session: GatewaySession, server_handle: int, item_handle: int) -> None:
    session.worker.un_advise(server_handle, item_handle)


def _unsubscribe(session: GatewaySession, server_handle: int, item_handle: int) -> None:
    if session.worker.item(server_handle, item_handle).advised:
        session.worker.un_advise(server_handle, item_handle)
    session.worker.remove_item(server_handle, item_handle)


def _write_entries(
    session: GatewaySession,
    key: GatewayKey,
    command: _Writes,
    reply: pb.MxCommandReply,
    *,
    arm: str,
    author: _AuthorOf,
) -> None:
    payload: pb.BulkWriteReply = getattr(reply, arm)
    payload.SetInParent()
    server_handle = command.server_handle
    for entry in command.entries:
        result = payload.results.add(server_handle=server_handle, item_handle=entry.item_handle)
        try:
            address = session.worker.writable(server_handle, entry.item_handle).address
            if not key.allows(address):
                raise _not_reached(address)
            timed = entry if isinstance(entry, pb.Write2BulkEntry | pb.WriteSecured2BulkEntry) else None
            session.worker.write(
                server_handle,
                entry.item_handle,
                partial(decode_value, entry.value),
                author=author(session, server_handle, entry),
                time_ns=write_time(timed.timestamp_value) if timed else None,
            )
            result.was_successful = True
            result.hresult = status.S_OK
        except MxRefusal as refusal:
            result.hresult = refusal.hresult
            result.statuses.extend(encode_statuses(refusal.statuses, ok_is_minus_one=False))
            result.error_message = refusal.text


def _plain_author(
    session: GatewaySession, server_handle: int, entry: pb.WriteBulkEntry | pb.Write2BulkEntry
) -> WriteAuthor:
    return WriteAuthor(entry.user_id)


async def _read_bulk(
    session: GatewaySession, key: GatewayKey, command: pb.ReadBulkCommand, reply: pb.MxCommandReply
) -> None:
    payload = reply.read_bulk
    payload.SetInParent()
    results = [
        payload.results.add(server_handle=command.server_handle, tag_address=tag) for tag in command.tag_addresses
    ]
    for result in results:
        if not key.allows(result.tag_address):
            result.error_message = _not_reached(result.tag_address).text
    allowed = [result for result in results if not result.error_message]
    try:
        tags = [result.tag_address for result in allowed]
        reads = await session.worker.read(command.server_handle, tags, command.timeout_ms / 1000)
    except MxRefusal as refusal:
        for result in allowed:
            result.error_message = refusal.text
        return
    for result, read in zip(allowed, reads, strict=True):
        _show(read, result)


def _show(read: ReadAnswer, result: pb.BulkReadResult) -> None:
    result.item_handle = read.item_handle
    result.was_cached = read.cached
    reading = read.reading
    if reading is None:
        result.error_message = "no data change came within the time-out"
        return
    encode_reading(result.value, reading)
    result.quality = reading.quality
    timestamp(reading.time_ns, result.source_timestamp)
    result.statuses.extend(encode_statuses(reading.statuses, ok_is_minus_one=read.item_handle % 2 == 0))
    faults = [found.text for found in reading.statuses if found.category is not Category.OK]
    result.was_successful = not faults
    result.error_message = "; ".join(faults)


HANDLERS: Mapping[int, Handler] = {
    pb.MX_COMMAND_KIND_ADD_ITEM_BULK: _add_item_bulk,
    pb.MX_COMMAND_KIND_SUBSCRIBE_BULK: partial(_add_item_bulk, advise=True),
    pb.MX_COMMAND_KIND_ADVISE_ITEM_BULK: partial(_on_items, arm="advise_item_bulk", act=_advise),
    pb.MX_COMMAND_KIND_REMOVE_ITEM_BULK: partial(_on_items, arm="remove_item_bulk", act=_remove),
    pb.MX_COMMAND_KIND_UN_ADVISE_ITEM_BULK: partial(_on_items, arm="un_advise_item_bulk", act=_un_advise),
    pb.MX_COMMAND_KIND_UNSUBSCRIBE_BULK: partial(_on_items, arm="unsubscribe_bulk", act=_unsubscribe),
    pb.MX_COMMAND_KIND_WRITE_BULK: partial(_write_entries, arm="write_bulk", author=_plain_author),
    pb.MX_COMMAND_KIND_WRITE2_BULK: partial(_write_entries, arm="write2_bulk", author=_plain_author),
    pb.MX_COMMAND_KIND_WRITE_SECURED_BULK: partial(_write_entries, arm="write_secured_bulk", author=secured_author),
    pb.MX_COMMAND_KIND_WRITE_SECURED2_BULK: partial(_write_entries, arm="write_secured2_bulk", author=secured_author),
    pb.MX_COMMAND_KIND_READ_BULK: _read_bulk,
}
