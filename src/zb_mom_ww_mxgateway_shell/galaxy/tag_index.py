"""Index of objects and their attributes in memory: sorted, searchable in any letter case, and small.

Objects of one template share one set of attributes.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway_console.render.forms import safe
from zb_mom_ww_mxgateway_shell.galaxy.tag_index_storage import (
    LAST,
    Owner,
    Owners,
    Shape,
    TagKind,
    between_newlines,
    first_segments,
    is_plain,
    type_text,
)
from zb_mom_ww_mxgateway_shell.language.literals import TagType

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GalaxyAttribute, GalaxyObject, GalaxyTag, ObjectTags

_MOST_HITS = 1_000
GROUP = "…"
"""Shown after a name that has more below it."""

Found = tuple[str, str]
"""A name with its description."""
_Hit = tuple[bool, Iterator[Found]]
"""Names that contain a text, and whether one of their segments begins with it."""


class TagIndex:
    """Objects and their attributes. Every look-up answers at once, also while more are added."""

    def __init__(self) -> None:
        self.tags = 0
        self.objects = 0
        self.areas = 0
        self.templates: dict[str, int] = {}
        """Number of objects that derive from each template, directly or not."""
        self._owners = Owners()
        self._shapes: dict[tuple[str, bytes], Shape] = {}
        self._kinds: list[TagKind] = []
        self._kind_numbers: dict[TagKind, int] = {}
        self._attribute_kinds: dict[tuple[object, ...], int] = {}
        # Each once, however many objects have it.
        self._descriptions: dict[str, str] = {}

    # Adding.

    def add(self, item: "GalaxyObject | ObjectTags") -> None:
        """Add an object with its attributes, without those that cannot be shown or typed."""
        prefix = f"{item.tag_name}."
        own: dict[str, int] = {}
        others: dict[str, dict[str, int]] = {}
        for attribute in item.attributes:
            number = self._number_of(attribute)
            reference = attribute.full_tag_reference
            if reference.startswith(prefix):
                own[reference[len(prefix) :]] = number
            else:
                # A gateway may give a reference that does not begin with the object's name.
                owner, _, name = reference.rpartition(".")
                others.setdefault(owner, {})[name] = number
        self.objects += 1
        self.areas += item.is_area
        for name in item.template_chain:
            if name in self.templates:
                self.templates[name] += 1
            elif is_plain(name):
                self.templates[name] = 1
        template = item.template_chain[0] if item.template_chain else "object"
        self._put(item.tag_name, own, "area" if item.is_area else template)
        for owner, names in others.items():
            self._put(owner, names, "")

    def add_tag(self, tag: str, kind: TagKind) -> None:
        """Add a tag by its whole name."""
        owner, _, name = tag.rpartition(".")
        self._put(owner, {name: self._number(kind)}, "")

    def _number_of(self, attribute: "GalaxyAttribute | GalaxyTag") -> int:
        security = attribute.security_classification
        known = (attribute.data_type, attribute.is_array, attribute.data_type_name, security)
        number = self._attribute_kinds.get(known)
        if number is None:
            kind = TagKind(TagType(attribute.data_type, attribute.is_array), safe(type_text(attribute)), security)
            number = self._attribute_kinds[known] = self._number(kind)
        return number

    def _number(self, kind: TagKind) -> int:
        number = self._kind_numbers.get(kind)
        if number is None:
            number = self._kind_numbers[kind] = len(self._kinds)
            self._kinds.append(kind)
        return number

    def _put(self, name: str, attributes: dict[str, int], description: str) -> None:
        if not is_plain(name):
            return
        key = tag_key(name)
        known = self.owner(key)
        description = self._descriptions.setdefault(description, safe(description))
        if known is None:
            shape = self._shape(attributes)
            owner = Owner(name, shape, description)
            self._owners.insert(key, owner)
        else:
            owner = known
            _, names = owner.shape.listed()
            folded = {tag_key(each) for each in names}
            new = {each: number for each, number in attributes.items() if tag_key(each) not in folded}
            owner.description = description or owner.description
            if not new:
                return
            former = owner.shape
            former.owners.remove(owner)
            if not former.owners:
                del self._shapes[former.names, former.kinds.tobytes()]
            self.tags -= len(former.kinds)
            shape = owner.shape = self._shape(dict(zip(names, former.kinds, strict=True)) | new)
        shape.owners.append(owner)
        self.tags += len(shape.kinds)

    def _shape(self, attributes: dict[str, int]) -> Shape:
        listed = sorted({tag_key(name): (name, number) for name, number in attributes.items()}.items())
        names = between_newlines(name for _, (name, _) in listed)
        kinds = array("I", [number for _, (_, number) in listed])
        known = self._shapes.get((names, kinds.tobytes()))
        if known is not None:
            return known
        plain = {name: number for _, (name, number) in listed if name and is_plain(name)}
        if len(plain) != len(listed):
            return self._shape(plain)
        keys = between_newlines(key for key, _ in listed)
        made = self._shapes[names, kinds.tobytes()] = Shape(keys, names, kinds)
        return made

    # As a file keeps it.

    @property
    def kinds(self) -> Sequence[TagKind]:
        """Types and access of tags; a shape has their places in this list."""
        return self._kinds

    @property
    def shapes(self) -> Iterable[Shape]:
        """The sets of attributes, each once."""
        return self._shapes.values()

    @property
    def owners(self) -> Iterator[Owner]:
        """The objects in order."""
        return iter(self._owners)

    def take_kinds(self, kinds: Iterable[TagKind]) -> None:
        """Take the kinds of another index, in their order."""
        for kind in kinds:
            self._number(kind)

    def take_shape(self, shape: Shape) -> None:
        """Take attributes that no object has yet."""
        self._shapes[shape.names, shape.kinds.tobytes()] = shape

    def take_owner(self, owner: Owner) -> None:
        """Take an object with a shape that was taken; raise ValueError where there is one of that name."""
        if self.owner(owner.name) is not None:
            raise ValueError(f"two objects {owner.name}")
        self._owners.insert(tag_key(owner.name), owner)
        owner.shape.owners.append(owner)
        self.tags += len(owner.shape.kinds)

    # Look-ups.

    def owner(self, name: str) -> Owner | None:
        """Return the object of that name in any letter case."""
        return self._owners.get(tag_key(name))

    def find(self, tag: str) -> TagKind | None:
        """Return the type and access of a tag in any letter case."""
        found = self._found(tag)
        return self._kinds[found[0].shape.kinds[found[1]]] if found else None

    def spelled(self, tag: str) -> str | None:
        """Return the tag's name in its own spelling; None where there is no such tag."""
        found = self._found(tag)
        return found[0].tag(found[0].shape.listed()[1][found[1]]) if found else None

    def _found(self, tag: str) -> tuple[Owner, int] | None:
        """Return the object that has the tag, and the place of its attribute."""
        for owner, rest in self._splits(tag_key(tag)):
            # A newline marks the end of a name in the index.
            position = owner.shape.position(rest) if rest and "\n" not in rest else None
            if position is not None:
                return owner, position
        return None

    def owner_of(self, tag: str) -> Owner | None:
        """Return the object of a tag, or the object of that name itself."""
        return self.owner(tag) or next((owner for owner, _ in self._splits(tag_key(tag))), None)

    def _splits(self, folded: str) -> Iterator[tuple[Owner, str]]:
        """Yield objects with whose folded names a text begins, longest first, and what follows their dots."""
        dot = folded.rfind(".")
        while dot > 0:
            owner = self.owner(folded[:dot])
            if owner is not None:
                yield owner, folded[dot + 1 :]
            dot = folded.rfind(".", 0, dot)
        owner = self.owner("")
        if owner is not None:
            yield owner, folded

    def owners_from(self, start: str) -> Iterator[Owner]:
        """Yield objects whose tags may begin with a folded text, in order."""
        yield from [owner for owner, _ in self._splits(start)][::-1]
        yield from self._owners.beginning(start)

    def tags_of(self, owner: Owner) -> Iterator[str]:
        """Yield the whole names of an object's tags."""
        return (owner.tag(name) for name in owner.shape.listed()[1])

    # Completion.

    def segments(self, prefix: str, limit: int) -> list[Found]:
        """Return names that begin with a text in any letter case, up to the next dot, in order.

        ``Pla`` gives ``Plant.``; ``Plant.Tank1.`` gives its attributes and ``Plant.Tank1.Level.`` once.
        """
        folded = tag_key(prefix)
        found: dict[str, Found] = {}
        for owner, rest in self._splits(folded):
            self._attributes_beginning(owner, rest, limit, found)
        found |= {tag_key(f"{text}."): (f"{text}.", description) for text, description in self._objects(folded, limit)}
        return [found[key] for key in sorted(found)[:limit]]

    def objects_like(self, prefix: str, limit: int) -> list[Found]:
        """Return objects whose names begin with a text, up to the next dot, with their descriptions."""
        return self._objects(tag_key(prefix), limit)

    def _objects(self, folded: str, limit: int) -> list[Found]:
        found: dict[str, Found] = {}
        depth = folded.count(".") + 1
        for group, owner, is_whole in self._owners.groups(folded, depth):
            if len(found) >= limit:
                break
            text = first_segments(owner.name, depth)
            if not is_whole:
                found.setdefault(group, (text, GROUP))
            elif group:
                found[group] = (text, owner.description or GROUP)
        return list(found.values())

    def _attributes_beginning(self, owner: Owner, rest: str, limit: int, found: dict[str, Found]) -> None:
        keys, names = owner.shape.listed()
        depth = rest.count(".") + 1
        position, most = bisect_left(keys, rest), len(found) + limit
        while position < len(keys) and keys[position].startswith(rest) and len(found) < most:
            group = first_segments(keys[position], depth)
            name = owner.tag(first_segments(names[position], depth))
            if group == keys[position]:
                found[tag_key(name)] = (name, self._kinds[owner.shape.kinds[position]].description)
                position += 1
                continue
            found[tag_key(f"{name}.")] = (f"{name}.", GROUP)
            position = bisect_left(keys, f"{group}.{LAST}", lo=position)

    def _named(self, owner: Owner, rest: str) -> Iterator[Found]:
        found: dict[str, Found] = {}
        self._attributes_beginning(owner, rest, _MOST_HITS, found)
        yield from found.values()

    def containing(self, text: str, limit: int, *, objects: bool = False, most: int | None = None) -> list[Found]:
        """Return tags, or `objects`, that contain a text after the beginning of their names, up to the dot after it.

        Those with a segment that begins with it come first. A single character finds nothing. About `most` characters
        of names are searched, where that is given.
        """
        needle = tag_key(text)
        if len(needle) < 2:
            return []
        sources = [self._objects_with(needle)] if objects else self._sources(needle, most)
        beginning: list[Iterator[Found]] = []
        others: list[Iterator[Found]] = []
        for source in sources:
            for begins, names in islice(source, _MOST_HITS):
                (beginning if begins else others).append(names)
                if len(beginning) >= limit:
                    break
        found: dict[str, Found] = {}
        for rank in (beginning, others):
            more: dict[str, Found] = {}
            for name, description in islice(chain.from_iterable(rank), _MOST_HITS):
                key = tag_key(name)
                if key not in found and not key.startswith(needle):
                    more[key] = (name, description)
                    if len(found) + len(more) >= limit:
                        break
            found |= {key: more[key] for key in sorted(more)}
        return list(found.values())[:limit]

    def _sources(self, needle: str, most: int | None) -> list[Iterator[_Hit]]:
        groups = (
            (begins, ((f"{name}.", description) for name, description in names))
            for begins, names in self._objects_with(needle)
        )
        return [groups, self._across(needle), self._attributes_with(needle, most)]

    def _objects_with(self, needle: str) -> Iterator[_Hit]:
        """Yield objects that contain the text after the beginning of their names."""
        for key, owner in self._owners.containing(needle):
            at = key.find(f".{needle}") + 1
            begins = at > 0
            end = (at if begins else key.find(needle, 1)) + len(needle)
            name = first_segments(owner.name, key.count(".", 0, end) + 1)
            yield begins, iter([(name, owner.description if name == owner.name else GROUP)])

    def _across(self, needle: str) -> Iterator[_Hit]:
        """Yield tags in which the text is the end of the object's name and the beginning of the attribute's."""
        dot = needle.find(".", 1)
        while dot >= 0:
            left, right = needle[:dot], needle[dot + 1 :]
            for key, owner in self._owners.containing(f"{left}\n"):
                if f"\n{right}" in owner.shape.keys:
                    yield key.endswith(f".{left}"), self._named(owner, right)
            dot = needle.find(".", dot + 1)

    def _attributes_with(self, needle: str, most: int | None) -> Iterator[_Hit]:
        """Yield attributes that contain the text, each for all objects that share it."""
        searched = 0
        for shape in self._shapes.values():
            searched += len(shape.keys)
            if most is not None and searched > most:
                return
            if needle in shape.keys:
                keys, names = shape.listed()
                for position, key in enumerate(keys):
                    if needle in key:
                        yield self._attribute_with(needle, shape, position, key, names[position])

    def _attribute_with(self, needle: str, shape: Shape, position: int, key: str, name: str) -> _Hit:
        at = f".{key}".find(f".{needle}")
        begins = at >= 0
        end = (at if begins else key.find(needle)) + len(needle)
        shown = first_segments(name, key.count(".", 0, end) + 1)
        if shown == name:
            description = self._kinds[shape.kinds[position]].description
            return begins, ((owner.tag(shown), description) for owner in shape.owners)
        return begins, ((f"{owner.tag(shown)}.", GROUP) for owner in shape.owners)
