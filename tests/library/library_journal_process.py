"""A process that appends to a journal: ``python library_journal_process.py FOLDER NAME COUNT``.

It writes COUNT lines in groups, and says so after each group that is on the disk. COUNT 0: until it is killed.
"""

import asyncio
import itertools
import sys
from pathlib import Path

from zb_mom_ww_mxgateway.safety.journal import Journal


async def main(folder: Path, name: str, count: int) -> None:
    # Small files: they rotate, too, while both write.
    journal = Journal(folder / "state", folder / "data", {"name": name}, rotate_at=20_000)
    for number in range(count) if count else itertools.count():
        journal.post("answer", {"mine": 2 * number})
        await journal.append("intent", {"mine": 2 * number + 1})
        print(number, flush=True)
    await journal.aclose()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
