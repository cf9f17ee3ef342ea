"""Events of a stream that are decoded when somebody looks at them."""

import copy
import pickle
import threading
from collections.abc import Callable

import pytest

from zb_mom_ww_mxgateway import EventHeader, Float32, MxEvent, ReplayGap, wire
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.models.events import deferred_event
from zb_mom_ww_mxgateway.wire import events
from zb_mom_ww_mxgateway.wire.events import DecodeError


def message(**fields: object) -> pb.MxEvent:
    made = pb.MxEvent(
        family=pb.MX_EVENT_FAMILY_ON_DATA_CHANGE,
        session_id="session-1",
        server_handle=3,
        item_handle=7,
        quality=192,
        worker_sequence=41,
        statuses=[pb.MxStatusProxy(success=-1, category=pb.MX_STATUS_CATEGORY_OK)],
        value=pb.MxValue(data_type=pb.MX_DATA_TYPE_FLOAT, variant_type="VT_R4", float_value=1.5),
    )
    made.source_timestamp.FromNanoseconds(1_790_000_000_000_000_007)
    made.gateway_receive_timestamp.FromNanoseconds(1_790_000_000_100_000_000)
    made.MergeFrom(pb.MxEvent(**fields))
    return made


KINDS = {
    "a data change": message(),
    "a completion": message(family=pb.MX_EVENT_FAMILY_ON_WRITE_COMPLETE, on_write_complete=pb.OnWriteCompleteEvent()),
    "a gap": pb.MxEvent(replay_gap=pb.ReplayGap(requested_after_sequence=4, oldest_available_sequence=9)),
    "an array": message(
        value=pb.MxValue(array_value=pb.MxArray(dimensions=[2], int32_values=pb.Int32Array(values=[1, 2])))
    ),
    "an hresult": message(hresult=-2147467259, raw_status="?"),
    "nothing": pb.MxEvent(),
}


@pytest.fixture(params=KINDS)
def data(request: pytest.FixtureRequest) -> bytes:
    return KINDS[request.param].SerializeToString()


def deferred(data: bytes) -> MxEvent:
    (event,) = wire.deferred_events_of([(12.5, data)], None)
    return event


def decoded(data: bytes) -> MxEvent:
    (event,) = wire.events_of([(12.5, data)], None)
    return event


@pytest.mark.parametrize(
    "made",
    [lambda event: event, copy.copy, copy.deepcopy, lambda event: pickle.loads(pickle.dumps(event))],
    ids=["itself", "copy", "deep copy", "pickle"],
)
def test_it_is_what_it_would_be_decoded_at_once(data: bytes, made: Callable[[MxEvent], MxEvent]) -> None:
    assert made(deferred(data)) == decoded(data)
    assert repr(made(deferred(data))) == repr(decoded(data))


@pytest.mark.parametrize("name", ["header", "value", "source_time_ns", "gateway_receive_time_ns", "item_handle"])
def test_whatever_is_looked_at_first_is_there(data: bytes, name: str) -> None:
    assert getattr(deferred(data), name) == getattr(decoded(data), name)


def test_it_is_decoded_once_and_only_when_somebody_looks() -> None:
    looked: list[bytes] = []

    def decode(data: bytes) -> MxEvent:
        looked.append(data)
        return decoded(data)

    data = message().SerializeToString()
    event = deferred_event(data, 41, 12.5, decode)
    event.tag = "Tank1.Level"
    assert (event.worker_sequence, event.received_at, event.tag) == (41, 12.5, "Tank1.Level")
    assert looked == []
    assert (event.value, event.item_handle, event.quality_word) == (Float32(1.5), 7, "good")
    assert looked == [data]


def test_threads_may_look_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=60)

    def decode(data: bytes) -> MxEvent:
        both.wait()
        return decoded(data)

    event, seen = deferred_event(message().SerializeToString(), 41, 12.5, decode), []
    looking = [threading.Thread(target=lambda: seen.append(event.value)) for _ in range(2)]
    for thread in looking:
        thread.start()
    for thread in looking:
        thread.join()
    assert seen == [Float32(1.5), Float32(1.5)]


NAMES = ["header", "value", "source_time_ns", "gateway_receive_time_ns"]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_program_sets_before_it_looks_stays(name: str) -> None:
    data = message().SerializeToString()
    event, expected = deferred(data), decoded(data)
    for each in (event, expected):
        setattr(each, name, "set by the program")
    for other in NAMES * 2:  # the first look decodes
        assert getattr(event, other) == getattr(expected, other)


def test_a_message_that_cannot_be_decoded_is_found_before_somebody_looks() -> None:
    with pytest.raises(DecodeError):
        deferred(b"\xff")


def test_one_whose_handles_are_replaced_has_those_that_hold_when_it_comes() -> None:
    def translate(message: pb.MxEvent) -> None:
        message.item_handle = handles[message.item_handle]

    handles = {7: 70}
    (event,) = wire.deferred_events_of([(0.0, message().SerializeToString())], translate)
    handles[7] = 71
    assert event.item_handle == 70


def test_a_name_that_no_event_has_is_an_error() -> None:
    with pytest.raises(AttributeError, match="'MxEvent' object has no attribute 'vlaue'"):
        deferred(b"").vlaue  # noqa: B018
    assert not hasattr(MxEvent.__new__(MxEvent), "value")
    assert deferred(KINDS["a gap"].SerializeToString()).replay_gap == ReplayGap(4, 9)


def test_a_hundred_thousand_items_keep_their_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_headers", {})  # and the process keeps none of them
    made, names = message(), range(1, 100_001)

    def headers() -> list[EventHeader]:
        found = []
        for item in names:
            made.item_handle = item
            found.append(decoded(made.SerializeToString()).header)
        return found

    first, again = headers(), headers()
    assert all(one is other for one, other in zip(first, again, strict=True))
