"""What the library says of its options, in the words of a command line."""

from zb_mom_ww_mxgateway.errors import MxGatewayError

_WORDS = {
    "api_key=": "MXGATEWAY_API_KEY, or name a source with --api-key-env or --api-key-file",
    "ca_file=": "--ca-file",
    "connect_timeout=": "--connect-timeout",
    "known_gateways=": "--known-gateways",
    "plaintext=True": "--plaintext",
    "protocol_mismatch=": "--protocol-mismatch",
    "remember_certificate=False": "--forget-certificate",
    "require_certificate_validation=True": "--require-certificate-validation",
    "server_name_override=": "--server-name-override",
}


def in_option_words(text: str, endpoint: str | None) -> str:
    """An error's text with the options of a command line in place of the library's arguments."""
    for theirs, ours in _WORDS.items():
        text = text.replace(theirs, ours)
    return text.replace("have the new one remembered (KnownGateways.remember)", f"mxgw-shell trust {endpoint}")


def text_of(error: BaseException) -> str:
    """An error's text as a front end says it."""
    said = str(error)
    return in_option_words(said, error.endpoint) if isinstance(error, MxGatewayError) else said
