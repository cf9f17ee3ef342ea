"""The parts of a Parquet recording that has not ended: ``tank.parquet.parts`` beside ``tank.parquet``.

The footer of a Parquet file is at its end, so a file without its end cannot be read. Part N is ``N.jsonl`` while it is
written, like any recording of that format, and ``N.parquet`` once it is complete. The whole file says which part is the
last that it has; later ones are read after it.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

LAST_PART = b"mxgw.last_part"
"""Metadata of a Parquet file: the number of the last part in it."""

_PART = re.compile(r"(\d+)\.(parquet|jsonl)", re.ASCII)


class RecordingPart(NamedTuple):
    """One part of a recording."""

    number: int
    path: Path


def parts_folder(path: Path) -> Path:
    """Return the folder of the parts of a recording; of a link that of the file that it names."""
    path = path.resolve() if path.is_symlink() else path
    return path.with_name(f"{path.name}.parts")


def part_path(folder: Path, number: int, suffix: str) -> Path:
    """Return the path of a part with ``.parquet`` or ``.jsonl``."""
    return folder / f"{number:06}{suffix}"


def parts_after(folder: Path, last: int) -> list[RecordingPart]:
    """Return the parts after the one of that number, in order; none where there is no folder.

    Of a part in both forms it is the complete one.
    """
    found: dict[int, Path] = {}
    try:
        names = sorted(each.name for each in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    for name in names:
        match = _PART.fullmatch(name)
        if match and (number := int(match[1])) > last and (match[2] == "parquet" or number not in found):
            found[number] = folder / name
    return [RecordingPart(*each) for each in sorted(found.items())]


def last_part_in(metadata: Any) -> int:
    """Return the number of the last part in a Parquet file, by the metadata of its schema; 0 for none."""
    text = (metadata or {}).get(LAST_PART, b"0")
    return int(text) if text.isdigit() else 0
