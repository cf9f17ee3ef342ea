"""The rows of a snapshot that a line means, and their present values."""

from collections.abc import Sequence

from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway.safety.snapshots import ComparedRow, Snapshot, SnapshotFolder, SnapshotRow, compare
from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError, closest
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.tolerance import real_tolerance
from zb_mom_ww_mxgateway_shell.state.context import Context

SNAPSHOTS = SnapshotFolder()
"""The snapshots of this user."""


async def compared_rows(
    context: Context, found: Snapshot, name: Token, tags: Sequence[TagGlob | None], tol: Token | None, server: int
) -> list[ComparedRow]:
    """Read the tags of these rows afresh, and compare them; `tol` is the tolerance of a real, as typed."""
    rules = context.connected.desk.rules
    given = None if tol is None else real_tolerance(tol)
    rows = chosen_rows(found, name, tags)
    return await compare(
        context.live_session, rows, server, lambda tag: rules.tolerance_of(tag) if given is None else given
    )


def chosen_rows(found: Snapshot, name: Token, tags: Sequence[TagGlob | None]) -> list[SnapshotRow]:
    """Return the rows of these tags and globs, or all; raise ShellError for one that names none."""
    globs = [each for each in tags if each is not None]
    for glob in globs:
        if not any(glob.matches(row.tag) for row in found.rows):
            raise ShellError(f"no tag of the snapshot {name.value} is named {glob}")
    return [row for row in found.rows if not globs or any(glob.matches(row.tag) for glob in globs)]


def say_where(context: Context, found: Snapshot) -> None:
    """Say what is different about the plant since the snapshot was taken."""
    endpoint = context.live_session.session.endpoint
    if found.endpoint != endpoint:
        context.notice(f"{found.name} was taken of {found.endpoint}, and this is {endpoint}")
    deployed = context.connected.deployed_at
    # As it was written to the file.
    if found.galaxy_deployed and deployed and time_text(found.galaxy_deployed) != time_text(deployed):
        context.notice(f"the galaxy was deployed again since {found.name} was taken")
    if found.left_out:
        names = ", ".join(each.tag for each in found.left_out[:3])
        more = " …" if len(found.left_out) > 3 else ""
        context.notice(f"not in {found.name}, because they had no good value then: {names}{more}")


def loaded_snapshot(name: Token) -> Snapshot:
    """Return a snapshot; raise InputError where there is none of that name, and ShellError for one that is damaged."""
    try:
        return SNAPSHOTS.load(name.value)
    except FileNotFoundError:
        hint = closest(name.value, SNAPSHOTS.names()) or "; snapshots lists them"
        raise name.mistake(f"no snapshot {name.value}{hint}") from None
    except (OSError, ValueError) as error:
        raise ShellError(
            f"the snapshot {name.value} cannot be relied on: {reason_of(error)}", ExitCode.GUARDED
        ) from error


def reason_of(error: OSError | ValueError) -> str:
    """Return why a snapshot cannot be read."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
