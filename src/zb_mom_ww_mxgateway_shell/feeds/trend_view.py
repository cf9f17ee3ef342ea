"""The part of a history that a trend shows: moved and zoomed by keys."""

from dataclasses import dataclass

from zb_mom_ww_mxgateway_console.render.text_values import duration_text

_HOUR = 3_600.0
_SPANS = (
    *(1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12, 24, 48, 96, 168)),
)
"""Spans that zooming stops at, in seconds."""
_PARTS = {"left": -0.25, "right": 0.25, "pageup": -1.0, "pagedown": 1.0}
"""Part of the span by which a key moves."""


@dataclass(slots=True)
class TrendView:
    """A stretch of time that follows the present until a key stops it."""

    span: float
    """Seconds."""
    end: float | None = None
    """Monotonic seconds; None for the present."""
    fits_limits: bool = False
    """Whether the limits of alarms are in view, whatever the values are."""

    def turn(self, key: str, since: float, now: float) -> None:
        """Obey a key: arrows, `pageup` and `pagedown` move or zoom, `home` and `end` go to the ends, `tab` brings the
        limits of alarms into view.

        The view stays between `since` and `now`, monotonic seconds.
        """
        match key:
            case "left" | "right" | "pageup" | "pagedown":
                part = _PARTS[key]
                self.end = (now if self.end is None else self.end) + part * self.span
            case "up":
                self._zoom(max((each for each in _SPANS if each < self.span), default=self.span))
            case "down" if self.span < now - since:
                self._zoom(min((each for each in _SPANS if each > self.span), default=self.span))
            case "home":
                self.end = since
            case "end":
                self.end = None
            case "tab":
                self.fits_limits = not self.fits_limits
        if self.end is not None:
            self.end = max(self.end, since + self.span)
            self.end = None if self.end >= now else self.end

    def _zoom(self, span: float) -> None:
        if self.end is not None:
            self.end += (span - self.span) / 2
        self.span = span

    def window(self, now: float) -> tuple[float, float]:
        """Return its start and end."""
        end = now if self.end is None else self.end
        return end - self.span, end

    @property
    def text(self) -> str:
        """Its length in words."""
        return duration_text(self.span)
