"""Keys of the prompt in addition to those of the line editor."""

from collections.abc import Sequence

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from zb_mom_ww_mxgateway.tag_names import tag_key


def prompt_keys() -> KeyBindings:
    """Return the bindings: Tab completes as far as the completions agree, however fast it follows a key."""
    keys = KeyBindings()

    @keys.add("tab")
    def _(event: KeyPressEvent) -> None:
        complete(event.current_buffer)

    return keys


def complete(buffer: Buffer) -> None:
    """Insert the common start of all completions; if there is none, select the next completion."""
    state = buffer.complete_state
    if state is not None and state.complete_index is not None and len(state.completions) > 1:
        buffer.complete_next()
        return
    # The menu may still show the completions of an earlier text.
    document = buffer.document
    completions = list(buffer.completer.get_completions(document, CompleteEvent(completion_requested=True)))
    if len(completions) == 1:
        buffer.apply_completion(completions[0])
    elif common := _common(document, completions):
        typed, text = common
        buffer.delete_before_cursor(typed)
        buffer.insert_text(text)
    elif state is not None:
        buffer.complete_next()
    if completions and buffer.complete_state is None:
        buffer.start_completion()


def _common(document: Document, completions: Sequence[Completion]) -> tuple[int, str] | None:
    """Return the common start of the completions of the typed word, in any letter case, and the word's length.

    Returns None if it is no longer than the word.
    """
    found: list[str] = []
    typed = ""
    for completion in completions:
        typed = document.text_before_cursor[len(document.text_before_cursor) + completion.start_position :]
        if tag_key(completion.text).startswith(tag_key(typed)):
            found.append(completion.text)
    if not found:
        return None
    first, last = min(found), max(found)
    length = next(
        (index for index, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), len(first)
    )
    return (len(typed), first[:length]) if length > len(typed) else None
