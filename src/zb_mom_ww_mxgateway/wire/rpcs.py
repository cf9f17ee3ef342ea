"""RPCs of the contract: their paths and message types."""

from types import ModuleType
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
    messages: ModuleType
    """Where its message types are."""
    request_name: str
    reply_name: str
    of_session: bool = False
    """Whether NOT_FOUND and similar statuses are about a session."""

    # Looked up when they are used: a program may choose its contract after it has imported this.

    @property
    def request(self) -> Any:
        """The message type of its request."""
        return getattr(self.messages, self.request_name)

    @property
    def reply(self) -> Any:
        """The message type of its reply."""
        return getattr(self.messages, self.reply_name)

    def decode(self, data: bytes) -> Any:
        """Return the reply's message, or :class:`Undecodable`: gRPC hides the error of a decoder that raises."""
        try:
            return self.reply.FromString(data)
        except DecodeError:
            return Undecodable(data)


_GATEWAY = "/mxaccess_gateway.v1.MxAccessGateway/"
_GALAXY = "/galaxy_repository.v1.GalaxyRepository/"

OPEN_SESSION = Rpc(_GATEWAY + "OpenSession", pb, "OpenSessionRequest", "OpenSessionReply", True)
CLOSE_SESSION = Rpc(_GATEWAY + "CloseSession", pb, "CloseSessionRequest", "CloseSessionReply", True)
INVOKE = Rpc(_GATEWAY + "Invoke", pb, "MxCommandRequest", "MxCommandReply", True)
STREAM_EVENTS = Rpc(_GATEWAY + "StreamEvents", pb, "StreamEventsRequest", "MxEvent", True)
STREAM_ALARMS = Rpc(_GATEWAY + "StreamAlarms", pb, "StreamAlarmsRequest", "AlarmFeedMessage")
QUERY_ACTIVE_ALARMS = Rpc(_GATEWAY + "QueryActiveAlarms", pb, "QueryActiveAlarmsRequest", "ActiveAlarmSnapshot")
ACKNOWLEDGE_ALARM = Rpc(_GATEWAY + "AcknowledgeAlarm", pb, "AcknowledgeAlarmRequest", "AcknowledgeAlarmReply")
TEST_CONNECTION = Rpc(_GALAXY + "TestConnection", galaxy_pb, "TestConnectionRequest", "TestConnectionReply")
LAST_DEPLOY_TIME = Rpc(_GALAXY + "GetLastDeployTime", galaxy_pb, "GetLastDeployTimeRequest", "GetLastDeployTimeReply")
DISCOVER_HIERARCHY = Rpc(_GALAXY + "DiscoverHierarchy", galaxy_pb, "DiscoverHierarchyRequest", "DiscoverHierarchyReply")
BROWSE_CHILDREN = Rpc(_GALAXY + "BrowseChildren", galaxy_pb, "BrowseChildrenRequest", "BrowseChildrenReply")
WATCH_DEPLOY_EVENTS = Rpc(_GALAXY + "WatchDeployEvents", galaxy_pb, "WatchDeployEventsRequest", "DeployEvent")
