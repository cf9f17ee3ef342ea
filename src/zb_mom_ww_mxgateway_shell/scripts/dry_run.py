"""``mxgw-shell plan``: finds what a file would do to the plant, without doing it.

Commands that change the plant, or have effects outside the shell, do not run. In addition, the write guard of every
connection refuses everything.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.models.galaxy import SECURED_WRITE, VERIFIED_WRITE, VIEW_ONLY
from zb_mom_ww_mxgateway.status import StatusCategory, first_failed
from zb_mom_ww_mxgateway_shell.diagnosis.status_texts import security_meaning, security_name
from zb_mom_ww_mxgateway_shell.errors import NotMet
from zb_mom_ww_mxgateway_shell.galaxy.lookup import Place, array_problem, is_bare_array, locate
from zb_mom_ww_mxgateway_shell.language.parser import Invocation
from zb_mom_ww_mxgateway_shell.language.target_types import Tag, Target
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import NotYetKnown, ValueNotYetKnown
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, TextResult
from zb_mom_ww_mxgateway_shell.scripts.executor import Follow, LineRun, Outcome
from zb_mom_ww_mxgateway_shell.state.context import Context


class Plan:
    """One plan. A value that is read after a planned write is reported as one from before it."""

    def __init__(self) -> None:
        self._written: set[str] = set()
        """Tags that would have been written."""
        self._changes = False
        """Whether anything in the plant would have been changed."""

    async def preview(self, line: LineRun, follow: Follow) -> Outcome:
        """Run a line that only reads; of any other, return what it would do.

        An InputError means that the line cannot work in a run: its tag does not exist, or cannot be written.
        """
        try:
            result = await self._previewed(line.context, line)
        except ValueNotYetKnown as error:
            line.context.last = NotYetKnown()
            result = TextResult(f"${error} is known in the run only", {"planned": "unknown"})
        except Exception as error:
            return Outcome(line.invocation, error=error)
        return Outcome(line.invocation, result)

    async def _previewed(self, context: Context, line: LineRun) -> Result | None:
        with line.parsed() as invocation:
            if invocation is None:
                return None
            command = invocation.command

            async def not_followed(feed: Feed) -> Result:
                context.last = NotYetKnown()
                return _would(command.name)

            if command.preview is not None:
                _ = context.live_session
                found = await command.preview(context, *invocation.positional, **command.grouped(invocation.options))
                assert isinstance(found, TextResult)
                await refuse_missing(context, invocation)
                # A write that is to be refused changes nothing, and may be to a tag that cannot be written.
                if command.mutating and not found.fields.get("expects_refusal"):
                    await _refuse_unwritable(context, invocation)
                    self._would_change(context, found.fields)
                context.last = NotYetKnown()
                return found
            runs = command.needs_session if command.in_plan is None else command.in_plan
            if command.mutating or not runs:
                self._changes |= command.mutating
                context.last = NotYetKnown()
                if command.needs_session and not command.mutating:
                    await refuse_missing(context, invocation)
                return _would(command.name)
        if command.traits.reads_plant and self._changes:
            context.notice("as it is now: a write that was planned before may change it")
        try:
            result = (await line.run(not_followed)).unwrap()
        except NotMet:
            # The lines after it must not fail with it.
            if command.traits.sets_name:
                context.names.setdefault(invocation.positional[0], NotYetKnown())
            context.last = NotYetKnown()
            await refuse_missing(context, invocation)
            raise
        await refuse_missing(context, invocation)
        return result

    def _would_change(self, context: Context, fields: Mapping[str, Any]) -> None:
        """Note what a preview says that would be written: its ``tag``, or its ``tags``."""
        tags: list[str] = fields.get("tags") or list(filter(None, [fields.get("tag")]))
        for tag in tags:
            if tag in self._written:
                context.notice(f"{tag} would have been written before: its value then is unknown now")
        self._written.update(tags)
        self._changes = True


def _would(name: str) -> TextResult:
    return TextResult(f"would {name}", {"planned": name})


async def refuse_missing(context: Context, invocation: Invocation) -> None:
    """Raise InputError at a word that names a tag which MXAccess, or the galaxy, does not have."""
    named = [(target.tag, target.word) for target in _targets(invocation.positional)]
    for parameter, word in invocation.words:
        if isinstance(parameter.kind, Tag) and word is not None:
            named.append((parameter.kind.parse(word, context), word))
    for tag, word in named:
        if problem := await _problem_of(context, tag):
            why = await _why_missing(context, tag)
            raise word.mistake(f"no tag {tag}: {why}" if why else f"{tag} cannot be read: {problem}")


async def _problem_of(context: Context, tag: str) -> str:
    """Return why MXAccess does not resolve a reference; empty if it does, or nothing has been registered yet."""
    item = context.find_item(tag)
    value = context.live_session.latest(*item.key) if item else None
    if value is not None:
        failed = first_failed(value.statuses)
        return str(failed) if failed and failed.category == StatusCategory.CONFIGURATION_ERROR else ""
    if not context.servers:
        return ""
    await context.connected.settled()  # Not every line waits for that.
    (reading,) = await context.live_session.read([tag])
    return "" if is_bare_array(reading) else reading.error


async def _refuse_unwritable(context: Context, invocation: Invocation) -> None:
    """Raise InputError at a tag that no write of a user reaches, and tell where one has to be signed."""
    for target in _targets(invocation.positional):
        place = await _place(context, target.tag)
        if place is None or place.attribute is None:
            continue
        security = place.attribute.security_classification
        means = security_meaning(security)
        if security in (SECURED_WRITE, VERIFIED_WRITE):
            context.notice(f"{target.tag} is {security_name(security)}: {means}; the run needs login USER before")
        elif security == VIEW_ONLY:
            raise target.word.mistake(f"{target.tag} cannot be written like this ({security_name(security)}): {means}")


async def _why_missing(context: Context, tag: str) -> str:
    """Return why the galaxy has no such tag; empty if it has, or that is unknown."""
    place = await _place(context, tag)
    if place is None:
        return ""
    if any(mark in tag for mark in "*?"):
        return "a glob matches many; watch and find take one"
    if place.is_object:
        return f"it is an object; browse {place.path} lists its attributes"
    if place.found is None:
        return "the galaxy has no such object"
    if place.attribute is None:
        return f"{place.found.tag_name} has no such attribute{place.hint}"
    return array_problem(place)


async def _place(context: Context, tag: str) -> Place | None:
    try:
        return await locate(context.connected.client, tag)
    except MxGatewayError as error:
        context.notice(f"the galaxy does not describe {tag}: {error}")
        return None


def _targets(arguments: Any) -> Iterator[Target]:
    for each in arguments:
        if isinstance(each, Target):
            yield each
        elif isinstance(each, list | tuple) and not isinstance(each, Token):
            yield from _targets(each)
