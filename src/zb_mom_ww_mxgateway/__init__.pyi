# Written by `make exports` from the list in __init__.py. Not edited by hand.

from zb_mom_ww_mxgateway.client import (
    GatewayClient,
)
from zb_mom_ww_mxgateway.commands.writes import (
    Write2Entry,
    WriteEntry,
    WriteSecured2Entry,
    WriteSecuredEntry,
    WriteSignature,
)
from zb_mom_ww_mxgateway.comparison import (
    same_value,
)
from zb_mom_ww_mxgateway.errors import (
    MxAccessError,
    MxGatewayArgumentError,
    MxGatewayAuthenticationError,
    MxGatewayAuthorizationError,
    MxGatewayCertificateChangedError,
    MxGatewayCommandError,
    MxGatewayContractError,
    MxGatewayError,
    MxGatewayGalaxyChangedError,
    MxGatewayKeyWarning,
    MxGatewayMissingExtraError,
    MxGatewayProtocolWarning,
    MxGatewaySessionError,
    MxGatewayTransportError,
    MxGatewayWaitError,
    MxGatewayWarning,
    MxGatewayWorkerError,
    MxGatewayWriteBlockedError,
)
from zb_mom_ww_mxgateway.galaxy import (
    Galaxy,
    GalaxyNode,
)
from zb_mom_ww_mxgateway.live.alarm_feed import (
    AlarmFeed,
    AlarmFeedLost,
    AlarmFollower,
    AlarmListRead,
    AlarmNews,
)
from zb_mom_ww_mxgateway.live.change_callbacks import (
    ChangeCallback,
)
from zb_mom_ww_mxgateway.live.item_observation import (
    ItemObservation,
)
from zb_mom_ww_mxgateway.live.session import (
    LiveSession,
)
from zb_mom_ww_mxgateway.live.state_changes import (
    Changes,
)
from zb_mom_ww_mxgateway.live.subscription import (
    Overflow,
    Subscription,
)
from zb_mom_ww_mxgateway.live.values import (
    LiveChange,
    LiveValue,
    Reading,
    UnseenWrite,
)
from zb_mom_ww_mxgateway.live.wait import (
    WaitCourse,
)
from zb_mom_ww_mxgateway.live.write_tracker import (
    WriteResult,
)
from zb_mom_ww_mxgateway.models.alarms import (
    ActiveAlarm,
    AlarmConditionState,
    AlarmFacts,
    AlarmFeedItem,
    AlarmProviderMode,
    AlarmProviderStatus,
    AlarmSnapshotComplete,
    AlarmTransition,
    AlarmTransitionKind,
    UnknownAlarmMessage,
)
from zb_mom_ww_mxgateway.models.client_observer import (
    CallFacts,
    ClientObserver,
    ConnectionFacts,
    EventFacts,
    GapFacts,
    QueueFacts,
    RebuildFacts,
    SessionFacts,
    WriteFacts,
)
from zb_mom_ww_mxgateway.models.events import (
    BufferedData,
    EventFamily,
    EventHeader,
    MxEvent,
    ReplayGap,
)
from zb_mom_ww_mxgateway.models.galaxy import (
    DeployEvent,
    GalaxyAttribute,
    GalaxyObject,
    GalaxyTag,
    ObjectTags,
)
from zb_mom_ww_mxgateway.models.handles import (
    HandleTable,
    Item,
)
from zb_mom_ww_mxgateway.models.live_state import (
    LiveState,
)
from zb_mom_ww_mxgateway.models.results import (
    BulkWriteResult,
    ReadResult,
    SessionInfo,
    SubscribeResult,
    WorkerInfo,
)
from zb_mom_ww_mxgateway.models.write_guard import (
    Admission,
    PendingEntry,
    PendingWrite,
    SparseArray,
    WriteAnswer,
    WriteGuard,
)
from zb_mom_ww_mxgateway.models.write_outcome import (
    WriteOutcome,
)
from zb_mom_ww_mxgateway.options import (
    ClientOptionNames,
    ClientOptions,
    OpenSessionOptions,
)
from zb_mom_ww_mxgateway.reals import (
    Float32,
)
from zb_mom_ww_mxgateway.recordings.recorded_row import (
    RecordedRow,
)
from zb_mom_ww_mxgateway.recordings.recording import (
    Recording,
    read_recording,
)
from zb_mom_ww_mxgateway.safety.verification import (
    ReadBack,
    VerifiedWrite,
    write_and_verify,
)
from zb_mom_ww_mxgateway.session import (
    Session,
)
from zb_mom_ww_mxgateway.status import (
    MxStatus,
    ProtocolStatusCode,
    SessionState,
    StatusCategory,
    StatusSource,
    quality_word,
)
from zb_mom_ww_mxgateway.transport.observers import (
    CommandObserver,
    Observation,
)
from zb_mom_ww_mxgateway.transport.streams import (
    EventStream,
    MessageStream,
)
from zb_mom_ww_mxgateway.transport.tls import (
    KnownGateway,
    KnownGateways,
)
from zb_mom_ww_mxgateway.value_types import (
    DataType,
)
from zb_mom_ww_mxgateway.values import (
    Array,
    MxValueInput,
    MxValueOutput,
    RawValue,
    Typed,
)
from zb_mom_ww_mxgateway.version import (
    __version__,
)
from zb_mom_ww_mxgateway.wire import (
    from_mx_value,
    to_mx_value,
)

__all__ = [
    "ActiveAlarm",
    "Admission",
    "AlarmConditionState",
    "AlarmFacts",
    "AlarmFeed",
    "AlarmFeedItem",
    "AlarmFeedLost",
    "AlarmFollower",
    "AlarmListRead",
    "AlarmNews",
    "AlarmProviderMode",
    "AlarmProviderStatus",
    "AlarmSnapshotComplete",
    "AlarmTransition",
    "AlarmTransitionKind",
    "Array",
    "BufferedData",
    "BulkWriteResult",
    "CallFacts",
    "ChangeCallback",
    "Changes",
    "ClientObserver",
    "ClientOptionNames",
    "ClientOptions",
    "CommandObserver",
    "ConnectionFacts",
    "DataType",
    "DeployEvent",
    "EventFacts",
    "EventFamily",
    "EventHeader",
    "EventStream",
    "Float32",
    "Galaxy",
    "GalaxyAttribute",
    "GalaxyNode",
    "GalaxyObject",
    "GalaxyTag",
    "GapFacts",
    "GatewayClient",
    "HandleTable",
    "Item",
    "ItemObservation",
    "KnownGateway",
    "KnownGateways",
    "LiveChange",
    "LiveSession",
    "LiveState",
    "LiveValue",
    "MessageStream",
    "MxAccessError",
    "MxEvent",
    "MxGatewayArgumentError",
    "MxGatewayAuthenticationError",
    "MxGatewayAuthorizationError",
    "MxGatewayCertificateChangedError",
    "MxGatewayCommandError",
    "MxGatewayContractError",
    "MxGatewayError",
    "MxGatewayGalaxyChangedError",
    "MxGatewayKeyWarning",
    "MxGatewayMissingExtraError",
    "MxGatewayProtocolWarning",
    "MxGatewaySessionError",
    "MxGatewayTransportError",
    "MxGatewayWaitError",
    "MxGatewayWarning",
    "MxGatewayWorkerError",
    "MxGatewayWriteBlockedError",
    "MxStatus",
    "MxValueInput",
    "MxValueOutput",
    "ObjectTags",
    "Observation",
    "OpenSessionOptions",
    "Overflow",
    "PendingEntry",
    "PendingWrite",
    "ProtocolStatusCode",
    "QueueFacts",
    "RawValue",
    "ReadBack",
    "ReadResult",
    "Reading",
    "RebuildFacts",
    "RecordedRow",
    "Recording",
    "ReplayGap",
    "Session",
    "SessionFacts",
    "SessionInfo",
    "SessionState",
    "SparseArray",
    "StatusCategory",
    "StatusSource",
    "SubscribeResult",
    "Subscription",
    "Typed",
    "UnknownAlarmMessage",
    "UnseenWrite",
    "VerifiedWrite",
    "WaitCourse",
    "WorkerInfo",
    "Write2Entry",
    "WriteAnswer",
    "WriteEntry",
    "WriteFacts",
    "WriteGuard",
    "WriteOutcome",
    "WriteResult",
    "WriteSecured2Entry",
    "WriteSecuredEntry",
    "WriteSignature",
    "__version__",
    "from_mx_value",
    "quality_word",
    "read_recording",
    "same_value",
    "to_mx_value",
    "write_and_verify",
]
