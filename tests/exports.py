"""Writes for type checkers what the packages export: for ``make exports``.

A package lists its names once, by home module, in the ``_HOMES`` of its ``__init__.py``, and loads each when it is
first used. Type checkers cannot see that; they read the ``__init__.pyi`` that this program derives from the list.
"""

import importlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

SRC = Path(__file__).parents[1] / "src"
PACKAGES = ("zb_mom_ww_mxgateway", "zb_mom_ww_mxgateway.wire", "zb_mom_ww_mxgateway_sim", "zb_mom_ww_mxgateway_testing")


def path_of(package: str) -> Path:
    """Return the path of the package's stub."""
    return SRC.joinpath(*package.split("."), "__init__.pyi")


def stub(package: str) -> str:
    """Return the text of the package's stub, formatted as ruff formats it."""
    homes: Mapping[str, Sequence[str]] = vars(importlib.import_module(package))["_HOMES"]
    imports = [
        _listed(f"from {package}.{home} import (", ")", (f"    {name},\n" for name in sorted(names, key=_order)))
        for home, names in sorted(homes.items())
    ]
    exported = sorted((name for names in homes.values() for name in names), key=_order)
    return (
        "# Written by `make exports` from the list in __init__.py. Not edited by hand.\n\n"
        + "".join(imports)
        + "\n"
        + _listed("__all__ = [", "]", (f'    "{name}",\n' for name in exported))
    )


def _listed(start: str, end: str, lines: Iterable[str]) -> str:
    return f"{start}\n{''.join(lines)}{end}\n"


def _order(name: str) -> tuple[int, str]:
    """The order that ruff wants: constants, classes, functions."""
    return 0 if name.isupper() else 1 if name[0].isupper() else 2, name


def main() -> None:
    for package in PACKAGES:
        path_of(package).write_text(stub(package), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
