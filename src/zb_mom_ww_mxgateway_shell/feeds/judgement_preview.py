"""What a plan says of a condition: whether it holds now, or would after the writes that the plan has so far."""

from typing import Any

from zb_mom_ww_mxgateway_console.render.forms import value_form, value_text
from zb_mom_ww_mxgateway_shell.feeds.condition import DIFFERS, described
from zb_mom_ww_mxgateway_shell.feeds.judgement import Judgement
from zb_mom_ww_mxgateway_shell.output.results import TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context


def preview_of(context: Context, judgement: Judgement) -> TextResult:
    """Return whether the condition holds now, or would after the writes that the plan has so far."""
    foreseen = {
        item.key: context.file.planned.foreseen(item.tag, context.live_session.latest(*item.key))
        for item in judgement.items
    }
    then = judgement.with_values({key: each.value for key, each in foreseen.items()})
    first = foreseen[judgement.members[0].item.key]
    written = [each.by for each in foreseen.values() if each.by is not None]
    by = first.by or (written[0] if written else None)
    is_met = then.is_met()
    fields: dict[str, Any] = judgement.fields() | {"planned": "look"}
    shown_value = first.value.value if first.value else None
    if by is not None and all(each.is_known for each in foreseen.values() if each.by is not None):
        state = f"would {'' if is_met else 'not '}hold after the write of {by.by}"
        shown = f"it is {value_text(shown_value)}" if judgement.named is None else _shown(then, is_met)
        fields |= {"after": by.by, "holds_then": is_met}
        fields |= {"then": value_form(shown_value)} if judgement.named is None else {}
    else:
        state = "holds now" if is_met else "does not hold now"
        if not is_met and judgement.named is None and (why := then.misses()[0][1]) != DIFFERS:
            state = f"not now: {why}"
        shown = f"it is {then.described}" if judgement.named is None else _shown(then, is_met)
        fields["holds_now"] = is_met
        after = next((each.after for each in foreseen.values() if each.after), "")
        if by is not None or after:
            why = f"{by.by} writes what only the run knows" if by else f"after {after} it depends on the plant"
            shown = f"{shown}; {why}"
            fields["depends"] = why
    return TextResult(f"{judgement.text}: {state}, {shown}", fields, brief=f"{state}: {shown.removeprefix('it is ')}")


def _shown(judgement: Judgement, is_met: bool) -> str:
    """Return the values of a group, for a person: those that do not meet the condition, if it is not met."""
    if is_met:
        return judgement.described
    missing = [
        f"{member.item.tag} is {described(member.value, member.condition.facts)}" for member, _ in judgement.misses()
    ]
    return f"{'; '.join(missing[:3])}{' …' if len(missing) > 3 else ''}"
