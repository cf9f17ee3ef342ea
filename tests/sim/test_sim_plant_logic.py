"""A plant of one's own: what a plant file declares, what its functions do, and what is said of their mistakes."""

import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from documents import blocks
from sim_wire import becomes, wire

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import (
    ManualClock,
    NativeType,
    Plant,
    PlantError,
    Security,
    SimulatedGateway,
    TagError,
    WriteRecord,
    every,
    on_write,
    tag,
)

EXAMPLE = Path(__file__).parents[2] / "examples" / "plants" / "mixer.py"
HEAD = "from zb_mom_ww_mxgateway_sim import every, on_write, tag\n"
TAG, LEVEL = "TestChildObject.TestInt", "Plant.Tank1.Level"


@pytest.fixture
def plant_file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a plant file, whose second line is the first of the text."""

    def write(text: str) -> Path:
        file = tmp_path / "plant.py"
        file.write_text(HEAD + textwrap.dedent(text), encoding="utf-8")
        return file

    return write


async def written(gateway: SimulatedGateway, clock: ManualClock, address: str, value: pb.MxValue) -> None:
    """Write the tag as a client does, until the write is carried out."""
    async with wire(gateway) as client:
        _, item, _ = await client.watching(address)
        await client.done("write", server_handle=1, item_handle=item, value=value)
        before = len(gateway.writes)
        await clock.advance(0.1)
        assert len(gateway.writes) == before + 1


async def test_the_example_starts_heats_and_trips(clock: ManualClock) -> None:
    async with SimulatedGateway(plaintext=True, clock=clock, plant=EXAMPLE) as gateway:
        await written(gateway, clock, "mixer1.start", pb.MxValue(bool_value=True))
        assert gateway.read("Mixer1.Start").value is False
        assert gateway.read("Mixer1.Running").value is False
        await clock.advance(1)
        assert gateway.read("Mixer1.Running").value is True
        await clock.advance(40)
        alarms = {alarm.reference: alarm.severity for alarm in gateway.alarms}
        assert alarms["ZB!Mixers.Mixer1.Temperature.Hi"] == 800
        assert gateway.read("Mixer1.Running").value is False
        assert gateway.read("Mixer2.Temperature").value == 20.0
        assert gateway.read("Mixer1.Speed.EngUnits").value == "1/min"
        assert gateway.plant_failures == ()


async def test_functions_of_a_test_are_a_plant_too(clock: ManualClock) -> None:
    seen: list[WriteRecord] = []

    @every(0.5)
    def count(plant: Plant) -> None:
        plant["Own.Count"] += 1
        plant.set("Own.Doubt", plant.time, quality=64)

    @on_write("TestChildObject.TestInt", stores=False)
    def doubled(plant: Plant, write: WriteRecord) -> None:
        seen.append(write)
        plant[write.tag] = 2 * plant[write.tag] + 1

    tags = [tag("Own.Count", 0), tag("Own.Doubt")]
    async with SimulatedGateway(plaintext=True, clock=clock, tags=tags, plant=[count, doubled]) as gateway:
        await clock.advance(2)
        assert gateway.read("Own.Count").value == 4
        assert (gateway.read("Own.Doubt").value, gateway.read("Own.Doubt").quality) == (2.0, 64)
        await written(gateway, clock, TAG, pb.MxValue(int32_value=50))
        assert [(write.tag, write.value) for write in seen] == [(TAG, 50)]
        assert gateway.read(TAG).value == 1
        assert gateway.plant_failures == ()


async def test_a_write_is_seen_once_for_each_function_in_order_and_then_stays(clock: ManualClock) -> None:
    seen: list[str] = []

    @on_write("TestChildObject.*", "*Int")
    def first(plant: Plant, write: WriteRecord) -> None:
        seen.append(f"first {write.value} {plant[TAG]}")

    async with SimulatedGateway(plaintext=True, clock=clock, plant=[first]) as gateway:
        await written(gateway, clock, TAG, pb.MxValue(int32_value=7))
    assert seen == ["first 7 7", "first 7 7"]


async def test_the_process_leaves_what_the_logic_moves_and_a_fault_leaves_the_logic_behind(clock: ManualClock) -> None:
    @every(0.2)
    def full(plant: Plant) -> None:
        plant["plant.tank1.level"] = 85.0

    async with SimulatedGateway(plaintext=True, clock=clock, plant=[full]) as gateway:
        await clock.advance(2)
        assert gateway.read(LEVEL).value == 85.0
        assert gateway.read("Plant.Tank1.Level.Hi.InAlarm").value is True
        assert gateway.read("Plant.LC1.PV").value == 85.0
        gateway.set(LEVEL, 12.0, quality=0)
        await clock.advance(2)
        assert (gateway.read(LEVEL).value, gateway.read(LEVEL).quality) == (12.0, 0)


async def test_writes_can_be_refused_by_the_state_of_the_plant(clock: ManualClock) -> None:
    @on_write("TestChildObject.TestBool")
    def locked(plant: Plant, write: WriteRecord) -> None:
        if write.value:
            plant.refuse_writes("TestChildObject.TestInt")
        else:
            plant.allow_writes("TestChildObject.TestInt")

    async with (
        SimulatedGateway(plaintext=True, clock=clock, plant=[locked]) as gateway,
        wire(gateway) as client,
    ):
        events, item, _ = await client.watching(TAG)
        for lock, category in ((True, pb.MX_STATUS_CATEGORY_SECURITY_ERROR), (False, pb.MX_STATUS_CATEGORY_OK)):
            other = await client.add(1, "TestChildObject.TestBool")
            await client.advise(1, other)
            await client.write(1, other, bool_value=lock)
            await clock.advance(0.1)
            assert (await events.write_complete()).statuses[0].category == pb.MX_STATUS_CATEGORY_OK
            await client.write(1, item, int32_value=1)
            await clock.advance(0.1)
            assert (await events.write_complete()).statuses[0].category == category


async def test_a_failure_is_one_line_and_the_plant_goes_on(
    clock: ManualClock, plant_file: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    file = plant_file("""
        tag("A.Count", 0)

        @every(0.1)
        def count(plant):
            plant["A.Count"] += 1
            if plant["A.Count"] >= 3:
                plant["A.Cuont"] = 1

        @every(1)
        def ends(plant):
            raise SystemExit

        @every(5)
        def later(plant):
            plant.after(1, lambda: None)

        @every(4)
        def interrupts(plant):
            raise KeyboardInterrupt
    """)
    with caplog.at_level(logging.WARNING, "zb_mom_ww_mxgateway_sim"):
        async with SimulatedGateway(plaintext=True, clock=clock, plant=file) as gateway:
            await clock.advance(12.05)
            assert gateway.read("A.Count").value == 120
            failures = gateway.plant_failures
    line = f"{file}:9: count: there is no tag A.Cuont; did you mean A.Count?"
    assert failures[0] == line
    assert failures.count(line) == 118
    assert failures.count(f"{file}:13: ends: SystemExit") == 12
    assert (
        failures.count(
            f"{file}:17: <lambda>: TypeError: later.<locals>.<lambda>() takes 0 positional arguments but 1 was given"
        )
        == 2
    )
    assert failures.count(f"{file}:21: interrupts: RuntimeError: it raised KeyboardInterrupt") == 3
    # A failure that repeats does not flood.
    assert [record.getMessage() for record in caplog.records if "count" in record.getMessage()] == [
        line,
        f"{line} (10 times by now)",
        f"{line} (100 times by now)",
    ]


async def test_the_place_of_a_failure_is_in_the_users_own_files(
    clock: ManualClock, plant_file: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "own_parts.py").write_text("import json\ndef parsed(text):\n    return json.loads(text)\n")
    file = plant_file("""
        import own_parts

        @every(1)
        def parse(plant):
            own_parts.parsed("{")
            own_parts.parsed(1)
    """)
    for _ in range(2):
        async with SimulatedGateway(plaintext=True, clock=clock, plant=str(file)) as gateway:
            await clock.advance(1)
        (line,) = gateway.plant_failures
        assert line.startswith(f"{tmp_path / 'own_parts.py'}:3: parse: JSONDecodeError: Expecting property name")
    assert "own_parts" not in sys.modules


async def test_each_gateway_runs_the_file_afresh(clock: ManualClock, plant_file: Callable[[str], Path]) -> None:
    file = plant_file("""
        from dataclasses import dataclass
        from datetime import timedelta

        @dataclass
        class State:
            steps: "int" = 0

        state = State()
        tag("A.Steps", 0)
        tag("A.Times", [timedelta(seconds=90)])

        @every(1)
        def _(plant):
            state.steps += 1

        @every(1)
        def _(plant):
            plant["A.Steps"] = state.steps
    """)
    for _ in range(2):
        async with SimulatedGateway(plaintext=True, clock=clock, plant=file) as gateway:
            await clock.advance(3)
            assert gateway.read("A.Steps").value == 3
            assert gateway.read("A.Times").value == (90.0,)
            assert gateway.plant_failures == ()


async def test_what_the_file_prints_is_no_output_of_the_program(
    clock: ManualClock,
    plant_file: Callable[[str], Path],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = plant_file("""
        print("loaded", 1, sep="-")

        @every(1)
        def tells(plant):
            print("level", plant["Plant.Tank1.Level"] > 0)
            plant.set("Plant.Tank1.Level", 50, "uncertain")
            plant.set("Plant.Tank1.Level", 50, "so-so")
    """)
    async with SimulatedGateway(plaintext=True, clock=clock, plant=file) as gateway:
        await clock.advance(1)
        assert gateway.read(LEVEL).quality == 64
    assert [record.getMessage() for record in caplog.records[:2]] == ["loaded-1", "level True"]
    assert gateway.plant_failures[0].startswith(f"{file}:9: tells: ValueError: 'so-so' is not a quality; use good")
    assert capsys.readouterr().out == ""


async def test_a_package_beside_the_file_and_an_environment_in_its_folder(
    clock: ManualClock, plant_file: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "own_package").mkdir()
    (tmp_path / "own_package" / "__init__.py").write_text("")
    (tmp_path / "own_package" / "part.py").write_text("def fails():\n    raise ValueError('no')\n")
    file = plant_file("""
        from own_package import part

        @every(1)
        def calls(plant):
            part.fails()
    """)
    async with SimulatedGateway(plaintext=True, clock=clock, plant=file) as gateway:
        await clock.advance(1)
    assert gateway.plant_failures == (f"{file}:7: calls: ValueError: no",)
    assert not [name for name in sys.modules if name.startswith("own_package")]


@pytest.mark.parametrize(
    ("text", "place", "complaint"),
    [
        ("def f(:\n", "2:7", "invalid syntax"),
        ("x = 1 / 0\n", "2", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)\n", "2", "SystemExit: 3"),
        ("import no_such_module_of_mine\n", "2", "ModuleNotFoundError: No module named 'no_such_module_of_mine'"),
        ("\n@every(0)\ndef f(plant): pass\n", "3", "every takes 0.01 seconds or more, such as @every(0.1), not 0"),
        ("\n@every\ndef f(plant): pass\n", "3", "every takes 0.01 seconds or more"),
        ("@every(1)\ndef f(): pass\n", "2", "f is called as f(plant), and does not take that"),
        ("@every(1)\nasync def f(plant): pass\n", "2", "f must be a plain function, without async and yield"),
        ("@on_write('A.B')\ndef f(plant): pass\n", "2", "f is called as f(plant, write), and does not take that"),
        ("@on_write\ndef f(plant, write): pass\n", "2", 'on_write takes the names of tags, such as @on_write("Mix'),
        ("tag('A')\n", "2", "'A' is not a tag name"),
        ("tag('A.B', {})\n", "2", "A.B: no tag has a value such as {}"),
        ("tag('A.B', [])\n", "2", "A.B: an empty array needs a type"),
        ("tag('A.B', 1, unti='m')\n", "2", "A.B: no column 'unti'; did you mean unit?"),
        ("tag('A.B', 1, security='SecuredWrit')\n", "2", "A.B: no security 'SecuredWrit'; there are FreeAccess"),
        ("tag('A.B', 1, quality='poor')\n", "2", "A.B: 'poor' is not a quality; use good"),
        ("tag('A.B', 1, writable='no')\n", "2", "A.B: writable is 'no'; use True or False"),
        ("tag('A.B', 1, min='3')\n", "2", "A.B: min is '3'; use a number"),
        ("tag('A.B', 1, does='sine(1')\n", "2", "A.B: does:"),
        ("tag('A.B', 1, does='follows(No.Tag, 1s)')\n", "2", "does:9: "),
        ("tag('plant.tank1.level')\n", "2", "there is a tag plant.tank1.level already"),
        ("tag('A.B')\ntag('a.b')\n", "3", "there is a tag a.b already, from "),
        ("@on_write('Plant.Tank1.Levle')\ndef f(plant, write): pass\n", "2", "there is no tag Plant.Tank1.Levle; did"),
        ("x = 1\n", "", "it declares nothing; use @every, @on_write and tag"),
    ],
)
def test_a_mistake_in_the_file_has_its_place(
    plant_file: Callable[[str], Path], text: str, place: str, complaint: str
) -> None:
    file = plant_file(text)
    with pytest.raises((PlantError, TagError)) as caught:
        SimulatedGateway(plaintext=True, plant=file)
    assert str(caught.value).startswith(f"{file}:{place}: ".replace("::", ":") + complaint)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PlantError, match="No such file"):
        SimulatedGateway(plant=tmp_path / "none.py")
    (tmp_path / "latin.py").write_bytes(b"x = '\xe4'\n")
    with pytest.raises(PlantError, match=r"latin\.py"):
        SimulatedGateway(plant=tmp_path / "latin.py")
    (tmp_path / "beside.py").write_text("def f(:\n")
    (tmp_path / "plant.py").write_text("import beside\n")
    with pytest.raises(PlantError, match=r"beside\.py:1:7: invalid syntax"):
        SimulatedGateway(plant=tmp_path / "plant.py")


def test_a_function_without_a_decorator_is_no_plant() -> None:
    def bare(plant: Plant) -> None: ...

    with pytest.raises(PlantError, match="bare has neither @every nor @on_write"):
        SimulatedGateway(plant=[bare])
    with pytest.raises(PlantError, match="plant takes a file or a list of functions, not bare"):
        SimulatedGateway(plant=bare)  # type: ignore[arg-type] # What is wrong is what is tested.


async def test_the_logic_of_the_guide_runs(clock: ManualClock, tmp_path: Path) -> None:
    (text,) = [block for block in blocks("python", "docs/simulator.md") if "@every" in block]
    (tmp_path / "plant.py").write_text(text, encoding="utf-8")
    async with SimulatedGateway(plaintext=True, clock=clock, plant=tmp_path / "plant.py") as gateway:
        await written(gateway, clock, "Mixer1.Start", pb.MxValue(bool_value=True))
        await clock.advance(10)
        assert gateway.read("Mixer1.Temperature").value > 24  # type: ignore[operator] # It is a number.
        with pytest.raises(TagError, match=r"there is no tag Mixer1\.Strat; did you mean Mixer1\.Start\?"):
            gateway.faults.refuse_writes("Mixer1.Strat")
        assert gateway.plant_failures == ()


def test_the_type_of_a_tag_is_that_of_its_value() -> None:
    values = [True, 1, 1.5, "a", timedelta(seconds=1), [1, 2], None]
    assert [(made.type, made.is_array) for made in (tag("A.B", value) for value in values)] == [
        (NativeType.BOOLEAN, False),
        (NativeType.INTEGER, False),
        (NativeType.DOUBLE, False),
        (NativeType.STRING, False),
        (NativeType.ELAPSED_TIME, False),
        (NativeType.INTEGER, True),
        (NativeType.DOUBLE, False),
    ]
    assert tag("A.B", 1, NativeType.FLOAT, unit="m").unit == "m"
    made = tag("A.B", security="secured write", quality="bad")
    assert (made.security, made.quality) == (Security.SECURED_WRITE, 0)
    with pytest.raises(TagError, match=r"A\.B: 'x' is not a number"):
        tag("A.B", "x", NativeType.DOUBLE)


async def test_a_call_that_does_not_return_is_said_so(caplog: pytest.LogCaptureFixture) -> None:
    returned = threading.Event()

    @every(0.01)
    def stuck(plant: Plant) -> None:
        returned.wait(60)

    def said() -> bool:
        return any("stuck has not returned for 1 s" in record.getMessage() for record in caplog.records)

    class Reported(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            # From the thread of the watch: this one waits in the function.
            returned.set()

    log, reported = logging.getLogger("zb_mom_ww_mxgateway_sim.logic"), Reported()
    log.addHandler(reported)
    try:
        async with SimulatedGateway(plaintext=True, plant=[stuck]) as gateway:
            await becomes(said)
    finally:
        log.removeHandler(reported)
    place = caplog.records[0].getMessage().partition(": ")[0]
    assert place.startswith(f"{__file__}:")
    assert gateway.plant_failures == ()


async def test_a_loop_without_an_end_is_ended_and_the_gateway_serves_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway_sim.logic.watchdog._LIMIT", 1.0)
    calls: list[int] = []

    @every(0.01)
    def forever(plant: Plant) -> None:
        calls.append(1)
        while True:
            try:
                plant["No.Such"] = 1
            except Exception:
                continue

    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with SimulatedGateway(plaintext=True, plant=[forever]) as gateway, wire(gateway) as client:
        await becomes(lambda: bool(gateway.plant_failures))
        await client.open()
        (line,) = gateway.plant_failures
    assert line.startswith(f"{__file__}:")
    assert line.endswith(": forever: ended, because it did not return, and not called again")
    assert len(calls) == 1
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert len([record for record in caplog.records if "has not returned" in record.getMessage()]) == 1


async def test_ctrl_c_during_a_quick_call_is_not_about_the_call(clock: ManualClock) -> None:
    calls: list[int] = []
    heard: list[int] = []

    @every(1)
    def quick(plant: Plant) -> None:
        signal.raise_signal(signal.SIGINT)
        calls.append(len(heard))

    former = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        async with SimulatedGateway(plaintext=True, clock=clock, plant=[quick]) as gateway:
            await clock.advance(2)
            assert gateway.plant_failures == ()
    finally:
        signal.signal(signal.SIGINT, former)
    assert (calls, heard) == ([0, 1], [signal.SIGINT] * 2)


async def test_a_function_that_is_slow_again_and_again_is_said_so(
    clock: ManualClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway_sim.logic.watchdog._SLOW", 0.0)

    @every(1)
    def slow(plant: Plant) -> None: ...

    async with SimulatedGateway(plaintext=True, clock=clock, plant=[slow]):
        await clock.advance(9)
        assert caplog.records == []
        await clock.advance(10)
    (record,) = caplog.records
    assert ": slow has taken over 0 s 10 times, and the gateway stands still meanwhile" in record.getMessage()


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX does")
@pytest.mark.parametrize("loop", ["while True: pass", "time.sleep(1000)"])
def test_a_loop_in_the_logic_is_said_so_and_ctrl_c_still_ends(tmp_path: Path, loop: str) -> None:
    file = tmp_path / "plant.py"
    file.write_text(f"{HEAD}import time\n@every(0.05)\ndef loops(plant):\n    {loop}\n")
    command = [sys.executable, "-m", "zb_mom_ww_mxgateway_sim", "--plaintext", "--plant", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert line.startswith(f"mxgw-sim: {file}:5: loops has not returned for 1 s, and the gateway stands still")
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
            assert process.returncode == 130
            assert errors == f"mxgw-sim: {file}:5: loops: interrupted, and not called again\n"
        finally:
            process.kill()


def test_a_mistake_is_one_line_and_exit_2_and_a_failure_is_one_line_while_it_serves(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "zb_mom_ww_mxgateway_sim", "--plaintext", "--plant"]
    file = tmp_path / "plant.py"
    file.write_text("def f(:\n")
    done = subprocess.run([*command, str(file)], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"mxgw-sim: {file}:1:7: invalid syntax\n")
    file.write_text(f"{HEAD}@every(0.05)\ndef fails(plant):\n    plant['Plant.Tank1.Level'] = 'high'\n")
    with subprocess.Popen([*command, str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline() == (
                f"mxgw-sim: {file}:4: fails: Plant.Tank1.Level: 'high' is not a number\n"
            )
            assert process.poll() is None
        finally:
            process.kill()
