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
class Credentials:
    """A user, and the source of the password."""

    user: str
    password_env: str | None
    password_file: str | None
    option: str
    """``--user`` or ``--verifier``."""

    def check(self) -> None:
        """Raise click.UsageError unless exactly one source is named."""
        if (self.password_env is None) == (self.password_file is None):
            remedy = "name one" if self.password_env is None else "they exclude each other"
            raise click.UsageError(
                f"{self.option} takes its password from {self._source('env')} or {self._source('file')}: {remedy}"
            )

    def _source(self, kind: str) -> str:
        return f"--password-{kind}" if self.option == "--user" else f"{self.option}-password-{kind}"

    async def authenticate(self, session: "Session", server_handle: int) -> int:
        """Return the user's id for a server handle; raise the gateway's error if it refuses the user."""
        return await session.authenticate_user(server_handle, self.user, self._password())

    def _password(self) -> str:
        if self.password_file is not None:
            try:
                return first_line_of(self.password_file)
            except SecretFileError as error:
                raise click.UsageError(f"{self._source('file')}: cannot read {self.password_file}: {error}") from None
        password = os.environ.get(self.password_env or "")
        if password is None:
            raise click.UsageError(f"{self._source('env')}: the environment variable {self.password_env} is not set")
        return password


def credential_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--user`` and ``--verifier`` with the sources of their passwords.

    The command gets `users`: each by the field of an entry that takes its id.
    """

    @click.option("--user", callback=not_blank, metavar="NAME", help="Authenticate this user, who writes.")
    @click.option("--password-env", metavar="NAME", help="Environment variable with the user's password.")
    @click.option("--password-file", type=click.Path(), metavar="FILE", help="File whose first line is the password.")
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
                users[field] = Credentials(name, env, file, option)
                users[field].check()
                if arguments.get(field):
                    raise click.UsageError(f"{option} and --{field.replace('_', '-')} exclude each other: name one")
            elif env or file:
                raise click.UsageError(f"a password without its user: give {option} NAME")
        return function(users=users, **arguments)

    return with_users
