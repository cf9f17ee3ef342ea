"""The line editor as the settings want it, and its mode."""

from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.key_binding.vi_state import InputMode

EDITING = {"emacs": EditingMode.EMACS, "vi": EditingMode.VI}
"""The editing mode for each value of the setting ``keys``."""
_VI_MODES = {
    InputMode.INSERT: "INSERT",
    InputMode.INSERT_MULTIPLE: "INSERT",
    InputMode.NAVIGATION: "NORMAL",
    InputMode.REPLACE: "REPLACE",
    InputMode.REPLACE_SINGLE: "REPLACE",
}


def vi_mode_of(app: Application[Any]) -> str:
    """Return the mode of vi in which `app` takes the next key; empty where its keys are not those of vi."""
    if app.editing_mode is not EditingMode.VI:
        return ""
    return "VISUAL" if app.current_buffer.selection_state else _VI_MODES[app.vi_state.input_mode]
