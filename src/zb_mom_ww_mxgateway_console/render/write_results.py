"""The results of a write: one table of their words in JSON, their exit codes and their meaning, for every program."""

from enum import Enum
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayError, MxGatewayWaitError, MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, exit_code_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import WriteResult


NOTHING_WRITTEN = "interrupted; no write was sent"
"""Reported where what writes was interrupted before that."""


class WriteVerdict(Enum):
    """Result of a write. Its value is its word in JSON."""

    REFUSED_HERE = "refused_here", ExitCode.GUARDED, "refused by a guard of this program; nothing was sent"
    REFUSED_THERE = "refused_there", ExitCode.REFUSED, "refused by MXAccess or the gateway, with the reason"
    COMPLETED = "completed", ExitCode.DONE, "MXAccess reported it as done"
    VERIFIED = "verified", ExitCode.DONE, "completed, and the tag has the value"
    UNKNOWN = "unknown", ExitCode.UNKNOWN, "it may or may not have happened, or may still happen for up to 75 s"
    NOT_VERIFIED = "not_verified", ExitCode.NOT_MET, "completed, and the tag did not have the value in time"
    ACCEPTED = "accepted", ExitCode.DONE, "MXAccess took it; its completion was not waited for"

    exit_code: ExitCode
    meaning: str

    def __new__(cls, word: str, exit_code: ExitCode, meaning: str) -> "WriteVerdict":
        made = object.__new__(cls)
        made._value_ = word
        made.exit_code, made.meaning = exit_code, meaning
        return made

    @property
    def word(self) -> str:
        """Its word in JSON."""
        return str(self.value)


def verdict_of(result: "WriteResult", is_as_written: bool | None = None) -> WriteVerdict:
    """Return the result of a write that was sent and waited for.

    `is_as_written` says whether the tag was then seen with the value; None where nobody looked.
    """
    match result.outcome.value:
        case "refused":
            return WriteVerdict.REFUSED_THERE
        case "completed" if is_as_written is None:
            return WriteVerdict.COMPLETED
        case "completed":
            return WriteVerdict.VERIFIED if is_as_written else WriteVerdict.NOT_VERIFIED
    return WriteVerdict.UNKNOWN


def verdict_of_error(error: BaseException) -> WriteVerdict | None:
    """Return the result of a write that ended in this error; None where nothing was sent and nobody refused it."""
    if not isinstance(error, MxGatewayError):
        return None
    if error.outcome_unknown:
        return WriteVerdict.UNKNOWN
    if isinstance(error, MxGatewayWriteBlockedError):
        return WriteVerdict.REFUSED_HERE
    is_refusal = exit_code_of(error) is ExitCode.REFUSED
    never_asked = error.never_reached or isinstance(error, MxGatewayWaitError)
    return WriteVerdict.REFUSED_THERE if is_refusal and not never_asked else None


def word_of_error(error: BaseException) -> str | None:
    """Return the word of :func:`verdict_of_error` for JSON."""
    verdict = verdict_of_error(error)
    return None if verdict is None else verdict.word


def verdict_of_failure(error: BaseException, exit_code: ExitCode) -> WriteVerdict | None:
    """Return the result of the write that ended in this error; None if the error is not that of a write.

    A refusal here and an unknown outcome are known by their exit code alone: no other call has one.
    """
    if exit_code in (ExitCode.GUARDED, ExitCode.UNKNOWN):
        return WriteVerdict.REFUSED_HERE if exit_code is ExitCode.GUARDED else WriteVerdict.UNKNOWN
    is_write = isinstance(error, MxGatewayError) and (error.call or "").startswith("write")
    return verdict_of_error(error) if is_write else None
