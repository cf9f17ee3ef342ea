from collections.abc import Callable as _Callable
from typing import Any as _Any

import grpc as _grpc
import grpc.aio as _aio

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as _messages

class GalaxyRepositoryStub:
    def __init__(self, channel: _grpc.Channel | _aio.Channel) -> None: ...
    TestConnection: _Callable[..., _Any]
    GetLastDeployTime: _Callable[..., _Any]
    DiscoverHierarchy: _Callable[..., _Any]
    WatchDeployEvents: _Callable[..., _Any]
    BrowseChildren: _Callable[..., _Any]

class GalaxyRepositoryServicer:
    def TestConnection(self, request: _messages.TestConnectionRequest, context: _Any) -> _Any: ...
    def GetLastDeployTime(self, request: _messages.GetLastDeployTimeRequest, context: _Any) -> _Any: ...
    def DiscoverHierarchy(self, request: _messages.DiscoverHierarchyRequest, context: _Any) -> _Any: ...
    def WatchDeployEvents(self, request: _messages.WatchDeployEventsRequest, context: _Any) -> _Any: ...
    def BrowseChildren(self, request: _messages.BrowseChildrenRequest, context: _Any) -> _Any: ...

def add_GalaxyRepositoryServicer_to_server(servicer: GalaxyRepositoryServicer, server: _grpc.Server | _aio.Server) -> None: ...
