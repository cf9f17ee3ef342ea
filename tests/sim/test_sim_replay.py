"""Recordings are played: every kind of row, at each pace, and what is no recording is said."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from math import inf, isnan
from pathlib import Path
from typing import Any

import pytest
from sim_wire import wire

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.recordings.columns import COLUMNS
from zb_mom_ww_mxgateway.value_types import TYPES
from zb_mom_ww_mxgateway_console.recordings.row_text import heading, text_of
from zb_mom_ww_mxgateway_sim import ManualClock, NativeType, ReplayError, SimulatedGateway, TagDefinition
from zb_mom_ww_mxgateway_sim.plant.replay_pace import parse_pace
from zb_mom_ww_mxgateway_sim.plant.status import Category, Source, Status

STATUS = "COMMUNICATION_ERROR, detected by RESPONDING_NMX, detail 5 (a; b)"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def row(
    kind: str,
    seconds: float,
    tag: str | None = None,
    value: object = None,
    data_type: str | None = None,
    **more: object,
) -> dict[str, Any]:
    moment = (START + timedelta(seconds=seconds)).isoformat()
    known = {"kind": kind, "received": moment, "tag": tag, "value": value, "data_type": data_type or None}
    if tag and kind in ("held", "sample", "read"):
        known |= {"quality": 192, "source_timestamp": moment}
    return dict.fromkeys(COLUMNS) | known | more


def level(seconds: float, value: float, **more: object) -> dict[str, Any]:
    return row("sample", seconds, "Mix.Level", value, "DOUBLE", **more)


def recorded(path: Path, *rows: dict[str, Any]) -> Path:
    form = "csv" if path.suffix == ".csv" else "jsonl"
    path.write_text(heading(form) + text_of([tuple(each.values()) for each in rows], form), encoding="utf-8")
    return path


@pytest.fixture(params=["run.csv", "run.jsonl"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


async def test_values_come_when_they_came_and_the_last_ones_stay(file: Path, clock: ManualClock) -> None:
    recorded(
        file,
        row("start", 0, note="recording"),
        row("held", -0.5, "Mix.Level", 1.5, "DOUBLE"),
        level(2, 2.5),
        row(
            "sample",
            2,
            "Mix.On",
            True,
            "BOOLEAN",
            quality=20,
            status=STATUS,
        ),
        level(5, 3.5),
        row("stop", 60),
    )
    async with SimulatedGateway(plaintext=True, clock=clock, replay=file) as gateway, wire(gateway) as client:
        await clock.advance(0)
        assert gateway.read("Mix.Level").value == 1.5
        assert (gateway.read("Mix.On").value, gateway.read("Mix.On").quality) == (False, 0)
        events, _, first = await client.watching("Mix.Level")
        assert first.value.double_value == 1.5
        await clock.advance(1.9)
        assert gateway.read("Mix.Level").value == 1.5
        await clock.advance(0.2)
        assert (await events.next()).value.double_value == 2.5
        on = gateway.read("Mix.On")
        assert (on.value, on.quality) == (True, 20)
        assert on.statuses == (Status(Category.COMMUNICATION_ERROR, Source.RESPONDING_NMX, 5, "a; b"),)
        assert not gateway.replay_ended
        await clock.advance(60)
        assert gateway.read("Mix.Level").value == 3.5
        assert gateway.replay_ended


async def test_at_once_the_end_of_the_recording_is_there_with_its_ages(file: Path, clock: ManualClock) -> None:
    recorded(file, *(level(number, number) for number in range(2000)), row("sample", 2009, "Mix.On", True, "BOOLEAN"))
    async with SimulatedGateway(plaintext=True, clock=clock, replay=str(file), replay_pace="at-once") as gateway:
        assert gateway.replay_ended
        assert gateway.read("Mix.Level").value == 1999.0
        assert gateway.read("Mix.On").timestamp - gateway.read("Mix.Level").timestamp == timedelta(seconds=10)
        assert gateway.read("Mix.On").time_ns == clock.now()


async def test_a_pace_divides_the_waits_and_an_age_stays(file: Path, clock: ManualClock) -> None:
    old = (START - timedelta(seconds=30)).isoformat()
    recorded(file, level(0, 1, source_timestamp=old), level(100, 2))
    async with SimulatedGateway(plaintext=True, clock=clock, replay=file, replay_pace="10x") as gateway:
        assert clock.now() - gateway.read("Mix.Level").time_ns == 30e9
        await clock.advance(9.9)
        assert gateway.read("Mix.Level").value == 1.0
        await clock.advance(0.2)
        assert gateway.read("Mix.Level").value == 2.0


async def test_what_is_missing_or_stale_is_uncertain_until_it_is_known_again(file: Path, clock: ManualClock) -> None:
    recorded(
        file,
        level(0, 1),
        row("sample", 0, "Mix.On", True, "BOOLEAN"),
        row("sample", 0, "Mix.Bad", 5, "INTEGER", quality=0),
        row("stale", 1, note="event stream lost"),
        row("gap", 2, lost=7),
        row("read", 3, "Mix.Level", 4.0, "DOUBLE"),
        row("live", 4),
        row("dropped", 5, "Mix.On"),
        row("event", 5, "Mix.On"),
    )
    names = ("Mix.Level", "Mix.On", "Mix.Bad")
    async with SimulatedGateway(plaintext=True, clock=clock, replay=file) as gateway:
        seen = []
        for _ in range(6):
            seen.append([gateway.read(name).quality for name in names])
            await clock.advance(1)
    assert seen == [[192, 192, 0], [64, 64, 0], [64, 64, 0], [192, 64, 0], [192, 192, 0], [192, 64, 0]]
    assert gateway.read("Mix.Level").value == 4.0


async def test_between_two_recordings_of_one_file_no_time_passes(file: Path, clock: ManualClock) -> None:
    recorded(file, row("start", 0), level(1, 1), row("stop", 2), row("start", 90_000), level(90_001, 2))
    async with SimulatedGateway(plaintext=True, clock=clock, replay=file) as gateway:
        await clock.advance(3.1)
        assert gateway.read("Mix.Level").value == 2.0


async def test_a_clock_that_was_set_back_costs_no_pause_but_its_own(file: Path, clock: ManualClock) -> None:
    recorded(
        file, level(0, 1), level(2, 2), level(-3600, 3), row("held", -7200, "Mix.On", True, "BOOLEAN"), level(-3598, 4)
    )
    async with SimulatedGateway(plaintext=True, clock=clock, replay=file) as gateway:
        seen = []
        for _ in range(5):
            await clock.advance(1)
            seen.append(gateway.read("Mix.Level").value)
        assert seen == [1, 3, 3, 4, 4]
        assert gateway.replay_ended


async def test_values_of_every_type_are_played_as_they_were(file: Path) -> None:
    rows = []
    for number, spec in enumerate(TYPES.values()):
        value = spec.read(spec.example)
        data_type = spec.wire.data_type.name
        rows += [row("sample", number, f"Types.{spec.name}", value, data_type)]
        rows += [row("sample", number, f"Types.{spec.name}s[]", [value, value], data_type)]
    rows += [
        row("sample", 20, "Types.Formula", "=1+1", "STRING"),
        row("sample", 20, "Types.Quoted", 'a, "b"\nc;', "STRING"),
        row("sample", 20, "Types.Json", '{"a": 1}', "STRING"),
        row("sample", 20, "Types.Empty", "", "STRING"),
        row("sample", 20, "Types.None", None, "DOUBLE", quality=0),
        row("sample", 20, "Types.Raw", {"raw": {"base64": None}}, "DOUBLE", quality=0),
        row("sample", 20, "Types.Nan", float("nan"), "DOUBLE"),
        row("sample", 20, "Types.Inf", inf, "FLOAT"),
        row("sample", 20, "Types.Element[3]", 7, "INTEGER"),
        row("sample", 20, "Types.Untyped", 7),
    ]
    recorded(file, *rows)
    async with (
        SimulatedGateway(plaintext=True, replay=file, replay_pace="at-once") as gateway,
        wire(gateway) as client,
    ):
        for spec in TYPES.values():
            value = spec.read(spec.example)
            if spec.tag_types:
                assert gateway.read(f"Types.{spec.name}").value == value
                assert gateway.read(f"Types.{spec.name}s").value == (value, value)
        found = {
            name: gateway.read(f"Types.{name}") for name in ("Formula", "Quoted", "Json", "Empty", "Element", "Untyped")
        }
        assert [each.value for each in found.values()] == ["=1+1", 'a, "b"\nc;', '{"a": 1}', "", (0, 0, 7), 7.0]
        assert [gateway.read(f"Types.{name}").value for name in ("None", "Raw")] == [None, None]
        _, _, first = await client.watching("Types.Nan")
        assert isnan(first.value.double_value)
        assert first.value.data_type == pb.MX_DATA_TYPE_DOUBLE


async def test_half_of_a_character_is_escaped(tmp_path: Path, clock: ManualClock) -> None:
    file = recorded(tmp_path / "run.jsonl", row("sample", 0, "Mix.Text", "a\ud800", "STRING"))
    async with SimulatedGateway(plaintext=True, clock=clock, replay=file) as gateway, wire(gateway) as client:
        _, _, first = await client.watching("Mix.Text")
        assert first.value.string_value == r"a\ud800"


async def test_a_time_outside_of_the_calendar_is_now(file: Path, clock: ManualClock) -> None:
    recorded(file, level(0, 1, source_timestamp=10**25), level(0, 2, source_timestamp=-(10**25)))
    async with SimulatedGateway(plaintext=True, clock=clock, replay=file) as gateway, wire(gateway) as client:
        _, _, first = await client.watching("Mix.Level")
        assert first.value.double_value == 2.0
        assert first.source_timestamp.ToNanoseconds() == clock.now()


async def test_tags_that_exist_are_played_and_keep_their_type(tmp_path: Path, clock: ManualClock) -> None:
    file = recorded(
        tmp_path / "run.csv",
        row("sample", 0, "plant.tank1.LEVEL", 95.5, "DOUBLE"),
        row("sample", 0, "Mix.Count", 7.6, "DOUBLE"),
        row("sample", 1, "Mix.Count", "many", "STRING"),
    )
    tags = [TagDefinition("Mix.Count", NativeType.INTEGER)]
    async with SimulatedGateway(plaintext=True, clock=clock, replay=file, tags=tags) as gateway:
        await clock.advance(0.8)
        assert gateway.read("Plant.Tank1.Level").value == 95.5
        assert [alarm.severity for alarm in gateway.alarms] == [100, 300]
        assert gateway.read("Mix.Count").value == 8
        await clock.advance(1)
        assert (gateway.read("Mix.Count").value, gateway.read("Mix.Count").quality) == (None, 0)


def test_torn_rows_and_names_that_no_tag_has_are_said(
    file: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    recorded(file, row("sample", 0, None, 5, "INTEGER"), level(0, 1), row("sample", 1, "Bogus", 5, "INTEGER"))
    whole = file.read_text().splitlines(keepends=True)
    torn = 'sample,"2026-03-01T12:00:01' if file.suffix == ".csv" else '{"kind": "sam'
    file.write_text("".join([*whole, f"{torn}\n", *whole[-2:], torn]))
    gateway = SimulatedGateway(plaintext=True, clock=clock, replay=file)
    assert caplog.messages == [
        f"{file}: 3 values are not played, because no tag has such a name: '', 'Bogus'",
        f"{file}: 2 rows are not played, because they are torn",
    ]
    with pytest.raises(KeyError):
        gateway.read("Bogus")


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.csv", "time,value\n1,2\n", ":1:1: no column kind: it is no recording; the shell's record FILE writes one"),
        ("a.csv", "", ":1:1: no column kind: it is no recording"),
        ("a.jsonl", '{"tag_name": "A"}\n', ":1:1: it is no recording"),
        ("a.csv", "kind,received,tag,value\nstart,2026-03-01T12:00:00Z,,\n", ": the recording has no values to play"),
        ("a.parquet", "PAR1", ": a Parquet file is not played; record to a .csv or .jsonl file"),
        ("a.csv", None, ": No such file"),
    ],
)
def test_what_cannot_be_played_is_said(tmp_path: Path, name: str, text: str | None, complaint: str) -> None:
    file = tmp_path / name
    if text is not None:
        file.write_text(text)
    with pytest.raises(ReplayError) as caught:
        SimulatedGateway(plaintext=True, replay=file)
    assert str(caught.value).startswith(f"{file}{complaint}")


@pytest.mark.parametrize("text", ["fast", "0x", "x", "-1x", "1e3x"])
def test_what_is_no_pace_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="is not a pace; use at-once, recorded, or a multiple such as 10x"):
        parse_pace(text)


def test_mxgw_sim_plays_a_recording_and_says_when_it_has(tmp_path: Path) -> None:
    file = recorded(tmp_path / "run.csv", *(level(number, number) for number in range(3)))
    command = [sys.executable, "-m", "zb_mom_ww_mxgateway_sim", "--plaintext", "--replay", str(file)]
    done = subprocess.run([*command, "--replay-pace", "fast"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "'fast' is not a pace" in done.stderr
    served = subprocess.Popen(
        [*command, "--replay-pace", "100x"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert served.stdout is not None
    assert served.stderr is not None
    assert json.loads(served.stdout.readline())["plaintext"]
    assert served.stderr.readline() == f"mxgw-sim: {file} was played: 3 values; the tags keep their last ones\n"
    served.terminate()
    served.communicate()


def test_a_large_recording_needs_little_memory(tmp_path: Path) -> None:
    # By what Python allocates: in a process of its own, so that nothing else counts.
    file = tmp_path / "run.csv"
    one = f"sample,2026-03-01T12:00:00Z,Mix.Level,{{}},192,good,2026-03-01T12:00:00Z,DOUBLE,,1,1,1,,{'x' * 5_000}\n"
    file.write_text(heading("csv") + "".join(one.format(number) for number in range(2_000)))
    code = (
        "import sys, tracemalloc\n"
        "from pathlib import Path\n"
        "from zb_mom_ww_mxgateway_sim.plant.replay import Recording\n"
        "tracemalloc.start()\n"
        f"recording = Recording(Path({str(file)!r}))\n"
        "count = sum(1 for _ in recording.rows())\n"
        "print(count, tracemalloc.get_traced_memory()[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120)
    count, size = map(int, done.stdout.split())
    assert count == 2_000
    assert file.stat().st_size > 10_000_000
    assert size < 200_000
