"""Alarms between Python and messages."""

from typing import Any

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.models.alarms import (
    ActiveAlarm,
    AlarmConditionState,
    AlarmFeedItem,
    AlarmProviderMode,
    AlarmProviderStatus,
    AlarmSnapshotComplete,
    AlarmTransition,
    AlarmTransitionKind,
    UnknownAlarmMessage,
)
from zb_mom_ww_mxgateway.wire.enums import open_enum
from zb_mom_ww_mxgateway.wire.values import from_mx_value, nanoseconds_of


def stream_alarms_request(prefix: str, correlation_id: str) -> pb.StreamAlarmsRequest:
    return pb.StreamAlarmsRequest(client_correlation_id=correlation_id, alarm_filter_prefix=prefix)


def query_active_alarms_request(prefix: str, correlation_id: str) -> pb.QueryActiveAlarmsRequest:
    return pb.QueryActiveAlarmsRequest(client_correlation_id=correlation_id, alarm_filter_prefix=prefix)


def acknowledge_alarm_request(
    reference: str, comment: str, operator: str, correlation_id: str
) -> pb.AcknowledgeAlarmRequest:
    return pb.AcknowledgeAlarmRequest(
        client_correlation_id=correlation_id,
        alarm_full_reference=reference,
        comment=comment,
        operator_user=operator,
    )


def from_alarm_feed(message: pb.AlarmFeedMessage) -> AlarmFeedItem:
    """Return the item of one message of the alarm stream."""
    match message.WhichOneof("payload"):
        case "active_alarm":
            return from_active_alarm(message.active_alarm)
        case "snapshot_complete":
            return AlarmSnapshotComplete()
        case "transition":
            return from_alarm_transition(message.transition)
        case "provider_status":
            return from_provider_status(message.provider_status)
    return UnknownAlarmMessage(message)


def from_active_alarm(message: pb.ActiveAlarmSnapshot) -> ActiveAlarm:
    return ActiveAlarm(
        **_facts(message),
        state=open_enum(AlarmConditionState, message.current_state),
        changed_at_ns=nanoseconds_of(message.last_transition_timestamp),
    )


def from_alarm_transition(message: pb.OnAlarmTransitionEvent) -> AlarmTransition:
    return AlarmTransition(
        **_facts(message),
        kind=open_enum(AlarmTransitionKind, message.transition_kind),
        at_ns=nanoseconds_of(message.transition_timestamp),
    )


def from_provider_status(
    message: pb.AlarmProviderStatus | pb.OnAlarmProviderModeChangedEvent,
) -> AlarmProviderStatus:
    return AlarmProviderStatus(
        mode=open_enum(AlarmProviderMode, message.mode),
        degraded=message.degraded,
        reason=message.reason,
        since_ns=nanoseconds_of(message.since),
    )


def _facts(message: pb.ActiveAlarmSnapshot | pb.OnAlarmTransitionEvent) -> dict[str, Any]:
    return {
        "reference": message.alarm_full_reference,
        "source_object": message.source_object_reference,
        "alarm_type": message.alarm_type_name,
        "severity": message.severity,
        "raised_at_ns": nanoseconds_of(message.original_raise_timestamp),
        "category": message.category,
        "description": message.description,
        "operator": message.operator_user,
        "comment": message.operator_comment,
        "current_value": from_mx_value(message.current_value) if message.HasField("current_value") else None,
        "limit_value": from_mx_value(message.limit_value) if message.HasField("limit_value") else None,
        "degraded": message.degraded,
        "source_provider": open_enum(AlarmProviderMode, message.source_provider),
    }
