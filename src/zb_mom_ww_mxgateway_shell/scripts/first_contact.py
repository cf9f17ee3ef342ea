"""First contact of a file with the plant: its tags are advised in one call, and their first values awaited once.

It is made before the first line, or after the file's own ``register`` where that comes first, and again behind a line
that changes the connection. No time-out of a line pays for it. A file that adds items itself makes its own.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.status import StatusCategory, first_failed
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import item_key
from zb_mom_ww_mxgateway_console.render.forms import age_text, counted
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.feeds.items import FIRST_VALUE_TIMEOUT
from zb_mom_ww_mxgateway_shell.feeds.watch_targets import matching, named_globs
from zb_mom_ww_mxgateway_shell.language.aliases import unfolded
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.parser import Invocation
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.problems import Statement, message_of
from zb_mom_ww_mxgateway_shell.scripts.loader import is_arranging
from zb_mom_ww_mxgateway_shell.state.context import Context

_ORDINARY = CommandTraits()


class Contact(NamedTuple):
    """One first contact, made."""

    tags: int
    seconds: float
    missing: tuple[tuple[str, str], ...]
    """Tags that cannot be had, each with the reason."""

    def lines(self) -> list[str]:
        """Return it for a person."""
        took = age_text(self.seconds)
        missing = f", {len(self.missing)} cannot be had" if self.missing else ""
        return [
            f"first contact: {counted(self.tags, 'tag')}, first values after {took}{missing}",
            *(f"  {tag}: {reason}" for tag, reason in self.missing),
        ]

    def form(self) -> dict[str, Any]:
        """Return it for the record."""
        return {
            "missing": [{"reason": reason, "tag": tag} for tag, reason in self.missing],
            "seconds": round(self.seconds, 3),
            "tags": self.tags,
        }


class FirstContact:
    """The first contacts of one file, each made right before a line."""

    def __init__(self, context: Context, statements: Sequence[Statement]) -> None:
        """`statements` are all lines of the file and of what it includes, in their order."""
        self._context = context
        self._lines = [each for each in statements if not is_arranging(each)]
        self._moments = set(self._places()) if not self._is_by_hand() else set()

    def _is_by_hand(self) -> bool:
        """Return whether the file adds items itself: their numbers must not depend on this."""
        return any(self._traits(each).adds_items for each in self._lines)

    def _traits(self, statement: Statement) -> CommandTraits:
        command = self._context.registry.commands.get(statement.command)
        return _ORDINARY if command is None else command.traits

    def _places(self) -> Iterator[int]:
        """Yield the lines, by their ids, before which tags are contacted."""
        is_due = bool(self._lines)
        for number, each in enumerate(self._lines):
            traits = self._traits(each)
            if is_due and not self._registers_from(number):
                is_due = False
                yield id(each)
            is_due |= traits.changes_subject is not None or traits.registers

    def _registers_from(self, number: int) -> bool:
        """Return whether a server is registered before any line, from this one on, needs a tag."""
        for each in self._lines[number:]:
            traits = self._traits(each)
            if traits.registers:
                return True
            if traits.advises is not None or traits.changes_subject is not None:
                return False
        return False

    def is_due(self, statement: Statement) -> bool:
        """Return whether a contact is to be made before this line."""
        return id(statement) in self._moments

    async def before(self, statement: Statement) -> list[str]:
        """Make the contact that is due before this line; return what there is to say about it.

        Where the gateway refuses it, the lines make their own.
        """
        if not self.is_due(statement):
            return []
        tags, globs = self._tags_from(next(at for at, each in enumerate(self._lines) if each is statement))
        with _heard(self._context) as texts:
            try:
                tags += await _matching(self._context, globs)
                made = await contact(self._context, _once(tags))
            except (MxGatewayError, ShellError) as error:
                return [*texts, f"no first contact: {message_of(error)}"]
        await self._read_alarms()
        if made is not None and self._context.record is not None:
            from zb_mom_ww_mxgateway_shell.evidence.record_format import FIRST_CONTACT  # Lazy: most runs keep none.

            self._context.record.add({"command": FIRST_CONTACT, **made.form()})
        return [*texts, *(made.lines() if made else [])]

    async def _read_alarms(self) -> None:
        """Have the alarms followed from the beginning if a line checks them; that line reports what is wrong."""
        if self._context.current is not None and any(self._traits(each).reads_alarms for each in self._lines):
            from zb_mom_ww_mxgateway_shell.feeds.alarm_states import alarms_read  # Lazy: most files check no alarm.

            with suppress(MxGatewayError, ShellError):
                await alarms_read(self._context)

    def _tags_from(self, number: int) -> tuple[list[str], list[Token]]:
        """Return the tags, and the globs, of the lines from this one up to one that changes the connection.

        A tag, or a file of rows, is left out while its name depends on a value of the run.
        """
        context = self._context
        ahead = Context(context.registry, interactive=False)
        ahead.names, ahead.given_names = dict(context.names), context.given_names
        ahead.aliases, ahead.focus_ahead = dict(context.aliases), context.focus
        ahead.connections = context.connections  # Tags of others are none of the current one.
        found: list[str] = []
        globs: list[Token] = []
        for statement in self._lines[number:]:
            invocation = _parsed(statement, ahead)
            if invocation is None:
                continue
            traits = invocation.command.traits
            if traits.changes_subject == "connection":
                break
            if traits.changes_subject == "object":
                ahead.focus_ahead = ""  # Only the run knows it.
            elif traits.checked_effect is not None:
                traits.checked_effect(ahead, invocation.positional)
            if traits.advises is not None:
                globs += named_globs(ahead, invocation)  # Only the galaxy knows their tags.
                with suppress(ShellError):
                    found += traits.advises(ahead, invocation)
        return found, globs


def _once(tags: Sequence[str]) -> list[str]:
    once: dict[str, str] = {}
    for tag in tags:
        once.setdefault(item_key(tag), tag)
    return list(once.values())


async def _matching(context: Context, globs: Sequence[Token]) -> list[str]:
    """Return the tags that match the globs. A line with one that matches none, or too many, reports that itself.

    One that is relative to the focused object is left to its line.
    """
    found: list[str] = []
    for glob in {glob.text: glob for glob in globs if not glob.text.startswith(".")}.values():
        with suppress(ShellError):
            found += [target.tag for target in await matching(context, glob)]
    return found


@contextmanager
def _heard(context: Context) -> Iterator[list[str]]:
    """Keep what the context reports while this is open: no line runs that it could belong to."""
    texts: list[str] = []
    notice: Callable[[str], None] = context.notice
    context.notice = texts.append
    try:
        yield texts
    finally:
        context.notice = notice


def _parsed(statement: Statement, ahead: Context) -> Invocation | None:
    own = ahead.names
    ahead.names = {**own, **statement.given}
    try:
        with unfolded(ahead, statement.text) as line:
            return ahead.registry.parse_partly(line, ahead, ahead=True).foreseen
    finally:
        ahead.names = own


async def contact(context: Context, tags: Sequence[str]) -> Contact | None:
    """Advise the tags in one call, and wait for the first values of all of them; None where there is nothing to do."""
    current = context.current
    if not tags or current is None or current.live.state.value == "closed":
        return None
    await current.settled()
    live = context.live_session
    silent = [tag for tag in tags if (item := context.find_item(tag)) is None or live.latest(*item.key) is None]
    if not silent or len(context.own_servers) > 1:
        return None  # With several servers each line says which.
    began = clock.monotonic()
    found, refused = await live.advise_tags(silent, await context.server_for(None))
    missing = dict(refused)
    with suppress(TimeoutError):
        async with clock.timeout(FIRST_VALUE_TIMEOUT):
            for item in found.values():
                await live.first_value(item)
    for tag, item in found.items():
        context.file.awaited.add(item.key)
        if reason := _problem(context, item):
            missing[tag] = reason
    return Contact(
        len(silent), clock.monotonic() - began, tuple((tag, missing[tag]) for tag in silent if tag in missing)
    )


def _problem(context: Context, item: Item) -> str:
    """Return why a tag cannot be had; empty where it can."""
    value = context.live_session.latest(*item.key)
    if value is None:
        return f"no value after {FIRST_VALUE_TIMEOUT:g} s"
    failed = first_failed(value.statuses)
    if failed is None:
        context.catalogue.learn(item.tag)
    # Any other failed status belongs to a value of bad quality.
    return str(failed) if failed and failed.category == StatusCategory.CONFIGURATION_ERROR else ""
