"""A line of the shell, run as a front end does, on a gateway of a test's own; and the files that examples name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.scripts.executor import Follow, LineRun
from zb_mom_ww_mxgateway_shell.state.connection_terms import ConnectionTerms
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway

SIMULATED = ConnectionTerms(open_for_all=True)
"""The terms of a simulated plant: tests of other things than arming may write to it."""


async def run(context: Context, text: str, follow: Follow) -> Result | None:
    """Runs it; returns its result, raises its error."""
    return (await LineRun(context, text).run(follow)).unwrap()


@asynccontextmanager
async def connected(gateway: SimulatedGateway) -> AsyncIterator[Context]:
    """A context without a person, connected to a gateway that asks for no key, under the name plant."""
    made = Context(all_commands(), interactive=False)
    await made.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "plant", terms=SIMULATED)
    try:
        yield made
    finally:
        await made.disconnect()


async def follow(feed: Feed) -> Result:
    """Follows a feed to its end, and shows nothing of it."""
    return await feed.follow(lambda line: None)


async def result_of(context: Context, line: str) -> Result:
    """The result of a line that has one."""
    result = await run(context, line, follow)
    assert result is not None
    return result


async def text_of(context: Context, line: str) -> str:
    """The lines that a person sees."""
    return "\n".join((await result_of(context, line)).lines())


def make_example_files(folder: Path) -> None:
    """Makes the files that the examples of commands name."""
    rows = "tag,value\nPlant.Tank1.LevelSP,55\nTestChildObject.TestInt,7\n"
    (folder / "setpoints.csv").write_text(rows, encoding="utf-8")
    limits = Path(__file__).parents[2] / "examples" / "limits.toml"
    (folder / "limits.toml").write_bytes(limits.read_bytes())
