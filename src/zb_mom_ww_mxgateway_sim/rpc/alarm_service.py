"""Alarms for callers without a session: the feed, the list and the acknowledgement."""

from collections.abc import AsyncGenerator

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.net.api_keys import GatewayKey
from zb_mom_ww_mxgateway_sim.plant import status
from zb_mom_ww_mxgateway_sim.plant.alarms import (
    Alarm,
    AlarmBook,
    AlarmProvider,
    BadReference,
    NoAckSubtag,
    Transition,
    matching,
)
from zb_mom_ww_mxgateway_sim.plant.status import MxRefusal
from zb_mom_ww_mxgateway_sim.runtime.errors import (
    AlarmsDisabled,
    BadAlarmReference,
    CannotAcknowledge,
    NotAllowed,
    StreamEnded,
)
from zb_mom_ww_mxgateway_sim.sessions.event_log import SubscriberQueue
from zb_mom_ww_mxgateway_sim.wire.alarm_codec import encode_provider, encode_snapshot, encode_transition


class AlarmService:
    """Alarms that a key may see. Without a book alarms are disabled, and every call raises AlarmsDisabled."""

    def __init__(self, book: AlarmBook | None, queue_size: int) -> None:
        self._book = book
        self._queue_size = queue_size
        self._feeds: dict[SubscriberQueue[pb.AlarmFeedMessage], None] = {}

    @property
    def book(self) -> AlarmBook:
        """The alarm book. Raises AlarmsDisabled if there is none."""
        if self._book is None:
            raise AlarmsDisabled("alarms are disabled in this gateway's configuration")
        return self._book

    def require_enabled(self) -> None:
        """Raise AlarmsDisabled if alarms are disabled."""
        _ = self.book

    @property
    def streams(self) -> int:
        """Number of attached feeds."""
        return len(self._feeds)

    def active(self, key: GatewayKey, prefix: str) -> list[pb.ActiveAlarmSnapshot]:
        """Return the active alarms whose references begin with ``prefix``."""
        book = self.book
        return [encode_snapshot(alarm, book.provider) for alarm in _visible(book, key, prefix)]

    async def stream(self, key: GatewayKey, prefix: str) -> AsyncGenerator[pb.AlarmFeedMessage, None]:
        """Yield the active alarms, the end of the snapshot, the provider, then each change. Raise StreamEnded."""
        book = self.book
        first = [
            pb.AlarmFeedMessage(active_alarm=encode_snapshot(alarm, book.provider))
            for alarm in _visible(book, key, prefix)
        ]
        first += [pb.AlarmFeedMessage(snapshot_complete=True), _provider_status(book.provider)]
        feed = SubscriberQueue(first, self._queue_size)

        def on_change(change: Transition | AlarmProvider) -> None:
            if isinstance(change, AlarmProvider):
                message = _provider_status(change)
            elif key.allows(change.alarm.tag) and matching([change.alarm], prefix):
                message = pb.AlarmFeedMessage(transition=encode_transition(change))
            else:
                return
            if not feed.offer(message):
                feed.end(StreamEnded("RESOURCE_EXHAUSTED", f"more than {self._queue_size} alarm messages are waiting"))

        book.listeners[on_change] = None
        self._feeds[feed] = None
        try:
            while True:
                yield await feed.next()
        finally:
            book.listeners.pop(on_change, None)
            self._feeds.pop(feed, None)

    def acknowledge(self, key: GatewayKey, request: pb.AcknowledgeAlarmRequest) -> pb.AcknowledgeAlarmReply:
        """Acknowledge an alarm by its reference or GUID. An alarm that does not exist is a failing reply."""
        reply = pb.AcknowledgeAlarmReply(correlation_id=request.client_correlation_id)
        try:
            acknowledge(self.book, key, request.alarm_full_reference, request.operator_user, request.comment)
        except MxRefusal as refusal:
            reply.protocol_status.code = pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
            reply.protocol_status.message = reply.diagnostic_message = refusal.text
            reply.hresult = refusal.hresult
            return reply
        reply.protocol_status.code = pb.PROTOCOL_STATUS_CODE_OK
        reply.protocol_status.message = "OK"
        reply.hresult = status.S_OK
        return reply

    def end(self, ended: StreamEnded) -> None:
        """End every feed."""
        for feed in list(self._feeds):
            feed.end(ended)


def acknowledge(book: AlarmBook, key: GatewayKey, reference: str, operator: str, comment: str) -> None:
    """Acknowledge an alarm for a caller. Raise CallRefused if that is forbidden, MxRefusal for an unknown alarm."""
    try:
        alarm = book.find(reference)
    except BadReference as error:
        raise BadAlarmReference(str(error)) from error
    if alarm is None:
        raise MxRefusal(f"no alarm {reference} is active or unacknowledged", status.E_FAIL)
    if not key.allows(alarm.tag):
        raise NotAllowed(f"the API key does not reach {alarm.tag}")
    try:
        book.acknowledge(alarm, operator, comment)
    except NoAckSubtag as error:
        raise CannotAcknowledge(str(error)) from error


def _visible(book: AlarmBook, key: GatewayKey, prefix: str) -> list[Alarm]:
    return [alarm for alarm in matching(book.active, prefix) if key.allows(alarm.tag)]


def _provider_status(provider: AlarmProvider) -> pb.AlarmFeedMessage:
    message = pb.AlarmFeedMessage()
    encode_provider(provider, message.provider_status)
    return message
