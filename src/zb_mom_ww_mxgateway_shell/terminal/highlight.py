"""Colours of the line being typed, with its mistake."""

from collections.abc import Callable

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.lexers import Lexer

from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language.tokens import Token, split
from zb_mom_ww_mxgateway_shell.scripts.executor import command_of
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.terminal.typed_line import TypedLine


class LineLexer(Lexer):
    """Colours of one line; every look-up is in memory."""

    def __init__(self, context: Context, typed: TypedLine) -> None:
        self._context = context
        self._typed = typed

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """Return the styles by line number."""
        lines = document.lines
        return lambda number: self._line(lines[number]) if number < len(lines) else []

    def _line(self, line: str) -> StyleAndTextTuples:
        try:
            words = split(line)
        except InputError as error:
            return [("", line[: error.start]), ("class:typed.quoted", line[error.start :])]
        wrong = self._typed.mistake(line)
        shown: StyleAndTextTuples = []
        position = 0
        for index, word in enumerate(words):
            shown.append(("", line[position : word.start]))
            style = self._style(index, word)
            if wrong is not None and wrong.start < word.end and word.start < wrong.end:
                style = "class:typed.mistake"
            shown.append((style, word.text))
            position = word.end
        rest = line[position:]
        shown.append(("class:typed.comment" if rest.lstrip().startswith("#") else "", rest))
        return shown

    def _style(self, index: int, word: Token) -> str:
        if index == 0:
            command = command_of(self._context, word.text)
            if command is None:
                return ""
            return "class:typed.mutating" if command.mutating else "class:typed.command"
        if word.text.startswith("--"):
            return "class:typed.option"
        return "class:typed.quoted" if word.is_quoted else ""
