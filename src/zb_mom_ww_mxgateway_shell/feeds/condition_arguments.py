"""Arguments of conditions: the tags that are judged, the operator, and the wanted value or tag."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from zb_mom_ww_mxgateway_shell.feeds.condition import QUALITIES
from zb_mom_ww_mxgateway_shell.feeds.watch_targets import Watchable, is_glob
from zb_mom_ww_mxgateway_shell.language.argument_types import ArgumentType, OneWord, Suggestion
from zb_mom_ww_mxgateway_shell.language.commands import Clause
from zb_mom_ww_mxgateway_shell.language.comparison import OPERATORS, OTHER_TAG, refuse_tag
from zb_mom_ww_mxgateway_shell.language.literals import TagType
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import TAG, ItemOrTag, Target, target_type
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import as_typed

QUANTIFIERS = ("every", "any")
OFF = "off"
"""In place of a tag: what watches ends."""

Subject = Target | list[Target] | Token
"""What a condition is about: one tag, or behind ``every`` or ``any`` the tags of a list, or a glob."""


class JudgedTag(ItemOrTag):
    """The tag that a condition is about; behind ``every`` or ``any`` the tags of a glob or of a saved list."""

    takes_globs = True

    def __init__(self) -> None:
        super().__init__(may_add=True)

    def refined_by(self, given: Mapping[str, Any], context: Scope) -> ArgumentType:
        return _GROUP if given.get("every") or given.get("any_") else super().refined_by(given, context)

    def parse(self, word: Token, context: Scope) -> Target:
        _refuse_glob(word)
        return super().parse(word, context)

    def parse_ahead(self, word: Token, context: Scope) -> Target:
        _refuse_glob(word)
        return super().parse_ahead(word, context)

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        words = [Suggestion(each, "tags of a glob or a list") for each in QUANTIFIERS if each.startswith(prefix)]
        return [*(words if prefix else ()), *super().suggestions(prefix, context)]


class WatchedTag(JudgedTag):
    """What a watchdog is about; or ``off``, which ends those that watch."""

    name = "tag|item|off"

    def parse(self, word: Token, context: Scope) -> Target | Token:  # type: ignore[override]  # off is no target
        return word if word.text == OFF else super().parse(word, context)

    def parse_ahead(self, word: Token, context: Scope) -> Target | Token:  # type: ignore[override]  # off is no target
        return word if word.text == OFF else super().parse_ahead(word, context)

    def script_text(self, word: Token, context: Scope) -> str:
        return word.text if word.text == OFF else super().script_text(word, context)

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        off = [Suggestion(OFF, "ends the watchdogs")] if prefix and OFF.startswith(prefix) else []
        return [*off, *super().suggestions(prefix, context)]


class JudgedGroup(Watchable):
    """The tags of a glob or of a saved list, or a single tag."""

    def parse(self, word: Token, context: Scope) -> list[Target] | Token:
        found = super().parse(word, context)
        if isinstance(found, list) and not found:
            raise word.mistake(f"the list {word.text} is empty: there would be nothing to judge")
        return found

    def script_text(self, word: Token, context: Scope) -> str:
        # One word, however many tags a list has.
        return as_typed(word)


_GROUP = JudgedGroup()


def _refuse_glob(word: Token) -> None:
    if is_glob(word):
        raise word.mistake(f"{word.text} is a glob: every {word.text} is about all its tags, any {word.text} about one")


class Operator(ArgumentType):
    """Comparison operator."""

    name = "operator"

    def parse(self, word: Token, context: Scope) -> Token:
        if word.text not in OPERATORS:
            hint = {"==": "; write =", "<>": "; write !=", "=>": "; write >=", "=<": "; write <="}
            raise word.mistake(f"one of {' '.join(OPERATORS)} expected here{hint.get(word.text, '')}")
        return word

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(each) for each in OPERATORS if each.startswith(prefix)]


class ExpectedValue(ArgumentType):
    """Value to compare with, whose reading depends on the tag's value; or ``tag:NAME`` for that of another tag."""

    name = "value"

    def parse(self, word: Token, context: Scope) -> Token | Target:
        if word.is_quoted or word.is_array:
            return word
        if (other := _other_tag(word)) is not None:
            tag = TAG.parse(other, context)
            found = context.find_item(tag)
            if found is None and context.catalogue.misses(tag):
                raise other.mistake(f"no tag {tag}", lambda: context.catalogue.closest(tag))
            return Target(found.tag if found else tag, found, other)
        if context.find_item(word.text) or context.catalogue.kind_of(word.text):
            refuse_tag(word)
        return word

    def parse_ahead(self, word: Token, context: Scope) -> Token | Target:
        other = None if word.is_quoted or word.is_array else _other_tag(word)
        return self.parse(word, context) if other is None else Target(other.value, None, other)

    def check(self, word: Token, context: Scope) -> None:
        if word.is_quoted or word.is_array or (other := _other_tag(word)) is None:
            super().check(word, context)
        else:
            TAG.check(other, context)

    def script_text(self, word: Token, context: Scope) -> str:
        value = self.parse(word, context)
        return OTHER_TAG + TAG.script_text(value.word, context) if isinstance(value, Target) else as_typed(word)

    def refined_by(self, given: Mapping[str, Any], context: Scope) -> ArgumentType:
        known = target_type(given, context)
        return TypedExpectedValue(known[1]) if known else self

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        if not prefix.startswith(OTHER_TAG):
            return ()
        return [Suggestion(OTHER_TAG + text, meta) for text, meta in TAG.suggestions(prefix[len(OTHER_TAG) :], context)]


class TypedExpectedValue(ExpectedValue):
    """Value to compare with a tag of known type."""

    def __init__(self, known: TagType) -> None:
        self.name = known.title
        self._known = known

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        choices = [Suggestion(each) for each in self._known.choices if each.startswith(prefix)]
        return [*choices, *super().suggestions(prefix, context)]


def _other_tag(word: Token) -> Token | None:
    """Return the name of the tag in ``tag:NAME``; None for any other word."""
    if not word.text.startswith(OTHER_TAG):
        return None
    name = word.after(len(OTHER_TAG))
    if not name.text:
        raise word.mistake(f"a tag is expected after {OTHER_TAG}, as in {OTHER_TAG}Plant.Tank1.Level")
    _refuse_glob(name)
    return name


def first_word(subject: Subject) -> Token:
    """Return the word that names what a condition is about."""
    if isinstance(subject, Token):
        return subject
    return subject.word if isinstance(subject, Target) else subject[0].word


def wanted_word(value: Token | Target) -> Token:
    """Return the wanted value as typed: ``tag:NAME`` for another tag."""
    if isinstance(value, Token):
        return value
    word = value.word
    start = word.start if word.is_expanded else word.start - len(OTHER_TAG)
    return Token(OTHER_TAG + word.text, start, word.end, word.is_expanded)


JudgedArgument = Annotated[Subject, JudgedTag()]
WatchedArgument = Annotated[Subject, WatchedTag()]
OperatorArgument = Annotated[Token, Operator()]
WantedArgument = Annotated[Token | Target, ExpectedValue()]


QualityClause = Annotated[str | None, OneWord("|".join(QUALITIES), QUALITIES), Clause()]
