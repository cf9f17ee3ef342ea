"""Layout of the simulated plant: areas, objects, attributes and their initial values."""

from collections.abc import Callable
from datetime import UTC, datetime

from zb_mom_ww_mxgateway_sim.plant.hierarchy import Hierarchy
from zb_mom_ww_mxgateway_sim.plant.model import (
    AREA_CATEGORY,
    OBJECT_CATEGORY,
    Attribute,
    AttributeCategory,
    PlantObject,
    Security,
    Template,
)
from zb_mom_ww_mxgateway_sim.plant.signal_shapes import Interrupted, Wave
from zb_mom_ww_mxgateway_sim.plant.status import NO_VALUE_YET, SENSOR_FAILED
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType, Value

# Category of devices; our own number.
_DEVICE = 11

Initial = dict[str, Value]


def fixed(
    name: str, value: Value | Callable[[PlantObject], Value], tag_type: NativeType = NativeType.STRING
) -> Attribute:
    """Return an attribute that never changes."""
    return Attribute(name, tag_type, value, security=Security.VIEW_ONLY, category=AttributeCategory.CALCULATED)


def _measured(name: str, tag_type: NativeType, value: Value, *, historized: bool = False) -> Attribute:
    return Attribute(
        name,
        tag_type,
        value,
        security=Security.VIEW_ONLY,
        category=AttributeCategory.WRITEABLE_S,
        historized=historized,
    )


def _swinging(
    name: str, signal: Wave | Interrupted, unit: str, tag_type: NativeType = NativeType.DOUBLE
) -> tuple[Attribute, ...]:
    measured = Attribute(
        name,
        tag_type,
        False if tag_type is NativeType.BOOLEAN else signal.value(0.0, 0, tag_type),
        security=Security.VIEW_ONLY,
        category=AttributeCategory.WRITEABLE_S,
        historized=True,
        signal=signal,
    )
    return (measured, fixed(f"{name}.EngUnits", unit))


def _range(name: str, low: float, high: float) -> tuple[Attribute, ...]:
    """Return the attributes that tell the range of a tag. What is written to it is not held to them."""
    return tuple(fixed(f"{name}.{end}", at, NativeType.DOUBLE) for end, at in (("RangeLo", low), ("RangeHi", high)))


def limit_alarm(
    name: str, limit: Value, priority: int, limit_type: NativeType = NativeType.DOUBLE
) -> tuple[Attribute, ...]:
    """Return the attributes of an alarm that the process raises at a limit."""
    return (
        Attribute(
            f"{name}.InAlarm",
            NativeType.BOOLEAN,
            False,
            security=Security.VIEW_ONLY,
            category=AttributeCategory.WRITEABLE_S,
            alarm=True,
        ),
        Attribute(f"{name}.Limit", limit_type, limit, security=Security.TUNE),
        Attribute(f"{name}.Priority", NativeType.INTEGER, priority, security=Security.CONFIGURE),
        _measured(f"{name}.Acked", NativeType.BOOLEAN, True),
        Attribute(f"{name}.AckMsg", NativeType.STRING, ""),
    )


def _built_in(description: str) -> tuple[Attribute, ...]:
    """Return the attributes that every object has."""
    return (
        fixed("Tagname", lambda plant_object: plant_object.tag_name),
        fixed("ContainedName", lambda plant_object: plant_object.contained_name),
        fixed("Area", lambda plant_object: plant_object.tag_name.partition(".")[0]),
        Attribute("ShortDesc", NativeType.STRING, description, security=Security.CONFIGURE),
        fixed("ScanState", True, NativeType.BOOLEAN),
        _measured("InAlarm", NativeType.BOOLEAN, False),
        Attribute("AlarmInhibit", NativeType.BOOLEAN, False, security=Security.TUNE),
    )


def template(
    name: str, description: str, *attributes: Attribute, category: int = OBJECT_CATEGORY, base: str = "$UserDefined"
) -> Template:
    """Return a template of this name, derived from ``base``, with the built-in attributes of every object."""
    return Template((name, base), (*attributes, *_built_in(description)), category)


AREA = template("$ProcessArea", "Process area", category=AREA_CATEGORY, base="$Area")

TANK = template(
    "$Tank",
    "Tank with level measurement",
    _measured("Level", NativeType.DOUBLE, 61.0, historized=True),
    fixed("Level.EngUnits", "%"),
    *_range("Level", 0.0, 100.0),
    *limit_alarm("Level.HiHi", 90.0, 100),
    *limit_alarm("Level.Hi", 80.0, 300),
    *limit_alarm("Level.Lo", 20.0, 300),
    *limit_alarm("Level.LoLo", 10.0, 100),
    Attribute("LevelSP", NativeType.DOUBLE, 60.0),
    fixed("LevelSP.EngUnits", "%"),
    *_range("LevelSP", 0.0, 100.0),
    _measured("Overflow", NativeType.BOOLEAN, False),
    _measured("Volume", NativeType.FLOAT, 12.2, historized=True),
    fixed("Volume.EngUnits", "m3"),
)

VALVE = template(
    "$ControlValve",
    "Control valve",
    Attribute("Position", NativeType.DOUBLE, 35.0),
    fixed("Position.EngUnits", "%"),
    _measured("Position.Target", NativeType.DOUBLE, 35.0),
    _measured("Travelling", NativeType.BOOLEAN, False),
    Attribute("Position.TravelTime", NativeType.ELAPSED_TIME, 4.0, security=Security.TUNE),
    category=_DEVICE,
)

PUMP = template(
    "$Pump",
    "Pump with variable speed",
    _measured("Running", NativeType.BOOLEAN, True, historized=True),
    Attribute("Start", NativeType.BOOLEAN, False),
    Attribute("Stop", NativeType.BOOLEAN, False),
    Attribute("Command", NativeType.BOOLEAN, True),
    Attribute("Speed", NativeType.DOUBLE, 80.0),
    fixed("Speed.EngUnits", "%"),
    _measured("Current", NativeType.FLOAT, 9.6, historized=True),
    fixed("Current.EngUnits", "A"),
    _measured("Starts", NativeType.INTEGER, 1),
    _measured("RunTime", NativeType.ELAPSED_TIME, 0.0),
    category=_DEVICE,
)

LEVEL_CONTROLLER = template(
    "$LevelController",
    "Level controller",
    Attribute("Auto", NativeType.BOOLEAN, False),
    _measured("PV", NativeType.DOUBLE, 61.0),
    Attribute("SP", NativeType.DOUBLE, 60.0),
    _measured("Output", NativeType.DOUBLE, 35.0),
    Attribute("Gain", NativeType.DOUBLE, 8.0, security=Security.TUNE),
    Attribute("ResetTime", NativeType.ELAPSED_TIME, 30.0, security=Security.TUNE),
    fixed("PV.EngUnits", "%"),
)

INTERLOCK = template(
    "$Interlock",
    "Safety interlock",
    _measured("Tripped", NativeType.BOOLEAN, False),
    Attribute("Bypass", NativeType.BOOLEAN, False, security=Security.SECURED_WRITE),
    Attribute("Reset", NativeType.BOOLEAN, False, security=Security.VERIFIED_WRITE),
)

BOILER = template(
    "$Boiler",
    "Steam boiler",
    *_swinging("Pressure", Wave(7.5, 0.35, 45.0), "bar"),
    *_swinging("Temperature", Wave(172.0, 3.0, 90.0, decimals=1), "°C", NativeType.FLOAT),
    Attribute("PressureSP", NativeType.DOUBLE, 7.5),
    Attribute("Burner", NativeType.BOOLEAN, True),
    category=_DEVICE,
)

COMPRESSOR = template(
    "$Compressor",
    "Air compressor",
    *_swinging("Pressure", Wave(6.8, 0.2, 25.0), "bar"),
    *_swinging("Loaded", Wave(0.0, 1.0, 40.0), "", NativeType.BOOLEAN),
    Attribute("Enable", NativeType.BOOLEAN, True),
    category=_DEVICE,
)

MEASUREMENT = template(
    "$AnalogInput",
    "Measurement",
    *_swinging("PV", Wave(50.0, 10.0, 75.0), "%"),
    Attribute("Simulate", NativeType.BOOLEAN, False, security=Security.CONFIGURE),
    category=_DEVICE,
)

# One tag for each doubt about a value.
WATER_ANALYSER = template(
    "$WaterAnalyser",
    "Water analyser",
    Attribute("PH", NativeType.DOUBLE, 7.1, security=Security.VIEW_ONLY, quality=SENSOR_FAILED),
    fixed("PH.Description", "its sensor has failed"),
    *_swinging("Chlorine", Interrupted(Wave(0.5, 0.1, 40.0), there=20.0, lost=10.0), "mg/l"),
    fixed("Chlorine.Description", "it has a loose contact"),
    Attribute("LabResult", NativeType.DOUBLE, None, quality=NO_VALUE_YET),
    fixed("LabResult.EngUnits", "mg/l"),
    fixed("LabResult.Description", "the laboratory writes it"),
    Attribute("Turbidity", NativeType.DOUBLE, 0.8, security=Security.VIEW_ONLY, first_change_delay=6.0),
    fixed("Turbidity.EngUnits", "NTU"),
    fixed("Turbidity.Description", "its first value takes 6 s"),
    category=_DEVICE,
)

LINE = template(
    "$PackagingLine",
    "Packaging line",
    *_swinging("Rate", Wave(118.0, 6.0, 50.0, decimals=0), "1/min", NativeType.INTEGER),
    *_swinging("Batch", Wave(0.0, 1.0, step=60.0), "", NativeType.STRING),
    Attribute("RateSP", NativeType.INTEGER, 120),
    Attribute("Product", NativeType.STRING, "Standard 1 l"),
    Attribute("Counters", NativeType.INTEGER, (0, 0, 0, 0), array_length=4),
)

MOTOR = template(
    "$Motor",
    "Motor",
    *_swinging("Current", Wave(4.2, 0.4, 20.0), "A", NativeType.FLOAT),
    Attribute("Command", NativeType.BOOLEAN, True),
    Attribute("Speed", NativeType.DOUBLE, 60.0),
    category=_DEVICE,
)

TEST_OBJECT = template(
    "$TestObject",
    "One attribute of each type, all writable",
    Attribute("TestBool", NativeType.BOOLEAN, False, security=Security.FREE_ACCESS),
    Attribute("TestInt", NativeType.INTEGER, 0, security=Security.FREE_ACCESS),
    Attribute("TestFloat", NativeType.FLOAT, 0.0, security=Security.FREE_ACCESS),
    Attribute("TestDouble", NativeType.DOUBLE, 0.0, security=Security.FREE_ACCESS),
    Attribute("TestString", NativeType.STRING, "", security=Security.FREE_ACCESS),
    Attribute("TestTime", NativeType.TIME, datetime(2026, 1, 1, tzinfo=UTC), security=Security.FREE_ACCESS),
    Attribute("TestElapsed", NativeType.ELAPSED_TIME, 0.0, security=Security.FREE_ACCESS),
    Attribute("TestIntArray", NativeType.INTEGER, tuple(range(1, 11)), array_length=10, security=Security.FREE_ACCESS),
)


def build(hierarchy: Hierarchy) -> None:
    """Add the plant's objects."""
    _process(hierarchy)
    _utilities(hierarchy)
    _packaging(hierarchy)
    test_area = hierarchy.add("TestArea", AREA)
    hierarchy.add("TestChildObject", TEST_OBJECT, test_area)


def _inside(
    hierarchy: Hierarchy, parent: PlantObject, name: str, template: Template, initial: Initial | None = None
) -> PlantObject:
    return hierarchy.add(f"{parent.tag_name}.{name}", template, parent, contained_name=name, initial=initial or {})


def _process(hierarchy: Hierarchy) -> None:
    plant = hierarchy.add("Plant", AREA)
    tank1 = _inside(hierarchy, plant, "Tank1", TANK, {"shortdesc": "Feed tank", "level": 61.0})
    tank2 = _inside(hierarchy, plant, "Tank2", TANK, {"shortdesc": "Buffer tank", "level": 48.0, "levelsp": 50.0})
    _inside(hierarchy, tank1, "Inlet", VALVE, {"shortdesc": "Inlet valve"})
    _inside(hierarchy, tank1, "Outlet", VALVE, {"shortdesc": "Outlet valve, feeds tank 2"})
    _inside(hierarchy, tank2, "Outlet", VALVE, {"shortdesc": "Outlet valve", "position": 40.0})
    _inside(hierarchy, plant, "Pump1", PUMP, {"shortdesc": "Feed pump of tank 1"})
    _inside(hierarchy, plant, "Pump2", PUMP, {"shortdesc": "Discharge pump of tank 2", "speed": 60.0})
    _inside(hierarchy, plant, "LC1", LEVEL_CONTROLLER, {"shortdesc": "Level of tank 1 by its inlet valve"})
    _inside(hierarchy, plant, "Interlock", INTERLOCK)
    for number in range(1, 5):
        _inside(hierarchy, plant, f"FT{number}", MEASUREMENT, {"shortdesc": f"Flow {number}"})


def _utilities(hierarchy: Hierarchy) -> None:
    area = hierarchy.add("Utilities", AREA)
    for number in range(1, 3):
        _inside(hierarchy, area, f"Boiler{number}", BOILER)
        _inside(hierarchy, area, f"Compressor{number}", COMPRESSOR)
    _inside(hierarchy, area, "AT1", WATER_ANALYSER)
    for number in range(1, 7):
        _inside(hierarchy, area, f"TT{number}", MEASUREMENT, {"shortdesc": f"Temperature {number}"})


def _packaging(hierarchy: Hierarchy) -> None:
    area = hierarchy.add("Packaging", AREA)
    for number in range(1, 4):
        line = _inside(hierarchy, area, f"Line{number}", LINE, {"shortdesc": f"Line {number}"})
        for part in ("Filler", "Capper", "Labeller"):
            _inside(hierarchy, line, part, MOTOR, {"shortdesc": f"{part} of line {number}"})
