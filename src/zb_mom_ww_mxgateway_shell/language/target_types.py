"""Argument types for servers, items, tags, and values of tags."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway_console.render.forms import counted
from zb_mom_ww_mxgateway_shell.errors import ShellError, closest
from zb_mom_ww_mxgateway_shell.language.argument_types import MOST_SUGGESTIONS, ArgumentType, Suggestion, whole_number
from zb_mom_ww_mxgateway_shell.language.command_traits import ParsedArguments, Written
from zb_mom_ww_mxgateway_shell.language.literals import Literal, TagType, check_prefix
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import as_typed, expanded, literal_text, quoted

_HANDLE = re.compile(r"(\d+/)?\d+")
_NO_PLAIN_TAG = re.compile(rf"^{_HANDLE.pattern}$|^-|[*?:]")
_TEMPLATE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")


def tag_text(tag: str) -> str:
    """Return a tag as it would be typed where an item may stand, too: one that would be read as a handle, a glob, an
    option or the tag of a connection is quoted."""
    return quoted(tag) if _NO_PLAIN_TAG.search(tag) else literal_text(tag)


class Server(ArgumentType):
    """A server handle."""

    name = "server"
    is_first = True

    def parse(self, word: Token, context: Scope) -> int:
        return _server(word, context)

    def check(self, word: Token, context: Scope) -> None:
        _server_handle(word)

    def parse_ahead(self, word: Token, context: Scope) -> int:
        return _server_handle(word)

    def script_text(self, word: Token, context: Scope) -> str:
        # A single server is left out. Of several, the same lines create the same handles again.
        return word.text if len(context.servers) > 1 else ""

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [
            Suggestion(str(handle), name) for handle, name in context.servers.items() if str(handle).startswith(prefix)
        ]


class Tag(ArgumentType):
    """The address of a tag, known or not; a leading dot means the focused object."""

    name = "tag"

    def parse(self, word: Token, context: Scope) -> str:
        if not word.value.strip():
            raise word.mistake("a tag name is expected")
        return context.catalogue.spelled(full_address(word, context))

    def script_text(self, word: Token, context: Scope) -> str:
        return literal_text(self.parse(word, context))

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return _from_catalogue(prefix, context, objects=False)


class GalaxyPlace(ArgumentType):
    """An area, an object, or what is in one, by the gateway's galaxy; a leading dot means the focused object."""

    def __init__(self, name: str, *, objects: bool) -> None:
        self.name = name
        self._objects = objects

    def parse(self, word: Token, context: Scope) -> Token:
        if not word.value.strip():
            raise word.mistake(f"the {self.name} must not be empty")
        return word

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return _from_catalogue(prefix, context, objects=self._objects)


class TemplateName(ArgumentType):
    """A template of the galaxy, ``$Tank``, or a part of its name.

    Its ``$`` is that of a variable, too: a name that has a value stands for it, as elsewhere; any other is the name of
    a template.
    """

    name = "template"
    expands = False

    def parse(self, word: Token, context: Scope) -> str:
        value = self._meant(word, context).value
        if not value:
            raise word.mistake(f"the name of a {self.name} must not be empty")
        return value

    def script_text(self, word: Token, context: Scope) -> str:
        return as_typed(self._meant(word, context))

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        folded = tag_key(prefix.removeprefix("$"))
        found = {name: number for name, number in context.catalogue.templates.items() if folded in tag_key(name)}
        ranked = sorted(found, key=lambda name: (not tag_key(name).removeprefix("$").startswith(folded), tag_key(name)))
        return [
            Suggestion(self._spelled(name, context), counted(found[name], "object"))
            for name in ranked[:MOST_SUGGESTIONS]
        ]

    @staticmethod
    def _meant(word: Token, context: Scope) -> Token:
        """Return the word with the values of its names; the name of a template stays."""
        is_template = _TEMPLATE.fullmatch(word.text) and word.text[1:] not in context.all_names
        return word if is_template else expanded(word, context.all_names)

    @staticmethod
    def _spelled(name: str, context: Scope) -> str:
        """Return a name as it has to be typed."""
        return name if _TEMPLATE.fullmatch(name) and name[1:] not in context.all_names else quoted(name)


def full_address(word: Token, context: Scope) -> str:
    """Return the whole name; a leading dot means the focused object.

    Raises InputError for a name of another connection: what takes one has separated it.
    """
    if name := on_connection(word, context)[0]:
        if name == context.name:
            raise word.mistake(f"{name} is the connection in use: leave out {name}:")
        raise word.mistake(f"{name} is another connection, and this is about the one in use: use {name} first")
    if not word.value.startswith("."):
        return word.value
    if not context.focus:
        raise word.mistake("a leading dot means the focused object, and there is none: cd OBJECT first")
    return context.focus + word.value


def _from_catalogue(prefix: str, context: Scope, *, objects: bool) -> list[Suggestion]:
    focus = context.focus if prefix.startswith(".") else ""
    if prefix.startswith(".") and not focus:
        return []
    found = context.catalogue.complete(focus + prefix, MOST_SUGGESTIONS, objects=objects)
    # As typed: relative to the focus, in quotes where it has a blank.
    shown = [
        (text[len(focus) :] if tag_key(text).startswith(tag_key(f"{focus}.")) else text, description)
        for text, description in found
    ]
    return [Suggestion(_as_typed(text), description) for text, description in shown]


def _as_typed(name: str) -> str:
    """Return the name of a tag or an object as a line has it, also its beginning and one relative to the focus."""
    return quoted(name) if {" ", "$"} & {*name} or _NO_PLAIN_TAG.search(name) else name


TAG = Tag()


def on_connection(word: Token, context: Scope) -> tuple[str, Token]:
    """Return the open connection that a word names, and the rest of the word, a name there: ``plantB:Tank1.Level``.

    A word in quotes, and one that is a known tag of the current connection as a whole, names none: ''.
    """
    named = [] if word.is_quoted else [each for each in context.connections if word.text.startswith(f"{each}:")]
    if not named or context.find_item(word.value) or context.catalogue.kind_of(word.value) is not None:
        return "", word
    name = max(named, key=len)
    return name, word.after(len(name) + 1)


class Target(NamedTuple):
    """The target of a command: an added item, or a tag that was not added yet."""

    tag: str
    item: Item | None
    """With ``--server`` an item of that server."""
    word: Token
    connection: str = ""
    """The connection that the word names; empty for the current one."""

    @property
    def place(self) -> tuple[int, int]:
        """Start and end of its word in the line."""
        return self.word.start, self.word.end


class ItemOrTag(ArgumentType):
    """An item by its handle or tag; with `may_add` also a tag that was not added yet."""

    name = "tag|item"

    def __init__(self, *, may_add: bool, server: int | None = None) -> None:
        """With `server` only items of that server."""
        self.may_add = may_add
        self._server = server

    def refined_by(self, given: Mapping[str, Any], context: Scope) -> ArgumentType:
        server = given.get("server")
        return self if server is None else ItemOrTag(may_add=self.may_add, server=server)

    def check(self, word: Token, context: Scope) -> None:
        TAG.check(word, context)

    def parse_ahead(self, word: Token, context: Scope) -> Target:
        return Target(word.value, None, word)

    def script_text(self, word: Token, context: Scope) -> str:
        return tag_text(self.parse(word, context).tag)

    def parse(self, word: Token, context: Scope) -> Target:
        if not word.is_quoted and _HANDLE.fullmatch(word.text):
            item = _item(word, context, self._server)
            return Target(item.tag, item, word)
        tag = TAG.parse(word, context)
        found = context.find_item(tag, self._server)
        if found is None and not self.may_add:
            raise word.mistake(f"{tag} is not added", lambda: f"{_closest_item(tag, context)}; items lists what is")
        if found is None and context.catalogue.misses(tag):
            raise word.mistake(f"no tag {tag}", lambda: context.catalogue.closest(tag))
        return Target(found.tag if found else tag, found, word)

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        items = [
            Suggestion(_handle_text(item, context), _meta(item))
            for item in context.items
            if _handle_text(item, context).startswith(prefix)
        ]
        if prefix or not self.may_add:
            items += _item_names(prefix, context)
        if not self.may_add:
            return items[:MOST_SUGGESTIONS]
        known = {item.text for item in items}
        tags = [tag for tag in TAG.suggestions(prefix, context) if tag.text not in known]
        return [*items, *tags][:MOST_SUGGESTIONS]


def written_target(scope: Scope, invocation: ParsedArguments) -> list[Written]:
    """Return the tag that a line writes whose first target it is. An item's handle is known in the run."""
    target = next(each for each in invocation.positional if isinstance(each, Target))
    if target.item is not None:
        return [Written((target.tag,), target.word)]
    is_handle = not target.word.is_quoted and _HANDLE.fullmatch(target.word.text)
    return [Written(() if is_handle else (full_address(target.word, scope),), target.word)]


def named_targets(scope: Scope, invocation: ParsedArguments) -> list[str]:
    """Return the tags that a line names; none where it names a server, too."""
    if invocation.options.get("server") is not None:
        return []
    named = [*invocation.positional, *invocation.options.values()]
    groups = [each if isinstance(each, list) else [each] for each in named]
    targets = [each for group in groups for each in group if isinstance(each, Target)]
    return [
        full_address(each.word, scope) if each.tag.startswith(".") else each.tag
        for each in targets
        if (each.word.is_quoted or not _HANDLE.fullmatch(each.word.text)) and not on_connection(each.word, scope)[0]
    ]


class Value(ArgumentType):
    """A value to write."""

    name = "value"

    def parse(self, word: Token, context: Scope) -> Literal:
        if not word.is_quoted:
            check_prefix(word)
        literal = Literal(word)
        literal.check()
        return literal

    def refined_by(self, given: Mapping[str, Any], context: Scope) -> ArgumentType:
        known = target_type(given, context)
        return ValueFor(*known) if known else self


class ValueFor(Value):
    """A value for a tag of a known type."""

    def __init__(self, tag: str, known: TagType) -> None:
        self.name = known.title
        self._tag = tag
        self._known = known

    def parse(self, word: Token, context: Scope) -> Literal:
        literal = super().parse(word, context)
        literal.for_tag(self._tag, self._known)
        return literal

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(each) for each in self._known.choices if each.startswith(prefix)]


def target_type(given: Mapping[str, Any], context: Scope) -> tuple[str, TagType] | None:
    """Return the tag of the arguments so far with its type; None where the type of a bare value is unknown."""
    target = next((each for each in given.values() if isinstance(each, Target)), None)
    known = context.type_of(target.tag, target.item) if target else None
    return (target.tag, known) if target and known and known.type_name else None


def _server_handle(word: Token) -> int:
    handle = whole_number(word.text)
    if handle is None:
        raise word.mistake("a server handle is expected, a whole number")
    return handle


def _server(word: Token, context: Scope) -> int:
    handle = _server_handle(word)
    if handle not in context.servers:
        raise word.mistake(f"no server {handle}: {_describe_servers(context)}")
    return handle


def _item(word: Token, context: Scope, asked: int | None = None) -> Item:
    server_text, slash, item_text = word.text.rpartition("/")
    if slash:
        server = _server(Token(server_text, word.start, word.start + len(server_text)), context)
        if asked not in (None, server):
            raise word.mistake(f"{word.text} is an item of server {server}, and --server says {asked}")
    elif asked is not None:
        server = asked
    else:
        try:
            server = context.default_server()
        except ShellError as error:
            raise word.mistake(str(error)) from None
    for item in context.items:
        if item.key == (server, whole_number(item_text)):
            return item
    raise word.mistake(f"no item {item_text} on server {server}: {_describe_items(server, context)}")


def _describe_servers(context: Scope) -> str:
    names = ", ".join(f"{handle} ({name})" for handle, name in context.servers.items())
    return f"there is {names}" if names else "nothing is registered; register NAME does"


def _describe_items(server: int, context: Scope) -> str:
    handles = [str(item.item_handle) for item in context.items if item.server_handle == server]
    shown = ", ".join(handles[:10]) + (" …" if len(handles) > 10 else "")
    return f"there is {shown}" if handles else "it has none; add-item TAG adds one"


def _closest_item(tag: str, context: Scope) -> str:
    """Return a hint at an item of a similar name, or an empty text."""
    return closest(tag, [item.tag for item in context.items])


def _handle_text(item: Item, context: Scope) -> str:
    return str(item.item_handle) if len(context.servers) == 1 else f"{item.server_handle}/{item.item_handle}"


def _item_names(prefix: str, context: Scope) -> list[Suggestion]:
    focus = context.focus if prefix.startswith(".") else ""
    folded = tag_key(focus + prefix)
    return [
        Suggestion(
            _as_typed(item.tag[len(focus) :]), f"item {_handle_text(item, context)}{_type_text(item.tag, context)}"
        )
        for item in context.items
        if tag_key(item.tag).startswith(folded)
    ]


def _type_text(tag: str, context: Scope) -> str:
    known = context.catalogue.kind_of(tag)
    return f", {known.description}" if known else ""


def _meta(item: Item) -> str:
    return item.tag if item.advised else f"{item.tag}, not advised"


ServerOption = Annotated[int | None, Server()]
TagArgument = Annotated[str, TAG]
ItemArgument = Annotated[Target, ItemOrTag(may_add=False)]
TargetArgument = Annotated[Target, ItemOrTag(may_add=True)]
ValueArgument = Annotated[Literal, Value()]
