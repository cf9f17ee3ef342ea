"""Pictures of trends as results: lines, JSON, and files."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway_console.render.csv_records import csv_record
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, safe, value_form
from zb_mom_ww_mxgateway_shell.output.chart import Line, in_view, range_of
from zb_mom_ww_mxgateway_shell.output.drawing import svg_of
from zb_mom_ww_mxgateway_shell.output.png import png_of
from zb_mom_ww_mxgateway_shell.output.results import Sheet
from zb_mom_ww_mxgateway_shell.output.trend_drawing import drawing_of
from zb_mom_ww_mxgateway_shell.output.trend_picture import ChartedTag, Panel, picture_of
from zb_mom_ww_mxgateway_shell.process.regular_files import write_new
from zb_mom_ww_mxgateway_shell.samples.history import moment

_FILE_HEIGHT = 8
SUFFIXES = (".svg", ".png", ".csv")
"""Of the files that a picture can be saved in."""
_TAG_COLUMNS = ("alarm_limits", "description", "max", "min", "range_high", "range_low", "stretches", "tag", "unit")
_COLUMNS = ("tag", "start", "end", "value", "unit", "mood")


@dataclass(frozen=True)
class TrendResult:
    """A picture of a trend."""

    tags: Sequence[ChartedTag]
    panels: Sequence[Panel]
    window: tuple[float, float]
    """Start and end, in monotonic seconds."""
    drawn: bool
    """Whether the picture is on the screen already."""
    file: Path | None = None
    """Where it was saved."""
    exit_code: ExitCode = ExitCode.DONE

    @property
    def value(self) -> Any:
        return [[interval.value for interval in in_view(each.intervals, *self.window)] for each in self.tags]

    def lines(self) -> list[str]:
        saved = [] if self.file is None else [safe(f"  saved {self.file}")]
        if self.drawn:
            return saved
        columns = min(100, shutil.get_terminal_size((80, 24)).columns - 8)
        height = 2 + sum(_FILE_HEIGHT + len(panel.tags) + 1 for panel in self.panels)
        return ["".join(text for _, text in line).rstrip() for line in self.picture(columns, height)] + saved

    def picture(self, columns: int, rows: int) -> list[Line]:
        """Return lines that fit."""
        return picture_of(self.panels, columns, rows, braille=has_braille())

    def sheet(self) -> Sheet:
        return Sheet(_TAG_COLUMNS, self.form()["tags"])

    def form(self) -> Any:
        start, end = self.window
        return {
            "end": time_text(moment(end)),
            "file": None if self.file is None else str(self.file),
            "seconds": round(end - start, 3),
            "tags": [
                {
                    "alarm_limits": {limit.name: value_form(limit.value) for limit in each.alarm_limits},
                    "description": each.description or None,
                    "max": value_form(known.high),
                    "min": value_form(known.low),
                    "range_high": each.range[1],
                    "range_low": each.range[0],
                    "stretches": list(self._stretches(each)),
                    "tag": each.tag,
                    "unit": each.unit or None,
                }
                for each in self.tags
                for known in [range_of(in_view(each.intervals, *self.window))]
            ],
        }

    def _stretches(self, each: ChartedTag) -> Iterator[dict[str, Any]]:
        for interval in in_view(each.intervals, *self.window):
            yield {
                "end": time_text(moment(interval.end)),
                "mood": interval.mood,
                "start": time_text(moment(interval.start)),
                "value": value_form(interval.value),
            }

    def csv(self) -> str:
        """Return a row for each stretch of time in which value and status of a tag were the same."""
        stretches = [
            {"tag": each.tag, "unit": each.unit} | stretch for each in self.tags for stretch in self._stretches(each)
        ]
        records = [_COLUMNS, *([stretch[name] for name in _COLUMNS] for stretch in stretches)]
        return "".join(f"{csv_record(record)}\n" for record in records)


def save(result: TrendResult, file: Path) -> None:
    """Write a picture into a new file of one of :data:`SUFFIXES`; raise ShellError."""
    match file.suffix.lower():
        case ".csv":
            data = result.csv().encode()
        case ".png":
            data = png_of(drawing_of(result.panels))
        case _:
            data = svg_of(drawing_of(result.panels)).encode()
    write_new(file, data)


def has_braille() -> bool:
    """Return whether standard output can show braille dots and lines."""
    try:
        "⣿─╌┬←".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
