"""limits: what may be written to a tag, and whether the limits file does what it says."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal as OneOf

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted, safe, value_form, value_text
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.argument_types import ArgumentType, FileName, OneWord
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.literals import Literal
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import TAG, Value
from zb_mom_ww_mxgateway_shell.language.variables import plain_value
from zb_mom_ww_mxgateway_shell.output.results import Result, Table, TextResult, table_lines
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.live.values import LiveValue
    from zb_mom_ww_mxgateway.safety.limits import Limits, Rule
    from zb_mom_ww_mxgateway.safety.selection import RuleVerdict
    from zb_mom_ww_mxgateway.safety.write_rules import WriteRules


class LimitsSubject(ArgumentType):
    """The tag that is checked, or the file whose examples are run."""

    name = "tag|file"

    def refined_by(self, given: Mapping[str, Any], context: Scope) -> ArgumentType:
        return {"check": TAG, "test": FileName()}.get(given.get("action", ""), self)


def _check(positional: Sequence[Any], options: dict[str, Any]) -> None:
    """Raise a mistake of what is combined with what."""
    action, *rest = positional or [None]
    if action == "check" and not rest:
        raise ShellError("limits check needs a tag: limits check TAG [VALUE]")
    if action == "test" and len(rest) > 1:
        raise ShellError("limits test takes one file")
    if action == "test" and options.get("file"):
        raise ShellError("limits test takes its file without --file: limits test FILE")


@command("limits", example="limits test limits.toml", needs_session=False, stands_alone=True, check=_check)
async def limits(
    context: Context,
    action: Annotated[OneOf["check", "test"] | None, OneWord("check|test", ("check", "test"))] = None,
    subject: Annotated[str | None, LimitsSubject()] = None,
    value: Annotated[Literal | None, Value()] = None,
    *,
    file: Annotated[str | None, FileName()] = None,
) -> Result:
    """Show the limits of writes, or say what they let through.

    limits names the file of this connection, how many rules it has, and what holds for tags that no rule names.

    limits check TAG says which rule applies to a tag and why, its parts, and how they judge the present value. With a
    VALUE it says whether that would be let through now, and fails if it would not; nothing is written. Like a write it
    adds and advises the tag, and those of its guards.

    limits test [FILE] runs the examples in the file, and fails if one does not come out as it says.

    The limits are those of the connection, from its profile or --limits; --file FILE checks by another file. Without a
    connection, present values are unknown, and what is judged by them is refused.
    """
    if action == "test":
        return _tested(_limits(context, subject))
    if action == "check":
        assert subject is not None
        return await _checked(context, _limits(context, file), subject, value)
    return _described(_limits(context, file))


def _limits(context: Context, file: str | None) -> "Limits":
    """Return the limits of a file, or those of the connection; raise LimitsError or ShellError."""
    from zb_mom_ww_mxgateway.safety.limits_file import LimitsError, read_limits  # Lazy: most runs never need them.
    from zb_mom_ww_mxgateway.safety.limits_watch import LimitsFile

    if file is None and context.current is None:
        file = context.write_terms.consent.limits
    if file is not None:
        return read_limits(Path(file))
    kept = context.current.desk.rules.limits if context.current else None
    if kept is None:
        raise ShellError("there are no limits: --limits FILE, or limits = 'FILE' in a profile", ExitCode.USAGE)
    assert isinstance(kept, LimitsFile)
    kept.refusal()  # A file that has changed is read again.
    if kept.limits.problem:
        raise LimitsError(kept.limits.problem)
    return kept.limits


def _described(limits: "Limits") -> Result:
    return TextResult(
        f"{limits.text}; {counted(len(limits.examples), 'example')}",
        {
            "examples": len(limits.examples),
            "file": limits.name,
            "rules": len(limits.rules),
            "unlisted": limits.unlisted,
        },
    )


# Examples.


@dataclass(frozen=True, slots=True)
class ExampleTable(Table):
    """A table of examples; it fails if one does not come out as it says."""

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.DONE if all(each["ok"] for each in self.records) else ExitCode.NOT_MET

    def problems(self) -> list[str]:
        """Return a line for each example that does not come out as it says."""
        return [
            f"{each['place']}: {each['write']} is to be {each['said']}, but: {each['outcome']}"
            for each in self.records
            if not each["ok"]
        ]


def _tested(limits: "Limits") -> Result:
    results = [each.run(limits) for each in limits.examples]
    records: list[dict[str, Any]] = [
        {
            "ok": each.is_as_said,
            "place": each.example.source,
            "write": each.example.text,
            "said": each.example.said,
            "outcome": each.outcome,
        }
        for each in results
    ]
    return ExampleTable(
        ("", "place", "write", "is to be", "outcome"),
        [["ok" if each["ok"] else "WRONG", *list(each.values())[1:]] for each in records],
        records,
        empty=f"{limits.name} has no examples: [[examples]] begins one",
        columns=("ok", "place", "write", "said", "outcome"),
    )


# One tag.


@dataclass(frozen=True, slots=True)
class LimitsOfTag(TextResult):
    """What the limits say of a tag, and of a value for it."""

    refusals: tuple[str, ...] = ()
    """Why the value would not be let through."""

    def problems(self) -> list[str]:
        """Return the refusals, a line each."""
        return [safe(each) for each in self.refusals]


async def _checked(context: Context, limits: "Limits", tag: str, literal: Literal | None) -> Result:
    rule = limits.rule_for(tag)
    if rule is None:
        refusal = limits.unlisted_refusal(tag)
        text = refusal or f'no rule of {limits.name} names {tag}: it may be written, by unlisted = "allow"'
        fields: dict[str, Any] = {"allowed": not refusal, "rule": None, "tag": tag, "verdicts": []}
        code = _code(is_asked=literal is not None, is_allowed=not refusal)
        return LimitsOfTag(text, fields, exit_code=code, refusals=(refusal,) if refusal else ())
    others = limits.rules_naming(tag)[1:]
    rules = await _rules(context, rule, tag)
    old = rules.values.latest(tag) if rules and rules.values else None
    known = context.type_of(tag, context.find_item(tag))
    if literal is not None:
        value = literal.for_tag(tag, known) if known else plain_value(literal.word)
    else:
        value = old.value if old else None
    is_judged = literal is not None or old is not None
    verdicts = _verdicts(rules, rule, tag, value, old) if is_judged else []
    is_allowed = all(each.is_met for each in verdicts)
    lines = [f"{tag}: {_why(rule, others)}", *table_lines(("part", ""), rule.parts())[1:]]
    now = f" (now {value_text(old.value)})" if old and literal else ""
    if is_judged:
        outcome = "would be let through" if is_allowed else "would be REFUSED"
        lines += [f"{value_text(value)}{now} {outcome}:"]
        lines += [f"  {'ok     ' if each.is_met else 'REFUSED'}  {each.text}" for each in verdicts]
    else:
        lines += ["the present value is unknown: limits check TAG VALUE judges a value"]
    return LimitsOfTag(
        "\n".join(lines),
        {
            "allowed": is_allowed if is_judged else None,
            "old": value_form(old.value) if old else None,
            "rule": {
                "parts": [{"name": name, "value": text} for name, text in rule.parts()],
                "source": rule.source,
                "tags": rule.glob.text,
            },
            "tag": tag,
            "value": value_form(value),
            "verdicts": [{"met": each.is_met, "rule": each.rule, "text": each.text} for each in verdicts],
        },
        exit_code=_code(is_asked=literal is not None, is_allowed=is_allowed),
        refusals=tuple(f"{tag}: {each.text}" for each in verdicts if not each.is_met),
    )


def _code(*, is_asked: bool, is_allowed: bool) -> ExitCode:
    return ExitCode.NOT_MET if is_asked and not is_allowed else ExitCode.DONE


def _why(rule: "Rule", others: "Sequence[Rule]") -> str:
    """Return which rule applies, and why it is that one."""
    found = f'rule "{rule.glob}" ({rule.source}) applies'
    if not others:
        return f"{found}; no other rule names the tag"
    further = ", ".join(f'"{each.glob}" ({each.source})' for each in others)
    closer = "an exact name is closer than" if rule.glob.is_exact else "it has more letters than"
    return f"{found}: {closer} {further}"


async def _rules(context: Context, rule: "Rule", tag: str) -> "WriteRules | None":
    """Return what the connection judges by, with the values of a tag and of its guards; None without a connection."""
    if context.current is None:
        return None
    rules = context.current.desk.rules
    with suppress(MxGatewayError, ShellError):
        await context.current.settled()  # Without it there are no values, and each part says so.
    if rules.values is not None:
        await rules.values.prepare([tag, *(name for guard in rule.guards for name in guard.tags)])
    return rules


def _verdicts(
    rules: "WriteRules | None", rule: "Rule", tag: str, value: Any, old: "LiveValue | None"
) -> "list[RuleVerdict]":
    """Judge a value as a write is judged."""
    from zb_mom_ww_mxgateway.safety.selection import RuleVerdict

    last, writes = (rules.sent.last(tag), rules.sent.count(tag)) if rules else (None, 0)
    verdicts = rule.check(value, old, last=last, writes=writes)
    for guard in rule.guards:
        judged = guard.verdict(rules.values.latest if rules and rules.values else lambda name: None)
        verdicts.append(RuleVerdict("guard", judged.holds, f"{guard.text}: {judged.text}"))
    return verdicts


COMMANDS = (limits,)
