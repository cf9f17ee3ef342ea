"""The record of one run, line by line: each line goes to every sink at once, and a digest of them ends it."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway_console.render.forms import json_line
from zb_mom_ww_mxgateway_shell.evidence.record_format import FORMAT, RUN_BEGIN, RUN_END, RUN_GATEWAY, SAMPLES
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection


class Sink(Protocol):
    """Where a record goes."""

    def write(self, line: str) -> None:
        """Take one line with its end, in ASCII. It neither raises nor waits."""


class RunRecord:
    """The lines of a run, from ``run-begin`` to ``run-end``.

    Nothing waits for the end: of a run that is killed, the lines so far are there. What is added before the beginning
    or after the end is left out.
    """

    def __init__(self) -> None:
        now = datetime.now(UTC)
        self.run = f"{now:%Y%m%dT%H%M%SZ}-{os.urandom(2).hex()}"
        """The id of the run: when it began, and a number by chance."""
        self.sinks: list[Sink] = []
        self.is_shown = False
        """Whether standard output is one of the sinks."""
        self.sha256 = ""
        """The digest of all lines before the last one; empty before the end."""
        self._digest = hashlib.sha256()
        self._count = self._statements = 0
        self._is_open = self._has_begun = False

    @property
    def has_begun(self) -> bool:
        """Whether its first line was written."""
        return self._has_begun

    def begin(self, facts: Mapping[str, Any]) -> None:
        """Write ``run-begin`` with what is known of the run."""
        self._is_open = self._has_begun = True
        self.add({"command": RUN_BEGIN, "format": FORMAT, "run": self.run, **facts})

    def add(self, entry: Mapping[str, Any]) -> None:
        """Add an entry; without ``at`` it gets the present time."""
        if self._is_open:
            self._write({"at": time_text(datetime.now(UTC)), **entry})
            self._count += 1

    def add_statement(self, entry: Mapping[str, Any], samples: Any = None) -> None:
        """Add a statement with its number, and a line for each series of `samples`, which has a ``form()``."""
        number = self._statements + 1
        self.add({**entry, "number": number})
        self._statements = number
        of = {"file": entry.get("file"), "line": entry.get("line"), "number": number}
        for series in samples if isinstance(samples, Iterable) else [samples]:
            if series is not None:
                self.add({"command": SAMPLES, "statement": of, **series.form()})

    async def opened(self, connected: GatewayConnection) -> None:
        """Add ``run-gateway`` for a connection that was opened after the beginning."""
        from zb_mom_ww_mxgateway_shell.evidence.run_facts import gateway_facts  # Lazy: most runs never need it.

        self.add({"command": RUN_GATEWAY, **await gateway_facts(connected)})

    def end(self, facts: Mapping[str, Any]) -> None:
        """Write ``run-end`` with what is known of the end, the number of lines and the digest of those before it."""
        if self._is_open:
            self.sha256 = self._digest.hexdigest()
            self.add({"command": RUN_END, **facts, "entries": self._count + 1, "sha256": self.sha256})
            self._is_open = False

    def _write(self, form: Mapping[str, Any]) -> None:
        line = f"{json_line(form)}\n"
        self._digest.update(line.encode("ascii"))
        for sink in self.sinks:
            sink.write(line)
