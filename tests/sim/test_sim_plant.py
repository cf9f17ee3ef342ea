"""The plant: it moves, answers to writes, and does the same again from the same seed."""

import pytest
from sim_wire import Wire

from zb_mom_ww_mxgateway_sim import ManualClock, SimulatedGateway

LEVEL, INLET = "Plant.Tank1.Level", "Plant.Tank1.Inlet.Position"


class Operator:
    """Writes through a session of its own, and lets time pass."""

    def __init__(self, client: Wire, gateway: SimulatedGateway, clock: ManualClock) -> None:
        self._client, self._gateway, self._clock = client, gateway, clock

    async def write(self, tag: str, text: str) -> None:
        item = await self._client.add(1, tag)
        await self._client.advise(1, item)
        await self._client.write(1, item, string_value=text)
        await self._clock.advance(0.1)
        assert self._gateway.writes[-1].tag == tag

    def number(self, tag: str) -> float:
        value = self._gateway.read(tag).value
        assert isinstance(value, float | int)
        return value


@pytest.fixture
async def operator(client: Wire, gateway: SimulatedGateway, clock: ManualClock) -> Operator:
    await client.open()
    await client.register()
    return Operator(client, gateway, clock)


@pytest.mark.parametrize(
    "tag",
    [
        "Plant.Tank1.Level",
        "Plant.Tank1.LevelSP",
        "Plant.Tank1.Inlet.Position",
        "Plant.Tank1.Outlet.Position",
        "Plant.Tank1.Overflow",
        *[
            f"Plant.Tank{n}.Level.{limit}.{end}"
            for n in (1, 2)
            for limit in ("HiHi", "Hi", "Lo", "LoLo")
            for end in ("InAlarm", "Limit")
        ],
        "Plant.Tank2.Level",
        "Plant.Tank2.Outlet.Position",
        *[f"Plant.Pump{n}.{end}" for n in (1, 2) for end in ("Running", "Start", "Command", "Speed", "Current")],
        *[f"Plant.LC1.{end}" for end in ("Auto", "PV", "SP", "Output")],
        "Plant.Tank1.Level.EngUnits",
        "Plant.Tank1.Area",
        "Plant.Tank1.Tagname",
        "Plant.Tank1.ShortDesc",
    ],
)
def test_the_tags_are_there(tag: str) -> None:
    assert SimulatedGateway(plaintext=True).read(tag).value is not None


async def test_the_level_moves_visibly_within_a_second(client: Wire, clock: ManualClock) -> None:
    events, _, first = await client.watching(LEVEL)
    await clock.advance(1)
    values = [first.value.double_value, *[event.value.double_value for event in await events.take(4)]]
    assert len(set(values)) == 5
    assert abs(values[-1] - values[0]) >= 0.05


async def test_it_goes_on_moving(gateway: SimulatedGateway, clock: ManualClock) -> None:
    await clock.advance(300)
    seen = set()
    for _ in range(20):
        await clock.advance(1)
        seen.add(gateway.read(LEVEL).value)
    assert len(seen) > 15
    assert all(isinstance(value, float) and 20 < value < 80 for value in seen)


async def test_a_valve_travels_and_stays_where_it_was_put(operator: Operator, clock: ManualClock) -> None:
    assert operator.number(INLET) == 35
    await operator.write(INLET, "60")
    assert operator.number(INLET) < 60
    assert operator.number("Plant.Tank1.Inlet.Position.Target") == 60
    await clock.advance(0.5)
    assert 35 < operator.number(INLET) < 60
    await clock.advance(2)
    assert operator.number(INLET) == 60
    await clock.advance(20)
    assert operator.number(INLET) == 60
    await operator.write(INLET, "300")
    await clock.advance(5)
    assert operator.number(INLET) == 100


async def test_an_open_inlet_fills_the_tank_until_it_overflows(
    operator: Operator, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    await operator.write(INLET, "100")
    before = operator.number(LEVEL)
    await clock.advance(5)
    assert operator.number(LEVEL) > before + 3
    assert gateway.read("Plant.Tank1.Overflow").value is False
    await clock.advance(40)
    assert gateway.read("Plant.Tank1.Overflow").value is True
    assert operator.number(LEVEL) <= 100
    assert gateway.read("Plant.Tank1.Level.HiHi.InAlarm").value is True
    assert gateway.read("Plant.Tank1.Level.Hi.InAlarm").value is True
    assert gateway.read("Plant.Tank1.InAlarm").value is True
    await operator.write(INLET, "0")
    await clock.advance(120)
    assert gateway.read("Plant.Tank1.Level.HiHi.InAlarm").value is False
    assert gateway.read("Plant.Tank1.Level.Lo.InAlarm").value is True
    assert gateway.read("Plant.Tank1.Overflow").value is False


async def test_tank_2_is_fed_from_tank_1(operator: Operator, clock: ManualClock) -> None:
    await operator.write("Plant.Tank1.Outlet.Position", "100")
    before = operator.number("Plant.Tank2.Level")
    await clock.advance(10)
    assert operator.number("Plant.Tank2.Level") > before + 5


async def test_an_alarm_follows_its_limit_with_a_deadband(
    operator: Operator, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    alarm = "Plant.Tank1.Level.Hi"
    assert gateway.read(f"{alarm}.InAlarm").value is False
    await operator.write(f"{alarm}.Limit", "50")
    await clock.advance(0.3)
    assert gateway.read(f"{alarm}.InAlarm").value is True
    level = operator.number(LEVEL)
    await operator.write(f"{alarm}.Limit", str(level + 0.3))
    await clock.advance(0.2)
    assert operator.number(LEVEL) < level + 0.3
    assert gateway.read(f"{alarm}.InAlarm").value is True
    assert gateway.read("Plant.Tank1.InAlarm").value is True
    await operator.write(f"{alarm}.Limit", "90")
    await clock.advance(0.2)
    assert gateway.read(f"{alarm}.InAlarm").value is False


@pytest.mark.parametrize(("first", "second"), [("LevelSP", "Auto"), ("Auto", "LevelSP")])
async def test_in_auto_a_setpoint_drives_the_level(
    operator: Operator, gateway: SimulatedGateway, clock: ManualClock, first: str, second: str
) -> None:
    writes = {"LevelSP": ("Plant.Tank1.LevelSP", "70"), "Auto": ("Plant.LC1.Auto", "true")}
    await operator.write(*writes[first])
    await operator.write(*writes[second])
    assert operator.number("Plant.LC1.SP") == 70
    reached = 0.0
    while operator.number(LEVEL) < 69:
        await clock.advance(0.5)
        reached += 0.5
        assert reached <= 60
    assert reached > 2
    held = 0.0
    while held < 2:
        await clock.advance(0.5)
        held = held + 0.5 if operator.number(LEVEL) >= 69 else 0.0
        reached += 0.5
        assert reached <= 60
    await clock.advance(60)
    assert abs(operator.number(LEVEL) - 70) < 2
    await operator.write("Plant.LC1.SP", "50")
    assert operator.number("Plant.Tank1.LevelSP") == 50
    await clock.advance(60)
    assert abs(operator.number(LEVEL) - 50) < 2
    assert gateway.read("Plant.Tank1.Overflow").value is False


async def test_a_pump_starts_and_stops_by_command_and_by_button(
    operator: Operator, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    async def running() -> object:
        await clock.advance(1.5)
        return gateway.read("Plant.Pump1.Running").value

    assert await running() is True
    await operator.write("Plant.Pump1.Command", "false")
    await clock.advance(0.6)
    assert gateway.read("Plant.Pump1.Running").value is True, "it takes a moment"
    assert await running() is False
    assert operator.number("Plant.Pump1.Current") == 0
    await operator.write("Plant.Pump1.Start", "true")
    assert await running() is True
    assert operator.number("Plant.Pump1.Current") > 5
    assert gateway.read("Plant.Pump1.Start").value is False, "a button springs back"
    await operator.write("Plant.Pump1.Stop", "1")
    assert await running() is False
    before = operator.number(LEVEL)
    await clock.advance(10)
    assert operator.number(LEVEL) < before


async def test_the_same_seed_gives_the_same_plant() -> None:
    async def course(seed: int) -> list[object]:
        clock = ManualClock()
        async with SimulatedGateway(plaintext=True, clock=clock, seed=seed) as gateway:
            tags = (LEVEL, "Plant.Pump1.Current", "Utilities.Boiler1.Pressure")
            seen: list[object] = []
            for _ in range(10):
                await clock.advance(0.7)
                seen += [gateway.read(tag).value for tag in tags]
            return seen

    assert await course(3) == await course(3)
    assert await course(3) != await course(4)


async def test_a_loose_contact_loses_a_value_and_brings_it_back(gateway: SimulatedGateway, clock: ManualClock) -> None:
    async def after(seconds: float) -> tuple[object, int]:
        await clock.advance(seconds)
        reading = gateway.read("Utilities.AT1.Chlorine")
        return reading.value, reading.quality

    first = await after(1)
    before = await after(18.5)
    lost = await after(1.5)
    assert (first[1], before[1], lost[1]) == (192, 192, 20)
    # Its last value, and no other until it is back.
    assert first != before
    assert await after(8) == lost
    assert (await after(2))[1] == 192
    assert (await after(19))[1] == 20


async def test_a_sensor_that_has_failed_is_bad_and_says_so(client: Wire) -> None:
    _, _, event = await client.watching("Utilities.AT1.PH")
    assert (event.value.double_value, event.quality) == (7.1, 16)


async def test_a_value_that_was_never_set_is_good_once_it_is_written(
    operator: Operator, gateway: SimulatedGateway
) -> None:
    lab = "Utilities.AT1.LabResult"
    assert (gateway.read(lab).value, gateway.read(lab).quality) == (None, 32)
    await operator.write(lab, "0.6")
    assert (gateway.read(lab).value, gateway.read(lab).quality) == (0.6, 192)


async def test_a_slow_first_value_comes_later_than_others_once_a_session(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    await client.open()
    server = await client.register()
    slow, quick = [await client.add(server, f"Utilities.AT1.{name}") for name in ("Turbidity", "PH")]
    session = gateway.sessions[client.session_id]
    await client.advise(server, slow)
    await client.advise(server, quick)
    await clock.advance(5.9)
    assert session.last_sequence == 1
    await clock.advance(0.2)
    again = await client.add(server, "Utilities.AT1.Turbidity")
    await client.advise(server, again)
    assert [event.item_handle for event in await client.stream().take(3)] == [quick, slow, again]


async def test_a_measurement_that_was_set_stays(gateway: SimulatedGateway, clock: ManualClock) -> None:
    gateway.set("Utilities.Boiler1.Pressure", 1.25)
    gateway.set(LEVEL, None, quality=0)
    await clock.advance(60)
    assert gateway.read("Utilities.Boiler1.Pressure").value == 1.25
    assert (gateway.read(LEVEL).value, gateway.read(LEVEL).quality) == (None, 0)


async def test_the_plant_goes_by_what_was_set_until_it_is_written(
    operator: Operator, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    gateway.set(LEVEL, 95)
    gateway.set(INLET, 80)
    await clock.advance(10)
    assert (operator.number(LEVEL), operator.number(INLET)) == (95, 80)
    assert gateway.read("Plant.Tank1.Level.HiHi.InAlarm").value is True
    assert operator.number("Plant.LC1.PV") == 95
    await operator.write(INLET, "20")
    await clock.advance(10)
    assert operator.number(INLET) == 20


async def test_the_test_object_does_not_change_unless_written(gateway: SimulatedGateway, clock: ManualClock) -> None:
    def values() -> list[object]:
        kinds = ("Bool", "Int", "Float", "Double", "String", "Time", "Elapsed", "IntArray")
        return [gateway.read(f"TestChildObject.Test{kind}").value for kind in kinds]

    before = values()
    await clock.advance(100)
    assert values() == before
