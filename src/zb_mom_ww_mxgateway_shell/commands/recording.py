"""record-script: a command file of what was typed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from zb_mom_ww_mxgateway.times import date_and_time
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.argument_types import CountOption, FileName, FlagOption
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.moments import Since
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.session_script import UnrepeatedLine


def _check_recording(positional: Sequence[Any], options: dict[str, Any]) -> None:
    """Raise a mistake of what is combined with what."""
    if "last" in options and "since" in options:
        raise ShellError("--last and --since both say where the file begins: give one of them")
    if options.get("check") and not ("last" in options or "since" in options):
        raise ShellError("--check replays a file that is complete: it belongs to --since or --last")
    if not positional and options:
        raise ShellError("record-script without a file ends the recording, and takes no option")


@command(
    "record-script",
    example="record-script steps.mxs --last 3 --expect",
    needs_session=False,
    check=_check_recording,
)
async def record_script(
    context: Context,
    file: Annotated[str | None, FileName()] = None,
    *,
    last: CountOption = None,
    since: Annotated[datetime | None, Since()] = None,
    expect: FlagOption = False,
    check: FlagOption = False,
    overwrite: FlagOption = False,
) -> Result:
    """Write what is typed from now on into a command file, until record-script without a file.

    With --last 10 the file gets the last ten commands and ends there; with --since 14:02 (or --since 10m) all since
    then. Tags appear by name, never by handle. What cannot be repeated becomes a remark: what failed, was for another
    gateway, has a key in it, or asks a person.

    With --expect the file also expects the values seen: exactly, a number with decimals within 1 %; of a number that
    was changing by itself only a good value. With --since it waits for what changed after a write, twice as long as
    that took, begins by bringing back what was there before, and puts everything back after `finally`.

    --check replays the file at once, in a session of its own at the same gateway, and says which line does not pass. It
    writes to the plant, so it asks first; arming, limits and guards hold.
    """
    typed, context.records = context.recorder, True
    if file is None:
        ended = typed.stop()
        findings = context.made_files.findings(ended) if context.made_files and ended and ended.is_file() else []
        lines = [f"{ended} ended" if ended else "nothing was recorded", *findings]
        return TextResult("\n".join(lines), {"file": ended and str(ended), "findings": findings})
    path, at = Path(file), date_and_time(datetime.now(UTC))
    heading = f"Recorded by mxgw-shell at {at}{f' from {context.name}' if context.name else ''}."
    if since is not None:
        from zb_mom_ww_mxgateway_shell.state.session_script import script_since  # Lazy: most runs never need it.

        script = await script_since(context, since, expects=expect)
        typed.write(path, [f"# {heading}", *script.lines], overwrite=overwrite)
        return await _made(context, path, script.count, script.remarks, checks=check)
    before = typed.path
    gateway = context.client.options.endpoint if context.client else ""
    count = typed.start(path, heading, gateway=gateway, expects=expect, overwrite=overwrite, kept=last or 0)
    if last is None:
        replaced = f"; {before} ended" if before else ""
        return TextResult(f"recording to {file}; record-script ends it{replaced}", {"file": file})
    typed.stop()
    return await _made(context, path, count, (), checks=check)


async def _made(
    context: Context, path: Path, count: int, remarks: "Sequence[UnrepeatedLine]", *, checks: bool
) -> Result:
    """Return what is to say about a file that was made: what it cannot repeat, what lint finds, how a replay went."""
    made = context.made_files
    findings = made.findings(path) if made else []
    lines = [f"{path}: {counted(count, 'line')}"]
    lines += [f"  {each.why}: {each.line}" for each in remarks]
    lines += findings
    fields: dict[str, Any] = {
        "file": str(path),
        "findings": findings,
        "lines": count,
        "remarks": [{"line": each.line, "why": each.why} for each in remarks],
    }
    code = ExitCode.DONE
    if checks:
        if made is None:
            raise ShellError("--check works in a shell and in its runs only")
        replayed = await made.replay(path)
        lines += replayed.lines
        fields["replay"], code = replayed.form(), replayed.code
    return TextResult("\n".join(lines), fields, str(path), exit_code=code)


GROUP = "streaming"
"""The group of help that they belong to."""
COMMANDS = (record_script,)
