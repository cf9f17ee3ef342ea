"""Advises a tag, writes it, and waits for the outcome.

    python examples/read_and_write.py HOST:PORT

The API key comes from MXGATEWAY_API_KEY, remembered certificates from the user's own file or MXGATEWAY_KNOWN_GATEWAYS.
"""

import asyncio
import os
import sys

from zb_mom_ww_mxgateway import GatewayClient, LiveSession, MxGatewayError

TAG = "TestChildObject.TestInt"


async def main(endpoint: str) -> None:
    key = os.environ.get("MXGATEWAY_API_KEY")
    known = os.environ.get("MXGATEWAY_KNOWN_GATEWAYS")
    async with (
        await GatewayClient.connect(endpoint=endpoint, api_key=key, known_gateways=known) as client,
        await LiveSession.open(client) as live,
    ):
        (item,) = await live.subscribe_tags([TAG])
        value = await live.first_value(item, timeout=15)
        print(f"{TAG} is {value.value} ({value.quality_word}, {value.age:.1f} s old)")
        result = await live.write(TAG, 123)
        print(f"writing 123: {result.outcome.value}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/read_and_write.py HOST:PORT")
    try:
        asyncio.run(main(sys.argv[1]))
    except MxGatewayError as error:
        sys.exit(str(error))
