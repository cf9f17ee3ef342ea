"""Arming: what is open, for how long, and everything that closes it."""

import math
from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway.models.write_guard import UNNAMED_ALARM
from zb_mom_ww_mxgateway.safety.arming import LONGEST_SECONDS, ArmedScope, Arming, ArmingRules, span_text
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway.system import clock


class HandClock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.now, self.slept = 1000.0, 0.0

    def with_sleep(self) -> float:
        return self.now + self.slept

    def without_sleep(self) -> float:
        return self.now


@pytest.fixture
def hand() -> Iterator[HandClock]:
    made = HandClock()
    with clock.replaced(made):
        yield made


@pytest.fixture
def arming(hand: HandClock) -> Arming:
    return Arming()


class Heard:
    """What an arming says."""

    def __init__(self, arming: Arming) -> None:
        self.armed: list[str] = []
        self.disarmed: list[tuple[str, str]] = []
        arming.on_armed.append(lambda scope: self.armed.append(str(scope)))
        arming.on_disarmed.append(self._disarmed)

    def _disarmed(self, scope: ArmedScope | None, why: str) -> None:
        self.disarmed.append(("everything" if scope is None else str(scope), why))


def test_nothing_is_open_at_first(arming: Arming) -> None:
    assert not arming.is_armed
    assert arming.seconds_left == 0
    assert arming.refusal("Tank1.Level") == "read-only: arm Tank1.Level lets it through"
    assert arming.refusal_of_alarm("Galaxy!Tank1.Level.Hi") == "read-only: arm Tank1.Level.Hi lets it through"


def test_only_what_is_armed_is_open(arming: Arming) -> None:
    assert arming.arm(["Tank1.*", "P2.Run"], 600, "filling") is None
    assert arming.is_armed
    assert arming.reason == "filling"
    assert [str(glob) for glob in arming.globs] == ["Tank1.*", "P2.Run"]
    assert arming.refusal("TANK1.level") == ""
    assert arming.refusal("P2.Run") == ""
    assert arming.refusal("P2.Run2") == (
        "P2.Run2 is not among the tags that are armed (Tank1.* P2.Run): arm P2.Run2 lets it through"
    )


def test_an_item_without_a_known_tag_is_never_open(arming: Arming) -> None:
    arming.arm(["*a*"], 600)
    assert "the item's tag is unknown here" in arming.refusal("")


def test_a_new_scope_replaces_the_former_one(arming: Arming) -> None:
    heard = Heard(arming)
    arming.arm(["Tank1.*"], 600)
    former = arming.arm(["Tank2.*"], 60)
    assert str(former) == "Tank1.*"
    assert arming.refusal("Tank1.Level")
    assert not arming.refusal("Tank2.Level")
    assert heard.armed == ["Tank1.*", "Tank2.*"]
    assert heard.disarmed == []


@pytest.mark.parametrize("reference", ["ZB!Area.Tank1.Level.Hi", "Area.Tank1.Level.Hi"])
def test_an_alarm_is_matched_with_and_without_its_galaxy(arming: Arming, reference: str) -> None:
    arming.arm(["Area.Tank1.*"], 600)
    assert arming.refusal_of_alarm(reference) == ""
    arming.arm(["ZB!Area.Tank2.*"], 600)
    assert arming.refusal_of_alarm("ZB!Area.Tank2.Level.Hi") == ""
    assert arming.refusal_of_alarm(reference)


@pytest.mark.parametrize(
    "nameless", ["", UNNAMED_ALARM, "0f8fad5b-d9cb-469f-a165-70867728950e", "{0F8FAD5BD9CB469FA16570867728950E}"]
)
def test_an_alarm_without_a_reference_is_never_armed(arming: Arming, nameless: str) -> None:
    arming.arm(["*a*", "*0*"], 600)
    assert "acknowledge it by its reference" in arming.refusal_of_alarm(nameless)
    assert Arming(open_for_all=True).refusal_of_alarm(nameless) == ""


# What closes it.


def test_the_end_of_its_time_disarms_once(arming: Arming, hand: HandClock) -> None:
    heard = Heard(arming)
    arming.arm(["Tank1.*"], 600)
    hand.now += 599
    assert arming.seconds_left == pytest.approx(1)
    assert arming.refusal("Tank1.Level") == ""
    hand.now += 1
    refusal = arming.refusal("Tank1.Level")
    assert refusal == "read-only, the 10m are over: arm Tank1.Level lets it through"
    arming.look()
    assert heard.disarmed == [("Tank1.*", "the 10m are over")]


def test_it_says_so_without_a_question(arming: Arming, hand: HandClock) -> None:
    heard = Heard(arming)
    arming.arm(["Tank1.*"], 600)
    arming.look()
    assert heard.disarmed == []
    hand.now += 601
    arming.look()
    assert heard.disarmed == [("Tank1.*", "the 10m are over")]


def test_sleep_of_the_machine_disarms(arming: Arming, hand: HandClock) -> None:
    heard = Heard(arming)
    arming.arm(["Tank1.*"], 600)
    hand.slept += 125
    assert arming.refusal("Tank1.Level").startswith("read-only, the machine slept for 2m 5s:")
    assert heard.disarmed == [("Tank1.*", "the machine slept for 2m 5s")]


def test_sleep_before_it_was_armed_does_not_count(arming: Arming, hand: HandClock) -> None:
    hand.slept += 125
    arming.arm(["Tank1.*"], 600)
    assert arming.refusal("Tank1.Level") == ""


def test_sleep_counts_as_time(arming: Arming, hand: HandClock) -> None:
    arming.arm(["Tank1.*"], 600)
    hand.slept += 0.4  # Too short to count as sleep.
    hand.now += 599.6
    assert arming.refusal("Tank1.Level")


@pytest.mark.parametrize("what", ["nothing", "time", "sleep", "another fact", "a person", "armed again"])
def test_what_a_fact_disarmed_would_hold_only_where_nothing_else_would_have_ended_it(
    arming: Arming, hand: HandClock, what: str
) -> None:
    session, galaxy = ["session-1"], ["today"]
    arming.watch("session", lambda: session[0], "the session was replaced")
    arming.watch("galaxy", lambda: galaxy[0], "objects were deployed")
    arming.arm(["Tank1.*"], 600)
    assert not arming.would_hold_despite(["session"])  # It is armed.
    session[0] = "session-2"
    arming.look()
    assert arming.would_hold_despite(["session"])
    match what:
        case "time":
            hand.now += 600
        case "sleep":
            hand.slept += 125
        case "another fact":
            galaxy[0] = "tomorrow"
        case "a person":
            assert not arming.disarm("somebody said so")
            assert arming.refusal("Tank1.Level").startswith("read-only, somebody said so:")
        case "armed again":
            arming.arm(["Tank2.*"], 600)
    assert arming.would_hold_despite(["session"]) is (what == "nothing")
    assert arming.would_hold_despite(["session"]) is (what == "nothing")
    assert not arming.would_hold_despite([])


def test_a_changed_fact_disarms(arming: Arming) -> None:
    session = ["session-1"]
    arming.watch("session", lambda: session[0], "the session was replaced")
    heard = Heard(arming)
    session[0] = "session-2"  # Before it is armed, it means nothing.
    arming.arm(["Tank1.*"], 600)
    assert arming.refusal("Tank1.Level") == ""
    session[0] = "session-3"
    assert arming.refusal("Tank1.Level").startswith("read-only, the session was replaced:")
    session[0] = "session-2"  # What was is no reason to open it again.
    assert arming.refusal("Tank1.Level")
    assert heard.disarmed == [("Tank1.*", "the session was replaced")]


def test_a_scope_can_outlive_a_fact(arming: Arming) -> None:
    facts = {"stream": 0, "session": 0}
    arming.watch("stream", lambda: facts["stream"], "the event stream was lost")
    arming.watch("session", lambda: facts["session"], "the session was lost")
    arming.arm(["Tank1.*"], despite=["stream"])
    facts["stream"] = 1
    assert arming.refusal("Tank1.Level") == ""
    facts["session"] = 1
    assert arming.refusal("Tank1.Level").startswith("read-only, the session was lost:")


def test_disarm_says_why(arming: Arming) -> None:
    heard = Heard(arming)
    assert not arming.disarm("by a person")
    arming.arm(["Tank1.*"], 600)
    assert arming.disarm("by a person")
    assert not arming.disarm("by a person")
    assert heard.disarmed == [("Tank1.*", "by a person")]


def test_a_closed_connection_is_never_open_again(arming: Arming) -> None:
    arming.arm(["Tank1.*"], 600)
    arming.close()
    assert arming.refusal("Tank1.Level")
    with pytest.raises(MxGatewayWriteBlockedError, match="the connection is closed"):
        arming.arm(["Tank1.*"], 600)
    open_one = Arming(open_for_all=True)
    open_one.close()
    assert open_one.refusal("Tank1.Level")


def test_a_run_is_armed_until_an_event_ends_it(arming: Arming, hand: HandClock) -> None:
    arming.arm(["Tank1.*"])
    assert arming.seconds_left == math.inf
    hand.now += 1e6
    assert arming.refusal("Tank1.Level") == ""


# Rules.


def test_what_is_forbidden_stays_closed(hand: HandClock) -> None:
    arming = Arming(ArmingRules(forbidden="started with --read-only"), open_for_all=True)
    assert not arming.is_armed
    assert arming.refusal("Tank1.Level") == "started with --read-only"
    assert arming.refusal("") == "started with --read-only"
    assert arming.refusal_of_alarm("A!B") == "started with --read-only"
    with pytest.raises(MxGatewayWriteBlockedError, match="not armed: started with --read-only"):
        arming.arm(["Tank1.*"], 600)
    assert not arming.is_armed


def test_a_reason_can_be_demanded(hand: HandClock) -> None:
    arming = Arming(ArmingRules(needs_reason=True, source="the profile plantA"))
    for blank in ("", "  "):
        with pytest.raises(MxGatewayWriteBlockedError, match="not armed: the profile plantA demands a reason"):
            arming.arm(["Tank1.*"], 600, blank)
    arming.arm(["Tank1.*"], 600, "filling")
    assert arming.is_armed


def test_the_time_is_capped(hand: HandClock) -> None:
    arming = Arming(ArmingRules(longest=120, source="the profile plantA"))
    with pytest.raises(MxGatewayWriteBlockedError, match="not armed: at most 2m, as the profile plantA says"):
        arming.arm(["Tank1.*"], 121)
    arming.arm(["Tank1.*"])  # For a run.
    assert arming.seconds_left == pytest.approx(120)
    hand.now += 120
    assert not arming.is_armed


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan, math.inf, LONGEST_SECONDS + 1])
def test_a_time_that_is_none_is_refused(arming: Arming, seconds: float) -> None:
    with pytest.raises(MxGatewayWriteBlockedError, match="not armed: at most 8h"):
        arming.arm(["Tank1.*"], seconds)
    assert not arming.is_armed


@pytest.mark.parametrize("globs", [[], ["*"], ["*.*"], ["?"], [""], ["Tank1.*", "*"]])
def test_everything_cannot_be_armed(arming: Arming, globs: list[str]) -> None:
    arming.arm(["Tank9.*"], 600)
    with pytest.raises(MxGatewayArgumentError):
        arming.arm(globs, 600)
    assert [str(glob) for glob in arming.globs] == ["Tank9.*"]


def test_an_open_connection_lets_all_through_until_it_is_disarmed(hand: HandClock) -> None:
    arming = Arming(open_for_all=True)
    heard = Heard(arming)
    assert arming.is_armed
    assert arming.refusal("") == ""
    assert arming.refusal_of_alarm("") == ""
    hand.slept += 1000
    assert arming.refusal("Tank1.Level") == ""
    arming.disarm("by a person")
    assert arming.refusal("Tank1.Level")
    assert heard.disarmed == [("everything", "by a person")]


def test_an_open_connection_can_be_armed_for_less(arming: Arming) -> None:
    arming = Arming(open_for_all=True)
    arming.arm(["Tank1.*"], 600)
    assert not arming.open_for_all
    assert arming.refusal("Tank2.Level")


def test_spans() -> None:
    assert [span_text(each) for each in (600, 5400, 45, 0.5, 3661)] == ["10m", "1h 30m", "45s", "0.5s", "1h 1m 1s"]


# Properties.

_NAMES = st.text(alphabet="aAbB.", min_size=1, max_size=6)
_GLOBS = st.text(alphabet="aAb.*?", min_size=1, max_size=5).filter(lambda text: text.strip("*?."))
_STEP = st.one_of(
    st.tuples(st.just("arm"), st.lists(_GLOBS, min_size=1, max_size=3), st.floats(1, 1000)),
    st.tuples(st.just("disarm")),
    st.tuples(st.just("time"), st.floats(0, 700)),
    st.tuples(st.just("sleep"), st.floats(0.6, 700)),
    st.tuples(st.just("session")),
    st.tuples(st.just("close")),
)


@given(st.lists(_STEP, max_size=12), _NAMES)
def test_nothing_outside_the_armed_globs_is_let_through(steps: list[tuple[object, ...]], tag: str) -> None:
    hand, session = HandClock(), [0]
    with clock.replaced(hand):
        arming = Arming()
        heard = Heard(arming)
        arming.watch("session", lambda: session[0], "the session was replaced")
        open_until, globs, is_closed, ends = -1.0, [""], False, 0
        for step in steps:
            was_open = open_until > hand.with_sleep()
            match step:
                case ("arm", list() as wanted, float() as seconds):
                    try:
                        arming.arm(wanted, seconds)
                    except MxGatewayWriteBlockedError:
                        assert is_closed
                    else:
                        open_until, globs = hand.with_sleep() + seconds, wanted
                case ("time", float() as passed):
                    hand.now += passed
                case ("sleep", float() as slept):
                    hand.slept += slept
                    open_until = -1.0
                case ("session",):
                    session[0] += 1
                    open_until = -1.0
                case ("disarm",):
                    arming.disarm("by a person")
                    open_until = -1.0
                case _:
                    arming.close()
                    open_until, is_closed = -1.0, True
            is_open = open_until > hand.with_sleep()
            assert arming.is_armed == is_open
            allowed = is_open and any(TagGlob(glob).matches(tag) for glob in globs)
            assert (arming.refusal(tag) == "") == allowed
            assert (arming.refusal_of_alarm(f"Galaxy!{tag}") == "") <= is_open
            ends += was_open and not is_open
            assert len(heard.disarmed) == ends
