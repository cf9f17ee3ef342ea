"""Compares the same tags at two gateways: before and after a migration, or a plant and its test system.

    python two_gateways.py HOST:PORT OTHER:PORT TAG…

The keys come from MXGATEWAY_API_KEY and OTHER_API_KEY. Exit code 1 when anything differs.
"""

import asyncio
import os
import sys

from zb_mom_ww_mxgateway import GatewayClient, LiveSession, Reading, same_value


async def readings(endpoint: str, key: str | None, tags: list[str]) -> list[Reading]:
    async with (
        await GatewayClient.connect(endpoint, api_key=key) as client,
        await LiveSession.open(client) as live,
    ):
        return await live.read(tags)


async def main(endpoint: str, other: str, tags: list[str]) -> int:
    ours, theirs = await asyncio.gather(
        readings(endpoint, os.environ.get("MXGATEWAY_API_KEY"), tags),
        readings(other, os.environ.get("OTHER_API_KEY"), tags),
    )
    differences = 0
    for one, two in zip(ours, theirs, strict=True):
        is_same = not one.error and not two.error and one.quality == two.quality and same_value(one.value, two.value)
        differences += not is_same
        print(f"{'same' if is_same else 'DIFFERS'}  {one.tag}  {said(one)}  {said(two)}")
    return 1 if differences else 0


def said(reading: Reading) -> str:
    return reading.error or f"{reading.value} ({reading.quality_word})"


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:])))
