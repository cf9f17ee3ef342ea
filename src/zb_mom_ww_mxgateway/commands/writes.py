"""Commands of a session that write, and the users that secured writes are made for.

Each returns when MXAccess has *accepted* the write: the outcome is a later ON_WRITE_COMPLETE event. It raises with
``outcome_unknown`` when the write may have happened although no answer came. Nothing is ever sent twice.

For example::

    results = await session.write_bulk(server, [WriteEntry(item, 5), WriteEntry(item, Typed("int32", 6))])
    await session.write2(server, item, 7, datetime.now(UTC))
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from zb_mom_ww_mxgateway import arguments, wire
from zb_mom_ww_mxgateway.commands.session_link import SessionLink
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.models.results import BulkWriteResult
from zb_mom_ww_mxgateway.models.write_guard import SparseArray
from zb_mom_ww_mxgateway.values import MxValueInput, Scalar, Typed


class WriteEntry(NamedTuple):
    """One entry of ``write_bulk``."""

    item_handle: int
    value: MxValueInput
    user_id: int = 0


class Write2Entry(NamedTuple):
    """One entry of ``write2_bulk``."""

    item_handle: int
    value: MxValueInput
    timestamp: datetime
    user_id: int = 0


class WriteSecuredEntry(NamedTuple):
    """One entry of ``write_secured_bulk``."""

    item_handle: int
    value: MxValueInput
    current_user_id: int
    verifier_user_id: int = 0


class WriteSecured2Entry(NamedTuple):
    """One entry of ``write_secured2_bulk``."""

    item_handle: int
    value: MxValueInput
    timestamp: datetime
    current_user_id: int
    verifier_user_id: int = 0


BulkEntry = WriteEntry | Write2Entry | WriteSecuredEntry | WriteSecured2Entry
"""One entry of a bulk write of any kind."""


class WriteSignature(NamedTuple):
    """Who signs for a write: ids of ``authenticate_user`` on the same server handle."""

    current_user_id: int
    verifier_user_id: int = 0
    """The second person, for a verified write; 0 for a secured one."""


_KINDS = {
    (False, False): "write",
    (False, True): "write2",
    (True, False): "write_secured",
    (True, True): "write_secured2",
}
"""Kind of a write, by whether it is signed and whether it has a source time."""


class WriteCommands:
    """Plain, timed, secured, bulk and sparse writes, and user ids."""

    def __init__(self, link: SessionLink) -> None:
        self._link = link

    async def write(
        self,
        server_handle: int,
        item_handle: int,
        value: MxValueInput,
        user_id: int = 0,
        *,
        timeout: float | None = None,
    ) -> None:
        """Write a value. `user_id` is recorded only under supervisory advise."""
        await self._link.send(write_request(self._link, server_handle, item_handle, value, user_id), timeout=timeout)

    async def write2(
        self,
        server_handle: int,
        item_handle: int,
        value: MxValueInput,
        timestamp: datetime,
        user_id: int = 0,
        *,
        timeout: float | None = None,
    ) -> None:
        """Write a value with its source time, an aware datetime."""
        request = write_request(self._link, server_handle, item_handle, value, user_id, timestamp=timestamp)
        await self._link.send(request, timeout=timeout)

    async def write_secured(
        self,
        server_handle: int,
        item_handle: int,
        value: MxValueInput,
        current_user_id: int,
        verifier_user_id: int = 0,
        *,
        timeout: float | None = None,
    ) -> None:
        """Write to an attribute that needs a user, or for verified writes two (ids of ``authenticate_user``)."""
        signed = WriteSignature(current_user_id, verifier_user_id)
        request = write_request(self._link, server_handle, item_handle, value, signature=signed)
        await self._link.send(request, timeout=timeout)

    async def write_secured2(
        self,
        server_handle: int,
        item_handle: int,
        value: MxValueInput,
        timestamp: datetime,
        current_user_id: int,
        verifier_user_id: int = 0,
        *,
        timeout: float | None = None,
    ) -> None:
        """Write as :meth:`write_secured` does, with the value's source time, an aware datetime."""
        signed = WriteSignature(current_user_id, verifier_user_id)
        request = write_request(self._link, server_handle, item_handle, value, timestamp=timestamp, signature=signed)
        await self._link.send(request, timeout=timeout)

    async def write_array_elements(
        self,
        server_handle: int,
        item_handle: int,
        total_length: int,
        elements: Mapping[int, Scalar | Typed],
        user_id: int = 0,
        *,
        timeout: float | None = None,
    ) -> None:
        """Write an array by some of its elements, by index from 0.

        The array becomes `total_length` long, and every element that is not named gets the type's default (false, 0,
        "", 1970): its former value is **lost**.
        """
        if not isinstance(elements, Mapping) or not elements:
            raise MxGatewayArgumentError("elements must be a mapping of indexes to values that is not empty")
        sparse = SparseArray(total_length, tuple(elements.items()))
        await self._link.send(write_request(self._link, server_handle, item_handle, sparse, user_id), timeout=timeout)

    async def write_bulk(
        self, server_handle: int, entries: Sequence[WriteEntry], *, timeout: float | None = None
    ) -> list[BulkWriteResult]:
        """Write many values: one result an entry, in input order; an entry's failure fails only itself."""
        return await self._write_bulk("write_bulk", WriteEntry, server_handle, entries, timeout)

    async def write2_bulk(
        self, server_handle: int, entries: Sequence[Write2Entry], *, timeout: float | None = None
    ) -> list[BulkWriteResult]:
        """Write many values with their source times: one result an entry, in input order."""
        return await self._write_bulk("write2_bulk", Write2Entry, server_handle, entries, timeout)

    async def write_secured_bulk(
        self, server_handle: int, entries: Sequence[WriteSecuredEntry], *, timeout: float | None = None
    ) -> list[BulkWriteResult]:
        """Write many values with users: one result an entry, in input order."""
        return await self._write_bulk("write_secured_bulk", WriteSecuredEntry, server_handle, entries, timeout)

    async def write_secured2_bulk(
        self, server_handle: int, entries: Sequence[WriteSecured2Entry], *, timeout: float | None = None
    ) -> list[BulkWriteResult]:
        """Write many values with users and source times: one result an entry, in input order."""
        return await self._write_bulk("write_secured2_bulk", WriteSecured2Entry, server_handle, entries, timeout)

    async def _write_bulk(
        self,
        kind: str,
        entry_type: Callable[..., Any],
        server_handle: int,
        entries: Sequence[Any],
        timeout: float | None,
    ) -> list[BulkWriteResult]:
        request = _bulk_request(self._link, kind, entry_type, server_handle, entries)
        return wire.write_results(request, await self._link.send(request, timeout=timeout))

    async def authenticate_user(
        self, server_handle: int, user: str, password: str, *, timeout: float | None = None
    ) -> int:
        """Return the id of a user for secured writes; it dies with the server handle.

        On a permissive galaxy any credentials give an id, which proves nothing. The password is never in an error.
        """
        if not isinstance(password, str) or not _is_sendable(password):
            raise MxGatewayArgumentError("password must be text that can be sent as UTF-8")
        request = self._link.request(
            "authenticate_user",
            server_handle=arguments.whole("server_handle", server_handle),
            verify_user=arguments.text("user", user),
            verify_user_password=password,
        )
        return wire.user_id(await self._link.send(request, timeout=timeout), "authenticate_user")

    async def archestra_user_to_id(self, server_handle: int, user_id_guid: str, *, timeout: float | None = None) -> int:
        """Return the id of an ArchestrA user by its GUID; it dies with the server handle."""
        reply = await self._link.run(
            "archestra_user_to_id",
            timeout=timeout,
            server_handle=arguments.whole("server_handle", server_handle),
            user_id_guid=arguments.text("user_id_guid", user_id_guid),
        )
        return wire.user_id(reply, "archestra_user_to_id")


def write_request(
    link: SessionLink,
    server_handle: int,
    item_handle: int,
    value: "MxValueInput | SparseArray",
    user_id: int = 0,
    *,
    timestamp: datetime | None = None,
    signature: WriteSignature | None = None,
) -> pb.MxCommandRequest:
    """Make the checked request of a write: plain or signed, with or without a source time."""
    fields = {**arguments.item(server_handle, item_handle), "value": _value(value)}
    if signature is None:
        fields["user_id"] = arguments.whole("user_id", user_id)
    else:
        if user_id:
            raise MxGatewayArgumentError("user_id is for a plain write; a signed one has the ids of its signature")
        fields["current_user_id"] = arguments.whole("current_user_id", signature.current_user_id)
        fields["verifier_user_id"] = arguments.whole("verifier_user_id", signature.verifier_user_id)
    if timestamp is not None:
        fields["timestamp_value"] = _time(timestamp)
    return link.request(_KINDS[signature is not None, timestamp is not None], **fields)


_BULK_KINDS: dict[type, str] = {
    WriteEntry: "write_bulk",
    Write2Entry: "write2_bulk",
    WriteSecuredEntry: "write_secured_bulk",
    WriteSecured2Entry: "write_secured2_bulk",
}
"""Kind of a bulk write, by the type of its entries."""


def bulk_write_request(link: SessionLink, server_handle: int, entries: Sequence[BulkEntry]) -> pb.MxCommandRequest:
    """Make the checked request of a bulk write; its entries, all of one type and each for another item, tell the kind.

    A tuple of no entry's type could mean several kinds, so it is refused.
    """
    seen: dict[int, int] = {}
    for index, entry in enumerate(arguments.entries("entries", entries)):
        if type(entry) not in _BULK_KINDS:
            names = ", ".join(each.__name__ for each in _BULK_KINDS)
            raise MxGatewayArgumentError(f"entries[{index}]: one of {names} expected, not {type(entry).__name__}")
        if type(entry) is not type(entries[0]):
            raise MxGatewayArgumentError(
                f"entries[{index}]: one call has entries of one type, and this is a {type(entry).__name__}, not a "
                f"{type(entries[0]).__name__}"
            )
        if (first := seen.setdefault(entry.item_handle, index)) != index:
            raise MxGatewayArgumentError(
                f"entries[{index}]: item {entry.item_handle} is in entries[{first}] too: a completion names the item"
            )
    kind = type(entries[0])
    return _bulk_request(link, _BULK_KINDS[kind], kind, server_handle, entries)


def _bulk_request(
    link: SessionLink, kind: str, entry_type: Callable[..., Any], server_handle: int, entries: Sequence[Any]
) -> pb.MxCommandRequest:
    made = []
    for index, entry in enumerate(arguments.entries("entries", entries)):
        try:
            made.append(wire.write_entry(kind, **_checked(entry_type(*entry))))
        except (TypeError, MxGatewayArgumentError) as error:
            raise MxGatewayArgumentError(f"entries[{index}]: {error}") from None
    return link.request(kind, server_handle=arguments.whole("server_handle", server_handle), entries=made)


def _value(value: "MxValueInput | SparseArray") -> pb.MxValue:
    if not isinstance(value, SparseArray):
        return wire.to_mx_value(value)
    length = arguments.whole("total_length", value.total_length, 1)
    if not value.elements:
        raise MxGatewayArgumentError("elements must not be empty")
    elements = dict(value.elements)
    if len(elements) != len(value.elements):
        raise MxGatewayArgumentError("an index of elements is named twice")
    for index in elements:
        arguments.whole("an index of elements", index, 0, length - 1)
    return wire.to_sparse_value(length, elements)


def _is_sendable(password: str) -> bool:
    # Not by arguments.sendable, whose error quotes what it refuses.
    try:
        password.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _time(timestamp: datetime) -> pb.MxValue:
    if not isinstance(timestamp, datetime):
        raise MxGatewayArgumentError(f"timestamp must be a datetime with a time zone, not {timestamp!r}")
    return wire.to_mx_value(timestamp)


def _checked(entry: Any) -> dict[str, Any]:
    """Return the fields of a bulk entry as the message has them."""
    fields: dict[str, Any] = {}
    for name, value in entry._asdict().items():
        if name == "value":
            fields["value"] = wire.to_mx_value(value)
        elif name == "timestamp":
            fields["timestamp_value"] = _time(value)
        else:
            fields[name] = arguments.whole(name, value)
    return fields
