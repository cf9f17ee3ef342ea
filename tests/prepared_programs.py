"""Our programs, each in a process of its own that begins with all modules loaded.

Three quarters of what a short run costs are Python's own start, imports, and Python's end, which takes each module
apart: the same two thousand times. So one process has imported all that our programs may import, and run nothing of it;
each run is forked from it, with the streams, environment, folder, arguments and exit code that it would have otherwise,
and ends once threads, exit handlers and garbage are done with. Tests of streams that are closed, of imports and of the
start itself start a process as its user would; so does everything where a process cannot be forked, where the
environment gives Python something unusual or has COLD, as it does with ``COLD=1 make test``.
"""

import array
import asyncio
import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from started_programs import StartedProgram

from zb_mom_ww_mxgateway.contract import adoption

_OURS = (
    *("zb_mom_ww_mxgateway", "zb_mom_ww_mxgateway_console", "zb_mom_ww_mxgateway_cli"),
    *("zb_mom_ww_mxgateway_shell", "zb_mom_ww_mxgateway_sim"),
)
# What Python reads as it starts, and modules as they are loaded. All else is read by our programs as they run.
_READ_AT_START = ("PYTHON", "LC_", "LANG", "TZ", "GRPC_", "MXGATEWAY_CONTRACT")

# What we ignore, what we start ignores.
_PASSED_ON = [getattr(signal, name) for name in ("SIGHUP", "SIGINT", "SIGTERM") if hasattr(signal, name)]


class Ended(NamedTuple):
    """How a program ended and what it said."""

    code: int
    out: bytes
    err: bytes


async def ended(
    module: str, arguments: tuple[str, ...], *, environment: dict[str, str], folder: Path, stdin: bytes | None
) -> Ended:
    """Runs ``python -m MODULE ARGUMENTS`` to its end; it is killed if this is cancelled. Without `stdin` it has
    ``/dev/null``."""
    prepared = _prepared(environment)
    if prepared is None:
        return await _started(module, arguments, environment, folder, stdin)
    request = {"module": module, "arguments": arguments, "environment": environment, "folder": str(folder)}
    with contextlib.ExitStack() as theirs:

        def pipe() -> tuple[int, int]:
            ours, their = os.pipe()
            theirs.callback(os.close, their)
            return ours, their

        if stdin is None:
            to_write, to_read = None, os.open(os.devnull, os.O_RDONLY)
        else:
            to_read, to_write = os.pipe()
        theirs.callback(os.close, to_read)
        (out, their_out), (err, their_err), (status, their_status) = pipe(), pipe(), pipe()
        prepared.send(request, [to_read, their_out, their_err, their_status])
    return await _communicated(to_write, stdin or b"", out, err, status)


async def start(
    module: str,
    arguments: tuple[str, ...],
    *,
    environment: dict[str, str],
    folder: Path,
    stdin: int,
    stdout: int = asyncio.subprocess.PIPE,
    stderr: int = asyncio.subprocess.PIPE,
    own_terminal: bool = False,
    prelude: str = "",
) -> asyncio.subprocess.Process | StartedProgram:
    """Starts ``python -m MODULE ARGUMENTS``, which a test stops, asks or interrupts. With `own_terminal` its standard
    input is the terminal of a session of its own; `prelude` is Python that is run in it before."""
    prepared = _prepared(environment)
    if prepared is None or any(signal.getsignal(each) is signal.SIG_IGN for each in _PASSED_ON):
        taking = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n" if own_terminal else ""
        run = f"{taking}{prelude}\nimport runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *(("-c", run) if own_terminal or prelude else ("-m", module)),
            *arguments,
            env=environment,
            cwd=folder,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=own_terminal,
        )
    request = {"module": module, "arguments": arguments, "environment": environment, "folder": str(folder)}
    ours: list[int | None] = []
    with contextlib.ExitStack() as theirs:
        streams = []
        for given in (stdin, stdout, stderr, asyncio.subprocess.PIPE):
            mine = None
            if given == asyncio.subprocess.PIPE:
                reading, writing = os.pipe()
                mine, given = (writing, reading) if not streams else (reading, writing)
                theirs.callback(os.close, given)
            elif given == asyncio.subprocess.DEVNULL:
                given = os.open(os.devnull, os.O_RDWR)
                theirs.callback(os.close, given)
            ours.append(mine)
            streams.append(given)
        prepared.send(request | {"own_terminal": own_terminal, "prelude": prelude}, streams)
    to_write, out, err, status = ours
    assert status is not None
    return await StartedProgram.of(status, stdin=to_write, stdout=out, stderr=err)


def commands(folder: Path, environment: dict[str, str]) -> tuple[dict[str, str], tuple[int, ...]]:
    """The environment and the open files of a script whose ``mxgw-py`` and ``mxgw-shell`` are forked; `folder` gets
    them."""
    # It asks for many.
    _prepared(environment)
    prepared = _prepared(environment)
    if prepared is None:
        return environment, ()
    folder.mkdir()
    for name, module in (("mxgw-py", "zb_mom_ww_mxgateway_cli"), ("mxgw-shell", "zb_mom_ww_mxgateway_shell")):
        command = f'exec "{sys.executable}" -ISE "{Path(__file__).with_name("prepared_command.py")}" {module} "$@"'
        (folder / name).write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    path = f"{folder}{os.pathsep}{environment['PATH']}"
    return environment | {"PATH": path, "PREPARED_PROGRAMS": str(prepared.control)}, (prepared.control,)


async def _started(
    module: str, arguments: tuple[str, ...], environment: dict[str, str], folder: Path, stdin: bytes | None
) -> Ended:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        env=environment,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await process.communicate(stdin)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return Ended(process.returncode, out, err)


async def _communicated(to_write: int | None, stdin: bytes, out: int, err: int, status: int) -> Ended:
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as ending:
        readers = []
        for number in (out, err, status):
            reader = asyncio.StreamReader()
            protocol = functools.partial(asyncio.StreamReaderProtocol, reader)
            transport, _ = await loop.connect_read_pipe(protocol, os.fdopen(number, "rb", 0))
            ending.callback(transport.close)
            readers.append(reader)
        if to_write is not None:
            input_ = _Input()
            writing, _ = await loop.connect_write_pipe(lambda: input_, os.fdopen(to_write, "wb", 0))
            ending.push_async_callback(input_.closed.wait)
            writing.write(stdin)
            # Once all is written, or the program has ended without reading it.
            writing.close()
        program = int(await readers[2].readline())
        try:
            said = await asyncio.gather(*(reader.read() for reader in readers))
        except BaseException:
            os.kill(program, signal.SIGKILL)
            raise
        return Ended(int(said[2]), said[0], said[1])


class _Input(asyncio.BaseProtocol):
    """The standard input of a program, until it is closed at one end."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    def connection_lost(self, _error: Exception | None) -> None:
        self.closed.set()


class _Prepared:
    """The process that is forked, as this one sees it."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            command = [sys.executable, __file__, str(number)]
            # Standard output of a worker of xdist belongs to xdist.
            self._process = subprocess.Popen(
                command, env=environment, pass_fds=[number], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
        atexit.register(self._end)

    @property
    def control(self) -> int:
        """What takes requests."""
        return self._control.fileno()

    def send(self, request: dict[str, Any], streams: list[int]) -> None:
        body = json.dumps(request).encode()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))]
        self._control.sendmsg([len(body).to_bytes(4)], rights)
        self._control.sendall(body)

    def _end(self) -> None:
        self._control.close()
        self._process.wait()


_asked_for = Counter[frozenset[tuple[str, str]]]()
_processes: dict[frozenset[tuple[str, str]], _Prepared] = {}


def _prepared(environment: dict[str, str]) -> _Prepared | None:
    """What has been prepared in this environment, if it is asked for more than once."""
    if not hasattr(os, "fork") or environment.get("COLD") or "PYTHONPROFILEIMPORTTIME" in environment:
        return None
    at_start = frozenset(each for each in environment.items() if each[0].startswith(_READ_AT_START))
    _asked_for[at_start] += 1
    if _asked_for[at_start] > 1 and at_start not in _processes:
        _processes[at_start] = _Prepared(environment)
    return _processes.get(at_start)


def _load_all() -> None:
    # As our programs have it before they load grpc, which looks at it once.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # No contract that the user has adopted.
    os.environ["XDG_CONFIG_HOME"] = os.devnull
    for package in _OURS:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if not module.name.endswith(".__main__"):
                importlib.import_module(module.name)


def _serve(control: socket.socket) -> None:
    """Forks for each request, until there are no more; returns in each process that was forked, too, once its
    program has ended."""
    _load_all()
    gc.collect()
    gc.freeze()
    # Where the end of each program is told.
    running: dict[int, int] = {}
    ended, wake = os.pipe()
    os.set_blocking(ended, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    while True:
        asked, _, _ = select.select([control, ended], [], [])
        if ended in asked:
            os.read(ended, 4096)
            _tell_ends(running)
        if control not in asked:
            continue
        length, streams, _, _ = socket.recv_fds(control, 4, 4)
        if not length:
            return
        body = b""
        while len(body) < int.from_bytes(length):
            body += control.recv(int.from_bytes(length) - len(body))
        *standard, status = streams
        if program := os.fork():
            _tell(status, f"{program}\n")
            running[program] = status
            for stream in standard:
                os.close(stream)
            continue
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        control.close()
        os.closerange(min(ended, wake), max(ended, wake) + 1)
        for other in (status, *running.values()):
            os.close(other)
        _run(json.loads(body), standard)
        return


def _tell_ends(running: dict[int, int]) -> None:
    """Tells of each program that has ended how it did."""
    while running and (found := os.waitpid(-1, os.WNOHANG))[0]:
        program, status = found
        told = running.pop(program)
        _tell(told, str(os.waitstatus_to_exitcode(status)))
        os.close(told)


def _tell(told: int, what: str) -> None:
    # A test may have ended before what it started.
    with contextlib.suppress(BrokenPipeError):
        os.write(told, what.encode())


def _run(request: dict[str, Any], standard: list[int]) -> None:
    """Runs what is asked for, with these streams."""
    for number, stream in enumerate(standard):
        os.dup2(stream, number)
    os.closerange(3, max(standard) + 1)
    if request.get("own_terminal"):
        import fcntl
        import termios

        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    # As Python makes them: what these were before may have decided how they are written to.
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        before = getattr(sys, name)
        made = open(  # noqa: SIM115
            number,
            "w" if number else "r",
            buffering=1 if name == "stderr" else -1,
            encoding=before.encoding,
            errors=before.errors,
            newline="\n",
            closefd=False,
        )
        setattr(sys, name, made)
        setattr(sys, f"__{name}__", made)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["folder"])
    sys.path[0] = request["folder"]
    sys.argv = [request["module"], *request["arguments"]]
    if adoption.configured().path != adoption.spoken().path:
        # Messages of another contract take the place of those that are loaded only before they are.
        os.execv(sys.executable, [sys.executable, "-m", *sys.argv])
    code = 0
    try:
        exec(request.get("prelude", ""), {})
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        code = end.code
    _end(code)


def _end(code: int) -> NoReturn:
    """As Python ends, but for the modules, which it would take apart one by one."""
    threading._shutdown()
    atexit._run_exitfuncs()
    gc.collect()
    for stream in (sys.stdout, sys.stderr):
        if not stream.closed:
            stream.flush()
    os._exit(code)


def _main() -> NoReturn:
    with socket.socket(fileno=int(sys.argv[1])) as control:
        _serve(control)
    sys.exit()


if __name__ == "__main__":
    _main()
