"""Styles of a terminal by theme: of values, of the line being typed, of problems."""

from collections.abc import Sequence
from functools import cache

from prompt_toolkit.styles import Style

from zb_mom_ww_mxgateway_console.text.terminal_text import AlarmLine
from zb_mom_ww_mxgateway_shell.output.themes import THEMES

_OWN_SERIES: Sequence[str] = (
    "ansicyan",
    "ansimagenta",
    "ansigreen",
    "ansiblue",
    "ansibrightblack",
    "ansibrightmagenta",
)
"""Colours of the terminal for the tags of a picture, in the theme ``auto``."""
_SEVERITIES = (("critical", 250), ("high", 500), ("medium", 750))
"""The highest numbers of the severities of AVEVA's alarm displays: 1 is the most severe, 999 the least."""


def style_of_line(line: str) -> str:
    """Return the style of a line that says by itself how it looks, as one about an alarm; empty for any other."""
    if not isinstance(line, AlarmLine):
        return ""
    return next((f"class:alarm.{name}" for name, most in _SEVERITIES if line.severity <= most), "class:alarm.low")


@cache
def style_of(theme: str) -> Style:
    """Return the styles of a theme."""
    colors = THEMES.get(theme)
    if colors is None:
        bad, doubt, faint, accent, quoted = "ansired", "ansiyellow", "ansibrightblack", "ansicyan", "ansigreen"
        series = _OWN_SERIES
    else:
        bad, doubt, faint, accent, quoted = colors.bad, colors.doubt, colors.faint, colors.accent, colors.quoted
        series = colors.series
    return Style.from_dict(
        {
            "bottom-toolbar": "noreverse",
            "prompt.armed": "bold",
            "prompt.lost": f"{bad} bold",
            "problem": bad,
            "alarm.critical": f"{bad} bold reverse",
            "alarm.high": f"{bad} bold",
            "alarm.medium": doubt,
            "alarm.low": "",
            "typed.command": "bold",
            "typed.mutating": f"bold {doubt}",
            "typed.option": accent,
            "typed.quoted": quoted,
            "typed.comment": faint,
            "typed.mistake": f"underline {bad}",
            "mood.good": "",
            "mood.bad": bad,
            "mood.uncertain": doubt,
            "mood.stale": f"{doubt} italic",
            "mood.none": faint,
            "mood.gap": bad,
            "mood.head": "bold",
            "mood.limit": accent,
        }
        | {f"mood.series{number}": color for number, color in enumerate(series, start=1)}
    )
