"""Server reflection and the health service, for generic gRPC clients; neither asks for a key."""

import grpc

SERVICES = ("mxaccess_gateway.v1.MxAccessGateway", "galaxy_repository.v1.GalaxyRepository")


async def add(server: grpc.aio.Server) -> None:
    """Adds both to a server that is not started yet."""
    # Here, because only a gateway that serves needs them.
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc
    from grpc_reflection.v1alpha import reflection

    servicer = health.aio.HealthServicer()
    for name in ("", *SERVICES):
        await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    reflection.enable_server_reflection((*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
