"""Pages of an answer, and tokens that are good for one cache and one question only."""

import copy
import hashlib
from collections.abc import Sequence
from typing import TypeVar

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb

from .refusal import InvalidRequest

DEFAULT_PAGE = 500
LARGEST_PAGE = 5000

T = TypeVar("T")
Question = pb.DiscoverHierarchyRequest | pb.BrowseChildrenRequest


def page(request: Question, cache: str, everything: Sequence[T]) -> tuple[Sequence[T], str]:
    """The page that is asked for and the next one's token, empty after the last; InvalidRequest."""
    if request.page_size < 0:
        raise InvalidRequest(f"page_size {request.page_size} is negative")
    size = min(request.page_size or DEFAULT_PAGE, LARGEST_PAGE)
    mark = _mark(request, cache)
    start = _start(request.page_token, mark, len(everything))
    end = start + size
    return everything[start:end], f"{mark}.{end}" if end < len(everything) else ""


def _start(token: str, mark: str, count: int) -> int:
    if not token:
        return 0
    bound_to, _, offset = token.rpartition(".")
    if bound_to != mark or not (offset.isascii() and offset.isdigit()) or int(offset) >= count:
        raise InvalidRequest("page_token is not one of this question, or the galaxy was deployed since")
    return int(offset)


def _mark(request: Question, cache: str) -> str:
    question = copy.copy(request)
    question.ClearField("page_token")
    question.ClearField("page_size")
    text = question.SerializeToString(deterministic=True)
    return hashlib.sha256(f"{type(request).__name__} {cache} ".encode() + text).hexdigest()[:24]
