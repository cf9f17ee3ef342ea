"""Generated from ``proto/`` by ``make proto``; not edited by hand.

Where another contract was adopted, its messages stand here under the same names. May import ``contract``.
"""

from zb_mom_ww_mxgateway.contract.adoption import install

install()
