"""The API key: checked before it is sent, never shown in full."""

from zb_mom_ww_mxgateway.errors import MxGatewayAuthenticationError
from zb_mom_ww_mxgateway.redaction import redact, redact_key

__all__ = ["ApiKey", "check_api_key", "metadata", "redact", "redact_key"]


class ApiKey(str):
    """A key in options: its text is sent, its ``repr`` is redacted, and it cannot be pickled."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(redact_key(self))

    def __copy__(self) -> "ApiKey":
        return self

    def __deepcopy__(self, memo: object) -> "ApiKey":
        return self

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError(
            "an API key is not pickled: leave it out (dataclasses.replace(options, api_key=None)) and pass it again"
        )


def check_api_key(api_key: str) -> str:
    """Return the key; raise MxGatewayAuthenticationError, without quoting it, if metadata cannot carry it."""
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
    """Return the metadata of every call, unary or streaming: the bearer token, or nothing without a key."""
    return () if api_key is None else (("authorization", f"Bearer {check_api_key(api_key)}"),)
