# Written by `make exports` from the list in __init__.py. Not edited by hand.

from zb_mom_ww_mxgateway_sim.faults.schedule import (
    Fault,
    read_faults,
)
from zb_mom_ww_mxgateway_sim.gateway import (
    SimulatedGateway,
)
from zb_mom_ww_mxgateway_sim.net.api_keys import (
    ALL_SCOPES,
    ApiKey,
    Scope,
)
from zb_mom_ww_mxgateway_sim.plant.alarms import (
    Alarm,
)
from zb_mom_ww_mxgateway_sim.plant.point_store import (
    Reading,
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
    TagType,
)
from zb_mom_ww_mxgateway_sim.plant.tags import (
    Tag,
)
from zb_mom_ww_mxgateway_sim.rpc.call_pipeline import (
    CallRecord,
)
from zb_mom_ww_mxgateway_sim.runtime.clock import (
    Clock,
    ManualClock,
    SystemClock,
)
from zb_mom_ww_mxgateway_sim.runtime.errors import (
    CertificateError,
    FaultError,
    ListenError,
    SimulatorError,
    TagError,
)
from zb_mom_ww_mxgateway_sim.sessions.session import (
    Session,
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
