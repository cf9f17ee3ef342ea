"""The prompt: reads and runs lines, shows their results, and reports events of the connection."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import TypeVar

import platformdirs
from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session, get_app_session
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import History
from prompt_toolkit.layout import ConditionalContainer, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.plain_text import PlainTextOutput
from prompt_toolkit.styles import DynamicStyle

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.process.endings import INTERRUPT
from zb_mom_ww_mxgateway_console.process.standard_streams import give_up_output
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.output.terminal_signals import alarm_signal
from zb_mom_ww_mxgateway_shell.output.value_text import with_time
from zb_mom_ww_mxgateway_shell.process.quiet_terminal import quiet_terminal
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted, interruptible, on_signals
from zb_mom_ww_mxgateway_shell.process.tasks import background_problem, in_background
from zb_mom_ww_mxgateway_shell.python.namespace import PythonNames
from zb_mom_ww_mxgateway_shell.scripts.connection_news import report_news
from zb_mom_ww_mxgateway_shell.scripts.executor import LineRun, command_of
from zb_mom_ww_mxgateway_shell.scripts.replay import MadeFileCheck
from zb_mom_ww_mxgateway_shell.state.confirmation import may_leave
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.terminal.abilities import (
    dumb_term_set,
    is_dumb,
    paste_marked,
    raw_writer,
    silence_cursor_warning,
)
from zb_mom_ww_mxgateway_shell.terminal.completion import ShellCompleter
from zb_mom_ww_mxgateway_shell.terminal.console import Console
from zb_mom_ww_mxgateway_shell.terminal.dialogs import ask, ask_text, confirmed
from zb_mom_ww_mxgateway_shell.terminal.early_secrets import EarlySecrets, asks_for_next_line
from zb_mom_ww_mxgateway_shell.terminal.editing import EDITING, LineEditor
from zb_mom_ww_mxgateway_shell.terminal.greeting import farewell, greeting
from zb_mom_ww_mxgateway_shell.terminal.held_keys import HeldKeys
from zb_mom_ww_mxgateway_shell.terminal.highlight import LineLexer
from zb_mom_ww_mxgateway_shell.terminal.histories import HistoryInMemory, history_at, keep_no_secret
from zb_mom_ww_mxgateway_shell.terminal.keys import prompt_keys
from zb_mom_ww_mxgateway_shell.terminal.line_search import restore_line_after_search, show_found_lines_whole
from zb_mom_ww_mxgateway_shell.terminal.paged_lines import PagedLines
from zb_mom_ww_mxgateway_shell.terminal.prompt_panel import PromptPanel
from zb_mom_ww_mxgateway_shell.terminal.prompt_text import prompt_message, prompt_text
from zb_mom_ww_mxgateway_shell.terminal.redrawing import keep_redrawn
from zb_mom_ww_mxgateway_shell.terminal.row_actions import RowAction
from zb_mom_ww_mxgateway_shell.terminal.running_view import RunningView
from zb_mom_ww_mxgateway_shell.terminal.screen_visits import ScreenVisits
from zb_mom_ww_mxgateway_shell.terminal.selection_question import SelectionQuestions
from zb_mom_ww_mxgateway_shell.terminal.shown_results import ShownResults
from zb_mom_ww_mxgateway_shell.terminal.sourced_files import SourcedFiles
from zb_mom_ww_mxgateway_shell.terminal.styles import style_of
from zb_mom_ww_mxgateway_shell.terminal.surroundings import NewestMessage, Screen, Surroundings
from zb_mom_ww_mxgateway_shell.terminal.toolbar import Toolbar
from zb_mom_ww_mxgateway_shell.terminal.typed_line import TypedLine
from zb_mom_ww_mxgateway_shell.terminal.typed_text import SafeTextProcessor

T = TypeVar("T")


class Prompt:
    """The shell at a terminal."""

    def __init__(self, context: Context, *, debug: bool, history: History) -> None:
        session = get_app_session()
        keep_no_secret(history, lambda text: bool(asks_for_next_line(context, text)))
        self._context = context
        self._debug = debug
        self._input, self._output = session.input, session.output
        self._keys = HeldKeys(self._input)
        self._style = DynamicStyle(lambda: style_of(context.settings.theme))
        self._console = Console(self._output, context.spool, self._style)
        self._color_depth = getattr(self._output, "default_color_depth", None)
        self._visits = ScreenVisits(self._console.held, self._keys)
        # A terminal that cannot move its cursor gets only lines.
        self._is_dumb = is_dumb()
        context.has_screen = not self._is_dumb
        self._secrets = EarlySecrets(self._keys, self._console.print)
        self._alerts: asyncio.Queue[str] = asyncio.Queue()
        self._typed = TypedLine(context)
        self._panel = PromptPanel(context, self._output)
        self._toolbar = Toolbar(context, self._output, self._typed, LineEditor(lambda: self._prompt))
        keys = prompt_keys()
        self._prompt: PromptSession[str] = PromptSession(
            message=partial(prompt_message, context, self._output),
            completer=ShellCompleter(context, self._typed),
            lexer=LineLexer(context, self._typed),
            input_processors=[SafeTextProcessor()],
            key_bindings=keys,
            search_ignore_case=True,
            complete_while_typing=True,
            bottom_toolbar=self._toolbar.text,
            history=history,
            style=self._style,
            input=self._input,
            output=None if self._is_dumb else self._output,
        )
        silence_cursor_warning(self._prompt.app)
        restore_line_after_search(self._prompt.app, self._prompt.default_buffer, keys)
        show_found_lines_whole(self._prompt.layout)
        # Above the prompt, not in its message: prompt_toolkit splits a long message several times per redraw.
        above = ConditionalContainer(
            Window(FormattedTextControl(self._panel.above), dont_extend_height=True),
            Condition(lambda: bool(self._panel) and not self._is_dumb and not self._prompt.app.is_done),
        )
        self._prompt.app.layout = Layout(
            HSplit([above, self._prompt.layout.container]), focused_element=self._prompt.default_buffer
        )
        self._view = RunningView(
            self._keys,
            self._output,
            self._style,
            panel=self._panel.text,
            state_line=self._toolbar.state_line,
            flush=self._console.flush,
            hides=self._secrets.may_come,
            is_dumb=self._is_dumb,
        )
        self._around = Surroundings(
            self._output, self._panel.text, self._toolbar.state_line, NewestMessage(), self._console.waiting
        )
        screen = Screen(self._input, self._output, self._style, self._around)
        self._lines = PagedLines(
            context,
            self._console,
            self._keys,
            screen,
            self._panel.above,
            is_dumb=self._is_dumb,
        )
        # Load all commands before the first key.
        list(context.registry.commands.values())
        context.open_pane = self._open_pane
        context.clear_screen = None if self._is_dumb else self._console.clear
        context.write_raw = raw_writer(self._output)
        context.signal_alarm = self._signal_alarm
        context.made_files = MadeFileCheck(context)
        self._files = SourcedFiles(context, self._console, self._secrets, debug=debug)
        context.source_file = self._files.run
        self._questions = SelectionQuestions(
            self._input, self._output, self._console.write, context.spool.line, self._view.stepped_back
        )
        self._results = ShownResults(
            context, self._console, screen, self._lines, self._view, self._visits, self._questions.over, debug=debug
        )
        self._one_dialog = asyncio.Lock()
        """Held while a dialog is open: lines that run at the same time ask one after the other."""
        context.answer_selections(self._questions.ask)
        context.ask_secret = context.ask_unseen = self._asked(self._secrets.ask)
        context.ask_text = context.ask_value = self._asked(ask_text)
        context.ask = self._asked(confirmed)

    async def run(self) -> ExitCode:
        """Read and run lines until exit or Ctrl-D."""
        for line in greeting(self._context):
            self._console.print(line)
        self._context.set_outputs(self._console.print, self._alert)
        async with AsyncExitStack() as background:
            for name, work in (
                ("alerts", self._report_alerts),
                ("state changes", self._report_news),
                ("watched values", self._keep_in_view),
            ):
                await background.enter_async_context(in_background(name, work, self._report_background_failure))
            # Ctrl-C between two lines has nothing to stop and must not close the shell.
            with (
                on_signals(INTERRUPT, lambda: None),
                quiet_terminal(self._input.fileno()),
                paste_marked(self._output),
            ):
                await self._read_and_run()
        self._context.set_outputs(self._console.print)
        for line in farewell(self._context):
            self._console.print(line)
        return ExitCode.DONE

    def _signal_alarm(self, text: str) -> None:
        """Ring, or show a notice, for new alarms, if a person wants it."""
        write, signal = self._context.write_raw, alarm_signal(self._context.settings.alarm_bell, text)
        if write is not None and signal:
            write(signal)

    def _report_background_failure(self, error: BaseException) -> None:
        self._alert(background_problem(error))

    def _alert(self, text: str) -> None:
        """Report soon, above the prompt, what happens without a command."""
        self._alerts.put_nowait(with_time(text))

    async def _read_and_run(self) -> None:
        """Read and run lines until a person leaves, and agrees to what stays changed."""
        while True:
            await self._read_until_left()
            if self._input.closed:
                return  # The terminal is gone.
            with self._keys.held():  # What was typed behind the last line does not answer the question.
                may = await may_leave(self._context, self._context.connections.values())
            if may:
                return
            self._context.leaving = False

    async def _read_until_left(self) -> None:
        """Read and run lines until a person leaves."""
        while not self._context.leaving:
            self._typed.forget()
            self._apply_settings()
            await self._questions.over()
            action = self._visits.take_line()
            try:
                line = await self._line(action)
            except KeyboardInterrupt:
                await self._back_to_screen(asks=False)
                continue
            except EOFError:
                return
            with self._keys.held():
                if action is None or action.is_begun:
                    await self._entered(line)
                else:
                    await self._run_line(line, shows_line=True)
                if self._keys.text:
                    self._visits.forget()
                if self._is_dumb and self._keys.text:
                    # It shows only what is typed.
                    self._console.print(f"typed ahead, and run by Enter: {self._keys.text.rstrip()}")
            await self._back_to_screen()

    async def _line(self, action: RowAction | None) -> str:
        """Return the line of an action, ended by a person where it is only begun; without one a line that is typed."""
        if action is not None and not action.is_begun:
            return action.line
        return await self._prompt.prompt_async(default=action.line if action else "", handle_sigint=False)

    async def _back_to_screen(self, *, asks: bool = True) -> None:
        """Show the full screen again after a line about one of its rows, if a person wants that."""
        if self._context.leaving:
            return
        await self._questions.over()
        try:
            await self._visits.back(asks=asks)
        except OSError:
            raise  # The terminal is gone.
        except Exception as error:
            self._results.report_problem(error, "", 0)

    def _apply_settings(self) -> None:
        settings = self._context.settings
        self._prompt.editing_mode = EDITING[settings.keys]
        # NO_COLOR is obeyed by the output itself.
        off = settings.color == "off"
        depth = ColorDepth.MONOCHROME if off else self._color_depth
        self._output.default_color_depth = depth  # type: ignore[attr-defined]  # each output with colours has it

    async def _entered(self, text: str) -> None:
        """Run the entered text; several lines up to the first that fails, where a person agrees to them."""
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) > 1:
            self._keys.resume()  # What was typed behind them does not answer the question.
        if asking := asks_for_next_line(self._context, text):
            self._console.print(
                f"nothing was run: {asking.split()[0]} asks for a secret, and the line behind it is no command; type "
                "the secret once it asks",
                "class:problem",
            )
            return
        if len(lines) > 1 and not await self._confirm_lines(lines):
            self._console.print("nothing was run")
            return
        for line in lines:
            if not await self._run_line(line, shows_line=len(lines) > 1):
                if len(lines) > 1:
                    self._console.print("stopped there", "class:problem")
                return

    async def _confirm_lines(self, lines: list[str]) -> bool:
        """Show the effect of several pasted lines, and ask."""
        shown: list[tuple[str, str]] = []
        for number, line in enumerate(lines, start=1):
            found = command_of(self._context, line)
            mark = "WRITES" if found and found.mutating else ""
            wrong = self._typed.mistake(line + " ")
            problem = f"   {wrong}" if wrong else ""
            shown.append((f"{number:>4}  {mark:6}  {line}{problem}", "class:problem" if wrong else ""))
        await self._lines.show_styled(shown)
        return await ask(f"run these {len(lines)} lines? [y/N] ") in ("y", "yes")

    async def _run_line(self, line: str, *, shows_line: bool) -> bool:
        """Run a line and show its result, below a copy of the line with `shows_line`.

        Returns False if the line failed.
        """
        typed = prompt_text(self._context) + line
        if shows_line:
            self._console.print(typed, fold=False)
        else:
            self._context.spool.line(typed)
        started = clock.monotonic()
        running = LineRun(self._context, line)
        self._secrets.begin(running)
        try:
            try:
                work = self._view.during(running.run(self._results.follow), lambda: self._files.progress(running))
                result = (await interruptible(work, INTERRUPT)).unwrap()
            finally:
                self._keys.settle()
                await self._view.leave()
                self._secrets.end()
        except Interrupted as interrupted:
            self._console.print(str(interrupted) or str(running.interruption()))
            return False
        except Exception as error:
            self._results.report_problem(error, line, len(typed) - len(line))
            return False
        await self._questions.over()
        try:
            await interruptible(self._results.show(result), INTERRUPT)
        except Interrupted:
            self._console.print("interrupted: the result is incomplete")
        except OSError:
            raise  # The terminal is gone.
        except Exception as error:
            # The command ran; only its result cannot be shown.
            self._results.report_problem(error, line, len(typed) - len(line))
        if self._context.settings.timing == "on":
            self._console.print(f"({(clock.monotonic() - started) * 1000:.0f} ms)")
        return result is None or result.exit_code is ExitCode.DONE

    async def _open_pane(self) -> None:
        from zb_mom_ww_mxgateway_shell.terminal.pane import Pane

        names = PythonNames(self._context, self._results.follow, partial(self._results.show, acts=False))
        async with self._view.stepped_back():
            terminal, has_vi_keys = (self._input, self._output), self._context.settings.keys == "vi"
            pane = Pane(names, *terminal, self._questions.over, self._keys, vi_mode=has_vi_keys, debug=self._debug)
            await pane.visit()

    def _asked(self, dialog: Callable[[str], Awaitable[T]]) -> Callable[[str], Awaitable[T]]:
        """Return a function that opens a dialog once no question is open, in the place of what is in view."""

        async def asked(text: str) -> T:
            async with self._one_dialog:
                await self._questions.over()
                async with self._view.stepped_back():
                    return await dialog(text)

        return asked

    async def _keep_in_view(self) -> None:
        """Redraw the prompt and the watched values above it."""
        await keep_redrawn(self._prompt.app, self._panel.changed)

    # Reports above the prompt.

    async def _report_alerts(self) -> None:
        """Report above the prompt what happens without a command."""
        while True:
            text = await self._alerts.get()
            self._around.message.take(text)
            self._console.print(text, "class:problem")

    async def _report_news(self) -> None:
        """Report above the prompt changes of the stream of any connection."""

        async def report(text: str, is_bad: bool) -> None:
            line = with_time(text)
            self._around.message.take(line)
            self._console.print(line, "class:problem" if is_bad else "")

        await report_news(self._context, report)


def why_no_prompt() -> str:
    """Return why a prompt is impossible here; empty if it is possible."""
    try:
        session = get_app_session()
        _ = session.input, session.output
    except Exception as error:  # missing consoles raise errors of many kinds
        return str(error) or type(error).__name__
    return ""


async def at_prompt(context: Context, *, debug: bool) -> ExitCode:
    """Run the shell at the terminal of this process."""
    try:
        history = history_at(platformdirs.user_state_path("mxgw", appauthor=False) / "history", context.notice)
    except RuntimeError:  # a user without a home, as in some containers
        history = HistoryInMemory()
    # A dumb terminal would show escapes as text.
    plain = PlainTextOutput(sys.stdout) if is_dumb() else None
    try:
        with dumb_term_set(), create_app_session(output=plain):
            return await Prompt(context, debug=debug, history=history).run()
    except OSError as error:
        if not give_up_output(error):
            raise
        return ExitCode.INTERRUPTED
