"""The language of conditions: its words and its grammar, read by recursive descent; nothing is ever evaluated.

The grammar is::

    condition   any-of
    any-of      all-of { "or" all-of }
    all-of      one { "and" one }
    one         "not" one | "(" condition ")" | comparison
    comparison  operand ("==" | "!=" | "<" | "<=" | ">" | ">=") operand
                | tag "is" [ "not" ] ("good" | "uncertain" | "bad")
    operand     tag | "age" "(" tag ")" | number | duration | "text" | "true" | "false"

A tag is a dotted name such as ``Plant.P1.PV`` or ``Obj.Arr[3]``, or any name in backticks. Keywords are in small
letters.
"""

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.safety.condition_tree import (
    AgeOperand,
    Constant,
    DurationConstant,
    Junction,
    Negation,
    Node,
    Operand,
    OperandComparison,
    QualityTest,
    TagOperand,
    is_bare_tag,
)

LONGEST = 2_000
"""Characters of a condition."""
DEEPEST = 20
"""Parentheses and ``not`` within each other."""
QUALITIES = ("good", "uncertain", "bad")
_EQUALITY, _ORDERING = ("==", "!="), ("<", "<=", ">", ">=")
_KEYWORDS = ("and", "or", "not", "is", "age", "true", "false", *QUALITIES)
_SECONDS = {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60), "min": Fraction(60), "h": Fraction(3600)}
_ESCAPE = re.compile(r"\\(.)")

_TOKEN = re.compile(
    r"""
    (?P<text>   "(?:[^"\\]|\\.)*" )
  | (?P<quoted> `[^`]*` )
  | (?P<sign>   == | != | <= | >= | < (?!>) | > | \( | \) )
  | (?P<number> [+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)? (?![\w$\#.\[]) )
  | (?P<span>   [0-9]+(?:\.[0-9]+)?(?:ms|min|s|m|h) (?![\w$\#.\[]) )
  | (?P<name>   [\w$\#.]+(?:\[[0-9]*\])? )
    """,
    re.VERBOSE,
)
_INSTEAD = {
    "=": "==",
    "=>": ">=",
    "=<": "<=",
    "<>": "!=",
    "&": "and",
    "|": "or",
    "!": "not",
    "'": 'double quotes for a text, such as "Auto"',
}


class ConditionError(MxGatewayArgumentError):
    """The text is not a condition; the message says where, and what would be right."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"column {column}: {message}")
        self.column = column
        """Place of the mistake, from 1."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """``text``, ``tag``, ``name`` (no name of a tag), ``number``, ``span``, ``sign``, ``word`` or ``end``."""
    text: str
    column: int

    def mistake(self, message: str) -> ConditionError:
        return ConditionError(message, self.column)

    @property
    def shown(self) -> str:
        return "the end" if self.kind == "end" else self.text if len(self.text) <= 40 else f"{self.text[:40]}…"


def parse(text: str) -> Node:
    """Return the tree of a condition; raise ConditionError."""
    if len(text) > LONGEST:
        raise ConditionError(f"a condition has at most {LONGEST} characters, this one {len(text)}", LONGEST + 1)
    return _Parser(_tokens(text)).whole()


def _tokens(text: str) -> list[_Token]:
    tokens = []
    position = 0
    while position < len(text):
        if text[position] in " \t":
            position += 1
            continue
        if not text[position].isprintable():
            raise ConditionError(
                f"the character {text[position]!r} is not allowed; a condition is one line", position + 1
            )
        match = _TOKEN.match(text, position)
        if match is None:
            raise _misspelt(text, position)
        tokens.append(_token(str(match.lastgroup), match[0], position + 1))
        position = match.end()
    tokens.append(_Token("end", "", len(text) + 1))
    return tokens


def _misspelt(text: str, position: int) -> ConditionError:
    sign = text[position]
    if sign in '"`':
        return ConditionError(f"the closing {sign} is missing", position + 1)
    two = text[position : position + 2]
    instead = _INSTEAD.get(two) or _INSTEAD.get(sign)
    hint = f": use {instead}" if instead else "; a name with other characters goes in backticks"
    return ConditionError(f"{two if two in _INSTEAD else sign} means nothing here{hint}", position + 1)


def _token(kind: str, text: str, column: int) -> _Token:
    token = _Token(kind, text, column)
    if not text.isprintable():
        raise token.mistake("a condition is one line without control characters")
    if kind == "quoted":
        if not text[1:-1].strip():
            raise token.mistake("a name is missing between the backticks")
        return _Token("tag", text[1:-1], column)
    if kind != "name":
        return token
    if text in _KEYWORDS:
        return _Token("word", text, column)
    if text.lower() in _KEYWORDS:
        raise token.mistake(f"write {text.lower()} in small letters; a tag of that name goes in backticks")
    return _Token("tag" if is_bare_tag(text) else "name", text, column)


def _not_a_tag(text: str) -> str:
    if text.endswith("[]"):
        return f"{text} is an array, which does not compare: name an element, such as {text[:-1]}1]"
    if text[0] in "0123456789" and "[" not in text:
        return f"{text} is neither a number nor a duration such as 500ms, 5s, 2m or 1h; such a tag goes in backticks"
    if text.startswith(".") or ".." in text or text.endswith("."):
        return f"{text} is not the whole name of a tag, such as Plant.P1.PV"
    text_or_tag = f'a text goes in double quotes, "{text}", and any other name of a tag in backticks'
    return f"{text} is not the name of a tag such as Plant.P1.PV: {text_or_tag}"


class _Parser:
    """Reads tokens from left to right, each once."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0

    @property
    def _next(self) -> _Token:
        return self._tokens[self._place]

    def _take(self) -> _Token:
        token = self._next
        self._place += token.kind != "end"
        return token

    def _took(self, *texts: str) -> _Token | None:
        """Take the next token if it is one of these words or signs."""
        token = self._next
        return self._take() if token.kind in ("word", "sign") and token.text in texts else None

    def _deeper(self, token: _Token) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise token.mistake(f"at most {DEEPEST} parentheses and nots may be within each other")

    def whole(self) -> Node:
        if self._next.kind == "end":
            raise self._next.mistake('a condition is missing, such as P1.Mode == "Auto"')
        node = self._any_of()
        if self._next.kind != "end":
            token = self._next
            if token.text in (*_EQUALITY, *_ORDERING, "is"):
                raise token.mistake("one comparison at a time: join two by and, such as A.PV > 1 and A.PV < 5")
            raise token.mistake(
                "this ) closes nothing" if token.text == ")" else f"and, or or the end is expected, not {token.shown}"
            )
        return node

    def _any_of(self) -> Node:
        parts = [self._all_of()]
        while self._took("or"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else Junction("or", tuple(parts))

    def _all_of(self) -> Node:
        parts = [self._one()]
        while self._took("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Junction("and", tuple(parts))

    def _one(self) -> Node:
        if token := self._took("not"):
            self._deeper(token)
            node: Node = Negation(self._one())
            self._depth -= 1
            return node
        if token := self._took("("):
            self._deeper(token)
            node = self._any_of()
            self._depth -= 1
            if not self._took(")"):
                raise self._next.mistake(
                    f"the ) for the ( in column {token.column} is expected, not {self._next.shown}"
                )
            return node
        return self._comparison()

    def _comparison(self) -> Node:
        at = self._next
        left = self._operand()
        if token := self._took("is"):
            return self._quality(left, token)
        operator = self._took(*_EQUALITY, *_ORDERING)
        if operator is None:
            example = f"{left} == true" if isinstance(left, TagOperand) else "A.PV > 5"
            raise self._next.mistake(f"a comparison is expected, not {self._next.shown}: such as {example}")
        right = self._operand()
        _check_comparison(left, operator, right, at)
        return OperandComparison(left, operator.text, right)

    def _quality(self, subject: Operand, token: _Token) -> Node:
        if not isinstance(subject, TagOperand):
            raise token.mistake("only a tag is good, uncertain or bad")
        negated = self._took("not") is not None
        quality = self._took(*QUALITIES)
        if quality is None:
            raise self._next.mistake(f"good, uncertain or bad is expected after is, not {self._next.shown}")
        return QualityTest(subject.tag, quality.text, negated)

    def _operand(self) -> Operand:
        token = self._take()
        match token.kind:
            case "tag":
                return TagOperand(token.text)
            case "text":
                return Constant(_unquoted(token), token.text)
            case "number":
                return Constant(_number(token), token.text)
            case "span":
                digits = token.text.rstrip("mnshi")
                return DurationConstant(Fraction(digits) * _SECONDS[token.text[len(digits) :]], token.text)
            case "name":
                raise token.mistake(_not_a_tag(token.text))
            case "word" if token.text in ("true", "false"):
                return Constant(token.text == "true", token.text)
            case "word" if token.text == "age":
                return self._age()
        raise token.mistake(f'a tag, a number, a "text", true, false or age(TAG) is expected, not {token.shown}')

    def _age(self) -> Operand:
        if not self._took("("):
            raise self._next.mistake(f"age takes a tag in parentheses, such as age(P1.PV), not {self._next.shown}")
        token = self._take()
        if token.kind != "tag":
            raise token.mistake(f"the tag whose age is meant is expected, such as age(P1.PV), not {token.shown}")
        if not self._took(")"):
            raise self._next.mistake(f") is expected after the tag, not {self._next.shown}")
        return AgeOperand(token.text)


def _check_comparison(left: Operand, operator: _Token, right: Operand, at: _Token) -> None:
    """Raise the mistake in a comparison that no value could make right."""
    sides = (left, right)
    if not any(isinstance(each, TagOperand | AgeOperand) for each in sides):
        raise at.mistake("one side must be a tag: two constants compare always alike")
    if any(isinstance(each, AgeOperand) for each in sides):
        if not all(isinstance(each, AgeOperand | DurationConstant) for each in sides):
            raise at.mistake("an age compares with a duration, such as age(P1.PV) < 5s")
        if operator.text in _EQUALITY:
            raise operator.mistake("an age is compared with < <= > or >=")
    elif any(isinstance(each, DurationConstant) for each in sides):
        raise at.mistake("a duration compares with an age only, such as age(P1.PV) < 5s")
    elif operator.text in _ORDERING and any(
        isinstance(each, Constant) and isinstance(each.value, str | bool) for each in sides
    ):
        raise operator.mistake("only numbers and times are more or less: texts, true and false compare with == or !=")


def _unquoted(token: _Token) -> str:
    inner = token.text[1:-1]
    for match in _ESCAPE.finditer(inner):
        if match[1] not in '"\\':
            raise ConditionError(
                f'\\{match[1]} means nothing in a text: \\" is a quote and \\\\ a backslash',
                token.column + 1 + match.start(),
            )
    return _ESCAPE.sub(r"\1", inner)


def _number(token: _Token) -> int | Fraction:
    """Return the exact number; raise ConditionError for one that no tag can have."""
    digits, _, exponent = token.text.lower().partition("e")
    if len(exponent.lstrip("+-0")) <= 3:
        number = Fraction(token.text)
        try:
            if "." not in digits and not exponent:
                return int(digits)
            if math.isfinite(float(number)) and (float(number) or not number):
                return number
        except OverflowError:
            pass
    raise token.mistake(f"{token.shown} fits no tag: a Double goes to 1.8e308")
