"""handover: the summary of a shift."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from zb_mom_ww_mxgateway_console.render.forms import counted
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.feeds.shift import shift_of
from zb_mom_ww_mxgateway_shell.language.argument_types import FileName
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.moments import Since
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult
from zb_mom_ww_mxgateway_shell.process.regular_files import create
from zb_mom_ww_mxgateway_shell.state.context import Context

_SHIFT = timedelta(hours=8)


@command("handover", example="handover --since 06:00", needs_session=False)
async def handover(
    context: Context,
    *,
    since: Annotated[datetime | None, Since()] = None,
    until: Annotated[datetime | None, Since()] = None,
    output: Annotated[str | None, FileName()] = None,
) -> Result:
    """Write the summary of a shift as Markdown: what was done and seen, and what is not known.

    It has: sessions; losses, gaps and stale stretches; who wrote what, old and new, with the result and the reason;
    what is not put back; arming; the alarms of now, and those raised; snapshots taken; notes; the head of the journal.
    Writes and notes are from the journal, also those of earlier programs of this user on this machine; alarms and
    losses are those of this session, and it says from when on they are known.

    --since 06:00 is a time of day here, a duration such as 8h, or a time with its zone; without it the last 8 hours.
    --until ends it earlier than now. --output FILE.md writes a file, which must not exist. note "text" adds a note.
    """
    ends = until or datetime.now(UTC)
    begins = since or ends - _SHIFT
    if begins >= ends:
        raise ShellError("--since is not before --until")
    summary = await shift_of(context, begins, ends)
    text = summary.markdown()
    if output is None:
        return TextResult(text.rstrip("\n"), summary.form())
    path = Path(output)
    await create(path, text)
    rows = sum(len(part.rows) for part in summary.parts)
    return TextResult(f"{path}: {counted(rows, 'row')}", {"file": str(path), **summary.form()})


GROUP = "journal"
"""The group of help that they belong to."""
COMMANDS = (handover,)
