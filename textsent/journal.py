"""What a run has done, so that after a kill, a power cut or on a full disk another one can go on from there.

The scored rows are kept in parts beside the output that grows: Arrow streams, each on the disk as a whole before a
line of the journal says so, with its length and checksum, and the place in the inputs that it ends at. A run that
goes on writes the rows of the parts into a new output, which takes next to no time, and reads its inputs from that
place on. So it can go on with any format, compressed ones too, and the output has the bytes that an uninterrupted
run would have given it.
"""

from __future__ import annotations

import io
import json
import os
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

import pyarrow as pa

from textsent.errors import OptionError, OutputError
from textsent.interrupts import Uninterrupted
from textsent.readers import Mark
from textsent.unfinished import UnfinishedOutput, differences, sync

COMMIT_SECONDS = 5.0
"""Time between two commits, and so what is lost at most."""

_FILE = "journal.jsonl"
_READ_BYTES = 1 << 20


class _Commit(NamedTuple):
    rows: int  # of the part
    bytes: int
    checksum: int
    mark: Mark


class Journal:
    """The rows that a run has committed. Use it in a `with` statement."""

    def __init__(self, unfinished: UnfinishedOutput) -> None:
        """Read the journal that an earlier run has left, if there is one; what is damaged counts as not committed.

        Args:
            unfinished: The output, which is kept from now on where rows of it are committed.
        """
        self._unfinished = unfinished
        self._path = unfinished.folder / _FILE
        self._facts: dict[str, Any] = {}
        self._commits: list[_Commit] = []
        self._length = 0  # bytes of the journal that are of use
        self._is_damaged = False
        self._part: _Part | None = None
        self._file: IO[bytes] | None = None
        self._committed_at = time.monotonic()
        with suppress(OSError):
            self._read(self._path.read_bytes())
        unfinished.is_worth_keeping = bool(self._commits) or self._is_damaged

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for file in (self._part, self._file):
            with suppress(OSError):  # a full disk says so once more
                if file:
                    file.close()

    @property
    def mark(self) -> Mark | None:
        """The place in the inputs up to which all rows are committed; None where none are."""
        return self._commits[-1].mark if self._commits else None

    @property
    def rows(self) -> int:
        """Rows that are committed."""
        return sum(commit.rows for commit in self._commits)

    def may_replace(self, overwrite: bool, resume: bool) -> bool:
        """Return whether an output may be replaced, and drop the rows of an earlier run that isn't to go on.

        Raises:
            OutputError: There are such rows, and it isn't said whether they are wanted; or there is an output.
        """
        target = self._unfinished.target
        if resume and self._commits:
            overwrite = overwrite or bool(self._facts.get(_REPLACES))
        elif self._commits and not overwrite:
            raise OutputError(
                f"{self._unfinished.folder} holds {self.rows:,} rows of a run that didn't come to its end: "
                "go on with --resume, or begin anew with --overwrite"
            )
        elif self._is_damaged and not overwrite:
            raise OutputError(
                f"{self._unfinished.folder} holds what is left of a run that didn't come to its end, but its "
                "journal is damaged: begin anew with --overwrite"
            )
        else:
            self._commits = []  # what there is of them goes when the run begins
        if target.exists() and not overwrite:
            raise OutputError(f"{target} exists already: choose another name, or replace it with --overwrite")
        return overwrite

    def take_up(self, facts: Mapping[str, Any], overwrite: bool) -> None:
        """Begin, or go on where rows are committed.

        Args:
            facts: What the rows depend on.
            overwrite: Whether the run may replace an output; it may so too when it is gone on with.

        Raises:
            OptionError: The run began otherwise; the message says what differs.
        """
        now = json.loads(json.dumps({**facts, _REPLACES: overwrite}))
        if self._commits and (changed := differences(self._facts, {**now, _REPLACES: self._facts.get(_REPLACES)})):
            raise OptionError(
                f"the run in {self._unfinished.folder} can't go on, it began otherwise: {changed}: "
                "give what it began with, or begin anew with --overwrite"
            )
        self._facts = now
        if not self._commits:
            self._path.unlink(missing_ok=True)
            for path in self._unfinished.folder.glob("*.arrow"):
                path.unlink()
            self._length = 0
            self._unfinished.is_worth_keeping = False

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the committed rows, in the batches in which they were written."""
        for number in range(len(self._commits)):
            with pa.OSFile(str(self._part_path(number))) as file, pa.ipc.open_stream(file) as stream:
                yield from stream

    def write(self, batch: pa.RecordBatch) -> None:
        """Add scored rows.

        Raises:
            OutputError: They can't be written.
        """
        with self._errors():
            if self._part is None:
                self._part = _Part(self._part_path(len(self._commits)), batch.schema)
            self._part.add(batch)

    def end_window(self, mark: Mark) -> None:
        """Commit what was added, if the last commit is some time ago.

        Args:
            mark: The place in the inputs after what was added.

        Raises:
            OutputError: It can't be written.
        """
        if self._part is None or time.monotonic() - self._committed_at < COMMIT_SECONDS:
            return
        with self._errors(), Uninterrupted():
            self._commit(self._part, mark)

    def _commit(self, part: _Part, mark: Mark) -> None:
        self._part = None
        part.finish()
        commit = _Commit(part.rows, part.bytes, part.checksum, mark)
        if self._file is None:
            self._file = self._path.open("r+b" if self._length else "wb")
            self._file.truncate(self._length)
            self._file.seek(self._length)
            if not self._length:
                self._file.write(_line(self._facts))
        self._file.write(_line({**commit._asdict(), "mark": mark._asdict()}))
        self._file.flush()
        os.fsync(self._file.fileno())
        sync(self._unfinished.folder)
        self._commits.append(commit)
        self._unfinished.is_worth_keeping = True
        self._committed_at = time.monotonic()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise OutputError(f"{self._unfinished.target} can't be written: {exc.strerror or exc}") from exc

    def _read(self, content: bytes) -> None:
        for number, line in enumerate(content.splitlines(keepends=True)):
            try:
                values = _values(line)
                if number == 0:
                    self._facts = dict(values)
                else:
                    mark = values.pop("mark")
                    commit = _Commit(mark=Mark(tuple(mark["rows"]), mark["offset"]), **values)
                    if _sum_of(self._part_path(number - 1)) != (commit.bytes, commit.checksum):
                        return
                    self._commits.append(commit)
            except (OSError, ValueError, TypeError, LookupError, AttributeError):
                self._is_damaged = line.endswith(b"\n")  # else it was cut off while it was written
                return
            self._length += len(line)

    def _part_path(self, number: int) -> Path:
        return self._unfinished.folder / f"{number}.arrow"


_REPLACES = "overwrite"
"""Among the facts that a journal begins with."""


class _Part(io.RawIOBase):
    """A file of record batches, whose bytes are counted and summed up."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.rows = self.bytes = self.checksum = 0
        self._file = path.open("wb")
        self._stream = pa.ipc.new_stream(self, schema)

    def add(self, batch: pa.RecordBatch) -> None:
        self._stream.write_batch(batch)
        self.rows += batch.num_rows

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.checksum = zlib.crc32(data, self.checksum)
        self.bytes += len(data)
        return self._file.write(data)

    def finish(self) -> None:
        """Have all of it on the disk."""
        self._stream.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self.close()

    def close(self) -> None:
        self._file.close()
        super().close()


def _sum_of(path: Path) -> tuple[int, int]:
    """Return the length of a file and its checksum."""
    size = checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            size, checksum = size + len(chunk), zlib.crc32(chunk, checksum)
    return size, checksum


def _line(values: Mapping[str, Any]) -> bytes:
    """Return a line of the journal: a checksum, and values as JSON."""
    content = json.dumps(values).encode()
    return b"%08x %s\n" % (zlib.crc32(content), content)


def _values(line: bytes) -> Any:
    """Return the values in a line of the journal.

    Raises:
        ValueError: It isn't as it was written.
    """
    checksum, _, content = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or int(checksum, 16) != zlib.crc32(content):
        raise ValueError("a line was changed")
    return json.loads(content)
