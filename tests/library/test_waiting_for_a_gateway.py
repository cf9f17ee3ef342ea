"""``connect(wait=…)``: a gateway that is not up yet, and what is no reason to wait."""

import asyncio
import socket
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from zb_mom_ww_mxgateway import (
    ClientObserver,
    ClientOptionNames,
    ClientOptions,
    GatewayClient,
    MxGatewayArgumentError,
    MxGatewayAuthenticationError,
    MxGatewayCertificateChangedError,
    MxGatewayTransportError,
    WriteGuard,
)
from zb_mom_ww_mxgateway_sim import SimulatedGateway

LONG = 600.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_gateway_that_comes_up_later_is_waited_for() -> None:
    port = free_port()
    connecting = asyncio.create_task(
        GatewayClient.connect(f"127.0.0.1:{port}", plaintext=True, connect_timeout=1.0, wait=LONG)
    )
    with pytest.raises(MxGatewayTransportError):
        await GatewayClient.connect(f"127.0.0.1:{port}", plaintext=True)
    assert not connecting.done()
    async with SimulatedGateway(plaintext=True, api_keys=(), port=port):
        async with asyncio.timeout(30):
            client = await connecting
        assert await client.galaxy.test_connection()
        await client.close()


async def test_a_gateway_that_does_not_come_up_is_an_error_when_the_time_is_over() -> None:
    with pytest.raises(MxGatewayTransportError) as raised:
        await GatewayClient.connect(f"127.0.0.1:{free_port()}", plaintext=True, wait=0.5)
    assert "cannot connect" in str(raised.value) or "no connection" in str(raised.value)


async def test_a_refused_key_is_reported_without_waiting(gateway: SimulatedGateway) -> None:
    async with asyncio.timeout(30):
        with pytest.raises(MxGatewayAuthenticationError):
            await GatewayClient.connect(gateway.endpoint, api_key="mxgw_plant_wr0ng", plaintext=True, wait=LONG)


async def test_a_changed_gateway_is_reported_without_waiting(known_gateways: Path) -> None:
    async with SimulatedGateway(api_keys=()) as gateway, asyncio.timeout(45):
        with pytest.raises(MxGatewayTransportError, match="speaks TLS"):
            await GatewayClient.connect(gateway.endpoint, plaintext=True, wait=LONG)
        first = await GatewayClient.connect(gateway.endpoint, known_gateways=known_gateways)
        await first.close()
        await gateway.swap_certificate()
        with pytest.raises(MxGatewayCertificateChangedError):
            await GatewayClient.connect(gateway.endpoint, known_gateways=known_gateways, wait=LONG)


@pytest.mark.parametrize("wrong", [-1, True, "60", 1e9])
async def test_a_wait_that_cannot_be_is_refused(gateway: SimulatedGateway, wrong: Any) -> None:
    with pytest.raises(MxGatewayArgumentError, match="wait must be seconds"):
        await GatewayClient.connect(gateway.endpoint, plaintext=True, wait=wrong)


def test_the_names_that_connect_takes_are_those_of_the_options() -> None:
    names = {"ClientObserver": ClientObserver, "WriteGuard": WriteGuard}
    assert get_type_hints(ClientOptionNames, localns=names) == get_type_hints(ClientOptions, localns=names)
