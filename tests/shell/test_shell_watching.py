"""A watch shows every change with its own value, and says what it missed."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable

import pytest
from shell_lines import SIMULATED, run
from shell_waiting import until

from zb_mom_ww_mxgateway.models.events import EventFamily, EventHeader, MxEvent
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.feeds.trend import Trend, TrendItem
from zb_mom_ww_mxgateway_shell.feeds.trend_view import TrendView
from zb_mom_ww_mxgateway_shell.feeds.watch import Watch
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.output.scale import sparkline
from zb_mom_ww_mxgateway_shell.output.watch_table import WatchTable
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        gateway.set(INT, 100)
        yield gateway


@pytest.fixture
async def context(gateway: SimulatedGateway) -> AsyncIterator[Context]:
    context = Context(all_commands(), interactive=False)
    await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), terms=SIMULATED)
    yield context
    await context.disconnect()


def _values(lines: list[str]) -> list[int]:
    """The values of lines, each of which begins with its time."""
    assert all(re.match(r"\d\d:\d\d:\d\d\.\d\d\dZ   \S", line) for line in lines)
    return [int(line.split()[2]) for line in lines]


async def _watched(context: Context, line: str, change: Callable[[], None]) -> list[str]:
    """The lines of a watch of which the first one leads to a change."""
    lines: list[str] = []

    async def follow(feed: Feed) -> Result:
        def show(line: str) -> None:
            lines.append(line)
            if len(lines) == 1:
                change()

        return await feed.follow(show)

    async with asyncio.timeout(30):
        await run(context, line, follow)
    return lines


async def test_each_change_is_shown_with_its_own_value(context: Context, gateway: SimulatedGateway) -> None:
    def change() -> None:
        for value in range(101, 106):
            gateway.set(INT, value, quality=64 if value == 103 else 192)

    lines = await _watched(context, f"watch {INT} --count 6", change)
    assert _values(lines) == [100, 101, 102, 103, 104, 105]
    assert [line.split()[3] for line in lines] == ["good", "good", "good", "uncertain", "good", "good"]


async def test_the_changes_of_a_buffered_item_are_all_shown(context: Context, gateway: SimulatedGateway) -> None:
    live = context.connected.live
    server = await live.session.register("buffered")
    item = await live.session.add_buffered_item(server, INT)
    await live.session.set_buffered_update_interval(server, 300)
    await live.session.advise(server, item)

    def change() -> None:
        for value in (101, 102, 103):
            gateway.set(INT, value)

    lines = await _watched(context, f"watch {item} --count 4", change)
    assert _values(lines) == [100, 101, 102, 103]


async def test_the_sparkline_shows_what_came_between_two_redraws(context: Context) -> None:
    await run(context, f"watch {INT} --count 1", lambda feed: feed.follow(lambda line: None))
    panel = context.connected.panel
    panel.add(context.items)
    assert panel.rows(panel.items)[0].cells[-1].split() == ["1", sparkline([100])]
    _burst(context, 5)
    assert panel.rows(panel.items)[0].cells[-1].split() == ["6", sparkline(range(100, 106))]
    # Taken off and watched again it shows what was seen meanwhile; no more than the newest twelve.
    panel.remove()
    _burst(context, 20)
    panel.add(context.items)
    assert panel.rows(panel.items)[0].cells[-1].split() == ["26", sparkline(range(109, 121))]


async def test_the_history_is_the_only_store_of_samples(context: Context) -> None:
    """What the watch table, a trend and `history` show of an item is the same."""
    await run(context, f"watch {INT} --count 1", lambda feed: feed.follow(lambda line: None))
    connected, (item,) = context.connected, context.items
    _burst(context, 3)
    connected.panel.add([item])
    seen = [100, 101, 102, 103]
    assert connected.panel.rows([item])[0].cells[-1].endswith(f" {sparkline(seen)}")
    shown = await run(context, f"history {INT}", lambda feed: feed.follow(lambda line: None))
    drawn = Trend([TrendItem(connected, item)], TrendView(60.0)).result()
    assert shown is not None
    assert [shown.value, drawn.value[0]] == [seen, seen]


async def test_a_change_between_two_redraws_is_not_missed(context: Context) -> None:
    await run(context, f"watch {INT} --count 1", lambda feed: feed.follow(lambda line: None))
    panel = context.connected.panel
    drawn = panel.version
    changed = asyncio.create_task(panel.changed_since(drawn))
    await asyncio.sleep(0)
    assert not changed.done()
    _burst(context, 1)
    await changed
    # The redraw takes its time, and meanwhile the next one comes.
    _burst(context, 1)
    await panel.changed_since(drawn)


async def _watching(context: Context, **options: int) -> tuple[Watch, "asyncio.Task[object]", list[str]]:
    await run(context, f"watch {INT} --count 1", lambda feed: feed.follow(lambda line: None))
    connected = context.connected
    table = WatchTable(connected.live, connected.history)
    table.add(context.items)
    watch, lines = Watch([table], **options), list[str]()
    following = asyncio.create_task(watch.follow(lines.append))
    await until(lambda: lines)
    return watch, following, lines


def _burst(context: Context, count: int) -> None:
    """So many changes at once: nobody has a turn between them."""
    (item,), live = context.items, context.live_session
    header = EventHeader(EventFamily.ON_DATA_CHANGE, *item.key, quality=192)
    for number in range(1, count + 1):
        live._hub.take(MxEvent(header, live.last_worker_sequence + 1, 100 + number, received_at=clock.monotonic()))


async def test_what_comes_faster_than_a_watch_takes_it_is_counted_as_missed(context: Context) -> None:
    watch, following, lines = await _watching(context, waiting=3, count=4)
    _burst(context, 10)
    await following
    assert _values(lines) == [100, 108, 109, 110]
    assert (watch.missed, watch.result().form()["missed"]) == (7, 7)
    assert ", 7 missed" in watch.result().lines()[0]


async def test_a_watch_that_is_ended_by_a_person_says_what_it_missed(context: Context) -> None:
    watch, following, lines = await _watching(context, waiting=3)
    _burst(context, 10)
    await until(lambda: len(lines) == 4)
    following.cancel()
    await asyncio.wait([following])
    assert watch.result().form()["missed"] == 7
