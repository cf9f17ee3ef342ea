"""Explanation of a tag's state: from the connection to the plant, step by step, in plain words."""

from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import (
    MxGatewayAuthenticationError,
    MxGatewayAuthorizationError,
    MxGatewayError,
)
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.status import first_failed
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway_console.render.forms import age_text, counted, value_text
from zb_mom_ww_mxgateway_console.render.status_meanings import quality_meaning, status_meaning
from zb_mom_ww_mxgateway_shell.diagnosis.doubtful_spells import doubtful_spells
from zb_mom_ww_mxgateway_shell.diagnosis.findings import Diagnosis, Finding, Findings, Verdict, worst
from zb_mom_ww_mxgateway_shell.diagnosis.galaxy_check import GalaxyCheck
from zb_mom_ww_mxgateway_shell.diagnosis.status_texts import distrust_meaning, loss_meaning
from zb_mom_ww_mxgateway_shell.diagnosis.visit import READ_SECONDS, visited
from zb_mom_ww_mxgateway_shell.galaxy.lookup import Place
from zb_mom_ww_mxgateway_shell.output.doubt_text import doubt_text
from zb_mom_ww_mxgateway_shell.output.value_text import freshness
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection, connection_text, lost_text
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveValue, Reading

_PING_SECONDS = 3.0
_SLOW_SECONDS = 1.0
"""An answer that takes longer was the first of a tag."""
_SPELLS_SECONDS = 3600.0
# If one of these is bad, the later ones are only its consequences.
_DECIDING = ("connection", "session", "galaxy", "item")


async def explain(context: Context, tag: str, item: Item | None, *, of_alarms: bool = True) -> Diagnosis:
    """Check everything from the connection to the tag; every question to the gateway has its deadline.

    Without `of_alarms` nothing is said of alarms.
    """
    findings = await _TagCheck(context, tag, item).findings(of_alarms=of_alarms)
    deciding = worst(findings, _DECIDING)
    tries = tuple(line for line in deciding.tries if line.split()[0] in context.registry.commands)
    if not deciding.meaning:
        deciding = Finding("", Verdict.OK, "", f"nothing is wrong with {tag}")
    return Diagnosis(
        tag,
        tuple(findings),
        Finding(deciding.step, deciding.verdict, deciding.text, deciding.meaning, tries),
    )


class _TagCheck:
    def __init__(self, context: Context, tag: str, item: Item | None) -> None:
        self._context = context
        self._tag = tag
        self._item = item
        self._findings = Findings()
        self._found = self._findings.add

    async def findings(self, *, of_alarms: bool) -> Findings:
        connected = await self._connection()
        if connected is None:
            return self._findings
        answers = await self._session(connected)
        galaxy = GalaxyCheck(connected, self._tag, self._findings)
        place = await galaxy.locate() if answers else None
        self._report_item(connected)
        value = connected.live.latest(*self._item.key) if self._item else None
        if value is not None and self._item is not None:
            self._report_value(value)
            self._report_spells(connected, self._item)
        elif answers and (self._item is None or not self._item.advised):
            await self._read_now(connected, place)
        self._report_last_write()
        if place is not None:
            galaxy.report_place(place, has_value=value is not None and value.quality_word == "good")
            galaxy.report_security(place)
            if of_alarms:
                await galaxy.report_alarms(place)
        return self._findings

    # From the shell to the session.

    async def _connection(self) -> GatewayConnection | None:
        current = self._context.current
        if current is None:
            known, opened = self._context.connection.endpoint, list(self._context.connections)
            self._found(
                "connection",
                Verdict.BAD,
                f"none in use; open: {', '.join(opened)}" if opened else "not connected",
                "the shell is not connected to a gateway, so the tag is unknown"
                if not opened
                else "nobody has chosen the gateway that the tag is looked for at",
                *([f"use {opened[0]}"] if opened else ["connect" if known else "connect HOST:PORT", "profiles"]),
            )
            return None
        up = age_text(clock.monotonic() - current.opened_at)
        where = connection_text(self._context.current)
        if current.live.state.value != "live" and not await current.client.reconnected(0):
            # The finding of the session has the reason.
            self._found("connection", Verdict.NOTE, f"{where}, opened {up} ago, not connected now")
        else:
            self._found("connection", Verdict.OK, f"{where}, open for {up}")
        return current

    async def _session(self, connected: GatewayConnection) -> bool:
        """Report the state of the session, and whether it answers."""
        live = connected.live
        name = live.session.session_id
        lost = f": {live.lost}" if live.lost else ""
        match live.state.value:
            case "closed":
                why = f"the session is lost for good{loss_meaning(live.lost)}, and every value shown is old"
                if isinstance(live.lost, MxGatewayAuthenticationError | MxGatewayAuthorizationError):
                    why = "the gateway no longer accepts the key, so the session is lost and every value shown is old"
                self._found("session", Verdict.BAD, f"{name} lost{lost}", why, "connect", "doctor")
                return False
            case "rebuilding":
                why = (
                    f"the session was lost{loss_meaning(live.lost)}; another is being opened with the same items. "
                    "Until then values are old, and no write is sent"
                )
                self._found("session", Verdict.BAD, f"{name} lost, opening another{lost}", why, "status", "doctor")
                return False
            case "stale" | "connecting":
                why = (
                    "the event stream is broken and being resumed. Until then values are old, and no write is sent; "
                    "after that the shell reports what it missed"
                )
                resuming = f"{name}, resuming{lost}{distrust_meaning(live.lost)}"
                self._found("session", Verdict.BAD, resuming, why, "status", "doctor")
                return False
        started = clock.monotonic()
        try:
            await live.session.ping(timeout=_PING_SECONDS)
        except MxGatewayError as error:
            why = "the gateway does not answer on this session, so no value here is reliable"
            self._found("session", Verdict.BAD, f"{name} does not answer: {error}", why, "doctor", "connect")
            return False
        took = (clock.monotonic() - started) * 1000
        self._found("session", Verdict.OK, f"{name}, ready, answers in {took:.1f} ms")
        is_complete = live.lost_is_known and not live.gaps
        lost_events = "none lost" if is_complete else f"{counted(live.gaps, 'gap')}, {lost_text(live)}"
        self._found("events", Verdict.OK if is_complete else Verdict.NOTE, f"{live.events} received, {lost_events}")
        return True

    # From the item to its value.

    def _report_item(self, connected: GatewayConnection) -> None:
        item, tag = self._item, self._tag
        if item is None:
            self._found(
                "item",
                Verdict.NOTE,
                "not added to this session",
                f"nothing is wrong with {tag} itself, but it is not added here, so its changes are not followed",
                f"watch {tag}",
            )
            return
        server = connected.live.session.handles.servers.get(item.server_handle, "")
        kinds = [
            word
            for word, holds in (
                ("advised", item.advised and not item.supervisory),
                ("advised under supervisory control", item.supervisory),
                ("not advised", not item.advised),
                ("buffered", item.buffered),
                ("SUSPENDED", item.suspended),
            )
            if holds
        ]
        text = f"{item.item_handle} on server {item.server_handle} ({server}), {', '.join(kinds)}"
        if not item.advised:
            why = "it is added but not advised: MXAccess reports no changes of it, and refuses writes to it"
            self._found("item", Verdict.BAD, text, why, f"advise {item.item_handle}", f"watch {tag}")
        elif item.suspended:
            why = (
                f"it is suspended: it reports no changes, and its value is from before. In Python: "
                f"await session.activate({item.server_handle}, {item.item_handle})"
            )
            self._found("item", Verdict.BAD, text, why, f"activate {item.item_handle}", "py")
        elif connected.live.latest(*item.key) is None:
            why = (
                "no data change has come yet. The first takes 3 to 8 s on a fresh session; if it never comes, "
                "the object's engine does not answer"
            )
            self._found("item", Verdict.BAD, f"{text}, no value yet", why, f"tag {tag}", "status")
        else:
            self._found("item", Verdict.OK, text)

    def _report_value(self, value: "LiveValue") -> None:
        fresh = freshness(value, self._item)
        text = f"{value_text(value.value)}, {value.quality_word}, {fresh}, {counted(value.changes, 'change')}"
        if self._item is not None and self._item.suspended:
            self._found("value", Verdict.NOTE, text)  # The finding of the item has the reason.
        elif value.stale_since is not None:
            why = "events were lost, so this value may be old: the shell reads it again by itself"
            self._found("value", Verdict.BAD, text, why, f"read {self._tag} --fresh", "status")
        else:
            self._report_quality(text, value)

    def _report_spells(self, connected: GatewayConnection, item: Item) -> None:
        """Report how often the value was not good while this session followed it."""
        since = clock.monotonic() - _SPELLS_SECONDS
        if spells := doubtful_spells(connected.history.of(item.key, since).events):
            self._findings.append(spells.finding(self._tag))

    async def _read_now(self, connected: GatewayConnection, place: Place | None) -> None:
        """Read a tag that is not added, by a brief visit."""
        started = clock.monotonic()
        try:
            reading = await visited(connected, place.address if place else self._tag)
        except (MxGatewayError, TimeoutError) as error:
            reason = str(error) or f"no answer within {READ_SECONDS:g} s"
            self._found("value", Verdict.BAD, f"cannot be read: {reason}", "the gateway cannot read it", "last-error")
            return
        age = "of unknown age" if reading.age is None else age_text(reading.age)
        if reading.error:
            text = f"cannot be read: {reading.error}"
        else:
            text = f"read for this: {value_text(reading.value)}, {reading.quality_word}, {age}"
        self._report_quality(text, reading)
        took = clock.monotonic() - started
        if took > _SLOW_SECONDS:
            self._found("first value", Verdict.NOTE, f"it took {age_text(took)}; later ones come as they change")

    def _report_quality(self, text: str, value: "LiveValue | Reading") -> None:
        failed = first_failed(value.statuses)
        status = failed or next(iter(value.statuses), None)
        is_error = bool(getattr(value, "error", ""))
        if failed is None and value.quality_word == "good" and not is_error:
            self._found("value", Verdict.OK, text)
            if value.quality & 0xFC != 192:
                self._found("quality", Verdict.NOTE, str(value.quality), quality_meaning(value.quality))
            if status is not None:
                self._found("last status", Verdict.OK, str(status))
            return
        tag = self._tag
        owner = tag.rpartition(".")[0]
        quality = f"{value.quality}: {quality_meaning(value.quality)}"
        if failed is None:
            why = "no answer in time" if is_error else quality_meaning(value.quality)
            self._found("value", Verdict.BAD, text, f"the value is {why}" if not is_error else why, f"tag {tag}")
            self._found("quality", Verdict.NOTE, quality)
            return
        self._found("value", Verdict.BAD, text, status_meaning(failed), f"browse {owner}", f"tag {tag}")
        self._found("quality", Verdict.NOTE, quality)
        self._found("last status", Verdict.BAD, str(failed), status_meaning(failed))

    def _report_last_write(self) -> None:
        current = self._context.current
        for write in reversed(current.doubtful.all() if current else ()):
            if self._item is not None and write.key == self._item.key:
                self._found("last write", Verdict.NOTE, doubt_text(write), "", f"read {self._tag} --fresh")
                return
        failure = self._context.failure
        if failure is None or not isinstance(failure.error, MxGatewayError | Interrupted):
            return
        words = tag_key(failure.line).split()
        handle = str(self._item.item_handle) if self._item else ""
        if words[:1] and words[0].startswith("write") and {tag_key(self._tag), handle} & set(words[1:]):
            statuses = failure.error.statuses if isinstance(failure.error, MxGatewayError) else ()
            status = first_failed(statuses)
            meaning = f"the last write was refused: {status_meaning(status)}" if status else ""
            self._found("last write", Verdict.NOTE, str(failure.error), meaning, "last-error")
