"""The contract that this process speaks: the built-in one, or a gateway's own descriptor set.

There is one contract a process. Built in is what ``proto/`` says. ``mxgw-py contract use FILE`` adopts a set for good,
the variable ``MXGATEWAY_CONTRACT`` for one process, :func:`use` for a program that calls it before it makes its first
client. Every start looks whether a set was adopted, so little is loaded for that. May import ``system``.
"""

from zb_mom_ww_mxgateway.contract.adoption import Contract, spoken, use

__all__ = ["Contract", "spoken", "use"]
