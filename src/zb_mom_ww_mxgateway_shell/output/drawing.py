"""A drawing of lines along its axes, areas and texts, as SVG or PNG."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from zb_mom_ww_mxgateway_console.text.terminal_text import safe

CHARACTER = 9
"""Width of a character, which both forms keep."""
_FONT = 13


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points, each beside, above or below the one before."""

    points: Sequence[tuple[float, float]]
    color: str
    width: int = 1
    is_broken: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    color: str


@dataclass(frozen=True, slots=True)
class Label:
    """A text that begins, has its middle, or ends at a point of its base line."""

    x: float
    y: float
    text: str
    color: str
    anchor: Literal["start", "middle", "end"] = "start"


Part: TypeAlias = Stroke | Area | Label


@dataclass(frozen=True, slots=True)
class Drawing:
    """Parts from back to front, on white."""

    width: int
    height: int
    parts: Sequence[Part]
    title: str
    description: str


def svg_of(drawing: Drawing) -> str:
    """Return a drawing as a whole SVG file."""
    size = f"{drawing.width} {drawing.height}"
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{drawing.width}" '
        f'height="{drawing.height}" role="img" xml:space="preserve" font-family="monospace" font-size="{_FONT}">',
        f"<title>{_escaped(drawing.title)}</title>",
        f"<desc>{_escaped(drawing.description)}</desc>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        *map(_element, drawing.parts),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _element(part: Part) -> str:
    match part:
        case Stroke():
            broken = ' stroke-dasharray="4 4"' if part.is_broken else ""
            line = f'd="{_path(part.points)}" fill="none" stroke="{part.color}" stroke-width="{part.width}"'
            return f"<path {line}{broken}/>"
        case Area():
            return (
                f'<rect x="{part.x:.1f}" y="{part.y:.1f}" width="{part.width:.1f}" height="{part.height:.1f}" '
                f'fill="{part.color}"/>'
            )
        case Label():
            return (
                f'<text x="{part.x:.1f}" y="{part.y:.1f}" fill="{part.color}" text-anchor="{part.anchor}">'
                f"{_escaped(part.text)}</text>"
            )


def _path(points: Sequence[tuple[float, float]]) -> str:
    (x, y), *rest = points
    made = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in rest:
        made.append(f"H{to_x:.1f}" if to_y == y else f"V{to_y:.1f}")
        x, y = to_x, to_y
    return "".join(made)


def _escaped(text: str) -> str:
    return html.escape(safe(text))
