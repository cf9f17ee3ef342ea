"""The gateway's own calls at the prompt: ping, session, galaxy, drain-events, shutdown-worker, call, attach; items."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shell_lines import connected, follow, result_of, run, text_of
from shell_process import ShellProcess
from shell_terminal import shell

from zb_mom_ww_mxgateway import (
    GatewayClient,
    LiveSession,
    MxAccessError,
    MxGatewaySessionError,
    MxGatewayWriteBlockedError,
)
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.output.results import Table
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, BOOL = "TestChildObject.TestInt", "TestChildObject.TestBool"


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(plaintext=True, api_keys=()) as made:
        yield made


@pytest.fixture
async def context(gateway: SimulatedGateway) -> AsyncIterator[Context]:
    async with connected(gateway) as made:
        yield made


async def test_ping_names_the_session(context: Context) -> None:
    assert f"{context.session.session_id} answered after" in await text_of(context, "ping")


async def test_session_shows_what_the_gateway_says(context: Context) -> None:
    text = await text_of(context, "session")
    assert f"{context.session.session_id}, READY at the gateway, ready here" in text
    assert "gateway 3, worker 1" in text
    form = (await result_of(context, "session")).form()
    assert (form["state"], form["gateway_protocol_version"]) == ("READY", 3)
    assert form["worker"]["worker_process_id"] > 0


async def test_galaxy_tells_a_copy_from_the_database(context: Context, gateway: SimulatedGateway) -> None:
    text = await text_of(context, "galaxy")
    assert "database    answers" in text
    assert "attributes, says the gateway" in text
    assert "catalogue   not read" in text  # A run reads none.
    form = (await result_of(context, "galaxy")).form()
    assert form["objects"] > 10
    assert form["attributes"] > 100
    assert form["catalogue"] == {"attributes": 0, "is_whole": False, "kept_in": None, "objects": 0}
    gateway.faults.lose_galaxy()
    form = (await result_of(context, "galaxy")).form()
    assert form["database_answers"] is False
    assert "may be a copy" in await text_of(context, "galaxy")


async def test_call_sends_any_command_and_shows_the_reply(context: Context, gateway: SimulatedGateway) -> None:
    await run(context, "register x", follow)
    text = await text_of(context, f'call add-item {{"server_handle": 1, "item_definition": "{INT}"}}')
    assert json.loads(text)["add_item"] == {"item_handle": 1}
    # The shell follows the handles of raw commands too.
    await run(context, "advise 1", follow)
    await run(context, f"read {INT}", follow)
    text = await text_of(context, 'call write {"server_handle": 1, "item_handle": 1, "value": {"int32_value": 5}}')
    assert json.loads(text)["protocol_status"]["code"] == "PROTOCOL_STATUS_CODE_OK"
    await run(context, f"wait {INT} = 5 timeout 10s", follow)
    assert [(write.tag, write.value) for write in gateway.writes] == [(INT, 5)]


async def test_a_call_that_writes_passes_the_guard(context: Context, gateway: SimulatedGateway) -> None:
    await run(context, "register x", follow)
    await run(context, f"add-item {INT}", follow)
    await run(context, "disarm", follow)
    with pytest.raises(MxGatewayWriteBlockedError):
        await run(context, 'call write {"server_handle": 1, "item_handle": 1, "value": {"int32_value": 5}}', follow)
    assert not [call for call in gateway.calls if call.rpc == "Invoke" and call.request.command.HasField("write")]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("call frobnicate", "no command kind frobnicate"),
        ("call ad_item {}", "did you mean add_item?"),
        ('call authenticate_user {"verify_user": "bob"}', "a password never stands on a line: login USER"),
        ('call add_item {"tag": 1}', "it takes server_handle, item_definition"),
        ('call add_item {"server_handle": 1, "server_handle": 2}', "stands twice"),
        ('call add_item {"server_handle": 1,}', "not JSON"),
        ('call add_item {"server_handle": 1', "the closing } is missing"),
        ("call add_item 5", "a JSON object is expected"),
        ('call ping {"a": {"b": 1}}x', "a space is missing after the closing }"),
        ("attach demo", "session- and 32 hex digits"),
    ],
)
async def test_a_mistake_in_a_call_is_one_before_it_is_sent(
    context: Context, gateway: SimulatedGateway, line: str, said: str
) -> None:
    before = len(gateway.calls)
    with pytest.raises(InputError, match=said):
        await run(context, line, follow)
    assert len([call for call in gateway.calls if call.rpc == "Invoke"]) <= before


@pytest.mark.parametrize("line", ["drain-events", "shutdown-worker"])
async def test_what_harms_the_session_is_not_done_unasked(tmp_path: Path, gateway: SimulatedGateway, line: str) -> None:
    program = ShellProcess(tmp_path).on(gateway)
    done = await program("--plaintext", "-e", line)
    assert done.code == ExitCode.GUARDED
    kinds = [call.request.command.WhichOneof("payload") for call in gateway.calls if call.rpc == "Invoke"]
    assert line.replace("-", "_") not in kinds
    assert (await program("--plaintext", "--yes", "-e", line)).code == ExitCode.DONE


async def test_a_worker_that_was_shut_down_is_replaced(tmp_path: Path) -> None:
    async with shell(tmp_path) as made:
        await made.terminal.enter(f"add-item {INT}", "nothing is registered")
        await made.terminal.enter("register x", "server 1")
        await made.terminal.enter(f"add-item {INT}", "item 1")
        await made.terminal.enter("shutdown-worker", "[y/N]")
        await made.terminal.enter("y", "was told to end", "1 item added again")


async def test_several_items_go_in_one_call_and_one_refusal_leaves_the_others(
    context: Context, gateway: SimulatedGateway
) -> None:
    await run(context, "register x", follow)
    assert "item 1" in await text_of(context, f"add-item {INT} {BOOL}")
    await run(context, f"advise {INT} {BOOL}", follow)
    kinds = [call.request.command.WhichOneof("payload") for call in gateway.calls if call.rpc == "Invoke"]
    assert (kinds.count("add_item_bulk"), kinds.count("advise_item_bulk"), kinds.count("advise")) == (1, 1, 0)
    await run(context, f"call remove_item {json.dumps({'server_handle': 1, 'item_handle': 2})}", follow)
    with pytest.raises(InputError):
        await run(context, "suspend 2", follow)


async def test_items_show_how_each_is_advised(context: Context) -> None:
    await run(context, "register x", follow)
    await run(context, "add-item TestInt --context TestChildObject", follow)
    await run(context, f"add-buffered {BOOL} --every 250ms", follow)
    await run(context, "advise 1 --supervisory", follow)
    await run(context, "suspend 1", follow)
    result = await result_of(context, "items")
    assert isinstance(result, Table)
    assert [row[2:4] for row in result.rows] == [[INT, "supervisory, suspended"], [BOOL, "no, buffered 250 ms"]]
    records = [(each["supervisory"], each["suspended"], each["buffered"]) for each in result.records]
    assert records == [(True, True, False), (False, False, True)]
    await run(context, "activate 1", follow)
    result = await result_of(context, "items")
    assert isinstance(result, Table)
    assert result.rows[0][3] == "supervisory"


async def test_buffered_samples_come_as_events(context: Context, gateway: SimulatedGateway) -> None:
    await run(context, "register x", follow)
    await run(context, f"add-buffered {INT} --every 100ms", follow)
    await run(context, "advise 1", follow)
    events = await result_of(context, "events --count 1 --family buffered-data-change")
    assert events.form()


async def test_attach_goes_on_with_a_session_and_leaves_it_open(context: Context, gateway: SimulatedGateway) -> None:
    async with await GatewayClient.connect(gateway.endpoint, plaintext=True) as client:
        session = await client.open_session()
        server = await session.register("other")
        await run(context, f"attach {session.session_id}", follow)
        assert context.name == f"plant/{session.session_id[:15]}"
        await run(context, "register mine", follow)
        await run(context, f"write {INT} 7", follow)
        with pytest.raises(ShellError, match="a session of this shell already"):
            await run(context, f"attach {session.session_id}", follow)
        await run(context, "disconnect", follow)
        assert (context.name, list(context.connections)) == ("", ["plant"])
        # Still there, with what its own program registered.
        assert await session.add_item(server, INT) > 0
        await session.close()


async def test_attach_to_a_session_that_is_read_or_is_none_leaves_everything_as_it_was(
    context: Context, gateway: SimulatedGateway
) -> None:
    async with (
        await GatewayClient.connect(gateway.endpoint, plaintext=True) as client,
        await LiveSession.open(client) as live,
    ):
        with pytest.raises((MxGatewaySessionError, ShellError), match=r"subscriber|reads|in use"):
            await run(context, f"attach {live.session.session_id}", follow)
        assert (context.name, live.state.value) == ("plant", "live")
        with pytest.raises(MxGatewaySessionError):
            await run(context, f"attach session-{'0' * 32}", follow)
        assert context.name == "plant"


async def test_a_suspended_item_that_is_not_advised_is_refused_as_mxaccess_says(context: Context) -> None:
    await run(context, "register x", follow)
    await run(context, f"add-item {INT}", follow)
    with pytest.raises(MxAccessError):
        await run(context, "suspend 1", follow)
