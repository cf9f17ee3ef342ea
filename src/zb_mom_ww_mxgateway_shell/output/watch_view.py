"""The watched items that are in view together: those of the current connection, and those watched on others by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway_shell.output.watch_table import Row, WatchTable, table_lines_of
from zb_mom_ww_mxgateway_shell.process.tasks import first_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveValue

ItemKey: TypeAlias = tuple[str, str, int, int]
"""Connection, tag, server handle, item handle: a gateway may give a handle to another tag later."""


@dataclass(frozen=True, slots=True)
class WatchedItem:
    """One item in view, with the table of its connection."""

    table: WatchTable
    item: Item
    is_current: bool = True
    """Whether its connection is the current one."""

    @property
    def key(self) -> ItemKey:
        return self.table.name, self.item.tag, *self.item.key

    @property
    def tag(self) -> str:
        """Its tag as it is shown: with the connection by which it was named."""
        return self.table.label(self.item)


class WatchView:
    """The tables of several connections as one. It is the one table of the current connection where only that is
    watched."""

    def __init__(self, tables: Callable[[], Sequence[tuple[WatchTable, bool]]]) -> None:
        """`tables` returns the tables of now, each with whether all of it is in view, as that of the current connection
        is, or only what was named with its connection."""
        self._tables = tables

    def __len__(self) -> int:
        return sum(len(table) if is_whole else table.named_count for table, is_whole in self._tables())

    @property
    def items(self) -> list[WatchedItem]:
        """The items in view, in the order of the tables and in that in which they were added."""
        return [
            WatchedItem(table, item, is_whole)
            for table, is_whole in self._tables()
            for item in (table.items if is_whole else table.named_items)
        ]

    @property
    def pause_reason(self) -> str:
        """Why values do not change, where a session is not live; else empty."""
        reasons = [(table, is_whole, table.pause_reason) for table, is_whole in self._tables()]
        return "; ".join(why if is_whole else f"{table.name}: {why}" for table, is_whole, why in reasons if why)

    @property
    def version(self) -> tuple[object, ...]:
        """Equal as long as no event has arrived and no session has another state."""
        return tuple(table.version for table, _ in self._tables())

    async def changed_since(self, version: tuple[object, ...]) -> None:
        """Wait until :attr:`version` is another one; return at once if it is already, or nothing is connected."""
        tables = [table for table, _ in self._tables()]
        if not tables or tuple(table.version for table in tables) != version:
            return
        await first_of(table.changed_since(table.version) for table in tables)

    def value(self, watched: WatchedItem) -> "LiveValue | None":
        """Return the latest value of an item."""
        return watched.table.value(watched.item)

    def record(self, watched: WatchedItem) -> dict[str, Any]:
        """Return an item with its latest value for JSON."""
        return watched.table.record(watched.item)

    def rows(self, items: Sequence[WatchedItem]) -> list[Row]:
        """Return the rows of these items as they are now."""
        tables = {watched.table: None for watched in items}
        rows: dict[ItemKey, Row] = {}
        for table in tables:
            own = [watched for watched in items if watched.table is table]
            rows |= {
                watched.key: row for watched, row in zip(own, table.rows([each.item for each in own]), strict=True)
            }
        return [rows[watched.key] for watched in items]

    def details(self, watched: WatchedItem, value: "LiveValue | None") -> tuple[str, str]:
        """Return what is known of an item with this value, in a line, and the value as another one."""
        return watched.table.details(watched.item, value)

    def lines(self, columns: int, rows: int, *, more: str) -> list[tuple[str, str]]:
        """Return as many lines as fit, as :meth:`WatchTable.lines`."""
        return table_lines_of(self.items, self.rows, self.pause_reason, columns, rows, more=more)
