"""expect, wait, capture: what the plant is to be like."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from zb_mom_ww_mxgateway.errors import MxGatewayWaitError
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import value_form
from zb_mom_ww_mxgateway_shell.commands.values import ensure, in_doubt, unseen_text, value_now
from zb_mom_ww_mxgateway_shell.errors import NotMet
from zb_mom_ww_mxgateway_shell.feeds.condition import QUALITIES, Condition, described, form_of, has_nan, lately_text
from zb_mom_ww_mxgateway_shell.language.argument_types import (
    ArgumentType,
    Duration,
    Flag,
    NewName,
    OneWord,
    Sign,
    Suggestion,
    Tolerance,
)
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import Clause, command
from zb_mom_ww_mxgateway_shell.language.comparison import OPERATORS, Comparison, refuse_tag
from zb_mom_ww_mxgateway_shell.language.literals import TagType
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import Target, TargetArgument, target_type
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import NotYetKnown, is_plain
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context, context_of

_LATELY_SECONDS = 10.0
"""So much of what was seen is told with an expectation that is not met."""


class Operator(ArgumentType):
    """How a value is compared."""

    name = "operator"

    def parse(self, word: Token, context: Scope) -> Token:
        if word.text not in OPERATORS:
            hint = {"==": "; = is meant", "<>": "; != is meant", "=>": "; >= is meant", "=<": "; <= is meant"}
            raise word.mistake(f"one of {' '.join(OPERATORS)} is expected here{hint.get(word.text, '')}")
        return word

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(each) for each in OPERATORS if each.startswith(prefix)]


class ExpectedValue(ArgumentType):
    """What a value is compared with: how it is read depends on the value."""

    name = "value"

    def parse(self, word: Token, context: Scope) -> Token:
        is_bare = not word.is_quoted and not word.is_array
        if is_bare and (context.find_item(word.text) or context.catalogue.kind_of(word.text)):
            refuse_tag(word)
        return word

    def refined_by(self, given: Mapping[str, Any], context: Scope) -> ArgumentType:
        known = target_type(given, context)
        return WantedOf(known[1]) if known else self


class WantedOf(ExpectedValue):
    """The same of a tag whose type is known."""

    def __init__(self, known: TagType) -> None:
        self.name = known.said
        self._known = known

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(each) for each in self._known.choices if each.startswith(prefix)]


OperatorArgument = Annotated[Token, Operator()]
WantedArgument = Annotated[Token, ExpectedValue()]
QualityClause = Annotated[str, OneWord("|".join(QUALITIES), QUALITIES), Clause()]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConditionOptions:
    """What a condition asks for besides the comparison."""

    tol: Annotated[Token | None, Tolerance(), Clause()] = None
    quality: QualityClause = "good"
    age: Annotated[float | None, Duration(), Clause("<")] = None


def _condition(tag: Target, operator: Token, value: Token, options: ConditionOptions) -> Condition:
    return Condition(tag, Comparison(operator, value, options.tol), options.quality, options.age)


def _compared(positional: Sequence[Any], options: dict[str, Any]) -> None:
    """What is wrong with what is asked for whatever the value will be."""
    target, operator, wanted = positional
    Comparison(operator, wanted, options.get("tol")).check()
    hold, timeout = options.get("hold", 0.0), options.get("timeout", math.inf)
    if hold >= timeout:
        raise target.word.mistake(f"{hold:g} s without a break are never over within {timeout:g} s")
    if hold and options.get("age") is not None:
        raise target.word.mistake("hold and age exclude each other: a value that is held grows older")


async def _foresee(
    context: Context,
    tag: Target,
    operator: Token,
    value: Token,
    *,
    options: ConditionOptions,
    **waiting: Any,
) -> Result:
    """How an expectation stands before anything is written."""
    (item,) = await ensure(context, [tag], None)
    condition = _condition(tag, operator, value, options)
    found = context.live_session.latest(*item.key)
    reason = condition.miss(found)
    stands = "holds now" if not reason else "does not hold now" if reason == "it differs" else f"not now: {reason}"
    return TextResult(
        f"{condition.text}: {stands}, it is {described(found)}",
        {"actual": form_of(found), "expected": condition.text, "holds_now": not reason, "planned": "look"},
        brief=f"{stands}: {described(found)}",
    )


def _with_what_was_seen(error: NotMet, context: Context, item: Item) -> NotMet:
    """The error, with the values of the last seconds as far as this shell has seen them."""
    seen = context.connected.history.of(item.key, clock.monotonic() - _LATELY_SECONDS)
    values = [value for event in seen.events if (value := LiveValue.of(event, item.tag, 0)) is not None]
    if text := lately_text(values, _LATELY_SECONDS):
        is_whole = not any(mark.kind in ("gap", "dropped") for mark in seen.marks)
        doubt = "" if is_whole else "; more may have come that was lost"
        error.details.append(f"during the last {_LATELY_SECONDS:g} s: {text}{doubt}")
    error.fields["values"] = [form_of(value) for value in values]
    return error


@command(
    "expect",
    example="expect TestChildObject.TestInt >= 0",
    stream=False,
    check=_compared,
    preview=_foresee,
    traits=CommandTraits(judges="now"),
)
async def expect(
    context: Context,
    tag: TargetArgument,
    operator: OperatorArgument,
    value: WantedArgument,
    *,
    options: ConditionOptions,
) -> Result:
    """Checks a value as it is now: a file stops, or counts a failure, where it is not as expected.

    Numbers and times compare with = != < <= > >=, and may differ by tol (a number; for times a duration).
    = is exact for whole numbers, texts and times, for a real as near as the tag's type can tell. Texts compare
    with = and !=, or match a regular expression with ~ (best in single quotes; it may not look around or refer
    back). The bare name of a tag is no text: put it in quotes. Arrays compare whole, [1, 2, 3]; Obj.Arr[1] is
    one element. The quality must be good unless `quality bad`, `uncertain`
    or `any` says otherwise, and `age < 5s` asks for a recent value. A value that is stale, null or not a
    number never meets an expectation, unless null or nan is what is asked for. A tag that has just been
    written gets a second to show its new value; for what a write changes elsewhere use wait.
    """
    (item,) = await ensure(context, [tag], None)
    condition = _condition(tag, operator, value, options)
    found = await value_now(context, item)
    context.live_session.checked()
    reason = condition.miss(found)
    if reason:
        error = condition.not_met(found, reason)
        error.details += [f"it {unseen}" for unseen in [unseen_text(context, item)] if unseen]
        raise _with_what_was_seen(error, context, item)
    assert found is not None
    return TextResult(
        f"{condition.text}: {described(found)}",
        {"actual": form_of(found), "expected": condition.text},
        found.value,
        brief=described(found),
    )


@command(
    "wait",
    example="wait Plant.Tank1.Level > 0 timeout 10s",
    stream=False,
    check=_compared,
    preview=_foresee,
    traits=CommandTraits(judges="until"),
)
async def wait(
    context: Context,
    tag: TargetArgument,
    operator: OperatorArgument,
    value: WantedArgument,
    *,
    options: ConditionOptions,
    now: Annotated[bool, Flag(), Clause()] = False,
    hold: Annotated[float, Duration(), Clause()] = 0.0,
    timeout: Annotated[float, Duration(), Clause()],
) -> Result | Feed:
    """Waits until a value meets a condition, on the event stream: no change of it is missed.

    Compares as expect does. Only new values count: changes that were seen since the first of the writes
    that were sent after the last check, or from now on where nothing was written. No clock decides that, so
    the first value of a tag that nobody followed before is not new: it may be from any time. In a file the
    tags of the waits that follow are advised before a write is sent. `now` lets the value as it stands
    count, too. `hold 2s` wants it so for two seconds without a break. There is always a timeout; when it is
    over, the values seen are shown, and of a hold what broke it.
    """
    live, started = context.live_session, clock.monotonic()
    condition = _condition(tag, operator, value, options)
    try:
        # What has arrived before is seen, and so is not new.
        mark = None if now else await live.fresh_mark(timeout=timeout)
    except MxGatewayWaitError as error:
        held = live.latest(*tag.item.key) if tag.item else None
        raise condition.not_met(held and in_doubt(held, started), str(error)) from None
    (item,) = await ensure(context, [tag], None, await_values=False)
    from zb_mom_ww_mxgateway_shell.feeds.wait import Waiting

    return Waiting(live, item, condition, timeout, started, hold, mark)


def _expect_name(scope: Scope, given: Sequence[Any]) -> None:
    context = context_of(scope)
    if given[0] not in context.given_names:
        context.names[given[0]] = NotYetKnown()


@command(
    "capture",
    example="capture level = Plant.Tank1.Level",
    stream=False,
    traits=CommandTraits(checked_effect=_expect_name, sets_name=True, reads_plant=True),
)
async def capture(
    context: Context,
    name: Annotated[str, NewName()],
    equals: Annotated[str, Sign("=")],
    tag: TargetArgument,
    *,
    quality: QualityClause = "good",
) -> Result:
    """Keeps the value of a tag as it is now under a name: `$name` stands for it from then on.

    A value that is stale, null, not a number, or not of the quality asked for is not kept.
    """
    (item,) = await ensure(context, [tag], None)
    found = await value_now(context, item)
    reason = ""
    if found is None or found.value is None:
        reason = "there is no value"
    elif found.stale_since is not None:
        reason = "nobody knows whether the value still holds"
    elif quality not in ("any", found.quality_word):
        reason = f"the quality is {found.quality_word}"
    elif has_nan(found.value):
        reason = "it is not a number"
    elif not is_plain(found.value):
        reason = "it is not a plain value"
    if found is None or reason:
        message = f"{item.tag} is not captured, it is {described(found)}: {reason}"
        raise NotMet(message, tag.place, {"actual": form_of(found), "reason": reason})
    if unseen := unseen_text(context, item):
        context.notice(f"{item.tag} {unseen}: what is kept is the value from before")
    held = list(found.value) if isinstance(found.value, list) else found.value
    if name in context.given_names:
        context.notice(f"${name} stays as --var gave it")
    else:
        context.names[name] = held
    return TextResult(
        f"{name} = {described(found)}", {"actual": form_of(found), "name": name, "value": value_form(held)}, held
    )


COMMANDS = (expect, wait, capture)
