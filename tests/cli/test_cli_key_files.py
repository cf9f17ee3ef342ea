"""Keys and passwords in files as editors and shells leave them: with a mark at their beginning, or in an encoding of
their own."""

import codecs
from pathlib import Path
from unittest.mock import create_autospec

import pytest

from zb_mom_ww_mxgateway import MxGatewayAuthenticationError
from zb_mom_ww_mxgateway.commands.writes import WriteCommands
from zb_mom_ww_mxgateway_cli.commands.credentials import Credentials, PasswordOptions
from zb_mom_ww_mxgateway_console.connect.options import Connection

KEY = "mxgw_plant_c2VjcmV0"


def key_of(path: Path) -> str | None:
    return Connection(endpoint="localhost:5000", api_key_file=str(path)).api_key()


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r\nmore\r\n", " \n"])
def test_a_byte_order_mark_and_line_ends_are_no_part_of_a_key(tmp_path: Path, mark: bytes, end: str) -> None:
    (tmp_path / "key").write_bytes(mark + f"{KEY}{end}".encode())
    assert key_of(tmp_path / "key") == KEY


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_reported_in_one_line_with_what_to_do(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "key").write_bytes(f"{KEY}\r\n".encode(encoding))
    with pytest.raises(
        MxGatewayAuthenticationError, match=r"UTF-\d\d.*where UTF-8 is expected: save it as UTF-8"
    ) as it:
        key_of(tmp_path / "key")
    assert KEY not in str(it.value)
    assert str(tmp_path / "key") in str(it.value)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r\nmore\r\n"])
@pytest.mark.parametrize("password", ["secret", " pass word ", "\tp\u2028w\x85", "", " "])
async def test_the_blanks_of_a_password_are_its_own(tmp_path: Path, password: str, end: str) -> None:
    (tmp_path / "ann").write_bytes(codecs.BOM_UTF8 + f"{password}{end}".encode())
    session = create_autospec(WriteCommands, instance=True)
    await Credentials("ann", PasswordOptions(None, str(tmp_path / "ann"))).authenticate(session, 1)
    session.authenticate_user.assert_awaited_once_with(1, "ann", password)


def test_a_zero_byte_in_a_key_is_reported(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(f"{KEY}\0\n".encode())
    with pytest.raises(MxGatewayAuthenticationError, match="a zero byte in its first line"):
        key_of(tmp_path / "key")


def test_bytes_that_are_not_text_are_reported(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"mxgw_plant_\xff\xe9")
    with pytest.raises(MxGatewayAuthenticationError, match="not UTF-8 text"):
        key_of(tmp_path / "key")
