"""The simulated gateway that the figures are taken against."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def simulator(tags: int) -> Iterator[str]:
    """The endpoint of a gateway with so many generated tags, in a process of its own."""
    options = ["--plaintext", "--no-api-key", "--generated-tags", str(tags)]
    with subprocess.Popen(
        [sys.executable, "-m", "zb_mom_ww_mxgateway_sim", *options], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["endpoint"]
        finally:
            process.terminate()
