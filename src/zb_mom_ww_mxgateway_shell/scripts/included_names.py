"""Names that an include gives to the lines of its file: ``with NAME=VALUE``, and the columns of ``each ROWS.csv``."""

from collections import ChainMap
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway_console.text.terminal_text import shortened
from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language.given_names import GivenName
from zb_mom_ww_mxgateway_shell.language.variables import (
    NotYetKnown,
    ValueNotYetKnown,
    VariableWord,
    literal_text,
    names_in,
)
from zb_mom_ww_mxgateway_shell.output.results import TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.scripts.rows import GivenRow

_LONGEST = 200
"""Characters of the names that are shown to a person."""


class IncludedNames:
    """The names of one include, or of one of its rows, inside of those of the includes around it.

    A value that contains names of the run, such as one that ``let`` sets, is evaluated where the include stands.
    """

    def __init__(
        self,
        around: "IncludedNames | None" = None,
        words: Mapping[str, GivenName] = MappingProxyType({}),
        row: "GivenRow | None" = None,
    ) -> None:
        self.words = words
        self.row = row
        outer = around.values if around is not None else {}
        self._own: dict[str, Any] = {name: _known_ahead(given, outer) for name, given in words.items()}
        self._own |= row.values if row is not None else {}
        self.values: MutableMapping[str, Any] = ChainMap(self._own, outer)
        """Their values and those around them; NotYetKnown for one that is not evaluated yet."""

    def result(self) -> TextResult:
        """Return what distinguishes these lines from those of another row or include, as the result of the include."""
        if not self._own:
            return TextResult("")
        named = ", ".join(f"{name} = {_text(value)}" for name, value in self._own.items())
        fields = {"names": {name: _text(value) for name, value in self._own.items()}}
        if self.row is not None:
            return TextResult(shortened(f"row {self.row.line}: {named}", _LONGEST), {"row": self.row.line, **fields})
        return TextResult(shortened(named, _LONGEST), fields)

    @contextmanager
    def in_scope(self, context: Context) -> Iterator[None]:
        """Set the names in the context while this is open; raise InputError, at its word, for a value that fails."""
        for name, given in self.words.items():
            self._own[name] = _evaluated(given, context)
        before = {name: context.names[name] for name in self._own if name in context.names}
        outer, context.file.given = context.file.given, self.values
        context.names |= self._own
        try:
            yield
        finally:
            context.file.given = outer
            for name in self._own:
                context.names.pop(name, None)
            context.names |= before


def _known_ahead(given: GivenName, names: Mapping[str, Any]) -> Any:
    """Return the value as far as it is known while the file is read."""
    if names_in(given.value.text) - names.keys():
        return NotYetKnown()
    try:
        return given.evaluated(names)
    except (InputError, ValueNotYetKnown):
        return NotYetKnown()  # A mistake is reported where the include is evaluated.


def _evaluated(given: GivenName, context: Context) -> Any:
    try:
        return given.evaluated(context.all_names)
    except ValueNotYetKnown:
        return NotYetKnown()


def _text(value: Any) -> str:
    if isinstance(value, NotYetKnown):
        return "…"
    return literal_text(value) if isinstance(value, VariableWord) else str(value)
