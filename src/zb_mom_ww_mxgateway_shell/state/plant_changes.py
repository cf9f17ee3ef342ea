"""What one connection changed in the plant: its ledger and its timed writes, for the commands and for leaving."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from zb_mom_ww_mxgateway.errors import COMMAND_SECONDS, MxGatewayArgumentError, MxGatewayError
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.safety.changes import Standing, TagChange
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.system.state_dir import state_folder
from zb_mom_ww_mxgateway.tag_names import item_key
from zb_mom_ww_mxgateway.values import Typed
from zb_mom_ww_mxgateway_console.render.forms import safe, value_form
from zb_mom_ww_mxgateway_shell.output.decimals import decimal_text, decimals_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession, LiveValue
    from zb_mom_ww_mxgateway.safety.revert_files import DamagedRevert, RevertRecord
    from zb_mom_ww_mxgateway.safety.reverts import Revert, RevertNews
    from zb_mom_ww_mxgateway.safety.timed_reverts import TimedReverts
    from zb_mom_ww_mxgateway.safety.write_records import WriteRecords

_FINISH_SECONDS = 10.0
"""How long leaving waits for what cannot be put back at once."""
_VALUE_SECONDS = 5.0
_MOST_LINES = 20
_SHOWS_SECONDS = 1.0
"""How long a write gets to show its value; a data change takes about 100 ms."""


class ChangeNow(NamedTuple):
    """One change with what its tag is now."""

    change: TagChange
    item: Item | None
    present: "LiveValue | None"
    is_unseen: bool
    """Whether the present value may be from before the last write."""
    decimals: int = 0
    """Decimals of the tag, as far as they were seen elsewhere."""

    @property
    def standing(self) -> Standing:
        return self.change.standing(self.present)

    @property
    def _decimals(self) -> int:
        before, present = self.change.before, self.present
        known = [before and before.value, present and present.value, *self.change.ours]
        return max(self.decimals, *map(decimals_of, known))

    def _text(self, value: Any) -> str:
        return decimal_text(value, self._decimals)

    @property
    def ours_text(self) -> str:
        """The values that the tag may have because of us."""
        return " or ".join(dict.fromkeys(map(self._text, self.change.ours)))

    @property
    def was_text(self) -> str:
        """The value before."""
        return "unknown" if self.change.before is None else self._text(self.change.before.value)

    @property
    def now_text(self) -> str:
        """The present value, with its quality where that is not good."""
        present = self.present
        if present is None:
            return "unknown"
        stale = ", stale" if present.stale_since is not None else ""
        quality = f" ({present.quality_word}{stale})" if stale or present.quality_word != "good" else ""
        return f"{self._text(present.value)}{quality}"

    @property
    def left_text(self) -> str:
        """What is left changed, for a person who leaves."""
        changed = "is changed" if self.change.is_certain else "may be changed"
        return (
            f"{safe(self.change.name)} {changed}: it was {self.was_text}, ours is {self.ours_text}, and it is "
            f"{self.now_text} now"
        )

    def form(self) -> dict[str, Any]:
        """Return it for JSON; a value that is unknown is null, which its text tells from a null in the plant."""
        before, present = self.change.before, self.present
        return {
            "is_certain": self.change.is_certain,
            "now": None if present is None else value_form(present.value),
            "ours": [value_form(each) for each in self.change.ours],
            "quality": None if present is None else present.quality_word,
            "tag": self.change.name,
            "text": self.left_text,
            "was": None if before is None else value_form(before.value),
        }

    @property
    def is_back(self) -> bool:
        """Whether the tag surely has its first value again, whoever wrote it, and stays so."""
        return self.change.is_back(self.present, is_unseen=self.is_unseen)


class PlantChanges:
    """Changes of one connection, and its timed writes."""

    def __init__(
        self,
        live: "LiveSession",
        records: "WriteRecords",
        *,
        endpoint: str,
        is_demo: bool,
    ) -> None:
        """`endpoint` is in the spelling that look-ups compare."""
        self._live = live
        self._records = records
        self._endpoint = endpoint
        self._is_demo = is_demo
        self.tell: Callable[[str], object] = lambda text: None
        """Shows a person what happened by itself."""
        self.decimals_of: Callable[[str], int] = lambda tag: 0
        """Returns the decimals of a tag, as far as they were seen."""
        self._reverts: TimedReverts | None = None
        self._collected: dict[str, list[RevertNews]] = {}
        """News that the line of a person tells, by the key of its revert."""
        self.ledger = records.ledger

    # Timed writes.

    @property
    def reverts(self) -> "TimedReverts":
        """The timed writes; raises MxGatewayArgumentError where the user has no home for their files."""
        if self._reverts is None:
            from zb_mom_ww_mxgateway.safety.revert_files import RevertFolder  # Lazy: most sessions time no write.
            from zb_mom_ww_mxgateway.safety.timed_reverts import TimedReverts

            self._reverts = TimedReverts(
                self._live,
                self.ledger,
                RevertFolder(_folder(self._is_demo)),
                endpoint=self._endpoint,
                who=self._records.who,
                on_news=self._take,
            )
        return self._reverts

    @property
    def pending(self) -> "list[Revert]":
        """The reverts that are not over, in the order of their times."""
        return [] if self._reverts is None else self._reverts.pending.all

    def awaits_revert(self, tag: str, value: object) -> bool:
        """Return whether a write of this value to this tag is a revert that is being made."""
        return self._reverts is not None and self._reverts.covers(tag, value)

    @contextmanager
    def news_of(self, revert: "Revert") -> "Iterator[list[RevertNews]]":
        """Within the block: collect the news of one revert in place of telling them."""
        collected: list[RevertNews] = []
        self._collected[revert.key] = collected
        try:
            yield collected
        finally:
            del self._collected[revert.key]

    def _take(self, news: "RevertNews") -> None:
        from zb_mom_ww_mxgateway_shell.output.revert_text import news_text

        revert = news.revert
        self._records.note(
            "revert",
            due=revert.planned,
            event=str(news.event),
            key=revert.key,
            original=revert.original.sent,
            ours=[each.sent if isinstance(each, Typed) else each for each in revert.ours],
            tag=revert.tag,
            why=news.why,
        )
        if revert.key in self._collected:
            self._collected[revert.key].append(news)
        elif text := news_text(news):
            with suppress(OSError):  # The terminal may be gone: what is put back does not depend on it.
                self.tell(text)

    async def left_behind(self) -> "list[RevertRecord | DamagedRevert]":
        """Return what earlier sessions at this endpoint were to put back; raise OSError or TimeoutError."""
        return await self.reverts.pending.left_behind() if self._has_files() else []

    def _has_files(self) -> bool:
        with suppress(MxGatewayArgumentError):  # Without a home there are none.
            return any(_folder(self._is_demo).glob("*.json"))
        return False

    async def _discard_left_behind(self) -> None:
        if self._has_files():
            await self.reverts.pending.discard_left_behind()

    async def offer_left_behind(self) -> None:
        """Tell a person what earlier sessions at this endpoint were to put back."""
        try:
            if self._is_demo:
                # The plant of an earlier demo ended with its shell.
                await self._discard_left_behind()
            found = await self.left_behind()
        except (OSError, TimeoutError) as error:
            self.tell(f"whether a timed write was left behind is unknown: {error}")
            return
        if not found:
            return
        from zb_mom_ww_mxgateway_shell.output.revert_text import left_behind_text  # Lazy: most sessions find none.

        for each in found:
            self.tell(left_behind_text(each))

    # Changes.

    async def now(self) -> list[ChangeNow]:
        """Return what is not put back with what it is now, newest first.

        What has its first value again is forgotten.
        """
        changes = self.ledger.open()
        if not changes:
            return []
        items = [await self._item(each) for each in changes]
        is_sure = await self._caught_up(items)
        rows = [self._row(change, item, is_sure) for change, item in zip(changes, items, strict=True)]
        for row in rows:
            if row.is_back:
                self.ledger.forget(row.change)
        return [row for row in rows if not row.is_back]

    async def left(self) -> list[ChangeNow]:
        """Return what stays changed when the connection is closed, after timed writes were put back."""
        if not self.ledger.open():
            return []
        from zb_mom_ww_mxgateway.safety.reverts import RevertStage  # Lazy: most sessions change nothing.

        back = {item_key(each.tag): each for each in self.pending if each.stage is RevertStage.PENDING}
        rows = await self.now()
        return [row for row in rows if not _puts_back(back.get(item_key(row.change.tag)), row.change)]

    async def look(self, change: TagChange) -> ChangeNow:
        """Return one change with what it is now."""
        item = await self._item(change)
        return self._row(change, item, await self._caught_up([item]))

    async def _caught_up(self, items: Sequence[Item | None]) -> bool:
        """Take in everything that has arrived, and give the writes to these items a moment to show; return whether the
        values held are sure."""
        live, ends = self._live, clock.monotonic() + _SHOWS_SECONDS
        is_sure = await live.caught_up()
        while is_sure and any(item is not None and live.unseen_write(*item.key) for item in items):
            try:
                async with clock.timeout(max(0.001, ends - clock.monotonic())):
                    await live.changed()
            except TimeoutError:
                break
        return is_sure

    def _row(self, change: TagChange, item: Item | None, is_sure: bool) -> ChangeNow:
        if item is None or not is_sure:
            return ChangeNow(change, item, None, True, self.decimals_of(change.tag))
        unseen = self._live.unseen_write(*item.key)
        is_unseen = unseen is not None and unseen.ago < COMMAND_SECONDS
        return ChangeNow(change, item, self._live.latest(*item.key), is_unseen, self.decimals_of(change.tag))

    async def _item(self, change: TagChange) -> Item | None:
        """Return the item of a change, advised and with a value if that is possible."""
        handles = self._live.session.handles
        key = change.server_handle, change.item_handle
        item = (handles.find(change.tag) if change.tag else None) or handles.items.get(key)
        try:
            if item is None and change.tag:
                (item,) = await self._live.subscribe_tags([change.tag])
            if item is None:
                return None
            if not item.advised:
                await self._live.session.advise(*item.key)
            if self._live.latest(*item.key) is None:
                await self._live.first_value(item, timeout=_VALUE_SECONDS)
        except MxGatewayError:
            return item
        return item

    # The end.

    async def finish(self) -> "list[Revert]":
        """Put back now what a timed write waits to put back; return what could not be, whose files stay."""
        if not self.pending:
            return []
        return await self.reverts.finish(_FINISH_SECONDS)

    def is_on_disk(self, revert: "Revert") -> bool:
        """Return whether a revert is still to be offered at the next start."""
        return self.reverts.pending.file_exists(revert.key)

    async def aclose(self) -> None:
        """Stop the timer. What is pending stays on disk."""
        if self._reverts is not None:
            await self._reverts.aclose()


def left_lines(rows: Sequence[ChangeNow]) -> list[str]:
    """Return what is left changed, a line each, and how much more there is."""
    lines = [row.left_text for row in rows[:_MOST_LINES]]
    more = len(rows) - _MOST_LINES
    return [*lines, f"and {more} more: changes lists them"] if more > 0 else lines


def _puts_back(revert: "Revert | None", change: TagChange) -> bool:
    return revert is not None and change.before is not None and change.before.is_same(revert.original)


def _folder(is_demo: bool) -> "Path":
    folder = state_folder() / "reverts"
    return folder / "demo" if is_demo else folder
