"""Connections as the user's profiles describe them."""

import asyncio
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.command_traits import ParsedArguments
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.state.connection_terms import ConnectionTerms
from zb_mom_ww_mxgateway_shell.state.context import Context, context_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.profiles import Profile


async def keyed_connection(context: Context, profile: "Profile") -> Connection:
    """Return the connection of a profile with its key, which a person or the keyring gives where the profile says so.

    Raises ShellError where the key cannot be had.
    """
    from zb_mom_ww_mxgateway_shell.state.profiles import from_keyring, with_key  # Lazy: slow to import.

    if profile.keyring:
        return with_key(profile.connection, await asyncio.to_thread(from_keyring, profile))
    if not profile.asks_key:
        return profile.connection
    if context.ask_secret is None:
        raise ShellError(
            f"no key: the profile {profile.name} asks for it, and nobody can be asked here",
            ExitCode.CANNOT_CONNECT,
        )
    return with_key(profile.connection, await context.ask_secret(f"API key of {profile.name}: "))


def profile_asks_key(scope: Scope, line: ParsedArguments) -> bool:
    """Return whether a line is about a profile whose key a person is asked for: named first, or of the connection in
    use."""
    context = context_of(scope)
    named = next((str(each) for each in line.positional if each is not None), "")
    profile = context.profiles.profiles.get(named or context.name or context.connected_as)
    return profile is not None and profile.asks_key


async def connect_profile(context: Context, profile: "Profile") -> None:
    """Connect to the gateway of a profile, and make its session the current one."""
    connection = await keyed_connection(context, profile)
    terms = ConnectionTerms(profile.arming_rules(), profile.arms, profile.limits, profile=profile.name)
    await context.connect(connection, profile.name, terms=terms)
    context.connected.color = profile.color
