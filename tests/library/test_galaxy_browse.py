"""The galaxy's tree, level by level, and its deployments."""

import asyncio
from typing import Any

import grpc
import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    ClientOptions,
    GalaxyNode,
    GatewayClient,
    MxGatewayArgumentError,
    MxGatewayCommandError,
    MxGatewayGalaxyChangedError,
    MxGatewayTransportError,
)
from zb_mom_ww_mxgateway_sim import SimulatedGateway


def asked(gateway: SimulatedGateway) -> list[Any]:
    return [call.request for call in gateway.calls if call.rpc == "BrowseChildren"]


def names(nodes: tuple[GalaxyNode, ...]) -> list[str]:
    return [node.object.tag_name for node in nodes]


async def every(client: GatewayClient) -> list[str]:
    return sorted([item.tag_name async for item in client.galaxy.discover()])


async def test_the_tree_has_every_object_once(client: GatewayClient) -> None:
    found: list[str] = []
    waiting = list(await client.galaxy.browse())
    while waiting:
        node = waiting.pop()
        found.append(node.object.tag_name)
        children = await node.children()
        assert bool(children) == node.has_children
        assert all(child.object.parent_gobject_id == node.object.gobject_id for child in children)
        waiting += children
    assert sorted(found) == await every(client)
    assert len(found) > 10


async def test_areas_come_first(client: GatewayClient) -> None:
    marks = [node.object.is_area for node in await client.galaxy.browse()]
    assert marks == sorted(marks, reverse=True)
    assert any(marks)


async def test_a_node_is_asked_for_only_when_it_expands_and_then_once(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    top = await client.galaxy.browse()
    assert len(asked(gateway)) == 1
    node = next(node for node in top if node.has_children)
    first, second, third = await asyncio.gather(node.children(), node.children(), node.children())
    assert first is second is third
    assert len(asked(gateway)) == 2
    assert await node.children() is first


async def test_an_expansion_that_failed_is_made_again(gateway: SimulatedGateway, client: GatewayClient) -> None:
    node = next(node for node in await client.galaxy.browse() if node.has_children)
    gateway.faults.fail_next("BrowseChildren", code=grpc.StatusCode.INTERNAL)
    with pytest.raises(Exception, match="browse"):
        await node.children()
    assert await node.children()


async def test_pages_make_one_list(gateway: SimulatedGateway, client: GatewayClient) -> None:
    whole = await client.galaxy.browse("Plant", page_size=5000)
    before = len(asked(gateway))
    paged = await client.galaxy.browse("Plant", page_size=2)
    assert names(paged) == names(whole)
    assert len(asked(gateway)) - before == -(-len(whole) // 2) > 1


async def test_a_redeploy_between_pages_restarts_the_list(gateway: SimulatedGateway, client: GatewayClient) -> None:
    whole = await client.galaxy.browse("Plant")
    before = len(asked(gateway))
    gateway.faults.delay("BrowseChildren", 0.05)
    browsing = asyncio.create_task(client.galaxy.browse("Plant", page_size=2))
    await eventually(lambda: len(asked(gateway)) - before >= 2, "a second page is asked for")
    gateway.faults.redeploy()
    gateway.faults.delay("BrowseChildren", 0)
    assert names(await browsing) == names(whole)
    tokens = [request.page_token for request in asked(gateway)[before:]]
    assert tokens.count("") == 2


async def test_a_redeploy_during_discovery_is_reported(gateway: SimulatedGateway, client: GatewayClient) -> None:
    objects = client.galaxy.discover(page_size=2)
    await anext(objects)
    await anext(objects)
    gateway.faults.redeploy()
    with pytest.raises(MxGatewayGalaxyChangedError, match="begin again") as caught:
        await anext(objects)
    assert caught.value.grpc_code == "INVALID_ARGUMENT"
    assert caught.value.__cause__ is not caught.value


async def test_an_error_between_pages_is_not_its_own_cause(gateway: SimulatedGateway, client: GatewayClient) -> None:
    gateway.faults.fail_next("DiscoverHierarchy", code=grpc.StatusCode.OUT_OF_RANGE)
    with pytest.raises(MxGatewayCommandError) as caught:
        await anext(client.galaxy.discover())
    assert isinstance(caught.value.__cause__, grpc.RpcError | grpc.aio.AioRpcError)


async def test_a_galaxy_that_does_not_answer_in_time_is_no_trouble_of_a_worker(gateway: SimulatedGateway) -> None:
    options = ClientOptions(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True, call_timeout=0.1)
    async with await GatewayClient.connect(options) as client:
        gateway.faults.delay("BrowseChildren", 60)
        with pytest.raises(MxGatewayTransportError, match="DEADLINE_EXCEEDED"):
            await client.galaxy.browse()


async def test_filters_reach_the_gateway_and_are_kept_by_the_nodes(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    top = await client.galaxy.browse(tag_name_glob="*", include_attributes=False, historized_only=False)
    assert all(not node.object.attributes for node in top)
    node = next(node for node in top if node.has_children)
    assert all(not child.object.attributes for child in await node.children())
    assert [request.include_attributes for request in asked(gateway)] == [False, False]
    assert asked(gateway)[1].parent_gobject_id == node.object.gobject_id


async def test_discover_takes_a_root_and_a_depth(gateway: SimulatedGateway, client: GatewayClient) -> None:
    below = [item.tag_name async for item in client.galaxy.discover(root="Plant", max_depth=1)]
    children = names(await client.galaxy.browse("Plant"))
    assert set(children) <= set(below)
    request = next(call.request for call in gateway.calls if call.rpc == "DiscoverHierarchy")
    assert request.root_tag_name == "Plant"
    assert request.max_depth.value == 1


async def test_an_unknown_parent_is_a_refusal(client: GatewayClient) -> None:
    with pytest.raises(MxGatewayCommandError, match="NOT_FOUND"):
        await client.galaxy.browse("NoSuchObject")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"parent": 0}, "parent"),
        ({"parent": " "}, "parent"),
        ({"page_size": 0}, "page_size"),
        ({"page_size": 5001}, "page_size"),
        ({"category_ids": "13"}, "category_ids"),
        ({"category_ids": [-1]}, r"category_ids\[0\]"),
        ({"template_chain_contains": [""]}, r"template_chain_contains\[0\]"),
        ({"tag_name_glob": 7}, "tag_name_glob"),
    ],
)
async def test_arguments_are_checked_before_anything_is_sent(
    gateway: SimulatedGateway, client: GatewayClient, arguments: dict[str, Any], named: str
) -> None:
    with pytest.raises(MxGatewayArgumentError, match=f"^{named} "):
        await client.galaxy.browse(**arguments)
    assert asked(gateway) == []


async def test_deployments_begin_with_the_present_one(gateway: SimulatedGateway, client: GatewayClient) -> None:
    async with asyncio.timeout(30), client.galaxy.watch_deploy_events() as events:
        now = await anext(events)
        gateway.faults.redeploy()
        then = await anext(events)
    assert then.sequence > now.sequence
    assert now.object_count == len(await every(client))
    assert then.time_of_last_deploy == await client.galaxy.last_deploy_time()
