"""Alarms: what is active, what changes, and acknowledging. No session is needed.

A gateway serves alarms only where its configuration enables them.

::

    async with client.stream_alarms("ZB!Plant") as messages:
        async for message in messages:
            if isinstance(message, AlarmSnapshotComplete):
                break
            print(message.reference, message.severity, message.state)
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, TypeAlias

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.times import moment_of
from zb_mom_ww_mxgateway.values import MxValueOutput

_GUID = re.compile(r"\{?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?")
_REFERENCE = re.compile(r"[^!\s][^!]*!([^.!\s][^.!]*\.){2,}[^.!\s]+")


class AlarmProviderMode(IntEnum):
    """Where alarms come from: the alarm manager, or attributes read one by one when that fails."""

    UNSPECIFIED = 0
    ALARMMGR = 1
    SUBTAG = 2


class AlarmTransitionKind(IntEnum):
    """What happened to an alarm."""

    UNSPECIFIED = 0
    RAISE = 1
    ACKNOWLEDGE = 2
    CLEAR = 3
    RETRIGGER = 4


class AlarmConditionState(IntEnum):
    """How an alarm stands."""

    UNSPECIFIED = 0
    ACTIVE = 1
    ACTIVE_ACKED = 2
    INACTIVE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _AlarmFacts:
    """What snapshots and transitions share. Times are UTC, None where the gateway gave none; each has its number of
    nanoseconds since 1970 beside it (0: none), which stays where no calendar has the time."""

    reference: str
    """``Galaxy!Area.Object.Alarm``."""
    source_object: str
    alarm_type: str
    severity: int
    raised_at_ns: int
    category: str
    description: str
    operator: str
    comment: str
    current_value: MxValueOutput
    limit_value: MxValueOutput
    degraded: bool
    """True when it comes from the provider that stands in for a failed one."""
    source_provider: AlarmProviderMode | int

    @property
    def raised_at(self) -> datetime | None:
        """When it was raised."""
        return moment_of(self.raised_at_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveAlarm(_AlarmFacts):
    """An alarm that is active now."""

    state: AlarmConditionState | int
    changed_at_ns: int

    @property
    def changed_at(self) -> datetime | None:
        """When its last transition was."""
        return moment_of(self.changed_at_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmTransition(_AlarmFacts):
    """One change of an alarm."""

    kind: AlarmTransitionKind | int
    at_ns: int

    @property
    def at(self) -> datetime | None:
        """When it was."""
        return moment_of(self.at_ns)


@dataclass(frozen=True, slots=True)
class AlarmSnapshotComplete:
    """Marks the end of the alarms that were active when the stream began: transitions follow."""


@dataclass(frozen=True, slots=True)
class AlarmProviderStatus:
    """Which provider the alarms come from; sent after the snapshot and on each failover and failback."""

    mode: AlarmProviderMode | int
    degraded: bool
    reason: str
    since_ns: int

    @property
    def since(self) -> datetime | None:
        """Since when it is so, in UTC; None where the gateway gave no time, or none that a calendar has."""
        return moment_of(self.since_ns)


@dataclass(frozen=True, slots=True)
class UnknownAlarmMessage:
    """A message of a kind this library does not know, as it came."""

    message: Any


AlarmFeedItem: TypeAlias = (
    ActiveAlarm | AlarmSnapshotComplete | AlarmProviderStatus | AlarmTransition | UnknownAlarmMessage
)
"""What ``client.stream_alarms()`` yields."""


def check_reference(reference: str) -> str:
    """Returns an alarm's reference or GUID; raises MxGatewayArgumentError for what the gateway would refuse."""
    if isinstance(reference, str) and (_REFERENCE.fullmatch(reference) or _GUID.fullmatch(reference)):
        return reference
    raise MxGatewayArgumentError(f"reference must be Galaxy!Area.Object.Alarm or a GUID, not {reference!r}")
