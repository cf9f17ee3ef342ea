"""Arming: which tags one connection may write now, until when, and why.

A connection is closed until it is armed. It is closed again when the time is over, when the machine slept, when what
it was armed on has changed, and when it ends.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway.models.write_guard import UNNAMED_ALARM
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway.system import clock

USUAL_SECONDS = 600.0
"""How long a person arms for who says nothing else."""
LONGEST_SECONDS = 8 * 3600.0
"""The longest time for which a person can arm."""
CLOSED = "the connection was closed"
"""Why it is disarmed for good."""

_GUID = re.compile(r"\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?", re.IGNORECASE)


class ArmingRules(NamedTuple):
    """What the owner of a connection demands of arming."""

    forbidden: str = ""
    """Why it can never be armed; empty where it can."""
    needs_reason: bool = False
    longest: float = math.inf
    """Most seconds that it stays armed."""
    source: str = ""
    """Who says so, for messages, such as ``the profile plantA``."""


class ArmedScope(NamedTuple):
    """What was armed."""

    globs: tuple[TagGlob, ...]
    until: float
    """Seconds of :func:`clock.monotonic`; infinite where only an event ends it."""
    seconds: float
    """How long it was armed for."""
    reason: str = ""
    despite: frozenset[str] = frozenset()
    """Names of watched facts that do not end it."""

    def __str__(self) -> str:
        return " ".join(str(glob) for glob in self.globs)

    def matches(self, name: str) -> bool:
        """Return whether one of the globs matches the name."""
        return any(glob.matches(name) for glob in self.globs)


class Arming:
    """The arming of one connection. It decides alone and asks nobody.

    Each question first looks whether anything has disarmed it. :meth:`look` does so without a question, for whoever
    tells it to a person when it happens.
    """

    def __init__(self, rules: ArmingRules | None = None, *, open_for_all: bool = False) -> None:
        """With `open_for_all` every write is let through until it is disarmed, or armed for less: a simulated plant."""
        self.rules: ArmingRules = rules or ArmingRules()
        self._was_open_for_all, self._open_for_all = open_for_all, open_for_all
        self._scope: ArmedScope | None = None
        self._sleep = clock.SleepWatch()
        self._facts: dict[str, tuple[Callable[[], object], str]] = {}
        self._seen: dict[str, object] = {}
        self._closed: bool = False
        self.disarmed_because: str = ""
        """Why it was last disarmed; empty while it is armed, and before it was."""
        self._ended: ArmedScope | None = None
        """What a changed fact disarmed, until it is disarmed or armed again."""
        self.remedy: Callable[[str], str] = lambda tag: f"arm {tag or 'GLOB'} lets it through"
        """Returns how to open a tag, or with an empty text any, for the end of a refusal."""
        self.on_armed: list[Callable[[ArmedScope], object]] = []
        """Called with each new scope."""
        self.on_disarmed: list[Callable[[ArmedScope | None, str], object]] = []
        """Called once each time that it is disarmed, with the scope that ended (None for everything) and the reason."""

    # State.

    @property
    def for_good(self) -> str:
        """Why it can never be armed; empty where it can."""
        return self.rules.forbidden

    @property
    def open_for_all(self) -> bool:
        """Whether every write is let through."""
        return self._open_for_all and not self.for_good and not self._closed

    @property
    def scope(self) -> ArmedScope | None:
        """What is armed now; None for nothing, and where everything is open."""
        self.look()
        return self._scope

    @property
    def is_armed(self) -> bool:
        """Whether anything may be written now."""
        return self.scope is not None or self.open_for_all

    @property
    def globs(self) -> tuple[TagGlob, ...]:
        """The globs that are armed now."""
        scope = self.scope
        return scope.globs if scope else ()

    @property
    def reason(self) -> str:
        """The reason that was given for what is armed now."""
        scope = self.scope
        return scope.reason if scope else ""

    @property
    def seconds_left(self) -> float:
        """Seconds until it is disarmed; infinite where only an event ends it, 0 where nothing is armed."""
        scope = self.scope
        if scope is None:
            return math.inf if self.open_for_all else 0.0
        return scope.until - clock.monotonic()

    # Changes.

    def watch(self, name: str, fact: Callable[[], object], why: str) -> None:
        """Disarm with this reason as soon as the fact of that name is no longer what it was when it was armed."""
        self._facts[name] = fact, why
        self._seen[name] = fact()

    def arm(
        self,
        globs: Sequence[str | TagGlob],
        seconds: float | None = None,
        reason: str = "",
        *,
        despite: Iterable[str] = (),
    ) -> ArmedScope | None:
        """Let writes through to the tags that one of the globs matches; return the scope that it replaces, if any.

        Without `seconds` only an event ends it, or the longest time of the rules. Watched facts named in `despite` do
        not end it. Raises MxGatewayArgumentError for a glob that names nothing or no glob at all, and
        MxGatewayWriteBlockedError where the rules do not allow it; what was armed then stays.
        """
        if not globs:
            raise MxGatewayArgumentError("globs: name the tags to arm, such as Tank1.*")
        chosen = tuple(glob if isinstance(glob, TagGlob) else TagGlob(glob) for glob in globs)
        self._refuse(seconds, reason)
        former = self.scope
        seconds = self.rules.longest if seconds is None else seconds
        self._sleep = clock.SleepWatch()
        self._seen = {name: fact() for name, (fact, _) in self._facts.items()}
        self._open_for_all = False
        self.disarmed_because, self._ended = "", None
        self._scope = ArmedScope(chosen, clock.monotonic() + seconds, seconds, reason, frozenset(despite))
        for listener in self.on_armed:
            listener(self._scope)
        return former

    def _refuse(self, seconds: float | None, reason: str) -> None:
        """Raise what forbids to arm."""
        source = self.rules.source or "its rules"
        problem = ""
        if self._closed:
            problem = "the connection is closed"
        elif self.for_good:
            problem = self.for_good
        elif self.rules.needs_reason and not reason.strip():
            problem = f"{source} demands a reason"
        elif seconds is not None and not 0 < seconds <= min(LONGEST_SECONDS, self.rules.longest):
            longest = min(LONGEST_SECONDS, self.rules.longest)
            says = f", as {source} says" if self.rules.longest < LONGEST_SECONDS else ""
            problem = f"at most {span_text(longest)}{says}"
        if problem:
            raise MxGatewayWriteBlockedError(f"not armed: {problem}")

    def disarm(self, why: str) -> bool:
        """Let nothing through any more; return whether anything was open. Tell the listeners, once."""
        return self._disarm(why, None)

    def _disarm(self, why: str, ended: ArmedScope | None) -> bool:
        """Disarm; `ended` is what a changed fact disarms."""
        former, was_open = self._scope, self._scope is not None or self.open_for_all
        if was_open or self._ended is not None:
            self.disarmed_because = why
        self._scope, self._ended, self._open_for_all = None, ended, False
        if was_open:
            for listener in self.on_disarmed:
                listener(former, why)
        return was_open

    def reopen(self) -> None:
        """Let every write through again, where that was so at first."""
        self._scope, self._open_for_all = None, self._was_open_for_all

    def close(self) -> None:
        """Disarm for good, with the connection."""
        self.disarm(CLOSED)
        self._closed = True

    def look(self) -> None:
        """Disarm where the time is over, the machine slept, or a watched fact has changed. Cheap: call it often."""
        if self._scope is None:
            return
        if slept := self._sleep.slept():
            self.disarm(f"the machine slept for {span_text(slept)}")
        elif clock.monotonic() >= self._scope.until:
            self.disarm(f"the {span_text(self._scope.seconds)} are over")
        elif changed := self._changed(self._scope.despite):
            self._disarm(self._facts[changed][1], self._scope)

    def would_hold_despite(self, facts: Iterable[str]) -> bool:
        """Return whether what a changed fact disarmed would be armed now if changes of these facts did not count."""
        ended = self._ended
        if ended is not None and (
            self._sleep.slept() or clock.monotonic() >= ended.until or self._changed(ended.despite.union(facts))
        ):
            self._ended = None
        return self._ended is not None

    def _changed(self, despite: frozenset[str]) -> str:
        """Return the first watched fact that has changed since it was armed, besides these; empty for none."""
        return next((each for each in self._facts if each not in despite and self._differs(each)), "")

    def _differs(self, name: str) -> bool:
        return self._facts[name][0]() != self._seen[name]

    # Questions.

    def refusal(self, tag: str) -> str:
        """Return why this tag may not be written now; empty where it may.

        An empty tag is one that this client does not know: no glob can match it.
        """
        if not tag and not self.open_for_all and not self.for_good:
            return f"the item's tag is unknown here, so that nothing armed can name it: {self.remedy('')}"
        return self._refusal(tag, tag, (tag,))

    def refusal_of_alarm(self, reference: str) -> str:
        """Return why this alarm may not be acknowledged now; empty where it may.

        A glob matches its reference with or without what is before the ``!``.
        """
        names = names_of_alarm(reference)
        if not names and not self.open_for_all and not self.for_good:
            return "an alarm that is known by no reference cannot be matched: acknowledge it by its reference"
        return self._refusal(reference, names[-1] if names else "", names)

    def _refusal(self, named: str, asked: str, names: Sequence[str]) -> str:
        if self.for_good:
            return self.for_good
        scope = self.scope
        if self.open_for_all or (scope is not None and any(scope.matches(name) for name in names)):
            return ""
        if scope is not None:
            return f"{named} is not among the tags that are armed ({scope}): {self.remedy(asked)}"
        since = f", {self.disarmed_because}" if self.disarmed_because else ""
        return f"read-only{since}: {self.remedy(asked)}"


def names_of_alarm(reference: str) -> tuple[str, ...]:
    """Return the names by which a glob can match an alarm: its reference, and what follows its ``!``.

    A GUID, and an alarm that nothing names, has none.
    """
    if not reference or reference == UNNAMED_ALARM or _GUID.fullmatch(reference):
        return ()
    tag = reference.partition("!")[2]
    return (reference, tag) if tag else (reference,)


def span_text(seconds: float) -> str:
    """Return a span of time in short, rounded to seconds, such as ``10m``, ``1h 30m`` or ``45s``."""
    if math.isinf(seconds):
        return "the whole run"
    hours, rest = divmod(round(seconds), 3600)
    parts = (hours, "h"), (rest // 60, "m"), (rest % 60, "s")
    return " ".join(f"{number}{unit}" for number, unit in parts if number) or f"{seconds:.1f}s"
