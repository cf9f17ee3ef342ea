"""The alarms of a plant as checks need them: which one is meant, in which state it is, and what came since when."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayError, MxGatewayWaitError
from zb_mom_ww_mxgateway.models.alarms import (
    ActiveAlarm,
    AlarmConditionState,
    AlarmFacts,
    AlarmTransition,
    AlarmTransitionKind,
    check_reference,
)
from zb_mom_ww_mxgateway.status import name_of
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway.times import time_of_day
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, exit_code_of, one_line
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.argument_types import MOST_SUGGESTIONS, ArgumentType, Suggestion
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import TAG, full_address
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.samples.alarm_monitor import AlarmMonitor
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection
from zb_mom_ww_mxgateway_shell.state.context import Context, context_of

LIST_TIMEOUT = 15.0
"""Seconds to wait for the list of active alarms."""

_QUERY_TIMEOUT = 10.0
_ACTIVE = (AlarmConditionState.ACTIVE, AlarmConditionState.ACTIVE_ACKED)
_STATES: dict[int, str] = {
    AlarmConditionState.ACTIVE: "active, unacked",
    AlarmConditionState.ACTIVE_ACKED: "active, acked",
    AlarmConditionState.INACTIVE: "cleared, unacked",
}
RAISING = (AlarmTransitionKind.RAISE, AlarmTransitionKind.RETRIGGER)


@dataclass(frozen=True, slots=True)
class AlarmName:
    """The alarms that a word means: one by its reference, or all of a tag or an object."""

    text: str
    word: Token

    def takes(self, alarm: AlarmFacts) -> bool:
        """Return whether an alarm is one of them."""
        wanted, reference = tag_key(self.text), tag_key(alarm.reference)
        if "!" in wanted:
            return reference == wanted
        path = reference.partition("!")[2]
        # An object's own name has no area in front of it.
        names = (path, path.partition(".")[2])
        return any(name == wanted or name.startswith(f"{wanted}.") for name in names)


class AlarmNameType(ArgumentType):
    """An alarm's reference, or a tag or an object: any alarm of it."""

    name = "tag|reference"

    def parse(self, word: Token, context: Scope) -> AlarmName:
        if "!" not in word.value:
            if not word.value.strip():
                raise word.mistake("a tag, an object or an alarm's reference is expected")
            return AlarmName(full_address(word, context), word)
        try:
            return AlarmName(check_reference(word.value), word)
        except MxGatewayArgumentError:
            raise word.mistake("no alarm's reference: Galaxy!Area.Object.Alarm is expected, or a tag") from None

    def check(self, word: Token, context: Scope) -> None:
        if "!" in word.value or not word.value.startswith("."):
            self.parse(word, context)

    def parse_ahead(self, word: Token, context: Scope) -> AlarmName:
        return AlarmName(word.value, word)

    def script_text(self, word: Token, context: Scope) -> str:
        return super().script_text(word, context) if "!" in word.value else TAG.script_text(word, context)

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        current = context_of(context).current
        known = current.alarms.alarms.values() if current else ()
        folded = tag_key(prefix)
        alarms = [
            Suggestion(f'"{each.reference}"' if " " in each.reference else each.reference, one_line(each.description))
            for each in known
            if folded in tag_key(each.reference)
        ]
        return [*alarms, *TAG.suggestions(prefix, context)][:MOST_SUGGESTIONS]


def in_area(alarm: AlarmFacts, area: str) -> bool:
    """Return whether an alarm is of an area, or of an object in it."""
    wanted, path = tag_key(area), tag_key(alarm.reference.partition("!")[2])
    return path.startswith(f"{wanted}.") or fnmatchcase(path.partition(".")[0], wanted)


def is_active(alarm: ActiveAlarm) -> bool:
    """Return whether an alarm is active, acknowledged or not."""
    return alarm.state in _ACTIVE


async def alarms_read(context: Context) -> AlarmMonitor:
    """Return the alarms of the connection, once their list was read; begin to read them if nobody has.

    Raises ShellError where the gateway gives none. The list may be old: see ``lost_at``.
    """
    connected = context.connected
    feed = connected.alarms
    context.start_alarms(connected)
    with suppress(MxGatewayError):  # reported below, if there is no list at all
        await feed.ready(LIST_TIMEOUT)
    if not feed.is_complete and feed.lost_at is None:
        reason = str(feed.error) if feed.error else f"no list within {LIST_TIMEOUT:g} s"
        raise ShellError(f"no alarms: {reason}", exit_code_of(feed.error) if feed.error else ExitCode.REFUSED)
    return feed


async def present_alarms(connected: GatewayConnection) -> Mapping[str, ActiveAlarm]:
    """Return the alarms of this moment by their references: those that are active, asked for now, and those that are
    cleared and unacknowledged, as far as the stream tells.

    It is asked because the stream does not tell everything: in subtag mode an acknowledgement that is taken back is no
    transition. Raises the library's error where the gateway does not answer.
    """
    feed = connected.alarms
    found: dict[str, ActiveAlarm] = {}
    try:
        async with (
            clock.timeout(_QUERY_TIMEOUT),
            connected.client.query_active_alarms(timeout=_QUERY_TIMEOUT) as messages,
        ):
            async for alarm in messages:
                if isinstance(alarm, ActiveAlarm):
                    found[alarm.reference] = alarm
    except TimeoutError:
        raise MxGatewayWaitError(
            f"no list of active alarms within {_QUERY_TIMEOUT:g} s", call="query_active_alarms"
        ) from None
    for reference, alarm in feed.alarms.items():
        if reference in found or reference in feed.unsure:
            continue
        if not is_active(alarm):
            found[reference] = alarm
        elif alarm.state == AlarmConditionState.ACTIVE:
            # Cleared a moment ago: its transition is still on its way.
            found[reference] = replace(alarm, state=AlarmConditionState.INACTIVE)
    return found


def alarm_line(alarm: ActiveAlarm | AlarmTransition) -> str:
    """Return an alarm for a message: state or transition, severity, reference, time and user."""
    if isinstance(alarm, ActiveAlarm):
        what, at = _STATES.get(alarm.state, name_of(alarm.state)), alarm.changed_at or alarm.raised_at
    else:
        what, at = name_of(alarm.kind).casefold(), alarm.at
    parts = [what]
    parts.append(f"severity {alarm.severity}")
    parts += [f"at {time_of_day(at)}"] if at else []
    parts += [f"by {alarm.operator}"] if alarm.operator else []
    parts += [alarm.description] if alarm.description else []
    return one_line(f"{alarm.reference}: {', '.join(parts)}")


def listed(alarms: Iterable[ActiveAlarm | AlarmTransition], most: int = 10) -> list[str]:
    """Return a line for each alarm, the most severe first, and how many more there are."""
    ordered = sorted(alarms, key=lambda each: (each.severity, each.reference))
    more = len(ordered) - most
    return [*map(alarm_line, ordered[:most]), *([f"and {more} more"] if more > 0 else [])]
