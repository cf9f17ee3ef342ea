"""Users who sign: login and logout, secured and verified writes, and passwords that are kept nowhere."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shell_lines import SIMULATED, follow, run
from shell_process import ShellProcess
from shell_terminal import shell

from zb_mom_ww_mxgateway import MxAccessError, MxGatewayArgumentError
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.output.results import Table, TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.terminal.histories import HistoryInMemory, history_at
from zb_mom_ww_mxgateway_sim import GalaxyUser, SimulatedGateway

SECURED, VERIFIED = "Plant.Interlock.Bypass", "Plant.Interlock.Reset"
BOB, ANNA = "bob-s3cret", "anna-s3cret"


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    users = [GalaxyUser("bob", BOB, "7f9f2f9e-52a5-4f0e-9a8b-0d7ce8d0e5b1"), GalaxyUser("anna", ANNA)]
    async with SimulatedGateway(plaintext=True, api_keys=(), users=users) as made:
        yield made


@pytest.fixture
async def context(gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Context]:
    monkeypatch.setenv("BOB", BOB)
    monkeypatch.setenv("ANNA", ANNA)
    made = Context(all_commands(), interactive=False)
    await made.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "plant", terms=SIMULATED)
    try:
        yield made
    finally:
        await made.disconnect()


async def text_of(context: Context, line: str) -> str:
    result = await run(context, line, follow)
    assert result is not None
    return "\n".join(result.lines())


@pytest.mark.parametrize("tag", [SECURED, VERIFIED, SECURED.upper()])
async def test_a_secured_write_without_a_user_says_so_before_anything_is_sent(
    context: Context, gateway: SimulatedGateway, tag: str
) -> None:
    with pytest.raises(ShellError, match="nobody is logged in on server 1: login USER") as refused:
        await run(context, f"write {tag} true", follow)
    assert refused.value.exit_code is ExitCode.GUARDED
    assert not gateway.writes


async def test_the_user_who_is_logged_in_signs_for_a_secured_write(context: Context, gateway: SimulatedGateway) -> None:
    assert "bob is logged in as user 1 of server 1" in await text_of(context, "login bob --password-env BOB")
    result = await run(context, f"write {SECURED} true", follow)
    assert isinstance(result, TextResult)
    assert (result.exit_code, result.value) == (ExitCode.DONE, "completed")
    assert "signed by bob" in result.text
    (write,) = gateway.writes
    assert (write.user_id, write.verifier_id) == (1, 0)


async def test_a_verified_write_takes_a_second_person(context: Context, gateway: SimulatedGateway) -> None:
    await run(context, "login bob --password-env BOB", follow)
    with pytest.raises(ShellError, match="needs a second person: --second USER"):
        await run(context, f"write {VERIFIED} true", follow)
    with pytest.raises(ShellError, match="bob signs already: another person"):
        await run(context, f"write {VERIFIED} true --second bob --second-password-env BOB", follow)
    with pytest.raises(MxAccessError, match="authenticate_user"):
        await run(context, f"write {VERIFIED} true --second anna --second-password-env BOB", follow)
    assert not gateway.writes
    line = f"write {VERIFIED} true --second anna --second-password-env ANNA"
    assert "signed by bob, verified by anna" in await text_of(context, line)
    (write,) = gateway.writes
    assert (write.user_id, write.verifier_id) == (1, 2)
    # For this write alone.
    assert [user.name for user in context.connected.users.valid()] == ["bob"]


async def test_the_signer_is_refused_as_second_person_before_a_password_is_asked_for(
    context: Context, gateway: SimulatedGateway
) -> None:
    await run(context, "login bob --password-env BOB", follow)
    with pytest.raises(ShellError, match="BOB signs already: another person"):
        await run(context, f"write {VERIFIED} true --second BOB --second-password-env NOT_SET", follow)
    assert not gateway.writes


async def test_a_plain_write_takes_no_verifier(context: Context, gateway: SimulatedGateway) -> None:
    with pytest.raises(ShellError, match="no VerifiedWrite tag"):
        await run(context, "write TestChildObject.TestInt 1 --second anna --second-password-env ANNA", follow)
    assert not gateway.writes


async def test_users_are_listed_and_the_last_one_signs(context: Context) -> None:
    await run(context, "login bob --password-env BOB", follow)
    await run(context, "login anna --password-env ANNA", follow)
    result = await run(context, "users", follow)
    assert isinstance(result, Table)
    assert [(record["user"], record["signs"]) for record in result.records] == [("anna", True), ("bob", False)]
    await run(context, "logout ANNA", follow)
    assert "signed by bob" in await text_of(context, f"write {SECURED} true")
    await run(context, "logout", follow)
    assert "nobody is logged in" in await text_of(context, "users")


async def test_an_archestra_user_is_known_by_its_guid(context: Context) -> None:
    await run(context, "archestra-user 7f9f2f9e-52a5-4f0e-9a8b-0d7ce8d0e5b1", follow)
    assert "signed by 7f9f2f9e" in await text_of(context, f"write {SECURED} true")


async def test_ids_die_with_their_server_handle(context: Context, gateway: SimulatedGateway) -> None:
    await run(context, "login bob --password-env BOB", follow)
    await run(context, "unregister", follow)
    await run(context, "register again", follow)
    with pytest.raises(ShellError, match="nobody is logged in on server 2"):
        await run(context, f"write {SECURED} true", follow)
    assert not gateway.writes


async def test_ids_die_with_their_session(context: Context, gateway: SimulatedGateway) -> None:
    await run(context, "login bob --password-env BOB", follow)
    await run(context, f"read {SECURED}", follow)
    live = context.live_session
    former = live.session.session_id
    gateway.faults.lose_session(former)
    while live.state.value != "live" or live.session.session_id == former:
        await live.changed()
    with pytest.raises(ShellError, match="nobody is logged in on server 1"):
        await run(context, f"write {SECURED} true", follow)
    (item,) = await live.subscribe_tags([SECURED])
    # The number may be somebody else's by now: the library does not send it either.
    with pytest.raises(MxGatewayArgumentError, match="user id 1 was not given since the session was rebuilt"):
        await live.session.write_secured(*item.key, True, 1)
    assert not gateway.writes


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", "no terminal to ask at: --password-env NAME or --password-file FILE"),
        ("--password-env NOT_SET", "the environment variable NOT_SET is not set"),
        ("--password-file missing.txt", "cannot read missing.txt: No such file"),
        ("--password-env BOB --password-file x", "both given"),
    ],
)
async def test_a_password_that_cannot_be_had_is_an_error(context: Context, options: str, said: str) -> None:
    with pytest.raises(ShellError, match=said):
        await run(context, f"login bob {options}", follow)


async def test_a_password_comes_from_the_first_line_of_a_file(context: Context, tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text(f"{BOB}\nnot this\n", encoding="utf-8")
    assert "bob is logged in" in await text_of(context, f'login bob --password-file "{path}"')


async def test_a_password_on_the_line_is_a_mistake_and_kept_nowhere(tmp_path: Path, gateway: SimulatedGateway) -> None:
    program = ShellProcess(tmp_path).on(gateway)
    done = await program("--plaintext", "-e", f"login bob {BOB}")
    assert done.code == ExitCode.USAGE
    assert "one word too many" in done.err
    assert BOB not in done.out + done.err
    assert not [call for call in gateway.calls if call.rpc == "Invoke"]


USERS = [GalaxyUser("bob", BOB), GalaxyUser("anna", ANNA)]


async def test_a_password_is_asked_for_unseen(tmp_path: Path) -> None:
    history = HistoryInMemory()
    async with shell(tmp_path, users=USERS, history=history) as made:
        terminal, gateway = made.terminal, made.gateway
        await terminal.enter("login bob", "password of bob:")
        await terminal.enter(BOB, "bob is logged in as user 1")
        assert BOB not in terminal.raw
        await terminal.enter(f"login bob {BOB}", "one word too many")
        await terminal.enter(f"write {VERIFIED} true", "Their user name:")
        await terminal.enter("anna", "password of anna:")
        await terminal.enter(ANNA, "verified by anna")
        assert ANNA not in terminal.raw
        (write,) = gateway.writes
        assert (write.user_id, write.verifier_id) == (1, 2)
    assert [line for line in history.get_strings() if "s3cret" in line] == []


async def test_a_password_that_is_pasted_behind_its_login_runs_nothing_and_is_kept_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "history"
    async with shell(tmp_path, users=USERS, history=history_at(path)) as made:
        made.terminal.type(f"\x1b[200~login bob\n{BOB}\x1b[201~")
        await made.terminal.enter("", "nothing was run: login asks for a secret")
        # With a command behind it, it is a paste as any other.
        made.terminal.type("\x1b[200~login bob --password-env BOB\nstatus\x1b[201~")
        await made.terminal.enter("", "run these 2 lines?")
        made.terminal.type("n\r")
        await made.terminal.prompted()
        assert made.gateway.mutating_calls == 0
    assert BOB not in path.read_text(encoding="utf-8")
    assert "status" in path.read_text(encoding="utf-8")


async def test_a_rebuilt_session_says_who_has_to_log_in_again(tmp_path: Path) -> None:
    async with shell(tmp_path, users=USERS) as made:
        await made.terminal.enter("login bob", "password of bob:")
        await made.terminal.enter(BOB, "bob is logged in as user")
        made.gateway.faults.lose_session(made.context.session.session_id)
        await made.terminal.shows("logged out with the lost")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("login bob --password=SECRET", "login has no option --password; did you mean --password-env?"),
        ('call AuthenticateUser {"verify_user_password": "SECRET"}', "a password never stands on a line"),
        ("write-elements A.B 99999999999 0=5", "a whole number above zero is expected, at most 2147483647"),
    ],
)
async def test_a_mistake_names_its_cause_and_no_password(context: Context, line: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        await run(context, line, follow)
    assert str(refused.value) == message or str(refused.value).startswith(f"{message}:")


async def test_a_plan_logs_nobody_in_and_harms_no_session(tmp_path: Path, gateway: SimulatedGateway) -> None:
    program = ShellProcess(tmp_path).on(gateway)
    lines = [
        "login bob --password-env NOT_SET",
        "archestra-user x",
        "logout",
        "logout bob",
        "drain-events",
        "shutdown-worker",
    ]
    (tmp_path / "try.mxs").write_text("\n".join([*lines, f"write {SECURED} true"]), encoding="utf-8")
    done = await program("--plaintext", "plan", "try.mxs")
    assert done.code == ExitCode.USAGE, done
    assert "no line before logs a user in" in done.err
    assert done.out.count("would ") == len(lines) + 1  # "nothing would be written"
    (tmp_path / "try.mxs").write_text(f"login bob --password-env NOT_SET\nwrite {SECURED} true", encoding="utf-8")
    done = await program("--plaintext", "plan", "try.mxs")
    assert done.code == ExitCode.DONE, done
    for line, said in (
        (f"write {VERIFIED} true", "a second person is missing: --second USER"),
        (f"write {VERIFIED} true --second BOB --second-password-env NOT_SET", "BOB signs already"),
        (f"write {SECURED} true --for 5s", "leave out --for"),
    ):
        (tmp_path / "try.mxs").write_text(f"login bob --password-env NOT_SET\n{line}", encoding="utf-8")
        done = await program("--plaintext", "plan", "try.mxs")
        assert (done.code, said in done.err) == (ExitCode.USAGE, True), done
    kinds = {call.request.command.WhichOneof("payload") for call in gateway.calls if call.rpc == "Invoke"}
    assert not kinds & {"authenticate_user", "archestra_user_to_id", "drain_events", "shutdown_worker", "write_secured"}


async def test_a_signer_lost_while_the_second_person_is_asked_does_not_sign(tmp_path: Path) -> None:
    async with shell(tmp_path, users=USERS) as made:
        await made.terminal.enter("login bob", "password of bob:")
        await made.terminal.enter(BOB, "bob is logged in as user")
        await made.terminal.enter(f"write {VERIFIED} true --second anna", "password of anna:")
        made.gateway.faults.lose_session(made.context.session.session_id)
        await made.terminal.shows("logged out with the lost")
        await made.terminal.enter(ANNA, "bob is logged out", "nothing was written")
        assert not made.gateway.writes


@pytest.mark.parametrize(
    "line", ["login", 'login ""', "logout carol", "write A true --second", "login bob --password-env"]
)
async def test_mistakes_have_their_place(context: Context, line: str) -> None:
    with pytest.raises(InputError):
        await run(context, line, follow)


async def test_a_plan_shows_the_source_time(tmp_path: Path, gateway: SimulatedGateway) -> None:
    (tmp_path / "times.csv").write_text("tag,value,time\nTestChildObject.TestInt,7,2020-01-02T00:00:00Z\n")
    lines = [
        "write TestChildObject.TestInt 5 --at 2020-01-02T00:00:00Z",
        "write-elements TestChildObject.TestIntArray 10 0=5 --at 2020-01-02T00:00:00Z",
        "write-many times.csv",
    ]
    (tmp_path / "try.mxs").write_text("\n".join(lines), encoding="utf-8")
    done = await ShellProcess(tmp_path).on(gateway)("--plaintext", "plan", "try.mxs")
    assert done.code == ExitCode.DONE, done
    assert done.out.count(", at 2020-01-02T00:00:00.000Z") == len(lines)
