"""Visits of the full screen: a person leaves it for a line about one of its rows, and comes back."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from zb_mom_ww_mxgateway_shell.terminal.dialogs import stays
from zb_mom_ww_mxgateway_shell.terminal.full_watch import FullWatch
from zb_mom_ww_mxgateway_shell.terminal.held_keys import HeldKeys
from zb_mom_ww_mxgateway_shell.terminal.row_actions import RowAction

_BACK = "Enter goes back to the full screen, q stays here: "


class ScreenVisits:
    """The full screen that was left for a line, and that line until it runs."""

    def __init__(self, held: Callable[[], AbstractContextManager[None]], keys: HeldKeys) -> None:
        """`held` keeps printed lines back while the full screen is there; `keys` get what is typed behind it."""
        self._held = held
        self._keys = keys
        self._left: FullWatch | None = None
        self._action: RowAction | None = None

    async def visit(self, screen: FullWatch) -> None:
        """Show the full screen until a person leaves it; raises the error of a failed redraw.

        Await it while the keys are held.
        """
        self._left = None
        with self._held():
            self._action = await screen.run()
        self._keys.keep("")
        if self._action is not None:
            self._left = screen

    def take_line(self) -> RowAction | None:
        """Return the line for which the full screen was left, once."""
        action, self._action = self._action, None
        return action

    def forget(self) -> None:
        """Go back no more: a person types other lines. It changes nothing before the line about the row."""
        if self._action is None:
            self._left = None

    async def back(self, *, asks: bool = True) -> None:
        """Show the full screen again after the line, if a person wants that; raises as :meth:`visit`.

        What is typed instead of an answer stands at the next prompt.
        """
        if self._left is None or self._action is not None:
            return
        screen, self._left = self._left, None
        line = await stays(_BACK) if asks else None
        if line is None:
            with self._keys.held():
                await self.visit(screen)
        elif line:
            # It is no answer. Nothing typed is lost, and nothing runs that was not meant for the prompt.
            self._action = RowAction(line, True)
