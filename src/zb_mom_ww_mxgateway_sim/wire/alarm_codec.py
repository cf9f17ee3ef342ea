"""The simulator's own codec from its alarms to the generated messages."""

from typing import cast

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.plant.alarms import Alarm, AlarmProvider, ProviderMode, Transition
from zb_mom_ww_mxgateway_sim.wire.codec import encode_value, timestamp


def encode_snapshot(alarm: Alarm, provider: AlarmProvider) -> pb.ActiveAlarmSnapshot:
    """Return the current state of the alarm."""
    message = pb.ActiveAlarmSnapshot(current_state=_state(alarm))
    timestamp(alarm.changed_ns, message.last_transition_timestamp)
    _fill(message, alarm, provider)
    return message


def encode_transition(transition: Transition) -> pb.OnAlarmTransitionEvent:
    """Return a transition of an alarm."""
    message = pb.OnAlarmTransitionEvent(transition_kind=f"ALARM_TRANSITION_KIND_{transition.kind.name}")
    timestamp(transition.time_ns, message.transition_timestamp)
    _fill(message, transition.alarm, transition.provider)
    return message


def encode_provider(
    provider: AlarmProvider, message: pb.AlarmProviderStatus | pb.OnAlarmProviderModeChangedEvent
) -> None:
    """Fill in the alarm provider."""
    message.mode = _mode(provider)
    message.degraded = provider.degraded
    message.reason = provider.reason
    timestamp(provider.since_ns, message.since)


def _mode(provider: AlarmProvider) -> "pb.AlarmProviderMode":
    return cast("pb.AlarmProviderMode", pb.AlarmProviderMode.Value(f"ALARM_PROVIDER_MODE_{provider.mode.name}"))


def _state(alarm: Alarm) -> "pb.AlarmConditionState":
    if not alarm.active:
        return pb.ALARM_CONDITION_STATE_INACTIVE
    return pb.ALARM_CONDITION_STATE_ACTIVE_ACKED if alarm.acked else pb.ALARM_CONDITION_STATE_ACTIVE


def _fill(message: pb.ActiveAlarmSnapshot | pb.OnAlarmTransitionEvent, alarm: Alarm, provider: AlarmProvider) -> None:
    message.alarm_full_reference = alarm.reference
    message.source_object_reference = alarm.source
    message.alarm_type_name = alarm.type_name
    message.severity = alarm.severity
    message.category = alarm.category
    message.description = alarm.description
    message.operator_user = alarm.operator
    message.operator_comment = alarm.comment
    timestamp(alarm.raised_ns, message.original_raise_timestamp)
    for reading, value in ((alarm.current, message.current_value), (alarm.limit, message.limit_value)):
        if reading is not None:
            encode_value(value, reading.value, reading.type, reading.is_array)
    message.degraded = provider.mode is ProviderMode.SUBTAG
    message.source_provider = _mode(provider)
