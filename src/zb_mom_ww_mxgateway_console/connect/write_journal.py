"""The user's journal of writes, as both command lines open it, and what each of its lines says of a connection."""

from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.redaction import key_id
from zb_mom_ww_mxgateway.safety.journal import Journal
from zb_mom_ww_mxgateway.safety.journal_files import journal_places

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient


def open_journal(program: str, *, demo: bool = False) -> Journal:
    """Return the journal of this user, or that of the demo; no file is touched before the first line.

    Raises MxGatewayArgumentError where the user has no home.
    """
    places = journal_places(demo=demo)
    return Journal(places.folder, places.head_folder, {"program": program})


def connection_facts(client: "GatewayClient | None", profile: str = "") -> dict[str, Any]:
    """Return what the lines of a connection say of it: its profile, the key's id, the gateway's certificate."""
    if client is None:
        return {"profile": profile}
    trust = client.trust
    certificate = "none: plaintext" if trust.plaintext else trust.known.sha256 if trust.known else "verified"
    return {"certificate": certificate, "key_id": key_id(client.options.api_key), "profile": profile}
