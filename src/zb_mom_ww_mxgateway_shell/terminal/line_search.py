"""Search through earlier lines: what is found is in view, and whoever gives it up has the line from before it again."""

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Always, is_searching, vi_mode
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.key_binding.bindings.vi import search_buffer_is_empty
from prompt_toolkit.key_binding.key_processor import KeyProcessor
from prompt_toolkit.layout import Layout
from prompt_toolkit.layout.controls import SearchBufferControl
from prompt_toolkit.search import stop_search


def restore_line_after_search(app: Application[str], buffer: Buffer, keys: KeyBindings) -> None:
    """Add to the `keys` of `app` those that give up a search in `buffer`.

    prompt_toolkit's own leave the line that was found last, which may be a write, where Enter runs it.
    """
    line_from_end, cursor = 0, 0

    def remember(processor: KeyProcessor) -> None:
        nonlocal line_from_end, cursor
        if not app.layout.is_searching:
            # Earlier lines may still be loading, so the number from the start changes.
            line_from_end, cursor = len(buffer._working_lines) - buffer.working_index, buffer.cursor_position

    app.key_processor.before_key_press += remember

    @keys.add("c-g", filter=is_searching)
    @keys.add("c-c", filter=is_searching)
    @keys.add("backspace", filter=is_searching & vi_mode & search_buffer_is_empty)
    def _(event: KeyPressEvent) -> None:
        stop_search()
        buffer.working_index = len(buffer._working_lines) - line_from_end
        buffer.cursor_position = cursor


def show_found_lines_whole(layout: Layout) -> None:
    """Fold the line that a search has found where the screen is narrower: its end may be the value of a write."""
    for window in layout.find_all_windows():
        if isinstance(window.content, SearchBufferControl):
            window.wrap_lines = Always()
