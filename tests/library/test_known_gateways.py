"""Certificates that are remembered: one for an endpoint, whoever asks at the same time and however it is spelled."""

import asyncio
import codecs
import json
import os
import shutil
import ssl
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from library_certificates import serve_certificate
from library_waiting import eventually

from zb_mom_ww_mxgateway import GatewayClient, MxGatewayCertificateChangedError, MxGatewayTransportError
from zb_mom_ww_mxgateway.system.file_locks import locked
from zb_mom_ww_mxgateway.transport.known_gateways import KnownGateway, KnownGateways, endpoint_key
from zb_mom_ww_mxgateway.transport.tls import seen_now
from zb_mom_ww_mxgateway_sim import SimulatedGateway
from zb_mom_ww_mxgateway_sim.net.certificate import FILE_NAME

CONNECT = """
import asyncio, sys
from zb_mom_ww_mxgateway import GatewayClient, MxGatewayError
async def main():
    endpoint, key, known = sys.argv[1:]
    try:
        async with await GatewayClient.connect(endpoint=endpoint, api_key=key, known_gateways=known):
            print("connected")
    except MxGatewayError as error:
        print(type(error).__name__)
asyncio.run(main())
"""


async def started(endpoint: str, key: str, known: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CONNECT, endpoint, key, str(known)), stdout=asyncio.subprocess.PIPE
    )


async def said(process: asyncio.subprocess.Process) -> str:
    async with asyncio.timeout(50):
        out, _ = await process.communicate()
    return out.decode().strip()


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def entry(endpoint: str, name: str = "one") -> KnownGateway:
    return KnownGateway(endpoint, name, "2026-01-01T00:00:00+00:00", "localhost", "AAAA")


# One step, between processes.


def test_a_line_that_another_process_is_just_appending_is_waited_for(
    known_gateways: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = json.dumps(asdict(entry("plant:5000")))
    known_gateways.parent.mkdir(parents=True, exist_ok=True)
    known_gateways.write_text(line[:40], encoding="utf-8")
    known_gateways.chmod(0o600)
    memory = KnownGateways(known_gateways)

    @contextmanager
    def locked_until_it_is_whole() -> Iterator[None]:
        known_gateways.write_text(f"{line}\n", encoding="utf-8")
        yield

    monkeypatch.setattr(memory, "_lock", locked_until_it_is_whole)
    assert memory.get("plant:5000") == entry("plant:5000")


async def test_eight_first_connects_at_once_remember_one_line(tmp_path: Path, known_gateways: Path) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path / "certificate") as gateway:
        host, _, port = gateway.endpoint.rpartition(":")
        spellings = [gateway.endpoint, f"{host}:0{port}"] * 4
        processes = [await started(each, gateway.api_key or "", known_gateways) for each in spellings]
        assert [await said(process) for process in processes] == ["connected"] * 8
        assert [each["sha256"] for each in lines(known_gateways)] == [gateway.fingerprint_sha256]


async def test_a_first_connect_that_is_held_up_does_not_trust_what_another_process_has_not(
    tmp_path: Path, known_gateways: Path
) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path / "served") as gateway:
        with locked(known_gateways.with_name(f"{known_gateways.name}.lock"), 10):
            # It has seen the certificate, and waits to decide.
            held_up = await started(gateway.endpoint, gateway.api_key or "", known_gateways)
            await eventually(known_gateways.exists, "the certificate was seen", seconds=40)
            # Meanwhile somebody else has remembered the true one.
            write(known_gateways, json.dumps(asdict(entry(gateway.endpoint))) + "\n")
        assert await said(held_up) == "MxGatewayCertificateChangedError"
        assert [each["sha256"] for each in lines(known_gateways)] == ["one"]
        assert gateway.calls == ()


def test_what_was_remembered_first_counts(known_gateways: Path) -> None:
    known = KnownGateways(known_gateways)
    first = entry("host:5000")
    assert known.first(first) is first
    assert known.first(entry("HOST.:05000", "two")) == first
    assert len(lines(known_gateways)) == 1


def test_a_lock_held_too_long_is_reported(known_gateways: Path) -> None:
    reported = pytest.raises(TimeoutError, match=rf"(process {os.getpid()}|another process) has held ")
    with locked(known_gateways, 1), reported, locked(known_gateways, 0.05):
        pass


def test_a_lock_is_released_whatever_its_holder_raises(known_gateways: Path) -> None:
    with pytest.raises(KeyError), locked(known_gateways, 1):
        raise KeyError
    with locked(known_gateways, 0):
        pass


# One endpoint, one key.


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Gateway.Plant:5000", "gateway.plant:5000"),
        ("gateway.plant.:5000", "gateway.plant:5000"),
        ("127.0.0.1:041545", "127.0.0.1:41545"),
        ("127.1:5000", "127.0.0.1:5000"),
        ("[::1]:5000", "[0:0:0:0:0:0:0:1]:5000"),
        ("[FE80::1]:5000", "[fe80::1]:5000"),
        ("[::ffff:127.0.0.1]:5000", "127.0.0.1:5000"),
    ],
)
def test_spellings_of_one_endpoint_are_one(one: str, other: str, known_gateways: Path) -> None:
    assert endpoint_key(one) == endpoint_key(other)
    known = KnownGateways(known_gateways)
    known.remember(entry(one))
    found = known.get(other)
    assert found
    assert found.sha256 == "one"


@pytest.mark.parametrize("other", ["host:5001", "hosts:5000", "host.plant:5000", "[::1]:5000", "10.0.0.1:5000"])
def test_other_endpoints_are_others(other: str, known_gateways: Path) -> None:
    KnownGateways(known_gateways).remember(entry("host:5000"))
    assert KnownGateways(known_gateways).get(other) is None


async def test_an_impostor_behind_another_spelling_gets_no_key(tmp_path: Path, known_gateways: Path) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path / "certificate") as gateway:
        await (await connect(gateway, known_gateways)).close()
        await gateway.swap_certificate()
        host, _, port = gateway.endpoint.rpartition(":")
        calls = len(gateway.calls)
        for spelled in (f"{host}:0{port}", f"127.1:{port}"):
            with pytest.raises(MxGatewayCertificateChangedError):
                await connect(gateway, known_gateways, endpoint=spelled)
        assert len(gateway.calls) == calls


async def connect(gateway: SimulatedGateway, known: Path, **options: Any) -> GatewayClient:
    names = {"endpoint": gateway.endpoint, "api_key": gateway.api_key, "known_gateways": known} | options
    return await GatewayClient.connect(**names)


# Certificates past their time.


@asynccontextmanager
async def showing(folder: Path, ends: datetime) -> AsyncIterator[str]:
    """A listener that shows a certificate which is valid until then, and says nothing; gives its endpoint."""
    serve_certificate(folder, dns=["localhost"], began_days_ago=10, ends=ends)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / FILE_NAME)
    context.set_alpn_protocols(["h2"])

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.transport.abort()

    server = await asyncio.start_server(met, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_an_expired_certificate_is_reported_as_expired(tmp_path: Path, known_gateways: Path) -> None:
    expired = datetime.now(UTC) - timedelta(days=3)
    said = f"expired on {expired:%Y-%m-%d}"
    names = {"api_key": "mxgw_a_b", "known_gateways": known_gateways}
    async with showing(tmp_path / "served", expired) as endpoint:
        with pytest.raises(MxGatewayTransportError, match=f"{said}.*needs a new one"):
            await GatewayClient.connect(endpoint=endpoint, **names)
        assert not lines(known_gateways)
        KnownGateways(known_gateways).remember(await seen_now(endpoint, 20))
        with pytest.raises(MxGatewayTransportError, match=f"remembered certificate.*{said}.*fingerprint"):
            await GatewayClient.connect(endpoint=endpoint, **names)
    known = KnownGateways(known_gateways).get(endpoint)
    assert known
    async with SimulatedGateway(certificate_directory=tmp_path / "other") as gateway:
        KnownGateways(known_gateways).remember(replace(known, endpoint=gateway.endpoint))
        with pytest.raises(MxGatewayCertificateChangedError, match=f"trusted one {said}.*a new one was due"):
            await connect(gateway, known_gateways)
        assert gateway.calls == ()


# The file.


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_byte_order_mark_is_no_part_of_an_entry(known_gateways: Path, end: str) -> None:
    KnownGateways(known_gateways).remember(entry("host:5000"))
    known_gateways.write_bytes(codecs.BOM_UTF8 + known_gateways.read_bytes().rstrip() + end.encode())
    known = KnownGateways(known_gateways)
    assert known.get("host:5000") == entry("host:5000")
    known.remember(entry("host:5000", "two"))
    assert known.get("host:5000") == entry("host:5000", "two")


def test_utf_16_is_reported_as_utf_16(known_gateways: Path) -> None:
    known_gateways.write_text("{}", encoding="utf-16")
    with pytest.raises(MxGatewayTransportError, match=r"UTF-16.*UTF-8"):
        KnownGateways(known_gateways).get("host:5000")


def test_an_entry_of_a_newer_version_is_refused_without_advice_to_remove_it(known_gateways: Path) -> None:
    KnownGateways(known_gateways).remember(entry("host:5000"))
    newer = lines(known_gateways)[0] | {"revoked": False}
    known_gateways.write_text(json.dumps(newer) + "\n")
    with pytest.raises(MxGatewayTransportError, match=r"newer version.*revoked") as caught:
        KnownGateways(known_gateways).get("host:5000")
    assert "keep it" in str(caught.value)
    assert "remove" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="no such rights there")
def test_whatever_the_umask_folder_and_file_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "config" / "mxgw" / "known_gateways"
    old = os.umask(0)
    try:
        KnownGateways(path).remember(entry("host:5000"))
    finally:
        os.umask(old)
    rights = [stat.S_IMODE(each.stat().st_mode) for each in (path.parent.parent, path.parent, path)]
    assert rights == [0o700, 0o700, 0o600]


@pytest.mark.skipif(sys.platform == "win32", reason="no such rights there")
@pytest.mark.parametrize("which", ["file", "folder"])
async def test_a_file_that_others_may_change_is_refused(tmp_path: Path, which: str) -> None:
    path = tmp_path / "config" / "known_gateways"
    async with SimulatedGateway(certificate_directory=tmp_path / "certificate") as gateway:
        await (await connect(gateway, path)).close()
        wrong = path if which == "file" else path.parent
        wrong.chmod(0o777)
        calls = len(gateway.calls)
        with pytest.raises(MxGatewayTransportError, match=f"others may change {wrong}: chmod go-w"):
            await connect(gateway, path)
        assert len(gateway.calls) == calls
        wrong.chmod(0o700)
        await (await connect(gateway, path)).close()


@pytest.mark.skipif(sys.platform == "win32", reason="no such rights there")
async def test_a_new_file_in_a_folder_that_others_may_change_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    folder.chmod(0o777)
    async with SimulatedGateway(certificate_directory=tmp_path / "certificate") as gateway:
        with pytest.raises(MxGatewayTransportError, match="others may change"):
            await connect(gateway, folder / "known_gateways")
        assert gateway.calls == ()
    shutil.rmtree(folder)
