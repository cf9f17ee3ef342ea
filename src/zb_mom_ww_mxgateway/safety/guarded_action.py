"""One call that changes the plant, from the question whether it may be sent to its outcome."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.live.values import LiveValue, copy_of
from zb_mom_ww_mxgateway.live.write_tracker import WriteResult
from zb_mom_ww_mxgateway.models.write_guard import Admission, PendingEntry, PendingWrite, WriteAnswer
from zb_mom_ww_mxgateway.safety.arming import names_of_alarm
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway.safety.known_range import beyond_ranges
from zb_mom_ww_mxgateway.safety.selection import Ask, Level, RuleVerdict, SelectedEntry, Selection, strictest
from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts, missing_signature, untold_text
from zb_mom_ww_mxgateway.safety.write_note import WriteNote
from zb_mom_ww_mxgateway.safety.write_records import WriteRecords
from zb_mom_ww_mxgateway.safety.write_rules import WriteRule, WriteRules, array_of, item_of
from zb_mom_ww_mxgateway.status import quality_word
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key

_NO_TERMINAL = "there is no terminal to ask at"


class GuardedAction(Admission):
    """One call on its way to the gateway."""

    def __init__(self, rules: WriteRules, records: WriteRecords, pending: PendingWrite, note: WriteNote) -> None:
        self.pending: PendingWrite = pending
        self.note: WriteNote = note
        self.reason: str = note.reason or rules.arming.reason
        """Why it is made, as its caller or the arming says."""
        self.answer_given: str = ""
        """What a person answered, or gave beforehand; empty where nothing was asked."""
        self.sent_at: float | None = None
        """Monotonic seconds, by the library's clock; None before it is sent."""
        self._rules = rules
        self._records = records
        self._facts: Mapping[str, TagFacts] = {}
        self._beyond: list[str] = []
        """Lines about values outside the ranges of their tags."""
        self._selection: Selection | None = None
        self._judged: list[tuple[RuleVerdict, ...]] = []
        self._basis: _Basis | None = None
        """What `_judged` goes by; None before, and where that is the time as well."""
        self._old: list[LiveValue | None] = []
        self._tags = list(dict.fromkeys(each.tag for each in pending.entries if each.tag))
        """The tags that it writes, each once."""

    # Before it is sent.

    async def decide(self) -> str:
        """Return why it must not be sent; empty where it may. It may ask a person, and journals the intent last."""
        return await self.agree() or await self._records.announce(self.pending, self.form())

    async def agree(self) -> str:
        """Return why it must not be sent, by the rules or because a person does not agree; empty where it may."""
        if refused := self._rules.unreadable() or self._first(self._armed()):
            return refused
        await self._look_up()
        return self._judge() or await self._select()

    def refusal(self) -> str:
        refused = self._rules.unreadable() or self._first(self._armed()) or self._unexpected()
        if not refused and self._selection is not None and (void := self._selection.use()):
            refused = f"the selection is void: {void}"
        refused = refused or self._judge()
        if not refused:
            self.sent_at = clock.monotonic()
            for each in self.pending.entries:
                if each.tag:
                    self._rules.sent.note(each.tag, each.value)
            self._records.sent(self.pending, self._old)
        return refused

    @property
    def is_covered_revert(self) -> bool:
        """Whether it puts back exactly what waits for that: the consent to the timed write covers it."""
        return self.note.reverts and all(map(self._rules.is_pending_revert, self.pending.entries))

    @staticmethod
    def _first(verdicts: Iterator[RuleVerdict]) -> str:
        return next((each.text for each in verdicts if not each.is_met), "")

    def _armed(self) -> Iterator[RuleVerdict]:
        arming = self._rules.arming
        if self.is_covered_revert and not arming.for_good:
            return
        if not self.pending.entries and (refused := arming.refusal("")):
            yield RuleVerdict("arming", False, refused)
        for each in self.pending.entries:
            refused = arming.refusal_of_alarm(each.alarm) if each.alarm else arming.refusal(each.tag)
            yield RuleVerdict("arming", not refused, refused or "armed")
        for each in self.pending.entries or [PendingEntry()]:
            if self._rules.planned is not None:
                refused = self._rules.planned(each)
                yield RuleVerdict("plan", not refused, refused or "planned")
            if self.note.declared or (self.note.declared is not None and not arming.open_for_all):
                refused = _undeclared(each, self.note.declared)
                yield RuleVerdict("declared", not refused, refused or "declared")

    async def _look_up(self) -> None:
        """Have all that the decision goes by: the facts of the tags, and the values that rules and guards need.

        Where no rule and no person judges the old value, the one at hand is enough for the journal.
        """
        tags = self._tags
        is_shown = not self.is_covered_revert and self._rules.asks(tags)
        self._facts = await self._rules.facts_of(tags, for_a_person=is_shown)
        expected = self.is_covered_revert or self.note.expects_refusal
        self._beyond = [] if expected else beyond_ranges(self.pending.entries, self._facts)
        if self._beyond and not is_shown and self._rules.asks(tags, is_beyond=True):
            self._facts = await self._rules.facts_of(tags, for_a_person=True)
        if self._rules.values is None:
            return
        rules = [rule for tag in tags if (rule := self._rules.rule_for(tag))]
        if rules or self._level() != "none":
            operands = [name for rule in rules for guard in rule.guards for name in guard.tags]
            await self._rules.values.prepare(list(dict.fromkeys([*tags, *operands])))

    def _point_out(self) -> None:
        """Say before it is sent, to whoever is shown no selection, which values are outside their range, and of which
        tags it is unknown because the galaxy does not answer."""
        untold = "" if self.is_covered_revert else untold_text(self._tags, self._facts)
        for text in (*self._beyond, *filter(None, [untold])):
            self._records.notice(text)

    def _latest(self, tag: str) -> LiveValue | None:
        return None if self._rules.values is None or not tag else self._rules.values.latest(tag)

    def _judge(self) -> str:
        """Judge each entry by the values of this moment; return the first refusal."""
        seen = [None if each.alarm else self._latest(each.tag) for each in self.pending.entries]
        basis = self._basis_of(seen)
        if basis is None or not _is_same(basis, self._basis):
            self._basis = basis
            # Copies: a value that becomes stale later was not when it was judged and shown.
            self._old = [each and copy_of(each) for each in seen]
            self._judge_again()
        return next((each.text for verdicts in self._judged for each in verdicts if not each.is_met), "")

    def _basis_of(self, seen: Sequence[LiveValue | None]) -> "_Basis | None":
        """Return all that the verdicts go by; None where the time matters, too."""
        basis: _Basis = [(None, self.is_covered_revert)]
        limits = self._rules.limits
        for entry, old in zip(self.pending.entries, seen, strict=True):
            rule = None if entry.alarm else self._rules.rule_for(entry.tag)
            if rule is not None and rule.depends_on_time:
                return None
            operands = [self._latest(name) for guard in rule.guards for name in guard.tags] if rule else []
            basis += ((each, each and each.stale_since) for each in (old, *operands))
            basis.append((rule, "" if rule or entry.alarm or not limits else limits.unlisted_refusal(entry.tag)))
        return basis

    def _judge_again(self) -> None:
        before: dict[str, list[str]] = {}
        self._judged = []
        for each, old in zip(self.pending.entries, self._old, strict=True):
            earlier = before.setdefault(array_of(each.tag), [])
            self._judged.append(tuple(self._verdicts(each, old, earlier)))
            earlier.append(item_of(each.tag))

    def _verdicts(self, entry: PendingEntry, old: LiveValue | None, earlier: Sequence[str]) -> Iterator[RuleVerdict]:
        """Judge an entry; `earlier` are the items of its array that this call writes before it."""
        facts = self._facts.get(entry.tag)
        known = TagFacts() if facts is None or self.note.expects_refusal else facts
        if not entry.alarm and (missing := missing_signature(entry.tag, known, entry.user_id, entry.verifier_user_id)):
            yield RuleVerdict("signature", False, missing)
        if entry.alarm or self._rules.limits is None:
            return
        rule = self._rules.rule_for(entry.tag)
        if rule is None:
            unlisted = self._rules.limits.unlisted_refusal(entry.tag)
            yield RuleVerdict("listed", not unlisted, unlisted or "no rule names it")
            return
        if not self.is_covered_revert:
            sent = self._rules.sent
            item, array = item_of(entry.tag), array_of(entry.tag)
            if old is not None and any(each in (item, array) or item == array for each in earlier):
                old = replace(old, stale_since=clock.monotonic())  # It is another one by then.
            # Counted where it matters: a tag may have been written thousands of times within the minute.
            matters = rule.depends_on_time
            last, writes = (sent.last(entry.tag), sent.count(entry.tag)) if matters else (None, 0)
            yield from rule.check(entry.value, old, last=last, writes=writes + len(earlier))
            if rule.needs_reason:
                yield RuleVerdict(
                    "reason", bool(self.reason), self.reason or f"{entry.tag} needs a reason: --reason TEXT"
                )
        for guard in rule.guards:
            verdict = guard.verdict(self._latest)
            yield RuleVerdict("guard", verdict.holds, f"{guard.text}: {verdict.text}")

    def _unexpected(self) -> str:
        """Return which tag no longer has the value that the caller expects; empty where all have it."""
        if not self.note.expected:
            return ""
        for each in self.pending.entries:
            key = tag_key(each.tag)
            if key not in self.note.expected:
                continue
            now = self._latest(each.tag)
            if now is None or now.stale_since is not None or quality_word(now.quality) != "good":
                return f"{each.tag} has no good live value now, so whether it is still as expected is unknown"
            if not same_value(self.note.expected[key], now.value, data_type=now.data_type):
                return f"{each.tag} is {now.value!r} now, not {self.note.expected[key]!r} as expected"
        return ""

    # A person's answer.

    def _applying_rules(self) -> list[WriteRule | None]:
        return [self._rules.rule_for(tag) for tag in self._tags]

    def _level(self) -> Level:
        if self.is_covered_revert:
            return "none"
        return self._rules.level_for(self._tags, is_beyond=bool(self._beyond))

    async def _select(self) -> str:
        """Have a person agree, if that is demanded; return why nothing may be sent."""
        level = self._level()
        if self.note.agreed_under is self._rules:
            self.answer_given = f"yes, given for {self.note.agreed_to}"
        if level == "none":
            self._point_out()
            return ""
        if level == "yes" and self._rules.assume_yes:
            self._point_out()
            self.answer_given = "yes, given beforehand"
            return ""
        if (ask := self._rules.ask) is None:
            remedy = "; --yes agrees to it" if level == "yes" else ""
            return f"not confirmed: {_level_text(level)}, and {_NO_TERMINAL}{remedy}"
        async with self._rules.asking:
            # What has changed while others were asked about is no change of this selection.
            return self._judge() or await self._ask(ask, strictest([level, self._level()]))

    async def _ask(self, ask: Ask, level: Level) -> str:
        mark, rules = self._rules.connection_mark(), self._applying_rules()
        entries = tuple(self._selected())
        met = [each.is_met for verdicts in self._judged for each in verdicts]

        def changed() -> str:
            if self._rules.connection_mark() != mark:
                return "the session dropped"
            if refused := self._rules.unreadable() or self._first(self._armed()):
                return refused
            if any(now is not shown for now, shown in zip(self._applying_rules(), rules, strict=True)):
                return "the limits were read again"  # They may also ask for another answer.
            moved = next((moved for each in entries if (moved := each.moved(self._latest(each.entry.tag)))), "")
            if moved or (refused := self._judge()):
                return moved or refused
            now = [each.is_met for verdicts in self._judged for each in verdicts]
            return "" if now == met else "the rules judge it otherwise now"

        selection = self._selection = Selection(
            entries,
            level,
            call=self.pending.call,
            endpoint=self.pending.endpoint,
            reason=self.reason,
            look=changed,
        )
        self.answer_given = await ask(selection)
        if void := selection.void():
            return f"the selection is void: {void}"
        if not selection.is_answered_by(self.answer_given):
            return f"the selection is void: {selection.void()}"
        return ""

    def _selected(self) -> Iterator[SelectedEntry]:
        for entry, old, verdicts in zip(self.pending.entries, self._old, self._judged, strict=True):
            rule = None if entry.alarm else self._rules.rule_for(entry.tag)
            yield SelectedEntry(
                entry,
                self._facts.get(entry.tag) or TagFacts(),
                old,
                verdicts,
                rule.source if rule else "",
                (rule.dead_band if rule else None) or 0.0,
                None if entry.alarm else self._records.last_write(entry.tag),
            )

    # After it was sent.

    def answered(self, answer: WriteAnswer) -> None:
        seconds = None if self.sent_at is None else clock.monotonic() - self.sent_at
        self._records.answered(self.pending, answer, seconds)

    def confirmed(self, outcomes: Sequence[WriteResult]) -> None:
        self._records.outcomes(self.pending, outcomes)

    # For the journal.

    def form(self) -> dict[str, Any]:
        """Return all that the decision went by, for the journal."""
        return {
            "answer": self.answer_given,
            "call": self.pending.call,
            "command": self.note.command,
            "entries": [
                _entry_form(entry, old, verdicts)
                for entry, old, verdicts in zip(
                    self.pending.entries,
                    self._old or [None] * len(self.pending.entries),
                    self._judged or [()] * len(self.pending.entries),
                    strict=True,
                )
            ],
            "reason": self.reason,
        }


def _undeclared(entry: PendingEntry, declared: Sequence[TagGlob]) -> str:
    """Return why a file that declares this must not change an entry; empty where it may."""
    names = names_of_alarm(entry.alarm) if entry.alarm else (entry.tag,) if entry.tag else ()
    if any(glob.matches(name) for glob in declared for name in names):
        return ""
    if not names:
        return "the item's tag is unknown here, so that no declaration can name it"
    return f'{names[0]} is not declared: requires write "{names[-1]}"'


_Basis: TypeAlias = list[tuple[object, object]]
"""Pairs of an object that stays the same, and of what can change in it."""


def _is_same(one: _Basis, other: _Basis | None) -> bool:
    return (
        other is not None
        and len(one) == len(other)
        and all(mine is theirs and this == that for (mine, this), (theirs, that) in zip(one, other, strict=True))
    )


def _entry_form(entry: PendingEntry, old: LiveValue | None, verdicts: Sequence[RuleVerdict]) -> dict[str, Any]:
    if entry.alarm:
        return {"alarm": entry.alarm, "comment": entry.comment, "operator": entry.operator}
    form: dict[str, Any] = {
        "item_handle": entry.item_handle,
        "new": entry.value,
        "old": old and old.value,
        "old_is_stale": bool(old and old.stale_since is not None),
        "quality": old and old.quality,
        "rules": [{"met": each.is_met, "rule": each.rule, "text": each.text} for each in verdicts],
        "server_handle": entry.server_handle,
        "tag": entry.tag,
    }
    if entry.timestamp is not None:
        form["source_time"] = entry.timestamp
    if entry.user_id or entry.verifier_user_id:
        form |= {"user_id": entry.user_id, "verifier_user_id": entry.verifier_user_id}
    return form


def _level_text(level: Level) -> str:
    return {"yes": "a person has to agree", "value": "a person has to retype the value"}.get(
        level, "a person has to retype the tag"
    )
