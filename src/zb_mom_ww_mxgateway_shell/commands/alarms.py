"""alarms, ack."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from zb_mom_ww_mxgateway.errors import MxAccessError, MxGatewayArgumentError, MxGatewayError, MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway.live.alarm_feed import AlarmFeed, AlarmFeedLost, AlarmListRead, AlarmNews, is_unacknowledged
from zb_mom_ww_mxgateway.models.alarms import (
    ActiveAlarm,
    AlarmConditionState,
    AlarmProviderStatus,
    AlarmTransition,
    AlarmTransitionKind,
    check_reference,
)
from zb_mom_ww_mxgateway.models.write_guard import PendingEntry, PendingWrite
from zb_mom_ww_mxgateway.safety.arming import names_of_alarm
from zb_mom_ww_mxgateway.safety.write_note import given
from zb_mom_ww_mxgateway.status import name_of
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway.times import date_and_time, exact_nanoseconds, shown, time_of_day
from zb_mom_ww_mxgateway_console.render.alarm_forms import (
    ALARM_COLUMNS,
    FEED_COLUMNS,
    alarm_form,
    alarm_value_text,
    feed_form,
)
from zb_mom_ww_mxgateway_console.render.forms import (
    ExitCode,
    age_text,
    error_form,
    exit_code_of,
    gravest,
    one_line,
)
from zb_mom_ww_mxgateway_console.render.write_results import WriteVerdict, word_of_error
from zb_mom_ww_mxgateway_console.text.terminal_text import AlarmLine
from zb_mom_ww_mxgateway_shell.feeds.alarm_states import alarms_read, in_area
from zb_mom_ww_mxgateway_shell.feeds.paced import PacedFeed
from zb_mom_ww_mxgateway_shell.language.argument_types import (
    MOST_SUGGESTIONS,
    ArgumentType,
    CountOption,
    DurationOption,
    FlagOption,
    Suggestion,
    Text,
)
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits, ParsedArguments, Written
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, Sheet, table_lines
from zb_mom_ww_mxgateway_shell.samples.alarm_monitor import news_text, provider_text
from zb_mom_ww_mxgateway_shell.state.context import Context, context_of

_STATES: dict[int, str] = {
    AlarmConditionState.ACTIVE: "UNACKED",
    AlarmConditionState.ACTIVE_ACKED: "acked",
    AlarmConditionState.INACTIVE: "cleared, UNACKED",
}


class Reference(ArgumentType):
    """An alarm's reference or GUID; completion offers the unacknowledged ones."""

    name = "reference"

    def parse(self, word: Token, context: Scope) -> str:
        try:
            return check_reference(word.value)
        except MxGatewayArgumentError:
            hint = "Galaxy!Area.Object.Alarm is expected, or a GUID; a comment of several words is quoted"
            raise word.mistake(f"no alarm's reference: {hint}", lambda: _hint(context_of(context))) from None

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        waiting = _unacknowledged(context_of(context))
        folded = tag_key(prefix)
        return [
            Suggestion(f'"{alarm.reference}"' if " " in alarm.reference else alarm.reference, _meta(alarm))
            for alarm in waiting
            if folded in tag_key(alarm.reference)
        ][:MOST_SUGGESTIONS]


def _unacknowledged(context: Context) -> list[ActiveAlarm]:
    return sorted(context.current.alarms.unacknowledged, key=_urgency) if context.current else []


def _hint(context: Context) -> str:
    waiting = _unacknowledged(context)
    return f"; for example {waiting[0].reference}" if waiting else ""


def _meta(alarm: ActiveAlarm) -> str:
    return one_line(f"{alarm.severity} {alarm.description}")


def _urgency(alarm: ActiveAlarm) -> tuple[bool, int, str]:
    return not is_unacknowledged(alarm), alarm.severity, alarm.reference


@dataclass(frozen=True, slots=True)
class Filter:
    """Which alarms to show."""

    area: str | None
    severity: int | None
    unacknowledged: bool

    def takes(self, alarm: ActiveAlarm | AlarmTransition) -> bool:
        """Return whether the alarm passes the filter."""
        if self.area is not None and not in_area(alarm, self.area):
            return False
        if self.severity is not None and alarm.severity > self.severity:
            return False
        if not self.unacknowledged:
            return True
        if isinstance(alarm, AlarmTransition):
            return alarm.kind != AlarmTransitionKind.ACKNOWLEDGE
        return is_unacknowledged(alarm)


def _unending(given: Collection[str]) -> str:
    follows = "follow" in given and not {"for_", "count"} & set(given)
    return "alarms --follow in a file need an end: --for 5s or --count 3" if follows else ""


@command("alarms", example="alarms", needs_session=False, unending=_unending)
async def alarms(
    context: Context,
    *,
    area: Annotated[str | None, Text("area")] = None,
    severity: CountOption = None,
    unacknowledged: FlagOption = False,
    follow: FlagOption = False,
    for_: DurationOption = None,
    count: CountOption = None,
) -> Result | Feed:
    """List the active alarms, the most urgent first; --follow shows every change as it comes.

    --area takes those of an area, or of an object in it (Plant.Tank1); --severity 300 those at least as severe (1
    is the most severe, 999 the least); --unacknowledged those that still need ack. Cleared but unacknowledged
    alarms are listed as far as this shell has seen them. --follow ends with Ctrl-C, --for 5m or --count 10.

    The prompt reports new alarms as they come, with the time. Colours say how severe they are: red and reversed up to
    250, red up to 500, yellow up to 750. set alarm-bell rings for them.
    """
    wanted = Filter(area, severity, unacknowledged)
    feed = await alarms_read(context)
    if follow or for_ or count:
        return _followed(feed, wanted, for_, count, is_paced=context.is_typed)
    shown = sorted(filter(wanted.takes, feed.alarms.values()), key=_urgency)
    doubt = ""
    if feed.lost_at is not None:
        doubt = f"OLD: not kept up to date for {age_text(clock.monotonic() - feed.lost_at)} ({feed.error})"
    return Alarms(shown, len(feed.alarms), frozenset(feed.unsure), feed.provider, doubt)


def _followed(feed: AlarmFeed, wanted: Filter, duration: float | None, count: int | None, *, is_paced: bool) -> Feed:
    follower = feed.follow()

    async def batch() -> list[AlarmNews]:
        while found := await follower.batch():
            if chosen := [news for news in found if not isinstance(news, AlarmTransition) or wanted.takes(news)]:
                return chosen
        return []

    return PacedFeed(
        what="changes",
        batches=batch,
        text=news_text,
        form=_news_form,
        dropped=lambda: follower.dropped,
        close=follower.aclose,
        columns=FEED_COLUMNS,
        duration=duration,
        count=count,
        is_paced=is_paced,
    )


def _news_form(news: AlarmNews) -> dict[str, Any]:
    """Return news with all of FEED_COLUMNS, null for those that it does not have; `message` is what it is."""
    match news:
        case AlarmFeedLost():
            fields = {"message": "feed_lost"}
        case AlarmListRead():
            fields = {"message": "list_read"}
        case _:
            fields = feed_form(news)
    return dict.fromkeys(FEED_COLUMNS) | fields | {"text": news_text(news)}


@dataclass(frozen=True, slots=True)
class Alarms:
    """Active alarms."""

    shown: Sequence[ActiveAlarm]
    known: int
    unsure: frozenset[str]
    """References of alarms that may have been acknowledged while the stream was lost."""
    provider: AlarmProviderStatus | None
    doubt: str
    """Why the list may be old; empty if it is not."""
    exit_code: ExitCode = ExitCode.DONE

    @property
    def value(self) -> Any:
        return list(self.shown)

    def lines(self) -> list[str]:
        rows = [
            [
                str(alarm.severity),
                _STATES.get(alarm.state, name_of(alarm.state)) + "?" * (alarm.reference in self.unsure),
                alarm.reference,
                alarm_value_text(alarm),
                _since(alarm),
                " ".join(filter(None, (alarm.description, _remark(alarm)))),
            ]
            for alarm in self.shown
        ]
        headings = ("sev", "state", "reference", "value", "raised", "what")
        lines = ["no active alarms" if not self.known else "no alarm passes the filter"]
        if rows:
            head, *table = table_lines(headings, rows)
            lines = [head, *(AlarmLine.of(line, each.severity) for line, each in zip(table, self.shown, strict=True))]
        if any(alarm.reference in self.unsure for alarm in self.shown):
            lines.append("  ? disappeared while the alarm stream was lost: cleared, perhaps acknowledged")
        if len(self.shown) < self.known:
            lines.append(f"  {len(self.shown)} of {self.known} alarms")
        if self.provider is not None and self.provider.degraded:
            lines.append(f"  {provider_text(self.provider)}")
        return [*lines, *([f"  {one_line(self.doubt)}"] if self.doubt else [])]

    def sheet(self) -> Sheet:
        rows = [alarm_form(alarm) | {"unsure": alarm.reference in self.unsure} for alarm in self.shown]
        is_degraded = self.provider is not None and self.provider.degraded
        remarks = [provider_text(self.provider)] if self.provider is not None and is_degraded else []
        return Sheet((*ALARM_COLUMNS, "unsure"), rows, [*remarks, *([self.doubt] if self.doubt else [])])

    def form(self) -> Any:
        return {
            "alarms": [alarm_form(alarm) for alarm in self.shown],
            "known": self.known,
            "old": self.doubt or None,
            "provider": self.provider and alarm_form(self.provider),
            "unsure": sorted(self.unsure),
        }


def _since(alarm: ActiveAlarm) -> str:
    if alarm.raised_at is None:
        return exact_nanoseconds(alarm.raised_at_ns)
    is_today = shown(alarm.raised_at).date() == shown(datetime.now(UTC)).date()
    return time_of_day(alarm.raised_at) if is_today else date_and_time(alarm.raised_at)


def _remark(alarm: ActiveAlarm) -> str:
    return f"[{f'{alarm.operator}: {alarm.comment}'.strip(': ')}]" if alarm.operator or alarm.comment else ""


@dataclass(frozen=True, slots=True)
class AckResult:
    """Outcomes of acknowledgements."""

    outcomes: Sequence[tuple[str, MxGatewayError | None]]
    """Error of each reference, in order; None for a success."""

    @property
    def exit_code(self) -> ExitCode:
        return gravest(*(exit_code_of(error) for _, error in self.outcomes if error))

    @property
    def value(self) -> Any:
        return [_outcome(error) for _, error in self.outcomes]

    def lines(self) -> list[str]:
        return [one_line(f"{reference}   {_outcome_text(error)}") for reference, error in self.outcomes]

    def sheet(self) -> Sheet:
        return Sheet(("error", "outcome", "reference", "result"), self.form())

    def form(self) -> Any:
        return [
            {
                "error": error and error_form(error),
                "outcome": _outcome(error),
                "reference": reference,
                "result": word_of_error(error) if error else WriteVerdict.COMPLETED.word,
            }
            for reference, error in self.outcomes
        ]


def _outcome(error: MxGatewayError | None) -> str:
    if error is None:
        return "acknowledged"
    return "unknown" if error.outcome_unknown else "refused"


def _outcome_text(error: MxGatewayError | None) -> str:
    if error is None:
        return "acknowledged"
    if error.outcome_unknown:
        reason = str(error).removeprefix("outcome unknown: ")
        return f"outcome UNKNOWN: {reason}. It was not sent again; alarms shows its state"
    hint = ": acknowledge it at its source, or when the alarm manager is back" if _has_no_way(error) else ""
    return f"NOT acknowledged: {error}{hint}"


def _has_no_way(error: MxGatewayError) -> bool:
    """Return whether the gateway refused because it knows no subtag that acknowledges this alarm."""
    return error.grpc_code == "FAILED_PRECONDITION" and "subtag" in str(error).casefold()


def _acknowledged(scope: Scope, invocation: ParsedArguments) -> list[Written]:
    words = [word for parameter, word in invocation.words if isinstance(parameter.kind, Reference)]
    return [Written(names_of_alarm(word.value), word) for word in words if word is not None]


@command(
    "ack",
    example="ack ZB!Plant.Tank1.Level.Hi --comment seen",
    mutating=True,
    needs_session=False,
    traits=CommandTraits(writes=_acknowledged),
)
async def ack(
    context: Context,
    *references: Annotated[str, Reference()],
    comment: Annotated[str | None, Text("text")] = None,
    operator: Annotated[str | None, Text("name")] = None,
) -> Result:
    """Acknowledge alarms by their references. It counts as a write: disarm and read-only refuse it.

    Where writes are asked about, one question is for all of them. Tab offers the unacknowledged alarms. If the answer
    is lost, the outcome is *unknown*; nothing is sent again. While the gateway takes alarms from subtags it may be
    unable to acknowledge one, and says so.
    """
    connected, once = context.connected, list(dict.fromkeys(references))
    entries = [PendingEntry(alarm=each, comment=comment or "", operator=operator or "") for each in once]
    if len(once) == 1 or not connected.desk.rules.asks(()):
        return await _acknowledge(context, entries)
    calls = PendingWrite("acknowledge_alarm", connected.client.options.endpoint, "", "", tuple(entries))
    if refused := await connected.desk.agree(calls):
        raise MxGatewayWriteBlockedError(f"blocked locally: {calls}: {refused}; nothing was sent", pending=calls)
    with given(agreed_under=connected.desk.rules, agreed_to=f"all {len(once)} alarms"):
        return await _acknowledge(context, entries)


async def _acknowledge(context: Context, entries: Sequence[PendingEntry]) -> AckResult:
    """Acknowledge one alarm after the other, up to one whose outcome is unknown."""
    connected = context.connected
    outcomes: list[tuple[str, MxGatewayError | None]] = []
    in_doubt = ""
    for entry in entries:
        reference = entry.alarm
        try:
            if context.is_disconnected:
                raise MxGatewayWriteBlockedError(f"the connection {connected.name} was closed meanwhile")
            if in_doubt:
                raise MxGatewayWriteBlockedError(f"not tried: the outcome of {in_doubt} before it is unknown")
            connected.alarms.acknowledging()
            await connected.client.acknowledge_alarm(reference, entry.comment, entry.operator)
        except MxGatewayWriteBlockedError as error:
            if not outcomes:
                raise
            # Report the alarms before it all the same.
            outcomes.append((reference, error))
        except MxGatewayError as error:
            outcomes.append((reference, error))
            if error.outcome_unknown:
                in_doubt = reference
            if isinstance(error, MxAccessError):
                connected.alarms.forget(reference)
        else:
            outcomes.append((reference, None))
    return AckResult(outcomes)


COMMANDS = (alarms, ack)
