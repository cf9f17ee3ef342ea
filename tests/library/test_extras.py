"""Extras: what is missing is one line that says how to get it."""

import subprocess
import sys
from pathlib import Path

import pytest

from zb_mom_ww_mxgateway import MxGatewayArgumentError, MxGatewayMissingExtraError
from zb_mom_ww_mxgateway.system.extras import extra

BLOCKED = """
import sys
sys.modules["pyarrow"] = None
from zb_mom_ww_mxgateway.system.extras import extra
try:
    extra("pyarrow.parquet", "parquet", "Parquet")
except Exception as error:
    print(type(error).__name__)
    print(error)
"""


def test_an_installed_one_is_imported() -> None:
    assert extra("json.decoder", "parquet", "Parquet").__name__ == "json.decoder"


def test_a_missing_one_is_one_line_with_the_remedy() -> None:
    done = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "MxGatewayMissingExtraError",
        'Parquet needs the extra: pip install "zb-mom-ww-mxaccess-gateway-client[parquet]"',
    ]


def test_one_that_does_not_load_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "half_there.py").write_text("raise ImportError('libhalf.so.3: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MxGatewayMissingExtraError, match=r"\[mqtt\]\" \(libhalf\.so\.3: cannot open") as failed:
        extra("half_there", "mqtt", "MQTT")
    assert isinstance(failed.value, MxGatewayArgumentError)
