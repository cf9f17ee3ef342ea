"""The descriptors that server reflection shows."""

from collections.abc import Callable
from typing import Any

from google.protobuf import descriptor_pool

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb


class _BothPools:
    """The descriptors of an adopted contract, which has a pool of its own, and those of everything else."""

    def __init__(self, adopted: Any) -> None:
        self._pools = (adopted, descriptor_pool.Default())

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def find(*arguments: Any) -> Any:
            try:
                return getattr(self._pools[0], name)(*arguments)
            except KeyError:
                return getattr(self._pools[1], name)(*arguments)

        return find


def reflected_pool() -> Any:
    """Return the pool of the contract that this process speaks; None for the one that everything shares."""
    adopted = getattr(pb, "MXGATEWAY_POOL", None)
    return None if adopted is None else _BothPools(adopted)
