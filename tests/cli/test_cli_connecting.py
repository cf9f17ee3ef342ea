"""What can be wrong with key, port and trust: exit code 4, and one line that names the endpoint and a remedy."""

import asyncio
import pickle
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cli_process import KEY, Run

from zb_mom_ww_mxgateway import MxGatewayTransportError
from zb_mom_ww_mxgateway_console.text.wording import error_text
from zb_mom_ww_mxgateway_sim import SimulatedGateway

SMOKE = ("smoke", "--item", "TestChildObject.TestInt")


@pytest.fixture
async def secure(environment: dict[str, str], tmp_path: Path) -> AsyncIterator[SimulatedGateway]:
    """A gateway with TLS and a certificate of its own making."""
    async with SimulatedGateway(api_keys=[KEY], certificate_directory=tmp_path / "gateway") as gateway:
        environment["MXGATEWAY_ENDPOINT"] = gateway.endpoint
        yield gateway


@pytest.fixture
def nobody() -> str:
    """An endpoint where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


async def refused(mxgw_py: Run, *arguments: str, **settings: str | None) -> str:
    """The one line of a connection that fails, the same with and without --json, and nothing else."""
    ran, json = await asyncio.gather(
        mxgw_py(*SMOKE, *arguments, **settings), mxgw_py(*SMOKE, "--json", *arguments, **settings)
    )
    assert (ran.code, ran.out) == (4, "")
    assert ran.err.startswith("mxgw-py: ")
    assert ran.err.count("\n") == 1
    assert (json.code, json.err) == (4, "")
    (form,) = json.json
    assert form["ok"] is False
    assert form["error"]["exit_code"] == 4
    assert f"mxgw-py: {form['error']['message']}\n" == ran.err
    return ran.err


async def test_a_wrong_key(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    said = await refused(mxgw_py, "--plaintext", MXGATEWAY_API_KEY="mxgw_plant_wr0ng_one")
    assert said == (
        f"mxgw-py: {gateway.endpoint} does not accept the key mxgw_plant_***: "
        f"check that it is whole, not revoked, and this gateway's\n"
    )


async def test_no_key(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    said = await refused(mxgw_py, "--plaintext", MXGATEWAY_API_KEY=None)
    assert f"no key: {gateway.endpoint} wants one" in said
    assert "set MXGATEWAY_API_KEY, or name a source with --api-key-env or --api-key-file" in said


async def test_a_variable_without_a_key(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    said = await refused(mxgw_py, "--plaintext", "--api-key-env", "PLANT_KEY")
    assert said == "mxgw-py: no key: the environment variable PLANT_KEY is not set\n"


async def test_a_file_without_a_key(gateway: SimulatedGateway, mxgw_py: Run, tmp_path: Path) -> None:
    said = await refused(mxgw_py, "--plaintext", "--api-key-file", str(tmp_path / "key"))
    assert "no key: cannot read" in said
    (tmp_path / "key").write_text("")
    said = await refused(mxgw_py, "--plaintext", "--api-key-file", str(tmp_path / "key"))
    assert "the API key is empty" in said


async def test_a_key_that_cannot_be_sent(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    said = await refused(mxgw_py, "--plaintext", MXGATEWAY_API_KEY=f"{KEY.text} ")
    assert "the API key cannot be sent: a space at position" in said
    assert "expected mxgw_<id>_<secret>" in said


async def test_the_key_comes_from_the_source_that_is_named(
    gateway: SimulatedGateway, mxgw_py: Run, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(f"{KEY.text}\n# the plant's\n")
    ran = await mxgw_py(*SMOKE, "--plaintext", "--api-key-file", str(tmp_path / "key"), MXGATEWAY_API_KEY="mxgw_a_b")
    assert ran.code == 0
    named = {"PLANT_KEY": KEY.text, "MXGATEWAY_API_KEY": "mxgw_a_b"}
    ran = await mxgw_py(*SMOKE, "--plaintext", "--api-key-env", "PLANT_KEY", **named)
    assert ran.code == 0


async def test_a_gateway_without_keys_needs_none(mxgw_py: Run) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=[]) as gateway:
        ran = await mxgw_py(*SMOKE, "--plaintext", "--endpoint", gateway.endpoint, MXGATEWAY_API_KEY=None)
        assert ran.code == 0


@pytest.mark.parametrize("plaintext", [[], ["--plaintext"]])
async def test_a_port_without_a_server_is_exit_code_4(plaintext: list[str], nobody: str, mxgw_py: Run) -> None:
    said = await refused(mxgw_py, "--endpoint", nobody, *plaintext)
    assert f"cannot connect to {nobody}: nothing listens there; check that the gateway runs, and the port" in said


@pytest.mark.parametrize("plaintext", [[], ["--plaintext"]])
async def test_a_port_that_never_answers(plaintext: list[str], mxgw_py: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"127.0.0.1:{silent.getsockname()[1]}"
        said = await refused(mxgw_py, "--endpoint", endpoint, "--connect-timeout", "0.3", *plaintext)
    assert f"cannot connect to {endpoint}: no answer within 0.3 s; check the address, the port" in said


async def test_tls_against_plaintext(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    said = await refused(mxgw_py)
    assert f"cannot connect to {gateway.endpoint}: no TLS there" in said
    assert "--plaintext" in said
    assert not gateway.calls


async def test_plaintext_against_tls(secure: SimulatedGateway, mxgw_py: Run) -> None:
    said = await refused(mxgw_py, "--plaintext")
    assert f"cannot connect to {secure.endpoint}: it speaks TLS; connect without --plaintext" in said
    assert not secure.calls


async def test_a_certificate_is_trusted_on_first_use_and_remembered(
    secure: SimulatedGateway, mxgw_py: Run, tmp_path: Path
) -> None:
    first = await mxgw_py(*SMOKE)
    assert first.code == 0
    assert first.err == (
        f"mxgw-py: certificate {secure.fingerprint_sha256} of {secure.endpoint} trusted on first use and remembered\n"
    )
    assert secure.endpoint in (tmp_path / "known_gateways").read_text()
    second = await mxgw_py(*SMOKE)
    assert (second.code, second.err) == (0, "")
    trusted = secure.fingerprint_sha256
    await secure.swap_certificate()
    said = await refused(mxgw_py)
    assert f"the certificate of {secure.endpoint} has changed: trusted {trusted} " in said
    assert f"now {secure.fingerprint_sha256}. Nothing was sent." in said


async def test_a_forgotten_certificate_is_not_remembered(
    secure: SimulatedGateway, mxgw_py: Run, tmp_path: Path
) -> None:
    ran = await mxgw_py(*SMOKE, "--forget-certificate")
    assert (ran.code, ran.err.endswith("trusted on first use\n")) == (0, True)
    ran = await mxgw_py(*SMOKE, "--json", "--known-gateways", str(tmp_path / "other"))
    assert (ran.code, ran.err) == (0, "")
    assert (tmp_path / "other").exists()
    assert not (tmp_path / "known_gateways").exists()


async def test_roots_of_ones_own(secure: SimulatedGateway, mxgw_py: Run, tmp_path: Path) -> None:
    (tmp_path / "roots.pem").write_text(secure.certificate_pem or "")
    ran = await mxgw_py(*SMOKE, "--ca-file", str(tmp_path / "roots.pem"))
    assert (ran.code, ran.err) == (0, "")
    said = await refused(mxgw_py, "--require-certificate-validation")
    assert f"cannot connect to {secure.endpoint}: its certificate" in said
    assert "name its root with --ca-file" in said


async def test_debug_adds_a_traceback_without_the_key(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    # mxgw_py itself asserts that the right key's secret is in no output.
    gateway.faults.revoke(KEY.key_id)
    ran = await mxgw_py(*SMOKE, "--plaintext", "--debug")
    assert ran.code == 4
    first, *more = ran.err.splitlines()
    assert first.startswith(f"mxgw-py: {gateway.endpoint} does not accept the key mxgw_plant_***")
    assert "Traceback (most recent call last):" in more
    ran = await mxgw_py(*SMOKE, "--plaintext", "--debug", "--json")
    assert "Traceback (most recent call last):" in ran.err
    assert ran.json[0]["error"]["exit_code"] == 4


def test_what_an_error_quotes_of_others_is_not_put_in_the_words_of_options() -> None:
    quoted = "no root in /etc/ca_file=plant/plaintext=True"
    assert error_text(MxGatewayTransportError(quoted, endpoint="h:1")) == quoted
    advised = MxGatewayTransportError(
        f"{quoted}; name it with ca_file=", endpoint="h:1", advice="name it with ca_file="
    )
    assert error_text(advised) == f"{quoted}; name it with --ca-file"
    assert error_text(pickle.loads(pickle.dumps(advised))) == error_text(advised)
