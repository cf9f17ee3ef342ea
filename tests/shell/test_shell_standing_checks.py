"""Checks that stand from their line to the end of the step."""

from zb_mom_ww_mxgateway_shell.errors import NotMet
from zb_mom_ww_mxgateway_shell.output.problems import Statement
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult
from zb_mom_ww_mxgateway_shell.state.standing_checks import StandingChecks


class _Check:
    def __init__(self, name: str, breaks_on_settling: bool = False) -> None:
        self.statement = Statement(name, 1)
        self.is_broken = self.is_closed = False
        self._breaks_on_settling = breaks_on_settling

    def broken(self) -> NotMet | None:
        return NotMet(f"{self.statement.text} broke", (0, 1), {}) if self.is_broken else None

    async def settle(self) -> None:
        self.is_broken |= self._breaks_on_settling

    def passed(self) -> Result:
        return TextResult("held")

    def close(self) -> None:
        self.is_closed = True


async def test_a_break_is_told_once_and_the_others_stand_on() -> None:
    standing, first, second = StandingChecks(), _Check("first"), _Check("second")
    standing.add(first)
    standing.add(second)
    assert standing.look() == []
    first.is_broken = True
    (verdict,) = standing.look()
    assert verdict.statement is first.statement
    assert str(verdict.error) == "first broke"
    assert (first.is_closed, second.is_closed) == (True, False)
    assert standing.look() == []
    (verdict,) = await standing.end()
    assert verdict.error is None
    assert verdict.result is not None
    assert second.is_closed
    assert await standing.end() == []


async def test_what_arrives_at_the_last_moment_counts() -> None:
    standing = StandingChecks()
    standing.add(_Check("late", breaks_on_settling=True))
    (outcome,) = await standing.end()
    assert outcome.error is not None


async def test_a_check_of_a_run_that_was_called_off_has_not_passed() -> None:
    standing, late, broken = StandingChecks(), _Check("late", breaks_on_settling=True), _Check("broken")
    broken.is_broken = True
    for check in (late, broken):
        standing.add(check)
    (outcome,) = await standing.end(settles=False)
    assert outcome.statement is broken.statement
    assert (late.is_closed, broken.is_closed) == (True, True)
