"""Values of tags that are fetched from the gateway for this moment, whatever the event stream brought."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway import arguments
from zb_mom_ww_mxgateway.models.results import ReadResult
from zb_mom_ww_mxgateway.status import MxStatus

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.live.session import LiveSession

_BARE_ARRAY = 1003
"""Detail of the status of a whole array that was named without its brackets."""


async def read_afresh(
    live: "LiveSession", tags: Sequence[str], server_handle: int, *, timeout: float
) -> list[ReadResult]:
    """Fetch the values of tags, and return them in input order, each under the tag as it was given.

    The event stream takes no part in it. A whole array may be named without brackets. `timeout` is the gateway's time
    for each tag in seconds. Raises what ``Session.read_bulk`` raises.
    """
    results: list[ReadResult] = []
    for start in range(0, len(tags), arguments.BULK_LIMIT):
        part = tags[start : start + arguments.BULK_LIMIT]
        results += await live.session.read_bulk(server_handle, part, int(timeout * 1000))
    bare = [index for index, each in enumerate(results) if _is_bare_array(each)]
    if bare:
        # The gateway adds the brackets of a whole array where an item is added, not where a tag is read.
        found = await live.session.read_bulk(server_handle, [f"{tags[index]}[]" for index in bare], int(timeout * 1000))
        for index, result in zip(bare, found, strict=True):
            results[index] = result
    return [result._replace(tag_address=tag) for tag, result in zip(tags, results, strict=True)]


def needs_brackets(tag: str, statuses: Sequence[MxStatus]) -> bool:
    """Return whether a read that failed with these statuses named a whole array without its brackets."""
    return "[" not in tag and any(status.detail == _BARE_ARRAY for status in statuses)


def _is_bare_array(result: ReadResult) -> bool:
    return not result.was_successful and needs_brackets(result.tag_address, result.statuses)
