"""``mxgw-shell mcp``: by the protocol's own client, over standard input and output of a process."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from shell_process import KEY, ShellProcess

from zb_mom_ww_mxgateway import ActiveAlarm, GatewayClient, MxGatewayTransportError, MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.galaxy import lookup
from zb_mom_ww_mxgateway_shell.mcp.plant_view import PlantView
from zb_mom_ww_mxgateway_shell.mcp.server import TOOLS, checked
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import GatewayKey, NativeType, SimulatedGateway, TagDefinition

if TYPE_CHECKING:
    from mcp import StdioServerParameters

HIDDEN = "Plant.Pump1.Speed"
SECRET = "mxgw_pump_c2VjcmV0LXNlY3JldA"


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    tags = (TagDefinition("Plant.Tank1.Recipe", NativeType.STRING, f"the key is {SECRET}"),)
    async with SimulatedGateway(plaintext=True, api_keys=(GatewayKey.parse(KEY),), tags=tags) as made:
        yield made


def server(folder: Path, gateway: SimulatedGateway, shown: str) -> "StdioServerParameters":
    from mcp import StdioServerParameters

    profiles = folder / "profiles.toml"
    profiles.write_text(
        f'[profiles.plant]\nendpoint = "{gateway.endpoint}"\nplaintext = true\napi_key_env = "PLANT_KEY"\n{shown}\n',
        encoding="utf-8",
    )
    process = ShellProcess(folder)
    process.environment |= {"MXGATEWAY_PROFILES": str(profiles), "PLANT_KEY": KEY}
    arguments = ["-m", "zb_mom_ww_mxgateway_shell", "mcp", "--profile", "plant"]
    return StdioServerParameters(command=sys.executable, args=arguments, env=process.environment, cwd=str(folder))


@asynccontextmanager
async def asking(
    folder: Path, gateway: SimulatedGateway, shown: str = 'mcp = ["Plant.Tank?.*"]'
) -> AsyncIterator[Callable[..., Any]]:
    """Yields a function that asks a tool, and returns its answer; a refusal as text."""
    from mcp import ClientSession
    from mcp.client.stdio import stdio_client

    errors = folder / "stderr"
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        log = stack.enter_context(errors.open("w+", encoding="utf-8"))
        streams = await stack.enter_async_context(stdio_client(server(folder, gateway, shown), errlog=log))
        client = await stack.enter_async_context(ClientSession(*streams))
        await client.initialize()

        async def ask(tool: str, **arguments: object) -> Any:
            answer = await client.call_tool(tool, arguments)
            text = answer.content[0].text
            assert KEY not in text
            assert SECRET not in text
            return text if answer.is_error else json.loads(text)

        ask.client = client  # type: ignore[attr-defined]  # for what is no call of a tool
        yield ask
    assert KEY not in errors.read_text(encoding="utf-8")


async def test_it_looks_and_nothing_that_it_does_reaches_the_plant(tmp_path: Path, gateway: SimulatedGateway) -> None:
    level = "Plant.Tank1.Level"
    async with asking(tmp_path, gateway) as ask:
        tools = (await ask.client.list_tools()).tools
        assert [tool.name for tool in tools] == list(TOOLS)
        assert all(tool.annotations.read_only_hint for tool in tools)
        asked: dict[str, dict[str, object]] = {
            "browse": {"below": "plant.tank1"},
            "find": {"glob": "*.level"},
            "read": {"tags": [level]},
            "history": {"tag": level, "last_seconds": 3600, "count": 5},
            "alarms": {},
            "why": {"tag": level},
        }
        assert set(asked) == set(TOOLS)
        answers = {name: await ask(name, **arguments) for name, arguments in asked.items()}
        nodes = {node["name"]: node for node in answers["browse"]["nodes"]}
        assert nodes[level]["type"] == "Double"
        assert nodes[level]["below"] > 0
        assert answers["find"]["tags"] == [level, "Plant.Tank2.Level"]
        (reading,) = answers["read"]["readings"]
        assert (reading["quality_word"], reading["stale"], reading["unit"]) == ("good", False, "%")
        assert (reading["range_low"], reading["range_high"], reading["alarm_limits"].get("Hi")) == (0.0, 100.0, 80.0)
        assert answers["history"]["samples"][0]["quality_word"] == "good"
        assert answers["why"]["healthy"] is True
        assert "try" not in answers["why"]
        assert "the key is" in (await ask("read", tags=["Plant.Tank1.Recipe"]))["readings"][0]["value"]
    assert gateway.mutating_calls == 0
    assert list(gateway.writes) == []


async def test_a_question_waits_for_a_session_that_is_being_opened(tmp_path: Path, gateway: SimulatedGateway) -> None:
    gateway.faults.delay("ping", 1.0)
    async with asking(tmp_path, gateway) as ask:
        (reading,) = (await ask("read", tags=["Plant.Tank1.Level"]))["readings"]
        assert (reading["quality_word"], reading["stale"]) == ("good", False)
        assert (await ask("why", tag="Plant.Tank1.Level"))["healthy"] is True


async def test_what_may_be_old_says_so(gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANT_KEY", KEY)
    answers: list[dict[str, Any]] = []
    with suppress(MxGatewayTransportError):  # Whether the session is closed may be unknown.
        async with view_of(gateway, "Plant.Tank?.*") as view:
            await view.browse()  # reads the names, which a question needs
            answers += await view.alarms(), await view.history("Plant.Tank1.Level")
            # Nothing tells the client of it: its connections stay open, and are dead.
            gateway.faults.swallow_connections()
            monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANSWER_TIMEOUT", 0.2)
            answers += await view.alarms(), await view.history("Plant.Tank1.Level")
            gateway.faults.kill_connections()
    assert [answer["may_be_old"] for answer in answers] == [False, False, True, True]


async def test_names_that_are_too_many_are_not_left_out_without_a_word(
    gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANT_KEY", KEY)
    async with view_of(gateway, "Plant.Tank?.Level") as view:
        assert (await view.find("*")) == {
            "tags": ["Plant.Tank1.Level", "Plant.Tank2.Level"], "total": 2, "left_out": 0, "incomplete": False,
        }  # fmt: skip
    monkeypatch.setattr("zb_mom_ww_mxgateway_shell.mcp.plant_view._MOST_SEEN", 1)
    async with view_of(gateway, "Plant.Tank?.Level") as view:
        assert (await view.find("level"))["incomplete"] is True
        assert (await view.browse())["incomplete"] is True


async def test_what_is_hidden_looks_like_what_is_not_there(tmp_path: Path, gateway: SimulatedGateway) -> None:
    gateway.raise_alarm("ZB!Plant.Pump1.Fault", description="a hidden fault")
    gateway.raise_alarm("ZB!Plant.Tank1.Leak", severity=7, description="a shown leak")
    async with asking(tmp_path, gateway) as ask:
        for tool in ("why", "history"):
            hidden, absent = await ask(tool, tag=HIDDEN), await ask(tool, tag="Plant.Pump1.Speedy")
            assert hidden == absent.replace("Speedy", "Speed")
            assert "Plant.Tank?.*" in hidden
        hidden, absent, shown = (
            await ask("read", tags=[HIDDEN, "Plant.Pump1.Speedy", "plant.TANK1.level"])
        )["readings"]  # fmt: skip
        assert hidden | {"tag": ""} == absent | {"tag": ""}
        assert "value" not in hidden
        assert shown["quality_word"] == "good"
        # An explanation of a tag that is not there would name similar ones.
        assert await ask("why", tag="Plant.Tank1.Levle") == "Plant.Tank1.Levle: the galaxy has no such tag"
        assert [each["name"] for each in (await ask("browse"))["nodes"]] == ["Plant"]
        assert [each["name"] for each in (await ask("browse", below="Plant"))["nodes"]] == [
            "Plant.Tank1",
            "Plant.Tank2",
        ]
        assert (
            (await ask("browse", below="Plant.Pump1"))["nodes"] == (await ask("browse", below="No.Such"))["nodes"] == []
        )
        assert (await ask("find", glob="pump"))["tags"] == []
        alarms = (await ask("alarms"))["alarms"]
        assert [each["description"] for each in alarms] == ["a shown leak"]


@asynccontextmanager
async def view_of(gateway: SimulatedGateway, *globs: str) -> AsyncIterator[PlantView]:
    """A view in this process."""
    context = Context(all_commands(), interactive=False)
    context.read_only = "an MCP server only looks"
    await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True, api_key_env="PLANT_KEY"), "plant")
    try:
        yield PlantView(context, tuple(map(TagGlob, globs)))
    finally:
        await context.disconnect()


async def test_its_session_refuses_every_write(gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANT_KEY", KEY)
    async with view_of(gateway, "Plant.*") as view:
        live, client = view._context.live_session, view._context.connected.client
        with pytest.raises(MxGatewayWriteBlockedError, match="nothing was sent"):
            await live.write("Plant.Tank1.LevelSP", 5.0)
        with pytest.raises(MxGatewayWriteBlockedError, match="nothing was sent"):
            await client.acknowledge_alarm("ZB!Plant.Tank1.Leak")
    assert gateway.mutating_calls == 0


async def test_another_name_of_a_hidden_tag_shows_nothing(
    gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANT_KEY", KEY)
    real = lookup.locate

    async def as_pump(client: GatewayClient, tag: str) -> lookup.Place:
        """Where MXAccess knows an object by the name of what contains it, too."""
        return await real(client, tag.replace("Plant.Tank1.Pump", "Plant.Pump1"))

    monkeypatch.setattr("zb_mom_ww_mxgateway_shell.mcp.plant_view.locate", as_pump)
    async with view_of(gateway, "Plant.Tank1.*") as view:
        for tag in ("Plant.Tank1.Pump.Speed", "Plant.Tank1.Pump.Speedy"):
            (reading,) = (await view.read([tag]))["readings"]
            assert reading == {"tag": tag, "error": "the galaxy has no such tag"}
            for question in (view.why, view.history):
                with pytest.raises(ShellError, match=f"{tag}: the galaxy has no such tag"):
                    await question(tag)
        (shown,) = (await view.read(["Plant.Tank1.Level"]))["readings"]
        assert shown["quality_word"] == "good"


async def test_why_names_no_other_tag(gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANT_KEY", KEY)
    gateway.set("Plant.Tank1.AlarmInhibit", True)
    async with view_of(gateway, "Plant.Tank1.Level") as view:
        answer = await view.why("Plant.Tank1.Level")
        assert "AlarmInhibit" not in json.dumps(answer)
        assert [each["step"] for each in answer["findings"] if each["step"] == "alarms"] == []


@pytest.mark.parametrize(
    ("reference", "source", "is_shown"),
    [
        ("G!North.Tank1.Level.Hi", "Tank1", True),
        ("G!Tank1.Level.Hi", "tank1", True),
        # The area is no part of a tag: it shows no object that is hidden, and hides none that is shown.
        ("G!Tank1.Hidden.Level.Hi", "Hidden", False),
        ("G!North.Tank2.Level.Hi", "Tank2", False),
        # Of an unknown object.
        ("G!North.Tank1.Level.Hi", "", False),
        ("G!Tank1.Tank1.Level.Hi", "", True),
        ("{7f9f2f9e-52a5-4f0e-9a8b-0d7ce8d0e5b1}", "Tank1", False),
    ],
)
def test_an_alarm_is_shown_where_its_tag_is(reference: str, source: str, is_shown: bool) -> None:
    context = Context(all_commands(), interactive=False)
    context.read_only = "an MCP server only looks"
    names = {each.name: None for each in fields(ActiveAlarm)}
    alarm = ActiveAlarm(**names | {"reference": reference, "source_object": source})  # type: ignore[arg-type]  # the rest
    assert PlantView(context, (TagGlob("Tank1.*"),))._sees_alarm(alarm) is is_shown


async def test_a_deployment_changes_what_is_found(tmp_path: Path, gateway: SimulatedGateway) -> None:
    async with asking(tmp_path, gateway) as ask:
        assert (await ask("find", glob="*.Added"))["total"] == 0
        gateway.faults.redeploy([TagDefinition("Plant.Tank1.Added")])
        while (await ask("find", glob="*.Added"))["tags"] != ["Plant.Tank1.Added"]:  # noqa: ASYNC110  # of a process
            await asyncio.sleep(0.05)


async def test_a_question_that_cannot_be_answered_is_one_line_and_the_server_goes_on(
    tmp_path: Path, gateway: SimulatedGateway
) -> None:
    async with asking(tmp_path, gateway) as ask:
        assert await ask("write", tag="Plant.Tank1.LevelSP") == "no tool write; there are " + ", ".join(TOOLS)
        assert await ask("read") == "read needs the argument tags"
        assert await ask("read", tags="Plant.Tank1.Level") == "read: tags must be of the type array, of texts"
        assert await ask("read", tags=[]) == "0 tags: 1 to 200 can be read at once"
        assert await ask("browse", object="x") == "browse has no argument object; it takes below"
        assert (await ask("find", glob="?")).startswith('"?" names nothing')
        gateway.faults.lose_galaxy()
        for session_id in gateway.live_sessions:
            gateway.faults.lose_session(session_id)
        while not isinstance(answer := await ask("read", tags=["Plant.Tank1.Level"]), dict):  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.05)
        assert answer["readings"][0]["quality_word"] == "good"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("history", {"tag": 1}),
        ("history", {"tag": "a", "count": True}),
        ("history", {"tag": "a", "count": 1.5}),
        ("history", {"tag": "a", "last_seconds": float("inf")}),
        ("read", {"tags": [1]}),
    ],
)
def test_arguments_of_another_type_are_refused(tool: str, arguments: dict[str, object]) -> None:
    with pytest.raises(ShellError, match="must be of the type"):
        checked(tool, arguments)


def test_a_view_is_only_of_what_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(ShellError, match="read-only"):
        PlantView(Context(all_commands(), interactive=False), None)


async def test_a_profile_that_names_nothing_shows_nothing(tmp_path: Path, gateway: SimulatedGateway) -> None:
    parameters = server(tmp_path, gateway, "")
    run = ShellProcess(tmp_path)
    run.environment |= parameters.env or {}
    done = await run("mcp", "--profile", "plant")
    assert (done.code, done.out) == (2, "")
    assert 'mcp = ["Plant.*"]' in done.err
    done = await run("mcp")
    assert (done.code, done.out) == (2, "")
    assert "--profile NAME" in done.err
    parameters = server(tmp_path, gateway, 'mcp = ["*"]')
    done = await run("mcp", "--profile", "plant")
    assert done.code == 2
    assert "names nothing" in done.err


HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
async def test_it_ends_when_nobody_reads_its_answers(tmp_path: Path) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "zb_mom_ww_mxgateway_shell", "mcp", "--demo",
        stdin=asyncio.subprocess.PIPE, stdout=writes, stderr=asyncio.subprocess.PIPE,
        env=ShellProcess(tmp_path).environment,
    )  # fmt: skip
    os.close(writes)
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write(json.dumps(HELLO).encode() + b"\n")
    async with asyncio.timeout(60):
        # Its input stays open.
        err = await process.stderr.read()
        assert await process.wait() == 1
    assert b"standard output was closed before all answers were written" in err
    assert b"internal error" not in err


@pytest.mark.parametrize("ending", ["end of input", "SIGTERM", "SIGINT"])
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
async def test_it_ends_with_its_input_or_by_a_signal(tmp_path: Path, ending: str) -> None:
    process = await ShellProcess(tmp_path).start("mcp", "--demo")
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(60):
        process.stdin.write(json.dumps(HELLO).encode() + b"\n")
        assert json.loads(await process.stdout.readline())["result"]["serverInfo"]["name"] == "mxgw"
        if ending == "end of input":
            process.stdin.close()
        else:
            process.send_signal(signal.Signals[ending])
        out, err = await process.communicate()
        assert process.returncode == (0 if ending == "end of input" else 130)
        assert out == b""
        assert b"Traceback" not in err


async def test_without_the_extra_one_line_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['mcp'] = None\n", encoding="utf-8")
    run = ShellProcess(tmp_path)
    run.environment["PYTHONPATH"] = str(tmp_path)
    done = await run("mcp", "--demo")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        'mxgw-shell: The MCP server needs the extra: pip install "zb-mom-ww-mxaccess-gateway-client[mcp]"'
    ]
