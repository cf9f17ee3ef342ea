"""Reasons why a first call failed, in words that say what to do."""

from zb_mom_ww_mxgateway.errors import MxGatewayTransportError
from zb_mom_ww_mxgateway.options import ClientOptions
from zb_mom_ww_mxgateway.transport import tls


async def why_not_connected(
    options: ClientOptions, trust: tls.Trust, error: MxGatewayTransportError
) -> MxGatewayTransportError:
    """Return the first call's failure in words that say what to do; look at the endpoint once more for that."""
    try:
        now = await tls.seen_now(options.endpoint, options.connect_timeout)
    except MxGatewayTransportError as seen:
        if options.plaintext and "no TLS" in str(seen):
            return error
        return seen
    if options.plaintext:
        advice = "connect without plaintext=True"
        reason = f"it speaks TLS; {advice}. Nothing was sent"
    elif trust.known and trust.known.sha256 != now.sha256:
        return tls.certificate_changed(trust.known, now)
    elif options.ca_file:
        advice = "or is for another name (server_name_override=)"
        reason = (
            f"its certificate ({now.sha256}, for {now.server_name}) does not verify against {options.ca_file}, {advice}"
        )
    elif options.require_certificate_validation:
        advice = "name its root with ca_file=, or leave out require_certificate_validation=True to trust on first use"
        reason = (
            f"its certificate ({now.sha256}, for {now.server_name}) does not verify against the system's roots; "
            f"{advice}"
        )
    elif trust.known and (wrong := tls.wrong_dates(trust.known)):
        advice = tls.TRUST_ADVICE
        reason = (
            f"the remembered certificate, which it still shows, {wrong}. When it has one, compare the fingerprint "
            f"with its log, then {advice}"
        )
    else:
        return error
    lasting = MxGatewayTransportError(
        f"cannot connect to {options.endpoint}: {reason}",
        endpoint=options.endpoint,
        call="connect",
        grpc_code=error.grpc_code,
        advice=advice,
    )
    lasting.is_lasting = True
    return lasting
