"""The buffer between the gateway and the broker: bounded, and what it drops is counted and marked."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from zb_mom_ww_mxgateway_cli.forward.messages import Gap, Message

MOST_BYTES = 256 * 2**20


@dataclass(slots=True)
class _Dropped:
    """Messages of one session that were dropped, one after another."""

    session_id: str
    after: int
    last: int
    lost: int
    is_counted: bool = True
    is_open: bool = False
    """Whether it is unknown where they end: no event followed yet."""


class Outbox:
    """Messages that wait for the broker, in order; at most `most`, and 256 MiB.

    A full outbox drops its oldest messages. One gap mark takes the place of those of a session that follow each other,
    and what the newest dropped mark says of all values is kept.
    Putting never waits, so the gateway's stream is never held up.
    """

    def __init__(self, most: int, made_gap: Callable[[Gap], Message], most_bytes: int = MOST_BYTES) -> None:
        self.on_put: Callable[[], None] = lambda: None
        """Called after every message that is put in."""
        self.on_full: Callable[[], None] = lambda: None
        """Called when the first message is dropped, and then again once what was dropped is marked."""
        self.dropped: int = 0
        """Events dropped because it was full."""
        self.stale_tags: set[str] = set()
        """Tags whose last value is missing at the broker: read them again."""
        self._most = most
        self._most_bytes = most_bytes
        self._made_gap = made_gap
        self._waiting: deque[Message] = deque()
        self._bytes = 0
        self._gaps: deque[_Dropped] = deque()
        # The newest mark of the state that was dropped: it comes after the gaps.
        self._state: Message | None = None
        # The last sequence of a session that was taken or dropped.
        self._passed: dict[str, int] = {}
        # By tag, its newest message.
        self._newest: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._waiting) + len(self._gaps) + (self._state is not None)

    @property
    def room(self) -> int:
        """Messages that can be put in before it is half full."""
        return max(0, max(1, self._most // 2) - len(self._waiting)) if self._bytes < self._most_bytes // 2 else 0

    def put(self, message: Message) -> None:
        """Add a message; drop the oldest if there is no room."""
        while self._waiting and (
            len(self._waiting) >= self._most or self._bytes + len(message.payload) > self._most_bytes
        ):
            self._drop(self._waiting.popleft())
        self._waiting.append(message)
        self._bytes += len(message.payload)
        if message.tag is not None:
            self._newest[message.tag] = message.id
            self.stale_tags.discard(message.tag)
        self.on_put()

    def take(self) -> Message | None:
        """Return the next message, and remove it; None if there is none."""
        if self._gaps:
            return self._made_gap(self._gap_of(self._gaps.popleft()))
        if self._state is not None:
            state, self._state = self._state, None
            return state
        if not self._waiting:
            return None
        message = self._waiting.popleft()
        self._bytes -= len(message.payload)
        if message.upto is not None:
            self._pass(message)
        return message

    def _drop(self, message: Message) -> None:
        self._bytes -= len(message.payload)
        if message.tag is not None and self._newest.get(message.tag) == message.id:
            self.stale_tags.add(message.tag)
        if message.is_mark and message.lost == 0:
            if message.is_state:
                message.upto = None  # A gap may say more.
                self._state = message
            return  # Not an event.
        if message.upto is None and message.lost == 0:
            return  # A value that was read again, and is to be read once more.
        if not self._gaps:
            self.on_full()
        after = self._passed.get(message.session_id, 0)
        if not self._gaps or self._gaps[-1].session_id != message.session_id:
            self._gaps.append(_Dropped(message.session_id, after, after, 0))
        gap = self._gaps[-1]
        if message.is_mark:
            gap.is_counted = gap.is_counted and message.lost is not None
            gap.is_open = message.upto is None
            gap.lost += message.lost or 0
        else:
            gap.lost += 1
            self.dropped += 1
            gap.is_open = False
        if message.upto is not None:
            gap.last = message.upto
            self._pass(message)

    def begin(self, session_id: str, after: int) -> None:
        """Note that the next message of this session is the one after that sequence."""
        self._passed[session_id] = after

    def _pass(self, message: Message) -> None:
        self._passed[message.session_id] = message.upto or 0
        # Messages of a session follow each other: an earlier session is over.
        while next(iter(self._passed)) != message.session_id:
            del self._passed[next(iter(self._passed))]

    @staticmethod
    def _gap_of(dropped: _Dropped) -> Gap:
        count = f"{dropped.lost} events" if dropped.is_counted else f"at least {dropped.lost} events"
        return Gap(
            dropped.session_id,
            dropped.after,
            None if dropped.is_open else dropped.last + 1,
            dropped.lost if dropped.is_counted else None,
            "buffer",
            f"GAP {count} dropped: the broker took none for too long, and the buffer was full",
        )
