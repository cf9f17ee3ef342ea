"""How many of something, in words."""


def counted(number: int, what: str) -> str:
    """``1 sample``, ``2 samples``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def duration_text(seconds: float) -> str:
    """A span of time as it can be typed."""
    for unit, of in (("h", 3600.0), ("m", 60.0)):
        if seconds >= of and seconds % of == 0:
            return f"{seconds / of:g}{unit}"
    return f"{seconds:g}s"
