"""A text that is typed behind ``/`` on a full screen, and the keys that type it."""

from collections.abc import Callable, Sequence

from prompt_toolkit.filters import Always, Condition, Filter
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

_ALWAYS = Always()


class SearchField:
    """The text, and whether it is being typed."""

    def __init__(self) -> None:
        self.text = ""
        self.is_open = False


def bind_search(
    keys: KeyBindings,
    field: SearchField,
    *,
    when: Filter = _ALWAYS,
    changed: Callable[[], None] = lambda: None,
    entered: Callable[[], None] = lambda: None,
    ends: Sequence[str] = ("enter",),
) -> None:
    """Add the keys: ``/`` opens an empty field `when` that may be, `ends` close it.

    Esc empties and closes it, too, if it is none of them. `changed` is called when the text is another one, `entered`
    when one of `ends` closed the field.
    """
    is_open = Condition(lambda: field.is_open)

    def set_text(text: str) -> None:
        field.text = text
        changed()

    @keys.add("/", filter=~is_open & when)
    def _(event: KeyPressEvent) -> None:
        field.is_open = True
        set_text("")

    def close(event: KeyPressEvent) -> None:
        field.is_open = False
        entered()

    def give_up(event: KeyPressEvent) -> None:
        field.is_open = False
        set_text("")

    for key in ends:
        # Escape begins the sequences of other keys: eager does not wait for their rest.
        keys.add(key, filter=is_open, eager=key == "escape")(close)
    if "escape" not in ends:
        keys.add("escape", filter=is_open, eager=True)(give_up)

    @keys.add("backspace", filter=is_open)
    def _(event: KeyPressEvent) -> None:
        set_text(field.text[:-1])

    @keys.add("<any>", filter=is_open)
    def _(event: KeyPressEvent) -> None:
        set_text(field.text + (event.data if event.data.isprintable() else ""))
