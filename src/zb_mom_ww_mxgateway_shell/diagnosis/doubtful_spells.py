"""How often a value was not good lately: one that comes and goes is easily looked at in a good moment."""

from collections.abc import Iterable
from dataclasses import dataclass

from zb_mom_ww_mxgateway.models.events import MxEvent
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import age_text, counted
from zb_mom_ww_mxgateway_console.render.status_meanings import quality_meaning
from zb_mom_ww_mxgateway_shell.diagnosis.findings import Finding, Verdict


@dataclass(frozen=True, slots=True)
class DoubtfulSpells:
    """The stretches in which a value was bad or uncertain that had been good. Times are monotonic seconds."""

    count: int
    first: float
    """The start of the first."""
    changed: float
    """The start of the last, or its end."""
    quality: int
    """The quality at the start of the last."""
    is_over: bool
    """Whether the value is good again."""

    def finding(self, tag: str) -> Finding:
        """Return them as a finding; that is worth a conclusion once the value is good again."""
        now = clock.monotonic()
        times = f"not good {counted(self.count, 'time')} in {age_text(now - self.first)}"
        changed, reason = age_text(now - self.changed), quality_meaning(self.quality)
        if not self.is_over:
            return Finding("history", Verdict.NOTE, f"{times}; good until {changed} ago")
        return Finding(
            "history",
            Verdict.NOTE,
            f"{times}, the last time {reason}; good again for {changed}",
            f"{tag} is good now, but it comes and goes: the last time it was {reason}",
            (f"history {tag}", f"trend {tag}"),
        )


def doubtful_spells(events: Iterable[MxEvent]) -> DoubtfulSpells | None:
    """Return what one item's events, oldest first, tell; None where no good value became another."""
    count, first, changed, quality = 0, 0.0, 0.0, 0
    was_good: bool | None = None
    for event in events:
        is_good = event.quality_word == "good"
        if was_good is not None and is_good != was_good:
            changed = event.received_at
            if not is_good:
                count, first, quality = count + 1, first or changed, event.quality
        was_good = is_good
    return DoubtfulSpells(count, first, changed, quality, bool(was_good)) if count else None
