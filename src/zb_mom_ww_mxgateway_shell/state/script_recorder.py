"""What was typed, kept so that it can become a command file: by tag names, never by handles."""

import math
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.argument_types import Flag
from zb_mom_ww_mxgateway_shell.language.commands import Command
from zb_mom_ww_mxgateway_shell.language.parser import Invocation
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import Target
from zb_mom_ww_mxgateway_shell.language.variables import is_plain, literal_text, quoted
from zb_mom_ww_mxgateway_shell.output.results import Result
from zb_mom_ww_mxgateway_shell.process.regular_files import open_text

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

_KEPT = 1000
# What a value that is measured may differ by when it is looked at again, as a part of it.
_TOLERANCE = 0.01
# A number that came so many times in so many seconds moves by itself: nobody can say what it will be.
_MOVES, _LATELY_SECONDS = 3, 5.0


@dataclass(frozen=True, slots=True)
class RecordedLine:
    """A line that ran, as it can stand in a file, and what was seen."""

    line: str
    gateway: str = ""
    """Endpoint of the gateway that it was for; empty where it is for none."""
    failed: str = ""
    """What came of it, where that was not as asked for: such a line becomes a remark."""
    expects: tuple[str, ...] = ()

    def lines(self, *, expects: bool, gateway: str) -> list[str]:
        """The lines of a file that is run on this gateway."""
        if self.failed:
            return [f"# {self.failed}: {self.line}"]
        if self.gateway not in ("", gateway):
            # A run has one gateway: there it would be another one's tag.
            return [f"# not replayed, it was for another gateway, {self.gateway}: {self.line}"]
        if redact(self.line) != self.line:
            # Without it the line would do something else, such as write the stars to the plant.
            return [f"# not replayed, a key is left out of it: {redact(self.line)}"]
        return [self.line, *(line for line in self.expects if expects and redact(line) == line)]


class RecordedShell(Scope, Protocol):
    """The shell whose lines are recorded: what they can refer to, and the connection that they are for."""

    @property
    def current(self) -> "GatewayConnection | None": ...

    @property
    def connected(self) -> "GatewayConnection": ...

    @property
    def live(self) -> "LiveSession | None": ...

    @property
    def live_session(self) -> "LiveSession": ...


class ScriptRecorder:
    """The last lines that ran, and the file that gets them as they come."""

    def __init__(self) -> None:
        self._kept: deque[RecordedLine] = deque(maxlen=_KEPT)
        self._file: TextIO | None = None
        self._expects = False
        self._gateway = ""
        self.path: Path | None = None
        """The file that is written now."""

    def line_of(self, context: RecordedShell, invocation: Invocation) -> RecordedLine | None:
        """A line as a script has it; None for one that no script needs."""
        command = invocation.command
        if not _belongs(command):
            return None
        return RecordedLine(_line(context, invocation), "" if command.traits.recorded else _gateway(context))

    def keep(self, context: RecordedShell, line: RecordedLine, result: Result | None) -> None:
        """Keeps a line that ran; `result` is None for one that raised."""
        failed = "failed" if result is None else ""
        if result is not None and result.exit_code is not ExitCode.DONE:
            failed = result.exit_code.name.lower()
        expects = tuple(_expectations(context, result)) if result is not None and not failed else ()
        typed = replace(line, failed=failed, expects=expects)
        self._kept.append(typed)
        if self._file is not None:
            self._gateway = self._gateway or typed.gateway
            self._write(typed.lines(expects=self._expects, gateway=self._gateway))

    def last(self, count: int) -> list[RecordedLine]:
        """The last lines that ran, at most `count`, oldest first."""
        return list(self._kept)[-count:]

    def start(self, path: Path, heading: str, *, gateway: str, expects: bool, overwrite: bool, kept: int = 0) -> int:
        """Begins a file with the last `kept` lines, and gives every further one to it until :meth:`stop`; says how
        many lines there were. What was for another gateway than the one at this endpoint becomes a remark. Raises
        ShellError when it is there already, or cannot be written."""
        try:
            file = open_text(path, "w" if overwrite else "x")
        except FileExistsError:
            raise ShellError(f"{path} is there already: take another name, or --overwrite") from None
        except OSError as error:
            raise ShellError(f"cannot write {path}: {error.strerror}") from error
        self.stop()
        self._file, self.path, self._expects, self._gateway = file, path, expects, gateway
        self._write([f"# {heading}", ""])
        lines = self.last(kept) if kept else []
        for typed in lines:
            self._gateway = self._gateway or typed.gateway
            self._write(typed.lines(expects=expects, gateway=self._gateway))
        return len(lines)

    def stop(self) -> Path | None:
        """Ends the file that is written; gives its path. Idempotent."""
        file, path = self._file, self.path
        self._file = self.path = None
        if file is not None:
            with suppress(OSError):  # said already, as what could not be written was
                file.close()
        return path

    def _write(self, lines: list[str]) -> None:
        assert self._file is not None
        try:
            self._file.writelines(redact(line) + "\n" for line in lines)
            self._file.flush()
        except OSError as error:
            path = self.stop()
            raise ShellError(f"the script {path} ended: {error.strerror}") from error


def _belongs(command: Command) -> bool:
    return command.needs_session or command.mutating or command.traits.recorded


def _gateway(context: RecordedShell) -> str:
    return context.current.client.options.endpoint if context.current else ""


def _server_of(context: RecordedShell, invocation: Invocation) -> list[str]:
    """The server of the items that a line is about, where there are several and it names none: their tags alone would
    not say it."""
    if "--server" not in invocation.command.options or "server" in invocation.options or len(context.servers) < 2:
        return []
    groups = (each if isinstance(each, list) else [each] for each in invocation.positional)
    servers = {each.item.server_handle for group in groups for each in group if isinstance(each, Target) and each.item}
    return ["--server", str(servers.pop())] if len(servers) == 1 else []


def _line(context: RecordedShell, invocation: Invocation) -> str:
    parts = [invocation.command.name]
    for parameter, word in invocation.words:
        if isinstance(parameter.kind, Flag):
            parts.append(parameter.spelled)
            continue
        assert word is not None
        text = parameter.kind.refined_by(invocation.options, context).script_text(word, context)
        if not text:
            continue
        if parameter.is_option:
            parts.append(parameter.spelled)
            parts += [parameter.clause.between] if parameter.clause and parameter.clause.between else []
        parts.append(text)
    parts += _server_of(context, invocation)
    command = invocation.command
    if command.unending is not None and command.unending(invocation.options):
        parts += command.traits.recorded_end
    return " ".join(parts)


def _expectations(context: RecordedShell, result: Result) -> Iterator[str]:
    """A line for each tag whose value the result shows."""
    for tag, shown in dict(_tags(result.form())).items():
        item = context.find_item(tag)
        if item is None:
            yield from _expectation_of_read(tag, shown)
            continue
        value = context.live.latest(*item.key) if context.live and item else None
        if value is None or value.stale_since is not None or shown.get("written_seconds_ago") is not None:
            continue
        if context.live_session.unseen_write(*item.key):
            continue  # It is from before a write.
        if is_plain(value.value):
            quality = "" if value.quality_word == "good" else f" quality {value.quality_word}"
            if isinstance(value.value, float) and _moves(context, item):
                remark = f"{literal_text(value.value)} when recorded, and moving"
                yield f"expect {literal_text(tag)} != null{quality}  # {remark}"
            else:
                yield f"expect {literal_text(tag)} = {_value(value.value)}{quality}"


def _expectation_of_read(tag: str, shown: dict[str, Any]) -> Iterator[str]:
    """Of a tag that nobody follows: whether a number of it moves nobody knows."""
    value, word = shown.get("value"), shown["quality_word"]
    quality = "" if word == "good" else f" quality {word}"
    if isinstance(value, float):
        yield f"expect {literal_text(tag)} != null{quality}  # {literal_text(value)} when recorded"
    elif isinstance(value, bool | int):
        yield f"expect {literal_text(tag)} = {literal_text(value)}{quality}"


def _moves(context: RecordedShell, item: Item) -> bool:
    since = clock.monotonic() - _LATELY_SECONDS
    seen = context.connected.history.of(item.key, since).events
    return sum(event.received_at >= since for event in seen) >= _MOVES


def _tags(form: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(form, dict):
        if isinstance(form.get("quality_word"), str) and isinstance(form.get("tag"), str):
            yield form["tag"], form
        for value in form.values():
            yield from _tags(value)
    elif isinstance(form, list):
        for value in form:
            yield from _tags(value)


def _value(value: Any) -> str:
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    numbers = [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, float)]
    room = max((abs(number) for number in numbers if math.isfinite(number)), default=0.0) * _TOLERANCE
    # A text in quotes: bare, one such as Recipe.A would be taken for a tag.
    text = quoted(value) if isinstance(value, str) else literal_text(value)
    return f"{text} tol {max(room, 0.001):.2g}" if numbers else text
