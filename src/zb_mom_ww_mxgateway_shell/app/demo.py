"""``--demo``: a simulated gateway inside this process, reached as a real one.

A separate module, because nothing else in the shell may import the simulator.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.state.connection_terms import ConnectionTerms
from zb_mom_ww_mxgateway_shell.state.context import Context


@asynccontextmanager
async def simulated(context: Context) -> AsyncIterator[None]:
    """Start a simulated gateway and connect the shell to it, over TLS and with a key."""
    from zb_mom_ww_mxgateway_sim import CertificateError, SimulatedGateway

    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="mxgw-demo-"))
        try:
            gateway = await stack.enter_async_context(SimulatedGateway())
        except CertificateError:
            # Where the certificate cannot be kept, as in a read-only home, each start makes another one.
            gateway = await stack.enter_async_context(SimulatedGateway(certificate_directory=folder))
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
