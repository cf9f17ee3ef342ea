"""The program ``mxgw-shell``. It imports little itself: what it does first is done before the rest is loaded."""

import gc
import sys
from typing import NoReturn

from zb_mom_ww_mxgateway_console.process.standard_streams import (
    fill_closed_streams,
    never_fail_on_a_character,
    written_to_the_end,
)


def main() -> NoReturn:
    """Run ``mxgw-shell`` and exit with its code."""
    # Nothing that is loaded now is garbage, and looking for it would take a fifth of the start.
    gc.disable()
    fill_closed_streams()
    never_fail_on_a_character()
    try:
        from zb_mom_ww_mxgateway_shell.app.command_line import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("mxgw-shell: interrupted\n")
        code = 130
    if not written_to_the_end():
        code = code or 1
    # Python would collect several times as it exits, for nothing.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
