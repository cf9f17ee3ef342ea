"""Looking at the galaxy, and at its deployments."""

import asyncio
import json
from unittest.mock import ANY

import grpc
import pytest
from cli_process import Run, Start, ended, until

from zb_mom_ww_mxgateway_sim import SimulatedGateway

BROWSE, DISCOVER, DEPLOYED = (
    (command, "--plaintext") for command in ("galaxy-browse", "galaxy-discover", "galaxy-deploy-events")
)
TEST_OBJECT = {
    "attributes": None,
    "browse_name": "TestChildObject",
    "category_id": 10,
    "contained_name": "",
    "gobject_id": ANY,
    "hosted_by_gobject_id": ANY,
    "is_area": False,
    "parent_gobject_id": ANY,
    "tag_name": "TestChildObject",
    "template_chain": ["$TestObject", "$UserDefined"],
}


async def test_the_json_of_a_child(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py(*BROWSE, "--parent", "TestArea", "--json")
    assert (ran.code, ran.err) == (0, "")
    (child,) = [one for one in ran.json if one["tag_name"] == "TestChildObject"]
    assert child == TEST_OBJECT | {"has_children": False}
    assert child["parent_gobject_id"] == child["hosted_by_gobject_id"]
    by_id = await mxgw_py(*BROWSE, "--parent", str(child["parent_gobject_id"]), "--json")
    assert by_id.json == ran.json


async def test_the_json_of_an_attribute(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py(*BROWSE, "--parent", "TestArea", "--attributes", "--glob", "testchild*", "--json")
    (child,) = ran.json
    (attribute,) = [one for one in child["attributes"] if one["attribute_name"] == "TestInt"]
    assert attribute == {
        "array_dimension": None,
        "attribute_name": "TestInt",
        "category": 10,
        "data_type": "INTEGER",
        "data_type_name": "Integer",
        "full_tag_reference": "TestChildObject.TestInt",
        "is_alarm": False,
        "is_array": False,
        "is_historized": False,
        "security_classification": 0,
    }


async def test_a_list_has_one_shape_also_of_one_object_and_of_none(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    for command in (BROWSE, DISCOVER):
        none, one = (("--glob", glob, "--output") for glob in ("Nothing*", "TestChildObject"))
        within = ("--parent", "TestArea") if command is BROWSE else ()
        sheets = [(await mxgw_py(*command, *within, *which, "csv")).out.splitlines() for which in (none, one)]
        assert [len(lines) for lines in sheets] == [1, 2]
        assert sheets[0][0] == sheets[1][0]
        assert "tag_name" in sheets[0][0].split(",")
        lists = [json.loads((await mxgw_py(*command, *within, *which, "json")).out) for which in (none, one)]
        assert [len(found) for found in lists] == [0, 1]


async def test_children_for_a_person(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py(*BROWSE, "--category", "13")
    assert (ran.code, ran.err) == (0, "")
    assert ["area", "Plant"] in [line.split()[1:3] for line in ran.out.splitlines()]
    ran = await mxgw_py(*DISCOVER, "--glob", "TestChildObject", "--attributes")
    first, *attributes = ran.out.splitlines()
    assert first.split()[1:3] == ["object", "TestChildObject"]
    assert ["TestChildObject.TestInt", "Integer"] in [line.split() for line in attributes]


async def test_discover_pages_through_what_passes_the_filters(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    everything = (await mxgw_py(*DISCOVER, "--page-size", "7", "--json")).json
    assert TEST_OBJECT in everything
    asked = [call.request for call in gateway.calls if call.rpc == "DiscoverHierarchy"]
    assert len(asked) == -(-len(everything) // 7)
    filters = ["--root", "Plant", "--max-depth", "2", "--category", "10", "--category", "13", "--template", "Tank"]
    await mxgw_py(*DISCOVER, *filters, "--glob", "Tank*", "--alarm-bearing", "--historized")
    request = [call.request for call in gateway.calls if call.rpc == "DiscoverHierarchy"][-1]
    assert (request.root_tag_name, request.max_depth.value) == ("Plant", 2)
    assert (list(request.category_ids), list(request.template_chain_contains)) == ([10, 13], ["Tank"])
    assert (request.tag_name_glob, request.alarm_bearing_only, request.historized_only) == ("Tank*", True, True)
    assert (request.page_size, request.include_attributes) == (500, False)


async def test_a_redeploy_between_two_pages_is_reported(gateway: SimulatedGateway, start: Start) -> None:
    gateway.faults.delay("DiscoverHierarchy", 0.3)
    process = await start(*DISCOVER, "--page-size", "2", "--json")
    assert process.stdout is not None
    await process.stdout.readline()
    gateway.faults.redeploy()
    ran = await ended(process)
    assert ran.code == 3
    assert ran.json[-1]["error"]["type"] == "MxGatewayGalaxyChangedError"
    assert ran.json[-1]["ok"] is False


@pytest.mark.parametrize("command", [(*BROWSE, "--parent"), (*DISCOVER, "--root")], ids=["browse", "discover"])
async def test_an_object_that_does_not_exist_is_one_line(
    command: tuple[str, ...], gateway: SimulatedGateway, mxgw_py: Run
) -> None:
    ran = await mxgw_py(*command, "No\x1bSuch")
    assert (ran.code, ran.out) == (3, "")
    assert "NOT_FOUND" in ran.err
    assert ran.err.count("\n") == 1
    assert "\x1b" not in ran.err


async def test_deployments_are_printed_as_they_arrive(gateway: SimulatedGateway, start: Start) -> None:
    process = await start(*DEPLOYED, "--max-events", "2", "--json")
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert b'"sequence": 1' in await process.stdout.readline()
    gateway.faults.redeploy()
    ran = await ended(process)
    assert (ran.code, ran.err) == (0, "")
    (event,) = ran.json
    assert set(event) == {"attribute_count", "object_count", "observed_at", "sequence", "time_of_last_deploy"}
    assert event["sequence"] == 2
    assert event["observed_at"] >= event["time_of_last_deploy"]


async def test_deployments_end_with_their_duration(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py(*DEPLOYED, "--duration", "200ms")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.lstrip().startswith("1  deployed 20")
    assert ran.out.count("\n") == 1


async def test_a_watch_that_breaks_is_an_error(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    gateway.faults.fail_next("WatchDeployEvents", code=grpc.StatusCode.UNAVAILABLE, details="gone")
    ran = await mxgw_py(*DEPLOYED)
    assert (ran.code, ran.err) == (4, f"mxgw-py: watch_deploy_events at {gateway.endpoint}: UNAVAILABLE gone\n")
    await until(lambda: gateway.calls)
