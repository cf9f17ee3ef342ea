"""Alarms of a session: its subscription, and the handlers of the alarm commands."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.net.api_keys import GatewayKey
from zb_mom_ww_mxgateway_sim.plant.alarms import GALAXY, AlarmBook, AlarmProvider, ProviderMode, Transition
from zb_mom_ww_mxgateway_sim.plant.model import tag_key
from zb_mom_ww_mxgateway_sim.plant.status import MxRefusal
from zb_mom_ww_mxgateway_sim.rpc.alarm_service import AlarmService, acknowledge
from zb_mom_ww_mxgateway_sim.rpc.commands import Handler
from zb_mom_ww_mxgateway_sim.runtime.errors import BadAlarmReference
from zb_mom_ww_mxgateway_sim.sessions.session import GatewaySession
from zb_mom_ww_mxgateway_sim.wire.alarm_codec import encode_provider, encode_transition


class SessionAlarms:
    """The alarm subscription of one session. ``publish`` takes its events."""

    def __init__(self, book: AlarmBook, publish: Callable[[pb.MxEvent], None]) -> None:
        self._book = book
        self._publish = publish
        self._on_change: Callable[[Transition | AlarmProvider], None] | None = None

    def subscribe(self, key: GatewayKey, command: pb.SubscribeAlarmsCommand) -> None:
        """Subscribe the session. Raise MxRefusal if it is subscribed, or if the expression is malformed."""
        if self._on_change is not None:
            raise MxRefusal("this session has subscribed to alarms already")
        prefix = _prefix(command.subscription_expression)
        forced = command.forced_mode == pb.ALARM_PROVIDER_MODE_SUBTAG

        def on_change(change: Transition | AlarmProvider) -> None:
            if isinstance(change, AlarmProvider):
                self._provider(_forced(change) if forced else change)
            elif key.allows(change.alarm.tag) and tag_key(change.alarm.reference).startswith(prefix):
                self._transition(replace(change, provider=_forced(change.provider)) if forced else change)

        self._on_change = on_change
        self._book.listeners[on_change] = None
        self._book.ack_targets[self] = frozenset(
            tag_key(target.alarm_full_reference)
            for target in command.watch_list
            if target.acked_subtag or target.ack_comment_subtag
        )
        if forced or self._book.provider.degraded:
            on_change(self._book.provider)

    def unsubscribe(self) -> None:
        """End the subscription, if any."""
        if self._on_change is not None:
            self._book.listeners.pop(self._on_change, None)
            self._book.ack_targets.pop(self, None)
            self._on_change = None

    def _transition(self, transition: Transition) -> None:
        event = pb.MxEvent(family=pb.MX_EVENT_FAMILY_ON_ALARM_TRANSITION)
        event.on_alarm_transition.CopyFrom(encode_transition(transition))
        event.source_timestamp.CopyFrom(event.on_alarm_transition.transition_timestamp)
        self._publish(event)

    def _provider(self, provider: AlarmProvider) -> None:
        event = pb.MxEvent(family=pb.MX_EVENT_FAMILY_ON_ALARM_PROVIDER_MODE_CHANGED)
        encode_provider(provider, event.on_alarm_provider_mode_changed)
        self._publish(event)


def _forced(provider: AlarmProvider) -> AlarmProvider:
    return replace(provider, mode=ProviderMode.SUBTAG, degraded=True)


def _prefix(expression: str) -> str:
    r"""Return the ``tag_key`` of a prefix of references: ``\\.\Galaxy!Area`` is that area, an empty text all alarms."""
    provider, mark, area = expression.strip().rpartition("\\")[2].partition("!")
    if not expression.strip():
        return ""
    if not mark or tag_key(provider) not in ("galaxy", tag_key(GALAXY)):
        raise MxRefusal(rf"{expression!r} is not an alarm subscription; use \\.\Galaxy!Area")
    return tag_key(f"{GALAXY}!{area}")


def handlers(alarms: AlarmService) -> Mapping[int, Handler]:
    """Return the handlers of the alarm commands. Each raises AlarmsDisabled in a gateway without alarms."""
    by_session: dict[str, SessionAlarms] = {}

    def subscribe(
        session: GatewaySession, key: GatewayKey, command: pb.SubscribeAlarmsCommand, reply: pb.MxCommandReply
    ) -> None:
        known = by_session.get(session.session_id)
        if known is None:
            known = by_session[session.session_id] = SessionAlarms(alarms.book, session.events.append)
            session.on_worker_end.append(lambda: by_session.pop(session.session_id).unsubscribe())
        known.subscribe(key, command)

    def unsubscribe(
        session: GatewaySession, key: GatewayKey, command: pb.UnsubscribeAlarmsCommand, reply: pb.MxCommandReply
    ) -> None:
        alarms.require_enabled()
        if session.session_id in by_session:
            by_session[session.session_id].unsubscribe()

    def by_guid(
        session: GatewaySession, key: GatewayKey, command: pb.AcknowledgeAlarmCommand, reply: pb.MxCommandReply
    ) -> None:
        if "!" in command.alarm_guid:
            raise MxRefusal(f"{command.alarm_guid!r} is not a GUID")
        _acknowledge(key, command.alarm_guid, command, reply)

    def by_name(
        session: GatewaySession, key: GatewayKey, command: pb.AcknowledgeAlarmByNameCommand, reply: pb.MxCommandReply
    ) -> None:
        galaxy = GALAXY if tag_key(command.provider_name) in ("", "galaxy") else command.provider_name
        parts = [part for part in (command.group_name, command.alarm_name) if part]
        _acknowledge(key, f"{galaxy}!{'.'.join(parts)}", command, reply)

    def _acknowledge(
        key: GatewayKey,
        reference: str,
        command: pb.AcknowledgeAlarmCommand | pb.AcknowledgeAlarmByNameCommand,
        reply: pb.MxCommandReply,
    ) -> None:
        try:
            acknowledge(alarms.book, key, reference, command.operator_user, command.comment)
        except BadAlarmReference as error:
            raise MxRefusal(error.text) from error
        reply.acknowledge_alarm.native_status = 0
        reply.acknowledge_alarm.SetInParent()

    def query(
        session: GatewaySession, key: GatewayKey, command: pb.QueryActiveAlarmsCommand, reply: pb.MxCommandReply
    ) -> None:
        reply.query_active_alarms.SetInParent()
        reply.query_active_alarms.snapshots.extend(alarms.active(key, command.alarm_filter_prefix))

    return {
        pb.MX_COMMAND_KIND_SUBSCRIBE_ALARMS: subscribe,
        pb.MX_COMMAND_KIND_UNSUBSCRIBE_ALARMS: unsubscribe,
        pb.MX_COMMAND_KIND_ACKNOWLEDGE_ALARM: by_guid,
        pb.MX_COMMAND_KIND_ACKNOWLEDGE_ALARM_BY_NAME: by_name,
        pb.MX_COMMAND_KIND_QUERY_ACTIVE_ALARMS: query,
    }
