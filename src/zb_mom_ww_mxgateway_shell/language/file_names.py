"""Completions for the names of files."""

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language.argument_types import MOST_SUGGESTIONS, Suggestion
from zb_mom_ww_mxgateway_shell.language.tokens import split

_MOST_ENTRIES = 2_000
"""Entries of a folder that are looked at."""
_MOST_NUMBERS = 99


def new_files(prefix: str, suffixes: Sequence[str], stem: str) -> list[Suggestion]:
    """Return names of files that do not exist, one for each suffix, and the folders that may be meant.

    The names begin with what was typed, or with `stem` where that is nothing, or a folder.
    """
    at = 1 + max(prefix.rfind(separator) for separator in ("/", os.sep))
    folder, name = prefix[:at], prefix[at:]
    typed, point, ending = name.rpartition(".")
    begun = [each for each in suffixes if typed and each.startswith(f"{point}{ending}".lower())]
    found = _folders(folder, name)
    if Path(folder).is_dir():
        base = folder + ((typed if begun else name) or stem)
        found = [*(Suggestion(_free(base, each), "new file") for each in begun or suffixes), *found]
    return [each for each in found if _is_one_word(each.text)][:MOST_SUGGESTIONS]


def _free(base: str, suffix: str) -> str:
    """Return a name that no file has, with a number where that is needed; empty for none."""
    names = [f"{base}{suffix}", *(f"{base}-{number}{suffix}" for number in range(2, _MOST_NUMBERS + 1))]
    return next((each for each in names if not os.path.lexists(each)), "")


def _folders(folder: str, name: str) -> list[Suggestion]:
    try:
        with os.scandir(folder or ".") as entries:
            found = [each.name for each in islice(entries, _MOST_ENTRIES) if each.is_dir()]
    except OSError:
        return []
    shown = [each for each in found if each.startswith(name) and (name or not each.startswith("."))]
    return [Suggestion(f"{folder}{each}{os.sep}", "folder") for each in sorted(shown)]


def _is_one_word(text: str) -> bool:
    """Return whether a name needs no quotes in a line: what is being typed in quotes is not completed."""
    try:
        words = split(text)
    except InputError:
        return False
    return len(words) == 1 and words[0].text == words[0].value == text and "$" not in text
