"""What is known of a run at its beginning: the program, who runs it, where, with which files, and of which gateway.

What is unknown is null. Nothing here fails, and nothing waits long.
"""

import asyncio
import hashlib
import platform
import re
import socket
import sys
from collections.abc import Awaitable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from zb_mom_ww_mxgateway.contract import spoken
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.redaction import key_id, redact
from zb_mom_ww_mxgateway.safety.journal import user_name
from zb_mom_ww_mxgateway.system.regular_files import read_bytes
from zb_mom_ww_mxgateway.times import shown, time_text
from zb_mom_ww_mxgateway.version import __version__
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection
from zb_mom_ww_mxgateway_shell.state.context import Context

_ANSWER_SECONDS = 2.0
"""How long the gateway may take to say what it is."""
_SECRET = "passw|passphrase|secret|token|credential|api_?key"
_SECRET_NAME = re.compile(_SECRET, re.IGNORECASE)
_SECRET_ARGUMENT = re.compile(rf"((?:{_SECRET})\w*)=.*", re.DOTALL | re.IGNORECASE)
T = TypeVar("T")


def program_facts() -> dict[str, Any]:
    """Return the program, its user and host, and its arguments without what looks like a secret."""
    return {
        "tool": {
            "name": "mxgw-shell",
            "version": __version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
        },
        "zone": local_zone(),
        "user": user_name(),
        "host": socket.gethostname(),
        "arguments": [_SECRET_ARGUMENT.sub(r"\1=***", redact(each)) for each in sys.argv[1:]],
    }


def local_zone() -> dict[str, Any]:
    """Return the zone in which a person is shown times now: its name and its offset."""
    now = shown(datetime.now(UTC))
    return {"name": now.tzname(), "offset_minutes": round((now.utcoffset() or timedelta()).total_seconds() / 60)}


def file_facts(paths: Iterable[str]) -> list[dict[str, Any]]:
    """Return name, SHA-256 and size of each file; both are null of what cannot be read twice, such as a pipe."""
    facts: list[dict[str, Any]] = []
    for path in dict.fromkeys(paths):
        try:
            content = read_bytes(Path(path))
        except (OSError, ValueError):
            facts.append({"name": path, "sha256": None, "bytes": None})
        else:
            facts.append({"name": path, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)})
    return facts


def given_names(context: Context) -> dict[str, Any]:
    """Return the names that the user gave, with the text of their values; of a secret only that it was given."""
    names = {name: context.names[name] for name in sorted(context.given_names) if name in context.names}
    return {
        name: "***" if _SECRET_NAME.search(name) else str(getattr(value, "text", value))
        for name, value in names.items()
    }


def terms_facts(context: Context) -> dict[str, Any]:
    """Return what the run may write, and why."""
    consent, current = context.write_terms.consent, context.current
    limits = current.terms.limits if current is not None else consent.limits
    of_file = file_facts([limits])[0] if limits else None
    return {
        "arm": list(consent.arm),
        "reason": consent.reason or None,
        "limits": of_file and {"file": of_file["name"], "sha256": of_file["sha256"]},
    }


def contract_facts() -> dict[str, Any]:
    """Return the contract that this process speaks; the built-in one is that of the program's version."""
    contract = spoken()
    return {"name": str(contract.path or contract.origin), "sha256": contract.sha256 or None}


async def gateway_facts(connected: GatewayConnection | None) -> dict[str, Any]:
    """Return what is known of a connection: the gateway, its galaxy and the contract."""
    if connected is None:
        return {"gateway": None, "galaxy": None, "contract": contract_facts()}
    deployed_at, worker = await asyncio.gather(
        _answer(connected.client.galaxy.last_deploy_time(timeout=_ANSWER_SECONDS)),
        _answer(connected.live.session.get_worker_info()),
    )
    catalogue, trust = connected.catalogue, connected.client.trust
    info = connected.live.session.info
    return {
        "gateway": {
            "endpoint": connected.client.options.endpoint,
            "name": connected.name,
            "profile": connected.terms.profile or None,
            "session_id": connected.live.session.session_id,
            "backend": info.backend_name or None,
            "protocol": info.gateway_protocol_version,
            "worker_version": getattr(worker, "worker_version", None) or None,
            "mxaccess_version": getattr(worker, "mxaccess_version", None) or None,
            "certificate": trust.known.sha256 if trust.known else None,
            "plaintext": trust.plaintext,
            "key_id": key_id(connected.client.options.api_key) or None,
        },
        "galaxy": {
            "deployed_at": _time(deployed_at or connected.deployed_at),
            "tags": len(catalogue) if catalogue.is_read else None,
        },
        "contract": contract_facts(),
    }


async def _answer(asked: Awaitable[T]) -> T | None:
    """Return the answer; None if it cannot be had in time, or if the key may not ask."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await asked
    except (MxGatewayError, TimeoutError):
        return None


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)
