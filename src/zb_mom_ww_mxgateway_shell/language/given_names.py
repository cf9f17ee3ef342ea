"""``NAME=VALUE`` in a line: names that an include gives to the lines of its file."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language.argument_types import ArgumentType
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import VariableWord, expanded, given_value, name_problem


class GivenName(NamedTuple):
    """A name, and the word of its value."""

    name: str
    word: Token
    value: Token

    @classmethod
    def of(cls, word: Token) -> "GivenName":
        """Return what ``NAME=VALUE`` says; raise InputError where it is something else."""
        name, equals, _ = word.text.partition("=")
        if not equals:
            raise word.mistake("NAME=VALUE is expected, without spaces around =")
        if problem := name_problem(name):
            raise word.part(0, len(name)).mistake(problem)
        return cls(name, word, word.after(len(name) + 1))

    def evaluated(self, names: Mapping[str, Any]) -> VariableWord:
        """Return the value with `names` inserted; raise InputError or ValueNotYetKnown."""
        if "$" in self.value.text:
            return VariableWord.of(expanded(self.value, names))
        try:
            return given_value(self.value.text)
        except InputError as error:
            raise self.value.part(error.start, error.end).mistake(error.message) from None


class NameAndValue(ArgumentType):
    """``NAME=VALUE``; the value is read as that of ``--var``, and may contain names."""

    name = "name=value"
    expands = False

    def parse(self, word: Token, context: Scope) -> GivenName:
        return GivenName.of(word)
