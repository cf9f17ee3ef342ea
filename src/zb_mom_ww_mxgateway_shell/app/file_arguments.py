"""Arguments of a command line that name files."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from zb_mom_ww_mxgateway_shell.process.file_patterns import files_named

F = TypeVar("F", bound=Callable[..., Any])


def many_files(name: str, metavar: str) -> Callable[[F], F]:
    """Declare an argument of one file or more, also by patterns such as ``*.mxs``."""
    return click.argument(
        name, metavar=metavar, nargs=-1, required=True, callback=lambda _context, _parameter, given: files_named(given)
    )
