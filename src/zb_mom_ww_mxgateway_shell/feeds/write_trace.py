"""The time line of one write: when it was sent, answered and completed, and what changed here after that."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.live.alarm_feed import AlarmFeedLost
from zb_mom_ww_mxgateway.models.alarms import AlarmTransition, AlarmTransitionKind
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.status import quality_word
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import item_key
from zb_mom_ww_mxgateway_console.render.alarm_forms import alarm_value_text
from zb_mom_ww_mxgateway_console.render.forms import one_line, safe, value_form
from zb_mom_ww_mxgateway_shell.output.decimals import decimal_text
from zb_mom_ww_mxgateway_shell.output.results import TextResult
from zb_mom_ww_mxgateway_shell.samples.sample_stream import SampleMark
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import WriteResult
    from zb_mom_ww_mxgateway.safety.changes import OwnWrite
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

_ALARMS_SECONDS = 5.0
_BAR = 40
_RAISED = (AlarmTransitionKind.RAISE, AlarmTransitionKind.RETRIGGER)
CLOCK = "the monotonic clock of this machine, from the moment of sending; a change counts from its arrival here"
"""By which clock a trace measures. Clocks of the plant are not compared with it."""


@dataclass(frozen=True, slots=True)
class TraceMoment:
    """One moment of a trace."""

    seconds: float
    """Since the write was sent."""
    what: str
    """``sent``, ``accepted``, ``completed``, ``changed`` or ``alarm``."""
    name: str = ""
    """The tag, or the reference of the alarm."""
    text: str = ""
    """What it became, for a person."""
    fields: dict[str, Any] = field(default_factory=dict)

    def form(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {"ms": _milliseconds(self.seconds), "what": self.what, "name": self.name or None, **self.fields}

    def line(self, window: float) -> str:
        """Return it with its place on a line of that many seconds."""
        at = min(_BAR - 1, round(self.seconds / window * (_BAR - 1))) if window else 0
        bar = f"{'-' * at}*".ljust(_BAR)
        told = " ".join(filter(None, [self.what, self.name, self.text]))
        return f"{_milliseconds(self.seconds):>9.1f} ms  {bar}  {safe(told)}"


class WriteTrace:
    """Follows one write that is made while it is open. An async context manager."""

    def __init__(self, context: Context, item: Item, others: Sequence[Item]) -> None:
        self._connected: GatewayConnection = context.connected
        self._context = context
        self._items = [item, *others]
        self._sent_at: float | None = None
        self._alarms_problem = ""

    async def __aenter__(self) -> "WriteTrace":
        self._context.start_alarms(self._connected)
        feed = self._connected.alarms
        try:
            await feed.ready(_ALARMS_SECONDS)
        except MxGatewayError as error:
            self._alarms_problem = one_line(str(error))
        self._connected.changes.ledger.on_sent.append(self._note)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._connected.changes.ledger.on_sent.remove(self._note)

    def _note(self, tag: str, write: "OwnWrite") -> None:
        if item_key(tag) == item_key(self._items[0].tag) and self._sent_at is None:
            self._sent_at = write.sent_at

    def _hear_alarms(self, sent_at: float) -> list[TraceMoment]:
        """Return the alarms that were raised since the sending; note what makes them unknown."""
        found: list[TraceMoment] = []
        for at, news in self._connected.alarms.since(sent_at):
            if isinstance(news, AlarmFeedLost):
                self._alarms_problem = self._alarms_problem or f"their stream was lost: {one_line(str(news.error))}"
            elif isinstance(news, AlarmTransition) and news.kind in _RAISED:
                found.append(_alarm(news, at - sent_at))
        return found

    async def watch(self, seconds: float) -> None:
        """Wait until that time after the sending is over, and take in all that has arrived by then."""
        if self._sent_at is not None:
            await asyncio.sleep(max(0.0, self._sent_at + seconds - clock.monotonic()))
        with suppress(MxGatewayError):
            await self._connected.live.caught_up()

    def traced(self, written: TextResult, result: "WriteResult", window: float) -> TextResult:
        """Return the result of the write with its time line."""
        moments = [TraceMoment(0.0, "sent")]
        for what, seconds in (("accepted", result.accepted_after), ("completed", result.completed_after)):
            if seconds is not None:
                moments.append(TraceMoment(seconds, what))
        unchanged: list[str] = []
        lost = False
        for item in self._items:
            moment, is_whole = self._first_change(item)
            lost |= not is_whole
            if moment is not None and moment.seconds <= window:
                moments.append(moment)
            else:
                unchanged.append(item.tag)
        if self._sent_at is not None:
            moments += [each for each in self._hear_alarms(self._sent_at) if each.seconds <= window]
        moments.sort(key=lambda each: each.seconds)
        longest = max(window, moments[-1].seconds)
        lines = [each.line(longest) for each in moments]
        lines += [f"{'':12}  {'-' * _BAR}  no change of {safe(tag)} within {window:g} s" for tag in unchanged]
        notes = ["events were lost meanwhile: a change before the first one shown is possible"] if lost else []
        notes += [f"alarms are not known: {safe(self._alarms_problem)}"] if self._alarms_problem else []
        trace = {
            "alarms_unknown": self._alarms_problem or None,
            "clock": CLOCK,
            "events_lost": lost,
            "moments": [each.form() for each in moments],
            "unchanged": unchanged,
            "window_seconds": window,
        }
        return replace(
            written,
            text="\n".join([written.text, *lines, *notes, f"by {CLOCK}"]),
            fields=written.fields | {"trace": trace},
            brief="",
        )

    def _first_change(self, item: Item) -> tuple[TraceMoment | None, bool]:
        """Return the first change of an item after the sending, and whether no event can be missing before it."""
        sent_at = self._sent_at
        if sent_at is None:
            return None, True
        is_whole = True
        before: tuple[Any, str] | None = None
        for at, entry in self._connected.history.of(item.key, sent_at).entries():
            if isinstance(entry, SampleMark):
                is_whole &= at < sent_at or entry.kind not in ("gap", "dropped", "stale")
                continue
            quality = quality_word(entry.quality)
            # The plant may send a value again that it had before.
            held, before = before, (entry.value, quality)
            if at < sent_at or held == before:
                continue
            decimals = self._connected.facts.seen(item.tag, entry.value, held and held[0]).decimals
            text = decimal_text(entry.value, decimals) + ("" if quality == "good" else f" ({quality})")
            fields = {"quality_word": quality, "value": value_form(entry.value)}
            return TraceMoment(at - sent_at, "changed", item.tag, f"to {text}", fields), is_whole
        return None, is_whole


def _alarm(transition: AlarmTransition, seconds: float) -> TraceMoment:
    value = alarm_value_text(transition)
    return TraceMoment(
        seconds,
        "alarm",
        transition.reference,
        f"severity {transition.severity}{f', {value}' if value else ''}",
        {"severity": transition.severity},
    )


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)
