"""The texts of help are docstrings: what is said where Python was told to leave those out."""

import sys

import click

WITHOUT_TEXTS = (
    "(no text of help: Python runs with -OO or PYTHONOPTIMIZE=2, which leaves it out)" if sys.flags.optimize > 1 else ""
)


def told_if_without(command: click.Command) -> None:
    """Has the command's help say so, where it has no text."""
    if WITHOUT_TEXTS and not command.help:
        command.help = WITHOUT_TEXTS
        command.short_help = command.short_help or " "
