"""Checks that stand from their line to the end of its step, such as a watchdog."""

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from zb_mom_ww_mxgateway_shell.errors import NotMet
from zb_mom_ww_mxgateway_shell.output.problems import Statement
from zb_mom_ww_mxgateway_shell.output.results import Result


class StandingCheck(Protocol):
    """A check that stands until its step ends."""

    @property
    def statement(self) -> Statement:
        """The line that declared it."""

    def broken(self) -> NotMet | None:
        """Return why it is broken, as far as the events taken in tell; None while it holds. Must not block."""

    async def settle(self) -> None:
        """Take in all that has arrived, before the last look."""

    def passed(self) -> Result:
        """Return what it saw, now that it ends unbroken."""

    def close(self) -> None:
        """End it. Idempotent."""


class CheckOutcome(NamedTuple):
    """The outcome of a standing check that is over."""

    statement: Statement
    """The line that declared it."""
    error: NotMet | None
    """Why it is broken; None where it held."""
    result: Result | None
    """What it saw; None where it is broken."""


@dataclass(slots=True)
class StandingChecks:
    """The standing checks of a file, in the order of their lines."""

    statement: Statement | None = None
    """The line that runs, where a run knows it: a check that it adds is declared there."""
    _checks: list[StandingCheck] = field(default_factory=list)

    def add(self, check: StandingCheck) -> None:
        """Have a check stand from now on."""
        self._checks.append(check)

    def __len__(self) -> int:
        return len(self._checks)

    def declared_by(self, text: str) -> Statement:
        """Return the line that declares a check: the one that runs, or one of this text where that is unknown."""
        return self.statement or Statement(text, 0)

    def look(self) -> list[CheckOutcome]:
        """End the checks that are broken, and return their outcomes. Must be called after each line."""
        outcomes: list[CheckOutcome] = []
        for check in tuple(self._checks):
            if (error := check.broken()) is not None:
                outcomes.append(CheckOutcome(check.statement, error, None))
                self._end(check)
        return outcomes

    async def end(self, *, settles: bool = True, of: type[StandingCheck] | None = None) -> list[CheckOutcome]:
        """Look at all checks, or those `of` a kind, a last time, end them and return their outcomes.

        Without `settles` only breaks that were taken in already are told: the run was called off, and a check that was
        not looked at to its end has not passed.
        """
        ending = [check for check in self._checks if of is None or isinstance(check, of)]
        outcomes: list[CheckOutcome] = []
        try:
            for check in ending:
                if settles:
                    await check.settle()
                error = check.broken()
                if error is not None or settles:
                    result = None if error is not None else check.passed()
                    outcomes.append(CheckOutcome(check.statement, error, result))
                self._end(check)
        finally:
            for check in ending:
                self._end(check)
        return outcomes

    def close(self) -> None:
        """End all checks without a look. Idempotent."""
        for check in tuple(self._checks):
            self._end(check)

    def remove(self, check: StandingCheck) -> None:
        """Have a check stand no longer. Idempotent."""
        self._checks = [each for each in self._checks if each is not check]

    def _end(self, check: StandingCheck) -> None:
        check.close()
        self.remove(check)
