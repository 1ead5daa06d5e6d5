"""Files and folders that take their names when they are complete, and that only their owner can read until then."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
"""Permissions of what isn't complete."""


def new_file(path: Path) -> IO[bytes]:
    """Return a file to write, made anew with PRIVATE_FILE.

    Raises:
        OSError: There is one of that name, or a link; or it can't be made.
    """
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb")


def take_name(partial: Path, path: Path) -> None:
    """Give what is complete its name, in place of a file that has it, and the permissions of that file.

    Without one it gets those that the process gives to all that it makes.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode) & 0o777
    except FileNotFoundError:
        mode = (0o777 if partial.is_dir() else 0o666) & ~_umask()
    partial.chmod(mode)
    partial.replace(path)


def _umask() -> int:
    mask = os.umask(0o077)  # it can't be asked for; what another thread makes now is made too private
    os.umask(mask)
    return mask
