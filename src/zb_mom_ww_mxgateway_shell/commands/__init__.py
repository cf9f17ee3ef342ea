"""The commands of the shell, and the registry of them all."""

from zb_mom_ww_mxgateway_shell.commands import (
    alarms,
    connection,
    diagnosis,
    galaxy,
    general,
    items,
    reading,
    settings,
    streaming,
    values,
    watches,
)
from zb_mom_ww_mxgateway_shell.registry import Registry


def all_commands() -> Registry:
    """A registry of every command, in the order help lists them."""
    modules = (connection, galaxy, items, values, watches, reading, alarms, streaming, diagnosis, settings, general)
    return Registry([command for module in modules for command in module.COMMANDS])
