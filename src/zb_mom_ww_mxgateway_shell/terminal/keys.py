"""Keys of the prompt that are not the line editor's own."""

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, get_common_complete_suffix
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent


def prompt_keys() -> KeyBindings:
    """Tab completes as far as there is one way to go on, however fast it follows what was typed."""
    keys = KeyBindings()

    @keys.add("tab")
    def _(event: KeyPressEvent) -> None:
        complete(event.current_buffer)

    return keys


def complete(buffer: Buffer) -> None:
    """Inserts what all completions have in common; where that is nothing, goes from one to the next."""
    state = buffer.complete_state
    if state is not None and state.complete_index is not None and len(state.completions) > 1:
        buffer.complete_next()
        return
    # Not those in the menu: they may belong to what was typed a moment ago.
    document = buffer.document
    completions = list(buffer.completer.get_completions(document, CompleteEvent(completion_requested=True)))
    if len(completions) == 1:
        buffer.apply_completion(completions[0])
    elif common := get_common_complete_suffix(document, completions):
        buffer.insert_text(common)
    elif state is not None:
        buffer.complete_next()
    if completions and buffer.complete_state is None:
        buffer.start_completion()
