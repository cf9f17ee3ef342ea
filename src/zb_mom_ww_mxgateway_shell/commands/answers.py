"""ask, secret: values of names that a person, the environment or a file gives to a run."""

import os
from collections.abc import Sequence
from typing import Annotated, Any

from zb_mom_ww_mxgateway import kept_secrets
from zb_mom_ww_mxgateway_console.connect.secret_files import SecretFileError, first_line_of
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, safe, value_form
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.language.argument_types import ArgumentType, NewName, Suggestion, TextArgument
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import Clause, command
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import (
    NotYetKnown,
    VariableWord,
    given_value,
    literal_text,
    quoted,
    value_of,
)
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult
from zb_mom_ww_mxgateway_shell.process.unwaited import unwaited
from zb_mom_ww_mxgateway_shell.state.context import Context, context_of

_SHORT = 8
"""Characters of a secret below which other texts are likely to contain it."""


class SecretSource(ArgumentType):
    """Where a secret is."""

    name = "env VAR|file PATH"

    def parse(self, word: Token, context: Scope) -> Token:
        return word

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(each) for each in ("env", "file") if each.startswith(prefix)]


def _await_name(scope: Scope, given: Sequence[Any]) -> None:
    context = context_of(scope)
    if given[0] not in context.given_names:
        context.names[given[0]] = NotYetKnown()


@command(
    "ask",
    example='ask reading "what does the gauge show?"',
    needs_session=False,
    traits=CommandTraits(checked_effect=_await_name, sets_name=True, defines=True, recorded=True, asks_person=True),
)
async def ask(context: Context, name: Annotated[str, NewName()], question: TextArgument) -> Result:
    """Ask a person for a value, and give it a name: `$reading` stands for it from then on.

    It is read as that of --var, and recorded with who gave it. --var NAME=VALUE answers the question before it is
    asked. Without that, and without a person, it is refused; --yes does not answer it.
    """
    who = "--var" if name in context.given_names else "a person"
    if name not in context.given_names:
        context.names[name] = await _answer(context, name, question)
    kept = context.names[name]
    shown = f"{name} = {safe(literal_text(kept))}{' (--var)' if who == '--var' else ''}"
    fields = {"by": who, "name": name, "question": question, "value": value_form(value_of(kept))}
    return TextResult(shown, fields, value_of(kept))


async def _answer(context: Context, name: str, question: str) -> VariableWord:
    if context.ask_value is None:
        raise ShellError(f"no answer: nobody to ask “{question}”; --var {name}=VALUE answers it", ExitCode.GUARDED)
    problem = ""
    while True:
        text = (await context.ask_value(f"{problem}{question} ")).strip()
        if not text:
            raise ShellError(f"no answer to “{question}”", ExitCode.GUARDED)
        try:
            return given_value(text, is_typed=False)
        except InputError as error:
            problem = f"that is no value, {error}: "


def _await_secret(scope: Scope, given: Sequence[Any]) -> None:
    context = context_of(scope)
    if given[0] in context.given_names:
        raise InputError(f"{given[0]}: {_NOT_BY_VAR}", 0, len("secret"))
    context.names[given[0]] = NotYetKnown()


_NOT_BY_VAR = "others can see --var on the command line: a secret comes from env VAR or from file PATH"


def _check_source(positional: Sequence[Any], options: dict[str, Any]) -> None:
    source: Sequence[Token] = options.get("from_", ())
    if not source:
        return
    if source[0].value not in ("env", "file") or len(source) < 2:
        raise source[0].mistake("from env VAR or from file PATH is expected")
    if len(source) > 2:
        raise source[2].mistake("one word too many: from env VAR or from file PATH is expected")


@command(
    "secret",
    example="secret pin from env MXGATEWAY_PASSWORD",
    needs_session=False,
    check=_check_source,
    traits=CommandTraits(
        checked_effect=_await_secret,
        sets_name=True,
        defines=True,
        recorded=True,
        asks_without="from_",
        asks_secret=lambda scope, line: not line.options.get("from_"),
    ),
)
async def secret(
    context: Context,
    name: Annotated[str, NewName()],
    *,
    from_: Annotated[Sequence[Token] | None, SecretSource(), Clause(many=True)] = None,
) -> Result:
    """Give a name to a text that nothing shows: from the environment, the first line of a file, or a person.

    `$pin` stands for it in lines. Wherever it would appear, in output, journal, records, reports, errors, transcripts
    and recorded scripts, and within other words, there is *** until this shell ends; so a secret has at least 4
    characters, and is best no everyday word. A person types it unseen. What is written to the plant is the secret
    itself: whoever reads that tag sees it.
    """
    if name in context.given_names:
        raise ShellError(f"{name}: {_NOT_BY_VAR}", ExitCode.USAGE)
    text, source = await _secret_of(context, name, from_)
    if not text.isprintable():
        raise ShellError(f"the secret {name} is not one line of text", ExitCode.GUARDED)
    try:
        kept_secrets.keep(text)
    except ValueError as error:
        raise ShellError(f"{name}: {error}", ExitCode.GUARDED) from None
    context.names[name] = VariableWord(Token(quoted(text), 0, 0, True))
    if len(text) < _SHORT:
        context.notice("a short secret: other texts that contain it show ***, too")
    return TextResult(f"{name} is kept secret", {"name": name, "source": source})


async def _secret_of(context: Context, name: str, source: Sequence[Token] | None) -> tuple[str, str]:
    """Return a secret, and where it was; raise ShellError, with nothing of it, where it cannot be had."""
    if source is None:
        if context.ask_unseen is None:
            raise ShellError(
                f"no secret {name}, and nobody to ask: secret {name} from env VAR, or from file PATH, says where it is",
                ExitCode.GUARDED,
            )
        return await context.ask_unseen(f"{name}: "), "a person"
    kind, where = (each.value for each in source)
    if kind == "env":
        text = os.environ.get(where)
        if text is None:
            raise ShellError(f"no secret {name}: the environment variable {where} is not set", ExitCode.GUARDED)
        return text, f"env {where}"
    try:
        # A pipe may have nobody at its other end.
        return await unwaited(lambda: first_line_of(where), "secret"), f"file {where}"
    except SecretFileError as error:
        raise ShellError(f"no secret {name}: cannot read {where}: {error}", ExitCode.GUARDED) from None


COMMANDS = (ask, secret)
