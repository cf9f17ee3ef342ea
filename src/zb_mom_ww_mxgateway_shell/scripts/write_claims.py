"""Which files may run at the same time: those whose writes surely do not meet."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.language.aliases import unfolded
from zb_mom_ww_mxgateway_shell.scripts.loader import Block
from zb_mom_ww_mxgateway_shell.state.context import Context


@dataclass(frozen=True, slots=True)
class WriteClaim:
    """The tags that a file may write while it runs."""

    globs: Sequence[TagGlob] = ()
    alone_because: str = ""
    """Why no other file may run at the same time; empty if others may."""

    @classmethod
    def of(cls, block: Block, context: Context) -> "WriteClaim":
        """Return the claim of a file; `context` knows the user's aliases."""
        declared = [glob for _, _, glob in block.declarations()]
        globs = [each for glob in declared if (each := _widened(glob)) is not None]
        if len(globs) < len(declared):
            return cls(globs, "it declares all alarms of a galaxy")
        writes = False
        for statement in block.statements():
            with unfolded(context, statement.text) as line:
                command = all_commands().commands.get(line.split(maxsplit=1)[0])
            if command is None:
                return cls(globs, f"line {statement.line} of {statement.source} is an alias that the file makes")
            if command.traits.changes_subject == "connection":
                return cls(globs, f"line {statement.line} of {statement.source} is about another connection")
            writes |= command.mutating
        if writes and not globs:
            return cls((), "what it writes is not declared")
        return cls(globs)

    def meets(self, other: "WriteClaim") -> bool:
        """Return whether the two may write one tag, or may not run at the same time for another reason."""
        if self.alone_because or other.alone_because:
            return True
        return any(one.overlaps(each) for one in self.globs for each in other.globs)


def _widened(glob: TagGlob) -> TagGlob | None:
    """Return a glob with the whole array for an element, and with the tag of an alarm for its reference.

    Who writes ``A.B[]`` writes ``A.B[2]``, too, and who acknowledges ``ZB!A.Hi`` that of ``A.Hi``. ``ZB!*`` has none.
    """
    text = _INDEX.sub("", glob.text.rpartition("!")[2])
    return TagGlob(text) if any(letter.isalnum() for letter in text) else None


_INDEX = re.compile(r"\[[^\[\]]*\]$")
