"""``mxgw-shell plan``: finds what each line of a file would do, without doing it.

Commands that change the plant, or have effects outside the shell, do not run. In addition, the write guard of every
connection refuses everything.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.status import StatusCategory, first_failed
from zb_mom_ww_mxgateway_console.render.forms import value_text
from zb_mom_ww_mxgateway_shell.errors import InputError, NotMet
from zb_mom_ww_mxgateway_shell.feeds.readings import is_bare_array
from zb_mom_ww_mxgateway_shell.galaxy.lookup import Place, array_problem, locate
from zb_mom_ww_mxgateway_shell.language.aliases import unfolded
from zb_mom_ww_mxgateway_shell.language.parser import Invocation
from zb_mom_ww_mxgateway_shell.language.target_types import Tag, Target
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import NotYetKnown, ValueNotYetKnown
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, TextResult
from zb_mom_ww_mxgateway_shell.scripts.executor import Follow, LineRun, Outcome
from zb_mom_ww_mxgateway_shell.scripts.plan_set import PlannedGateway, PlanSet
from zb_mom_ww_mxgateway_shell.scripts.planned_verdicts import PlannedVerdict, judged
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.planned_writes import PlannedKind, PlannedWrite, PlannedWrites, Preview

_NAMES = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_UNNAMED = "what it writes is known in the run only: a run with --plan lets it write what is planned, and no more"


class Plan:
    """One plan. What a line reads counts the writes that were planned before it."""

    def __init__(self, *, source: str | None = None) -> None:
        """`source` is the file whose lines are named by their numbers alone."""
        self.writes = PlannedWrites()
        self.source = source
        self._gateways: dict[str, GatewayConnection] = {}
        """Connections of the plan by endpoint, in the order of their first lines."""

    async def preview(self, line: LineRun, follow: Follow) -> Outcome:
        """Run a line that only reads; of any other, return what it would do.

        An InputError means that the line cannot pass in a run: its tag does not exist, or cannot be written, or the
        limits refuse its value.
        """
        context = line.context
        context.file.plan = self.writes
        self._look_at(context)
        try:
            result = await self._previewed(context, line)
        except ValueNotYetKnown as error:
            try:
                result = await self._unknown(context, line, str(error))
            except Exception as mistake:
                return Outcome(line.invocation, error=mistake)
            context.last = NotYetKnown()
        except Exception as error:
            return Outcome(line.invocation, error=error)
        return Outcome(line.invocation, result)

    async def made(self, context: Context, digest: str) -> PlanSet:
        """Return what the plan comes to; `digest` is that of its lines."""
        self._look_at(context)
        return PlanSet(self.writes, [await PlannedGateway.of(each) for each in self._gateways.values()], digest)

    def _look_at(self, context: Context) -> None:
        """Note the current connection as one of the plan."""
        if context.current is not None:
            self._gateways.setdefault(context.current.client.options.endpoint, context.current)

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
                try:
                    found = await command.preview(
                        context, *invocation.positional, **command.grouped(invocation.options)
                    )
                except NotMet:
                    await self._after_not_met(context, invocation)
                    raise
                assert isinstance(found, TextResult)
                await refuse_missing(context, invocation)
                if command.mutating:
                    await self._would_change(context, line, invocation, found)
                self._note_names(line, invocation)
                context.last = NotYetKnown()
                return found
            runs = command.needs_session if command.in_plan is None else command.in_plan
            if command.mutating or not runs:
                return await self._left_out(context, line, invocation)
        try:
            result = (await line.run(not_followed)).unwrap()
        except NotMet:
            await self._after_not_met(context, invocation)
            raise
        await refuse_missing(context, invocation)
        self._note_names(line, invocation)
        self._tell_foreseen(context, invocation)
        return result

    async def _after_not_met(self, context: Context, invocation: Invocation) -> None:
        """Keep the lines after one that is not met now from failing with it; raise InputError at a missing tag."""
        if invocation.command.traits.sets_name:
            context.names.setdefault(invocation.positional[0], NotYetKnown())
        context.last = NotYetKnown()
        await refuse_missing(context, invocation)

    async def _left_out(self, context: Context, line: LineRun, invocation: Invocation) -> Result:
        """Return what a line would do that a plan does not run, and note what the lines after it must know of it."""
        command, traits = invocation.command, invocation.command.traits
        context.last = NotYetKnown()
        if command.mutating:
            await self._would_change(context, line, invocation, None)
        elif command.needs_session:
            await refuse_missing(context, invocation)
        signers = self.writes.signers.setdefault(context.name, [])
        user = next((str(getattr(each, "value", each)) for each in invocation.positional if each is not None), "")
        if traits.signs == "in":
            signers.append(user)
        elif traits.signs == "out":
            signers[:] = [each for each in signers if user and each.casefold() != user.casefold()]
        if traits.takes is not None:
            self.writes.waited += traits.takes(invocation)
        if traits.sets_name and invocation.positional[0] not in context.given_names:
            context.names[invocation.positional[0]] = NotYetKnown()
        return _would(command.name)

    async def _would_change(
        self, context: Context, line: LineRun, invocation: Invocation, found: TextResult | None
    ) -> None:
        """Note what a line would write; raise InputError where it cannot pass, and tell what may refuse it."""
        writes = found.writes if isinstance(found, Preview) else self._named(context, invocation)
        if writes is None:
            self.writes.unnamed.append(self._place(line))
            context.notice(_UNNAMED)
            return
        known = [replace(each, is_known=each.is_known and not self._mentions(line)) for each in writes]
        wrong: list[PlannedVerdict] = []
        for each in known:
            self._tell_before(context, each)
            if each.kind in (PlannedKind.VALUE, PlannedKind.REFUSED):
                for verdict in await judged(context, self.writes, each, invocation.options):
                    where = f"{each.place}: " if each.place else ""
                    if verdict.is_wrong:
                        wrong.append(verdict._replace(text=f"{where}{verdict.text}"))
                    else:
                        context.notice(f"{where}{verdict.text}")
            if not each.is_known and each.kind is PlannedKind.VALUE:
                context.notice(f"{each.tag}: its value is known in the run only")
        if wrong:
            raise _mistake(known[0].word, wrong)
        self.writes.add(known, line=self._place(line), endpoint=context.connected.client.options.endpoint)

    def _tell_before(self, context: Context, write: PlannedWrite) -> None:
        """Say what a tag would be by then that a line before would have written, too."""
        foreseen = self.writes.foreseen(write.tag, write.before)
        if foreseen.by is None or not write.kind.changes_value:
            return
        then = "its value then is unknown now"
        if foreseen.is_known and foreseen.value is not None:
            then = f"it is {value_text(foreseen.value.value)} then"
        context.notice(f"{write.tag} would have been written before, by {foreseen.by.by}: {then}")

    def _named(self, context: Context, invocation: Invocation) -> Sequence[PlannedWrite] | None:
        """Return what a line without a preview of its writes would change; None where only the run knows."""
        traits = invocation.command.traits
        if traits.puts_back:
            return [replace(each, kind=PlannedKind.PUT_BACK, is_known=False) for each in self.writes.tags()]
        named = None if traits.writes is None else traits.writes(context, invocation)
        if not named or not all(each.names for each in named):
            return None
        return [
            PlannedWrite(tag=each.names[0], word=each.word, kind=PlannedKind.ACKNOWLEDGEMENT, place=each.place)
            for each in named
        ]

    async def _unknown(self, context: Context, line: LineRun, name: str) -> Result:
        """Return what is known of a line with a name that has no value yet; a write is bound by its tag."""
        result = TextResult(f"${name} is known in the run only", {"planned": "unknown"})
        with unfolded(context, line.text) as text:
            parsed = context.registry.parse_partly(text, context)
            command = parsed.command
            if command is None or not command.mutating:
                if command is not None and command.traits.sets_name and (given := parsed.arguments.get("name")):
                    context.names.setdefault(given, NotYetKnown())
                return result
            target = next((each for each in parsed.arguments.values() if isinstance(each, Target)), None)
            if target is None:
                self.writes.unnamed.append(self._place(line))
                context.notice(_UNNAMED)
                return result
            if problem := await _problem_of(context, target.tag):
                why = await _why_missing(context, target.tag)
                raise target.word.mistake(f"no tag {target.tag}: {why}" if why else f"{target.tag}: {problem}")
            item = context.find_item(target.tag)
            known = context.type_of(target.tag, item)
            write = PlannedWrite(
                tag=target.tag,
                word=target.word,
                type=(known and known.type_name) or "",
                before=context.live_session.latest(*item.key) if item else None,
                is_known=False,
            )
            verdicts = await judged(context, self.writes, write, parsed.arguments)
            for each in verdicts:
                if not each.is_wrong:
                    context.notice(each.text)
            if wrong := [each for each in verdicts if each.is_wrong]:
                raise _mistake(write.word, wrong)
            self.writes.add([write], line=self._place(line), endpoint=context.connected.client.options.endpoint)
        return TextResult(f"would write {target.tag}: ${name} is known in the run only", {"planned": "unknown"})

    def _note_names(self, line: LineRun, invocation: Invocation) -> None:
        """Note whether a name that a line sets has a value that only the run knows."""
        traits, planned = invocation.command.traits, self.writes
        if not traits.sets_name:
            return
        name = invocation.positional[0]
        is_read = traits.reads_plant and not any(
            planned.foreseen(each.tag, None).by is not None for each in _targets(invocation.positional)
        )
        if name not in line.context.given_names and (is_read or self._mentions(line)):
            planned.run_names.add(name)
        else:
            planned.run_names.discard(name)

    def _mentions(self, line: LineRun) -> bool:
        """Return whether a line uses a name whose value only the run knows."""
        return any((found[1] or found[2]) in self.writes.run_names for found in _NAMES.finditer(line.text))

    def _tell_foreseen(self, context: Context, invocation: Invocation) -> None:
        """Say what the values that a line has read would be by then."""
        targets = list(_targets(invocation.positional))
        told = 0
        for each in targets:
            foreseen = self.writes.foreseen(each.tag, None)
            if foreseen.by is None:
                continue
            told += 1
            then = value_text(foreseen.value.value) if foreseen.value and foreseen.is_known else "known in the run only"
            context.notice(f"{each.tag} by then: {then}, after the write of {foreseen.by.by}")
        if invocation.command.traits.reads_plant and self.writes.changes and not 0 < told == len(targets):
            context.notice("as it is now: a write that was planned before may change it")

    def _place(self, line: LineRun) -> str:
        """Return the place of a line for a person."""
        statement = line.statement
        if statement is None:
            return "a line before"
        is_here = not statement.origin and statement.source in (None, self.source)
        return f"line {statement.line}" if is_here else statement.place


def _mistake(word: Token, wrong: Sequence[PlannedVerdict]) -> InputError:
    """Return the error of a line that cannot pass: its first reason, and all others as notes."""
    error = word.mistake(wrong[0].text)
    for each in wrong[1:]:
        error.add_note(each.text)
    return error


def _would(name: str) -> TextResult:
    return TextResult(f"would {name}", {"planned": name})


async def refuse_missing(context: Context, invocation: Invocation) -> None:
    """Raise InputError at a word that names a tag which MXAccess, or the galaxy, does not have."""
    arguments = [*invocation.positional, *invocation.options.values()]
    named = [(target.tag, target.word) for target in _targets(arguments)]
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
        connected = context.connected
        return await connected.brief_galaxy.answer(lambda: locate(connected.client, tag))
    except MxGatewayError as error:
        context.notice(f"the galaxy does not describe {tag}: {error}")
        return None


def _targets(arguments: Any) -> Iterator[Target]:
    for each in arguments:
        if isinstance(each, Target):
            yield each
        elif isinstance(each, list | tuple) and not isinstance(each, Token):
            yield from _targets(each)
