"""The synchronous interface: the same session, calls that block, callbacks in a thread."""

import asyncio
import inspect
import logging
import queue
import threading
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from zb_mom_ww_mxgateway import (
    LiveSession,
    LiveState,
    LiveValue,
    MxGatewayArgumentError,
    MxGatewayError,
    MxGatewayTransportError,
    MxGatewayWaitError,
    PendingWrite,
    WriteEntry,
    WriteOutcome,
)
from zb_mom_ww_mxgateway.sync import SyncSession, connect, loop_thread
from zb_mom_ww_mxgateway.sync.callback_thread import LONGEST_QUEUE, CallbackThread
from zb_mom_ww_mxgateway.sync.loop_thread import LoopThread
from zb_mom_ww_mxgateway_testing import MxgwSimulator

SETPOINT, LEVEL, INT = "Plant.Tank1.LevelSP", "Plant.Tank1.Level", "TestChildObject.TestInt"
PATIENCE = 50.0


def test_reads_writes_and_waits(mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator) -> None:
    mxgw_simulator.set(SETPOINT, 60.0)
    assert mxgw_sync.state is LiveState.LIVE
    assert mxgw_sync.lost is None
    assert [reading.value for reading in mxgw_sync.read([SETPOINT])] == [60.0]
    assert mxgw_sync.write(SETPOINT, 61.0).outcome is WriteOutcome.COMPLETED
    assert mxgw_sync.wait_for(SETPOINT, lambda value: value == 61.0, timeout=PATIENCE).quality_word == "good"
    assert mxgw_sync.latest(SETPOINT.upper()).value == 61.0
    outcomes = mxgw_sync.write_many({SETPOINT: 62.0, INT: 5})
    assert {result.outcome for result in outcomes.values()} == {WriteOutcome.COMPLETED}
    assert mxgw_sync.write_and_verify(SETPOINT, 63.0).is_verified
    server, item = mxgw_sync.subscribe_tags([SETPOINT])[0].key
    assert mxgw_sync.write_and_confirm(server, item, 64.0).outcome is WriteOutcome.COMPLETED
    (result,) = mxgw_sync.write_bulk_and_confirm(server, [WriteEntry(item, 65.0)])
    assert result.outcome is WriteOutcome.COMPLETED
    assert mxgw_simulator.read(SETPOINT).value == 65.0
    with pytest.raises(KeyError):
        mxgw_sync.latest("Plant.Tank2.Level")


def test_errors_are_those_of_the_async_calls(mxgw_sync: SyncSession) -> None:
    mxgw_sync.subscribe_tags([SETPOINT])
    with pytest.raises(MxGatewayWaitError, match="did not meet the condition"):
        mxgw_sync.wait_for(SETPOINT, lambda value: value == -1, timeout=0.01)
    with pytest.raises(MxGatewayArgumentError):
        mxgw_sync.read([""])
    with pytest.raises(ZeroDivisionError):
        mxgw_sync.wait_for(SETPOINT, lambda value: 1 / 0, timeout=PATIENCE)
    assert mxgw_sync.read([SETPOINT])[0].error == ""


def test_signatures_and_docstrings_are_those_of_the_live_session() -> None:
    for name in ("read", "write", "write_many", "write_and_confirm", "wait_for", "subscribe_tags", "ready"):
        blocking, live = getattr(SyncSession, name), getattr(LiveSession, name)
        assert inspect.signature(blocking) == inspect.signature(live)
        assert inspect.getdoc(blocking) == inspect.getdoc(live)
        assert not inspect.iscoroutinefunction(blocking)


def test_each_call_of_a_live_session_is_there_or_left_out_on_purpose() -> None:
    calls = {name for name in dir(LiveSession) if inspect.iscoroutinefunction(getattr(LiveSession, name))}
    # Their functions would have to run on the loop, or leave the session open; open() and aclose() have other names.
    left_out = {"changed", "wait_until", "detach", "open", "aclose"}
    assert {name for name in calls if not name.startswith("_")} - set(dir(SyncSession)) == left_out


def test_everything_else_runs_on_the_loop_of_the_session(mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator) -> None:
    assert mxgw_sync.run(mxgw_sync.client.galaxy.test_connection())
    assert mxgw_sync.discover(tag_name_glob="Plant.Tank1", page_size=1)[0].tag_name == "Plant.Tank1"
    mxgw_simulator.raise_alarm("ZB!Area.Object.Hi")
    assert [alarm.reference for alarm in mxgw_sync.query_active_alarms("ZB!Area.Object")] == ["ZB!Area.Object.Hi"]
    mxgw_sync.run(mxgw_sync.client.acknowledge_alarm("ZB!Area.Object.Hi"))
    with pytest.raises(MxGatewayArgumentError, match="run takes a coroutine"):
        mxgw_sync.run(mxgw_sync.client.galaxy.discover())  # type: ignore[arg-type]  # what is tested
    # Without it, the call says where it belongs.
    with pytest.raises(MxGatewayTransportError, match="belongs to another event loop"):
        asyncio.run(mxgw_sync.client.galaxy.test_connection())


async def test_it_can_be_called_where_a_loop_runs(mxgw_sync: SyncSession) -> None:
    assert mxgw_sync.read([SETPOINT])[0].error == ""  # as in a notebook


def test_threads_share_it(mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator) -> None:
    outcomes: queue.Queue[object] = queue.Queue()
    tags = ["Plant.Tank1.LevelSP", "Plant.LC1.Auto", INT, "TestChildObject.TestFloat"]
    values: list[Any] = [61.0, True, 5, 1.5]
    threads = [
        threading.Thread(target=lambda tag=tag, value=value: outcomes.put(mxgw_sync.write(tag, value).outcome))
        for tag, value in zip(tags, values, strict=True)
    ]
    for thread in threads:
        thread.start()
    assert {outcomes.get(timeout=PATIENCE) for _ in threads} == {WriteOutcome.COMPLETED}
    for thread in threads:
        thread.join(PATIENCE)
    assert len(mxgw_simulator.writes) == 4


# Callbacks.


def test_a_callback_runs_in_a_thread_and_may_call_the_session(
    mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator
) -> None:
    seen: queue.Queue[tuple[object, str, object]] = queue.Queue()

    def look(value: LiveValue) -> None:
        seen.put((value.value, threading.current_thread().name, mxgw_sync.read([INT])[0].value))

    mxgw_simulator.set(SETPOINT, 60.0)
    mxgw_simulator.set(INT, 7)
    with mxgw_sync.subscribe(SETPOINT, look) as subscription:
        assert seen.get(timeout=PATIENCE) == (60.0, "mxgw callbacks", 7)
        mxgw_simulator.set(SETPOINT, 61.0)
        assert seen.get(timeout=PATIENCE) == (61.0, "mxgw callbacks", 7)
        assert subscription.is_active
    assert not subscription.is_active
    mxgw_simulator.set(SETPOINT, 62.0)
    mxgw_sync.wait_for(SETPOINT, lambda value: value == 62.0, timeout=PATIENCE)
    assert subscription.calls == 2
    assert seen.empty()


def test_an_exception_of_a_callback_is_logged_and_the_next_change_comes(
    mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    seen: queue.Queue[object] = queue.Queue()
    mxgw_simulator.set(SETPOINT, 60.0)

    def fail(value: LiveValue) -> None:
        seen.put(value.value)
        if value.value == 60.0:
            raise SystemExit("no")
        raise ValueError("not this one")

    with caplog.at_level(logging.ERROR, "asyncio"), mxgw_sync.subscribe([SETPOINT], fail) as subscription:
        assert seen.get(timeout=PATIENCE) == 60.0
        mxgw_simulator.set(SETPOINT, 61.0)
        assert seen.get(timeout=PATIENCE) == 61.0
        mxgw_simulator.set(SETPOINT, 62.0)
        assert seen.get(timeout=PATIENCE) == 62.0
    assert subscription.failures >= 2
    assert isinstance(subscription.error, ValueError)
    logged = [record.getMessage() for record in caplog.records if record.name == "asyncio"]
    assert f"the callback of {SETPOINT} failed: the callback raised SystemExit('no')" in logged
    assert f"the callback of {SETPOINT} failed: not this one" in logged


def test_errors_go_to_on_error(mxgw_sync: SyncSession) -> None:
    errors: queue.Queue[Exception] = queue.Queue()

    def fail(value: LiveValue) -> None:
        raise ValueError(value.tag)

    mxgw_sync.subscribe(SETPOINT, fail, on_error=errors.put)
    assert str(errors.get(timeout=PATIENCE)) == SETPOINT
    mxgw_sync.close()
    assert errors.empty()  # closed here: that is no error


def test_a_refused_tag_leaves_no_callback(mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator) -> None:
    mxgw_sync.subscribe_tags([SETPOINT])
    mxgw_simulator.faults.fail_next("subscribe_bulk", code=grpc.StatusCode.RESOURCE_EXHAUSTED)
    with pytest.raises(MxGatewayError, match="made to fail"):
        mxgw_sync.subscribe([SETPOINT, LEVEL], print)
    until(lambda: not mxgw_sync.live._hub.callbacks._all)


def test_a_callback_must_be_a_plain_function(mxgw_sync: SyncSession) -> None:
    async def look(value: LiveValue) -> None:
        """Nobody would await it."""

    with pytest.raises(MxGatewayArgumentError, match="plain function"):
        mxgw_sync.subscribe(SETPOINT, look)
    with pytest.raises(MxGatewayArgumentError, match="callback must be a function"):
        mxgw_sync.subscribe(SETPOINT, None)  # type: ignore[arg-type]  # what is tested
    with pytest.raises(MxGatewayArgumentError, match="tag"):
        mxgw_sync.subscribe("", print)


def test_a_slow_callback_drops_the_oldest_and_counts() -> None:
    thread = CallbackThread("callbacks")
    entered, go_on, ended = threading.Event(), threading.Event(), threading.Event()
    made: list[int] = []
    dropped: list[int] = []

    def hold() -> None:
        entered.set()
        go_on.wait(PATIENCE)

    thread.add(hold, lambda: None)
    assert entered.wait(PATIENCE)
    for number in range(LONGEST_QUEUE + 3):
        thread.add(lambda number=number: made.append(number), lambda number=number: dropped.append(number))  # type: ignore[misc]  # mypy infers no lambda with a default
    go_on.set()
    thread.add(ended.set, lambda: None)
    assert ended.wait(PATIENCE)
    assert dropped[:3] == [0, 1, 2]
    assert made == list(range(len(dropped), LONGEST_QUEUE + 3))
    thread.close()
    thread.add(made.clear, lambda: None)
    assert made


# Closing, and what does not work.


def test_calls_that_wait_end_with_the_session(mxgw_sync: SyncSession) -> None:
    failures: queue.Queue[Exception] = queue.Queue()

    def wait() -> None:
        try:
            mxgw_sync.wait_for(SETPOINT, lambda value: started.set(), timeout=600)
        except Exception as error:
            failures.put(error)

    started = threading.Event()
    thread = threading.Thread(target=wait)
    thread.start()
    assert started.wait(PATIENCE)
    mxgw_sync.close()
    assert isinstance(failures.get(timeout=PATIENCE), MxGatewayError)
    thread.join(PATIENCE)
    mxgw_sync.close()
    with pytest.raises(MxGatewayError, match="the session is closed"):
        mxgw_sync.read([SETPOINT])
    assert "closed" in repr(mxgw_sync)


def test_closing_closes_the_session_at_the_gateway(mxgw_simulator: MxgwSimulator) -> None:
    with connect(mxgw_simulator.client_options):
        assert len(mxgw_simulator.live_sessions) == 1
    assert mxgw_simulator.live_sessions == []


def test_a_session_that_is_dropped_is_closed(mxgw_simulator: MxgwSimulator) -> None:
    plant = connect(mxgw_simulator.client_options)
    until(lambda: mxgw_simulator.live_sessions)
    del plant
    until(lambda: not mxgw_simulator.live_sessions)
    seen: queue.Queue[LiveValue] = queue.Queue()
    # While somebody wants its values it stays.
    subscription = connect(mxgw_simulator.client_options).subscribe(SETPOINT, seen.put)
    seen.get(timeout=PATIENCE)
    mxgw_simulator.set(SETPOINT, 71.0)
    assert seen.get(timeout=PATIENCE).value == 71.0
    subscription.close()
    del subscription
    until(lambda: not mxgw_simulator.live_sessions)


def until(condition: Callable[[], object]) -> None:
    """Wait for what gives no sign of its own."""
    turn = threading.Event()
    for _ in range(5_000):
        if condition():
            return
        turn.wait(0.01)
    raise AssertionError("it did not come")


def test_a_call_from_the_thread_of_the_loop_says_so(mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator) -> None:
    with pytest.raises(MxGatewayError, match="a call from its own thread would wait for itself"):
        mxgw_sync.wait_for(SETPOINT, lambda value: mxgw_sync.read([SETPOINT]), timeout=PATIENCE)
    with pytest.raises(MxGatewayError, match="a call from its own thread would wait for itself"):
        mxgw_sync.wait_for(SETPOINT, lambda value: mxgw_sync.close(), timeout=PATIENCE)
    assert mxgw_sync.read([SETPOINT])[0].error == ""


def test_a_callback_may_close_the_session(mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator) -> None:
    closed = threading.Event()

    def close(value: LiveValue) -> None:
        mxgw_sync.close()
        closed.set()

    mxgw_sync.subscribe(SETPOINT, close)
    assert closed.wait(PATIENCE)
    assert mxgw_sync.state is LiveState.CLOSED
    assert mxgw_simulator.live_sessions == []


def test_an_error_in_the_block_is_not_replaced_by_one_of_closing(mxgw_simulator: MxgwSimulator) -> None:
    mxgw_simulator.faults.fail_next("CloseSession", code=grpc.StatusCode.INTERNAL)
    with pytest.raises(ZeroDivisionError), connect(mxgw_simulator.client_options):
        _ = 1 / 0
    mxgw_simulator.faults.fail_next("CloseSession", code=grpc.StatusCode.INTERNAL)
    with pytest.raises(MxGatewayError, match="made to fail"), connect(mxgw_simulator.client_options):
        pass


def test_several_threads_may_close_it(mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator) -> None:
    failures: list[Exception] = []

    def close() -> None:
        try:
            mxgw_sync.close()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert failures == []
    assert mxgw_simulator.live_sessions == []


def test_a_wait_goes_on_in_slices_where_ctrl_c_is_not_heard(
    mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_thread, "_SLICE", 0.001)  # as on Windows, where a wait without an end is not interrupted
    mxgw_simulator.faults.delay("read_bulk", 0.1)
    assert mxgw_sync.read([SETPOINT])[0].error == ""


def test_a_write_guard_is_asked(mxgw_simulator: MxgwSimulator) -> None:
    async def guard(pending: PendingWrite) -> bool | str:
        return "not above 80" if any(entry.value > 80 for entry in pending.entries) else True

    options = mxgw_simulator.client_options
    with connect(endpoint=options.endpoint, plaintext=True, write_guard=guard) as plant:
        assert plant.write(SETPOINT, 70.0).outcome is WriteOutcome.COMPLETED
        with pytest.raises(MxGatewayError, match="not above 80"):
            plant.write(SETPOINT, 90.0)


def test_a_gateway_that_is_not_there_leaves_no_thread() -> None:
    with pytest.raises(MxGatewayTransportError):
        connect("localhost:1", plaintext=True)
    with pytest.raises(MxGatewayArgumentError, match="host:port"):
        connect("nowhere")
    assert "mxgw session" not in [thread.name for thread in threading.enumerate()]


def test_a_function_that_ends_the_loop_ends_the_calls_that_wait() -> None:
    loop = LoopThread("a loop", "the session")
    entered = threading.Event()
    failures: queue.Queue[Exception] = queue.Queue()

    async def wait() -> None:
        entered.set()
        await asyncio.Event().wait()

    def call() -> None:
        try:
            loop.run(wait)
        except Exception as error:
            failures.put(error)

    thread = threading.Thread(target=call)
    thread.start()
    assert entered.wait(PATIENCE)
    hook, threading.excepthook = threading.excepthook, lambda _: None
    try:
        loop.call_soon(lambda: (_ for _ in ()).throw(SystemExit))
        assert "closed before the call ended" in str(failures.get(timeout=PATIENCE))
        thread.join(PATIENCE)
        loop.close()
    finally:
        threading.excepthook = hook
    assert not loop.is_open
