"""The API key: checked before it is sent, and never shown whole."""

import re

from zb_mom_ww_mxgateway.errors import MxGatewayAuthenticationError

# A key in running text: `mxgw_<id>_<secret>`, the id up to the first underscore; not what is redacted already.
_KEY = re.compile(r"mxgw_([^_\s'\"]*)_(?!\*{3}(?:\W|$)|<secret>)[^\s'\",;)\]}]+")
# Whatever else is sent as a bearer token; not what `_KEY` has redacted already.
_BEARER = re.compile(r"(?i)(bearer\s+)(?!mxgw_[^_\s'\"]*_\*{3})[^\s'\",;)\]}]+")


def check_api_key(api_key: str) -> str:
    """Returns the key; raises MxGatewayAuthenticationError, without quoting it, if it cannot be sent as metadata."""
    if not isinstance(api_key, str):
        raise MxGatewayAuthenticationError(f"the API key must be text, not {type(api_key).__name__}")
    if not api_key:
        raise MxGatewayAuthenticationError("the API key is empty; leave it out for a gateway that needs none")
    for position, character in enumerate(api_key, start=1):
        if not "!" <= character <= "~":
            kind = (
                "a space"
                if character == " "
                else "a control character"
                if character < " " or character == "\x7f"
                else "a character that is not ASCII"
            )
            raise MxGatewayAuthenticationError(
                f"the API key cannot be sent: {kind} at position {position}; expected mxgw_<id>_<secret>"
            )
    return api_key


def metadata(api_key: str | None) -> tuple[tuple[str, str], ...]:
    """The metadata of every call, unary or streaming: the bearer token, or nothing without a key."""
    return () if api_key is None else (("authorization", f"Bearer {check_api_key(api_key)}"),)


def redact_key(api_key: str) -> str:
    """``mxgw_<id>_***`` for a key of the gateway's form, ``***`` for any other."""
    match = _KEY.fullmatch(api_key)
    return f"mxgw_{match[1]}_***" if match else "***"


def redact(text: str, api_key: str | None = None) -> str:
    """The text with `api_key`, and whatever else looks like a key or a bearer token, redacted."""
    if api_key:
        # As it is, and as Python quotes it.
        for spelled in (api_key, repr(api_key)[1:-1]):
            text = text.replace(spelled, redact_key(api_key))
    text = _KEY.sub(lambda match: f"mxgw_{match[1]}_***", text)
    return _BEARER.sub(r"\1***", text)
