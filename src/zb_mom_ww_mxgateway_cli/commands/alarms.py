"""Commands for alarms. They need no session, and a gateway whose configuration enables alarms."""

import time
from typing import TYPE_CHECKING

import click

from zb_mom_ww_mxgateway.models.alarms import check_reference
from zb_mom_ww_mxgateway_cli.options import end_options, sendable
from zb_mom_ww_mxgateway_cli.running import Runner, gateway_options, milliseconds_since, writing_options

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient


def _reference(context: click.Context, parameter: click.Parameter, text: str) -> str:
    try:
        return check_reference(text)
    except ValueError as error:
        raise click.BadParameter(str(error).removeprefix("reference "), context, parameter) from None


@click.command(
    epilog="""\b
First the alarms that are active now, then SNAPSHOT COMPLETE, the provider's
status, and every change as it comes.

\b
JSON: one object a message, message saying which: active_alarm, transition,
provider_status (degraded, mode, reason, since), snapshot_complete or
unknown (text). Alarms have alarm_type, category, comment, current_value,
degraded, description, limit_value, operator, raised_at, reference, severity,
source_object, source_provider, and changed_at and state (active_alarm) or
at and kind (transition)."""
)
@click.option("--prefix", default="", callback=sendable, metavar="TEXT", help="Only references that begin with TEXT.")
@end_options("--max-messages", "messages")
@gateway_options
def stream_alarms(runner: Runner, prefix: str, most: int | None, duration: float | None) -> None:
    """Print active alarms and their changes, one a line."""

    async def action(client: "GatewayClient") -> None:
        from zb_mom_ww_mxgateway_cli.commands.streaming import Rendering, print_stream, stream_broke
        from zb_mom_ww_mxgateway_console.render.alarm_forms import FEED_COLUMNS, alarm_text, feed_form

        ended = stream_broke(client.options.endpoint, "stream_alarms")
        stream = client.stream_alarms(prefix)
        await print_stream(stream, runner.report, Rendering(feed_form, alarm_text, FEED_COLUMNS), ended, most, duration)

    runner.run(action, is_endless=True)


@click.command(
    epilog="""\b
JSON: {"comment": "…", "milliseconds": 2.6, "ok": true, "operator": "…",
"reference": "…"}"""
)
@click.option(
    "--reference", required=True, callback=_reference, metavar="REF", help="Galaxy!Area.Object.Alarm, or a GUID."
)
@click.option("--comment", default="", callback=sendable, metavar="TEXT")
@click.option("--operator", default="", callback=sendable, metavar="NAME", help="The name of who acknowledges.")
@writing_options
def acknowledge_alarm(runner: Runner, reference: str, comment: str, operator: str) -> None:
    """Acknowledge an alarm. Counts as a write."""

    async def action(client: "GatewayClient") -> None:
        started = time.perf_counter()
        async with runner.interruptible("acknowledge_alarm"):
            await client.acknowledge_alarm(reference, comment, operator)
        form = {
            "comment": comment,
            "milliseconds": milliseconds_since(started),
            "ok": True,
            "operator": operator,
            "reference": reference,
        }
        runner.report.line(form, "acknowledged")

    runner.run(action)
