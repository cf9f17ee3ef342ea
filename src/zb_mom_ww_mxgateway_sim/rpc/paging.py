"""Pages of a reply, and page tokens that are valid for one request and one state of the galaxy only."""

import asyncio
import copy
import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb
from zb_mom_ww_mxgateway_sim.runtime.errors import InvalidRequest

DEFAULT_PAGE = 500
LARGEST_PAGE = 5000
# A page ends early so that it fits into a message of 16 MiB.
_LARGEST_BYTES = 15 * 1024 * 1024
# Objects that are encoded before other tasks get their turn.
_OBJECTS_PER_TURN = 50

T = TypeVar("T")
PagedRequest = pb.DiscoverHierarchyRequest | pb.BrowseChildrenRequest


async def page(
    request: PagedRequest, cache: str, everything: Sequence[T], encode: Callable[[T], pb.GalaxyObject]
) -> tuple[list[pb.GalaxyObject], Sequence[T], str]:
    """Return the requested page: its messages, their objects, and the next page's token, empty after the last page.

    Raise InvalidRequest for an invalid page size or token.
    """
    if request.page_size < 0:
        raise InvalidRequest(f"page_size {request.page_size} is negative")
    binding = binding_of(request, cache)
    start = _start(request.page_token, binding, len(everything))
    wanted = everything[start : start + min(request.page_size or DEFAULT_PAGE, LARGEST_PAGE)]
    messages: list[pb.GalaxyObject] = []
    size = 0
    for one in wanted:
        message = encode(one)
        size += message.ByteSize()
        if messages and size > _LARGEST_BYTES:
            break
        messages.append(message)
        if len(messages) % _OBJECTS_PER_TURN == 0:
            await asyncio.sleep(0)
    end = start + len(messages)
    return messages, wanted[: len(messages)], f"{binding}.{end}" if end < len(everything) else ""


def _start(token: str, binding: str, count: int) -> int:
    if not token:
        return 0
    token_binding, _, offset = token.rpartition(".")
    if token_binding != binding or not (offset.isascii() and offset.isdigit()) or int(offset) >= count:
        raise InvalidRequest("page_token belongs to another request, or the galaxy was deployed since")
    return int(offset)


def binding_of(request: PagedRequest, cache: str) -> str:
    """Return what all pages of one list have in common: their request and the state of the galaxy."""
    bound = copy.copy(request)
    bound.ClearField("page_token")
    bound.ClearField("page_size")
    text = bound.SerializeToString(deterministic=True)
    return hashlib.sha256(f"{type(request).__name__} {cache} ".encode() + text).hexdigest()[:24]
