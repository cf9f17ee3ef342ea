"""Matching of the results of bulk commands to the entries of their requests."""

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.status import hresult_text
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway.wire.commands import contradiction, kind_name, payload_of

_ADDING = ("add_item_bulk", "subscribe_bulk")


def matched_results(request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> list[Any]:
    """Return the results of a bulk command in the order of its entries, whatever their order in the reply.

    A result names its tag address or item handle; its position alone does not count. Raise MxGatewayCommandError if a
    result is missing, there twice or of no entry; for a write the outcome is then unknown.
    """
    kind = kind_name(request)
    asked: Any = getattr(request.command, kind)
    results = list(payload_of(reply, kind).results)
    by_tag = "tag_addresses" in asked.DESCRIPTOR.fields_by_name
    entries: Sequence[str | int]
    if by_tag:
        entries = list(asked.tag_addresses)
    elif "entries" in asked.DESCRIPTOR.fields_by_name:
        entries = [entry.item_handle for entry in asked.entries]
    else:
        entries = list(asked.item_handles)
    if len(results) != len(entries):
        raise contradiction(reply, kind, f"{len(results)} results for {len(entries)} entries")
    for result in results:
        if result.server_handle not in (0, asked.server_handle):
            raise contradiction(reply, kind, f"a result is of server {result.server_handle}, not {asked.server_handle}")
        if result.was_successful and getattr(result, "hresult", 0) < 0:
            raise contradiction(
                reply, kind, f"a result is a success, with the hresult {hresult_text(result.hresult)} of a failure"
            )
    subjects = [result.tag_address if by_tag else result.item_handle for result in results]
    if by_tag and subjects != entries:
        # Mostly they are spelled alike, in the same order.
        entries = [_address(kind, tag) for tag in asked.tag_addresses]
        subjects = [_address(kind, result.tag_address) for result in results]
    if all(subject in ("", 0, entry) for subject, entry in zip(subjects, entries, strict=True)):
        ordered = results
    else:
        ordered = _ordered(reply, kind, entries, subjects, results)
    if kind in _ADDING:
        _check_new(reply, kind, ordered)
    return ordered


def _address(kind: str, tag: str) -> str:
    # The gateway may add the brackets of a whole array to an item; for a read they make a difference.
    return tag_key(tag).removesuffix("[]") if kind in _ADDING else tag_key(tag)


def _ordered(
    reply: pb.MxCommandReply, kind: str, entries: Sequence[Any], subjects: Sequence[Any], results: Sequence[Any]
) -> list[Any]:
    """Return the result of each entry; equal entries get theirs in order of arrival."""
    found: dict[Any, deque[Any]] = defaultdict(deque)
    for subject, result in zip(subjects, results, strict=True):
        found[subject].append(result)
    ordered = []
    for entry in entries:
        if not found[entry]:
            subject = f"tag {entry}" if isinstance(entry, str) else f"item {entry}"
            raise contradiction(reply, kind, f"no result is of {subject}, and one is of no entry")
        ordered.append(found[entry].popleft())
    return ordered


def _check_new(reply: pb.MxCommandReply, kind: str, results: Sequence[Any]) -> None:
    """Raise MxGatewayCommandError if an added item has no handle, or two tags have the same one."""
    tags: dict[int, str] = {}
    for result in results:
        if not result.was_successful:
            continue
        if result.item_handle <= 0:
            raise contradiction(reply, kind, f"item_handle is {result.item_handle}")
        other = tags.setdefault(result.item_handle, result.tag_address)
        if other != result.tag_address and _address(kind, other) != _address(kind, result.tag_address):
            raise contradiction(reply, kind, f"two tags were given the item handle {result.item_handle}")
