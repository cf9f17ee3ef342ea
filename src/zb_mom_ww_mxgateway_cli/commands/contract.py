"""The contract: compared with a gateway's own, adopted, shown, given up."""

import os
from pathlib import Path
from typing import Any

import click

from zb_mom_ww_mxgateway.contract.adoption import VARIABLE, Contract, digest_of, spoken
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway_cli.running import report_options
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, safe
from zb_mom_ww_mxgateway_console.render.report import Report

_FILE = click.Path(path_type=Path)


@click.group(epilog="JSON: the --help of each command names its keys.")
def contract() -> None:
    """Names and numbers of the messages: built in, or a gateway's own.

    A gateway's distribution has its contract as a descriptor set, mxaccessgw-client-v1.protoset.
    """


@contract.command(epilog='JSON: {"compared_with": "…", "differences": [{"text": "…", "weight": "…"}, …], "ok": true}')
@click.argument("path", metavar="FILE.protoset|FOLDER", type=_FILE)
@report_options
def compare(report: Report, path: Path) -> None:
    """List what differs between the contract spoken here and another one.

    Each difference is refused (this library cannot speak that contract), matters (both misunderstand each other until
    that contract is used), or is harmless. A FOLDER has .proto files; reading it takes grpcio-tools. Exits with 1 if a
    difference is not harmless.
    """
    # Protobuf, which most commands do not need.
    from zb_mom_ww_mxgateway.contract.comparison import compared, summary
    from zb_mom_ww_mxgateway.contract.differences import Weight

    found = compared(path)
    heavy = sum(each.weight is not Weight.HARMLESS for each in found)
    form = {
        "compared_with": str(spoken()),
        "differences": [{"text": each.text, "weight": str(each.weight)} for each in found],
        "ok": not heavy,
    }
    if report.is_for_people:
        report.lines([safe(line) for line in (*(each.line() for each in found), *summary(found))])
    else:
        report.line(form, "")
    if heavy:
        click.get_current_context().exit(ExitCode.NOT_MET)


@contract.command(epilog='JSON: {"ok": true, "origin": "adopted", "path": "…", "sha256": "…"}')
@click.argument("file", metavar="FILE.protoset", type=_FILE)
@report_options
def use(report: Report, file: Path) -> None:
    """Adopt a gateway's descriptor set: all our programs of this user speak it from now on.

    Every name that is used must be there, with a type that fits; else nothing changes.
    """
    from zb_mom_ww_mxgateway.contract.storage import adopt

    adopted = adopt(file)
    report.line(_form(adopted), f"adopted: {adopted}")
    _note_variable(report)


@contract.command(epilog='JSON: {"ok": true, "origin": "built-in", "path": null, "sha256": null}')
@report_options
def show(report: Report) -> None:
    """Say which contract is spoken here."""
    found = spoken()
    report.line(_form(found), f"contract: {found}")


@contract.command(epilog='JSON: {"ok": true, "removed": "…"}')
@report_options
def reset(report: Report) -> None:
    """Go back to the built-in contract."""
    from zb_mom_ww_mxgateway.contract.storage import give_up

    removed = give_up()
    form = {"ok": True, "removed": str(removed) if removed else None}
    report.line(form, f"removed {removed}: the contract is the built-in one" if removed else "no contract was adopted")
    _note_variable(report)


@contract.command(epilog='JSON: {"ok": true, "path": "…", "sha256": "…"}')
@click.argument("file", metavar="FILE.protoset", type=_FILE)
@report_options
def export(report: Report, file: Path) -> None:
    """Write the contract spoken here as a descriptor set, for grpcurl and its like."""
    from zb_mom_ww_mxgateway.contract.storage import spoken_set

    data = spoken_set(spoken())
    try:
        with file.open("xb") as written:
            written.write(data)
    except FileExistsError:
        raise MxGatewayArgumentError(f"{file} exists: name another file, or remove it") from None
    except OSError as error:
        raise MxGatewayArgumentError(f"{file}: {error.strerror or error}") from error
    report.line({"ok": True, "path": str(file), "sha256": digest_of(data)}, f"written: {file}")


def _form(found: Contract) -> dict[str, Any]:
    return {
        "ok": True,
        "origin": found.origin,
        "path": str(found.path) if found.path else None,
        "sha256": found.sha256 or None,
    }


def _note_variable(report: Report) -> None:
    if os.environ.get(VARIABLE, "").strip():
        report.warning(f"{VARIABLE} is set and goes first: {os.environ[VARIABLE]}")
