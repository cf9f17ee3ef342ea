"""Reflection and health: a client that knows nothing finds its way, without a key."""

import functools
from collections.abc import AsyncIterator

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from sim_wire import after_restart, bearer, failing

from zb_mom_ww_mxgateway_sim import SimulatedGateway

GATEWAY, GALAXY = "mxaccess_gateway.v1.MxAccessGateway", "galaxy_repository.v1.GalaxyRepository"
_OPTIONS = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]


class Stranger:
    """A generic client: it has reflection, and nothing of the contract."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        self.pool = descriptor_pool.DescriptorPool()

    async def ask(self, **fields: object) -> reflection_pb2.ServerReflectionResponse:
        async def question() -> AsyncIterator[reflection_pb2.ServerReflectionRequest]:
            yield reflection_pb2.ServerReflectionRequest(**fields)

        (answer,) = [answer async for answer in self._stub.ServerReflectionInfo(question(), timeout=60)]
        return answer

    async def learn(self, answer: reflection_pb2.ServerReflectionResponse) -> None:
        """Takes the files in, those that they need first."""
        for raw in answer.file_descriptor_response.file_descriptor_proto:
            file = descriptor_pb2.FileDescriptorProto.FromString(raw)
            try:
                self.pool.FindFileByName(file.name)
            except KeyError:
                for needed in file.dependency:
                    await self.learn(await self.ask(file_by_filename=needed))
                self.pool.Add(file)


async def test_a_generic_client_lists_the_services_and_calls_one(gateway: SimulatedGateway) -> None:
    async with grpc.aio.insecure_channel(gateway.endpoint, options=_OPTIONS) as channel:
        stranger = Stranger(channel)
        listed = {service.name for service in (await stranger.ask(list_services="")).list_services_response.service}
        assert listed == {
            GATEWAY,
            GALAXY,
            "grpc.health.v1.Health",
            "grpc.reflection.v1alpha.ServerReflection",
        }
        for name in (GATEWAY, GALAXY):
            await stranger.learn(await stranger.ask(file_containing_symbol=name))
        method = stranger.pool.FindServiceByName(GATEWAY).FindMethodByName("OpenSession")
        request = message_factory.GetMessageClass(method.input_type)(client_session_name="stranger")
        answer = message_factory.GetMessageClass(method.output_type)
        call = channel.unary_unary(
            f"/{GATEWAY}/OpenSession", lambda message: message.SerializeToString(), answer.FromString
        )
        reply = await call(request, metadata=bearer(gateway.api_key), timeout=60)
        assert gateway.sessions[reply.session_id].client_name == "stranger"
        # The way in is shown to everyone; what is behind it is not.
        assert (await failing(call(request, timeout=60)))[0] is grpc.StatusCode.UNAUTHENTICATED


async def test_health_is_serving_also_after_a_restart(gateway: SimulatedGateway) -> None:
    async with grpc.aio.insecure_channel(gateway.endpoint, options=_OPTIONS) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for _ in range(2):
            for service in ("", GATEWAY, GALAXY):
                request = health_pb2.HealthCheckRequest(service=service)
                reply = await after_restart(functools.partial(stub.Check, request, timeout=60))
                assert reply.status == health_pb2.HealthCheckResponse.SERVING
            unknown = stub.Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=60)
            assert (await failing(unknown))[0] is grpc.StatusCode.NOT_FOUND
            await gateway.restart()


async def test_health_says_serving_whatever_is_wrong_and_asks_for_no_key(gateway: SimulatedGateway) -> None:
    gateway.faults.lose_galaxy()
    gateway.faults.revoke("demo")
    gateway.faults.fail_alarm_provider()
    async with grpc.aio.insecure_channel(gateway.endpoint, options=_OPTIONS) as channel:
        reply = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=60)
        assert reply.status == health_pb2.HealthCheckResponse.SERVING
