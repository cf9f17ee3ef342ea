"""A tag index as lines of JSON, and back: short lines, so that writing and reading one blocks nothing for long."""

import json
from array import array
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, TypeVar

from zb_mom_ww_mxgateway.value_types import DataType
from zb_mom_ww_mxgateway_shell.galaxy.tag_index import TagIndex
from zb_mom_ww_mxgateway_shell.galaxy.tag_index_storage import Owner, Shape, TagKind, is_plain
from zb_mom_ww_mxgateway_shell.language.literals import TagType

_NAMES_A_LINE = 1_000
"""Attributes or objects of one line, where one set of attributes is not longer."""

T = TypeVar("T")


class UnreadableIndexError(Exception):
    """The lines are of no tag index."""


def index_lines(index: TagIndex) -> Iterator[bytes]:
    """Yield the lines of an index to which nothing is added meanwhile."""
    shapes, descriptions = list(index.shapes), dict[str, int]()
    for owner in index.owners:
        descriptions.setdefault(owner.description, len(descriptions))
    yield _line(
        {
            "areas": index.areas,
            "descriptions": list(descriptions),
            "kinds": [_kind_form(kind) for kind in index.kinds],
            "objects": index.objects,
            "shapes": len(shapes),
            "tags": index.tags,
            "templates": index.templates,
        }
    )
    numbers = {id(shape): number for number, shape in enumerate(shapes)}
    for some in _parts(shapes, lambda shape: len(shape.kinds)):
        yield _line([[shape.names, list(shape.kinds)] for shape in some])
    for owners in _parts(index.owners, lambda _: 1):
        yield _line([[each.name, numbers[id(each.shape)], descriptions[each.description]] for each in owners])


def reading_index(lines: Iterable[bytes]) -> Generator[None, None, TagIndex]:
    """Return the index of these lines, after some milliseconds of work between one step and the next.

    Raises UnreadableIndexError for lines that are of none, and for names that cannot be shown or typed.
    """
    try:
        return (yield from _reading(iter(lines)))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise UnreadableIndexError(f"{type(error).__name__}: {error}") from error


def _reading(lines: Iterator[bytes]) -> Generator[None, None, TagIndex]:
    head = json.loads(next(lines, b""))
    index = TagIndex()
    index.take_kinds(_kind(*form) for form in head["kinds"])
    index.templates = {_plain(name): int(count) for name, count in head["templates"].items()}
    descriptions = [_plain(text) for text in head["descriptions"]]
    shapes: list[Shape] = []
    while len(shapes) < head["shapes"]:
        shapes += [_shape(index, names, kinds) for names, kinds in json.loads(next(lines, b""))]
        yield
    for line in lines:
        owners = json.loads(line)
        _check_plain([name for name, _, _ in owners])
        for name, shape, description in owners:
            index.take_owner(Owner(name, shapes[shape], descriptions[description]))
        yield
    index.objects, index.areas = int(head["objects"]), int(head["areas"])
    if index.tags != head["tags"]:
        raise ValueError(f"{index.tags} tags in place of {head['tags']}")
    return index


def _shape(index: TagIndex, names: str, kinds: list[int]) -> Shape:
    listed = names[1:-1].split("\n") if kinds else []
    _check_plain(listed)
    shape = Shape.of(listed, array("I", kinds))
    if max(kinds, default=-1) >= len(index.kinds) or len(listed) != len(kinds) or shape.names != names:
        raise ValueError("attributes that do not fit their types")
    index.take_shape(shape)
    return shape


def _kind_form(kind: TagKind) -> list[Any]:
    known = kind.type
    data_type = None if known is None else int(known.data_type)
    return [data_type, known is not None and known.is_array, kind.type_name, kind.security]


def _kind(data_type: int | None, is_array: bool, type_name: str, security: int | None) -> TagKind:
    tag_type = None
    if data_type is not None:
        tag_type = TagType(DataType(data_type) if data_type in set(DataType) else int(data_type), bool(is_array))
    return TagKind(tag_type, _plain(type_name), None if security is None else int(security))


def _plain(name: str) -> str:
    _check_plain([name])
    return name


def _check_plain(names: list[str]) -> None:
    # Together it is quick; one by one it is sure, as what is plain alone may read like a secret beside the next.
    if not (is_plain(" ".join(names)) or all(map(is_plain, names))):
        raise ValueError("a name that cannot be shown")


def _parts(things: Iterable[T], weight: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield lists of things that weigh about as much as a line may."""
    some: list[T] = []
    total = 0
    for each in things:
        some.append(each)
        total += weight(each)
        if total >= _NAMES_A_LINE:
            yield some
            some, total = [], 0
    if some:
        yield some


def _line(form: Any) -> bytes:
    return json.dumps(form, separators=(",", ":")).encode() + b"\n"
