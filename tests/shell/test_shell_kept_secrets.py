"""Secrets that a process was given are left out of everything that is redacted."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, strategies

from zb_mom_ww_mxgateway import kept_secrets
from zb_mom_ww_mxgateway.models.write_guard import PendingEntry, SparseArray
from zb_mom_ww_mxgateway.redaction import may_hold_secret, redact
from zb_mom_ww_mxgateway.safety.journal_chain import new_line
from zb_mom_ww_mxgateway.value_checks import expected
from zb_mom_ww_mxgateway_console.render.csv_records import csv_record
from zb_mom_ww_mxgateway_console.render.forms import json_line, value_text
from zb_mom_ww_mxgateway_console.text.terminal_text import one_line
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.commands.language import RequirementIds
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import quoted
from zb_mom_ww_mxgateway_shell.state.context import Context


@pytest.mark.parametrize("turn", [1, 2])
def test_no_secret_of_another_test_is_kept(turn: int) -> None:
    assert not kept_secrets.are_kept()
    kept_secrets.keep(f"secret {turn}")


@pytest.mark.parametrize("secret", ['hun"ter$2', "back\\slash", "two  blanks here", "<&'>x", "Mü\u2603ller", "12345"])
def test_no_spelling_of_a_secret_is_shown(secret: str) -> None:
    kept_secrets.keep(secret)
    for text in (secret, quoted(secret), json.dumps(secret), repr(secret), f"Plant.{secret}1", secret * 2):
        shown = redact(f"x {text} y")
        assert "***" in shown
        assert secret not in shown
        assert shown.startswith("x ")
        assert shown.endswith(" y")
    assert one_line(f"x {secret} y") == "x *** y"
    assert json.loads(json_line({"value": [secret, {"told": f"<{secret}>"}]})) == {"value": ["***", {"told": "<***>"}]}
    assert csv_record([secret, f"a{secret}"]) == "***,a***"
    assert may_hold_secret("anything")


def test_secrets_that_overlap_leave_nothing() -> None:
    for each in ("abcdef", "defghi", "ababab"):
        kept_secrets.keep(each)
    assert redact("xabcdefghiy") == "x***y"
    assert redact("ababababab") == "***"


def test_a_part_of_a_secret_is_not_shown_where_a_text_is_cut() -> None:
    secret = "the long secret of the plant"
    kept_secrets.keep(secret)
    for length in range(1_460, 1_500):
        assert "the long" not in value_text("x" * length + secret + "y" * 100)
    for length in range(50, 75):
        assert "the long" not in value_text(["x" * length + secret + "y" * 100])


def test_a_part_of_a_secret_is_not_shown_where_a_value_of_a_write_is_cut() -> None:
    secret = "the long secret of the plant" * 8
    kept_secrets.keep(secret)
    sparse = PendingEntry(tag="A.B[]", value=SparseArray(4, ((0, secret), (1, f"x{secret}"))))
    for entry in (PendingEntry(tag="A.B", value=secret), PendingEntry(tag="A.B", value=[secret]), sparse):
        assert "***" in str(entry)
        assert "secret" not in str(entry)
    acknowledged = PendingEntry(alarm="Galaxy!A.B.Hi", comment=secret)
    assert "secret" not in str(acknowledged)
    assert "secret" not in str(expected("a time", secret))


def test_a_requirement_holds_no_part_of_a_secret() -> None:
    kept_secrets.keep("two blanks, here")
    context = Context(all_commands(), interactive=False)
    word = Token('"URS-two blanks, here"', 0, 22, True)
    assert list(RequirementIds().parse(word, context)) == ["URS-***"]


def test_a_secret_that_is_a_number_is_left_out_as_a_number() -> None:
    kept_secrets.keep("4711")
    form = {"value": 4711, "values": [4711.0, 4712], "line": 4711, "ok": True}
    assert json.loads(json_line(form)) == {"value": "***", "values": ["***", 4712], "line": 4711, "ok": True}
    assert csv_record([4711, 4711.5, 12]) == "***,***.5,12"


def test_what_programs_make_themselves_stays() -> None:
    digest = "ab12" * 16
    kept_secrets.keep("ab12")
    kept_secrets.keep("2026")
    kept_secrets.keep("value")
    form = {"at": "2026-11-30T10:15:02.123456Z", "sha256": digest, "head": f"12:{digest}", "value": "value ab12"}
    assert json.loads(json_line(form)) == {**form, "value": "*** ***"}
    line, read = new_line(
        {
            "number": 2026,
            "at": form["at"],
            "monotonic": 2026.0,
            "who": {"user": "ab12"},
            "pid": 2026,
            "frame": digest,
            "kind": "value",
            "previous": digest,
            "value": "ab12",
            "reason": "for ab12",
        }
    )
    written = json.loads(line)
    assert (written["number"], written["previous"], written["at"]) == (2026, digest, form["at"])
    assert (written["value"], written["reason"], written["who"]) == ("***", "for ***", {"user": "***"})
    assert read.hash == written["hash"]


@pytest.mark.parametrize("secret", ["0123456789abcdef" * 2, "c0ffee00-1111-2222-3333-444455556666"])
def test_a_secret_that_looks_like_what_programs_make_is_left_out(secret: str) -> None:
    kept_secrets.keep(secret)
    for text in (secret, f"7 {secret}", f"{secret}00", secret.upper()):
        assert secret not in redact(text).lower()


def test_a_tag_is_named_without_the_secret_in_any_case() -> None:
    kept_secrets.keep("HunTer2")
    assert redact("plant.hunter2 HUNTER2") == "plant.*** ***"


def test_a_secret_is_kept_while_other_threads_redact() -> None:
    def redacts() -> None:
        while not over.is_set():
            assert redact("secret-0 of the plant") == "*** of the plant"

    kept_secrets.keep("secret-0")
    over = threading.Event()
    with ThreadPoolExecutor(2) as threads:
        looking = [threads.submit(redacts) for _ in range(2)]
        try:
            for number in range(1, 300):
                kept_secrets.keep(f"secret number {number}")
        finally:
            over.set()
    assert [each.result() for each in looking] == [None, None]


def test_a_key_is_redacted_beside_secrets() -> None:
    kept_secrets.keep("demo")
    assert "c2VjcmV0" not in json_line({"mxgw_demo_c2VjcmV0": "mxgw_demo_c2VjcmV0"})


@pytest.mark.parametrize("secret", ["", "abc"])
def test_a_secret_that_is_too_short_is_refused_without_being_told(secret: str) -> None:
    with pytest.raises(ValueError, match="at least 4 characters") as refused:
        kept_secrets.keep(secret)
    assert secret == "" or secret not in str(refused.value)
    assert not kept_secrets.are_kept()


@given(strategies.text(min_size=4), strategies.text(), strategies.text())
def test_any_secret_is_left_out_of_any_text(secret: str, before: str, after: str) -> None:
    kept_secrets._spellings = frozenset()
    kept_secrets.keep(secret)
    assert secret not in kept_secrets.without_kept(f"{before}{secret}{after}") or secret in ("***", "****")
