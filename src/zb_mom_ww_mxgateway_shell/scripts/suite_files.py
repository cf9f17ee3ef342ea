"""The files of a suite: found in folders, put in an order, and selected by their tags."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.scripts import loader
from zb_mom_ww_mxgateway_shell.scripts.run_options import Part, ReadPart

SUFFIX = ".mxs"


@dataclass(slots=True)
class SuiteFiles:
    """Files that were found and read."""

    selected: list[ReadPart] = field(default_factory=list)
    """The files to run, in their order."""
    others: list[ReadPart] = field(default_factory=list)
    """Files without the tag that is asked for."""
    parts: dict[str, str] = field(default_factory=dict)
    """Files that another file includes, and which are therefore not run by themselves, with that other file."""

    @classmethod
    def read(cls, paths: Sequence[str], tags: Sequence[str] = (), seed: int | None = None) -> "SuiteFiles":
        """Read the files, and those in the folders: sorted by their names, each once.

        A file in a folder that another of the files includes is a part of that one, and is left out. With `tags` the
        files that have one of them are selected; a `seed` shuffles them. Raise ShellError if a file cannot be read, or
        if there is none.
        """
        read: dict[Path, ReadPart] = {}
        named: set[Path] = set()
        for path in paths:
            is_folder = Path(path).is_dir()
            for each in _in_folder(Path(path)) if is_folder else [path]:
                where = Path(each).resolve()
                named |= set() if is_folder else {where}
                if where not in read:
                    block, found = loader.read(each)
                    read[where] = Part(block, each, each, is_file=True), found
        if not read:
            raise ShellError(f"no {SUFFIX} file in {' and '.join(paths)}")
        files = cls()
        included = {
            Path(part).resolve(): by for each, _ in read.values() for part, by in each.block.included() if part != by
        }
        wanted = {tag.casefold() for tag in tags}
        for where, (part, found) in read.items():
            if where in included and where not in named:
                files.parts[part.name] = included[where]
            elif wanted and not wanted & part.block.tags():
                files.others.append((part, found))
            else:
                files.selected.append((part, found))
        if not files.selected:
            lacks = f"has the tag {' or '.join(tags)}" if tags else "is without another one that includes it"
            raise ShellError(f"no file in {' and '.join(paths)} {lacks}")
        if seed is not None:
            random.Random(seed).shuffle(files.selected)  # an order, not a secret
        return files


def _in_folder(folder: Path) -> Iterable[str]:
    """Return the files in a folder and in those below it, sorted folder by folder, as the user would name them."""
    found = [each for each in folder.rglob(f"*{SUFFIX}") if each.is_file()]
    hidden = [each for each in found if any(part.startswith(".") for part in each.relative_to(folder).parts)]
    return [str(each) for each in sorted(set(found) - set(hidden), key=lambda each: each.parts)]
