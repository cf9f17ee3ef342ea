"""The text of the prompt: the connection with its state, the focus, and what is armed."""

from prompt_toolkit.formatted_text import StyleAndTextTuples

from zb_mom_ww_mxgateway.safety.arming import Arming
from zb_mom_ww_mxgateway_console.render.forms import safe
from zb_mom_ww_mxgateway_shell.state.arming_text import arming_text
from zb_mom_ww_mxgateway_shell.state.context import Context

_GLOB_COLUMNS = 24


def prompt_text(context: Context) -> str:
    """Return the prompt as it is now, safe for a terminal."""
    current = context.current
    if current is None:
        return "mxgw> "
    state = "" if context.state == "ready" else f":{context.state}"
    focus = f" {current.focus}" if current.focus else ""
    return f"{safe(current.name)}{state}{safe(focus)}{_arming_text(current.arming)}> "


def prompt_message(context: Context) -> StyleAndTextTuples:
    """Return the prompt with its style."""
    current = context.current
    style = f"ansi{current.color} bold" if current and current.color else ""
    if context.state not in ("ready", "not connected"):
        style = "class:prompt.lost"
    elif current is not None and current.arming.scope is not None:
        style = f"class:prompt.armed {style}"
    return [(style, prompt_text(context))]


def _arming_text(arming: Arming) -> str:
    """Return what the prompt shows of arming; empty where everything is open."""
    return "" if arming.open_for_all else f" ({arming_text(arming, _GLOB_COLUMNS)})"
