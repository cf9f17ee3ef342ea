"""help, py, exit."""

from zb_mom_ww_mxgateway_cli.output import ExitCode
from zb_mom_ww_mxgateway_shell.context import Context
from zb_mom_ww_mxgateway_shell.kinds import CommandArgument
from zb_mom_ww_mxgateway_shell.problems import ShellError
from zb_mom_ww_mxgateway_shell.registry import command
from zb_mom_ww_mxgateway_shell.results import Result, Said, Table


@command("help", example="help write", needs_session=False, stands_alone=True)
async def help_(context: Context, name: CommandArgument = None) -> Result:
    """Lists the commands, or explains one."""
    if name is None:
        commands = context.registry.commands.values()
        return Table(
            ("command", "what it does"),
            [[command.name, command.summary] for command in commands],
            [{"name": c.name, "summary": c.summary, "usage": c.usage} for c in commands],
        )
    found = context.registry.commands[name]
    lines = [found.usage, "", found.summary, *(["", found.details] if found.details else [])]
    return Said(
        "\n".join([*lines, "", f"example: {found.example}"]),
        {
            "details": found.details,
            "example": found.example,
            "name": name,
            "summary": found.summary,
            "usage": found.usage,
        },
    )


@command("py", example="py", needs_session=False)
async def py(context: Context) -> Result:
    """Opens Python on the live session; exit() or Ctrl-D comes back.

    client, session, live, items and _ are the shell's own; await works at the top level, and
    await mx("…") runs a line of the shell.
    """
    if context.open_pane is None:
        raise ShellError("py needs a terminal; it is for the prompt only", ExitCode.USAGE)
    await context.open_pane()
    return Said("")


@command("exit", example="exit", needs_session=False)
async def exit_(context: Context) -> Result:
    """Closes the session and leaves the shell."""
    context.leaving = True
    return Said("")


COMMANDS = (help_, py, exit_)
