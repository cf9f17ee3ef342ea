"""The options of ``mxgw-shell report``. What it does with them is in ``report_command``, loaded when it is needed."""

from typing import TYPE_CHECKING

import click

from zb_mom_ww_mxgateway_shell.app.file_arguments import many_files

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.evidence.report import ReportForm


class _RecordsOrCommand(click.Group):
    """A group that makes a report where its first argument is not one of its commands."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        named = next((each for each in args if not each.startswith("-")), "")
        wants_help = any(each in ("-h", "--help") for each in args)
        if named not in self.commands and not wants_help:
            args = ["make", *args]
        return super().parse_args(context, args)

    def format_usage(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(context.command_path, "RUN.jsonl… [OPTIONS] | verify RUN.jsonl | seal RUN.jsonl")

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        make.format_options(context, formatter)
        self.format_commands(context, formatter)


@click.group(cls=_RecordsOrCommand, no_args_is_help=False)
def report() -> None:
    """Make the report of a record, or the summary of several, with what changed since the run before.

    The page needs nothing else, on a screen or on paper. Exits with 1 if a record is incomplete or not as it was
    written: the report says so in large words.
    """


@report.command(hidden=True)
@many_files("records", "RUN.jsonl…")
@click.option("--html", "form", flag_value="html", help="One page for the screen, which also prints well on A4.")
@click.option("--md", "form", flag_value="md", help="The same facts as Markdown, without the drawings.")
@click.option(
    "--pdf-ready",
    "form",
    flag_value="pdf-ready",
    help="The page for print to PDF: A4, and each part begins a page.",
)
@click.option("--output", metavar="FILE", help="The file to write [standard output].")
def make(records: tuple[str, ...], form: "ReportForm | None", output: str | None) -> None:
    """Make the report of a record, or the summary of several."""
    from zb_mom_ww_mxgateway_shell.app.report_command import make_report

    click.get_current_context().exit(int(make_report(records, form, output)))


@report.command()
@click.argument("record", metavar="RUN.jsonl")
@click.option("--journal", metavar="FOLDER", help="The journal to compare with [yours on this machine].")
@click.option("--public-key", metavar="FILE", help="Check the seals by this key; fails if none is by it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def verify(record: str, journal: str | None, public_key: str | None, as_json: bool) -> None:
    """Compare a record with its digest, with the journal of writes, and with its seals.

    Says what each proves. Exits with 0 only if all of it holds; an incomplete record does not.
    """
    from zb_mom_ww_mxgateway_shell.app.report_command import verify_record

    click.get_current_context().exit(int(verify_record(record, journal, public_key, as_json=as_json)))


@report.command()
@click.argument("record", metavar="RUN.jsonl")
@click.option("--key", metavar="FILE", help="Your private Ed25519 key (PEM).")
@click.option("--new-key", metavar="FILE", help="Make such a key, and FILE.pub, and seal with it.")
def seal(record: str, key: str | None, new_key: str | None) -> None:
    """Sign a record with your key, in RUN.jsonl.seal beside it. The record itself stays as it is."""
    if (key is None) == (new_key is None):
        raise click.UsageError("report seal needs a key: --key FILE, or --new-key FILE, which makes one")
    from zb_mom_ww_mxgateway_shell.app.report_command import seal_record

    click.get_current_context().exit(int(seal_record(record, key, new_key)))
