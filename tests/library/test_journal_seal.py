"""Seals: the head of a journal, signed with a key of the user's own."""

import base64
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.safety.journal import Journal
from zb_mom_ww_mxgateway.safety.journal_chain import Head, JournalLine
from zb_mom_ww_mxgateway.safety.journal_seal import Seal, seal
from zb_mom_ww_mxgateway.safety.journal_verification import verify
from zb_mom_ww_mxgateway.safety.seal_keys import SealKey, make_key


def made_in(root: Path) -> Journal:
    return Journal(root / "state", root / "data", {})


def answers(passphrase: str) -> Callable[[], Awaitable[str]]:
    async def answer() -> str:
        return passphrase

    return answer


async def test_a_seal_covers_the_lines_before_it(tmp_path: Path) -> None:
    public, fingerprint = make_key(tmp_path / "keys" / "mine.pem")
    journal = made_in(tmp_path)
    await journal.append("opened", {})
    covered = journal.head
    line = await seal(journal, tmp_path / "keys" / "mine.pem")
    await journal.append("closed", {})
    await journal.aclose()
    assert (line.kind, line.fields["head"], line.fields["key"]) == ("sealed", str(covered), fingerprint)
    [unchecked] = verify(journal.folder).seals
    assert (unchecked.head, unchecked.key, unchecked.is_checked) == (covered, fingerprint, False)
    [checked] = verify(journal.folder, key=SealKey.read(public)).seals
    assert (checked.place, checked.is_checked) == ("journal-000001.jsonl:2", True)
    # A seal by another key is neither right nor wrong.
    other, _ = make_key(tmp_path / "other.pem")
    verdict = verify(journal.folder, key=SealKey.read(other))
    assert (verdict.wrong, verdict.seals[0].is_checked) == (None, False)


async def test_a_forged_seal_is_found(tmp_path: Path) -> None:
    public, fingerprint = make_key(tmp_path / "mine.pem")
    journal = made_in(tmp_path)
    line = await journal.append("opened", {})
    forged = base64.b64encode(bytes(64)).decode()
    await journal.append("sealed", {"head": str(line.head), "signature": forged, "key": fingerprint})
    assert verify(journal.folder).wrong is None
    assert "is not by the key" in str(verify(journal.folder, key=SealKey.read(public)).wrong)
    await journal.append("sealed", {"head": str(line.head), "signature": forged, "key": "another"})
    assert "another head than that of the line before" in str(verify(journal.folder).wrong)
    await journal.aclose()


@pytest.mark.parametrize(
    "fields",
    [{}, {"head": "5", "signature": "", "key": ""}, {"head": str(Head()), "signature": "?", "key": ""}, {"head": 5}],
)
async def test_a_seal_without_its_parts_is_found(tmp_path: Path, fields: dict[str, object]) -> None:
    journal = made_in(tmp_path)
    line: JournalLine = await journal.append("sealed", fields)
    await journal.aclose()
    with pytest.raises(ValueError, match=r"."):
        Seal.of(line)
    assert verify(journal.folder).wrong is not None


async def test_an_empty_journal_cannot_be_sealed(tmp_path: Path) -> None:
    make_key(tmp_path / "mine.pem")
    journal = made_in(tmp_path)
    with pytest.raises(MxGatewayArgumentError, match="nothing to seal"):
        await seal(journal, tmp_path / "mine.pem")
    assert (await journal.aclose()).count == 0


@pytest.mark.skipif(os.name == "nt", reason="rights are inherited there")
@pytest.mark.parametrize(("mode", "remedy"), [(0o640, "chmod go-r"), (0o604, "chmod go-r"), (0o602, "chmod go-w")])
async def test_a_key_that_others_may_read_or_change_is_refused(tmp_path: Path, mode: int, remedy: str) -> None:
    path = tmp_path / "mine.pem"
    make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(mode)
    journal = made_in(tmp_path)
    await journal.append("opened", {})
    with pytest.raises(MxGatewayArgumentError, match=remedy):
        await seal(journal, path)
    await journal.aclose()


async def test_a_passphrase_is_asked_for_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.pem"
    public, _ = make_key(path, "open sesame")
    assert b"ENCRYPTED" in path.read_bytes()
    journal = made_in(tmp_path)
    await journal.append("opened", {})
    with pytest.raises(MxGatewayArgumentError, match="only a prompt asks"):
        await seal(journal, path)
    with pytest.raises(MxGatewayArgumentError, match="is another one"):
        await seal(journal, path, answers("wrong"))
    await seal(journal, path, answers("open sesame"))
    await journal.aclose()
    assert [each.is_checked for each in verify(journal.folder, key=SealKey.read(public)).seals] == [True]


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "mine.pem"
    public, _ = make_key(path)
    content = path.read_bytes()
    with pytest.raises(MxGatewayArgumentError, match="exists"):
        make_key(path)
    path.unlink()
    with pytest.raises(MxGatewayArgumentError, match="exists"):
        make_key(path)
    assert not path.exists()
    assert content not in public.read_bytes()


async def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    public, _ = make_key(tmp_path / "mine.pem")
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = serialization.Encoding.PEM
    (tmp_path / "rsa.pem").write_bytes(
        other.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (tmp_path / "rsa.pem").chmod(0o600)
    (tmp_path / "rsa.pub").write_bytes(
        other.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    (tmp_path / "text").write_text("no key")
    (tmp_path / "text").chmod(0o600)
    journal = made_in(tmp_path)
    await journal.append("opened", {})
    public.chmod(0o600)
    for path in (tmp_path / "rsa.pem", tmp_path / "text", public):
        with pytest.raises(MxGatewayArgumentError, match="no private Ed25519 key"):
            await seal(journal, path)
    with pytest.raises(MxGatewayArgumentError, match="cannot read the key"):
        await seal(journal, tmp_path / "missing")
    await journal.aclose()
    for path in (tmp_path / "rsa.pub", tmp_path / "text", tmp_path / "mine.pem"):
        with pytest.raises(MxGatewayArgumentError, match="no public Ed25519 key"):
            SealKey.read(path)
    with pytest.raises(MxGatewayArgumentError, match="cannot read the key"):
        SealKey.read(tmp_path / "missing")


def test_no_key_where_it_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MxGatewayArgumentError, match="cannot make a key"):
        make_key(tmp_path / "file" / "mine.pem")
