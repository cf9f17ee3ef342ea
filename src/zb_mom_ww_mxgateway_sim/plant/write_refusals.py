"""Tags whose writes are refused, by globs. The last rule for a tag decides."""

from zb_mom_ww_mxgateway_sim.plant.model import tag_key
from zb_mom_ww_mxgateway_sim.plant.status import Status
from zb_mom_ww_mxgateway_sim.plant.tag_patterns import TagPattern


class WriteRefusals:
    """Rules that refuse the writes to tags, and exceptions from them."""

    def __init__(self) -> None:
        self._rules: dict[str, tuple[TagPattern, Status | None]] = {}

    def refuse(self, glob: str, outcome: Status) -> None:
        """Complete every write to these tags with this status from now on, without an effect."""
        self._add(glob, outcome)

    def allow(self, glob: str | None = None) -> None:
        """Take writes to these tags again; None means all tags."""
        if glob is None:
            self._rules.clear()
        elif self._rules:
            self._add(glob, None)

    def _add(self, glob: str, outcome: Status | None) -> None:
        # A repeated glob is the last rule, too, and the rules do not grow by it.
        self._rules.pop(tag_key(glob), None)
        self._rules[tag_key(glob)] = (TagPattern(glob), outcome)

    def of(self, reference: str) -> Status | None:
        """Return the status that writes to the tag are refused with; None if they are taken."""
        for pattern, outcome in reversed(self._rules.values()):
            if pattern.matches(reference):
                return outcome
        return None
