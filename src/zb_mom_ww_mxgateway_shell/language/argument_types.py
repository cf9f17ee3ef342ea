"""The kinds of arguments: how each reads its word, and what it offers to complete."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from zb_mom_ww_mxgateway_console.render.text_values import TextValueError, duration_text, parse_duration
from zb_mom_ww_mxgateway_shell.errors import closest
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import NAME, OWN_NAMES, as_typed

MOST_SUGGESTIONS = 50
"""Rows of a completion menu: more only slow it down."""


class Suggestion(NamedTuple):
    """One completion: the text, and what is said beside it."""

    text: str
    meta: str = ""


class ArgumentType:
    """How one kind of argument is read and completed."""

    name = "text"
    """In the usage line, between angle brackets."""

    is_first = False
    """Whether an option of this kind is read before all other words: it says what they mean."""

    expands = True
    """Whether the values of ``$names`` are put in their place before the word is read."""

    def parse(self, word: Token, context: Scope) -> Any:
        """The argument's value; raises ``word.mistake(...)``. Never waits for the network."""
        return word.value

    def check(self, word: Token, context: Scope) -> None:
        """Raises what is wrong with the word whatever the gateway has: the context is connected to none."""
        self.parse(word, context)

    def parse_ahead(self, word: Token, context: Scope) -> Any:
        """The argument's value as far as it is known whatever the gateway has."""
        return self.parse(word, context)

    def script_text(self, word: Token, context: Scope) -> str:
        """The word as it can stand in a file: by name where it is a handle; empty to be left out."""
        return as_typed(word)

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        """What may be typed here, best first, at most a few dozen. Never waits for the network."""
        return ()

    def refined_by(self, given: Mapping[str, Any], context: Scope) -> "ArgumentType":
        """The kind as it is where these arguments stand before it, by their Python names: they may say more of it.
        Never waits for the network."""
        return self


class Flag(ArgumentType):
    """An option without a value."""


class Rest(ArgumentType):
    """All that is left of the line, as it was typed."""

    name = "line"
    expands = False


class Sign(ArgumentType):
    """A word that is always the same, such as ``=``."""

    def __init__(self, sign: str) -> None:
        self.name = sign

    def parse(self, word: Token, context: Scope) -> str:
        if word.text != self.name:
            raise word.mistake(f"{self.name} is expected here, with spaces around it")
        return word.text

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(self.name)] if self.name.startswith(prefix) else []


class Text(ArgumentType):
    """Any text."""

    def __init__(self, name: str = "text") -> None:
        self.name = name

    def parse(self, word: Token, context: Scope) -> str:
        if not word.value:
            raise word.mistake(f"{self.name} must not be empty")
        return word.value


class HelpSubject(ArgumentType):
    """The name of a command, of a topic of help, or ``all``."""

    name = "command|topic"

    def parse(self, word: Token, context: Scope) -> str:
        from zb_mom_ww_mxgateway_shell.language.help_topics import TOPICS  # Only help has need of them.

        if word.text == "all" or word.text in TOPICS or word.text in context.aliases:
            return word.text
        return context.registry.find(word, list(TOPICS)).name

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        from zb_mom_ww_mxgateway_shell.language.help_topics import TOPICS

        offers = [Suggestion(c.name, c.summary) for c in context.registry.commands.values()]
        offers += [Suggestion(name, topic.summary) for name, topic in TOPICS.items()]
        return [
            offer
            for offer in [*offers, Suggestion("all", "every command, with what it does")]
            if offer.text.startswith(prefix)
        ]


class ConnectionName(ArgumentType):
    """The name of an open connection."""

    name = "name"

    def parse(self, word: Token, context: Scope) -> str:
        if word.value not in context.connections:
            hint = closest(word.value, list(context.connections)) or "; use lists them"
            raise word.mistake(f"no connection {word.value} is open{hint}")
        return word.value

    def check(self, word: Token, context: Scope) -> None:
        pass  # Which are open is known in the run.

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(name, each.state) for name, each in context.connections.items() if name.startswith(prefix)]


class Duration(ArgumentType):
    """A span of time; gives seconds."""

    name = "duration"

    def __init__(self, *, most: float | None = None, because: str = "") -> None:
        """At most so many seconds, for a reason that is said where it is more."""
        self._most = most
        self._because = because

    def parse(self, word: Token, context: Scope) -> float:
        try:
            seconds = parse_duration(word.text)
        except TextValueError as error:
            raise word.mistake(str(error)) from None
        if self._most is not None and seconds > self._most:
            raise word.mistake(f"at most {duration_text(self._most)}: {self._because}")
        return seconds

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(text) for text in ("5s", "30s", "5m") if text.startswith(prefix)]


class Tolerance(ArgumentType):
    """How much two numbers, or two times, may differ."""

    name = "number"

    def parse(self, word: Token, context: Scope) -> Token:
        return word


class OneWord(ArgumentType):
    """One of a few words."""

    def __init__(self, name: str, words: Sequence[str]) -> None:
        self.name = name
        self._words = words

    def parse(self, word: Token, context: Scope) -> str:
        if word.value not in self._words:
            raise word.mistake(f"one of {', '.join(self._words)} is expected")
        return word.value

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(each) for each in self._words if each.startswith(prefix)]


class NewName(ArgumentType):
    """A name that is given to a value."""

    name = "name"
    expands = False

    def parse(self, word: Token, context: Scope) -> str:
        if not NAME.fullmatch(word.text):
            said = "; = stands by itself: let limit = 70" if "=" in word.text else ""
            raise word.mistake(f"a name is expected: letters, digits and _, without ${said}")
        if word.text in OWN_NAMES:
            raise word.mistake(f"{word.text} is a name of the shell itself")
        return word.text


class FileName(Text):
    """A file."""

    def __init__(self) -> None:
        super().__init__("file")


class Count(ArgumentType):
    """A whole number above zero."""

    name = "count"

    def parse(self, word: Token, context: Scope) -> int:
        number = whole_number(word.text)
        if number is None or not 0 < number < 2**31:
            raise word.mistake("a whole number above zero is expected")
        return number


_MOST_DIGITS = 30
"""More than any number here has; what has thousands Python does not read."""


def whole_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


TextArgument = Annotated[str, Text()]
ConnectionArgument = Annotated[str | None, ConnectionName()]
HelpArgument = Annotated[str | None, HelpSubject()]
DurationOption = Annotated[float | None, Duration()]
CountOption = Annotated[int | None, Count()]
FlagOption = Annotated[bool, Flag()]
ToleranceOption = Annotated[Token | None, Tolerance()]
