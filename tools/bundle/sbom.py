"""The bill of materials of a bundle, in the JSON form of CycloneDX 1.5."""

import json
from email.message import Message
from hashlib import sha256
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from wheels import metadata_of


def document(name: str, version: str, wheels: list[Path]) -> str:
    """Return the document: a component for each wheel, with its version, licence and digest."""
    described = [_component(wheel) for wheel in wheels]
    own = next(each for each in described if each["name"] == name)
    form = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {key: own[key] for key in own if key != "hashes"}},
        "components": [each for each in described if each is not own],
    }
    return json.dumps(form, indent=2, sort_keys=True) + "\n"


def _component(wheel: Path) -> dict[str, Any]:
    data = wheel.read_bytes()
    known = metadata_of(wheel)
    name, version = canonicalize_name(known["Name"]), known["Version"]
    purl = f"pkg:pypi/{name}@{version}"
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": purl,
        # One package has a file for each system and Python.
        "bom-ref": f"{purl}?file_name={wheel.name}",
        "hashes": [{"alg": "SHA-256", "content": sha256(data).hexdigest()}],
        "licenses": [_licence(known)],
        "properties": [{"name": "file", "value": f"wheels/{wheel.name}"}],
    }


def _licence(known: Message) -> dict[str, Any]:
    """Return the licence as the package states it: an expression, else a classifier, else a short text."""
    expression = known["License-Expression"]
    if expression:
        return {"expression": expression}
    classified = [each for each in known.get_all("Classifier") or () if each.startswith("License :: OSI Approved :: ")]
    stated = classified[0].rpartition(" :: ")[2] if classified else (known["License"] or "").strip().split("\n")[0]
    return {"license": {"name": stated or "not stated by the package"}}
