"""The rules hold for every entry of every call that writes: one entry that may not be written stops the whole call.

The kinds come from the descriptors, and each call is made as a message, as Python code, ``call`` and ``mx`` make it.
"""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from zb_mom_ww_mxgateway import ClientOptions, GatewayClient, MxGatewayWriteBlockedError, Session, wire
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.safety.arming import Arming
from zb_mom_ww_mxgateway.safety.desk import WriteDesk
from zb_mom_ww_mxgateway.safety.limits_watch import LimitsFile
from zb_mom_ww_mxgateway.safety.read_values import ReadPlantValues
from zb_mom_ww_mxgateway.safety.write_note import given as noted
from zb_mom_ww_mxgateway.safety.write_records import WriteRecords
from zb_mom_ww_mxgateway.safety.write_rules import WriteRules
from zb_mom_ww_mxgateway_sim import SimulatedGateway

KINDS = sorted(kind for kind in wire.MUTATING_KINDS if kind.startswith("write"))
PLAIN, REASONED, GUARDED, LIMITED, UNARMED = (f"Area001.Unit0001.Value0{number}" for number in range(1, 6))
GUARD_TAG = "TestChildObject.TestBool"
LIMITS = f"""
unlisted = "refuse"
[tags."Area001.*"]
writable = true
[tags."{REASONED}"]
writable = true
needs_reason = true
[tags."{GUARDED}"]
writable = true
guards = ["{GUARD_TAG} == true"]
[tags."{LIMITED}"]
writable = true
max = 10
"""
ALONE = "signs for oneself"
OFFENCES = {
    "unarmed": (UNARMED, "is not among the tags that are armed"),
    "reason": (REASONED, "needs a reason"),
    "guard": (GUARDED, f"{GUARD_TAG} == true"),
    "limit": (LIMITED, "11 is above 10"),
    "unknown item": ("", "tag is unknown"),
    ALONE: (PLAIN, "signs and verifies"),
}


class GuardedPlant:
    """A gateway with a client whose desk knows limits, and a session with all tags as items."""

    def __init__(self, folder: Path) -> None:
        self._limits = folder / "limits.toml"
        self._limits.write_text(LIMITS, encoding="utf-8")

    async def __aenter__(self) -> "GuardedPlant":
        self.gateway = SimulatedGateway(plaintext=True, api_keys=(), generated_tags=100, write_complete_delay=0)
        await self.gateway.start()
        arming = Arming()
        arming.arm([PLAIN, REASONED, GUARDED, LIMITED])
        rules = WriteRules(arming)
        rules.limits = LimitsFile(self._limits)
        rules.values = ReadPlantValues(lambda tags, seconds: self.session.read_bulk(self.server, tags, 5000))
        desk = WriteDesk(rules, WriteRecords("plant", self.gateway.endpoint))
        self.client = await GatewayClient.connect(
            ClientOptions(endpoint=self.gateway.endpoint, plaintext=True, write_guard=desk)
        )
        self.session: Session = await self.client.open_session()
        self.server = await self.session.register("test")
        tags = [PLAIN, REASONED, GUARDED, LIMITED, UNARMED]
        results = await self.session.subscribe_bulk(self.server, tags)
        self.items = {result.tag_address: result.item_handle for result in results}
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.client.close()
        await self.gateway.aclose()

    def request(self, kind: str, tags: list[str], *, signs_alone: bool) -> pb.MxCommandRequest:
        """A request of that kind for these tags; a single write takes the first."""
        command = wire.command(kind, server_handle=self.server)
        payload = getattr(command, kind)
        for tag in tags:
            entry = payload.entries.add() if kind.endswith("_bulk") else payload
            entry.item_handle = self.items.get(tag, 999)
            entry.value.CopyFrom(wire.to_mx_value(11))
            fields = entry.DESCRIPTOR.fields_by_name
            if "timestamp_value" in fields:
                entry.timestamp_value.CopyFrom(wire.to_mx_value("2026-10-02T08:14:00Z"))
            if "current_user_id" in fields:
                entry.current_user_id, entry.verifier_user_id = 1, 1 if signs_alone else 2
        return wire.command_request(self.session.session_id, command, "c-1")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_that_breaks_no_rule_is_sent(kind: str, tmp_path: Path) -> None:
    async with GuardedPlant(tmp_path) as plant:
        plant.gateway.set(GUARD_TAG, True)
        with noted(reason="batch 7"):
            await plant.client.invoke(plant.request(kind, [PLAIN, REASONED, GUARDED], signs_alone=False))
        assert plant.gateway.mutating_calls == 1


@st.composite
def wrong_calls(draw: st.DrawFn) -> tuple[str, list[str], str, str]:
    """A kind, the tags of its entries, one of which may not be written, the offence, and the way it is sent."""
    offence = draw(st.sampled_from(sorted(OFFENCES)), label="offence")
    kinds = [kind for kind in KINDS if "secured" in kind] if offence == ALONE else KINDS
    kind = draw(st.sampled_from(kinds), label="kind")
    tags = [OFFENCES[offence][0]]
    if kind.endswith("_bulk"):
        others = draw(st.lists(st.just(PLAIN), max_size=4), label="other entries")
        place = draw(st.integers(0, len(others)), label="place")
        tags = [*others[:place], *tags, *others[place:]]
    return kind, tags, offence, draw(st.sampled_from(["invoke", "send"]), label="way")


def test_one_entry_that_may_not_be_written_stops_the_call(tmp_path: Path) -> None:
    # One plant for all: no call may reach it.
    plant = GuardedPlant(tmp_path)

    @settings(max_examples=600)
    @given(wrong_calls())
    def is_stopped(call: tuple[str, list[str], str, str]) -> None:
        kind, tags, offence, way = call
        request = plant.request(kind, tags, signs_alone=offence == ALONE)
        send = plant.client.invoke if way == "invoke" else plant.session.send
        with pytest.raises(MxGatewayWriteBlockedError, match=OFFENCES[offence][1]):
            runner.run(send(request))
        assert plant.gateway.mutating_calls == 0

    with asyncio.Runner() as runner:
        runner.run(plant.__aenter__())
        try:
            plant.gateway.set(GUARD_TAG, False)
            is_stopped()
        finally:
            runner.run(plant.__aexit__())
