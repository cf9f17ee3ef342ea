"""The layout of the simulated plant: areas, objects, attributes, and what they begin with."""

from collections.abc import Callable
from datetime import UTC, datetime

from zb_mom_ww_mxgateway_sim.plant.hierarchy import Hierarchy
from zb_mom_ww_mxgateway_sim.plant.model import (
    AREA_CATEGORY,
    OBJECT_CATEGORY,
    Attribute,
    AttributeCategory,
    GalaxyObject,
    Security,
    Template,
    Wave,
)
from zb_mom_ww_mxgateway_sim.plant.tag_types import TagType, Value

# A category number beside those of areas and of objects; ours.
_DEVICE = 11

Initial = dict[str, Value]


def _fixed(name: str, value: Value | Callable[[GalaxyObject], Value], tag_type: TagType = TagType.STRING) -> Attribute:
    return Attribute(name, tag_type, value, security=Security.VIEW_ONLY, category=AttributeCategory.CALCULATED)


def _measured(name: str, tag_type: TagType, value: Value, *, historized: bool = False) -> Attribute:
    return Attribute(
        name,
        tag_type,
        value,
        security=Security.VIEW_ONLY,
        category=AttributeCategory.WRITEABLE_S,
        historized=historized,
    )


def _swinging(name: str, wave: Wave, unit: str, tag_type: TagType = TagType.DOUBLE) -> tuple[Attribute, ...]:
    measured = Attribute(
        name,
        tag_type,
        False if tag_type is TagType.BOOLEAN else wave.mean,
        security=Security.VIEW_ONLY,
        category=AttributeCategory.WRITEABLE_S,
        historized=True,
        wave=wave,
    )
    return (measured, _fixed(f"{name}.EngUnits", unit))


def _alarm(name: str, limit: float, priority: int) -> tuple[Attribute, ...]:
    return (
        Attribute(
            f"{name}.InAlarm",
            TagType.BOOLEAN,
            False,
            security=Security.VIEW_ONLY,
            category=AttributeCategory.WRITEABLE_S,
            alarm=True,
        ),
        Attribute(f"{name}.Limit", TagType.DOUBLE, limit, security=Security.TUNE),
        Attribute(f"{name}.Priority", TagType.INTEGER, priority, security=Security.CONFIGURE),
        _measured(f"{name}.Acked", TagType.BOOLEAN, True),
        Attribute(f"{name}.AckMsg", TagType.STRING, ""),
    )


def _built_in(description: str) -> tuple[Attribute, ...]:
    """What every object has, whatever it is."""
    return (
        _fixed("Tagname", lambda thing: thing.tag_name),
        _fixed("ContainedName", lambda thing: thing.contained_name),
        _fixed("Area", lambda thing: thing.tag_name.partition(".")[0]),
        Attribute("ShortDesc", TagType.STRING, description, security=Security.CONFIGURE),
        _fixed("ScanState", True, TagType.BOOLEAN),
        _measured("InAlarm", TagType.BOOLEAN, False),
        Attribute("AlarmInhibit", TagType.BOOLEAN, False, security=Security.TUNE),
    )


def template(
    name: str, description: str, *attributes: Attribute, category: int = OBJECT_CATEGORY, base: str = "$UserDefined"
) -> Template:
    """A template of this name derived from ``base``, with the built-in attributes of every object."""
    return Template((name, base), (*attributes, *_built_in(description)), category)


AREA = template("$ProcessArea", "Process area", category=AREA_CATEGORY, base="$Area")

TANK = template(
    "$Tank",
    "Tank with level measurement",
    _measured("Level", TagType.DOUBLE, 61.0, historized=True),
    _fixed("Level.EngUnits", "%"),
    _fixed("Level.RangeLo", 0.0, TagType.DOUBLE),
    _fixed("Level.RangeHi", 100.0, TagType.DOUBLE),
    *_alarm("Level.HiHi", 90.0, 100),
    *_alarm("Level.Hi", 80.0, 300),
    *_alarm("Level.Lo", 20.0, 300),
    *_alarm("Level.LoLo", 10.0, 100),
    Attribute("LevelSP", TagType.DOUBLE, 60.0),
    _fixed("LevelSP.EngUnits", "%"),
    _measured("Overflow", TagType.BOOLEAN, False),
    _measured("Volume", TagType.FLOAT, 12.2, historized=True),
    _fixed("Volume.EngUnits", "m3"),
)

VALVE = template(
    "$ControlValve",
    "Control valve",
    Attribute("Position", TagType.DOUBLE, 35.0),
    _fixed("Position.EngUnits", "%"),
    _measured("Position.Target", TagType.DOUBLE, 35.0),
    _measured("Travelling", TagType.BOOLEAN, False),
    Attribute("Position.TravelTime", TagType.ELAPSED_TIME, 4.0, security=Security.TUNE),
    category=_DEVICE,
)

PUMP = template(
    "$Pump",
    "Pump with variable speed",
    _measured("Running", TagType.BOOLEAN, True, historized=True),
    Attribute("Start", TagType.BOOLEAN, False),
    Attribute("Stop", TagType.BOOLEAN, False),
    Attribute("Command", TagType.BOOLEAN, True),
    Attribute("Speed", TagType.DOUBLE, 80.0),
    _fixed("Speed.EngUnits", "%"),
    _measured("Current", TagType.FLOAT, 9.6, historized=True),
    _fixed("Current.EngUnits", "A"),
    _measured("Starts", TagType.INTEGER, 1),
    _measured("RunTime", TagType.ELAPSED_TIME, 0.0),
    category=_DEVICE,
)

LEVEL_CONTROLLER = template(
    "$LevelController",
    "Level controller",
    Attribute("Auto", TagType.BOOLEAN, False),
    _measured("PV", TagType.DOUBLE, 61.0),
    Attribute("SP", TagType.DOUBLE, 60.0),
    _measured("Output", TagType.DOUBLE, 35.0),
    Attribute("Gain", TagType.DOUBLE, 8.0, security=Security.TUNE),
    Attribute("ResetTime", TagType.ELAPSED_TIME, 30.0, security=Security.TUNE),
    _fixed("PV.EngUnits", "%"),
)

INTERLOCK = template(
    "$Interlock",
    "Safety interlock",
    _measured("Tripped", TagType.BOOLEAN, False),
    Attribute("Bypass", TagType.BOOLEAN, False, security=Security.SECURED_WRITE),
    Attribute("Reset", TagType.BOOLEAN, False, security=Security.VERIFIED_WRITE),
)

BOILER = template(
    "$Boiler",
    "Steam boiler",
    *_swinging("Pressure", Wave(7.5, 0.35, 45.0), "bar"),
    *_swinging("Temperature", Wave(172.0, 3.0, 90.0, decimals=1), "°C", TagType.FLOAT),
    Attribute("PressureSP", TagType.DOUBLE, 7.5),
    Attribute("Burner", TagType.BOOLEAN, True),
    category=_DEVICE,
)

COMPRESSOR = template(
    "$Compressor",
    "Air compressor",
    *_swinging("Pressure", Wave(6.8, 0.2, 25.0), "bar"),
    *_swinging("Loaded", Wave(0.0, 1.0, 40.0), "", TagType.BOOLEAN),
    Attribute("Enable", TagType.BOOLEAN, True),
    category=_DEVICE,
)

MEASUREMENT = template(
    "$AnalogInput",
    "Measurement",
    *_swinging("PV", Wave(50.0, 10.0, 75.0), "%"),
    Attribute("Simulate", TagType.BOOLEAN, False, security=Security.CONFIGURE),
    category=_DEVICE,
)

LINE = template(
    "$PackagingLine",
    "Packaging line",
    *_swinging("Rate", Wave(118.0, 6.0, 50.0, decimals=0), "1/min", TagType.INTEGER),
    *_swinging("Batch", Wave(0.0, 1.0, step=60.0), "", TagType.STRING),
    Attribute("RateSP", TagType.INTEGER, 120),
    Attribute("Product", TagType.STRING, "Standard 1 l"),
    Attribute("Counters", TagType.INTEGER, (0, 0, 0, 0), array_length=4),
)

MOTOR = template(
    "$Motor",
    "Motor",
    *_swinging("Current", Wave(4.2, 0.4, 20.0), "A", TagType.FLOAT),
    Attribute("Command", TagType.BOOLEAN, True),
    Attribute("Speed", TagType.DOUBLE, 60.0),
    category=_DEVICE,
)

TEST_OBJECT = template(
    "$TestObject",
    "One attribute of each type, all writable",
    Attribute("TestBool", TagType.BOOLEAN, False, security=Security.FREE_ACCESS),
    Attribute("TestInt", TagType.INTEGER, 0, security=Security.FREE_ACCESS),
    Attribute("TestFloat", TagType.FLOAT, 0.0, security=Security.FREE_ACCESS),
    Attribute("TestDouble", TagType.DOUBLE, 0.0, security=Security.FREE_ACCESS),
    Attribute("TestString", TagType.STRING, "", security=Security.FREE_ACCESS),
    Attribute("TestTime", TagType.TIME, datetime(2026, 1, 1, tzinfo=UTC), security=Security.FREE_ACCESS),
    Attribute("TestElapsed", TagType.ELAPSED_TIME, 0.0, security=Security.FREE_ACCESS),
    Attribute("TestIntArray", TagType.INTEGER, tuple(range(1, 11)), array_length=10, security=Security.FREE_ACCESS),
)


def build(hierarchy: Hierarchy) -> None:
    """Adds the plant's objects."""
    _process(hierarchy)
    _utilities(hierarchy)
    _packaging(hierarchy)
    test_area = hierarchy.add("TestArea", AREA)
    hierarchy.add("TestChildObject", TEST_OBJECT, test_area)


def _inside(
    hierarchy: Hierarchy, parent: GalaxyObject, name: str, template: Template, initial: Initial | None = None
) -> GalaxyObject:
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
    for number in range(1, 7):
        _inside(hierarchy, area, f"TT{number}", MEASUREMENT, {"shortdesc": f"Temperature {number}"})


def _packaging(hierarchy: Hierarchy) -> None:
    area = hierarchy.add("Packaging", AREA)
    for number in range(1, 4):
        line = _inside(hierarchy, area, f"Line{number}", LINE, {"shortdesc": f"Line {number}"})
        for part in ("Filler", "Capper", "Labeller"):
            _inside(hierarchy, line, part, MOTOR, {"shortdesc": f"{part} of line {number}"})
