"""Users for secured writes: their names are options, their passwords never are."""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from zb_mom_ww_mxgateway_cli.options import not_blank
from zb_mom_ww_mxgateway_console.connect.secret_files import SecretFileError, first_line_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import Session


@dataclass(frozen=True, slots=True)
class PasswordOptions:
    """``--password-env`` and ``--password-file``: the environment variable or the file that has a password."""

    variable: str | None
    file: str | None
    option: str = "--password"
    """The start of the two options."""

    def check(self, owner: str) -> None:
        """Raise click.UsageError, which names the `owner` of the password, unless exactly one source is named."""
        if (self.variable is None) == (self.file is None):
            remedy = "name one" if self.variable is None else "they exclude each other"
            raise click.UsageError(f"{owner} takes its password from {self.option}-env or {self.option}-file: {remedy}")

    def read(self) -> str:
        """Return the password; raise click.UsageError, with nothing of it, if it cannot be read."""
        if self.file is not None:
            try:
                return first_line_of(self.file)
            except SecretFileError as error:
                raise click.UsageError(f"{self.option}-file: cannot read {self.file}: {error}") from None
        password = os.environ.get(self.variable or "")
        if password is None:
            raise click.UsageError(f"{self.option}-env: the environment variable {self.variable} is not set")
        return password


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user, and the source of the password."""

    user: str
    password: PasswordOptions

    async def authenticate(self, session: "Session", server_handle: int) -> int:
        """Return the user's id for a server handle; raise the gateway's error if it refuses the user."""
        return await session.authenticate_user(server_handle, self.user, self.password.read())


def password_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--password-env`` and ``--password-file``, which have the password of a user."""
    function = click.option(
        "--password-file", type=click.Path(), metavar="FILE", help="File whose first line is the password."
    )(function)
    return click.option("--password-env", metavar="NAME", help="Environment variable with the user's password.")(
        function
    )


def credential_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--user`` and ``--verifier`` with the sources of their passwords.

    The command gets `users`: each by the field of an entry that takes its id.
    """

    @click.option("--user", callback=not_blank, metavar="NAME", help="Authenticate this user, who writes.")
    @password_options
    @click.option("--verifier", callback=not_blank, metavar="NAME", help="Authenticate this user, who verifies.")
    @click.option("--verifier-password-env", metavar="NAME", help="Environment variable with the verifier's password.")
    @click.option(
        "--verifier-password-file",
        type=click.Path(),
        metavar="FILE",
        help="File with that password.",
    )
    @functools.wraps(function)
    def with_users(**arguments: Any) -> Any:
        users: dict[str, Credentials] = {}
        for option, prefix, field in (
            ("--user", "", "current_user_id"),
            ("--verifier", "verifier_", "verifier_user_id"),
        ):
            name = arguments.pop(option.removeprefix("--"))
            env, file = arguments.pop(f"{prefix}password_env"), arguments.pop(f"{prefix}password_file")
            if name is not None:
                source = PasswordOptions(env, file, "--password" if option == "--user" else f"{option}-password")
                source.check(option)
                users[field] = Credentials(name, source)
                if arguments.get(field):
                    raise click.UsageError(f"{option} and --{field.replace('_', '-')} exclude each other: name one")
            elif env or file:
                raise click.UsageError(f"a password without its user: give {option} NAME")
        return function(users=users, **arguments)

    return with_users
