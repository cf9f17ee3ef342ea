"""Installs a bundle as on a machine without a network, and runs the demo from it: for make test-bundle."""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# Run in a network namespace of its own: it has a loopback interface, and no way out.
LOOPBACK_UP = """
import fcntl, socket, struct, sys, os
with socket.socket() as plain:
    fcntl.ioctl(plain, 0x8914, struct.pack("16sh", b"lo", 1))
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except OSError:
    pass
else:
    sys.exit("this machine's network can still be reached")
os.execvp(sys.argv[1], sys.argv[1:])
"""


def apart(*command: str) -> list[str]:
    """Return the command, to be run without a network where this system can do that."""
    unshare = shutil.which("unshare")
    for options in (["-n"], ["-rn"]):
        if unshare and subprocess.run([unshare, *options, "true"], capture_output=True, check=False).returncode == 0:
            return [unshare, *options, sys.executable, "-c", LOOPBACK_UP, *command]
    print("a network cannot be taken away here: only pip is kept from it")
    return list(command)


def main(zipped: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(zipped) as archive:
            archive.extractall(folder)
        (bundle,) = Path(folder).iterdir()
        home = Path(folder) / "home"
        home.mkdir()
        surroundings = {"HOME": str(home), "PATH": os.environ["PATH"], "PIP_INDEX_URL": "http://192.0.2.1/simple"}

        def said(*command: str) -> str:
            done = subprocess.run(
                apart(*command), capture_output=True, text=True, cwd=home, env=surroundings, timeout=300, check=False
            )
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
            return done.stdout

        to = home / "plant tools"
        for _ in range(2):  # The second time it replaces the first.
            said("sh", str(bundle / "install.sh"), str(to))
        assert "failed" not in said(
            str(to / "bin" / "mxgw-shell"), "--demo", "-c", str(bundle / "examples/first-look.mxs")
        )
        assert "completed" in said(str(to / "bin" / "mxgw-shell"), "--demo", "-e", "write TestChildObject.TestInt 5")
        assert "{" in said(str(to / "bin" / "mxgw-py"), "version", "--json")
        if not (bundle / "docs" / "first-hour.md").is_file():
            sys.exit("the guides are missing")
    print(f"{zipped.name} was installed without a network, and its demo ran")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
