"""Brokers by TLS, with passwords: what they are given, and what a wrong one never gets."""

import asyncio
import json
from pathlib import Path

import pytest
from cli_process import Run
from forward_brokers import mqtt_broker, nats_broker, needs_mosquitto, needs_nats, stream_of

from zb_mom_ww_mxgateway_cli.forward.broker import BrokerLostError, BrokerRefusedError
from zb_mom_ww_mxgateway_cli.forward.broker_connections import connect
from zb_mom_ww_mxgateway_cli.forward.destination import Access, destination_of
from zb_mom_ww_mxgateway_sim import SimulatedGateway
from zb_mom_ww_mxgateway_sim.net.certificate import renew

PASSWORD = "s3cret-of-the-broker"


def certificate(folder: Path) -> tuple[str, str]:
    """A certificate of localhost, which is its own root, and its key."""
    made = renew(folder)
    (folder / "broker.pem").write_bytes(made.certificate_pem)
    (folder / "broker.key").write_bytes(made.key_pem)
    return str(folder / "broker.pem"), str(folder / "broker.key")


async def connected(url: str, access: Access | None = None) -> None:
    """Connect as a forwarder does, and leave."""
    destination = destination_of((url,), access or Access())
    connection = await connect(destination, "mxgw-f1", destination.addresses[0], lambda: None)
    assert not connection.lost
    await connection.aclose()


@needs_nats
async def test_the_password_of_nats_comes_from_the_environment_and_is_shown_nowhere(
    gateway: SimulatedGateway, mxgw_py: Run, tmp_path: Path
) -> None:
    user = ["--broker-user", "plant", "--broker-password-env", "PLANT", "--count", "1", "TestChildObject.TestInt"]
    broker = nats_broker(tmp_path, "--user", "plant", "--pass", PASSWORD)
    to = ["forward", "--plaintext", "--to", f"nats://127.0.0.1:{broker.port}"]
    async with broker, stream_of(broker, user="plant", password=PASSWORD):
        assert (await mxgw_py(*to, *user, PLANT=PASSWORD)).code == 0
        ran = await mxgw_py(*to, *user, "--debug", PLANT="wr0ng-password")
        assert (ran.code, "Authorization Violation" in ran.err) == (3, True)
        assert "wr0ng-password" not in ran.err + ran.out
        with pytest.raises(BrokerLostError, match="does not demand TLS"):
            await connected(f"tls://127.0.0.1:{broker.port}", Access("plant", PASSWORD))


@needs_nats
async def test_a_token_of_nats(tmp_path: Path) -> None:
    async with nats_broker(tmp_path, "--auth", PASSWORD) as broker:
        await connected(f"nats://127.0.0.1:{broker.port}", Access(password=PASSWORD))
        with pytest.raises(BrokerRefusedError):
            await connected(f"nats://127.0.0.1:{broker.port}")


@needs_nats
async def test_nats_with_tls_is_verified(tmp_path: Path) -> None:
    root, key = certificate(tmp_path)
    async with nats_broker(tmp_path, "--tls", "--tlscert", root, "--tlskey", key) as broker:
        await connected(f"tls://localhost:{broker.port}", Access(ca_file=root))
        with pytest.raises(BrokerLostError, match="certificate verify failed"):
            await connected(f"tls://localhost:{broker.port}")


async def test_a_server_of_nats_without_tls_gets_nothing() -> None:
    """nats-py itself would send it the password in the clear."""
    got = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"INFO " + json.dumps({"max_payload": 1048576, "auth_required": True}).encode() + b"\r\n")
        got.extend(await reader.read())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(BrokerLostError, match="does not demand TLS"):
            await connected(f"tls://127.0.0.1:{port}", Access("plant", PASSWORD))
    assert bytes(got) == b""


# paho-mqtt leaves the socket of a handshake that fails to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@needs_mosquitto
async def test_mqtt_with_tls_is_verified(tmp_path: Path) -> None:
    root, key = certificate(tmp_path)
    async with mqtt_broker(tmp_path, f"certfile {root}", f"keyfile {key}") as broker:
        await connected(f"mqtts://localhost:{broker.port}", Access(ca_file=root))
        with pytest.raises(BrokerLostError, match="its certificate is not trusted"):
            await connected(f"mqtts://localhost:{broker.port}")


async def test_a_port_without_a_broker_is_told() -> None:
    for scheme in ("nats", "mqtt"):
        with pytest.raises(BrokerLostError, match=r"refused|Connect call failed"):
            await connected(f"{scheme}://127.0.0.1:1")
