"""What a front end offers for command files: a run inside the shell; a look at those that it makes, and a trial."""

from pathlib import Path
from typing import Any, NamedTuple, Protocol

from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.output.results import Result


class Replayed(NamedTuple):
    """How the replay of a file went."""

    code: ExitCode
    lines: list[str]
    """It, in words."""
    line: int | None = None
    """Number of the first line that did not pass; None where all did."""
    problem: str = ""
    """Why it did not pass."""

    def form(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"line": self.line, "passed": self.line is None, "problem": self.problem}


class MadeFiles(Protocol):
    """Looks at command files that the shell makes."""

    def findings(self, path: Path) -> list[str]:
        """Return what lint finds, for a person; raise ShellError where the file cannot be read."""

    async def replay(self, path: Path) -> Replayed:
        """Run a file at once in a session of its own at the current gateway, after a person agreed; raise ShellError
        where that is refused."""


class SourceFile(Protocol):
    """Runs a command file inside the shell."""

    async def __call__(self, path: str, record: str | None) -> Result:
        """Run a file, and keep its record in the file `record`, if any; raise ShellError where it cannot begin."""
