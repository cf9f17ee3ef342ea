"""Passwords of users: asked for without echo, or from where a file says they are. Never from a line."""

import os
from typing import NamedTuple

from zb_mom_ww_mxgateway_console.connect.secret_files import SecretFileError, first_line_of
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.process.unwaited import unwaited
from zb_mom_ww_mxgateway_shell.state.context import Context


class PasswordSource(NamedTuple):
    """Where a password is; neither for one that a person is asked for."""

    variable: str | None = None
    file: str | None = None


async def password_from(context: Context, user: str, source: PasswordSource) -> str:
    """Return the password of a user; raise ShellError, with nothing of it, where it cannot be had."""
    variable, file = source
    if variable and file:
        raise ShellError("--password-env and --password-file are both given: one of them says where the password is")
    if variable:
        password = os.environ.get(variable)
        if password is None:
            raise ShellError(f"no password of {user}: the environment variable {variable} is not set", ExitCode.GUARDED)
        return password
    if file:
        try:
            # A pipe may have nobody at its other end.
            return await unwaited(lambda: first_line_of(file), "password")
        except SecretFileError as error:
            raise ShellError(f"no password of {user}: cannot read {file}: {error}", ExitCode.GUARDED) from None
    if context.ask_secret is None:
        raise ShellError(
            f"no password of {user}, and no terminal to ask at: --password-env NAME or --password-file FILE says where "
            "it is",
            ExitCode.GUARDED,
        )
    return await context.ask_secret(f"password of {user}: ")
