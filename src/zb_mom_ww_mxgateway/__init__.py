"""Async client library for the MXAccess Gateway.

::

    async with await GatewayClient.connect(endpoint="localhost:5000", api_key=key, plaintext=True) as client:
        async with await client.open_session() as session, session.stream_events() as events:
            server = await session.register("python-client")
            item = await session.add_item(server, "TestChildObject.TestInt")
            await session.advise(server, item)
            event = await anext(events)
            print(event.value, event.quality_word)

Names are loaded when first used, so that importing the package alone is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.version import __version__

if TYPE_CHECKING:  # the same names for type checkers; the alias marks a re-export
    from zb_mom_ww_mxgateway.client import GatewayClient as GatewayClient
    from zb_mom_ww_mxgateway.commands.writes import (
        Write2Entry as Write2Entry,
        WriteEntry as WriteEntry,
        WriteSecured2Entry as WriteSecured2Entry,
        WriteSecuredEntry as WriteSecuredEntry,
    )
    from zb_mom_ww_mxgateway.comparison import same_value as same_value
    from zb_mom_ww_mxgateway.errors import (
        MxAccessError as MxAccessError,
        MxGatewayArgumentError as MxGatewayArgumentError,
        MxGatewayAuthenticationError as MxGatewayAuthenticationError,
        MxGatewayAuthorizationError as MxGatewayAuthorizationError,
        MxGatewayCertificateChangedError as MxGatewayCertificateChangedError,
        MxGatewayCommandError as MxGatewayCommandError,
        MxGatewayError as MxGatewayError,
        MxGatewayGalaxyChangedError as MxGatewayGalaxyChangedError,
        MxGatewayKeyWarning as MxGatewayKeyWarning,
        MxGatewayProtocolWarning as MxGatewayProtocolWarning,
        MxGatewaySessionError as MxGatewaySessionError,
        MxGatewayTransportError as MxGatewayTransportError,
        MxGatewayWaitError as MxGatewayWaitError,
        MxGatewayWarning as MxGatewayWarning,
        MxGatewayWorkerError as MxGatewayWorkerError,
        MxGatewayWriteBlockedError as MxGatewayWriteBlockedError,
    )
    from zb_mom_ww_mxgateway.galaxy import Galaxy as Galaxy, GalaxyNode as GalaxyNode
    from zb_mom_ww_mxgateway.live.alarm_feed import (
        AlarmFeed as AlarmFeed,
        AlarmFeedLost as AlarmFeedLost,
        AlarmFollower as AlarmFollower,
        AlarmListRead as AlarmListRead,
        AlarmNews as AlarmNews,
    )
    from zb_mom_ww_mxgateway.live.change_callbacks import ChangeCallback as ChangeCallback
    from zb_mom_ww_mxgateway.live.session import LiveSession as LiveSession
    from zb_mom_ww_mxgateway.live.state_changes import Changes as Changes
    from zb_mom_ww_mxgateway.live.subscription import Overflow as Overflow, Subscription as Subscription
    from zb_mom_ww_mxgateway.live.values import (
        LiveChange as LiveChange,
        LiveState as LiveState,
        LiveValue as LiveValue,
        Reading as Reading,
        UnseenWrite as UnseenWrite,
    )
    from zb_mom_ww_mxgateway.live.wait import WaitCourse as WaitCourse
    from zb_mom_ww_mxgateway.live.write_tracker import WriteOutcome as WriteOutcome, WriteResult as WriteResult
    from zb_mom_ww_mxgateway.models.alarms import (
        ActiveAlarm as ActiveAlarm,
        AlarmConditionState as AlarmConditionState,
        AlarmFeedItem as AlarmFeedItem,
        AlarmProviderMode as AlarmProviderMode,
        AlarmProviderStatus as AlarmProviderStatus,
        AlarmSnapshotComplete as AlarmSnapshotComplete,
        AlarmTransition as AlarmTransition,
        AlarmTransitionKind as AlarmTransitionKind,
        UnknownAlarmMessage as UnknownAlarmMessage,
    )
    from zb_mom_ww_mxgateway.models.events import (
        BufferedData as BufferedData,
        EventFamily as EventFamily,
        EventHeader as EventHeader,
        MxEvent as MxEvent,
        ReplayGap as ReplayGap,
    )
    from zb_mom_ww_mxgateway.models.handles import HandleTable as HandleTable, Item as Item
    from zb_mom_ww_mxgateway.models.write_guard import (
        PendingEntry as PendingEntry,
        PendingWrite as PendingWrite,
        SparseArray as SparseArray,
        WriteGuard as WriteGuard,
    )
    from zb_mom_ww_mxgateway.options import (
        ClientOptionNames as ClientOptionNames,
        ClientOptions as ClientOptions,
        OpenSessionOptions as OpenSessionOptions,
    )
    from zb_mom_ww_mxgateway.reals import Float32 as Float32
    from zb_mom_ww_mxgateway.session import Session as Session
    from zb_mom_ww_mxgateway.status import (
        MxStatus as MxStatus,
        ProtocolStatusCode as ProtocolStatusCode,
        SessionState as SessionState,
        StatusCategory as StatusCategory,
        StatusSource as StatusSource,
        quality_word as quality_word,
    )
    from zb_mom_ww_mxgateway.transport.observers import CommandObserver as CommandObserver, Observation as Observation
    from zb_mom_ww_mxgateway.transport.streams import EventStream as EventStream, MessageStream as MessageStream
    from zb_mom_ww_mxgateway.transport.tls import KnownGateway as KnownGateway, KnownGateways as KnownGateways
    from zb_mom_ww_mxgateway.values import (
        Array as Array,
        DataType as DataType,
        MxValueInput as MxValueInput,
        MxValueOutput as MxValueOutput,
        RawValue as RawValue,
        Typed as Typed,
    )
    from zb_mom_ww_mxgateway.wire import (
        BulkWriteResult as BulkWriteResult,
        DeployEvent as DeployEvent,
        GalaxyAttribute as GalaxyAttribute,
        GalaxyObject as GalaxyObject,
        ReadResult as ReadResult,
        SessionInfo as SessionInfo,
        SubscribeResult as SubscribeResult,
        WorkerInfo as WorkerInfo,
        from_mx_value as from_mx_value,
        to_mx_value as to_mx_value,
    )

_HOMES = {
    "live.alarm_feed": ["AlarmFeed", "AlarmFeedLost", "AlarmFollower", "AlarmListRead", "AlarmNews"],
    "models.alarms": [
        "ActiveAlarm",
        "AlarmConditionState",
        "AlarmFeedItem",
        "AlarmProviderMode",
        "AlarmProviderStatus",
        "AlarmSnapshotComplete",
        "AlarmTransition",
        "AlarmTransitionKind",
        "UnknownAlarmMessage",
    ],
    "live.state_changes": ["Changes"],
    "live.change_callbacks": ["ChangeCallback"],
    "client": ["GatewayClient"],
    "comparison": ["same_value"],
    "errors": [
        "MxAccessError",
        "MxGatewayArgumentError",
        "MxGatewayAuthenticationError",
        "MxGatewayAuthorizationError",
        "MxGatewayCertificateChangedError",
        "MxGatewayCommandError",
        "MxGatewayError",
        "MxGatewayGalaxyChangedError",
        "MxGatewayKeyWarning",
        "MxGatewayProtocolWarning",
        "MxGatewayWriteBlockedError",
        "MxGatewaySessionError",
        "MxGatewayTransportError",
        "MxGatewayWaitError",
        "MxGatewayWarning",
        "MxGatewayWorkerError",
    ],
    "models.events": ["BufferedData", "EventFamily", "EventHeader", "MxEvent", "ReplayGap"],
    "galaxy": ["Galaxy", "GalaxyNode"],
    "models.write_guard": ["PendingEntry", "PendingWrite", "SparseArray", "WriteGuard"],
    "models.handles": ["HandleTable", "Item"],
    "live.session": ["LiveSession"],
    "live.values": ["LiveChange", "LiveState", "LiveValue", "Reading", "UnseenWrite"],
    "transport.observers": ["CommandObserver", "Observation"],
    "options": ["ClientOptionNames", "ClientOptions", "OpenSessionOptions"],
    "reals": ["Float32"],
    "session": ["Session"],
    "transport.streams": ["EventStream", "MessageStream"],
    "status": ["MxStatus", "ProtocolStatusCode", "SessionState", "StatusCategory", "StatusSource", "quality_word"],
    "live.subscription": ["Overflow", "Subscription"],
    "transport.tls": ["KnownGateway", "KnownGateways"],
    "live.wait": ["WaitCourse"],
    "values": ["Array", "DataType", "MxValueInput", "MxValueOutput", "RawValue", "Typed"],
    "wire": [
        "BulkWriteResult",
        "DeployEvent",
        "GalaxyAttribute",
        "GalaxyObject",
        "ReadResult",
        "SessionInfo",
        "SubscribeResult",
        "WorkerInfo",
        "from_mx_value",
        "to_mx_value",
    ],
    "live.write_tracker": ["WriteOutcome", "WriteResult"],
    "commands.writes": ["Write2Entry", "WriteEntry", "WriteSecured2Entry", "WriteSecuredEntry"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *_HOME_OF]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
