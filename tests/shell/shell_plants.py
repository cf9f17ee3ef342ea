"""A prompt with connections to two plants."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

from shell_lines import SIMULATED
from shell_terminal import Shell, shell

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"


_Plants: TypeAlias = tuple[Shell, SimulatedGateway]


@asynccontextmanager
async def two_plants(
    tmp_path: Path, columns: int = 110, **options: Any
) -> AsyncIterator[tuple[Shell, SimulatedGateway]]:
    """A prompt on demo, with plantB open beside it."""
    async with (
        SimulatedGateway(plaintext=True, api_keys=()) as other,
        shell(tmp_path, columns=columns, **options) as sh,
    ):
        sh.gateway.set(INT, 1)
        other.set(INT, 2)
        demo = sh.context.current
        await sh.context.connect(Connection(endpoint=other.endpoint, plaintext=True), "plantB", terms=SIMULATED)
        sh.context.current = demo
        await sh.terminal.shows("demo>")
        yield sh, other
