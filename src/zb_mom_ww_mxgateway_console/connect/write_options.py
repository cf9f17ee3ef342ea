"""Options of the command lines that say which writes are wanted: consent given before anything connects."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar, cast

import click
from click.core import ParameterSource

F = TypeVar("F", bound=Callable[..., Any])


class WriteConsent(NamedTuple):
    """What the user of a command line allows to be written, and why."""

    arm: tuple[str, ...] = ()
    """Tags or globs that may be written."""
    reason: str = ""
    """Why, for the journal; empty if none was given."""
    limits: str | None = None
    """The limits file that every write must satisfy; None for that of the profile, if it names one."""
    assume_yes: bool = False
    """Whether a write that only needs a yes has it."""

    def joined(self, other: "WriteConsent") -> "WriteConsent":
        """Return both together; where only one can hold, the other's."""
        return WriteConsent(
            arm=(*self.arm, *other.arm),
            reason=other.reason or self.reason,
            limits=other.limits if other.limits is not None else self.limits,
            assume_yes=self.assume_yes or other.assume_yes,
        )

    @property
    def is_guarding(self) -> bool:
        """Whether it asks for a guard, also for a connection that would have none."""
        return bool(self.arm) or self.limits is not None


def write_options(function: F) -> F:
    """Add ``--arm``, ``--reason`` and ``--limits`` to a click command, which gets them as one `consent` argument."""
    options = [
        click.option("--arm", multiple=True, metavar="GLOB", help="Tags that may be written; may be repeated."),
        click.option("--reason", metavar="TEXT", default="", help="Why, for the journal of writes."),
        click.option("--limits", type=click.Path(), metavar="FILE", help="Limits that every write must satisfy."),
    ]

    @functools.wraps(function)
    def with_consent(arm: tuple[str, ...], reason: str, limits: str | None, **arguments: Any) -> Any:
        for text in arm:
            _check_names(text)
        if limits == "":  # From a variable that is not set: no file must not mean no limits.
            raise click.BadParameter("it names no file", param_hint="'--limits'")
        return function(consent=WriteConsent(arm=tuple(arm), reason=reason.strip(), limits=limits), **arguments)

    decorated: Any = with_consent
    for option in reversed(options):
        decorated = option(decorated)
    return cast(F, decorated)


def consent_of_line(consent: WriteConsent | None, *, is_elsewhere: bool) -> tuple[bool, WriteConsent]:
    """Return whether a line of a batch is guarded because the batch is, and what the line may write.

    The batch's options are the defaults of its lines, also of those whose command has no such option. On a gateway
    that is not the batch's, only what the line says itself may be written.
    """
    context = click.get_current_context()
    batch: Mapping[str, Any] = context.default_map or {}
    names = WriteConsent._fields
    of_batch = {name: batch[name] for name in names if name in batch}
    consent = WriteConsent(**of_batch) if consent is None else consent
    is_guarded = "profile" in batch or WriteConsent(**of_batch).is_guarding
    if is_elsewhere:
        own = [name for name in names if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
        plain = WriteConsent(limits=consent.limits)
        consent = plain._replace(**{name: getattr(consent, name) for name in own})
    return is_guarded, consent


def _check_names(text: str) -> None:
    """Raise click.BadParameter for a glob that names nothing, or everything."""
    from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError  # Lazy: most calls write nothing.
    from zb_mom_ww_mxgateway.safety.globs import TagGlob

    try:
        TagGlob(text)
    except MxGatewayArgumentError as error:
        raise click.BadParameter(str(error), param_hint="'--arm'") from None
