"""Completion of tag names at a million tags: through the shell's own completer, from a galaxy read over the wire."""

import asyncio
import os
import pickle
import random
import time
import tracemalloc
from collections.abc import Callable, Sequence
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from catalogue_loading import in_another_process, loaded
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from simulated import simulator

from zb_mom_ww_mxgateway.system.state_dir import STATE_VARIABLE
from zb_mom_ww_mxgateway.value_types import DataType
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.galaxy.tag_index import TagIndex
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.terminal.completion import ShellCompleter
from zb_mom_ww_mxgateway_shell.terminal.typed_line import TypedLine

Figures = dict[str, dict[str, object]]
Keystrokes = Callable[[Sequence[str], random.Random], list[str]]

TAGS, WORDS = 1_000_000, 200


def completion_figures(quick: bool) -> Figures:
    """At a million tags of a simulated galaxy, read over the wire; and of one whose objects share nothing."""
    tags, words = (2_000, 5) if quick else (TAGS, WORDS)
    with simulator(tags) as endpoint, TemporaryDirectory() as folder:
        before = os.environ.get(STATE_VARIABLE)
        os.environ[STATE_VARIABLE] = folder
        try:
            return asyncio.run(measured(endpoint, tags, words))
        finally:
            os.environ.pop(STATE_VARIABLE)
            if before is not None:
                os.environ[STATE_VARIABLE] = before


async def measured(endpoint: str, tags: int, words: int) -> Figures:
    """Reads a galaxy of so many tags, and types so many names."""
    context = Context(all_commands(), interactive=False)
    await context.connect(Connection(endpoint=endpoint, plaintext=True), "bench")
    try:
        catalogue = context.catalogue
        # To write the file is a part of it: its pauses count, too. A small galaxy, as in a quick run, is not kept.
        loading, pauses = await loaded(context, tags, until_kept=tags >= TAGS)
        chance = random.Random(1)
        figures = {
            "shell.complete_prefix_p99_ms": (p99_of(context, typed, words, chance), "ms a keystroke"),
            "shell.complete_substring_p99_ms": (p99_of(context, parts, words, chance), "ms a keystroke"),
            "shell.catalogue_bytes_per_tag": (retained(catalogue.galaxy) / len(catalogue), "bytes"),
            "shell.catalogue_tags": (float(len(catalogue)), "tags"),
            "shell.catalogue_loading_s": (loading, "s"),
            "shell.catalogue_worst_pause_ms": (pauses.worst * 1e3, "ms"),
            "shell.catalogue_worst_pause_cpu_ms": (pauses.worst_cpu * 1e3, "ms of CPU time"),
            "shell.catalogue_long_pauses": (float(pauses.long), "pauses over 20 ms"),
        }
        # Another run finds what this one kept: a process of its own, where no garbage of this one is collected.
        kept = in_another_process(endpoint, tags)
        assert tags < TAGS or kept["is_kept"]
        figures |= {
            "shell.catalogue_kept_loading_s": (kept["seconds"], "s"),
            "shell.catalogue_kept_long_pauses": (kept["pauses"], "pauses over 20 ms"),
            "shell.catalogue_kept_worst_pause_ms": (kept["worst"] * 1e3, "ms"),
        }
        # Templates are what keeps a catalogue small. At worst there are none: every attribute has a name of its own.
        catalogue.galaxy = unlike(tags)
        figures |= {
            "shell.complete_prefix_unlike_p99_ms": (p99_of(context, typed, words, chance), "ms a keystroke"),
            "shell.complete_substring_unlike_p99_ms": (p99_of(context, parts, words, chance), "ms a keystroke"),
            "shell.catalogue_unlike_bytes_per_tag": (retained(catalogue.galaxy) / len(catalogue), "bytes"),
        }
        return {name: {"value": round(value, 3), "unit": unit} for name, (value, unit) in figures.items()}
    finally:
        await context.disconnect()


def chosen(index: TagIndex, count: int, chance: random.Random) -> list[str]:
    """Some tags, from all over the galaxy."""
    owners = list(index.owners_from(""))
    found: list[str] = []
    while len(found) < count:
        of_one = list(index.tags_of(chance.choice(owners)))
        found += [chance.choice(of_one)] if of_one else []
    return found


def typed(names: Sequence[str], chance: random.Random) -> list[str]:
    """Every keystroke of these names, in letter cases as they come."""
    spelled = [chance.choice([name, name.lower(), name.upper()]) for name in names]
    return [name[:length] for name in spelled for length in range(len(name) + 1)]


def parts(names: Sequence[str], chance: random.Random) -> list[str]:
    """Every keystroke of parts of these names, and of parts that are in none."""
    found = []
    for name in names:
        start = chance.randrange(1, max(2, len(name) - 4))
        part = name[start : start + chance.randint(3, 12)].lstrip(".")
        found += [part[:length] for length in range(2, len(part) + 1)]
        found += [f"{part[:length]}~" for length in range(2, len(part) + 1)]
    return found


def p99_of(context: Context, keystrokes: Keystrokes, words: int, chance: random.Random) -> float:
    """Milliseconds from a keystroke to the candidates, for the slowest but one in a hundred of them."""
    completer, taken = ShellCompleter(context, TypedLine(context)), []
    for text in keystrokes(chosen(context.catalogue.galaxy, words, chance), chance):
        document = Document(f"watch {text}")
        start = time.perf_counter()
        list(completer.get_completions(document, CompleteEvent(text_inserted=True)))
        taken.append(time.perf_counter() - start)
    return sorted(taken)[int(len(taken) * 0.99)] * 1e3


def retained(index: TagIndex) -> float:
    """The memory of an index: of a copy, made while it is counted."""
    data = pickle.dumps(index)
    tracemalloc.start()
    copy = pickle.loads(data)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert copy.tags == index.tags
    return float(size)


def unlike(tags: int) -> TagIndex:
    """An index of objects of 50 attributes, no two of which are called alike."""
    index = TagIndex()
    for number in range(0, tags, 50):
        name = f"Unit{number // 50:06}"
        attributes = [
            SimpleNamespace(
                full_tag_reference=f"{name}.Measured{each:07}.PV",
                data_type=DataType.DOUBLE,
                data_type_name="Double",
                is_array=False,
                security_classification=1,
            )
            for each in range(number, number + 50)
        ]
        item: Any = SimpleNamespace(tag_name=name, is_area=False, template_chain=("$Unit",), attributes=attributes)
        index.add(item)
    return index
