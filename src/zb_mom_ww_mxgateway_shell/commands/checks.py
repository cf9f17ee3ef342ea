"""expect, wait, capture: checks of the plant."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from zb_mom_ww_mxgateway.errors import MxGatewayWaitError
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import value_form, value_text
from zb_mom_ww_mxgateway_shell.errors import NotMet
from zb_mom_ww_mxgateway_shell.feeds.condition import QUALITIES, TagCondition, described, form_of, has_nan, lately_text
from zb_mom_ww_mxgateway_shell.feeds.items import ensure, in_doubt, unseen_text, value_now
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
from zb_mom_ww_mxgateway_shell.language.target_types import Target, TargetArgument, named_targets, target_type
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import NotYetKnown, is_plain
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context, context_of

_LATELY_SECONDS = 10.0
"""Seconds of recent samples that are reported with an unmet expectation."""


class Operator(ArgumentType):
    """Comparison operator."""

    name = "operator"

    def parse(self, word: Token, context: Scope) -> Token:
        if word.text not in OPERATORS:
            hint = {"==": "; write =", "<>": "; write !=", "=>": "; write >=", "=<": "; write <="}
            raise word.mistake(f"one of {' '.join(OPERATORS)} expected here{hint.get(word.text, '')}")
        return word

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(each) for each in OPERATORS if each.startswith(prefix)]


class ExpectedValue(ArgumentType):
    """Value to compare with; its reading depends on the tag's value."""

    name = "value"

    def parse(self, word: Token, context: Scope) -> Token:
        is_bare = not word.is_quoted and not word.is_array
        if is_bare and (context.find_item(word.text) or context.catalogue.kind_of(word.text)):
            refuse_tag(word)
        return word

    def refined_by(self, given: Mapping[str, Any], context: Scope) -> ArgumentType:
        known = target_type(given, context)
        return TypedExpectedValue(known[1]) if known else self


class TypedExpectedValue(ExpectedValue):
    """Value to compare with a tag of known type."""

    def __init__(self, known: TagType) -> None:
        self.name = known.title
        self._known = known

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(each) for each in self._known.choices if each.startswith(prefix)]


OperatorArgument = Annotated[Token, Operator()]
WantedArgument = Annotated[Token, ExpectedValue()]
QualityClause = Annotated[str, OneWord("|".join(QUALITIES), QUALITIES), Clause()]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConditionOptions:
    """Options of a condition, in addition to the comparison."""

    tol: Annotated[Token | None, Tolerance(), Clause()] = None
    quality: QualityClause = "good"
    age: Annotated[float | None, Duration(), Clause("<")] = None


def _condition(tag: Target, operator: Token, value: Token, options: ConditionOptions) -> TagCondition:
    return TagCondition(tag, Comparison(operator, value, options.tol), options.quality, options.age)


def _check_comparison(positional: Sequence[Any], options: dict[str, Any]) -> None:
    """Raise a mistake in the comparison that does not depend on the value."""
    target, operator, wanted = positional
    Comparison(operator, wanted, options.get("tol")).check()
    hold, timeout = options.get("hold", 0.0), options.get("timeout", math.inf)
    if hold >= timeout:
        raise target.word.mistake(f"hold {hold:g} s cannot end within timeout {timeout:g} s")
    if hold and options.get("age") is not None:
        raise target.word.mistake("hold and age exclude each other: a held value grows older")


async def _preview_check(
    context: Context,
    tag: Target,
    operator: Token,
    value: Token,
    *,
    options: ConditionOptions,
    **waiting: Any,
) -> Result:
    """Return whether the condition holds now, or would after the writes that the plan has so far."""
    (item,) = await ensure(context, [tag], None)
    condition = _condition(tag, operator, value, options)
    now = context.live_session.latest(*item.key)
    foreseen = context.file.planned.foreseen(item.tag, now)
    found, by = foreseen.value, foreseen.by
    reason = condition.miss(found)
    fields: dict[str, Any] = {"actual": form_of(now), "expected": condition.text, "planned": "look"}
    if by is not None and foreseen.is_known:
        state = f"would {'not ' if reason else ''}hold after the write of {by.by}"
        shown = value_text(found.value if found else None)
        fields |= {"after": by.by, "holds_then": not reason, "then": value_form(found.value if found else None)}
    else:
        state = "holds now" if not reason else "does not hold now" if reason == "it differs" else f"not now: {reason}"
        shown = described(found)
        fields["holds_now"] = not reason
        if by is not None or foreseen.after:
            why = f"{by.by} writes what only the run knows" if by else f"after {foreseen.after} it depends on the plant"
            shown = f"{shown}; {why}"
            fields["depends"] = why
    return TextResult(f"{condition.text}: {state}, it is {shown}", fields, brief=f"{state}: {shown}")


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


@command(
    "expect",
    example="expect TestChildObject.TestInt >= 0",
    stream=False,
    check=_check_comparison,
    preview=_preview_check,
    traits=CommandTraits(judges="now", advises=named_targets),
)
async def expect(
    context: Context,
    tag: TargetArgument,
    operator: OperatorArgument,
    value: WantedArgument,
    *,
    options: ConditionOptions,
) -> Result:
    """Check the present value; if it is not as expected, a file stops, or counts a failure.

    Numbers and times compare with = != < <= > >=, and may differ by tol (a number; for times a duration). = is
    exact for whole numbers, texts and times; a real must be as near as the tag's type can tell. Texts compare with
    = and !=, or match a regular expression with ~ (best in single quotes; no look-around, no back-references). Put
    a text that is the name of a tag in quotes. Arrays compare whole, [1, 2, 3]; Obj.Arr[1] is one element.

    The quality must be good unless `quality bad`, `uncertain` or `any` is given, and `age < 5s` asks for a recent
    value. A value that is stale, null or not a number never meets an expectation, unless null or nan is expected.
    After a write a tag gets a second to show its new value; for effects of the write elsewhere use wait.
    """
    (item,) = await ensure(context, [tag], None)
    condition = _condition(tag, operator, value, options)
    found = await value_now(context, item)
    context.live_session.checked()
    reason = condition.miss(found)
    if reason:
        error = condition.not_met(found, reason)
        error.details += [f"it {unseen}" for unseen in [unseen_text(context, item)] if unseen]
        raise _with_recent_values(error, context, item)
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
    check=_check_comparison,
    preview=_preview_check,
    traits=CommandTraits(judges="until", advises=named_targets),
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
    """Wait until a value meets a condition, on the event stream: no change is missed.

    It compares as expect does. Only new values count: changes since the first write that was sent after the last
    check, or from now on if nothing was written. No clock decides that, so the first value of a newly followed tag
    is not new: it may be from any time. In a file the tags of later waits are advised before a write is sent. `now`
    lets the present value count, too. `hold 2s` requires the condition for two seconds without a break. There is
    always a timeout; when it ends, the error shows the values seen, and what broke a hold.
    """
    live, started = context.live_session, clock.monotonic()
    condition = _condition(tag, operator, value, options)
    try:
        # Process what has arrived: it is not new.
        mark = None if now else await live.fresh_mark(timeout=timeout)
    except MxGatewayWaitError as error:
        held = live.latest(*tag.item.key) if tag.item else None
        raise condition.not_met(held and in_doubt(held, started), str(error)) from None
    (item,) = await ensure(context, [tag], None, await_values=False)
    from zb_mom_ww_mxgateway_shell.feeds.wait import WaitFeed

    return WaitFeed(live, item, condition, timeout, started, hold, mark)


def _expect_name(scope: Scope, given: Sequence[Any]) -> None:
    context = context_of(scope)
    if given[0] not in context.given_names:
        context.names[given[0]] = NotYetKnown()


async def _preview_capture(context: Context, name: str, equals: str, tag: Target, **options: Any) -> Result:
    """Capture the value that the plan has written by then, else the present one: the run may find another."""
    (item,) = await ensure(context, [tag], None)
    foreseen = context.file.planned.foreseen(item.tag, context.live_session.latest(*item.key))
    if foreseen.by is None:
        result = await capture.run(context, name, equals, tag, **options)
        assert isinstance(result, TextResult)
        return result
    is_given = name in context.given_names
    if not foreseen.is_known or foreseen.value is None or not is_plain(foreseen.value.value):
        if not is_given:
            context.names[name] = NotYetKnown()
        return TextResult(f"{name} is known in the run only: {foreseen.by.by} writes {item.tag}", {"name": name})
    held = foreseen.value.value
    if not is_given:
        context.names[name] = list(held) if isinstance(held, list) else held
        context.file.planned.run_names.discard(name)
    text = f"{name} = {value_text(held)} after the write of {foreseen.by.by}"
    return TextResult(text, {"after": foreseen.by.by, "name": name, "value": value_form(held)}, held)


@command(
    "capture",
    example="capture level = Plant.Tank1.Level",
    stream=False,
    preview=_preview_capture,
    traits=CommandTraits(checked_effect=_expect_name, sets_name=True, reads_plant=True, advises=named_targets),
)
async def capture(
    context: Context,
    name: Annotated[str, NewName()],
    equals: Annotated[str, Sign("=")],
    tag: TargetArgument,
    *,
    quality: QualityClause = "good",
) -> Result:
    """Keep the present value of a tag under a name: from then on `$name` stands for it.

    A value that is stale, null, not a number, or not of the requested quality is refused.
    """
    (item,) = await ensure(context, [tag], None)
    found = await value_now(context, item)
    reason = ""
    if found is None or found.value is None:
        reason = "it has no value"
    elif found.stale_since is not None:
        reason = "the value is stale"
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
        context.notice(f"{item.tag} {unseen}: the captured value is from before the write")
    held = list(found.value) if isinstance(found.value, list) else found.value
    if name in context.given_names:
        context.notice(f"${name} keeps its value from --var")
    else:
        context.names[name] = held
    return TextResult(
        f"{name} = {described(found)}", {"actual": form_of(found), "name": name, "value": value_form(held)}, held
    )


COMMANDS = (expect, wait, capture)
