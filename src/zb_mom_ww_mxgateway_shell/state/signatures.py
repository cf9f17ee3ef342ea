"""Who signs for a write: nobody, the user who is logged in, or that user and a second person."""

from typing import TYPE_CHECKING, NamedTuple

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.galaxy.tag_index_storage import SECURED_WRITE, VERIFIED_WRITE
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import WriteSignature
    from zb_mom_ww_mxgateway_shell.state.passwords import PasswordSource


class Verifier(NamedTuple):
    """The second person of a verified write, as a line names them."""

    name: str | None
    password: "PasswordSource"


async def signature_for(context: Context, item: Item, verifier: Verifier) -> "tuple[WriteSignature | None, str]":
    """Return who signs for a write to this item, and in words; None for a plain write.

    The galaxy tells what the tag needs; where it does not, the write is plain, and MXAccess decides. A second person
    logs in for this write alone. Raises ShellError, with nothing sent, where somebody is missing.
    """
    security = await context.connected.security_of(item.tag)
    if security not in (SECURED_WRITE, VERIFIED_WRITE):
        if verifier.name:
            raise ShellError(
                f"{item.tag} is no VerifiedWrite tag as far as the galaxy tells: leave out --second; "
                "nothing was written",
                ExitCode.GUARDED,
            )
        return None, ""
    kind = "SecuredWrite" if security == SECURED_WRITE else "VerifiedWrite"
    users = context.connected.users.valid(item.server_handle)
    if not users:
        raise ShellError(
            f"{item.tag} is a {kind} tag, and nobody is logged in on server {item.server_handle}: login USER signs for "
            "it; nothing was written",
            ExitCode.GUARDED,
        )
    from zb_mom_ww_mxgateway import WriteSignature  # Lazy: most writes are plain.

    signer = users[0]
    if security == SECURED_WRITE:
        return WriteSignature(signer.user_id), f"signed by {signer.name}"
    name, verifier_id = await _verified(context, item, signer.user_id, verifier)
    return WriteSignature(signer.user_id, verifier_id), f"signed by {signer.name}, verified by {name}"


async def _verified(context: Context, item: Item, signer_id: int, verifier: Verifier) -> tuple[str, int]:
    """Return name and id of the second person."""
    from zb_mom_ww_mxgateway_shell.state.passwords import password_from

    name = verifier.name
    if not name and context.ask_text is not None:
        name = (await context.ask_text(f"{item.tag} needs a second person to verify it. Their user name: ")).strip()
    if not name:
        raise ShellError(
            f"{item.tag} is a VerifiedWrite tag, and needs a second person: --second USER says who, with "
            "--second-password-env NAME or --second-password-file FILE; nothing was written",
            ExitCode.GUARDED,
        )
    password = await password_from(context, name, verifier.password)
    user_id = await context.session.authenticate_user(item.server_handle, name, password)
    if user_id == signer_id:
        raise ShellError(
            f"{name} signs already: another person has to verify it; nothing was written", ExitCode.GUARDED
        )
    return name, user_id
