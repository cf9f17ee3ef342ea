"""Options: what is accepted, what contradicts itself, and what becomes of them on a channel."""

import dataclasses
import socket
import sys
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from hypothesis import given, strategies as st

from zb_mom_ww_mxgateway import (
    ClientOptions,
    GatewayClient,
    MxGatewayArgumentError,
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    OpenSessionOptions,
)
from zb_mom_ww_mxgateway.options import split_endpoint
from zb_mom_ww_mxgateway.transport.channels import channel_options, make_channel
from zb_mom_ww_mxgateway.transport.tls import Trust
from zb_mom_ww_mxgateway.version import __version__
from zb_mom_ww_mxgateway_sim import SimulatedGateway

ENDPOINT = "localhost:5000"
PLAINTEXT = Trust(None, plaintext=True)

# Endpoints.


@pytest.mark.parametrize(
    ("endpoint", "host", "port"),
    [
        ("localhost:5000", "localhost", 5000),
        ("gateway.plant.example:443", "gateway.plant.example", 443),
        ("GR-NODE_1:1", "GR-NODE_1", 1),
        ("10.0.0.7:65535", "10.0.0.7", 65535),
        ("[::1]:5000", "::1", 5000),
        ("[2001:DB8::0007]:5000", "2001:db8::7", 5000),
    ],
)
def test_an_endpoint_is_host_and_port(endpoint: str, host: str, port: int) -> None:
    assert split_endpoint(endpoint) == (host, port)
    assert ClientOptions(endpoint=endpoint).endpoint == endpoint


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("", "host:port expected"),
        ("localhost", "host:port expected"),
        ("localhost:", "host:port expected"),
        (":5000", "not a host name"),
        ("localhost:0", "host:port expected"),
        ("localhost:65536", "host:port expected"),
        ("localhost:-1", "host:port expected"),
        ("localhost:5e3", "host:port expected"),
        ("localhost:\u0665\u0660", "host:port expected"),
        ("localhost:²", "host:port expected"),
        (" localhost:5000", "not a host name"),
        ("local host:5000", "not a host name"),
        ("localhost:5000 ", "host:port expected"),
        ("localhost:5000\n", "host:port expected"),
        ("-host:5000", "not a host name"),
        ("user@host:5000", "not a host name"),
        ("http://localhost:5000", "without a scheme"),
        ("https://localhost:5000/", "without a scheme"),
        ("localhost:5000/path", "host:port expected"),
        ("::1:5000", "in brackets"),
        ("[::1]", "host:port expected"),
        ("[localhost]:5000", "not an IPv6 address"),
        ("[1.2.3.4]:5000", "not an IPv6 address"),
        ("a,b:5000", "not a host name"),
        ("host..:5000", "not a host name"),
        ("a..b:5000", "not a host name"),
        pytest.param(f"{'a' * 64}.b:5000", "not a host name", id="a part of 64 letters"),
        pytest.param(f"localhost:{'9' * 5000}", "endpoint", id="a port of 5,000 digits"),
        (5000, "not int"),
        (None, "not NoneType"),
    ],
)
def test_anything_else_is_refused_with_what_was_expected(endpoint: Any, said: str) -> None:
    with pytest.raises(MxGatewayArgumentError, match=said):
        split_endpoint(endpoint)
    with pytest.raises(MxGatewayArgumentError, match=said):
        ClientOptions(endpoint=endpoint)


@given(st.text(max_size=30))
def test_an_endpoint_is_taken_or_refused_never_anything_else(endpoint: str) -> None:
    try:
        host, port = split_endpoint(endpoint)
    except MxGatewayArgumentError:
        return
    assert host
    assert 1 <= port <= 65535


@pytest.mark.skipif(sys.platform == "win32", reason="needs a Unix socket")
async def test_a_host_is_never_taken_for_a_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # To gRPC a bare unix:5000 is the socket of that name in the working directory.
    monkeypatch.chdir(tmp_path)
    server = grpc.aio.server()
    server.add_insecure_port("unix:5000")
    await server.start()
    try:
        with pytest.raises(MxGatewayTransportError, match="unix:5000: the host name unix cannot be resolved"):
            await GatewayClient.connect(endpoint="unix:5000", plaintext=True, connect_timeout=5)
    finally:
        await server.stop(None)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="needs IPv6")
async def test_an_ipv6_endpoint_is_reached() -> None:
    async with SimulatedGateway(host="::1", plaintext=True) as gateway:
        assert gateway.endpoint.startswith("[::1]:")
        client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True)
        await client.close()


# Contradictions.


@pytest.mark.parametrize(
    "options",
    [
        {"plaintext": True, "ca_file": "roots.pem"},
        {"plaintext": True, "require_certificate_validation": True},
        {"plaintext": True, "server_name_override": "localhost"},
        {"ca_file": "roots.pem", "require_certificate_validation": True},
        {"plaintext": 1},
        {"plaintext": "no"},
        {"http_proxy": None},
        {"remember_certificate": "yes"},
        {"connect_timeout": 0},
        {"connect_timeout": -1},
        {"connect_timeout": float("inf")},
        {"connect_timeout": float("nan")},
        {"connect_timeout": "10"},
        {"connect_timeout": True},
        {"call_timeout": 0.0},
        {"call_timeout": 86_401},
        {"max_message_bytes": 0},
        {"max_message_bytes": 1e6},
        {"max_message_bytes": True},
    ],
)
def test_options_that_cannot_be_right_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(MxGatewayArgumentError) as caught:
        ClientOptions(endpoint=ENDPOINT, **options)
    assert all(name in str(caught.value) for name in options)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "options",
    [{"client_session_name": None}, {"command_timeout": 0}, {"command_timeout": -5}, {"command_timeout": "30"}],
)
def test_session_options_that_cannot_be_right_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(MxGatewayArgumentError, match=next(iter(options))):
        OpenSessionOptions(**options)


def test_options_are_frozen() -> None:
    options = ClientOptions(endpoint=ENDPOINT)
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.plaintext = True  # type: ignore[misc]


def test_options_are_keywords_only() -> None:
    with pytest.raises(TypeError):
        ClientOptions(ENDPOINT)  # type: ignore[misc]


@pytest.mark.parametrize("endpoint", ["localhost:5000", "127.0.0.1:5000", "[::1]:5000"])
def test_plaintext_is_never_guessed_from_the_host(endpoint: str) -> None:
    options = ClientOptions(endpoint=endpoint)
    assert not options.plaintext
    assert options.trust_on_first_use


def test_a_repr_shows_what_was_chosen_only() -> None:
    assert repr(ClientOptions(endpoint=ENDPOINT)) == "ClientOptions(endpoint='localhost:5000')"
    shown = repr(ClientOptions(endpoint=ENDPOINT, plaintext=True, connect_timeout=3))
    assert shown == "ClientOptions(endpoint='localhost:5000', plaintext=True, connect_timeout=3)"


async def test_options_are_an_object_or_keywords_not_both(gateway: SimulatedGateway) -> None:
    options = ClientOptions(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True)
    async with await GatewayClient.connect(options) as client:
        assert client.options is options
    with pytest.raises(MxGatewayArgumentError, match="twice"):
        await GatewayClient.connect(options, connect_timeout=3)


# Channels.


def test_the_options_of_a_plaintext_channel() -> None:
    options = ClientOptions(endpoint=ENDPOINT, plaintext=True, max_message_bytes=2048)
    assert dict(channel_options(options, PLAINTEXT)) == {
        "grpc.max_send_message_length": 2048,
        "grpc.max_receive_message_length": 2048,
        "grpc.enable_http_proxy": 0,
        "grpc.enable_retries": 0,
        "grpc.keepalive_time_ms": 300_000,
        "grpc.use_local_subchannel_pool": 1,
        "grpc.initial_reconnect_backoff_ms": 200,
        "grpc.max_reconnect_backoff_ms": 2_000,
        "grpc.client_idle_timeout_ms": 2**31 - 1,
        "grpc.primary_user_agent": f"mxgw/{__version__}",
    }


def test_the_options_of_a_tls_channel_add_the_expected_name() -> None:
    options = ClientOptions(endpoint=ENDPOINT, http_proxy=True)
    plain = dict(channel_options(options, PLAINTEXT))
    secure = dict(channel_options(options, Trust(b"roots", "localhost")))
    assert secure == plain | {"grpc.ssl_target_name_override": "localhost"}
    assert secure["grpc.enable_http_proxy"] == 1
    assert secure["grpc.max_receive_message_length"] == 16 * 1024 * 1024


def test_without_an_expected_name_the_name_of_the_endpoint_is_expected() -> None:
    options = ClientOptions(endpoint=ENDPOINT)
    assert "grpc.ssl_target_name_override" not in dict(channel_options(options, Trust(b"roots")))


async def ask(channel: grpc.aio.Channel) -> grpc.StatusCode:
    """The status of a first call on a bare channel; closes it."""
    async with channel:
        call = channel.unary_unary("/galaxy_repository.v1.GalaxyRepository/TestConnection")(b"", timeout=10)
        return await call.code()


async def test_a_plaintext_channel_reaches_a_plaintext_gateway(gateway: SimulatedGateway) -> None:
    options = ClientOptions(endpoint=gateway.endpoint, plaintext=True)
    assert await ask(make_channel(options, PLAINTEXT)) is grpc.StatusCode.UNAUTHENTICATED


async def test_a_tls_channel_needs_roots_and_a_name_that_fit(tmp_path: Path) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path) as gateway:
        options = ClientOptions(endpoint=gateway.endpoint)
        roots = (gateway.certificate_pem or "").encode()
        assert await ask(make_channel(options, Trust(roots))) is grpc.StatusCode.UNAUTHENTICATED
        assert await ask(make_channel(options, Trust(roots, "localhost"))) is grpc.StatusCode.UNAUTHENTICATED
        assert await ask(make_channel(options, Trust(roots, "elsewhere"))) is grpc.StatusCode.UNAVAILABLE
        assert await ask(make_channel(options, Trust(None))) is grpc.StatusCode.UNAVAILABLE
        assert await ask(make_channel(options, PLAINTEXT)) is grpc.StatusCode.UNAVAILABLE


async def test_a_proxy_of_the_environment_is_obeyed_only_when_asked(
    gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "no_grpc_proxy", "grpc_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    # Nothing listens there.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    options = ClientOptions(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True, connect_timeout=3)
    await (await GatewayClient.connect(options)).close()
    with pytest.raises(MxGatewayTransportError):
        await GatewayClient.connect(dataclasses.replace(options, http_proxy=True))


async def test_a_message_above_the_limit_is_an_error_not_a_hang(gateway: SimulatedGateway) -> None:
    options = ClientOptions(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True, max_message_bytes=1024)
    async with await GatewayClient.connect(options) as client:
        with pytest.raises(MxGatewayError, match="larger than max"):
            [item async for item in client.galaxy.discover()]


async def test_a_write_too_large_to_send_is_known_not_to_have_happened(gateway: SimulatedGateway) -> None:
    options = ClientOptions(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True, max_message_bytes=2048)
    async with await GatewayClient.connect(options) as client, await client.open_session() as session:
        server = await session.register("options")
        item = await session.add_item(server, "TestChildObject.TestString")
        calls = len(gateway.calls)
        with pytest.raises(MxGatewayError, match="larger than max") as caught:
            await session.write(server, item, "x" * 4096)
        assert not caught.value.outcome_unknown
        assert len(gateway.calls) == calls


async def test_session_options_reach_the_gateway(gateway: SimulatedGateway, client: GatewayClient) -> None:
    options = OpenSessionOptions(client_session_name="line 7", command_timeout=2.5)
    async with await client.open_session(options) as session:
        assert session.info.default_command_timeout == 2.5
        assert gateway.sessions[session.session_id].client_name == "line 7"
    request = next(call.request for call in gateway.calls if call.rpc == "OpenSession")
    assert request.command_timeout.ToNanoseconds() == 2_500_000_000
    assert request.client_correlation_id


async def test_without_session_options_the_gateways_own_time_out_applies(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    async with await client.open_session() as session:
        assert session.info.default_command_timeout == 30.0
    request = next(call.request for call in gateway.calls if call.rpc == "OpenSession")
    assert not request.HasField("command_timeout")


async def test_a_call_that_takes_too_long_ends_with_the_clients_own_time_out(gateway: SimulatedGateway) -> None:
    options = ClientOptions(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True, call_timeout=0.1)
    async with await GatewayClient.connect(options) as client:
        gateway.faults.delay("OpenSession", 60)
        with pytest.raises(MxGatewayError, match="DEADLINE_EXCEEDED") as caught:
            await client.open_session()
        assert not isinstance(caught.value, MxGatewaySessionError)
