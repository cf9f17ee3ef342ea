"""Report of a hold that was broken: by what, when, and the longest time it lasted."""

from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway_console.render.forms import age_text, counted, value_text
from zb_mom_ww_mxgateway_shell.feeds.condition import form_of
from zb_mom_ww_mxgateway_shell.output.value_text import quality_text

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import WaitCourse


def course_lines(course: "WaitCourse", started: float) -> list[str]:
    """Return lines for a person; times count from the start of the wait, `started` by the library's clock."""
    longest = f"the longest hold: {age_text(course.longest)}" if course.satisfied else "it never held"
    counts = f"{counted(course.satisfied, 'value')} met it, {course.unsatisfied} did not"
    if course.lowest is not None and course.highest is not None:
        counts += f", from {value_text(course.lowest)} to {value_text(course.highest)}"
    lines = [f"{longest}; {counts}"]
    if course.broken_at is not None:
        by = course.broken_by
        what = (
            "a doubt: events were lost, or the stream" if by is None else f"{value_text(by.value)}, {quality_text(by)}"
        )
        last = "" if course.breaks == 1 else f" {course.breaks} times, last"
        at = max(0.0, course.broken_at - started)
        lines.insert(0, f"broken{last} by {what} at {age_text(at)}, when it had held {age_text(course.broken_after)}")
    return lines


def course_form(course: "WaitCourse", started: float) -> dict[str, Any]:
    """Return the same for JSON."""
    return {
        "breaks": course.breaks,
        "broken_after_seconds": None if course.broken_at is None else round(course.broken_after, 3),
        "broken_at_seconds": None if course.broken_at is None else round(max(0.0, course.broken_at - started), 3),
        "broken_by": form_of(course.broken_by),
        "highest": course.highest,
        "longest_seconds": round(course.longest, 3),
        "lowest": course.lowest,
        "values_false": course.unsatisfied,
        "values_true": course.satisfied,
    }
