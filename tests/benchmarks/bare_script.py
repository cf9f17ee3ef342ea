"""The calls of a two-line command file, made by a bare grpc.aio script: ``bare_script.py HOST:PORT TAG``."""

import asyncio
import sys

import grpc.aio

from zb_mom_ww_mxgateway.generated import (
    galaxy_repository_pb2 as galaxy,
    galaxy_repository_pb2_grpc,
    mxaccess_gateway_pb2 as pb,
    mxaccess_gateway_pb2_grpc,
)


async def main(endpoint: str, tag: str) -> None:
    async with grpc.aio.insecure_channel(endpoint, options=[("grpc.enable_http_proxy", 0)]) as channel:
        gateway = mxaccess_gateway_pb2_grpc.MxAccessGatewayStub(channel)
        await galaxy_repository_pb2_grpc.GalaxyRepositoryStub(channel).TestConnection(galaxy.TestConnectionRequest())
        session = await gateway.OpenSession(pb.OpenSessionRequest(client_session_name="bare"))

        async def invoke(kind: int, **payload: object) -> pb.MxCommandReply:
            command = pb.MxCommand(kind=kind, **payload)
            reply = await gateway.Invoke(pb.MxCommandRequest(session_id=session.session_id, command=command))
            assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_OK
            return reply

        events = gateway.StreamEvents(pb.StreamEventsRequest(session_id=session.session_id))
        await invoke(pb.MX_COMMAND_KIND_PING, ping=pb.PingCommand())
        registered = await invoke(pb.MX_COMMAND_KIND_REGISTER, register=pb.RegisterCommand(client_name="bare"))
        server = registered.register.server_handle
        await invoke(
            pb.MX_COMMAND_KIND_SUBSCRIBE_BULK,
            subscribe_bulk=pb.SubscribeBulkCommand(server_handle=server, tag_addresses=[tag]),
        )
        event = await events.read()
        assert event.quality == 192
        print(event.value.int32_value)
        events.cancel()
        await gateway.CloseSession(pb.CloseSessionRequest(session_id=session.session_id))


asyncio.run(main(*sys.argv[1:]))
