"""A galaxy that was exported by mxgw-py or by the example is served again, the same in every tag."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sim_wire import wire

from zb_mom_ww_mxgateway import GatewayClient
from zb_mom_ww_mxgateway_console.render.galaxy_forms import object_form
from zb_mom_ww_mxgateway_sim import (
    ManualClock,
    NativeType,
    SimulatedGateway,
    TagDefinition,
    TagError,
    read_galaxy,
    read_tags,
)

OBJECT: dict[str, Any] = {
    "attributes": [],
    "browse_name": "T1",
    "category_id": 10,
    "contained_name": "",
    "gobject_id": 7,
    "is_area": False,
    "parent_gobject_id": 0,
    "tag_name": "T1",
    "template_chain": ["$Tank"],
}
ATTRIBUTE: dict[str, Any] = {
    "array_dimension": 0,
    "attribute_name": "Level",
    "category": 10,
    "data_type_name": "Double",
    "is_alarm": False,
    "is_array": False,
    "is_historized": True,
    "security_classification": 4,
}


async def exported(gateway: SimulatedGateway) -> list[dict[str, Any]]:
    """What ``mxgw-py galaxy-discover --attributes --json`` prints."""
    async with await GatewayClient.connect(endpoint=gateway.endpoint, plaintext=True) as client:
        return [object_form(item, True) async for item in client.galaxy.discover(include_attributes=True)]


def written(path: Path, objects: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in objects), encoding="utf-8")
    return path


async def test_an_exported_galaxy_is_served_again(tmp_path: Path) -> None:
    tags = [
        TagDefinition("North.Mix.Recipe", NativeType.INTEGER, (1, 2, 3), is_array=True, historized=True),
        TagDefinition("Solo.Level", alarms="hi 80 300", area="South.Hall", unit="%"),
    ]
    async with SimulatedGateway(plaintext=True, api_keys=(), tags=tags, generated_tags=100) as gateway:
        first = await exported(gateway)
    file = written(tmp_path / "site.jsonl", first)
    async with SimulatedGateway(plaintext=True, api_keys=(), tags=read_galaxy(file)) as gateway:
        assert await exported(gateway) == first
        assert gateway.read("North.Mix.Recipe").value == (0, 0, 0)
        assert gateway.read("North.Mix.Tagname").value == "North.Mix"
        gateway.raise_alarm("ZB!South.Hall.Solo.Level.Hi")
        assert gateway.read("Solo.Level.Hi.InAlarm").value is True
        (alarm,) = gateway.alarms
        assert (alarm.source, alarm.severity) == ("Solo", 500)


def test_mxgw_py_and_mxgw_sim_carry_a_galaxy_home(tmp_path: Path) -> None:
    async def export() -> list[dict[str, Any]]:
        async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
            return await exported(gateway)

    first = asyncio.run(export())
    file = written(tmp_path / "site.jsonl", first)
    tags = tmp_path / "more.csv"
    tags.write_text('name,type,does\nplant.tank1.LEVEL,double,"ramp(0,10,100s)"\nPlant.Tank1.Extra,int,\n', "utf-8")
    arguments = ["--plaintext", "--no-api-key", "--from-galaxy", str(file), "--tags", str(tags)]
    served = subprocess.Popen(
        [sys.executable, "-m", "zb_mom_ww_mxgateway_sim", *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert served.stdout is not None
        endpoint = json.loads(served.stdout.readline())["endpoint"]
        command = [sys.executable, "-m", "zb_mom_ww_mxgateway_cli", "galaxy-discover", "--attributes", "--json"]
        done = subprocess.run(
            [*command, "--endpoint", endpoint, "--plaintext"], check=True, capture_output=True, text=True, timeout=60
        )
    finally:
        served.terminate()
        served.communicate()
    second = [json.loads(line) for line in done.stdout.splitlines()]
    extra = [each for item in second for each in item["attributes"] if each["attribute_name"] == "Extra"]
    assert [each["full_tag_reference"] for each in extra] == ["Plant.Tank1.Extra"]
    for item in second:
        item["attributes"] = [each for each in item["attributes"] if each["attribute_name"] != "Extra"]
    names = [[each["full_tag_reference"].lower() for each in item["attributes"]] for item in second]
    assert names == [[each["full_tag_reference"].lower() for each in item["attributes"]] for item in first]


async def test_a_row_of_ones_own_takes_the_place_of_an_exported_tag(tmp_path: Path, clock: ManualClock) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        galaxy = read_galaxy(written(tmp_path / "site.jsonl", await exported(gateway)))
    rows = tmp_path / "tags.csv"
    rows.write_text('name,type,does,alarms\nPlant.Tank1.Level,double,"ramp(0,100,100s)",hi 10 77\n', "utf-8")
    async with SimulatedGateway(plaintext=True, api_keys=(), clock=clock, tags=[*read_tags(rows), *galaxy]) as gateway:
        await clock.advance(12)
        assert gateway.read("Plant.Tank1.Level").value == 12.0
        (alarm,) = gateway.alarms
        assert (alarm.reference, alarm.severity) == ("ZB!Plant.Tank1.Level.Hi", 77)
        assert gateway.read("Plant.Tank1.Level.HiHi.InAlarm").value is False
        (tank,) = [item for item in await exported(gateway) if item["tag_name"] == "Plant.Tank1"]
        (level,) = [each for each in tank["attributes"] if each["attribute_name"] == "Level"]
        assert (level["security_classification"], level["category"], level["is_historized"]) == (6, 5, True)


async def test_security_and_categories_of_an_export_decide_about_writes(tmp_path: Path, clock: ManualClock) -> None:
    attributes = [
        ATTRIBUTE
        | {"attribute_name": f"C{category}S{security}", "category": category, "security_classification": security}
        for category, security in ((2, 1), (5, 1), (6, 1), (8, 6), (11, 0), (10, 0))
    ]
    file = written(tmp_path / "site.jsonl", [OBJECT | {"attributes": attributes}])
    async with (
        SimulatedGateway(plaintext=True, clock=clock, tags=read_galaxy(file)) as gateway,
        wire(gateway) as client,
    ):
        await client.open()
        server = await client.register()
        for attribute in attributes:
            item = await client.add(server, f"T1.{attribute['attribute_name']}")
            await client.advise(server, item)
            await client.write(server, item, double_value=1.0)
        await clock.advance(0.2)
        written_to = [record.tag for record in gateway.writes]
    assert written_to == ["T1.C6S1", "T1.C10S0"]


def test_arrays_of_objects_and_the_utf_16_of_a_redirection_are_read(tmp_path: Path) -> None:
    file = tmp_path / "site.json"
    item = OBJECT | {"attributes": [ATTRIBUTE]}
    file.write_text(json.dumps([item, item | {"tag_name": "T2", "gobject_id": 8, "parent_gobject_id": 7}], indent=1))
    names = ["T1.Level", "T2.Level"]
    assert [tag.name for tag in read_galaxy(file)] == names
    file.write_text(file.read_text(), "utf-16")
    assert [tag.name for tag in read_galaxy(str(file))] == names


def test_a_parent_may_come_later_be_missing_or_have_no_attributes(tmp_path: Path) -> None:
    child = OBJECT | {"attributes": [ATTRIBUTE], "parent_gobject_id": 9}
    area = OBJECT | {"tag_name": "Area", "gobject_id": 9, "is_area": True, "category_id": 13, "parent_gobject_id": 400}
    gateway = SimulatedGateway(plaintext=True, tags=read_galaxy(written(tmp_path / "a.jsonl", [child, area])))
    (found,) = gateway._plant.hierarchy.children(gateway._plant.hierarchy.by_tag_name("Area"))
    assert (found.tag_name, found.gobject_id, found.template.chain) == ("T1", 7, ("$Tank",))


def test_the_table_of_the_example_is_read(tmp_path: Path) -> None:
    file = tmp_path / "galaxy.csv"
    file.write_text(
        "object,template,tag,type,security,historized,alarm,array\n"
        "T1,$Tank,T1.Level,Double,4,True,False,\nT1,$Tank,T1.List,Integer,1,False,False,3\n"
    )
    level, values = read_galaxy(file)
    assert (level.name, level.type, level.historized, level.is_array) == ("T1.Level", NativeType.DOUBLE, True, False)
    assert SimulatedGateway(plaintext=True, tags=[level, values]).read("T1.List").value == (0, 0, 0)


def test_a_type_that_the_simulator_lacks_is_a_string_and_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    attributes = [
        ATTRIBUTE | {"attribute_name": f"A{number}", "data_type_name": name}
        for number, name in enumerate(("QualifiedStruct", "QualifiedStruct", "Custom", "BigString", "ElapsedTime"))
    ]
    file = written(tmp_path / "site.jsonl", [OBJECT | {"attributes": attributes}])
    assert [tag.type.name for tag in read_galaxy(file)] == ["STRING"] * 4 + ["ELAPSED_TIME"]
    (said,) = caplog.messages
    assert said.endswith(
        "3 attributes are served as String, because the simulator lacks their types: QualifiedStruct (2), Custom (1)"
    )


@pytest.mark.parametrize(
    ("text", "place", "complaint"),
    [
        ("", "", "no objects; write the file with mxgw-py galaxy-discover --attributes --json"),
        ("  1  area  Plant\n", "1", "no column object; write the file with mxgw-py galaxy-discover"),
        ('{"tag_name": \n', "1:1", "not JSON"),
        (
            '{"error": {"exit_code": 3}}\n',
            "1",
            "the export is not complete: it ends with an error; export the galaxy ag",
        ),
        ("[1]", "1", "no object of mxgw-py galaxy-discover"),
        (json.dumps(OBJECT | {"attributes": None}), "1", "the objects have no attributes; write the file with mxgw-py"),
        (json.dumps(OBJECT | {"gobject_id": "x"}), "1", "gobject_id is 'x'; write the file with"),
        (json.dumps(OBJECT | {"category_id": 2**40}), "1", "category_id is 1099511627776; write"),
        (json.dumps(OBJECT | {"tag_name": "\ud800"}), "1", r"tag_name is '\ud800'; write"),
        (json.dumps(OBJECT | {"gobject_id": -1}), "1", "the id of T1 is -1; ids are from 1 to 2147483647"),
        (json.dumps(OBJECT) + "\n" + json.dumps(OBJECT | {"gobject_id": 8}), "2", "object T1, id 8, is there twice"),
        (
            json.dumps(OBJECT | {"attributes": [ATTRIBUTE | {"security_classification": 9}]}),
            "1",
            "T1.Level has security 9",
        ),
        (
            json.dumps(OBJECT | {"attributes": [ATTRIBUTE | {"attribute_name": ""}]}),
            "1",
            "T1 has an attribute of the name ''",
        ),
        (json.dumps(OBJECT | {"attributes": [{}]}), "1", "attribute_name is None; write"),
        (json.dumps(OBJECT | {"attributes": [ATTRIBUTE, ATTRIBUTE]}), "1", "there is a tag T1.Level already"),
        (
            json.dumps(OBJECT | {"attributes": [ATTRIBUTE], "parent_gobject_id": 7}),
            "1",
            "object T1 is inside of itself",
        ),
        (
            "object,template,tag,type,security,historized,alarm\nA,$T,B.X,Double,1,0,0\n",
            "2",
            "tag B.X is not one of obj",
        ),
        (
            "object,template,tag,type,security,historized,alarm\nA,$T,A.X,Double,x,0,0\n",
            "2",
            "security and array are wh",
        ),
        ("object,template,tag,type,security,historized,alarm\nA,$T\n", "2", "2 fields for 7 columns"),
    ],
)
def test_what_is_no_export_is_said_with_its_line(tmp_path: Path, text: str, place: str, complaint: str) -> None:
    file = tmp_path / "site.jsonl"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(TagError) as caught:
        SimulatedGateway(plaintext=True, tags=read_galaxy(file))
    assert str(caught.value).startswith(f"{file}:{f'{place}:' if place else ''} {complaint}")
