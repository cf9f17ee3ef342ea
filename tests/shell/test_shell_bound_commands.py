"""A command is about the connection that was current when it began, and about the server it names, to its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from shell_lines import SIMULATED, run
from shell_process import ShellProcess
from shell_waiting import until

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import NotMet, ShellError
from zb_mom_ww_mxgateway_shell.output.problems import exit_code_for
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.python.namespace import PythonNames
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import ManualClock, SimulatedGateway
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType
from zb_mom_ww_mxgateway_sim.plant.tags import TagDefinition

INT, INT_ARRAY = "TestChildObject.TestInt", "TestChildObject.TestIntArray"


async def _follow(feed: Feed) -> Result:
    return await feed.follow(lambda line: None)


class Two(NamedTuple):
    """Two gateways, each with one item of the same handles; on the first nothing comes until its clock is moved."""

    context: Context
    clock: ManualClock
    lamp: SimulatedGateway
    boiler: SimulatedGateway

    async def type(self, line: str) -> Result | None:
        return await run(self.context, line, _follow)

    async def first_value(self) -> None:
        await self.clock.advance(10)

    async def asked(self, line: str) -> "asyncio.Task[Result | None]":
        """Begins a line on the first, which waits until it has a value."""
        waiting = asyncio.create_task(self.type(line))
        live = self.context.connections["lamp"].live
        await until(lambda: waiting.done() or any(item.advised for item in live.session.handles.items.values()))
        assert not waiting.done()
        return waiting


@asynccontextmanager
async def _two() -> AsyncIterator[Two]:
    clock = ManualClock()
    options: dict[str, Any] = {"plaintext": True, "api_keys": (), "write_complete_delay": 0.0}
    async with (
        SimulatedGateway(
            tags=[TagDefinition("Lamp.Test", NativeType.INTEGER, 1)], first_change_delay=5.0, clock=clock, **options
        ) as lamp,
        SimulatedGateway(tags=[TagDefinition("Boiler.Trip", NativeType.INTEGER, 2)], **options) as boiler,
    ):
        context = Context(all_commands(), interactive=False)
        try:
            await context.connect(Connection(endpoint=boiler.endpoint, plaintext=True), "boiler", terms=SIMULATED)
            await run(context, "watch Boiler.Trip --count 1", _follow)
            await context.connect(Connection(endpoint=lamp.endpoint, plaintext=True), "lamp", terms=SIMULATED)
            yield Two(context, clock, lamp, boiler)
        finally:
            await context.disconnect()


async def test_a_write_goes_to_the_connection_it_was_typed_for_whatever_is_used_meanwhile() -> None:
    async with _two() as two:
        waiting = await two.asked("write Lamp.Test 7 --timeout 20s")
        await two.type("use boiler")
        assert two.context.name == "boiler"
        await two.first_value()
        result = await waiting
        assert result is not None
        assert (result.form()["tag"], [write.value for write in two.lamp.writes]) == ("Lamp.Test", [7])
        assert not two.boiler.writes
        assert two.context.name == "boiler"


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("expect Lamp.Test = 1", 1),
        ("capture lamp = Lamp.Test", 1),
        ("watch Lamp.Test --count 1", [1]),
        ("wait Lamp.Test = 1 now timeout 20s", 1),
    ],
)
async def test_what_is_judged_is_of_the_connection_it_was_typed_for(line: str, seen: object) -> None:
    async with _two() as two:
        waiting = await two.asked(line)
        await two.type("use boiler")
        await two.first_value()
        result = await waiting
        assert result is not None
        assert result.value == seen


async def test_an_expectation_of_another_connection_does_not_pass_for_its_value() -> None:
    async with _two() as two:
        waiting = await two.asked("expect Lamp.Test = 2")
        await two.type("use boiler")
        await two.first_value()
        with pytest.raises(NotMet, match="is 1 "):
            await waiting


@pytest.mark.parametrize("line", ["write Lamp.Test 7", "write-many rows.csv", "trace write Lamp.Test 7"])
async def test_a_write_whose_connection_is_closed_meanwhile_is_refused_here(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rows.csv").write_text("tag,value\nLamp.Test,7\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    async with _two() as two:
        waiting = await two.asked(line)
        await two.type("disconnect lamp")
        assert two.context.name == ""
        with pytest.raises(ShellError, match="lamp was closed while the write waited; nothing was written") as refused:
            await waiting
        assert exit_code_for(refused.value) is ExitCode.GUARDED
        assert (list(two.lamp.writes), list(two.boiler.writes)) == ([], [])


async def test_a_write_does_not_follow_its_name_to_a_connection_that_was_opened_meanwhile() -> None:
    async with _two() as two:
        waiting = await two.asked("write Lamp.Test 7")
        await two.context.connect(Connection(endpoint=two.boiler.endpoint, plaintext=True), "lamp", terms=SIMULATED)
        with pytest.raises(ShellError, match="nothing was written") as refused:
            await waiting
        assert exit_code_for(refused.value) is ExitCode.GUARDED
        assert (list(two.lamp.writes), list(two.boiler.writes)) == ([], [])


async def test_a_write_whose_item_is_replaced_meanwhile_is_refused_here() -> None:
    async with _two() as two:
        waiting = await two.asked("write Lamp.Test 7")
        items = two.context.connected.live.session.handles
        items.drop([(1, 1)])  # As another line's remove-item does it, with a value that came just before.
        await two.first_value()
        with pytest.raises(ShellError, match="nothing was written") as refused:
            await waiting
        assert exit_code_for(refused.value) is ExitCode.GUARDED
        assert not two.lamp.writes


@pytest.mark.parametrize(
    "line", [f"write {INT} 5 --server 2", f"watch --server 2 {INT} --count 1", f"watch {INT} --server 2 --count 1"]
)
async def test_the_server_that_is_named_is_the_one_that_is_meant(tmp_path: Path, line: str) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        done = await ShellProcess(tmp_path).on(gateway)(
            *("--plaintext", "--json", "-e", "register one", "-e", "register two"),
            *("-e", f"watch {INT} --count 1 --server 1", "-e", line, "-e", "items --server 2"),
        )
        result = done.objects[3]["result"]
        shown = result["items"][0] if "items" in result else result
        assert (done.code, shown["server_handle"]) == (0, 2)
        assert [each["tag"] for each in done.objects[4]["result"]] == [INT]


async def test_a_handle_is_of_the_server_that_is_named(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        done = await ShellProcess(tmp_path).on(gateway)(
            *("--plaintext", "--json", "-e", "register one", "-e", "register two"),
            *("-e", f"watch {INT} --count 1 --server 1", "-e", "watch Plant.Tank1.Level --count 1 --server 2"),
            *("-e", "read 1 --server 2", "-e", "read 1 1/1 --server 2"),
        )
        read, refused = done.objects[4:6]
        assert [each["tag"] for each in read["result"]] == ["Plant.Tank1.Level"]
        assert refused["error"]["message"] == "1/1 is an item of server 1, and --server says 2"
        assert done.code == 2


async def test_a_whole_array_is_read_through_the_server_of_its_item(tmp_path: Path) -> None:
    array = "TestChildObject.TestIntArray"
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        done = await ShellProcess(tmp_path).on(gateway)(
            *("--plaintext", "-e", "register one", "-e", "register two"),
            *("-e", f"add-item {array} --server 2", "-e", f"read {array}"),
        )
        assert done.code == 0, done.err
        reads = [call.request.command.read_bulk for call in gateway.calls if call.rpc == "Invoke"]
        assert [(each.server_handle, *each.tag_addresses) for each in reads if each.tag_addresses] == [
            (2, array),
            (2, f"{array}[]"),
        ]


async def test_a_handle_of_a_server_is_no_mistake_before_the_run(tmp_path: Path) -> None:
    lines = [
        f"requires write {INT}",
        "register one",
        "register two",
        f"watch {INT} --count 1 --server 2",
        "write 1 5 --server 2",
    ]
    (tmp_path / "handles.mxs").write_text("\n".join([*lines, "expect 2/1 = 5", "read 2/1"]), encoding="utf-8")
    shell = ShellProcess(tmp_path)
    linted, run_ = await shell("lint", "handles.mxs"), await shell("--demo", "-c", "handles.mxs")
    assert (linted.code, run_.code) == (0, 0), linted.out + run_.err


async def test_a_read_that_would_take_longer_than_the_gateway_gives_it_is_refused_in_words(tmp_path: Path) -> None:
    done = await ShellProcess(tmp_path)("--demo", "-e", f"read {INT} --fresh --for 2h")
    assert (done.code, "timeout_ms" in done.err + done.out) == (2, False)
    assert "at most 1h: the gateway gives no tag longer" in done.err + done.out


async def test_a_whole_array_is_read_by_its_name_as_it_is_watched(tmp_path: Path) -> None:
    lines = (f"read {INT_ARRAY}", f"watch {INT_ARRAY} --count 1", f"read {INT_ARRAY}", f"read {INT_ARRAY} --fresh")
    done = await ShellProcess(tmp_path)("--demo", "--json", *(part for line in lines for part in ("-e", line)))
    first, _, held, fresh = (each["result"] for each in done.objects)
    assert done.code == 0
    for (reading,), cached in ((first, False), (held, True), (fresh, False)):
        assert (reading["value"], reading["error"], reading["tag"], reading["cached"]) == (
            [*range(1, 11)],
            None,
            INT_ARRAY,
            cached,
        )


async def test_a_line_of_python_is_for_the_connection_that_was_current_when_it_was_asked_for() -> None:
    """A task comes to its first step later than the call that makes it, and another line may run before."""
    tags = [TagDefinition("Pump.Start", NativeType.BOOLEAN, False)]
    options: dict[str, Any] = {"plaintext": True, "api_keys": ()}

    async def show(result: Result | None) -> None:
        pass

    async with SimulatedGateway(tags=tags, **options) as one, SimulatedGateway(tags=tags, **options) as other:
        context = Context(all_commands(), interactive=False)
        try:
            for name, gateway in (("other", other), ("one", one)):
                await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), name, terms=SIMULATED)
                await run(context, "watch Pump.Start --count 1", _follow)
            mx = PythonNames(context, _follow, show).mx
            write = asyncio.create_task(mx("write Pump.Start true"))
            await mx("use other")
            await write
            assert ([write.value for write in one.writes], list(other.writes)) == ([True], [])
            await mx("use one")
            late = mx("write Pump.Start false")
            assert repr(late).startswith("<coroutine object PythonNames.mx.")
            await mx("disconnect one")
            with pytest.raises(ShellError, match="closed meanwhile"):
                await late
            assert (len(one.writes), list(other.writes)) == (1, [])
        finally:
            await context.disconnect()
