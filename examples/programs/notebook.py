# %% [markdown]
# # A tank, hour by hour
# Cells for Jupyter, VS Code or Spyder, which also run as a plain program. The connection lives in a thread of its own,
# so its values stay up to date while you think, whatever the notebook's own event loop does.

# %%
import os
import time
from statistics import mean

from zb_mom_ww_mxgateway import LiveValue
from zb_mom_ww_mxgateway.sync import connect

# %%
plant = connect(os.environ["MXGATEWAY_ENDPOINT"], api_key=os.environ.get("MXGATEWAY_API_KEY"), wait=30)

# %% Values at once
for reading in plant.read(["Plant.Tank1.Level", "Plant.Tank1.LevelSP"]):
    print(reading.tag, reading.value, reading.quality_word)

# %% What happens from now on is collected while the next cells are typed
levels: list[float] = []


def collect(value: LiveValue) -> None:
    if value.quality_word == "good" and isinstance(value.value, float):
        levels.append(value.value)


collecting = plant.subscribe("Plant.Tank1.Level", collect)

# %% Something to see
print(plant.write("Plant.Tank1.LevelSP", 65.0).outcome.value)
while len(levels) < 3:
    time.sleep(0.1)
print(f"{len(levels)} levels, {mean(levels):.1f} on average")

# %% The end
plant.close()
