"""The context of one command: it keeps the connection with which the command began."""

from collections.abc import Callable

from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection
from zb_mom_ww_mxgateway_shell.state.context import Context


class BoundContext(Context):
    """A context for one command: everything is shared with the given context except the current connection.

    Another line, a task or the Python pane may switch the current connection while a command waits. The command keeps
    the connection on which its words were parsed and its items were looked up.
    """

    __slots__ = ("_bound",)  # Its only own attribute.

    def __init__(self, context: Context, connected: GatewayConnection | None = None) -> None:
        """Without `connected` it is bound to the current connection."""
        self.__dict__ = context.__dict__
        self._bound = connected or context.current

    @property
    def current(self) -> GatewayConnection | None:
        return self._bound

    @current.setter
    def current(self, connected: GatewayConnection | None) -> None:
        """For a command that switches the connection: it follows the switch."""
        self._bound = self._current = connected


class _OtherContext(BoundContext):
    """A context for a part of a command that is about another connection: its notices name that."""

    __slots__ = ()

    @property
    def notice(self) -> Callable[[str], None]:
        tell, name = self.__dict__["notice"], self.name
        return lambda text: tell(f"{name}: {text}")

    @notice.setter
    def notice(self, notice: Callable[[str], None]) -> None:
        self.__dict__["notice"] = notice


def on(context: Context, connection: str) -> Context:
    """Return a context that is bound to the open connection of that name; the same one where the name is empty."""
    return _OtherContext(context, context.connections[connection]) if connection else context
