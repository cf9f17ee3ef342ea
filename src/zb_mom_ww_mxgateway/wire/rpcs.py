"""RPCs of the contract: their paths and message types."""

from typing import Any, NamedTuple

from google.protobuf.message import DecodeError as DecodeError

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy_pb, mxaccess_gateway_pb2 as pb


class Undecodable(NamedTuple):
    """Bytes that are not a message of the contract."""

    data: bytes

    def __str__(self) -> str:
        return f"{len(self.data)} bytes came that are not a message of the contract"


class Rpc(NamedTuple):
    """One RPC of the contract."""

    path: str
    request: Any
    reply: Any
    of_session: bool = False
    """Whether NOT_FOUND and similar statuses are about a session."""

    def decode(self, data: bytes) -> Any:
        """Return the reply's message, or :class:`Undecodable`: gRPC hides the error of a decoder that raises."""
        try:
            return self.reply.FromString(data)
        except DecodeError:
            return Undecodable(data)


_GATEWAY = "/mxaccess_gateway.v1.MxAccessGateway/"
_GALAXY = "/galaxy_repository.v1.GalaxyRepository/"

OPEN_SESSION = Rpc(_GATEWAY + "OpenSession", pb.OpenSessionRequest, pb.OpenSessionReply, True)
CLOSE_SESSION = Rpc(_GATEWAY + "CloseSession", pb.CloseSessionRequest, pb.CloseSessionReply, True)
INVOKE = Rpc(_GATEWAY + "Invoke", pb.MxCommandRequest, pb.MxCommandReply, True)
STREAM_EVENTS = Rpc(_GATEWAY + "StreamEvents", pb.StreamEventsRequest, pb.MxEvent, True)
STREAM_ALARMS = Rpc(_GATEWAY + "StreamAlarms", pb.StreamAlarmsRequest, pb.AlarmFeedMessage)
QUERY_ACTIVE_ALARMS = Rpc(_GATEWAY + "QueryActiveAlarms", pb.QueryActiveAlarmsRequest, pb.ActiveAlarmSnapshot)
ACKNOWLEDGE_ALARM = Rpc(_GATEWAY + "AcknowledgeAlarm", pb.AcknowledgeAlarmRequest, pb.AcknowledgeAlarmReply)
TEST_CONNECTION = Rpc(_GALAXY + "TestConnection", galaxy_pb.TestConnectionRequest, galaxy_pb.TestConnectionReply)
LAST_DEPLOY_TIME = Rpc(
    _GALAXY + "GetLastDeployTime", galaxy_pb.GetLastDeployTimeRequest, galaxy_pb.GetLastDeployTimeReply
)
DISCOVER_HIERARCHY = Rpc(
    _GALAXY + "DiscoverHierarchy", galaxy_pb.DiscoverHierarchyRequest, galaxy_pb.DiscoverHierarchyReply
)
BROWSE_CHILDREN = Rpc(_GALAXY + "BrowseChildren", galaxy_pb.BrowseChildrenRequest, galaxy_pb.BrowseChildrenReply)
WATCH_DEPLOY_EVENTS = Rpc(_GALAXY + "WatchDeployEvents", galaxy_pb.WatchDeployEventsRequest, galaxy_pb.DeployEvent)
