"""Brokers by TLS, with passwords: what they are given, and what a wrong one never gets."""

import asyncio
import json
from pathlib import Path

import pytest
from cli_process import Run
from forward_brokers import mqtt_broker, nats_broker, needs_mosquitto, needs_nats, stream_of

from zb_mom_ww_mxgateway_sim import SimulatedGateway
from zb_mom_ww_mxgateway_sim.net.certificate import renew

ITEM = "TestChildObject.TestInt"
PASSWORD = "s3cret-of-the-broker"


def certificate(folder: Path) -> tuple[str, str]:
    """A certificate of localhost, which is its own root, and its key."""
    made = renew(folder)
    (folder / "broker.pem").write_bytes(made.certificate_pem)
    (folder / "broker.key").write_bytes(made.key_pem)
    return str(folder / "broker.pem"), str(folder / "broker.key")


def forward(url: str, *more: str) -> list[str]:
    return ["forward", "--plaintext", "--to", url, "--name", "f1", "--count", "1", *more, ITEM]


@needs_nats
async def test_nats_with_tls_and_a_password(gateway: SimulatedGateway, mxgw_py: Run, tmp_path: Path) -> None:
    root, key = certificate(tmp_path)
    access = ["--user", "plant", "--pass", PASSWORD]
    user = ["--broker-user", "plant", "--broker-password-env", "PLANT"]
    async with nats_broker(tmp_path, *access) as broker, stream_of(broker, user="plant", password=PASSWORD):
        ran = await mxgw_py(*forward(f"nats://127.0.0.1:{broker.port}", *user), PLANT=PASSWORD)
        assert ran.code == 0
        ran = await mxgw_py(*forward(f"nats://127.0.0.1:{broker.port}", *user, "--debug"), PLANT="wr0ng-password")
        assert (ran.code, "Authorization Violation" in ran.err) == (3, True)
        assert "wr0ng-password" not in ran.err + ran.out
        ran = await mxgw_py(*forward(f"tls://127.0.0.1:{broker.port}", *user, "--for", "3s"), PLANT=PASSWORD)
        assert (ran.code, "the broker does not demand TLS" in ran.out) == (1, True)
        await broker.kill()
        tls = ["--tls", "--tlscert", root, "--tlskey", key]
        (tmp_path / "second").mkdir()
        async with nats_broker(tmp_path / "second", *tls) as secure:
            ran = await mxgw_py(*forward(f"tls://localhost:{secure.port}", "--broker-ca-file", root))
            # It is trusted, and has no stream.
            assert (ran.code, "no stream of JetStream" in ran.err) == (3, True)
            ran = await mxgw_py(*forward(f"tls://localhost:{secure.port}", "--for", "3s"))
            assert (ran.code, "certificate verify failed" in ran.out) == (1, True)


async def test_a_server_of_nats_without_tls_gets_nothing(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    """nats-py itself would send it the password in the clear."""
    got = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"INFO " + json.dumps({"max_payload": 1048576, "auth_required": True}).encode() + b"\r\n")
        got.extend(await reader.read())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        user = ["--broker-user", "plant", "--broker-password-env", "PLANT", "--for", "3s"]
        ran = await mxgw_py(*forward(f"tls://127.0.0.1:{port}", *user), PLANT=PASSWORD)
    assert (ran.code, "the broker does not demand TLS" in ran.out) == (1, True)
    assert bytes(got) == b""


@needs_mosquitto
@pytest.mark.parametrize("is_trusted", [True, False])
async def test_mqtt_with_tls(gateway: SimulatedGateway, mxgw_py: Run, tmp_path: Path, is_trusted: bool) -> None:
    root, key = certificate(tmp_path)
    async with mqtt_broker(tmp_path, f"certfile {root}", f"keyfile {key}") as broker:
        more = ["--broker-ca-file", root] if is_trusted else ["--for", "3s"]
        ran = await mxgw_py(*forward(f"mqtts://localhost:{broker.port}", *more))
    if is_trusted:
        assert (ran.code, "1 event forwarded" in ran.out) == (0, True)
    else:
        assert (ran.code, "its certificate is not trusted" in ran.out) == (1, True)
