"""Redaction of API keys in text: the one place that knows the form of a key."""

import re

# A key in running text: `mxgw_<id>_<secret>`, the id up to the first underscore; no key that is redacted already.
_KEY = re.compile(r"mxgw_([^_\s'\"]*)_(?!\*{3}(?:\W|$)|<secret>)[^\s'\",;)\]}]+")
# Any other bearer token; no key that `_KEY` redacted already.
_BEARER = re.compile(r"(?i)(bearer\s+)(?!mxgw_[^_\s'\"]*_\*{3})[^\s'\",;)\]}]+")
# A password typed by mistake behind `login USER`, or with an option that `login` does not have; the line may be shown
# behind a prompt, or with its place in a file.
_PASSWORD = re.compile(
    r"(?m)((?:^|[>:])\s*(?:\d+\s+)?login\s+(?:\"[^\"]*\"|'[^']*'|[^\s\"'-]\S*)\s+"
    r"(?:--?(?:p|pw|pass|passwd|password)[=\s]\s*)?)(?!--?\w)(\"[^\"]*\"|'[^']*'|\S+)(?=\s*(?:$|--?\w))"
)


def redact_key(api_key: str) -> str:
    """Return ``mxgw_<id>_***`` for a key of the gateway's form, ``***`` for any other."""
    match = _KEY.fullmatch(api_key)
    return f"mxgw_{match[1]}_***" if match else "***"


def redact(text: str, api_key: str | None = None) -> str:
    """Return the text without `api_key`, and without any other key or bearer token."""
    if api_key:
        # The key itself, and its escaped form in a repr.
        for spelled in (api_key, str.__repr__(api_key)[1:-1]):
            text = text.replace(spelled, redact_key(api_key))
    # A fast check first: every line that is shown is redacted, and nearly none contains a key.
    if "mxgw_" in text:
        text = _KEY.sub(lambda match: f"mxgw_{match[1]}_***", text)
    if "bearer" in text.lower():
        text = _BEARER.sub(r"\1***", text)
    if "login" in text:
        text = _PASSWORD.sub(r"\1***", text)
    return text


def masked(text: str) -> str:
    """Return the text, of the same length, with a star for each character of a key's secret."""
    if "mxgw_" not in text:
        return text
    return _KEY.sub(lambda match: f"mxgw_{match[1]}_".ljust(len(match[0]), "*"), text)
