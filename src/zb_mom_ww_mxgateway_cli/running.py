"""Running one command: options, connection, its work, and the end of both however it ends."""

import functools
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

import click

from zb_mom_ww_mxgateway_cli.connection import Connection, connection_options
from zb_mom_ww_mxgateway_cli.report import Report

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions, GatewayClient

Action = Callable[["GatewayClient"], Awaitable[None]]


class Runner:
    """Runs what a command does on a connected client."""

    def __init__(self, connection: Connection, report: Report) -> None:
        self.connection = connection
        self.report = report

    def run(self, action: Action) -> None:
        """Connects, awaits `action` and disconnects. Raises its errors, and click.Abort for Ctrl-C."""
        import asyncio  # A fifth of the time that --help takes.

        options = self.connection.client_options()
        self.report.api_key = options.api_key
        # Its errors come as ours; what gRPC logs besides would stand between the lines.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        try:
            asyncio.run(self._connected(options, action))
        except KeyboardInterrupt:
            raise click.Abort from None

    async def _connected(self, options: "ClientOptions", action: Action) -> None:
        from zb_mom_ww_mxgateway import GatewayClient  # Loads gRPC: only once there is something to call.

        async with await GatewayClient.connect(options) as client:
            known = client.trust.known
            if known and client.trust.is_first_use:
                remembered = " and remembered" if options.remember_certificate else ""
                self.report.notice(f"certificate {known.sha256} of {known.endpoint} trusted on first use{remembered}")
            await action(client)


def report_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--json`` and ``--debug`` to a click command, which gets its Report as `report`."""

    def settle(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
        return lambda context, parameter, value: setattr(context.obj, name, value)

    def flag(name: str, help: str) -> Callable[[Any], Any]:
        # Eager: an error in any other option is then reported the way it was asked for.
        return click.option(
            f"--{name}", is_flag=True, is_eager=True, expose_value=False, callback=settle(name), help=help
        )

    @functools.wraps(function)
    def with_report(**arguments: Any) -> Any:
        return function(report=click.get_current_context().obj, **arguments)

    decorated: Any = with_report
    for option in (flag("debug", "A traceback with every error."), flag("json", "One JSON object a line.")):
        decorated = option(decorated)
    return cast("Callable[..., Any]", decorated)


def gateway_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of a command that connects; it gets them as one Runner, `runner`."""

    @connection_options
    @report_options
    @functools.wraps(function)
    def with_runner(connection: Connection, report: Report, **arguments: Any) -> Any:
        return function(runner=Runner(connection, report), **arguments)

    return with_runner
