"""The gRPC services of a gateway, and the two standard ones for generic clients."""

import grpc

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2_grpc, mxaccess_gateway_pb2_grpc
from zb_mom_ww_mxgateway_sim.rpc.descriptors import reflected_pool
from zb_mom_ww_mxgateway_sim.rpc.galaxy_service import GalaxyService
from zb_mom_ww_mxgateway_sim.rpc.gateway_service import GatewayService

SERVICES = ("mxaccess_gateway.v1.MxAccessGateway", "galaxy_repository.v1.GalaxyRepository")


class GatewayServices:
    """The services that every server of one gateway gets, also after a restart."""

    def __init__(self, gateway: GatewayService, galaxy: GalaxyService) -> None:
        self._gateway = gateway
        self._galaxy = galaxy

    async def add_to(self, server: grpc.aio.Server) -> None:
        """Add the services to a server that is not started yet."""
        mxaccess_gateway_pb2_grpc.add_MxAccessGatewayServicer_to_server(self._gateway, server)
        galaxy_repository_pb2_grpc.add_GalaxyRepositoryServicer_to_server(self._galaxy, server)
        await _add_standard(server)


async def _add_standard(server: grpc.aio.Server) -> None:
    """Add server reflection and the health service. Neither asks for a key."""
    # Imported here: only a gateway that serves needs them.
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc
    from grpc_reflection.v1alpha import reflection

    servicer = health.aio.HealthServicer()
    for name in ("", *SERVICES):
        await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    reflection.enable_server_reflection(
        (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server, reflected_pool()
    )
