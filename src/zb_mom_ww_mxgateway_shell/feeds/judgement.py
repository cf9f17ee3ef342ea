"""A condition on live tags: on one, on every tag of a group or on any of it, each perhaps against another tag."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway_console.render.forms import counted
from zb_mom_ww_mxgateway_shell.errors import InputError, NotMet
from zb_mom_ww_mxgateway_shell.feeds.condition import DIFFERS, TagCondition, described, form_of
from zb_mom_ww_mxgateway_shell.feeds.condition_arguments import Subject
from zb_mom_ww_mxgateway_shell.feeds.items import ensure
from zb_mom_ww_mxgateway_shell.feeds.sample_series import SampleSeries
from zb_mom_ww_mxgateway_shell.feeds.watch_targets import targets_of
from zb_mom_ww_mxgateway_shell.language.target_types import Target
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession, LiveValue
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

_NAMED = 20
"""Tags of a group that are named in a message."""
_MOST_SERIES = 10
"""Tags of a group whose samples are kept for a record; those that do not meet the condition come first."""


class JudgedItem(NamedTuple):
    """A condition on an item."""

    live: "LiveSession"
    condition: TagCondition
    item: Item
    other: Item | None = None
    """The item of the other tag, if the condition names one."""
    values: "Mapping[tuple[int, int], LiveValue | None] | None" = None
    """Values to judge, by key of the item; None for those that are held at the moment."""

    @property
    def value(self) -> "LiveValue | None":
        """The value that is judged."""
        return self._of(self.item)

    @property
    def wanted(self) -> "LiveValue | None":
        """The value of the other tag, if there is one."""
        return None if self.other is None else self._of(self.other)

    def _of(self, item: Item) -> "LiveValue | None":
        return self.live.latest(*item.key) if self.values is None else self.values.get(item.key)

    @property
    def items(self) -> list[Item]:
        return [self.item] if self.other is None else [self.item, self.other]

    @property
    def held(self) -> "list[LiveValue | None]":
        """The values of its items."""
        return [self._of(item) for item in self.items]

    def miss(self) -> str:
        """Return why it is not met; empty where it is. Raise InputError where the values cannot be compared."""
        return self.condition.miss(self.value, self.wanted)

    def is_new(self, mark: int) -> bool:
        """Return whether the value, or that of the other tag, is known to have changed since a mark."""
        return any(value is not None and value.is_new(mark) for value in (self.value, self.wanted))

    @property
    def described(self) -> str:
        """Its values, for a person."""
        wanted = "" if self.other is None else f", and {self.other.tag} is {described(self.wanted)}"
        return f"{described(self.value, self.condition.facts)}{wanted}"

    def form(self, reason: str = "") -> dict[str, Any]:
        """Return its tag and values for JSON, with the reason why it is not met."""
        form: dict[str, Any] = {"actual": form_of(self.value), "tag": self.item.tag}
        if self.other is not None:
            form["wanted"] = form_of(self.wanted)
        return form | ({"reason": reason} if reason else {})

    def not_met(self, reason: str, **fields: Any) -> NotMet:
        """Return the error for a condition that is not met."""
        return self.condition.not_met(self.value, reason, other=self.wanted, **fields)


class Judgement(NamedTuple):
    """A condition on one item, or on every one or any of a group."""

    members: tuple[JudgedItem, ...]
    quantifier: str = ""
    """``every`` or ``any``; empty for a single item."""
    named: Token | None = None
    """The glob or list, as typed; None for a single item."""
    is_whole: bool = True
    """Whether the galaxy was read to its end, so that no tag of a glob is missing."""

    @property
    def text(self) -> str:
        """The condition for messages."""
        if self.named is None:
            return self.members[0].condition.text
        first = self.members[0].condition
        return f"{self.quantifier} {self.named.text}{first.text.removeprefix(first.target.tag)}"

    @property
    def items(self) -> list[Item]:
        """All items that it looks at, once each."""
        return list({item.key: item for member in self.members for item in member.items}.values())

    @property
    def place(self) -> tuple[int, int]:
        """Start and end of the word that names what is judged."""
        return self.members[0].condition.target.place

    def with_values(self, values: "Mapping[tuple[int, int], LiveValue | None]") -> "Judgement":
        """Return the same judgement of these values, by key of the item."""
        return self._replace(members=tuple(member._replace(values=values) for member in self.members))

    def miss_of(self, member: JudgedItem) -> str:
        """Return why a member does not meet the condition; empty where it does.

        Raise InputError where a single item cannot be compared; in a group that is a reason.
        """
        try:
            return member.miss()
        except InputError as error:
            if self.named is None:
                raise
            return str(error)

    def misses(self) -> list[tuple[JudgedItem, str]]:
        """Return the members that do not meet the condition, each with the reason, see :meth:`miss_of`."""
        return [(member, reason) for member in self.members if (reason := self.miss_of(member))]

    def is_met(self, mark: int | None = None) -> bool:
        """Return whether it is met now, with a mark by what has changed since: by one of the values of ``every``, or
        by the values that meet ``any``."""
        if self.quantifier == "any":
            return any((mark is None or each.is_new(mark)) and not self.miss_of(each) for each in self.members)
        is_new = mark is None or any(each.is_new(mark) for each in self.members)
        return is_new and not any(map(self.miss_of, self.members))

    def refuse_buffered(self) -> None:
        """Raise InputError where values of an item come several at a time: only the last of them is judged."""
        for member in self.members:
            for item in member.items:
                if item.buffered:
                    why = "whose values come several at a time: not each of them would be judged; name the tag itself"
                    raise member.condition.target.word.mistake(f"{item.tag} is a buffered item, {why}")

    def blocking(self) -> JudgedItem | None:
        """Return a member without which the condition cannot be met, and that does not meet it; None if there is none.

        While it does not, the others need not be judged again.
        """
        return None if self.quantifier == "any" else next(filter(self.miss_of, self.members), None)

    def not_met(self, reason: str = "", **fields: Any) -> NotMet:
        """Return the error for a condition that is not met, with the tags and values that it fails by.

        `reason` is what else there is to say, such as a time that ended.
        """
        missing = self.misses()
        if self.named is None:
            return self.members[0].not_met(reason or (missing[0][1] if missing else DIFFERS), **fields)
        return self._group_not_met(missing, reason, fields)

    def _group_not_met(self, missing: Sequence[tuple[JudgedItem, str]], reason: str, fields: dict[str, Any]) -> NotMet:
        count = counted(len(self.members), "tag")
        names = [member.item.tag for member, _ in missing]
        shown = f"{', '.join(names[:3])}{' …' if len(names) > 3 else ''}"
        if self.quantifier == "any":
            what = f"none of {count} is" if len(missing) == len(self.members) else f"{len(missing)} of {count} are not"
        else:
            what = f"{len(missing)} of {count} {'is' if len(missing) == 1 else 'are'} not: {shown}"
        because = f"; {reason}" if reason else ""
        if not missing:
            what, because = reason, ""
        details = [f"{member.item.tag} is {member.described}{_because(why)}" for member, why in missing[:_NAMED]]
        if len(missing) > _NAMED:
            details.append(f"and {counted(len(missing) - _NAMED, 'more tag')}")
        form: dict[str, Any] = {
            "actual": None,
            "expected": self.text,
            "failed": [member.form(why) for member, why in missing],
            "reason": reason or DIFFERS,
            "tags": len(self.members),
            **({} if self.is_whole else {"galaxy_complete": False}),
        }
        return NotMet(f"expected {self.text}: {what}{because}", self.place, form | fields, details)

    @property
    def described(self) -> str:
        """The values that meet it, for a person."""
        if self.named is None:
            return self.members[0].described
        met = [member for member in self.members if not self.miss_of(member)]
        if self.quantifier == "every":
            return counted(len(met), "tag")
        shown = "; ".join(f"{member.item.tag} {member.described}" for member in met[:3])
        return f"{len(met)} of {counted(len(self.members), 'tag')}: {shown}{' …' if len(met) > 3 else ''}"

    @property
    def value(self) -> Any:
        """The value of ``_`` after it: that of a single item."""
        held = self.members[0].value if self.named is None else None
        return None if held is None else held.value

    def fields(self) -> dict[str, Any]:
        """Return its values for JSON."""
        if self.named is None:
            (member,) = self.members
            given = {} if member.other is None else {"wanted": form_of(member.wanted)}
            return {"actual": form_of(member.value), "expected": self.text, **given}
        return {
            "expected": self.text,
            "judged": [member.form() for member in self.members],
            "tags": len(self.members),
            **({} if self.is_whole else {"galaxy_complete": False}),
        }

    def series(
        self, connected: "GatewayConnection", started: float, written: Sequence[float] = ()
    ) -> list[SampleSeries]:
        """Return the samples that it was judged by since `started`, for a record."""
        first = sorted(self.members, key=lambda member: not self._is_missed(member))[:_MOST_SERIES]
        return [
            SampleSeries.taken(
                connected,
                item,
                self.text,
                started,
                bounds=member.condition.bounds(member.value) if item is member.item else (),
                written=written,
            )
            for member in first
            for item in member.items
        ]

    def _is_missed(self, member: JudgedItem) -> bool:
        try:
            return bool(member.miss())
        except InputError:
            return True


def _because(reason: str) -> str:
    return "" if reason == DIFFERS else f": {reason}"


async def judgement_of(
    context: Context,
    condition: TagCondition,
    subject: Subject,
    quantifier: str = "",
    *,
    await_values: bool = True,
) -> Judgement:
    """Return the judgement of a line, with the items that it needs, which are added and advised where they are not.

    `condition` is about the first of them. Raise InputError where a glob matches nothing.
    """
    is_whole = True
    if isinstance(subject, Target):
        targets, named = [subject], None
    else:
        targets = await targets_of(context, [subject])
        named = subject if isinstance(subject, Token) else targets[0].word
        # A glob that is matched by a part of the galaxy may miss tags.
        is_whole = isinstance(subject, list) or context.catalogue.is_complete
        if not is_whole:
            context.notice(f"the galaxy could not be read to its end: more tags may match {named.text}")
    others = [] if condition.other is None else [condition.other]
    items = await ensure(context, [*targets, *others], None, await_values=await_values)
    other = items[len(targets)] if others else None
    live = context.live_session
    facts = context.connected.facts
    members = [
        JudgedItem(live, condition._replace(target=target, facts=facts.seen(item.tag, _held(live, item))), item, other)
        for target, item in zip(targets, items, strict=False)
    ]
    return Judgement(tuple(members), quantifier, named, is_whole)


def _held(live: "LiveSession", item: Item) -> Any:
    value = live.latest(*item.key)
    return value and value.value
