"""The smoke test: open, register, add, advise, first event, close, each timed and reported."""

import asyncio
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from zb_mom_ww_mxgateway.errors import MxAccessError
from zb_mom_ww_mxgateway.models.events import EventFamily
from zb_mom_ww_mxgateway.options import OpenSessionOptions
from zb_mom_ww_mxgateway_cli.commands.streaming import stream_ended
from zb_mom_ww_mxgateway_console.render.event_forms import event_form, reading_text
from zb_mom_ww_mxgateway_console.render.forms import ExpectationNotMet
from zb_mom_ww_mxgateway_console.render.report import Report

# Seconds; the step that reads the stream reports a refused one.
_ATTACH_TIMEOUT = 1.0

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient, MessageStream, MxEvent, Session

T = TypeVar("T")

CLIENT_NAME = "mxgw-py-smoke"
CLOSE_TIMEOUT = 10.0
"""Seconds to close the session, whatever happened before."""

# The result of a step, by its name in the summary.
_FOUND = {"open": "session_id", "register": "server_handle", "add-item": "item_handle", "first-event": "event"}


class Smoke:
    """One smoke test of one item. `report.summary` grows with it, so that an error shows how far it came."""

    def __init__(self, client: "GatewayClient", report: Report, item: str, timeout: float) -> None:
        self._client = client
        self._report = report
        self._item = item
        self._timeout = timeout
        self._started = time.perf_counter()
        self._deadline = asyncio.get_running_loop().time() + timeout
        self._detail = ""
        self._steps: list[dict[str, Any]] = []
        self._found = report.summary
        self._found |= {"endpoint": client.options.endpoint, "item": item, "milliseconds": 0.0, "steps": self._steps}
        self._found |= dict.fromkeys(_FOUND.values())

    async def run(self) -> None:
        """Run the test; raise the error of the step that fails. The session is closed in any case."""
        session = await self._step("open", self._open())
        try:
            await self._first_value(session)
        except BaseException:
            await self._close(session, after_failure=True)
            raise
        await self._close(session)
        self._report.line({**self._found, "ok": True}, f"smoke ok, {self._found['milliseconds']:.0f} ms")

    async def _open(self) -> "Session":
        session = await self._client.open_session(OpenSessionOptions(client_session_name=CLIENT_NAME))
        self._found["session_id"] = self._detail = session.session_id
        return session

    async def _first_value(self, session: "Session") -> None:
        # Before advising: the first value may come at once.
        stream = session.stream_events_proven()
        server = await self._step("register", self._handle("server", session.register(CLIENT_NAME)))
        item = await self._step("add-item", self._handle("item", session.add_item(server, self._item)))
        with suppress(TimeoutError):
            async with asyncio.timeout(_ATTACH_TIMEOUT):
                await stream.attached()
        await self._step("advise", session.advise(server, item))
        await self._step("first-event", self._first_event(stream, (server, item)))

    async def _handle(self, kind: str, work: Awaitable[int]) -> int:
        handle = await work
        self._found[f"{kind}_handle"] = handle
        self._detail = f"{kind} handle {handle}"
        return handle

    async def _first_event(self, stream: "MessageStream[MxEvent]", item: tuple[int, int]) -> None:
        async for event in stream:
            if event.family is EventFamily.ON_DATA_CHANGE and (event.server_handle, event.item_handle) == item:
                self._found["event"] = event_form(event)
                self._detail = reading_text(event)
                if event.failed or event.quality_word == "bad":
                    reason = "; ".join(str(status) for status in event.statuses) or "no status given"
                    raise MxAccessError(
                        f"first-event: no good value of {self._item}: quality {event.quality_word}; {reason}",
                        endpoint=self._client.options.endpoint,
                        call="first-event",
                        statuses=event.statuses,
                    )
                return
        raise stream_ended(self._client.options.endpoint)

    async def _close(self, session: "Session", *, after_failure: bool = False) -> None:
        try:
            self._deadline = asyncio.get_running_loop().time() + CLOSE_TIMEOUT
            self._timeout = CLOSE_TIMEOUT
            await self._step("close", session.close())
        except Exception:
            # The first error counts; the step reports that closing failed, too.
            if not after_failure:
                raise

    async def _step(self, name: str, work: Awaitable[T]) -> T:
        """Await one step and print its outcome."""
        started = time.perf_counter()
        ok = False
        self._detail = ""
        try:
            async with asyncio.timeout_at(self._deadline):
                result = await work
            ok = True
            return result
        except TimeoutError:
            awaited = f"value of {self._item}" if name == "first-event" else "answer"
            raise ExpectationNotMet(
                f"{name}: no {awaited} from {self._client.options.endpoint} within {self._timeout:g} s"
            ) from None
        finally:
            self._report_step(name, ok, started)

    def _report_step(self, name: str, ok: bool, started: float) -> None:
        now = time.perf_counter()
        step: dict[str, Any] = {"milliseconds": round((now - started) * 1000, 3), "ok": ok, "step": name}
        if name in _FOUND:
            step[_FOUND[name]] = self._found[_FOUND[name]]
        self._steps.append({key: step[key] for key in ("milliseconds", "ok", "step")})
        self._found["milliseconds"] = round((now - self._started) * 1000, 3)
        text = f"{name:<11}  {'ok' if ok else 'failed':<6}  {step['milliseconds']:>6.0f} ms  {self._detail}"
        self._report.line(step, text.rstrip())
