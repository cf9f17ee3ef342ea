"""``-c FILE --plan HASH``: whether a run is the one that was planned. Plans it once more, on a session of its own."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.command_traits import FileRole
from zb_mom_ww_mxgateway_shell.output.problems import Statement, message_of
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.scripts.dry_run import Plan
from zb_mom_ww_mxgateway_shell.scripts.executor import LineRun
from zb_mom_ww_mxgateway_shell.scripts.kept_plans import KeptPlans
from zb_mom_ww_mxgateway_shell.scripts.loader import Block, file_role
from zb_mom_ww_mxgateway_shell.scripts.plan_set import PlanSet, changed, lines_sha256
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.file_state import FileState
from zb_mom_ww_mxgateway_shell.state.planned_writes import PlannedWrites

AGAIN = "plan the file again, and look at what it would write; nothing was run"


async def take_plan(context: Context, blocks: Sequence[Block], wanted: str) -> PlannedWrites:
    """Return what a run may write, and note that the hash is used.

    Raises ShellError where the run is not the planned one, or was run already; nothing was written then.
    """
    kept = KeptPlans()
    if used := kept.used_at(wanted):
        raise _refused(f"its plan was run already, {used}")
    made = await _planned_again(context, blocks)
    now = made.content()
    if made.hash != wanted:
        before = kept.find(wanted)
        if before is None:
            raise _refused("no plan of yours on this machine has this hash, so what has changed is unknown")
        raise _refused(f"changed since the plan: {'; '.join(changed(before, now))}")
    try:
        if used := kept.use(wanted):
            raise _refused(f"its plan was run already, {used}")
    except OSError as error:
        raise _refused(f"that the plan is used cannot be noted: {error.strerror}") from error
    return made.planned


async def _planned_again(context: Context, blocks: Sequence[Block]) -> PlanSet:
    """Plan all lines; raise ShellError at one that cannot pass."""
    plan = Plan()
    async with _apart(context) as planning:
        for block in blocks:
            planning.names, planning.file, planning.focus_ahead = dict(context.names), FileState(), ""
            planning.aliases, planning.last, planning.leaving = dict(context.aliases), None, False
            for statement in _lines(block, planning):
                if file_role(statement) not in (FileRole.FINALLY, FileRole.DECLARATION, FileRole.LIMIT):
                    outcome = await plan.preview(LineRun(planning, statement.text, statement), _not_followed)
                    if outcome.error is not None:
                        place = f"{statement.place}: " if statement.place else ""
                        raise _refused(f"{place}{message_of(outcome.error)}")
        return await plan.made(planning, lines_sha256(blocks))


def _lines(block: Block, planning: Context) -> Iterator[Statement]:
    """Yield the lines of a block that run: after exit only those after ``finally``."""
    for is_ending, items in ((False, block.body), (True, block.ending)):
        for item in items:
            if planning.leaving and not is_ending:
                break
            if isinstance(item, Block):
                with item.names.in_scope(planning):
                    yield from _lines(item, planning)
            else:
                yield item


@asynccontextmanager
async def _apart(context: Context) -> AsyncIterator[Context]:
    """Yield a context with a session of its own to the same gateway, which writes nothing: the run finds none of its
    servers and items."""
    planning = Context(context.registry, interactive=False)
    planning.given_names, planning.profiles = context.given_names, context.profiles
    planning.read_only, planning.runs_file = "a plan writes nothing", True
    planning.is_demo, planning.journals = context.is_demo, context.journals
    planning.start_connections, planning.connection = list(context.start_connections), context.connection
    # The terms of the connection have the limits file already.
    planning.write_terms.consent = context.write_terms.consent._replace(limits=None)
    planning.settles_later = True
    try:
        if context.current is not None:
            terms = context.current.terms._replace(
                rules=context.current.terms.rules._replace(forbidden=planning.read_only)
            )
            await planning.connect(context.current.connection, context.current.name, terms=terms)
        yield planning
    finally:
        await planning.disconnect()


async def _not_followed(feed: Feed) -> Result:
    """Return what a feed has so far: a plan follows nothing."""
    return feed.result()


def _refused(why: str) -> ShellError:
    return ShellError(f"--plan: {why}; {AGAIN}", ExitCode.GUARDED)
