"""Logs tags to a CSV file: one row per change, and one row wherever events were lost.

    python log_values.py HOST:PORT FILE.csv CHANGES TAG…

It ends after CHANGES changes.
"""

import asyncio
import csv
import os
import sys
from pathlib import Path

from zb_mom_ww_mxgateway import EventFamily, GatewayClient, LiveSession


async def log(live: LiveSession, file: Path, changes: int, tags: list[str]) -> None:
    # Subscribed before the tags are advised: the first values are in the file, too.
    with file.open("w", newline="", encoding="utf-8") as opened:
        async with live.subscribe() as events:
            await live.subscribe_tags(tags)
            rows = csv.writer(opened)
            rows.writerow(["source_time", "tag", "value", "quality"])
            async for event in events:
                if event.replay_gap is not None:
                    rows.writerow(["", "", "", "events were lost here"])
                elif event.family is EventFamily.ON_DATA_CHANGE:
                    rows.writerow([event.source_timestamp, event.tag, event.value, event.quality_word])
                    changes -= 1
                opened.flush()
                if changes <= 0:
                    return


async def main(endpoint: str, file: Path, changes: int, tags: list[str]) -> None:
    async with (
        await GatewayClient.connect(endpoint, api_key=os.environ.get("MXGATEWAY_API_KEY")) as client,
        await LiveSession.open(client) as live,
    ):
        await log(live, file, changes, tags)
        print(f"{changes} changes in {file}, {live.gaps} gaps")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
