"""A drawing as PNG, made with zlib alone: 256 colours, and letters of five by eight points."""

import struct
import zlib
from collections.abc import Sequence

from zb_mom_ww_mxgateway_console.text.terminal_text import safe
from zb_mom_ww_mxgateway_shell.output.drawing import CHARACTER, Area, Drawing, Label, Stroke

_SCALE = 2
"""Pixels of a unit of the drawing."""
_DOT = 3
"""Pixels of a point of a letter."""
_COLUMNS, _ROWS, _BASE = 5, 8, 7
"""Points of a letter; the last row is below the line."""
_DASH = 4
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# The columns of each letter from space on, a bit for each row, the upper one first.
_ASCII = bytes.fromhex(
    "0000000000 00005f0000 0007000700 147f147f14 242a7f2a12 2313086462 3649562050 0008070300 001c224100 0041221c00"
    "2a1c7f1c2a 08083e0808 0050300000 0808080808 0060600000 2010080402 3e5149453e 00427f4000 4261514946 2141454b31"
    "1814127f10 2745454539 3c4a494930 0171090503 3649494936 064949291e 0036360000 0056360000 0814224100 1414141414"
    "0041221408 0201510906 324979413e 7e1111117e 7f49494936 3e41414122 7f4141221c 7f49494941 7f09090101 3e41415132"
    "7f0808087f 00417f4100 2040413f01 7f08142241 7f40404040 7f0204027f 7f0408107f 3e4141413e 7f09090906 3e4151215e"
    "7f09192946 4649494931 01017f0101 3f4040403f 1f2040201f 7f2018207f 6314081463 0304780403 6151494543 007f414100"
    "0204081020 0041417f00 0402010204 4040404040 0001020400 2054545478 7f48444438 3844444420 384444487f 3854545418"
    "087e090102 18a4a49c78 7f08040478 00447d4000 2040443d00 007f102844 00417f4000 7c04180478 7c08040478 3844444438"
    "fc18242418 18242418fc 7c08040408 4854545420 043f444020 3c4040207c 1c2040201c 3c4030403c 4428102844 4c9090907c"
    "4464544c44 0008364100 00007f0000 0041360800 0201020402"
)
_OTHERS = {
    "°": bytes.fromhex("0006090906"),
    "²": bytes.fromhex("1219151200"),
    "³": bytes.fromhex("11151b0000"),
    "µ": bytes.fromhex("7c2020103c"),
    "·": bytes.fromhex("0000080000"),
    "…": bytes.fromhex("4000400040"),
}
_UNKNOWN = bytes.fromhex("7f4141417f")


def png_of(drawing: Drawing) -> bytes:
    """Return a drawing as a PNG file. A letter that it does not have is a box."""
    raster = _Raster(drawing.width * _SCALE, drawing.height * _SCALE)
    for part in drawing.parts:
        match part:
            case Stroke():
                raster.stroke(part)
            case Area():
                raster.area(part)
            case Label():
                raster.label(part)
    return raster.file(drawing.title)


class _Raster:
    """Pixels, each the number of a colour."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._pixels = bytearray(width * height)
        self._colors = {"#ffffff": 0}

    def _number(self, color: str) -> int:
        return self._colors.setdefault(color, len(self._colors))

    def _fill(self, left: int, top: int, right: int, bottom: int, color: int) -> None:
        """Fill what is inside of the picture; `right` and `bottom` are not filled."""
        left, right = max(0, left), min(self._width, right)
        top, bottom = max(0, top), min(self._height, bottom)
        row = bytes([color]) * max(0, right - left)
        for y in range(top, bottom) if row else ():
            self._pixels[y * self._width + left : y * self._width + right] = row

    def area(self, area: Area) -> None:
        right, bottom = (area.x + area.width) * _SCALE, (area.y + area.height) * _SCALE
        self._fill(*_pixels(area.x, area.y), round(right), round(bottom), self._number(area.color))

    def stroke(self, stroke: Stroke) -> None:
        color, thick = self._number(stroke.color), stroke.width * _SCALE
        half, passed = thick // 2, 0
        for (x, y), (to_x, to_y) in zip(stroke.points, stroke.points[1:], strict=False):
            (left, top), (right, bottom) = _pixels(min(x, to_x), min(y, to_y)), _pixels(max(x, to_x), max(y, to_y))
            length = right - left + bottom - top
            step = _DASH * _SCALE if stroke.is_broken else length or 1
            for at in range(0, length or 1, step):
                if stroke.is_broken and (passed + at) // step % 2:
                    continue
                until = min(length, at + step)
                # Without a break the corners are whole.
                before, after = (at, until) if stroke.is_broken else (-half, length + thick - half)
                if right > left:
                    self._fill(left + before, top - half, left + after, top - half + thick, color)
                else:
                    self._fill(left - half, top + before, left - half + thick, top + after, color)
            passed += length

    def label(self, label: Label) -> None:
        color, text = self._number(label.color), safe(label.text)
        ahead = {"start": 0.0, "middle": 0.5, "end": 1.0}[label.anchor] * len(text) * CHARACTER
        left, bottom = _pixels(label.x - ahead, label.y)
        for place, character in enumerate(text):
            for column, bits in enumerate(_glyph(character)):
                x = left + place * CHARACTER * _SCALE + column * _DOT
                for row in range(_ROWS):
                    if bits >> row & 1:
                        y = bottom - (_BASE - row) * _DOT
                        self._fill(x, y, x + _DOT, y + _DOT, color)

    def file(self, title: str) -> bytes:
        rows = (self._pixels[y * self._width : (y + 1) * self._width] for y in range(self._height))
        colors = b"".join(bytes.fromhex(color[1:]) for color in self._colors)
        head = struct.pack(">IIBBBBB", self._width, self._height, 8, 3, 0, 0, 0)
        text = b"Title\0\0\0\0\0" + safe(title).encode()
        chunks: Sequence[tuple[bytes, bytes]] = (
            (b"IHDR", head),
            (b"PLTE", colors),
            (b"iTXt", text),
            (b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))),
            (b"IEND", b""),
        )
        return _SIGNATURE + b"".join(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
            for name, data in chunks
        )


def _pixels(x: float, y: float) -> tuple[int, int]:
    return round(x * _SCALE), round(y * _SCALE)


def _glyph(character: str) -> bytes:
    place = ord(character) - ord(" ")
    if 0 <= place < len(_ASCII) // _COLUMNS:
        return _ASCII[place * _COLUMNS : (place + 1) * _COLUMNS]
    return _OTHERS.get(character, _UNKNOWN)
