"""Without consent nothing changes the plant, whichever call is made and whichever way it is asked for.

The calls are those of the descriptors, so a new one fails here until docs/safety.md says whether it is a write.
"""

import re
from pathlib import Path

from contract_calls import CALLS, KINDS

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

SAFETY = (Path(__file__).parents[2] / "docs" / "safety.md").read_text(encoding="utf-8")


def classified(answer: str) -> list[str]:
    """The calls in the rows of the table "What counts as a write" that have this answer."""
    table = SAFETY.partition("\n## What counts as a write\n")[2].partition("\n## ")[0]
    rows = re.findall(rf"^\| (.+?) \| {answer} \|", table, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


CHANGING = classified("yes")


def bare(kind: str, session_id: str = "session-1") -> pb.MxCommandRequest:
    """A command of that kind without any field."""
    return wire.command_request(session_id, wire.command(kind), "correlation-1")


def test_every_call_is_classified_once_and_as_the_library_takes_it() -> None:
    assert sorted([*CHANGING, *classified("no")]) == sorted(CALLS)
    assert [kind for kind in KINDS if wire.changes_plant(bare(kind))] == [kind for kind in KINDS if kind in CHANGING]
    assert wire.changes_plant(pb.AcknowledgeAlarmRequest())
