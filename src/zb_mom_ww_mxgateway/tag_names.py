"""When two names of tags are the same, and which names a glob matches: the rules that every look-up uses."""

import re
from collections.abc import Iterator

_LOWER = {capital: capital + 32 for capital in range(ord("A"), ord("Z") + 1)}
_INDEX = re.compile(r"\[[^\[\]]*\]\Z")
_LEADING_ZEROS = re.compile(r"\[0+(?=[0-9]+\]\Z)")


def tag_key(name: str) -> str:
    """The name as look-ups compare it: letters that differ only in ASCII case are the same, all else differs.

    That is the gateway's rule; Unicode's case folding would take ``Strasse`` for ``Straße``, and write to another tag.
    The key is as long as the name, place for place.
    """
    return name.lower() if name.isascii() else name.translate(_LOWER)


def item_key(name: str) -> str:
    """The key of what a name writes to: ``TAG[]`` is the array ``TAG``, and ``TAG[03]`` its element ``TAG[3]``."""
    key = tag_key(name).removesuffix("[]")
    return _LEADING_ZEROS.sub("[", key) if key.endswith("]") else key


def array_names(name: str) -> Iterator[str]:
    """Yield the name and, where it ends in an index (``[3]``, ``[]``), the name of the array as well."""
    yield name
    while index := _INDEX.search(name):
        name = name[: index.start()]
        yield name


def glob(text: str) -> re.Pattern[str]:
    """Compile a glob (``*``, ``?``) for a whole text.

    Each part between stars is searched once, and its first place is final: where that fails no later place matches.
    """
    first, *others = ("".join("." if mark == "?" else re.escape(mark) for mark in part) for part in text.split("*"))
    if not others:
        return re.compile(f"(?s){first}")
    between = "".join(f"(?>.*?{part})" for part in others[:-1])
    return re.compile(f"(?s){first}{between}.*{others[-1]}")
