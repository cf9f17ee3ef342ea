"""What can go wrong in the shell itself: mistakes in what was typed, and commands that cannot be done."""

from zb_mom_ww_mxgateway_cli.output import ExitCode


class ShellError(Exception):
    """A command that cannot be done. One line for a person, and the exit code it leads to in a file."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Mistake(ShellError):
    """Something typed that cannot be right, with its place in the line (from 0, end exclusive)."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start = start
        self.end = max(end, start + 1)


def closest(word: str, names: list[str]) -> str:
    """`` ; did you mean X?`` for the closest name, or nothing."""
    import difflib  # Slow to import for something only errors need.

    folded = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return f"; did you mean {folded[found[0]]}?" if found else ""
