"""What somebody probably meant."""


def closest(word: str, names: list[str]) -> str:
    """``; did you mean X?`` for the closest name, or nothing."""
    import difflib  # Slow to import for something only errors need.

    folded = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return f"; did you mean {folded[found[0]]}?" if found else ""
