"""Errors: every status becomes one of ours, and each says what is known."""

import asyncio
import copy
import inspect
import pickle
from collections.abc import Callable

import grpc
import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    ClientOptions,
    GatewayClient,
    MxAccessError,
    MxGatewayArgumentError,
    MxGatewayAuthenticationError,
    MxGatewayAuthorizationError,
    MxGatewayCertificateChangedError,
    MxGatewayCommandError,
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    MxGatewayWaitError,
    MxGatewayWorkerError,
    MxGatewayWriteBlockedError,
    MxStatus,
    PendingEntry,
    PendingWrite,
    ProtocolStatusCode,
    Session,
    SessionState,
    StatusCategory,
    StatusSource,
    errors,
)
from zb_mom_ww_mxgateway.errors import GRPC_ERRORS, PROTOCOL_ERRORS, error_of_grpc
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.wire import COMPARE
from zb_mom_ww_mxgateway_sim import SimulatedGateway

CODES = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]
STATUSES = [status for status in ProtocolStatusCode if status is not ProtocolStatusCode.OK]
E_INVALIDARG = -2147024809

# After these nobody knows whether a write has happened.
MAYBE_RAN = {
    "CANCELLED",
    "UNKNOWN",
    "DEADLINE_EXCEEDED",
    "RESOURCE_EXHAUSTED",
    "ABORTED",
    "INTERNAL",
    "UNAVAILABLE",
} | {"DATA_LOSS"}
MAYBE_RAN_DESPITE = {"UNSPECIFIED", "WORKER_UNAVAILABLE", "TIMEOUT", "CANCELED", "PROTOCOL_VIOLATION"}


# The tables.


def test_every_grpc_status_but_ok_has_an_error() -> None:
    assert set(GRPC_ERRORS) == {code.name for code in CODES}


def test_every_protocol_status_but_ok_has_an_error() -> None:
    assert set(PROTOCOL_ERRORS) == set(STATUSES)


@pytest.mark.parametrize(
    ("ours", "theirs", "prefix"),
    [
        (ProtocolStatusCode, pb.ProtocolStatusCode, "PROTOCOL_STATUS_CODE_"),
        (SessionState, pb.SessionState, "SESSION_STATE_"),
    ],
)
def test_the_status_enums_are_the_contracts(ours: type[ProtocolStatusCode], theirs: object, prefix: str) -> None:
    assert {f"{prefix}{member.name}": member.value for member in ours} == dict(theirs.items())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("grpc_code", "protocol_status"),
    [
        ("NOT_FOUND", "SESSION_NOT_FOUND"),
        ("FAILED_PRECONDITION", "SESSION_NOT_READY"),
        ("DEADLINE_EXCEEDED", "TIMEOUT"),
        ("INVALID_ARGUMENT", "INVALID_REQUEST"),
        ("CANCELLED", "CANCELED"),
    ],
)
def test_the_same_trouble_is_the_same_error_either_way(grpc_code: str, protocol_status: str) -> None:
    assert GRPC_ERRORS[grpc_code] is PROTOCOL_ERRORS[ProtocolStatusCode[protocol_status]]


def test_a_worker_that_is_down_is_the_same_error_either_way() -> None:
    assert error_of_grpc("UNAVAILABLE", "Worker is not running", of_session=True) is MxGatewayWorkerError
    assert error_of_grpc("UNAVAILABLE", "connection reset", of_session=True) is MxGatewayTransportError
    assert PROTOCOL_ERRORS[ProtocolStatusCode.WORKER_UNAVAILABLE] is MxGatewayWorkerError


def test_a_status_of_a_call_without_a_session_is_never_a_session_error() -> None:
    for code in CODES:
        assert error_of_grpc(code.name, "", of_session=False) is not MxGatewaySessionError


def test_a_status_that_grpc_may_invent_later_is_still_an_error() -> None:
    assert error_of_grpc("BRAND_NEW", "", of_session=True) is MxGatewayTransportError


def test_the_tree() -> None:
    classes = {
        found
        for _, found in inspect.getmembers(errors, inspect.isclass)
        if issubclass(found, Exception) and found.__module__ == errors.__name__
    }
    parents = {found.__name__: found.__bases__[0].__name__ for found in classes}
    assert parents == {
        "MxGatewayError": "Exception",
        "MxGatewayArgumentError": "MxGatewayError",
        "MxGatewayMissingExtraError": "MxGatewayArgumentError",
        "MxGatewayWriteBlockedError": "MxGatewayError",
        "MxGatewayTransportError": "MxGatewayError",
        "MxGatewayCertificateChangedError": "MxGatewayTransportError",
        "MxGatewayAuthenticationError": "MxGatewayError",
        "MxGatewayAuthorizationError": "MxGatewayError",
        "MxGatewaySessionError": "MxGatewayError",
        "MxGatewayWorkerError": "MxGatewayError",
        "MxGatewayWaitError": "MxGatewayError",
        "MxGatewayCommandError": "MxGatewayError",
        "MxGatewayContractError": "MxGatewayCommandError",
        "MxGatewayGalaxyChangedError": "MxGatewayCommandError",
        "MxAccessError": "MxGatewayCommandError",
        "MxGatewayWarning": "UserWarning",
        "MxGatewayProtocolWarning": "MxGatewayWarning",
        "MxGatewayKeyWarning": "MxGatewayWarning",
    }
    assert issubclass(MxGatewayArgumentError, ValueError)
    # The tree in the module's docstring has them all.
    assert all(name in (errors.__doc__ or "") for name in parents)


def test_unknown_fields_are_none_or_empty() -> None:
    error = MxGatewayError("text")
    known = {name: getattr(error, name) for name in vars(error)}
    assert known == {
        "advice": "",
        "endpoint": None,
        "call": None,
        "grpc_code": None,
        "protocol_status": None,
        "hresult": None,
        "statuses": (),
        "reply": None,
        "correlation_id": None,
        "outcome_unknown": False,
    }
    changed = MxGatewayCertificateChangedError("text", trusted="A", presented="B", first_seen="C", endpoint="h:1")
    assert (changed.trusted, changed.presented, changed.first_seen, changed.endpoint) == ("A", "B", "C", "h:1")


# Every status, through a channel.


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
async def test_every_grpc_status_of_a_command(
    code: grpc.StatusCode, gateway: SimulatedGateway, session: Session
) -> None:
    gateway.faults.fail_next("register", code=code, details="as\n  it is")
    with pytest.raises(GRPC_ERRORS[code.name]) as caught:
        await session.register("errors")
    error = caught.value
    assert type(error) is GRPC_ERRORS[code.name]
    # What a gateway says of a kind and a payload that do not go together.
    hint = f"; {COMPARE}" if code is grpc.StatusCode.INVALID_ARGUMENT else ""
    assert str(error) == f"register at {gateway.endpoint}: {code.name} as it is{hint}"
    assert (error.call, error.endpoint, error.grpc_code) == ("register", gateway.endpoint, code.name)
    assert error.correlation_id == gateway.calls[-1].request.client_correlation_id
    assert (error.outcome_unknown, error.protocol_status, error.reply) == (False, None, None)


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
async def test_every_grpc_status_of_a_write(code: grpc.StatusCode, gateway: SimulatedGateway, session: Session) -> None:
    gateway.faults.fail_next("write", code=code, details="details")
    with pytest.raises(GRPC_ERRORS[code.name]) as caught:
        await session.write(1, 1, 7)
    assert caught.value.outcome_unknown == (code.name in MAYBE_RAN)
    assert str(caught.value).startswith("outcome unknown: write" if code.name in MAYBE_RAN else "write")


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
async def test_every_grpc_status_of_a_stream(
    code: grpc.StatusCode, gateway: SimulatedGateway, session: Session
) -> None:
    stream = session.stream_events()
    reader = asyncio.create_task(anext(stream))
    await eventually(lambda: gateway.open_streams, "the stream is open")
    gateway.faults.drop_streams(code)
    with pytest.raises(GRPC_ERRORS[code.name], match=code.name) as caught:
        await reader
    assert (caught.value.call, caught.value.grpc_code) == ("stream_events", code.name)
    assert stream.closed


@pytest.mark.parametrize("status", STATUSES, ids=lambda status: status.name)
async def test_every_protocol_status_of_a_command(
    status: ProtocolStatusCode, gateway: SimulatedGateway, session: Session
) -> None:
    gateway.faults.fail_next("register", protocol_status=status, details="as\n  it is")  # type: ignore[arg-type]
    with pytest.raises(PROTOCOL_ERRORS[status]) as caught:
        await session.register("errors")
    error = caught.value
    assert type(error) is PROTOCOL_ERRORS[status]
    verdict = "MXAccess refused" if status is ProtocolStatusCode.MXACCESS_FAILURE else status.name
    hint = "" if status else f"; {COMPARE}"
    assert str(error) == f"register: {verdict}: as it is{hint}"
    assert (error.call, error.endpoint, error.protocol_status) == ("register", gateway.endpoint, status)
    assert isinstance(error.reply, pb.MxCommandReply)
    assert error.correlation_id == error.reply.correlation_id == gateway.calls[-1].request.client_correlation_id
    assert (error.outcome_unknown, error.grpc_code) == (False, None)


@pytest.mark.parametrize("status", STATUSES, ids=lambda status: status.name)
async def test_every_protocol_status_of_a_write(
    status: ProtocolStatusCode, gateway: SimulatedGateway, session: Session
) -> None:
    gateway.faults.fail_next("write", protocol_status=status)  # type: ignore[arg-type]
    with pytest.raises(PROTOCOL_ERRORS[status]) as caught:
        await session.write(1, 1, 7)
    assert caught.value.outcome_unknown == (status.name in MAYBE_RAN_DESPITE)
    assert str(caught.value).startswith("outcome unknown: ") == (status.name in MAYBE_RAN_DESPITE)


@pytest.mark.parametrize("status", STATUSES, ids=lambda status: status.name)
async def test_every_protocol_status_of_opening_a_session(
    status: ProtocolStatusCode, gateway: SimulatedGateway, client: GatewayClient
) -> None:
    gateway.faults.fail_next("OpenSession", protocol_status=status, details="no")  # type: ignore[arg-type]
    with pytest.raises(PROTOCOL_ERRORS[status], match="open_session") as caught:
        await client.open_session()
    assert (caught.value.protocol_status, caught.value.endpoint) == (status, gateway.endpoint)


async def test_a_protocol_status_that_is_newer_than_this_library(gateway: SimulatedGateway, session: Session) -> None:
    gateway.faults.fail_next("write", protocol_status=77)  # type: ignore[arg-type]
    with pytest.raises(MxGatewayCommandError, match="77") as caught:
        await session.write(1, 1, 7)
    assert caught.value.protocol_status == 77
    assert caught.value.outcome_unknown


# What MXAccess refused.


async def test_a_refusal_of_mxaccess_carries_all_it_gave(gateway: SimulatedGateway, session: Session) -> None:
    server = await session.register("errors")
    item = await session.add_item(server, "TestChildObject.TestInt")
    with pytest.raises(MxAccessError) as caught:
        await session.write(server, item, 7)  # before it was advised
    error = caught.value
    assert error.hresult == E_INVALIDARG
    assert error.protocol_status is ProtocolStatusCode.MXACCESS_FAILURE
    assert [status.category.name for status in error.statuses] == ["CONFIGURATION_ERROR"]  # type: ignore[union-attr]
    assert error.reply.hresult == E_INVALIDARG
    assert error.reply.kind == pb.MX_COMMAND_KIND_WRITE
    for part in ("write: MXAccess refused", "0x80070057", "Value does not fall within the expected range"):
        assert part in str(error)
    assert len(str(error).splitlines()) == 1
    assert not error.outcome_unknown
    assert gateway.writes == ()


async def test_a_refusal_without_words_is_a_line_too(gateway: SimulatedGateway, session: Session) -> None:
    gateway.faults.fail_next("ping", protocol_status=pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE, details="")
    with pytest.raises(MxAccessError, match=r"^ping: MXAccess refused: no reason given$") as caught:
        await session.ping()
    assert caught.value.hresult is None


# Outcome unknown.


async def test_a_write_whose_reply_is_lost_is_unknown_not_failed(gateway: SimulatedGateway, session: Session) -> None:
    server = await session.register("errors")
    await session.subscribe_bulk(server, ["TestChildObject.TestInt"])
    await anext(session.stream_events())
    gateway.faults.lose_next_reply("write")
    with pytest.raises(MxGatewayTransportError, match="outcome unknown: write") as caught:
        await session.write(server, 1, 7)
    assert caught.value.outcome_unknown
    assert [call.request.command.kind for call in gateway.calls if call.rpc == "Invoke"].count(
        pb.MX_COMMAND_KIND_WRITE
    ) == 1


async def test_a_lost_reply_of_a_command_that_changes_nothing_is_not_unknown(
    gateway: SimulatedGateway, session: Session
) -> None:
    gateway.faults.lose_next_reply("register")
    with pytest.raises(MxGatewayTransportError) as caught:
        await session.register("errors")
    assert not caught.value.outcome_unknown


async def test_a_write_that_found_no_gateway_has_not_happened() -> None:
    async with SimulatedGateway(plaintext=True) as gateway:
        client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True)
        session = await client.open_session()
    # Nobody is there any more.
    async with client:
        await seen_gone(session)
        with pytest.raises(MxGatewayTransportError, match="not connected; nothing was sent") as caught:
            await session.write(1, 1, 7)
    assert not caught.value.outcome_unknown


async def seen_gone(session: Session) -> None:
    """Calls until gRPC itself has noticed that there is no gateway."""
    async with asyncio.timeout(30):
        while True:
            try:
                await session.ping()
            except MxGatewayError as error:
                if "no connection: " in str(error):
                    return


async def test_a_server_of_another_kind_is_said_to_be_no_gateway() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(MxGatewayTransportError, match=r"a server for HTTP/1 answers there \(HTTP status 405\)"):
            await GatewayClient.connect(ClientOptions(endpoint=f"127.0.0.1:{port}", plaintext=True))


@pytest.mark.parametrize("mutating", [True, False])
async def test_a_call_whose_client_is_closed_under_it_is_a_transport_error(
    mutating: bool, gateway: SimulatedGateway, client: GatewayClient
) -> None:
    session = await client.open_session()
    gateway.faults.delay("write" if mutating else "ping", 60)
    calls = len(gateway.calls)
    call = asyncio.create_task(session.write(1, 1, 7) if mutating else session.ping())
    await eventually(lambda: len(gateway.calls) > calls, "the call arrives")
    await client.close()
    with pytest.raises(MxGatewayTransportError, match="the client was closed") as caught:
        await call
    assert caught.value.outcome_unknown == mutating


async def test_cancelling_a_call_is_a_cancellation(gateway: SimulatedGateway, session: Session) -> None:
    gateway.faults.delay("ping", 60)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await session.ping()


# Calls on what is closed.


async def test_a_closed_client_makes_no_calls(gateway: SimulatedGateway, client: GatewayClient) -> None:
    session = await client.open_session()
    await client.close()
    calls = len(gateway.calls)
    for attempt in (client.open_session, session.ping, client.galaxy.test_connection):
        with pytest.raises(MxGatewayTransportError, match="the client is closed") as caught:
            await attempt()
        assert caught.value.endpoint == gateway.endpoint
        assert not caught.value.outcome_unknown
    with pytest.raises(MxGatewayTransportError, match="the client is closed"):
        session.stream_events()
    assert len(gateway.calls) == calls


def test_authentication_and_authorization_errors_differ() -> None:
    assert GRPC_ERRORS["UNAUTHENTICATED"] is MxGatewayAuthenticationError
    assert GRPC_ERRORS["PERMISSION_DENIED"] is MxGatewayAuthorizationError


# Copies.


def every_error() -> list[MxGatewayError]:
    status = MxStatus(StatusCategory.OPERATIONAL_ERROR, StatusSource.RESPONDING_LMX, 7, 0, "no", 0, 0)
    known = {
        "endpoint": "host:1",
        "call": "write",
        "grpc_code": "UNAVAILABLE",
        "protocol_status": ProtocolStatusCode.MXACCESS_FAILURE,
        "hresult": E_INVALIDARG,
        "statuses": (status,),
        "reply": pb.MxCommandReply(hresult=5),
        "correlation_id": "c-1",
        "outcome_unknown": True,
    }
    own = {
        MxGatewayCertificateChangedError: {"trusted": "AA", "presented": "BB", "first_seen": "2026"},
        MxGatewayWaitError: {"seen": (1, 2)},
        MxGatewayWriteBlockedError: {"pending": PendingWrite("write", "host:1", "s", "c", (PendingEntry(1, 2),))},
    }
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, MxGatewayError)]
    assert len(kinds) >= 13
    return [kind("what was wrong", **known, **own.get(kind, {})) for kind in kinds]


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
@pytest.mark.parametrize("error", every_error(), ids=lambda error: type(error).__name__)
def test_every_error_is_copied_and_pickled_with_all_it_says(
    error: MxGatewayError, again: Callable[[MxGatewayError], MxGatewayError]
) -> None:
    made = again(error)
    assert type(made) is type(error)
    assert str(made) == str(error)
    assert vars(made) == vars(error)
    assert isinstance(made, Exception)
