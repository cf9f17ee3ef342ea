"""A simulated gateway in the test's own loop, and ``mxgw-py`` as a process that talks to it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import prepared_programs
import pytest
from cli_process import DEADLINE, KEY, STARTED, Drive, Driver, Open, Ran, Run, Start, checked, until
from cli_schemas import check_output
from settings_of_the_user import programs_environment

from zb_mom_ww_mxgateway import GatewayClient
from zb_mom_ww_mxgateway_sim import SimulatedGateway


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """No settings but the test's own: the user's key and remembered certificates stay out of it."""
    return programs_environment(tmp_path) | {"MXGATEWAY_API_KEY": KEY.text}


@pytest.fixture
async def start(environment: dict[str, str]) -> AsyncIterator[Start]:
    """Starts ``mxgw-py``; whatever still runs at the end of the test is killed."""
    started: list[asyncio.subprocess.Process] = []

    async def start(
        *arguments: str,
        stdin: int = asyncio.subprocess.DEVNULL,
        stdout: int = asyncio.subprocess.PIPE,
        **settings: str | None,
    ) -> asyncio.subprocess.Process:
        env = {name: value for name, value in (environment | settings).items() if value is not None}
        process = await prepared_programs.start(
            "zb_mom_ww_mxgateway_cli", arguments, environment=env, folder=Path.cwd(), stdin=stdin, stdout=stdout
        )
        started.append(process)
        STARTED[process] = arguments
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.fixture
def mxgw_py(environment: dict[str, str]) -> Run:
    """Runs ``mxgw-py`` to its end. Whatever it says, it never says the key."""

    async def run(*arguments: str, **settings: str | None) -> Ran:
        env = {name: value for name, value in (environment | settings).items() if value is not None}
        async with asyncio.timeout(DEADLINE):
            code, out, err = await prepared_programs.ended(
                "zb_mom_ww_mxgateway_cli", arguments, environment=env, folder=Path.cwd(), stdin=None
            )
        check_output(arguments, out.decode())
        return checked(Ran(code, out.decode(), err.decode()))

    return run


@pytest.fixture
def drive(start: Start) -> Drive:
    """Starts batches."""

    async def drive(*arguments: str, **settings: str | None) -> Driver:
        return Driver(await start("batch", *arguments, stdin=asyncio.subprocess.PIPE, **settings))

    return drive


@pytest.fixture
async def opened(gateway: SimulatedGateway) -> AsyncIterator[Open]:
    """A session that another program has opened, advised and streamed."""
    async with (
        await GatewayClient.connect(endpoint=gateway.endpoint, api_key=KEY.text, plaintext=True) as client,
        await client.open_session() as session,
    ):
        server = await session.register("test")
        item = await session.add_item(server, "TestChildObject.TestInt")
        async with session.stream_events() as stream:
            await session.advise(server, item)
            await anext(stream)
        await until(lambda: gateway.open_streams == 0)
        yield Open(session, server, item)


@pytest.fixture
async def gateway(environment: dict[str, str]) -> AsyncIterator[SimulatedGateway]:
    """A plaintext gateway that ``mxgw-py --plaintext`` finds through its environment."""
    # A session of a test waits for programs: on a busy machine longer than a gateway would keep one without a stream.
    async with SimulatedGateway(plaintext=True, api_keys=[KEY], lease=7200, detach_grace=3600) as gateway:
        environment["MXGATEWAY_ENDPOINT"] = gateway.endpoint
        yield gateway
