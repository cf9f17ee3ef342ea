"""Tags beside the plant's: from Python, from a CSV file with exact complaints, and by the million."""

import subprocess
import sys
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from sim_wire import wire
from test_sim_galaxy import discover

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import ManualClock, NativeType, SimulatedGateway, TagDefinition, TagError
from zb_mom_ww_mxgateway_sim.plant.tag_file import read_tags


def read(tmp_path: Path, text: str | bytes) -> list[TagDefinition]:
    file = tmp_path / "tags.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_tags(file)


def test_a_file_of_every_type(tmp_path: Path) -> None:
    tags = read(
        tmp_path,
        "\ufeffname,type,value,writable,description,unit\r\n"
        "# a remark\r\n"
        "\r\n"
        'A.Press,double,12.5,true,"Header, ""cold"" side",bar\r\n'
        "A.Count,Integer,7,no,,\r\n"
        "A.On,bool,true,yes,,\r\n"
        "A.Small,float,0.5,1,,\r\n"
        "A.Name,string,x y,0,,\r\n"
        "A.At,time,2026-01-08T12:00:00Z,,,\r\n"
        "A.Run,elapsed,01:00:00,,,\r\n"
        "A.List,int[],1|2|3,,,\r\n",
    )
    gateway = SimulatedGateway(plaintext=True, tags=tags)
    values = [gateway.read(tag.name).value for tag in tags]
    assert values == [12.5, 7, True, 0.5, "x y", datetime(2026, 1, 8, 12, tzinfo=UTC), 3600.0, (1, 2, 3)]
    assert [tag.writable for tag in tags] == [True, False, True, True, False, True, True, True]
    assert gateway.read("A.Press.EngUnits").value == "bar"
    assert gateway.read("A.Press.Description").value == 'Header, "cold" side'


def test_only_the_name_is_needed_and_a_type_is_guessed(tmp_path: Path) -> None:
    tags = read(tmp_path, "Name\nA.B\n  C.D  \n")
    assert tags == [TagDefinition("A.B"), TagDefinition("C.D")]
    tags = read(tmp_path, "value;name\ntrue;A.B\n1,5;A.C\nx;A.D\n2.5;A.E\n;A.F\n")
    assert [tag.type for tag in tags] == [
        NativeType.BOOLEAN,
        NativeType.STRING,
        NativeType.STRING,
        NativeType.DOUBLE,
        NativeType.DOUBLE,
    ]
    assert SimulatedGateway(plaintext=True, tags=tags).read("A.F").value == 0.0


@pytest.mark.parametrize(
    ("text", "place", "complaint"),
    [
        ("", "1:1", "no line names the columns; write name,type,value,writable,description,unit"),
        ("type,value\n", "1:1", "the column name is missing"),
        ("name,tpye\n", "1:6", "no column 'tpye'; did you mean type?"),
        ("name,colour\n", "1:6", "no column 'colour'; there are name, type"),
        ("name,name\n", "1:6", "column name twice"),
        ("name\nA\n", "2:1", "'A' is not a tag name: names of letters, digits and _, joined by dots: Object.Attribute"),
        ("name\n\n  A..B\n", "3:3", "'A..B' is not a tag name"),
        ("name\nA.B C\n", "2:1", "'A.B C' is not a tag name"),
        ("name,type\nA.B,long\n", "2:5", "no type 'long'; there are bool, boolean"),
        ("name,type,value\nA.B,int,seven\n", "2:9", "'seven' is not a number; use a value of the tag's type"),
        ("name,type,value\nA.B,int,3000000000\n", "2:9", "3000000000 does not fit into 32 bits"),
        ("name,type,value\nA.B,int[],1|x\n", "2:11", "'x' is not a number"),
        ("name,type,value\nA.B,time,noon\n", "2:10", "'noon' is not a Time"),
        ("name,writable\nA.B,maybe\n", "2:5", "'maybe' in the column writable; use true or false"),
        ("name\nA.B\na.b\n", "3:1", "a.b is in line 2 already"),
        ("name,historized\nA.B,often\n", "2:5", "'often' in the column historized; use true or false"),
        ("name,quality\nA.B,256\n", "2:5", "'256' is not a quality; use good, uncertain, bad or a number from 0 to"),
        ("name,security\nA.B,secret\n", "2:5", "no security 'secret'; there are FreeAccess, Operate, SecuredWrite"),
        ("name,security,writable\nA.B,view only,yes\n", "2:15", "a tag with security ViewOnly is not writable; leave"),
        ("name,min\nA.B,low\n", "2:5", "'low' is not a number"),
        ("name,min\nA.B,nan\n", "2:5", "'nan' is not a number"),
        ("name,type,max\nA.B,bool,1\n", "2:10", "a boolean has no max; only numbers have"),
        ("name,min,max\nA.B,2,1\n", "2:7", "max 1 is below min 2"),
        ("name,value,min,max\nA.B,7,0,5\n", "2:5", "7 is not from 0 to 5, as min and max say"),
        ("name,type\nA.B,int,5\n", "2:9", "3 fields for 2 columns"),
        ('name,type\n"A.B,int\n', "2:1", "a quote is not closed"),
        ('name,type\n"A.B"x,int\n', "2:6", "text after a closing quote; put ',' or the end of the line there"),
        (b"\xef\xbb\xbfname\n\xc3\xa4.B\xe4\n", "2:4", "byte 0xE4 is not UTF-8; save the file as UTF-8"),
    ],
)
def test_a_mistake_is_one_line_that_points_at_it(tmp_path: Path, text: str | bytes, place: str, complaint: str) -> None:
    with pytest.raises(TagError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'tags.csv'}:{place}: {complaint}")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "place", "complaint"),
    [
        ("name\nMine.A\nplant.tank1.LEVEL\n", "3:1", "there is a tag plant.tank1.LEVEL already"),
        ('name,area\nMine.A,"a b"\n', "2:9", "'a b' is not the name of an area"),
        ("name,area\nMine.A,mine\n", "2:8", "Mine cannot be in itself"),
        ("name,area\nMine.A,North\nMine.B,South\n", "3:8", "Mine is in area North by another of its tags"),
        ("name,area\nPlant.Tank1.Own,North\n", "2:17", "Plant.Tank1 exists already, in Plant; leave its area out"),
        ("name,area\nMine.A,Plant.Tank1\n", "2:8", "Plant.Tank1 is an object and no area; name another"),
    ],
)
def test_what_does_not_fit_into_the_plant_is_said_with_its_place(
    tmp_path: Path, text: str, place: str, complaint: str
) -> None:
    tags = read(tmp_path, text)
    with pytest.raises(TagError) as caught:
        SimulatedGateway(plaintext=True, tags=tags)
    assert str(caught.value).startswith(f"{tmp_path / 'tags.csv'}:{place}: {complaint}")


async def test_security_range_quality_history_and_area_of_ones_own_tags(tmp_path: Path, clock: ManualClock) -> None:
    tags = read(
        tmp_path,
        "name,type,value,quality,security,min,max,historized,area\n"
        "Mix.Speed,int,5,uncertain,Tune,0,10,yes,North.Hall\n"
        "Mix.Lid,bool,,,verified write,,,,\n"
        "Mix.Recipe,int[],1|2,,,0,,,\n",
    )
    async with SimulatedGateway(plaintext=True, clock=clock, tags=tags) as gateway, wire(gateway) as client:
        (mix,) = (await discover(client, tag_name_glob="Mix")).objects
        found = {each.attribute_name: each for each in mix.attributes}
        assert [found[name].security_classification for name in ("Speed", "Lid", "Recipe")] == [4, 3, 1]
        assert [found[name].is_historized for name in ("Speed", "Lid")] == [True, False]
        hall, north = [(await discover(client, tag_name_glob=name)).objects[0] for name in ("North.Hall", "North")]
        assert (mix.parent_gobject_id, hall.parent_gobject_id) == (hall.gobject_id, north.gobject_id)
        assert (hall.is_area, hall.contained_name, north.parent_gobject_id) == (True, "Hall", 0)
        assert (gateway.read("Mix.Speed.RangeLo").value, gateway.read("Mix.Speed.RangeHi").value) == (0.0, 10.0)
        with pytest.raises(KeyError):
            gateway.read("Mix.Recipe.RangeHi")
        assert gateway.read("Mix.Speed").quality == 64

        events, item, _ = await client.watching("Mix.Speed")
        for value, outcome in ((11, pb.MX_STATUS_CATEGORY_OPERATIONAL_ERROR), (10, pb.MX_STATUS_CATEGORY_OK)):
            await client.write(1, item, int32_value=value)
            await clock.advance(0.1)
            assert (await events.write_complete()).statuses[0].category == outcome
        assert (gateway.read("Mix.Speed").value, gateway.read("Mix.Speed").quality) == (10, 192)
        gateway.set("Mix.Speed", 99)
        assert gateway.read("Mix.Speed").value == 99


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TagError, match="No such file"):
        read_tags(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("tags", "complaint"),
    [
        ([TagDefinition("Plant.Tank1.level")], "there is a tag Plant.Tank1.level already"),
        ([TagDefinition("A.B"), TagDefinition("a.b")], "there is a tag a.b already"),
        ([TagDefinition("Area001.Unit0001.Value01")], "already"),
        ([TagDefinition("NoDot")], "'NoDot' is not a tag name"),
        ([TagDefinition("A.B", NativeType.INTEGER, "x")], "A.B: 'x' is not a number"),
    ],
)
def test_a_tag_that_cannot_be_had_is_refused(tags: list[TagDefinition], complaint: str) -> None:
    with pytest.raises(TagError, match=complaint):
        SimulatedGateway(plaintext=True, tags=tags, generated_tags=50)


async def test_tags_of_ones_own_are_in_the_galaxy_and_can_be_written(clock: ManualClock) -> None:
    tags = [
        TagDefinition("Area1.Press.PV", NativeType.DOUBLE, 12.7, writable=False, unit="bar"),
        TagDefinition("Area1.Press.PV.HiHi.Limit", NativeType.DOUBLE, 20),
        TagDefinition("Area1.Press.SP"),
        TagDefinition("Plant.Tank1.Mine", NativeType.INTEGER, 3),
        TagDefinition("Solo.On", NativeType.BOOLEAN),
    ]
    async with SimulatedGateway(plaintext=True, clock=clock, tags=tags) as gateway, wire(gateway) as client:
        (press,) = (await discover(client, tag_name_glob="Area1.*")).objects
        assert press.tag_name == "Area1.Press"
        found = {attribute.attribute_name: attribute for attribute in press.attributes}
        assert {"PV", "PV.EngUnits", "PV.HiHi.Limit", "SP", "Tagname"} <= set(found)
        assert (found["PV"].security_classification, found["SP"].security_classification) == (6, 1)
        (area,) = (await discover(client, tag_name_glob="Area1")).objects
        assert area.is_area
        assert press.parent_gobject_id == area.gobject_id
        (tank,) = (await discover(client, tag_name_glob="Plant.Tank1")).objects
        assert tank.attributes[-1].full_tag_reference == "Plant.Tank1.Mine"
        (solo,) = (await discover(client, tag_name_glob="Solo")).objects
        assert solo.parent_gobject_id == 0

        events, item, first = await client.watching("area1.press.pv.hihi.limit")
        assert first.value.double_value == 20.0
        await client.write(1, item, double_value=21.0)
        await clock.advance(0.1)
        await events.write_complete()
        assert gateway.writes[-1].tag == "Area1.Press.PV.HiHi.Limit"


async def test_generated_tags_are_named_by_area_unit_and_value(clock: ManualClock) -> None:
    async with SimulatedGateway(plaintext=True, clock=clock, generated_tags=10_120) as gateway, wire(gateway) as client:
        reply = await discover(client, template_chain_contains=["$GeneratedUnit"])
        assert (reply.objects[0].tag_name, reply.objects[-1].tag_name) == ("Area001.Unit0001", "Area002.Unit0003")
        assert reply.total_object_count == 203
        values = [
            attribute
            for thing in reply.objects
            for attribute in thing.attributes
            if attribute.attribute_name.startswith("Value")
        ]
        assert len(values) == 10_120
        assert values[0].full_tag_reference == "Area001.Unit0001.Value01"
        assert {value.data_type_name for value in values} == {"Boolean", "Integer", "Float", "Double", "String"}
        gateway.read("area002.unit0003.VALUE20")
        with pytest.raises(KeyError):
            gateway.read("Area002.Unit0003.Value21")


async def test_an_advised_generated_tag_changes_slowly_until_it_is_written(clock: ManualClock) -> None:
    async with SimulatedGateway(plaintext=True, clock=clock, generated_tags=100) as gateway, wire(gateway) as client:
        events, item, first = await client.watching("Area001.Unit0002.Value01")
        await clock.advance(30)
        seen = [first, *await events.take(3)]
        assert len({event.value.double_value for event in seen}) == 4
        session = gateway.sessions[client.session_id]
        assert session.last_sequence == 4
        steps = [event.source_timestamp.ToNanoseconds() / 1e9 for event in seen[1:]]
        assert [round(later - earlier, 3) for earlier, later in pairwise(steps)] == [10, 10]
        await client.write(1, item, double_value=5.0)
        await clock.advance(30)
        assert session.last_sequence == 6
        assert gateway.read("Area001.Unit0002.Value01").value == 5.0


async def test_what_nobody_looks_at_is_forgotten_and_comes_back_the_same(clock: ManualClock) -> None:
    async with SimulatedGateway(plaintext=True, clock=clock, generated_tags=1000) as gateway:
        await clock.advance(123)
        first = gateway.read("Area001.Unit0003.Value07")
        alive = len(gateway._plant.points._alive)
        for number in range(1, 51):
            gateway.read(f"Area001.Unit0004.Value{number:02d}")
        assert len(gateway._plant.points._alive) == alive
        assert gateway.read("Area001.Unit0003.Value07") == first


def test_a_million_tags_cost_little() -> None:
    # By what Python allocates: in a process of its own, so that nothing else counts.
    code = (
        "import tracemalloc\n"
        "from zb_mom_ww_mxgateway_sim import SimulatedGateway\n"
        "tracemalloc.start()\n"
        "gateway = SimulatedGateway(plaintext=True, generated_tags=1_000_000)\n"
        "print(gateway.read('Area100.Unit0200.Value50').type.name)\n"
        "print(tracemalloc.get_traced_memory()[1])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=300)
    kind, size = done.stdout.splitlines()
    assert kind == "STRING"
    assert int(size) < 50_000_000


async def test_a_bogus_tag_in_bulk_among_generated_ones(clock: ManualClock) -> None:
    async with SimulatedGateway(plaintext=True, clock=clock, generated_tags=100) as gateway, wire(gateway) as client:
        await client.open()
        server = await client.register()
        tags = ["Area001.Unit0001.Value50", "Area001.Unit0009.Value01"]
        await client.done("subscribe_bulk", server_handle=server, tag_addresses=tags)
        good, bad = await client.stream().take(2)
        assert good.value.string_value.startswith("batch ")
        assert bad.statuses[0].category == pb.MX_STATUS_CATEGORY_CONFIGURATION_ERROR
