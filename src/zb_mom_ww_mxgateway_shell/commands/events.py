"""events."""

import functools
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any

from zb_mom_ww_mxgateway.events import EventFamily, MxEvent
from zb_mom_ww_mxgateway.status import name_of
from zb_mom_ww_mxgateway_cli.events import event_form, event_text, reading_text
from zb_mom_ww_mxgateway_cli.output import safe
from zb_mom_ww_mxgateway_shell.context import Context
from zb_mom_ww_mxgateway_shell.flow import Flow
from zb_mom_ww_mxgateway_shell.kinds import CountOption, DurationOption, ItemOrTag, Target
from zb_mom_ww_mxgateway_shell.problems import ShellError
from zb_mom_ww_mxgateway_shell.registry import Kind, Offer, command
from zb_mom_ww_mxgateway_shell.results import Feed
from zb_mom_ww_mxgateway_shell.words import Word

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession

_WAITING = 10_000
_ITEM = ItemOrTag(may_add=False)
_FAMILIES = {
    family.name.removeprefix("ON_").replace("_", "-").casefold(): family
    for family in EventFamily
    if family is not EventFamily.UNSPECIFIED
}


class ItemOrGlob(Kind):
    """An item that was added, or a glob over the tags of items."""

    name = "tag|item|glob"

    def parse(self, word: Word, context: Context) -> Target | Word:
        if not word.is_quoted and any(mark in word.text for mark in "*?"):
            return word
        return _ITEM.parse(word, context)

    def offers(self, prefix: str, context: Context) -> Sequence[Offer]:
        return _ITEM.offers(prefix, context)


class Family(Kind):
    """A family of events, by its name without ``ON_``."""

    name = "family"

    def parse(self, word: Word, context: Context) -> EventFamily:
        found = _FAMILIES.get(word.value.casefold())
        if found is None:
            raise word.mistake(f"one of {', '.join(_FAMILIES)} is expected")
        return found

    def offers(self, prefix: str, context: Context) -> Sequence[Offer]:
        return [Offer(word) for word in _FAMILIES if word.startswith(prefix)]


@command("events", example="events --for 1s")
async def events(
    context: Context,
    *tags: Annotated[Target | Word | None, ItemOrGlob()],
    family: Annotated[EventFamily | None, Family()] = None,
    for_: DurationOption = None,
    count: CountOption = None,
) -> Feed:
    """Shows the session's events as they come, of all items or some: events [TAG…|GLOB].

    --family takes one kind: data-change, write-complete, buffered-data-change and so on; gaps are always
    shown. It ends with Ctrl-C, --for 5s or --count 10. Events are read from the one stream that everything
    here shares. At the prompt more of them than can be seen are counted, not shown; what comes faster than
    it can be taken is dropped, and said.
    """
    if for_ is None and count is None and not context.interactive:
        raise ShellError("events in a file need an end: --for 5s or --count 3")
    live = context.live_session
    wanted = functools.partial(_wants, live, family, *_names(tags))
    stream = live.subscribe(wanted, queue_size=_WAITING)
    return Flow(
        what="events",
        batches=stream.batch,
        text=functools.partial(_text, live),
        form=functools.partial(_form, live),
        dropped=lambda: stream.dropped,
        close=stream.aclose,
        duration=for_,
        count=count,
        is_paced=context.interactive,
    )


def _names(tags: Sequence[Target | Word | None]) -> tuple[frozenset[tuple[int, int]], list[str]]:
    keys = frozenset(tag.item.key for tag in tags if isinstance(tag, Target) and tag.item)
    return keys, [tag.text.casefold() for tag in tags if isinstance(tag, Word)]


def _wants(
    live: "LiveSession",
    family: EventFamily | None,
    keys: frozenset[tuple[int, int]],
    globs: list[str],
    event: MxEvent,
) -> bool:
    if event.replay_gap is not None:
        return True
    if family is not None and event.family != family:
        return False
    if not (keys or globs) or (event.server_handle, event.item_handle) in keys:
        return True
    tag = _tag(live, event).casefold()
    return any(fnmatchcase(tag, glob) for glob in globs)


def _tag(live: "LiveSession", event: MxEvent) -> str:
    item = live.session.handles.items.get((event.server_handle, event.item_handle))
    return item.tag if item else ""


def _text(live: "LiveSession", event: MxEvent) -> str:
    if event.replay_gap is not None:
        return safe(event_text(event))
    name = name_of(event.family).removeprefix("ON_").replace("_", "-").lower()
    return safe(f"{event.sequence:>8}  {name:<14}  {_tag(live, event)}  {reading_text(event)}".rstrip())


def _form(live: "LiveSession", event: MxEvent) -> dict[str, Any]:
    return event_form(event) | {"tag": _tag(live, event)}


COMMANDS = (events,)
