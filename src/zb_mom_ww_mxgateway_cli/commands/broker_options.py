"""Which broker, and what proves who we are: from options, or all of it from the profile."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from zb_mom_ww_mxgateway.kept_secrets import LEAST, keep
from zb_mom_ww_mxgateway_cli.commands.credentials import PasswordOptions
from zb_mom_ww_mxgateway_cli.options import not_blank
from zb_mom_ww_mxgateway_console.connect.options import Connection

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_cli.forward.destination import Destination

_KEYS = (
    "broker_user",
    "broker_password_env",
    "broker_password_file",
    "broker_ca_file",
    "broker_cert_file",
    "broker_key_file",
)


@dataclass(frozen=True, slots=True)
class BrokerOptions:
    """The options that name a broker and the access to it."""

    urls: tuple[str, ...]
    named: Mapping[str, str]
    """Values of the other options, by name."""

    def destination(self, connection: Connection) -> "Destination":
        """Return the destination. Without a URL it is the profile's, with the profile's access.

        What a profile says of its broker is for no other one. Raises click.UsageError, and MxGatewayArgumentError for
        what cannot be right; neither contains a password.
        """
        from zb_mom_ww_mxgateway_cli.forward.destination import Access, destination_of

        profile = getattr(connection, "profile", None)
        of_profile = {} if profile is None else dict(profile.broker)
        urls, named = self.urls, dict(self.named)
        if not urls:
            if "broker" not in of_profile:
                raise click.UsageError("no broker: give --to URL, or name a --profile with a broker")
            urls = (of_profile.pop("broker"),)
            if named.keys() & {"broker_password_env", "broker_password_file"}:
                of_profile.pop("broker_password_env", None)
                of_profile.pop("broker_password_file", None)
            named = of_profile | named
        source = PasswordOptions(
            named.get("broker_password_env"), named.get("broker_password_file"), "--broker-password"
        )
        password = None
        if source.variable is not None or source.file is not None:
            source.check("the broker's user")
            password = source.read()
            if not password:
                raise click.UsageError("the broker's password is empty: its source has none")
            if len(password) >= LEAST:
                keep(password)
        return destination_of(
            urls,
            Access(
                named.get("broker_user"),
                password,
                named.get("broker_ca_file"),
                named.get("broker_cert_file"),
                named.get("broker_key_file"),
            ),
        )


def broker_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--to`` and the options of the access to a broker; the command gets them as one BrokerOptions, `broker`."""
    options = [
        click.option("--to", "urls", multiple=True, callback=not_blank, metavar="URL", help="The broker: see below."),
        click.option("--broker-user", callback=not_blank, metavar="NAME", help="User at the broker."),
        click.option(
            "--broker-password-env",
            callback=not_blank,
            metavar="NAME",
            help="Environment variable with the user's password; for NATS without a user, with a token.",
        ),
        click.option("--broker-password-file", type=click.Path(), metavar="FILE", help="File whose first line is it."),
        click.option(
            "--broker-ca-file", type=click.Path(), metavar="FILE", help="Verify the broker against these PEM roots."
        ),
        click.option(
            "--broker-cert-file", type=click.Path(), metavar="FILE", help="Our certificate for the broker, PEM."
        ),
        click.option("--broker-key-file", type=click.Path(), metavar="FILE", help="Its key, if it is in a file apart."),
    ]

    @functools.wraps(function)
    def with_broker(urls: tuple[str, ...], **arguments: Any) -> Any:
        named = {name: value for name in _KEYS if (value := arguments.pop(name)) is not None}
        return function(broker=BrokerOptions(urls, named), **arguments)

    decorated: Any = with_broker
    for option in reversed(options):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]  # click's decorators are typed for what they decorate
