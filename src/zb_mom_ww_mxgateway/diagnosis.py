"""Why a first call failed, in words that say what to do."""

from zb_mom_ww_mxgateway import tls
from zb_mom_ww_mxgateway.errors import MxGatewayTransportError
from zb_mom_ww_mxgateway.options import ClientOptions


async def why_not_connected(
    options: ClientOptions, trust: tls.Trust, error: MxGatewayTransportError
) -> MxGatewayTransportError:
    """The first call's failure in words that say what to do, by looking at the endpoint once more."""
    try:
        now = await tls.seen_now(options.endpoint, options.connect_timeout)
    except MxGatewayTransportError as seen:
        if options.plaintext and "no TLS" in str(seen):
            return error
        return seen
    if options.plaintext:
        reason = "it speaks TLS; connect without plaintext=True. Nothing was sent"
    elif trust.known and trust.known.sha256 != now.sha256:
        return tls.certificate_changed(trust.known, now)
    elif options.ca_file:
        reason = (
            f"its certificate ({now.sha256}, for {now.server_name}) does not verify against {options.ca_file}, "
            f"or is for another name (server_name_override=)"
        )
    elif options.require_certificate_validation:
        reason = (
            f"its certificate ({now.sha256}, for {now.server_name}) does not verify against the system's roots; "
            f"name its root with ca_file=, or leave out require_certificate_validation=True to trust on first use"
        )
    elif trust.known and (wrong := tls.wrong_dates(trust.known)):
        reason = (
            f"the remembered certificate, which it still shows, {wrong}. When it has one, compare the fingerprint "
            f"with its log, then {tls.TRUST_ANEW}"
        )
    else:
        return error
    lasting = MxGatewayTransportError(
        f"cannot connect to {options.endpoint}: {reason}",
        endpoint=options.endpoint,
        call="connect",
        grpc_code=error.grpc_code,
    )
    lasting.is_lasting = True
    return lasting
