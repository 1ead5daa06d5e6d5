"""A file that appears whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from textsent.errors import OutputError


class PartialFile:
    """A file that is being written, and takes its name when it is complete; one that had the name stays until then.

    Use it in a `with` statement, at whose end it is kept, after an error discarded; or call one of the two.

    Attributes:
        stream: What to write to.
    """

    def __init__(self, path: str | Path) -> None:
        """Open it.

        Raises:
            OutputError: It can't be written.
        """
        self._name = str(path)
        try:
            self._path = Path(path).resolve()
            self._partial = self._path.with_name(f".{self._path.name}.{os.getpid()}.partial")
            self.stream: IO[bytes] = self._partial.open("xb")
        except (OSError, RuntimeError, ValueError) as exc:
            raise self.failure(exc) from exc

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.discard()
        else:
            try:
                self.keep()
            except OSError:
                self.discard()
                raise

    def keep(self) -> None:
        """Close it and give it its name.

        Raises:
            OSError: The disk is full, for instance.
        """
        self.stream.close()
        self._partial.replace(self._path)

    def discard(self) -> None:
        """Close it and leave nothing."""
        with suppress(OSError):  # a full disk says so once more
            self.stream.close()
        self._partial.unlink(missing_ok=True)

    def failure(self, exc: Exception) -> OutputError:
        """Return the error to show for one of the operating system's."""
        return OutputError(f"{self._name} can't be written: {getattr(exc, 'strerror', None) or exc}")
