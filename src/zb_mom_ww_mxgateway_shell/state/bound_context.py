"""The state of a shell as one command sees it, from its first word to its result."""

from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection
from zb_mom_ww_mxgateway_shell.state.context import Context


class BoundContext(Context):
    """Shares everything with the context it is made of, but for which connection is meant.

    Another line, a task or the Python pane may make another connection the current one while a command waits: its
    words were read, and its items looked up, on the one that was current when it began.
    """

    __slots__ = ("_meant",)  # The only thing of its own.

    def __init__(self, context: Context) -> None:
        self.__dict__ = context.__dict__
        self._meant = context.current

    @property
    def current(self) -> GatewayConnection | None:
        return self._meant

    @current.setter
    def current(self, connected: GatewayConnection | None) -> None:
        """By a command that goes from one to another: it goes along."""
        self._meant = self._current = connected
