"""What the verification of a write saw, for a person and for JSON."""

from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway_console.render.forms import value_form, value_text
from zb_mom_ww_mxgateway_shell.output.value_text import freshness, quality_text

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.verification import ReadBack, SeenValue


def read_back_text(seen: "ReadBack", *, is_completed: bool) -> str:
    """Return what was seen after a write that completed, or whose outcome is not known."""
    if seen.is_as_written and seen.value is not None:
        return f"{'verified: ' if is_completed else ''}the value is {_shown(seen.value)}"
    if seen.value is None:
        shown = "it has no value"
    else:
        shown = f"the {'last ' if seen.problem else ''}value is {_shown(seen.value)}"
    return f"NOT VERIFIED: after {seen.within:g} s {shown}{f'; {seen.problem}' if seen.problem else ''}"


def read_back_record(seen: "ReadBack") -> dict[str, Any]:
    """Return what was seen for JSON."""
    return {
        "as_written": seen.is_as_written,
        "problem": seen.problem or None,
        "quality": seen.value and seen.value.quality,
        "source": None if seen.value is None else "read" if seen.was_read else "stream",
        "tolerance": seen.tolerance,
        "value": seen.value and value_form(seen.value.value),
    }


def _shown(value: "SeenValue") -> str:
    from zb_mom_ww_mxgateway import LiveValue

    how = freshness(value) if isinstance(value, LiveValue) else "read afresh"
    return f"{value_text(value.value)}, {quality_text(value)}, {how}"
