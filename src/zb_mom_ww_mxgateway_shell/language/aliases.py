"""Aliases: names for longer lines."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from zb_mom_ww_mxgateway_shell.errors import InputError, closest
from zb_mom_ww_mxgateway_shell.language.scope import NamedCommand, Scope


def alias_error(name: str, line: str, commands: Mapping[str, NamedCommand]) -> str:
    """Return why `name` cannot be an alias of `line` with these commands; empty where it can."""
    return alias_name_error(name, commands) or alias_line_error(line, commands)


def alias_name_error(name: str, commands: Mapping[str, NamedCommand]) -> str:
    """Return why this name cannot be an alias; empty where it can."""
    return f"{name} is a command: an alias needs another name" if name in commands else ""


def alias_line_error(line: str, commands: Mapping[str, NamedCommand]) -> str:
    """Return why a line cannot have an alias; empty where it can."""
    first = line.split(maxsplit=1)[0] if line.strip() else ""
    if first not in commands:
        return f"no command {first}{closest(first, list(commands))}: an alias begins with one"
    return commands[first].traits.not_in_alias


@contextmanager
def unfolded(context: Scope, text: str) -> Iterator[str]:
    """Give the line with its alias unfolded; mistakes raised inside get their places in the line as typed."""
    name = text.split(maxsplit=1)[0] if text.strip() else ""
    if name in context.registry.commands or name not in context.aliases:
        yield text
        return
    end = text.index(name) + len(name)
    longer = len(context.aliases[name]) - len(name)
    try:
        yield text[: end - len(name)] + context.aliases[name] + text[end:]
    except InputError as error:
        is_behind = error.start - longer >= end
        start, stop = (error.start - longer, error.end - longer) if is_behind else (end - len(name), end)
        raise InputError(f"{error} (in: {context.aliases[name]})", start, stop) from None
