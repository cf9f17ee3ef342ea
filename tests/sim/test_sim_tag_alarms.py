"""Alarms of tags of one's own: limits with a deadband, states of a bool, and the complaints about them."""

from pathlib import Path

import pytest
from sim_wire import wire
from test_sim_alarms import CLEAR, RAISE, active, feed

from zb_mom_ww_mxgateway_sim import ManualClock, NativeType, SimulatedGateway, TagDefinition, TagError, read_tags

LEVEL = TagDefinition(
    "Mix.Level",
    value=50,
    description="Level of the mixer",
    area="North",
    alarms="hi 80 300; HiHi 90 100; lolo 5 900 deadband 2",
)
HI, LOLO = "ZB!North.Mix.Level.Hi", "ZB!North.Mix.Level.LoLo"


async def test_a_tag_raises_and_clears_its_alarms_at_their_limits(clock: ManualClock) -> None:
    async with SimulatedGateway(plaintext=True, clock=clock, tags=[LEVEL]) as gateway, wire(gateway) as client:
        async with feed(client, "ZB!North") as alarms:
            assert (await alarms.begin())[0] == []
            gateway.set("Mix.Level", 80)
            raised = await alarms.transition()
            assert (raised.alarm_full_reference, raised.transition_kind, raised.severity) == (HI, RAISE, 300)
            assert (raised.current_value.double_value, raised.limit_value.double_value) == (80.0, 80.0)
            assert raised.description == "Level of the mixer: Mix.Level Hi"
            assert raised.source_object_reference == "Mix"
            assert gateway.read("Mix.Level.Hi.InAlarm").value is True
            assert gateway.read("Mix.InAlarm").value is True
            gateway.set("Mix.Level", 79.9)
            assert (await alarms.transition()).transition_kind == CLEAR
            assert gateway.read("Mix.InAlarm").value is False
            gateway.set("Mix.Level", 4)
            assert (await alarms.transition()).alarm_full_reference == LOLO
            gateway.set("Mix.Level", 6.9)
            assert gateway.read("Mix.Level.LoLo.InAlarm").value is True
            gateway.set("Mix.Level", 0, 0)
            gateway.set("Mix.Level", 7.1)
            assert (await alarms.transition()).transition_kind == CLEAR
        assert [alarm.reference for alarm in gateway.alarms] == [HI, LOLO]


async def test_a_state_that_was_held_is_judged_anew_once_it_is_unset(clock: ManualClock) -> None:
    async with SimulatedGateway(plaintext=True, clock=clock, tags=[LEVEL]) as gateway:
        gateway.set("Mix.Level.Hi.InAlarm", True)
        gateway.unset("Mix.Level.Hi.InAlarm")
        assert gateway.read("Mix.Level.Hi.InAlarm").value is False
        assert [alarm.active for alarm in gateway.alarms] == [False]
        gateway.set("Mix.InAlarm", True)
        gateway.unset("Mix.InAlarm")
        assert gateway.read("Mix.InAlarm").value is False


async def test_a_new_limit_counts_at_once_and_an_alarm_cleared_by_hand_comes_back(clock: ManualClock) -> None:
    async with SimulatedGateway(plaintext=True, clock=clock, tags=[LEVEL]) as gateway, wire(gateway) as client:
        _, item, _ = await client.watching("Mix.Level.Hi.Limit")
        await client.write(1, item, double_value=40.0)
        await clock.advance(0.1)
        assert list(await active(client, "ZB!North")) == [HI]
        gateway.clear_alarm(HI)
        assert await active(client, "ZB!North") == {}
        await clock.advance(0.4)
        assert list(await active(client, "ZB!North")) == [HI]
        gateway.raise_alarm(LOLO)
        gateway.set("Mix.Level", 60)
        assert sorted(await active(client, "ZB!North")) == [HI, LOLO]


async def test_a_signal_raises_an_alarm_though_nothing_looks_at_it(clock: ManualClock) -> None:
    tag = TagDefinition("Own.Ramp", NativeType.INTEGER, does="ramp(0,100,100s)", alarms="hi 50 1")
    async with SimulatedGateway(plaintext=True, clock=clock, tags=[tag]) as gateway:
        await clock.advance(49)
        assert gateway.alarms == ()
        await clock.advance(2)
        assert [alarm.reference for alarm in gateway.alarms] == ["ZB!Own.Ramp.Hi"]


async def test_a_bool_is_in_alarm_while_it_equals_the_limit() -> None:
    tag = TagDefinition("Own.Ok", NativeType.BOOLEAN, True, alarms="Fault false 500;")
    async with SimulatedGateway(plaintext=True, tags=[tag]) as gateway:
        assert gateway.alarms == ()
        gateway.set("Own.Ok", False)
        (alarm,) = gateway.alarms
        assert (alarm.reference, alarm.severity, alarm.active) == ("ZB!Own.Ok.Fault", 500, True)
        gateway.set("Own.Ok", True)
        assert not gateway.alarms[0].active


async def test_an_alarm_of_a_later_deployment_works_and_those_of_before_stay() -> None:
    async with SimulatedGateway(plaintext=True, tags=[LEVEL]) as gateway:
        gateway.set("Mix.Level", 85)
        gateway.faults.redeploy([TagDefinition("Mix.Other", value=1, alarms="lo 3 200")])
        assert [alarm.reference for alarm in gateway.alarms] == [HI, "ZB!North.Mix.Other.Lo"]
        gateway.set("Mix.Level", 50)
        assert [alarm.active for alarm in gateway.alarms] == [False, True]


async def test_subtags_of_alarms_work_where_alarms_are_disabled() -> None:
    async with SimulatedGateway(plaintext=True, tags=[LEVEL], alarms=False) as gateway:
        gateway.set("Mix.Level", 95)
        assert [gateway.read(f"Mix.Level.{name}.InAlarm").value for name in ("Hi", "HiHi")] == [True, True]


@pytest.mark.parametrize(
    ("rows", "place", "complaint"),
    [
        ("A.B,double,hi 80", "2:17", "write NAME LIMIT SEVERITY [deadband NUMBER], such as hi 80 300"),
        ("A.B,double,hi 80 300 band 2", "2:22", "write NAME LIMIT SEVERITY [deadband NUMBER], such as hi 80 300"),
        ("A.B,double,lo 1 1; high 80 300", "2:20", "no alarm 'high'; a number has HiHi, Hi, Lo, LoLo"),
        ("A.B,double,hi x 300", "2:15", "'x' is not a number, as the limit of a double must be"),
        ("A.B,double,hi 1 0", "2:17", "'0' is not a severity; use a whole number from 1 to 999"),
        ("A.B,double,hi 1 5 deadband -1", "2:28", "a deadband of -1 is below 0"),
        ("A.B,double,hi 1 5;HI 2 5", "2:19", "alarm Hi twice; name it once"),
        ("A.B,string,hi 1 5", "2:12", "a string has no alarms; a number or a bool has"),
        ("A.B,int[],hi 1 5", "2:11", "an array has no alarms; a number or a bool has"),
        ("A.B,bool,on 5x 5", "2:13", "'5x' is neither true nor false, as the limit of a bool must be"),
        ("A.B,bool,on 80 300", "2:13", "'80' is neither true nor false, as the limit of a bool must be"),
        ("A.B,bool,hi 80 300", "2:10", "hi is an alarm of a number; that of a bool has another name: Fault true 500"),
        ("A.B,bool,a.b true 5", "2:10", "'a.b' is not the name of an alarm: letters, digits and _"),
        ("A.B,bool,on true 5 deadband 1", "2:20", "a bool has no deadband"),
        (
            "A.B,double,hi 1 5\nA.B.Hi.Limit,double,",
            "2:12",
            "A.B.Hi.Limit is a tag of its own; leave it or the alarm o",
        ),
    ],
)
def test_a_mistake_in_alarms_is_said_with_its_place(tmp_path: Path, rows: str, place: str, complaint: str) -> None:
    file = tmp_path / "tags.csv"
    file.write_text(f"name,type,alarms\n{rows}\n", encoding="utf-8")
    with pytest.raises(TagError) as caught:
        SimulatedGateway(plaintext=True, tags=read_tags(file))
    assert str(caught.value).startswith(f"{file}:{place}: {complaint}")
