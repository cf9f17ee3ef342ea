"""JSON Schemas (draft 2020-12) of what each command prints with ``--json``.

One table has a schema for each kind of line of each command.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from zb_mom_ww_mxgateway_console.render.form_schemas import (
    BOOLEAN,
    FORMS,
    INTEGER,
    NUMBER,
    OBJECT,
    SOURCE_TIME,
    TEXT,
    TIME,
    Schema,
    constant,
    listed,
    nullable,
    one_of,
    record,
    ref,
)
from zb_mom_ww_mxgateway_console.render.write_results import WriteVerdict

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_OK = constant(True)
_QUALITY = {"quality": INTEGER, "quality_word": one_of("good", "uncertain", "bad"), "source_timestamp": SOURCE_TIME}
_STATUSES = listed(ref("status"))


def _answer(**fields: Schema) -> Schema:
    """Return the schema of the answer to one call of a session."""
    return record(**fields, milliseconds=NUMBER, ok=_OK, session_id=TEXT)


def _bulk(**fields: Schema) -> Mapping[str, Schema]:
    """Return the fields of a bulk call whose results have these fields."""
    results = listed(record(**fields, error_message=TEXT, item_handle=INTEGER, was_successful=BOOLEAN))
    return {
        "failed": INTEGER,
        "milliseconds": NUMBER,
        "results": results,
        "server_handle": INTEGER,
        "session_id": TEXT,
    }


_RECORDED: Mapping[str, Schema] = {
    "dropped": INTEGER,
    "file": TEXT,
    "gaps": INTEGER,
    "lost": INTEGER,
    "lost_is_known": BOOLEAN,
    "samples": INTEGER,
}
_HANDLE = _answer(item_handle=INTEGER, server_handle=INTEGER)
_HANDLE_WITH_STATUS = _answer(item_handle=INTEGER, server_handle=INTEGER, status=ref("status"))
_TAGGED = {"tag": TEXT, "tag_address": TEXT}
_SUBSCRIBED = _bulk(**_TAGGED)
_READ = _bulk(**_TAGGED, **_QUALITY, cached=BOOLEAN, was_cached=BOOLEAN, statuses=_STATUSES, value=ref("value"))
_WRITTEN = _bulk(
    hresult=nullable(TEXT),
    result=one_of(WriteVerdict.ACCEPTED.word, WriteVerdict.REFUSED_THERE.word),
    statuses=_STATUSES,
)
_CONTRACT = record(ok=_OK, origin=TEXT, path=nullable(TEXT), sha256=nullable(TEXT))
_TIMED = {
    "cached_reads": INTEGER,
    "calls_per_second": NUMBER,
    "failed_reads": INTEGER,
    "max_ms": NUMBER,
    "median_ms": NUMBER,
    "min_ms": NUMBER,
    "p99_ms": NUMBER,
    "reads": INTEGER,
    "rounds": INTEGER,
    "seconds": NUMBER,
    "server_handle": INTEGER,
    "session_id": TEXT,
    "tags": INTEGER,
}
_STEP = record(milliseconds=NUMBER, ok=BOOLEAN, step=TEXT)
_FOUND = {
    "event": nullable(ref("event")),
    "item_handle": nullable(INTEGER),
    "server_handle": nullable(INTEGER),
    "session_id": nullable(TEXT),
}
_SMOKE = _FOUND | {"endpoint": TEXT, "item": TEXT, "milliseconds": NUMBER, "steps": listed(_STEP)}
_BY_NAME = {
    "accepted_ms": nullable(NUMBER),
    "before": ref("value"),
    "completed_ms": nullable(NUMBER),
    "milliseconds": NUMBER,
    "statuses": _STATUSES,
    "tag": TEXT,
    "type": TEXT,
    "user_id": INTEGER,
    "value": ref("value"),
}

_COUNTED = {
    "acknowledged": INTEGER,
    "connections": INTEGER,
    "dropped": INTEGER,
    "gaps": INTEGER,
    "lost": INTEGER,
    "lost_is_known": BOOLEAN,
    "marks": INTEGER,
    "sessions": INTEGER,
    "waiting": INTEGER,
}
# Every message to a broker.
_MESSAGE = {"endpoint": TEXT, "forwarder": TEXT, "id": TEXT, "session_id": TEXT, "tag": nullable(TEXT)}
_FORWARDED = {name: schema for name, schema in FORMS["event"]["properties"].items() if name != "replay_gap"}

LINES: dict[str, dict[str, Schema]] = {
    "open-session": {
        "session": _answer(
            backend_name=TEXT,
            capabilities=listed(TEXT),
            default_command_timeout=NUMBER,
            gateway_protocol_version=INTEGER,
            worker_process_id=INTEGER,
            worker_protocol_version=INTEGER,
        )
    },
    "close-session": {"closed": _answer()},
    "stream-events": {
        "event": ref("event"),
        # With --output FILE.
        "recorded": _answer(**_RECORDED),
    },
    "forward": {
        # The messages; --to - prints them.
        "event": record(**_MESSAGE, **_FORWARDED, error=nullable(TEXT), kind=one_of("event", "read"), received=TIME),
        "mark": record(
            **_MESSAGE,
            after_sequence=nullable(INTEGER),
            at=TIME,
            before_sequence=nullable(INTEGER),
            kind=one_of("start", "gap", "stale", "live", "refused"),
            lost=nullable(INTEGER),
            reason=nullable(one_of("gateway", "session", "buffer", "size")),
            text=TEXT,
        ),
        "news": record(at=TIME, kind=constant("news"), news=TEXT, ok=_OK, text=TEXT),
        "summary": record(**_COUNTED, kind=constant("summary"), ok=_OK),
    },
    "smoke": {
        "step": record(
            _FOUND,
            milliseconds=NUMBER,
            ok=BOOLEAN,
            step=one_of("open", "register", "add-item", "advise", "first-event", "close"),
        ),
        "summary": record(**_SMOKE, ok=_OK),
    },
    "read": {
        "tag": record(
            **_QUALITY,
            cached=BOOLEAN,
            error=nullable(TEXT),
            ok=BOOLEAN,
            statuses=_STATUSES,
            tag=TEXT,
            value=ref("value"),
        )
    },
    "register": {"registered": _answer(client_name=TEXT, server_handle=INTEGER)},
    "unregister": {"unregistered": _answer(server_handle=INTEGER)},
    "add-item": {
        "added": _answer(context=nullable(TEXT), item=TEXT, item_handle=INTEGER, server_handle=INTEGER),
    },
    "add-item2": {"added": _answer(context=TEXT, item=TEXT, item_handle=INTEGER, server_handle=INTEGER)},
    "add-buffered-item": {
        "added": _answer(
            context=nullable(TEXT),
            interval_ms=nullable(INTEGER),
            item=TEXT,
            item_handle=INTEGER,
            server_handle=INTEGER,
        )
    },
    "remove-item": {"removed": _HANDLE},
    "advise": {"advised": _HANDLE},
    "advise-supervisory": {"advised": _HANDLE},
    "unadvise": {"unadvised": _HANDLE},
    "suspend": {"suspended": _HANDLE_WITH_STATUS},
    "activate": {"activated": _HANDLE_WITH_STATUS},
    "subscribe-bulk": {"subscribed": record(**_SUBSCRIBED, ok=_OK)},
    "read-bulk": {"read": record(**_READ, ok=_OK)},
    "bench-read-bulk": {"figures": record(**_TIMED, ok=_OK)},
    "write": {
        "by_name": record(
            **_BY_NAME,
            error=nullable(ref("error")),
            ok=_OK,
            outcome=constant("completed"),
            result=constant(WriteVerdict.COMPLETED.word),
        ),
        "refused": record(
            **_BY_NAME,
            error=nullable(ref("error")),
            ok=_OK,
            outcome=constant("refused"),
            refused_by=TEXT,
            result=constant(WriteVerdict.REFUSED_THERE.word),
        ),
        "by_handle": _answer(
            item_handle=INTEGER,
            outcome=constant("accepted"),
            result=constant(WriteVerdict.ACCEPTED.word),
            server_handle=INTEGER,
            type=TEXT,
            user_id=INTEGER,
            value=ref("value"),
        ),
    },
    **{
        command: {"written": record(**_WRITTEN, ok=_OK)}
        for command in ("write-bulk", "write2-bulk", "write-secured-bulk", "write-secured2-bulk")
    },
    "ping": {"answered": _answer()},
    "session-state": {"state": _answer(state=TEXT)},
    "worker-info": {
        "worker": _answer(
            mxaccess_version=TEXT, started_at=nullable(TIME), worker_process_id=INTEGER, worker_version=TEXT
        )
    },
    "call": {"reply": _answer(kind=TEXT, reply=OBJECT)},
    "stream-alarms": {"message": ref("alarm_message")},
    "acknowledge-alarm": {
        "acknowledged": record(comment=TEXT, milliseconds=NUMBER, ok=_OK, operator=TEXT, reference=TEXT)
    },
    "galaxy-browse": {"object": ref("child_object")},
    "galaxy-discover": {"object": ref("object")},
    "galaxy-deploy-events": {"deployment": ref("deployment")},
    "batch": {"answer": {**OBJECT, "description": "a line of the answer of the command of the line"}},
    "completion": {"script": record(ok=_OK, script=TEXT, shell=one_of("bash", "zsh", "fish", "powershell"))},
    "schema": {"schema": record(command=TEXT, ok=_OK, schema=OBJECT)},
    "version": {"version": record(contract=TEXT, gateway_protocol_version=INTEGER, ok=_OK, python=TEXT, version=TEXT)},
    "contract compare": {
        "compared": record(
            compared_with=TEXT,
            differences=listed(record(text=TEXT, weight=one_of("harmless", "matters", "refused"))),
            ok=BOOLEAN,
        )
    },
    "contract use": {"adopted": _CONTRACT},
    "contract show": {"spoken": _CONTRACT},
    "contract reset": {"removed": record(ok=_OK, removed=nullable(TEXT))},
    "contract export": {"written": record(ok=_OK, path=TEXT, sha256=TEXT)},
}
"""For each command, every kind of line that it prints apart from an error."""

# What a command had found is part of its error.
_FOUND_BEFORE_ERROR: dict[str, Mapping[str, Schema]] = {
    "forward": _COUNTED,
    "smoke": _SMOKE,
    "stream-events": _RECORDED,
    "subscribe-bulk": _SUBSCRIBED,
    "read-bulk": _READ,
    "bench-read-bulk": _TIMED,
    "write": _BY_NAME
    | {
        "outcome": TEXT,
        "refused_by": nullable(TEXT),
        "result": nullable(one_of(*(verdict.word for verdict in WriteVerdict))),
    },
    **dict.fromkeys(("write-bulk", "write2-bulk", "write-secured-bulk", "write-secured2-bulk"), _WRITTEN),
}


def schema_of(command: str) -> Schema:
    """Return the JSON Schema of a line that the command prints with ``--json``, its last line in case of an error too.

    Raises KeyError for an unknown command.
    """
    failed = record(dict(_FOUND_BEFORE_ERROR.get(command, {})), error=ref("error"), ok=constant(False))
    lines = {f"line_{kind}": schema for kind, schema in LINES[command].items()} | {"line_failed": failed}
    return {
        "$schema": DRAFT,
        "title": f"mxgw-py {command} --json: a line",
        "anyOf": [ref(kind) for kind in lines],
        "$defs": {**lines, **{name: FORMS[name] for name in sorted(_forms_in(lines))}},
    }


def _forms_in(schema: Any) -> set[str]:
    """Return the names of all forms that a schema refers to, also through other forms."""
    found: set[str] = set()
    waiting = list(_references(schema))
    while waiting:
        name = waiting.pop()
        if name in FORMS and name not in found:
            found.add(name)
            waiting += _references(FORMS[name])
    return found


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if isinstance(target := schema.get("$ref"), str):
            yield target.rpartition("/")[2]
        for each in schema.values():
            yield from _references(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _references(each)


def schema_lines(command: str) -> list[str]:
    """Return the schema as the lines of a JSON document."""
    return json.dumps(schema_of(command), indent=2, sort_keys=True).splitlines()
