"""Verifying a journal: any change of any byte is found, and a torn line is told from it."""

import asyncio
import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway.safety.journal import Journal
from zb_mom_ww_mxgateway.safety.journal_chain import NO_LINE, Head, JournalError
from zb_mom_ww_mxgateway.safety.journal_verification import JournalVerdict, verify

LINES: list[tuple[str, dict[str, Any]]] = [
    ("opened", {"endpoint": "plant:5000"}),
    ("armed", {"globs": ["Plant.*"], "reason": "Prüfung é"}),
    ("intent", {"action": "a1", "tag": "Plant.A", "old": Float32(1.5), "new": 1e300, "guards": [{"a": {"b": None}}]}),
    ("answer", {"action": "a1", "result": "accepted", "more": {}}),
    ("outcome", {"action": "a1", "result": "completed", "text": 'quoted "}{" \\ and \u2028'}),
    ("closed", {}),
]


def written(root: Path, lines: list[tuple[str, dict[str, Any]]] = LINES, **options: Any) -> Head:
    """Write lines as a process of its own would, and return the head."""

    async def write() -> Head:
        journal = Journal(root / "state", root / "data", {"profile": "line3"}, **options)
        for kind, fields in lines:
            await journal.append(kind, fields)
        return await journal.aclose()

    return asyncio.run(write())


def judged(root: Path, head: Head | None = None) -> JournalVerdict:
    return verify(root / "state", root / "data", head)


def first_file(root: Path) -> Path:
    return root / "state" / "journal-000001.jsonl"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A whole journal in one file."""
    root = tmp_path_factory.mktemp("original")
    written(root)
    return first_file(root).read_bytes()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for journals that are changed."""
    made = tmp_path_factory.mktemp("changed")
    (made / "state").mkdir()
    return made


def alone(root: Path, content: bytes) -> JournalVerdict:
    """The verdict about a file of this content, where no head was kept."""
    first_file(root).write_bytes(content)
    return verify(root / "state")


def test_what_was_written_is_unaltered_and_complete(tmp_path: Path) -> None:
    head = written(tmp_path)
    verdict = judged(tmp_path)
    assert (verdict.wrong, verdict.torn, verdict.notes, verdict.seals) == (None, None, (), ())
    assert verdict.end == verdict.complete_up_to == head
    # Without any head, nothing is said of its end.
    assert verify(tmp_path / "state").complete_up_to is None
    # An older head that was printed is in it, too.
    earlier = Head(2, json.loads(first_file(tmp_path).read_text().splitlines()[1])["hash"])
    assert verify(tmp_path / "state", head=earlier).complete_up_to == earlier


@settings(max_examples=300)
@given(data=st.data())
def test_the_chain_breaks_at_any_change_of_any_byte(original: bytes, root: Path, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(original) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda each: each != original[place]))
    verdict = alone(root, original[:place] + bytes([byte]) + original[place + 1 :])
    assert verdict.wrong is not None
    # It names the line, or the one behind it.
    assert 0 <= verdict.wrong.line - (original[:place].count(b"\n") + 1) <= 1


def test_every_byte_counts(original: bytes, root: Path) -> None:
    for place in range(len(original)):
        changed = original[:place] + bytes([original[place] ^ 0x20]) + original[place + 1 :]
        assert alone(root, changed).wrong is not None, place


@settings(max_examples=200)
@given(data=st.data())
def test_inserting_and_removing_bytes_is_found(original: bytes, root: Path, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(original) - 2))
    end = data.draw(st.integers(start, len(original) - 1))
    content = original[:start] + data.draw(st.binary(max_size=30)) + original[end:]
    verdict = alone(root, content)
    assert (verdict.wrong is None) == (content == original)


@given(data=st.data())
def test_lines_taken_out_doubled_or_exchanged_are_found(original: bytes, root: Path, data: st.DataObject) -> None:
    lines = original.splitlines(keepends=True)
    picked = data.draw(st.lists(st.sampled_from(lines), min_size=1, max_size=len(lines)))
    verdict = alone(root, b"".join(picked))
    assert (verdict.wrong is None) == (picked == lines[: len(picked)])


def test_a_cut_journal_is_not_complete_up_to_its_head(original: bytes, tmp_path: Path) -> None:
    head = written(tmp_path)
    lines = first_file(tmp_path).read_bytes().splitlines(keepends=True)
    for kept in range(len(lines)):
        first_file(tmp_path).write_bytes(b"".join(lines[:kept]))
        verdict = judged(tmp_path)
        assert verdict.wrong is not None
        assert "cut off" in verdict.wrong.what
        assert verdict.complete_up_to is None
        # A head that was printed shows it as well as the one that is kept apart.
        assert verify(tmp_path / "state", head=head).wrong == verdict.wrong
        assert verify(tmp_path / "state").wrong is None
    shutil.rmtree(tmp_path / "state")
    assert "lines 1 to 6 are missing" in str(judged(tmp_path).wrong)


def test_a_torn_last_line_is_told_from_tampering(original: bytes, root: Path) -> None:
    lines = original.splitlines(keepends=True)
    for length in range(1, len(lines[-1])):
        verdict = alone(root, b"".join(lines[:-1]) + lines[-1][:length])
        assert verdict.wrong is None
        assert verdict.torn is not None
        assert (verdict.torn.line, verdict.end.count) == (6, 5)
    for tail in (b"x", b"{}", b'{"a": 1}', lines[-1][:-1] + b" ", lines[0][:-1], b"\0\0\0", b'{"a":"\xc3', b"\n"):
        assert alone(root, original + tail).wrong is not None, tail


def crashed(root: Path, cut: int) -> int:
    """Write a journal of four lines whose last bytes, and the head, a crash has taken; return where the last begins."""
    written(root, LINES[:3])
    kept = (root / "data" / "journal.head").read_bytes()
    start = len(first_file(root).read_bytes())
    written(root, LINES[3:4])
    content = first_file(root).read_bytes()
    first_file(root).write_bytes(content[:-cut])
    (root / "data" / "journal.head").write_bytes(kept)
    return start


@pytest.mark.parametrize("cut", [2, 50, 200])
def test_the_next_line_names_the_torn_one(tmp_path: Path, cut: int) -> None:
    start = crashed(tmp_path, cut)
    assert judged(tmp_path).torn is not None
    head = written(tmp_path, LINES[4:])
    verdict = judged(tmp_path)
    assert (verdict.wrong, verdict.torn) == (None, None)
    assert verdict.complete_up_to == head == Head(5, head.hash)
    assert "a crash left this unfinished" in verdict.notes[0]
    content = first_file(tmp_path).read_bytes()
    assert content.count(b'"after_torn":true') == 1
    for place in range(start, len(content)):
        first_file(tmp_path).write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert verify(tmp_path / "state").wrong is not None, place


def test_a_line_that_lacks_only_its_end_gets_it(tmp_path: Path) -> None:
    crashed(tmp_path, 1)
    verdict = judged(tmp_path)
    assert (verdict.wrong, verdict.torn is not None) == (None, True)
    head = written(tmp_path, LINES[4:])
    verdict = judged(tmp_path)
    assert (verdict.wrong, verdict.notes, verdict.complete_up_to) == (None, (), head)
    assert head.count == 6


def test_two_crashes_in_a_row_are_named_too(tmp_path: Path) -> None:
    crashed(tmp_path, 50)
    with first_file(tmp_path).open("ab") as file:
        file.write(b'\n{"after_torn":tr')
    assert (judged(tmp_path).wrong, judged(tmp_path).torn is not None) == (None, True)
    head = written(tmp_path, LINES[4:])
    assert (judged(tmp_path).wrong, judged(tmp_path).complete_up_to) == (None, head)


def test_lines_cut_off_stay_missing_when_others_follow(tmp_path: Path) -> None:
    written(tmp_path)
    content = first_file(tmp_path).read_bytes().splitlines(keepends=True)
    first_file(tmp_path).write_bytes(b"".join(content[:4]))
    written(tmp_path, [("opened", {})])
    assert "lines 5 to 6 are missing before it" in str(judged(tmp_path).wrong)
    first_file(tmp_path).unlink()
    written(tmp_path, [("opened", {})])
    assert "lines 1 to 7 are missing before it" in str(judged(tmp_path).wrong)


def test_a_changed_last_line_stays_found_when_others_follow(tmp_path: Path) -> None:
    written(tmp_path)
    content = first_file(tmp_path).read_bytes()
    first_file(tmp_path).write_bytes(content.replace(b"plant:5000", b"other:5000"))
    written(tmp_path, [("opened", {})])
    assert str(judged(tmp_path).wrong).startswith("journal-000001.jsonl:1:")
    first_file(tmp_path).write_bytes(content.replace(b"closed", b"opened"))
    written(tmp_path, [("opened", {})])
    assert judged(tmp_path).wrong is not None


def test_a_journal_written_anew_is_found_by_its_head(tmp_path: Path) -> None:
    head = written(tmp_path / "a")
    written(tmp_path / "b")
    first_file(tmp_path / "b").replace(first_file(tmp_path / "a"))
    assert f"another line than the one of the head {head}" in str(judged(tmp_path / "a").wrong)
    # What continues the head that is kept apart does not hide it.
    written(tmp_path / "a", [("opened", {})])
    assert verify(tmp_path / "a" / "state").wrong is not None


def test_a_missing_head_is_noted_by_the_next_line(tmp_path: Path) -> None:
    written(tmp_path)
    for remains in (None, b"", b"garbage", b"5:abc"):
        path = tmp_path / "data" / "journal.head"
        path.unlink() if remains is None else path.write_bytes(remains)
        assert judged(tmp_path).complete_up_to is None
        written(tmp_path, [("opened", {})])
    verdict = judged(tmp_path)
    assert verdict.wrong is None
    assert verdict.complete_up_to is not None
    assert [note.partition(": ")[0] for note in verdict.notes] == [
        f"journal-000001.jsonl:{line}" for line in (7, 8, 9, 10)
    ]


def test_an_older_head_is_no_contradiction(tmp_path: Path) -> None:
    # As after a loss of power between a line and its head.
    head = written(tmp_path, LINES[:2])
    kept = (tmp_path / "data" / "journal.head").read_bytes()
    written(tmp_path, LINES[2:], rotate_at=1000)
    (tmp_path / "data" / "journal.head").write_bytes(kept)
    verdict = judged(tmp_path)
    assert (verdict.wrong, verdict.complete_up_to) == (None, head)
    assert verdict.end.count > head.count
    last = written(tmp_path, [("opened", {})], rotate_at=1000)
    assert (judged(tmp_path).wrong, judged(tmp_path).complete_up_to) == (None, last)


def test_files_follow_one_another(tmp_path: Path) -> None:
    head = written(tmp_path, LINES * 4, rotate_at=1500)
    files = sorted((tmp_path / "state").glob("*.jsonl"))
    assert len(files) > 3
    verdict = judged(tmp_path)
    assert (verdict.wrong, verdict.complete_up_to) == (None, head)
    first = json.loads(files[1].read_text().splitlines()[0])
    assert (first["kind"], first["file_before"]) == ("rotated", files[0].name)
    for path in files[:-1]:
        content = path.read_bytes()
        path.unlink()
        assert judged(tmp_path).wrong is not None
        assert (judged(tmp_path).wrong or verdict).file == path.name  # type: ignore[union-attr] # it is wrong
        path.write_bytes(b"")
        assert "it has no line" in str(judged(tmp_path).wrong)
        path.write_bytes(content)
    content = files[1].read_bytes()
    files[1].write_bytes(content.split(b"\n", 1)[1])
    assert "does not say that the file continues" in str(judged(tmp_path).wrong)
    files[1].write_bytes(content)
    files[-1].unlink()
    assert "cut off" in str(judged(tmp_path).wrong)


def test_a_file_that_was_only_begun_gets_its_first_line(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "state" / "journal-000002.jsonl").touch(mode=0o600)
    assert judged(tmp_path).wrong is None
    head = written(tmp_path, [("opened", {})])
    assert head.count == len(LINES) + 2
    assert (judged(tmp_path).wrong, judged(tmp_path).complete_up_to) == (None, head)


def test_a_line_that_was_forged_with_its_hash_does_not_follow(tmp_path: Path, root: Path) -> None:
    written(tmp_path)
    written(tmp_path / "other", [*LINES[:2], ("intent", {"tag": "Plant.B"}), *LINES[3:]])
    mine = first_file(tmp_path).read_bytes().splitlines(keepends=True)
    other = first_file(tmp_path / "other").read_bytes().splitlines(keepends=True)
    verdict = alone(root, b"".join([*mine[:2], other[2], *mine[3:]]))
    assert verdict.wrong is not None
    assert (verdict.wrong.line, verdict.end.count) == (3, 2)


@pytest.mark.parametrize("line", ["[]", "{}", "5", '{"hash":"x"}', '{"a":NaN}', "[" * 100_000, "\xff", ""])
def test_what_is_no_line_is_refused_in_words(root: Path, line: str) -> None:
    verdict = alone(root, line.encode("latin-1") + b"\n")
    assert str(verdict.wrong).startswith("journal-000001.jsonl:1: it")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"number": "1"}, "number"),
        ({"number": True}, "number"),
        ({"monotonic": 5}, "monotonic"),
        ({"who": []}, "who"),
        ({"torn": 5}, "torn"),
        ({"tag": {"$int": []}}, r"\$int"),
        ({"after_torn": True}, "there is none"),
    ],
)
def test_a_line_of_another_shape_is_refused_though_its_hash_is_right(
    original: bytes, root: Path, change: dict[str, Any], told: str
) -> None:
    form = json.loads(original.splitlines()[0]) | change
    del form["hash"]
    text = json.dumps(form, sort_keys=True, separators=(",", ":"))
    form["hash"] = hashlib.sha256(text.encode()).hexdigest()
    verdict = alone(root, json.dumps(form, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    assert verdict.wrong is not None
    assert re.search(told, verdict.wrong.what)


def test_an_empty_journal_is_unaltered(tmp_path: Path) -> None:
    for _ in range(2):
        verdict = judged(tmp_path)
        assert (verdict.wrong, verdict.end, verdict.complete_up_to) == (None, Head(0, NO_LINE), None)
        (tmp_path / "state").mkdir(exist_ok=True)


def test_a_journal_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    first_file(tmp_path).mkdir(parents=True)
    with pytest.raises(JournalError, match="cannot be read"):
        judged(tmp_path)


def test_a_head_is_read_as_it_is_printed() -> None:
    head = Head(5, "ab" * 32)
    assert Head.parse(f" {head}\n") == head
    for text in ("", "5", "5:ab", f"x:{'ab' * 32}", f"5:{'AB' * 32}", f"-1:{'ab' * 32}", f"²:{'ab' * 32}"):
        with pytest.raises(MxGatewayArgumentError, match="COUNT:HASH expected"):
            Head.parse(text)
    assert Head.parse(str(Head())) == Head()
    with pytest.raises(MxGatewayArgumentError, match="a journal without lines has the hash 000"):
        Head.parse(f"0:{'ab' * 32}")
