"""capture: a value of the plant under a name."""

from collections.abc import Sequence
from typing import Annotated, Any

from zb_mom_ww_mxgateway_console.render.forms import value_form, value_text
from zb_mom_ww_mxgateway_shell.errors import NotMet
from zb_mom_ww_mxgateway_shell.feeds.condition import described, form_of, has_nan
from zb_mom_ww_mxgateway_shell.feeds.condition_arguments import QualityClause
from zb_mom_ww_mxgateway_shell.feeds.items import ensure, unseen_text, value_now
from zb_mom_ww_mxgateway_shell.language.argument_types import NewName, Sign
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import Target, TargetArgument, named_targets
from zb_mom_ww_mxgateway_shell.language.variables import NotYetKnown, is_plain
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context, context_of


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
    quality: QualityClause = None,
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
    elif (quality or "good") not in ("any", found.quality_word):
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
    text = f"{name} = {described(found, context.connected.facts.seen(item.tag, found.value))}"
    return TextResult(text, {"actual": form_of(found), "name": name, "value": value_form(held)}, held)


GROUP = "checks"
"""The group of help that it belongs to."""
COMMANDS = (capture,)
