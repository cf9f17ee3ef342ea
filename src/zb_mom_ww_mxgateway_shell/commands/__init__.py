"""The commands of the shell, one module per group, and the registry of them all: a module is loaded at first use.

No waiting, no layout and no state of its own: a command puts together what the other rooms offer.
May import ``diagnosis``, ``feeds``, ``galaxy``, ``language``, ``output``, ``process``, ``samples`` and ``state``.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module

from zb_mom_ww_mxgateway_shell.language.commands import Command
from zb_mom_ww_mxgateway_shell.language.parser import Registry

MODULES: dict[str, tuple[str, ...]] = {
    "connection": ("connect", "disconnect", "use", "status"),
    "galaxy": ("browse", "cd", "find", "tag", "deploys"),
    "items": ("register", "unregister", "add-item", "remove-item", "advise", "unadvise", "items"),
    "values": ("write",),
    "watches": ("watch", "unwatch", "watches", "list"),
    "reading": ("read", "trend", "history"),
    "alarms": ("alarms", "ack"),
    "streaming": ("events", "record"),
    "checks": ("expect", "wait", "capture"),
    "language": ("let", "step", "note", "confirm", "sleep", "include", "finally", "on-error", "record-script"),
    "diagnosis": ("why", "last-error", "doctor"),
    "settings": ("set", "alias", "unalias", "tee", "profiles", "arm", "disarm", "echo"),
    "general": ("help", "py", "exit"),
}
"""The names that each module declares, in the order help lists them."""


class _Commands(Mapping[str, Command]):
    """Every command by its name."""

    def __init__(self) -> None:
        self._homes = {name: module for module, names in MODULES.items() for name in names}
        self._loaded: dict[str, Command] = {}

    def __getitem__(self, name: str) -> Command:
        if name not in self._loaded:
            module = import_module(f"{__name__}.{self._homes[name]}")
            self._loaded |= {command.name: command for command in module.COMMANDS}
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._homes

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)


def all_commands() -> Registry:
    """A registry of every command."""
    return Registry(_Commands())
