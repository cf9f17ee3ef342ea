"""Delivery of the outbox to the broker, at least once and in order, over as many connections as it takes."""

import asyncio
import itertools
import random
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_cli.forward.broker import BrokerConnection, BrokerLostError, BrokerRefusedError
from zb_mom_ww_mxgateway_cli.forward.destination import Address, Destination
from zb_mom_ww_mxgateway_cli.forward.messages import Gap, Message, MessageForms
from zb_mom_ww_mxgateway_cli.forward.outbox import Outbox

ACKNOWLEDGE_SECONDS = 30.0
"""Seconds without an acknowledgement after which a connection counts as dead."""
# Bytes that may be unacknowledged, whatever the window of the broker.
_WINDOW_BYTES = 32 * 2**20
# Seconds between attempts to connect, each a random quarter more or less.
_DELAYS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

Connect = Callable[[Address, Callable[[], None]], Awaitable[BrokerConnection]]


class _Sent(NamedTuple):
    message: Message
    done: "asyncio.Future[None]"


class Publisher:
    """Sends what the outbox has. What a lost connection left unacknowledged is sent again over the next one."""

    def __init__(
        self,
        destination: Destination,
        connect: Connect,
        outbox: Outbox,
        forms: MessageForms,
        on_acknowledged: Callable[[Message], None],
        news: Callable[[str, str], None],
    ) -> None:
        """`on_acknowledged` gets every message once the broker has it, in order; `news` a word and a text for a person
        when the broker is there, or is not."""
        self.connections: int = 0
        """Connections made so far."""
        # Standard output has no other connection that would be better, however long its reader pauses.
        self._patience = None if destination.protocol == "print" else ACKNOWLEDGE_SECONDS
        self._addresses = itertools.cycle(destination.addresses)
        self._connect = connect
        self._outbox = outbox
        self._forms = forms
        self._on_acknowledged = on_acknowledged
        self._news = news
        self._wake = asyncio.Event()
        outbox.on_put = self._wake.set
        # Sent or to be sent again, in order.
        self._unacknowledged: deque[Message] = deque()
        # Bytes of the messages that the connection has not acknowledged.
        self._sent_bytes = 0
        # Messages so far.
        self._acknowledged = 0
        self._told = ""
        self._emptied = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Messages that the broker has not acknowledged."""
        return len(self._unacknowledged) + len(self._outbox)

    async def emptied(self) -> None:
        """Wait until the broker has everything."""
        while self.waiting:
            self._emptied.clear()
            await self._emptied.wait()

    async def run(self) -> None:
        """Deliver for ever. Raise BrokerRefusedError where the broker refuses the very first message, or us."""
        failures = 0
        while True:
            address = next(self._addresses)
            acknowledged_before = self._acknowledged
            try:
                connection = await self._connect(address, self._wake.set)
                self.connections += 1
                try:
                    self._news("broker", f"connected to {address.text}")
                    await self._deliver(connection, address)
                finally:
                    await connection.aclose()
            except BrokerRefusedError as error:
                if not self._acknowledged:
                    raise
                self._tell(error)
            except BrokerLostError as error:
                self._tell(error)
            # A connection that delivered something was a good one.
            failures = 0 if self._acknowledged > acknowledged_before else failures
            await asyncio.sleep(_DELAYS[min(failures, len(_DELAYS) - 1)] * random.uniform(0.75, 1.25))
            failures += 1

    def _tell(self, error: BrokerLostError | BrokerRefusedError) -> None:
        if str(error) != self._told:
            self._told = str(error)
            self._news("broker lost", f"{error}; trying again, while {len(self._outbox)} messages wait")

    async def _deliver(self, connection: BrokerConnection, address: Address) -> None:
        again = deque(self._unacknowledged)
        sent: deque[_Sent] = deque()
        self._sent_bytes = 0
        heard_at = clock.monotonic()
        while True:
            while sent and sent[0].done.done():
                heard_at = clock.monotonic()
                sent[0].done.result()
                acknowledged = sent.popleft().message
                self._sent_bytes -= len(acknowledged.payload)
                self._acknowledge(acknowledged)
            if connection.lost:
                raise BrokerLostError(f"{address.text}: {connection.lost}")
            self._wake.clear()
            try:
                async with asyncio.timeout(self._patience):
                    is_more = await self._send_some(connection, again, sent)
            except TimeoutError:
                raise BrokerLostError(f"{address.text}: it takes nothing for {self._patience:g} s") from None
            if is_more or (sent and sent[0].done.done()):
                await asyncio.sleep(0)
                continue
            if not sent:
                heard_at = clock.monotonic()
                await self._wake.wait()
                heard_at = clock.monotonic()
            else:
                try:
                    async with asyncio.timeout(self._patience):
                        await self._wake.wait()
                except TimeoutError:
                    pass
                if self._patience is not None and clock.monotonic() - heard_at >= self._patience:
                    raise BrokerLostError(f"{address.text}: no acknowledgement for {self._patience:g} s")

    async def _send_some(self, connection: BrokerConnection, again: deque[Message], sent: deque[_Sent]) -> bool:
        """Send what fits into the window, in portions; return whether there is more to send now."""
        for _ in range(256):
            if len(sent) >= connection.window or self._sent_bytes > _WINDOW_BYTES:
                return False
            if again:
                message = again.popleft()
            elif (taken := self._outbox.take()) is not None:
                message = taken
                self._unacknowledged.append(message)
            else:
                return False
            if connection.most_bytes is not None and _size(message) > connection.most_bytes:
                place = self._unacknowledged.index(message)
                message = self._unacknowledged[place] = self._without_payload(message, connection.most_bytes)
            done = await connection.publish(message)
            done.add_done_callback(self._hear)
            sent.append(_Sent(message, done))
            self._sent_bytes += len(message.payload)
        return True

    def _hear(self, done: "asyncio.Future[None]") -> None:
        self._wake.set()
        if not done.cancelled():
            done.exception()  # Of several that fail, the first is raised.

    def _acknowledge(self, message: Message) -> None:
        self._unacknowledged.popleft()
        self._acknowledged += 1
        if self._told:
            self._told = ""
            self._news("broker back", f"the broker takes messages again; {len(self._outbox)} wait")
        self._on_acknowledged(message)
        if not self.waiting:
            self._emptied.set()

    def _without_payload(self, message: Message, most: int) -> Message:
        """Return the gap mark for a message that is too large for the broker."""
        at = message.upto
        text = f"GAP 1 value of {message.tag} is larger than the {most} bytes that the broker takes"
        if at is None:  # Read again, not an event.
            return self._forms.mark("stale", message.session_id, text, tag=message.tag)
        return self._forms.gap(Gap(message.session_id, at - 1, at + 1, 1, "size", text, message.tag))


def _size(message: Message) -> int:
    return len(message.payload) + len(message.topic.encode()) + len(message.id)
