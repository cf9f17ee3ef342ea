"""Writes whose outcome is awaited: a single one, or the entries of a bulk write, with one time-out for the call."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack

from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.errors import MxGatewayWorkerError
from zb_mom_ww_mxgateway.live.completions import ItemWrites, SentWrite
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.models.events import MxEvent
from zb_mom_ww_mxgateway.system import clock

# Seconds in which a value that was written shows, or another completion comes, once one has come.
_SHOWS_WITHIN = 1.0

Key = tuple[int, int]


class AwaitedCall:
    """A call that writes, with one time-out for its turn, its answer and its completions.

    The time begins when the write guard, if there is one, has said yes.
    """

    def __init__(
        self, call: str, writes: "Sequence[AwaitedWrite]", timeout: float, turns: Sequence[asyncio.Lock]
    ) -> None:
        """`writes` are in the order of its entries, each to another item. `turns` are the locks of its items, in an
        order that is the same for every call; without them it waits for no other write."""
        self._call = call
        self.writes = writes
        self._by_key = {write.key: write for write in writes}
        self._timeout = timeout
        self._turns = turns
        self.until: float = 0.0
        """The loop's time at which waiting for its outcomes ends; 0 before the write guard has said yes."""

    async def turn(self) -> float:
        """Wait until it may be sent; return the seconds that are left for its call.

        Raises MxGatewayWorkerError when the time ends before that.
        """
        loop = asyncio.get_running_loop()
        self.until = until = loop.time() + self._timeout
        try:
            async with asyncio.timeout_at(until), AsyncExitStack() as held:
                for turn in self._turns:
                    await held.enter_async_context(turn)
                while self._turns and (write := next((each for each in self.writes if each.is_behind_another), None)):
                    await write.next_change()
        except TimeoutError:
            what = "the item" if len(self.writes) == 1 else "one of its items"
            raise MxGatewayWorkerError(
                f"{self._call}: an earlier write to {what} was not answered within {self._timeout:g} s; "
                f"nothing was sent",
                call=self._call,
            ) from None
        for write in self.writes:
            write.begin(until)
        return max(0.001, until - loop.time())

    def notify(self, keys: Collection[Key] | None) -> None:
        """Note that something is known about the writes to these items; None for all items."""
        for key in self._by_key if keys is None else keys:
            if write := self._by_key.get(key):
                write.notify()


class AwaitedWrite:
    """One write whose outcome is awaited."""

    def __init__(
        self,
        key: Key,
        value: object,
        latest: Callable[[], LiveValue | None],
        writes: Callable[[], ItemWrites | None],
    ) -> None:
        self.key = key
        self._value = value
        self._latest = latest
        self._writes = writes
        self._until = 0.0
        self._before: LiveValue | None = None
        self._value_before: object = None
        self._change: asyncio.Future[None] | None = None
        self.write: SentWrite | None = None
        """The write as sent; None before."""
        self.is_lost = False
        """Whether the session was lost, so that no completion will come."""
        self.is_ambiguous: bool = False
        """Whether completions came, and none was surely its own."""

    @property
    def is_behind_another(self) -> bool:
        """Whether another write to its item is still to be answered."""
        writes = self._writes()
        return writes is not None and writes.in_flight

    def begin(self, until: float) -> None:
        """Note that it is about to be sent, with the loop's time at which waiting for it ends."""
        self._until = until
        self._before = self._latest()
        self._value_before = self._before and self._before.value

    @property
    def seconds(self) -> float:
        """Seconds since it was sent."""
        return clock.monotonic() - self.write.at if self.write else 0.0

    async def completion(
        self, changed: Callable[[], Awaitable[None]], caught_up: Callable[[], Awaitable[None]]
    ) -> MxEvent | None:
        """Return its completion, or one that says the same; None when none comes in time that is surely its own.

        `changed` waits for the next event, `caught_up` until all that has come was looked at.
        """
        loop = asyncio.get_running_loop()
        assert self.write is not None
        until, is_over = self._until, False
        while not self.write.settled:
            writes = self._writes() or ItemWrites()
            if completion := writes.verdict(self.write):
                return completion
            is_unsure = self.write.may_be_lost or writes.all_counted(self.write)
            if is_unsure and (completion := writes.if_carried_out(self.write)) and self._shows():
                writes.read_back(clock.monotonic())
                return completion
            if is_over:
                self.is_ambiguous = writes.is_doubtful(self.write)
                # Where as many came as are certain, its own may be among them; else it is overdue, or lost.
                self.write.may_be_lost |= not writes.all_counted(self.write)
                return None
            if is_unsure:
                until = min(until, loop.time() + _SHOWS_WITHIN) if until == self._until else until
            try:
                async with asyncio.timeout_at(until):
                    await (changed() if is_unsure else self.next_change())
            except TimeoutError:
                await caught_up()
                is_over = True
        self.is_ambiguous = self.write.completion is None
        return self.write.completion

    def _shows(self) -> bool:
        """Return whether its value, which the item did not have before, has come since it was sent."""
        now, before = self._latest(), self._before
        if now is None or before is None or now.stale_since is not None or now.changes == before.changes:
            return False
        return same_value(self._value, now.value) and not same_value(self._value, self._value_before)

    async def next_change(self) -> None:
        """Wait until something more is known about the writes to its item."""
        self._change = asyncio.get_running_loop().create_future()
        await self._change

    def notify(self) -> None:
        """Note that something is known about the writes to its item."""
        if self._change is not None and not self._change.done():
            self._change.set_result(None)
