"""Tag names in the completion menu, read from the screen."""

from pathlib import Path

import grpc
import pytest
from shell_terminal import ENTER, TAB, Terminal, shell
from shell_waiting import until

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.commands.connection import galaxy_text
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import NativeType, SimulatedGateway, TagDefinition

CLEAR = "\x15"


def below(screen: Terminal, line: str) -> list[str]:
    """The rows under the prompt with this line; none before it is there."""
    rows = screen.text.split("\n")
    places = [number for number, row in enumerate(rows) if row.endswith(f"> {line}".rstrip())]
    return [" ".join(row.split()) for row in rows[places[-1] + 1 :] if row.strip()] if places else []


async def menu(screen: Terminal, line: str, *wanted: str) -> list[str]:
    """Types a line in place of what stands at the prompt; the menu's rows once they show what is wanted."""
    screen.type(CLEAR)
    await until(lambda: any(row.endswith(">") for row in screen.text.split("\n")))
    screen.type(line)
    await screen.shows(f"> {line}".rstrip())
    try:
        await until(lambda: all(text in "\n".join(below(screen, line)) for text in wanted))
    except TimeoutError:
        pytest.fail(f"not in the menu: {wanted}\n{screen.text}")
    return below(screen, line)


async def test_one_dotted_segment_at_a_time_in_any_letter_case_with_type_and_access(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        assert await sh.context.catalogue.loaded(10)
        assert (await menu(sh.terminal, "watch pla", "Plant."))[0] == "Plant. area"
        rows = await menu(sh.terminal, "watch PLANT.tank1.l", "Plant.Tank1.LevelSP.")
        assert rows[:4] == [
            "Plant.Tank1.Level Double, read-only",
            "Plant.Tank1.Level. …",
            "Plant.Tank1.LevelSP Double",
            "Plant.Tank1.LevelSP. …",
        ]
        rows = await menu(sh.terminal, "watch TestChildObject.TestIntA", "TestIntArray")
        assert rows[0] == "TestChildObject.TestIntArray Integer[]"


async def test_tab_goes_as_far_as_there_is_one_way_in_any_letter_case(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        assert await sh.context.catalogue.loaded(30)
        sh.terminal.type("watch plant.tank1.vol" + TAB)
        await sh.terminal.shows("demo> watch Plant.Tank1.Volume")
        sh.terminal.type(".e" + TAB)
        await sh.terminal.shows("demo> watch Plant.Tank1.Volume.EngUnits")


async def test_what_only_contains_the_text_comes_second_and_where_a_segment_begins_with_it_first(
    tmp_path: Path,
) -> None:
    async with shell(
        tmp_path, tags=[TagDefinition("Levels.Count", NativeType.INTEGER), TagDefinition("Mixer.HighLevel")]
    ) as sh:
        assert await sh.context.catalogue.loaded(10)
        rows = await menu(sh.terminal, "watch level", "Levels.", "Plant.Tank1.Level")
        assert rows[0] == "Levels. $UserTags"
        assert rows[1] == "Plant.Tank1.Level Double, read-only"
        assert not any("Mixer" in row for row in rows[:4])
        assert (await menu(sh.terminal, "watch hlev", "Mixer.HighLevel"))[0] == "Mixer.HighLevel Double"
        assert (await menu(sh.terminal, "watch tank2.over", "Overflow"))[0] == "Plant.Tank2.Overflow Boolean, read-only"


async def test_a_leading_dot_is_the_focused_object(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        assert await sh.context.catalogue.loaded(10)
        await sh.terminal.enter("cd plant.tank1", "in Plant.Tank1", "demo Plant.Tank1>")
        rows = await menu(sh.terminal, "write .levelS", ".LevelSP")
        assert rows[:2] == [".LevelSP Double", ".LevelSP. …"]
        sh.terminal.type(CLEAR)
        await sh.terminal.enter("write .LevelSP 62", "Plant.Tank1.LevelSP", "→ 62.0", "completed")
        assert (await menu(sh.terminal, "advise .le", "item 1"))[0] == ".LevelSP item 1, Double"
        assert [write.value for write in sh.gateway.writes] == [62.0]


async def test_objects_complete_for_browse_and_cd(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        assert await sh.context.catalogue.loaded(10)
        assert (await menu(sh.terminal, "browse ", "Utilities"))[:2] == ["Packaging area", "Plant area"]
        assert (await menu(sh.terminal, "cd Plant.Tank1.", "Inlet"))[:2] == [
            "Plant.Tank1.Inlet $ControlValve",
            "Plant.Tank1.Outlet $ControlValve",
        ]
        assert (await menu(sh.terminal, "cd outlet", "Plant.Tank1.Outlet"))[0] == "Plant.Tank1.Outlet $ControlValve"


async def test_a_deployment_brings_new_tags_and_a_watch_of_them_that_breaks_hurts_nothing(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        catalogue = sh.context.catalogue
        assert await catalogue.loaded(10)
        sh.gateway.faults.redeploy([TagDefinition("NewUnit.Flow")])
        await until(lambda: catalogue.kind_of("NewUnit.Flow"))
        assert (await menu(sh.terminal, "watch newunit.f", "NewUnit.Flow"))[0] == "NewUnit.Flow Double"
        sh.gateway.faults.stall("WatchDeployEvents")
        sh.gateway.faults.kill_connections()
        await until(lambda: catalogue.watch_error)
        assert (await menu(sh.terminal, "watch newunit.f", "NewUnit.Flow"))[0] == "NewUnit.Flow Double"
        sh.terminal.type(CLEAR)
        await sh.terminal.enter("status", "deployments go unnoticed")
        sh.gateway.faults.release("WatchDeployEvents")
        sh.gateway.faults.redeploy([TagDefinition("NewUnit.Heat", writable=False)])
        await until(lambda: catalogue.kind_of("NewUnit.Heat"))
        assert (await menu(sh.terminal, "watch newunit.h", "NewUnit.Heat"))[0] == "NewUnit.Heat Double, read-only"


async def test_a_reading_that_fails_or_is_overtaken_by_a_deployment_is_begun_again(tmp_path: Path) -> None:
    async with shell(tmp_path, generated_tags=20_000) as sh:
        catalogue = sh.context.catalogue
        assert await catalogue.loaded(30)
        sh.gateway.faults.fail_next("DiscoverHierarchy", code=grpc.StatusCode.INTERNAL)
        sh.gateway.faults.redeploy([TagDefinition("NewUnit.Flow")])
        await until(lambda: catalogue.error)
        assert "from an earlier reading: the next one failed: " in galaxy_text(sh.context)
        assert (await menu(sh.terminal, "watch area001.unit0001.value07", "Value07"))[0].endswith("Double")
        await until(lambda: catalogue.kind_of("NewUnit.Flow"))
        assert catalogue.error is None
        asked = len(sh.gateway.calls)
        sh.gateway.faults.redeploy([TagDefinition("NewUnit.Heat")])
        await until(lambda: sum(call.rpc == "DiscoverHierarchy" for call in sh.gateway.calls[asked:]) >= 2)
        sh.gateway.faults.redeploy([TagDefinition("NewUnit.Mass")])
        await until(lambda: catalogue.kind_of("NewUnit.Mass") and catalogue.is_current)
        assert (await menu(sh.terminal, "watch newunit.m", "NewUnit.Mass"))[0] == "NewUnit.Mass Double"


async def test_names_that_an_output_has_shown_are_offered_while_the_galaxy_is_read_again(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        assert await sh.context.catalogue.loaded(10)
        sh.gateway.faults.stall("DiscoverHierarchy")
        sh.gateway.faults.redeploy([TagDefinition("NewUnit.Flow")])
        await until(lambda: not sh.context.catalogue.is_current)
        await sh.terminal.enter("browse", "object", "NewUnit")
        assert (await menu(sh.terminal, "watch newu", "NewUnit."))[0] == "NewUnit. $UserTags"
        sh.terminal.type(CLEAR)
        await sh.terminal.enter("watch NewUnit.Flow --count 1", "1 sample")
        await sh.terminal.enter("remove-item NewUnit.Flow", "removed 1")
        assert (await menu(sh.terminal, "watch newunit.f", "NewUnit.Flow"))[0] == "NewUnit.Flow seen before"
        sh.gateway.faults.release("DiscoverHierarchy")
        await until(lambda: sh.context.catalogue.is_current)
        assert (await menu(sh.terminal, "watch newunit.f", "NewUnit.Flow"))[0] == "NewUnit.Flow Double"


async def test_typing_waits_for_no_galaxy_and_what_has_been_read_is_offered(tmp_path: Path) -> None:
    async with shell(tmp_path, generated_tags=10_000) as sh:
        sh.gateway.faults.stall("DiscoverHierarchy")
        await sh.terminal.enter("connect", "connected to")
        assert await menu(sh.terminal, "watch Area001.") == []
        sh.terminal.type(CLEAR)
        await sh.terminal.enter("status", "not read yet")
        sh.gateway.faults.release("DiscoverHierarchy")
        assert await sh.context.catalogue.loaded(30)
        rows = await menu(sh.terminal, "watch area001.unit0200.value5", "Value50")
        assert rows[0] == "Area001.Unit0200.Value50 String"


async def test_a_name_with_a_blank_is_quoted_and_one_with_controls_is_not_offered(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        catalogue = sh.context.catalogue
        assert await catalogue.loaded(10)
        catalogue.learn("Odd.Two words")
        catalogue.learn("Odd.Evil\x1b[2J")
        rows = await menu(sh.terminal, "add-item odd.", '"Odd.Two words"')
        assert rows[0] == '"Odd.Two words" seen before'
        assert not any("Evil" in row for row in rows)
        sh.terminal.type(CLEAR + "status" + ENTER)


async def test_operators_clauses_and_names_are_offered_where_they_may_stand(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("let limit = 70", "limit = 70")
        await sh.terminal.enter("let tag = Plant.Tank1.Level", "tag = Plant")
        assert (await menu(sh.terminal, "expect $t", "$tag"))[0] == "$tag Plant.Tank1.Level"
        assert (await menu(sh.terminal, "expect $tag ", "<=", "~"))[0] == "="
        assert (await menu(sh.terminal, "expect $tag < $", "$limit"))[0] == "$limit 70"
        rows = await menu(sh.terminal, "wait $tag < $limit ", "timeout", "hold")
        assert rows[:6] == [
            "tol <number>",
            "quality <good|uncertain|bad|any>",
            "age <duration>",
            "now",
            "hold <duration>",
            "timeout <duration>",
        ]
        assert (await menu(sh.terminal, "wait $tag < $limit quality ", "uncertain"))[0] == "good"
        assert (await menu(sh.terminal, "let again ", "="))[0] == "="


async def test_a_picture_gets_a_name_that_no_file_has_or_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("records", "tanks", "two words", ".hidden"):
        (tmp_path / folder).mkdir(exist_ok=True)
    for name in ("tank.svg", "trend.png"):
        (tmp_path / name).touch()
    line = "trend Plant.Tank1.Level --save "
    async with shell(tmp_path) as sh:
        rows = await menu(sh.terminal, f"{line}", "trend.csv")
        assert rows == [
            "trend.svg new file",
            "trend-2.png new file",
            "trend.csv new file",
            "records/ folder",
            "tanks/ folder",
        ]
        rows = await menu(sh.terminal, f"{line}tank", "tank.csv")
        assert rows == ["tank-2.svg new file", "tank.png new file", "tank.csv new file", "tanks/ folder"]
        assert await menu(sh.terminal, f"{line}./tanks/a.S", "a.svg") == ["./tanks/a.svg new file"]
        assert "new file" not in "".join(await menu(sh.terminal, f"{line}none/a"))


async def test_names_are_offered_from_the_first_page_on() -> None:
    async with SimulatedGateway(plaintext=True, api_keys=(), generated_tags=20_000) as gateway:
        gateway.schedule("at DiscoverHierarchy 2 stall")
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "demo")
        try:
            catalogue = context.catalogue
            catalogue.start(context.connected.client)
            await until(lambda: catalogue.objects == 250)
            assert not catalogue.is_complete
            assert catalogue.complete("area001.unit0001.value0", 3)[0] == ("Area001.Unit0001.Value01", "Double")
            assert galaxy_text(context) == "250 objects so far"
            # Only a call that has arrived is released.
            await until(lambda: sum(call.rpc == "DiscoverHierarchy" for call in gateway.calls) == 2)
            gateway.faults.release()
            assert await catalogue.loaded(30)
        finally:
            await context.disconnect()
