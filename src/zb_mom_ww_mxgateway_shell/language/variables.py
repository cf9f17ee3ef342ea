"""``$NAME`` in a line: names for plain values, set by ``let``, ``capture``, ``--var`` and Python.

A value of ``let`` and ``--var`` is kept as typed and read where it is used: ``01`` is a part of a tag's name, a number
for a numeric tag, and "01" in Python. A name that is a whole word means its value: ``$limit`` may be a number, a text,
a tag, an array. Inside of a word, or of a text in double quotes, it means the value's text. Text in single quotes stays
as it is.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zb_mom_ww_mxgateway.value_types import TYPE_NAMES, type_of
from zb_mom_ww_mxgateway_console.text.text_files import CURLY, describe_curly
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError, closest
from zb_mom_ww_mxgateway_shell.language.literals import Literal, split_type
from zb_mom_ww_mxgateway_shell.language.tokens import Token, elements, split

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OWN_NAMES = ("client", "session", "live", "items", "mx", "asyncio", "_")
"""Names of the shell in Python, which cannot be set."""
_NAMED = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_TYPED = re.compile(f"({'|'.join(TYPE_NAMES)}):")
# A zero before other digits belongs to a name or a code; a number would lose it.
_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,99})")
_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)")
_ARRAY = re.compile(r"([a-z0-9]+:)?\[")
_BARE = re.compile(r"(?!--)[A-Za-z0-9_.+-][^\s\"'$#\\]*")
_BARE_ELEMENT = re.compile(r"[^\s\"'\[\],]+")
_PARTS_ELEMENTS = re.compile(r"[,\[\]]")
_OWN_MEANING = ("null", "nan")
_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "$": "\\$"}


@dataclass(frozen=True, slots=True)
class VariableWord:
    """A value of ``let`` or ``--var``: one word as typed."""

    word: Token

    @property
    def value(self) -> Any:
        """Its value in Python: a number, true or false, a list … where it is one, else the text."""
        return plain_value(self.word)

    @property
    def text(self) -> str:
        """Its text inside of another word: without type, quotes and escapes."""
        rest = split_type(self.word)[1]
        return rest.text if rest.is_array else rest.value

    @property
    def untyped(self) -> str:
        """Its text after a type prefix."""
        return split_type(self.word)[1].text

    @classmethod
    def of(cls, word: Token) -> "VariableWord":
        """Return the word that it means; raise InputError where it cannot."""
        plain_value(word)
        type_name, rest = split_type(word)
        # With names inserted, or in --var, it may be more than one word.
        if not (rest.is_quoted or rest.is_array) and any(map(str.isspace, rest.text)):
            text = quoted(rest.text)
            return cls(Token(f"{type_name}:{text}" if type_name else text, 0, 0, True))
        return cls(Token(word.text, 0, 0, True))


def value_of(named: Any) -> Any:
    """Return the value of a name in Python."""
    return named.value if isinstance(named, VariableWord) else named


class NotYetKnown:
    """Placeholder for a value that only a run can give: it is read from the plant."""

    def __repr__(self) -> str:
        return "NotYetKnown()"


class ValueNotYetKnown(Exception):
    """A word contains a name whose value only a run can give."""


def is_plain(value: Any) -> bool:
    """Return whether a value can be written in a line: text, number, true, false, time, null, or a list of those."""
    if isinstance(value, list | tuple):
        return all(type_of(element) for element in value)
    return value is None or isinstance(value, VariableWord) or type_of(value) is not None


def expanded(word: Token, names: Mapping[str, Any]) -> Token:
    """Return the word with the values of its names inserted.

    Raises InputError for a name without a plain value; ValueNotYetKnown.
    """
    if "$" not in word.text:
        return word
    whole = _NAMED.fullmatch(word.text)
    if whole is not None:
        value = _value(whole, word, names)
        return Token(literal_text(value), word.start, word.end, True, isinstance(value, str))
    if (typed := _TYPED.match(word.text)) and (named := _NAMED.fullmatch(word.text, typed.end())):
        value = _value(named, word, names)
        text = value.untyped if isinstance(value, VariableWord) else literal_text(value)
        return Token(f"{typed[0]}{text}", word.start, word.end, True)
    parts: list[str] = []
    quote, position = "", 0
    in_array = _ARRAY.match(word.text) is not None
    while position < len(word.text):
        character = word.text[position]
        named = _NAMED.match(word.text, position) if quote != "'" else None
        if named is not None:
            value = _value(named, word, names)
            is_in_element = in_array and not quote
            parts.append(_in_element(value, named, word) if is_in_element else _inside(plain_text(value), quote))
            position = named.end()
            continue
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        step = 2 if quote == '"' and character == "\\" else 1
        parts.append(word.text[position : position + step])
        position += step
    text = "".join(parts)
    return _read_alike(Token(text, word.start, word.end, True), word) if text != word.text else word


def _read_alike(made: Token, word: Token) -> Token:
    """Return the word made of another one, as a quoted text where the inserted text would otherwise change its kind:
    into a quoted text, an array, a typed literal, null, or an option."""
    type_name, before = split_type(word)
    made_type, rest = split_type(made)
    is_word = (rest.text in _OWN_MEANING) > (before.text in _OWN_MEANING) or rest.text.startswith("--")
    alike = (made_type, rest.is_quoted, rest.is_array) == (type_name, before.is_quoted, before.is_array)
    if alike and (not is_word or before.text.startswith("--")):
        return made
    # The type written in the line stays a type.
    typed = f"{type_name}:" if type_name else ""
    return Token(f"{typed}{quoted(made.text[len(typed) :])}", word.start, word.end, True)


def as_typed(word: Token) -> str:
    """Return the word as a line needs it to be read as this word again: with names inserted it may need quotes."""
    type_name, rest = split_type(word)
    if not word.is_expanded or rest.is_quoted or rest.is_array or _is_one_word(rest.text):
        return word.text
    return f"{type_name}:{quoted(rest.text)}" if type_name else quoted(rest.text)


def _value(found: "re.Match[str]", word: Token, names: Mapping[str, Any]) -> Any:
    name = found[1] or found[2]
    place = word.part(found.start(), found.end())
    if name not in names:
        hint = "; let NAME = VALUE sets one, or --var NAME=VALUE"
        raise place.mistake(f"${name} is not set", lambda: closest(name, list(names)) or hint)
    value = names[name]
    if isinstance(value, NotYetKnown):
        raise ValueNotYetKnown(name)
    if isinstance(word_of := getattr(value, "quality_word", None), str):  # A value as Python code reads it.
        value = _good(value, name, word_of, place)
    if not is_plain(value):
        raise place.mistake(f"{name} is a {type(value).__name__}: only a plain value can be used in a line")
    return value


def _good(read: Any, name: str, quality: str, place: Token) -> Any:
    """Return the value of what was read; it must be good: a line has no place for its quality."""
    is_stale = any(getattr(read, each, None) is not None for each in ("stale_for", "stale_since"))
    if quality != "good" or is_stale:
        doubt = "stale" if quality == "good" else quality
        raise place.mistake(f"{name} is {doubt}; {name}.value in Python is its value alone")
    return read.value


def _in_element(value: Any, found: "re.Match[str]", word: Token) -> str:
    """Return the text of a value inside of an array: exactly one element, and no part of a quoted one."""
    place = word.part(found.start(), found.end())
    if isinstance(value_of(value), list | tuple):
        raise place.mistake(f"{found[0]} is an array: an element is a single value")
    before, after = word.text[: found.start()].rstrip(), word.text[found.end() :].lstrip()
    text = _element_text(value)
    if before[-1] in "[," and after[:1] in (",", "]"):
        return text
    if text[0] == '"':
        raise place.mistake(f"{found[0]} is {text}: where it is a part of an element, put that in double quotes")
    return text


def _inside(text: str, quote: str) -> str:
    return _escaped(text) if quote else text


def plain_text(value: Any) -> str:
    """Return a plain value as text; numbers with all their digits."""
    if isinstance(value, VariableWord):
        return value.text
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_element_text, value))}]"
    spec = type_of(value)
    return spec.text(value) if spec else str(value)


def literal_text(value: Any) -> str:
    """Return a plain value as it would be typed: a text that would be read as something else is quoted."""
    if isinstance(value, VariableWord):
        return value.word.text
    text = plain_text(value)
    return quoted(text) if isinstance(value, str) and not _is_bare(text) else text


def _element_text(value: Any) -> str:
    """Return a plain value as it would be typed as an element of an array."""
    if isinstance(value, VariableWord):
        type_name, rest = split_type(value.word)
        is_bare = type_name is None and not rest.is_quoted and _BARE_ELEMENT.fullmatch(rest.text)
        return rest.text if is_bare or _NUMBER.fullmatch(rest.text) else quoted(value.text)
    text = literal_text(value)
    return quoted(value) if isinstance(value, str) and text == value and _PARTS_ELEMENTS.search(text) else text


def _is_bare(text: str) -> bool:
    """Return whether a line can contain the text without quotes as one word that is only text there."""
    if _BARE.fullmatch(text) is None or _TYPED.match(text) or text in _OWN_MEANING:
        return False
    return _is_one_word(text)


def _is_one_word(text: str) -> bool:
    """Return whether a line can contain the text as one word without anything that is replaced."""
    try:
        return "$" not in text and [word.text for word in split(text)] == [text]
    except InputError:
        return False


def quoted(text: str) -> str:
    """Return the text in double quotes, as a line has it."""
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return "".join(_ESCAPED.get(character, character) for character in text)


def plain_value(word: Token) -> Any:
    """Return the Python value of a word of ``let`` or ``--var``: the value that it looks like, or its text."""
    if split_type(word)[0] is not None:
        typed: Any = Literal(word).for_tag("", None)
        return typed.value
    if word.is_quoted:
        return word.value
    if word.is_array:
        Literal(word).check()
        return [plain_value(element) for element in elements(word)]
    if word.text in ("true", "false"):
        return word.text == "true"
    if word.text == "null":
        return None
    if _INTEGER.fullmatch(word.text):
        return int(word.text)
    return float(word.text) if _NUMBER.fullmatch(word.text) else word.text


def variable(text: str) -> tuple[str, VariableWord]:
    """Return name and value of ``--var NAME=VALUE``; raise InputError with its place in the text.

    Quoted values, arrays, and either with a type are read as in a line; in anything else each character counts.
    """
    name, equals, value = text.partition("=")
    if not equals or not NAME.fullmatch(name):
        raise InputError(f"expected NAME=VALUE, not {text}", 0, len(text))
    if problem := name_problem(name):
        raise InputError(problem, 0, len(text))
    place = len(name) + 1
    try:
        return name, given_value(value)
    except InputError as error:
        raise InputError(error.message, error.start + place, error.end + place) from None


def name_problem(name: str) -> str:
    """Return why this cannot be the name of a value; empty where it can."""
    if name in OWN_NAMES:
        return f"{name} is a name of the shell itself"
    return "" if NAME.fullmatch(name) else "a name is expected: letters, digits and _, without $"


def given_value(text: str, *, is_typed: bool = True) -> VariableWord:
    """Return the value that a text from outside of a line means; raise InputError with its place in the text.

    Quoted values, arrays, and either with a type are read as in a line; in anything else each character counts. Text
    that is not typed may contain curly quotes.
    """
    return VariableWord.of(_word_of_value(text, is_typed=is_typed))


def names_in(text: str) -> set[str]:
    """Return the names that a line uses, as ``$name``; text in single quotes counts, too."""
    return {found[1] or found[2] for found in _NAMED.finditer(text)}


def _word_of_value(text: str, *, is_typed: bool) -> Token:
    rest = split_type(bare := Token(text, 0, len(text)))[1]
    if rest.text[:1] in ("[", '"', "'"):
        words = split(text)
        if len(words) > 1:
            raise words[1].mistake("one value is expected; put text with blanks in quotes")
        return words[0]
    if is_typed and (found := CURLY.search(text)):
        raise InputError(describe_curly(found[0]), *found.span())
    if rest is bare and not _is_bare(text):
        return Token(text if text in _OWN_MEANING else quoted(text), 0, len(text), True)
    return bare


def given_variables(texts: Iterable[str]) -> dict[str, VariableWord]:
    """Return the names and values of ``--var NAME=VALUE``; raise ShellError for another text."""
    given = {}
    for text in texts:
        try:
            name, value = variable(text)
        except InputError as error:
            # No line that could be shown contains it.
            where = f" {text}: {error}, at character {error.start + 1}" if error.start else f": {error}"
            raise ShellError(f"--var{where}") from None
        given[name] = value
    return given
