"""Compares the contract with upstream's: ``python -m zb_mom_ww_mxgateway.contract PATH``."""

import sys

from zb_mom_ww_mxgateway.contract.comparison import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
