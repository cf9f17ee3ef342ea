"""A gateway, a live session on it, and notes of what was asked of both: the ground that random faults strike."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from zb_mom_ww_mxgateway import EventFamily, GatewayClient, LiveSession, MxEvent, MxGatewayError
from zb_mom_ww_mxgateway_sim import NativeType, SimulatedGateway, TagDefinition

# Each tag has values of its own, so that one that comes under another's name is seen.
SPAN = 10_000_000
TAGS = [f"Rig.Number{index}" for index in range(5)]
# Seconds for a call: short while faults strike, so that a schedule does not take minutes; else as much as a busy
# machine may need.
CALL_TIMEOUT, PATIENT_TIMEOUT = 0.4, 60.0


def owner_of(value: object) -> str | None:
    """The tag that a value belongs to; None for what no tag has."""
    return TAGS[value // SPAN - 1] if isinstance(value, int) and SPAN <= value < (len(TAGS) + 1) * SPAN else None


@dataclass
class Attempt:
    """One write and what the client said of it."""

    tag: str
    value: int | str
    """A text is what the tag cannot take: it is accepted, and refused on completion."""
    said: str
    """``completed``, ``accepted``, ``refused``, ``unknown``, or ``not-sent``: an error, and nothing happened."""
    detail: str = ""


class Trail:
    """Sees every event as the live session shares it, and notes each loss that nobody reported."""

    def __init__(self, live: LiveSession) -> None:
        self._live = live
        self._rebuilds = live.rebuilds
        self._gaps = live.gaps
        self._open = False
        self.last = live.last_worker_sequence
        self.offered = 0
        self.problems: list[str] = []
        self.subscription = live.subscribe(self.see, queue_size=1)

    def see(self, event: MxEvent) -> bool:
        self.offered += 1
        live, gap = self._live, event.replay_gap
        told, self._gaps = live.gaps > self._gaps, live.gaps
        if live.rebuilds != self._rebuilds:
            if gap is None or not told:
                self.problems.append(f"a session was rebuilt without a gap; the first event is {event.worker_sequence}")
            self._rebuilds, self._open, self.last = live.rebuilds, False, 0
            return True
        if gap is not None:
            if gap.requested_after_sequence != self.last:
                self.problems.append(f"a gap after {gap.requested_after_sequence} when the last was {self.last}")
            if gap.oldest_available_sequence:
                self.last = gap.oldest_available_sequence - 1
            self._open = not gap.oldest_available_sequence
            return True
        if event.worker_sequence <= self.last:
            self.problems.append(f"event {event.worker_sequence} came after {self.last}")
        elif event.worker_sequence != self.last + 1 and not (self._open or told):
            self.problems.append(f"event {event.worker_sequence} followed {self.last}, and no gap was reported")
        self.last, self._open = event.worker_sequence, False
        item = live.session.handles.items.get((event.server_handle, event.item_handle))
        if item and event.family is EventFamily.ON_DATA_CHANGE and owner_of(event.value) not in (None, item.tag):
            self.problems.append(f"{event.value} came as a value of {item.tag}")
        return True


@dataclass
class Rig:
    """Everything of one schedule."""

    gateway: SimulatedGateway
    client: GatewayClient
    live: LiveSession
    server: int
    trail: Trail
    attempts: list[Attempt] = field(default_factory=list)
    history: dict[str, set[int]] = field(default_factory=lambda: {tag: {_base(tag)} for tag in TAGS})
    """Every value that a tag may have had."""
    doubts: set[tuple[str, str]] = field(default_factory=set)
    """Session and tag of a change to items that may or may not have happened."""
    problems: list[str] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    _numbers: Counter[str] = field(default_factory=Counter)

    def new_value(self, tag: str) -> int:
        """A value that the tag has never had, and no other tag can have."""
        self._numbers[tag] += 1
        value = _base(tag) + self._numbers[tag]
        self.history[tag].add(value)
        return value

    def move(self, tag: str) -> None:
        """The plant changes the tag."""
        self.gateway.set(tag, self.new_value(tag))


def _base(tag: str) -> int:
    return (TAGS.index(tag) + 1) * SPAN


@asynccontextmanager
async def rig(**options: object) -> AsyncIterator[Rig]:
    """A live session with the first tags advised, on a gateway of its own; all is closed afterwards."""
    tags = [TagDefinition(tag, NativeType.INTEGER, _base(tag)) for tag in TAGS]
    async with SimulatedGateway(plaintext=True, tags=tags, write_complete_delay=0.005, alarms=False) as gateway:
        client = await GatewayClient.connect(
            endpoint=gateway.endpoint,
            api_key=gateway.api_key,
            plaintext=True,
            connect_timeout=PATIENT_TIMEOUT,
            call_timeout=PATIENT_TIMEOUT,
            **options,
        )
        async with client:
            live = await LiveSession.open(client)
            try:
                trail = Trail(live)
                server = await live.session.register("rig")
                await live.subscribe_tags(TAGS[:3], server)
                client.options = replace(client.options, call_timeout=CALL_TIMEOUT)
                yield Rig(gateway, client, live, server, trail)
            finally:
                with suppress(MxGatewayError):
                    await live.aclose()
