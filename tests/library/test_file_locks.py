"""Locks between processes, and file systems that have none."""

import errno
import os
import sys
from pathlib import Path

import pytest

from zb_mom_ww_mxgateway.system.file_locks import lock, locked, unlock


def test_a_lock_that_another_has_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    held = lock(path, 0)
    holder = f"(process {os.getpid()}|another process)"
    with pytest.raises(TimeoutError, match=rf"^{holder} has held .*a\.lock for 0\.01 s$"):
        lock(path, 0.01)
    unlock(held)
    with locked(path, 0):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOLCK, errno.ENOSYS])
def test_a_file_system_without_locks_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    import fcntl

    path, opened = tmp_path / "a.lock", []

    def flock(handle: int, _operation: int) -> None:
        opened.append(handle)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(OSError, match=f"{os.strerror(number)}: .*a\\.lock'$") as raised:
        lock(path, 60)
    assert raised.value.errno == number
    (handle,) = opened
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        os.fstat(handle)
