"""What all tests share: a simulated gateway, a connected client, and nothing of the user's own."""

import gc
import os
import signal
import time
import weakref
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from settings_of_the_user import is_the_users

from zb_mom_ww_mxgateway import GatewayClient, kept_secrets, times
from zb_mom_ww_mxgateway.safety.journal import Journal
from zb_mom_ww_mxgateway.system import process_limits
from zb_mom_ww_mxgateway_shell.process import signals
from zb_mom_ww_mxgateway_sim import SimulatedGateway

# Times as texts are the same wherever the tests run.
os.environ["TZ"] = "UTC"
if hasattr(time, "tzset"):  # not on Windows
    time.tzset()

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.load_profile("here")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have half of the workers begin with the long tests: they would be what all wait for at the end, and mostly wait,
    while the others keep the processors busy."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers == 1:
        return
    long = [item for item in items if item.get_closest_marker("long")]
    others = [item for item in items if not item.get_closest_marker("long")]
    half = workers // 2
    ordered: list[pytest.Item] = []
    for number in range(workers):
        # Each worker gets as many tests that follow each other.
        first = long[number::half] if number < half else []
        count = (len(items) - len(ordered)) // (workers - number) - len(first)
        ordered += [*first, *others[:count]]
        others = others[count:]
    items[:] = ordered


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Never look for garbage among the tests and modules that are collected: they stay to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        # Nor among all objects of a test after each 700 new ones: it was an eighth of the time.
        gc.set_threshold(10_000, 20, 10)


@pytest.fixture(autouse=True)
def nothing_of_the_users_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No settings of the environment, remembered certificates or records reach a test, or come out of one."""
    for name in tuple(os.environ):
        if is_the_users(name):
            monkeypatch.delenv(name)
    monkeypatch.setattr(times, "_how", times.times_by_environment)
    # Nor does where the tests run decide what their terminals are able to do.
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    # Both for as long, for programs that get no settings of ours: a journal is in one, its head in the other.
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.getbasetemp() / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("MXGATEWAY_STATE", str(tmp_path / "records"))


@pytest.fixture(autouse=True)
def nothing_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets that a test gave to its process, warnings and signals that came there, do not reach the next test."""
    monkeypatch.setattr(kept_secrets, "_spellings", frozenset())
    monkeypatch.setattr(kept_secrets, "_numbers", frozenset())
    monkeypatch.setattr(process_limits, "_warned", [])
    monkeypatch.setattr(signals, "_ending_signals", set())


@pytest.fixture(autouse=True)
def closed_journals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """End with the test the journal of a shell without a front end, which would close it: else a thread stays, with an
    open file and the test's event loop."""
    opened: weakref.WeakSet[Journal] = weakref.WeakSet()
    open_journal = Journal.__init__

    def opening(journal: Journal, *args: Any, **options: Any) -> None:
        open_journal(journal, *args, **options)
        opened.add(journal)

    monkeypatch.setattr(Journal, "__init__", opening)
    yield
    for each in opened:
        each._queue.put(None)


@pytest.fixture(autouse=True)
def heard_interrupts() -> Iterator[None]:
    """A background job of a shell ignores Ctrl-C, and what it starts inherits that."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def heard_hangups() -> Iterator[None]:
    """What nohup starts ignores the end of its terminal, and so does whatever that starts."""
    number = getattr(signal, "SIGHUP", None)
    if number is None:
        yield
        return
    before = signal.signal(number, signal.SIG_DFL)
    yield
    signal.signal(number, before)


@pytest.fixture
def known_gateways(tmp_path: Path) -> Path:
    """A file of remembered certificates; there is none yet."""
    return tmp_path / "known_gateways"


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    """A gateway in plaintext with one key that may do everything; writes complete at once."""
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as running:
        yield running


@pytest.fixture
async def client(gateway: SimulatedGateway) -> AsyncIterator[GatewayClient]:
    """A client connected to `gateway`."""
    connected = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True)
    async with connected:
        yield connected
