"""A short visit to a real gateway. Skipped unless MXGATEWAY_INTEGRATION=1.

MXGATEWAY_ENDPOINT and MXGATEWAY_TEST_ITEM must be set, MXGATEWAY_API_KEY where the gateway wants a key.
MXGATEWAY_PLAINTEXT=1 is for a gateway without TLS; otherwise MXGATEWAY_CA_FILE verifies it, or its
certificate is trusted for this visit. Nothing is written.
"""

import asyncio
import os
from pathlib import Path

import pytest

from zb_mom_ww_mxgateway import EventFamily, GatewayClient, LiveSession

# Read here: no test sees the user's settings.
SETTINGS = {name: value for name, value in os.environ.items() if name.startswith("MXGATEWAY_")}
# The first value of an item on a fresh session takes 3 to 8 seconds.
FIRST_VALUE = 20.0

pytestmark = pytest.mark.skipif(
    SETTINGS.get("MXGATEWAY_INTEGRATION") != "1", reason="visits a real gateway; wants MXGATEWAY_INTEGRATION=1"
)


async def connected(known_gateways: Path) -> GatewayClient:
    return await GatewayClient.connect(
        endpoint=SETTINGS["MXGATEWAY_ENDPOINT"],
        api_key=SETTINGS.get("MXGATEWAY_API_KEY"),
        plaintext=SETTINGS.get("MXGATEWAY_PLAINTEXT") == "1",
        ca_file=SETTINGS.get("MXGATEWAY_CA_FILE"),
        known_gateways=known_gateways,
    )


async def test_open_register_advise_first_event_close(known_gateways: Path) -> None:
    async with asyncio.timeout(50), await connected(known_gateways) as client:
        session = await client.open_session()
        try:
            assert session.info.gateway_protocol_version == 3
            server = await session.register("mxgw integration test")
            item = await session.add_item(server, SETTINGS["MXGATEWAY_TEST_ITEM"])
            await session.advise(server, item)
            async with asyncio.timeout(FIRST_VALUE), session.stream_events() as events:
                async for event in events:
                    if event.family is EventFamily.ON_DATA_CHANGE:
                        assert (event.server_handle, event.item_handle) == (server, item)
                        assert not event.failed
                        break
            await session.unadvise(server, item)
            await session.remove_item(server, item)
            await session.unregister(server)
        finally:
            await session.close()


async def test_a_live_session_has_the_value(known_gateways: Path) -> None:
    async with asyncio.timeout(50), await connected(known_gateways) as client:
        live = await LiveSession.open(client)
        try:
            server = await live.session.register("mxgw integration test")
            (item,) = await live.subscribe_tags([SETTINGS["MXGATEWAY_TEST_ITEM"]], server)
            async with asyncio.timeout(FIRST_VALUE):
                value = await live.first_value(item)
            assert value.quality_word == "good"
        finally:
            await live.aclose()
