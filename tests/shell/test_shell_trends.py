"""trend: a picture of what was seen, in which nothing that is unknown looks known."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from shell_process import ShellProcess, declared
from shell_terminal import CTRL_C, ENTER, shell
from shell_waiting import until

from zb_mom_ww_mxgateway import EventFamily, MxEvent
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.models.events import EventHeader
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.text.terminal_text import width
from zb_mom_ww_mxgateway_shell.output.axis import time_ticks, value_axis
from zb_mom_ww_mxgateway_shell.output.chart import Curve, Limit, Line, chart, in_view, label_columns, legend, range_of
from zb_mom_ww_mxgateway_shell.output.scale import share, sparkline
from zb_mom_ww_mxgateway_shell.output.trend_picture import ChartedTag, panels_of, picture_of
from zb_mom_ww_mxgateway_shell.samples.history import ItemHistory
from zb_mom_ww_mxgateway_shell.samples.interval_series import IntervalSeries
from zb_mom_ww_mxgateway_shell.samples.intervals import Interval, IntervalBuilder, ValueStatus
from zb_mom_ww_mxgateway_shell.samples.sample_stream import SampleMark
from zb_mom_ww_mxgateway_sim import NativeType, SimulatedGateway, TagDefinition
from zb_mom_ww_mxgateway_sim.runtime.clock import SystemClock

INT = "TestChildObject.TestInt"


def text_of(lines: list[Line]) -> list[str]:
    return ["".join(text for _, text in line) for line in lines]


def part(start: float, end: float, value: float | None, mood: ValueStatus = "good") -> Interval:
    return Interval(start, end, value, mood)


def charted(*curves: Curve, columns: int = 10, height: int = 3, **given: Any) -> list[Line]:
    known = range_of([interval for curve in curves for interval in curve.intervals])
    axis = None if known.low is None or known.high is None else value_axis(known.low, known.high, height // 2 + 1)
    labels = label_columns(axis, given.get("unit", ""))
    return chart(curves, 0.0, 10.0, columns, height, axis=axis, labels=labels, **given)


def drawn(intervals: list[Interval], **given: Any) -> list[str]:
    return [
        line[line.index("└" if "└" in line else "│" if "│" in line else "┤") :]
        for line in text_of(charted(Curve(intervals), **given))
    ]


# Axes.


@pytest.mark.parametrize(
    ("low", "high", "most", "labels"),
    [
        (61.34, 61.67, 5, ["61.3", "61.4", "61.5", "61.6", "61.7"]),
        (0, 97, 6, ["0", "20", "40", "60", "80", "100"]),
        (-1, 100, 5, ["-50", "0", "50", "100"]),
        (7.5, 7.5, 3, ["7.0", "7.5", "8.0"]),
        (0, 0, 3, ["-1", "0", "1"]),
        (1.2e18, 1.764e18, 5, ["1.2e18", "1.4e18", "1.6e18", "1.8e18"]),
        (1e-9, 3e-9, 3, ["1e-9", "2e-9", "3e-9"]),
        (9007199254740991.0, 9007199254740992.0, 5, ["9007199254740991", "9007199254740992"]),
        (1000.001, 1000.002, 3, ["1000.0010", "1000.0015", "1000.0020"]),
        # A 32-bit real that is shown as 12.2 is a little less.
        (12.199999809265137, 12.23, 5, ["12.20", "12.21", "12.22", "12.23"]),
    ],
)
def test_an_axis_has_round_numbers_with_the_same_decimals(
    low: float, high: float, most: int, labels: list[str]
) -> None:
    assert [text for _, text in value_axis(low, high, most).ticks] == labels


@pytest.mark.parametrize(
    ("start", "seconds", "columns", "labels"),
    [
        ("2026-03-01T14:02:03.5", 10, 40, ["14:02:05", "14:02:10"]),
        ("2026-03-01T14:02:03", 60, 60, ["14:02:10", "14:02:20", "14:02:30", "14:02:40", "14:02:50", "14:03:00"]),
        ("2026-03-01T14:02:03", 60, 20, ["14:02:30", "14:03:00"]),
        ("2026-03-01T23:50:00", 3600, 40, ["00:00", "00:15", "00:30", "00:45"]),
        ("2026-03-01T14:02:03.1", 0.5, 40, ["14:02:03.2", "14:02:03.4", "14:02:03.6"]),
        ("2026-03-01T14:00:00", 5 * 86_400, 40, ["03-02", "03-03", "03-04", "03-05", "03-06"]),
        ("2026-03-01T14:02:03", 10, 5, []),
    ],
)
def test_times_are_round_and_fit(start: str, seconds: float, columns: int, labels: list[str]) -> None:
    begins = datetime.fromisoformat(start)
    ticks = time_ticks(begins, begins + timedelta(seconds=seconds), columns)
    assert [text for _, text in ticks] == labels
    assert all(0 <= part <= 1 for part, _ in ticks)


# Drawing.


def test_a_value_holds_until_the_next_and_a_jump_is_one_line() -> None:
    lines = text_of(charted(Curve([part(0, 5, 1.0), part(5, 10, 3.0)])))
    assert lines == [
        "3 ┤     ⡏⠉⠉⠉⠉",
        "2 ┤     ⡇    ",
        "1 ┤⣀⣀⣀⣀⣀⡇    ",
        "  └──────────",
    ]


def test_a_level_line_is_in_the_middle_beside_its_value() -> None:
    lines = text_of(charted(Curve([part(0, 10, 7.5)]), unit="bar", ticks=[4]))
    assert lines == [
        "8.0 bar ┤          ",
        "7.5     ┤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤",
        "7.0     ┤          ",
        "        └────┬─────",
    ]


def test_nothing_is_drawn_across_a_gap_and_it_is_marked() -> None:
    lines = drawn([part(0, 4, 1.0), part(4, 8, None, "gap"), part(8, 10, 1.0)], ticks=[2, 5])
    assert lines[1] == "┤⠤⠤⠤⠤    ⠤⠤"
    assert lines[3] == "└──┬─xxxx──"


@pytest.mark.parametrize(("mood", "mark"), [("bad", "!"), ("uncertain", "?"), ("stale", "~")])
def test_what_is_not_sure_is_a_broken_line_with_its_mark(mood: ValueStatus, mark: str) -> None:
    lines = drawn([part(0, 5, 1.0), part(5, 10, 1.0, mood)])
    sure, unsure = lines[1][1:6], lines[1][6:]
    assert len(set(sure)) == 1
    assert unsure != sure
    assert unsure.strip()
    assert lines[3] == "└─────" + mark * 5
    assert mark in legend(charted(Curve([part(0, 10, 1.0, mood)])))


def test_the_worst_of_a_column_is_what_its_mark_says() -> None:
    lines = drawn([part(0, 4.9, 1.0), part(4.9, 5.1, 1.0, "bad"), part(5.1, 10, 1.0)])
    assert lines[3] == "└────!!────"


def test_several_curves_have_letters_and_marks_of_their_own() -> None:
    one = Curve([part(0, 10, 0.0)], "A", "series1")
    other = Curve([part(0, 5, 40.0), part(5, 10, 40.0, "bad")], "B", "series2")
    lines = charted(one, other, columns=24)
    assert text_of(lines) == [
        "40 ┤⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠁⠁⠁⠁⠁B⠁⠁⠁⠁⠁⠁ B",
        "20 ┤                        ",
        " 0 ┤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀A⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀ A",
        "   └────────────────────────",
        " B              !!!!!!!!!!!!",
    ]
    assert [role for role, text in lines[2] if "⣀" in text] == ["series1"]
    assert [text.strip() for text in text_of(charted(one, other, columns=6, braille=False))[::2]] == [
        "40 |bbbbbb B",
        "0 |aaaaaa A",
        "B     !!!",
    ]


def test_a_limit_is_a_line_behind_the_curve_with_its_name() -> None:
    intervals = [part(0, 8, 0.0), part(8, 10, 40.0)]
    limits = [Limit(20.0, "limit"), Limit(40.0, "Hi"), Limit(80.0, "HiHi")]
    assert drawn(intervals, columns=16, limits=limits) == [
        "┤╌ Hi 40 ╌╌╌╌⢸⠉⠉⠉",
        "┤╌ limit 20 ╌⢸╌╌╌",
        "┤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣸   ",
        "└────────────────",
    ]


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        (70, "  …t.Tank1.Level  123456.789 kg/cm² abs  good  0.1 s  min 1.0  max 2.0"),
        (50, "  …Tank1.Level  123456.789 kg/cm² abs  good  0.1 s"),
        (40, "  ….Tank1.Level  123456.789  good  0.1 s"),
        (30, "  …1.Level  123456.789  good …"),
    ],
)
def test_a_narrow_heading_keeps_the_whole_number(columns: int, wanted: str) -> None:
    tag = ChartedTag(
        "Plant.Tank1.Level", "123456.789", "good  0.1 s", [part(0, 5, 1.0), part(5, 10, 2.0)], False, "kg/cm² abs"
    )
    panels = panels_of([tag], (0.0, 10.0), apart=False)
    lines = text_of(picture_of(panels, columns, 10, braille=True))
    assert all(len(line) <= columns for line in lines)
    assert lines[0] == wanted
    # The unit is beside the axis where it leaves room for the curve.
    assert ("2.0 kg/cm² abs ┤" in lines[1]) is (columns > 42)


def test_the_axis_is_straight_beside_a_unit_of_wide_characters() -> None:
    tag = ChartedTag("A.b", "2.0", "good", [part(0, 5, 1.0), part(5, 10, 2.0)], False, "摂氏")
    _, *lines = text_of(picture_of(panels_of([tag], (0.0, 10.0), apart=False), 60, 10, braille=True))
    places = {width(line[: line.index(mark)]) for line in lines for mark in "┤│└" if mark in line}
    assert places == {width("2.0 摂氏 ")}


@pytest.mark.parametrize(("columns", "shown"), [(60, "behind the fan"), (52, "behind the …"), (51, ""), (38, "")])
def test_a_heading_has_as_much_of_the_description_as_there_is_room_for(columns: int, shown: str) -> None:
    tag = ChartedTag("A.b", "2.0", "good", [part(0, 5, 2.0)], False, "°C", description="behind\nthe fan")
    first, *_ = text_of(picture_of(panels_of([tag], (0.0, 5.0), apart=False), columns, 10, braille=True))
    extent = "  min 2.0  max 2.0" if columns > 45 else ""
    assert first == f"  A.b  2.0 °C  good{extent}  {shown}".rstrip()


@pytest.mark.parametrize("rows", range(5, 40))
def test_charts_fit_the_rows_there_are_or_it_is_said_how_many_do_not(rows: int) -> None:
    stretch = [part(0, 5, 1.0), part(5, 10, 2.0, "bad")]
    tags = [ChartedTag(f"A.b{n}", "2.0", "bad", stretch, n == 3, unit=str(n // 2)) for n in range(6)]
    panels = panels_of(tags, (0.0, 10.0), apart=False)
    assert [len(panel.tags) for panel in panels] == [2, 1, 1, 2]
    lines = text_of(picture_of(panels, 60, rows, braille=True))
    shown = sum("└" in line for line in lines)
    # The first chart is shown in any case: two headings, two rows, its line, two with marks, the times, two legends.
    assert len(lines) <= max(rows, 10)
    assert (shown == 4) is not any(f"and {4 - shown} more chart" in line for line in lines)


def test_where_there_is_no_braille_plain_characters_do() -> None:
    lines = text_of(charted(Curve([part(0, 10, 1.0)]), braille=False, limits=[Limit(1.05, "Hi")], ticks=[3]))
    assert all(line.isascii() for line in lines)
    assert "*" * 10 in lines[1]


def test_what_came_just_before_a_stream_died_is_stale_until_it_lives() -> None:
    def event(at: float, value: float) -> MxEvent:
        return MxEvent(EventHeader(EventFamily.ON_DATA_CHANGE, 1, 1, 192), 1, value, 0, received_at=at)

    # The last sign of life was at 100.
    marks = [SampleMark("stale", 100.0, "lost", noticed=110.0), SampleMark("live", 112.0, "live again")]
    seen = ItemHistory([event(80.0, 1.0), event(100.5, 2.0), event(120.0, 3.0)], 3, marks, 0, 0.0)
    builder = IntervalBuilder()
    for at, entry in seen.entries():
        builder.add(at, entry)
    assert builder.until(130.0, None) == [
        part(80, 100, 1.0),
        part(100, 100.5, 1.0, "stale"),
        part(100.5, 112, 2.0, "stale"),
        part(112, 120, 2.0),
        part(120, 130, 3.0),
    ]


async def test_what_is_looked_at_again_and_again_is_what_is_looked_at_once(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(f"watch {INT} --count 1", "1 sample")
        live, history, (item,) = sh.context.live_session, sh.context.connected.history, sh.context.items
        kept, unseen = IntervalSeries(history, item.key), IntervalSeries(history, (item.server_handle, 99))

        def same(start: float = 0.0) -> list[str]:
            now, value = clock.monotonic(), live[INT]
            shown = in_view(kept.since(start, now, value.stale_since), start, now)
            once = IntervalSeries(history, item.key).since(start, now, value.stale_since)
            assert shown == in_view(once, start, now)
            assert unseen.since(start, now) == []
            return [interval.mood for interval in shown]

        async def comes(value: int, quality: int = 192) -> None:
            sh.gateway.set(INT, value, quality=quality)
            await until(lambda: live[INT].value == value and live[INT].stale_since is None)

        same()
        await comes(1)
        same()
        for value in range(2, 20):
            await comes(value, quality=0 if value == 7 else 192)
        assert same().count("bad") == 1
        sh.gateway.faults.drop_streams()
        sh.gateway.set(INT, 20)
        sh.gateway.faults.evict_replay(live.session.session_id)
        await until(lambda: live.gaps == 1)
        await comes(21)
        assert "gap" in same()
        sh.gateway.faults.lose_session(live.session.session_id)
        await until(lambda: live.rebuilds == 1)
        same()
        await comes(22)
        # A later start, and an earlier one again.
        assert len(same(clock.monotonic() - 0.001)) < len(same())


# At the prompt and in files.


async def test_a_trend_is_live_until_ctrl_c_and_shows_a_gap_and_bad_quality(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen, live = sh.terminal, sh.context.live_session
        screen.type(f"trend {INT} --span 4s" + ENTER)
        await screen.shows(f"{INT}  0  good", "Ctrl-C ends", "└")
        sh.gateway.set(INT, 40)
        await screen.shows(f"{INT}  40  good", "min 0", "max 40", "40 ┤", "20 ┤")
        sh.gateway.set(INT, 20, quality=0)
        await screen.shows(f"{INT}  20  bad", "! bad", "!!")
        sh.gateway.faults.drop_streams()
        sh.gateway.set(INT, 30)
        sh.gateway.faults.evict_replay(live.session.session_id)
        sh.gateway.set(INT, 35)
        await screen.shows(f"{INT}  35  good", "x gap: nothing is known", "x")
        screen.type(CTRL_C)
        await screen.enter("status", "1 advised")


async def test_while_the_stream_is_lost_the_line_is_stale(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        sh.gateway.set(INT, 40)
        sh.terminal.type(f"trend {INT} --span 2s" + ENTER)
        await sh.terminal.shows(f"{INT}  40  good")
        sh.gateway.faults.stall("OpenSession")
        sh.gateway.faults.lose_session(sh.context.live_session.session.session_id)
        await sh.terminal.shows("stale for", "~~~", "~ stale")
        sh.terminal.type(CTRL_C)
        await sh.terminal.shows("demo:rebuilding>")
        sh.gateway.faults.release("OpenSession")


async def test_what_another_session_brings_ends_the_gap_that_the_lost_one_left(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        sh.gateway.set(INT, 40)
        screen.type(f"trend {INT} --span 2s" + ENTER)
        await screen.shows(f"{INT}  40  good")
        sh.gateway.faults.lose_session(sh.context.live_session.session.session_id)
        # The value never changes: what is known of it, it was told when it was advised anew.
        await until(lambda: re.search("x[─┬]{5}", screen.text), lambda: screen.text)
        screen.type(CTRL_C)


@pytest.mark.parametrize("columns", [40, 60])
async def test_a_trend_fits_a_narrow_screen(tmp_path: Path, columns: int) -> None:
    async with shell(tmp_path, columns=columns) as sh:
        sh.terminal.type("trend Plant.Tank1.Level Plant.Pump1.Running --for 1s" + ENTER)
        text = await sh.terminal.shows("61", "good", "true", "false", "└", "Ctrl-C ends")
        assert all(len(line) <= columns for line in text.split("\n"))
        # Nothing wraps: every line of a chart begins with its axis.
        assert text.count("└") == 2
        # A number that is cut would be another one: the extent is there whole, or not at all.
        assert ("  max 6" in text) is (columns == 60)
        await sh.terminal.shows("Ctrl-C ends\ndemo>")
        await sh.terminal.enter("status", "2 advised")


async def test_units_limits_and_several_tags_share_a_picture(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        level, setpoint = "Plant.Tank1.Level", "Plant.Tank1.LevelSP"
        sh.terminal.type(f"trend {level} {setpoint} Plant.Pump1.Running --limit 50,80 --for 500ms" + ENTER)
        text = await sh.terminal.shows(
            "limit 50", "limit 80, Hi 80", f"A {level}", f"B {setpoint}", "Ctrl-C ends\ndemo>"
        )
        assert text.count("└") == 2
        # Round numbers, the upper one with the unit; a value with the unit in the legend.
        assert "80 % ┤" in text
        assert "50   ┤" in text
        assert "B Plant.Tank1.LevelSP  60.0 %  good" in text
        sh.terminal.type(f"trend {level} {setpoint} --apart --for 500ms" + ENTER)
        await sh.terminal.shows(f"  {setpoint}  60.0 %  good", "60   ┤", "Ctrl-C ends\ndemo>")
        await sh.terminal.enter("trend Plant.Tank1.Level --limit 80,high", "a number is expected, or several")


async def test_what_is_no_number_is_refused(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        sh.gateway.set("TestChildObject.TestString", "full")
        await sh.terminal.enter(
            "trend TestChildObject.TestString", "is neither a number nor a Boolean: full; watch shows it"
        )


async def test_in_a_file_it_is_one_picture_at_the_end(tmp_path: Path, gateway: SimulatedGateway) -> None:
    process = ShellProcess(tmp_path).on(gateway)
    gateway.set(INT, 12)
    done = await process("--plaintext", "-e", f"trend {INT} --for 500ms")
    assert done.code == 0, done.err
    assert done.out.count("└") == 1
    assert f"{INT}  12  good" in done.out
    done = await process("--plaintext", "-e", f"trend {INT}")
    assert (done.code, "needs an end" in done.err) == (2, True)
    done = await process("--plaintext", "--json", "-e", f"trend {INT} --for 100ms")
    (tag,) = done.objects[0]["result"]["tags"]
    assert (tag["tag"], tag["max"], tag["stretches"][0]["mood"]) == (INT, 12, "good")


# Numbers and times as plants have them.


class Elsewhen(SystemClock):
    """A plant whose clock is far from today."""

    def __init__(self, seconds: int) -> None:
        self._ahead = seconds * 1_000_000_000 - super().now()

    def now(self) -> int:
        return super().now() + self._ahead


ODD = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([1.7976931348623157e308, -1.7976931348623157e308, 1.7e308, 5e-324, -5e-324, 0.0, -0.0])
    | st.sampled_from([3.4e38, 2.0**53, 1.764e18, 9007199254740991.0])
)


@given(st.lists(ODD, max_size=8), st.integers(1, 9), st.integers(1, 40))
def test_whatever_doubles_there_are_a_chart_can_be_drawn(values: list[float], height: int, columns: int) -> None:
    intervals = [part(at, at + 1, value) for at, value in enumerate(values)]
    lines = text_of(charted(Curve(intervals), columns=columns, height=height))
    assert len(lines) == height + 1
    assert "inf" not in "".join(lines)
    if values:
        assert any(line.partition("┤")[2].strip() or line.partition("│")[2].strip() for line in lines[:-1])


@given(ODD, ODD, st.integers(1, 9))
def test_whatever_doubles_there_are_an_axis_contains_them(one: float, other: float, most: int) -> None:
    low, high = min(one, other), max(one, other)
    axis = value_axis(low, high, most)
    slack = 0.01 * (axis.high - axis.low)
    assert axis.low - slack <= low <= high <= axis.high + slack
    assert 1 <= len(axis.ticks) <= max(3, most)
    assert len({text for _, text in axis.ticks}) == len(axis.ticks)
    assert [float(text) for _, text in axis.ticks] == [place for place, _ in axis.ticks]


@given(st.lists(ODD, max_size=12))
def test_whatever_doubles_there_are_they_are_sparkline(values: list[float]) -> None:
    blocks = sparkline(values)
    assert len(blocks) == len(values)
    if values and min(values) < max(values):
        assert blocks[values.index(max(values))] == "█"
        assert blocks[values.index(min(values))] == "▁"


@given(ODD, ODD, ODD)
def test_the_place_of_a_number_keeps_the_order_of_numbers(one: float, two: float, three: float) -> None:
    low, middle, high = sorted((one, two, three))
    assert 0.0 <= share(low, low, high) <= share(middle, low, high) <= share(high, low, high) <= 1.0


async def test_trends_of_odd_numbers_end_and_what_stands_behind_them_runs(tmp_path: Path) -> None:
    tags = [
        TagDefinition("U.Never.Set", NativeType.FLOAT, 3.4e38),
        TagDefinition("U.Counter.Ns", NativeType.DOUBLE, 1.764e18),
        TagDefinition("U.Swing.X", NativeType.DOUBLE, -1.7e308),
        TagDefinition("U.Nothing.X", NativeType.DOUBLE),
        TagDefinition("U.Fine.X", NativeType.DOUBLE, 9007199254740991.0),
        TagDefinition("U.Infinite.X", NativeType.DOUBLE),
    ]
    async with SimulatedGateway(plaintext=True, api_keys=(), tags=tags) as gateway:
        process = ShellProcess(tmp_path).on(gateway)
        gateway.set("U.Nothing.X", None)
        gateway.set_message("U.Infinite.X", pb.MxValue(data_type=pb.MX_DATA_TYPE_DOUBLE, double_value=float("-inf")))
        script = tmp_path / "odd.mxs"
        script.write_text(
            "requires write U.*\n"
            "watch U.Swing.X --count 1\nwrite U.Swing.X 1.7e308\ntrend U.Swing.X --for 100ms --span 10s\n"
            "trend U.Never.Set U.Counter.Ns U.Nothing.X --for 100ms\ntrend U.Fine.X U.Infinite.X --for 100ms\n"
            + "".join(f"history {tag.name}\n" for tag in tags)
            + "finally\nwrite U.Never.Set 0\n",
            encoding="utf-8",
        )
        for how in ((), ("--json",), ("--csv",)):
            done = await process("--plaintext", "--arm", "U.*", *how, "-c", str(script))
            assert (done.code, done.err) == (0, ""), how
            assert gateway.read("U.Never.Set").value == 0.0
            gateway.set("U.Never.Set", 3.4e38)
            gateway.set("U.Swing.X", -1.7e308)


@pytest.mark.parametrize("seconds", [-62_135_596_800, -11_644_473_600, -2_209_161_600, 253_402_290_000, 9_223_372_036])
async def test_source_times_that_no_clock_shows_today_end_nothing(tmp_path: Path, seconds: int) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=(), clock=Elsewhen(seconds)) as gateway:
        gateway.raise_alarm("ZB!TestArea.TestChildObject.Hi")
        process = ShellProcess(tmp_path).on(gateway)
        script = tmp_path / "times.mxs"
        script.write_text(
            declared(
                f"watch {INT} --count 1\nrecord all.csv\nrecord all.jsonl\nwrite {INT} 5\nread {INT} --fresh\n"
                f"read {INT}\nitems\ntrend {INT} --for 50ms\nhistory {INT}\nevents --for 50ms\nalarms\nrecord stop\n"
            ),
            encoding="utf-8",
        )
        # West of Greenwich the calendar ends before the first year, east of it after the last one.
        for zone, how in (("America/New_York", ()), ("Asia/Tokyo", ("--json",))):
            process.environment["TZ"] = zone
            done = await process("--plaintext", *how, "-c", str(script))
            assert (done.code, done.err) == (0, ""), (zone, how)
            for name in ("all.csv", "all.jsonl"):
                assert "stopped: " in (tmp_path / name).read_text(encoding="utf-8")
                (tmp_path / name).unlink()
