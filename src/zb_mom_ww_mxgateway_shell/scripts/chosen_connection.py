"""Which connection the lines of a file mean, as far as the file alone tells."""

from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language.commands import Command
from zb_mom_ww_mxgateway_shell.language.tokens import split
from zb_mom_ww_mxgateway_shell.output.problems import Statement
from zb_mom_ww_mxgateway_shell.scripts.loader import Block


class ChosenConnection:
    """Follows the lines of a file that choose or close connections."""

    def __init__(self, block: Block) -> None:
        self._ending = {id(each) for each in block.ending if isinstance(each, Statement)}
        self._changed: Statement | None = None
        """The last line that chose or closed a connection."""
        self._is_none = False
        """Whether that line left none in use."""
        self._is_told = False
        """Whether a line after it has its warning."""

    def look(self, statement: Statement, command: Command, line: str) -> InputError | None:
        """Return the warning about a line that needs a connection where none is in use, or where the file does not
        choose one; the first such line has it."""
        traits = command.traits
        if traits.changes_subject == "connection":
            self._changed, self._is_told = statement, False
            self._is_none = traits.leaves_none and len(split(line)) == 1
            return None
        changed = self._changed
        if changed is None or self._is_told or not command.needs_session:
            return None
        word = split(line)[0]
        if self._is_none:
            self._is_told = True
            return word.mistake(f"no connection is in use after line {changed.line}: use NAME or connect before it")
        if id(statement) in self._ending and id(changed) not in self._ending:
            self._is_told = True
            return word.mistake(
                "which connection is in use here depends on the line that failed: choose one after finally, use NAME"
            )
        return None
