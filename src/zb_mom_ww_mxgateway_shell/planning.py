"""``mxgw-shell plan``: what a file would do to the plant, found out without doing it.

What changes the plant, and what has effects outside the shell, is not run. Beneath it the write guard of every
connection refuses, whatever is asked for.
"""

from zb_mom_ww_mxgateway_shell.context import Context
from zb_mom_ww_mxgateway_shell.results import Feed, Result, Said
from zb_mom_ww_mxgateway_shell.statements import Follow, run, unfolded


class Plan:
    """One plan: what was read after something that would have been written is said to be of before it."""

    def __init__(self) -> None:
        self._written: set[str] = set()
        """Tags that would have been written."""
        self._changes = False
        """Whether anything would have been changed."""

    async def foresee(self, context: Context, text: str, follow: Follow) -> Result | None:
        """A line as it would be carried out: looked at where it only looks, else said."""
        context = context.bound()
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
                assert isinstance(found, Said)
                if command.mutating:
                    self._would_change(context, str(found.fields["tag"]))
                return found
            runs = command.needs_session if command.in_plan is None else command.in_plan
            if command.mutating or not runs:
                self._changes |= command.mutating
                return _would(command.name)
        if command.name in ("capture", "read") and self._changes:
            context.notice("as it is now: what would be written before may change it")
        return await run(context, text, not_followed)

    def _would_change(self, context: Context, tag: str) -> None:
        if tag in self._written:
            context.notice(f"{tag} would have been written before: what it is then is not known now")
        self._written.add(tag)
        self._changes = True


def _would(name: str) -> Said:
    return Said(f"would {name}", {"planned": name})
