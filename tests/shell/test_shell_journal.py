"""journal: showing, exporting, verifying and sealing what was written."""

import csv
import io
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from shell_lines import follow, run
from shell_process import ShellProcess

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway.safety.journal import Journal
from zb_mom_ww_mxgateway.safety.journal_actions import COLUMNS
from zb_mom_ww_mxgateway.safety.journal_files import JournalPlaces, journal_places, lock_of
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway


@pytest.fixture
def context() -> Context:
    return Context(all_commands(), interactive=False)


async def said(context: Context, line: str) -> Result:
    result = await run(context, line, follow)
    assert result is not None
    return result


async def records(context: Context, line: str) -> list[dict[str, Any]]:
    form = (await said(context, line)).form()
    assert isinstance(form, list)
    return form


async def written(places: JournalPlaces, *tags: str, value: Any = 5) -> str:
    """Write the lines of a session that writes to these tags; return the head."""
    journal = Journal(places.folder, places.head_folder, {"profile": "line3"})
    await journal.append("opened", {"endpoint": "plant:5000"})
    for number, tag in enumerate(tags):
        action = f"{journal.frame}-{number}"
        entry = {"tag": tag, "old": Float32(0.1), "quality": 192, "new": value, "rules": []}
        await journal.append("intent", {"action": action, "call": "write", "reason": "=cmd()", "entries": [entry]})
        journal.post("answer", {"action": action, "outcome": "accepted", "why": "", "seconds": 0.01})
        completed = {"outcome": "completed", "completed_after": 0.2, "why": ""}
        journal.post("outcome", {"action": action, "entries": [completed]})
    await journal.append("closed", {})
    return str(await journal.aclose())


async def test_it_shows_the_newest_actions_last(context: Context) -> None:
    assert (await said(context, "journal")).lines() == ["the journal has none of these"]
    await written(journal_places(), *(f"Plant.Tank{number}.Level" for number in range(60)))
    shown = await records(context, "journal")
    assert [row["tag"] for row in shown] == [f"Plant.Tank{number}.Level" for number in range(10, 60)]
    assert tuple(shown[0]) == COLUMNS
    assert len(await records(context, "journal --since 1h")) == 60
    assert [row["kind"] for row in await records(context, "journal --all")] == ["opened", *["action"] * 60, "closed"]
    lines = (await said(context, "journal")).lines()
    assert lines[0].split() == ["when", "who", "tag", "old", "new", "result", "took", "reason"]
    assert "Plant.Tank59.Level  0.1 good  5    completed  0.200 s  =cmd()" in lines[-1]
    assert "opened" in (await said(context, "journal --all")).lines()[1]


async def test_it_shows_some_tags_and_some_time(context: Context) -> None:
    await written(journal_places(), "Plant.Tank1.Level", "Plant.Tank2.Level", "verify")
    assert [row["tag"] for row in await records(context, "journal plant.tank1.*")] == ["Plant.Tank1.Level"]
    assert [row["tag"] for row in await records(context, 'journal "verify"')] == ["verify"]
    assert await records(context, "journal Plant.Pump* --all") == []
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert await records(context, f"journal --since {soon}") == []
    before = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert len(await records(context, f"journal --since {before}")) == 3


async def test_it_finds_what_an_earlier_file_has(context: Context) -> None:
    places = journal_places()
    await written(places, "Plant.A")
    journal = Journal(places.folder, places.head_folder, {}, rotate_at=1)
    entry = {"tag": "Plant.B", "new": 1, "rules": []}
    for kind, fields in (
        ("intent", {"action": "x", "entries": [entry]}),
        ("answer", {"action": "x", "outcome": "unknown"}),
    ):
        await journal.append(kind, fields)
    await journal.aclose()
    assert len(list(places.folder.glob("*.jsonl"))) == 3
    assert [(row["tag"], row["result"]) for row in await records(context, "journal")] == [
        ("Plant.A", "completed"),
        ("Plant.B", "unknown"),
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("journal export", "journal export csv|json"),
        ("journal export xml", "one of csv, json"),
        ("journal Plant.A csv", "takes no csv"),
        ("journal verify csv", "takes no csv"),
        ("journal verify --since 1h", "--since belongs to journal export"),
        ("journal --head 1:ab", "COUNT:HASH"),
        (f"journal --head 1:{'ab' * 32}", "--head belongs to journal verify"),
        ("journal --tag Plant.A", "--tag belongs to journal export"),
        ("journal export csv --new-key x", "--new-key belongs to journal seal"),
        ("journal seal", "needs a key"),
        ("journal seal --key a --new-key b", "needs a key"),
        ("journal --since soon", "a duration such as 8h, a time of day such as 14:02, or a time"),
        ("journal --since 99999999999999h", "a duration such as 8h, a time of day such as 14:02, or a time"),
        ("journal *", "names nothing"),
        ("journal .Level", "a leading dot means the focused object"),
    ],
)
async def test_what_does_not_go_together_is_refused_before_anything_runs(
    context: Context, line: str, told: str
) -> None:
    with pytest.raises((InputError, ShellError), match=told.replace("|", r"\|").replace("*", r"\*")):
        await said(context, line)
    found = context.registry.check(line, context)
    assert told in str(found[0]) or line == "journal .Level"


async def test_an_export_has_every_action_and_every_column(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await written(journal_places(), "Plant.A", "Plant.B", value=[2**60, 2])
    assert "2 actions written to a.json" in (await said(context, "journal export json a.json")).lines()[0]
    rows = json.loads((tmp_path / "a.json").read_text())
    assert [row["tag"] for row in rows] == ["Plant.A", "Plant.B"]
    assert (rows[0]["old"], rows[0]["new"]) == ({"$float32": 0.1}, [{"$int": str(2**60)}, 2])
    await said(context, "journal export csv a.csv --tag *.B --all")
    (row,) = csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text()))
    assert tuple(row) == COLUMNS
    # A spreadsheet must not evaluate what somebody gave as a reason.
    assert (row["tag"], row["old"], row["reason"]) == ("Plant.B", "0.1", "'=cmd()")
    with pytest.raises(ShellError, match="exists: name another file"):
        await said(context, "journal export csv a.csv")
    with pytest.raises(ShellError, match="cannot write"):
        await said(context, "journal export csv nowhere/a.csv")
    result = await said(context, "journal export csv")
    assert isinstance(result, TextResult)
    assert len((tmp_path / result.fields["file"]).read_text().splitlines()) == 3


async def test_verifying_fails_where_the_journal_was_changed(context: Context) -> None:
    places = journal_places()
    empty = await said(context, "journal verify")
    assert (empty.form()["verdict"], empty.lines()) == (
        "unaltered",
        [f"the journal in {places.folder} has no line yet"],
    )
    head = await written(places, "Plant.A")
    result = await said(context, "journal verify")
    assert (result.exit_code, result.lines()[1]) == (ExitCode.DONE, f"complete up to head {head}")
    assert (await said(context, f"journal verify --head {head}")).form()["verdict"] == "complete"
    path = places.folder / "journal-000001.jsonl"
    content = path.read_bytes()
    path.write_bytes(content[:-30])
    torn = await said(context, "journal verify")
    assert torn.exit_code is ExitCode.NOT_MET
    path.write_bytes(content.replace(b"Plant.A", b"Plant.B"))
    wrong = await said(context, "journal verify")
    assert (wrong.exit_code, wrong.form()["verdict"], wrong.form()["wrong"]["line"]) == (ExitCode.NOT_MET, "wrong", 2)
    assert wrong.lines()[0].startswith("WRONG: journal-000001.jsonl:2: its content does not have its hash")
    path.unlink()
    gone = await said(context, "journal verify")
    assert (gone.exit_code, "cut off" in gone.lines()[0]) == (ExitCode.NOT_MET, True)


async def test_a_torn_line_and_a_missing_head_are_notes(context: Context) -> None:
    places = journal_places()
    await written(places, "Plant.A")
    (places.head_folder / "journal.head").unlink()
    result = await said(context, "journal verify")
    assert "unknown whether newer lines are gone" in "\n".join(result.lines())
    path = places.folder / "journal-000001.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    result = await said(context, "journal verify")
    assert (result.exit_code, result.form()["torn"]["line"]) == (ExitCode.DONE, 5)
    assert "a crash leaves" in "\n".join(result.lines())


def answering(*answers: str) -> Callable[[str], Awaitable[str]]:
    given = iter(answers)

    async def answer(question: str) -> str:
        return next(given)

    return answer


async def test_a_seal_is_made_and_checked(context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    head = await written(journal_places(), "Plant.A")
    made = await said(context, "journal seal --new-key mine.pem")
    assert (tmp_path / "mine.pem.pub").exists()
    sealed = await said(context, "journal seal --key mine.pem")
    assert sealed.lines()[0] == f"sealed up to head {head}"
    unchecked = await said(context, "journal verify")
    assert "not checked: --public-key FILE" in unchecked.lines()[-1]
    checked = await said(context, "journal verify --public-key mine.pem.pub")
    assert checked.form()["seals"] == [
        {"checked": True, "head": head, "key": made.form()["key"], "place": "journal-000001.jsonl:6"}
    ]
    assert checked.form()["end"] == sealed.form()["head"]


async def test_a_key_with_a_passphrase_is_used_at_the_prompt_alone(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await written(journal_places(), "Plant.A")
    context.ask_secret = answering("one", "two")
    with pytest.raises(ShellError, match="the two passphrases differ"):
        await said(context, "journal seal --new-key mine.pem")
    assert not (tmp_path / "mine.pem").exists()
    context.ask_secret = answering("sesame", "sesame", "sesame")
    await said(context, "journal seal --new-key mine.pem")
    await said(context, "journal seal --key mine.pem")
    context.ask_secret = None
    with pytest.raises(MxGatewayArgumentError, match="only a prompt asks"):
        await said(context, "journal seal --key mine.pem")


async def test_the_demo_has_a_journal_of_its_own(context: Context) -> None:
    await written(journal_places(), "Plant.A")
    await written(journal_places(demo=True), "Plant.B")
    assert [row["tag"] for row in await records(context, "journal")] == ["Plant.A"]
    context.is_demo = True
    assert [row["tag"] for row in await records(context, "journal")] == ["Plant.B"]
    assert len(await records(context, "journal --all")) == 3


async def test_it_works_without_a_connection_in_files_and_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = ShellProcess(tmp_path)
    shell.environment["MXGATEWAY_STATE"] = str(tmp_path / "kept")
    monkeypatch.setenv("MXGATEWAY_STATE", str(tmp_path / "kept"))
    places = journal_places()
    await written(places, "Plant.A")
    done = await shell("-e", "journal verify", "-e", "journal Plant.*", "--json")
    assert (done.code, done.err) == (0, "")
    assert [each["ok"] for each in done.objects] == [True, True]
    (tmp_path / "check.mxs").write_text("journal verify\njournal --since 1h\n")
    assert (await shell("-c", "check.mxs")).code == 0
    assert (await shell("lint", "check.mxs")).code == 0
    path = places.folder / "journal-000001.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Plant.A", b"Plant.B"))
    done = await shell("-e", "journal verify")
    assert done.code == 1
    assert "journal-000001.jsonl:2" in done.out + done.err


def test_its_words_are_completed() -> None:
    context = Context(all_commands(), interactive=True)
    subject = context.registry.commands["journal"].parameters[0].kind
    assert [each.text for each in subject.suggestions("ver", context)] == ["verify"]
    assert [each.text for each in subject.suggestions("", context)][:3] == ["export", "verify", "seal"]


async def test_a_run_that_only_reads_needs_no_journal_and_one_that_writes_says_whom_it_waits_for(
    tmp_path: Path,
) -> None:
    """To wait for the journal in each step would take longer than this test waits for its program."""
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        run = ShellProcess(tmp_path).on(gateway)
        folder = tmp_path / "records" / "state" / "journal" / "plant"
        folder.mkdir(parents=True, mode=0o700)
        with lock_of(folder):
            done = await run("--plaintext", "-e", "read Plant.Tank1.Level")
            assert (done.code, done.err) == (0, "")
            refused = await run("--plaintext", "-e", "write Plant.Tank1.Inlet.Position 60")
        assert (refused.code, [*gateway.writes]) == (5, [])
        assert re.search(r"the journal waits for .*process.*, which holds .*journal\.lock: at most 10 s", refused.err)
        assert re.search(r"cannot be written: .*process.* has held .*: nothing is sent without it", refused.err)
        assert "journal: head" not in refused.out
