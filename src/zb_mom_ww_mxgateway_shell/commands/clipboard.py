"""copy: the last result to the clipboard."""

import sys
from collections.abc import Iterator
from typing import Annotated, Any, Literal as OneOf

from zb_mom_ww_mxgateway_console.render.forms import counted, safe
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.argument_types import OneWord
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult
from zb_mom_ww_mxgateway_shell.output.terminal_signals import WriteRaw, copied, is_dumb
from zb_mom_ww_mxgateway_shell.output.value_text import whole_text
from zb_mom_ww_mxgateway_shell.state.context import Context

_WHAT = ("value", "table", "handle")


@command("copy", example="copy", needs_session=False, traits=CommandTraits(about_last=True))
async def copy(
    context: Context, what: Annotated[OneOf["value", "table", "handle"], OneWord("value|table|handle", _WHAT)] = "value"
) -> Result:
    """Copy the last value to the clipboard: copy table takes the last result as it was shown, copy handle its handles.

    The terminal does it (OSC 52), also across ssh, if it can and may; it does not answer. In tmux it needs
    set-clipboard on, or allow-passthrough on. Several values are copied as lines. Keys and secrets are copied as
    stars, and characters that are not plainly visible as escapes.
    """
    write = context.write_raw or _of_a_run(context)
    text = {"value": _value, "table": _table, "handle": _handles}[what](context)
    try:
        sequence = copied(text)
    except ValueError as error:
        raise ShellError(f"nothing is copied: {error}; tee FILE copies to a file") from None
    write(sequence)
    lines = text.count("\n") + 1
    shown = text if lines == 1 and len(text) <= 60 else f"{counted(lines, 'line')}, {counted(len(text), 'character')}"
    return TextResult(f"copied, if the terminal lets it: {shown}", {"characters": len(text), "copied": what})


def _of_a_run(context: Context) -> WriteRaw:
    """Return what writes to the terminal of a run; raise ShellError where there is none."""
    if not context.writer.is_terminal:
        raise ShellError("nothing is copied: standard output is no terminal, which has the clipboard")
    if is_dumb() or sys.platform == "win32" or context.interactive:
        raise ShellError("nothing is copied: this terminal takes no control sequences")
    return context.writer.out


def _value(context: Context) -> str:
    if context.last is None:
        raise ShellError("nothing is copied: there is no last value; read TAG makes one")
    return whole_text(context.last)


def _table(context: Context) -> str:
    lines = [] if context.last_result is None else context.settings.formatter.lines(context.last_result)
    if not lines:
        raise ShellError("nothing is copied: the last line showed nothing")
    return "\n".join(map(safe, lines))


def _handles(context: Context) -> str:
    form = None if context.last_result is None else context.last_result.form()
    found = [*_found(form, "item_handle")] or [*_found(form, "server_handle")]
    if not found:
        raise ShellError("nothing is copied: the last result has no handle; items lists them")
    return " ".join(map(str, dict.fromkeys(found)))


def _found(form: Any, name: str) -> Iterator[int]:
    """Yield the numbers of that name in a JSON form."""
    for each in form if isinstance(form, list) else form.values() if isinstance(form, dict) else ():
        yield from _found(each, name)
    if isinstance(form, dict) and isinstance(form.get(name), int):
        yield form[name]


GROUP = "settings"
"""The group of help that they belong to."""
COMMANDS = (copy,)
