"""One value that is written to one tag: what is done before it is sent, and what a plan says of it."""

from datetime import datetime
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.values import Typed
from zb_mom_ww_mxgateway_console.render.forms import value_form
from zb_mom_ww_mxgateway_console.render.text_values import duration_text
from zb_mom_ww_mxgateway_shell.feeds.items import ensure
from zb_mom_ww_mxgateway_shell.feeds.write_preparation import first_value, follow_coming_waits
from zb_mom_ww_mxgateway_shell.feeds.write_report import before_text, given_text
from zb_mom_ww_mxgateway_shell.language.literals import Literal
from zb_mom_ww_mxgateway_shell.language.target_types import Target
from zb_mom_ww_mxgateway_shell.output.decimals import decimal_text
from zb_mom_ww_mxgateway_shell.output.results import Result
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.planned_writes import PlannedKind, PlannedWrite, Preview

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveValue


async def prepare_write(
    context: Context, tag: Target, value: Literal, server: int | None, *, sends: bool = False
) -> tuple[Item, "LiveValue", Typed]:
    """Return the item, its value before the write, and the typed value to write; nothing is written yet."""
    (item,) = await ensure(context, [tag], server)
    if sends:
        await follow_coming_waits(context)
    before = await first_value(context, tag, item)
    return item, before, value.for_tag(item.tag, context.type_of(item.tag, item))


async def preview_write(
    context: Context,
    tag: Target,
    value: Literal,
    *,
    for_: float | None = None,
    at: datetime | None = None,
    server: int | None = None,
    refused: str | bool = False,
    **others: object,
) -> Result:
    """Return what a write would do."""
    item, before, typed = await prepare_write(context, tag, value, server)
    back = f", put back after {duration_text(for_)}" if for_ is not None else ""
    foreseen = context.file.planned.foreseen(item.tag, before)
    then = foreseen.value if foreseen.is_known else None
    decimals = context.connected.facts.seen(item.tag, then and then.value, typed).decimals
    shown = before_text(then, decimals) if then else "unknown"
    change = f"{shown} → {decimal_text(typed, decimals)}{given_text(at, '')}{back}"
    same = " (unchanged)" if then and same_value(typed, then.value) else ""
    same += ", and expects that the plant refuses it" if refused else ""
    return Preview(
        f"would write {item.tag}   {change}{same}",
        {
            "before": value_form(before.value),
            "before_then": value_form(then.value) if then else None,
            "expects_refusal": bool(refused),
            "planned": "write",
            "tag": item.tag,
            "value": value_form(typed),
        },
        brief=f"would write {change}{same}",
        writes=(
            PlannedWrite(
                tag=item.tag,
                word=tag.word,
                kind=PlannedKind.REFUSED if refused else PlannedKind.VALUE,
                type=typed.type,
                value=typed.sent,
                before=before,
                at=at,
                back_after=for_,
            ),
        ),
    )
