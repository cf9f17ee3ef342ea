"""Every rpc and every kind of command of the contract is reached from the prompt, from mxgw-py and from the library.

Their names come from the descriptors, so a new one fails here until each of the three reaches it.
"""

import asyncio
import json
import os
import shlex
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from contract_calls import (
    ALARM,
    BEFORE_CALL,
    BOOL,
    CALLS,
    FIELDS,
    INT,
    KINDS,
    PROGRAM,
    RPCS,
    SHELL,
    TIME,
    arrived,
    fields_of,
    program_line,
)
from library_calls import LIBRARY, Plant

from zb_mom_ww_mxgateway import GatewayClient, Session
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.scripts.executor import LineRun
from zb_mom_ww_mxgateway_shell.state.connection_terms import ConnectionTerms
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    """A permissive gateway with an active alarm."""
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as running:
        running.raise_alarm(ALARM)
        yield running


def test_the_contract_has_its_12_rpcs_and_39_kinds() -> None:
    assert (len(RPCS), len(KINDS)) == (12, 39)


# The prompt.


async def follow(feed: Feed) -> Result:
    return await feed.follow(lambda line: None)


@pytest.mark.parametrize("name", CALLS)
async def test_a_line_of_the_shell_makes_the_call(
    name: str, gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MXGATEWAY_PASSWORD", "secret")
    own = SHELL.get(name)
    lines = own or (*BEFORE_CALL.get(name, ()), f"call {name} {fields_of(name, gateway)}")
    context = Context(all_commands(), interactive=False)
    context.assume_yes = context.has_screen = True
    await context.connect(
        Connection(endpoint=gateway.endpoint, plaintext=True), "plant", terms=ConnectionTerms(open_for_all=True)
    )
    try:
        for line in lines:
            before = len(arrived(gateway))
            (await LineRun(context, line.replace("{endpoint}", gateway.endpoint)).run(follow)).unwrap()
        assert name in arrived(gateway)[before:]
    finally:
        while context.connections:
            await context.disconnect()


# The library.


@pytest.fixture
async def plant(gateway: SimulatedGateway) -> AsyncIterator[Plant]:
    async with (
        await GatewayClient.connect(endpoint=gateway.endpoint, plaintext=True) as client,
        await client.open_session() as session,
    ):
        server = await session.register("x")
        results = await session.subscribe_bulk(server, [INT, BOOL])
        async with session.stream_events() as events:
            for _ in results:
                await anext(events)
        await session.authenticate_user(server, "operator", "secret")
        yield Plant(client, session, server, [each.item_handle for each in results], str(gateway.alarms[0].guid))


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_of_the_library_makes_the_call(name: str, gateway: SimulatedGateway, plant: Plant) -> None:
    before = len(arrived(gateway))
    made = await LIBRARY[name](plant)
    assert name in arrived(gateway)[before:]
    if isinstance(made, Session):
        await made.close()


# mxgw-py.

NOT_IN_PROGRAM: Mapping[str, str] = {
    "QueryActiveAlarms": "stream-alarms prints the active alarms first",
    "GetLastDeployTime": "galaxy-deploy-events prints the last deployment first",
}


def test_what_mxgw_py_does_not_reach_has_a_reason_and_nothing_else_has() -> None:
    reached = {*PROGRAM, *FIELDS}
    assert not reached & set(NOT_IN_PROGRAM)
    assert reached | set(NOT_IN_PROGRAM) == set(CALLS)


async def test_a_command_of_mxgw_py_makes_each_call(gateway: SimulatedGateway, plant: Plant, tmp_path: Path) -> None:
    stamped = tmp_path / "entries.jsonl"
    stamped.write_text(json.dumps({"item_handle": 1, "type": "int32", "value": 5, "timestamp": TIME}) + "\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MXGATEWAY_")}
    environment |= {"MXGATEWAY_ENDPOINT": gateway.endpoint, "MXGATEWAY_PASSWORD": "secret"}
    # One process for all of them. It is connecting that makes the first; the last ones end what others need.
    names = [name for name in CALLS if name not in NOT_IN_PROGRAM]
    names.sort(key=lambda name: (name != "TestConnection", name in ("unregister", "shutdown_worker", "CloseSession")))
    batch = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "zb_mom_ww_mxgateway_cli", "batch", "--plaintext"),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    assert batch.stdin is not None
    assert batch.stdout is not None
    not_made = {}
    try:
        for name in names:
            words = [
                word.replace("{session}", plant.session.session_id).replace("{stamped}", str(stamped))
                for word in program_line(name, gateway)
            ]
            before = len(arrived(gateway))
            batch.stdin.write(f"{shlex.join(words)}\n".encode())
            async with asyncio.timeout(60):
                answer = await batch.stdout.readuntil(b"__MXGW_BATCH_EOR__\n")
            if name not in arrived(gateway)[before:]:
                not_made[name] = answer.decode()
        batch.stdin.close()
        assert await batch.wait() == 0
    finally:
        if batch.returncode is None:
            batch.kill()
            await batch.wait()
    assert not_made == {}
