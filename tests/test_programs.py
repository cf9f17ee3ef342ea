"""The ten programs of examples/programs do what they say, each as a process against a simulated gateway."""

import asyncio
import csv
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from zb_mom_ww_mxgateway_sim import SimulatedGateway

PROGRAMS = Path(__file__).parents[1] / "examples" / "programs"
PATIENCE = 50.0
SETPOINT, LEVEL, INT = "Plant.Tank1.LevelSP", "Plant.Tank1.Level", "TestChildObject.TestInt"

Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncIterator[SimulatedGateway]:
    """A gateway with TLS and a key, as a real one has."""
    async with SimulatedGateway(certificate_directory=tmp_path / "certificate") as gateway:
        yield gateway


@pytest.fixture
async def start(plant: SimulatedGateway, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a program; what still runs at the end is killed."""
    started: list[asyncio.subprocess.Process] = []
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MXGATEWAY_")}
    environment = kept | {
        "MXGATEWAY_API_KEY": plant.api_key or "",
        "MXGATEWAY_ENDPOINT": plant.endpoint,
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "PYTHONWARNINGS": "error",
        "PYTHONPATH": str(Path(__file__).parents[1] / "src"),
    }

    async def start(name: str, *arguments: str, **variables: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(PROGRAMS / name),
            *arguments,
            cwd=tmp_path,
            env=environment | variables,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def ended(process: asyncio.subprocess.Process, code: int = 0) -> str:
    """What it says until its end, which is to be that one."""
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    assert process.returncode == code, out.decode() + err.decode()
    return out.decode()


async def says(process: asyncio.subprocess.Process, text: str) -> None:
    """Waits for a line that has it."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        while text not in (line := (await process.stdout.readline()).decode()):
            assert line, f"it ended without {text}"


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for gives no sign of its own
            await asyncio.sleep(0.01)


async def test_logging(plant: SimulatedGateway, start: Start, tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    process = await start("log_values.py", plant.endpoint, str(file), "20", INT, LEVEL)
    await until(lambda: file.exists() and INT in file.read_text(encoding="utf-8"))
    plant.set(INT, 4711)
    assert "20 changes in" in await ended(process)
    with file.open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    assert len(rows) >= 20
    assert {row["tag"] for row in rows} >= {INT, LEVEL}
    assert "4711" in {row["value"] for row in rows}


async def test_a_recipe_with_verification(plant: SimulatedGateway, start: Start, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps({SETPOINT: 61.5, INT: 20260001}), encoding="utf-8")
    said = await ended(await start("recipe.py", plant.endpoint, str(recipe)))
    assert f"{INT} is 20260001 (good)" in said
    assert plant.read(SETPOINT).value == 61.5
    recipe.write_text(json.dumps({SETPOINT: 62.5, LEVEL: 5.0}), encoding="utf-8")
    said = await ended(await start("recipe.py", plant.endpoint, str(recipe)), code=1)
    assert f"{LEVEL}: refused" in said
    assert "NOT VERIFIED" in said
    assert f"{SETPOINT} is 62.5" in said


async def test_a_service_that_ends_in_order(plant: SimulatedGateway, start: Start) -> None:
    plant.set("Plant.LC1.Auto", False)
    process = await start("service.py", plant.endpoint)
    await says(process, LEVEL)
    process.send_signal(signal.SIGTERM)
    assert "Plant.LC1.Auto = true: completed" in await ended(process)
    assert plant.read("Plant.LC1.Auto").value is True


async def test_tests_of_ones_own() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(PROGRAMS / "own_tests.py")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert "4 passed" in await ended(process)


async def test_threads(plant: SimulatedGateway, start: Start) -> None:
    lines = (await ended(await start("threads.py", plant.endpoint))).splitlines()
    assert lines[:4] == ["completed"] * 4
    assert lines[4] in "1234"
    assert sorted(write.value for write in plant.writes) == [1, 2, 3, 4]


async def test_a_notebook(plant: SimulatedGateway, start: Start) -> None:
    said = await ended(await start("notebook.py"))
    assert "completed" in said
    assert "on average" in said


async def test_two_gateways(plant: SimulatedGateway, start: Start, tmp_path: Path) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path / "other") as other:
        for gateway in (plant, other):
            gateway.set(SETPOINT, 60.0)
        arguments = (plant.endpoint, other.endpoint, SETPOINT, INT)
        key = other.api_key or ""
        said = await ended(await start("two_gateways.py", *arguments, OTHER_API_KEY=key))
        assert said.count("same") == 2
        other.set(INT, 20260002)
        said = await ended(await start("two_gateways.py", *arguments, OTHER_API_KEY=key), code=1)
        assert f"DIFFERS  {INT}" in said


@pytest.mark.timeout(120)
async def test_five_thousand_tags_with_a_callback_each(start: Start) -> None:
    async with SimulatedGateway(api_keys=(), generated_tags=5_000, generated_change_period=30.0) as gateway:
        process = await start("many_tags.py", gateway.endpoint, "Area001.*", "5000")
        async with asyncio.timeout(100):
            out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        assert out.decode().startswith("5000 tags, ")


class Mailbox:
    """Takes mail by SMTP: just enough of it."""

    def __init__(self) -> None:
        self.mails: list[str] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                self.mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            await writer.drain()
            if word == b"QUIT":
                break
        writer.close()


async def test_alarm_mail(plant: SimulatedGateway, start: Start) -> None:
    mailbox = Mailbox()
    server = await asyncio.start_server(mailbox.take, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        process = await start("alarm_mail.py", plant.endpoint, f"127.0.0.1:{port}", "plant@here", "shift@here")
        await until(lambda: plant.open_alarm_streams)
        plant.raise_alarm("ZB!Area.Object.Hi", severity=7)
        await says(process, "mailed")
        await until(lambda: any("severity 7  ZB!Area.Object.Hi" in mail for mail in mailbox.mails))
        process.terminate()
        await process.communicate()


async def test_a_galaxy_export(plant: SimulatedGateway, start: Start, tmp_path: Path) -> None:
    file = tmp_path / "galaxy.csv"
    assert "attributes in" in await ended(await start("galaxy_export.py", plant.endpoint, str(file), "Plant.*"))
    with file.open(newline="", encoding="utf-8") as opened:
        tags = {row["tag"]: row["type"] for row in csv.DictReader(opened)}
    assert tags[LEVEL] == "Double"
    assert not file.with_name("galaxy.csv.part").exists()
