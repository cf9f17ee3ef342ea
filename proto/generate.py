"""Generates the Python messages from the .proto files beside this script.

``python proto/generate.py [OUTPUT]`` writes into ``src`` unless another root is named.
Needs grpcio-tools, at the version that pyproject.toml pins for development.
"""

import sys
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet, ServiceDescriptorProto
from grpc_tools import protoc

PROTO = Path(__file__).resolve().parent
PACKAGE = "zb_mom_ww_mxgateway/generated"
INIT = '''"""Generated from ``proto/`` by ``make proto``; not edited by hand.

Where another contract was adopted, its messages stand here under the same names. May import ``contract``.
"""

from zb_mom_ww_mxgateway.contract.adoption import install

install()
'''


def generate(root: Path) -> None:
    """Write messages, service glue and the type stubs of both under ``root / PACKAGE``."""
    target = root / PACKAGE
    target.mkdir(parents=True, exist_ok=True)
    names = sorted(path.name for path in PROTO.glob("*.proto"))
    with TemporaryDirectory() as folder:
        described = Path(folder) / "descriptors"
        arguments = [
            "protoc",
            # Mapped to the package's path, so that the generated imports are absolute.
            f"-I{PACKAGE}={PROTO}",
            f"-I{files('grpc_tools') / '_proto'}",
            f"--python_out={root}",
            f"--pyi_out={root}",
            f"--grpc_python_out={root}",
            f"--descriptor_set_out={described}",
            *(f"{PACKAGE}/{name}" for name in names),
        ]
        if protoc.main(arguments) != 0:
            raise SystemExit("protoc failed")
        descriptors = FileDescriptorSet.FromString(described.read_bytes())
    for file in descriptors.file:
        stem = Path(file.name).stem
        _write(target / f"{stem}_pb2.pyi", whole_types((target / f"{stem}_pb2.pyi").read_text(encoding="utf-8")))
        _write(target / f"{stem}_pb2_grpc.pyi", glue_stub(file))
    _write(target / "__init__.py", INIT)


def whole_types(stub: str) -> str:
    """Return protoc's stub of messages with the type arguments that it leaves out."""
    return stub.replace("_Mapping]", "_Mapping[str, _Any]]").replace("import ClassVar", "import Any as _Any, ClassVar")


def glue_stub(file: FileDescriptorProto) -> str:
    """Return the stub of the service glue, for which protoc writes none.

    What a call returns depends on the channel, blocking or asynchronous, and so does what a servicer returns on the
    server: both are ``Any``.
    """
    module = f"{Path(file.name).stem}_pb2"
    head = [
        "from collections.abc import Callable as _Callable",
        "from typing import Any as _Any",
        "",
        "import grpc as _grpc",
        "import grpc.aio as _aio",
        "",
        f"from {PACKAGE.replace('/', '.')} import {module} as _messages",
    ]
    return "\n".join([*head, *(line for service in file.service for line in _glue_of(service)), ""])


def _glue_of(service: ServiceDescriptorProto) -> list[str]:
    lines = [
        "",
        f"class {service.name}Stub:",
        "    def __init__(self, channel: _grpc.Channel | _aio.Channel) -> None: ...",
    ]
    lines += [f"    {method.name}: _Callable[..., _Any]" for method in service.method]
    lines += ["", f"class {service.name}Servicer:"]
    for method in service.method:
        request = f"_messages.{method.input_type.rpartition('.')[2]}"
        lines.append(f"    def {method.name}(self, request: {request}, context: _Any) -> _Any: ...")
    name = f"add_{service.name}Servicer_to_server"
    server = "_grpc.Server | _aio.Server"
    return [*lines, "", f"def {name}(servicer: {service.name}Servicer, server: {server}) -> None: ..."]


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else PROTO.parent / "src")
