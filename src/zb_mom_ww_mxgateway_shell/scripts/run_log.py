"""The log of a run: every statement with its outcome, by steps."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, age_text, counted, gravest, safe
from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language.aliases import unfolded
from zb_mom_ww_mxgateway_shell.language.tokens import Token, split
from zb_mom_ww_mxgateway_shell.language.variables import ValueNotYetKnown, expanded
from zb_mom_ww_mxgateway_shell.output.problems import Statement
from zb_mom_ww_mxgateway_shell.scripts.loader import Block

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.context import Context


_MOST_NAMED = 5
"""Failed steps that a summary names."""


class Entry(NamedTuple):
    """One statement that ran."""

    statement: Statement
    exit_code: ExitCode
    seconds: float
    lines: tuple[str, ...]
    """The lines that were shown, or the problem; safe for a terminal."""
    error: str = ""
    """The type of the error; empty for a statement that did not raise."""

    @property
    def ok(self) -> bool:
        return self.exit_code is ExitCode.DONE


@dataclass(slots=True)
class Step:
    """A part of a run, with a title."""

    title: str
    part: Literal["leading", "step", "ending"] = "step"
    """``leading`` is before the first step, ``ending`` is after ``finally``."""
    entries: list[Entry] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    """What came of alarms meanwhile, a line for each."""
    id: str = ""
    """Name that is the same in every run of the file: ``level.mxs:6 fill the tank``; unique in the run."""

    @property
    def failure(self) -> Entry | None:
        """The first of the statements that failed most gravely; None if none failed."""
        worst = gravest(*(entry.exit_code for entry in self.entries))
        return next((entry for entry in self.entries if not entry.ok and entry.exit_code is worst), None)

    @property
    def seconds(self) -> float:
        return sum(entry.seconds for entry in self.entries)


class NotRun(NamedTuple):
    """A step that did not run."""

    id: str
    title: str
    why: str
    requirements: tuple[str, ...] = ()
    """What it would have shown."""


class RunLog:
    """The steps of one run. Its time starts when it is created."""

    def __init__(self, name: str, *, is_reported: bool = False) -> None:
        """With `is_reported` a report is made of it, which has the alarms, too."""
        self.name = name
        """The name of the file."""
        self.is_reported = is_reported
        self.started = datetime.now(UTC)
        self._clock = clock.monotonic()
        self._ended: float | None = None
        self.steps: list[Step] = [Step("", "leading")]
        self.not_run: list[NotRun] = []
        """Steps that did not run, and why."""
        self.broken_off = ""
        """Why the run ended early, other than by a statement that failed; empty if it did not."""
        self.journal: list[str] = []
        """Heads of the journals after the run: they prove later that no line of it is missing."""
        self.properties: dict[str, str] = {}
        """More facts about the run, for its report."""
        self.not_selected: set[int] = set()
        """The statements that were left out, because their step was not selected; by their identity."""
        self._ids: Counter[str] = Counter()

    def keeps_alarms(self, context: "Context") -> bool:
        """Whether a record or a report of the run is wanted, which have the alarms that came meanwhile."""
        return context.record is not None or self.is_reported

    def begin(self, statement: Statement, title: str) -> Step:
        """Start a step with its statement, and return it."""
        self.steps.append(Step(title, id=self._id_of(statement, title)))
        return self.steps[-1]

    def begin_ending(self, statement: Statement) -> Step:
        """Start the part after ``finally``, and return it."""
        self.steps.append(Step(FINALLY, "ending", id=self._id_of(statement, FINALLY)))
        return self.steps[-1]

    def _id_of(self, statement: Statement, title: str) -> str:
        plain = " ".join(filter(None, (statement.place.replace("\\", "/"), title.strip() or "(untitled)")))
        self._ids[plain] += 1
        return plain if self._ids[plain] == 1 else f"{plain} ({self._ids[plain]})"

    def add(self, entry: Entry) -> None:
        """Add a statement of the present step that has ended."""
        self.steps[-1].entries.append(entry)

    def add_alarm(self, line: str) -> None:
        """Add what came of an alarm during the present step, a line for a person."""
        self.steps[-1].alarms.append(line)

    def end(self, block: Block, context: "Context") -> None:
        """End the run. Steps of the block that it did not reach are kept as not run."""
        self._ended = clock.monotonic()
        reached = {id(entry.statement) for step in self.steps for entry in step.entries}
        for statement in block.statements():
            if id(statement) not in reached and (words := _step_words(statement, context)):
                # Behind the title and `req` are ids of requirements, as `step` takes them.
                title, required = words[0], " ".join(words[2:]).replace(",", " ").split()
                why = NOT_SELECTED if id(statement) in self.not_selected else self._why_not_reached
                requirements = tuple(dict.fromkeys(required))
                self.not_run.append(NotRun(self._id_of(statement, title), title, why, requirements))

    def leave_out(self, block: Block, context: "Context", why: str) -> None:
        """End a run that does not take place; a file without steps is one that did not run."""
        self.end(block, context)
        self.not_run = [each._replace(why=why) for each in self.not_run] or [NotRun(self.name, self.name, why)]

    @property
    def _why_not_reached(self) -> str:
        failed = next((entry for step in self.steps if (entry := step.failure)), None)
        if failed is None or self.broken_off:
            return f"not reached: {self.broken_off or 'the file ended before'}"
        return f"not reached: {failed.statement.place or f'line {failed.statement.line}'} failed"

    @property
    def titled(self) -> list[Step]:
        """The steps of the file that ran, without the lines before the first and after ``finally``."""
        return [step for step in self.steps if step.part == "step"]

    @property
    def has_steps(self) -> bool:
        """Whether the file has any step."""
        return bool(self.not_run) or bool(self.titled)

    @property
    def entries(self) -> Iterator[Entry]:
        """All statements, in the order in which they ran."""
        for step in self.steps:
            yield from step.entries

    @property
    def seconds(self) -> float:
        """Seconds since the run began, up to its end."""
        return (clock.monotonic() if self._ended is None else self._ended) - self._clock

    def summary(self) -> str:
        """Return a one-line summary of the run."""
        took = age_text(self.seconds)
        titled = self.titled
        left_out = sum(each.why == NOT_SELECTED for each in self.not_run)
        not_reached = len(self.not_run) - left_out
        count = len(titled) + not_reached
        others = [step for step in self.steps if step not in titled and step.failure]
        if not count:
            entries = list(self.entries)
            failed = sum(not entry.ok for entry in entries)
            outcome = f"{failed} failed" if failed else self.broken_off or "all done"
            return f"{counted(len(entries), 'statement')}, {outcome}, in {took}"
        wrong = [step.title for step in titled if step.failure is not None]
        parts = [f"{len(titled) - len(wrong)} of {count} steps passed"]
        parts += [f"{len(wrong)} failed: {_named(wrong)}"] if wrong else []
        parts += [f"{not_reached} not run"] if not_reached else []
        parts += [f"{left_out} not selected"] if left_out else []
        parts += [f"{step.title or 'the lines before them'} failed" for step in others]
        parts += [self.broken_off] if self.broken_off else []
        return f"{'; '.join(parts)}, in {took}"


def _named(titles: list[str]) -> str:
    """Return the titles of steps, the first of many."""
    named = ", ".join(f'"{safe(title)}"' for title in titles[:_MOST_NAMED])
    return f"{named} and {len(titles) - _MOST_NAMED} more" if len(titles) > _MOST_NAMED else named


def title_of(statement: Statement, context: "Context") -> str | None:
    """Return the title of a statement that begins a step, with the values of its names as far as they are known.

    Return None for any other statement.
    """
    return next(iter(_step_words(statement, context)), None)


def _step_words(statement: Statement, context: "Context") -> list[str]:
    """Return the title of a statement that begins a step and the words behind it; nothing for any other statement."""
    with suppress(InputError), unfolded(context, statement.text) as line:
        command = context.registry.commands.get(line.split(maxsplit=1)[0])
        if command is not None and command.traits.begins_step:
            names = {**context.all_names, **statement.given}
            return [_known(word, names) for word in split(line)[1:]]
    return []


def _known(word: Token, names: Mapping[str, Any]) -> str:
    with suppress(InputError, ValueNotYetKnown):
        return expanded(word, names).value
    return word.value


NOT_SELECTED = "not selected by --step"
"""Why a step did not run that its user did not want to run."""
FINALLY = "finally"
"""The title of the part that always runs at the end."""
