"""Results of a read, as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts
from zb_mom_ww_mxgateway_console.render.forms import (
    ExitCode,
    age_text,
    counted,
    safe,
    source_time_form,
    status_form,
    value_form,
)
from zb_mom_ww_mxgateway_shell.output.decimals import decimal_text
from zb_mom_ww_mxgateway_shell.output.results import Sheet, table_lines
from zb_mom_ww_mxgateway_shell.output.tag_texts import fact_fields, with_facts
from zb_mom_ww_mxgateway_shell.output.value_text import reason_lines, reason_text, written_text

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import Reading

_COLUMNS = (
    *("age_seconds", "cached", "description", "error", "quality", "quality_word", "source_timestamp", "stale"),
    *("statuses", "tag", "unit", "value", "written_seconds_ago"),
)


@dataclass(frozen=True, slots=True)
class Readings:
    """Results of a read."""

    readings: Sequence["Reading"]
    facts: Sequence[TagFacts]
    """What is known of each tag."""
    of: int | None = None
    """How many tags were read, if these are only those that are not good."""
    is_one: bool = False
    """Whether the line reads one tag, by its name."""

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.REFUSED if any(each.error for each in self.readings) else ExitCode.DONE

    @property
    def value(self) -> Any:
        values = [each.value for each in self.readings]
        return values[0] if len(values) == 1 else values

    @property
    def returned(self) -> Any:
        """The readings, with their quality; the reading itself where the line names one tag."""
        return self.readings[0] if self.is_one else list(self.readings)

    def lines(self) -> list[str]:
        rows = [self._row(each, facts) for each, facts in zip(self.readings, self.facts, strict=True)]
        table = table_lines(*with_facts(("tag", "value", "quality", "age", "from"), rows, self.facts)) if rows else []
        doubts = [(each.tag, each.quality_word, reason_text(each)) for each in self.readings if not each.error]
        return [*table, *(f"  {line}" for line in (*reason_lines(doubts), *self.problems(), *self._summary()))]

    def _summary(self) -> list[str]:
        if self.of is None:
            return []
        if not self.readings:
            return [f"all good: {counted(self.of, 'tag')}"]
        return [f"{len(self.readings)} of {counted(self.of, 'tag')} not good"]

    def problems(self) -> list[str]:
        """Return a line for each reason why tags were not read."""
        return reason_lines((each.tag, "NOT READ", safe(each.error)) for each in self.readings if each.error)

    def _row(self, reading: "Reading", facts: TagFacts) -> list[str]:
        if reading.error:
            return [reading.tag, "", reading.quality_word, "", "gateway"]
        age = "not known" if reading.age is None else age_text(reading.age)
        if reading.stale_for is not None:
            age = f"stale for {age_text(reading.stale_for)}"
        age = ", ".join(filter(None, (age, written_text(reading.written_for))))
        source = "cached" if reading.cached else "gateway"
        return [reading.tag, decimal_text(reading.value, facts.decimals), reading.quality_word, age, source]

    def sheet(self) -> Sheet:
        return Sheet(_COLUMNS, self.form())

    def form(self) -> Any:
        return [
            {
                "age_seconds": None if each.age is None else round(each.age, 3),
                "cached": each.cached,
                "error": each.error or None,
                "quality": each.quality,
                "quality_word": each.quality_word,
                "source_timestamp": source_time_form(each.source_time_ns),
                "stale": each.stale_for is not None,
                "statuses": [status_form(status) for status in each.statuses],
                "tag": each.tag,
                "value": value_form(each.value),
            }
            | fact_fields(facts)
            | {"written_seconds_ago": None if each.written_for is None else round(each.written_for, 3)}
            for each, facts in zip(self.readings, self.facts, strict=True)
        ]
