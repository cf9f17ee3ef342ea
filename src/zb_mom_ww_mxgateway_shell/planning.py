"""``mxgw-shell plan``: what a file would do to the plant, found out without doing it.

What changes the plant, and what has effects outside the shell, is not run. Beneath it the write guard of every
connection refuses, whatever is asked for.
"""

from zb_mom_ww_mxgateway_shell.context import Context
from zb_mom_ww_mxgateway_shell.results import Feed, Result, Said
from zb_mom_ww_mxgateway_shell.statements import Follow, run, unfolded


async def foresee(context: Context, text: str, follow: Follow) -> Result | None:
    """A line as it would be carried out: looked at where it only looks, else said."""
    with unfolded(context, text) as line:
        invocation = context.registry.parse(line, context)
        if invocation is None:
            return None
        command = invocation.command

        async def not_followed(feed: Feed) -> Result:
            return _would(command.name)

        if command.foresee is not None:
            _ = context.live_session
            found = await command.foresee(context, *invocation.positional, **invocation.options)
            assert not isinstance(found, Feed)
            return found
        runs = command.needs_session if command.in_plan is None else command.in_plan
        if command.mutating or not runs:
            return _would(command.name)
    return await run(context, text, not_followed)


def _would(name: str) -> Said:
    return Said(f"would {name}", {"planned": name})
