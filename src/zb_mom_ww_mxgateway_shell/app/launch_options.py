"""What the command line asks for."""

from dataclasses import fields, replace
from typing import NamedTuple

import click

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.connect.write_options import WriteConsent
from zb_mom_ww_mxgateway_shell.app.demo_options import DemoOptions
from zb_mom_ww_mxgateway_shell.evidence.record_options import RecordOptions
from zb_mom_ww_mxgateway_shell.output.formats import DEFAULT_FORM, FORMATTERS, Formatter


class LaunchOptions(NamedTuple):
    """The options of one start of the shell."""

    connection: Connection
    demo_plant: DemoOptions
    output: str
    """The name of an output form; empty for the setting."""
    profile: str | None
    variables: tuple[str, ...]
    read_only: str
    """Why nothing may be written; empty if it may."""
    consent: WriteConsent
    """What a run may write."""
    assume_yes: bool
    leave_clean: bool
    """Whether what a run leaves changed is a failure."""
    quiet: bool
    junit: str | None
    evidence: RecordOptions
    """What is wanted of the record of a run."""
    steps: tuple[str, ...]
    """Globs of the titles of the steps to run; empty for all."""
    debug: bool
    plan_hash: str = ""
    """The hash of the plan that a run is to be; empty for none."""

    @property
    def demo(self) -> bool:
        """Whether the gateway is a simulated one."""
        return self.demo_plant.demo

    @property
    def formatter(self) -> Formatter:
        """The output form of what does not belong to a run."""
        return FORMATTERS[self.output or DEFAULT_FORM]

    def with_run_options(
        self,
        connection: Connection,
        demo: DemoOptions,
        profile: str | None,
        variables: tuple[str, ...],
        output: str,
        quiet: bool,
        debug: bool,
    ) -> "LaunchOptions":
        """Return these options with those that were given behind the name of a command."""
        given = {each.name: getattr(connection, each.name) for each in fields(connection)}
        plain = Connection()
        return self._replace(
            connection=replace(
                self.connection, **{name: value for name, value in given.items() if value != getattr(plain, name)}
            ),
            demo_plant=self.demo_plant.joined(demo),
            profile=profile or self.profile,
            variables=(*self.variables, *variables),
            output=output or self.output,
            quiet=quiet or self.quiet,
            debug=debug or self.debug,
        )

    def check(self) -> None:
        """Raise click.UsageError if two options name a gateway, or one is for the plant of another."""
        self.demo_plant.check()
        if self.demo and self.connection.endpoint:
            raise click.UsageError("--demo has its own gateway: leave --endpoint out")
        if self.profile and (self.demo or self.connection.endpoint):
            raise click.UsageError("--profile names its own endpoint: leave --endpoint and --demo out")
