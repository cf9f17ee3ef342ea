"""What the rules of a connection say of a planned write: what cannot pass, and what depends on the moment."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.models.security_classes import VERIFIED_WRITE, VIEW_ONLY
from zb_mom_ww_mxgateway.safety.known_range import beyond_range
from zb_mom_ww_mxgateway.safety.tag_facts import untold_text
from zb_mom_ww_mxgateway.safety.write_rules import WriteRule, WriteRules
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import item_key
from zb_mom_ww_mxgateway_shell.diagnosis.status_texts import security_meaning, security_name
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.planned_writes import PlannedKind, PlannedWrite, PlannedWrites
from zb_mom_ww_mxgateway_shell.state.signatures import needs_signature

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.live.values import LiveValue
    from zb_mom_ww_mxgateway.safety.selection import RuleVerdict

_FIXED = ("writable", "allowed", "min", "max")
"""Parts of a rule that judge the value alone."""
_TIMED = ("rate", "writes_per_minute")
"""Parts of a rule that judge the time since other writes."""


class PlannedVerdict(NamedTuple):
    """One thing that would refuse a planned write, or that is said of it."""

    text: str
    is_wrong: bool
    """Whether it would refuse it at any moment; False where it depends on one, or refuses nothing."""


async def judged(
    context: Context, planned: PlannedWrites, write: PlannedWrite, options: dict[str, Any]
) -> list[PlannedVerdict]:
    """Return what would refuse a write after all the `planned` ones, and whether its value is outside the range of its
    tag, which refuses nothing; `options` are those of its line."""
    rules = context.connected.desk.rules
    found = [*await _signatures(context, planned, write, options), *await _range(context, write)]
    if refused := rules.unreadable():
        return [*found, PlannedVerdict(refused, True)]
    found += _levels(rules, write)
    if rules.limits is None:
        return found
    rule = rules.rule_for(write.tag)
    if rule is None:
        refused = rules.limits.unlisted_refusal(write.tag)
        return [*found, PlannedVerdict(refused, True)] if refused else found
    if rules.values is not None:
        try:
            await rules.values.prepare([write.tag, *(name for guard in rule.guards for name in guard.tags)])
        except MxGatewayError as error:
            context.notice(f"the values that {rule.source} judges by cannot be had: {error}")
    found += _by_rule(rules, rule, planned, write)
    reason = options.get("reason") or context.write_terms.consent.reason
    if rule.needs_reason and not reason:
        found.append(PlannedVerdict(f"{write.tag} needs a reason: --reason TEXT", False))
    return found


async def _signatures(
    context: Context, planned: PlannedWrites, write: PlannedWrite, options: dict[str, Any]
) -> list[PlannedVerdict]:
    """Return who is missing to sign for a write; one that is to be refused goes out as it is."""
    if write.kind is PlannedKind.REFUSED:
        return []
    security = await context.connected.security_of(write.tag)
    second = options.get("second")
    tag = write.tag

    def wrong(text: str) -> list[PlannedVerdict]:
        return [PlannedVerdict(text, True)]

    if security == VIEW_ONLY:
        return wrong(f"{tag} cannot be written (ViewOnly): {security_meaning(security)}")
    if security is None:
        facts = await context.connected.facts.of([tag], for_a_person=False)
        if untold := untold_text([tag], facts):
            return [PlannedVerdict(untold, False)]
    if not needs_signature(security):
        return wrong(f"{tag} is no VerifiedWrite tag: leave out --second") if second else []
    assert security is not None
    name = f"{tag} is {security_name(security)}: {security_meaning(security)}"
    signers = planned.signers.get(context.name, [])
    if not signers:
        return wrong(f"{name}; no line before logs a user in: the run needs login USER before")
    if write.back_after is not None:
        return wrong(f"{name}; nobody signs when its time is over: leave out --for")
    if security == VERIFIED_WRITE and not second:
        return wrong(f"{name}; a second person is missing: --second USER")
    if second and second.casefold() == signers[-1].casefold():
        return wrong(f"{name}; {second} signs already: another person has to verify it")
    return []


async def _range(context: Context, write: PlannedWrite) -> list[PlannedVerdict]:
    """Return that a value is outside the range of its tag, as a run says it before it sends it."""
    if write.kind is not PlannedKind.VALUE or not write.is_known:
        return []
    facts = await context.connected.facts.of([write.tag], for_a_person=False)
    text = beyond_range(write.value, facts[write.tag])
    return [PlannedVerdict(f"{write.tag}: {text}", False)] if text else []


def _levels(rules: WriteRules, write: PlannedWrite) -> Iterator[PlannedVerdict]:
    """Yield what a person would have to answer: in a file nobody is asked."""
    level = rules.level_for([write.tag])
    if level == "yes" and not rules.assume_yes:
        yield PlannedVerdict(f"{write.tag} needs a yes: the run needs --yes", False)
    elif level not in ("none", "yes"):
        yield PlannedVerdict(f"{write.tag} needs a person who retypes the {level}: no file can write it", True)


def _by_rule(
    rules: WriteRules, rule: WriteRule, planned: PlannedWrites, write: PlannedWrite
) -> Iterator[PlannedVerdict]:
    def latest(tag: str) -> "LiveValue | None":
        present = rules.values.latest(tag) if rules.values is not None else None
        foreseen = planned.foreseen(tag, present)
        if foreseen.is_known or foreseen.value is None:
            return foreseen.value
        return replace(foreseen.value, stale_since=clock.monotonic())

    old, before = latest(write.tag), planned.last(write.tag)
    last = None
    if before is not None and before.is_known and item_key(before.tag) == item_key(write.tag):
        last = before.value, planned.waited - before.waited
    value = write.value if write.is_known else (old.value if old is not None else None)
    for each in rule.check(value, old, last=last, writes=planned.count_lately(write.tag)):
        if each.is_met or (not write.is_known and each.rule != "writable"):
            continue
        yield _told(each, write, before, is_sure=_is_sure(old, planned))
    if not write.is_known:
        yield PlannedVerdict(f"{write.tag}: its limits are judged in the run, which alone knows the value", False)
    for guard in rule.guards:
        verdict = guard.verdict(latest)
        if not verdict.holds:
            yield PlannedVerdict(f"{write.tag}: now refused: guard {guard.text}: {verdict.text}", False)


def _told(verdict: "RuleVerdict", write: PlannedWrite, before: PlannedWrite | None, *, is_sure: bool) -> PlannedVerdict:
    if verdict.rule in _FIXED:
        return PlannedVerdict(f"{write.tag}: {verdict.text}", True)
    if verdict.rule in _TIMED:
        since = f" (the time since the write of {before.by} is known in the run only)" if before is not None else ""
        return PlannedVerdict(f"{write.tag}: may be refused: {verdict.text}{since}", False)
    after = f", after the write of {before.by}" if before is not None else ""
    return PlannedVerdict(f"{write.tag}: {'' if is_sure else 'now refused: '}{verdict.text}{after}", is_sure)


def _is_sure(old: "LiveValue | None", planned: PlannedWrites) -> bool:
    """Return whether the old value is the one that the run will find, as far as that can be known."""
    if old is None or old.stale_since is not None or old.quality_word != "good":
        return False
    return not planned.changes or planned.last(old.tag) is not None
