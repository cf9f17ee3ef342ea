"""``mxgw-shell --log-file``."""

from pathlib import Path

from shell_process import ShellProcess

INT = "TestChildObject.TestInt"
PASSWORD = "correct horse battery"


async def test_a_run_is_logged_with_its_calls_and_without_secrets(tmp_path: Path) -> None:
    shell = ShellProcess(tmp_path)
    shell.environment["PLANT_PASSWORD"] = PASSWORD
    lines = (
        f"write {INT} 5 --verify",
        "login operator --password-env PLANT_PASSWORD",
        f"read {INT}",
        "browse Plant",
        "alarms",
        f"why {INT}",
    )
    log = ("--log-file", "log", "--log-level", "debug")
    done = await shell("--demo", *log, "-q", *(word for line in lines for word in ("-e", line)))
    assert (done.code, done.out, done.err) == (0, "", "")
    text = (tmp_path / "log").read_text(encoding="utf-8")
    for name in (
        *("mxgw.trust", "mxgw.connect connected", "mxgw.calls write OK", "mxgw.calls authenticate_user OK"),
        *("mxgw.calls stream_events opened", "mxgw.calls stream_events CANCELLED", "mxgw.session", "closed"),
    ):
        assert name in text
    assert "mxgw_demo_" not in text.replace("mxgw_demo_***", "")
    assert PASSWORD not in text


async def test_a_log_that_cannot_be_written_changes_no_exit_code(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    shell = ShellProcess(tmp_path)
    for value, code in ((0, 0), (7, 1)):
        done = await shell("--demo", "--log-file", "log", "-q", "-e", f"expect {INT} = {value}")
        assert done.code == code
        assert done.err.count("cannot write the log") == 1
