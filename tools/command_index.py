"""Write which module declares each command of mxgw-shell and of mxgw-py: ``make reference`` runs this.

The programs load the module of a command when it is first used; they find it in the index that is written here.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import click

import zb_mom_ww_mxgateway_cli.commands
import zb_mom_ww_mxgateway_shell.commands

INDEX = "index"
"""The module of the package that has the index."""

SHELL_ORDER = (
    "connection", "galaxy", "items", "arming", "values", "tracing", "writes", "arrays", "changes", "snapshots", "users",
    "watches", "reading", "alarms", "streaming", "checks", "captures", "alarm_checks", "language", "answers",
    "recording", "limits", "journal", "handover", "diagnosis", "gateway", "settings", "general",
)  # fmt: skip
CLI_ORDER = ("sessions", "tags", "items", "writes", "control", "alarms", "galaxy", "batch", "contract", "tool")
"""Modules in the order of help; those that are not named here come last."""


def shell_commands(module: ModuleType) -> list[str]:
    """Return the names of the commands that a module of mxgw-shell declares."""
    return [each.name for each in module.COMMANDS]


def cli_commands(module: ModuleType) -> list[str]:
    """Return the names of the commands that a module of mxgw-py declares, without those of a group."""
    found = [each for each in vars(module).values() if isinstance(each, click.Command)]
    of_groups = [inner for each in found if isinstance(each, click.Group) for inner in each.commands.values()]
    return [each.name or "" for each in found if each not in of_groups]


def homes(package: ModuleType, names_of: Callable[[ModuleType], list[str]], order: Sequence[str]) -> dict[str, str]:
    """Return the module of each command of a package, in the order of help; raises ValueError for a name used twice."""
    modules = sorted(
        (each.name for each in iter_modules(package.__path__) if each.name != INDEX),
        key=lambda name: (order.index(name) if name in order else len(order), name),
    )
    found: dict[str, str] = {}
    for module in modules:
        for name in names_of(import_module(f"{package.__name__}.{module}")):
            if name in found:
                raise ValueError(f"{module} and {found[name]} both declare {name}")
            found[name] = module
    return found


def source(modules: Mapping[str, str]) -> str:
    """Return the text of an index."""
    return "\n".join(
        [
            '"""The module that declares each command, in the order of help. Written by ``make reference``."""',
            "",
            "MODULE_OF = {",
            *(f'    "{name}": "{module}",' for name, module in modules.items()),
            "}",
            "",
        ]
    )


def indexes() -> dict[Path, str]:
    """Return the text of each index by its path."""
    shell, cli = zb_mom_ww_mxgateway_shell.commands, zb_mom_ww_mxgateway_cli.commands
    return {
        Path(package.__path__[0]) / f"{INDEX}.py": source(homes(package, names_of, order))
        for package, names_of, order in ((shell, shell_commands, SHELL_ORDER), (cli, cli_commands, CLI_ORDER))
    }


if __name__ == "__main__":
    for path, text in indexes().items():
        path.write_text(text, encoding="utf-8", newline="\n")
