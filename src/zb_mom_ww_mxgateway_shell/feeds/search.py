"""Feeds from the galaxy: objects and tags that match as they are found, and deployments as they happen."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from zb_mom_ww_mxgateway.errors import MxGatewayTransportError
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import date_and_time
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, age_text, counted, safe, value_form
from zb_mom_ww_mxgateway_console.render.galaxy_forms import DEPLOY_COLUMNS, deploy_form
from zb_mom_ww_mxgateway_console.text.terminal_text import padded
from zb_mom_ww_mxgateway_shell.errors import closest
from zb_mom_ww_mxgateway_shell.feeds.items import FIRST_VALUE_TIMEOUT
from zb_mom_ww_mxgateway_shell.output.results import Sheet
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import DeployEvent, GatewayClient

_OBJECT = ("kind", "name", "template")
_TAG = ("can_be_written", "name", "type")
_PAGE_SIZE = 100
"""Objects a page: few, so that the first ones appear soon."""
_MOST_TAGS = 100_000
_NAME_WIDTH = 40
_LINES_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class FoundRecords:
    """The records that a feed has shown, and a summary of their number."""

    what: str
    """Key of the records in JSON: ``objects``."""
    records: list[dict[str, Any]]
    summary: str
    value: Any
    columns: tuple[str, ...]
    exit_code: ExitCode = ExitCode.DONE

    def sheet(self) -> Sheet:
        return Sheet(self.columns, self.form()[self.what])

    def lines(self) -> list[str]:
        return [safe(self.summary)]

    def form(self) -> Any:
        return value_form({self.what: self.records})


@dataclass(slots=True)
class ObjectSearch:
    """Matching objects of the galaxy, page by page."""

    is_listing: ClassVar[bool] = True
    connected: GatewayConnection
    glob: str
    root: int | None
    filters: dict[str, Any]
    count: int | None
    records: list[dict[str, Any]] = field(default_factory=list)
    has_ended: bool = False
    """Whether everything was found; False where there may be more."""

    async def follow(self, show: Callable[[str], None]) -> FoundRecords:
        """Show a line for each object until the last, or until `count` were shown."""
        galaxy = self.connected.client.galaxy
        found = galaxy.discover(
            root=self.root, tag_name_glob=self.glob, include_attributes=False, page_size=_PAGE_SIZE, **self.filters
        )
        async with aclosing(found) as items:
            async for item in items:
                self.connected.catalogue.learn(item)
                kind = "area" if item.is_area else "object"
                template = item.template_chain[0] if item.template_chain else ""
                self.records.append({"kind": kind, "name": item.tag_name, "template": template or None})
                show(f"  {kind:<6}  {padded(safe(item.tag_name), _NAME_WIDTH)}  {safe(template)}".rstrip())
                if self.count is not None and len(self.records) >= self.count:
                    break
        self.has_ended = True
        return self.result()

    def result(self) -> FoundRecords:
        """Return the result so far."""
        summary = counted(len(self.records), "object")
        if not self.has_ended:
            summary += " so far"
        elif not self.records:
            template = ", ".join(self.filters.get("template_chain_contains", ()))
            known = [*self.connected.catalogue.templates]
            hint = f" and derives from {template}{closest(template, known)}" if template else ""
            summary = f"no object matches {self.glob}{hint or '; find --tags matches whole tag names'}"
        return FoundRecords("objects", self.records, summary, [each["name"] for each in self.records], _OBJECT)


@dataclass(slots=True)
class TagSearch:
    """Matching tags among those in memory."""

    is_listing: ClassVar[bool] = True
    connected: GatewayConnection
    glob: str
    count: int | None
    records: list[dict[str, Any]] = field(default_factory=list)
    has_ended: bool = False
    """Whether everything was found; False where there may be more."""

    async def follow(self, show: Callable[[str], None]) -> FoundRecords:
        """Show a line for each tag."""
        catalogue = self.connected.catalogue
        catalogue.start(self.connected.client)
        await catalogue.loaded(FIRST_VALUE_TIMEOUT)
        for number, name in enumerate(await catalogue.matching(self.glob, self.count or _MOST_TAGS), start=1):
            if number % _LINES_AT_ONCE == 0:
                await asyncio.sleep(0)  # Everything is in memory: let Ctrl-C and the watched values have their turn.
            kind = catalogue.kind_of(name)
            self.records.append(
                {"can_be_written": kind and kind.is_writable, "name": name, "type": kind and kind.type_name}
            )
            show(f"  {padded(safe(name), _NAME_WIDTH)}  {kind.description if kind else ''}".rstrip())
        self.has_ended = True
        return self.result()

    def result(self) -> FoundRecords:
        """Return the result so far."""
        catalogue, summary = self.connected.catalogue, counted(len(self.records), "tag")
        if self.has_ended and not self.records:
            summary = f"no tag matches {self.glob}"
        if not self.has_ended:
            summary += " so far"
        elif not catalogue.is_complete:
            why = f": {catalogue.error}" if catalogue.error else ""
            summary += f" among those read so far; the galaxy is not read to its end{why}"
        return FoundRecords("tags", self.records, summary, [each["name"] for each in self.records], _TAG)


@dataclass(slots=True)
class Deployments:
    """The current deployment, and each later one as it happens."""

    client: "GatewayClient"
    duration: float | None
    """Seconds."""
    count: int | None
    events: "list[DeployEvent]" = field(default_factory=list)
    started: float = field(default_factory=clock.monotonic)

    async def follow(self, show: Callable[[str], None]) -> FoundRecords:
        """Show a line for each until the duration or count is reached; raise the error that ends the stream."""
        try:
            async with clock.timeout(self.duration), self.client.galaxy.watch_deploy_events() as stream:
                async for event in stream:
                    self.events.append(event)
                    show(deploy_line(event))
                    if self.count is not None and len(self.events) >= self.count:
                        return self.result()
        except TimeoutError:
            return self.result()
        endpoint = self.client.options.endpoint
        raise MxGatewayTransportError(f"deploys: {endpoint} ended the stream", endpoint=endpoint, call="deploys")

    def result(self) -> FoundRecords:
        """Return the result so far."""
        later = max(0, len(self.events) - 1)
        summary = f"{later} new deployment{'s' if later != 1 else ''} in {age_text(clock.monotonic() - self.started)}"
        last = self.events[-1].time_of_last_deploy if self.events else None
        return FoundRecords("deploys", [deploy_form(event) for event in self.events], summary, last, DEPLOY_COLUMNS)


def deploy_line(event: "DeployEvent") -> str:
    """Return a deployment as a line."""
    counts = f"{event.object_count} objects, {event.attribute_count} attributes"
    if event.time_of_last_deploy is None:
        return f"  never deployed   {counts}"
    ago = (datetime.now(UTC) - event.time_of_last_deploy).total_seconds()
    summary = f"{age_text(ago)} ago" if ago >= 0 else "by the gateway's clock in the future"
    return f"  deployed {date_and_time(event.time_of_last_deploy)} ({summary})   {counts}"
