"""Files that only their owner may change, because their content decides whom this program trusts."""

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from zb_mom_ww_mxgateway.system.regular_files import put_in_place

_FOLDER, _FILE = 0o700, 0o600


def make_private_folder(folder: Path) -> None:
    """Make a folder and its missing parents for their owner alone, whatever the umask; raise OSError."""
    if folder.is_dir():
        return
    with suppress(FileExistsError):
        make_private_folder(folder.parent)
        folder.mkdir(mode=_FOLDER)
        # The umask may exclude even the owner.
        folder.chmod(_FOLDER)


def make_private_file(path: Path) -> None:
    """Make an empty file and its missing folders for their owner alone; leave an existing file. Raise OSError."""
    make_private_folder(path.parent)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _FILE))
        path.chmod(_FILE)


def write_private_file(path: Path, data: bytes) -> None:
    """Write a file for its owner alone in place of one of that name, whole or not at all; raise OSError.

    It is on the disk when this returns. The name with ``.tmp`` behind it is used meanwhile.
    """
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), _FILE)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, too. On Windows that comes with the file."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_to_others(path: Path) -> str:
    """Describe who else may change or replace the file, and the remedy; empty if no one else may.

    The file need not exist. On Windows, where rights are inherited, the result is always empty.
    """
    if sys.platform == "win32":
        return ""
    for place in (path, path.parent):
        try:
            found = place.stat()
        except OSError:
            continue  # Reading the file reports this.
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            continue
        if os.geteuid() != 0 and found.st_uid not in (0, os.geteuid()):
            return f"{place} belongs to another user, who may change it"
        may = "others" if found.st_mode & stat.S_IWOTH else "its group" if found.st_mode & stat.S_IWGRP else ""
        # In a folder with the sticky bit, such as /tmp, only the owner of a file may replace it.
        is_sticky = place is not path and found.st_mode & stat.S_ISVTX
        if may and not is_sticky and not (may == "its group" and _is_own_group(found.st_gid)):
            return f"{may} may change {place}: chmod go-w {place}"
    return ""


def _is_own_group(number: int) -> bool:
    """Whether a group is the private group of the user, which many systems give each user."""
    if sys.platform == "win32":
        return False
    import grp
    import pwd

    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(number)
    except KeyError:
        return False
    return user.pw_gid == number and group.gr_name == user.pw_name and not {*group.gr_mem} - {user.pw_name}
