"""Any command as JSON, and its reply as JSON: the protobuf JSON mapping, with the contract's own field names."""

import json
from typing import Any

from google.protobuf import json_format

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.wire.pending import pending_entries

_PREFIX = "MX_COMMAND_KIND_"


def command_kinds() -> list[str]:
    """Return the kinds of commands in lower case (``add_item``), in the contract's order."""
    return [field.name for field in pb.MxCommand.DESCRIPTOR.oneofs_by_name["payload"].fields]


def command_fields(kind: str) -> list[str]:
    """Return the names of the fields that a command of this kind takes."""
    payload = getattr(pb.MxCommand(), kind)
    return [field.name for field in payload.DESCRIPTOR.fields]


def command_from_json(kind: str, text: str) -> pb.MxCommand:
    """Return the command of this kind with the fields of a JSON object; empty text gives none.

    Raises MxGatewayArgumentError, with the place where the text is no JSON, and with the field that is unknown or has
    a wrong value.
    """
    if kind not in command_kinds():
        raise MxGatewayArgumentError(f"no command kind {kind!r}: one of {', '.join(command_kinds())}")
    fields = _json_object(text) if text.strip() else {}
    message = pb.MxCommand(kind=_PREFIX + kind.upper())
    payload = getattr(message, kind)
    payload.SetInParent()
    try:
        json_format.ParseDict(fields, payload)
    except json_format.ParseError as error:
        takes = ", ".join(command_fields(kind)) or "no fields"
        raise MxGatewayArgumentError(f"{kind}: {_in_one_line(error)}; it takes {takes}") from None
    return message


def written_by_json(kind: str, text: str) -> list[str]:
    """Return an entry for each item or alarm that such a command would change: the alarm's reference, or an empty text
    for an item, which it names by its handle. Raises as :func:`command_from_json` does."""
    request = pb.MxCommandRequest(command=command_from_json(kind, text))
    return [entry.alarm for entry in pending_entries(request)]


def reply_to_json(reply: pb.MxCommandReply) -> dict[str, Any]:
    """Return a reply as a JSON object: the contract's field names, enum values by name, times in UTC, and numbers of 64
    bits as text. An enum value that the contract does not have is its number."""
    found: dict[str, Any] = json_format.MessageToDict(reply, preserving_proto_field_name=True)
    return found


def _json_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text, object_pairs_hook=_without_repeats)
    except json.JSONDecodeError as error:
        raise MxGatewayArgumentError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise MxGatewayArgumentError("not JSON that can be read: nested too deeply") from None
    if not isinstance(found, dict):
        raise MxGatewayArgumentError('the fields of a command are a JSON object, such as {"server_handle": 1}')
    return found


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs as a dict. Of a name that stands twice one value would silently go."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise MxGatewayArgumentError(f"not JSON that can be read: {name!r} stands twice in one object")
        found[name] = value
    return found


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
