"""journal: what was written, by whom and why; whether its record is whole."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway.safety.journal_chain import Head
from zb_mom_ww_mxgateway.safety.journal_files import JournalPlaces, journal_places
from zb_mom_ww_mxgateway_console.render.forms import counted
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.argument_types import ArgumentType, FileName, FlagOption, OneWord, Suggestion
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.moments import Since
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tag_globs import TagOrGlob
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult
from zb_mom_ww_mxgateway_shell.process.regular_files import create
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.journal_actions import JournalAction

_NEWEST = 50
"""Actions that are shown without an option."""

Form = Literal["csv", "json"]
_ACTIONS = {
    "export": "writes the actions to a file",
    "verify": "says whether the journal is unaltered and complete",
    "seal": "signs its head with your key",
}
_OPTIONS = {
    "export": {"since", "all_", "tag"},
    "verify": {"head", "public_key"},
    "seal": {"key", "new_key"},
    "": {"since", "all_"},
}


class JournalSubject(TagOrGlob):
    """What to do with the journal, or which tags to show; in quotes it is always a tag."""

    name = "export|verify|seal|tag|glob"

    def parse(self, word: Token, context: Scope) -> str | TagGlob:  # type: ignore[override]  # an action is no tag
        return word.value if word.value in _ACTIONS and not word.is_quoted else super().parse(word, context)

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        own = [Suggestion(name, what) for name, what in _ACTIONS.items() if name.startswith(prefix)]
        return [*own, *super().suggestions(prefix, context)]


class JournalHead(ArgumentType):
    """A head of the journal, as it was printed."""

    name = "count:hash"

    def parse(self, word: Token, context: Scope) -> Head:
        try:
            return Head.parse(word.value)
        except MxGatewayArgumentError as error:
            raise word.mistake(str(error)) from None


def _check(positional: Sequence[Any], options: dict[str, Any]) -> None:
    """Raise a mistake of what is combined with what."""
    subject, *rest = positional or [None]
    action = subject if isinstance(subject, str) else ""
    said = f"journal {action}".rstrip()
    if rest and action != "export":
        raise ShellError(f"{said} takes no {rest[0]}: journal export csv|json [FILE] writes a file")
    if strange := sorted(options.keys() - _OPTIONS[action]):
        of = next(name for name, known in _OPTIONS.items() if strange[0] in known)
        option = "--" + strange[0].rstrip("_").replace("_", "-")
        raise ShellError(f"{option} belongs to journal {of}".rstrip())
    if action == "export" and not rest:
        raise ShellError("journal export needs a form: journal export csv|json [FILE]")
    if action == "seal" and len(options) != 1:
        raise ShellError("journal seal needs a key: --key FILE, or --new-key FILE, which makes one")


@command(
    "journal",
    example="journal --since 8h",
    needs_session=False,
    stands_alone=True,
    check=_check,
    traits=CommandTraits(asks_secret=lambda scope, line: line.positional[:1] == ("seal",)),
)
async def journal(
    context: Context,
    subject: Annotated[str | TagGlob | None, JournalSubject()] = None,
    form: Annotated[Form | None, OneWord("csv|json", ("csv", "json"))] = None,
    file: Annotated[str | None, FileName()] = None,
    *,
    since: Annotated[datetime | None, Since()] = None,
    all_: FlagOption = False,
    tag: Annotated[TagGlob | None, TagOrGlob()] = None,
    head: Annotated[Head | None, JournalHead()] = None,
    public_key: Annotated[str | None, FileName()] = None,
    key: Annotated[str | None, FileName()] = None,
    new_key: Annotated[str | None, FileName()] = None,
) -> Result:
    """Show the journal: what was written to the plant, or refused, by whom and why. It needs no connection.

    journal [TAG|GLOB] shows the newest 50 actions, the newest last; with --since 8h or 14:02 all since then; with --all
    everything, also when sessions began and ended, and when tags were armed. An action without a line about its end is
    unknown: it may have been carried out.

    journal export csv|json [FILE] writes the same to a file, which must not exist, with all columns, for --tag GLOB
    too; --all adds what is no write.

    journal verify says whether the journal is unaltered, and whether it is complete up to a head: the one that is kept
    apart from it, and --head COUNT:HASH, as printed at the end of a session. It names the first place that is wrong,
    and fails then. --public-key FILE checks the seals.

    journal seal --key FILE signs the head with an Ed25519 key (PEM); --new-key FILE makes one, and FILE.pub with it.
    The demo has a journal of its own.
    """
    places = journal_places(demo=context.is_demo)
    if subject == "verify":
        return await _verified(places, head, public_key)
    if subject == "seal":
        return await (_new_key(context, Path(new_key)) if new_key else _sealed(context, Path(key or "")))
    globs = tag if subject == "export" else subject
    assert not isinstance(globs, str)
    if subject == "export":
        assert form is not None
        found = await asyncio.to_thread(_actions, places, globs, since, None, others=all_)
        return await _exported(found, form, file)
    from zb_mom_ww_mxgateway_shell.output.journal_table import actions_table  # Lazy: most runs never need it.

    most = None if since or all_ else _NEWEST
    return actions_table(await asyncio.to_thread(_actions, places, globs, since, most, others=all_))


def _actions(
    places: JournalPlaces, glob: TagGlob | None, since: datetime | None, most: int | None, *, others: bool
) -> "list[JournalAction]":
    """Return the newest actions, oldest first, and with `others` what is no action, too."""
    from zb_mom_ww_mxgateway.safety.journal_actions import actions, lines_back

    def is_wanted(action: "JournalAction") -> bool:
        is_about = action.kind == "action" or others
        is_in_time = since is None or datetime.fromisoformat(action.at) >= since
        return is_about and is_in_time and (glob is None or bool(action.tag and glob.matches(action.tag)))

    lines: list[Any] = []
    found: list[JournalAction] = []
    for of_file in lines_back(places.folder):
        # Lines about one action may be in two files.
        lines = of_file + lines
        found = [each for each in actions(lines) if is_wanted(each)]
        is_early = since is not None and of_file and datetime.fromisoformat(of_file[0].at) < since
        if is_early or (most is not None and len(found) >= most):
            break
    return found if most is None else found[-most:]


async def _exported(found: "list[JournalAction]", form: Form, file: str | None) -> Result:
    from zb_mom_ww_mxgateway_shell.output.journal_table import exported

    path = Path(file or f"journal-{datetime.now():%Y%m%d-%H%M%S}.{form}")
    content = exported(found, form)
    await create(path, content)
    return TextResult(f"{counted(len(found), 'action')} written to {path}", {"actions": len(found), "file": str(path)})


async def _verified(places: JournalPlaces, head: Head | None, public_key: str | None) -> Result:
    from zb_mom_ww_mxgateway.safety.journal_verification import verify
    from zb_mom_ww_mxgateway.safety.seal_keys import SealKey
    from zb_mom_ww_mxgateway_shell.output.journal_table import verdict_result

    checks = SealKey.read(Path(public_key)) if public_key else None
    verdict = await asyncio.to_thread(verify, places.folder, places.head_folder, head, checks)
    return verdict_result(verdict, str(places.folder))


async def _sealed(context: Context, key: Path) -> Result:
    from zb_mom_ww_mxgateway.safety.journal_seal import seal
    from zb_mom_ww_mxgateway_console.connect.write_journal import open_journal

    ask = context.ask_secret
    journal = open_journal("mxgw-shell", demo=context.is_demo)
    try:
        line = await seal(journal, key, (lambda: ask(f"passphrase of {key}: ")) if ask else None)
    finally:
        head = await journal.aclose()
    covered = str(line.fields["head"])
    return TextResult(
        f"sealed up to head {covered}\nwith the key {line.fields['key']}; the head is {head} now",
        {"head": str(head), "key": line.fields["key"], "sealed": covered},
    )


async def _new_key(context: Context, path: Path) -> Result:
    from zb_mom_ww_mxgateway.safety.seal_keys import make_key

    passphrase = ""
    if context.ask_secret is not None:
        passphrase = await context.ask_secret("passphrase of the new key (empty for none): ")
        if passphrase and passphrase != await context.ask_secret("the same again: "):
            raise ShellError("the two passphrases differ; no key was made")
    public, fingerprint = await asyncio.to_thread(make_key, path, passphrase)
    return TextResult(
        f"{path} is your private key: keep it where the journal is not\n"
        f"{public} is its public key, which checks the seals: {fingerprint}",
        {"key": fingerprint, "private_key": str(path), "public_key": str(public)},
    )


COMMANDS = (journal,)
