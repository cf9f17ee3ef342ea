"""Async client library for the MXAccess Gateway.

For example::

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

# The one list of the names and the modules that they come from; ``make exports`` writes it for type checkers.
_HOMES = {
    "client": ["GatewayClient"],
    "commands.writes": ["Write2Entry", "WriteEntry", "WriteSecured2Entry", "WriteSecuredEntry", "WriteSignature"],
    "comparison": ["same_value"],
    "errors": [
        "MxAccessError",
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
    ],
    "galaxy": ["Galaxy", "GalaxyNode"],
    "live.alarm_feed": ["AlarmFeed", "AlarmFeedLost", "AlarmFollower", "AlarmListRead", "AlarmNews"],
    "live.change_callbacks": ["ChangeCallback"],
    "live.item_observation": ["ItemObservation"],
    "live.session": ["LiveSession"],
    "live.state_changes": ["Changes"],
    "live.subscription": ["Overflow", "Subscription"],
    "live.values": ["LiveChange", "LiveValue", "Reading", "UnseenWrite"],
    "live.wait": ["WaitCourse"],
    "live.write_tracker": ["WriteResult"],
    "models.alarms": [
        "ActiveAlarm",
        "AlarmConditionState",
        "AlarmFacts",
        "AlarmFeedItem",
        "AlarmProviderMode",
        "AlarmProviderStatus",
        "AlarmSnapshotComplete",
        "AlarmTransition",
        "AlarmTransitionKind",
        "UnknownAlarmMessage",
    ],
    "models.client_observer": [
        "CallFacts",
        "ClientObserver",
        "ConnectionFacts",
        "EventFacts",
        "GapFacts",
        "QueueFacts",
        "RebuildFacts",
        "SessionFacts",
        "WriteFacts",
    ],
    "models.events": ["BufferedData", "EventFamily", "EventHeader", "MxEvent", "ReplayGap"],
    "models.galaxy": ["DeployEvent", "GalaxyAttribute", "GalaxyObject", "GalaxyTag", "ObjectTags"],
    "models.handles": ["HandleTable", "Item"],
    "models.live_state": ["LiveState"],
    "models.results": ["BulkWriteResult", "ReadResult", "SessionInfo", "SubscribeResult", "WorkerInfo"],
    "models.write_guard": ["Admission", "PendingEntry", "PendingWrite", "SparseArray", "WriteAnswer", "WriteGuard"],
    "models.write_outcome": ["WriteOutcome"],
    "options": ["ClientOptionNames", "ClientOptions", "OpenSessionOptions"],
    "reals": ["Float32"],
    "recordings.recorded_row": ["RecordedRow"],
    "recordings.recording": ["Recording", "read_recording"],
    "safety.verification": ["ReadBack", "VerifiedWrite", "write_and_verify"],
    "session": ["Session"],
    "status": ["MxStatus", "ProtocolStatusCode", "SessionState", "StatusCategory", "StatusSource", "quality_word"],
    "transport.observers": ["CommandObserver", "Observation"],
    "transport.streams": ["EventStream", "MessageStream"],
    "transport.tls": ["KnownGateway", "KnownGateways"],
    "value_types": ["DataType"],
    "values": ["Array", "MxValueInput", "MxValueOutput", "RawValue", "Typed"],
    "version": ["__version__"],
    "wire": ["from_mx_value", "to_mx_value"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
