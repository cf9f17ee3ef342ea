"""Values as typed: bare text takes the tag's own type, ``int32:5`` says it, quotes make a string."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.values import TYPE_NAMES, DataType, Typed
from zb_mom_ww_mxgateway_console.render.text_values import parse_value, type_name_of
from zb_mom_ww_mxgateway_shell.language.tokens import Token, elements

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.values import MxValueInput

_SAID = {
    "bool": "true|false",
    "int32": "Integer",
    "int64": "Integer",
    "float": "Float",
    "double": "Double",
    "string": "String",
    "time": "Time",
}
_PREFIX = re.compile(r"([a-z0-9]+):(?!//)")


@dataclass(frozen=True, slots=True)
class TagType:
    """What is known of a tag's type."""

    data_type: DataType | int
    is_array: bool = False
    variant_type: str = ""

    @property
    def type_name(self) -> str | None:
        """The type a bare value takes; None where a value must say its own."""
        return type_name_of(self.data_type, self.variant_type)

    @property
    def choices(self) -> tuple[str, ...]:
        """All that may be typed, where that is little."""
        return ("true", "false") if self.type_name == "bool" and not self.is_array else ()

    @property
    def said(self) -> str:
        """What is expected of somebody who types a value."""
        one = _SAID.get(self.type_name or "", "value")
        return f"[{one}, …]" if self.is_array else one


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as typed; its type may depend on the tag it goes to."""

    word: Token

    def for_tag(self, tag: str, known: TagType | None) -> "MxValueInput":
        """The value for a tag of this type; raises Mistake, pointing at what is wrong, before anything is sent."""
        type_name, word = split_type(self.word)
        if type_name is None:
            type_name = "string" if word.is_quoted else self._own_type(tag, known)
        try:
            if word.is_array:
                found = _elements(word)
                # Texts have quotes, and times may; a type that is said outright is what the quoted text is read as.
                if type_name not in ("string", "time") and word is self.word:
                    _refuse_quoted(found, type_name)
                return Typed(type_name, [_scalar(type_name, element) for element in found])
            return Typed(type_name, _scalar(type_name, word))
        except MxGatewayArgumentError as error:
            raise self.word.mistake(str(error).removeprefix("value: ")) from None

    def check(self) -> None:
        """Raises InputError for what is wrong whatever the tag's type is."""
        type_name, word = split_type(self.word)
        if type_name is not None or word.is_quoted:
            self.for_tag("", None)
        elif word.is_array:
            _elements(word)

    def _own_type(self, tag: str, known: TagType | None) -> str:
        """The type of the tag itself, which a bare value takes."""
        if known is not None and known.type_name is not None:
            if known.is_array != self.word.is_array:
                expected = "an array like [1, 2, 3]" if known.is_array else "a single value, not an array,"
                raise self.word.mistake(f"{expected} expected: {tag}")
            return known.type_name
        shown = "not known" if known is None else "not one a bare value can take"
        raise self.word.mistake(f"the type of {tag} is {shown}; say it: int32:5, double:5, string:5 …")


def check_prefix(word: Token) -> None:
    """Raises InputError for a type that does not exist, as in ``int23:5``."""
    match = _PREFIX.match(word.text)
    # A time has a colon too: 12:30.
    if match and match[1] not in TYPE_NAMES and not match[1].isdigit() and "T" not in word.text:
        raise word.mistake(f"no type {match[1]}: one of {', '.join(TYPE_NAMES)} expected, or text in quotes")


def split_type(word: Token) -> tuple[str | None, Token]:
    """The type that a word says outright, if it does, and the rest of the word."""
    match = None if word.is_quoted else _PREFIX.match(word.text)
    if match and match[1] in TYPE_NAMES:
        return match[1], word.after(match.end())
    return None, word


def _elements(array: Token) -> list[Token]:
    found = elements(array)
    for each in found:
        if split_type(each)[0] is not None:
            raise each.mistake("a type stands before the whole array, as in int32:[1, 2]; put a text in quotes")
    return found


def _refuse_quoted(found: list[Token], type_name: str) -> None:
    for each in found:
        if each.is_quoted:
            raise each.mistake(f"an array of {type_name} expected, and what is in quotes is text: take them away")


def _scalar(type_name: str, word: Token) -> Any:
    try:
        return parse_value(type_name, word.value)
    except ValueError as error:
        raise word.mistake(str(error)) from None
