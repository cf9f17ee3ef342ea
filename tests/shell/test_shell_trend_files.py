"""Pictures of trends in files: SVG, PNG and CSV."""

import csv
import itertools
import struct
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, strategies as st
from shell_process import ShellProcess
from shell_terminal import CTRL_C, ENTER, shell

from zb_mom_ww_mxgateway_shell.feeds.trend_result import TrendResult
from zb_mom_ww_mxgateway_shell.output.chart import Limit
from zb_mom_ww_mxgateway_shell.output.drawing import Area, Drawing, Label, Stroke, svg_of
from zb_mom_ww_mxgateway_shell.output.png import png_of
from zb_mom_ww_mxgateway_shell.output.trend_drawing import drawing_of
from zb_mom_ww_mxgateway_shell.output.trend_picture import ChartedTag, panels_of
from zb_mom_ww_mxgateway_shell.samples.intervals import MOODS, Interval, ValueStatus
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"
WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (255, 0, 0)


def pixels(png: bytes) -> list[list[tuple[int, int, int]]]:
    """The colours of a PNG with a palette, row by row; every checksum must be right."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks: dict[bytes, bytes] = {}
    at = 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        name, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length) == (zlib.crc32(name + data),)
        chunks[name] = data
        at += 12 + length
    width, height, *kind = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert kind == [8, 3, 0, 0, 0]
    palette = [tuple(chunks[b"PLTE"][i : i + 3]) for i in range(0, len(chunks[b"PLTE"]), 3)]
    raw = zlib.decompress(chunks[b"IDAT"])
    assert len(raw) == height * (width + 1)
    rows = [raw[y * (width + 1) : (y + 1) * (width + 1)] for y in range(height)]
    assert {row[0] for row in rows} == {0}
    return [[palette[number] for number in row[1:]] for row in rows]  # type: ignore[misc]  # three of them


def test_a_png_has_the_lines_areas_and_letters_of_its_drawing() -> None:
    parts = [
        Area(0, 0, 10, 5, "#ff0000"),
        Stroke([(0, 10), (20, 10)], "#000000", is_broken=True),
        Stroke([(15, 12), (15, 30)], "#000000"),
        Label(20, 30, "I", "#000000"),
        Stroke([(-5, 38), (500, 38)], "#000000"),
    ]
    rows = pixels(png_of(Drawing(40, 40, parts, "title", "")))
    assert (len(rows), len(rows[0])) == (80, 80)
    assert rows[9][19] == RED
    assert rows[10][20] == WHITE
    assert [rows[20][x] for x in (0, 7, 8, 15, 16, 41)] == [BLACK, BLACK, WHITE, WHITE, BLACK, WHITE]
    assert [rows[y][30] for y in (22, 24, 59, 62)] == [WHITE, BLACK, BLACK, WHITE]
    # The stem of the I in the middle of its five columns, its foot on the base line.
    assert [rows[50][40 + 3 * column] == BLACK for column in range(5)] == [False, False, True, False, False]
    assert [rows[59][40 + 3 * column] == BLACK for column in range(5)] == [False, True, True, True, False]
    assert rows[60][46] == WHITE
    assert set(rows[76]) == {BLACK}


def test_a_drawing_shows_gaps_doubt_limits_and_several_tags_without_colour() -> None:
    intervals = [
        Interval(0, 4, 10.0, "good"),
        Interval(4, 5, None, "gap"),
        Interval(5, 8, 30.0, "good"),
        Interval(8, 10, 30.0, "bad"),
    ]
    tags = [
        ChartedTag(
            "Plant.Tank <1>", "30.0", "good", intervals, boolean=False, unit="%", alarm_limits=[Limit(35, "Hi")]
        ),
        ChartedTag("Plant.SP", "20.0", "good", [Interval(0, 10, 20.0, "good")], boolean=False, unit="%"),
        ChartedTag("Plant.Pump", "true", "good", [Interval(0, 10, 1.0, "good")], boolean=True),
    ]
    drawing = drawing_of(panels_of(tags, (0.0, 10.0), apart=False, limits=[Limit(40, "limit")]))
    strokes = [part for part in drawing.parts if isinstance(part, Stroke) and part.width == 2]
    first = [(stroke.is_broken, len(stroke.points)) for stroke in strokes[:3]]
    # Nothing in the gap; broken where it is bad.
    assert first == [(False, 2), (False, 2), (True, 3)]
    assert strokes[0].points[-1][0] < strokes[1].points[0][0]
    root = ElementTree.fromstring(svg_of(drawing))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"40 %", "30", "20", "10", "limit 40", "Hi 35", "true", "false", "!", "x", "A", "B"} <= set(texts)
    assert "A Plant.Tank <1>  30.0 %  good  min 10.0  max 30.0" in texts
    assert "! bad   x gap: nothing is known" in texts
    assert (root.find("{http://www.w3.org/2000/svg}title") or root[0]).text.startswith("Plant.Tank <1>, Plant.SP")  # type: ignore[union-attr]  # it has a text
    assert pixels(png_of(drawing))


def test_a_hundred_thousand_values_make_a_small_file_that_keeps_the_extremes() -> None:
    intervals = [Interval(at, at + 1, float(at % 7 + 93 * (at == 5_000)), "good") for at in range(100_000)]
    tag = ChartedTag("A.b", "", "", intervals, boolean=False)
    drawing = drawing_of(panels_of([tag], (0.0, 100_000.0), apart=False))
    (curve,) = (part for part in drawing.parts if isinstance(part, Stroke) and part.width == 2)
    assert len(curve.points) < 6_000
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in zip(curve.points, curve.points[1:], strict=False))
    lowest, highest = (edge(y for _, y in curve.points) for edge in (max, min))
    assert highest < lowest - 200


ODD = st.sampled_from([1.7976931348623157e308, -1.7976931348623157e308, 5e-324, 0.0, -0.0, 3.4e38, 2.0**53, 42.0])
STRETCHES = st.lists(st.tuples(ODD | st.none(), st.sampled_from(MOODS[1:]), st.sampled_from([1e-9, 0.5, 3.0])))


@given(st.lists(STRETCHES, min_size=1, max_size=6), st.booleans(), ODD, st.text(max_size=3))
def test_whatever_there_is_it_can_be_drawn(
    tags: list[list[tuple[float | None, ValueStatus, float]]], apart: bool, limit: float, unit: str
) -> None:
    charted = []
    for stretches in tags:
        ends = list(itertools.accumulate((length for *_, length in stretches), initial=0.0))
        intervals = [
            Interval(start, end, value, mood)
            for (value, mood, _), (start, end) in zip(stretches, itertools.pairwise(ends), strict=True)
        ]
        charted.append(ChartedTag("A\x1b<&>", "1.0", "good", intervals, boolean=False, unit=unit))
    drawing = drawing_of(panels_of(charted, (0.0, 9.0), apart=apart, limits=[Limit(limit, "limit")]))
    for stroke in (part for part in drawing.parts if isinstance(part, Stroke)):
        assert len(stroke.points) > 1
        assert all(a[0] == b[0] or a[1] == b[1] for a, b in itertools.pairwise(stroke.points))
    ElementTree.fromstring(svg_of(drawing))


async def test_a_run_saves_each_kind_and_never_over_a_file(tmp_path: Path, gateway: SimulatedGateway) -> None:
    process = ShellProcess(tmp_path).on(gateway)
    gateway.set(INT, 12)
    lines = [f"trend {INT} Plant.Tank1.Level --for 300ms --save {name}" for name in ("a.svg", "a.PNG", "a.csv")]
    done = await process("--plaintext", *(part for line in lines for part in ("-e", line)))
    assert (done.code, done.err) == (0, "")
    assert "saved a.svg" in done.out
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any(text.startswith(f"{INT}  12  good") for text in texts)
    assert any(text.endswith(" %") for text in texts)
    rows = pixels((tmp_path / "a.PNG").read_bytes())
    assert len({pixel for row in rows for pixel in row}) >= 4
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        records = list(csv.DictReader(file))
    assert [(each["value"], each["unit"], each["mood"]) for each in records if each["tag"] == INT] == [
        ("12", "", "good")
    ]
    assert {each["unit"] for each in records if each["tag"] == "Plant.Tank1.Level"} == {"%"}
    before = (tmp_path / "a.svg").read_bytes()
    done = await process("--plaintext", "-e", lines[0])
    assert done.code != 0
    assert "a.svg exists: name another file" in done.err
    assert (tmp_path / "a.svg").read_bytes() == before
    done = await process("--plaintext", "-e", f"trend {INT} --for 300ms --save a.pdf")
    assert (done.code, "ends with .svg, .png or .csv" in done.err) == (2, True)
    done = await process("--plaintext", "-e", f"trend {INT} --for 300ms --save no/such/a.csv")
    assert (done.code, done.out.count("good")) == (2, 0)
    assert "there is no folder no/such" in done.err


@pytest.mark.parametrize("ending", [CTRL_C, ""])
async def test_the_prompt_saves_the_last_picture_however_it_ends(tmp_path: Path, ending: str) -> None:
    async with shell(tmp_path) as sh:
        file = tmp_path / "level.svg"
        end = "" if ending else " --for 1s"
        sh.terminal.type(f"trend Plant.Tank1.Level --save '{file}'{end}" + ENTER)
        await sh.terminal.shows("Plant.Tank1.Level  61", "Ctrl-C ends")
        sh.terminal.type(ending)
        await sh.terminal.shows("saved ", "level.svg")
        assert "Plant.Tank1.Level  61" in file.read_text(encoding="utf-8")
        await sh.terminal.enter("status", "1 advised")


@pytest.mark.parametrize(
    ("name", "begins"), [("level.svg", b"<?xml "), ("level.png", b"\x89PNG\r\n"), ("level.csv", b"tag,start,end,value")]
)
async def test_a_picture_is_saved_on_a_narrow_screen_and_without_a_display(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, begins: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    async with shell(tmp_path, columns=40) as sh:
        screen = sh.terminal
        await screen.enter(f"trend Plant.Tank1.Level --save {name}", "Ctrl-C ends")
        screen.type(CTRL_C)
        await screen.shows(f"saved {name}")
        saved = (tmp_path / name).read_bytes()
        assert saved.startswith(begins)
        await screen.enter(f"trend Plant.Tank1.Level --save {name}", f"{name} exists: name another file")
        assert (tmp_path / name).read_bytes() == saved
        assert all(len(line) <= 40 for line in screen.text.split("\n"))


async def test_the_end_of_a_recorded_script_says_that_its_picture_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("record-script again.mxs", "recording to again.mxs")
        await sh.terminal.enter(f"trend {INT} --for 100ms --save once.svg", "saved once.svg")
        await sh.terminal.enter("record-script", "again.mxs ended", "once.svg exists: this line fails")


def test_units_are_whole_in_a_csv_and_none_is_a_formula() -> None:
    stretch = [Interval(0.0, 10.0, 1.5, "good"), Interval(10.0, 12.0, None, "gap")]
    units = ("milligrams per litre", "milligrams per minute", "=cmd()")
    tags = [ChartedTag("A.b", "1.5", "good", stretch, boolean=False, unit=unit) for unit in units]
    panels = panels_of(tags, (0.0, 12.0), apart=False)
    assert [panel.unit for panel in panels] == ["milligrams …", "milligrams …", "=cmd()"]  # Each on an axis of its own.
    rows = list(csv.DictReader(TrendResult(tags, panels, (0.0, 12.0), drawn=False).csv().splitlines()))
    assert [(row["unit"], row["value"], row["mood"]) for row in rows] == [
        (unit, *rest) for unit in (*units[:2], "'=cmd()") for rest in (("1.5", "good"), ("", "gap"))
    ]
