"""The commands of the shell, one module per group, and their registry; a module is loaded at first use.

No waiting, no layout and no state: a command combines what the other rooms offer.

May import ``diagnosis``, ``feeds``, ``galaxy``, ``language``, ``output``, ``process``, ``samples`` and ``state``.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module

from zb_mom_ww_mxgateway_shell.language.commands import Command
from zb_mom_ww_mxgateway_shell.language.parser import Registry


class _LazyCommands(Mapping[str, Command]):
    """All commands by name, each loaded with its module at first use."""

    def __init__(self, module_of: Mapping[str, str]) -> None:
        self._module_of = module_of
        self._loaded: dict[str, Command] = {}

    def __getitem__(self, name: str) -> Command:
        if name not in self._loaded:
            module = import_module(f"{__name__}.{self._module_of[name]}")
            self._loaded |= {command.name: command for command in module.COMMANDS}
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._module_of

    def __iter__(self) -> Iterator[str]:
        return iter(self._module_of)

    def __len__(self) -> int:
        return len(self._module_of)


def all_commands(module_of: Mapping[str, str] | None = None) -> Registry:
    """Return a registry of all commands."""
    # Here, so that the modules can be imported, and the index be written, where there is none.
    from zb_mom_ww_mxgateway_shell.commands.index import MODULE_OF

    return Registry(_LazyCommands(MODULE_OF if module_of is None else module_of))
