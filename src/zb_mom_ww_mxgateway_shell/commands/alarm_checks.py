"""expect-alarm, expect-no-alarm, no-new-alarms: checks of the plant's alarms."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.galaxy_objects import object_at
from zb_mom_ww_mxgateway.models.alarms import AlarmTransition
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.alarm_forms import alarm_form
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted
from zb_mom_ww_mxgateway_shell.errors import InputError, NotMet, ShellError
from zb_mom_ww_mxgateway_shell.feeds.alarm_condition import AlarmCondition, AlarmWait
from zb_mom_ww_mxgateway_shell.feeds.alarm_states import (
    AlarmName,
    AlarmNameType,
    alarms_read,
    in_area,
    is_active,
    listed,
    present_alarms,
)
from zb_mom_ww_mxgateway_shell.feeds.new_alarms import AlarmChoice, NoNewAlarms
from zb_mom_ww_mxgateway_shell.galaxy.lookup import locate
from zb_mom_ww_mxgateway_shell.language.argument_types import Count, CountOption, Duration, Flag, OneWord, Text
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import Clause, command
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, TextResult
from zb_mom_ww_mxgateway_shell.samples.alarm_monitor import AlarmMonitor
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GalaxyObject

_GALAXY_SECONDS = 10.0
"""Seconds that a check waits for the galaxy to tell whether there is what it names."""

T = TypeVar("T")

AreaOption = Annotated[str | None, Text("area")]


def _check_alarm(positional: Sequence[Any], options: dict[str, Any]) -> None:
    """Raise a mistake in what is expected of an alarm."""
    name, state = positional
    if options.get("acked") and options.get("unacked"):
        raise name.word.mistake("acked and unacked exclude each other")
    if state == "cleared" and options.get("severity") is not None:
        raise name.word.mistake("an alarm that is cleared has no severity to expect")
    if options.get("now") and options.get("within") is None:
        raise name.word.mistake("without within the present state counts anyway: leave out now")


def _condition(
    alarm: AlarmName, state: Literal["active", "cleared"], acked: bool, unacked: bool, severity: int | None
) -> AlarmCondition:
    return AlarmCondition(alarm, state, True if acked else False if unacked else None, severity)


async def _preview_alarm(
    context: Context,
    alarm: AlarmName,
    state: Literal["active", "cleared"],
    *,
    acked: bool = False,
    unacked: bool = False,
    severity: int | None = None,
    **others: object,
) -> Result:
    """Return whether the condition holds now, before any write of the run."""
    await alarms_read(context)
    condition = _condition(alarm, state, acked, unacked, severity)
    present = (await present_alarms(context.connected)).values()
    holds = condition.holds(present)
    if state == "cleared" and not condition.meant(present):
        await _refuse_unknown(context, alarm, condition.text, checks=False)
    word = "holds now" if holds else "does not hold now"
    fields = {"expected": condition.text, "holds_now": holds, "planned": "look"}
    return TextResult(f"{condition.text}: {word}", fields, brief=word)


@command(
    "expect-alarm",
    example="expect-alarm Plant.Tank1.Level.Hi cleared",
    stream=False,
    check=_check_alarm,
    preview=_preview_alarm,
    traits=CommandTraits(reads_alarms=True, lasts=lambda given: given.options.get("within")),
)
async def expect_alarm(
    context: Context,
    alarm: Annotated[AlarmName, AlarmNameType()],
    state: Annotated[Literal["active", "cleared"], OneWord("active|cleared", ("active", "cleared"))],
    *,
    acked: Annotated[bool, Flag(), Clause()] = False,
    unacked: Annotated[bool, Flag(), Clause()] = False,
    severity: Annotated[int | None, Count(), Clause()] = None,
    now: Annotated[bool, Flag(), Clause()] = False,
    within: Annotated[float | None, Duration(), Clause()] = None,
) -> Result | Feed:
    """Check an alarm: it is active or cleared, acknowledged or not, of exactly this severity.

    An alarm is named by its reference, Galaxy!Area.Object.Alarm, or by a tag or an object, Plant.Tank1.Level or
    Plant.Tank1: then any alarm of it makes it active, and none is active where it is cleared.

    Without `within` the present state is checked, as expect does. `within 5s` waits, as wait does: the alarm must have
    been raised (for active), cleared (for cleared) or acknowledged (for acked) since the first write that was sent
    after the last check, or from now on if nothing was written. `now` lets a state from before count, too. The alarms
    are asked for at each look, so an acknowledgement that was taken back counts as what it is. What is not kept up to
    date, because the alarm stream is lost, is never taken for cleared; nor is a name of which no alarm is listed, while
    the galaxy does not answer whether there is such a thing.
    """
    started = clock.monotonic()
    condition = _condition(alarm, state, acked, unacked, severity)
    live = context.live_session
    feed = await alarms_read(context)
    new_since = feed.new_since(live.marked_at, started)
    live.checked()
    since = None if now or within is None else new_since
    waiting = AlarmWait(context.connected, condition, within or 0.0, since, started)
    if state == "cleared" and not condition.meant(feed.alarms.values()) and not _has_been(context, alarm):
        await _refuse_unknown(context, alarm, condition.text, checks=True)
    return waiting if within is not None else await waiting.follow(lambda line: None)


def _has_been(context: Context, alarm: AlarmName) -> bool:
    news = (each.news for each in context.connected.alarms.arrived)
    return any(isinstance(each, AlarmTransition) and alarm.takes(each) for each in news)


async def _told(
    context: Context, what: str, ask: Callable[[], Awaitable[T]], expected: str, place: tuple[int, int] | None
) -> T | None:
    """Return what the galaxy tells of a name; None, with a notice, where this gateway has none for the key.

    Where it does not answer in time, it is unknown whether there is `what`: raise NotMet at the `place` of a line that
    checks it; without a place, as for a plan, return None, with a notice, after a shorter time.
    """
    try:
        if place is None:
            return await context.connected.brief_galaxy.answer(ask)
        async with clock.timeout(_GALAXY_SECONDS):
            return await ask()
    except TimeoutError:
        why = f"no answer within {_GALAXY_SECONDS:g} s"
    except MxGatewayError as error:
        why = str(error)
        if error.grpc_code != "DEADLINE_EXCEEDED":
            place = None
    text = f"the galaxy does not tell whether there is {what}: {why}"
    if place is not None:
        raise NotMet(
            f"expected {expected}: it is unknown: {text}", place, {"actual": [], "expected": expected, "reason": text}
        )
    context.notice(text)
    return None


async def _refuse_unknown(context: Context, alarm: AlarmName, expected: str, *, checks: bool) -> None:
    """Raise a mistake for a name that nothing in the galaxy has: it would be cleared whatever the plant does."""
    path = alarm.text.partition("!")[2] or alarm.text
    names = dict.fromkeys((path, path.partition(".")[2] if "!" in alarm.text else path))

    async def is_known() -> bool:
        places = [(name, await locate(context.connected.client, name)) for name in names if name]
        return any(
            place.found is not None and _names_something(place.found.attributes, place, name) for name, place in places
        )

    place = (alarm.word.start, alarm.word.end) if checks else None
    if await _told(context, alarm.text, is_known, expected, place) is False:
        raise alarm.word.mistake(f"the galaxy has nothing with an alarm that is called {alarm.text}")


def _names_something(attributes: Sequence[Any], place: Any, name: str) -> bool:
    """Return whether a name is an object's, an attribute's, or the beginning of an attribute's name."""
    folded = name.casefold()
    return place.is_object or any(
        f"{each.full_tag_reference.casefold()}.".startswith(f"{folded}.") for each in attributes
    )


async def _refuse_unknown_area(context: Context, feed: AlarmMonitor, area: str | None, command: str) -> None:
    """Raise a mistake for an area that the galaxy does not have: no alarm would ever be in it."""
    if area is None:
        return
    if set(area) & set("*?["):
        problem = f"{area} may match no area, and would prove nothing then: --area takes the name of one"
        raise InputError(problem, 0, len(command))
    if any(in_area(alarm, area) for alarm in feed.alarms.values()):
        return
    client, (_, dot, below) = context.connected.client, area.partition(".")

    async def looked_up() -> "tuple[GalaxyObject | None, bool]":
        found = await object_at(client, area)
        # In the path of an alarm an object is behind its area.
        is_known = (found is not None and (found.is_area or bool(dot))) or (
            bool(below) and await object_at(client, below) is not None
        )
        return found, is_known

    expected = f"no active alarm{AlarmChoice(area).text}"
    told = await _told(context, area, looked_up, expected, (0, len(command)) if command else None)
    if told is None:
        return
    found, is_known = told
    if not is_known:
        what = f"{area} is no area" if found is not None else f"the galaxy has no area {area}"
        raise InputError(f"{what}: --area takes an area, or an object with its area, Area.Object", 0, len(command))


async def _preview_no_alarm(context: Context, *, area: str | None = None, **others: object) -> Result:
    """Return how many alarms are active now."""
    await _refuse_unknown_area(context, await alarms_read(context), area, "")
    active = sum(map(is_active, (await present_alarms(context.connected)).values()))
    text = f"{counted(active, 'alarm')} active now" if active else "no alarm is active now"
    return TextResult(text, {"active": active, "planned": "look"})


@command(
    "expect-no-alarm",
    example="expect-no-alarm --area Plant",
    stream=False,
    preview=_preview_no_alarm,
    traits=CommandTraits(reads_alarms=True),
)
async def expect_no_alarm(context: Context, *, area: AreaOption = None) -> Result:
    """Check that no alarm is active now, in the whole plant or in an area.

    --area takes an area, or an object in it (Plant.Tank1). An alarm that is cleared and waits for its acknowledgement
    is not active. The gateway is asked; where it does not answer, or the alarm stream is lost, it is unknown, and the
    check fails. To watch for new alarms during a step use no-new-alarms.
    """
    feed = await alarms_read(context)
    context.live_session.checked()
    await _refuse_unknown_area(context, feed, area, "expect-no-alarm")
    choice = AlarmChoice(area)
    expected = f"no active alarm{choice.text}"
    try:
        present = await present_alarms(context.connected)
        reason = "" if feed.is_complete else f"the alarm stream is lost: {feed.error}"
    except MxGatewayError as error:
        present, reason = {}, str(error)
    active = [alarm for alarm in present.values() if is_active(alarm) and choice.takes(alarm)]
    if active or reason:
        lines = listed(active)
        actual = f"{counted(len(active), 'alarm')}: {lines[0]}" if active else f"it is unknown: {reason}"
        fields = {
            "actual": [alarm_form(each) for each in active],
            "expected": expected,
            "reason": reason or "it differs",
        }
        raise NotMet(f"expected {expected}: {actual}", (0, len("expect-no-alarm")), fields, lines[1:])
    return TextResult(expected, {"actual": [], "expected": expected}, brief="none is active")


@command(
    "no-new-alarms",
    example="no-new-alarms --area Plant",
    stream=False,
    preview=_preview_no_alarm,
    traits=CommandTraits(reads_alarms=True),
)
async def no_new_alarms(context: Context, *, area: AreaOption = None, above: CountOption = None) -> Result:
    """Watch, to the end of the step, that no alarm is raised: a check that stands.

    --area takes those of an area or an object; --above 300 those of severity 300 and more severe (1 is the most severe,
    999 the least). What was active before does not count, unless it is raised again. The step fails as soon as an alarm
    comes, with severity, time and user of each. If the alarm stream is lost meanwhile, it is unknown what came, and the
    check fails, too.
    """
    if context.is_typed:
        raise ShellError("no-new-alarms stands until its step ends, so it belongs into a file", ExitCode.USAGE)
    feed = await alarms_read(context)
    if not feed.is_complete:
        raise ShellError(f"the alarm stream is lost: {feed.error}", ExitCode.NOT_MET)
    await _refuse_unknown_area(context, feed, area, "no-new-alarms")
    choice = AlarmChoice(area, above)
    standing = context.file.standing
    started = clock.monotonic()
    present = await present_alarms(context.connected)
    standing.add(NoNewAlarms(standing.declared_by("no-new-alarms"), context.connected, choice, present, started))
    active = sum(is_active(each) and choice.takes(each) for each in present.values())
    text = f"stands until the step ends; {counted(active, 'alarm')} active now"
    return TextResult(text, {"active": active, "area": area, "above": above})


GROUP = "checks"
"""The group of help that they belong to."""
COMMANDS = (expect_alarm, expect_no_alarm, no_new_alarms)
