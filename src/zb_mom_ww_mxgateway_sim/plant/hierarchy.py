"""The tree of deployed objects, and the lookup of attributes by reference."""

from collections.abc import Iterator, Mapping

from zb_mom_ww_mxgateway_sim.plant.model import Attribute, PlantObject, Template, tag_key
from zb_mom_ww_mxgateway_sim.plant.tag_types import Value

NO_PARENT = 0
_NOTHING: Mapping[str, Value] = {}


class Hierarchy:
    """All objects: by id, by tag name in any letter case, by contained path, and by parent in browse order."""

    def __init__(self) -> None:
        self._by_id: dict[int, PlantObject] = {}
        self._by_tag_name: dict[str, PlantObject] = {}
        self._children: dict[int, list[PlantObject]] = {}
        self._sorted = True
        self._last_id = 0
        self.attribute_count: int = 0
        self.changes: int = 0
        """Number of changes so far."""

    def add(
        self,
        tag_name: str,
        template: Template,
        parent: PlantObject | None = None,
        *,
        contained_name: str = "",
        initial: Mapping[str, Value] = _NOTHING,
        gobject_id: int = 0,
    ) -> PlantObject:
        """Add an object and return it. It has the next id if the given one is 0 or taken.

        Raise ValueError if the tag name is taken.
        """
        folded = tag_key(tag_name)
        if folded in self._by_tag_name:
            raise ValueError(f"there is an object {tag_name} already")
        parent_id = parent.gobject_id if parent else NO_PARENT
        if gobject_id == 0 or gobject_id in self._by_id:
            gobject_id = self._last_id + 1
        self._last_id = max(self._last_id, gobject_id)
        added = PlantObject(gobject_id, tag_name, contained_name, parent_id, template, initial)
        self._put(added)
        self._children.setdefault(parent_id, []).append(added)
        self._sorted = False
        return added

    def extend(self, tag_name: str, attributes: tuple[Attribute, ...]) -> PlantObject:
        """Add attributes to one object. Raise ValueError if it has one of them already."""
        old = self._by_tag_name[tag_key(tag_name)]
        for attribute in attributes:
            if tag_key(attribute.name) in old.template.by_name:
                raise ValueError(f"there is a tag {old.tag_name}.{attribute.name} already")
        template = Template(old.template.chain, (*old.template.attributes, *attributes), old.template.category)
        new = PlantObject(old.gobject_id, old.tag_name, old.contained_name, old.parent_id, template, old.initial)
        self.attribute_count -= len(old.template.attributes)
        self._put(new)
        siblings = self._children[old.parent_id]
        siblings[siblings.index(old)] = new
        return new

    def _put(self, plant_object: PlantObject) -> None:
        self.changes += 1
        self._by_id[plant_object.gobject_id] = plant_object
        self._by_tag_name[tag_key(plant_object.tag_name)] = plant_object
        self.attribute_count += len(plant_object.template.attributes)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[PlantObject]:
        """Iterate over all objects in the order in which they were added."""
        return iter(self._by_id.values())

    def by_id(self, gobject_id: int) -> PlantObject | None:
        """Return the object of that id, if any."""
        return self._by_id.get(gobject_id)

    def by_tag_name(self, tag_name: str) -> PlantObject | None:
        """Return the object of that tag name, if any."""
        return self._by_tag_name.get(tag_key(tag_name))

    def by_contained_path(self, path: str) -> PlantObject | None:
        """Return the object at a path of browse names joined by dots or slashes, if any."""
        wanted = tag_key(path.replace("/", "."))
        step: PlantObject | None = None
        while wanted:
            for child in self.children(step):
                name = tag_key(child.browse_name)
                if wanted == name or wanted.startswith(name + "."):
                    step, wanted = child, wanted[len(name) + 1 :]
                    break
            else:
                return None
        return step

    def children(self, parent: PlantObject | None) -> list[PlantObject]:
        """Return the children in browse order: areas first, then by display name. None means the top."""
        if not self._sorted:
            for siblings in self._children.values():
                siblings.sort(key=lambda child: (not child.is_area, tag_key(child.browse_name)))
            self._sorted = True
        return self._children.get(parent.gobject_id if parent else NO_PARENT, [])

    def walk(self, root: PlantObject | None, max_depth: int | None = None) -> Iterator[PlantObject]:
        """Yield parents before their children. Depth 0 is the root itself, or the top if there is no root."""
        pending = [(0, plant_object) for plant_object in reversed([root] if root else self.children(None))]
        while pending:
            depth, plant_object = pending.pop()
            yield plant_object
            if max_depth is None or depth < max_depth:
                pending.extend((depth + 1, child) for child in reversed(self.children(plant_object)))

    def attribute(self, reference: str) -> tuple[PlantObject, Attribute] | None:
        """Return the object and attribute of ``Object.Attribute`` in any letter case; None if there is none."""
        folded = tag_key(reference)
        dot = folded.rfind(".")
        while dot > 0:
            plant_object = self._by_tag_name.get(folded[:dot])
            if plant_object is not None:
                attribute = plant_object.template.by_name.get(folded[dot + 1 :])
                if attribute is not None:
                    return plant_object, attribute
            dot = folded.rfind(".", 0, dot)
        return None
