"""The desk of one connection: what the shell knows for its decisions, and what goes into each line of the journal."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.safety.arming import Arming
from zb_mom_ww_mxgateway.safety.desk import WriteDesk
from zb_mom_ww_mxgateway.safety.journal import user_name
from zb_mom_ww_mxgateway.safety.plant_values import LivePlantValues
from zb_mom_ww_mxgateway.safety.write_records import WriteRecords
from zb_mom_ww_mxgateway.safety.write_rules import WriteRules
from zb_mom_ww_mxgateway_console.connect.write_journal import connection_facts
from zb_mom_ww_mxgateway_shell.state.journals import Journals

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.arming import ArmedScope
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection
    from zb_mom_ww_mxgateway_shell.state.connection_terms import AskAbout, ConnectionTerms


def make_desk(
    journals: Journals,
    terms: "ConnectionTerms",
    *,
    asks_each: bool,
    asks_beyond_range: bool,
    assume_yes: bool,
    notice: Callable[[str], object],
) -> WriteDesk:
    """Make the desk of a connection that is about to be opened.

    With `asks_each` a person agrees to each write, with `asks_beyond_range` to a value outside the range of its tag.
    What files write is declared, and armed when they are started.
    """
    journal, forbidden = None, terms.rules.forbidden
    try:
        journal = journals.of(is_demo=terms.is_demo)
    except MxGatewayError as error:
        # A person without a home can look, and try the demo; a plant is not written to without a journal.
        if not terms.is_demo:
            forbidden = forbidden or f"no journal can be kept: {error}"
    arming = Arming(terms.rules._replace(forbidden=forbidden), open_for_all=terms.open_for_all)
    rules = WriteRules(arming, "yes" if asks_each else "none")
    rules.asks_beyond_range, rules.assume_yes = asks_beyond_range, assume_yes
    if terms.limits:
        from zb_mom_ww_mxgateway.safety.limits_watch import LimitsFile  # Lazy: most users have no limits file.

        rules.limits = LimitsFile(Path(terms.limits))
        if refused := rules.limits.refusal():
            notice(refused)
    records = WriteRecords("", "", journal)
    records.notice = notice
    arming.on_armed.append(lambda scope: records.note("armed", **_scope_form(scope)))
    arming.on_disarmed.append(lambda scope, why: records.note("disarmed", **_scope_form(scope), why=why))
    return WriteDesk(rules, records)


def attach(connected: "GatewayConnection", ask: "AskAbout | None") -> None:
    """Give the desk of a connection its values, and what the galaxy tells; write the line that opens its session.

    `ask` asks a person, where one can be asked.
    """
    desk, live = connected.desk, connected.live
    desk.rules.values = LivePlantValues(live)
    desk.rules.connection_mark = lambda: (live.session.session_id, live.state, live.resumes, live.rebuilds, live.gaps)

    desk.rules.facts_of = connected.facts.of
    if ask is not None:
        connected.have_asked(ask)
    desk.records.who = user_name()
    desk.records.name, desk.records.endpoint = connected.name, connected.client.options.endpoint
    desk.records.facts = lambda: _facts(connected)
    desk.records.opened()


def _facts(connected: "GatewayConnection") -> Mapping[str, Any]:
    """Return who writes where, for the journal: key and certificate, session, galaxy, users who are logged in."""
    return {
        **connection_facts(connected.client, connected.terms.profile),
        "deployed_at": connected.deployed_at,
        "session": connected.live.session.session_id,
        "users": {str(user.user_id): user.name for user in connected.logged_in()},
    }


def _scope_form(scope: "ArmedScope | None") -> dict[str, Any]:
    if scope is None:
        return {"globs": ["everything"]}
    return {"globs": [str(glob) for glob in scope.globs], "reason": scope.reason, "for_seconds": _finite(scope.seconds)}


def _finite(seconds: float) -> float | None:
    return seconds if seconds < 1e9 else None
