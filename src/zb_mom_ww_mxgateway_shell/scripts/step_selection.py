"""Which steps of a file run, if its user names some; the lines before the first, and after ``finally``, always do."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway_shell.scripts.run_log import title_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.output.problems import Statement
    from zb_mom_ww_mxgateway_shell.scripts.loader import Block
    from zb_mom_ww_mxgateway_shell.state.context import Context


class StepSelection:
    """The steps to run, by globs of their titles. It is asked about each line, in their order."""

    def __init__(self, globs: Sequence[str] = ()) -> None:
        """Without globs all steps run."""
        self._globs = globs
        self._is_out = False
        """Whether the present step is left out."""

    def leaves_out(self, statement: "Statement", context: "Context") -> bool:
        """Return whether a line belongs to a step that does not run."""
        if self._globs and (title := title_of(statement, context)) is not None:
            self._is_out = not _matches(self._globs, title)
        return self._is_out


def may_select(globs: Sequence[str], block: "Block", context: "Context") -> bool:
    """Return whether some step of a block has a title that matches, as far as that is known before it runs."""
    titles = (title_of(statement, context) for statement in block.statements())
    return any("$" in title or _matches(globs, title) for title in titles if title is not None)


def _matches(globs: Sequence[str], title: str) -> bool:
    return any(fnmatchcase(title.casefold(), glob.casefold()) for glob in globs)
