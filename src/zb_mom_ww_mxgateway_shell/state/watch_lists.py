"""Named lists of tags, kept as text files: one tag a line, ``#`` comments after a blank.

A tag that begins with ``#``, or contains a blank before one, is in double quotes.
"""

import re
from collections.abc import Callable
from pathlib import Path

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.system.config_dir import config_folder
from zb_mom_ww_mxgateway.system.private_files import make_private_folder, open_to_others
from zb_mom_ww_mxgateway.system.regular_files import is_reserved, read_bytes
from zb_mom_ww_mxgateway.system.text_files import TextFileError, decoded
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError, closest
from zb_mom_ww_mxgateway_shell.language.tokens import split
from zb_mom_ww_mxgateway_shell.language.variables import quoted
from zb_mom_ww_mxgateway_shell.process.regular_files import replace

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_SUFFIX = ".tags"
_COMMENT = re.compile(r"(?:^|\s)#")
_REFERENCE = re.compile(r"[A-Za-z_$#][\w$#]*(\.[A-Za-z_$#][\w$#]*)+(\[\d*\])?")
_TAG_FIELDS = ("reference", "tag", "attribute", "name", "item", "address")


class WatchLists:
    """The user's lists, in one folder.

    The line being typed is parsed at every key, so what was read is kept until :meth:`refresh`.
    """

    def __init__(self, folder: Path | None = None, noted: Callable[[bytes, str], object] | None = None) -> None:
        """`noted` is told the content and the name of each file that is read."""
        self._given = folder
        self._noted = noted
        self._names: list[str] | None = None
        self._loaded: dict[str, list[str]] = {}

    def refresh(self) -> None:
        """Forget what was read: another program may have changed it."""
        self._names = None
        self._loaded.clear()

    @property
    def _folder(self) -> Path:
        return self._given or config_folder() / "lists"

    def names(self) -> list[str]:
        """Return the names of all lists."""
        if self._names is None:
            try:
                self._names = sorted(path.stem for path in self._folder.glob(f"*{_SUFFIX}"))
            except MxGatewayArgumentError:
                self._names = []  # A user without a home has no lists.
        return self._names

    def load(self, name: str) -> list[str]:
        """Return the tags of a list in its order; raise ShellError where it cannot be read."""
        if name not in self._loaded:
            self._loaded[name] = self._read(name)
        return list(self._loaded[name])

    def _read(self, name: str) -> list[str]:
        path = self._path(name)
        try:
            content = read_bytes(path)
            if self._noted is not None:
                self._noted(content, str(path))
            text = decoded(content)
        except FileNotFoundError:
            raise ShellError(f"no list {name}{closest(name, self.names()) or '; list shows them'}") from None
        except TextFileError as error:
            raise ShellError(error.at(path)) from None
        except OSError as error:
            raise ShellError(f"cannot read the list {name}: {error.strerror}") from error
        if others := open_to_others(path):
            raise ShellError(f"the list {name} cannot be relied on: {others}; then look through it")
        tags = []
        for number, line in enumerate(text.split("\n"), start=1):
            try:
                tags.append(_tag_of(line.strip()))
            except InputError as error:
                indent = len(line) - len(line.lstrip())
                raise ShellError(f"{path}:{number}:{indent + error.start + 1}: {error}") from None
        return [tag for tag in tags if tag]

    def save(self, name: str, tags: list[str]) -> Path:
        """Write a list in place of one of that name, and return its file.

        Raises ShellError where it cannot be written, and for a text that is a gateway's key.
        """
        path = self._path(name)
        self.refresh()
        _refuse_keys(tags)
        try:
            make_private_folder(path.parent)
            replace(path, "".join(f"{_line_of(tag)}\n" for tag in tags).encode(), mode=0o600)
        except OSError as error:
            raise ShellError(f"cannot write {path}: {error.strerror}") from error
        return path

    def replaces(self, name: str, tags: list[str]) -> bool:
        """Return whether a list of that name has other tags than these; raise ShellError as :meth:`save`."""
        self._path(name)
        self.refresh()
        _refuse_keys(tags)
        if name not in self.names():
            return False
        try:
            return self.load(name) != tags
        except ShellError:
            return True  # It cannot be read, and may be worth mending.

    def delete(self, name: str) -> None:
        """Delete a list; raise ShellError where there is none of that name."""
        self.refresh()
        try:
            self._path(name).unlink()
        except FileNotFoundError:
            raise ShellError(f"no list {name}{closest(name, self.names()) or '; list shows them'}") from None
        except OSError as error:
            raise ShellError(f"cannot delete the list {name}: {error.strerror}") from error

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ShellError(f"a list's name has letters, digits, - and _ only, not {name}")
        if is_reserved(name):
            raise ShellError(f"{name} is the name of a device on Windows: name the list otherwise")
        return self._folder / f"{name}{_SUFFIX}"


def _refuse_keys(tags: list[str]) -> None:
    if any(redact(tag) != tag for tag in tags):
        raise ShellError("a gateway's key is not a tag: nothing was saved")


def _tag_of(line: str) -> str:
    """Return the tag on a line; empty for none. ``#`` begins a comment at the start or after a blank.

    Raises InputError for quotes that are not closed, or are followed by more than a comment.
    """
    if line.startswith('"'):
        tag, *others = split(line)
        if others:
            raise others[0].mistake("a line holds one tag: put this on its own line, or # before it")
        return tag.value
    return _COMMENT.split(line, maxsplit=1)[0].strip()


def _line_of(tag: str) -> str:
    """Return the line that is read as this tag."""
    is_plain = tag.isprintable() and tag == tag.strip() and not tag.startswith('"') and not _COMMENT.search(tag)
    return tag if is_plain else quoted(tag)


def tags_of_object_viewer(path: Path) -> list[str]:
    """Return the tags of a watch list that Object Viewer saved as XML, in its order, each once.

    Its schema is not published. The tags are the dotted references in attributes and elements named like one
    (reference, tag, attribute, name, item, address), or else any dotted reference. Raises ShellError where the file
    cannot be read or has none.
    """
    from xml.etree.ElementTree import ParseError, fromstring

    try:
        content = read_bytes(path)
        # Reject entities: a foreign file must not expand to gigabytes.
        if b"<!ENTITY" in content.replace(b"\0", b""):
            raise ShellError(f"{path} declares XML entities: not read")
        root = fromstring(content)
    except OSError as error:
        raise ShellError(f"cannot read {path}: {error.strerror}") from error
    except ParseError as error:
        line, column = error.position
        raise ShellError(f"{path}:{line}:{column + 1}: not XML as Object Viewer saves it") from None
    named: dict[str, None] = {}
    others: dict[str, None] = {}
    for element in root.iter():
        fields = [*element.attrib.items(), (element.tag, (element.text or "").strip())]
        for name, text in fields:
            if _REFERENCE.fullmatch(text.strip()):
                is_named = any(each in name.rpartition("}")[2].casefold() for each in _TAG_FIELDS)
                (named if is_named else others)[text.strip()] = None
    if not (named or others):
        raise ShellError(f"{path} holds no tags: dotted references such as Tank1.Level are looked for")
    return list(named or others)
