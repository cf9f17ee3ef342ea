"""Alarms: active alarms, their transitions, and acknowledgement. They need no session.

A gateway serves alarms only if its configuration enables them.

For example::

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
    """Source of the alarms: the alarm manager, or single attributes while the alarm manager fails."""

    UNSPECIFIED = 0
    ALARMMGR = 1
    SUBTAG = 2


class AlarmTransitionKind(IntEnum):
    """Kind of an alarm's transition."""

    UNSPECIFIED = 0
    RAISE = 1
    ACKNOWLEDGE = 2
    CLEAR = 3
    RETRIGGER = 4


class AlarmConditionState(IntEnum):
    """State of an alarm."""

    UNSPECIFIED = 0
    ACTIVE = 1
    ACTIVE_ACKED = 2
    INACTIVE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmFacts:
    """Fields that snapshots and transitions share.

    Times are in UTC, and None if the gateway gave none. Each has its nanoseconds since 1970 in addition (0: none),
    which also hold a time outside the calendar.
    """

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
    """True if the alarm comes from the provider that replaces a failed one."""
    source_provider: AlarmProviderMode | int

    @property
    def raised_at(self) -> datetime | None:
        """Time at which the alarm was raised."""
        return moment_of(self.raised_at_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveAlarm(AlarmFacts):
    """An active alarm."""

    state: AlarmConditionState | int
    changed_at_ns: int

    @property
    def changed_at(self) -> datetime | None:
        """Time of the last transition."""
        return moment_of(self.changed_at_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmTransition(AlarmFacts):
    """One transition of an alarm."""

    kind: AlarmTransitionKind | int
    at_ns: int

    @property
    def at(self) -> datetime | None:
        """Time of the transition."""
        return moment_of(self.at_ns)


@dataclass(frozen=True, slots=True)
class AlarmSnapshotComplete:
    """End of the alarms that were active when the stream began; transitions follow."""


@dataclass(frozen=True, slots=True)
class AlarmProviderStatus:
    """Provider of the alarms; sent after the snapshot and at each failover and failback."""

    mode: AlarmProviderMode | int
    degraded: bool
    reason: str
    since_ns: int

    @property
    def since(self) -> datetime | None:
        """Time of the last failover or failback, in UTC; None if the gateway gave none, or one outside the calendar."""
        return moment_of(self.since_ns)


@dataclass(frozen=True, slots=True)
class UnknownAlarmMessage:
    """A message of a kind that this library does not know."""

    message: Any


AlarmFeedItem: TypeAlias = (
    ActiveAlarm | AlarmSnapshotComplete | AlarmProviderStatus | AlarmTransition | UnknownAlarmMessage
)
"""Items that ``client.stream_alarms()`` yields."""


def check_reference(reference: str) -> str:
    """Return an alarm's reference or GUID; raise MxGatewayArgumentError for one that the gateway would refuse."""
    if isinstance(reference, str) and (_REFERENCE.fullmatch(reference) or _GUID.fullmatch(reference)):
        return reference
    raise MxGatewayArgumentError(f"reference must be Galaxy!Area.Object.Alarm or a GUID, not {reference!r}")
