"""What a person reads on the screen of a terminal that is emulated."""

import pyte


def text_on(screen: pyte.Screen) -> str:
    """The lines, each without the blanks at its end. The second cell of a wide character is empty."""
    # Several times as fast as pyte's own, which asks the width of every cell, also of those never written to.
    rows = (screen.buffer[number] for number in range(screen.lines))
    return "\n".join("".join(row[x].data for x in range(max(row, default=-1) + 1)).rstrip() for row in rows)


class Screen(pyte.Screen):
    """A screen that notes what a program wrote beyond the last column, which a terminal folds where it likes."""

    def __init__(self, columns: int, lines: int) -> None:
        super().__init__(columns, lines)
        self.overran: list[str] = []

    def draw(self, data: str) -> None:
        # A wide character is two columns: those that are none count as well, and are looked at by nobody.
        if self.cursor.x + len(data) > self.columns and pyte.modes.DECAWM in self.mode:
            self.overran.append(data)
        super().draw(data)
