"""One declaration of a command gives parsing with places, usage and help."""

from importlib import import_module
from pathlib import Path

import pytest

from zb_mom_ww_mxgateway_shell import commands
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.commands.index import MODULE_OF
from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.state.context import Context


@pytest.fixture
def context() -> Context:
    return Context(all_commands(), interactive=False)


def mistake(context: Context, line: str) -> InputError:
    with pytest.raises(InputError) as caught:
        context.registry.parse(line, context)
    return caught.value


@pytest.mark.parametrize(
    ("line", "start", "end", "said"),
    [
        ("wrte A 5", 0, 4, "did you mean write?"),
        ("xyzzy", 0, 5, "help lists them"),
        ("  wrte A 5", 2, 6, "did you mean write?"),
        ("write", 6, 7, "tag is missing: write <tag|item> <value>"),
        ("write A", 8, 9, "value is missing"),
        ("ack", 4, 5, "reference is missing: ack <reference>…"),
        ("write A 5 6", 10, 11, "one word too many"),
        ("write A 5 --timoeut 3s", 10, 19, "did you mean --timeout?"),
        ("write A 5 --timeout", 20, 21, "--timeout needs a value: <duration>"),
        ("write A 5 --timeout soon", 20, 24, "Duration expected"),
        ("write A 5 --timeout 1s --timeout 2s", 23, 32, "given twice"),
        ("watch A --count none", 16, 20, "whole number above zero"),
        ("watch A --count 0", 16, 17, "whole number above zero"),
        ("advise", 7, 8, "missing"),
        ("advise A", 7, 8, "A is not added"),
        ("advise 7", 7, 8, "nothing is registered"),
        ("unregister x", 11, 12, "whole number"),
        ("help wriet", 5, 10, "did you mean write?"),
        ("write A int23:5", 8, 15, "no type int23"),
        ('write A "5', 8, 10, 'closing " is missing'),
        (r'write A "5\x"', 10, 12, "unknown escape"),
        ("write A [1, , 2]", 12, 13, "an element is missing"),
        ("write A int32:abc", 14, 17, "Integer expected"),
        ('register ""', 9, 11, "name must not be empty"),
    ],
)
def test_a_mistake_is_pointed_at(context: Context, line: str, start: int, end: int, said: str) -> None:
    found = mistake(context, line)
    assert said in str(found)
    assert (found.start, found.end) == (start, end)


def test_options_may_stand_anywhere(context: Context) -> None:
    before = context.registry.parse("watch --count 3 A.b B.c", context)
    after = context.registry.parse("watch A.b B.c --count 3", context)
    assert before is not None
    assert after is not None
    assert before.options == after.options == {"count": 3}
    assert [target.tag for (target,) in before.positional] == ["A.b", "B.c"]


def test_usage_comes_from_the_declaration(context: Context) -> None:
    commands = context.registry.commands
    assert (
        commands["write"].usage
        == "write <tag|item> <value> [--verify] [tol <number>] [within <duration>] [--refused [<status>]] "
        "[--for <duration>] [--timeout <duration>] [--at <time>] [--reason <text>] [--second <user>] "
        "[--second-password-env <variable>] [--second-password-file <file>] [--server <server>]"
    )
    assert commands["watch"].usage.startswith("watch [<tag|item|glob|list>…]")
    assert commands["unregister"].usage == "unregister [<server>]"
    assert "[--plaintext]" in commands["connect"].usage


def test_every_command_says_what_it_does_and_has_an_example_that_parses() -> None:
    registry = all_commands()
    for command in registry.commands.values():
        assert command.summary.endswith("."), command.name
        assert command.example.split()[0] == command.name
        writing = (
            "write",
            "write-many",
            "write-elements",
            "restore",
            "undo",
            "revert",
            "ack",
            "call",
            "trace",
            "source",
        )
        assert command.mutating == (command.name in writing)


def test_every_module_declares_the_commands_it_is_loaded_for() -> None:
    folder = Path(commands.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} - {"__init__", "index"} == set(MODULE_OF.values())
    for name in set(MODULE_OF.values()):
        module = import_module(f"{commands.__name__}.{name}")
        declared = [command.name for command in module.COMMANDS]
        assert declared == [command for command, home in MODULE_OF.items() if home == name]


def test_the_commands_are_those_that_were_promised() -> None:
    assert set(all_commands().commands) >= {
        "connect", "disconnect", "status", "register", "unregister", "add-item", "remove-item", "advise",
        "unadvise", "items", "write", "watch", "help", "py", "exit",
    }  # fmt: skip


def test_a_summary_is_one_line(context: Context) -> None:
    assert not [each.name for each in context.registry.commands.values() if "\n" in each.summary]


@pytest.mark.parametrize("tag", ["Plant.Tank1.Level", "Plant.*", "1", "1/2"])
@pytest.mark.parametrize("line", ["events {} --for 1s", "unwatch {}", "read {}", "trend {} --for 1s", "history {}"])
def test_what_the_lines_before_may_have_added_is_no_mistake_before_a_run(context: Context, line: str, tag: str) -> None:
    if "*" not in tag or line.startswith(("events", "read", "trend")):
        assert context.registry.check(line.format(tag), context) == []


@pytest.mark.parametrize("line", ["watch A --count {}", "items --server {}", "read {}", "read 1/{}", "unregister {}"])
def test_a_number_of_thousands_of_digits_is_a_mistake(context: Context, line: str) -> None:
    mistake(context, line.format("9" * 5_000))
