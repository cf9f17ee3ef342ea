"""A line of the shell, run as a front end does; and the files that examples name."""

from pathlib import Path

from zb_mom_ww_mxgateway_shell.output.results import Result
from zb_mom_ww_mxgateway_shell.scripts.executor import Follow, LineRun
from zb_mom_ww_mxgateway_shell.state.connection_terms import ConnectionTerms
from zb_mom_ww_mxgateway_shell.state.context import Context

SIMULATED = ConnectionTerms(open_for_all=True)
"""The terms of a simulated plant: tests of other things than arming may write to it."""


async def run(context: Context, text: str, follow: Follow) -> Result | None:
    """Runs it; returns its result, raises its error."""
    return (await LineRun(context, text).run(follow)).unwrap()


def make_example_files(folder: Path) -> None:
    """Makes the files that the examples of commands name."""
    rows = "tag,value\nPlant.Tank1.LevelSP,55\nTestChildObject.TestInt,7\n"
    (folder / "setpoints.csv").write_text(rows, encoding="utf-8")
    limits = Path(__file__).parents[2] / "examples" / "limits.toml"
    (folder / "limits.toml").write_bytes(limits.read_bytes())
