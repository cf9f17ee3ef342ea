# %% [markdown]
# # A tank, hour by hour
# Cells for Jupyter, VS Code or Spyder, which also run as a plain program. The connection lives in a thread of its own,
# so its values stay up to date while you think, whatever the notebook's own event loop does.

# %%
import asyncio
import os
import threading
from collections.abc import Coroutine
from statistics import mean
from typing import Any, TypeVar

from zb_mom_ww_mxgateway import GatewayClient, LiveSession, LiveValue

T = TypeVar("T")
loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, name="gateway", daemon=True).start()


def run(work: Coroutine[Any, Any, T], seconds: float = 60) -> T:
    """Run a coroutine on the connection's loop and return its result."""
    return asyncio.run_coroutine_threadsafe(work, loop).result(seconds)


# %%
client = run(
    GatewayClient.connect(os.environ["MXGATEWAY_ENDPOINT"], api_key=os.environ.get("MXGATEWAY_API_KEY"), wait=30)
)
live = run(LiveSession.open(client))

# %% Values at once
for reading in run(live.read(["Plant.Tank1.Level", "Plant.Tank1.LevelSP"])):
    print(reading.tag, reading.value, reading.quality_word)

# %% What happens from now on is collected while the next cells are typed
levels: list[float] = []


async def collect() -> None:
    def take(value: LiveValue) -> None:
        if value.quality_word == "good" and isinstance(value.value, float):
            levels.append(value.value)

    await live.on_change("Plant.Tank1.Level", take)


run(collect())

# %% Something to see
print(run(live.write("Plant.Tank1.LevelSP", 65.0)).outcome.value)
run(live.wait_for("Plant.Tank1.Level", lambda level: level > 0, new=True, timeout=30))
print(f"{len(levels)} levels, {mean(levels):.1f} on average")

# %% The end
run(live.aclose())
run(client.close())
