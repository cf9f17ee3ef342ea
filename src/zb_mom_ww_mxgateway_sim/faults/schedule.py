"""Fault files: one fault a line, first when, then what. ``#`` begins a remark.

When is ``after TIME``, ``every TIME`` or ``at CALL N``: the Nth call of an rpc (``StreamEvents``) or command kind
(``write``) since the start. ``ACTIONS`` lists what can happen. With ``at`` the fault is injected into that call, and
CALL is left out. Otherwise it is injected into the next such call; ``delay`` and ``stall`` apply to all later ones. A
TIME is ``250ms``, ``5s``, ``2min``, ``1h`` or seconds. A value with spaces is written in quotes.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import grpc

from zb_mom_ww_mxgateway_sim.faults.call_faults import (
    CallFailure,
    ReplyFailure,
    call_name,
    check_failure,
    protocol_status,
)
from zb_mom_ww_mxgateway_sim.faults.words import Argument, Words
from zb_mom_ww_mxgateway_sim.plant import status
from zb_mom_ww_mxgateway_sim.plant.alarms import BadReference, check_reference
from zb_mom_ww_mxgateway_sim.plant.status import Category, Source, Status
from zb_mom_ww_mxgateway_sim.runtime.errors import FaultError, LineError

# Arguments of each action. CALL is left out with ``at``; those in brackets are optional.
ACTIONS = {
    "delay": "CALL TIME",
    "refuse": "CALL STATUS [TEXT]",
    "lose-reply": "CALL",
    "stall": "CALL",
    "garbage-reply": "CALL",
    "oversized-reply": "CALL",
    "release": "[NAME]",
    "drop-stream": "[GRPC-STATUS]",
    "overflow": "",
    "evict-replay": "",
    "lose-session": "",
    "fault-session": "",
    "close-session": "",
    "kill-worker": "",
    "kill-connection": "",
    "garbage": "",
    "swallow": "[CALL]",
    "restart": "",
    "redeploy": "",
    "lose-galaxy": "",
    "restore-galaxy": "",
    "revoke-key": "[KEY-ID]",
    "swap-certificate": "",
    "hold-write-completes": "",
    "release-write-completes": "",
    "fail-alarm-provider": "[TEXT]",
    "restore-alarm-provider": "",
    "set": "TAG VALUE [QUALITY]",
    "raise": "ALARM [SEVERITY]",
    "unset": "TAG",
    "clear": "ALARM",
    "refuse-writes": "GLOB STATUS [TEXT]",
    "allow-writes": "[GLOB]",
}
_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "min": 60.0, "h": 3600.0}
_SHORTEST_PERIOD = 0.01
# Outcomes of a refused write.
_REFUSALS = [category.name for category in Category if category.name.endswith("_ERROR")]
_MOST_SEVERE = 999
_NONE = Argument("", "")


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of a schedule: its time or its call, its action and the action's arguments."""

    action: str
    after: float | None = None
    every: float | None = None
    call: str = ""
    """With ``number`` the call that triggers the fault; otherwise the call that it is injected into."""
    number: int | None = None
    seconds: float = 0.0
    failure: CallFailure | ReplyFailure | None = None
    text: str = ""
    where: str = ""
    """``file:line:column`` of the action; for a line of no file the line in quotes and the column."""
    target: Argument = _NONE
    """The tag, the alarm or the glob that the fault concerns."""
    value: Argument = _NONE
    """The value that ``set`` gives the tag."""
    quality: int = status.GOOD
    severity: Argument = _NONE
    refusal: Status | None = None
    """The outcome of refused writes."""

    @classmethod
    def parse(cls, line: str) -> "Fault":
        """Return the fault of a line such as ``after 5s drop-stream``. Raise FaultError with line and column."""
        place = f"{line!r}:"
        try:
            fault = _parse(line, place)
        except LineError as error:
            raise FaultError(f"{place}{error.column}: {error.text}") from error
        if fault is None:
            raise FaultError(f"{place}1: the line has no fault; write for example 'after 5s drop-stream'")
        return fault


def read_faults(path: Path) -> list[Fault]:
    """Return the faults of a file. Raise FaultError as ``file:line:column: what is wrong, what is right``."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise FaultError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise FaultError(f"{path}: not UTF-8; save the file as UTF-8") from error
    faults: list[Fault] = []
    for number, line in enumerate(lines, 1):
        try:
            fault = _parse(line, f"{path}:{number}:")
        except LineError as error:
            raise FaultError(f"{path}:{number}:{error.column}: {error.text}") from error
        if fault is not None:
            faults.append(fault)
    return faults


def _parse(line: str, place: str) -> Fault | None:
    words = Words(line, place)
    if not words.word:
        return None
    when, column = words.take("when")
    after = every = number = None
    call = ""
    match when:
        case "after":
            after = _time(*words.take("a TIME such as 5s"))
        case "every":
            at = words.column
            every = _time(*words.take("a TIME such as 30s"))
            if every < _SHORTEST_PERIOD:
                raise LineError(at, f"a period of {every:g} s is too short; use {_SHORTEST_PERIOD:g} s or more")
        case "at":
            call = _call(*words.take("the name of an rpc or command kind"))
            text, at = words.take("the number of the call, from 1,")
            if not (text.isascii() and text.isdigit() and int(text)):
                raise LineError(at, f"{text!r} is not the number of a call; the first call is 1")
            number = int(text)
        case _:
            raise LineError(column, f"{when!r} is not a time; use after, every or at")
    action, column = words.take("the fault")
    if action not in ACTIONS:
        close = get_close_matches(action, ACTIONS, 1)
        raise LineError(column, f"no fault {action!r}; " + (f"did you mean {close[0]}?" if close else _ALL_ACTIONS))
    where = f"{place}{column}"
    if ACTIONS[action].startswith("CALL") and not call:
        call = _call(*words.take("the name of an rpc or command kind"))
    seconds, failure, text = 0.0, None, ""
    target = value = severity = _NONE
    quality, refusal = status.GOOD, None
    match action:
        case "delay":
            seconds = _time(*words.take("a TIME such as 2s"))
        case "refuse":
            failure = _failure(words, call)
        case "release" | "swallow":
            text = _call(*words.take("")) if words.word else ""
        case "drop-stream":
            text = _code(*words.take("")) if words.word else "UNAVAILABLE"
        case "revoke-key":
            text = words.take("")[0] if words.word else ""
        case "fail-alarm-provider":
            text = words.rest()
        case "set":
            target, value = words.argument("a TAG"), words.argument("a VALUE")
            quality = _quality(*words.take("")) if words.word else status.GOOD
        case "unset":
            target = words.argument("a TAG")
        case "raise" | "clear":
            at = words.column
            target = words.argument("an ALARM such as ZB!Plant.Tank1.Level.Hi")
            _check_alarm(target.text, at)
            if action == "raise" and words.word:
                _check_severity(words.word, words.column)
                severity = words.argument("")
        case "refuse-writes":
            target = words.argument("a GLOB of tags")
            refusal = _refusal(words)
        case "allow-writes":
            target = words.argument("") if words.word else _NONE
    if words.word:
        raise LineError(
            words.column, f"{words.word!r} is one argument too many; {action} takes {ACTIONS[action] or 'nothing'}"
        )
    return Fault(
        action,
        after,
        every,
        call,
        number,
        seconds,
        failure,
        text,
        where,
        target=target,
        value=value,
        quality=quality,
        severity=severity,
        refusal=refusal,
    )


_ALL_ACTIONS = f"there are {', '.join(ACTIONS)}"


def _time(text: str, column: int) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|min|h|)", text, re.ASCII)
    if found is None:
        raise LineError(column, f"{text!r} is not a time; use 250ms, 5s, 2min, 1h or seconds")
    return float(found[1]) * _UNITS[found[2]]


def _call(text: str, column: int) -> str:
    try:
        return call_name(text)
    except ValueError as error:
        raise LineError(column, str(error)) from error


def _code(text: str, column: int) -> str:
    if text not in grpc.StatusCode.__members__ or text == "OK":
        raise LineError(column, f"{text!r} is not the gRPC status of a failure, such as UNAVAILABLE")
    return text


def _failure(words: Words, call: str) -> CallFailure | ReplyFailure:
    status, column = words.take("a STATUS such as UNAVAILABLE or WORKER_UNAVAILABLE")
    details = words.rest() or "made to fail"
    if status in grpc.StatusCode.__members__ and status != "OK":
        return CallFailure(status, details)
    try:
        failure = ReplyFailure(protocol_status(status), None, details)
        check_failure(call, failure)
    except ValueError as error:
        raise LineError(column, str(error)) from error
    return failure


def _quality(text: str, column: int) -> int:
    try:
        return status.quality_of(text)
    except ValueError as error:
        raise LineError(column, f"{error}. Quote a value with spaces") from error


def _check_alarm(reference: str, column: int) -> None:
    try:
        check_reference(reference)
    except BadReference as error:
        raise LineError(
            column, f"{reference!r} is not an alarm; use Galaxy!Area.Object.Alarm, such as ZB!Plant.Tank1.Level.Hi"
        ) from error


def _check_severity(text: str, column: int) -> None:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_SEVERE):
        raise LineError(column, f"{text!r} is not a severity; use 1 to {_MOST_SEVERE}")


def _refusal(words: Words) -> Status:
    name, column = words.take("a STATUS such as SECURITY_ERROR")
    if name not in _REFUSALS:
        raise LineError(column, f"{name!r} is not the status of a refused write; there are {', '.join(_REFUSALS)}")
    text = words.rest() or "writes to this tag are refused"
    return Status(Category[name], Source.RESPONDING_AUTOMATION_OBJECT, 0, text)
