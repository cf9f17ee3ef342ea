"""The galaxy: page by page as it is read, and whole objects with their attributes."""

import asyncio
import gc
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    DataType,
    GalaxyAttribute,
    GalaxyObject,
    GatewayClient,
    MxGatewayArgumentError,
    MxGatewayAuthorizationError,
    MxGatewayCommandError,
    MxGatewayTransportError,
    wire,
)
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb
from zb_mom_ww_mxgateway_sim import GatewayKey, KeyScope, SimulatedGateway


def pages(gateway: SimulatedGateway) -> list[Any]:
    """The pages that were asked for."""
    return [call.request for call in gateway.calls if call.rpc == "DiscoverHierarchy"]


async def test_a_page_is_asked_for_when_the_one_before_is_used_up(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    objects = client.galaxy.discover(page_size=3)
    assert pages(gateway) == []
    for number in range(1, 8):
        await anext(objects)
        assert len(pages(gateway)) == (number + 2) // 3
    assert [request.page_size for request in pages(gateway)] == [3, 3, 3]
    first, second, _ = (request.page_token for request in pages(gateway))
    assert first == ""
    assert second


async def test_leaving_early_asks_for_no_more(gateway: SimulatedGateway, client: GatewayClient) -> None:
    async for _ in client.galaxy.discover(page_size=2):
        break
    assert len(pages(gateway)) == 1


@pytest.mark.parametrize("page_size", [1, 2, 7, 500, 5000])
async def test_every_object_comes_once_whatever_the_page_size(
    page_size: int, gateway: SimulatedGateway, client: GatewayClient
) -> None:
    everything = [item async for item in client.galaxy.discover(page_size=5000)]
    asked = len(pages(gateway))
    found = [item async for item in client.galaxy.discover(page_size=page_size)]
    assert found == everything
    assert len({item.tag_name for item in found}) == len(found) > 10
    assert len(pages(gateway)) - asked == -(-len(found) // page_size)


async def test_an_object_with_its_attributes(client: GatewayClient) -> None:
    (found,) = [item async for item in client.galaxy.discover(tag_name_glob="TestChildObject")]
    assert isinstance(found, GalaxyObject)
    assert (found.tag_name, found.is_area) == ("TestChildObject", False)
    assert found.gobject_id > 0
    assert found.template_chain
    attributes = {attribute.attribute_name: attribute for attribute in found.attributes}
    expected = {
        "TestBool": DataType.BOOLEAN,
        "TestInt": DataType.INTEGER,
        "TestFloat": DataType.FLOAT,
        "TestDouble": DataType.DOUBLE,
        "TestString": DataType.STRING,
        "TestTime": DataType.TIME,
        "TestElapsed": DataType.ELAPSED_TIME,
        "TestIntArray": DataType.INTEGER,
    }
    # The galaxy's native numbers, as the contract's.
    assert {name: attributes[name].data_type for name in expected} == expected
    array, scalar = attributes["TestIntArray"], attributes["TestInt"]
    assert array.is_array
    assert array.array_dimension
    assert (scalar.is_array, scalar.array_dimension) == (False, None)
    assert isinstance(scalar, GalaxyAttribute)
    assert scalar.full_tag_reference == "TestChildObject.TestInt"
    assert scalar.data_type_name == "Integer"


async def test_areas_and_what_stands_in_them(client: GatewayClient) -> None:
    objects = {item.gobject_id: item async for item in client.galaxy.discover()}
    areas = [item for item in objects.values() if item.is_area]
    assert areas
    assert all(area.category_id == 13 for area in areas)
    assert all(item.parent_gobject_id == 0 or item.parent_gobject_id in objects for item in objects.values())


async def test_attributes_can_be_left_out(gateway: SimulatedGateway, client: GatewayClient) -> None:
    found = [item async for item in client.galaxy.discover(include_attributes=False)]
    assert found
    assert all(item.attributes == () for item in found)
    assert [request.include_attributes for request in pages(gateway)] == [False]


async def test_a_glob_filters_by_tag_name(client: GatewayClient) -> None:
    found = [item.tag_name async for item in client.galaxy.discover(tag_name_glob="testCHILD*")]
    assert found == ["TestChildObject"]
    assert [item async for item in client.galaxy.discover(tag_name_glob="Child")] == []


async def test_the_filters_stay_the_same_from_page_to_page(gateway: SimulatedGateway, client: GatewayClient) -> None:
    found = [item async for item in client.galaxy.discover(tag_name_glob="Plant*", page_size=2)]
    assert len(found) > 4
    assert {(request.tag_name_glob, request.include_attributes) for request in pages(gateway)} == {("Plant*", True)}


async def test_a_deployment_in_between_ends_the_paging_with_an_error(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    objects = client.galaxy.discover(page_size=1)
    await anext(objects)
    gateway.faults.redeploy()
    with pytest.raises(MxGatewayCommandError, match="INVALID_ARGUMENT"):
        await anext(objects)


@pytest.mark.parametrize("page_size", [0, -1, 5001])
async def test_a_page_size_that_cannot_be_is_refused_before_any_call(
    page_size: int, gateway: SimulatedGateway, client: GatewayClient
) -> None:
    with pytest.raises(MxGatewayArgumentError, match="page_size"):
        await anext(client.galaxy.discover(page_size=page_size))
    assert pages(gateway) == []


async def test_many_tags_come_page_by_page() -> None:
    async with SimulatedGateway(plaintext=True, generated_tags=20_000) as gateway:
        client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True)
        async with client:
            tags = 0
            async for item in client.galaxy.discover(tag_name_glob="Area*", page_size=100):
                tags += sum(attribute.attribute_name.startswith("Value") for attribute in item.attributes)
    assert tags == 20_000
    assert len(pages(gateway)) > 3


async def test_the_connection_to_the_galaxy(client: GatewayClient) -> None:
    assert await client.galaxy.test_connection() is True


async def test_the_last_deployment(gateway: SimulatedGateway, client: GatewayClient) -> None:
    gateway.faults.redeploy()
    deployed = await client.galaxy.last_deploy_time()
    assert deployed is not None
    assert deployed.tzinfo is UTC
    assert abs(datetime.now(UTC) - deployed) < timedelta(minutes=1)


def test_never_deployed_is_no_time() -> None:
    assert wire.last_deploy_time(pb.GetLastDeployTimeReply()) is None


async def test_a_key_without_the_scope_is_told(gateway: SimulatedGateway) -> None:
    key = GatewayKey("operator", "secret", {KeyScope.SESSION_OPEN})
    async with SimulatedGateway(plaintext=True, api_keys=[key]) as gateway:
        client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=key.text, plaintext=True)
        async with client:
            with pytest.raises(MxGatewayAuthorizationError, match="metadata:read"):
                await anext(client.galaxy.discover())


async def test_a_page_that_fails_is_an_error_in_the_middle(gateway: SimulatedGateway, client: GatewayClient) -> None:
    objects = client.galaxy.discover(page_size=1)
    await anext(objects)
    gateway.faults.fail_next("DiscoverHierarchy", code=grpc.StatusCode.UNAVAILABLE, details="gone")
    with pytest.raises(MxGatewayTransportError, match="discover at"):
        await anext(objects)


async def test_no_such_object_is_no_session_error(gateway: SimulatedGateway, client: GatewayClient) -> None:
    gateway.faults.fail_next("DiscoverHierarchy", code=grpc.StatusCode.NOT_FOUND, details="no such root")
    with pytest.raises(MxGatewayCommandError, match="no such root"):
        await anext(client.galaxy.discover())


async def test_the_tags_of_the_galaxy_are_those_of_its_objects(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    objects = {item.tag_name: item async for item in client.galaxy.discover()}
    found = [item async for item in client.galaxy.discover_tags(page_size=3)]
    assert [item.tag_name for item in found] == list(objects)
    for item in found:
        whole = objects[item.tag_name]
        assert (item.is_area, item.template_chain) == (whole.is_area, whole.template_chain)
        assert len(item.attributes) == len(whole.attributes)
        for tag, attribute in zip(item.attributes, whole.attributes, strict=True):
            assert tag._asdict() == {name: getattr(attribute, name) for name in tag._fields}


async def test_the_next_page_of_tags_is_asked_for_while_one_is_used(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    tags = client.galaxy.discover_tags(page_size=3)
    assert pages(gateway) == []
    await anext(tags)
    # Without another step of the reader: the first page is not used up.
    await eventually(lambda: len(pages(gateway)) == 2, "the second page is asked for")
    first, second = pages(gateway)
    assert (first.page_token, second.page_size) == ("", 3)
    assert second.page_token
    await tags.aclose()
    # The reader left: the page that it has not taken is the last.
    assert await client.galaxy.count_objects() > 6
    assert len(pages(gateway)) == 3


async def test_tags_come_while_the_next_page_does_not(gateway: SimulatedGateway, client: GatewayClient) -> None:
    tags = client.galaxy.discover_tags(page_size=3)
    await anext(tags)
    gateway.faults.stall("DiscoverHierarchy")
    found = [await anext(tags) for _ in range(2)]
    assert len({item.tag_name for item in found}) == 2
    await tags.aclose()


async def test_a_page_of_tags_that_fails_is_an_error_after_the_tags_before_it(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    tags = client.galaxy.discover_tags(page_size=3)
    await anext(tags)
    gateway.faults.fail_next("DiscoverHierarchy", code=grpc.StatusCode.UNAVAILABLE, details="gone")
    await anext(tags)
    await anext(tags)
    with pytest.raises(MxGatewayTransportError, match="discover_tags at"):
        await anext(tags)


async def test_a_failed_page_that_nobody_waits_for_is_not_reported(
    gateway: SimulatedGateway, client: GatewayClient, caplog: pytest.LogCaptureFixture
) -> None:
    tags = client.galaxy.discover_tags(page_size=3)
    await anext(tags)
    gateway.faults.fail_next("DiscoverHierarchy", code=grpc.StatusCode.UNAVAILABLE, details="gone")
    (coming,) = [task for task in asyncio.all_tasks() if task.get_name() == "discover_tags"]
    await asyncio.wait([coming])
    await tags.aclose()
    del coming, tags
    gc.collect()
    assert caplog.records == []


async def test_the_objects_are_counted_in_one_call(gateway: SimulatedGateway, client: GatewayClient) -> None:
    everything = [item async for item in client.galaxy.discover()]
    asked = len(pages(gateway))
    assert await client.galaxy.count_objects() == len(everything)
    assert await client.galaxy.count_objects(root="Plant", tag_name_glob="plant.*") == sum(
        item.tag_name.startswith("Plant.") for item in everything
    )
    assert len(pages(gateway)) - asked == 2
