"""Forwarding to a message broker."""

import platform
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway.times import date_and_time, time_text
from zb_mom_ww_mxgateway_cli.commands.broker_options import BrokerOptions, broker_options
from zb_mom_ww_mxgateway_cli.options import POSITIVE, end_options, lines_of, not_blank
from zb_mom_ww_mxgateway_cli.running import Runner, gateway_options
from zb_mom_ww_mxgateway_console.render.forms import ExpectationNotMet, counted
from zb_mom_ww_mxgateway_console.render.report import Report

if TYPE_CHECKING:
    import asyncio

    from zb_mom_ww_mxgateway import GatewayClient
    from zb_mom_ww_mxgateway_cli.forward.broker import BrokerConnection
    from zb_mom_ww_mxgateway_cli.forward.destination import Address, Destination
    from zb_mom_ww_mxgateway_cli.forward.forwarder import Forwarder
    from zb_mom_ww_mxgateway_cli.forward.progress import StateFile
    from zb_mom_ww_mxgateway_cli.forward.topics import Topics

    Line = tuple[dict[str, Any], str, asyncio.Future[None] | None]


@click.command(
    epilog="""\b
--to nats://HOST:4222    NATS; a stream of JetStream must take the subjects.
     tls://HOST:4222     the same with TLS, verified; natss:// means this, too
     mqtt://HOST:1883    MQTT 5, quality of service 1
     mqtts://HOST:8883   the same with TLS, verified
     -                   standard output, to try it; no broker is needed
Needs the extra nats or mqtt. Given twice: other brokers of one cluster.

\b
A message is JSON: kind event (a value, with its worker_sequence), read (the
value after a loss), or a mark: start, gap (lost, after_sequence,
before_sequence, reason), stale, live, refused. Each has an id. Every event of
a session arrives at least once, or a gap counts it. Schema: mxgw-py schema
forward. Guide: docs/forwarding.md.

\b
JSON: what happens, {"at": "…", "kind": "news", "news": "broker", "ok": true,
"text": "…"}; and at the end acknowledged, connections, dropped, gaps, kind
(summary), lost, lost_is_known, marks, ok, sessions, waiting."""
)
@click.argument("names", metavar="[TAG]...", nargs=-1, callback=not_blank)
@click.option("--tags", "tags_file", type=click.Path(), metavar="FILE", help="More tags, one a line; - is stdin.")
@broker_options
@click.option(
    "--name",
    callback=not_blank,
    metavar="NAME",
    help="This forwarder, in topics, messages and at the broker [this machine's name].",
)
@click.option(
    "--peers", callback=not_blank, metavar="A,B,C", help="All forwarders of this list of tags; each takes its share."
)
@click.option("--state", type=click.Path(), metavar="FILE", help="Keep the position there; go on with it next time.")
@click.option(
    "--buffer",
    type=POSITIVE,
    default=100_000,
    show_default=True,
    metavar="N",
    help="Most messages that wait for the broker; then the oldest become a gap.",
)
@click.option(
    "--topic",
    default="mxgw/{forwarder}/{kind}/{tag}",
    show_default=True,
    metavar="TEMPLATE",
    help="Levels of the topic, divided by / also for NATS.",
)
@end_options("--max-events", "events")
@gateway_options
def forward(
    runner: Runner,
    names: tuple[str, ...],
    tags_file: str | None,
    broker: BrokerOptions,
    name: str | None,
    peers: str | None,
    state: str | None,
    buffer: int,
    topic: str,
    most: int | None,
    duration: float | None,
) -> None:
    """Forward every event of tags to NATS JetStream or MQTT, at least once.

    It runs until it is interrupted. What the broker cannot take for now waits; what is lost is counted and marked.
    """
    from zb_mom_ww_mxgateway_cli.forward.broker_connections import check_extra
    from zb_mom_ww_mxgateway_cli.forward.sharing import share_of
    from zb_mom_ww_mxgateway_cli.forward.topics import TopicError, Topics

    destination = broker.destination(runner.connection)
    check_extra(destination)
    name = name or platform.node() or "mxgw-py"
    tags = _tags(names, tags_file)
    if peers is not None:
        all_peers = [each.strip() for each in peers.split(",")]
        if not all(all_peers):
            raise click.UsageError("--peers has an empty name, whose share nobody would forward")
        if len({*all_peers}) < len(all_peers):
            raise click.UsageError("--peers names a forwarder twice")
        if name not in all_peers:
            raise click.UsageError(f"--peers names all forwarders of the list, and this one is --name {name}")
        tags = share_of(name, all_peers, tags)
        if not tags:
            raise ExpectationNotMet(f"none of the tags is the share of {name}: there are fewer tags than forwarders")
    try:
        topics = Topics(topic, name, "." if destination.protocol == "nats" else "/")
        topics.check(tags)
    except TopicError as error:
        raise click.BadParameter(str(error), param_hint="'--topic'") from None
    runner.report.is_list = True

    async def action(client: "GatewayClient") -> None:
        from zb_mom_ww_mxgateway_cli.forward.progress import StateFile

        kept = None if state is None else StateFile.open(Path(state), client.options.endpoint)
        try:
            await _forward(runner.report, client, destination, topics, tags, kept, buffer, most, duration)
        finally:
            if kept is not None:
                kept.close()

    runner.run(action, is_endless=True)


def _tags(names: tuple[str, ...], tags_file: str | None) -> list[str]:
    lines = [] if tags_file is None else [line.strip() for line in lines_of(tags_file, "--tags")]
    tags = {tag_key(tag): tag for tag in reversed([*names, *filter(None, lines)])}
    if not tags:
        raise click.UsageError("nothing to do: give TAG, or --tags with at least one line")
    return list(reversed(tags.values()))


async def _forward(
    report: Report,
    client: "GatewayClient",
    destination: "Destination",
    topics: "Topics",
    tags: list[str],
    state: "StateFile | None",
    buffer: int,
    most: int | None,
    duration: float | None,
) -> None:
    import asyncio  # Slow, and completion of a command's name loads this module.

    from zb_mom_ww_mxgateway_cli.commands.streaming import Printer, Rendering
    from zb_mom_ww_mxgateway_cli.forward.broker_connections import connect
    from zb_mom_ww_mxgateway_cli.forward.forwarder import Forwarder
    from zb_mom_ww_mxgateway_cli.forward.printed_messages import PrintedMessages

    is_ended = asyncio.Event()
    is_printed = destination.protocol == "print"

    def written(lines: "list[Line]") -> None:
        if not report.reader_gone:
            for _, _, done in lines:
                if done is not None and not done.done():
                    done.set_result(None)
        elif is_printed:
            is_ended.set()

    rendering: Rendering[Line] = Rendering(lambda line: line[0], lambda line: line[1])
    async with Printer(report, rendering, on_written=written) as printer:

        def print_line(form: dict[str, Any], text: str, done: "asyncio.Future[None] | None" = None) -> None:
            printer.put((form, text, done))

        def news(word: str, text: str) -> None:
            now = datetime.now(UTC)
            # A full disk below standard output stops no forwarding to a broker.
            with nullcontext() if is_printed else suppress(ExpectationNotMet):
                form = {"at": time_text(now), "kind": "news", "news": word, "ok": True, "text": text}
                print_line(form, f"{date_and_time(now)}  {text}")

        async def printed(address: "Address", on_lost: Callable[[], None]) -> "BrokerConnection":
            return PrintedMessages(print_line)

        to_broker = partial(connect, destination, f"mxgw-{topics.forwarder}")
        forwarder = Forwarder(
            client,
            destination,
            topics,
            printed if is_printed else to_broker,
            tags=tags,
            state=state,
            buffer=buffer,
            most_events=most,
            news=news,
        )
        try:
            await forwarder.run(duration, is_ended)
        except BaseException:
            report.summary |= forwarder.summary()
            report.notice(_summary_text(forwarder))
            raise
        if is_ended.is_set():
            return
        summary = forwarder.summary()
        if forwarder.waiting:
            report.summary |= summary
            raise ExpectationNotMet(f"the broker has not taken everything: {_summary_text(forwarder)}")
        print_line({**summary, "kind": "summary", "ok": True}, _summary_text(forwarder))


def _summary_text(forwarder: "Forwarder") -> str:
    summary = forwarder.summary()
    least = "" if summary["lost_is_known"] else "at least "
    lost = f"{least}{summary['lost']} lost in {counted(summary['gaps'], 'gap')}" if summary["gaps"] else "none lost"
    return f"{counted(summary['acknowledged'], 'event')} forwarded, {lost}, {summary['waiting']} waiting"
