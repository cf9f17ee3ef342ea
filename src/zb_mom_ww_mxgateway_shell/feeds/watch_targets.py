"""What can be watched: items, tags, globs and named lists of tags."""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway_console.render.forms import counted
from zb_mom_ww_mxgateway_shell.feeds.items import FIRST_VALUE_TIMEOUT, ensure
from zb_mom_ww_mxgateway_shell.language.argument_types import ArgumentType, Suggestion
from zb_mom_ww_mxgateway_shell.language.command_traits import ParsedArguments
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import ItemOrTag, Target, full_address, on_connection, tag_text
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult
from zb_mom_ww_mxgateway_shell.state.bound_context import on
from zb_mom_ww_mxgateway_shell.state.context import Context, context_of

_GLOB_LIMIT = 500
_TARGET = ItemOrTag(may_add=True)


class Watchable(ArgumentType):
    """An item or a tag, a glob over the galaxy's tags, or the name of a list."""

    name = "tag|item|glob|list"
    takes_globs = True
    _server: int | None = None
    _target: ItemOrTag = _TARGET

    def __init__(self, *, across: bool = False) -> None:
        """With `across` also one of another open connection: ``plantB:Tank1.Level``."""
        self._across = across

    def refined_by(self, given: Mapping[str, Any], context: Scope) -> ArgumentType:
        server = given.get("server")
        if server is None:
            return self
        kind = copy(self)
        kind._server, kind._target = server, ItemOrTag(may_add=True, server=server)
        return kind

    def parse(self, word: Token, context: Scope) -> list[Target] | Token:
        name, rest = on_connection(word, context) if self._across else ("", word)
        if name:
            found = self._parse(rest, on(context_of(context), name))
            return word if isinstance(found, Token) else [each._replace(connection=name) for each in found]
        return self._parse(word, context)

    def _parse(self, word: Token, context: Scope) -> list[Target] | Token:
        if is_glob(word):
            # The command matches it later: the galaxy may not have been read yet.
            return word
        if _is_list(word, context_of(context)):
            return [
                Target(tag, context.find_item(tag, self._server), word)
                for tag in context_of(context).lists.load(word.text)
            ]
        return [self._target.parse(word, context)]

    def check(self, word: Token, context: Scope) -> None:
        _TARGET.check(word, context)

    def parse_ahead(self, word: Token, context: Scope) -> list[Target] | Token:
        if is_glob(word) or _is_list(word, context_of(context)):
            return self._parse(word, context)
        return [self._target.parse_ahead(word, context)]

    def script_text(self, word: Token, context: Scope) -> str:
        name, rest = on_connection(word, context) if self._across else ("", word)
        there, head = (on(context_of(context), name), f"{name}:") if name else (context, "")
        return " ".join(f"{head}{each}" for each in self._script_words(rest, there))

    def _script_words(self, word: Token, context: Scope) -> list[str]:
        if isinstance(self._parse(word, context), Token):
            return [full_address(word, context)]
        if _is_list(word, context_of(context)):
            # The place where the file runs may have no such list, or another one.
            return [tag_text(tag) for tag in context_of(context).lists.load(word.text)]
        return [self._target.script_text(word, context)]

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        if self._across and (name := on_connection(Token(prefix, 0, len(prefix)), context)[0]):
            there = self._suggestions(prefix[len(name) + 1 :], on(context_of(context), name))
            return [Suggestion(f"{name}:{each.text}", each.meta) for each in there]
        others = [f"{each}:" for each in context.connections if each != context_of(context).name]
        places = [Suggestion(each, "connection") for each in others if self._across and each.startswith(prefix)]
        return [*places, *self._suggestions(prefix, context)]

    @staticmethod
    def _suggestions(prefix: str, context: Scope) -> list[Suggestion]:
        names = context_of(context).lists.names()
        lists = [Suggestion(name, "list") for name in names if prefix and name.startswith(prefix)]
        return [*lists, *_TARGET.suggestions(prefix, context)]


def named_globs(scope: Scope, invocation: ParsedArguments) -> list[Token]:
    """Return the globs of a line that only the galaxy resolves: each stands for tags that the line advises on the
    current connection."""
    return [
        word
        for parameter, word in invocation.words
        if word is not None and parameter.kind.takes_globs and is_glob(word) and not on_connection(word, scope)[0]
    ]


def is_glob(word: Token) -> bool:
    """Return whether a word is a glob over the names of tags."""
    return not word.is_quoted and any(mark in word.text for mark in "*?")


def _is_list(word: Token, context: Context) -> bool:
    return "." not in word.text and word.text in context.lists.names()


async def targets_of(
    context: Context, groups: Sequence[list[Target] | Token | None], server: int | None = None, *, across: bool = False
) -> list[Target]:
    """Return the targets of Watchable arguments, without repetition; `across` is as theirs."""
    find = _matching_across if across else matching
    found = [await find(context, group, server) if isinstance(group, Token) else group or [] for group in groups]
    targets = [target for group in found for target in group]
    # The current connection may be named, too.
    once = {
        (each.connection or context.name, each.item.key if each.item else tag_key(each.tag)): each for each in targets
    }
    return list(once.values())


def is_one_tag(context: Context, groups: Sequence[list[Target] | Token | None]) -> bool:
    """Return whether Watchable arguments are one tag or item; a glob and a list are not, whatever they stand for."""
    match groups:
        case [[Target(word=word)]]:
            return not _is_list(word, context)
        case _:
            return False


def by_connection(context: Context, targets: Sequence[Target]) -> list[tuple[Context, list[Target]]]:
    """Return the targets of each connection, with a context for it, in the order in which they name them."""
    found: dict[str, list[Target]] = {}
    for target in targets:
        found.setdefault(target.connection, []).append(target)
    return [(on(context, name), group) for name, group in found.items()]


async def matching(context: Context, pattern: Token, server: int | None = None) -> list[Target]:
    """Return the tags of the galaxy that match a glob, with their items on that server, or on any.

    Raises InputError if there are none or too many.
    """
    connected = context.connected
    connected.catalogue.start(connected.client)
    await connected.catalogue.loaded(FIRST_VALUE_TIMEOUT)
    found = await connected.catalogue.matching(full_address(pattern, context), _GLOB_LIMIT + 1)
    if not found:
        unread = "" if connected.catalogue.is_complete else " (the galaxy could not be read to its end)"
        raise pattern.mistake(f"no tag matches {pattern.text}{unread}")
    if len(found) > _GLOB_LIMIT:
        raise pattern.mistake(f"{pattern.text} matches more than {_GLOB_LIMIT} tags: narrow it down")
    return [Target(tag, context.find_item(tag, server), pattern) for tag in found]


async def _matching_across(context: Context, pattern: Token, server: int | None) -> list[Target]:
    """Return the same, also of a glob of another connection."""
    name, rest = on_connection(pattern, context)
    found = await matching(on(context, name), rest, server)
    return [each._replace(connection=name) for each in found]


async def watch_list(context: Context, name: str) -> Result:
    """Watch the tags of a saved list."""
    from zb_mom_ww_mxgateway_shell.output.watch_results import (  # Lazy: most runs watch nothing.
        watch_fields,
        watch_sheet,
        watch_values,
    )
    from zb_mom_ww_mxgateway_shell.output.watch_view import WatchedItem
    from zb_mom_ww_mxgateway_shell.state.watched_connections import watch_view

    tags = context.lists.load(name)
    panel = context.connected.panel
    _ = context.live_session
    word = Token(name, 0, len(name))
    items = await ensure(context, [Target(tag, context.find_item(tag), word) for tag in tags], None)
    panel.add(items)
    view = watch_view(context)
    return TextResult(
        f"list {name}: watching {counted(len(items), 'item')}",
        watch_fields(view),
        watch_values(view, [WatchedItem(panel, item) for item in items]),
        rows=watch_sheet(view),
    )
