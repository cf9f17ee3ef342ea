"""JSON Schemas (draft 2020-12) of the forms that several commands print: values, errors, events, alarms, the galaxy.

A schema names another one as ``ref("event")``; :data:`FORMS` has each by its name.
"""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}
TIME: Schema = {"type": "string", "description": "ISO 8601 in UTC"}
SOURCE_TIME: Schema = {
    "type": ["string", "integer", "null"],
    "description": "ISO 8601 in UTC; nanoseconds since 1970 outside the calendar; null for none",
}


def ref(name: str) -> Schema:
    """Return a reference to a form of the same document."""
    return {"$ref": f"#/$defs/{name}"}


def constant(value: object) -> Schema:
    """Return the schema of one value."""
    return {"const": value}


def one_of(*values: str) -> Schema:
    """Return the schema of one of these texts."""
    return {"enum": list(values)}


def listed(schema: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def nullable(schema: Schema) -> Schema:
    """Return the schema that also allows null."""
    if isinstance(schema.get("type"), str) and "properties" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def record(optional: Schema | None = None, /, **fields: Schema) -> Schema:
    """Return the schema of an object with these fields, all of them required, and with `optional` ones.

    Other keys are allowed: a later version may add some.
    """
    return {"type": "object", "properties": {**fields, **(optional or {})}, "required": sorted(fields)}


_RAW = record(
    {"nanoseconds": INTEGER},
    base64=nullable(TEXT),
    data_type=TEXT,
    raw_data_type=INTEGER,
    raw_diagnostic=TEXT,
    variant_type=TEXT,
)
_ALARM = {
    "alarm_type": TEXT,
    "category": TEXT,
    "comment": TEXT,
    "current_value": ref("value"),
    "degraded": BOOLEAN,
    "description": TEXT,
    "limit_value": ref("value"),
    "operator": TEXT,
    "raised_at": SOURCE_TIME,
    "reference": TEXT,
    "severity": INTEGER,
    "source_object": TEXT,
    "source_provider": TEXT,
}
_ACTIVE = _ALARM | {"changed_at": SOURCE_TIME, "state": TEXT}
_TRANSITION = _ALARM | {"at": SOURCE_TIME, "kind": TEXT}
_PROVIDER = {"degraded": BOOLEAN, "mode": TEXT, "reason": TEXT, "since": SOURCE_TIME}
_OBJECT = {
    "attributes": nullable(listed(ref("attribute"))),
    "browse_name": TEXT,
    "category_id": INTEGER,
    "contained_name": TEXT,
    "gobject_id": INTEGER,
    "hosted_by_gobject_id": INTEGER,
    "is_area": BOOLEAN,
    "parent_gobject_id": INTEGER,
    "tag_name": TEXT,
    "template_chain": listed(TEXT),
}

FORMS: dict[str, Schema] = {
    "value": {
        "description": "a value: its JSON form; nan, inf and -inf as text; bytes and what was not converted as objects",
        "anyOf": [
            {"type": ["null", "boolean", "number", "string"]},
            listed(ref("value")),
            record(base64=TEXT),
            record(raw=_RAW),
        ],
    },
    "status": record(category=TEXT, detail=INTEGER, detected_by=TEXT, diagnostic_text=TEXT, success=INTEGER),
    "error": record(
        # Of an error of a gateway.
        {
            "call": nullable(TEXT),
            "correlation_id": nullable(TEXT),
            "endpoint": nullable(TEXT),
            "grpc_code": nullable(TEXT),
            "hresult": nullable(TEXT),
            "outcome_unknown": BOOLEAN,
            "protocol_status": nullable(TEXT),
            "statuses": listed(ref("status")),
        },
        exit_code=INTEGER,
        message=TEXT,
        type=TEXT,
    ),
    "buffered_data": record(
        data_type=TEXT, qualities=listed(INTEGER), timestamps=listed(SOURCE_TIME), values=listed(ref("value"))
    ),
    "event": record(
        body=nullable({"anyOf": [ref("buffered_data"), record(**_TRANSITION), record(**_PROVIDER)]}),
        data_type=TEXT,
        family=TEXT,
        gateway_receive_timestamp=nullable(TIME),
        hresult=nullable(INTEGER),
        item_handle=INTEGER,
        quality=INTEGER,
        quality_word=nullable(one_of("good", "uncertain", "bad")),
        replay_gap=nullable(record(oldest_available_sequence=INTEGER, requested_after_sequence=INTEGER)),
        server_handle=INTEGER,
        source_timestamp=SOURCE_TIME,
        statuses=listed(ref("status")),
        value=ref("value"),
        variant_type=TEXT,
        worker_sequence=INTEGER,
    ),
    "alarm_message": {
        "anyOf": [
            record(message=constant("active_alarm"), **_ACTIVE),
            record(message=constant("transition"), **_TRANSITION),
            record(message=constant("provider_status"), **_PROVIDER),
            record(message=constant("snapshot_complete")),
            record(message=constant("unknown"), text=TEXT),
        ]
    },
    "attribute": record(
        array_dimension=nullable(INTEGER),
        attribute_name=TEXT,
        category=INTEGER,
        data_type=TEXT,
        data_type_name=TEXT,
        full_tag_reference=TEXT,
        is_alarm=BOOLEAN,
        is_array=BOOLEAN,
        is_historized=BOOLEAN,
        security_classification=INTEGER,
    ),
    "object": record(**_OBJECT),
    "child_object": record(**_OBJECT, has_children=BOOLEAN),
    "deployment": record(
        attribute_count=INTEGER,
        object_count=INTEGER,
        observed_at=nullable(TIME),
        sequence=INTEGER,
        time_of_last_deploy=nullable(TIME),
    ),
}
