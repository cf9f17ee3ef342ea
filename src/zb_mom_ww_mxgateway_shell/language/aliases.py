"""Names that stand for longer lines."""

from collections.abc import Collection

from zb_mom_ww_mxgateway_shell.errors import closest


def what_is_wrong(name: str, line: str, commands: Collection[str]) -> str:
    """Why `name` cannot stand for `line` where these are the commands; empty where it can."""
    return wrong_name(name, commands) or wrong_line(line, commands)


def wrong_name(name: str, commands: Collection[str]) -> str:
    """Why nothing can go by this name; empty where something can."""
    return f"{name} is a command: an alias needs another name" if name in commands else ""


def wrong_line(line: str, commands: Collection[str]) -> str:
    """Why no name can stand for this line; empty where one can."""
    first = line.split(maxsplit=1)[0] if line.strip() else ""
    return "" if first in commands else f"no command {first}{closest(first, list(commands))}: an alias begins with one"
