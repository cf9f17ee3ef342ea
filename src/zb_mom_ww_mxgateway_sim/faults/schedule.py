"""Faults at their times: what a line of a fault file says, and how it comes about.

One fault a line, ``#`` begins a remark. First when: ``after TIME``, ``every TIME``, or ``at CALL N``, which is the Nth
call of an rpc (``StreamEvents``) or command kind (``write``) from the start. Then what; see ``ACTIONS``. With ``at`` a
call's fault is that call's own and takes no CALL; else it is the next call's, or for delay and stall every later one's.
A TIME is ``250ms``, ``5s``, ``2min`` or seconds.
"""

import re
from collections.abc import Iterator
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
from zb_mom_ww_mxgateway_sim.runtime.errors import FaultError, LineError

# What each action takes after its name. CALL is left out with ``at``; what is in brackets may be.
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
    "kill-connection": "",
    "garbage": "",
    "swallow": "[CALL]",
    "restart": "",
    "redeploy": "",
    "revoke-key": "[KEY-ID]",
    "swap-certificate": "",
    "hold-write-completes": "",
    "release-write-completes": "",
    "fail-alarm-provider": "[TEXT]",
    "restore-alarm-provider": "",
}
_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "min": 60.0}
_SHORTEST_PERIOD = 0.01


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of a schedule: its time or its call, its action, and what that takes."""

    action: str
    after: float | None = None
    every: float | None = None
    call: str = ""
    """With ``number`` the call that brings it about; else the one that it befalls."""
    number: int | None = None
    seconds: float = 0.0
    failure: CallFailure | ReplyFailure | None = None
    text: str = ""
    where: str = ""
    """``file:line:column`` of its action."""

    @classmethod
    def parse(cls, line: str) -> "Fault":
        """A fault from a line such as ``after 5s drop-stream``; FaultError with the column."""
        try:
            fault = _parse(line, "")
        except LineError as mistake:
            raise FaultError(f"{mistake.column}: {mistake.text}") from mistake
        if fault is None:
            raise FaultError("1: no fault; 'after 5s drop-stream' would be one")
        return fault


def read_faults(path: Path) -> list[Fault]:
    """The faults of a file; FaultError ``file:line:column: what, what would be right``."""
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
        except LineError as mistake:
            raise FaultError(f"{path}:{number}:{mistake.column}: {mistake.text}") from mistake
        if fault is not None:
            faults.append(fault)
    return faults


class _Words:
    """The words of a line, each with its column from 1; a remark ends them."""

    def __init__(self, line: str) -> None:
        self._line = re.sub(r"(^|\s)#.*", "", line).rstrip()
        self._words: Iterator[re.Match[str]] = re.finditer(r"\S+", self._line)
        self.column = len(self._line) + 1
        self.word = ""
        self.next()

    def next(self) -> None:
        found = next(self._words, None)
        self.word = found[0] if found else ""
        self.column = found.start() + 1 if found else len(self._line) + 1

    def take(self, wanted: str) -> tuple[str, int]:
        """The next word and its column; a mistake if there is none."""
        if not self.word:
            raise LineError(self.column, f"{wanted} is missing")
        word, column = self.word, self.column
        self.next()
        return word, column

    def rest(self) -> str:
        text = self._line[self.column - 1 :]
        while self.word:
            self.next()
        return text


def _parse(line: str, place: str) -> Fault | None:
    words = _Words(line)
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
                raise LineError(at, f"a period of {every:g} s; at least {_SHORTEST_PERIOD:g} s would be right")
        case "at":
            call = _call(*words.take("the name of an rpc or command kind"))
            text, at = words.take("the number of the call, from 1,")
            if not (text.isascii() and text.isdigit() and int(text)):
                raise LineError(at, f"{text!r} is no number of a call; 1 is the first")
            number = int(text)
        case _:
            raise LineError(column, f"{when!r} is no time; after, every or at would be right")
    action, column = words.take("what is to happen")
    if action not in ACTIONS:
        close = get_close_matches(action, ACTIONS, 1)
        raise LineError(column, f"no fault {action!r}; " + (f"did you mean {close[0]}?" if close else _LIST))
    where = f"{place}{column}"
    if ACTIONS[action].startswith("CALL") and not call:
        call = _call(*words.take("the name of an rpc or command kind"))
    seconds, failure, text = 0.0, None, ""
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
    if words.word:
        raise LineError(words.column, f"{words.word!r} is too much; {action} takes {ACTIONS[action] or 'nothing'}")
    return Fault(action, after, every, call, number, seconds, failure, text, where)


_LIST = f"there are {', '.join(ACTIONS)}"


def _time(text: str, column: int) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|min|)", text, re.ASCII)
    if found is None:
        raise LineError(column, f"{text!r} is no time; 250ms, 5s, 2min or seconds would be right")
    return float(found[1]) * _UNITS[found[2]]


def _call(text: str, column: int) -> str:
    try:
        return call_name(text)
    except ValueError as error:
        raise LineError(column, str(error)) from error


def _code(text: str, column: int) -> str:
    if text not in grpc.StatusCode.__members__ or text == "OK":
        raise LineError(column, f"{text!r} is no gRPC status of a failure; UNAVAILABLE is one")
    return text


def _failure(words: _Words, call: str) -> CallFailure | ReplyFailure:
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
