"""Examples in a limits file: writes of which the file says whether they are refused, and by what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.safety.limit_values import shown
from zb_mom_ww_mxgateway.safety.selection import RuleVerdict
from zb_mom_ww_mxgateway.safety.write_rules import WriteLimits
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway.value_types import TYPES, DataType
from zb_mom_ww_mxgateway.values import Typed

VERDICTS: Final = ("unlisted", "writable", "allowed", "min", "max", "step", "rate", "writes_per_minute", "guard")
"""What can refuse the write of an example."""
_GOOD = 192


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A write that is judged, and never made."""

    source: str
    """Place of the example: ``limits.toml:40``."""
    tag: str
    value: Any
    type_name: str | None = None
    """Type of the tag; None where only the value tells."""
    old: Any = None
    """Present value, good and live; None where it is unknown."""
    last: Any = None
    """Value that was sent last."""
    seconds: float | None = None
    """Seconds since then; None where nothing was sent."""
    writes: int = 0
    """Number of values sent within the last minute."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Good, live values of other tags, for guards; without any, guards are not judged."""
    refused: str | None = None
    """What has to refuse it; None where nothing may."""

    @property
    def text(self) -> str:
        """The write, for a person: ``Plant.Tank1.LevelSP = 120 from 50``."""
        came_from = "" if self.old is None else f" from {shown(self.old)}"
        return f"{self.tag} = {shown(self.value)}{came_from}"

    @property
    def said(self) -> str:
        """What the file says of it: ``refused by max``, or ``let through``."""
        return f"refused by {self.refused}" if self.refused else "let through"

    def run(self, limits: WriteLimits) -> "ExampleResult":
        """Judge the write by these limits."""
        refusals = [each for each in self._verdicts(limits) if not each.is_met]
        is_as_said = self.refused in [each.rule for each in refusals] if self.refused else not refusals
        return ExampleResult(self, is_as_said, "; ".join(each.text for each in refusals) or "let through")

    def _verdicts(self, limits: WriteLimits) -> list[RuleVerdict]:
        if problem := limits.refusal():
            return [RuleVerdict("file", False, problem)]
        rule = limits.rule_for(self.tag)
        if rule is None:
            unlisted = limits.unlisted_refusal(self.tag)
            return [RuleVerdict("unlisted", not unlisted, unlisted)]
        last = None if self.seconds is None else (self.last, self.seconds)
        old = None if self.old is None else self._live(self.tag, self.old, self.type_name)
        verdicts = list(rule.check(self.typed(self.value), old, last=last, writes=self.writes))
        if self.values:
            live = {tag_key(tag): self._live(tag, value, None) for tag, value in self.values.items()}
            if old is not None:
                live.setdefault(tag_key(self.tag), old)
            for guard in rule.guards:
                judged = guard.verdict(lambda tag: live.get(tag_key(tag)))
                verdicts.append(RuleVerdict("guard", judged.holds, f"{guard.text}: {judged.text}"))
        return verdicts

    def typed(self, value: Any) -> Any:
        """Return a value in the type of the tag; raise MxGatewayArgumentError if it has no such value."""
        return value if self.type_name is None else Typed(self.type_name, value).sent

    def _live(self, tag: str, value: Any, type_name: str | None) -> LiveValue:
        now = clock.monotonic()
        return LiveValue(
            tag=tag,
            value=value if type_name is None else Typed(type_name, value).sent,
            quality=_GOOD,
            data_type=DataType.UNSPECIFIED if type_name is None else TYPES[type_name].wire.data_type,
            variant_type="",
            statuses=(),
            source_time_ns=1,
            changes=1,
            received_at=now,
            age_when_received=0.0,
        )


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """What came of an example."""

    example: Example
    is_as_said: bool
    outcome: str
    """Why it is refused; ``let through`` where it is not."""
