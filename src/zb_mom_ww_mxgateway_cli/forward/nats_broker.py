"""NATS with JetStream: a message is acknowledged when a stream has stored it."""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from zb_mom_ww_mxgateway.system.extras import extra
from zb_mom_ww_mxgateway_cli.forward.broker import (
    CONNECT_SECONDS,
    NATS,
    SIGN_OF_LIFE_SECONDS,
    BrokerLostError,
    BrokerRefusedError,
)
from zb_mom_ww_mxgateway_cli.forward.destination import Access, Address
from zb_mom_ww_mxgateway_cli.forward.messages import Message

_WINDOW = 1_000
# Bytes of a message beside its payload: its header with the id.
_HEADER_BYTES = 512
_CLOSE_SECONDS = 2.0
_NO_STREAM = "no stream of JetStream takes {topic}: add one, e.g. nats stream add MXGW --subjects '{first}.>'"


class NatsConnection:
    """One connection to a NATS server. JetStream drops a message whose id it has stored within its window already."""

    def __init__(self, client: Any, address: Address) -> None:
        self.window = _WINDOW
        self.most_bytes: int | None = client.max_payload - _HEADER_BYTES
        self.lost = ""
        self._client = client
        self._address = address
        self._errors = extra("nats.errors", "nats", NATS)
        self._inbox = client.new_inbox()
        # By the last level of its subject for the answer, what waits for that; and its topic.
        self._waiting: dict[str, tuple[asyncio.Future[None], str]] = {}
        self._number = 0

    @classmethod
    async def open(cls, address: Address, access: Access, client_name: str, on_lost: Callable[[], None]) -> Self:
        """Connect. Raises as :func:`broker_connections.connect` does."""
        errors = extra("nats.errors", "nats", NATS)
        client = _client_class()(address.is_secure)
        problems: list[Exception] = []
        made: list[Self] = []

        async def failed(error: Exception) -> None:
            problems.append(error)

        async def closed() -> None:
            if made and not made[0].lost:
                made[0].lost = _described(problems[-1]) if problems else "the broker closed the connection"
                on_lost()

        names: dict[str, Any] = {}
        if access.user is not None:
            names |= {"user": access.user, "password": lambda: client.allowed(access.password)}
        elif access.password is not None:
            names |= {"token": lambda: client.allowed(access.password)}
        if address.is_secure:
            names |= {"tls": access.tls_context(), "tls_hostname": address.host}
        host = f"[{address.host}]" if ":" in address.host else address.host
        # Its errors come here; what it logs as well would come between the lines.
        logging.getLogger("nats").setLevel(logging.CRITICAL + 1)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await client.connect(
                    f"{'tls' if address.is_secure else 'nats'}://{host}:{address.port}",
                    name=client_name,
                    allow_reconnect=False,
                    # Another attempt is ours to make. With 0 it would try for ever.
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    connect_timeout=CONNECT_SECONDS,
                    ping_interval=SIGN_OF_LIFE_SECONDS,
                    max_outstanding_pings=2,
                    error_cb=failed,
                    closed_cb=closed,
                    **names,
                )
        except (OSError, errors.Error, TimeoutError) as error:
            await _close(client)
            # Of several attempts the first says why.
            cause = problems[0] if problems else error
            text = f"{address.text}: {_described(cause)}"
            if "uthorization" in str(cause) or "uthentication" in str(cause) or "user" in str(cause).lower():
                raise BrokerRefusedError(text, endpoint=address.text, call="connect") from None
            raise BrokerLostError(text, endpoint=address.text, call="connect") from None
        except BaseException:
            await _close(client)
            raise
        connection = cls(client, address)
        made.append(connection)
        try:
            await client.subscribe(f"{connection._inbox}.*", cb=connection._answered)
        except (OSError, errors.Error) as error:
            await connection.aclose()
            raise BrokerLostError(f"{address.text}: {_described(error)}", endpoint=address.text) from None
        if client.is_closed:
            await closed()
        return connection

    async def publish(self, message: Message) -> "asyncio.Future[None]":
        """Do what :meth:`BrokerConnection.publish` says."""
        self._number += 1
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[str(self._number)] = done, message.topic
        try:
            await self._client.publish(
                message.topic,
                message.payload,
                reply=f"{self._inbox}.{self._number}",
                headers={"Nats-Msg-Id": message.id},
            )
        except (OSError, self._errors.Error) as error:
            raise BrokerLostError(f"{self._address.text}: {_described(error)}") from None
        return done

    async def _answered(self, answer: Any) -> None:
        """Take what JetStream answers to a message, or the server, where no stream takes it."""
        done, topic = self._waiting.pop(answer.subject.rpartition(".")[2], (None, ""))
        if done is None or done.done():
            return
        if problem := self._problem_of(answer, topic):
            done.set_exception(BrokerRefusedError(f"{self._address.text}: {problem}", call="publish"))
        else:
            done.set_result(None)

    @staticmethod
    def _problem_of(answer: Any, topic: str) -> str:
        """Return why a message is not stored; empty where it is."""
        if (answer.headers or {}).get("Status") == "503":
            return _NO_STREAM.format(topic=topic, first=topic.partition(".")[0])
        form: Any = None
        with suppress(ValueError):
            form = json.loads(answer.data)
        if isinstance(form, dict) and "stream" in form and "error" not in form:
            return ""
        error = form.get("error") if isinstance(form, dict) else None
        if isinstance(error, dict):
            return str(error.get("description") or "JetStream gives no reason")
        return f"{topic} is answered by something that is not JetStream"

    async def aclose(self) -> None:
        """Do what :meth:`BrokerConnection.aclose` says."""
        self.lost = self.lost or "closed"
        await _close(self._client)


async def _close(client: Any) -> None:
    with suppress(Exception):  # It may be lost already, and its client raises errors of any type.
        async with asyncio.timeout(_CLOSE_SECONDS):
            await client.close()


def _described(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    text = getattr(error, "description", None) or getattr(error, "strerror", None) or str(error)
    return str(text).removeprefix("nats: ").strip("' ") or type(error).__name__


def _client_class() -> Any:
    """Return nats-py's client, made to refuse a server without TLS where TLS was asked for.

    nats-py uses TLS where the server demands it; to any other server it sends everything, also a password, in the
    clear, whatever the URL says.
    """
    module, errors = extra("nats.aio.client", "nats", NATS), extra("nats.errors", "nats", NATS)
    base: Any = module.Client

    class CheckedClient(base):  # type: ignore[misc]  # of an extra, so known at run time alone
        def __init__(self, must_be_secure: bool) -> None:
            super().__init__()
            self._must_be_secure = must_be_secure
            self._may_send = not must_be_secure

        async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
            if self._must_be_secure and not info.get("tls_required"):
                raise errors.Error("nats: the broker does not demand TLS, so this connection would be in the clear")
            self._may_send = True
            await super()._process_info(info, initial_connection=initial_connection)

        def allowed(self, secret: str | None) -> str | None:
            if not self._may_send:
                raise errors.Error("nats: it is not known whether the connection is secure")
            return secret

    return CheckedClient
