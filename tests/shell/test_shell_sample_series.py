"""The samples of a wait for the record: points, gaps, writes, at most so many."""

from collections.abc import Sequence

from zb_mom_ww_mxgateway import EventFamily, MxEvent
from zb_mom_ww_mxgateway.models.events import EventHeader
from zb_mom_ww_mxgateway_shell.feeds.sample_series import MOST_POINTS, Bound, SampleSeries
from zb_mom_ww_mxgateway_shell.samples.history import ItemHistory
from zb_mom_ww_mxgateway_shell.samples.sample_stream import SampleMark

GOOD, BAD = 192, 0


def _event(at: float, value: object, quality: int = GOOD) -> MxEvent:
    header = EventHeader(EventFamily.ON_DATA_CHANGE, 1, 1, quality)
    return MxEvent(header, 1, value, 1_700_000_000_000_000_000, received_at=at)  # type: ignore[arg-type]  # any value


def _series(
    events: Sequence[MxEvent], marks: Sequence[SampleMark] = (), *, forgotten: int = 0, written: Sequence[float] = ()
) -> SampleSeries:
    history = ItemHistory(events, len(events), marks, forgotten, 0.0)
    return SampleSeries("A.B", "A.B > 1", 100.0, 200.0, history, (Bound("low", 1.0),), written)


def test_a_series_begins_with_the_value_held_and_ends_with_the_wait() -> None:
    events = [_event(at, at) for at in (90.0, 95.0, 110.0, 150.0, 201.0)]
    form = _series(events, written=(101.0,)).form()
    assert [point["value"] for point in form["points"]] == [95.0, 110.0, 150.0]
    assert form["bounds"] == [{"kind": "low", "value": 1.0}]
    assert (form["tag"], form["condition"], form["omitted"], len(form["written_at"])) == ("A.B", "A.B > 1", 0, 1)
    assert form["points"][0]["at"] < form["started_at"] < form["written_at"][0] < form["ended_at"]
    assert form["points"][0]["source_at"] == "2023-11-14T22:13:20.000Z"


def test_gaps_and_stale_stretches_are_never_hidden() -> None:
    marks = [
        SampleMark("gap", 50.0, "before", 45.0),
        SampleMark("stale", 90.0, "since before the start"),
        SampleMark("live", 110.0, "live again"),
        SampleMark("gap", 130.0, "3 events lost", 120.0, 3),
        SampleMark("stale", 180.0, "to the end"),
    ]
    form = _series([_event(80.0, 1), _event(115.0, 2), _event(190.0, 3)], marks).form()
    assert [gap["kind"] for gap in form["gaps"]] == ["stale", "gap", "stale"]
    assert form["gaps"][0]["from"] == form["started_at"]
    assert form["gaps"][-1]["to"] == form["ended_at"]
    assert [point["stale"] for point in form["points"]] == [False, False, True]
    forgotten = _series([_event(150.0, 2)], forgotten=7).form()
    assert [gap["kind"] for gap in forgotten["gaps"]] == ["forgotten"]


def test_of_many_points_the_extremes_and_the_bad_ones_are_kept() -> None:
    values = [50.0] * 9_000
    values[4_000], values[7_000] = -3.0, 99.0
    events = [_event(100 + index / 100, value) for index, value in enumerate(values)]
    events[2_000] = _event(120.0, 50.0, BAD)
    form = _series(events).form()
    points = form["points"]
    assert len(points) <= MOST_POINTS
    assert len(points) + form["omitted"] == 9_000
    assert {-3.0, 99.0} <= {point["value"] for point in points}
    assert [point["quality"] for point in points].count("bad") == 1
    assert [point["at"] for point in points] == sorted(point["at"] for point in points)


def test_texts_are_thinned_too() -> None:
    form = _series([_event(100 + index / 100, f"text {index}") for index in range(9_000)]).form()
    assert 100 < len(form["points"]) <= MOST_POINTS
