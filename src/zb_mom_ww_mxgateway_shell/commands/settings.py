"""set, alias, unalias, tee, profiles, profile, echo."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal as OneOf

from zb_mom_ww_mxgateway.redaction import redact
from zb_mom_ww_mxgateway.safety.arming import span_text
from zb_mom_ww_mxgateway_console.connect.profiles import Profile
from zb_mom_ww_mxgateway_console.render.forms import value_form, value_text
from zb_mom_ww_mxgateway_shell.errors import ShellError, closest
from zb_mom_ww_mxgateway_shell.language import aliases
from zb_mom_ww_mxgateway_shell.language.argument_types import ArgumentType, OneWord, RestOfLine, Suggestion, Text
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import NotYetKnown, ValueNotYetKnown
from zb_mom_ww_mxgateway_shell.output.results import Result, Table, TextResult
from zb_mom_ww_mxgateway_shell.state.confirmation import agreed_to_replace
from zb_mom_ww_mxgateway_shell.state.context import Context, context_of
from zb_mom_ww_mxgateway_shell.state.key_destinations import refuse_changing

_PROFILE_NAME = re.compile(r"[A-Za-z0-9_-]+")


class SettingName(ArgumentType):
    """Name of a setting."""

    name = "setting"

    def parse(self, word: Token, context: Scope) -> str:
        choices = context_of(context).settings.choices()
        if word.value not in choices:
            hint = closest(word.value, list(choices)) or f"; known settings: {', '.join(choices)}"
            raise word.mistake(f"no setting {word.value}{hint}")
        return word.value

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        choices = context_of(context).settings.choices()
        return [Suggestion(name, ", ".join(values)) for name, values in choices.items() if name.startswith(prefix)]


class SettingValue(ArgumentType):
    """Value of a setting; its choices depend on the setting's name."""

    name = "value"

    def refined_by(self, given: Mapping[str, Any], context: Scope) -> ArgumentType:
        choices = context_of(context).settings.choices().get(given.get("name", ""), ())
        return OneWord("|".join(choices), choices) if choices else self


class AliasName(ArgumentType):
    """Name of an alias."""

    name = "name"

    def parse(self, word: Token, context: Scope) -> str:
        if word.value not in context.aliases:
            hint = closest(word.value, list(context.aliases)) or "; alias lists them"
            raise word.mistake(f"no alias {word.value}{hint}")
        return word.value

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(name, line) for name, line in context.aliases.items() if name.startswith(prefix)]


class NewAlias(Text):
    """New name for an alias."""

    def parse(self, word: Token, context: Scope) -> str:
        if wrong := aliases.alias_name_error(word.value, context.registry.commands):
            raise word.mistake(wrong)
        return super().parse(word, context)


class AliasedLine(RestOfLine):
    """Line that an alias stands for."""

    def parse(self, word: Token, context: Scope) -> str:
        if wrong := aliases.alias_line_error(word.value, context.registry.commands):
            raise word.mistake(wrong)
        return word.value


class ProfileName(Text):
    """Name of a profile, known or new."""

    def parse(self, word: Token, context: Scope) -> str:
        if not _PROFILE_NAME.fullmatch(word.value) or redact(word.value) != word.value:
            raise word.mistake("a profile's name has letters, digits, - and _ only")
        return word.value

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        known = context_of(context).profiles.profiles
        return [Suggestion(name, "replaces it, if you agree") for name in known if name.startswith(prefix)]


@command("set", example="set timing on", needs_session=False, stands_alone=True)
async def set_(
    context: Context,
    name: Annotated[str | None, SettingName()] = None,
    value: Annotated[str | None, SettingValue()] = None,
) -> Result:
    """Show the settings and what each may be, or change one.

    With times utc all times are shown in UTC, else in the zone of this machine; each says its zone.
    mouse on lets the mouse scroll and select in full screens; the terminal's own selection needs Shift there.
    alarm-bell bell rings at each line about new alarms, alarm-bell notice shows it as a notice of the desktop, where
    the terminal can do that. With keep-galaxy off, a large galaxy is not kept for the next start, and a kept one is not
    used.
    """
    settings = context.settings
    if name is not None and value is not None:
        settings.change(name, value)
        is_silent = name == "alarm-bell" and value != "off" and context.interactive and context.write_raw is None
        note = ", without effect here: this terminal takes no control sequences" if is_silent else ""
        return TextResult(f"{name} {value}{note}", {name: value})
    names = [name] if name else list(settings.choices())
    return Table(
        ("setting", "value", "may be"),
        [[each, settings.value_of(each), ", ".join(settings.choices()[each])] for each in names],
        [{"choices": list(settings.choices()[each]), "name": each, "value": settings.value_of(each)} for each in names],
        columns=("choices", "name", "value"),
    )


def _name_line(scope: Scope, given: Sequence[Any]) -> None:
    if len(given) == 2:
        context_of(scope).aliases[given[0]] = given[1]


@command(
    "alias",
    example="alias level watch Plant.Tank1.Level --count 1",
    needs_session=False,
    in_plan=True,
    traits=CommandTraits(checked_effect=_name_line),
)
async def alias(
    context: Context,
    name: Annotated[str | None, NewAlias("name")] = None,
    line: Annotated[str | None, AliasedLine()] = None,
) -> Result:
    """List the aliases, or make NAME stand for a line; the words after NAME are added to that line.

    Aliases of the profiles file are those that it has now, but for names that are made or removed here.
    """
    if name is None or line is None:
        shown = {each: text for each, text in context.aliases.items() if name in (None, each)}
        return Table(
            ("alias", "stands for"),
            [[each, text] for each, text in shown.items()],
            [{"line": text, "name": each} for each, text in shown.items()],
            empty="no aliases; alias NAME LINE makes one",
            columns=("line", "name"),
        )
    before, context.aliases[name] = context.aliases.get(name, line), line
    was = "" if before == line else f"\nit stood for: {before}"
    return TextResult(f"{name} stands for: {line}{was}", {"line": line, "name": name})


@command("unalias", example="unalias level", needs_session=False, in_plan=True)
async def unalias(context: Context, name: Annotated[str, AliasName()]) -> Result:
    """Remove an alias."""
    del context.aliases[name]
    return TextResult(f"{name} is no longer an alias", {"name": name})


@command("tee", example="tee session.log", needs_session=False)
async def tee(context: Context, file: Annotated[str | None, Text("file")] = None) -> Result:
    """Copy input and output to the end of a file, but never a key; without a file, stop copying."""
    if file is None:
        path = context.spool.path
        context.spool.stop()
        return TextResult(f"{path} ended" if path else "nothing was copied", {"file": path and str(path)})
    before = context.spool.path
    context.spool.start(Path(file))
    return TextResult(f"copying to {file}{f'; {before} ended' if before else ''}", {"file": file})


def _writes_text(profile: Profile) -> str:
    """Return on which terms a profile lets writes through."""
    if profile.read_only:
        return "never"
    longest = "" if math.isinf(profile.arm_longest) else f", at most {span_text(profile.arm_longest)}"
    reason = ", with a reason" if profile.arm_needs_reason else ""
    files = f"; files: {' '.join(profile.arms)}" if profile.arms else ""
    return f"armed{longest}{reason}{files}"


_PROFILE = (
    *("arm_longest", "arm_needs_reason", "arms", "endpoint", "key_source", "limits", "name", "read_only", "watch"),
)


@command("profiles", example="profiles", needs_session=False, stands_alone=True)
async def profiles(context: Context) -> Result:
    """List the profiles that connect knows, and their file.

    A file that was made or changed while the shell runs is read again. Its settings count at the start.
    """
    known = context.profiles.profiles.values()
    if known:
        context.notice(f"in {context.profiles.path}:")
    return Table(
        ("profile", "endpoint", "key", "writes", "watches"),
        [
            [each.name, each.connection.endpoint or "", each.key_source, _writes_text(each), each.watch]
            for each in known
        ],
        [
            {
                "arm_longest": None if math.isinf(each.arm_longest) else each.arm_longest,
                "arm_needs_reason": each.arm_needs_reason,
                "arms": list(each.arms),
                "endpoint": each.connection.endpoint,
                "key_source": each.key_source,
                "limits": each.limits or None,
                "name": each.name,
                "read_only": each.read_only,
                "watch": each.watch or None,
            }
            for each in known
        ],
        empty=f"no profiles; add them to {context.profiles.path}, or save the connection in use: profile save NAME",
        columns=_PROFILE,
    )


@command("profile", example="profile save plantA", needs_session=False)
async def profile(
    context: Context,
    action: Annotated[OneOf["save"], OneWord("action", ("save",))],
    name: Annotated[str, ProfileName("name")],
) -> Result:
    """Save the connection in use as a profile: profile save NAME. Then connect NAME connects to its gateway.

    It keeps the endpoint, the options and the source of the key, a variable, a file or the keyring, never the key; a
    typed key is asked for again. What is armed is not kept. A profile of the same name is replaced if you agree;
    without a terminal --yes agrees. A file saves only the gateway that it was started with, or
    that of a profile.
    """
    from zb_mom_ww_mxgateway_shell.state.profiles import load
    from zb_mom_ww_mxgateway_shell.state.saved_profile import SavedProfile  # Lazy: few lines save one.

    connected = context.connected
    if connected.terms.is_demo:
        raise ShellError("the simulated plant ends with this shell: there is nothing to connect to later")
    refuse_changing(
        context, replace(connected.connection, endpoint=connected.client.options.endpoint), "save a profile"
    )
    path = context.profiles.path
    saved = SavedProfile.of(connected, name, path)
    if saved.replaces:
        await agreed_to_replace(context, f"the profile {name}")
    saved.save()
    context.profiles = load(path, context.registry.commands)
    known = context.profiles.named(name)
    forgets = connected.connection.forget_certificate
    lines = [
        f"profile {name}: {known.connection.endpoint}, key: {known.key_source}, writes: {_writes_text(known)}",
        f"in {path}; connect {name} connects by it",
        *(["not kept: --forget-certificate; its certificate is remembered when it connects"] if forgets else []),
    ]
    return TextResult("\n".join(lines), {"file": str(path), "name": name, "profile": dict(saved.table)})


@command(
    "echo", example='echo "the tank is full"', needs_session=False, in_plan=True, traits=CommandTraits(recorded=True)
)
async def echo(context: Context, *texts: Annotated[str | None, Text("text")]) -> Result:
    """Print a text; `echo _` prints the last result, `echo $name` a name set in Python or by a file."""
    if "_" in texts and isinstance(context.last, NotYetKnown):
        raise ValueNotYetKnown("_")
    shown = [context.last if text == "_" else text for text in texts]
    text = " ".join(each if isinstance(each, str) else value_text(each) for each in shown)
    return TextResult(text, {"text": [value_form(each) for each in shown]}, shown[0] if len(shown) == 1 else None)


COMMANDS = (set_, alias, unalias, tee, profiles, profile, echo)
