"""The output of ``mxgw-py --json``, held to the schema of its command."""

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator

from zb_mom_ww_mxgateway_cli.schemas import LINES, schema_of


def closed(schema: Any) -> Any:
    """The schema without room for other keys: what this version prints is named in it."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {name: closed(each) for name, each in schema.items()}
    is_record = made.get("type") == "object" and "properties" in made
    return made | ({"additionalProperties": False} if is_record else {})


@functools.cache
def validators(command: str) -> dict[str, Draft202012Validator]:
    """A validator of each kind of line of a command."""
    schema = closed(schema_of(command))
    kinds = [each["$ref"].rpartition("/")[2] for each in schema["anyOf"]]
    return {kind: Draft202012Validator({**schema, "anyOf": [{"$ref": f"#/$defs/{kind}"}]}) for kind in kinds}


def kinds_of(command: str, line: Mapping[str, Any]) -> set[str]:
    """The kinds of lines of the command that this one is, at least one."""
    # What is no command can only fail.
    known = validators(command if command in LINES else "version")
    found = {kind for kind, validator in known.items() if validator.is_valid(line)}
    assert found, (command, line, [each.message for one in known.values() for each in one.iter_errors(line)])
    return found


def check_output(arguments: Sequence[str], out: str) -> None:
    """Every line that this command line printed fits the schema, where JSON Lines were asked for."""
    if arguments and ("--json" in arguments or "--output jsonl" in " ".join(arguments)):
        for line in out.splitlines():
            if line.startswith("{"):
                kinds_of(command_of(arguments), json.loads(line))


def command_of(arguments: Sequence[str]) -> str:
    """The command of a command line: its first word, or its first two where that is a group."""
    of_group = " ".join(arguments[:2])
    return of_group if of_group in LINES else arguments[0]
