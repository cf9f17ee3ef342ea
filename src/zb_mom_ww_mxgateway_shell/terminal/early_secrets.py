"""Secrets that are typed too early, while the line that will ask for them still runs: shown nowhere, and dropped."""

from collections.abc import Callable

from zb_mom_ww_mxgateway_shell.scripts.executor import LineRun
from zb_mom_ww_mxgateway_shell.terminal.dialogs import ask_secret
from zb_mom_ww_mxgateway_shell.terminal.held_keys import HeldKeys


class EarlySecrets:
    """Whether what is typed ahead may be a secret."""

    def __init__(self, keys: HeldKeys, show: Callable[[str], object]) -> None:
        """`show` shows a line."""
        self._keys = keys
        self._show = show
        self._line: LineRun | None = None

    def begin(self, line: LineRun) -> None:
        """A line begins that may ask for one."""
        self._line = line

    def may_come(self) -> bool:
        """Return whether the line has yet to ask for one."""
        return self._line is not None and self._line.asks_secret

    def end(self) -> None:
        """A line has ended. The next prompt must not show what was meant for its question."""
        if self.may_come():
            self._drop()
        self._line = None

    async def ask(self, question: str) -> str:
        """Ask for one."""
        self._line = None
        self._drop()
        return await ask_secret(question)

    def _drop(self) -> None:
        if self._keys.drop():
            self._show("typed before a question for a secret, and dropped")
