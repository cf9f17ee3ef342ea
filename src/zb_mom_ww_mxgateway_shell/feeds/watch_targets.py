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
from zb_mom_ww_mxgateway_shell.language.target_types import ItemOrTag, Target, full_address
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import literal_text
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult
from zb_mom_ww_mxgateway_shell.output.watch_results import watch_fields, watch_sheet, watch_values
from zb_mom_ww_mxgateway_shell.state.context import Context, context_of

_GLOB_LIMIT = 500
_TARGET = ItemOrTag(may_add=True)


class Watchable(ArgumentType):
    """An item or a tag, a glob over the galaxy's tags, or the name of a list."""

    name = "tag|item|glob|list"
    takes_globs = True
    _server: int | None = None
    _target: ItemOrTag = _TARGET

    def refined_by(self, given: Mapping[str, Any], context: Scope) -> ArgumentType:
        server = given.get("server")
        if server is None:
            return self
        kind = copy(self)
        kind._server, kind._target = server, ItemOrTag(may_add=True, server=server)
        return kind

    def parse(self, word: Token, context: Scope) -> list[Target] | Token:
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
            return self.parse(word, context)
        return [self._target.parse_ahead(word, context)]

    def script_text(self, word: Token, context: Scope) -> str:
        if isinstance(self.parse(word, context), Token):
            return full_address(word, context)
        if _is_list(word, context_of(context)):
            # The place where the file runs may have no such list, or another one.
            return " ".join(map(literal_text, context_of(context).lists.load(word.text)))
        return self._target.script_text(word, context)

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        lists = [
            Suggestion(name, "list") for name in context_of(context).lists.names() if prefix and name.startswith(prefix)
        ]
        return [*lists, *_TARGET.suggestions(prefix, context)]


def named_globs(invocation: ParsedArguments) -> list[Token]:
    """Return the globs of a line that only the galaxy resolves: each stands for tags that the line advises."""
    return [
        word
        for parameter, word in invocation.words
        if word is not None and parameter.kind.takes_globs and is_glob(word)
    ]


def is_glob(word: Token) -> bool:
    """Return whether a word is a glob over the names of tags."""
    return not word.is_quoted and any(mark in word.text for mark in "*?")


def _is_list(word: Token, context: Context) -> bool:
    return "." not in word.text and word.text in context.lists.names()


async def targets_of(
    context: Context, groups: Sequence[list[Target] | Token | None], server: int | None = None
) -> list[Target]:
    """Return the targets of Watchable arguments, without repetition."""
    found = [await matching(context, group, server) if isinstance(group, Token) else group or [] for group in groups]
    targets = [target for group in found for target in group]
    return list({target.item.key if target.item else tag_key(target.tag): target for target in targets}.values())


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


async def watch_list(context: Context, name: str) -> Result:
    """Watch the tags of a saved list."""
    tags = context.lists.load(name)
    panel = context.connected.panel
    _ = context.live_session
    word = Token(name, 0, len(name))
    items = await ensure(context, [Target(tag, context.find_item(tag), word) for tag in tags], None)
    panel.add(items)
    return TextResult(
        f"list {name}: watching {counted(len(items), 'item')}",
        watch_fields(panel),
        watch_values(panel, items),
        rows=watch_sheet(panel),
    )
