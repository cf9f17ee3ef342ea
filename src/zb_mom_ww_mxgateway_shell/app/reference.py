"""Reference page of all commands, from their declarations: ``python -m zb_mom_ww_mxgateway_shell.app.reference``."""

from collections.abc import Iterator

from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.language.commands import Command
from zb_mom_ww_mxgateway_shell.language.help_topics import TOPICS
from zb_mom_ww_mxgateway_shell.state.settings import Settings


def reference() -> str:
    """Return the page, as Markdown."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    commands = list(all_commands().commands.values())
    yield "# The commands of mxgw-shell"
    yield ""
    yield "Made by `make reference` from the commands themselves; `help NAME` shows the same at the prompt."
    yield "Commands in **bold** change the plant. In a usage line replace `<…>`; `[…]` is optional, and `…` marks"
    yield "what can be repeated."
    for group in dict.fromkeys(command.group for command in commands):
        yield f"\n## {group}\n"
        yield "| command | |"
        yield "|---|---|"
        for command in commands:
            if command.group == group:
                name = f"[{command.name}](#{command.name})"
                yield f"| {f'**{name}**' if command.mutating else name} | {_cell(command.summary)} |"
    for command in sorted(commands, key=lambda each: each.name):
        yield from _section(command)
    yield "\n## Settings\n"
    yield "| `set` | values |"
    yield "|---|---|"
    for name, choices in Settings.choices().items():
        yield f"| `{name}` | {', '.join(f'`{choice}`' for choice in choices)} |"
    for name, topic in TOPICS.items():
        yield f"\n## help {name}\n"
        yield f"```text\n{topic.text}\n```"


def _section(command: Command) -> Iterator[str]:
    yield f"\n### {command.name}\n"
    yield f"```text\n{command.usage}\n```\n"
    yield command.summary
    if command.details:
        yield f"\n{command.details}"
    yield f"\nExample:\n\n```text\n{command.example}\n```"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def main() -> None:
    """Prints the page."""
    import sys

    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]  # a process has a text file
    print(reference(), end="")


if __name__ == "__main__":
    main()
