"""Arming at the prompt: what it opens, everything that closes it, and that nobody is armed by habit."""

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from shell_lines import follow, run
from shell_process import Runs
from shell_terminal import shell
from shell_waiting import until

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayError, MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway.safety.arming import ArmingRules
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.output.results import Result
from zb_mom_ww_mxgateway_shell.python.namespace import PythonNames
from zb_mom_ww_mxgateway_shell.scripts.connection_news import report_news
from zb_mom_ww_mxgateway_shell.state import profiles
from zb_mom_ww_mxgateway_shell.state.connection_terms import ConnectionTerms
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, TEXT, SP = "TestChildObject.TestInt", "TestChildObject.TestString", "Plant.Tank1.LevelSP"


async def show(result: Result | None) -> None:
    pass


class Armed:
    """A context without a screen on a gateway that has to be armed, and what it tells by itself."""

    def __init__(self, context: Context, gateway: SimulatedGateway) -> None:
        self.context = context
        self.gateway = gateway
        self.told: list[str] = []
        context.set_outputs(lambda text: None, self.told.append)

    async def __call__(self, line: str) -> str:
        result = await run(self.context, line, follow)
        assert result is not None
        return "\n".join(result.lines())

    async def refused(self, line: str) -> str:
        """Why a line is blocked; nothing is sent."""
        before = self.gateway.mutating_calls
        with pytest.raises((MxGatewayWriteBlockedError, ShellError)) as raised:
            await self(line)
        assert self.gateway.mutating_calls == before
        error = raised.value
        assert isinstance(error, MxGatewayWriteBlockedError) or error.exit_code is ExitCode.GUARDED
        return str(error)


@pytest.fixture
async def armed() -> AsyncIterator[Armed]:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "plant")
        made = Armed(context, gateway)
        news = asyncio.create_task(report_news(context, lambda text, is_bad: asyncio.sleep(0)))
        try:
            yield made
        finally:
            news.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await news
            await context.disconnect()


@pytest.fixture
def machine() -> Iterator[clock.SimulatedSleep]:
    made = clock.SimulatedSleep()
    with clock.replaced(made):
        yield made


class Later:
    """The system's clocks, ahead by as much as a test says."""

    def __init__(self) -> None:
        self._system = clock.SimulatedSleep()
        self.ahead = 0.0

    def with_sleep(self) -> float:
        return self._system.with_sleep() + self.ahead

    def without_sleep(self) -> float:
        return self._system.without_sleep() + self.ahead


async def test_a_connection_lets_nothing_through_until_it_is_armed(armed: Armed) -> None:
    for line in (
        f"write {INT} 5",
        "ack ZB!Plant.Tank1.Level.Hi",
        'call acknowledge_alarm_by_name {"alarm_name": "Plant.Tank1.Level.Hi"}',
    ):
        assert "read-only: arm " in await armed.refused(line)
    names = PythonNames(armed.context, follow, show)
    with pytest.raises(MxGatewayWriteBlockedError):
        await names.namespace["live"].write(INT, 5)
    assert armed.gateway.mutating_calls == 0


async def test_what_is_armed_is_open_for_every_way_to_write(armed: Armed) -> None:
    assert await armed("arm TestChildObject.* --reason 'first tests'") == "armed for 10m: TestChildObject.*"
    await armed(f"write {INT} 5")
    item = armed.context.find_item(INT)
    assert item is not None
    names = PythonNames(armed.context, follow, show)
    await names.namespace["live"].write(TEXT, "a")
    await names.namespace["session"].write(*item.key, 6)
    fields = f'"server_handle": {item.server_handle}, "item_handle": {item.item_handle}'
    await armed(f'call write {{{fields}, "value": {{"data_type": "MX_DATA_TYPE_INTEGER", "int32_value": 7}}}}')
    await until(lambda: [each.value for each in armed.gateway.writes] == [5, "a", 6, 7])
    assert f"{SP} is not among the tags that are armed (TestChildObject.*)" in await armed.refused(f"write {SP} 60")
    shown = r"armed TestChildObject\.\* (10:00|9:\d\d)"
    assert re.search(rf"writes      {shown}: first tests\n", await armed("status"))
    assert re.search(shown, await armed("use"))
    assert f"not now: {SP} is not among" in await armed(f"why {SP}")
    assert re.search(f"; {shown}", await armed(f"why {INT}"))


async def test_an_alarm_is_acknowledged_if_its_reference_is_armed(armed: Armed) -> None:
    armed.gateway.raise_alarm("ZB!Plant.Tank1.Level.Hi")
    await armed("arm Plant.Tank2.*")
    assert "is not among the tags that are armed" in await armed.refused("ack ZB!Plant.Tank1.Level.Hi")
    await armed("arm Plant.Tank1.*")
    assert "acknowledged" in await armed("ack ZB!Plant.Tank1.Level.Hi")
    guid = "0f8fad5b-d9cb-469f-a165-70867728950e"
    assert "acknowledge it by its reference" in await armed.refused(
        f'call acknowledge_alarm {{"alarm_guid": "{guid}"}}'
    )


async def test_arm_again_replaces_what_was_armed_and_disarm_ends_it(armed: Armed) -> None:
    await armed(f"arm {INT}")
    said = await armed(f"arm {TEXT} --for 30s")
    assert re.fullmatch(rf"armed for 30s: {TEXT}; it was armed {INT} (10:00|9:\d\d)", said)
    await armed.refused(f"write {INT} 5")
    said = await armed("disarm")
    assert said.startswith(f"read-only: nothing that changes the plant is sent until arm; it was armed {TEXT}")
    assert "read-only, by the command disarm: arm " in await armed.refused(f"write {TEXT} a")
    assert await armed("disarm") == "read-only: nothing that changes the plant is sent until arm"
    assert armed.told == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("arm", "glob is missing: arm <glob>… [--for <duration>] [--reason <text>]"),
        ("arm *", '"*" names nothing'),
        ("arm Plant.* *.*", '"*.*" names nothing'),
        ("arm --for 10m", "glob is missing"),
        ("arm Plant.* --for 9h", "at most 8h: who needs longer arms again"),
        ("arm Plant.* --for 0s", "above zero"),
        ("arm .Level", "a leading dot means the focused object"),
        ('arm Plant.* --reason ""', "text must not be empty"),
    ],
)
async def test_what_names_nothing_arms_nothing(armed: Armed, line: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        await armed(line)
    assert not armed.context.connected.arming.is_armed


async def test_a_leading_dot_arms_the_focused_object(armed: Armed) -> None:
    await armed("cd Plant.Tank1")
    assert await armed("arm .*") == "armed for 10m: Plant.Tank1.*"
    await armed(f"write {SP} 60")


async def test_a_profile_has_its_rules(armed: Armed, tmp_path: Path) -> None:
    path = tmp_path / "profiles.toml"
    place = f'endpoint = "{armed.gateway.endpoint}"\nplaintext = true\n'
    path.write_text(
        f'[profiles.careful]\n{place}arm_needs_reason = true\narm_longest = "2m"\narms = ["Plant.*"]\n'
        f"[profiles.closed]\n{place}read_only = true\n",
        encoding="utf-8",
    )
    armed.context.profiles = profiles.load(path, all_commands().commands)
    await armed("connect careful")
    assert "not armed: the profile careful demands a reason" in await armed.refused(f"arm {INT}")
    assert "not armed: at most 2m, as the profile careful says" in await armed.refused(f"arm {INT} --for 3m --reason x")
    # What files may write without a question is not what a person may.
    assert "read-only" in await armed.refused(f"write {SP} 60")
    assert await armed(f"arm {INT} --reason x") == f"armed for 2m: {INT}"
    await armed("connect closed")
    assert "not armed: the profile closed is read-only" in await armed.refused(f"arm {INT} --reason x")
    assert "the profile closed is read-only" in await armed.refused(f"write {INT} 5")


# What disarms.


async def told(armed: Armed, why: str) -> None:
    """Waits until it is told that and why nothing is armed any more, and that it is so."""
    said = f"disarmed, {why}: {INT} cannot be written any more"
    await until(lambda: said in armed.told, lambda: str(armed.told))
    assert armed.told.count(said) == 1
    assert not armed.context.connected.arming.is_armed
    assert why in await armed("status")


async def test_the_end_of_the_time_disarms_and_says_so(armed: Armed) -> None:
    later = Later()
    with clock.replaced(later):
        await armed(f"arm {INT} --for 30s")
        later.ahead += 29
        await armed(f"write {INT} 5")
        later.ahead += 1
        await told(armed, "the 30s are over")
        assert "read-only, the 30s are over: arm " in await armed.refused(f"write {INT} 6")


async def test_a_sleep_of_the_machine_disarms_and_says_so(machine: clock.SimulatedSleep, armed: Armed) -> None:
    await armed(f"arm {INT}")
    machine.sleep(60)
    await told(armed, "the machine slept for 1m")


async def test_a_lost_session_disarms_and_says_so(armed: Armed) -> None:
    await armed(f"arm {INT}")
    (lost,) = armed.gateway.live_sessions
    armed.gateway.faults.lose_session(lost)
    await told(armed, "the session was lost")
    await until(lambda: armed.context.connected.state == "ready" and armed.context.session.session_id != lost)
    await armed.refused(f"write {INT} 6")
    await armed(f"arm {INT}")
    await armed(f"write {INT} 6")


async def test_a_lost_event_stream_disarms_and_says_so(armed: Armed) -> None:
    await armed(f"arm {INT}")
    armed.gateway.faults.drop_streams()
    await told(armed, "the event stream was lost")


async def test_nothing_is_armed_while_a_session_is_not_ready(armed: Armed) -> None:
    (lost,) = armed.gateway.live_sessions
    armed.gateway.faults.stall("OpenSession")
    armed.gateway.faults.lose_session(lost)
    await until(lambda: armed.context.connected.state == "rebuilding")
    assert "not armed: the session is rebuilding" in await armed.refused(f"arm {INT}")
    armed.gateway.faults.release("OpenSession")


async def test_a_deployment_disarms_and_says_so(armed: Armed) -> None:
    context = armed.context
    assert context.client is not None
    context.catalogue.start(context.client)
    await context.catalogue.loaded(10)
    await until(lambda: armed.gateway.faults and context.catalogue.is_current)
    await armed(f"arm {INT}")
    # The watch of deployments may begin after the reading of the galaxy.
    await until(lambda: any(call.rpc == "WatchDeployEvents" for call in armed.gateway.calls))
    armed.gateway.faults.redeploy()
    await told(armed, "the galaxy was redeployed")


async def test_no_new_connection_is_armed(armed: Armed) -> None:
    await armed(f"arm {INT}")
    await armed("connect --plaintext")
    assert any("disarmed, the connection was closed" in text for text in armed.told)
    assert "read-only: arm " in await armed.refused(f"write {INT} 5")
    await armed(f"arm {INT}")
    await armed("disconnect")
    await armed(f"connect {armed.gateway.endpoint} --plaintext")
    await armed.refused(f"write {INT} 5")
    async with SimulatedGateway(plaintext=True, api_keys=()) as other:
        await armed(f"arm {INT}")
        first = armed.context.name
        await armed(f"connect {other.endpoint} --plaintext")
        await armed.refused(f"write {INT} 5")
        assert other.mutating_calls == 0
        await armed(f"use {first}")
        await armed(f"write {INT} 5")
        await armed(f"disconnect {other.endpoint}")


async def test_another_session_of_the_same_gateway_is_armed_for_itself(armed: Armed) -> None:
    await armed(f"arm {INT}")
    assert armed.context.client is not None
    other = await armed.context.client.open_session()
    await armed(f"attach {other.session_id}")
    await armed.refused(f"write {INT} 5")
    await armed("disconnect")


async def test_disarmed_while_a_write_is_prepared_it_is_not_sent(armed: Armed) -> None:
    await armed(f"arm {INT}")
    await armed(f"read {INT}")
    armed.gateway.faults.stall("register")
    writing = asyncio.create_task(armed(f"write {INT} 5"))
    await until(lambda: any(call.rpc == "Invoke" for call in armed.gateway.calls))
    armed.context.connected.arming.disarm("somebody said so")
    armed.gateway.faults.release("register")
    with pytest.raises(MxGatewayWriteBlockedError, match="read-only, somebody said so"):
        await writing
    assert armed.gateway.mutating_calls == 0


# No habit.


async def test_no_alias_and_no_setting_arms(armed: Armed, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="arm has no alias: who arms names the tags each time"):
        await armed("alias a arm Plant.*")
    with pytest.raises(InputError, match="no setting arm"):
        await armed("set arm Plant.*")
    await armed("alias d disarm")
    path = tmp_path / "profiles.toml"
    for text, said in (
        ('[aliases]\na = "arm Plant.*"\n', ":2: arm has no alias"),
        ('[settings]\narm = "Plant.*"\n', ":2: no setting arm"),
        ('arm = "Plant.*"\n', ":1: unknown arm"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ShellError, match=re.escape(said)):
            profiles.load(path, all_commands().commands)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
async def test_nobody_is_armed_by_the_line_that_starts_the_prompt(tmp_path: Path) -> None:
    from shell_pty import at_a_terminal

    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        process = Runs(tmp_path, gateway).process
        async with at_a_terminal(process, gateway, "--plaintext", "--arm", "Plant.*") as terminal:
            assert await terminal.ended() == 2
            assert "--arm is for runs" in terminal.text
        assert gateway.calls == ()


async def test_what_the_library_refuses_is_never_armed(armed: Armed) -> None:
    arming = armed.context.connected.arming
    with pytest.raises(MxGatewayArgumentError):
        arming.arm([])
    arming.rules = ArmingRules(forbidden="not today")
    with pytest.raises(MxGatewayError, match="not today"):
        arming.arm([INT])


# The prompt.


async def test_the_prompt_counts_down_what_is_armed(tmp_path: Path) -> None:
    later = Later()
    with clock.replaced(later):
        async with shell(tmp_path, cursor_reports=True, terms=ConnectionTerms()) as sh:
            await sh.terminal.shows("demo (read-only)>", "ready · read-only · gaps 0")
            await until(lambda: sh.context.catalogue.is_current)
            await sh.terminal.enter("arm Plant.Tank1.*", "Plant.Tank1.* names", "armed for 10m: Plant.Tank1.*")
            await sh.terminal.shows("demo (armed Plant.Tank1.* 9:", "ready · armed Plant.Tank1.* 9:")
            later.ahead += 300
            await sh.terminal.shows("demo (armed Plant.Tank1.* 4:", "ready · armed Plant.Tank1.* 4:")
            later.ahead += 300
            await sh.terminal.shows(
                "disarmed, the 10m are over: Plant.Tank1.* cannot be written any more", "demo (read-only)>"
            )
            sh.terminal.type("arm Plant.Tank1.")
            await sh.terminal.shows("Plant.Tank1.*", "all of it")


async def test_a_caret_stays_under_its_word_while_the_prompt_counts_down(tmp_path: Path) -> None:
    later = Later()
    with clock.replaced(later):
        async with shell(tmp_path, terms=ConnectionTerms()) as sh:
            await sh.terminal.enter("arm Plant.Tank1.*", "demo (armed Plant.Tank1.* 9:")
            screen = await sh.terminal.enter("read Plant.Nowhere", "no tag Plant.Nowhere")
            lines = screen.splitlines()
            typed = next(line for line in lines if line.endswith("read Plant.Nowhere"))
            assert lines[lines.index(typed) + 1].index("^") == typed.index("Plant.Nowhere")
