"""What a shell at its prompt costs: a watch of 500 tags, and the echo of a key while 20,000 events a second come.

``python shell_figures.py cpu|echo PORT EVENTS`` is the shell that is measured: a real prompt, typed into through a
pipe, that draws a vt100 screen. It prints what it found.
"""

import asyncio
import csv
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TARGETS = {"shell.watch_500_cpu_share": ("<=", 0.2), "shell.echo_p90_ms_at_20000": ("<=", 50)}
TAGS = [f"Area{number // 50:02}.Unit{number // 10:03}.Value{number % 10}" for number in range(500)]
# Typed nowhere else and drawn by nothing else.
LETTERS = [chr(code) for code in range(ord("а"), ord("я"))]  # noqa: RUF001  # what is meant
COLUMNS, ROWS = 120, 40


def figures(quick: bool) -> dict[str, dict[str, object]]:
    """The figures, each in a process of its own beside a gateway in another."""
    seconds, spare = (1, 2) if quick else (12, 4)
    # Each tag twice a second; and ten times, so that every row in view is another one at each redraw.
    slow, fast, flood = (500, 0, 1_000) if quick else (1_000, 5_000, 20_000)
    run = measured("cpu", (seconds + spare) * slow, slow, seconds)
    found = {
        "shell.watch_500_cpu_share": _figure(run["share"], "of a core"),
        "shell.watch_500_redraws": _figure(run["redraws"], "a second"),
    }
    if not quick:
        run = measured("cpu", (seconds + spare) * fast, fast, seconds)
        found["shell.watch_500_cpu_share_at_5000"] = _figure(run["share"], "of a core")
    run = measured("echo", (seconds + spare) * flood, flood, seconds)
    found["shell.echo_p90_ms_at_20000"] = _figure(run["p90_ms"], "ms")
    found["shell.echo_p50_ms_at_20000"] = _figure(run["p50_ms"], "ms")
    found["shell.echo_cpu_share_at_20000"] = _figure(run["share"], "of a core")
    found["shell.recorded_at_20000"] = _figure(run["rows"], "events")
    found["shell.lost_to_record_at_20000"] = _figure(run["missing"], "events")
    return found


def _figure(value: float, unit: str) -> dict[str, object]:
    return {"value": round(float(value), 3), "unit": unit}


def measured(what: str, count: int, rate: float, seconds: float) -> dict[str, float]:
    """What a shell finds on a gateway that sends so many events at this rate."""
    with gateway(count, rate) as port:
        command = [sys.executable, str(HERE / "shell_figures.py"), what, str(port), str(count), str(seconds)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def gateway(count: int, rate: float) -> Iterator[int]:
    command = [sys.executable, str(HERE / "shell_gateway.py"), str(count), str(rate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()


# The shell that is measured.


class Screen:
    """Takes what is drawn, and says when a letter first was."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.writes = 0
        self._awaited = ""
        self._seen = threading.Event()
        self._at = 0.0

    def write(self, text: str) -> None:
        self.writes += 1
        if self._awaited and self._awaited in text:
            self._at, self._awaited = time.perf_counter(), ""
            self._seen.set()

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1

    def echo(self, keys: Any, letter: str) -> float:
        """Seconds from a key to its echo; from another thread than the shell's."""
        self._seen.clear()
        self._awaited = letter
        start = time.perf_counter()
        keys.send_text(letter)
        if not self._seen.wait(5):
            raise TimeoutError(f"{letter} was not echoed")
        return self._at - start


async def shell(what: str, port: int, count: int, seconds: float) -> dict[str, float]:
    from prompt_toolkit.application import create_app_session
    from prompt_toolkit.data_structures import Size
    from prompt_toolkit.history import InMemoryHistory
    from prompt_toolkit.input import create_pipe_input
    from prompt_toolkit.output.vt100 import Vt100_Output

    from zb_mom_ww_mxgateway_console.connect.options import Connection
    from zb_mom_ww_mxgateway_shell.commands import all_commands
    from zb_mom_ww_mxgateway_shell.state.context import Context
    from zb_mom_ww_mxgateway_shell.state.watch_lists import WatchLists
    from zb_mom_ww_mxgateway_shell.terminal.prompt import Prompt

    screen = Screen()
    output = Vt100_Output(screen, lambda: Size(rows=ROWS, columns=COLUMNS), enable_cpr=False)  # type: ignore[arg-type]
    with (
        tempfile.TemporaryDirectory() as folder,
        create_pipe_input() as keys,
        create_app_session(input=keys, output=output),
    ):
        context = Context(all_commands(), interactive=True)
        context.lists = WatchLists(Path(folder))
        context.lists.save("bench", TAGS)
        await context.connect(Connection(endpoint=f"127.0.0.1:{port}", plaintext=True), "bench")
        prompt = asyncio.create_task(Prompt(context, debug=False, history=InMemoryHistory()).run())
        try:
            keys.send_text("watch bench\r")
            await until(lambda: len(context.connected.panel) == len(TAGS))
            await asyncio.sleep(seconds / 10)
            if what == "cpu":
                return await cpu_share(screen, seconds)
            file = Path(folder) / "all.csv"
            keys.send_text(f"record {file}\r")
            await until(lambda: bool(context.connected.recordings))
            found = await echoes(keys, screen, seconds)
            live = context.live_session
            await until(lambda: live.last_worker_sequence == count, 60)
            await context.connected.recordings[file].stop()
            return found | recorded(file, count)
        finally:
            context.leaving = True
            keys.send_text("\x03\x04")
            await prompt
            await context.disconnect()


async def until(condition: Any, seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.02)


async def cpu_share(screen: Screen, seconds: float) -> dict[str, float]:
    cpu, start, writes = time.process_time(), time.perf_counter(), screen.writes
    await asyncio.sleep(seconds)
    taken = time.perf_counter() - start
    return {"share": (time.process_time() - cpu) / taken, "redraws": (screen.writes - writes) / taken}


async def echoes(keys: Any, screen: Screen, seconds: float) -> dict[str, float]:
    """Types until the time is over, and clears the line now and then, as somebody who thinks would."""
    found: list[float] = []

    def type_on() -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for letter in LETTERS:
                found.append(screen.echo(keys, letter))
                time.sleep(0.03)
            keys.send_text("\x15")
            time.sleep(0.2)

    cpu, start = time.process_time(), time.perf_counter()
    await asyncio.to_thread(type_on)
    share = (time.process_time() - cpu) / (time.perf_counter() - start)
    deciles = statistics.quantiles(found, n=10)
    return {"p50_ms": statistics.median(found) * 1e3, "p90_ms": deciles[-1] * 1e3, "share": share}


def recorded(file: Path, count: int) -> dict[str, float]:
    """How many events are in the file, and how many between the first of them and the last sent are not."""
    with file.open(encoding="utf-8", newline="") as opened:
        sequences = [int(row["worker_sequence"]) for row in csv.DictReader(opened) if row["kind"] == "sample"]
    assert sequences == sorted(set(sequences))
    # On a slow machine the last may have been sent before the recording began.
    first = sequences[0] if sequences else count + 1
    return {"rows": len(sequences), "missing": count - first + 1 - len(sequences)}


if __name__ == "__main__":
    what, port, count, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(shell(what, int(port), int(count), float(seconds)))))
