"""``mxgw-shell mcp``: a read-only view of a plant over the Model Context Protocol."""

import asyncio

from zb_mom_ww_mxgateway.errors import MxGatewayMissingExtraError
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway.system.extras import extra
from zb_mom_ww_mxgateway_console.process.standard_streams import silence_grpc
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, safe
from zb_mom_ww_mxgateway_shell.app.launch import Launch
from zb_mom_ww_mxgateway_shell.app.launch_options import LaunchOptions
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.mcp.plant_view import PlantView
from zb_mom_ww_mxgateway_shell.mcp.server import serve
from zb_mom_ww_mxgateway_shell.state.context import Context


def run_server(wanted: LaunchOptions) -> int:
    """Serve on standard input and output until the input ends; return the exit code."""
    silence_grpc()
    try:
        extra("mcp", "mcp", "The MCP server")
    except MxGatewayMissingExtraError as error:
        raise ShellError(str(error), ExitCode.USAGE) from error

    async def answer(context: Context) -> int:
        # Standard output is the protocol's.
        context.notice = context.alert = lambda text: context.writer.err(f"mxgw-shell: {safe(text)}\n")
        # A question may come at once, and a session that is not live yet looks like a lost one.
        await context.connected.settled()
        await serve(PlantView(context, _globs(context, wanted)))
        return ExitCode.DONE

    wanted = wanted._replace(read_only="an MCP server only looks")
    return asyncio.run(Launch(wanted, answer).run())


def _globs(context: Context, wanted: LaunchOptions) -> tuple[TagGlob, ...] | None:
    """Return what may be seen: all of a demo (None), otherwise what the profile names.

    Raise ShellError if that is nothing.
    """
    if wanted.demo:
        return None
    profile = context.profiles.named(wanted.profile or "")
    if not profile.mcp:
        raise ShellError(
            f'the profile {profile.name} shows nothing to an MCP server; name what it may see: mcp = ["Plant.*"]',
            ExitCode.USAGE,
        )
    return tuple(map(TagGlob, profile.mcp))
