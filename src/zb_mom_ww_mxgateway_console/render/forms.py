"""Forms of results: exit codes, JSON, and text that is safe for a terminal.

JSON is stable: sorted keys, snake_case, one object a line, times as ISO 8601 in UTC.
"""

import base64
import json
import math
from datetime import datetime
from enum import Enum, IntEnum
from typing import Any

import click

from zb_mom_ww_mxgateway.errors import (
    COMMAND_SECONDS,
    MxGatewayArgumentError,
    MxGatewayAuthenticationError,
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    MxGatewayWriteBlockedError,
)
from zb_mom_ww_mxgateway.redaction import may_hold_secret, redact, redacted_field, redacted_number
from zb_mom_ww_mxgateway.status import MxStatus, ProtocolStatusCode, hresult_text, name_of
from zb_mom_ww_mxgateway.times import exact_nanoseconds, exact_time, moment_of, time_text
from zb_mom_ww_mxgateway.value_types import Family, type_of
from zb_mom_ww_mxgateway.values import RawValue, Typed
from zb_mom_ww_mxgateway_console.text.terminal_text import LONGEST, one_line as one_line, safe as safe, shortened
from zb_mom_ww_mxgateway_console.text.wording import error_text

_ELEMENT = LONGEST // 20
"""Characters of a text in a list that are shown to a person."""


class ExitCode(IntEnum):
    """Exit codes of both command lines."""

    DONE = 0
    NOT_MET = 1
    USAGE = 2
    REFUSED = 3
    CANNOT_CONNECT = 4
    GUARDED = 5
    UNKNOWN = 6
    LEFT_CHANGED = 7
    INTERNAL = 70
    INTERRUPTED = 130


_GRAVEST_FIRST = (
    ExitCode.UNKNOWN,
    ExitCode.LEFT_CHANGED,
    ExitCode.INTERNAL,
    ExitCode.INTERRUPTED,
    ExitCode.GUARDED,
    ExitCode.REFUSED,
    ExitCode.CANNOT_CONNECT,
    ExitCode.USAGE,
    ExitCode.NOT_MET,
    ExitCode.DONE,
)


def gravest(*codes: ExitCode) -> ExitCode:
    """Return the gravest code of the parts of a run; DONE for no codes. What is left in the plant is graver
    than why the run ended, and an unknown outcome is the gravest."""
    return min(codes, key=_GRAVEST_FIRST.index, default=ExitCode.DONE)


class ExpectationNotMet(Exception):
    """Expectation not met. Nothing was refused or broken."""


class EntriesFailed(Exception):
    """A bulk call was answered, but some of its entries were refused."""


def exit_code_of(error: BaseException) -> ExitCode:
    """Return the exit code for an error; INTERNAL for an unexpected one. An unknown outcome takes precedence."""
    match error:
        case MxGatewayError(outcome_unknown=True):
            return ExitCode.UNKNOWN
        case MxGatewayArgumentError() | click.UsageError():
            return ExitCode.USAGE
        case MxGatewayTransportError() | MxGatewayAuthenticationError():
            return ExitCode.CANNOT_CONNECT
        case MxGatewayWriteBlockedError():
            return ExitCode.GUARDED
        case MxGatewayError() | EntriesFailed():
            return ExitCode.REFUSED
        case KeyboardInterrupt() | click.Abort():
            return ExitCode.INTERRUPTED
        case ExpectationNotMet():
            return ExitCode.NOT_MET
    return ExitCode.INTERNAL


def error_message(error: BaseException) -> str:
    """Return the message for a person: the error and the remedy, on one line, safe for a terminal."""
    match error:
        case MxGatewayError(outcome_unknown=True):
            return one_line(
                f"{error_text(error)}. It may have happened, or may still happen for up to {COMMAND_SECONDS:g} s, "
                "and was not sent again: check before you repeat it"
            )
        case MxGatewaySessionError():
            return one_line(f"{error_text(error)}{_session_remedy(error)}")
        case MxGatewayError() | ExpectationNotMet() | EntriesFailed():
            return one_line(error_text(error))
        case click.UsageError(ctx=click.Context() as context):
            message = error.format_message()
            end = "" if message.endswith((".", "?")) else "."
            return one_line(f"{message}{end} See {context.command_path} --help")
        case click.ClickException():
            return one_line(error.format_message())
        case KeyboardInterrupt() | click.Abort():
            return str(error) or "interrupted"
    return one_line(internal_error_text(error, "--debug shows where"))


def internal_error_text(error: BaseException, hint: str) -> str:
    """Return the text of an unexpected error. Parts that are loaded late do not fit after an upgrade meanwhile."""
    what = f"{type(error).__name__}: {error} ({hint})"
    if isinstance(error, ImportError) and (error.name or "").startswith("zb_mom_ww_mxgateway"):
        return f"the parts of this program do not fit together: if it was upgraded while it ran, start it again; {what}"
    return f"internal error, please report it: {what}"


def _session_remedy(error: MxGatewaySessionError) -> str:
    gateway = error.endpoint or "the gateway"
    if error.grpc_code == "NOT_FOUND" or error.protocol_status is ProtocolStatusCode.SESSION_NOT_FOUND:
        return f"; it was closed or has expired: open a new one at {gateway}"
    if error.grpc_code == "ALREADY_EXISTS":
        return "; a session has one event stream: end its other reader first"
    if error.grpc_code == "FAILED_PRECONDITION" or error.protocol_status is ProtocolStatusCode.SESSION_NOT_READY:
        return f"; if it stays so, close the session at {gateway} and open a new one"
    return ""


def json_line(form: Any) -> str:
    """Return one line of JSON with sorted fields, without API keys; in ASCII, so that it cannot move a cursor."""
    line = json.dumps(form, sort_keys=True, allow_nan=False)
    # Redact its texts, not the line: only there the end of a key, and the start of a statement, are known.
    return line if not may_hold_secret(line) else json.dumps(redacted(form), sort_keys=True, allow_nan=False)


def redacted(form: Any, field: str = "") -> Any:
    """Return a JSON form, of a field of that name, with all its texts redacted."""
    if isinstance(form, str):
        return redact(form)
    if isinstance(form, list | tuple):
        return [redacted(each, field) for each in form]
    if isinstance(form, dict):
        return {
            redacted_field(key): "***" if _is_password(key, value) else redacted(value, key)
            for key, value in form.items()
        }
    return redacted_number(form, field) if isinstance(form, int | float) else form


def _is_password(key: object, value: object) -> bool:
    return isinstance(key, str) and key.lower().endswith("password") and isinstance(value, str) and value != ""


def value_form(value: Any) -> Any:
    """Return the JSON form of a value: a real with all its digits, NaN and infinities as text, bytes and raw values as
    objects."""
    if isinstance(value, Enum):
        return value.name.lower()
    if value is None:
        return None
    if spec := type_of(value):
        return spec.to_json(value)
    if isinstance(value, Typed):
        return value_form(value.sent)
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, RawValue):
        out_of_range = {} if value.nanoseconds is None else {"nanoseconds": value.nanoseconds}
        return {
            "raw": out_of_range
            | {
                "base64": None if value.data is None else base64.b64encode(value.data).decode("ascii"),
                "data_type": name_of(value.data_type),
                "raw_data_type": value.raw_data_type,
                "raw_diagnostic": value.raw_diagnostic,
                "variant_type": value.variant_type,
            }
        }
    if isinstance(value, list | tuple):
        return [value_form(element) for element in value]
    if isinstance(value, dict):
        return {str(key): value_form(element) for key, element in value.items()}
    return str(value)


def source_time_form(nanoseconds: int) -> str | int | None:
    """Return the JSON form of a time from the gateway: ISO 8601 in UTC, or the nanoseconds since 1970 if it is outside
    the calendar; null for 0, which means no time."""
    moment = moment_of(nanoseconds)
    return time_text(moment) if moment else nanoseconds or None


def status_form(status: MxStatus) -> dict[str, Any]:
    """Return the JSON form of one MXSTATUS_PROXY."""
    return {
        "category": name_of(status.category),
        "detail": status.detail,
        "detected_by": name_of(status.detected_by),
        "diagnostic_text": status.diagnostic_text,
        "success": status.success,
    }


def error_form(error: BaseException) -> dict[str, Any]:
    """Return the JSON form of an error, with its exit code."""
    form: dict[str, Any] = {
        "exit_code": int(exit_code_of(error)),
        "message": error_message(error),
        "type": "Interrupted" if exit_code_of(error) is ExitCode.INTERRUPTED else type(error).__name__,
    }
    if isinstance(error, MxGatewayError):
        form |= {
            "call": error.call,
            "correlation_id": error.correlation_id,
            "endpoint": error.endpoint,
            "grpc_code": error.grpc_code,
            "hresult": None if error.hresult is None else hresult_text(error.hresult),
            "outcome_unknown": error.outcome_unknown,
            "protocol_status": None if error.protocol_status is None else name_of(error.protocol_status),
            "statuses": [status_form(status) for status in error.statuses],
        }
    return form


def value_text(value: Any) -> str:
    """Return a value for a person, on one line of at most a screenful; a real is the shortest text that reads back
    as the same real of its type."""
    if isinstance(value, Typed):
        value = value.sent
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return exact_time(value)
    if spec := type_of(value):
        text = shortened(spec.text(value))
        return safe(text) or '""' if spec.family is Family.TEXT else text
    if isinstance(value, bytes):
        return f"{len(value)} bytes {value[:16].hex(' ')}"
    if isinstance(value, RawValue):
        if value.nanoseconds is not None:
            return exact_nanoseconds(value.nanoseconds)
        diagnostic = safe(shortened(value.raw_diagnostic))
        return f"<{safe(value.variant_type) or name_of(value.data_type)}, not converted: {diagnostic}>"
    if isinstance(value, list | tuple):
        shown = ", ".join(map(_element_text, value[:20]))
        return f"[{shown}{f', … {len(value)} in all' if len(value) > 20 else ''}]"
    return safe(shortened(str(value)))


def narrow_number(value: float, width: int) -> str:
    """Return a number with as many digits as fit into `width` columns, if that is possible."""
    text = value_text(value)
    if len(text) <= width or not math.isfinite(value):
        return text
    rounded = (f"{value:.{digits}g}" for digits in range(17, 0, -1))
    return next((text for text in rounded if len(text) <= width), f"{value:.0e}")


def _element_text(value: Any) -> str:
    if not isinstance(value, str):
        return value_text(value)
    if len(value) <= _ELEMENT:
        return json.dumps(safe(value), ensure_ascii=False)
    return f"{json.dumps(safe(redact(value)[:_ELEMENT]), ensure_ascii=False)} … ({len(value):,} characters)"


def age_text(seconds: float) -> str:
    """Return a duration as ``0.1 s``, ``12 s``, ``3 min`` or ``3 h 12 m``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} m"


def counted(number: int, what: str) -> str:
    """Return a number of something in words: ``1 sample``, ``2 samples``."""
    return f"{number} {what}{'' if number == 1 else 's'}"
