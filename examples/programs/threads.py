"""The library in a program with threads: they share one session, whose calls block.

python threads.py HOST:PORT
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from zb_mom_ww_mxgateway.sync import connect


def main(endpoint: str) -> None:
    tags = ["TestChildObject.TestInt", "Plant.Tank1.LevelSP"]
    with connect(endpoint, api_key=os.environ.get("MXGATEWAY_API_KEY")) as plant, ThreadPoolExecutor(4) as pool:
        for result in pool.map(partial(plant.write, tags[0]), range(1, 5)):
            print(result.outcome.value)
        for (reading,) in pool.map(plant.read, [[tag] for tag in tags]):
            print(reading.error or reading.value)


if __name__ == "__main__":
    main(sys.argv[1])
