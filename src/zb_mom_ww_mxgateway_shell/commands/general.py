"""help, py, clear, exit."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.argument_types import HelpArgument
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits, FileRole
from zb_mom_ww_mxgateway_shell.language.commands import Command, command
from zb_mom_ww_mxgateway_shell.language.help_topics import TOPICS
from zb_mom_ww_mxgateway_shell.output.results import Result, Sheet, Table, TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context


@command("help", example="help write", needs_session=False, stands_alone=True, in_plan=True)
async def help_(context: Context, name: HelpArgument = None) -> Result:
    """List the commands and topics, or explain one. help all adds what each does.

    New here? Type help first.
    """
    commands = context.registry.commands
    records = [{"group": c.group, "name": c.name, "summary": c.summary, "usage": c.usage} for c in commands.values()]
    if name is None:
        return Overview(_overview(commands.values()), records)
    if name == "all":
        rows = [[each.name, each.summary] for each in commands.values()]
        rows += [[f"help {topic}", each.summary] for topic, each in TOPICS.items()]
        return Table(("command", "what it does"), rows, records, columns=_COLUMNS)
    if name in TOPICS and name not in commands:
        topic = TOPICS[name]
        return TextResult(topic.text, {"name": name, "summary": topic.summary, "text": topic.text})
    if name not in commands:
        line = context.aliases[name]
        return TextResult(f"{name} is an alias for: {line}", {"line": line, "name": name})
    found = commands[name]
    lines = [found.usage, "", found.summary, *(["", _paragraphs(found.details)] if found.details else [])]
    return TextResult(
        "\n".join([*lines, "", f"example: {found.example}"]),
        {
            "details": found.details,
            "example": found.example,
            "name": name,
            "summary": found.summary,
            "usage": found.usage,
        },
    )


_PROMPT_ONLY = "py needs a terminal; it is for the prompt: mxgw-shell --python FILE.py runs a file"


@command("py", example="py", needs_session=False, traits=CommandTraits(not_in_file=_PROMPT_ONLY))
async def py(context: Context) -> Result:
    """Open Python on the live session. exit() or Ctrl-D returns to the shell.

    client, session, live, items and _ are the shell's own. await works at the top level, and await mx("…") runs a
    line of the shell: read returns readings, with value, quality and age.
    """
    if context.open_pane is None:
        raise ShellError("py needs a terminal; it is for the prompt only", ExitCode.USAGE)
    await context.open_pane()
    return TextResult("")


_NO_SCREEN = "clear is for the prompt: a file has no screen"


@command("clear", example="clear", needs_session=False, traits=CommandTraits(not_in_file=_NO_SCREEN, about_last=True))
async def clear(context: Context) -> Result:
    """Clear the screen, as Ctrl-L does. What is watched stays above the prompt."""
    if context.clear_screen is None:
        why = "this terminal has no screen to clear" if context.interactive else _NO_SCREEN
        raise ShellError(why, ExitCode.USAGE)
    context.clear_screen()
    return TextResult("")


@command("exit", example="exit", needs_session=False, in_plan=True, traits=CommandTraits(file_role=FileRole.END))
async def exit_(context: Context) -> Result:
    """Close the session and leave the shell."""
    context.leaving = True
    return TextResult("")


def _paragraphs(text: str) -> str:
    """Return the text with each paragraph on one line, ready to be folded to the screen; indented lines stay."""
    return "\n\n".join(part if part.startswith(" ") else " ".join(part.split("\n")) for part in text.split("\n\n"))


_COLUMNS = ("group", "name", "summary", "usage")


@dataclass(frozen=True, slots=True)
class Overview:
    """Commands and topics: a short list for people, full records for programs."""

    shown: list[str]
    records: list[dict[str, str]]
    value: Any = None
    exit_code: ExitCode = ExitCode.DONE

    def lines(self) -> list[str]:
        return self.shown

    def form(self) -> Any:
        return self.records

    def sheet(self) -> Sheet:
        return Sheet(_COLUMNS, self.records)


def _overview(commands: Iterable[Command]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for each in commands:
        groups.setdefault(each.group, []).append(each.name)
    return [
        *(f"{group:<12}  {', '.join(names)}" for group, names in groups.items()),
        "",
        f"{'help NAME':<12}  explains a command, with an example; help all says what each of them does",
        f"{'help TOPIC':<12}  {', '.join(TOPICS)}",
        f"{'new here?':<12}  help first",
    ]


COMMANDS = (help_, py, clear, exit_)
