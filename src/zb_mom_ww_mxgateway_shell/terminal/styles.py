"""Styles of a terminal by theme: of values, of the line being typed, of problems."""

from collections.abc import Sequence
from functools import cache

from prompt_toolkit.styles import Style

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
