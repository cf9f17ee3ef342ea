"""Names that stand for longer lines."""

from collections.abc import Collection

from zb_mom_ww_mxgateway_shell.problems import closest


def what_is_wrong(name: str, line: str, commands: Collection[str]) -> str:
    """Why `name` cannot stand for `line` where these are the commands; empty where it can."""
    if name in commands:
        return f"{name} is a command: an alias needs another name"
    first = line.split(maxsplit=1)[0] if line.strip() else ""
    return "" if first in commands else f"no command {first}{closest(first, list(commands))}: an alias begins with one"
