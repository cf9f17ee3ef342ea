"""The text of the prompt: the connection with its state, the focus, and what is armed."""

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.output import Output

from zb_mom_ww_mxgateway.safety.arming import Arming
from zb_mom_ww_mxgateway_console.render.forms import safe
from zb_mom_ww_mxgateway_console.text.terminal_text import cut_middle, cut_start, width
from zb_mom_ww_mxgateway_shell.state.arming_text import arming_text, countdown
from zb_mom_ww_mxgateway_shell.state.context import Context

_GLOB_COLUMNS = 24
_LEAST_NAME = 8
"""Columns that the name of a connection has at least; all of it where it would look like another open one."""


def prompt_text(context: Context, columns: int | None = None) -> str:
    """Return the prompt as it is now, safe for a terminal.

    On a screen of so many `columns` it takes half of a row, as far as it still tells the connection from the other open
    ones: the toolbar has what is armed, and `use` the whole name.
    """
    current = context.current
    if current is None:
        return f"mxgw ({context.state})> " if context.connections else "mxgw> "
    state = "" if context.state == "ready" else f":{context.state}"
    name, focus, armed = safe(current.name), safe(current.focus), _arming_text(current.arming)
    text = _joined(name, state, focus, armed)
    if columns is None or width(text) <= columns // 2:
        return text
    if current.arming.scope is not None:
        armed = f" (armed{countdown(current.arming.seconds_left)})"
    room = columns // 2 - width(_joined("", state, "", armed))
    focus = cut_start(focus, max(_LEAST_NAME, room // 2))
    most = max(_LEAST_NAME, room - width(focus) - bool(focus))
    others = [cut_middle(safe(each), most) for each in context.connections if each != current.name]
    shown = cut_middle(name, most)
    return _joined(name if shown in others else shown, state, focus, armed)


def _joined(name: str, state: str, focus: str, armed: str) -> str:
    return f"{name}{state}{f' {focus}' if focus else ''}{armed}> "


def prompt_message(context: Context, output: Output) -> StyleAndTextTuples:
    """Return the prompt for a terminal, with its style."""
    current = context.current
    style = f"ansi{current.color} bold" if current and current.color else ""
    if context.state not in ("ready", "not connected"):
        style = "class:prompt.lost"
    elif current is not None and current.arming.scope is not None:
        style = f"class:prompt.armed {style}"
    return [(style, prompt_text(context, output.get_size().columns))]


def _arming_text(arming: Arming) -> str:
    """Return what the prompt shows of arming; empty where everything is open."""
    return "" if arming.open_for_all else f" ({arming_text(arming, _GLOB_COLUMNS)})"
