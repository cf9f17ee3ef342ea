"""Patterns in the names of files on a command line, as ``tests/*.mxs``."""

import glob
import os
from collections.abc import Iterable


def files_named(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names, with each pattern replaced by the files that match it, sorted.

    Shells on Linux do that before a program starts; those on Windows leave it to the program. What is the name of a
    file is no pattern; a pattern that matches nothing stays, and is reported as a file that is missing.
    """
    found: list[str] = []
    for name in names:
        # Not by Path, which raises for a name that is too long, or in a folder that may not be read.
        is_plain = not glob.has_magic(name) or os.path.exists(name)  # noqa: PTH110
        found += [name] if is_plain else sorted(glob.glob(name)) or [name]  # noqa: PTH207  # the names as they were typed
    return tuple(found)
