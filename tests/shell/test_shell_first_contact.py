"""First contact of a file: one call for all tags, their first values once, and what cannot be had. Each by process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shell_process import Runs

from zb_mom_ww_mxgateway_sim import GatewayKey, SimulatedGateway

INT, BOOL, LEVEL = "TestChildObject.TestInt", "TestChildObject.TestBool", "Plant.Tank1.Level"
ONE_BY_ONE = {"add_item", "add_item2", "add_item_bulk", "advise", "advise_item_bulk"}


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        yield Runs(tmp_path, gateway)


def contacts(gateway: SimulatedGateway) -> list[list[str]]:
    """Return the tags of each call that adds and advises some."""
    sent = [call.request.command for call in gateway.calls if call.rpc == "Invoke"]
    assert not ONE_BY_ONE & {command.WhichOneof("payload") for command in sent}
    return [
        list(command.subscribe_bulk.tag_addresses)
        for command in sent
        if command.WhichOneof("payload") == "subscribe_bulk"
    ]


def registered(gateway: SimulatedGateway) -> list[str]:
    return [call.request.command.register.client_name for call in gateway.calls if _kind(call) == "register"]


def _kind(call: object) -> str | None:
    request = getattr(call, "request", None)
    return request.command.WhichOneof("payload") if getattr(call, "rpc", "") == "Invoke" and request else None


async def test_all_tags_of_a_file_and_its_includes_are_had_in_one_call_after_its_own_register(run: Runs) -> None:
    run.file(f"expect {BOOL} = false\n", "part.mxs")
    run.file(f"tag,value\n{INT},5\nTestChildObject.TestDouble,2.5\n", "rows.csv")
    done = await run(
        "let n = 1\nregister acceptance\nstep one\ninclude part.mxs\nwrite-many rows.csv\n"
        f"capture level = {LEVEL}\nlet o = TestChildObject\nexpect $o.TestInt = 5\nread Plant.Pump1.Running\n"
        "finally\nwrite TestChildObject.TestFloat $n\n",
        "--json",
    )
    assert done.code == 0, done.err
    assert contacts(run.gateway) == [[BOOL, INT, "TestChildObject.TestDouble", LEVEL, "TestChildObject.TestFloat"]]
    assert registered(run.gateway) == ["acceptance"]
    told = [each["notices"] for each in done.objects if each["notices"]]
    assert len(told) == 1
    assert told[0][0].startswith("first contact: 5 tags, first values after ")
    assert [each["command"] for each in done.objects if each["notices"]] == ["step"]


async def test_no_time_out_of_a_line_pays_for_it(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, first_change_delay=4.0) as gateway:
        run = Runs(tmp_path, gateway)
        done = await run(f"note begin\nwait {LEVEL} > 0 now timeout 3s\n")
        assert done.code == 0, done.err
        assert "first contact: 1 tag, first values after" in done.out


async def test_each_tag_that_cannot_be_had_is_named_with_its_reason(run: Runs) -> None:
    done = await run(f"on-error continue\nexpect No.Such = 1\nexpect {INT} = 0\nexpect No.Other = 1\n")
    assert done.code == 1
    assert "first contact: 3 tags, first values after" in done.out
    assert "2 cannot be had" in done.out
    for tag in ("No.Such", "No.Other"):
        (line,) = [each for each in done.out.splitlines() if each.strip().startswith(f"{tag}: ")]
        assert "does not exist" in line or "resolve" in line or "configuration" in line.lower(), line
    assert contacts(run.gateway) == [["No.Such", INT, "No.Other"]]


async def test_the_gateways_own_refusal_is_the_reason_too(tmp_path: Path) -> None:
    key = GatewayKey("plant", "s3cret", subtrees=frozenset({"TestChildObject"}))
    async with SimulatedGateway(plaintext=True, api_keys=[key]) as gateway:
        run = Runs(tmp_path, gateway)
        done = await run(f"on-error continue\nexpect {INT} = 0\nexpect {LEVEL} > 0\n")
        assert done.code == 3
        assert f"  {LEVEL}: " in done.out
        assert "1 cannot be had" in done.out


async def test_a_tag_whose_name_only_the_run_knows_is_left_to_its_line(run: Runs) -> None:
    done = await run(
        f"capture which = TestChildObject.TestInt\nexpect TestMachine_00$which.TestInt = 0\nexpect {BOOL} = false\n"
    )
    assert contacts(run.gateway)[0] == [INT, BOOL]
    assert len(contacts(run.gateway)) == 2, done.out


async def test_a_line_whose_value_only_the_run_knows_is_contacted_too(run: Runs) -> None:
    done = await run(
        f"capture held = {INT}\nlet wanted = $held\nexpect {LEVEL} >= $wanted\n"
        "wait Plant.Tank2.Level != $held now timeout 20s\n"
        "cd TestChildObject\nread .TestDouble Plant.Pump$held.Running\n"
    )
    assert contacts(run.gateway)[0] == [INT, LEVEL, "Plant.Tank2.Level"], done.err


async def test_it_is_made_again_for_the_lines_behind_another_connection(run: Runs) -> None:
    done = await run(
        f"expect {INT} = 0\ncd TestChildObject\nexpect .TestBool = false\nexpect .TestDouble = 0\n"
        f"connect\nexpect {INT} = 0\n"
    )
    assert done.code == 0, done.err
    assert contacts(run.gateway) == [[INT], [BOOL, "TestChildObject.TestDouble"], [INT]]


async def test_a_file_that_adds_items_itself_makes_its_own_contact(run: Runs) -> None:
    done = await run(f"register me\nadd-item {INT}\nadvise 1\nexpect {BOOL} = false\nexpect 1 = 0\n")
    assert done.code == 0, done.err
    assert "first contact" not in done.out


async def test_a_plan_makes_it_too_and_lines_without_a_file_do_not(run: Runs) -> None:
    run.file(f"write {INT} 5\nexpect {BOOL} = false\n")
    done = await run.process("plan", "try.mxs", "--plaintext")
    assert (done.code, run.written) == (0, [])
    assert contacts(run.gateway) == [[INT, BOOL]]
    assert "first contact: 2 tags" in done.out
    done = await run.process("--plaintext", "-e", f"expect {INT} = 0", "-e", f"expect {BOOL} = false")
    assert contacts(run.gateway)[1:] == [[INT], [BOOL]]
    assert "added item 1; first values after" in done.out


async def test_the_names_of_an_include_and_its_rows_tell_which_tags(run: Runs) -> None:
    run.file("expect $OBJECT.$ATTRIBUTE = false\n", "part.mxs")
    run.file("ATTRIBUTE,OBJECT\nTestBool,TestChildObject\nBypass,Plant.Interlock\n", "rows.csv")
    done = await run(
        "include part.mxs each rows.csv\ninclude part.mxs with OBJECT=Plant.Interlock ATTRIBUTE=Reset\n"
        f"expect {INT} = 0\n"
    )
    assert done.code == 0, done.err
    assert contacts(run.gateway) == [[BOOL, "Plant.Interlock.Bypass", "Plant.Interlock.Reset", INT]]


async def test_the_tags_of_globs_and_the_other_tags_of_comparisons_are_among_them(run: Runs) -> None:
    done = await run(
        f"expect {INT} = tag:{BOOL[:-4]}Double\nexpect every Plant.Tank?.Level > 0\n"
        "watchdog any Plant.Tank?.Level > 0\nexpect every No.Such.* = 1\n"
    )
    assert "no tag matches No.Such.*" in done.err
    tanks = ["Plant.Tank1.Level", "Plant.Tank2.Level"]
    assert contacts(run.gateway) == [[INT, "TestChildObject.TestDouble", *tanks]]
