"""What the user who starts a run lets it write, compared with what its files declare before anything connects."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway_console.connect.write_options import WriteConsent
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.problems import Statement
from zb_mom_ww_mxgateway_shell.scripts.loader import Block, LintFinding, changes_subject
from zb_mom_ww_mxgateway_shell.state.run_scope import uncovered

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_console.connect.profiles import Profile


class RunConsent(NamedTuple):
    """What the user lets a run write."""

    given: WriteConsent = WriteConsent()
    profile: "Profile | None" = None
    """The profile that the run connects with."""
    others: "Mapping[str, Profile]" = MappingProxyType({})
    """All profiles by name, for lines that connect with one."""
    opens_all: bool = False
    """Whether it runs on a simulated plant, where a file may write what it does not declare to."""
    forbidden: bool = False
    """Whether nothing can be written anyway, so that there is nothing to consent to."""
    is_typed: bool = False
    """Whether a person who starts it at a prompt arms."""

    def refusals(self, block: Block, findings: Sequence[LintFinding]) -> list[LintFinding]:
        """Return why a block must not run: lint's findings about its declaration, and what nobody lets it write."""
        declarations = list(block.declarations())
        if self.forbidden or (self.opens_all and not declarations):
            return []
        found = [each for each in findings if each.is_consent and not each.is_warning]
        if self.opens_all or not declarations:
            return found
        granted = [TagGlob(text) for text in self.given.arm]
        granted += [TagGlob(text) for profile in self._profiles(block) for text in profile.arms]
        missing = dict.fromkeys(map(str, uncovered([glob for _, _, glob in declarations], granted)))
        if missing:
            place = next(each for each in declarations if str(each[2]) in missing)
            found.append(
                _refused(place, f"nothing lets this run write {' '.join(missing)}: {self._remedy(block, missing)}")
            )
        elif self.profile and self.profile.arm_needs_reason and not self.given.reason:
            who = f"the profile {self.profile.name}"
            found.append(_refused(declarations[0], f"{who} demands a reason for writing: add --reason TEXT"))
        return found

    def _remedy(self, block: Block, missing: Iterable[str]) -> str:
        if self.is_typed:  # What is armed replaces what was.
            return f"arm {' '.join(str(glob) for _, _, glob in block.declarations())}"
        return "add " + " ".join(f'--arm "{text}"' for text in missing)

    def _profiles(self, block: Block) -> "Iterator[Profile]":
        """Yield the profiles that a block connects with."""
        if self.profile is not None:
            yield self.profile
        for statement in block.statements():
            words = statement.text.split()
            if len(words) > 1 and words[1] in self.others and changes_subject(statement):
                yield self.others[words[1]]


def _refused(place: tuple[Statement, Token, TagGlob], message: str) -> LintFinding:
    statement, word, _ = place
    problem = InputError(message, word.start, word.end)
    problem.exit_code = ExitCode.GUARDED
    return LintFinding(statement, problem, is_consent=True)
