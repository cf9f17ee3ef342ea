"""Settings, aliases, output forms, tee, profiles, watch lists, several connections: what a shell is set to."""

import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shell_lines import SIMULATED, follow, run
from shell_process import KEY, ShellProcess
from shell_terminal import ENTER, shell

from zb_mom_ww_mxgateway.errors import MxGatewayWriteBlockedError
from zb_mom_ww_mxgateway.safety.arming import ArmingRules
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import all_commands, watches
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.output.formats import csv_lines
from zb_mom_ww_mxgateway_shell.output.results import Sheet, TextResult, sheet_of
from zb_mom_ww_mxgateway_shell.state import profiles
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.watch_lists import WatchLists, tags_of_object_viewer
from zb_mom_ww_mxgateway_sim import SimulatedGateway


@pytest.fixture
async def connected(tmp_path: Path) -> AsyncIterator[tuple[Context, SimulatedGateway]]:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        context = Context(all_commands(), interactive=False)
        context.lists = WatchLists(tmp_path / "lists")
        context.has_screen = True
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "first", terms=SIMULATED)
        try:
            yield context, gateway
        finally:
            await context.disconnect()


# Profiles.


def profiles_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "profiles.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_profiles_file_is_read_whole(tmp_path: Path) -> None:
    path = profiles_file(
        tmp_path,
        '[settings]\ntiming = "on"\n[aliases]\nlvl = "watch Plant.Tank1.Level"\n'
        '[profiles.plantA]\nendpoint = "plantgw:5001"\napi_key_env = "PLANT_A"\nread_only = true\nwatch = "tanks"\n',
    )
    found = profiles.load(path)
    profile = found.profiles["plantA"]
    assert profile.connection == Connection(endpoint="plantgw:5001", api_key_env="PLANT_A")
    assert (profile.read_only, profile.watch, found.aliases) == (True, "tanks", {"lvl": "watch Plant.Tank1.Level"})
    context = Context(all_commands(), interactive=False)
    found.apply(context.settings)
    assert context.settings.timing == "on"


def test_a_profile_says_who_may_write_what(tmp_path: Path) -> None:
    path = profiles_file(
        tmp_path,
        '[profiles.plantA]\nendpoint = "plantgw:5001"\narms = ["Tank1.*", "P1.Run"]\narm_needs_reason = true\n'
        'arm_longest = "10m"\nlimits = "plantA.limits.toml"\n[profiles.plantB]\nendpoint = "x:1"\n',
    )
    found = profiles.load(path).profiles
    assert found["plantA"].arms == ("Tank1.*", "P1.Run")
    assert found["plantA"].limits == str(tmp_path / "plantA.limits.toml")
    assert found["plantA"].arming_rules() == ArmingRules(needs_reason=True, longest=600.0, source="the profile plantA")
    assert (found["plantB"].arms, found["plantB"].limits) == ((), "")
    assert found["plantB"].arming_rules() == ArmingRules(source="the profile plantB")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('[profiles.a]\nendpoint = "x:1"\nendpont = "y"', 3, "unknown key endpont; did you mean endpoint?"),
        ('[profiles.a]\nendpoint = "x:1"\nplaintext = "yes"', 3, "plaintext must be true or false"),
        ('[profiles.a]\nendpoint = "x:1"\nconnect_timeout = true', 3, "connect_timeout must be a number"),
        ("# one\n[profiles.a]\nplaintext = true", 2, "names no endpoint"),
        ('[profiles.a]\nendpoint = "x:1"\napi_key = "mxgw_a_secret"', 3, "a key does not belong in the file"),
        ('[profiles.a]\nendpoint = "x:1"\napi_key_env = "A"\napi_key_file = "f"', 1, "more than one source"),
        ('[setings]\ntiming = "on"', 1, "unknown setings; did you mean settings?"),
        ('[settings]\n\ntimng = "on"', 3, "no setting timng; did you mean timing?"),
        ('[settings]\ntiming = "maybe"', 2, "timing is one of on, off"),
        ("[profiles.a]\nendpoint = x", 2, "Invalid value"),
        ('[profiles.a]\nread_only = true\nendpoint = "plantgw"', 3, "host:port expected"),
        ('[profiles.a]\nendpoint = "http://x:1"', 2, "without a scheme"),
        ('[profiles.a]\nendpoint = "x:1"\nconnect_timeout = -1', 3, "connect_timeout must be seconds above 0"),
        ('[profiles.a]\nendpoint = "x:1"\nplaintext = true\nca_file = "f"', 3, "plaintext contradicts ca_file"),
        ('[profiles.a]\nendpoint = "x:1"\napi_key_env = "mxgw_a_secret"', 3, "a key does not belong in the file"),
        ('[aliases]\nl = "items"\nwrite = "items"', 3, "write is a command"),
        ('[aliases]\nl = "itms"', 2, "no command itms; did you mean items?"),
        ('[aliases]\nl = ""', 2, "an alias begins with one"),
        ('profiles.a.endpoint = "x:1"\nprofiles.a.bad = 1', 2, "unknown key bad"),
        ('[profiles]\na = { endpoint = "x:1", bad = 1 }', 2, "unknown key bad"),
        ("[profiles]\nb.plaintext = true", 2, "names no endpoint"),
        ('[profiles.a]\nendpoint = "x:1"\narms = "Tank1.*"', 3, 'arms must be a list of texts: ["Tank1.*"]'),
        ('[profiles.a]\nendpoint = "x:1"\narms = [1]', 3, 'arms must be a list of texts: ["Tank1.*"]'),
        ('[profiles.a]\nendpoint = "x:1"\narms = []', 3, "arms names nothing"),
        ('[profiles.a]\nendpoint = "x:1"\narms = ["Tank1.*", "*.*"]', 3, 'arms: "*.*" names nothing'),
        ('[profiles.a]\nendpoint = "x:1"\nread_only = true\narms = ["T*"]', 4, "read_only forbids it"),
        ('[profiles.a]\nendpoint = "x:1"\narm_longest = "10 min"', 3, "arm_longest: Duration expected"),
        ('[profiles.a]\nendpoint = "x:1"\narm_longest = 600', 3, "arm_longest must be a text in quotes"),
        ('[profiles.a]\nendpoint = "x:1"\narm_needs_reason = "yes"', 3, "arm_needs_reason must be true or false"),
        ('[profiles.a]\nendpoint = "x:1"\nlimits = ""', 3, "limits must name a file"),
    ],
)
def test_a_mistake_in_the_profiles_file_is_reported_with_its_line(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    path = profiles_file(tmp_path, text)
    with pytest.raises(ShellError) as raised:
        profiles.load(path, all_commands().commands)
    assert str(raised.value).startswith(f"{path}:{line}:")
    assert said in str(raised.value)
    assert "secret" not in str(raised.value)


async def test_a_profile_connects_read_only_and_watches_its_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path / "certificate") as gateway:
        monkeypatch.setenv("PLANT_KEY", gateway.api_key or "")
        monkeypatch.setenv("MXGATEWAY_KNOWN_GATEWAYS", str(tmp_path / "known"))
        path = profiles_file(
            tmp_path,
            f'[profiles.plant]\nendpoint = "{gateway.endpoint}"\napi_key_env = "PLANT_KEY"\n'
            'read_only = true\nwatch = "tanks"\n',
        )
        context = Context(all_commands(), interactive=False)
        context.lists = WatchLists(tmp_path / "lists")
        context.lists.save("tanks", ["Plant.Tank1.Level"])
        context.profiles = profiles.load(path)
        try:
            await run(context, "connect plant", follow)
            assert [item.tag for item in context.connected.panel.items] == ["Plant.Tank1.Level"]
            with pytest.raises(MxGatewayWriteBlockedError, match="the profile plant is read-only"):
                await run(context, "write TestChildObject.TestInt 5", follow)
            with pytest.raises(MxGatewayWriteBlockedError, match="not armed: the profile plant is read-only"):
                await run(context, "arm Plant.*", follow)
            assert not gateway.writes
        finally:
            await context.disconnect()


async def test_profiles_are_listed_at_the_prompt_and_a_mistake_among_them_keeps_it_from_opening(tmp_path: Path) -> None:
    path = profiles_file(
        tmp_path,
        '[profiles.a]\nendpoint = "x:1"\napi_key_prompt = true\nread_only = true\n'
        '[profiles.b]\nendpoint = "[::1]:2"\napi_key_file = "f"\nwatch = "tanks"\n'
        'arms = ["Plant.*"]\narm_longest = "10m"\narm_needs_reason = true\n',
    )
    async with shell(tmp_path) as sh:
        await sh.terminal.enter("profiles", "no profiles; add them to")
        sh.context.profiles = profiles.load(path)
        await sh.terminal.enter(
            "profiles",
            "profiles.toml:\n",
            "a        x:1       asked for  never",
            "b        [::1]:2   file f     armed, at most 10m, with a reason; files: Plant.*  tanks",
        )
        await sh.terminal.prompted()
        sh.terminal.type("connect ")
        await sh.terminal.shows("  a      x:1", "  b      [::1]:2")
        await sh.terminal.enter("c", "no profile c; profiles lists them")
    path.write_text('[profiles.a]\nendpoint = "x:1"\nendpont = "y"\n', encoding="utf-8")
    process = ShellProcess(tmp_path)
    process.environment["MXGATEWAY_PROFILES"] = str(path)
    done = await process("--demo", "-e", "status")
    assert (done.code, done.out) == (2, "")
    assert f"{path}:3: unknown key endpont; did you mean endpoint?" in done.err


async def test_an_unknown_profile_is_a_mistake_with_its_place() -> None:
    context = Context(all_commands(), interactive=False)
    plant = profiles.Profile(name="plant", connection=Connection(endpoint="x:1"))
    context.profiles = profiles.Profiles(Path("p"), {"plant": plant}, {}, {})
    with pytest.raises(InputError, match="no profile plnt; did you mean plant") as raised:
        await run(context, "connect plnt", follow)
    assert (raised.value.start, raised.value.end) == (8, 12)


# Guard, several connections.


async def test_disarm_holds_for_commands_and_python_alike_until_arm(
    connected: tuple[Context, SimulatedGateway],
) -> None:
    context, gateway = connected
    await run(context, "disarm", follow)
    with pytest.raises(MxGatewayWriteBlockedError, match="read-only, by the command disarm: arm Test"):
        await run(context, "write TestChildObject.TestInt 5", follow)
    item = context.find_item("TestChildObject.TestInt")
    assert item is not None
    with pytest.raises(MxGatewayWriteBlockedError):
        await context.session.write(*item.key, 6)
    assert not gateway.writes
    await run(context, "arm TestChildObject.*", follow)
    await run(context, "write TestChildObject.TestInt 7", follow)
    assert [write.value for write in gateway.writes] == [7]


async def test_use_goes_between_connections_and_each_keeps_its_own(
    connected: tuple[Context, SimulatedGateway],
) -> None:
    context, first = connected
    await run(context, "write TestChildObject.TestInt 1", follow)
    async with SimulatedGateway(plaintext=True, api_keys=()) as second:
        await run(context, f"connect {second.endpoint} --plaintext", follow)
        assert not context.items
        await run(context, "disarm", follow)
        await run(context, "use first", follow)
        assert [item.tag for item in context.items] == ["TestChildObject.TestInt"]
        await run(context, "write TestChildObject.TestInt 2", follow)
        assert [write.value for write in first.writes] == [1, 2]
        assert not second.writes
        with pytest.raises(InputError, match="no connection frist is open; did you mean first"):
            await run(context, "use frist", follow)
        result = await run(context, f"disconnect {second.endpoint}", follow)
        assert result is not None
        assert (result.lines(), context.name) == ([f"disconnected from {second.endpoint}"], "first")


# Aliases, settings, forms.


async def test_an_alias_takes_what_follows_it_and_points_at_mistakes(
    connected: tuple[Context, SimulatedGateway],
) -> None:
    context, gateway = connected
    await run(context, "alias w write TestChildObject.TestInt", follow)
    await run(context, "w 5", follow)
    assert [write.value for write in gateway.writes] == [5]
    with pytest.raises(InputError, match="Integer expected") as raised:
        await run(context, "w five", follow)
    assert (raised.value.start, raised.value.end) == (2, 6)
    with pytest.raises(ShellError, match="write is a command"):
        await run(context, "alias write items", follow)
    with pytest.raises(ShellError, match="no command itms; did you mean items"):
        await run(context, "alias x itms", follow)


async def test_set_refuses_what_there_is_not(connected: tuple[Context, SimulatedGateway]) -> None:
    context, _ = connected
    with pytest.raises(InputError, match="no setting timng; did you mean timing"):
        await run(context, "set timng on", follow)
    with pytest.raises(InputError, match="one of table, json, csv, csv-raw is expected"):
        await run(context, "set output xml", follow)


def test_csv_has_headings_and_keeps_records_on_a_line() -> None:
    columns = ("b", "a", "c")
    assert csv_lines(Sheet(columns, [{"b": 1, "a": 'x "y", z'}, {"a": None, "c": [1, 2]}])) == [
        "a,b,c",
        '"x ""y"", z",1,',
        ',,"[1, 2]"',
    ]
    assert csv_lines(Sheet(columns, [])) == ["a,b,c"]
    assert csv_lines(sheet_of(TextResult("", {"outcome": "refused", "statuses": [{"detail": 28}]}))) == [
        "outcome,statuses",
        'refused,"[{""detail"": 28}]"',
    ]
    assert csv_lines(sheet_of(TextResult("", {"a": "1\x1b[2J"}))) == ["a", '"1\x1b[2J"']
    assert csv_lines(sheet_of(TextResult(""))) == []


async def test_csv_and_read_only_from_the_command_line(tmp_path: Path) -> None:
    shell_process = ShellProcess(tmp_path)
    done = await shell_process("--demo", "--csv", "-e", "register a", "-e", "add-item A.b", "-e", "items")
    assert done.out.splitlines()[-2:] == [
        "advised,age_seconds,buffered,buffered_interval_ms,description,item_handle,quality,quality_word,received_at,"
        "server_handle,source_timestamp,stale,statuses,supervisory,suspended,tag,unit,value,written_seconds_ago",
        "false,,false,,,1,,,,1,,,[],false,false,A.b,,,",
    ]
    done = await shell_process("--demo", "--read-only", "-e", "write TestChildObject.TestInt 5")
    assert (done.code, "started with --read-only" in done.err) == (5, True)


async def test_tee_copies_what_is_typed_and_shown_but_no_key(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        log = tmp_path / "session.log"
        await sh.terminal.enter(f"tee {log}", "copying to")
        await sh.terminal.enter("register acceptance", "server 1")
        await sh.terminal.enter(f"echo {KEY}", "echo")
        await sh.terminal.enter("register again", "server 2")
        await sh.terminal.prompted()
        sh.terminal.type("tee" + ENTER)
        await sh.terminal.shows("ended")
        text = log.read_text(encoding="utf-8")
        assert "demo> register acceptance\nserver 1\n" in text
        assert KEY not in text


# Lists.


async def test_lists_are_saved_loaded_and_watched(
    connected: tuple[Context, SimulatedGateway],
) -> None:
    context, _ = connected
    await run(context, "watch Plant.Tank1.Level Plant.Pump1.Running", follow)
    await run(context, "list save tank", follow)
    await run(context, "unwatch", follow)
    assert not context.connected.panel.items
    await run(context, "list load tank", follow)
    assert [item.tag for item in context.connected.panel.items] == ["Plant.Tank1.Level", "Plant.Pump1.Running"]
    with pytest.raises(ShellError, match="no list tnak; did you mean tank"):
        await run(context, "list load tnak", follow)
    with pytest.raises(ShellError, match="letters, digits"):
        await run(context, "list save ../tank A.b", follow)
    await run(context, "list delete tank", follow)
    assert context.lists.names() == []


async def test_a_list_is_replaced_only_if_that_is_agreed(
    connected: tuple[Context, SimulatedGateway], tmp_path: Path
) -> None:
    context, _ = connected
    (tmp_path / "watch.xml").write_text('<WatchList><Item Reference="Plant.Pump1.Running"/></WatchList>', "utf-8")
    await run(context, "list save tank A.b C.d", follow)
    await run(context, "list save tank A.b C.d", follow)
    for line in ("list save tank A.b", f"list import tank --file {tmp_path / 'watch.xml'}"):
        with pytest.raises(ShellError, match="--yes agrees to it") as refused:
            await run(context, line, follow)
        assert refused.value.exit_code is ExitCode.GUARDED
        assert context.lists.load("tank") == ["A.b", "C.d"]
    context.assume_yes = True
    await run(context, "list save tank A.b", follow)
    assert context.lists.load("tank") == ["A.b"]
    (tmp_path / "lists" / "tank.tags").write_bytes(b"\xe4")
    context.assume_yes = False
    with pytest.raises(ShellError, match="--yes agrees to it"):
        await run(context, "list save tank A.b", follow)
    assert (tmp_path / "lists" / "tank.tags").read_bytes() == b"\xe4"


async def test_what_takes_the_place_of_something_says_of_what(
    connected: tuple[Context, SimulatedGateway], tmp_path: Path
) -> None:
    context, _ = connected
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    for first, second, said in (
        ("alias l echo one", "alias l echo two", "l stands for: echo two\nit stood for: echo one"),
        (f"tee {one}", f"tee {two}", f"copying to {two}; {one} ended"),
        (
            f"record-script {one}.mxs",
            f"record-script {two}.mxs",
            f"recording to {two}.mxs; record-script ends it; {one}.mxs ended",
        ),
    ):
        await run(context, first, follow)
        result = await run(context, second, follow)
        assert result is not None
        assert "\n".join(result.lines()) == said
    for ending in ("tee", "record-script"):
        await run(context, ending, follow)


async def test_an_unreadable_list_is_reported_in_its_row(
    connected: tuple[Context, SimulatedGateway], tmp_path: Path
) -> None:
    context, _ = connected
    await run(context, "list save pumps Plant.Pump1.Running", follow)
    await run(context, "list save tank Plant.Tank1.Level", follow)
    (tmp_path / "lists" / "tank.tags").write_bytes(b"\xe4")
    result = await run(context, "list", follow)
    assert result is not None
    assert result.exit_code is ExitCode.NOT_MET
    _, pumps, tank = result.lines()
    assert pumps.split() == ["pumps", "1"]
    assert tank.split()[0] == "tank"
    assert "tank.tags:1:1: not UTF-8" in tank
    assert [record["tags"] for record in result.form()] == [["Plant.Pump1.Running"], None]


async def test_a_watch_list_of_object_viewer_is_imported(
    connected: tuple[Context, SimulatedGateway], tmp_path: Path
) -> None:
    context, _ = connected
    file = tmp_path / "watch.xml"
    file.write_text(
        '<?xml version="1.0"?><WatchList version="2.0.1"><Tab name="Tab 1"><Attribute Reference="Plant.Tank1.Level"/>'
        "<Attribute><Reference>Plant.Pump1.Running</Reference></Attribute></Tab></WatchList>",
        encoding="utf-8",
    )
    result = await run(context, f"list import viewer --file {file}", follow)
    assert result is not None
    assert result.value == ["Plant.Tank1.Level", "Plant.Pump1.Running"]
    assert context.lists.load("viewer") == result.value


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a named pipe is what this takes")
async def test_a_pipe_is_no_watch_list_and_is_not_waited_for(
    connected: tuple[Context, SimulatedGateway], tmp_path: Path
) -> None:
    context, _ = connected
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ShellError, match="pipe: it is no regular file"):
        await run(context, f"list import viewer --file {tmp_path / 'pipe'}", follow)
    assert context.lists.names() == []


async def test_a_watch_list_is_read_beside_the_shell(
    connected: tuple[Context, SimulatedGateway], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, _ = connected
    readers = []

    def read(path: Path) -> list[str]:
        readers.append(threading.current_thread())
        return ["Plant.Tank1.Level"]

    monkeypatch.setattr(watches, "tags_of_object_viewer", read)
    await run(context, "list import viewer --file watch.xml", follow)
    assert readers
    assert threading.main_thread() not in readers


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<a><b></a>", "not XML"),
        ("<a>nothing</a>", "holds no tags"),
        ('<!DOCTYPE a [<!ENTITY x "A.b">]><a tag="&x;"/>', "entities"),
    ],
)
def test_a_file_that_is_not_a_watch_list_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "watch.xml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ShellError, match=said):
        tags_of_object_viewer(file)
