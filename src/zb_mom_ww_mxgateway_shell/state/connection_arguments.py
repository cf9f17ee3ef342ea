"""Arguments that name a gateway and the options of a connection to it."""

import dataclasses
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.options import split_endpoint
from zb_mom_ww_mxgateway_shell.errors import ShellError, closest
from zb_mom_ww_mxgateway_shell.language.argument_types import FlagOption, Suggestion, Text
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.state.context import context_of


class EndpointOrProfile(Text):
    """HOST:PORT, or the name of a profile."""

    def __init__(self) -> None:
        super().__init__("host:port|profile")

    def parse(self, word: Token, context: Scope) -> str:
        try:
            known = context_of(context).profiles.profiles
        except ShellError as error:
            raise word.mistake(str(error)) from None
        if ":" not in word.value and word.value not in known:
            hint = closest(word.value, list(known)) or "; profiles lists them, HOST:PORT names a gateway"
            raise word.mistake(f"no profile {word.value}{hint}")
        if word.value not in known:
            try:
                split_endpoint(word.value)
            except MxGatewayArgumentError as error:
                raise word.mistake(str(error)) from None
        return word.value

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [
            Suggestion(name, each.connection.endpoint or "")
            for name, each in context_of(context).profiles.profiles.items()
            if name.startswith(prefix)
        ]


class FileRead(Text):
    """A file that is read at once: not a pipe, which would block everything else."""

    def __init__(self) -> None:
        super().__init__("file")

    def parse(self, word: Token, context: Scope) -> str:
        with suppress(OSError):
            if stat.S_ISFIFO(Path(word.value).stat().st_mode):
                raise word.mistake(f"cannot read {word.value}: it is no regular file")
        return super().parse(word, context)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectOptions:
    """Options of a connection, for ``connect`` and ``doctor``."""

    plaintext: FlagOption = False
    api_key_env: Annotated[str | None, Text("variable")] = None
    api_key_file: Annotated[str | None, FileRead()] = None
    ca_file: Annotated[str | None, FileRead()] = None
    require_certificate_validation: FlagOption = False
    server_name_override: Annotated[str | None, Text("name")] = None

    def given(self) -> dict[str, Any]:
        """Return the options that are given, by the names of a Connection's fields."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value}
