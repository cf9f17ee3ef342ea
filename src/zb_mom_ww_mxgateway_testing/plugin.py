"""The plugin itself: what pytest loads in every run. It imports nothing but pytest."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.sync import SyncSession
    from zb_mom_ww_mxgateway_testing.simulator import MxgwSimulator

_MARKER = "mxgw(tags=…, faults=…, clock='manual', …): options of the simulated gateway of the mxgw fixtures"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and the fixtures for async tests as far as they can work."""
    config.addinivalue_line("markers", _MARKER)
    has_loops = config.pluginmanager.hasplugin("asyncio")
    config.pluginmanager.import_plugin(f"zb_mom_ww_mxgateway_testing.{'async_fixtures' if has_loops else 'no_async'}")


@pytest.fixture
def mxgw_simulator(request: pytest.FixtureRequest, tmp_path: Path) -> "Iterator[MxgwSimulator]":
    """A simulated gateway of this test's own, in a thread; ``@pytest.mark.mxgw(…)`` gives its options."""
    from zb_mom_ww_mxgateway_sim import ManualClock, SimulatedGateway, SimulatorError
    from zb_mom_ww_mxgateway_testing import options
    from zb_mom_ww_mxgateway_testing.simulator import MxgwSimulator

    marks = [(mark.args, mark.kwargs) for mark in request.node.iter_markers("mxgw")]
    problem = ""
    with ExitStack() as stack:
        try:
            made, clock = options.made(reversed(marks), request.path.parent)
            made.setdefault("certificate_directory", tmp_path / "mxgw-certificate")
            simulator = MxgwSimulator(SimulatedGateway(**made), clock if isinstance(clock, ManualClock) else None)
            stack.enter_context(simulator)
        except (ValueError, TypeError, SimulatorError) as error:
            problem = str(error)
        if problem:
            # Outside of the exception: the line is all that there is to see.
            pytest.fail(f"@pytest.mark.mxgw: {problem}", pytrace=False)
        yield simulator


@pytest.fixture
def mxgw_sync(mxgw_simulator: "MxgwSimulator") -> "Iterator[SyncSession]":
    """A live session for a test without ``async``: :func:`zb_mom_ww_mxgateway.sync.connect` to ``mxgw_simulator``."""
    from zb_mom_ww_mxgateway import MxGatewayError
    from zb_mom_ww_mxgateway.sync import connect

    session = connect(mxgw_simulator.client_options)
    yield session
    mxgw_simulator.faults.calm()
    # What the test has done to the gateway is no failure of the test.
    with suppress(MxGatewayError):
        session.close()
