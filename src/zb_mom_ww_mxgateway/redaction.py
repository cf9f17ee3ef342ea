"""Redaction of keys, passwords and kept secrets in text: the one place that knows the form of a key."""

import re

from zb_mom_ww_mxgateway.kept_secrets import are_kept, is_kept, is_own_field, without_kept

# A key in running text: `mxgw_<id>_<secret>`, the id up to the first underscore; no key that is redacted already.
_KEY = re.compile(r"mxgw_([^_\s'\"]*)_(?!\*{3}(?:\W|$)|<secret>)[^\s'\",;)\]}]+")
# Any other bearer token; no key that `_KEY` redacted already.
_BEARER = re.compile(r"(?i)(bearer\s+)(?!mxgw_[^_\s'\"]*_\*{3})[^\s'\",;)\]}]+")
# Passwords typed by mistake where none belongs; the line may be shown behind a prompt, with its place in a file, or
# inside a call of `mx` in Python.
_WORD = r"(?:\"[^\"]*\"|'[^']*'|[^\s\"'\[<-]\S*)"
_END = r"(?=[ \t]*\r?$|[ \t]+(?:--\w|#)|[\"'])"
# Compiled when a text may hold one, as few do: they take long.
_PASSWORDS = (
    # An option that does not exist: --password X, --second-password=X.
    r"((?:^|[\s\"'])--?(?:second-)?(?:pw|pass|passwd|password)(?:=|\s+(?!--?\w)))(\"[^\"]*\"|'[^']*'|[^\s\"']+)",
    # One or more words behind `login USER`.
    rf"(?m)((?:^|[>:]|\bmx\(\s*\w?[\"'])[ \t]*(?:\d+[ \t]+)?login[ \t]+(?!USER\b|has no option ){_WORD}[ \t]+"
    rf"(?:-p[= \t][ \t]*)?)(?!--\w|#)(\"[^\"]*\"|'[^']*'|[^\s\"'\[]+(?: [^\s\"'\[#-]\S*?){{0,3}}){_END}",
    # One word too many behind `--second USER`, after all that `write` and `write-many` take.
    rf"(?m)(\bwrite(?:-many[ \t]+|[ \t]+{_WORD}[ \t]+)(?!--)(?:{_WORD}|-\S+)[ \t].{{0,300}}?"
    rf"--second[=\s]{_WORD}[ \t]+)(?!--\w|#)(\"[^\"]*\"|'[^']*'|[^\s\"']+){_END}",
    # A field of a JSON object, which may be escaped in another text.
    r"(?i)(password\\*\"\s*:\s*)(\\*\"(?:[^\"\\]|\\.)*(?:\"|$))",
)


def redact_key(api_key: str) -> str:
    """Return ``mxgw_<id>_***`` for a key of the gateway's form, ``***`` for any other."""
    match = _KEY.fullmatch(api_key)
    return f"mxgw_{match[1]}_***" if match else "***"


def key_id(api_key: str | None) -> str:
    """Return the id in a key of the gateway's form, which is no secret; empty for any other key and for none."""
    match = _KEY.fullmatch(api_key or "")
    return match[1] if match else ""


def redact(text: str, api_key: str | None = None) -> str:
    """Return the text without `api_key`, any other key or bearer token, and the secrets of this process."""
    if api_key:
        # The key itself, and its escaped form in a repr.
        for spelled in (api_key, str.__repr__(api_key)[1:-1]):
            text = text.replace(spelled, redact_key(api_key))
    if are_kept():
        text = without_kept(text)
    # A fast check first: every line that is shown is redacted, and nearly none contains a key.
    if "mxgw_" in text:
        text = _KEY.sub(lambda match: f"mxgw_{match[1]}_***", text)
    lowered = text.lower()
    if "bearer" in lowered:
        text = _BEARER.sub(r"\1***", text)
    if _may_hold_password(text, lowered):
        for pattern in _PASSWORDS:
            text = re.sub(pattern, r"\1***", text)
    return text


def redacted_field(name: str) -> str:
    """Return the name of a field of a JSON object as :func:`redact` does; the name of a field of ours stays."""
    return name if are_kept() and is_own_field(name) else redact(name)


def redacted_number(number: float, field: str = "") -> float | str:
    """Return a number, in a field of a JSON object; ``***`` for one that is a secret."""
    return "***" if is_kept(number, field) else number


def may_hold_secret(text: str) -> bool:
    """Return whether the text, which may be escaped, can hold what `redact` leaves out; fast, and wrong at times."""
    lowered = text.lower()
    return are_kept() or "mxgw_" in text or "bearer" in lowered or _may_hold_password(text, lowered)


def _may_hold_password(text: str, lowered: str) -> bool:
    return "login" in text or "--second" in text or "password" in lowered or "--p" in text


def masked(text: str) -> str:
    """Return the text, of the same length, with a star for each character of a key's secret."""
    if "mxgw_" not in text:
        return text
    return _KEY.sub(lambda match: f"mxgw_{match[1]}_".ljust(len(match[0]), "*"), text)
