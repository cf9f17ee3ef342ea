"""Taking API keys out of text: the one place that knows what a key looks like."""

import re

# A key in running text: `mxgw_<id>_<secret>`, the id up to the first underscore; not what is redacted already.
_KEY = re.compile(r"mxgw_([^_\s'\"]*)_(?!\*{3}(?:\W|$)|<secret>)[^\s'\",;)\]}]+")
# Whatever else is sent as a bearer token; not what `_KEY` has redacted already.
_BEARER = re.compile(r"(?i)(bearer\s+)(?!mxgw_[^_\s'\"]*_\*{3})[^\s'\",;)\]}]+")


def redact_key(api_key: str) -> str:
    """``mxgw_<id>_***`` for a key of the gateway's form, ``***`` for any other."""
    match = _KEY.fullmatch(api_key)
    return f"mxgw_{match[1]}_***" if match else "***"


def redact(text: str, api_key: str | None = None) -> str:
    """The text with `api_key`, and whatever else looks like a key or a bearer token, redacted."""
    if api_key:
        # As it is, and as Python quotes it.
        for spelled in (api_key, str.__repr__(api_key)[1:-1]):
            text = text.replace(spelled, redact_key(api_key))
    # Nearly no text has either: looked for first, because every line that is shown comes by here.
    if "mxgw_" in text:
        text = _KEY.sub(lambda match: f"mxgw_{match[1]}_***", text)
    if "bearer" in text.lower():
        text = _BEARER.sub(r"\1***", text)
    return text


def masked(text: str) -> str:
    """The text with a star for every character of a key's secret: as long as it was."""
    if "mxgw_" not in text:
        return text
    return _KEY.sub(lambda match: f"mxgw_{match[1]}_".ljust(len(match[0]), "*"), text)
