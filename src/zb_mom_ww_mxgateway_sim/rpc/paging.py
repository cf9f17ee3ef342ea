"""Pages of an answer, and tokens that are good for one cache and one question only."""

import asyncio
import copy
import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb
from zb_mom_ww_mxgateway_sim.runtime.errors import InvalidRequest

DEFAULT_PAGE = 500
LARGEST_PAGE = 5000
# A page ends early rather than outgrow a message of 16 MiB.
_LARGEST_BYTES = 15 * 1024 * 1024
# So many objects are made at a stretch before others get their turn.
_OBJECTS_PER_TURN = 50

T = TypeVar("T")
PagedRequest = pb.DiscoverHierarchyRequest | pb.BrowseChildrenRequest


async def page(
    request: PagedRequest, cache: str, everything: Sequence[T], encode: Callable[[T], pb.GalaxyObject]
) -> tuple[list[pb.GalaxyObject], Sequence[T], str]:
    """The page that is asked for: its messages, what they are of, and the next one's token, empty after the last.

    InvalidRequest: a page size or token that cannot be.
    """
    if request.page_size < 0:
        raise InvalidRequest(f"page_size {request.page_size} is negative")
    mark = _mark(request, cache)
    start = _start(request.page_token, mark, len(everything))
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
    return messages, wanted[: len(messages)], f"{mark}.{end}" if end < len(everything) else ""


def _start(token: str, mark: str, count: int) -> int:
    if not token:
        return 0
    bound_to, _, offset = token.rpartition(".")
    if bound_to != mark or not (offset.isascii() and offset.isdigit()) or int(offset) >= count:
        raise InvalidRequest("page_token is not one of this question, or the galaxy was deployed since")
    return int(offset)


def _mark(request: PagedRequest, cache: str) -> str:
    asked = copy.copy(request)
    asked.ClearField("page_token")
    asked.ClearField("page_size")
    text = asked.SerializeToString(deterministic=True)
    return hashlib.sha256(f"{type(request).__name__} {cache} ".encode() + text).hexdigest()[:24]
