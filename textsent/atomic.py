"""Files and folders that take their names when they are complete, and that only their owner can read until then."""

from __future__ import annotations

import os
import stat
from pathlib import Path

PRIVATE_FOLDER = 0o700
"""Permissions of a folder of what isn't complete."""


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
