"""Lets a method answer with bytes where its message should be: what a client makes of them is its affair."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc


class RawReplies(grpc.aio.ServerInterceptor):
    """Sends bytes as they are, and messages as ever."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["grpc.RpcMethodHandler[Any, Any] | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_streaming or handler.response_serializer is None:
            return handler
        encode = handler.response_serializer

        def serialize(reply: Any) -> bytes:
            return reply if isinstance(reply, bytes) else encode(reply)

        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(handler.unary_stream, handler.request_deserializer, serialize)
        assert handler.unary_unary is not None
        return grpc.unary_unary_rpc_method_handler(handler.unary_unary, handler.request_deserializer, serialize)
