"""Results of bulk commands, each with the entry of the request that it answers."""

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any

from zb_mom_ww_mxgateway.errors import MxGatewayCommandError
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.status import hresult_text
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway.wire.commands import contradiction, kind_name, payload_of

_ADDING = ("add_item_bulk", "subscribe_bulk")


def matched_results(request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> list[Any]:
    """The results of a bulk command in the order of its entries, whatever order they came in.

    A result says itself what it is about: a tag's address, or an item handle. Raises MxGatewayCommandError, for a write
    with an unknown outcome, where a result is missing, is about something else or is there twice: by its place alone
    it might be another tag's.
    """
    kind = kind_name(request)
    asked: Any = getattr(request.command, kind)
    results = list(payload_of(reply, kind).results)
    by_tag = "tag_addresses" in asked.DESCRIPTOR.fields_by_name
    entries: Sequence[str | int]
    if by_tag:
        entries = [_address(kind, tag) for tag in asked.tag_addresses]
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
    subjects = [_address(kind, result.tag_address) if by_tag else result.item_handle for result in results]
    if all(subject in ("", 0, entry) for subject, entry in zip(subjects, entries, strict=True)):
        ordered = results
    else:
        ordered = _ordered(reply, kind, entries, subjects, results)
    if kind in _ADDING:
        _check_new(reply, kind, ordered)
    return ordered


def is_contradictory(request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> bool:
    """Whether the results of a bulk command do not fit its entries."""
    try:
        matched_results(request, reply)
    except MxGatewayCommandError:
        return True
    return False


def _address(kind: str, tag: str) -> str:
    # The gateway may add the brackets of a whole array where it adds an item; to a read they make a difference.
    return tag_key(tag).removesuffix("[]") if kind in _ADDING else tag_key(tag)


def _ordered(
    reply: pb.MxCommandReply, kind: str, entries: Sequence[Any], subjects: Sequence[Any], results: Sequence[Any]
) -> list[Any]:
    """Each entry's own result; entries that are alike have theirs in the order they came."""
    found: dict[Any, deque[Any]] = defaultdict(deque)
    for subject, result in zip(subjects, results, strict=True):
        found[subject].append(result)
    ordered = []
    for entry in entries:
        if not found[entry]:
            said = f"tag {entry}" if isinstance(entry, str) else f"item {entry}"
            raise contradiction(reply, kind, f"no result is about {said}, and one is about something else")
        ordered.append(found[entry].popleft())
    return ordered


def _check_new(reply: pb.MxCommandReply, kind: str, results: Sequence[Any]) -> None:
    """Items that were added have handles, and two tags not the same one."""
    tags: dict[int, str] = {}
    for result in results:
        if not result.was_successful:
            continue
        if result.item_handle <= 0:
            raise contradiction(reply, kind, f"item_handle is {result.item_handle}")
        address = _address(kind, result.tag_address)
        if tags.setdefault(result.item_handle, address) != address:
            raise contradiction(reply, kind, f"two tags were given the item handle {result.item_handle}")
