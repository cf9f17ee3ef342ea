"""expect, wait, watchdog: checks of the plant."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from zb_mom_ww_mxgateway.errors import MxGatewayWaitError
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway_shell.errors import InputError, NotMet
from zb_mom_ww_mxgateway_shell.feeds.condition import (
    TagCondition,
    form_of,
    lately_text,
)
from zb_mom_ww_mxgateway_shell.feeds.condition_arguments import (
    OFF,
    ExpectedValue,
    JudgedArgument,
    Operator,
    OperatorArgument,
    QualityClause,
    Subject,
    WantedArgument,
    WatchedArgument,
    first_word,
    wanted_word,
)
from zb_mom_ww_mxgateway_shell.feeds.items import in_doubt, unseen_text, values_now
from zb_mom_ww_mxgateway_shell.feeds.judgement import Judgement, judgement_of
from zb_mom_ww_mxgateway_shell.feeds.judgement_preview import preview_of
from zb_mom_ww_mxgateway_shell.language.argument_types import (
    Duration,
    Flag,
    Tolerance,
)
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import Clause, command
from zb_mom_ww_mxgateway_shell.language.comparison import Comparison
from zb_mom_ww_mxgateway_shell.language.target_types import Target, named_targets
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.standing_checks import CheckOutcome

_LATELY_SECONDS = 10.0
"""Seconds of recent samples that are reported with an unmet expectation."""

EveryClause = Annotated[bool, Flag(), Clause(leads=True)]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConditionOptions:
    """Options of a condition, in addition to the comparison."""

    every: EveryClause = False
    any_: EveryClause = False
    tol: Annotated[Token | None, Tolerance(), Clause()] = None
    quality: QualityClause = None
    age: Annotated[float | None, Duration(), Clause("<")] = None

    @property
    def quantifier(self) -> str:
        return "every" if self.every else "any" if self.any_ else ""


def _condition(subject: Subject, operator: Token, value: Token | Target, options: ConditionOptions) -> TagCondition:
    comparison = Comparison(operator, wanted_word(value), options.tol)
    # Of a group it is replaced by each of its tags.
    word = first_word(subject)
    first = subject if isinstance(subject, Target) else Target(word.value, None, word)
    other = value if isinstance(value, Target) else None
    quality, named = options.quality or "good", options.quality is not None
    return TagCondition(first, comparison, quality, options.age, other, names_quality=named)


def _check_comparison(positional: Sequence[Any], options: dict[str, Any]) -> None:
    """Raise a mistake in the comparison that does not depend on the value."""
    subject, operator, wanted = positional
    word = first_word(subject)
    Comparison(operator, wanted_word(wanted), options.get("tol")).check()
    hold, timeout, not_before = options.get("hold", 0.0), options.get("timeout", math.inf), options.get("not_", 0.0)
    if isinstance(wanted, Target) and isinstance(subject, Target) and tag_key(wanted.tag) == tag_key(subject.tag):
        raise wanted.word.mistake(f"{subject.tag} would be compared with itself, which proves nothing")
    if options.get("every") and options.get("any_"):
        raise word.mistake("every and any exclude each other")
    if hold >= timeout:
        raise word.mistake(f"hold {hold:g} s cannot end within timeout {timeout:g} s")
    if not_before >= timeout:
        raise word.mistake(f"not before {not_before:g} s leaves no time before timeout {timeout:g} s")
    if not_before and options.get("now"):
        raise word.mistake("now and not before exclude each other: the value held may be from any time")
    if (hold or options.get("for_")) and options.get("age") is not None:
        what = "hold" if hold else "for"
        raise word.mistake(f"{what} and age exclude each other: a held value grows older")


async def _preview_check(
    context: Context,
    subject: Subject,
    operator: Token,
    value: Token | Target,
    *,
    options: ConditionOptions,
    **waiting: Any,
) -> Result:
    """Return whether the condition holds now, or would after the writes that the plan has so far."""
    return preview_of(context, await _judgement(context, subject, operator, value, options))


async def _judgement(
    context: Context, subject: Subject, operator: Token, value: Token | Target, options: ConditionOptions
) -> Judgement:
    condition = _condition(subject, operator, value, options)
    return await judgement_of(context, condition, subject, options.quantifier)


def _with_recent_values(error: NotMet, context: Context, item: Item) -> NotMet:
    """Return the error, with the values of the last seconds that this shell has seen."""
    seen = context.connected.history.of(item.key, clock.monotonic() - _LATELY_SECONDS)
    values = [value for event in seen.events if (value := LiveValue.of(event, item.tag, 0)) is not None]
    if text := lately_text(values, _LATELY_SECONDS):
        is_whole = not any(mark.kind in ("gap", "dropped") for mark in seen.marks)
        doubt = "" if is_whole else "; other values may have been lost"
        error.details.append(f"during the last {_LATELY_SECONDS:g} s: {text}{doubt}")
    error.fields["values"] = [form_of(value) for value in values]
    return error


async def _judged_now(context: Context, judgement: Judgement) -> None:
    """Take in what has arrived, and raise NotMet unless the condition is met then."""
    items = judgement.items
    values = dict(zip((item.key for item in items), await values_now(context, items), strict=True))
    now = judgement.with_values(values)
    if now.is_met():
        return
    error = now.not_met()
    if judgement.named is None:
        (member,) = judgement.members
        error.details += [f"it {unseen}" for unseen in [unseen_text(context, member.item)] if unseen]
        error = _with_recent_values(error, context, member.item)
    raise error


@command(
    "expect",
    example="expect TestChildObject.TestInt >= 0",
    stream=False,
    check=_check_comparison,
    preview=_preview_check,
    traits=CommandTraits(judges="now", advises=named_targets, lasts=lambda given: given.options.get("for_")),
)
async def expect(
    context: Context,
    tag: JudgedArgument,
    operator: OperatorArgument,
    value: WantedArgument,
    *,
    options: ConditionOptions,
    for_: Annotated[float, Duration(), Clause()] = 0.0,
) -> Result | Feed:
    """Check the present value; if it is not as expected, a file stops, or counts a failure.

    Numbers and times compare with = != < <= > >=, and may differ by tol: a number, 2% of the wanted value, or for
    times a duration. `within 5..10` has both limits in it, `in [1, 2, 3]` is one of a list. = is exact for whole
    numbers, texts and times; a real must be as near as the tag's type can tell. Texts compare with = and !=, or match
    a regular expression with ~ (best in single quotes; no look-around, no back-references). Put a text that is the
    name of a tag in quotes; tag:Plant.B is the value that Plant.B has. Arrays compare whole, [1, 2, 3]; Obj.Arr[1] is
    one element.

    The quality must be good unless `quality bad`, `uncertain` or `any` is given, and `age < 5s` asks for a recent
    value. A value that is stale, null or not a number never meets an expectation, unless null or nan is expected.
    After a write a tag gets a second to show its new value; for effects of the write elsewhere use wait.

    `for 10s` expects it for ten seconds from now on: the first value that breaks it fails, and so does a time for
    which the value is unknown. `expect every Plant.*.Running = true` is about all tags of a glob or a saved list, `any`
    about one of them; a glob that matches no tag fails.
    """
    judgement = await _judgement(context, tag, operator, value, options)
    if for_:
        judgement.refuse_buffered()
    try:
        await _judged_now(context, judgement)
    finally:
        context.live_session.checked()
    if for_:
        from zb_mom_ww_mxgateway_shell.feeds.vigil import HoldFeed

        return HoldFeed(context.connected, judgement, for_)
    return TextResult(
        f"{judgement.text}: {judgement.described}", judgement.fields(), judgement.value, brief=judgement.described
    )


@command(
    "wait",
    example="wait Plant.Tank1.Level > 0 timeout 10s",
    stream=False,
    check=_check_comparison,
    preview=_preview_check,
    traits=CommandTraits(judges="until", advises=named_targets, lasts=lambda given: given.options.get("timeout")),
)
async def wait(
    context: Context,
    tag: JudgedArgument,
    operator: OperatorArgument,
    value: WantedArgument,
    *,
    options: ConditionOptions,
    now: Annotated[bool, Flag(), Clause()] = False,
    hold: Annotated[float, Duration(), Clause()] = 0.0,
    timeout: Annotated[float, Duration(), Clause()],
    not_: Annotated[float, Duration(), Clause("before")] = 0.0,
) -> Result | Feed:
    """Wait until a value meets a condition, on the event stream: no change is missed.

    It compares as expect does. Only new values count: changes since the first write that was sent after the last
    check, or from now on if nothing was written. No clock decides that, so the first value of a newly followed tag
    is not new: it may be from any time. In a file the tags of later waits are advised before a write is sent. A value
    that came since that write and is over counts, too, but not for `hold`. `now` lets the present value count. Of
    `every` tag of a glob or a list, and of two tags, one value must be new.

    `hold 2s` requires the condition for two seconds without a break. `not before 1.5s` fails if it is met earlier
    after that write, or after the wait began: a valve that closes too fast. There is always a timeout; when it ends,
    the error shows the values seen, and what broke a hold.
    """
    live, started = context.live_session, clock.monotonic()
    condition = _condition(tag, operator, value, options)
    try:
        # Process what has arrived: it is not new.
        mark = None if now else await live.fresh_mark(timeout=timeout)
    except MxGatewayWaitError as error:
        item = tag.item if isinstance(tag, Target) else None
        held = live.latest(*item.key) if item else None
        raise condition.not_met(held and in_doubt(held, started), str(error)) from None
    judgement = await judgement_of(context, condition, tag, options.quantifier, await_values=False)
    from zb_mom_ww_mxgateway_shell.feeds.wait import WaitFeed

    return WaitFeed(context.connected, judgement, timeout, started, hold, mark, not_)


def _check_watchdog(positional: Sequence[Any], options: dict[str, Any]) -> None:
    """Raise a mistake in a line that is neither a condition nor ``off``."""
    subject = positional[0]
    is_off = isinstance(subject, Token) and subject.text == OFF
    if is_off and (len(positional) > 1 or options):
        raise subject.mistake(f"nothing follows {OFF}")
    if is_off:
        return
    if len(positional) < 3:
        place = subject.place if isinstance(subject, Target) else (0, len("watchdog"))
        raise InputError("a condition is expected: watchdog TAG OPERATOR VALUE", *place)
    if options.get("age") is not None:
        raise positional[1].mistake("a watchdog judges values as they come, so it has no age")
    _check_comparison(positional, options)


async def _preview_watchdog(
    context: Context,
    subject: Subject,
    operator: Token | None = None,
    value: Token | Target | None = None,
    *,
    options: ConditionOptions,
) -> Result:
    """Return whether the condition holds now."""
    if operator is None or value is None:
        return TextResult("would end the watchdogs", {"planned": "look"})
    return await _preview_check(context, subject, operator, value, options=options)


@command(
    "watchdog",
    example="watchdog Plant.Tank1.Level < 95",
    stream=False,
    check=_check_watchdog,
    preview=_preview_watchdog,
    traits=CommandTraits(advises=named_targets),
)
async def watchdog(
    context: Context,
    tag: WatchedArgument,
    operator: Annotated[Token | None, Operator()] = None,
    value: Annotated[Token | Target | None, ExpectedValue()] = None,
    *,
    options: ConditionOptions,
) -> Result:
    """Watch a condition to the end of the step, or of the file: every value has to meet it, as it comes.

    It compares as expect does, and has to be met now. The first break fails with the value and the time, in an entry
    of its own, even if the value is back when the line ends. A time for which a value is unknown (it is stale, events
    were lost) is a break, too. Where it held, the end of the step reports the lowest and the highest value. At the
    prompt it reports a break at once. It ends with `watchdog off`, and at the prompt with the next step, too.
    """
    from zb_mom_ww_mxgateway_shell.feeds.watchdog import Watchdog

    if operator is None or value is None:
        return _called_off(await context.file.standing.end(of=Watchdog))
    judgement = await _judgement(context, tag, operator, value, options)
    judgement.refuse_buffered()
    await _judged_now(context, judgement)
    context.file.standing.add(Watchdog(context, context.connected, judgement))
    fields = {**judgement.fields(), "watches": True}
    return TextResult(f"watching: {judgement.text}", fields, brief=f"watching, {judgement.described}")


def _called_off(outcomes: Sequence[CheckOutcome]) -> Result:
    """Return what watchdogs saw that end before their step; raise the break of the first that is broken."""
    lines: list[str] = []
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
        lines += [] if outcome.result is None else outcome.result.lines()
    return TextResult("\n".join(lines) or "no watchdog watches", {"ended": lines})


COMMANDS = (expect, wait, watchdog)
