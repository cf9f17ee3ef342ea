"""The wire contract, spelled out a second time: every rpc, enum value and field of both .proto files.

A field reads ``number [oneof/]name [repeated|optional] type``. What a real gateway understands hangs on
these numbers, so a slip in a .proto file must not go unseen.
"""

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2, mxaccess_gateway_pb2

GATEWAY: FileDescriptor = mxaccess_gateway_pb2.DESCRIPTOR
GALAXY: FileDescriptor = galaxy_repository_pb2.DESCRIPTOR

RPCS = {
    "mxaccess_gateway.v1.MxAccessGateway": """
        OpenSession(OpenSessionRequest) OpenSessionReply
        CloseSession(CloseSessionRequest) CloseSessionReply
        Invoke(MxCommandRequest) MxCommandReply
        StreamEvents(StreamEventsRequest) stream MxEvent
        AcknowledgeAlarm(AcknowledgeAlarmRequest) AcknowledgeAlarmReply
        StreamAlarms(StreamAlarmsRequest) stream AlarmFeedMessage
        QueryActiveAlarms(QueryActiveAlarmsRequest) stream ActiveAlarmSnapshot
    """,
    "galaxy_repository.v1.GalaxyRepository": """
        TestConnection(TestConnectionRequest) TestConnectionReply
        GetLastDeployTime(GetLastDeployTimeRequest) GetLastDeployTimeReply
        DiscoverHierarchy(DiscoverHierarchyRequest) DiscoverHierarchyReply
        WatchDeployEvents(WatchDeployEventsRequest) stream DeployEvent
        BrowseChildren(BrowseChildrenRequest) BrowseChildrenReply
    """,
}

# Each value is spelled ENUM_NAME_VALUE; 0 is UNSPECIFIED everywhere.
ENUMS = {
    "MxCommandKind": """
        REGISTER 1, UNREGISTER 2, ADD_ITEM 3, ADD_ITEM2 4, REMOVE_ITEM 5, ADVISE 6, UN_ADVISE 7, ADVISE_SUPERVISORY 8,
        ADD_BUFFERED_ITEM 9, SET_BUFFERED_UPDATE_INTERVAL 10, SUSPEND 11, ACTIVATE 12, WRITE 13, WRITE2 14,
        WRITE_SECURED 15, WRITE_SECURED2 16, AUTHENTICATE_USER 17, ARCHESTRA_USER_TO_ID 18, ADD_ITEM_BULK 19,
        ADVISE_ITEM_BULK 20, REMOVE_ITEM_BULK 21, UN_ADVISE_ITEM_BULK 22, SUBSCRIBE_BULK 23, UNSUBSCRIBE_BULK 24,
        SUBSCRIBE_ALARMS 25, UNSUBSCRIBE_ALARMS 26, ACKNOWLEDGE_ALARM 27, QUERY_ACTIVE_ALARMS 28,
        ACKNOWLEDGE_ALARM_BY_NAME 29, WRITE_BULK 30, WRITE2_BULK 31, WRITE_SECURED_BULK 32, WRITE_SECURED2_BULK 33,
        READ_BULK 34, PING 100, GET_SESSION_STATE 101, GET_WORKER_INFO 102, DRAIN_EVENTS 103, SHUTDOWN_WORKER 104
    """,
    "MxEventFamily": """
        ON_DATA_CHANGE 1, ON_WRITE_COMPLETE 2, OPERATION_COMPLETE 3, ON_BUFFERED_DATA_CHANGE 4, ON_ALARM_TRANSITION 5,
        ON_ALARM_PROVIDER_MODE_CHANGED 6
    """,
    "MxDataType": """
        UNKNOWN 1, NO_DATA 2, BOOLEAN 3, INTEGER 4, FLOAT 5, DOUBLE 6, STRING 7, TIME 8, ELAPSED_TIME 9,
        REFERENCE_TYPE 10, STATUS_TYPE 11, DATA_TYPE_ENUM 12, SECURITY_CLASSIFICATION_ENUM 13, DATA_QUALITY_TYPE 14,
        QUALIFIED_ENUM 15, QUALIFIED_STRUCT 16, INTERNATIONALIZED_STRING 17, BIG_STRING 18
    """,
    "MxStatusCategory": """
        UNKNOWN 1, OK 2, PENDING 3, WARNING 4, COMMUNICATION_ERROR 5, CONFIGURATION_ERROR 6, OPERATIONAL_ERROR 7,
        SECURITY_ERROR 8, SOFTWARE_ERROR 9, OTHER_ERROR 10
    """,
    "MxStatusSource": """
        UNKNOWN 1, REQUESTING_LMX 2, RESPONDING_LMX 3, REQUESTING_NMX 4, RESPONDING_NMX 5,
        REQUESTING_AUTOMATION_OBJECT 6, RESPONDING_AUTOMATION_OBJECT 7
    """,
    "ProtocolStatusCode": """
        OK 1, INVALID_REQUEST 2, SESSION_NOT_FOUND 3, SESSION_NOT_READY 4, WORKER_UNAVAILABLE 5, TIMEOUT 6, CANCELED 7,
        PROTOCOL_VIOLATION 8, MXACCESS_FAILURE 9
    """,
    "SessionState": """
        CREATING 1, STARTING_WORKER 2, WAITING_FOR_PIPE 3, HANDSHAKING 4, INITIALIZING_WORKER 5, READY 6, CLOSING 7,
        CLOSED 8, FAULTED 9
    """,
    "AlarmProviderMode": "ALARMMGR 1, SUBTAG 2",
    "AlarmTransitionKind": "RAISE 1, ACKNOWLEDGE 2, CLEAR 3, RETRIGGER 4",
    "AlarmConditionState": "ACTIVE 1, ACTIVE_ACKED 2, INACTIVE 3",
}

_SERVER = "1 server_handle int32"
_ITEM = f"{_SERVER}, 2 item_handle int32"
_TAGS = f"{_SERVER}, 2 tag_addresses repeated string"
_HANDLES = f"{_SERVER}, 2 item_handles repeated int32"
_ITEM_ADDED = "1 item_handle int32"

SESSIONS = {
    "OpenSessionRequest": "1 client_session_name string, 2 client_correlation_id string, 3 command_timeout Duration",
    "OpenSessionReply": """
        1 session_id string, 2 backend_name string, 3 worker_process_id int32, 4 worker_protocol_version uint32,
        5 capabilities repeated string, 6 gateway_protocol_version uint32, 7 default_command_timeout Duration,
        8 protocol_status ProtocolStatus
    """,
    "CloseSessionRequest": "1 session_id string, 2 client_correlation_id string",
    "CloseSessionReply": "1 session_id string, 2 final_state SessionState, 3 protocol_status ProtocolStatus",
    "StreamEventsRequest": "1 session_id string, 2 after_worker_sequence uint64",
    "ProtocolStatus": "1 code ProtocolStatusCode, 2 message string",
}

# The reply's arms, for the kinds that answer with a payload.
_REPLY_ARMS = """
    20 register RegisterReply, 21 add_item AddItemReply, 22 add_item2 AddItem2Reply,
    23 add_buffered_item AddBufferedItemReply, 24 suspend SuspendReply, 25 activate ActivateReply,
    26 authenticate_user AuthenticateUserReply, 27 archestra_user_to_id ArchestrAUserToIdReply,
    28 add_item_bulk BulkSubscribeReply, 29 advise_item_bulk BulkSubscribeReply,
    30 remove_item_bulk BulkSubscribeReply, 31 un_advise_item_bulk BulkSubscribeReply,
    32 subscribe_bulk BulkSubscribeReply, 33 unsubscribe_bulk BulkSubscribeReply,
    34 acknowledge_alarm AcknowledgeAlarmReplyPayload, 35 query_active_alarms QueryActiveAlarmsReplyPayload,
    36 write_bulk BulkWriteReply, 37 write2_bulk BulkWriteReply, 38 write_secured_bulk BulkWriteReply,
    39 write_secured2_bulk BulkWriteReply, 40 read_bulk BulkReadReply, 100 session_state SessionStateReply,
    101 worker_info WorkerInfoReply, 102 drain_events DrainEventsReply
"""


def _arms(oneof: str, arms: str) -> str:
    return ", ".join(f"{number} {oneof}/{rest}" for number, rest in (arm.split(" ", 1) for arm in _fields(arms)))


def _fields(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split(",") if part.strip()]


def _command_arms() -> str:
    """An arm's number is its kind's plus 9, from 100 on the kind's own; its name the kind in lower case."""
    arms = []
    for entry in _fields(ENUMS["MxCommandKind"]):
        kind, text = entry.split()
        number = int(text) + 9 if int(text) < 100 else int(text)
        camel = "".join(part.capitalize() for part in kind.split("_")).replace("Archestra", "ArchestrA")
        arms.append(f"{number} payload/{kind.lower()} {camel}Command")
    return ", ".join(arms)


COMMANDS = {
    "MxCommandRequest": "1 session_id string, 2 client_correlation_id string, 3 command MxCommand",
    "MxCommand": f"1 kind MxCommandKind, {_command_arms()}",
    "MxCommandReply": f"""
        1 session_id string, 2 correlation_id string, 3 kind MxCommandKind, 4 protocol_status ProtocolStatus,
        5 hresult optional int32, 6 return_value MxValue, 7 statuses repeated MxStatusProxy,
        8 diagnostic_message string, {_arms("payload", _REPLY_ARMS)}
    """,
    "RegisterCommand": "1 client_name string",
    "RegisterReply": "1 server_handle int32",
    "UnregisterCommand": _SERVER,
    "AddItemCommand": f"{_SERVER}, 2 item_definition string",
    "AddItem2Command": f"{_SERVER}, 2 item_definition string, 3 item_context string",
    "AddBufferedItemCommand": f"{_SERVER}, 2 item_definition string, 3 item_context string",
    "AddItemReply": _ITEM_ADDED,
    "AddItem2Reply": _ITEM_ADDED,
    "AddBufferedItemReply": _ITEM_ADDED,
    "RemoveItemCommand": _ITEM,
    "AdviseCommand": _ITEM,
    "UnAdviseCommand": _ITEM,
    "AdviseSupervisoryCommand": _ITEM,
    "SuspendCommand": _ITEM,
    "ActivateCommand": _ITEM,
    "SuspendReply": "1 status MxStatusProxy",
    "ActivateReply": "1 status MxStatusProxy",
    "SetBufferedUpdateIntervalCommand": f"{_SERVER}, 2 update_interval_milliseconds int32",
    "WriteCommand": f"{_ITEM}, 3 value MxValue, 4 user_id int32",
    "Write2Command": f"{_ITEM}, 3 value MxValue, 4 timestamp_value MxValue, 5 user_id int32",
    "WriteSecuredCommand": f"{_ITEM}, 3 current_user_id int32, 4 verifier_user_id int32, 5 value MxValue",
    "WriteSecured2Command": f"""
        {_ITEM}, 3 current_user_id int32, 4 verifier_user_id int32, 5 value MxValue, 6 timestamp_value MxValue
    """,
    "AuthenticateUserCommand": f"{_SERVER}, 2 verify_user string, 3 verify_user_password string",
    "AuthenticateUserReply": "1 user_id int32",
    "ArchestrAUserToIdCommand": f"{_SERVER}, 2 user_id_guid string",
    "ArchestrAUserToIdReply": "1 user_id int32",
    "AddItemBulkCommand": _TAGS,
    "SubscribeBulkCommand": _TAGS,
    "AdviseItemBulkCommand": _HANDLES,
    "RemoveItemBulkCommand": _HANDLES,
    "UnAdviseItemBulkCommand": _HANDLES,
    "UnsubscribeBulkCommand": _HANDLES,
    "BulkSubscribeReply": "1 results repeated SubscribeResult",
    "SubscribeResult": f"""
        {_SERVER}, 2 tag_address string, 3 item_handle int32, 4 was_successful bool, 5 error_message string
    """,
    "WriteBulkCommand": f"{_SERVER}, 2 entries repeated WriteBulkEntry",
    "Write2BulkCommand": f"{_SERVER}, 2 entries repeated Write2BulkEntry",
    "WriteSecuredBulkCommand": f"{_SERVER}, 2 entries repeated WriteSecuredBulkEntry",
    "WriteSecured2BulkCommand": f"{_SERVER}, 2 entries repeated WriteSecured2BulkEntry",
    "WriteBulkEntry": "1 item_handle int32, 2 value MxValue, 3 user_id int32",
    "Write2BulkEntry": "1 item_handle int32, 2 value MxValue, 3 timestamp_value MxValue, 4 user_id int32",
    "WriteSecuredBulkEntry": "1 item_handle int32, 2 current_user_id int32, 3 verifier_user_id int32, 4 value MxValue",
    "WriteSecured2BulkEntry": """
        1 item_handle int32, 2 current_user_id int32, 3 verifier_user_id int32, 4 value MxValue,
        5 timestamp_value MxValue
    """,
    "BulkWriteReply": "1 results repeated BulkWriteResult",
    "BulkWriteResult": f"""
        {_ITEM}, 3 was_successful bool, 4 hresult optional int32, 5 statuses repeated MxStatusProxy,
        6 error_message string
    """,
    "ReadBulkCommand": f"{_TAGS}, 3 timeout_ms uint32",
    "BulkReadReply": "1 results repeated BulkReadResult",
    "BulkReadResult": f"""
        {_SERVER}, 2 tag_address string, 3 item_handle int32, 4 was_successful bool, 5 was_cached bool,
        6 value MxValue, 7 quality int32, 8 source_timestamp Timestamp, 9 statuses repeated MxStatusProxy,
        10 error_message string
    """,
    "SubscribeAlarmsCommand": """
        1 subscription_expression string, 2 forced_mode AlarmProviderMode, 3 watch_list repeated AlarmSubtagTarget,
        4 failover AlarmFailoverConfig
    """,
    "UnsubscribeAlarmsCommand": "",
    "AlarmSubtagTarget": """
        1 alarm_full_reference string, 2 source_object_reference string, 3 active_subtag string,
        4 acked_subtag string, 5 ack_comment_subtag string, 6 priority_subtag string
    """,
    "AlarmFailoverConfig": """
        1 consecutive_failure_threshold int32, 2 failback_probe_interval_seconds int32, 3 failback_stable_probes int32
    """,
    "AcknowledgeAlarmCommand": """
        1 alarm_guid string, 2 comment string, 3 operator_user string, 4 operator_node string,
        5 operator_domain string, 6 operator_full_name string
    """,
    "AcknowledgeAlarmByNameCommand": """
        1 alarm_name string, 2 provider_name string, 3 group_name string, 4 comment string, 5 operator_user string,
        6 operator_node string, 7 operator_domain string, 8 operator_full_name string
    """,
    "QueryActiveAlarmsCommand": "1 alarm_filter_prefix string",
    "AcknowledgeAlarmReplyPayload": "1 native_status int32",
    "QueryActiveAlarmsReplyPayload": "1 snapshots repeated ActiveAlarmSnapshot",
    "PingCommand": "",
    "GetSessionStateCommand": "",
    "GetWorkerInfoCommand": "",
    "ShutdownWorkerCommand": "",
    "SessionStateReply": "1 state SessionState",
    "WorkerInfoReply": """
        1 worker_process_id int32, 2 worker_version string, 3 mxaccess_version string, 4 started_at Timestamp
    """,
    "DrainEventsCommand": "1 max_events uint32",
    "DrainEventsReply": "1 events repeated MxEvent",
}

VALUES = {
    "MxValue": """
        1 data_type MxDataType, 2 variant_type string, 3 is_null bool, 4 raw_diagnostic string, 5 raw_data_type int32,
        10 kind/bool_value bool, 11 kind/int32_value int32, 12 kind/int64_value int64, 13 kind/float_value float,
        14 kind/double_value double, 15 kind/string_value string, 16 kind/timestamp_value Timestamp,
        17 kind/array_value MxArray, 18 kind/raw_value bytes, 19 kind/sparse_array_value MxSparseArray
    """,
    "MxArray": """
        1 element_data_type MxDataType, 2 variant_type string, 3 dimensions repeated uint32, 4 raw_diagnostic string,
        10 values/bool_values BoolArray, 11 values/int32_values Int32Array, 12 values/int64_values Int64Array,
        13 values/float_values FloatArray, 14 values/double_values DoubleArray, 15 values/string_values StringArray,
        16 values/timestamp_values TimestampArray, 17 values/raw_values RawArray
    """,
    "BoolArray": "1 values repeated bool",
    "Int32Array": "1 values repeated int32",
    "Int64Array": "1 values repeated int64",
    "FloatArray": "1 values repeated float",
    "DoubleArray": "1 values repeated double",
    "StringArray": "1 values repeated string",
    "TimestampArray": "1 values repeated Timestamp",
    "RawArray": "1 values repeated bytes",
    "MxSparseArray": "1 element_data_type MxDataType, 2 total_length uint32, 3 elements repeated MxSparseElement",
    "MxSparseElement": "1 index uint32, 2 value MxValue",
    "MxStatusProxy": """
        1 success int32, 2 category MxStatusCategory, 3 detected_by MxStatusSource, 4 detail int32,
        5 raw_category int32, 6 raw_detected_by int32, 7 diagnostic_text string
    """,
}

EVENTS = {
    "MxEvent": """
        1 family MxEventFamily, 2 session_id string, 3 server_handle int32, 4 item_handle int32, 5 value MxValue,
        6 quality int32, 7 source_timestamp Timestamp, 8 statuses repeated MxStatusProxy, 9 worker_sequence uint64,
        10 worker_timestamp Timestamp, 11 gateway_receive_timestamp Timestamp, 12 hresult optional int32,
        13 raw_status string, 14 replay_gap optional ReplayGap, 20 body/on_data_change OnDataChangeEvent,
        21 body/on_write_complete OnWriteCompleteEvent, 22 body/operation_complete OperationCompleteEvent,
        23 body/on_buffered_data_change OnBufferedDataChangeEvent, 24 body/on_alarm_transition OnAlarmTransitionEvent,
        25 body/on_alarm_provider_mode_changed OnAlarmProviderModeChangedEvent
    """,
    "OnDataChangeEvent": "",
    "OnWriteCompleteEvent": "",
    "OperationCompleteEvent": "",
    "OnBufferedDataChangeEvent": """
        1 data_type MxDataType, 2 values MxArray, 3 qualities repeated int32, 4 timestamps repeated Timestamp
    """,
    "OnAlarmProviderModeChangedEvent": "1 mode AlarmProviderMode, 2 degraded bool, 3 reason string, 4 since Timestamp",
    "ReplayGap": "1 requested_after_sequence uint64, 2 oldest_available_sequence uint64",
}

ALARMS = {
    "OnAlarmTransitionEvent": """
        1 alarm_full_reference string, 2 source_object_reference string, 3 alarm_type_name string,
        4 transition_kind AlarmTransitionKind, 5 severity int32, 6 original_raise_timestamp Timestamp,
        7 transition_timestamp Timestamp, 8 operator_user string, 9 operator_comment string, 10 category string,
        11 description string, 12 current_value MxValue, 13 limit_value MxValue, 14 degraded bool,
        15 source_provider AlarmProviderMode
    """,
    "ActiveAlarmSnapshot": """
        1 alarm_full_reference string, 2 source_object_reference string, 3 alarm_type_name string, 4 severity int32,
        5 original_raise_timestamp Timestamp, 6 current_state AlarmConditionState, 7 category string,
        8 description string, 9 last_transition_timestamp Timestamp, 10 operator_user string,
        11 operator_comment string, 12 current_value MxValue, 13 limit_value MxValue, 14 degraded bool,
        15 source_provider AlarmProviderMode
    """,
    "AlarmFeedMessage": """
        1 payload/active_alarm ActiveAlarmSnapshot, 2 payload/snapshot_complete bool,
        3 payload/transition OnAlarmTransitionEvent, 4 payload/provider_status AlarmProviderStatus
    """,
    "AlarmProviderStatus": "1 mode AlarmProviderMode, 2 degraded bool, 3 reason string, 4 since Timestamp",
    "QueryActiveAlarmsRequest": "1 session_id string, 2 client_correlation_id string, 3 alarm_filter_prefix string",
    "StreamAlarmsRequest": "1 client_correlation_id string, 2 alarm_filter_prefix string",
    # Number 1 is reserved: it was a session id once.
    "AcknowledgeAlarmRequest": """
        2 client_correlation_id string, 3 alarm_full_reference string, 4 comment string, 5 operator_user string
    """,
    "AcknowledgeAlarmReply": """
        1 session_id string, 2 correlation_id string, 3 protocol_status ProtocolStatus, 4 hresult optional int32,
        5 status MxStatusProxy, 6 diagnostic_message string
    """,
}

GALAXY_MESSAGES = {
    "TestConnectionRequest": "",
    "TestConnectionReply": "1 ok bool",
    "GetLastDeployTimeRequest": "",
    "GetLastDeployTimeReply": "1 time_of_last_deploy Timestamp",
    "DiscoverHierarchyRequest": """
        1 page_size int32, 2 page_token string, 3 root/root_gobject_id int32, 4 root/root_tag_name string,
        5 root/root_contained_path string, 6 max_depth Int32Value, 7 category_ids repeated int32,
        8 template_chain_contains repeated string, 9 tag_name_glob string, 10 include_attributes optional bool,
        11 alarm_bearing_only bool, 12 historized_only bool
    """,
    "DiscoverHierarchyReply": "1 objects repeated GalaxyObject, 2 next_page_token string, 3 total_object_count int32",
    "BrowseChildrenRequest": """
        1 parent/parent_gobject_id int32, 2 parent/parent_tag_name string, 3 parent/parent_contained_path string,
        4 page_size int32, 5 page_token string, 6 category_ids repeated int32,
        7 template_chain_contains repeated string, 8 tag_name_glob string, 9 include_attributes optional bool,
        10 alarm_bearing_only bool, 11 historized_only bool
    """,
    "BrowseChildrenReply": """
        1 children repeated GalaxyObject, 2 next_page_token string, 3 child_has_children repeated bool,
        4 total_child_count int32, 5 cache_sequence uint64
    """,
    "GalaxyObject": """
        1 gobject_id int32, 2 tag_name string, 3 contained_name string, 4 browse_name string,
        5 parent_gobject_id int32, 6 is_area bool, 7 category_id int32, 8 hosted_by_gobject_id int32,
        9 template_chain repeated string, 10 attributes repeated GalaxyAttribute
    """,
    "GalaxyAttribute": """
        1 attribute_name string, 2 full_tag_reference string, 3 mx_data_type int32, 4 data_type_name string,
        5 is_array bool, 6 array_dimension int32, 7 array_dimension_present bool, 8 mx_attribute_category int32,
        9 security_classification int32, 10 is_historized bool, 11 is_alarm bool
    """,
    "WatchDeployEventsRequest": "",
    "DeployEvent": """
        1 sequence uint64, 2 observed_at Timestamp, 3 time_of_last_deploy Timestamp, 4 object_count int32,
        5 attribute_count int32
    """,
}

GATEWAY_MESSAGES = SESSIONS | COMMANDS | VALUES | EVENTS | ALARMS

_SCALARS = {
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_FLOAT: "float",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_UINT64: "uint64",
}


def _spelled(field: FieldDescriptor) -> str:
    kind: Descriptor | EnumDescriptor | None = field.message_type or field.enum_type
    oneof = field.containing_oneof
    # A proto3 "optional" is a oneof of its own, named after the field.
    is_optional = oneof is not None and oneof.name == f"_{field.name}"
    place = "" if oneof is None or is_optional else f"{oneof.name}/"
    label = "repeated " if field.is_repeated else "optional " if is_optional else ""
    return f"{field.number} {place}{field.name} {label}{kind.name if kind else _SCALARS[field.type]}"


@pytest.mark.parametrize(("file", "package"), [(GATEWAY, "mxaccess_gateway.v1"), (GALAXY, "galaxy_repository.v1")])
def test_package(file: FileDescriptor, package: str) -> None:
    assert file.package == package


def test_the_files_share_no_types() -> None:
    assert all(not file.name.startswith("zb_mom") for file in (*GATEWAY.dependencies, *GALAXY.dependencies))


@pytest.mark.parametrize("service", RPCS)
def test_rpcs(service: str) -> None:
    found = {**GATEWAY.services_by_name, **GALAXY.services_by_name}[service.rpartition(".")[2]]
    assert found.full_name == service
    assert all(not method.client_streaming for method in found.methods)
    spelled = [
        f"{method.name}({method.input_type.name}) {'stream ' * method.server_streaming}{method.output_type.name}"
        for method in found.methods
    ]
    assert sorted(spelled) == sorted(line.strip() for line in RPCS[service].strip().splitlines())


@pytest.mark.parametrize("name", ENUMS)
def test_enum_values(name: str) -> None:
    prefix = "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in name).lstrip("_")
    expected = {f"{prefix}_UNSPECIFIED": 0}
    for entry in _fields(ENUMS[name]):
        value, number = entry.split()
        expected[f"{prefix}_{value}"] = int(number)
    assert {value.name: value.number for value in GATEWAY.enum_types_by_name[name].values} == expected


@pytest.mark.parametrize("name", GATEWAY_MESSAGES)
def test_gateway_message(name: str) -> None:
    found = [_spelled(field) for field in GATEWAY.message_types_by_name[name].fields]
    assert sorted(found) == sorted(_fields(GATEWAY_MESSAGES[name]))


@pytest.mark.parametrize("name", GALAXY_MESSAGES)
def test_galaxy_message(name: str) -> None:
    found = [_spelled(field) for field in GALAXY.message_types_by_name[name].fields]
    assert sorted(found) == sorted(_fields(GALAXY_MESSAGES[name]))


def test_retired_numbers_stay_reserved() -> None:
    file = FileDescriptorProto.FromString(GATEWAY.serialized_pb)
    (message,) = [found for found in file.message_type if found.name == "AcknowledgeAlarmRequest"]
    assert [(reserved.start, reserved.end) for reserved in message.reserved_range] == [(1, 2)]


def test_nothing_beyond_the_contract() -> None:
    assert set(GATEWAY.message_types_by_name) == set(GATEWAY_MESSAGES)
    assert set(GALAXY.message_types_by_name) == set(GALAXY_MESSAGES)
    assert set(GATEWAY.enum_types_by_name) == set(ENUMS)
    assert not GALAXY.enum_types_by_name
    nested = [
        found.full_name
        for found in (*GATEWAY.message_types_by_name.values(), *GALAXY.message_types_by_name.values())
        if found.nested_types or found.enum_types
    ]
    assert nested == []
