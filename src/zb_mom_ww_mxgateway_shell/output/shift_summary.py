"""The summary of a shift as Markdown: what one user did and saw, and what is not known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from zb_mom_ww_mxgateway.times import date_and_time, time_text
from zb_mom_ww_mxgateway_shell.output.markdown import escaped, table


@dataclass(frozen=True, slots=True)
class ShiftPart:
    """One part of a summary."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[Sequence[str]] = ()
    nothing: str = "none"
    """What stands there without rows."""
    unknown: Sequence[str] = ()
    """What is not known here, a sentence each."""

    def lines(self) -> Iterator[str]:
        """Yield it as Markdown."""
        yield from ["", f"## {escaped(self.title)}", ""]
        if self.rows:
            yield from table(self.headings, self.rows)
        else:
            yield escaped(self.nothing[:1].upper() + self.nothing[1:]) + "."
        if self.unknown:
            yield ""
            yield from (f"- Not known: {escaped(each)}" for each in self.unknown)

    def form(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {
            "rows": [dict(zip(self.headings, row, strict=True)) for row in self.rows],
            "title": self.title,
            "unknown": list(self.unknown),
        }


@dataclass(frozen=True, slots=True)
class ShiftSummary:
    """What happened between two moments, as far as it is known here."""

    since: datetime
    until: datetime
    made_at: datetime
    user: str
    host: str
    heads: Sequence[str]
    """Heads of the journal; empty without one."""
    parts: Sequence[ShiftPart] = field(default_factory=list)

    def markdown(self) -> str:
        """Return it as a page of Markdown, in local time."""
        lines = [
            f"# Handover: {escaped(date_and_time(self.since))} to {escaped(date_and_time(self.until))}",
            "",
            f"Made {escaped(date_and_time(self.made_at))} by {escaped(self.user)} on {escaped(self.host)}.",
            "",
            "It has what programs of this user on this machine wrote to the journal, and what this session saw. What "
            "other users, other machines and other programs did is not known here.",
        ]
        for part in self.parts:
            lines += part.lines()
        lines += ["", "## Journal", ""]
        lines += [f"Head {escaped(head)}." for head in self.heads] or ["The journal has no line yet."]
        return "\n".join(lines) + "\n"

    def form(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {
            "heads": list(self.heads),
            "host": self.host,
            "made_at": time_text(self.made_at),
            "parts": [each.form() for each in self.parts],
            "since": time_text(self.since),
            "until": time_text(self.until),
            "user": self.user,
        }
