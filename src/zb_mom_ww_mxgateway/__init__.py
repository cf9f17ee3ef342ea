"""Async client library for the MXAccess Gateway.

::

    async with await GatewayClient.connect(endpoint="localhost:5000", api_key=key, plaintext=True) as client:
        async with await client.open_session() as session:
            server = await session.register("python-client")
            item = await session.add_item(server, "TestChildObject.TestInt")
            await session.advise(server, item)
            async for event in session.stream_events():
                print(event.value, event.quality_word)

Names are loaded when first used, so that importing the package alone is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.version import __version__

if TYPE_CHECKING:  # the same names for type checkers; the alias marks a re-export
    from zb_mom_ww_mxgateway.client import CommandObserver as CommandObserver, GatewayClient as GatewayClient
    from zb_mom_ww_mxgateway.errors import (
        MxAccessError as MxAccessError,
        MxGatewayArgumentError as MxGatewayArgumentError,
        MxGatewayAuthenticationError as MxGatewayAuthenticationError,
        MxGatewayAuthorizationError as MxGatewayAuthorizationError,
        MxGatewayCertificateChangedError as MxGatewayCertificateChangedError,
        MxGatewayCommandError as MxGatewayCommandError,
        MxGatewayError as MxGatewayError,
        MxGatewaySessionError as MxGatewaySessionError,
        MxGatewayTransportError as MxGatewayTransportError,
        MxGatewayWorkerError as MxGatewayWorkerError,
    )
    from zb_mom_ww_mxgateway.events import (
        EventFamily as EventFamily,
        MessageStream as MessageStream,
        MxEvent as MxEvent,
        ReplayGap as ReplayGap,
    )
    from zb_mom_ww_mxgateway.galaxy import Galaxy as Galaxy
    from zb_mom_ww_mxgateway.handles import HandleTable as HandleTable, Item as Item
    from zb_mom_ww_mxgateway.live import (
        LiveChange as LiveChange,
        LiveSession as LiveSession,
        LiveState as LiveState,
        LiveValue as LiveValue,
    )
    from zb_mom_ww_mxgateway.options import ClientOptions as ClientOptions, OpenSessionOptions as OpenSessionOptions
    from zb_mom_ww_mxgateway.session import Session as Session
    from zb_mom_ww_mxgateway.status import (
        MxStatus as MxStatus,
        ProtocolStatusCode as ProtocolStatusCode,
        SessionState as SessionState,
        StatusCategory as StatusCategory,
        StatusSource as StatusSource,
        quality_word as quality_word,
    )
    from zb_mom_ww_mxgateway.subscriptions import Overflow as Overflow, Subscription as Subscription
    from zb_mom_ww_mxgateway.tls import KnownGateway as KnownGateway, KnownGateways as KnownGateways
    from zb_mom_ww_mxgateway.values import (
        Array as Array,
        DataType as DataType,
        MxValueInput as MxValueInput,
        MxValueOutput as MxValueOutput,
        RawValue as RawValue,
        Typed as Typed,
    )
    from zb_mom_ww_mxgateway.wire import (
        GalaxyAttribute as GalaxyAttribute,
        GalaxyObject as GalaxyObject,
        SessionInfo as SessionInfo,
        SubscribeResult as SubscribeResult,
        from_mx_value as from_mx_value,
        to_mx_value as to_mx_value,
    )
    from zb_mom_ww_mxgateway.writes import WriteOutcome as WriteOutcome, WriteResult as WriteResult

_HOMES = {
    "client": ["CommandObserver", "GatewayClient"],
    "errors": [
        "MxAccessError",
        "MxGatewayArgumentError",
        "MxGatewayAuthenticationError",
        "MxGatewayAuthorizationError",
        "MxGatewayCertificateChangedError",
        "MxGatewayCommandError",
        "MxGatewayError",
        "MxGatewaySessionError",
        "MxGatewayTransportError",
        "MxGatewayWorkerError",
    ],
    "events": ["EventFamily", "MessageStream", "MxEvent", "ReplayGap"],
    "galaxy": ["Galaxy"],
    "handles": ["HandleTable", "Item"],
    "live": ["LiveChange", "LiveSession", "LiveState", "LiveValue"],
    "options": ["ClientOptions", "OpenSessionOptions"],
    "session": ["Session"],
    "status": ["MxStatus", "ProtocolStatusCode", "SessionState", "StatusCategory", "StatusSource", "quality_word"],
    "subscriptions": ["Overflow", "Subscription"],
    "tls": ["KnownGateway", "KnownGateways"],
    "values": ["Array", "DataType", "MxValueInput", "MxValueOutput", "RawValue", "Typed"],
    "wire": ["GalaxyAttribute", "GalaxyObject", "SessionInfo", "SubscribeResult", "from_mx_value", "to_mx_value"],
    "writes": ["WriteOutcome", "WriteResult"],
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
