"""When two names of tags are the same: the one rule that every look-up uses."""

_LOWER = {capital: capital + 32 for capital in range(ord("A"), ord("Z") + 1)}


def tag_key(name: str) -> str:
    """The name as look-ups compare it: letters that differ only in ASCII case are the same, all else differs.

    That is the gateway's rule; Unicode's case folding would take ``Strasse`` for ``Straße``, and write to another tag.
    The key is as long as the name, place for place.
    """
    return name.lower() if name.isascii() else name.translate(_LOWER)
