"""The samples of one tag that a shell has seen, as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts
from zb_mom_ww_mxgateway.status import first_failed, quality_word
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import time_of_day, time_text
from zb_mom_ww_mxgateway_console.recordings.event_samples import Sample, was_read_again
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted, safe, source_time_form, status_form, value_form
from zb_mom_ww_mxgateway_shell.output.results import Sheet, table_lines
from zb_mom_ww_mxgateway_shell.output.tag_texts import NOTHING_KNOWN, description_of, fact_fields, shown_value
from zb_mom_ww_mxgateway_shell.output.value_text import clock_text
from zb_mom_ww_mxgateway_shell.samples.history import LIMIT, ItemHistory, moment
from zb_mom_ww_mxgateway_shell.samples.sample_stream import SampleMark

_COLUMNS = (*("kind", "lost", "note", "quality", "quality_word", "received", "source_timestamp", "statuses", "value"),)


@dataclass(frozen=True, slots=True)
class TagHistory:
    """Samples of one tag, as rows."""

    tag: str
    seen: ItemHistory
    entries: Sequence[tuple[float, Sample | SampleMark]]
    """With monotonic seconds, oldest first."""
    facts: TagFacts = NOTHING_KNOWN
    exit_code: ExitCode = ExitCode.DONE
    newest_last: ClassVar[bool] = True

    @property
    def value(self) -> Any:
        return [entry.value for entry in self.returned]

    @property
    def returned(self) -> list[Sample]:
        """The samples, with their quality."""
        return [entry for _, entry in self.entries if isinstance(entry, Sample)]

    def lines(self) -> list[str]:
        rows = [[clock_text(at), *_cells(entry, self.facts)] for at, entry in self.entries]
        shown = sum(isinstance(entry, Sample) for _, entry in self.entries)
        known = self.seen.known
        summary = f"{shown} of " if shown < known else ""
        summary += f"{counted(known, 'change')} seen since {time_of_day(moment(self.seen.since))}"
        if self.seen.forgotten:
            summary += f", {self.seen.forgotten} older ones were dropped"
        summary += f" (kept: the newest {LIMIT // 1_000_000} MB of all tags together)"
        if described := description_of(self.facts):
            summary += f"; {described}"
        return [*(table_lines(("time", "value", "quality", "note"), rows) if rows else []), f"  {safe(summary)}"]

    def sheet(self) -> Sheet:
        rows = [{"tag": self.tag, **_record(at, entry)} for at, entry in self.entries]
        forgotten = f"{self.seen.forgotten} older changes were dropped"
        return Sheet(("tag", *_COLUMNS), rows, [forgotten] if self.seen.forgotten else [])

    def form(self) -> Any:
        return {
            "forgotten": self.seen.forgotten,
            "samples": [_record(at, entry) for at, entry in self.entries],
            "seen": self.seen.known,
            "since": time_text(moment(self.seen.since)),
            "tag": self.tag,
            **fact_fields(self.facts),
        }


def _cells(entry: Sample | SampleMark, facts: TagFacts) -> list[str]:
    if isinstance(entry, SampleMark):
        return ["───", "", entry.text]
    failed = first_failed(entry.event.statuses)
    notes = ["read again" if was_read_again(entry.event) else "", str(failed) if failed else ""]
    return [shown_value(entry.value, facts), quality_word(entry.quality), ", ".join(filter(None, notes))]


def _record(at: float, entry: Sample | SampleMark) -> dict[str, Any]:
    empty = dict.fromkeys(_COLUMNS)
    if isinstance(entry, SampleMark):
        mark = {"kind": entry.kind, "lost": entry.lost, "note": entry.text, "received": time_text(moment(at))}
        return empty | {"statuses": []} | mark
    return empty | {
        "kind": "read" if was_read_again(entry.event) else "sample",
        "quality": entry.quality,
        "quality_word": quality_word(entry.quality),
        "received": time_text(moment(at)),
        "source_timestamp": source_time_form(entry.source_time_ns),
        "statuses": [status_form(status) for status in entry.event.statuses],
        "value": value_form(entry.value),
    }


def newest_entries(seen: ItemHistory, last: float | None, count: int) -> list[tuple[float, Sample | SampleMark]]:
    """Return the newest samples, at most `count`, with the marks among them; only of the `last` seconds if given."""
    earliest = float("-inf") if last is None else clock.monotonic() - last
    entries = [entry for entry in seen.entries() if entry[0] >= earliest]
    samples = [index for index, (_, entry) in enumerate(entries) if isinstance(entry, Sample)]
    return entries[samples[-count] :] if len(samples) > count else entries
