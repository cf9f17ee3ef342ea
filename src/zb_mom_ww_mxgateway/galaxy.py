"""The galaxy: what objects and attributes there are."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb
from zb_mom_ww_mxgateway.values import from_nanoseconds

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.client import GatewayClient

PAGE_SIZE_LIMIT = 5000


class Galaxy:
    """The galaxy of a connected client, as ``client.galaxy``. Needs the scope ``metadata:read``, but no session."""

    def __init__(self, client: "GatewayClient") -> None:
        self._client = client

    async def test_connection(self) -> bool:
        """Whether the gateway reaches the galaxy's database."""
        reply = await self._client.unary(wire.TEST_CONNECTION, pb.TestConnectionRequest(), call="test_connection")
        return wire.galaxy_answers(reply)

    async def last_deploy_time(self) -> datetime | None:
        """When something was last deployed (UTC); None if never."""
        reply = await self._client.unary(wire.LAST_DEPLOY_TIME, pb.GetLastDeployTimeRequest(), call="last_deploy_time")
        nanoseconds = wire.last_deploy_time(reply)
        return None if nanoseconds is None else from_nanoseconds(nanoseconds)

    async def discover(
        self, *, tag_name_glob: str = "", include_attributes: bool = True, page_size: int = 500
    ) -> AsyncIterator[wire.GalaxyObject]:
        """Every object, page by page: a page is asked for when the one before is used up.

        `tag_name_glob` (anchored, any letter case) filters by the object's tag name. Raises
        MxGatewayCommandError when a redeploy makes the pages that follow belong to another galaxy.
        """
        if not 1 <= page_size <= PAGE_SIZE_LIMIT:
            raise MxGatewayArgumentError(f"page_size must be 1 to {PAGE_SIZE_LIMIT}, not {page_size!r}")
        filters: dict[str, Any] = {"tag_name_glob": tag_name_glob, "include_attributes": include_attributes}
        token = ""
        while True:
            request = wire.discover_request(page_size, token, **filters)
            reply = await self._client.unary(wire.DISCOVER_HIERARCHY, request, call="discover")
            page = wire.discover_page(reply)
            for item in page.objects:
                yield item
            token = page.next_page_token
            if not token:
                return
