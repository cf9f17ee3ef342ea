"""What a person is told of a connection: what disarmed it, which alarms came, and what ended with it."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway_console.render.forms import counted, safe
from zb_mom_ww_mxgateway_shell.output.doubt_text import doubt_text
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection
from zb_mom_ww_mxgateway_shell.state.run_scope import RUN_ENDED

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.arming import ArmedScope

DISARMED = "by the command disarm"
"""Why a connection is no longer armed after ``disarm``."""


def report_disarming(connected: GatewayConnection, report_text: Callable[[str], object]) -> None:
    """Report what disarms a connection, except what a person or the end of a run does."""

    def report(scope: "ArmedScope | None", why: str) -> None:
        if scope is not None and why not in (DISARMED, RUN_ENDED):
            report_text(f"disarmed, {why}: {safe(str(scope))} cannot be written any more")

    connected.arming.on_disarmed.append(report)


async def close_and_report(
    connected: GatewayConnection,
    notice: Callable[[str], object],
    alert: Callable[[str], object],
    *,
    shows_panel: bool,
    shows_head: bool,
) -> None:
    """Close a connection, and report what ended with it: writes in doubt, the journal's head, recordings, the panel."""
    running = connected.recording
    watched = [item.tag for item in connected.panel.items] if shows_panel and connected.has_panel else []
    for write in connected.doubtful.news():
        alert(f"{write.name}   {doubt_text(write)}")
    for write in connected.doubtful.open():
        alert(f"{write.name}   {doubt_text(write)}; it is not watched any more: check it")
    try:
        await connected.aclose()
    finally:
        with suppress(OSError):  # The terminal may be gone, which is why it is closed.
            if shows_head and (head := journal_text(connected)):
                notice(head)
            for recording in running:
                notice(f"{recording.path} closed: {counted(recording.samples, 'sample')}")
            if watched:
                notice(f"no longer watched: {', '.join(watched[:5])}{' …' if len(watched) > 5 else ''}")


def journal_text(connected: GatewayConnection) -> str:
    """Return the head of the journal, which, kept elsewhere, proves later that no line is missing."""
    journal = connected.desk.records.journal
    if journal is None or journal.problem is not None:
        return str(journal.problem) if journal else ""
    return f"journal: {counted(journal.head.count, 'line')}, head {journal.head}" if journal.head.count else ""
