"""The galaxy: its objects and attributes, and when it was deployed."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any

from zb_mom_ww_mxgateway import arguments, wire
from zb_mom_ww_mxgateway.errors import (
    MxGatewayArgumentError,
    MxGatewayCommandError,
    MxGatewayGalaxyChangedError,
)
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb
from zb_mom_ww_mxgateway.models.galaxy import DeployEvent, GalaxyObject, ObjectTags
from zb_mom_ww_mxgateway.times import from_nanoseconds
from zb_mom_ww_mxgateway.transport.calls import Transport
from zb_mom_ww_mxgateway.transport.streams import MessageStream

PAGE_SIZE_LIMIT = 5000
# Pages without an object in a row, after which no more is asked for.
_EMPTY_PAGES = 100
_RESTARTS = 3


class Galaxy:
    """The galaxy of a connected client, as ``client.galaxy``. Needs the scope ``metadata:read``, but no session.

    Filters are combined: an object has to pass all that are given. `category_ids` are the galaxy's own (13 is
    an area); `template_chain_contains` names templates an object derives from; `tag_name_glob` is anchored and
    takes any letter case; `alarm_bearing_only` and `historized_only` look at an object's attributes. `timeout` is in
    seconds, of a list for each page; without one it is ``ClientOptions.call_timeout``.

    For example::

        async for item in client.galaxy.discover(tag_name_glob="Plant.*"):
            print(item.tag_name, [attribute.full_tag_reference for attribute in item.attributes])
        for node in await client.galaxy.browse():
            print(node.object.tag_name, len(await node.children()))
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def test_connection(self, *, timeout: float | None = None) -> bool:
        """Return whether the gateway reaches the galaxy's database."""
        reply = await self._transport.unary(
            wire.TEST_CONNECTION, pb.TestConnectionRequest(), call="test_connection", timeout=timeout
        )
        return wire.galaxy_answers(reply)

    async def last_deploy_time(self, *, timeout: float | None = None) -> datetime | None:
        """Return when something was last deployed (UTC); None if never."""
        call = "last_deploy_time"
        reply = await self._transport.unary(
            wire.LAST_DEPLOY_TIME, pb.GetLastDeployTimeRequest(), call=call, timeout=timeout
        )
        nanoseconds = wire.last_deploy_time(reply)
        try:
            return None if nanoseconds is None else from_nanoseconds(nanoseconds)
        except (ValueError, OverflowError):
            raise MxGatewayCommandError(
                f"{call}: the gateway gave a time outside the years 1 to 9999", call=call, reply=reply
            ) from None

    async def discover(
        self,
        *,
        root: int | str | None = None,
        max_depth: int | None = None,
        category_ids: Sequence[int] = (),
        template_chain_contains: Sequence[str] = (),
        tag_name_glob: str = "",
        include_attributes: bool = True,
        alarm_bearing_only: bool = False,
        historized_only: bool = False,
        page_size: int = 500,
        timeout: float | None = None,
    ) -> AsyncGenerator[GalaxyObject, None]:
        """Yield every object below `root` (an object id or a tag name; without it, all).

        A page is asked for when the one before is used up. Raises MxGatewayGalaxyChangedError when a redeploy makes the
        pages that follow belong to another galaxy than those already given.
        """
        filters: dict[str, Any] = {
            **_place("root", root),
            "max_depth": None if max_depth is None else arguments.whole("max_depth", max_depth),
            **_filters(category_ids, template_chain_contains, tag_name_glob, alarm_bearing_only, historized_only),
            "include_attributes": include_attributes,
        }
        size, token = arguments.whole("page_size", page_size, 1, PAGE_SIZE_LIMIT), ""
        pages = _Pages("discover")
        while True:
            page = await self._discovered("discover", size, token, filters, timeout)
            for item in page.objects:
                yield item
            token = pages.after(page.next_page_token, page.object_count)
            if not token:
                return

    async def discover_tags(
        self,
        *,
        root: int | str | None = None,
        tag_name_glob: str = "",
        page_size: int = 250,
        timeout: float | None = None,
    ) -> AsyncGenerator[ObjectTags, None]:
        """Yield every object below `root` (an object id or a tag name; without it, all) with its tags, in short.

        This is the fast way to read a whole galaxy: the next page is on its way while one is used. Raises as
        :meth:`discover` does.
        """
        call = "discover_tags"
        filters = {**_place("root", root), **_filters((), (), tag_name_glob, False, False), "include_attributes": True}
        size = arguments.whole("page_size", page_size, 1, PAGE_SIZE_LIMIT)
        pages = _Pages(call)
        coming = asyncio.create_task(self._discovered(call, size, "", filters, timeout), name=call)
        try:
            while True:
                page = await coming
                token = pages.after(page.next_page_token, page.object_count)
                if token:
                    coming = asyncio.create_task(self._discovered(call, size, token, filters, timeout), name=call)
                for item in page.tags:
                    yield item
                if not token:
                    return
        finally:
            coming.cancel()
            await asyncio.wait([coming])
            if not coming.cancelled():
                coming.exception()  # Nobody waits for this page any more: without a look its error would be logged.

    async def count_objects(
        self, *, root: int | str | None = None, tag_name_glob: str = "", timeout: float | None = None
    ) -> int:
        """Return the number of objects that :meth:`discover` would yield, in one short call."""
        filters = {**_place("root", root), **_filters((), (), tag_name_glob, False, False), "include_attributes": False}
        return (await self._discovered("count_objects", 1, "", filters, timeout)).total_object_count

    async def _discovered(
        self, call: str, page_size: int, token: str, filters: dict[str, Any], timeout: float | None
    ) -> wire.DiscoverPage:
        """Return one page; raise MxGatewayGalaxyChangedError where its token is of another galaxy."""
        request = wire.discover_request(page_size, token, **filters)
        try:
            reply = await self._transport.unary(wire.DISCOVER_HIERARCHY, request, call=call, timeout=timeout)
        except MxGatewayCommandError as error:
            if token and error.grpc_code == "INVALID_ARGUMENT":
                raise _changed(error, call) from error
            raise
        return wire.discover_page(reply)

    async def browse(
        self,
        parent: int | str | None = None,
        *,
        category_ids: Sequence[int] = (),
        template_chain_contains: Sequence[str] = (),
        tag_name_glob: str = "",
        include_attributes: bool = True,
        alarm_bearing_only: bool = False,
        historized_only: bool = False,
        page_size: int = 500,
        timeout: float | None = None,
    ) -> "tuple[GalaxyNode, ...]":
        """Return the children of `parent` (an object id or a tag name; without it, the top), areas first.

        Each expands on demand, by the same filters. A redeploy meanwhile starts the list again: two galaxies never mix.
        Raises MxGatewayGalaxyChangedError when redeploys do not stop.
        """
        filters: dict[str, Any] = {
            **_filters(category_ids, template_chain_contains, tag_name_glob, alarm_bearing_only, historized_only),
            "include_attributes": include_attributes,
        }
        size = arguments.whole("page_size", page_size, 1, PAGE_SIZE_LIMIT)
        return await self._children(_place("parent", parent), filters, size, timeout)

    async def _children(
        self, place: dict[str, Any], filters: dict[str, Any], page_size: int, timeout: float | None
    ) -> "tuple[GalaxyNode, ...]":
        for _ in range(_RESTARTS):
            pages = await self._pages_of_one_galaxy(place, filters, page_size, timeout)
            if pages is not None:
                return tuple(
                    GalaxyNode(self, item, has_children, filters, page_size)
                    for page in pages
                    for item, has_children in zip(page.objects, page.has_children, strict=True)
                )
        raise MxGatewayGalaxyChangedError(
            f"the galaxy was redeployed {_RESTARTS} times while it was read", call="browse"
        )

    async def _pages_of_one_galaxy(
        self, place: dict[str, Any], filters: dict[str, Any], page_size: int, timeout: float | None
    ) -> list[wire.ChildrenPage] | None:
        """Return all pages of one parent; None when a redeploy came between them."""
        pages: list[wire.ChildrenPage] = []
        counted, token = _Pages("browse"), ""
        while True:
            request = wire.browse_request(page_size, token, **place, **filters)
            try:
                reply = await self._transport.unary(wire.BROWSE_CHILDREN, request, call="browse", timeout=timeout)
            except MxGatewayCommandError as error:
                if token and error.grpc_code == "INVALID_ARGUMENT":
                    return None
                raise
            page = wire.children_page(reply)
            if pages and page.cache_sequence != pages[0].cache_sequence:
                return None
            pages.append(page)
            token = counted.after(page.next_page_token, len(page.objects))
            if not token:
                return pages

    def watch_deploy_events(self) -> MessageStream[DeployEvent]:
        """Stream the last deployment, then every one that follows."""
        request = pb.WatchDeployEventsRequest()
        return self._transport.stream(
            wire.WATCH_DEPLOY_EVENTS, request, call="watch_deploy_events", decode=wire.deploy_event
        )


class _Pages:
    """Check that pages come to an end, whatever the gateway says."""

    def __init__(self, call: str) -> None:
        self._call = call
        self._tokens: set[str] = set()
        self._empty = 0

    def after(self, token: str, objects: int) -> str:
        """Return the token of the next page, after one of so many objects.

        Raises MxGatewayCommandError for a token that was given before, and for a long row of empty pages.
        """
        self._empty = 0 if objects else self._empty + 1
        if token and (token in self._tokens or self._empty > _EMPTY_PAGES):
            why = "gives the same page again" if token in self._tokens else f"gave {self._empty} empty pages in a row"
            raise MxGatewayCommandError(f"{self._call}: the gateway {why}: its pages do not end", call=self._call)
        self._tokens.add(token)
        return token


class GalaxyNode:
    """One object in the galaxy's tree, which expands on demand."""

    def __init__(
        self, galaxy: Galaxy, item: GalaxyObject, has_children: bool, filters: dict[str, Any], page_size: int
    ) -> None:
        self.object = item
        self.has_children = has_children
        """Whether it has children, as of when it was listed."""
        self._galaxy = galaxy
        self._filters = filters
        self._page_size = page_size
        self._children: tuple[GalaxyNode, ...] | None = None
        self._expanding = asyncio.Lock()

    async def children(self, *, timeout: float | None = None) -> "tuple[GalaxyNode, ...]":
        """Return its children, which are fetched once, however many tasks ask; after a failure they are fetched again.

        `timeout` is in seconds for each page.
        """
        async with self._expanding:
            if self._children is None:
                place = _place("parent", self.object.gobject_id)
                self._children = await self._galaxy._children(place, self._filters, self._page_size, timeout)
            return self._children

    def __repr__(self) -> str:
        return f"<GalaxyNode {self.object.tag_name}>"


def _place(name: str, value: int | str | None) -> dict[str, Any]:
    """Return `root` or `parent` as the arm of the request's oneof."""
    if value is None:
        return {}
    if isinstance(value, str):
        return {f"{name}_tag_name": arguments.text(name, value)}
    return {f"{name}_gobject_id": arguments.whole(name, value, 1)}


def _filters(
    category_ids: Sequence[int],
    template_chain_contains: Sequence[str],
    tag_name_glob: str,
    alarm_bearing_only: bool,
    historized_only: bool,
) -> dict[str, Any]:
    for name, values in (("category_ids", category_ids), ("template_chain_contains", template_chain_contains)):
        if isinstance(values, str | bytes) or not isinstance(values, Sequence):
            raise MxGatewayArgumentError(f"{name} must be a list, not {type(values).__name__}")
    if not isinstance(tag_name_glob, str):
        raise MxGatewayArgumentError(f"tag_name_glob must be text, not {type(tag_name_glob).__name__}")
    return {
        "category_ids": [arguments.whole(f"category_ids[{i}]", number) for i, number in enumerate(category_ids)],
        "template_chain_contains": [
            arguments.text(f"template_chain_contains[{i}]", name) for i, name in enumerate(template_chain_contains)
        ],
        "tag_name_glob": tag_name_glob,
        "alarm_bearing_only": alarm_bearing_only,
        "historized_only": historized_only,
    }


def _changed(error: MxGatewayCommandError, call: str) -> MxGatewayGalaxyChangedError:
    return MxGatewayGalaxyChangedError(
        f"{call}: the galaxy was redeployed while it was read; begin again ({error})",
        endpoint=error.endpoint,
        call=call,
        grpc_code=error.grpc_code,
    )
