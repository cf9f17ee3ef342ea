"""browse, cd, find, tag and deploys: typed into a prompt, and run as a process."""

import asyncio
import csv
import io
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from shell_process import ShellProcess
from shell_terminal import CTRL_C, ENTER, TAB, Shell, shell
from shell_waiting import until

from zb_mom_ww_mxgateway_sim import GatewayKey, KeyScope, SimulatedGateway, TagDefinition


@pytest.fixture
def run(tmp_path: Path) -> ShellProcess:
    return ShellProcess(tmp_path)


def lines(*typed: str) -> list[str]:
    return [part for line in typed for part in ("-e", line)]


async def results(run: ShellProcess, *typed: str) -> list[Any]:
    done = await run("--demo", "--json", *lines(*typed))
    assert done.code == 0, done.out
    return [each["result"] for each in done.objects]


async def test_a_newcomer_browses_to_a_tag_and_focuses_its_object(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("browse", "area  Plant", "area  Utilities")
        await screen.enter("browse Plant", "Plant.Tank1 ", "$Tank", "Plant.Pump1")
        await screen.enter("cd Plant.Tank1", "demo Plant.Tank1>")
        await screen.enter("browse", "Plant.Tank1.Inlet", "$ControlValve", "Plant.Tank1.Overflow", "ViewOnly")
        await screen.enter("watch .Level --count 1", "Plant.Tank1.Level", "good", "1 sample")
        await screen.enter("cd ..", "demo Plant>")
        await screen.enter("cd Tank2", "demo Plant.Tank2>")
        await screen.enter("cd", "nothing is focused", "demo>")
        await screen.enter("watch .Level", "a leading dot means the focused object, and there is none")


async def test_each_connection_has_a_focus_of_its_own(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as other, shell(tmp_path) as sh:
        await sh.terminal.enter("cd Plant.Tank1", "demo Plant.Tank1>")
        await sh.terminal.enter(
            f"connect {other.endpoint} --plaintext", "connected to", f"{other.endpoint} (read-only)>"
        )
        await sh.terminal.enter("tag .Level", "there is none")
        await sh.terminal.enter("use demo", "demo Plant.Tank1>")
        await sh.terminal.enter("tag .Level", "Plant.Tank1.Level", "Double")


async def test_browse_lists_one_level_areas_first_then_objects_then_attributes(run: ShellProcess) -> None:
    top, tank, level = await results(run, "browse", "browse Plant.Tank1", "browse plant.tank1.level")
    assert [(each["kind"], each["name"]) for each in top][:2] == [("area", "Packaging"), ("area", "Plant")]
    assert all(each["has_more"] for each in top)
    kinds = [each["kind"] for each in tank]
    assert kinds == sorted(kinds, key=["area", "object", "attribute"].index)
    found = {each["name"]: each for each in tank}
    assert found["Plant.Tank1.Inlet"]["type"] == "$ControlValve"
    assert found["Plant.Tank1.Level"] == {
        "alarm": True,
        "browse_name": "Level",
        "has_more": True,
        "historized": True,
        "kind": "attribute",
        "name": "Plant.Tank1.Level",
        "security": "ViewOnly",
        "type": "Double",
    }
    assert not found["Plant.Tank1.Overflow"]["has_more"]
    assert "Plant.Tank1.Level.HiHi.Limit" not in found
    assert [each["name"] for each in level if each["has_more"]][:2] == [
        "Plant.Tank1.Level.Hi",
        "Plant.Tank1.Level.HiHi",
    ]


async def test_browse_asks_for_one_level_only(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=(), generated_tags=100_000) as gateway:
        run = ShellProcess(tmp_path).on(gateway)
        done = await run("--plaintext", "-e", "browse Area001")
        assert "Area001.Unit0200" in done.out
        assert [call.rpc for call in gateway.calls].count("BrowseChildren") == 1
        assert [call.rpc for call in gateway.calls].count("DiscoverHierarchy") == 1


async def test_tag_says_all_that_the_galaxy_says(run: ShellProcess) -> None:
    done = await run("--demo", *lines("tag plant.tank1.level"))
    text = [" ".join(line.split()) for line in done.out.splitlines()]
    for said in (
        "tag Plant.Tank1.Level",
        "type Double",
        "security ViewOnly (6): it is read-only: MXAccess refuses every write",
        "category Writeable_S (5): objects and scripts may write it, users may not",
        "historized yes",
        "alarms HiHi, Hi, Lo, LoLo",
        "below it EngUnits, RangeLo, RangeHi, HiHi, Hi, Lo, LoLo",
        "object Plant.Tank1",
        "templates $Tank < $UserDefined",
        "area Plant",
        "hosted by Plant",
    ):
        assert said in text
    alarm, element = await results(run, "tag Plant.Tank1.Level.HiHi.InAlarm", "tag TestChildObject.TestIntArray[3]")
    assert (alarm["alarm"], alarm["object"], alarm["can_be_written"]) == (True, "Plant.Tank1", False)
    assert (alarm["alarms"], element["alarms"]) == (["Plant.Tank1.Level.HiHi"], [])
    assert alarm.keys() == element.keys()
    assert (element["tag"], element["type"], element["array_dimension"], element["can_be_written"]) == (
        "TestChildObject.TestIntArray",
        "Integer[]",
        10,
        True,
    )


async def test_a_name_with_attributes_below_it_is_shown_though_it_has_no_value(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(
            "tag plant.tank1.level.hi",
            "tag         Plant.Tank1.Level.Hi\n",
            "type        none: it has no value of its own\n",
            "alarms      itself\n",
            "below it    InAlarm, Limit, Priority, Acked, AckMsg\n",
        )
        await sh.terminal.enter(
            "browse Plant.Tank1", "Plant.Tank1.Level          Double         ViewOnly   … historized alarm"
        )
        await sh.terminal.enter(
            "why Plant.Tank1.Level.Hi",
            "Plant.Tank1.Level.Hi has no value of its own, only attributes below it: name one of them",
            "why Plant.Tank1.Level.Hi.InAlarm",
        )


async def test_a_template_is_found_as_listings_show_it_and_tab_offers_it(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        assert await sh.context.catalogue.loaded(30)
        screen = sh.terminal
        screen.type("find * --template $ana" + TAB)
        await screen.shows("demo> find * --template $AnalogInput")
        screen.type(ENTER)
        await screen.shows("object  Utilities.TT6", "10 objects")
        screen.type("find * --template ")
        await screen.shows("$AnalogInput      10 objects", "$Boiler           2 objects")
        screen.type(CTRL_C)
        await screen.enter("find * --template $AnalogInptu", "derives from $AnalogInptu; did you mean $AnalogInput?")
        await screen.enter("let Tank = pump", "Tank = pump")
        await screen.enter("find * --template $Tank", "Plant.Pump1", "$Pump")
        await screen.prompted()
        screen.type("find * --template $Tan" + TAB)
        await screen.shows('--template "\\$Tank"')
        screen.type(ENTER)
        await screen.shows("Plant.Tank2")


async def test_what_cannot_be_is_one_line_that_says_what_would_be_right(run: ShellProcess) -> None:
    wrong = {
        "tag Plant.Tank1.Levle": "Plant.Tank1 has no Levle; did you mean Plant.Tank1.Level?",
        "tag Plant.Tank1": "Plant.Tank1 is an object: browse Plant.Tank1",
        "browse Plnt.Tank1": "the galaxy has no Plnt.Tank1; did you mean Plant.Tank1?",
        "browse Plant.Tnak1": "Plant has no Tnak1; did you mean Plant.Tank1?",
        "cd Plant.Tank1.Level": "Plant.Tank1.Level is not an object; cd Plant.Tank1 focuses its object",
        "cd .Tank1": "a leading dot means the focused object, and there is none",
        "find --tags --historized x": "--tags matches names alone",
        "deploys": "deploys in a file needs an end: --for 5m or --count 1",
    }
    done = await run("--demo", stdin="\n".join(("on-error continue", *wrong, "")))
    assert done.code == 2
    told = done.err.splitlines()
    for line, said in wrong.items():
        assert sum(said in each for each in told) == 1, (line, told)


async def test_find_shows_objects_as_they_come_and_takes_the_gateways_filters(run: ShellProcess) -> None:
    found = await results(
        run,
        "find plant.TANK?",
        "find valve",
        "find * --template $ControlValve --count 2",
        "find * --under Plant.Tank1",
        "find *.level --tags",
        "find nothing.here",
    )
    names = [[each["name"] for each in next(iter(result.values()))] for result in found]
    assert names[0] == ["Plant.Tank1", "Plant.Tank2"]
    assert found[0]["objects"][0] == {"kind": "object", "name": "Plant.Tank1", "template": "$Tank"}
    assert names[1] == []
    assert names[2] == ["Plant.Tank1.Inlet", "Plant.Tank1.Outlet"]
    assert set(names[3]) == {"Plant.Tank1", "Plant.Tank1.Inlet", "Plant.Tank1.Outlet"}
    assert names[4] == ["Plant.Tank1.Level", "Plant.Tank2.Level"]
    assert found[4]["tags"][0] == {"can_be_written": False, "name": "Plant.Tank1.Level", "type": "Double"}
    assert names[5] == []
    done = await run("--demo", "--csv", *lines("find Plant.Tank?"))
    assert list(csv.DictReader(io.StringIO(done.out)))[1] == {
        "kind": "object",
        "name": "Plant.Tank2",
        "template": "$Tank",
    }


def asked(sh: Shell) -> int:
    """How many pages of objects the gateway was asked for."""
    return sum(call.rpc == "DiscoverHierarchy" for call in sh.gateway.calls)


async def test_find_shows_the_first_page_before_the_last_and_ctrl_c_keeps_what_was_found(tmp_path: Path) -> None:
    async with shell(tmp_path, generated_tags=50_000) as sh:
        assert await sh.context.catalogue.loaded(30)
        sh.terminal.type("find *Unit0*" + ENTER)
        await sh.terminal.shows("object  Area001.Unit0001", "q leaves", " of 1001 ")
        sh.terminal.type("q")
        await sh.terminal.prompted()
        before = asked(sh)
        sh.gateway.faults.delay("DiscoverHierarchy", 0.3)
        sh.terminal.type("find Area*" + ENTER)
        await until(lambda: asked(sh) > before + 2)  # Of eleven: the first page is on the screen.
        # A command that runs has no prompt to read the key: the terminal makes a signal of it.
        signal.raise_signal(signal.SIGINT)
        await sh.terminal.shows(" more lines, not shown", "objects so far", "interrupted")
        assert asked(sh) < before + 8


async def test_find_that_was_interrupted_does_not_say_that_there_is_nothing(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        assert await sh.context.catalogue.loaded(30)
        before = asked(sh)
        sh.gateway.faults.stall("DiscoverHierarchy")
        sh.terminal.type("find Plant*" + ENTER)
        await until(lambda: asked(sh) > before)
        signal.raise_signal(signal.SIGINT)
        shown = await sh.terminal.shows("0 objects so far", "interrupted")
        assert "no object matches" not in shown


async def test_deploys_shows_the_present_state_at_once_and_then_each_deployment(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        run = ShellProcess(tmp_path).on(gateway)
        process = await run.start("--plaintext", "-e", "deploys --count 2")
        assert process.stdout is not None
        async with asyncio.timeout(30):
            first = await process.stdout.readline()
            gateway.faults.redeploy([TagDefinition("NewUnit.Flow")])
            rest, _ = await process.communicate()
        assert b"h " in first
        assert b"objects, " in first
        assert b"1 new deployment in" in rest
        assert process.returncode == 0
        done = await run("--plaintext", "--json", "-e", "deploys --count 1", "-e", "deploys --for 100ms")
        (state,) = done.objects[0]["result"]["deploys"]
        assert set(state) == {"attribute_count", "object_count", "observed_at", "sequence", "time_of_last_deploy"}
        assert state["sequence"] == 2
        assert done.objects[1]["result"]["deploys"][0]["sequence"] == 2


async def test_a_deployment_is_said_at_the_prompt_but_not_the_one_that_was_there_from_the_start(
    tmp_path: Path,
) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("deploys --count 1", "(1 h 00 m ago)")
        await until(lambda: sh.context.catalogue._noticed is not None)
        await sh.terminal.enter("status", "\ngalaxy ")
        assert "deployed again" not in sh.terminal.text
        sh.gateway.faults.redeploy([TagDefinition("NewUnit.Flow")])
        await sh.terminal.shows("the galaxy was deployed again at 20", "Z: its tags are read again")
        await sh.terminal.enter("tag NewUnit.Flow", "object      NewUnit")
        assert sh.terminal.text.count("deployed again") == 1


async def test_deploys_at_the_prompt_goes_on_until_ctrl_c(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        sh.terminal.type("deploys" + ENTER)
        await sh.terminal.shows("(1 h 00 m ago)")
        sh.gateway.faults.redeploy()
        await sh.terminal.shows("s ago)")
        signal.raise_signal(signal.SIGINT)
        await sh.terminal.shows("1 new deployment in", "interrupted", "demo>")


async def test_a_key_without_the_scope_is_told_so_and_the_shell_goes_on(tmp_path: Path) -> None:
    scopes = frozenset(KeyScope) - {KeyScope.METADATA_READ}
    key = GatewayKey("viewer", "c2VjcmV0", scopes=scopes)
    async with SimulatedGateway(plaintext=True, api_keys=[key]) as gateway:
        run = ShellProcess(tmp_path).on(gateway)
        done = await run("--plaintext", "--json", "-e", "browse")
        assert done.code == 3
        assert "metadata:read" in json.dumps(done.objects[0]["error"])
