"""Questions to the person at the terminal."""

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app_session
from prompt_toolkit.history import InMemoryHistory

from zb_mom_ww_mxgateway_console.render.forms import ExitCode, safe
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.output.wrapping import folded
from zb_mom_ww_mxgateway_shell.terminal.abilities import silence_cursor_warning


def _asking() -> PromptSession[str]:
    asking: PromptSession[str] = PromptSession(history=InMemoryHistory())
    silence_cursor_warning(asking.app)
    return asking


def _folded(question: str) -> str:
    """Return the question broken at spaces: the prompt breaks it where the screen ends."""
    text = question.rstrip()
    lines = folded(text, get_app_session().output.get_size().columns - 1)
    return "\n".join(lines) + question[len(text) :]


async def ask(question: str) -> str:
    """Return the person's answer in lower case; empty for Ctrl-C and Ctrl-D."""
    asking = _asking()
    try:
        return (await asking.prompt_async(_folded(question), handle_sigint=False)).strip().casefold()
    except (KeyboardInterrupt, EOFError):
        return ""


async def ask_text(question: str) -> str:
    """Return what a person types; empty for Ctrl-C and Ctrl-D."""
    try:
        return await _asking().prompt_async(_folded(safe(question)), handle_sigint=False)
    except (KeyboardInterrupt, EOFError):
        return ""


async def confirmed(question: str) -> bool:
    """Return whether the person says yes."""
    return await ask(f"{safe(question)} [y/N] ") in ("y", "yes")


async def stays(question: str) -> str | None:
    """Return None where a person goes back by Enter, else the line that they have begun: empty for q, Ctrl-C and
    Ctrl-D."""
    try:
        typed = (await _asking().prompt_async(question, handle_sigint=False)).strip()
    except (KeyboardInterrupt, EOFError):
        return ""
    return None if not typed else "" if typed.casefold() == "q" else typed


async def ask_secret(question: str) -> str:
    """Return a key or password, typed unseen and stored nowhere; raises ShellError if none is given."""
    asking = _asking()
    try:
        return await asking.prompt_async(_folded(question), is_password=True, handle_sigint=False)
    except (KeyboardInterrupt, EOFError):
        raise ShellError(f"not given: {safe(question).rstrip(': ')}", ExitCode.CANNOT_CONNECT) from None
