"""``--demo``: a simulated gateway inside this process, reached as a real one.

A separate module, because nothing else in the shell may import the simulator.
"""

import logging
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.app.demo_options import DemoOptions
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.state.connection_terms import ConnectionTerms
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_sim import SimulatedGateway


@asynccontextmanager
async def simulated(context: Context, options: DemoOptions) -> AsyncIterator[None]:
    """Start a simulated gateway and connect the shell to it, over TLS and with a key.

    Raise ShellError for a mistake in the files of its plant, with the place.
    """
    from zb_mom_ww_mxgateway_sim import CertificateError

    async with AsyncExitStack() as stack:
        stack.enter_context(_reports(context))
        folder = stack.enter_context(TemporaryDirectory(prefix="mxgw-demo-"))
        try:
            gateway = await stack.enter_async_context(_gateway(options))
        except CertificateError:
            # Where the certificate cannot be kept, as in a read-only home, each start makes another one.
            gateway = await stack.enter_async_context(_gateway(options, certificate_directory=folder))
        # The key reaches the client as a user's would: from a file that only its owner can read.
        key_file = Path(folder) / "key"
        key_file.touch(mode=0o600)
        key_file.write_text(gateway.api_key or "", encoding="utf-8", newline="\n")
        connection = Connection(endpoint=gateway.endpoint, api_key_file=str(key_file), forget_certificate=True)
        await context.connect(connection, "demo", terms=ConnectionTerms(open_for_all=True))
        try:
            yield
        finally:
            await context.disconnect()


def _gateway(options: DemoOptions, certificate_directory: str | None = None) -> "SimulatedGateway":
    from zb_mom_ww_mxgateway_sim import FaultError, PlantError, SimulatedGateway, TagError, read_faults, read_tags

    try:
        return SimulatedGateway(
            tags=read_tags(Path(options.tags)) if options.tags else (),
            plant=options.plant or (),
            faults=read_faults(Path(options.faults)) if options.faults else (),
            generated_tags=options.generated_tags,
            certificate_directory=certificate_directory,
        )
    except (TagError, PlantError, FaultError) as error:
        raise ShellError(str(error)) from error


@contextmanager
def _reports(context: Context) -> Iterator[None]:
    """Show as alerts what the simulated gateway warns of, such as a failure of the plant's own logic."""
    handler = _Alerts(context)
    log = logging.getLogger("zb_mom_ww_mxgateway_sim")
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


class _Alerts(logging.Handler):
    def __init__(self, context: Context) -> None:
        super().__init__(logging.WARNING)
        self._context = context

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._show(record)
        except Exception:
            # What cannot be shown must not end the plant, which reports from its own loop.
            self.handleError(record)

    def _show(self, record: logging.LogRecord) -> None:
        text = f"demo: {record.getMessage()}"
        if threading.current_thread() is threading.main_thread():
            self._context.alert(text)
        else:
            # The loop stands still, and with it the prompt, whose terminal is raw.
            sys.stderr.write(f"{text}\r\n" if sys.stderr.isatty() else f"{text}\n")
            sys.stderr.flush()
