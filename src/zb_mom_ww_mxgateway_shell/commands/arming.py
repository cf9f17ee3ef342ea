"""arm, disarm, requires."""

from collections.abc import Sequence
from typing import Annotated

from zb_mom_ww_mxgateway.safety.arming import LONGEST_SECONDS, USUAL_SECONDS, span_text
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.argument_types import Duration, OneWord, Suggestion, Text
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits, FileRole
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tag_globs import TagOrGlob
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import NotYetKnown, expanded, names_in
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult
from zb_mom_ww_mxgateway_shell.state.arming_text import arming_form, arming_text
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection
from zb_mom_ww_mxgateway_shell.state.connection_reports import DISARMED
from zb_mom_ww_mxgateway_shell.state.context import Context, context_of

_MOST_COUNTED = 1000
_FOR_A_PERSON = "arm is for a person at the prompt: start the run with --arm GLOB"


class ArmedGlob(TagOrGlob):
    """A tag or glob to arm."""

    name = "glob"

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        tags = super().suggestions(prefix, context)
        if not prefix.endswith("."):
            return tags
        return [Suggestion(f"{prefix}*", "all of it"), *tags]


class DeclaredGlob(ArmedGlob):
    """A tag or glob of a declaration, which is known before anything runs."""

    expands = False

    def parse(self, word: Token, context: Scope) -> TagGlob:
        given = context_of(context).file.given
        unknown = names_in(word.text) - {name for name, value in given.items() if not isinstance(value, NotYetKnown)}
        word = word if unknown else expanded(word, given)
        if unknown or "$" in word.text or word.value.startswith("."):
            raise word.mistake(
                "a declaration names whole tags or globs, without $ and without a leading dot; only a name that an "
                "include gives may stand in it"
            )
        return super().parse(word, context)


@command(
    "arm",
    example="arm Plant.Tank1.*",
    stream=True,
    needs_session=False,
    traits=CommandTraits(
        not_in_file='a file is not armed by itself: declare requires write "GLOB" in its head, and run it with --arm',
        not_in_alias="arm has no alias: who arms names the tags each time",
    ),
)
async def arm(
    context: Context,
    *globs: Annotated[TagGlob, ArmedGlob()],
    for_: Annotated[float | None, Duration(most=LONGEST_SECONDS, because="who needs longer arms again")] = None,
    reason: Annotated[str | None, Text("text")] = None,
) -> Result:
    """Let writes through to these tags of the current connection, for 10 minutes or as long as --for says.

    A glob has * for any characters and ? for one. It holds for typed lines, files that source runs, Python,
    call and ack alike, and replaces what was armed before. It ends with its time, with disarm, and by itself when
    anything is no longer as it was: after a lost stream or session, a deployment of the galaxy, a sleep of this
    machine, and with the connection. A profile may forbid it, demand a --reason or shorten the time.
    """
    if context.runs_file:
        raise ShellError(_FOR_A_PERSON, ExitCode.GUARDED)
    connected = context.connected
    if connected.state != "ready":
        raise ShellError(f"not armed: the session is {connected.state}; arm it when it is ready", ExitCode.GUARDED)
    arming = connected.arming
    before = "open for everything" if arming.open_for_all else arming_text(arming) if arming.is_armed else ""
    arming.arm(globs, for_ or min(USUAL_SECONDS, arming.rules.longest), reason or "")
    scope = arming.scope
    assert scope is not None
    await _report_matches(context, connected, globs)
    replaced = f"; it was {before}" if before else ""
    return TextResult(f"armed for {span_text(scope.seconds)}: {scope}{replaced}", arming_form(arming))


async def _report_matches(context: Context, connected: GatewayConnection, globs: Sequence[TagGlob]) -> None:
    """Say how many tags a glob names, as far as the galaxy was read, and what cannot disarm the connection."""
    catalogue = connected.catalogue
    if catalogue.is_current:
        for glob in globs:
            count = len(await catalogue.matching(glob.text, _MOST_COUNTED))
            more = " or more" if count == _MOST_COUNTED else ""
            context.notice(f"{glob} names {counted(count, 'tag')}{more}" if count else f"no tag is named {glob}")
    if problem := catalogue.watch_error or catalogue.error:
        context.notice(f"deployments go unnoticed, and do not disarm: {problem}")


@command("disarm", example="disarm", needs_session=False)
async def disarm(context: Context) -> Result:
    """Make the current connection read-only: nothing that changes the plant is sent.

    It applies to typed lines, files and Python alike. arm ends it.
    """
    arming = context.connected.arming
    before = arming_text(arming)
    was = f"; it was {before}" if arming.disarm(DISARMED) else ""
    return TextResult(f"read-only: nothing that changes the plant is sent until arm{was}", arming_form(arming))


@command(
    "requires",
    example='requires write "Plant.Tank1.*"',
    needs_session=False,
    in_plan=True,
    traits=CommandTraits(file_role=FileRole.DECLARATION, declares="written"),
)
async def requires(
    context: Context,
    what: Annotated[str, OneWord("write", ("write",))],
    *globs: Annotated[TagGlob, DeclaredGlob()],
) -> Result:
    """Declare, at the beginning of a file, what the file writes: nothing else in it can be written.

    lint checks each line that writes against it. A run needs --arm with globs that cover it, or a profile whose arms
    do. An included file declares what it writes itself, and the run may write all of it.
    """
    run = context.write_terms.run
    if run is None:
        raise ShellError("requires works only in a file, and in lines of a run; at the prompt, arm opens writes")
    named = " ".join(map(str, globs))
    if run.takes_declarations and (missing := run.declare(globs, context.connections.values())):
        raise ShellError(f'not armed: start the run with --arm "{missing}"', ExitCode.GUARDED)
    return TextResult(f"writes {named} only", {"requires": "write", "globs": [str(each) for each in globs]})


COMMANDS = (arm, disarm, requires)
