"""Reads that must not hold up a write."""

import asyncio
from collections.abc import Sequence

from zb_mom_ww_mxgateway.arguments import BULK_LIMIT
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.safety.brief_reads import brief_reads

TAGS = [f"A.{number}" for number in range(12_000)]


class Gateway:
    """Answers with the tag itself; the last call that it answers is followed by one that fails or hangs."""

    def __init__(self, answers: int = 1_000, *, hangs: bool = False) -> None:
        self.calls: list[list[str]] = []
        self.seconds: list[float] = []
        """Seconds that each tag of a call might take."""
        self._answers = answers
        self._hangs = hangs

    async def read(self, tags: Sequence[str], seconds: float) -> list[str]:
        self.calls.append(list(tags))
        self.seconds.append(seconds)
        if len(self.calls) > self._answers:
            if self._hangs:
                await asyncio.Event().wait()
            raise MxGatewayError("no")
        return list(tags)


async def test_thousands_are_read_in_calls_of_which_the_first_is_small() -> None:
    gateway = Gateway()
    assert await brief_reads(TAGS, gateway.read, 60.0) == {tag: tag for tag in TAGS}
    assert len(gateway.calls[0]) == 4
    assert max(map(len, gateway.calls)) < BULK_LIMIT


async def test_what_came_before_a_failure_counts() -> None:
    gateway = Gateway(1)
    assert list(await brief_reads(TAGS, gateway.read, 60.0)) == TAGS[:4]
    assert len(gateway.calls) == 2


async def test_a_gateway_that_does_not_answer_gets_one_small_call() -> None:
    gateway = Gateway(0, hangs=True)
    assert await brief_reads(TAGS, gateway.read, 0.05) == {}
    assert gateway.calls == [TAGS[:4]]
    # It goes on with that call no longer than it was waited for.
    assert 4 * gateway.seconds[0] <= 0.05
