"""Trust: what is verified against what, what is remembered, and what a connection that cannot be says."""

import asyncio
import json
import os
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from library_certificates import serve_certificate
from library_relay import Relay, listener
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    AlarmFeed,
    GatewayClient,
    KnownGateways,
    LiveSession,
    MxGatewayArgumentError,
    MxGatewayAuthenticationError,
    MxGatewayCertificateChangedError,
    MxGatewayTransportError,
    WriteOutcome,
)
from zb_mom_ww_mxgateway.transport.tls import default_known_gateways, seen_now
from zb_mom_ww_mxgateway_sim import SimulatedGateway


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[SimulatedGateway]:
    """A gateway with TLS and a certificate it made itself."""
    async with SimulatedGateway(certificate_directory=tmp_path / "certificate") as running:
        yield running


async def connect(gateway: SimulatedGateway, known: Path, **options: Any) -> GatewayClient:
    names = {"endpoint": gateway.endpoint, "api_key": gateway.api_key, "known_gateways": known} | options
    return await GatewayClient.connect(**names)


def entries(known: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in known.read_text(encoding="utf-8").splitlines()]


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def is_missing(path: Path) -> bool:
    return not path.exists()


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# Trust on first use.


async def test_the_first_certificate_is_trusted_and_remembered(secure: SimulatedGateway, known_gateways: Path) -> None:
    async with await connect(secure, known_gateways) as client:
        assert client.trust.is_first_use
        assert await client.galaxy.test_connection()
    (entry,) = entries(known_gateways)
    assert entry["endpoint"] == secure.endpoint
    assert entry["sha256"] == secure.fingerprint_sha256
    assert entry["server_name"] == "localhost"
    assert set(entry) == {"endpoint", "sha256", "first_seen", "server_name", "certificate"}
    assert entry["first_seen"].endswith("+00:00")


async def test_a_remembered_certificate_is_used_without_a_probe(secure: SimulatedGateway, known_gateways: Path) -> None:
    async with Relay(secure.endpoint) as relay:
        first = await connect(secure, known_gateways, endpoint=relay.endpoint)
        await first.close()
        # One connection to look at the certificate, one to use it.
        assert relay.connections == 2
        second = await connect(secure, known_gateways, endpoint=relay.endpoint)
        await second.close()
        assert relay.connections == 3
    assert not second.trust.is_first_use
    assert second.trust.known == first.trust.known
    assert len(entries(known_gateways)) == 1


async def test_endpoints_are_remembered_each_for_itself(secure: SimulatedGateway, known_gateways: Path) -> None:
    port = secure.endpoint.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", "127.0.0.1"):
        await (await connect(secure, known_gateways, endpoint=f"{host}:{port}")).close()
    assert [entry["endpoint"] for entry in entries(known_gateways)] == [f"127.0.0.1:{port}", f"localhost:{port}"]


async def test_a_changed_certificate_is_refused_and_the_key_not_sent(
    secure: SimulatedGateway, known_gateways: Path
) -> None:
    await (await connect(secure, known_gateways)).close()
    trusted = secure.fingerprint_sha256
    await secure.swap_certificate()
    calls = len(secure.calls)
    with pytest.raises(MxGatewayCertificateChangedError) as caught:
        await connect(secure, known_gateways)
    error = caught.value
    assert (error.trusted, error.presented) == (trusted, secure.fingerprint_sha256)
    assert error.first_seen == entries(known_gateways)[0]["first_seen"]
    for part in (secure.endpoint, error.trusted, error.presented, error.first_seen[:10], "Nothing was sent", "trust"):
        assert part in str(error)
    assert len(str(error).splitlines()) == 1
    assert len(secure.calls) == calls
    # And again: a refusal is not a first use.
    with pytest.raises(MxGatewayCertificateChangedError):
        await connect(secure, known_gateways)
    assert len(entries(known_gateways)) == 1


async def test_a_new_certificate_counts_once_it_is_remembered(secure: SimulatedGateway, known_gateways: Path) -> None:
    await (await connect(secure, known_gateways)).close()
    await secure.swap_certificate()
    KnownGateways(known_gateways).remember(await seen_now(secure.endpoint, 5))
    async with await connect(secure, known_gateways) as client:
        assert not client.trust.is_first_use
        assert client.trust.known
        assert client.trust.known.sha256 == secure.fingerprint_sha256
    assert len(entries(known_gateways)) == 2


async def test_a_certificate_that_changes_while_connected_is_refused_too(
    secure: SimulatedGateway, known_gateways: Path
) -> None:
    async with await connect(secure, known_gateways) as client:
        await secure.swap_certificate()
        calls = len(secure.calls)
        with pytest.raises(MxGatewayTransportError):
            await client.open_session()
        assert len(secure.calls) == calls


async def test_a_live_session_goes_on_once_the_new_certificate_is_remembered(
    secure: SimulatedGateway, known_gateways: Path
) -> None:
    async with (
        await connect(secure, known_gateways) as client,
        LiveSession(await client.open_session()) as live,
        AlarmFeed(client) as alarms,
    ):
        await live.ready()
        await live.read(["Plant.Tank1.LevelSP"])
        session = live.session.session_id
        await secure.swap_certificate()
        # Nobody has had it remembered: no call arrives.
        await eventually(lambda: live.lost and "not the trusted one" in str(live.lost), "its refusal")
        calls = len(secure.calls)
        await eventually(lambda: live.resumes > 2, "several attempts")
        assert len(secure.calls) == calls
        KnownGateways(known_gateways).remember(await seen_now(secure.endpoint, 5))
        await live.ready()
        assert (await live.write("Plant.Tank1.LevelSP", 61.0)).outcome is WriteOutcome.COMPLETED
        assert live.session.session_id == session
        await eventually(lambda: alarms.lost_at is None, "the alarms")
        assert client.trust.known
        assert client.trust.known.sha256 == secure.fingerprint_sha256


async def test_memory_can_be_turned_off(secure: SimulatedGateway, known_gateways: Path) -> None:
    async with Relay(secure.endpoint) as relay:
        for used in (2, 4):
            options = {"endpoint": relay.endpoint, "remember_certificate": False}
            async with await connect(secure, known_gateways, **options) as client:
                assert client.trust.is_first_use
            assert relay.connections == used
    await secure.swap_certificate()
    await (await connect(secure, known_gateways, remember_certificate=False)).close()
    assert is_missing(known_gateways)


async def test_without_memory_a_remembered_certificate_is_not_looked_at(
    secure: SimulatedGateway, known_gateways: Path
) -> None:
    await (await connect(secure, known_gateways)).close()
    await secure.swap_certificate()
    await (await connect(secure, known_gateways, remember_certificate=False)).close()
    assert len(entries(known_gateways)) == 1


async def test_a_gateway_that_refuses_the_key_is_remembered_too(secure: SimulatedGateway, known_gateways: Path) -> None:
    # A key went there: the next one goes to the same gateway or to none.
    with pytest.raises(MxGatewayAuthenticationError, match="does not accept the key"):
        await connect(secure, known_gateways, api_key="mxgw_demo_wrong")
    assert [entry["sha256"] for entry in entries(known_gateways)] == [secure.fingerprint_sha256]
    await secure.swap_certificate()
    with pytest.raises(MxGatewayCertificateChangedError):
        await connect(secure, known_gateways)


async def test_the_users_own_file_is_the_default(secure: SimulatedGateway, tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("where it is depends on the platform")
    assert default_known_gateways() == tmp_path / "config" / "mxgw" / "known_gateways"
    await (await GatewayClient.connect(endpoint=secure.endpoint, api_key=secure.api_key)).close()
    (entry,) = entries(default_known_gateways())
    assert entry["sha256"] == secure.fingerprint_sha256


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions")
async def test_the_file_is_its_owners_only(secure: SimulatedGateway, known_gateways: Path) -> None:
    old = os.umask(0)
    try:
        await (await connect(secure, known_gateways)).close()
    finally:
        os.umask(old)
    assert permissions(known_gateways) == 0o600


async def test_a_file_that_cannot_be_written_is_an_error_and_leaves_nothing_open(
    secure: SimulatedGateway, tmp_path: Path
) -> None:
    write(tmp_path / "file", b"")
    with pytest.raises(MxGatewayTransportError, match="cannot re") as caught:
        await connect(secure, tmp_path / "file" / "known_gateways")
    assert caught.value.endpoint == secure.endpoint


# A damaged file.

GOOD = {"endpoint": "other:1", "sha256": "AA", "first_seen": "2026-01-01T00:00:00+00:00", "server_name": "localhost"}


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "{}",
        "[]",
        "7",
        '{"endpoint": "other:1"',
        json.dumps(GOOD),
        json.dumps(GOOD | {"certificate": "not base64"}),
        json.dumps(GOOD | {"certificate": 7}),
        json.dumps(GOOD | {"certificate": None}),
        json.dumps(GOOD | {"certificate": "AAAA", "more": 1}),
        "\x00\x01",
    ],
)
async def test_a_damaged_line_is_an_error_that_names_it(
    line: str, secure: SimulatedGateway, known_gateways: Path
) -> None:
    good = json.dumps(GOOD | {"certificate": "AAAA"})
    write(known_gateways, f"{good}\n\n{line}\n{good}\n".encode())
    with pytest.raises(MxGatewayTransportError) as caught:
        await connect(secure, known_gateways)
    assert f"{known_gateways}:3:" in str(caught.value)
    assert caught.value.endpoint == secure.endpoint
    assert secure.calls == ()


async def test_a_file_that_is_not_text_is_an_error(secure: SimulatedGateway, known_gateways: Path) -> None:
    write(known_gateways, b"\xff\xfe\x00")
    with pytest.raises(MxGatewayTransportError, match="cannot read") as caught:
        await connect(secure, known_gateways)
    assert str(known_gateways) in str(caught.value)


async def test_a_remembered_certificate_that_is_none_cannot_be_used(
    secure: SimulatedGateway, known_gateways: Path
) -> None:
    entry = GOOD | {"endpoint": secure.endpoint, "certificate": "AAAA"}
    write(known_gateways, json.dumps(entry).encode())
    with pytest.raises(MxGatewayTransportError, match=secure.endpoint):
        await connect(secure, known_gateways, connect_timeout=5)
    assert secure.calls == ()


def test_the_last_entry_of_an_endpoint_counts(known_gateways: Path) -> None:
    lines = [
        GOOD | {"certificate": "AAAA", "endpoint": endpoint, "sha256": sha256}
        for endpoint, sha256 in (("a:1", "old"), ("b:1", "other"), ("a:1", "new"))
    ]
    known_gateways.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    known = KnownGateways(known_gateways)
    found = [known.get(endpoint) for endpoint in ("a:1", "b:1", "c:1")]
    assert [entry and entry.sha256 for entry in found] == ["new", "other", None]


def test_an_entry_appended_to_an_unterminated_line_starts_a_new_line(known_gateways: Path) -> None:
    first = GOOD | {"certificate": "AAAA"}
    known_gateways.write_text(json.dumps(first), encoding="utf-8")
    known = KnownGateways(known_gateways)
    entry = known.get("other:1")
    assert entry
    known.remember(entry)
    assert known.get("other:1") == entry
    assert len(entries(known_gateways)) == 2


def test_no_file_is_no_entries(known_gateways: Path) -> None:
    assert KnownGateways(known_gateways).get("localhost:5000") is None


# Verification.


async def test_a_ca_file_verifies_without_a_probe(secure: SimulatedGateway, tmp_path: Path) -> None:
    ca_file = tmp_path / "roots.pem"
    write(ca_file, (secure.certificate_pem or "").encode())
    async with Relay(secure.endpoint) as relay:
        async with await connect(secure, tmp_path / "known", endpoint=relay.endpoint, ca_file=ca_file) as client:
            assert await client.galaxy.test_connection()
        assert relay.connections == 1
    assert is_missing(tmp_path / "known")


async def test_a_plants_own_authority_verifies(tmp_path: Path, known_gateways: Path) -> None:
    root = serve_certificate(tmp_path / "served", dns=["localhost"], addresses=["127.0.0.1"], from_authority=True)
    async with SimulatedGateway(certificate_directory=tmp_path / "served") as gateway:
        await (await connect(gateway, known_gateways, ca_file=root)).close()


async def test_another_ca_file_does_not(secure: SimulatedGateway, tmp_path: Path, known_gateways: Path) -> None:
    other = serve_certificate(tmp_path / "other", dns=["localhost"])
    with pytest.raises(MxGatewayTransportError, match="does not verify against") as caught:
        await connect(secure, known_gateways, ca_file=other)
    for part in (secure.endpoint, str(other), secure.fingerprint_sha256 or ""):
        assert part in str(caught.value)
    assert secure.calls == ()


@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file"), ("", "no PEM"), ("not a certificate", "no PEM"), ("ü", "no PEM")]
)
async def test_a_ca_file_that_is_none_is_refused(
    content: str | None, said: str, secure: SimulatedGateway, tmp_path: Path
) -> None:
    ca_file = tmp_path / "roots.pem"
    if content is not None:
        write(ca_file, content.encode())
    with pytest.raises(MxGatewayArgumentError, match=said) as caught:
        await connect(secure, tmp_path / "known", ca_file=ca_file)
    assert str(ca_file) in str(caught.value)
    assert secure.calls == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a named pipe is what this takes")
async def test_a_pipe_is_no_ca_file_and_is_not_waited_for(secure: SimulatedGateway, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MxGatewayArgumentError, match="pipe: it is no regular file"):
        await connect(secure, tmp_path / "known", ca_file=tmp_path / "pipe")


async def test_a_self_signed_certificate_does_not_validate(secure: SimulatedGateway, known_gateways: Path) -> None:
    with pytest.raises(MxGatewayTransportError, match="system's roots") as caught:
        await connect(secure, known_gateways, require_certificate_validation=True)
    assert secure.endpoint in str(caught.value)
    assert secure.fingerprint_sha256 in str(caught.value)
    assert secure.calls == ()
    assert is_missing(known_gateways)


@pytest.mark.skipif(sys.platform != "linux", reason="where the system's roots are depends on the platform")
async def test_the_systems_roots_verify(tmp_path: Path, known_gateways: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = serve_certificate(tmp_path / "served", addresses=["127.0.0.1"], from_authority=True)
    # This machine's administrator has installed the plant's own authority.
    monkeypatch.setenv("SSL_CERT_FILE", str(root))
    async with SimulatedGateway(certificate_directory=tmp_path / "served") as gateway:
        await (await connect(gateway, known_gateways, require_certificate_validation=True)).close()


# Names.


async def test_a_name_can_be_expected_instead_of_the_hosts(tmp_path: Path, known_gateways: Path) -> None:
    root = serve_certificate(tmp_path / "served", dns=["gateway.plant.example"])
    async with SimulatedGateway(certificate_directory=tmp_path / "served") as gateway:
        named = {"ca_file": root, "server_name_override": "gateway.plant.example"}
        await (await connect(gateway, known_gateways, **named)).close()
        calls = len(gateway.calls)
        for wrong in ({"ca_file": root}, {"ca_file": root, "server_name_override": "elsewhere.example"}):
            with pytest.raises(MxGatewayTransportError, match="server_name_override"):
                await connect(gateway, known_gateways, **wrong)
        assert len(gateway.calls) == calls


async def test_the_expected_name_counts_on_first_use_too(secure: SimulatedGateway, known_gateways: Path) -> None:
    with pytest.raises(MxGatewayTransportError, match=secure.endpoint):
        await connect(secure, known_gateways, server_name_override="elsewhere.example")
    assert secure.calls == ()
    assert is_missing(known_gateways)
    async with await connect(secure, known_gateways, server_name_override="localhost") as client:
        assert client.trust.server_name == "localhost"


@pytest.mark.parametrize(
    ("served", "expected"),
    [
        ({"dns": ["localhost", "node"]}, "localhost"),
        ({"dns": ["node", "localhost"]}, "localhost"),
        ({"dns": ["node.plant.example", "other"]}, "node.plant.example"),
        ({"dns": ["node"], "addresses": ["127.0.0.1"]}, "127.0.0.1"),
        ({"addresses": ["10.1.2.3"]}, "10.1.2.3"),
        ({"dns": ["*.plant.example"]}, "gateway.plant.example"),
        ({"common_name": "node7"}, "node7"),
        ({"dns": ["localhost"], "from_authority": True}, "localhost"),
        ({"dns": ["node"], "from_authority": True}, "node"),
    ],
)
async def test_first_use_expects_a_name_that_the_certificate_carries(
    served: dict[str, Any], expected: str, tmp_path: Path, known_gateways: Path
) -> None:
    serve_certificate(tmp_path / "served", **served)
    async with SimulatedGateway(certificate_directory=tmp_path / "served") as gateway:
        async with await connect(gateway, known_gateways) as client:
            assert client.trust.server_name == expected
        async with await connect(gateway, known_gateways) as client:
            assert not client.trust.is_first_use


async def test_a_certificate_of_the_wrong_date_is_refused_in_words(tmp_path: Path, known_gateways: Path) -> None:
    serve_certificate(tmp_path / "served", dns=["localhost"], began_days_ago=-1)
    async with SimulatedGateway(certificate_directory=tmp_path / "served") as gateway:
        with pytest.raises(MxGatewayTransportError, match="not yet valid") as caught:
            await connect(gateway, known_gateways)
        assert gateway.endpoint in str(caught.value)
        assert gateway.calls == ()
    assert is_missing(known_gateways)


# Connections that cannot be.


async def test_plaintext_against_tls_says_so(secure: SimulatedGateway, known_gateways: Path) -> None:
    with pytest.raises(MxGatewayTransportError, match=r"it speaks TLS; connect without plaintext=True") as caught:
        await connect(secure, known_gateways, plaintext=True)
    assert (caught.value.endpoint, secure.endpoint in str(caught.value)) == (secure.endpoint, True)
    assert secure.calls == ()


async def test_tls_against_plaintext_says_so(gateway: SimulatedGateway, known_gateways: Path) -> None:
    with pytest.raises(MxGatewayTransportError, match=r"no TLS there; .*plaintext=True") as caught:
        await connect(gateway, known_gateways)
    assert (caught.value.endpoint, gateway.endpoint in str(caught.value)) == (gateway.endpoint, True)
    assert is_missing(known_gateways)


async def test_tls_that_was_remembered_against_plaintext_says_so(tmp_path: Path, known_gateways: Path) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path / "served") as gateway:
        await (await connect(gateway, known_gateways)).close()
        port = int(gateway.endpoint.rpartition(":")[2])
    async with SimulatedGateway(port=port, plaintext=True) as gateway:
        with pytest.raises(MxGatewayTransportError, match="no TLS there"):
            await connect(gateway, known_gateways)
        assert gateway.calls == ()


@pytest.mark.parametrize("plaintext", [True, False])
async def test_nothing_listening_says_so(plaintext: bool, known_gateways: Path) -> None:
    async with SimulatedGateway(plaintext=True) as gone:
        endpoint = gone.endpoint
    with pytest.raises(MxGatewayTransportError, match="nothing listens there") as caught:
        await GatewayClient.connect(endpoint=endpoint, plaintext=plaintext, known_gateways=known_gateways)
    assert (caught.value.endpoint, caught.value.call, endpoint in str(caught.value)) == (endpoint, "connect", True)


@pytest.mark.parametrize("plaintext", [True, False])
async def test_a_host_that_cannot_be_resolved_says_so(plaintext: bool, known_gateways: Path) -> None:
    endpoint = "no-such-host.invalid:5000"
    with pytest.raises(MxGatewayTransportError, match=r"no-such-host\.invalid cannot be resolved") as caught:
        await GatewayClient.connect(endpoint=endpoint, plaintext=plaintext, known_gateways=known_gateways)
    assert endpoint in str(caught.value)


@pytest.mark.parametrize("plaintext", [True, False])
async def test_a_listener_that_never_answers_ends_in_time(plaintext: bool, known_gateways: Path) -> None:
    async with listener(None) as endpoint, asyncio.timeout(30):
        with pytest.raises(MxGatewayTransportError, match=r"no answer within 0\.3 s") as caught:
            await GatewayClient.connect(
                endpoint=endpoint, plaintext=plaintext, known_gateways=known_gateways, connect_timeout=0.3
            )
    assert endpoint in str(caught.value)


async def test_a_gateway_that_is_reached_and_gives_no_answer_is_told_from_one_that_is_not() -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        gateway.faults.stall("TestConnection")
        with pytest.raises(MxGatewayTransportError, match=r"it is reached, and gave no answer within 3 s; its galaxy"):
            await GatewayClient.connect(endpoint=gateway.endpoint, plaintext=True, connect_timeout=3)


@pytest.mark.parametrize("plaintext", [True, False])
async def test_a_remembered_gateway_that_never_answers_ends_in_time(
    plaintext: bool, secure: SimulatedGateway, known_gateways: Path
) -> None:
    await (await connect(secure, known_gateways)).close()
    async with listener(None) as endpoint:
        entry = entries(known_gateways)[0] | {"endpoint": endpoint}
        write(known_gateways, json.dumps(entry).encode())
        with pytest.raises(MxGatewayTransportError, match=r"no answer within 0\.3 s"):
            await GatewayClient.connect(
                endpoint=endpoint, plaintext=plaintext, known_gateways=known_gateways, connect_timeout=0.3
            )


@pytest.mark.parametrize("plaintext", [True, False])
@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", b""])
async def test_something_else_that_listens_is_a_transport_error(
    answer: bytes, plaintext: bool, known_gateways: Path
) -> None:
    async with listener(answer) as endpoint:
        with pytest.raises(MxGatewayTransportError) as caught:
            await GatewayClient.connect(endpoint=endpoint, plaintext=plaintext, known_gateways=known_gateways)
    assert endpoint in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


async def test_cancelling_a_connect_is_a_cancellation(known_gateways: Path) -> None:
    async with listener(None) as endpoint:
        connecting = asyncio.create_task(
            GatewayClient.connect(endpoint=endpoint, known_gateways=known_gateways, connect_timeout=0.5)
        )
        await asyncio.sleep(0)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting


async def test_an_address_that_does_not_answer_leaves_the_others_their_time(
    secure: SimulatedGateway, known_gateways: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, _, port = secure.endpoint.rpartition(":")
    loop = asyncio.get_running_loop()
    open_connection = asyncio.open_connection
    tried: list[str] = []

    async def two_addresses(*arguments: Any, **names: Any) -> list[Any]:
        return [(0, 0, 0, "", (address, int(port))) for address in ("192.0.2.1", "192.0.2.1", host)]

    async def first_hangs(address: str, *arguments: Any, **names: Any) -> Any:
        tried.append(address)
        if address == "192.0.2.1":
            # An address that swallows what is sent to it, which no network here has for sure.
            await asyncio.Event().wait()
        return await open_connection(address, *arguments, **names)

    monkeypatch.setattr(loop, "getaddrinfo", two_addresses)
    monkeypatch.setattr(asyncio, "open_connection", first_hangs)
    known = await seen_now(f"gateway.plant:{port}", 20)
    assert known.sha256 == secure.fingerprint_sha256
    assert tried == ["192.0.2.1", host]
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("connecting")]
