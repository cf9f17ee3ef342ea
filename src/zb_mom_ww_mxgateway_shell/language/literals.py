"""Values as typed: bare text takes the tag's own type, ``int32:5`` names it, quotes make a string."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.value_types import TYPE_NAMES, TYPES, WIDEST, DataType, Family, TypeSpec, type_of_tag
from zb_mom_ww_mxgateway.values import Typed
from zb_mom_ww_mxgateway_shell.language.tokens import Token, elements

_PREFIX = re.compile(r"([a-z0-9]+):(?!//)")


class TagType(NamedTuple):
    """What is known of a tag's type."""

    data_type: DataType | int
    is_array: bool = False
    variant_type: str = ""

    @property
    def _spec(self) -> TypeSpec | None:
        return type_of_tag(self.data_type, self.variant_type)

    @property
    def type_name(self) -> str | None:
        """The type that a bare value takes; None where a value must name its own."""
        return self._spec.name if self._spec else None

    @property
    def choices(self) -> tuple[str, ...]:
        """All values, if there are few."""
        return self._spec.choices if self._spec and not self.is_array else ()

    @property
    def title(self) -> str:
        """The expected kind of value, for a person."""
        one = self._spec.title if self._spec else "value"
        return f"[{one}, …]" if self.is_array else one


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as typed; its type may depend on the tag to which it is written."""

    word: Token
    _typed: dict[str, Typed] = field(default_factory=dict, init=False, repr=False, compare=False)
    """The value by name of type: each is read and checked once."""

    def for_tag(self, tag: str, known: TagType | None) -> Typed:
        """Return the value for a tag of this type; raise InputError, pointing at what is wrong."""
        type_name, word = split_type(self.word)
        if type_name is None:
            type_name = WIDEST[Family.TEXT].name if word.is_quoted else self._own_type(tag, known)
        if type_name not in self._typed:
            self._typed[type_name] = self._read(TYPES[type_name], word)
        return self._typed[type_name]

    def check(self) -> None:
        """Raise InputError for what is wrong for every type of tag."""
        type_name, word = split_type(self.word)
        if type_name is not None or word.is_quoted:
            self.for_tag("", None)
        elif word.is_array:
            _elements(word)

    def _read(self, spec: TypeSpec, word: Token) -> Typed:
        if not word.is_array:
            return _checked(spec, word, _parsed(spec, word))
        found = _elements(word)
        # Texts have quotes, and times may; where the type is named, the quoted text is read as that type.
        if not spec.is_quoted and word is self.word:
            _refuse_quoted(found, spec.name)
        values = [_parsed(spec, element) for element in found]
        try:
            return Typed(spec.name, values)
        except MxGatewayArgumentError:
            # Only now element by element, to point at the one that does not fit.
            for element, value in zip(found, values, strict=True):
                _checked(spec, element, value)
            raise

    def _own_type(self, tag: str, known: TagType | None) -> str:
        """The type of the tag itself, which a bare value takes."""
        if known is not None and known.type_name is not None:
            if known.is_array != self.word.is_array:
                expected = "an array like [1, 2, 3]" if known.is_array else "a single value, not an array,"
                raise self.word.mistake(f"{expected} expected: {tag}")
            return known.type_name
        shown = "not known" if known is None else "not one a bare value can take"
        raise self.word.mistake(f"the type of {tag} is {shown}; say it: int32:5, double:5, string:5 …")


def plain_value(type_name: str, word: Token, *, is_array: bool) -> Typed:
    """Return a value of this type from a text as it is, or from an array ``[1, 2, 3]``; raise InputError.

    No type stands before it, and no quotes around it; the elements of an array of texts may have quotes.
    """
    spec = TYPES[type_name]
    if not is_array:
        return _checked(spec, word, _parsed_text(spec, word, word.text))
    if not word.is_array:
        raise word.mistake("an array like [1, 2, 3] is expected")
    found = elements(word)
    if not spec.is_quoted:
        _refuse_quoted(found, spec.name)
    values = [_parsed(spec, element) for element in found]
    for element, value in zip(found, values, strict=True):
        _checked(spec, element, value)
    return Typed(spec.name, values)


def check_prefix(word: Token) -> None:
    """Raise InputError for a type that does not exist, as in ``int23:5``."""
    match = _PREFIX.match(word.text)
    # A time has a colon too: 12:30.
    if match and match[1] not in TYPE_NAMES and not match[1].isdigit() and "T" not in word.text:
        raise word.mistake(f"no type {match[1]}: one of {', '.join(TYPE_NAMES)} expected, or text in quotes")


def split_type(word: Token) -> tuple[str | None, Token]:
    """Return the type that a word names, if it does, and the rest of the word."""
    match = None if word.is_quoted else _PREFIX.match(word.text)
    if match and match[1] in TYPE_NAMES:
        return match[1], word.after(match.end())
    return None, word


def _elements(array: Token) -> list[Token]:
    found = elements(array)
    for each in found:
        if split_type(each)[0] is not None:
            raise each.mistake("a type goes before the whole array, as in int32:[1, 2]; put a text in quotes")
    return found


def _refuse_quoted(found: list[Token], type_name: str) -> None:
    for each in found:
        if each.is_quoted:
            raise each.mistake(f"an array of {type_name} expected, and what is in quotes is text: take them away")


def _parsed(spec: TypeSpec, word: Token) -> object:
    return _parsed_text(spec, word, word.value)


def _parsed_text(spec: TypeSpec, word: Token, text: str) -> object:
    try:
        return spec.parse(spec.name, text)
    except MxGatewayArgumentError as error:
        raise word.mistake(str(error)) from None


def _checked(spec: TypeSpec, word: Token, value: object) -> Typed:
    try:
        return Typed(spec.name, value)
    except MxGatewayArgumentError as error:
        raise word.mistake(str(error).removeprefix("value: ")) from None
