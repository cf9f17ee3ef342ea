"""Units and descriptions of tags beside their values."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from zb_mom_ww_mxgateway.safety.known_range import range_text
from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts
from zb_mom_ww_mxgateway_console.render.forms import one_line, value_text
from zb_mom_ww_mxgateway_console.text.terminal_text import cut, cut_middle, cut_start, width
from zb_mom_ww_mxgateway_shell.output.decimals import decimal_text, decimals_of

UNIT_WIDTH = 12
"""Most columns of a unit."""
LEAST_DESCRIPTION = 12
"""Least columns of a description; where there is less room, it is left out."""


NOTHING_KNOWN = TagFacts()
"""The facts of a tag of which nothing is known."""


class TagTexts(Protocol):
    """What is known of tags, and what reads more of it in the background."""

    def known(self, tag: str) -> TagFacts:
        """Return what is known; it never waits."""

    def seen(self, tag: str, *values: Any) -> TagFacts:
        """Take in values of a tag that are shown, for its decimals; return what is known of it."""

    def want(self, tags: Iterable[str]) -> None:
        """Have units and descriptions of tags that are shown read."""

    def want_numbers(self, tag: str) -> None:
        """Have the range of a tag and the limits of its alarms read."""


class NoTexts:
    """Knows nothing of any tag."""

    def known(self, tag: str) -> TagFacts:
        return NOTHING_KNOWN

    def seen(self, tag: str, *values: Any) -> TagFacts:
        return TagFacts(decimals=max(map(decimals_of, values), default=0))

    def want(self, tags: Iterable[str]) -> None:
        pass

    def want_numbers(self, tag: str) -> None:
        pass


def unit_of(facts: TagFacts) -> str:
    """Return the unit, short and safe for a terminal; empty where it is unknown."""
    return cut(one_line(facts.units), UNIT_WIDTH)


def description_of(facts: TagFacts) -> str:
    """Return the description on one line, safe for a terminal; empty where it is unknown."""
    return one_line(facts.description)


def alarm_limits_text(facts: TagFacts) -> str:
    """Return the limits of the alarms of a tag, the lowest first; empty where none is known."""
    return ", ".join(f"{alarm} {value_text(limit)}" for alarm, limit in reversed(facts.alarm_limits))


def shown_value(value: Any, facts: TagFacts) -> str:
    """Return a value with the decimals of its tag, and its unit as far as that is known."""
    return with_unit(decimal_text(value, facts.decimals), facts)


def numbers_text(facts: TagFacts) -> str:
    """Return the range of a tag and the limits of its alarms, on one line; empty where none is known."""
    known = (("range", one_line(range_text(facts))), ("alarms at", alarm_limits_text(facts)))
    return "   ".join(f"{name} {text}" for name, text in known if text)


def number_fields(facts: TagFacts) -> dict[str, Any]:
    """Return the range of a tag for JSON, null for what is unknown, and the limits of its alarms by name."""
    return {"alarm_limits": dict(facts.alarm_limits), "range_high": facts.high, "range_low": facts.low}


def with_unit(text: str, facts: TagFacts) -> str:
    """Return the text of a value with the unit of its tag behind it, as far as it is known."""
    unit = unit_of(facts)
    return f"{text} {unit}" if unit else text


def cut_tag(tag: str, connection: str, columns: int) -> str:
    """Return a tag in at most so many columns, without its beginning. One that begins with the `connection`, a name
    with its colon, keeps that: it must not look like a tag of the current one."""
    if width(tag) <= columns:
        return tag
    most = (columns + 1) // 2
    # Names of connections often differ at the end alone.
    kept = connection if width(connection) <= most else f"{cut_middle(connection[:-1], most - 1)}:"
    return kept + cut_start(tag[len(connection) :], columns - width(kept))


def fact_fields(facts: TagFacts) -> dict[str, Any]:
    """Return unit and description for JSON; null for what is unknown."""
    return {"description": facts.description or None, "unit": facts.units or None}


def with_units(
    headings: Sequence[str], rows: Sequence[Sequence[str]], facts: Sequence[TagFacts], *, behind: str
) -> tuple[list[str], list[list[str]]]:
    """Return a table with a column of units behind another one, where the unit of a row is known."""
    shown, cells = list(headings), [list(row) for row in rows]
    units = [unit_of(each) for each in facts]
    if any(units):
        place = shown.index(behind) + 1
        shown.insert(place, "unit")
        for row, unit in zip(cells, units, strict=True):
            row.insert(place, unit)
    return shown, cells


def with_facts(
    headings: Sequence[str], rows: Sequence[Sequence[str]], facts: Sequence[TagFacts]
) -> tuple[list[str], list[list[str]]]:
    """Return a table with a column of units behind that of values, and one of descriptions at its end, where something
    is known of a row; a description has at most the room that the screen leaves."""
    shown, cells = with_units(headings, rows, facts, behind="value")
    return with_descriptions(shown, cells, [description_of(each) for each in facts])


def with_descriptions(
    headings: Sequence[str], rows: Sequence[Sequence[str]], descriptions: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    """Return a table with a column of descriptions at its end, where there are some and the screen leaves room."""
    shown, cells = list(headings), [list(row) for row in rows]
    if any(descriptions):
        widths = [max(width(row[column]) for row in [shown, *cells]) for column in range(len(shown))]
        # A blank column is left free: a line as long as the screen is wide is folded by some terminals.
        import shutil  # Lazy: few tables have descriptions.

        room = shutil.get_terminal_size((80, 24)).columns - 1 - sum(widths) - 2 * (len(shown) + 1)
        if room >= LEAST_DESCRIPTION:
            shown.append("description")
            for row, description in zip(cells, descriptions, strict=True):
                row.append(cut(description, room))
    return shown, cells
