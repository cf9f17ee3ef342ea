"""What the command line asks for."""

from typing import Any, NamedTuple

import click

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.connect.write_options import WriteConsent
from zb_mom_ww_mxgateway_shell.app.demo_options import DemoOptions
from zb_mom_ww_mxgateway_shell.evidence.record_options import RecordOptions
from zb_mom_ww_mxgateway_shell.output.formats import DEFAULT_FORM, FORMATTERS, Formatter


class LaunchOptions(NamedTuple):
    """The options of one start of the shell."""

    connection: Connection = Connection()
    demo_plant: DemoOptions = DemoOptions()
    output: str = ""
    """The name of an output form; empty for the setting."""
    profile: str | None = None
    variables: tuple[str, ...] = ()
    read_only: str = ""
    """Why nothing may be written; empty if it may."""
    consent: WriteConsent = WriteConsent()
    """What a run may write."""
    assume_yes: bool = False
    leave_clean: bool = False
    """Whether what a run leaves changed is a failure."""
    quiet: bool = False
    junit: str | None = None
    evidence: RecordOptions = RecordOptions()
    """What is wanted of the record of a run."""
    steps: tuple[str, ...] = ()
    """Globs of the titles of the steps to run; empty for all."""
    debug: bool = False
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

    def joined(self, other: "LaunchOptions") -> "LaunchOptions":
        """Return both together, as where one option is before the name of a command and another behind it; where only
        one can hold, the other's."""
        return LaunchOptions(*(_joined(*pair) for pair in zip(self, other, strict=True)))

    def check(self) -> None:
        """Raise click.UsageError if two options name a gateway, or one is for the plant of another."""
        self.demo_plant.check()
        if self.demo and self.connection.endpoint:
            raise click.UsageError("--demo has its own gateway: leave --endpoint out")
        if self.profile and (self.demo or self.connection.endpoint):
            raise click.UsageError("--profile names its own endpoint: leave --endpoint and --demo out")


def _joined(one: Any, other: Any) -> Any:
    if isinstance(one, Connection | DemoOptions | WriteConsent | RecordOptions):
        return one.joined(other)
    return (*one, *other) if isinstance(one, tuple) else other or one
