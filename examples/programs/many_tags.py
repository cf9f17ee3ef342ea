"""Watches thousands of tags, each with a callback, and prints how many have a value and how many are not good.

    python many_tags.py HOST:PORT GLOB COUNT

GLOB selects objects by name (Unit*); COUNT is the largest number of their tags to watch.
"""

import asyncio
import os
import sys
from collections import Counter
from itertools import islice

from zb_mom_ww_mxgateway import GatewayClient, LiveSession, LiveValue


async def tags_of(client: GatewayClient, glob: str) -> list[str]:
    return [
        attribute.full_tag_reference
        async for item in client.galaxy.discover(tag_name_glob=glob)
        for attribute in item.attributes
    ]


async def main(endpoint: str, glob: str, count: int) -> None:
    async with (
        await GatewayClient.connect(endpoint, api_key=os.environ.get("MXGATEWAY_API_KEY")) as client,
        await LiveSession.open(client) as live,
    ):
        tags = list(islice(await tags_of(client, glob), count))
        changes: Counter[str] = Counter()
        qualities: dict[str, str] = {}
        all_there = asyncio.Event()

        def take(value: LiveValue) -> None:
            changes[value.tag] += 1
            qualities[value.tag] = value.quality_word
            if len(qualities) == len(tags):
                all_there.set()

        # Asked for in one go, so the tags are advised a thousand at a time.
        handles = [live.on_change(tag, take) for tag in tags]
        refused = [
            error for error in await asyncio.gather(*handles, return_exceptions=True) if isinstance(error, Exception)
        ]
        async with asyncio.timeout(60):
            if not refused:
                await all_there.wait()
        print(
            f"{len(qualities)} tags, {changes.total()} changes, {dict(Counter(qualities.values()))}, gaps {live.gaps}"
        )
        for error in refused:
            print(error)
        await live.unsubscribe_tags(tags)  # ends the callbacks, too


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
