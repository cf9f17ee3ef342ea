"""What a plan comes to: its set of writes, what they were judged by, and the hash over both."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.system.regular_files import read_bytes
from zb_mom_ww_mxgateway.times import shown_text, time_text
from zb_mom_ww_mxgateway_console.render.forms import counted, value_form
from zb_mom_ww_mxgateway_shell.output.decimals import TagDecimals
from zb_mom_ww_mxgateway_shell.output.results import TextResult, table_lines
from zb_mom_ww_mxgateway_shell.scripts.loader import Block
from zb_mom_ww_mxgateway_shell.state.planned_writes import PlannedKind, PlannedWrite, PlannedWrites

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

DEMO = "demo"
"""The gateway of a plan on the simulated plant, which is deployed anew with each start."""
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class PlannedGateway:
    """One gateway of a plan."""

    endpoint: str
    limits: str = ""
    """The limits file; empty for none."""
    limits_sha256: str = ""
    """Empty without limits, and where the file cannot be read."""
    deployed_at: str | None = None
    """When its galaxy was deployed; None where that is unknown, and for the demo."""

    @classmethod
    async def of(cls, connected: "GatewayConnection") -> "PlannedGateway":
        """Look at a gateway: its galaxy, and the limits of its connection as they are now."""
        from zb_mom_ww_mxgateway.safety.limits_watch import LimitsFile  # Lazy: most users have no limits file.

        limits, digest = connected.desk.rules.limits, ""
        path = limits.path if isinstance(limits, LimitsFile) else None
        if path is not None:
            with suppress(OSError):
                digest = hashlib.sha256(read_bytes(path)).hexdigest()
        if connected.terms.is_demo:
            return cls(DEMO, str(path or ""), digest)
        deployed = None
        with suppress(MxGatewayError):
            deployed = await connected.brief_galaxy.answer(connected.client.galaxy.last_deploy_time)
        return cls(
            connected.client.options.endpoint, str(path or ""), digest, time_text(deployed) if deployed else None
        )

    def form(self) -> dict[str, Any]:
        """Return it for the hash: where the limits are does not matter."""
        return {"deployed_at": self.deployed_at, "endpoint": self.endpoint, "limits_sha256": self.limits_sha256}

    @property
    def text(self) -> str:
        """It for a person."""
        limits = f"limits {self.limits} (SHA-256 {self.limits_sha256[:12]}…)" if self.limits else "no limits file"
        at = self.deployed_at
        deployed = f"galaxy deployed {shown_text(at)}" if at else "galaxy's deploy time unknown"
        return f"{self.endpoint}: {limits}, {'simulated plant' if self.endpoint == DEMO else deployed}"


@dataclass(frozen=True, slots=True)
class PlanSet:
    """What a plan comes to."""

    planned: PlannedWrites
    gateways: Sequence[PlannedGateway]
    lines_sha256: str
    """SHA-256 of the lines that were planned, with those of included files."""

    def content(self) -> dict[str, Any]:
        """Return all that the hash goes by."""
        demo = {each.endpoint for each in self.planned.all} if any(g.endpoint == DEMO for g in self.gateways) else set()
        writes = [each.form() for each in self.planned.all]
        for each in writes:
            # The simulated plant has another port each time.
            each["gateway"] = DEMO if each["gateway"] in demo else each["gateway"]
        return {
            "format": _FORMAT,
            "gateways": [each.form() for each in self.gateways],
            "lines_sha256": self.lines_sha256,
            "unnamed": len(self.planned.unnamed),
            "writes": writes,
        }

    @property
    def hash(self) -> str:
        """SHA-256 of its content, in hexadecimal digits."""
        return hash_of(self.content())

    def result(self, *, has_mistakes: bool) -> TextResult:
        """Return the end of a plan; without a hash if the file has mistakes."""
        rows = _rows(self.planned.all)
        lines = [f"{counted(len(rows), 'planned write')}, in this order:"] if rows else ["nothing would be written"]
        lines += table_lines(("tag", "type", "now", "value", "by"), rows) if rows else []
        lines += [f"  {each}: what it writes is known in the run only" for each in self.planned.unnamed]
        lines += [each.text for each in self.gateways]
        if has_mistakes:
            lines.append("no hash: what cannot pass is not to be run")
        else:
            lines.append(f"hash {self.hash}")
        return TextResult(
            "\n".join(lines),
            {
                "gateways": [{**each.form(), "limits": each.limits or None} for each in self.gateways],
                "hash": None if has_mistakes else self.hash,
                "lines_sha256": self.lines_sha256,
                "planned": "plan",
                "unnamed": list(self.planned.unnamed),
                "writes": [_record(each) for each in self.planned.all],
            },
        )


def lines_sha256(blocks: Iterable[Block]) -> str:
    """Return the hash of the lines of files, in their order; lines without words do not count."""
    lines = [[each.text, value_form(dict(each.given))] for block in blocks for each in block.statements()]
    return hashlib.sha256(json.dumps(lines, ensure_ascii=False).encode()).hexdigest()


def hash_of(content: dict[str, Any]) -> str:
    """Return the hash of the content of a plan."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return what differs between two contents, a line each."""
    found = []
    if before["lines_sha256"] != now["lines_sha256"]:
        found.append("the file: it has other lines")
    if (before["writes"], before["unnamed"]) != (now["writes"], now["unnamed"]):
        found.append(f"the set of writes: {_difference(before['writes'], now['writes'])}")
    for key, what in (("endpoint", "the gateway"), ("limits_sha256", "the limits"), ("deployed_at", "the deployment")):
        if [each[key] for each in before["gateways"]] != [each[key] for each in now["gateways"]]:
            found.append(what)
    return found


def _difference(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> str:
    """Return the first write that differs, for a person."""
    for number, (one, other) in enumerate(zip(before, now, strict=False), start=1):
        if one != other:
            return f"write {number} was {_short(one)}, and is {_short(other)}"
    return f"{counted(len(before), 'write')} were planned, and there are {len(now)}"


def _short(form: dict[str, Any]) -> str:
    value = json.dumps(form["value"], ensure_ascii=False) if form["known"] else "a value that the run gives"
    return f"{form['tag']} = {value}"


def _rows(writes: Sequence[PlannedWrite]) -> list[list[str]]:
    decimals = TagDecimals()
    for each in writes:
        decimals.note(each.tag, each.before and each.before.value, each.value, each.after)
    return [
        [
            each.tag,
            each.type_text,
            "" if each.before is None else decimals.text(each.tag, each.before.value),
            _value(each, decimals),
            each.by,
        ]
        for each in writes
    ]


def _value(write: PlannedWrite, decimals: TagDecimals) -> str:
    if write.kind is PlannedKind.ACKNOWLEDGEMENT:
        return "acknowledged"
    if not write.is_known:
        return "its value before" if write.kind is PlannedKind.PUT_BACK else "known in the run"
    more = "" if write.back_after is None else f", back after {write.back_after:g} s"
    more += f", {write.kind.value}" if write.kind is PlannedKind.REFUSED else ""
    return f"{decimals.text(write.tag, write.value if write.after is None else write.after)}{more}"


def _record(write: PlannedWrite) -> dict[str, Any]:
    value = write.value if write.after is None else write.after
    return {
        "back_after_seconds": write.back_after,
        "by": write.by,
        "kind": write.kind.value,
        "known": write.is_known,
        "now": None if write.before is None else value_form(write.before.value),
        "source_time": write.at and time_text(write.at),
        "tag": write.tag,
        "type": write.type_text if write.type else None,
        "value": value_form(value) if write.is_known else None,
    }
