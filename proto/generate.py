"""Generates the Python messages from the .proto files beside this script.

``python proto/generate.py [OUTPUT]`` writes into ``src`` unless another root is named.
Needs grpcio-tools, at the version that pyproject.toml pins for development.
"""

import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PROTO = Path(__file__).resolve().parent
PACKAGE = "zb_mom_ww_mxgateway/generated"
NOTE = '"""Generated from ``proto/`` by ``make proto``. Not edited by hand."""\n'


def generate(root: Path) -> None:
    """Writes messages, type stubs and service glue under ``root / PACKAGE``."""
    target = root / PACKAGE
    target.mkdir(parents=True, exist_ok=True)
    names = sorted(path.name for path in PROTO.glob("*.proto"))
    arguments = [
        "protoc",
        # Mapped to the package's path, so that the generated imports are absolute.
        f"-I{PACKAGE}={PROTO}",
        f"-I{files('grpc_tools') / '_proto'}",
        f"--python_out={root}",
        f"--pyi_out={root}",
        f"--grpc_python_out={root}",
        *(f"{PACKAGE}/{name}" for name in names),
    ]
    if protoc.main(arguments) != 0:
        raise SystemExit("protoc failed")
    (target / "__init__.py").write_text(NOTE, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else PROTO.parent / "src")
