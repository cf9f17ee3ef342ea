"""A recording that is being written, whatever its format."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from zb_mom_ww_mxgateway_console.recordings.row_text import Row


class RecordingFile(ABC):
    """Takes rows. All of it may block, and raises OSError where the disk does not take them."""

    @property
    @abstractmethod
    def is_closed(self) -> bool:
        """Whether it takes no more rows."""

    @property
    def remains(self) -> str:
        """Where the rows are if it is closed without being finished, in words; empty if they are in the file itself."""
        return ""

    @abstractmethod
    def put(self, rows: Iterable[Row]) -> None:
        """Write rows, so that the system has them when this returns."""

    @abstractmethod
    def finish(self) -> None:
        """Make the file complete, and close it."""

    @abstractmethod
    def close(self) -> None:
        """Close it as it is. Idempotent; never raises."""

    @abstractmethod
    def discard(self) -> None:
        """Close it and remove what was made for it. Never raises."""
