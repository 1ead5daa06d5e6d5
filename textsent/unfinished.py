"""An output until it is complete: it grows in a folder beside the place where it will be.

For `scored.parquet` that is the folder `scored.parquet.partial`, which one run at a time can hold. The output gets
its name by one rename, after all of it is on the disk; until then there is none of that name, or the one that was
there.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Mapping
from contextlib import suppress
from errno import EACCES, EBADF, EINVAL, ENOTSUP, EPERM
from pathlib import Path
from typing import IO, Any, Self

from textsent.atomic import PRIVATE_FOLDER, take_name
from textsent.errors import OutputError
from textsent.interrupts import Uninterrupted
from textsent.record import record_path

SUFFIX = ".partial"

_REFUSALS = (EINVAL, EBADF, EACCES, EPERM, ENOTSUP)
"""What file systems say that sync no folders."""

_LOCK_FILE, _COMPLETED_FILE = "lock", "completed"
_OWN = re.compile(r"lock|completed|journal\.jsonl|\d+\.arrow")


class UnfinishedOutput:
    """The folder of an output that isn't complete, held by this process.

    Attributes:
        target: Where the output will be.
        folder: The folder.
        path: Where the output grows.
        is_worth_keeping: Whether something in the folder is of use when the run doesn't come to its end.
        is_complete: Whether the output has its name.
    """

    def __init__(self, target: str | Path) -> None:
        """Make the folder, or take the one that an earlier run has left.

        Raises:
            OutputError: Another run holds it, or it can't be made.
        """
        self.is_worth_keeping = self.is_complete = False
        try:
            self.target = Path(target).resolve()
            self.folder = self.target.with_name(self.target.name + SUFFIX)
            self.path = self.folder / self.target.name
            with suppress(FileExistsError):
                self.folder.mkdir(PRIVATE_FOLDER)
            if not _is_private(self.folder):
                raise OutputError(
                    f"{target} can't be written: {self.folder}, where it would grow, is no folder of your own that "
                    "nobody else can enter: move that away, or name another output"
                )
            foreign = [path for path in self.folder.iterdir() if not self._is_own(path)]
            if foreign:
                raise OutputError(
                    f"{target} can't be written: {self.folder}, where it would grow, holds {foreign[0].name!r}, "
                    "which isn't textsent's: move that away, or name another output"
                )
            self._lock = (self.folder / _LOCK_FILE).open("wb")
            self._completed = self.folder / _COMPLETED_FILE
        except (OSError, RuntimeError, ValueError) as exc:
            raise OutputError(f"{target} can't be written: {getattr(exc, 'strerror', None) or exc}") from exc
        if not _is_locked(self._lock) or not _is_still(self.folder / _LOCK_FILE, self._lock):
            self._lock.close()
            raise OutputError(f"{target} is being written by another run: wait for it, or name another output")
        if self._completed.exists():
            self._finish_completing()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _is_own(self, path: Path) -> bool:
        """Return whether what is in the folder is what a run has left there."""
        known = (self.target.name, record_path(self.target).name)
        return (path.name in known or bool(_OWN.fullmatch(path.name))) and stat.S_ISREG(path.lstat().st_mode)

    def complete(self) -> None:
        """Give the output its name, and remove the folder.

        Raises:
            OSError: It can't be done; the folder stays.
        """
        sync(self.path)
        with Uninterrupted(is_last=True):
            self._completed.touch()
            take_name(self.path, self.target)
            sync(self.target.parent)
            self.is_worth_keeping, self.is_complete = False, True
            self.close()

    def _finish_completing(self) -> None:
        """Forget what has been written of an output that got its name just before its run was killed."""
        was_named = not self.path.exists()
        for path in self.folder.iterdir() if was_named else [self._completed]:
            if path.name != _LOCK_FILE:
                path.unlink()

    def close(self) -> None:
        """Leave the folder to later runs, or remove it where nothing in it is of use to them."""
        if self._lock.closed:
            return
        if self.is_worth_keeping:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return in words what an unfinished run depends on that is another now; empty where nothing is."""
    changed = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    told = [f"{name} was {_short(before.get(name))}, now {_short(now.get(name))}" for name in changed[:_MOST_TOLD]]
    more = [f"and {len(changed) - _MOST_TOLD:,} more"] if len(changed) > _MOST_TOLD else []
    return ", ".join(told + more)


_MOST_TOLD = 5  # the inputs among them may be a million


def _short(value: Any) -> str:
    shown = "not given" if value is None else repr(value)
    return shown if len(shown) <= 200 else f"{shown[:200]}…"


def _is_private(folder: Path) -> bool:
    """Return whether it is a folder, no link to one, that only this process's user can enter."""
    status = folder.lstat()
    own = not hasattr(os, "geteuid") or (status.st_uid == os.geteuid() and not status.st_mode & 0o077)
    return stat.S_ISDIR(status.st_mode) and own


def _is_locked(file: IO[bytes]) -> bool:
    """Return whether this process holds a file now, that no other one did; true where there are no such locks."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _is_still(path: Path, file: IO[bytes]) -> bool:
    """Return whether a file still has its name, which another run may have removed, and a third given anew."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def sync(path: Path) -> None:
    """Wait until a file, or what a folder says of its files, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as exc:
        if exc.errno not in _REFUSALS or not path.is_dir():
            raise
    finally:
        os.close(descriptor)
