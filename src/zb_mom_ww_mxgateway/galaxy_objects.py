"""Look-up of objects of the galaxy by the beginning of a tag's name."""

from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayCommandError

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.client import GatewayClient
    from zb_mom_ww_mxgateway.models.galaxy import GalaxyObject


async def object_beginning(client: "GatewayClient", name: str, first: str = "") -> "tuple[GalaxyObject | None, str]":
    """Return the object with the longest name with which this name begins, and the rest; None where there is none.

    `first` is a beginning that is likely to be an object. Raises the library's errors.
    """
    dots = [at for at, character in enumerate(name) if character == "." and at]
    beginnings = [*filter(None, [first, name]), *(name[:at] for at in reversed(dots))]
    for beginning in dict.fromkeys(beginnings):
        if (found := await object_at(client, beginning)) is not None:
            return found, name[len(beginning) + 1 :]
    return None, ""


async def object_at(client: "GatewayClient", root: str | int) -> "GalaxyObject | None":
    """Return an object with its attributes, by tag name or id; None where the galaxy has none. Raise the library's
    errors."""
    try:
        found = [item async for item in client.galaxy.discover(root=root, max_depth=0)]
    except MxGatewayCommandError as error:
        if error.grpc_code != "NOT_FOUND":
            raise
        return None
    return found[0] if found else None
