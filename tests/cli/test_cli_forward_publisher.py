"""Delivery over connections that fail in ways that a real broker shows too seldom."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from cli_process import KEY, until

from zb_mom_ww_mxgateway import GatewayClient
from zb_mom_ww_mxgateway_cli.forward import forwarder as forwarder_module, publisher as module
from zb_mom_ww_mxgateway_cli.forward.broker import BrokerLostError, BrokerRefusedError
from zb_mom_ww_mxgateway_cli.forward.destination import Access, Address, destination_of
from zb_mom_ww_mxgateway_cli.forward.forwarder import Forwarder
from zb_mom_ww_mxgateway_cli.forward.messages import Message, MessageForms
from zb_mom_ww_mxgateway_cli.forward.outbox import Outbox
from zb_mom_ww_mxgateway_cli.forward.publisher import Publisher
from zb_mom_ww_mxgateway_cli.forward.topics import DEFAULT, Topics
from zb_mom_ww_mxgateway_sim import SimulatedGateway


class Connection:
    """One that acknowledges as many messages as it is told to, and refuses those that it is told to."""

    def __init__(self, acknowledges: int = 1_000, refuses: str = "", blocks: bool = False) -> None:
        self.window = 3
        self.most_bytes: int | None = None
        self.lost = ""
        self.got: list[str] = []
        self._acknowledges = acknowledges
        self._refuses = refuses
        self._blocks = blocks

    async def publish(self, message: Message) -> "asyncio.Future[None]":
        self.got.append(message.id)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._blocks:
            await asyncio.get_running_loop().create_future()
        elif message.id == self._refuses:
            done.set_exception(BrokerRefusedError("no"))
        elif len(self.got) <= self._acknowledges:
            done.set_result(None)
        return done

    async def aclose(self) -> None:
        self.lost = "closed"


class Delivery:
    """What a publisher did with ten messages."""

    def __init__(self, *connections: Connection | BrokerLostError | BrokerRefusedError) -> None:
        forms = MessageForms("f", "host:1", Topics(DEFAULT, "f", "/"))
        self.outbox = Outbox(100, forms.gap)
        self.acknowledged: list[str] = []
        self.news: list[str] = []
        self.left = list(connections)
        self.publisher = Publisher(
            destination_of(("mqtt://a", "mqtt://b"), Access()),
            self._connect,
            self.outbox,
            forms,
            lambda message: self.acknowledged.append(message.id),
            lambda word, text: self.news.append(word),
        )
        self.tried: list[str] = []
        for number in range(10):
            self.outbox.put(Message(str(number), "t", b"x", "s", number + 1))

    async def _connect(self, address: Address, on_lost: Callable[[], None]) -> Connection:
        self.tried.append(address.host)
        made = self.left.pop(0)
        if isinstance(made, Connection):
            return made
        raise made


@asynccontextmanager
async def delivered(*connections: Connection | BrokerLostError | BrokerRefusedError) -> AsyncIterator[Delivery]:
    delivery = Delivery(*connections)
    task = asyncio.create_task(delivery.publisher.run())
    await until(lambda: len(delivery.acknowledged) == 10 or task.done())
    yield delivery
    task.cancel()
    await asyncio.wait([task])


ALL = [str(number) for number in range(10)]


@pytest.mark.parametrize("silent", [Connection(acknowledges=4), Connection(blocks=True)])
async def test_a_connection_that_is_open_but_dead_is_given_up(
    monkeypatch: pytest.MonkeyPatch, silent: Connection
) -> None:
    monkeypatch.setattr(module, "ACKNOWLEDGE_SECONDS", 0.05)
    good = Connection()
    async with delivered(silent, good) as delivery:
        assert delivery.acknowledged == ALL
        assert delivery.tried == ["a", "b"]
        assert delivery.news == ["broker", "broker lost", "broker", "broker back"]
        assert delivery.publisher.waiting == 0
    # What was sent and not acknowledged comes first, and in order.
    assert good.got == ALL[len(ALL) - len(good.got) :]
    assert silent.got[: len(ALL) - len(good.got)] + good.got == ALL


async def test_a_message_that_is_refused_for_a_while_is_sent_again() -> None:
    first, second = Connection(refuses="4"), Connection()
    async with delivered(first, BrokerLostError("away"), second) as delivery:
        assert delivery.acknowledged == ALL
        assert "4" in second.got


async def test_a_broker_that_refuses_the_first_message_ends_it() -> None:
    delivery = Delivery(BrokerLostError("away"), Connection(refuses="0"))
    with pytest.raises(BrokerRefusedError):
        await asyncio.wait_for(delivery.publisher.run(), 20)
    assert delivery.acknowledged == []
    assert delivery.publisher.waiting == 10


async def test_what_is_too_large_for_another_broker_becomes_a_gap_then() -> None:
    large, small = Connection(acknowledges=2), Connection()
    small.most_bytes = 5
    delivery = Delivery(large, small)
    delivery.outbox.put(Message("10", "t", b"x" * 50, "s", 11, "A"))
    task = asyncio.create_task(delivery.publisher.run())
    await until(lambda: len(large.got) == 5)
    large.lost = "gone"
    delivery.outbox.put(Message("11", "t", b"x", "s", 12))
    await until(lambda: len(delivery.acknowledged) == 12)
    task.cancel()
    await asyncio.wait([task])
    assert delivery.acknowledged == [*ALL, "s-gap-10-12", "11"]


async def test_a_count_is_of_events_that_the_broker_has_however_late_it_comes(
    gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarder_module, "_FLUSH_SECONDS", 0.0)
    is_there, broker = asyncio.Event(), Connection()

    async def connect(address: Address, on_lost: Callable[[], None]) -> Connection:
        await is_there.wait()
        return broker

    async with await GatewayClient.connect(endpoint=gateway.endpoint, api_key=KEY.text, plaintext=True) as client:
        forwarder = Forwarder(
            client, destination_of(("mqtt://a",), Access()), Topics(DEFAULT, "f", "/"), connect,
            tags=["TestChildObject.TestInt"], state=None, buffer=10, most_events=1, news=lambda word, text: None,
        )  # fmt: skip
        running = asyncio.create_task(forwarder.run(None, asyncio.Event()))
        await until(lambda: gateway.live_sessions)
        await until(lambda: not gateway.live_sessions)  # It has its event.
        is_there.set()
        await asyncio.wait_for(running, 20)
    assert (forwarder.counts.events, forwarder.waiting) == (1, 0)
