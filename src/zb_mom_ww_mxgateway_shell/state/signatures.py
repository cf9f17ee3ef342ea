"""Who signs for a write: nobody, the user who is logged in, or that user and a second person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, NamedTuple

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.models.security_classes import SECURED_WRITE, VERIFIED_WRITE
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.argument_types import Text
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.passwords import PasswordSource, password_from

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import WriteSignature
    from zb_mom_ww_mxgateway_shell.state.users import LoggedInUser


class Verifier(NamedTuple):
    """The second person of a verified write, as a line names them."""

    name: str | None
    password: PasswordSource


@dataclass(frozen=True, kw_only=True, slots=True)
class SigningOptions:
    """Options of a write that name the second person of a verified one."""

    second: Annotated[str | None, Text("user")] = None
    second_password_env: Annotated[str | None, Text("variable")] = None
    second_password_file: Annotated[str | None, Text("file")] = None

    @property
    def person(self) -> Verifier:
        return Verifier(self.second, PasswordSource(self.second_password_env, self.second_password_file))


class Signature(NamedTuple):
    """Who signs for one write."""

    ids: "WriteSignature | None" = None
    """None for a plain write."""
    signers: str = ""
    """The people who sign, in words; empty for a plain write."""


async def signature_for(context: Context, item: Item, verifier: Verifier, *, as_is: bool = False) -> Signature:
    """Return who signs for a write to this item.

    The galaxy tells what the tag needs; where it does not, the write is plain, and MXAccess decides. A second person
    logs in for this write alone. Raises ShellError, with nothing sent, where somebody is missing; with `as_is` nobody
    needs to be there, and MXAccess decides.
    """
    security = await context.connected.security_of(item.tag)
    (signature,) = await signatures_for(context, [(item, security)], verifier, as_is=as_is)
    return signature


async def signatures_for(
    context: Context, items: Sequence[tuple[Item, int | None]], verifier: Verifier, *, as_is: bool = False
) -> list[Signature]:
    """Return who signs for each of these items of one server, as :func:`signature_for` does.

    With each item stands what the galaxy says of its security. A second person logs in once for all.
    """
    signed = [(item, security) for item, security in items if needs_signature(security)]
    if not signed:
        if verifier.name:
            unknown = next((item.tag for item, security in items if security is None), "")
            why = (
                f"the galaxy does not tell whether {unknown} is a VerifiedWrite tag, so nobody can verify its write"
                if unknown
                else f"{items[0][0].tag} is no VerifiedWrite tag: leave out --second"
            )
            raise ShellError(f"{why}; nothing was written", ExitCode.GUARDED)
        return [Signature()] * len(items)
    item, security = signed[0]
    users = context.connected.users.valid(item.server_handle)
    if not users and as_is:
        return [Signature()] * len(items)
    if not users:
        raise ShellError(
            f"{item.tag} is a {security_name(security)} tag, and nobody is logged in on server {item.server_handle}: "
            "login USER signs for it; nothing was written",
            ExitCode.GUARDED,
        )
    from zb_mom_ww_mxgateway import WriteSignature  # Lazy: most writes are plain.

    signer = users[0]
    made = {SECURED_WRITE: Signature(WriteSignature(signer.user_id), f"signed by {signer.name}")}
    if verified := next((item for item, security in signed if security == VERIFIED_WRITE), None):
        if as_is and not verifier.name:
            return [made[SECURED_WRITE] if needs_signature(security) else Signature() for _, security in items]
        name, verifier_id = await _verified(context, verified, signer, verifier)
        made[VERIFIED_WRITE] = Signature(
            WriteSignature(signer.user_id, verifier_id), f"signed by {signer.name}, verified by {name}"
        )
    return [made.get(security or 0, Signature()) for _, security in items]


def needs_signature(security: int | None) -> bool:
    """Return whether a write to a tag of this security classification is signed."""
    return security in (SECURED_WRITE, VERIFIED_WRITE)


def security_name(security: int | None) -> str:
    return {SECURED_WRITE: "SecuredWrite", VERIFIED_WRITE: "VerifiedWrite"}.get(security or 0, "plain")


async def _verified(context: Context, item: Item, signer: "LoggedInUser", verifier: Verifier) -> tuple[str, int]:
    """Return name and id of the second person."""
    name = verifier.name
    if not name and context.ask_text is not None:
        name = (await context.ask_text(f"{item.tag} needs a second person to verify it. Their user name: ")).strip()
    if not name:
        raise ShellError(
            f"{item.tag} is a VerifiedWrite tag, and needs a second person: --second USER says who, with "
            "--second-password-env NAME or --second-password-file FILE; nothing was written",
            ExitCode.GUARDED,
        )
    _refuse_same(name, name.casefold() == signer.name.casefold())
    password = await password_from(context, name, verifier.password)
    _refuse_lost(context, signer)
    user_id = await context.session.authenticate_user(item.server_handle, name, password)
    _refuse_lost(context, signer)
    _refuse_same(name, user_id == signer.user_id)
    return name, user_id


def _refuse_same(name: str, is_same: bool) -> None:
    if is_same:
        raise ShellError(
            f"{name} signs already: another person has to verify it; nothing was written", ExitCode.GUARDED
        )


def _refuse_lost(context: Context, signer: "LoggedInUser") -> None:
    """Raise if the signer's id died while the second person was asked: in another session it may be anybody's."""
    if signer not in context.connected.users.valid(signer.server_handle):
        raise ShellError(
            f"{signer.name} is logged out, with the lost session or server handle: login {signer.name} signs again; "
            "nothing was written",
            ExitCode.GUARDED,
        )
