"""The desk of one connection: what the shell knows for its decisions, and what goes into each line of the journal."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.redaction import redact_key
from zb_mom_ww_mxgateway.safety.arming import Arming
from zb_mom_ww_mxgateway.safety.desk import WriteDesk
from zb_mom_ww_mxgateway.safety.plant_values import LivePlantValues
from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts
from zb_mom_ww_mxgateway.safety.write_records import WriteRecords
from zb_mom_ww_mxgateway.safety.write_rules import WriteRules
from zb_mom_ww_mxgateway_shell.state.journals import Journals

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.arming import ArmedScope
    from zb_mom_ww_mxgateway.safety.selection import Ask
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection
    from zb_mom_ww_mxgateway_shell.state.write_terms import ConnectionTerms

_SECURITIES = ("FreeAccess", "Operate", "SecuredWrite", "VerifiedWrite", "Tune", "Configure", "ViewOnly")


def make_desk(
    journals: Journals,
    terms: "ConnectionTerms",
    *,
    asks_each: bool,
    ask: "Ask | None",
    assume_yes: bool,
    notice: Callable[[str], object],
) -> WriteDesk:
    """Make the desk of a connection that is about to be opened.

    With `asks_each` a person agrees to each write; what files write is declared, and armed when they are started.
    """
    journal, forbidden = None, terms.rules.forbidden
    try:
        journal = journals.of(is_demo=terms.is_demo)
    except MxGatewayError as error:
        # A person without a home can look; without a journal nothing is written.
        forbidden = forbidden or f"no journal can be kept: {error}"
    arming = Arming(replace(terms.rules, forbidden=forbidden), open_for_all=terms.open_for_all)
    rules = WriteRules(arming, "yes" if asks_each else "none")
    rules.ask, rules.assume_yes = ask, assume_yes
    records = WriteRecords("", "", journal)
    records.notice = notice
    arming.on_armed.append(lambda scope: records.note("armed", **_scope_form(scope)))
    arming.on_disarmed.append(lambda scope, why: records.note("disarmed", **_scope_form(scope), why=why))
    return WriteDesk(rules, records)


def attach(connected: "GatewayConnection") -> None:
    """Give the desk of a connection its values, and what the galaxy tells; write the line that opens its session."""
    desk, live = connected.desk, connected.live
    desk.rules.values = LivePlantValues(live)
    desk.rules.connection_mark = lambda: (live.session.session_id, live.state, live.resumes, live.rebuilds, live.gaps)

    async def facts_of(tag: str) -> TagFacts:
        security = await connected.security_of(tag)
        kind = connected.catalogue.kind_of(tag)
        name = "" if security is None else _SECURITIES[security] if security < len(_SECURITIES) else str(security)
        return TagFacts(type_name=kind.type_name if kind else "", security=security, security_name=name)

    desk.rules.facts_of = facts_of
    desk.records.name, desk.records.endpoint = connected.name, connected.client.options.endpoint
    desk.records.facts = lambda: connection_facts(connected)
    desk.records.opened()


def connection_facts(connected: "GatewayConnection") -> Mapping[str, Any]:
    """Return who writes where, for the journal: key and certificate, session, galaxy, users who are logged in."""
    options, trust = connected.client.options, connected.client.trust
    return {
        "certificate": trust.known.sha256 if trust.known else "plaintext" if trust.plaintext else "verified",
        "deployed_at": connected.deployed_at,
        "key": redact_key(options.api_key) if options.api_key else "",
        "profile": connected.terms.profile,
        "session": connected.live.session.session_id,
        "users": {str(user.user_id): user.name for user in connected.logged_in()},
    }


def _scope_form(scope: "ArmedScope | None") -> dict[str, Any]:
    if scope is None:
        return {"globs": ["everything"]}
    return {"globs": [str(glob) for glob in scope.globs], "reason": scope.reason, "for_seconds": _finite(scope.seconds)}


def _finite(seconds: float) -> float | None:
    return seconds if seconds < 1e9 else None
