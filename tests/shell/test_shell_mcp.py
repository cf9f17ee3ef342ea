"""``mxgw-shell mcp``: by the protocol's own client, over standard input and output of a process."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from shell_process import KEY, ShellProcess

from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.mcp.plant_view import PlantView
from zb_mom_ww_mxgateway_shell.mcp.server import TOOLS, checked
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import GatewayKey, NativeType, SimulatedGateway, TagDefinition

HIDDEN = "Plant.Pump1.Speed"
SECRET = "mxgw_pump_c2VjcmV0LXNlY3JldA"


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    tags = (TagDefinition("Plant.Tank1.Recipe", NativeType.STRING, f"the key is {SECRET}"),)
    async with SimulatedGateway(plaintext=True, api_keys=(GatewayKey.parse(KEY),), tags=tags) as made:
        yield made


def server(folder: Path, gateway: SimulatedGateway, shown: str) -> StdioServerParameters:
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
        assert answers["history"]["samples"][0]["quality_word"] == "good"
        assert answers["why"]["healthy"] is True
        assert "try" not in answers["why"]
        assert "the key is" in (await ask("read", tags=["Plant.Tank1.Recipe"]))["readings"][0]["value"]
    assert gateway.mutating_calls == 0
    assert list(gateway.writes) == []


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
        assert await ask("why", tag="Plant.Tank1.Levle") == "the galaxy has no tag Plant.Tank1.Levle"
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
        PlantView(Context({}, interactive=False), None)


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


@pytest.mark.parametrize("ending", ["end of input", "SIGTERM", "SIGINT"])
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
async def test_it_ends_with_its_input_or_by_a_signal(tmp_path: Path, ending: str) -> None:
    process = await ShellProcess(tmp_path).start("mcp", "--demo")
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(60):
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        request = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
        process.stdin.write(json.dumps(request).encode() + b"\n")
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
