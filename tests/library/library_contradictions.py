"""A gateway that does not keep to the contract: each call is answered as the test says."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio

from zb_mom_ww_mxgateway import GatewayClient
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb, mxaccess_gateway_pb2_grpc as rpc

OK = pb.ProtocolStatus(code=pb.PROTOCOL_STATUS_CODE_OK)


class Contradicting(rpc.MxAccessGatewayServicer):
    """Answers OpenSession, Invoke and CloseSession with these messages."""

    def __init__(self) -> None:
        self.opened = pb.OpenSessionReply(session_id="session-" + "0" * 31 + "7", gateway_protocol_version=3)
        self.closed = pb.CloseSessionReply()
        self.closings = 0
        self.answer: Callable[[pb.MxCommandRequest], pb.MxCommandReply] = lambda request: pb.MxCommandReply()

    async def OpenSession(self, request: Any, context: Any) -> pb.OpenSessionReply:
        return self.opened

    async def CloseSession(self, request: Any, context: Any) -> pb.CloseSessionReply:
        self.closings += 1
        return self.closed

    async def Invoke(self, request: pb.MxCommandRequest, context: Any) -> pb.MxCommandReply:
        return self.answer(request)


@asynccontextmanager
async def contradicting() -> AsyncIterator[tuple[Contradicting, GatewayClient]]:
    """Such a gateway, and a client connected to it."""
    servicer, server = Contradicting(), grpc.aio.server()
    rpc.add_MxAccessGatewayServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        # It has no galaxy: to a first call that is good enough.
        async with await GatewayClient.connect(endpoint=f"127.0.0.1:{port}", plaintext=True) as client:
            yield servicer, client
    finally:
        await server.stop(None)
