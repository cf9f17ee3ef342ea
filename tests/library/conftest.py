"""Sessions, plain and live, and a gateway that is a process of its own."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from zb_mom_ww_mxgateway import GatewayClient, LiveSession, Session


@pytest.fixture
async def session(client: GatewayClient) -> AsyncIterator[Session]:
    """An open session of `client`."""
    async with await client.open_session() as opened:
        yield opened


@pytest.fixture
async def live(client: GatewayClient) -> AsyncIterator[LiveSession]:
    """A live session of `client`, live already."""
    async with await LiveSession.open(client) as opened:
        await opened.ready()
        yield opened


@dataclass(frozen=True)
class FarGateway:
    """Where a gateway in another process is."""

    endpoint: str
    api_key: str


@contextmanager
def _simulator(*options: str) -> Iterator[FarGateway]:
    command = [sys.executable, "-m", "zb_mom_ww_mxgateway_sim", "--plaintext", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = json.loads(process.stdout.readline())
        try:
            yield FarGateway(said["endpoint"], said["api_key"])
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def far_gateway() -> Iterator[FarGateway]:
    """A simulated gateway in plaintext, none of whose tasks are in the test's own loop."""
    with _simulator() as gateway:
        yield gateway


@pytest.fixture
def busy_gateway() -> Iterator[FarGateway]:
    """As `far_gateway`, but 100 tags change ten times a second each, and its event queue holds 300."""
    with _simulator("--generated-tags", "100", "--change-period", "0.1", "--event-queue", "300") as gateway:
        yield gateway
