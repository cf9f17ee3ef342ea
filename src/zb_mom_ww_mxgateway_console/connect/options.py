"""Connection options of the command lines: from options, files and the environment to ClientOptions."""

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions

ENDPOINT_VARIABLE = "MXGATEWAY_ENDPOINT"
API_KEY_VARIABLE = "MXGATEWAY_API_KEY"
KNOWN_GATEWAYS_VARIABLE = "MXGATEWAY_KNOWN_GATEWAYS"

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """Where to connect and what to trust, as the user gave it. The key itself is never an option."""

    endpoint: str | None = None
    api_key_env: str | None = None
    """The name of the environment variable with the key."""
    api_key_file: str | None = None
    """The file whose first line is the key."""
    plaintext: bool = False
    ca_file: str | None = None
    require_certificate_validation: bool = False
    server_name_override: str | None = None
    known_gateways: str | None = None
    forget_certificate: bool = False
    connect_timeout: float = 10.0
    protocol_mismatch: Literal["warn", "error", "ignore"] = "warn"

    def joined(self, other: "Connection") -> "Connection":
        """Return both together; where the other has not the default, its value."""
        plain = Connection()
        given = {each.name: getattr(other, each.name) for each in fields(plain)}
        return replace(self, **{name: value for name, value in given.items() if value != getattr(plain, name)})

    def client_options(self) -> "ClientOptions":
        """Return the library's options; raise its errors, and click.UsageError if nothing names an endpoint."""
        from zb_mom_ww_mxgateway import ClientOptions

        endpoint = self.endpoint or os.environ.get(ENDPOINT_VARIABLE)
        if not endpoint:
            raise click.UsageError(f"no endpoint: give --endpoint HOST:PORT or set {ENDPOINT_VARIABLE}")
        return ClientOptions(
            endpoint=endpoint,
            api_key=self.api_key(),
            plaintext=self.plaintext,
            ca_file=self.ca_file,
            require_certificate_validation=self.require_certificate_validation,
            server_name_override=self.server_name_override,
            known_gateways=self.known_gateways or os.environ.get(KNOWN_GATEWAYS_VARIABLE) or None,
            remember_certificate=not self.forget_certificate,
            connect_timeout=self.connect_timeout,
            protocol_mismatch=self.protocol_mismatch,
        )

    def api_key(self) -> str | None:
        """Return the key from its source; None if no source is named and the usual variable is not set."""
        from zb_mom_ww_mxgateway import MxGatewayAuthenticationError
        from zb_mom_ww_mxgateway.auth import redact  # For a key that was given instead of its source's name.

        if self.api_key_env and self.api_key_file:
            raise click.UsageError("--api-key-env and --api-key-file exclude each other: name one")
        if self.api_key_file:
            from zb_mom_ww_mxgateway_console.connect.secret_files import SecretFileError, first_line_of

            try:
                return first_line_of(self.api_key_file).strip()  # No key contains a blank.
            except SecretFileError as error:
                raise MxGatewayAuthenticationError(
                    f"no key: cannot read {redact(self.api_key_file)}: {error}"
                ) from None
        key = os.environ.get(self.api_key_env or API_KEY_VARIABLE)
        if self.api_key_env and key is None:
            raise MxGatewayAuthenticationError(
                f"no key: the environment variable {redact(self.api_key_env)} is not set"
            )
        return key


def connection_options(function: F) -> F:
    """Add the connection options to a click command, which gets them as one `connection` argument."""

    options = [
        click.option("--endpoint", metavar="HOST:PORT", help=f"The gateway; or set {ENDPOINT_VARIABLE}."),
        click.option(
            "--api-key-env", metavar="NAME", help=f"Environment variable with the API key [{API_KEY_VARIABLE}]."
        ),
        click.option("--api-key-file", type=click.Path(), metavar="FILE", help="File whose first line is the API key."),
        click.option("--plaintext", is_flag=True, help="No TLS. Never guessed."),
        click.option(
            "--ca-file", type=click.Path(), metavar="FILE", help="Verify the gateway against these PEM roots."
        ),
        click.option("--require-certificate-validation", is_flag=True, help="Verify against the system's roots."),
        click.option("--server-name-override", metavar="NAME", help="Name expected in the certificate."),
        click.option(
            "--known-gateways",
            type=click.Path(),
            metavar="FILE",
            help=f"Remembered certificates; or set {KNOWN_GATEWAYS_VARIABLE}.",
        ),
        click.option("--forget-certificate", is_flag=True, help="Trust on first use, and remember nothing."),
        click.option(
            "--connect-timeout", type=click.FloatRange(0.1, 3600), default=10.0, metavar="SECONDS", show_default=True
        ),
        click.option(
            "--protocol-mismatch",
            type=click.Choice(["warn", "error", "ignore"]),
            default="warn",
            show_default=True,
            help="What to do when a gateway that opens a session speaks another protocol version.",
        ),
    ]

    @functools.wraps(function)
    def with_connection(**arguments: Any) -> Any:
        gathered = {field.name: arguments.pop(field.name) for field in fields(Connection)}
        return function(connection=Connection(**gathered), **arguments)

    decorated: Any = with_connection
    for option in reversed(options):
        decorated = option(decorated)
    return cast(F, decorated)


def profile_option(function: F) -> F:
    """Add ``--profile``; the command gets its name as `profile`."""
    option = click.option("--profile", metavar="NAME", help="Connect with this profile of profiles.toml.")
    return option(function)


def connection_of_line(connection: Connection, profile: str | None) -> tuple[Connection, str | None]:
    """Return the connection and the profile for a line of a batch, whose options are the defaults.

    A line may name another gateway: no setting of a profile applies to another gateway, and a key that the batch names
    with its own gateway is not sent to another one.
    """
    context = click.get_current_context()
    batch: Mapping[str, Any] = context.default_map or {}
    names = [each.name for each in fields(Connection)]
    own = {name for name in (*names, "profile") if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    if "profile" in own:
        if profile == batch.get("profile"):
            return connection, profile
        return Connection(**{name: getattr(connection, name) for name in own if name in names}), profile
    keys = {"api_key_env", "api_key_file"}
    if "endpoint" in own:
        profile = None
    if own & keys or ("endpoint" in own and _names_another(batch, connection.endpoint or "")):
        cleared: dict[str, Any] = dict.fromkeys(keys - own)
        connection = replace(connection, **cleared)
    return connection, profile


def names_another_gateway(connection: Connection, profile: str | None) -> bool:
    """Return whether a line of a batch names a gateway, or a profile, that is not the batch's."""
    context = click.get_current_context()
    batch: Mapping[str, Any] = context.default_map or {}

    def is_own(name: str) -> bool:
        return context.get_parameter_source(name) is ParameterSource.COMMANDLINE

    return (is_own("profile") and profile != batch.get("profile")) or (
        is_own("endpoint") and _names_another(batch, connection.endpoint or "")
    )


def _names_another(batch: Mapping[str, Any], endpoint: str) -> bool:
    """Return whether the batch names a gateway that may be another one."""
    from zb_mom_ww_mxgateway.transport.known_gateways import endpoint_key

    named = batch.get("endpoint")
    return "profile" in batch if named is None else endpoint_key(named) != endpoint_key(endpoint)
