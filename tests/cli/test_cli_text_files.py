"""Text files as people have them: profiles and lists of items."""

import codecs
from pathlib import Path

import click
import pytest

from zb_mom_ww_mxgateway.system.text_files import TextFileError, decoded
from zb_mom_ww_mxgateway_cli.options import lines_of
from zb_mom_ww_mxgateway_console.connect.profiles import read_file

PROFILE = '[profiles.a]\nendpoint = "127.0.0.1:6201"\n'


@pytest.mark.parametrize(
    ("content", "said", "place"),
    [
        (b"# one\n# Beh\xe4lter\n", "not UTF-8 text; save it as UTF-8", (2, 6)),
        ("a".encode("utf-16"), "UTF-16; save it as UTF-8", (1, 1)),
        ("a".encode("utf-32"), "UTF-32", (1, 1)),
        (codecs.BOM_UTF16_BE + "a".encode("utf-16-be"), "UTF-16", (1, 1)),
        ("ab\nc".encode("utf-16-le"), "UTF-16 without a mark", (1, 1)),
    ],
)
def test_another_encoding_than_utf_8_is_named(content: bytes, said: str, place: tuple[int, int]) -> None:
    with pytest.raises(TextFileError, match=said) as caught:
        decoded(content)
    assert (caught.value.line, caught.value.column) == place


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    assert decoded(codecs.BOM_UTF8 + b"a\r\n") == "a\r\n"
    path = tmp_path / "items"
    path.write_bytes("A.b".encode("utf-16"))
    with pytest.raises(click.BadParameter, match="UTF-16; save it as UTF-8"):
        lines_of(str(path), "--items-file")


@pytest.mark.parametrize(
    ("value", "place"),
    [(r'"C:\temp\root.pem"', "3: ca_file has"), (r'"C:\Users\me\root.pem"', "3:"), (r'"C:\pki\root.pem"', "3:")],
)
def test_a_backslash_in_a_path_of_a_profile_is_explained(tmp_path: Path, value: str, place: str) -> None:
    path = tmp_path / "profiles.toml"
    path.write_text(f"{PROFILE}ca_file = {value}\n", encoding="utf-8")
    with pytest.raises(click.UsageError, match="put a path in single quotes") as caught:
        read_file(path)
    assert str(caught.value).startswith(f"{path}:{place}")
    path.write_text(f"{PROFILE}ca_file = {value.replace(chr(34), chr(39))}\n", encoding="utf-8")
    assert read_file(path).named("a").connection.ca_file == value.strip('"')


def test_a_profile_of_another_code_page_is_one_line_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "profiles.toml"
    path.write_bytes(f"# Beh\u00e4lter\n{PROFILE}".encode("cp1252"))
    with pytest.raises(click.UsageError, match="not UTF-8 text; save it as UTF-8") as caught:
        read_file(path)
    assert str(caught.value).startswith(f"{path}:1:6: ")
