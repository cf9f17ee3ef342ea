"""A simulated MXAccess gateway: for demonstrations, for our tests and for yours.

``async with SimulatedGateway() as gateway`` serves on ``gateway.endpoint``; ``mxgw-sim`` does the same from a shell.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_sim.faults.schedule import Fault, read_faults
    from zb_mom_ww_mxgateway_sim.gateway import SimulatedGateway
    from zb_mom_ww_mxgateway_sim.net.api_keys import ALL_SCOPES, ApiKey, Scope
    from zb_mom_ww_mxgateway_sim.plant.alarms import Alarm
    from zb_mom_ww_mxgateway_sim.plant.point_store import Reading
    from zb_mom_ww_mxgateway_sim.plant.status import Category, Source, Status
    from zb_mom_ww_mxgateway_sim.plant.tag_file import read_tags
    from zb_mom_ww_mxgateway_sim.plant.tag_types import CoercionError, TagType
    from zb_mom_ww_mxgateway_sim.plant.tags import Tag
    from zb_mom_ww_mxgateway_sim.rpc.call_pipeline import CallRecord
    from zb_mom_ww_mxgateway_sim.runtime.clock import Clock, ManualClock, SystemClock
    from zb_mom_ww_mxgateway_sim.runtime.errors import (
        CertificateError,
        FaultError,
        ListenError,
        SimulatorError,
        TagError,
    )
    from zb_mom_ww_mxgateway_sim.sessions.session import Session
    from zb_mom_ww_mxgateway_sim.sessions.users import GalaxyUser
    from zb_mom_ww_mxgateway_sim.sessions.write_queue import WriteRecord

# Loaded when asked for: ``mxgw-sim --help`` needs none of them, and grpc takes its time.
_HOME = {
    "ALL_SCOPES": "net.api_keys",
    "Alarm": "plant.alarms",
    "ApiKey": "net.api_keys",
    "CallRecord": "rpc.call_pipeline",
    "Category": "plant.status",
    "CertificateError": "runtime.errors",
    "Clock": "runtime.clock",
    "CoercionError": "plant.tag_types",
    "Fault": "faults.schedule",
    "FaultError": "runtime.errors",
    "GalaxyUser": "sessions.users",
    "ListenError": "runtime.errors",
    "ManualClock": "runtime.clock",
    "Reading": "plant.point_store",
    "Scope": "net.api_keys",
    "Session": "sessions.session",
    "SimulatedGateway": "gateway",
    "SimulatorError": "runtime.errors",
    "Source": "plant.status",
    "Status": "plant.status",
    "SystemClock": "runtime.clock",
    "Tag": "plant.tags",
    "TagError": "runtime.errors",
    "TagType": "plant.tag_types",
    "WriteRecord": "sessions.write_queue",
    "read_faults": "faults.schedule",
    "read_tags": "plant.tag_file",
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
