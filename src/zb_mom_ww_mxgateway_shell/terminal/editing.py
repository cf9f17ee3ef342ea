"""The line editor of the prompt: its keys, its mode and its search."""

from collections.abc import Callable

from prompt_toolkit import PromptSession
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.key_binding.vi_state import InputMode
from prompt_toolkit.layout import BufferControl

EDITING = {"emacs": EditingMode.EMACS, "vi": EditingMode.VI}
"""The editing mode for each value of the setting ``keys``."""
_VI_MODES = {
    InputMode.INSERT: "INSERT",
    InputMode.INSERT_MULTIPLE: "INSERT",
    InputMode.NAVIGATION: "NORMAL",
    InputMode.REPLACE: "REPLACE",
    InputMode.REPLACE_SINGLE: "REPLACE",
}


class LineEditor:
    """What the toolbar shows of the line editor."""

    def __init__(self, prompt: Callable[[], PromptSession[str]]) -> None:
        """`prompt` returns the prompt, which may be made later."""
        self._prompt = prompt

    @property
    def text(self) -> str:
        """The text being typed."""
        return self._prompt().default_buffer.text

    @property
    def vi_mode(self) -> str:
        """The mode in which vi takes the next key; empty where the keys are others."""
        app = self._prompt().app
        if app.editing_mode is not EditingMode.VI:
            return ""
        return "VISUAL" if app.current_buffer.selection_state else _VI_MODES[app.vi_state.input_mode]

    @property
    def missed_search(self) -> str:
        """The text of the present search if no line has it; empty otherwise."""
        prompt = self._prompt()
        control = prompt.app.layout.current_control
        if not prompt.app.layout.is_searching or not isinstance(control, BufferControl):
            return ""
        text = control.buffer.text.casefold()
        is_there = any(text in line.casefold() for line in prompt.default_buffer._working_lines)
        return "" if is_there else control.buffer.text
