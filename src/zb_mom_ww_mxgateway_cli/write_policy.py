"""What the writes of a command may do, as its options and its profile say."""

from typing import TYPE_CHECKING, NamedTuple, Self

import click

from zb_mom_ww_mxgateway_console.connect.write_options import WriteConsent
from zb_mom_ww_mxgateway_console.render.report import Report

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_console.connect.profiles import Profile


class WritePolicy(NamedTuple):
    """What guards the writes of a connection. Lines of a batch share a connection only if theirs are equal."""

    profile: "Profile | None"
    limits: str
    """The limits file; empty for none."""

    @classmethod
    def of(cls, profile: "Profile | None", consent: WriteConsent) -> Self:
        """Return what a profile and a command say; raise click.UsageError if they name two limits files."""
        limits = profile.limits if profile else ""
        if limits and consent.limits is not None:
            raise click.UsageError(f"--limits: the profile names its limits file, {limits}, which nothing replaces")
        return cls(profile, limits or consent.limits or "")


class GuardedRun(NamedTuple):
    """The command that runs now, as far as the guard needs it."""

    command: str
    """How it was called, for the journal: ``mxgw-py write``."""
    consent: WriteConsent
    report: Report
