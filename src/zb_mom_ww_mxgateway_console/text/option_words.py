"""What the library says of its options, in the words of a command line."""

from zb_mom_ww_mxgateway.errors import MxGatewayError

_WORDS = {
    "api_key=": "MXGATEWAY_API_KEY, or name a source with --api-key-env or --api-key-file",
    "ca_file=": "--ca-file",
    "plaintext=True": "--plaintext",
    "require_certificate_validation=True": "--require-certificate-validation",
    "server_name_override=": "--server-name-override",
}


def _in_option_words(advice: str, endpoint: str | None) -> str:
    """What the library advises, with the options of a command line in place of its arguments."""
    for theirs, ours in _WORDS.items():
        advice = advice.replace(theirs, ours)
    return advice.replace("have the new one remembered (KnownGateways.remember)", f"mxgw-shell trust {endpoint}")


def text_of(error: BaseException) -> str:
    """An error's text as a front end says it. What it quotes of others stays as it is: only the advice is put in other
    words."""
    said = str(error)
    if not isinstance(error, MxGatewayError) or not error.advice:
        return said
    before, advice, behind = said.rpartition(error.advice)
    return f"{before}{_in_option_words(advice, error.endpoint)}{behind}"
