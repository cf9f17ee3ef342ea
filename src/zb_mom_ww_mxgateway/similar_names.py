"""Names that are similar to one that does not exist: for the remedy in a message."""


def closest(word: str, names: list[str]) -> str:
    """Return ``; did you mean X?`` for the most similar name, or nothing."""
    import difflib  # Lazy: it loads slowly, and only errors need it.

    folded = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return f"; did you mean {folded[found[0]]}?" if found else ""
