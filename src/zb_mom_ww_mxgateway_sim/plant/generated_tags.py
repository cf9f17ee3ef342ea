"""Generated tags, in any number."""

from zb_mom_ww_mxgateway_sim.plant.hierarchy import Hierarchy
from zb_mom_ww_mxgateway_sim.plant.layout import AREA, template
from zb_mom_ww_mxgateway_sim.plant.model import Attribute, PlantObject
from zb_mom_ww_mxgateway_sim.plant.signal_shapes import Wave
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType, default

_VALUES_PER_UNIT = 50
_UNITS_PER_AREA = 200


def add_generated(hierarchy: Hierarchy, count: int, change_period: float) -> None:
    """Add that many tags ``Area007.Unit0123.Value04``. The built-in attributes of their objects are not counted."""
    if count < 0:
        raise ValueError(f"generated_tags is {count}; use 0 or more")
    values = [_generated(number, change_period) for number in range(1, _VALUES_PER_UNIT + 1)]
    full = template("$GeneratedUnit", "Generated unit", *values)
    area: PlantObject | None = None
    for unit in range(-(-count // _VALUES_PER_UNIT)):
        if unit % _UNITS_PER_AREA == 0:
            area = hierarchy.add(f"Area{unit // _UNITS_PER_AREA + 1:03d}", AREA)
        left = count - unit * _VALUES_PER_UNIT
        shared = full if left >= _VALUES_PER_UNIT else template("$GeneratedUnit", "Generated unit", *values[:left])
        name = f"Unit{unit % _UNITS_PER_AREA + 1:04d}"
        assert area is not None
        hierarchy.add(f"{area.tag_name}.{name}", shared, area, contained_name=name)


def _generated(number: int, change_period: float) -> Attribute:
    kinds = {0: NativeType.INTEGER, 5: NativeType.BOOLEAN, 8: NativeType.FLOAT}
    tag_type = NativeType.STRING if number == _VALUES_PER_UNIT else kinds.get(number % 10, NativeType.DOUBLE)
    wave = Wave(50.0 + number, 5.0 + number / 10, change_period * 12, change_period, 3)
    return Attribute(f"Value{number:02d}", tag_type, default(tag_type), historized=number % 10 == 1, signal=wave)
