"""login, users, logout, archestra-user: who signs for secured and verified writes."""

from collections.abc import Sequence
from typing import Annotated

from zb_mom_ww_mxgateway_shell.errors import closest
from zb_mom_ww_mxgateway_shell.language.argument_types import ArgumentType, Suggestion, Text
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits, ParsedArguments
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import ServerOption
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.results import Result, Table, TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context, context_of
from zb_mom_ww_mxgateway_shell.state.passwords import PasswordSource, password_from

_PROVES_NOTHING = "a galaxy without security gives an id for any password: the id proves nothing"


class LoggedIn(ArgumentType):
    """The name of a user who is logged in; who is, is known in the run only."""

    name = "user"

    def parse(self, word: Token, context: Scope) -> Token:
        return word

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(name) for name in _names(context) if name.casefold().startswith(prefix.casefold())]


def _names(scope: Scope) -> list[str]:
    current = context_of(scope).current
    return [user.name for user in current.users.valid()] if current else []


PasswordEnvOption = Annotated[str | None, Text("variable")]
PasswordFileOption = Annotated[str | None, Text("file")]


def _asks_password(scope: Scope, line: ParsedArguments) -> bool:
    return not (line.options.get("password_env") or line.options.get("password_file"))


@command(
    "login",
    example="login operator --password-env MXGATEWAY_PASSWORD",
    stream=False,
    in_plan=False,
    traits=CommandTraits(signs="in", asks_secret=_asks_password),
)
async def login(
    context: Context,
    user: Annotated[str, Text("user")],
    *,
    password_env: PasswordEnvOption = None,
    password_file: PasswordFileOption = None,
    server: ServerOption = None,
) -> Result:
    """Log a user in, who then signs for writes to SecuredWrite tags. It asks for the password, and does not show it.

    A file names where the password is: --password-env NAME or --password-file FILE (its first line). It never stands
    on a line, and is forgotten as soon as the gateway has answered. The id that MXAccess gives dies with the server
    handle and with the session: after a rebuild, log in again. A galaxy without security gives an id for any password.
    """
    handle = await context.server_for(server)
    source = PasswordSource(password_env, password_file)
    connected = context.connected
    session_id = context.session.session_id
    user_id = await context.session.authenticate_user(handle, user, await password_from(context, user, source))
    connected.users.add(user, user_id, handle, session_id)
    return TextResult(
        f"{user} is logged in as user {user_id} of server {handle}; {_PROVES_NOTHING}",
        {"server_handle": handle, "user": user, "user_id": user_id},
        user_id,
        brief=f"{user} is user {user_id}",
    )


_COLUMNS = ("server_handle", "signs", "user", "user_id")


@command("users", example="users", stream=False)
async def users(context: Context) -> Result:
    """List who is logged in. The first one signs for secured writes."""
    _ = context.session
    known = context.connected.users.valid()
    rows = [
        ["signs" if at == 0 else "", each.name, str(each.user_id), str(each.server_handle)]
        for at, each in enumerate(known)
    ]
    records = [
        {"server_handle": each.server_handle, "signs": at == 0, "user": each.name, "user_id": each.user_id}
        for at, each in enumerate(known)
    ]
    return Table(
        ("", "user", "id", "server"), rows, records, known, "nobody is logged in; login USER", columns=_COLUMNS
    )


@command("logout", example="logout operator", stream=False, in_plan=False, traits=CommandTraits(signs="out"))
async def logout(context: Context, user: Annotated[Token | None, LoggedIn()] = None) -> Result:
    """Forget a user, or all of them: nothing more is written in their name.

    MXAccess knows no logout. The id stays valid there until unregister, or the end of the session.
    """
    known = _names(context)
    if user is not None and user.value.casefold() not in map(str.casefold, known):
        raise user.mistake(f"{user.value} is not logged in{closest(user.value, known) or '; users lists who is'}")
    gone = context.connected.users.forget(user.value if user else None)
    names = ", ".join(each.name for each in gone) or "nobody"
    return TextResult(f"{names} logged out", {"users": [each.name for each in gone]})


@command(
    "archestra-user",
    example="archestra-user 7f9f2f9e-52a5-4f0e-9a8b-0d7ce8d0e5b1",
    stream=False,
    in_plan=False,
    traits=CommandTraits(signs="in"),
)
async def archestra_user(
    context: Context, guid: Annotated[str, Text("guid")], *, server: ServerOption = None
) -> Result:
    """Look up the user id of an ArchestrA user by the GUID that the galaxy knows the user by; that user then signs.

    Nobody proves who they are by a GUID, and a galaxy without security gives an id for any.
    """
    handle = await context.server_for(server)
    connected = context.connected
    session_id = context.session.session_id
    user_id = await context.session.archestra_user_to_id(handle, guid)
    connected.users.add(guid, user_id, handle, session_id)
    return TextResult(
        f"user {user_id} of server {handle}; {_PROVES_NOTHING}",
        {"guid": guid, "server_handle": handle, "user_id": user_id},
        user_id,
        brief=f"user {user_id}",
    )


COMMANDS = (login, users, logout, archestra_user)
