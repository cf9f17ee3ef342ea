"""Lines that ran, kept so that they can become a command file: with tag names, never with handles."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.language.commands import Command, Parameter
from zb_mom_ww_mxgateway_shell.language.parser import Invocation
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import Target, tag_text
from zb_mom_ww_mxgateway_shell.language.variables import is_plain, literal_text
from zb_mom_ww_mxgateway_shell.output.results import Result
from zb_mom_ww_mxgateway_shell.process.regular_files import open_text, replace as replace_file
from zb_mom_ww_mxgateway_shell.state.recorded_lines import RecordedLine
from zb_mom_ww_mxgateway_shell.state.seen_checks import value_text

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

_KEPT = 1000
# A number that changed this often within these seconds changes by itself: its next value is unpredictable.
_MOVES, _LATELY_SECONDS = 3, 5.0


class RecordedShell(Scope, Protocol):
    """The shell whose lines are recorded: its scope and its connection."""

    @property
    def current(self) -> "GatewayConnection | None": ...

    @property
    def connected(self) -> "GatewayConnection": ...

    @property
    def live(self) -> "LiveSession | None": ...

    @property
    def live_session(self) -> "LiveSession": ...


class ScriptRecorder:
    """The last lines that ran, and the file that receives new ones."""

    def __init__(self) -> None:
        self._kept: deque[RecordedLine] = deque(maxlen=_KEPT)
        self._file: TextIO | None = None
        self._expects = False
        self._gateway = ""
        self._written: dict[str, str] = {}
        """What the file declares to write, by the key of its name."""
        self.path: Path | None = None
        """The file being written; None for none."""

    def line_of(self, context: RecordedShell, invocation: Invocation) -> RecordedLine | None:
        """Return a line as a script has it; None for a line that no script needs."""
        command = invocation.command
        if not _belongs(command):
            return None
        traits = command.traits
        return RecordedLine(
            line=_line(context, invocation),
            gateway="" if traits.recorded else _gateway(context),
            writes=tuple(_written(context, invocation)),
            began=clock.monotonic(),
            judged=tuple(_named(invocation)) if traits.judges else (),
            seen=tuple(_named(invocation)),
            begins_step=traits.begins_step,
            only_looks=command.unending is not None,
            asks_person=traits.asks_person
            or bool(traits.asks_without and not invocation.options.get(traits.asks_without)),
        )

    def keep(self, context: RecordedShell, line: RecordedLine, result: Result | None) -> None:
        """Keep a line that ran; `result` is None for one that raised."""
        failed = "failed" if result is None else ""
        if result is not None and result.exit_code is not ExitCode.DONE:
            failed = result.exit_code.name.lower()
        seen = [] if result is None or failed else list(_expectations(context, result))
        typed = replace(
            line,
            failed=failed,
            ended=clock.monotonic(),
            expects=tuple(expectation for _, expectation in seen if expectation),
            seen=tuple(dict.fromkeys([*line.seen, *(tag for tag, _ in seen)])),
            read=tuple((tag, expectation) for tag, expectation in seen if expectation and not context.find_item(tag)),
        )
        self._kept.append(typed)
        if self._file is not None:
            self._add(typed)

    def since(self, moment: float) -> list[RecordedLine]:
        """Return the lines that began at a moment (monotonic seconds) or later, oldest first."""
        return [each for each in self._kept if each.began >= moment]

    def last(self, count: int) -> list[RecordedLine]:
        """Return the last lines that ran, at most `count`, oldest first."""
        return list(self._kept)[-count:]

    def start(self, path: Path, heading: str, *, gateway: str, expects: bool, overwrite: bool, kept: int = 0) -> int:
        """Start a file with the last `kept` lines, add every further line until :meth:`stop`, and return how many lines
        it started with.

        A line for another gateway than the one at this endpoint becomes a comment. Raises ShellError where the file
        exists, or cannot be written.
        """
        file = _opened(path, overwrite=overwrite)
        self.stop()
        self._file, self.path, self._expects, self._gateway = file, path, expects, gateway
        self._written = {}
        self._write([f"# {heading}", ""])
        lines = self.last(kept) if kept else []
        for typed in lines:
            self._add(typed)
        return len(lines)

    def write(self, path: Path, lines: Sequence[str], *, overwrite: bool) -> None:
        """Write a file of these lines, which have no keys in them; raise ShellError as :meth:`start` does."""
        with _opened(path, overwrite=overwrite) as file:
            try:
                file.writelines(redact(line) + "\n" for line in lines)
                file.flush()
            except OSError as error:
                raise ShellError(f"cannot write {path}: {error.strerror}") from error

    def stop(self) -> Path | None:
        """End the file and return its path; None where there was none. Idempotent."""
        file, path = self._file, self.path
        self._file = self.path = None
        if file is not None:
            with suppress(OSError):  # A failed write was reported already.
                file.close()
        return path

    def _add(self, typed: RecordedLine) -> None:
        self._gateway = self._gateway or typed.gateway
        lines = typed.lines(expects=self._expects, gateway=self._gateway)
        new = {tag_key(name): name for name in typed.writes if tag_key(name) not in self._written}
        if new and lines[0] == typed.line:
            before = len(self._written)
            self._written |= new
            self._declare(before)
        self._write(lines)

    def _declare(self, before: int) -> None:
        """Write what the file writes below its heading, in front, in place of the `before` declarations there."""
        assert self._file is not None
        assert self.path is not None
        if not self.path.is_file():
            return  # Such as /dev/null.
        try:
            heading, *lines = self.path.read_text(encoding="utf-8").splitlines()
            declared = [f"requires write {literal_text(name)}" for name in self._written.values()]
            lines = [heading, *declared, *lines[before:]]
            self._file.close()
            replace_file(self.path, "".join(f"{line}\n" for line in lines).encode())
            self._file = open_text(self.path, "a")
        except OSError as error:
            path = self.stop()
            raise ShellError(f"the script {path} ended: {error.strerror}") from error

    def _write(self, lines: list[str]) -> None:
        assert self._file is not None
        try:
            self._file.writelines(redact(line) + "\n" for line in lines)
            self._file.flush()
        except OSError as error:
            path = self.stop()
            raise ShellError(f"the script {path} ended: {error.strerror}") from error


def _opened(path: Path, *, overwrite: bool) -> TextIO:
    try:
        return open_text(path, "w" if overwrite else "x")
    except FileExistsError:
        raise ShellError(f"{path} is there already: take another name, or --overwrite") from None
    except OSError as error:
        raise ShellError(f"cannot write {path}: {error.strerror}") from error


def _named(invocation: Invocation) -> Iterator[str]:
    """Yield the tags that a line names one by one."""
    for group in invocation.positional:
        for each in group if isinstance(group, list) else [group]:
            if isinstance(each, Target) and not each.connection:
                yield each.tag


def _written(context: RecordedShell, invocation: Invocation) -> Iterator[str]:
    """Yield the names of what a line writes, as far as they are known."""
    writes = invocation.command.traits.writes
    if writes is not None:
        with suppress(InputError):  # Of a file of values, which the line itself reports.
            yield from (each.names[-1] for each in writes(context, invocation) if each.names)


def _belongs(command: Command) -> bool:
    traits = command.traits
    return not traits.not_in_file and (command.needs_session or command.mutating or traits.recorded)


def _gateway(context: RecordedShell) -> str:
    return context.current.client.options.endpoint if context.current else ""


def _server_of(context: RecordedShell, invocation: Invocation) -> list[str]:
    """Return the server option of a line about items of one of several servers, where it names none: tags alone are
    ambiguous."""
    if "--server" not in invocation.command.options or "server" in invocation.options or len(context.servers) < 2:
        return []
    groups = (each if isinstance(each, list) else [each] for each in invocation.positional)
    servers = {
        each.item.server_handle
        for group in groups
        for each in group
        if isinstance(each, Target) and each.item and not each.connection
    }
    return ["--server", str(servers.pop())] if len(servers) == 1 else []


def _line(context: RecordedShell, invocation: Invocation) -> str:
    parts = [invocation.command.name]
    places = [parameter.name for parameter, _ in invocation.words if not parameter.is_option]
    given = invocation.options | dict(zip(places, invocation.positional, strict=True))
    before: Parameter | None = None
    for parameter, word in invocation.words:
        if word is None:
            parts.append(parameter.spelled)
            continue
        text = parameter.kind.refined_by(given, context).script_text(word, context)
        if not text:
            continue
        if parameter.is_option and not (parameter is before and parameter.takes_many):
            parts.append(parameter.spelled)
            parts += [parameter.clause.between] if parameter.clause and parameter.clause.between else []
        parts.append(text)
        before = parameter
    parts += _server_of(context, invocation)
    command = invocation.command
    if command.unending is not None and command.unending(invocation.options):
        parts += command.traits.recorded_end
    return " ".join(parts)


def _expectations(context: RecordedShell, result: Result) -> Iterator[tuple[str, str]]:
    """Yield each tag whose value the result shows, with the expectation for it; empty for none."""
    for tag, shown in dict(_tags(result.form())).items():
        item = context.find_item(tag)
        yield tag, _expectation_of_read(tag, shown) if item is None else _expectation(context, tag, item, shown)


def _expectation(context: RecordedShell, tag: str, item: Item, shown: dict[str, Any]) -> str:
    value = context.live.latest(*item.key) if context.live else None
    if value is None or value.stale_since is not None or shown.get("written_seconds_ago") is not None:
        return ""
    if context.live_session.unseen_write(*item.key) or not is_plain(value.value):
        return ""  # The value is from before a write.
    quality = "" if value.quality_word == "good" else f" quality {value.quality_word}"
    if isinstance(value.value, float) and _moves(context, item):
        remark = f"{literal_text(value.value)} when recorded, and moving"
        return f"expect {tag_text(tag)} != null{quality}  # {remark}"
    return f"expect {tag_text(tag)} = {value_text(value.value)}{quality}"


def _expectation_of_read(tag: str, shown: dict[str, Any]) -> str:
    """Return the expectation for a tag that is not advised: whether its value changes by itself is unknown."""
    value, word = shown.get("value"), shown["quality_word"]
    quality = "" if word == "good" else f" quality {word}"
    if isinstance(value, float):
        return f"expect {tag_text(tag)} != null{quality}  # {literal_text(value)} when recorded"
    if isinstance(value, bool | int):
        return f"expect {tag_text(tag)} = {literal_text(value)}{quality}"
    return ""


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
