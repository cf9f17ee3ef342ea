"""What a script calls in place of one of our commands: a prepared process forks it, with the streams of this one.

Run without site-packages: starting it costs a tenth of what it saves. `prepared_programs.commands` makes it a command.
"""

import array
import fcntl
import json
import os
import signal
import socket
import sys

module, control = sys.argv[1], int(os.environ.pop("PREPARED_PROGRAMS"))
request = {"module": module, "arguments": sys.argv[2:], "environment": dict(os.environ), "folder": os.getcwd()}  # noqa: PTH109  # pathlib takes longer than all of this
body = json.dumps(request).encode()
reading, writing = os.pipe()
with open(__file__, encoding="utf-8") as lock, socket.socket(fileno=os.dup(control)) as prepared:  # noqa: PTH123  # as above
    # Those of a pipeline ask at the same time.
    fcntl.flock(lock, fcntl.LOCK_EX)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2, writing]))]
    prepared.sendmsg([len(body).to_bytes(4, "big")], rights)
    prepared.sendall(body)
os.close(writing)
# What it writes to is closed once the program has closed it, not once this one has ended.
for stream in (0, 1, 2):
    os.close(stream)
with os.fdopen(reading, encoding="ascii") as status:
    program = int(status.readline())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(program, number))
    code = int(status.read())
os._exit(code if code >= 0 else 128 - code)
