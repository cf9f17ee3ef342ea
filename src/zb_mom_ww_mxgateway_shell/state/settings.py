"""Settings of the shell: what ``set`` changes."""

import os
from dataclasses import dataclass, fields
from typing import Literal, get_args

from zb_mom_ww_mxgateway.times import TIMES_VARIABLE
from zb_mom_ww_mxgateway_shell.errors import ShellError, closest
from zb_mom_ww_mxgateway_shell.output.formats import DEFAULT_FORM, FORMATTERS, Formatter
from zb_mom_ww_mxgateway_shell.output.themes import DEFAULT, THEMES

THEME_VARIABLE = "MXGATEWAY_THEME"


@dataclass(slots=True)
class Settings:
    """How the shell shows things; ``set NAME VALUE`` changes each."""

    output: str = DEFAULT_FORM
    """The output form: text for people, or one for programs."""
    pager: Literal["on", "off"] = "on"
    """Whether results longer than the screen are shown page by page."""
    timing: Literal["on", "off"] = "off"
    """Whether the time of each command is shown."""
    keys: Literal["emacs", "vi"] = "emacs"
    """Editing keys at the prompt."""
    color: Literal["auto", "off"] = "auto"
    """Colours at a terminal; NO_COLOR turns them off too."""
    theme: str = DEFAULT
    """Colours for a dark or light background, or for colour-blind eyes; ``auto`` uses the terminal's own."""
    times: Literal["local", "utc"] = "local"
    """Whether times are shown in the zone of this machine or in UTC; each says which."""
    mouse: Literal["off", "on"] = "off"
    """Whether full screens take the mouse: on, the terminal's own selection needs Shift there."""
    keep_galaxy: Literal["on", "off"] = "on"
    """Whether a large galaxy is kept on this machine, so that the next start does not read it again."""
    alarm_bell: Literal["off", "bell", "notice"] = "off"
    """Whether new alarms ring the terminal's bell, or show a notice of the desktop."""

    def change(self, name: str, value: str) -> None:
        """Set one; raise ValueError with the valid values."""
        allowed = self.choices().get(name)
        if allowed is None:
            known = list(self.choices())
            raise ValueError(f"no setting {name}{closest(name, known) or '; there is ' + ', '.join(known)}")
        if value not in allowed:
            raise ValueError(f"{name} is one of {', '.join(allowed)}, not {value}")
        setattr(self, name.replace("-", "_"), value)

    def value_of(self, name: str) -> str:
        """Return the value of a setting."""
        value: str = getattr(self, name.replace("-", "_"))
        return value

    @classmethod
    def choices(cls) -> dict[str, tuple[str, ...]]:
        """Return the names with the values that each may have."""
        choices = {each.name.replace("_", "-"): get_args(each.type) for each in fields(cls)}
        return choices | {"output": tuple(FORMATTERS), "theme": (DEFAULT, *THEMES)}

    def change_by_environment(self, *, with_theme: bool) -> None:
        """Set what the environment says of times, and of the theme; raise ShellError with the valid values."""
        for name, variable in (("times", TIMES_VARIABLE), *((("theme", THEME_VARIABLE),) if with_theme else ())):
            if named := os.environ.get(variable, "").strip():
                try:
                    self.change(name, named)
                except ValueError as error:
                    raise ShellError(f"{variable}: {error}") from None

    @property
    def formatter(self) -> Formatter:
        """The output form that ``output`` names."""
        return FORMATTERS[self.output]
