"""The commands of the shell, and the registry of them all."""

from zb_mom_ww_mxgateway_shell.commands import connection, general, items, values
from zb_mom_ww_mxgateway_shell.registry import Registry


def all_commands() -> Registry:
    """A registry of every command, in the order help lists them."""
    return Registry([*connection.COMMANDS, *items.COMMANDS, *values.COMMANDS, *general.COMMANDS])
