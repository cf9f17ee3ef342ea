"""Options that several commands share, and the parsing of their texts."""

import functools
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import click

from zb_mom_ww_mxgateway.arguments import BULK_LIMIT
from zb_mom_ww_mxgateway.system.regular_files import read_bytes
from zb_mom_ww_mxgateway.system.text_files import TextFileError, decoded
from zb_mom_ww_mxgateway.value_checks import INT32
from zb_mom_ww_mxgateway_console.render.text_values import parse_duration, parse_value

HANDLE = click.IntRange(1, INT32[1])
NOT_NEGATIVE = click.IntRange(0, INT32[1])
POSITIVE = click.IntRange(1, INT32[1])
Option = Callable[[Callable[..., Any]], Callable[..., Any]]


def seconds(context: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    """Parse a duration; a click callback."""
    return cast("float | None", _read(parse_duration, text, context, parameter))


def moment(context: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    """Parse a time with its zone; a click callback."""
    return cast("datetime | None", _read(lambda given: parse_value("time", given), text, context, parameter))


def _read(read: Callable[[str], Any], text: str | None, context: click.Context, parameter: click.Parameter) -> Any:
    try:
        return None if text is None else read(text)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from None


def sendable(context: click.Context, parameter: click.Parameter, given: Any) -> Any:
    """Refuse texts that a command line can contain but no message can; a click callback."""
    for text in given if isinstance(given, tuple) else (given,):
        try:
            (text or "").encode()
        except UnicodeEncodeError:
            raise click.BadParameter("must be text that can be sent as UTF-8", context, parameter) from None
    return given


def not_blank(context: click.Context, parameter: click.Parameter, given: Any) -> Any:
    """Refuse blank texts, too; a click callback."""
    for text in given if isinstance(given, tuple) else (given,):
        if text is not None and not text.strip():
            raise click.BadParameter("must not be empty", context, parameter)
    return sendable(context, parameter, given)


session_id_option: Option = click.option(
    "--session-id", required=True, callback=not_blank, metavar="ID", help="The session's id: session-…"
)
server_handle_option: Option = click.option("--server-handle", type=HANDLE, required=True)
item_handle_option: Option = click.option("--item-handle", type=HANDLE, required=True)


def end_options(option: str, what: str) -> Option:
    """Add the ends of a stream: `option` (``--max-events``) and ``--duration``; a line of a batch needs one of them.

    The command gets them as `most` and `duration`.
    """

    def with_ends(function: Callable[..., Any]) -> Callable[..., Any]:
        @click.option(option, "--count", "most", type=POSITIVE, metavar="N", help=f"End after N {what}.")
        @click.option(
            "--duration",
            "--for",
            "duration",
            callback=seconds,
            metavar="DURATION",
            help="End after it: 10s, 2m.",
        )
        @functools.wraps(function)
        def with_end(most: int | None, duration: float | None, **arguments: Any) -> Any:
            if click.get_current_context().obj.in_batch and most is None and duration is None:
                raise click.UsageError(f"in a batch a stream needs an end: {option} or --duration")
            return function(most=most, duration=duration, **arguments)

        return with_end

    return with_ends


def tag_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--item`` and ``--items-file``; the command gets `tags`, at least one."""

    @click.option("--item", "named", multiple=True, callback=not_blank, metavar="TAG", help="A tag; may be repeated.")
    @click.option("--items-file", type=click.Path(), metavar="FILE", help="More tags, one a line; - is standard input.")
    @functools.wraps(function)
    def with_tags(named: tuple[str, ...], items_file: str | None, **arguments: Any) -> Any:
        lines = [] if items_file is None else [line.strip() for line in lines_of(items_file, "--items-file")]
        tags = [*named, *filter(None, lines)]
        check_count(tags, "--item", "--items-file")
        return function(tags=tags, **arguments)

    return with_tags


def check_count(entries: list[Any], option: str, file_option: str) -> None:
    """Refuse no entries, and more than one call can take."""
    if not entries:
        raise click.UsageError(f"nothing to do: give {option}, or {file_option} with at least one line")
    if len(entries) > BULK_LIMIT:
        raise click.BadParameter(f"at most {BULK_LIMIT} in one call, not {len(entries)}", param_hint=f"'{option}'")


def lines_of(file: str, option: str) -> list[str]:
    """Return the lines of a text file; ``-`` is standard input."""
    try:
        if file == "-":
            return decoded(_standard_input(option)).split("\n")
        # Only outside a batch, which keeps sessions meanwhile, may it wait for a pipe.
        read = read_bytes if _in_batch() else Path.read_bytes
        return decoded(read(Path(file))).split("\n")
    except (OSError, TextFileError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise click.BadParameter(f"cannot read {file}: {reason}", param_hint=f"'{option}'") from None


def _in_batch() -> bool:
    """Return whether a line of a batch runs; False if no command runs."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.obj.in_batch)


def _standard_input(option: str) -> bytes:
    if _in_batch():
        raise click.BadParameter("in a batch, standard input has the lines: name a file", param_hint=f"'{option}'")
    return b"" if sys.stdin is None else sys.stdin.buffer.read()
