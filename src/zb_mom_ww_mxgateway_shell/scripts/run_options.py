"""What is run, and how: the parts of a run, and the options that hold for all of them."""

from typing import NamedTuple

from zb_mom_ww_mxgateway_shell.evidence.record_options import RecordOptions
from zb_mom_ww_mxgateway_shell.output.formats import DEFAULT_FORM, FORMATTERS, Formatter
from zb_mom_ww_mxgateway_shell.scripts import loader
from zb_mom_ww_mxgateway_shell.scripts.record_keeping import RecordKeeping
from zb_mom_ww_mxgateway_shell.scripts.run_consent import RunConsent
from zb_mom_ww_mxgateway_shell.scripts.run_reports import RunReports


class RunOptions(NamedTuple):
    """How statements are run."""

    variables: tuple[str, ...] = ()
    formatter: Formatter = FORMATTERS[DEFAULT_FORM]
    """The output form of what was found before anything ran."""
    quiet: bool = False
    debug: bool = False
    plans: bool = False
    """Whether it only reports what would be written."""
    plan_hash: str = ""
    """The hash of the plan that is to be run; empty for none."""
    consent: RunConsent = RunConsent()
    """What the user lets it write."""
    reports: RunReports = RunReports(None, RecordKeeping(RecordOptions(), may_show=False))
    """What it leaves for others to read."""
    steps: tuple[str, ...] = ()
    """Globs of the titles of the steps to run; empty for all."""
    time_limit: float | None = None
    """Seconds for a file that does not bound itself; None for no limit."""
    is_one_of_many: bool = False
    """Whether other files run beside it: then no person is asked, and signals come from the suite."""


class Part(NamedTuple):
    """One file to run, or lines given instead of a file."""

    block: loader.Block
    name: str
    source: str | None
    """The file whose lines are shown by their numbers alone; None for lines of no file."""
    is_file: bool = False
    """Whether it must declare what it writes."""


ReadPart = tuple[Part, list[loader.LintFinding]]
"""A part with the mistakes that were found while it was read."""
