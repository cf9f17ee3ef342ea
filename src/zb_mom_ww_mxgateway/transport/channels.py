"""Channels to a gateway, made from the options."""

import os
from typing import Any

import grpc
import grpc.aio

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.options import ClientOptions, split_endpoint
from zb_mom_ww_mxgateway.transport import tls
from zb_mom_ww_mxgateway.version import __version__

# gRPC servers end a connection that is pinged more often than this (too_many_pings).
_KEEPALIVE_MS = 300_000
# Process that made the first channel; no other one, forked off later, can make any.
_process: int | None = None


def channel_options(options: ClientOptions, trust: tls.Trust) -> list[tuple[str, Any]]:
    """Return the gRPC channel arguments for these options."""
    arguments: list[tuple[str, Any]] = [
        ("grpc.max_send_message_length", options.max_message_bytes),
        ("grpc.max_receive_message_length", options.max_message_bytes),
        ("grpc.enable_http_proxy", int(options.http_proxy)),
        # Nothing that may have been sent is ever sent again.
        ("grpc.enable_retries", 0),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        # A broken connection is tried again soon, not after gRPC's minutes; an idle one stays.
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.client_idle_timeout_ms", 2**31 - 1),
        # Otherwise a new channel inherits the back-off, and the connection, of an older one.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.primary_user_agent", f"mxgw/{__version__}"),
    ]
    if trust.server_name is not None:
        arguments.append(("grpc.ssl_target_name_override", trust.server_name))
    return arguments


def make_channel(options: ClientOptions, trust: tls.Trust) -> grpc.aio.Channel:
    """Return an unconnected channel for the event loop, in plaintext only when the options ask for it.

    Raise MxGatewayError in a process that was forked off after its parent had made one: there gRPC hangs or crashes.
    """
    global _process
    if _process not in (None, os.getpid()):
        raise MxGatewayError(
            f"process {_process}, from which this one was forked, had connected before, and gRPC does not survive a "
            f'fork: start processes with multiprocessing\'s "spawn", or connect only after the fork'
        )
    _process = os.getpid()
    channel: grpc.aio.Channel = _channel(grpc.aio, options, channel_options(options, trust), trust)
    return channel


def make_reading_channel(options: ClientOptions, trust: tls.Trust) -> grpc.Channel:
    """Return an unconnected channel for a thread that reads one stream; gRPC starts no other thread for it."""
    from grpc.experimental import ChannelOptions  # Lazy: a client that streams no events needs none of it.

    single = (ChannelOptions.SingleThreadedUnaryStream, 1)
    channel: grpc.Channel = _channel(grpc, options, [*channel_options(options, trust), single], trust)
    return channel


def _channel(api: Any, options: ClientOptions, arguments: list[tuple[str, Any]], trust: tls.Trust) -> Any:
    # With its scheme, as a host may be named like one (unix, dns …); and as it was split, as gRPC would split it in
    # another way.
    host, port = split_endpoint(options.endpoint)
    target = f"dns:///[{host}]:{port}" if ":" in host else f"dns:///{host}:{port}"
    if trust.plaintext:
        return api.insecure_channel(target, options=arguments)
    return api.secure_channel(target, grpc.ssl_channel_credentials(trust.roots), options=arguments)
