"""The part of the galaxy that a key sees: its sub-trees, and the objects above them without attributes."""

from zb_mom_ww_mxgateway_sim.net.api_keys import GatewayKey
from zb_mom_ww_mxgateway_sim.plant.hierarchy import Hierarchy
from zb_mom_ww_mxgateway_sim.plant.model import Attribute, PlantObject, tag_key
from zb_mom_ww_mxgateway_sim.runtime.errors import NotAllowed


class GalaxyView:
    """The hierarchy as one key sees it."""

    def __init__(self, hierarchy: Hierarchy, key: GatewayKey) -> None:
        self._hierarchy = hierarchy
        self._key = key
        self._visible = None if key.subtrees is None else self._find()

    @property
    def name(self) -> str:
        """Name of the view, equal for all keys that see the same objects."""
        return "" if self._key.subtrees is None else " ".join(sorted(self._key.subtrees))

    def shows(self, plant_object: PlantObject) -> bool:
        """Return whether the object is in a sub-tree or above one."""
        return self._visible is None or plant_object.gobject_id in self._visible

    def require(self, plant_object: PlantObject | None) -> None:
        """Raise NotAllowed unless the object is shown. None, the galaxy itself, always is."""
        if plant_object is not None and not self.shows(plant_object):
            raise NotAllowed(f"the API key does not reach {plant_object.tag_name}")

    def children(self, parent: PlantObject | None) -> list[PlantObject]:
        """Return the children that are shown, in browse order."""
        return [child for child in self._hierarchy.children(parent) if self.shows(child)]

    def attributes(self, plant_object: PlantObject) -> list[Attribute]:
        """Return the attributes of the object that are in a sub-tree."""
        return [
            attribute
            for attribute in plant_object.template.attributes
            if self._visible is None or self._key.allows(f"{plant_object.tag_name}.{attribute.name}")
        ]

    def _find(self) -> set[int]:
        visible: set[int] = set()
        for plant_object in self._hierarchy:
            if not self._reaches(plant_object):
                continue
            step: PlantObject | None = plant_object
            while step is not None and step.gobject_id not in visible:
                visible.add(step.gobject_id)
                step = self._hierarchy.by_id(step.parent_id)
        return visible

    def _reaches(self, plant_object: PlantObject) -> bool:
        if self._key.allows(plant_object.tag_name):
            return True
        prefix = tag_key(f"{plant_object.tag_name}.")
        below = [tree[len(prefix) :] for tree in self._key.subtrees or () if tree.startswith(prefix)]
        # A sub-tree may be a single attribute or something below it.
        return any(
            name == tree or name.startswith(f"{tree}.") for tree in below for name in plant_object.template.by_name
        )
