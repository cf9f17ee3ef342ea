"""The output of one of several runs: kept, to be written as one block when the run is over."""

from zb_mom_ww_mxgateway_shell.process.output_writer import OutputWriter


class HeldOutput(OutputWriter):
    """Keeps the texts for both streams in the order they come, and writes nothing by itself."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: list[tuple[bool, str]] = []

    @property
    def is_terminal(self) -> bool:
        """False: what is kept is shown later, and no line of it is redrawn."""
        return False

    def out(self, text: str) -> None:
        """Keep a text for standard output."""
        if text and not self.problem:
            self._texts.append((False, text))

    def err(self, text: str) -> None:
        """Keep a text for standard error."""
        if text:
            self._texts.append((True, text))

    def give_to(self, writer: OutputWriter) -> None:
        """Pass everything on, in its order, and forget it."""
        texts, self._texts = self._texts, []
        for is_error, text in texts:
            (writer.err if is_error else writer.out)(text)
