"""Secrets that are typed too early, while the line that will ask for them still runs: shown nowhere, and dropped."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import pairwise

from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.scripts.executor import LineRun, command_of
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.terminal.dialogs import ask_secret
from zb_mom_ww_mxgateway_shell.terminal.held_keys import HeldKeys


class EarlySecrets:
    """Whether what is typed ahead may be a secret."""

    def __init__(self, keys: HeldKeys, show: Callable[[str], object]) -> None:
        """`show` shows a line."""
        self._keys = keys
        self._show = show
        self._line: LineRun | None = None
        self._coming: list[str] = []
        """Lines of the file that it runs that may ask for one, and have not ended."""

    def begin(self, line: LineRun) -> None:
        """A line begins that may ask for one."""
        self._line, self._coming = line, []

    def begin_file(self, lines: Iterable[LineRun]) -> None:
        """The line runs a file with these lines."""
        self._coming = [line.text for line in lines if _may_ask(line)]

    def end_of_file_line(self, line: LineRun) -> None:
        """A line of the file has ended."""
        if line.text in self._coming:
            self._coming.remove(line.text)

    def may_come(self) -> bool:
        """Return whether the line has yet to ask for one, itself or in the file that it runs."""
        return bool(self._coming) or (self._line is not None and self._line.asks_secret)

    def end(self) -> None:
        """A line has ended. The next prompt must not show what was meant for its question."""
        if self.may_come():
            self._drop()
        self._line, self._coming = None, []

    async def ask(self, question: str) -> str:
        """Ask for one."""
        self._line = None
        self._drop()
        return await ask_secret(question)

    def _drop(self) -> None:
        if self._keys.drop():
            self._show("typed before a question for a secret, and dropped")


def asks_for_next_line(context: Context, text: str) -> str:
    """Return the line of a text that may ask for a secret while what is behind it is no command, so may be that secret;
    empty for none."""
    lines = [line for line in text.splitlines() if line.strip()]
    behind = (line for line, after in pairwise(lines) if command_of(context, after) is None)
    return next((line for line in behind if _may_ask(LineRun(context, line))), "")


def _may_ask(line: LineRun) -> bool:
    """Return whether a line that has not run may ask for a secret; one that cannot be parsed yet may."""
    if line.asks_secret:
        with suppress(ShellError, InputError), line.parsed():
            pass
    return line.asks_secret
