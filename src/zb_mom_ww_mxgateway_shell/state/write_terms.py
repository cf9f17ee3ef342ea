"""Terms of every connection that a shell opens."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway_console.connect.write_options import WriteConsent
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.state.connection_terms import ConnectionTerms

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_console.connect.options import Connection
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection
    from zb_mom_ww_mxgateway_shell.state.run_scope import RunScope


class WriteTerms:
    """Terms of every connection that a shell opens."""

    def __init__(self) -> None:
        self.consent = WriteConsent()
        """What the user let runs write when this shell was started."""
        self.run: RunScope | None = None
        """What the lines of this run may write; None where a person arms."""
        self._demo_endpoint: str = ""
        """Endpoint of the simulated plant of this shell; empty for none."""
        self._open_endpoint: str = ""
        """Endpoint of the simulated plant of this shell; empty for none, and once it was closed while disarmed."""

    def of(
        self,
        connection: "Connection",
        given: ConnectionTerms | None,
        forbidden: str,
        connections: "Iterable[GatewayConnection]",
    ) -> ConnectionTerms:
        """Return the terms of a connection that is about to be opened beside the open `connections`.

        Without `given` ones there are none, unless it is the simulated plant of this shell and was not disarmed.
        """
        terms = given or ConnectionTerms()
        if terms.open_for_all:
            self._open_endpoint = self._demo_endpoint = connection.endpoint or ""
        elif given is None and self._open_endpoint and connection.endpoint == self._open_endpoint:
            there = [each for each in connections if each.connection.endpoint == self._open_endpoint]
            terms = ConnectionTerms(open_for_all=all(each.arming.is_armed for each in there))
        if self.consent.limits:
            if terms.limits:
                raise ShellError(
                    f"--limits: the profile {terms.profile} names its limits file, {terms.limits}, which nothing "
                    "replaces",
                    ExitCode.USAGE,
                )
            terms = terms._replace(limits=self.consent.limits)
        terms = terms._replace(is_demo=bool(self._demo_endpoint) and connection.endpoint == self._demo_endpoint)
        return terms._replace(rules=terms.rules._replace(forbidden=forbidden)) if forbidden else terms

    @contextmanager
    def armed_for_run(
        self, scope: "RunScope", connections: "Mapping[str, GatewayConnection]", alert: Callable[[str], None]
    ) -> Iterator[None]:
        """Arm all connections, also those to come, for the lines of a run while this is open.

        `alert` takes what a person must know of that.
        """
        self.run, scope.alert = scope, alert
        for each in connections.values():
            scope.arm(each)
        try:
            yield
        finally:
            self.run = None
            scope.end(connections)

    def forget(self, closing: "Iterable[GatewayConnection]") -> None:
        """Take note of connections that are about to be closed."""
        if any(each.terms.open_for_all and not each.arming.is_armed for each in closing):
            self._open_endpoint = ""
