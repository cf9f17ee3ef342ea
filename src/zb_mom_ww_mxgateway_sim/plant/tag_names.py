"""When two names of tags are the same to the gateway. The client has its own: shared code cannot check itself."""

from string import ascii_lowercase, ascii_uppercase

_FOLDED = str.maketrans(ascii_uppercase, ascii_lowercase)


def tag_key(name: str) -> str:
    """The name with its ASCII letters in lower case, and all else as it is."""
    return name.translate(_FOLDED)
