"""write-elements: an array by some of its elements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.models.write_guard import SparseArray
from zb_mom_ww_mxgateway.value_types import TYPES, Family
from zb_mom_ww_mxgateway.values import Array, Typed
from zb_mom_ww_mxgateway_console.render.forms import counted, value_form, value_text
from zb_mom_ww_mxgateway_shell.feeds.expected_refusal import RefusalOption, judged, outcome_or_refusal
from zb_mom_ww_mxgateway_shell.feeds.items import ensure
from zb_mom_ww_mxgateway_shell.feeds.write_preparation import (
    OUTCOME_TIMEOUT,
    before_sending,
    first_value,
    follow_coming_waits,
    given_reason,
    live_session_of,
)
from zb_mom_ww_mxgateway_shell.feeds.write_report import WriteReport, before_text, given_text
from zb_mom_ww_mxgateway_shell.language.argument_types import (
    ArgumentType,
    Count,
    DurationOption,
    ReasonOption,
    TimeOption,
    whole_number,
)
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.literals import Literal, TagType, check_prefix
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import (
    ServerOption,
    Target,
    TargetArgument,
    named_targets,
    written_target,
)
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.results import Result
from zb_mom_ww_mxgateway_shell.state.confirmation import agreed
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.planned_writes import PlannedKind, PlannedWrite, Preview
from zb_mom_ww_mxgateway_shell.state.signatures import SigningOptions, signature_for

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveValue


@dataclass(frozen=True, slots=True)
class Element:
    """One element to set."""

    index: int
    value: Literal
    word: Token


class IndexAndValue(ArgumentType):
    """An element by its index from 0, and its value."""

    name = "index=value"

    def parse(self, word: Token, context: Scope) -> Element:
        text = word.value
        index_text, sign, rest = text.partition("=")
        index = whole_number(index_text)
        if not sign or index is None or not rest:
            raise word.mistake("INDEX=VALUE is expected, such as 0=5; indexes count from 0")
        if word.is_quoted:
            value = Token(rest, word.start, word.end, is_expanded=True)
        else:
            value = word.after(len(index_text) + 1)
        if value.is_array:
            raise value.mistake("an element is a single value, not an array")
        if not value.is_quoted:
            check_prefix(value)
        literal = Literal(value)
        literal.check()
        return Element(index, literal, word)


class ArrayWrite(NamedTuple):
    """What to write to an array, and what it is before."""

    item: Item
    before: "LiveValue"
    length: int
    elements: dict[int, Typed]
    rest: object
    """The value of all other elements afterwards; None where all are set."""

    @property
    def sparse(self) -> SparseArray:
        """The array as it is sent."""
        return SparseArray(self.length, tuple(self.elements.items()))

    @property
    def values(self) -> list[object]:
        """The array afterwards."""
        return [self.elements[index].sent if index in self.elements else self.rest for index in range(self.length)]

    @property
    def text(self) -> str:
        named = ", ".join(f"{index}={value_text(value)}" for index, value in self.elements.items())
        others = f", all others {value_text(self.rest)}" if self.rest is not None else ""
        return f"{counted(self.length, 'element')}: {named}{others}"

    @property
    def question(self) -> str:
        """Question to a person, with all that is lost."""
        others, lost = "", []
        if self.rest is not None:
            others = f", and all others to {value_text(self.rest)}"
            lost.append("Their values are lost")
        now = self.before.value
        if isinstance(now, Array) and (gone := len(now) - self.length) > 0:
            lost.append(
                f"The array gets shorter: its last {counted(gone, 'element')} {'is' if gone == 1 else 'are'} lost"
            )
        asked = f"set {len(self.elements)} of {counted(self.length, 'element')} of {self.item.tag}{others}?"
        return " ".join([asked, ". ".join(lost)]).rstrip()

    @property
    def form(self) -> dict[str, Any]:
        elements = {str(index): value_form(value) for index, value in self.elements.items()}
        return {"elements": elements, "length": self.length}


def _check_elements(positional: Sequence[Any], options: dict[str, Any]) -> None:
    """Raise a mistake in the indexes."""
    _, length, *elements = positional
    seen: set[int] = set()
    for element in elements:
        if element.index >= length:
            raise element.word.mistake(f"an array of {length} has no index {element.index}: 0 to {length - 1}")
        if element.index in seen:
            raise element.word.mistake(f"index {element.index} is named twice")
        seen.add(element.index)


async def _prepared_array(
    context: Context, tag: Target, length: int, elements: Sequence[Element], server: int | None, *, sends: bool = False
) -> ArrayWrite:
    """Return what to write; nothing is written yet."""
    (item,) = await ensure(context, [tag], server)
    if sends:
        await follow_coming_waits(context)
    before = await first_value(context, tag, item)
    known = context.type_of(item.tag, item)
    if known is not None and not known.is_array:
        raise tag.word.mistake(f"{item.tag} is no array: write sets it")
    one = known and TagType(known.data_type, False, known.variant_type)
    typed: dict[int, Typed] = {}
    for element in elements:
        typed[element.index] = value = element.value.for_tag(item.tag, one)
        first = next(iter(typed.values()))
        if value.type != first.type:
            raise element.word.mistake(f"all elements are of one type, and this is {value.type}, not {first.type}")
    rest = _DEFAULTS[TYPES[next(iter(typed.values())).type].family] if len(typed) < length else None
    return ArrayWrite(item, before, length, typed, rest)


_DEFAULTS = {
    Family.BOOLEAN: False,
    Family.NUMBER: 0,
    Family.TEXT: "",
    Family.TIME: datetime(1970, 1, 1, tzinfo=UTC),
}
"""What an element is set to that is not named."""


async def _preview_elements(
    context: Context,
    tag: Target,
    length: int,
    *elements: Element,
    at: datetime | None = None,
    server: int | None = None,
    refused: str | bool = False,
    **others: object,
) -> Result:
    array = await _prepared_array(context, tag, length, elements, server)
    change = f"{before_text(array.before)} → {array.text}{given_text(at, '')}"
    return Preview(
        f"would write {array.item.tag}   {change}",
        {
            "before": value_form(array.before.value),
            "expects_refusal": bool(refused),
            "planned": "write-elements",
            "tag": array.item.tag,
            "value": array.form,
        },
        brief=f"would write {change}",
        writes=(
            PlannedWrite(
                tag=array.item.tag,
                word=tag.word,
                kind=PlannedKind.REFUSED if refused else PlannedKind.VALUE,
                type=next(iter(array.elements.values())).type,
                value=array.sparse,
                after=array.values,
                before=array.before,
                at=at,
            ),
        ),
    )


@command(
    "write-elements",
    example="write-elements TestChildObject.TestIntArray 10 0=5 3=7",
    mutating=True,
    check=_check_elements,
    preview=_preview_elements,
    traits=CommandTraits(retried_in_finally=True, writes=written_target, advises=named_targets),
)
async def write_elements(
    context: Context,
    tag: TargetArgument,
    length: Annotated[int, Count()],
    *elements: Annotated[Element, IndexAndValue()],
    timeout: DurationOption = None,
    at: TimeOption = None,
    refused: RefusalOption = False,
    reason: ReasonOption = None,
    signing: SigningOptions,
    server: ServerOption = None,
) -> Result:
    """Write an array of a length by some of its elements; all others are lost.

    Every element that is not named gets the default of its type: false, 0, "" or 1970. It shows the array as it is
    now and asks before it sends; --yes agrees, and without a terminal it is refused.

    Indexes count from 0 here, as the gateway counts them in such a write. To set one element and keep the others,
    write its address, which counts from 1: write TAG[3] 5. Put an element in quotes if its value has blanks:
    "0=two words". The outcome is reported as for write, and --refused [STATUS] is as there.
    """
    with before_sending(context):
        array = await _prepared_array(context, tag, length, elements, server, sends=True)
        item = array.item
        if not context.connected.desk.rules.asks([item.tag]):
            # Elsewhere the question before the write shows what is lost.
            context.notice(f"{item.tag} is {before_text(array.before)} now")
            await agreed(context, array.question)
        signature, signers = await signature_for(context, item, signing.person, as_is=bool(refused))
        security = await context.connected.security_of(item.tag)
        live = live_session_of(context, item)
    timeout = timeout or OUTCOME_TIMEOUT
    with given_reason(reason, expects_refusal=bool(refused)):
        sending = live.write_and_confirm(*item.key, array.sparse, timestamp=at, signature=signature, timeout=timeout)
        result = await (outcome_or_refusal(sending) if refused else sending)
    report = WriteReport(
        item,
        array.before,
        array.text,
        array.form,
        result,
        timeout,
        live.session.endpoint,
        at,
        signers,
        security=security,
    )
    return judged(report, refused, tag.place) if refused else report.text_result()


GROUP = "values"
"""The group of help that they belong to."""
COMMANDS = (write_elements,)
