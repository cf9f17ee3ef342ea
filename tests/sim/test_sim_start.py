"""Starting and stopping: the port, the certificate that is kept, and what cannot be."""

import asyncio
import hashlib
import os
import socket
import ssl
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from sim_wire import wire

import zb_mom_ww_mxgateway_sim as sim
from zb_mom_ww_mxgateway_sim import CertificateError, ListenError, SimulatedGateway
from zb_mom_ww_mxgateway_sim.net import certificate


async def test_tls_by_default_with_a_self_signed_leaf(tmp_path: Path) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path) as gateway, wire(gateway) as client:
        assert (await client.open()).session_id
        assert gateway.certificate_pem is not None
        presented = x509.load_pem_x509_certificate(gateway.certificate_pem.encode())
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(gateway.certificate_pem)).hexdigest().upper()
        assert gateway.fingerprint_sha256 == ":".join(digest[at : at + 2] for at in range(0, 64, 2))
    assert presented.issuer == presented.subject
    assert presented.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    names = presented.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"localhost", socket.gethostname().lower()} <= set(names.get_values_for_type(x509.DNSName))
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1"), ip_address("::1")]
    assert presented.not_valid_after_utc > datetime.now(UTC) + timedelta(days=3650)


async def test_the_certificate_is_kept_across_runs(tmp_path: Path) -> None:
    prints = []
    for _ in range(2):
        async with SimulatedGateway(certificate_directory=tmp_path) as gateway:
            prints.append(gateway.fingerprint_sha256)
    assert prints[0] == prints[1]


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_only_its_owner_can_read_the_key(tmp_path: Path) -> None:
    certificate.load_or_renew(tmp_path)
    (kept,) = tmp_path.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", ["missing", "corrupt", "other key", "expired"])
def test_a_useless_certificate_is_renewed(tmp_path: Path, damage: str) -> None:
    first = certificate.load_or_renew(tmp_path)
    file = tmp_path / certificate.FILE_NAME
    match damage:
        case "missing":
            file.unlink()
        case "corrupt":
            file.write_bytes(file.read_bytes()[:300])
        case "other key":
            file.write_bytes(certificate.load_or_renew(tmp_path / "other").key_pem + first.certificate_pem)
        case "expired":
            first = certificate.renew(tmp_path, datetime.now(UTC) - timedelta(days=3660))
    second = certificate.load_or_renew(tmp_path)
    assert second.fingerprint_sha256 != first.fingerprint_sha256
    assert certificate.load_or_renew(tmp_path) == second


async def test_a_directory_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    gateway = SimulatedGateway(certificate_directory=in_the_way / "below")
    with pytest.raises(CertificateError, match=r"cannot keep .* choose another directory"):
        await gateway.start()
    await gateway.aclose()


async def test_plaintext_has_no_certificate() -> None:
    async with SimulatedGateway(plaintext=True) as gateway, wire(gateway) as client:
        assert (gateway.fingerprint_sha256, gateway.certificate_pem, gateway.plaintext) == (None, None, True)
        assert (await client.open()).session_id


async def test_a_port_in_use_is_an_error() -> None:
    async with SimulatedGateway(plaintext=True) as first:
        port = int(first.endpoint.rpartition(":")[2])
        second = SimulatedGateway(plaintext=True, port=port)
        with pytest.raises(ListenError, match=f"cannot listen on 127.0.0.1:{port}"):
            await second.start()
        await second.aclose()


async def test_starting_and_closing_twice_is_once() -> None:
    gateway = SimulatedGateway(plaintext=True)
    await gateway.aclose()
    await gateway.start()
    endpoint = gateway.endpoint
    await gateway.start()
    assert gateway.endpoint == endpoint
    await gateway.aclose()
    await gateway.aclose()
    with pytest.raises(RuntimeError, match="make another"):
        await gateway.start()


async def test_the_port_is_free_again_after_closing() -> None:
    async with SimulatedGateway(plaintext=True) as gateway:
        port = int(gateway.endpoint.rpartition(":")[2])
    async with SimulatedGateway(plaintext=True, port=port) as again, wire(again) as client:
        assert (await client.open()).session_id


@pytest.mark.parametrize(
    "wrong",
    [{"overflow_policy": "drop"}, {"event_queue_size": 0}, {"first_change_delay": (8, 3)}, {"generated_tags": -1}],
)
def test_an_argument_out_of_range_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        SimulatedGateway(**wrong)  # type: ignore[arg-type]  # that is what is tested


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"max_sessions": 0}, "max_sessions is 0; use 1 or more"),
        ({"event_queue_size": -1}, "event_queue_size is -1; use 1 or more"),
        ({"generated_tags": -1}, "generated_tags is -1; use 0 or more"),
        ({"session_start_time": -0.5}, "session_start_time is -0.5; use 0 or more"),
        ({"write_complete_delay": float("nan")}, "write_complete_delay is nan; use 0 or more"),
        ({"detach_grace": -1}, "detach_grace is -1; use 0 or more"),
        ({"generated_change_period": 0}, "generated_change_period is 0; use more than 0"),
        ({"lease": 0}, "lease is 0; use more than 0"),
        ({"default_command_timeout": -1}, "default_command_timeout is -1; use more than 0"),
        ({"worker_command_limit": 0}, "worker_command_limit is 0; use more than 0"),
    ],
)
def test_a_limit_that_lets_nothing_through_is_refused_by_its_name(wrong: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^{complaint}$"):
        SimulatedGateway(**wrong)  # type: ignore[arg-type]  # out of range


def test_all_names_are_exported() -> None:
    assert sorted(sim.__all__) == sim.__all__ == dir(sim)
    for name in sim.__all__:
        assert getattr(sim, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = sim.no_such_name


def test_nothing_of_the_library_is_imported_but_messages_and_version() -> None:
    code = (
        "import sys, zb_mom_ww_mxgateway_sim.__main__, zb_mom_ww_mxgateway_sim.gateway\n"
        "print(*sorted(name for name in sys.modules if name.startswith('zb_mom_ww_mxgateway.')))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    # The contract stands on files, settings and errors; nothing of it makes or reads a message.
    below_the_contract = {"contract", "errors", "kept_secrets", "redaction", "status", "system"}
    assert {name.split(".")[1] for name in loaded} == {"generated", "version", *below_the_contract}


async def test_it_can_be_closed_at_any_moment_of_a_restart() -> None:
    # A gRPC server that is stopped while it starts ends the process.
    for turns in range(40):
        gateway = SimulatedGateway(plaintext=True)
        await gateway.start()
        restarting = asyncio.create_task(gateway.restart())
        for _ in range(turns):
            await asyncio.sleep(0)
        await gateway.aclose()
        await restarting


async def test_a_restart_can_be_cancelled_at_any_moment() -> None:
    for turns in range(40):
        async with SimulatedGateway(plaintext=True) as gateway:
            restarting = asyncio.create_task(gateway.restart())
            for _ in range(turns):
                await asyncio.sleep(0)
            restarting.cancel()
            await asyncio.wait([restarting])
