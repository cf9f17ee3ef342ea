"""The committed messages are those of the .proto files, made by the documented command."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = Path("zb_mom_ww_mxgateway/generated")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_generating_anew_changes_nothing(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "proto/generate.py", tmp_path], check=True, timeout=50)
    fresh, committed = contents(tmp_path / PACKAGE), contents(ROOT / "src" / PACKAGE)
    assert sorted(fresh) == sorted(committed)
    stale = [name for name, text in fresh.items() if committed[name] != text]
    assert stale == [], "run `make proto`"


def test_every_proto_file_is_generated() -> None:
    protos = sorted(path.stem for path in (ROOT / "proto").glob("*.proto"))
    assert protos == ["galaxy_repository", "mxaccess_gateway"]
    ends = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")
    expected = {"__init__.py"} | {f"{stem}{end}" for stem in protos for end in ends}
    assert set(contents(ROOT / "src" / PACKAGE)) == expected
