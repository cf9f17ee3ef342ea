"""The deployed objects as a tree, and the way from a reference to an attribute."""

from collections.abc import Iterator, Mapping

from zb_mom_ww_mxgateway_sim.plant.model import Attribute, GalaxyObject, Template
from zb_mom_ww_mxgateway_sim.plant.tag_names import tag_key
from zb_mom_ww_mxgateway_sim.plant.tag_types import Value

NO_PARENT = 0
_NOTHING: Mapping[str, Value] = {}


class Hierarchy:
    """All objects: by id, by tag name whatever its case, by contained path, and by parent in browse order."""

    def __init__(self) -> None:
        self._by_id: dict[int, GalaxyObject] = {}
        self._by_tag_name: dict[str, GalaxyObject] = {}
        self._children: dict[int, list[GalaxyObject]] = {}
        self._sorted = True
        self.attribute_count = 0

    def add(
        self,
        tag_name: str,
        template: Template,
        parent: GalaxyObject | None = None,
        *,
        contained_name: str = "",
        initial: Mapping[str, Value] = _NOTHING,
    ) -> GalaxyObject:
        """A new object; ValueError when the tag name is taken."""
        folded = tag_key(tag_name)
        if folded in self._by_tag_name:
            raise ValueError(f"there is an object {tag_name} already")
        parent_id = parent.gobject_id if parent else NO_PARENT
        added = GalaxyObject(len(self._by_id) + 1, tag_name, contained_name, parent_id, template, initial)
        self._put(added)
        self._children.setdefault(parent_id, []).append(added)
        self._sorted = False
        return added

    def extend(self, tag_name: str, attributes: tuple[Attribute, ...]) -> GalaxyObject:
        """Gives an object attributes of its own beside its template's; ValueError when one is there already."""
        old = self._by_tag_name[tag_key(tag_name)]
        for attribute in attributes:
            if tag_key(attribute.name) in old.template.by_name:
                raise ValueError(f"there is a tag {old.tag_name}.{attribute.name} already")
        template = Template(old.template.chain, (*old.template.attributes, *attributes), old.template.category)
        new = GalaxyObject(old.gobject_id, old.tag_name, old.contained_name, old.parent_id, template, old.initial)
        self.attribute_count -= len(old.template.attributes)
        self._put(new)
        siblings = self._children[old.parent_id]
        siblings[siblings.index(old)] = new
        return new

    def _put(self, thing: GalaxyObject) -> None:
        self._by_id[thing.gobject_id] = thing
        self._by_tag_name[tag_key(thing.tag_name)] = thing
        self.attribute_count += len(thing.template.attributes)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[GalaxyObject]:
        """All objects in the order they were added."""
        return iter(self._by_id.values())

    def by_id(self, gobject_id: int) -> GalaxyObject | None:
        return self._by_id.get(gobject_id)

    def by_tag_name(self, tag_name: str) -> GalaxyObject | None:
        return self._by_tag_name.get(tag_key(tag_name))

    def by_contained_path(self, path: str) -> GalaxyObject | None:
        """The object at browse names joined by dots (or slashes) from the top."""
        wanted = tag_key(path.replace("/", "."))
        step: GalaxyObject | None = None
        while wanted:
            for child in self.children(step):
                name = tag_key(child.browse_name)
                if wanted == name or wanted.startswith(name + "."):
                    step, wanted = child, wanted[len(name) + 1 :]
                    break
            else:
                return None
        return step

    def children(self, parent: GalaxyObject | None) -> list[GalaxyObject]:
        """In browse order: areas first, then by display name. Without a parent: the top."""
        if not self._sorted:
            for siblings in self._children.values():
                siblings.sort(key=lambda child: (not child.is_area, tag_key(child.browse_name)))
            self._sorted = True
        return self._children.get(parent.gobject_id if parent else NO_PARENT, [])

    def walk(self, root: GalaxyObject | None, max_depth: int | None = None) -> Iterator[GalaxyObject]:
        """Parents before their children; depth 0 is the root itself, or the top when there is no root."""
        pending = [(0, thing) for thing in reversed([root] if root else self.children(None))]
        while pending:
            depth, thing = pending.pop()
            yield thing
            if max_depth is None or depth < max_depth:
                pending.extend((depth + 1, child) for child in reversed(self.children(thing)))

    def attribute(self, reference: str) -> tuple[GalaxyObject, Attribute] | None:
        """What ``Object.Attribute`` names, whatever its case; None if nothing."""
        folded = tag_key(reference)
        dot = folded.rfind(".")
        while dot > 0:
            thing = self._by_tag_name.get(folded[:dot])
            if thing is not None:
                attribute = thing.template.by_name.get(folded[dot + 1 :])
                if attribute is not None:
                    return thing, attribute
            dot = folded.rfind(".", 0, dot)
        return None
