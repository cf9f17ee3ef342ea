"""A simulated MXAccess gateway: for demonstrations, for our tests and for yours.

``async with SimulatedGateway() as gateway`` serves on ``gateway.endpoint``; ``mxgw-sim`` does the same from a shell.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .alarms import Alarm
    from .clock import Clock, ManualClock, SystemClock
    from .errors import CertificateError, FaultError, ListenError, SimulatorError, TagError
    from .gateway import SimulatedGateway
    from .keys import ALL_SCOPES, ApiKey, Scope
    from .points import Reading
    from .reception import CallRecord
    from .schedule import Fault, read_faults
    from .session import Session
    from .status import Category, Source, Status
    from .tagfile import read_tags
    from .tags import Tag
    from .tagtypes import CoercionError, TagType
    from .users import GalaxyUser
    from .writing import WriteRecord

# Loaded when asked for: ``mxgw-sim --help`` needs none of them, and grpc takes its time.
_HOME = {
    "ALL_SCOPES": "keys",
    "Alarm": "alarms",
    "ApiKey": "keys",
    "CallRecord": "reception",
    "Category": "status",
    "CertificateError": "errors",
    "Clock": "clock",
    "CoercionError": "tagtypes",
    "Fault": "schedule",
    "FaultError": "errors",
    "GalaxyUser": "users",
    "ListenError": "errors",
    "ManualClock": "clock",
    "Reading": "points",
    "Scope": "keys",
    "Session": "session",
    "SimulatedGateway": "gateway",
    "SimulatorError": "errors",
    "Source": "status",
    "Status": "status",
    "SystemClock": "clock",
    "Tag": "tags",
    "TagError": "errors",
    "TagType": "tagtypes",
    "WriteRecord": "writing",
    "read_faults": "schedule",
    "read_tags": "tagfile",
}

__all__ = [
    "ALL_SCOPES",
    "Alarm",
    "ApiKey",
    "CallRecord",
    "Category",
    "CertificateError",
    "Clock",
    "CoercionError",
    "Fault",
    "FaultError",
    "GalaxyUser",
    "ListenError",
    "ManualClock",
    "Reading",
    "Scope",
    "Session",
    "SimulatedGateway",
    "SimulatorError",
    "Source",
    "Status",
    "SystemClock",
    "Tag",
    "TagError",
    "TagType",
    "WriteRecord",
    "read_faults",
    "read_tags",
]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
