# Written by `make exports` from the list in __init__.py. Not edited by hand.

from zb_mom_ww_mxgateway_testing.faults import (
    MxgwFaults,
)
from zb_mom_ww_mxgateway_testing.simulator import (
    MxgwSimulator,
)

__all__ = [
    "MxgwFaults",
    "MxgwSimulator",
]
