"""Writes a recipe and verifies it: every write must complete, and every value must then be seen in the plant.

    python recipe.py HOST:PORT RECIPE.json

RECIPE.json is {"TAG": VALUE, …}. The exit code is 0 only if all of the recipe is verified.
"""

import asyncio
import json
import os
import sys
from functools import partial
from pathlib import Path

from zb_mom_ww_mxgateway import GatewayClient, LiveSession, MxGatewayWaitError, MxValueInput, WriteOutcome, same_value


async def load(live: LiveSession, recipe: dict[str, MxValueInput]) -> bool:
    is_whole = True
    for tag, result in (await live.write_many(recipe, timeout=20)).items():
        if result.outcome is not WriteOutcome.COMPLETED:
            # Unknown and accepted are not failures: the write may have happened, so it is not repeated.
            print(f"{tag}: {result.outcome.value} {result.error or [str(status) for status in result.statuses]}")
            is_whole = False
    for tag, wanted in recipe.items():
        try:
            seen = await live.wait_for(tag, partial(same_value, wanted), timeout=5)
            print(f"{tag} is {seen.value} ({seen.quality_word})")
        except MxGatewayWaitError as error:
            print(f"NOT VERIFIED: {error}")
            is_whole = False
    return is_whole


async def main(endpoint: str, recipe: dict[str, MxValueInput]) -> int:
    async with (
        await GatewayClient.connect(endpoint, api_key=os.environ.get("MXGATEWAY_API_KEY")) as client,
        await LiveSession.open(client) as live,
    ):
        return 0 if await load(live, recipe) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")))))
