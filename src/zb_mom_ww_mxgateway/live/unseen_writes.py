"""Writes whose effect the event stream has not shown yet: until then, the value held is an old one, however good."""

from collections import deque
from collections.abc import Callable, Sequence

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.commands.session_link import SessionLink
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.live.values import LiveValue, UnseenWrite
from zb_mom_ww_mxgateway.models.events import EventFamily, MxEvent
from zb_mom_ww_mxgateway.models.handles import HandleChange
from zb_mom_ww_mxgateway.system import clock

# Most writes of an item that are kept for their completions.
_MOST = 100
# Most values that are kept until the next check, and the longest text among them.
_MOST_CAME, _LONGEST_CAME = 1_000, 200

Key = tuple[int, int]
_DATA = (EventFamily.ON_DATA_CHANGE, EventFamily.ON_BUFFERED_DATA_CHANGE)


class UnseenWrites:
    """Keeps the writes of each item that were not seen since; observes every write of a session, typed or raw.

    A write is seen with a data change that came after it was sent and has its value, or that came after its completion.
    A write of the value that is held anyway has nothing to show, so its completion is enough.
    """

    def __init__(self, link: SessionLink, number: Callable[[], int]) -> None:
        """`number` returns that of the last event, which orders what is new."""
        self._link = link
        self._number = number
        # By server and item handle, oldest first.
        self._writes: dict[Key, list[UnseenWrite]] = {}
        self.mark: int | None = None
        """Number of the last event when the first write after the last check was sent; None before."""
        self.marked_at: float | None = None
        """When that write was sent, in seconds of :func:`clock.monotonic`; None before."""
        self.is_checked: bool = False
        """Whether there was a check since that write: then the next write sets a new mark."""
        # Single values that came since that write, until a check.
        self._came: deque[tuple[Key, LiveValue]] = deque(maxlen=_MOST_CAME)

    def of(self, key: Key) -> UnseenWrite | None:
        """Return the latest unseen write of an item; None where there is none."""
        if not (writes := self._writes.get(key)):
            return None
        return next((each for each in reversed(writes) if not each.seen), None)

    def came(self, key: Key) -> list[LiveValue]:
        """Return the values of an item that came since the first write after the last check, oldest first; none where
        there was a check since, and no arrays and long texts."""
        return [] if self.is_checked else [value for each, value in self._came if each == key]

    # What a CommandObserver does.

    def sending(self, request: pb.MxCommandRequest) -> None:
        """Note the writes of a command that is being sent."""
        if wire.session_of(request) != self._link.session_id or not (writes := wire.writes_of(request)):
            return
        now = clock.monotonic()
        if self.mark is None or self.is_checked:
            self.mark, self.marked_at, self.is_checked = self._number(), now, False
            self._came.clear()
        correlation_id = wire.correlation_of(request)
        for key, entry in writes:
            value, user = wire.pending_value(entry)
            unseen = self._writes.setdefault(key, [])
            unseen.append(UnseenWrite(value, now, correlation_id, user))
            # Here, too: an item may have neither changes nor completions.
            del unseen[:-_MOST]

    def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
        """Forget the writes that the reply refuses; those that it leaves open stay unseen."""
        if wire.session_of(request) != self._link.session_id:
            return
        refusals, is_doubtful = wire.refused_writes(request, reply), wire.reply_is_doubtful(reply)
        if refusals and not is_doubtful and not any(refusals):
            return  # All are under way.
        for index, key in enumerate(wire.written_items(request)):
            if index < len(refusals) and refusals[index]:
                self._forget(key, wire.correlation_of(request))
            elif index >= len(refusals) or is_doubtful:
                self._give_up(key, wire.correlation_of(request))

    def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
        """Forget the writes of a command that surely did not run, and no others."""
        ran_not = isinstance(error, MxGatewayError) and not error.outcome_unknown
        for key in self._written(request):
            (self._forget if ran_not else self._give_up)(key, wire.correlation_of(request))

    def _written(self, request: pb.MxCommandRequest) -> list[Key]:
        return wire.written_items(request) if wire.session_of(request) == self._link.session_id else []

    def _forget(self, key: Key, correlation_id: str) -> None:
        left = [each for each in self._writes.get(key, ()) if each.correlation_id != correlation_id]
        self._keep(key, left)

    def _give_up(self, key: Key, correlation_id: str) -> None:
        for each in self._writes.get(key, ()):
            if each.correlation_id == correlation_id:
                each.ended_at = clock.monotonic()

    # What the stream brings.

    def take(self, event: MxEvent, held: LiveValue | None) -> None:
        """Take the next event of an item, with the value that is held of it now."""
        key = event.server_handle, event.item_handle
        is_kept = held is not None and self.mark is not None and not self.is_checked and event.family in _DATA
        if is_kept and held is not None and _is_short(held.value):
            self._came.append((key, held))
        writes = self._writes.get(key)
        if not writes:
            return
        if event.family is EventFamily.ON_WRITE_COMPLETE:
            # Completions come in the order of the writes, as far as that is known.
            under_way = [each for each in writes if each.ended_at is None]
            if not under_way:
                return
            ended, is_last = under_way[0], under_way[0] is writes[-1]
            ended.ended_at = clock.monotonic()
            was_refused = event.failed and len(under_way) == 1
            # A write of the value held anyway has nothing to show.
            holds = held is not None and held.stale_since is None and is_last and _is(held, ended)
            ended.seen = ended.seen or was_refused or holds
        elif held is not None:
            shows = [index for index, each in enumerate(writes) if each.ended_at is not None or _is(held, each)]
            for each in writes[: shows[-1] + 1] if shows else ():
                each.seen = True
        self._keep(key, [each for each in writes if not (each.seen and each.ended_at is not None)][-_MOST:])

    def lose(self) -> None:
        """Note that no completion will come any more of the writes under way."""
        for writes in self._writes.values():
            for each in writes:
                if each.ended_at is None:
                    each.ended_at = clock.monotonic()
        for key in tuple(self._writes):
            self._keep(key, [each for each in self._writes[key] if not each.seen])

    def follow(self, changes: Sequence[HandleChange]) -> None:
        """Follow changes of handles: the writes of an item that is gone are forgotten."""
        for change in changes:
            if change.what == "removed":
                self._writes.pop((change.server_handle, change.item_handle), None)
            elif change.what == "unregistered":
                for key in [each for each in self._writes if each[0] == change.server_handle]:
                    del self._writes[key]

    def _keep(self, key: Key, writes: list[UnseenWrite]) -> None:
        if writes:
            self._writes[key] = writes
        else:
            self._writes.pop(key, None)


def _is_short(value: object) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and len(value) <= _LONGEST_CAME)


def _is(held: LiveValue, write: UnseenWrite) -> bool:
    from zb_mom_ww_mxgateway.comparison import same_value  # A session that writes nothing needs none of it.

    return same_value(write.value, held.value, data_type=held.data_type)
