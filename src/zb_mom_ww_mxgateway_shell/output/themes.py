"""Colours for what is shown, by theme.

Each colour is one of xterm's 256, so that a terminal without true colour shows the same. The tests compute the contrast
of each with the theme's background, and how well eyes can tell them apart. No colour is the only sign of anything.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Theme(NamedTuple):
    """Colours as ``#rrggbb``."""

    background: str
    """The background with the least contrast for which the theme is made: the lightest of dark ones, and vice versa."""
    text: str
    """The colour of ordinary text; a terminal uses its own."""
    bad: str
    doubt: str
    """Uncertain, stale, or a command that writes."""
    faint: str
    accent: str
    quoted: str
    series: Sequence[str]
    """One for each tag of a picture."""


DEFAULT = "auto"
"""The theme of the terminal's own sixteen colours."""
THEMES: Mapping[str, Theme] = {
    "dark": Theme(
        background="#2b2b2b",
        text="#eeeeee",
        bad="#ff5f5f",
        doubt="#ffaf00",
        faint="#a8a8a8",
        accent="#5fd7ff",
        quoted="#87d787",
        series=("#00afff", "#00ff00", "#ff00ff", "#d7ff87", "#d787d7", "#00af87"),
    ),
    "light": Theme(
        background="#eeeeee",
        text="#000000",
        bad="#d70000",
        doubt="#875f00",
        faint="#5f5f5f",
        accent="#005f87",
        quoted="#005f00",
        series=("#000087", "#005f00", "#87005f", "#5f00ff", "#5f0000", "#5f5f87"),
    ),
    "dark-colorblind": Theme(
        background="#2b2b2b",
        text="#eeeeee",
        bad="#ff5f00",
        doubt="#ffd700",
        faint="#a8a8a8",
        accent="#87d7ff",
        quoted="#afd7af",
        series=("#8787ff", "#5fffaf", "#d787d7", "#00af5f", "#afff87", "#afafaf"),
    ),
    "light-colorblind": Theme(
        background="#eeeeee",
        text="#000000",
        bad="#af005f",
        doubt="#875f00",
        faint="#5f5f5f",
        accent="#005faf",
        quoted="#005f5f",
        series=("#005fd7", "#5f0000", "#5f00ff", "#303030", "#000087", "#5f005f"),
    ),
}
