# Written by `make exports` from the list in __init__.py. Not edited by hand.

from zb_mom_ww_mxgateway_sim.faults.schedule import (
    Fault,
    read_faults,
)
from zb_mom_ww_mxgateway_sim.gateway import (
    SimulatedGateway,
)
from zb_mom_ww_mxgateway_sim.logic.declarations import (
    every,
    on_write,
    tag,
)
from zb_mom_ww_mxgateway_sim.logic.plant_access import (
    Plant,
)
from zb_mom_ww_mxgateway_sim.net.api_keys import (
    ALL_SCOPES,
    GatewayKey,
    KeyScope,
)
from zb_mom_ww_mxgateway_sim.plant.alarms import (
    Alarm,
)
from zb_mom_ww_mxgateway_sim.plant.galaxy_export import (
    read_galaxy,
)
from zb_mom_ww_mxgateway_sim.plant.model import (
    Security,
)
from zb_mom_ww_mxgateway_sim.plant.point_store import (
    TagReading,
)
from zb_mom_ww_mxgateway_sim.plant.status import (
    Category,
    Source,
    Status,
)
from zb_mom_ww_mxgateway_sim.plant.tag_file import (
    read_tags,
)
from zb_mom_ww_mxgateway_sim.plant.tag_types import (
    CoercionError,
    NativeType,
)
from zb_mom_ww_mxgateway_sim.plant.tags import (
    TagDefinition,
)
from zb_mom_ww_mxgateway_sim.rpc.call_pipeline import (
    CallRecord,
)
from zb_mom_ww_mxgateway_sim.runtime.clock import (
    ManualClock,
    SystemClock,
    TimeSource,
)
from zb_mom_ww_mxgateway_sim.runtime.errors import (
    CertificateError,
    FaultError,
    ListenError,
    PlantError,
    ReplayError,
    SimulatorError,
    TagError,
)
from zb_mom_ww_mxgateway_sim.sessions.session_view import (
    SimulatedItem,
    SimulatedSession,
)
from zb_mom_ww_mxgateway_sim.sessions.users import (
    GalaxyUser,
)
from zb_mom_ww_mxgateway_sim.sessions.write_queue import (
    WriteRecord,
)

__all__ = [
    "ALL_SCOPES",
    "Alarm",
    "CallRecord",
    "Category",
    "CertificateError",
    "CoercionError",
    "Fault",
    "FaultError",
    "GalaxyUser",
    "GatewayKey",
    "KeyScope",
    "ListenError",
    "ManualClock",
    "NativeType",
    "Plant",
    "PlantError",
    "ReplayError",
    "Security",
    "SimulatedGateway",
    "SimulatedItem",
    "SimulatedSession",
    "SimulatorError",
    "Source",
    "Status",
    "SystemClock",
    "TagDefinition",
    "TagError",
    "TagReading",
    "TimeSource",
    "WriteRecord",
    "every",
    "on_write",
    "read_faults",
    "read_galaxy",
    "read_tags",
    "tag",
]
