"""write."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from zb_mom_ww_mxgateway.errors import MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway.safety.reverts import LONGEST_SECONDS
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, value_form
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.feeds.expected_refusal import RefusalOption, judged, outcome_or_refusal
from zb_mom_ww_mxgateway_shell.feeds.single_write import prepare_write, preview_write
from zb_mom_ww_mxgateway_shell.feeds.write_preparation import (
    OUTCOME_TIMEOUT,
    before_sending,
    given_reason,
    live_session_of,
)
from zb_mom_ww_mxgateway_shell.feeds.write_report import (
    WriteReport,
    interrupted_after,
    reverts_at,
)
from zb_mom_ww_mxgateway_shell.language.argument_types import (
    Duration,
    DurationOption,
    FlagOption,
    ReasonOption,
    TimeOption,
    Tolerance,
)
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import Clause, command
from zb_mom_ww_mxgateway_shell.language.target_types import (
    ServerOption,
    TargetArgument,
    ValueArgument,
    named_targets,
    written_target,
)
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.tolerance import tolerance_of_real
from zb_mom_ww_mxgateway_shell.output.results import Result
from zb_mom_ww_mxgateway_shell.output.tag_texts import shown_value
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.signatures import SigningOptions, signature_for

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import WriteResult


_FOR_WARNING = (
    "--for puts the value from before back after that time; the time to wait for the outcome is --timeout. "
    "If that is meant, add # meant"
)


def _check_options(positional: Sequence[Any], options: dict[str, Any]) -> None:
    """Raise a mistake in the options that does not depend on the tag."""
    tolerance = options.get("tol")
    for name in ("for_", "verify"):
        if options.get("refused") and options.get(name):
            raise ShellError(f"--refused expects that nothing is written: leave out --{name.rstrip('_')}")
    if options.get("verify"):
        return
    if tolerance is not None:
        raise tolerance.mistake("tol is how much a real may differ for --verify: add --verify")
    if options.get("within") is not None:
        raise ShellError("within is how long --verify waits for the value: add --verify")


@command(
    "write",
    example="write TestChildObject.TestInt 123",
    mutating=True,
    check=_check_options,
    preview=preview_write,
    traits=CommandTraits(
        retried_in_finally=True, writes=written_target, advises=named_targets, option_warnings={"--for": _FOR_WARNING}
    ),
)
async def write(
    context: Context,
    tag: TargetArgument,
    value: ValueArgument,
    *,
    verify: FlagOption = False,
    tol: Annotated[Token | None, Tolerance(), Clause()] = None,
    within: Annotated[float | None, Duration(), Clause()] = None,
    refused: RefusalOption = False,
    for_: Annotated[float | None, Duration(most=LONGEST_SECONDS, because="then it is no longer a timed write")] = None,
    timeout: DurationOption = None,
    at: TimeOption = None,
    reason: ReasonOption = None,
    signing: SigningOptions,
    server: ServerOption = None,
) -> Result:
    """Write a value and wait for its outcome.

    A bare value gets the tag's own type. int32:5, double:5, string:5 … name another type, quotes make a string,
    [1, 2, 3] is an array, and TAG[3] the third element of one. *Completed* means that MXAccess reported the write
    as done. *Accepted* means that MXAccess took it, but its effect was still unknown after --timeout (30 s).
    *Unknown* means that the answer was lost: the write may have happened, or may still happen for up to 75 s. The
    shell never sends it again, and reports when its value is seen.

    --verify then looks whether the tag has the value: it takes the stream's value, or after 5 s a fresh read, and
    writes nothing. A valve needs time to travel: within 60s gives it more. A whole number, a Boolean, a text or a time
    must be equal. A real may differ by tol 0.5, else by the tolerance of the limits file, else by what its type
    cannot tell.

    --for 30s puts the value from before back after that time, also if the shell ends before, unless keep TAG says to
    leave it. It is put back only while the tag has the value that this session wrote; else the shell asks. The intent
    is on disk before the write is sent: after a crash, the next start at this gateway offers it.

    --refused expects that the plant refuses the write: MXAccess (access rights, a read-only tag, a missing signature)
    or the gateway (the scopes of the key). The line passes then, and only then; --refused SECURITY_ERROR, a detail such
    as 33, an hresult, or PERMISSION_DENIED names the one refusal that passes. A write that was carried out fails, and
    counts as a change. What this program itself refuses still ends a file (5), and an unknown outcome is unknown (6).

    A value outside the range of its tag, TAG.RangeLo to TAG.RangeHi, is pointed out before it is sent: at the prompt in
    a question, elsewhere as a notice.

    --at gives the value a source time. --reason "text" says why, for the journal, and where the limits demand it. The
    user who is logged in (login USER) signs for a SecuredWrite tag. For a
    VerifiedWrite tag the shell also asks a second person to log in, for this write alone. A file names that person
    with --second USER, and the password with --second-password-env or --second-password-file.
    """
    with before_sending(context):
        item, before, typed = await prepare_write(context, tag, value, server, sends=True)
        tolerance = None if tol is None else tolerance_of_real(tol, typed)
        signature, signers = await signature_for(context, item, signing.person, as_is=bool(refused))
        live, connected = live_session_of(context, item), context.connected
        security = await connected.security_of(item.tag)
    for_outcome = timeout or OUTCOME_TIMEOUT
    sent_at = clock.monotonic()

    async def send() -> "WriteResult":
        return await live.write_and_confirm(*item.key, typed, timestamp=at, signature=signature, timeout=for_outcome)

    if for_ is not None and signers:
        raise ShellError(
            f"{item.tag} needs a signature, and nobody signs when its time is over: leave out --for; nothing was "
            "written",
            ExitCode.GUARDED,
        )
    with given_reason(reason, expects_refusal=bool(refused)):
        if refused:
            result = await outcome_or_refusal(send())
        elif for_ is None:
            result = await send()
        else:
            try:
                result = await connected.changes.reverts.write(item, before, typed, for_, send)
            except MxGatewayWriteBlockedError as error:
                if error.pending is None:
                    # Its revert could not be noted: no call was made of it, so the desk did not see it.
                    entry = {"tag": item.tag, "new": typed.sent, "old": before.value, "quality": before.quality}
                    connected.desk.records.note("refused", entries=[entry], why=str(error))
                raise
    seen = None
    if verify and result.outcome.value != "refused":
        from zb_mom_ww_mxgateway.safety import verification  # Lazy: most writes are not verified.

        desk = connected.desk
        if tolerance is None:
            tolerance = desk.rules.tolerance_of(item.tag)
        wait = within or verification.VERIFY_SECONDS
        try:
            seen = await verification.verify(live, item, typed, since=sent_at, tolerance=tolerance, within=wait)
            desk.records.verified(result.correlation_id, [verification.read_back_form(seen)])
        except asyncio.CancelledError:
            raise interrupted_after(item, result, for_outcome, "; NOT VERIFIED") from None
    facts = connected.facts.seen(item.tag, before.value, typed)
    report = WriteReport(
        item,
        before,
        shown_value(typed, facts),
        value_form(typed),
        result,
        for_outcome,
        live.session.endpoint,
        at,
        signers,
        seen,
        reverts_at(context, item),
        security,
        facts.decimals,
    )
    return judged(report, refused, tag.place) if refused else report.text_result()


COMMANDS = (write,)
