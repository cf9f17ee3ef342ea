"""What tags of one's own do by themselves: signals, reactions to other tags, and the complaints about both."""

from pathlib import Path

import pytest
from sim_wire import wire

from zb_mom_ww_mxgateway_sim import ManualClock, NativeType, SimulatedGateway, TagDefinition, TagError, read_tags
from zb_mom_ww_mxgateway_sim.plant.tag_file import COLUMNS

EXAMPLE = Path(__file__).parents[2] / "examples" / "plants" / "boiler.csv"
BOOL, INT, FLOAT, STRING = NativeType.BOOLEAN, NativeType.INTEGER, NativeType.FLOAT, NativeType.STRING


def one(does: str, tag_type: NativeType = NativeType.DOUBLE, value: object = None) -> TagDefinition:
    return TagDefinition("Own.Tag", tag_type, value, does=does)


@pytest.mark.parametrize(
    ("tag", "values"),
    [
        (one("sine(40, 60, 8s, 0.4s)"), [50, 60, 50, 40, 50]),
        (one("ramp(0,100,8s)"), [0, 25, 50, 75, 0]),
        (one("ramp(100,0,16s)", INT), [100, 90, 75, 65, 50]),
        (one("square(false,true,8s)", BOOL), [False, False, True, True, False]),
        (one('square(idle,"is, busy",4s)', STRING), ["idle", "is, busy", "idle", "is, busy", "idle"]),
        (one("counter(1s)", INT, 2**31 - 4), [2**31 - 4, 2**31 - 2, 0, 2, 4]),
        (one("counter(500ms)", FLOAT, 1.5), [1.5, 5.5, 9.5, 13.5, 17.5]),
    ],
)
async def test_a_signal_moves_with_the_time_of_the_gateway(
    clock: ManualClock, tag: TagDefinition, values: list[object]
) -> None:
    async with SimulatedGateway(plaintext=True, clock=clock, tags=[tag]) as gateway, wire(gateway) as client:
        await client.watching("Own.Tag")
        seen = []
        for _ in values:
            seen.append(gateway.read("Own.Tag").value)
            await clock.advance(2)
        assert seen == values


@pytest.mark.parametrize("does", ["random(2,3)", "noise(50,2)"])
async def test_chance_is_the_same_for_the_same_seed_and_differs_from_tag_to_tag(does: str) -> None:
    async def values(seed: int) -> list[list[float]]:
        clock = ManualClock()
        tags = [TagDefinition(name, does=does) for name in ("Own.A", "Own.B")]
        async with SimulatedGateway(plaintext=True, clock=clock, tags=tags, seed=seed) as gateway:
            seen: list[list[float]] = [[], []]
            for _ in range(200):
                for number, tag in enumerate(tags):
                    value = gateway.read(tag.name).value
                    assert isinstance(value, float)
                    seen[number].append(value)
                await clock.advance(1)
            return seen

    first, again, other = [await values(seed) for seed in (1, 1, 2)]
    assert first == again
    assert len({tuple(each) for each in (*first, *other)}) == 4
    low, high = (2, 3) if "random" in does else (42, 58)
    assert all(low <= value <= high for value in first[0])
    assert len(set(first[0])) > 100
    middle, width = (2.5, 0.1) if "random" in does else (50, 0.6)
    assert abs(sum(first[0]) / len(first[0]) - middle) < width


async def test_a_signal_of_some_quality_keeps_it_and_a_write_ends_both(clock: ManualClock) -> None:
    tags = [TagDefinition("Own.Tag", does="ramp(0,100,100s)", quality=80), TagDefinition("Own.Set", does="counter(1s)")]
    async with SimulatedGateway(plaintext=True, clock=clock, tags=tags) as gateway, wire(gateway) as client:
        _, item, _ = await client.watching("Own.Tag")
        await clock.advance(10)
        assert gateway.read("Own.Tag").quality == 80
        assert 9 <= gateway.read("Own.Tag").value <= 10  # type: ignore[operator]  # a ramp is a number
        await client.write(1, item, double_value=5.0)
        await clock.advance(10)
        assert (gateway.read("Own.Tag").value, gateway.read("Own.Tag").quality) == (5.0, 192)
        gateway.set("Own.Set", 3)
        await clock.advance(10)
        assert gateway.read("Own.Set").value == 3.0


async def test_a_tag_follows_another_after_a_delay_with_its_quality(clock: ManualClock) -> None:
    tags = [
        TagDefinition("Own.Slow", does="follows(own.SOURCE, 500ms)"),
        TagDefinition("Own.Text", STRING, does="follows(Own.Source)"),
        TagDefinition("Own.Source", value=1.5),
        TagDefinition("Own.Copy", INT, (), is_array=True, does="follows(Plant_.List)"),
        TagDefinition("Plant_.List", INT, (1, 2), is_array=True),
        TagDefinition("Own.Level", FLOAT, does="follows(Plant.Tank1.Level)"),
    ]
    async with SimulatedGateway(plaintext=True, clock=clock, tags=tags) as gateway:
        assert [gateway.read(f"Own.{name}").value for name in ("Slow", "Text")] == [1.5, "1.5"]
        gateway.set("Own.Source", 7, 0)
        gateway.set("Own.Source", 8, 100)
        assert (gateway.read("Own.Text").value, gateway.read("Own.Text").quality) == ("8", 100)
        await clock.advance(0.4)
        assert gateway.read("Own.Slow").value == 1.5
        await clock.advance(0.2)
        assert (gateway.read("Own.Slow").value, gateway.read("Own.Slow").quality) == (8.0, 100)
        gateway.set("Plant_.List", [3])
        assert gateway.read("Own.Copy").value == (3,)
        gateway.set("Plant.Tank1.Level", 12.5)
        assert gateway.read("Own.Level").value == 12.5


async def test_a_tag_travels_from_where_it_is_to_where_it_is_wanted(clock: ManualClock) -> None:
    tags = [
        TagDefinition("Valve.Position", does="travels(Valve.Open,0,100,2s)"),
        TagDefinition("Valve.Open", BOOL),
        TagDefinition("Cart.At", INT, does="travels(Cart.To,10,20,5s)"),
        TagDefinition("Cart.To", value=99),
    ]
    async with SimulatedGateway(plaintext=True, clock=clock, tags=tags) as gateway:
        assert gateway.read("Cart.At").value == 20
        # Nothing has looked at the position yet: the command alone moves it.
        gateway.set("Valve.Open", True)
        await clock.advance(1)
        assert gateway.read("Valve.Position").value == 50.0
        gateway.set("Valve.Open", False)
        await clock.advance(0.4)
        assert gateway.read("Valve.Position").value == 30.0
        gateway.set("Valve.Open", None, 0)
        await clock.advance(2)
        assert (gateway.read("Valve.Position").value, gateway.read("Valve.Position").quality) == (0.0, 0)
        gateway.set("Valve.Open", True)
        await clock.advance(2)
        assert (gateway.read("Valve.Position").value, gateway.read("Valve.Position").quality) == (100.0, 192)
        gateway.set("Valve.Open", False)
        gateway.set("Valve.Position", 77)
        await clock.advance(4)
        assert gateway.read("Valve.Position").value == 77.0


async def test_a_tag_that_is_unset_has_at_once_what_it_would_have_without_set(clock: ManualClock) -> None:
    tags = [
        TagDefinition("Own.Wave", does="ramp(0,100,100s,50s)"),
        TagDefinition("Own.Copy", does="follows(Own.Source)"),
        TagDefinition("Own.Choice", INT, does="when(Own.Source > 5,1,0)"),
        TagDefinition("Own.Place", does="travels(Own.Source,0,100,1s)"),
        TagDefinition("Own.Source", value=8),
    ]
    names = [tag.name for tag in tags[:4]]
    async with SimulatedGateway(plaintext=True, clock=clock, tags=tags) as gateway, wire(gateway) as client:
        await client.watching("Own.Wave")
        for name in names:
            gateway.set(name, 77)
        await clock.advance(60)
        assert [gateway.read(name).value for name in names] == [77, 77, 77, 77]
        for name in names:
            gateway.unset(name)
        assert [gateway.read(name).value for name in names] == [50, 8, 1, 8]


@pytest.mark.parametrize(
    ("comparison", "true_at"),
    [("= 5", [5]), ("== 5", [5]), ("!= 5", [4, 6]), ("<5", [4]), ("<= 5", [4, 5]), (">5", [6]), (">=5", [5, 6])],
)
def test_a_tag_depends_on_a_comparison(comparison: str, true_at: list[int]) -> None:
    tags = [TagDefinition("Own.Tag", BOOL, does=f"when(Own.N {comparison}, true, false)"), TagDefinition("Own.N", INT)]
    gateway = SimulatedGateway(plaintext=True, tags=tags)
    seen = []
    for number in (4, 5, 6):
        gateway.set("Own.N", number)
        if gateway.read("Own.Tag").value:
            seen.append(number)
    assert seen == true_at


def test_a_choice_takes_tags_and_texts_and_is_bad_with_its_condition() -> None:
    tags = [
        TagDefinition("Own.Tag", STRING, does='when(Own.Mode = "by hand, now", Own.Name, "a.b")'),
        TagDefinition("Own.Mode", STRING, "by hand, now"),
        TagDefinition("Own.Name", STRING, "first"),
        TagDefinition("Own.Flag", STRING, does="when(Own.On, yes, no)"),
        TagDefinition("Own.On", BOOL),
    ]
    gateway = SimulatedGateway(plaintext=True, tags=tags)
    assert [gateway.read(f"Own.{name}").value for name in ("Tag", "Flag")] == ["first", "no"]
    gateway.set("Own.Name", "second", 70)
    assert (gateway.read("Own.Tag").value, gateway.read("Own.Tag").quality) == ("second", 70)
    gateway.set("Own.Mode", "auto", 0)
    assert (gateway.read("Own.Tag").value, gateway.read("Own.Tag").quality) == ("second", 0)
    gateway.set("Own.Mode", "auto")
    assert (gateway.read("Own.Tag").value, gateway.read("Own.Tag").quality) == ("a.b", 192)


def test_a_long_chain_of_tags_reacts_to_its_first() -> None:
    tags = [TagDefinition(f"Own.T{number}", does=f"follows(Own.T{number + 1})") for number in range(3000)]
    gateway = SimulatedGateway(plaintext=True, tags=[*tags, TagDefinition("Own.T3000")])
    gateway.set("Own.T3000", 4.5)
    assert gateway.read("Own.T0").value == 4.5


async def test_a_tag_of_a_later_deployment_reacts_to_one_in_use(clock: ManualClock) -> None:
    async with SimulatedGateway(plaintext=True, clock=clock, tags=[TagDefinition("Own.A", value=1)]) as gateway:
        gateway.set("Own.A", 2)
        gateway.faults.redeploy([TagDefinition("Own.B", does="travels(Own.A,0,10,10s)")])
        gateway.set("Own.A", 4)
        await clock.advance(2)
        assert gateway.read("Own.B").value == 4.0


@pytest.mark.parametrize(
    ("rows", "place", "complaint"),
    [
        ("A.B,double,cosine(1)", "2:12", "a tag cannot do 'cosine'; did you mean sine(LOW,HIGH,PERIOD[,STEP])?"),
        ("A.B,double,sine(40,60,30s)", "2:12", 'quote a field with commas: "sine(40,60,30s)"'),
        ("A.B,double,stand", "2:12", "a tag cannot do 'stand'; there are sine, ramp, square, random"),
        ("A.B,double,sine", "2:16", "write sine(LOW,HIGH,PERIOD[,STEP]); in a file with commas, quote it"),
        ('A.B,double,"sine(40,60)"', "2:23", "write sine(LOW,HIGH,PERIOD[,STEP]); here are 2 arguments"),
        ('A.B,double,"sine(1,2,3s,4s,5)"', "2:28", "write sine(LOW,HIGH,PERIOD[,STEP]); here are 5 arguments"),
        ('A.B,double,"sine(60,40,3s)"', "2:21", "40 is below 60; the lower one comes first"),
        ('A.B,double,"sine(40,60,30x)"', "2:24", "'30x' is not a time; use 250ms, 5s, 2min, 1h or seconds"),
        ('A.B,double,"sine(40,60,0.1s)"', "2:24", "0.1s is too short; use 0.4s or more"),
        ('A.B,double,"ramp(0,x,1s)"', "2:20", "'x' is not a number, as the tag's type needs"),
        ('A.B,int,"ramp(0,3e9,1s)"', "2:17", "3000000000 does not fit into 32 bits, as the tag's type needs"),
        ('A.B,double,"sine(-1e308,1e308,5s)"', "2:25", "no number is as large as the way from -1e+308 to 1e+308"),
        ('A.B,bool,"ramp(0,1,1s)"', "2:11", "a boolean cannot do ramp, only a number can; it can do square"),
        ('A.B,int[],"sine(0,1,1s)"', "2:12", "an array cannot do sine; it can do follows(TAG[,DELAY])"),
        ('A.B,double,"noise(1,-1)"', "2:21", "a deviation of -1 is below 0"),
        ("A.B,int,counter(100ms)", "2:17", "100ms is too short; use 0.2s or more"),
        ('A.B,double,"travels(A.C,5,5,1s)"', "2:27", "there is no way to travel"),
        ('A.B,double,"travels(A.C,0,5,0)"', "2:29", "there is no way to travel"),
        ('A.B,string,"when(A.C = ""x,1,2)"', "2:24", "a quote is not closed"),
        ("A.B,double,follows(C)", "2:20", "'C' is not a tag name"),
        ("A.B,double,follows(A.C)", "2:20", "there is no tag A.C"),
        ("A.B,double,follows(Mine.C)", "2:20", "there is no tag Mine.C; there is no object Mine"),
        (
            "A.B,double,follows(Plant.Tank1.Levl)",
            "2:20",
            "there is no tag Plant.Tank1.Levl; did you mean Plant.Tank1.L",
        ),
        ("A.B,double,follows(A.C)\nA.C,string,", "2:20", "A.C is string; A.B is double"),
        ("A.B,double,follows(A.C)\nA.C,double[],", "2:20", "A.C is an array of double; A.B is double"),
        ('A.B,double,"travels(A.C,0,1,1s)"\nA.C,string,', "2:21", "A.C is string; it must be a number or a bool"),
        (
            'A.B,int,"when(A.C=1,1,2)"\nA.C,int[],',
            "2:15",
            "A.C is an array of integer; only single values are compared",
        ),
        ('A.B,int,"when(A.C>true,1,2)"\nA.C,bool,', "2:15", "A.C is boolean; it cannot be compared by >, only by ="),
        ('A.B,int,"when(A.C = x,1,2)"\nA.C,int,', "2:21", "'x' is not a number, as A.C is integer"),
        ('A.B,int,"when(A.C = 1,A.D,2)"\nA.C,int,\nA.D,time,', "2:23", "A.D is time; A.B is integer"),
        ("A.B,double,follows(a.b)", "2:20", "a tag reacts to another"),
        (
            "A.B,int,follows(A.C)\nA.C,int,follows(A.B)",
            "3:17",
            "a loop: A.B → A.C → A.B; let one",
        ),
    ],
)
def test_a_mistake_in_what_a_tag_does_is_said_with_its_place(
    tmp_path: Path, rows: str, place: str, complaint: str
) -> None:
    file = tmp_path / "tags.csv"
    file.write_text(f"name,type,does\n{rows}\n", encoding="utf-8")
    with pytest.raises(TagError) as caught:
        SimulatedGateway(plaintext=True, tags=read_tags(file))
    assert str(caught.value).startswith(f"{file}:{place}: {complaint}")


@pytest.mark.parametrize("reference", ["Own.B.Hi.InAlarm", "Own.InAlarm"])
def test_a_loop_through_an_alarm_is_a_mistake(reference: str) -> None:
    tags = [
        TagDefinition("Own.A", does=f"when({reference}, 0, 100)"),
        TagDefinition("Own.B", does="follows(Own.A)", alarms="hi 50 1"),
    ]
    with pytest.raises(TagError, match=r"a loop: Own\.A → Own\.B → Own\.A"):
        SimulatedGateway(plaintext=True, tags=tags)


def test_a_mistake_of_a_tag_from_python_names_the_tag() -> None:
    with pytest.raises(TagError, match=r"^Own\.Tag: does:6: 'x' is not a number"):
        SimulatedGateway(plaintext=True, tags=[one("sine(x,1,2s)")])


async def test_the_example_uses_every_column_and_lives(clock: ManualClock) -> None:
    tags = read_tags(EXAMPLE)
    heading = EXAMPLE.read_text(encoding="utf-8").splitlines()[1]
    assert sorted(heading.split(",")) == sorted(set(COLUMNS) - {"writable"})
    async with SimulatedGateway(plaintext=True, clock=clock, tags=tags) as gateway:
        await clock.advance(10)
        assert gateway.read("Boiler7.Pressure").value == 9.0
        assert [alarm.reference for alarm in gateway.alarms] == ["ZB!BoilerHouse.Boiler7.Pressure.Hi"]
        gateway.set("Boiler7.Burner", False)
        await clock.advance(1)
        assert gateway.read("Boiler7.State").value == "out"


async def test_tags_that_nothing_looks_at_cost_nothing(clock: ManualClock) -> None:
    tags = [TagDefinition(f"Own.S{number}", does="sine(0,1,5s)") for number in range(100)]
    tags += [TagDefinition(f"Own.F{number}", does=f"follows(Own.S{number})") for number in range(100)]
    async with SimulatedGateway(plaintext=True, clock=clock, tags=tags) as gateway:
        await clock.advance(10)
        alive = len(gateway._plant.points._alive)
        gateway.read("Own.F7")
        assert len(gateway._plant.points._alive) == alive + 2
