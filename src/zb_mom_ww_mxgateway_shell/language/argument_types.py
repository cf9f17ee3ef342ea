"""Argument types: how a word is read, checked, completed and recorded."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple

from zb_mom_ww_mxgateway_console.render.text_values import TextValueError, duration_text, parse_duration, parse_value
from zb_mom_ww_mxgateway_shell.errors import closest
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import as_typed, name_problem

MOST_SUGGESTIONS = 50
"""Rows of a completion menu."""


class Suggestion(NamedTuple):
    """One completion: its text and its description."""

    text: str
    meta: str = ""


class ArgumentType:
    """One type of arguments."""

    name = "text"
    """Its name in the usage line, between angle brackets."""

    is_first = False
    """Whether an option of this type is read before all other words, because it decides what they mean."""

    is_optional = False
    """Whether an option of this type may stand without a value."""

    takes_several = False
    """Whether an option of this type takes several words, up to the next option."""

    takes_globs = False
    """Whether a word of this type may be a glob, for tags that the line advises."""

    expands = True
    """Whether ``$names`` are replaced by their values before the word is read."""

    def parse(self, word: Token, context: Scope) -> Any:
        """Return the argument's value, or raise ``word.mistake(...)``. Must not block."""
        return word.value

    def check(self, word: Token, context: Scope) -> None:
        """Raise what is wrong with the word whatever the gateway has; nothing is connected."""
        self.parse(word, context)

    def parse_ahead(self, word: Token, context: Scope) -> Any:
        """Return the argument's value as far as it is known without a gateway."""
        return self.parse(word, context)

    def script_text(self, word: Token, context: Scope) -> str:
        """Return the word for a script: names instead of handles; empty to leave it out."""
        return as_typed(word)

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        """Return completions, best first, at most a few dozen. Must not block."""
        return ()

    def refined_by(self, given: Mapping[str, Any], context: Scope) -> "ArgumentType":
        """Return this type, refined by the arguments already given (by their Python names). Must not block."""
        return self


class Flag(ArgumentType):
    """An option without a value."""


class RestOfLine(ArgumentType):
    """The rest of the line as typed."""

    name = "line"
    expands = False


class Sign(ArgumentType):
    """A fixed word, such as ``=``."""

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
    """A command, a help topic, or ``all``."""

    name = "command|topic"

    def parse(self, word: Token, context: Scope) -> str:
        from zb_mom_ww_mxgateway_shell.language.help_topics import TOPICS  # Lazy: only help needs them.

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
        pass  # Which connections are open is only known in the run.

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(name, each.state) for name, each in context.connections.items() if name.startswith(prefix)]


class Duration(ArgumentType):
    """A span of time, in seconds."""

    name = "duration"

    def __init__(self, *, most: float | None = None, because: str = "") -> None:
        """At most `most` seconds, because of the reason `because`."""
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


class Time(ArgumentType):
    """A moment, with its time zone."""

    name = "time"

    def parse(self, word: Token, context: Scope) -> datetime:
        try:
            moment = parse_value("time", word.value)
        except TextValueError as error:
            raise word.mistake(str(error)) from None
        assert isinstance(moment, datetime)
        return moment


class Tolerance(ArgumentType):
    """The largest difference of two numbers, or of two times, that counts as equal."""

    name = "number"

    def parse(self, word: Token, context: Scope) -> Token:
        return word


class OneWord(ArgumentType):
    """One of a few fixed words."""

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
    """The name for a value."""

    name = "name"
    expands = False

    def parse(self, word: Token, context: Scope) -> str:
        if problem := name_problem(word.text):
            hint = "; put spaces around =: let limit = 70" if "=" in word.text else ""
            raise word.mistake(f"{problem}{hint}")
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
            too_large = number is not None and number > 0
            limit = f", at most {2**31 - 1}" if too_large else ""
            raise word.mistake(f"a whole number above zero is expected{limit}")
        return number


_MOST_DIGITS = 30
"""More than any number here has; Python refuses to read thousands."""


def whole_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


TextArgument = Annotated[str, Text()]
ConnectionArgument = Annotated[str | None, ConnectionName()]
HelpArgument = Annotated[str | None, HelpSubject()]
DurationOption = Annotated[float | None, Duration()]
CountOption = Annotated[int | None, Count()]
FlagOption = Annotated[bool, Flag()]
ReasonOption = Annotated[str | None, Text("text")]
TimeOption = Annotated[datetime | None, Time()]
