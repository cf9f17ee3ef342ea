"""A line that ran, as a script has it."""

from dataclasses import dataclass

from zb_mom_ww_mxgateway.auth import redact


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedLine:
    """A line that ran, as a script has it, with expectations for the values that were seen."""

    line: str
    gateway: str = ""
    """Endpoint of its gateway; empty for a line that needs none."""
    failed: str = ""
    """How it failed; such a line becomes a comment. Empty for success."""
    expects: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    """Tags, or references of alarms, that it writes, as far as they are known."""
    began: float = 0.0
    """Monotonic seconds, by the library's clock."""
    ended: float = 0.0
    seen: tuple[str, ...] = ()
    """Tags whose values its result shows."""
    read: tuple[tuple[str, str], ...] = ()
    """Tags among them that are not followed, each with its expectation."""
    judged: tuple[str, ...] = ()
    """Tags that it checks."""
    begins_step: bool = False
    only_looks: bool = False
    """Whether it shows values as they come: how many come the next time is not known."""
    asks_person: bool = False

    def lines(self, *, expects: bool, gateway: str) -> list[str]:
        """Return the lines of a script for this gateway."""
        if self.failed:
            return [f"# {self.failed}: {self.line}"]
        if why := self._not_replayed(gateway):
            return [f"# {why}: {redact(self.line)}"]
        return [self.line, *(line for line in self.expects if expects and redact(line) == line)]

    def why_not(self, gateway: str) -> str:
        """Return why a script for this gateway cannot repeat it without a person; empty where it can."""
        if self.asks_person and not self.failed:
            return "not replayed, it asks a person"
        return self.failed or self._not_replayed(gateway)

    def _not_replayed(self, gateway: str) -> str:
        if self.gateway not in ("", gateway):
            # A script runs on one gateway; there the tag would be another one.
            return f"not replayed, it was for another gateway, {self.gateway}"
        if redact(self.line) != self.line:
            # Without its key the line would do something else, such as write asterisks to the plant.
            return "not replayed, a key is left out of it"
        return ""
