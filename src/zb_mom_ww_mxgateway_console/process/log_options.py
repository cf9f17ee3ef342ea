"""``--log-file`` and ``--log-level`` of the command lines."""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar, cast

import click

F = TypeVar("F", bound=Callable[..., Any])


def log_options(program: str, keep: Callable[[AbstractContextManager[None]], object]) -> Callable[[F], F]:
    """Add ``--log-file`` and ``--log-level`` to a click command; `keep` enters the log, and leaves it at the end."""

    def decorate(function: F) -> F:
        @click.option(
            "--log-file", type=click.Path(), metavar="FILE", help="Append what the library does to this file."
        )
        @click.option(
            "--log-level",
            type=click.Choice(["debug", "info", "warning"]),
            help="What goes into the log file [info]; debug has every call.",
        )
        @functools.wraps(function)
        def with_log(log_file: str | None, log_level: str | None, **arguments: Any) -> Any:
            if log_file is not None:
                from zb_mom_ww_mxgateway_console.process.log_file import logged  # Lazy: most runs keep no log.

                keep(logged(log_file, log_level or "info", program))
            elif log_level is not None:
                raise click.UsageError("--log-level is for a log: name its file with --log-file")
            return function(**arguments)

        return cast("F", with_log)

    return decorate
