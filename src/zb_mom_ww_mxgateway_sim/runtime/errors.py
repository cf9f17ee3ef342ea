"""Why a simulated gateway could not be started; each is one readable line."""


class SimulatorError(Exception):
    """The simulator cannot do what was asked of it."""


class CertificateError(SimulatorError):
    """The certificate cannot be kept where it should be."""


class FaultError(SimulatorError):
    """A fault cannot be had as it is described, or not with this gateway."""


class ListenError(SimulatorError):
    """The gateway cannot listen where it should."""


class LineError(Exception):
    """Something in a line that cannot be right, at its column from 1; whoever reads the file says which line."""

    def __init__(self, column: int, text: str) -> None:
        super().__init__(text)
        self.column = column
        self.text = text


class TagError(SimulatorError):
    """A tag of the user's own cannot be had as it is described."""
