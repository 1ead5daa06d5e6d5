"""A mailbox read by several processes, a range of its bytes each.

Parsing mail is Python's work, of which one process does one piece at a time. A worker is this module run by another
interpreter: it gets ranges as lines of JSON on its standard input and answers through a pipe with an Arrow stream,
in which a range's batches are followed by an empty one whose metadata says where the next message begins. That, and
not `multiprocessing`, because there a script without `if __name__ == "__main__"` would run again in each worker. A
worker ends when its input does, so that none outlives the process that started it.
"""

from __future__ import annotations

import gc
import io
import json
import os
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Self

import pyarrow as pa

from textsent._accessor import hide_pandas
from textsent.errors import InputError
from textsent.mail import MailOptions, mail_schema, read_messages
from textsent.mbox import MboxRange, beginning, is_from_git, message_at
from textsent.processes import ServingProcess
from textsent.storage import Location, is_url

if TYPE_CHECKING:
    from textsent.sources import Span

RANGE_BYTES = 8 << 20
"""Bytes of a mailbox that are read at a time: what a process works on, and what is held of its answer."""

_FEWEST_RANGES = 4
"""A mailbox of fewer is read before the first worker would be ready."""


class _Answer(NamedTuple):
    """A range's batches, and where the first message after it begins: None where the mailbox ends before."""

    batches: list[pa.RecordBatch]
    next_offset: int | None

    @property
    def first_offset(self) -> int | None:
        return self.batches[0].column("offset")[0].as_py() if self.batches else None


class MailboxFile:
    """A mailbox in a file, read by ranges of RANGE_BYTES, whatever the number of processes.

    So the batches, and all that is computed from them, are the same for any number. Use it in a `with` statement.

    Attributes:
        first_offset: Bytes before the first message that is wanted.
        next_offset: Bytes before the first message that wasn't yielded; the mailbox's size where all were.
    """

    def __init__(
        self,
        path: str | Path,
        options: MailOptions,
        with_raw: bool = False,
        workers: int = 1,
        start: int | None = None,
        span: Span | None = None,
    ) -> None:
        """Open the mailbox.

        Args:
            path: An uncompressed mailbox; also its URL.
            options: What of a mail counts as its text.
            with_raw: As for `textsent.mail.read_mbox`.
            workers: Processes that read it; with 1, or where it is small, this one does.
            start: Bytes before the first message that is wanted: what `next_offset` said once.
            span: What of it is wanted, by default all.
        """
        self._path = str(path)
        self._options = options
        self._with_raw = with_raw
        self._stack = ExitStack()
        is_remote = is_url(self._path)
        file = Location.of(self._path).open() if is_remote else Path(path).open("rb")  # noqa: SIM115
        self._file = self._stack.enter_context(file)
        self._size = self._file.seek(0, os.SEEK_END)
        first_byte, end = (span.start, min(span.end, self._size)) if span else (0, self._size)
        if span and start is None:
            start = span.first
        self._from_git = (self._size > RANGE_BYTES or first_byte > 0) and is_from_git(self._file)
        if start is None and first_byte > 0:
            start = message_at(self._file, first_byte, self._from_git)
            start = self._size if start is None else start
        start = start or 0
        self._ranges = [
            (max(start, first), min(first + RANGE_BYTES, end))
            for first in range(first_byte, end, RANGE_BYTES)
            if min(first + RANGE_BYTES, end) > start
        ]
        is_large = len(self._ranges) >= _FEWEST_RANGES
        self._workers = min(workers, len(self._ranges)) if is_large and os.name == "posix" and not is_remote else 1
        self._first_byte = first_byte
        self._read = self.first_offset = self.next_offset = start
        self.closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.closed = True
        self._stack.close()

    def tell(self) -> int:
        """Return the number of bytes, of the span, whose messages were yielded."""
        return self._read - self._first_byte

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the messages as record batches of MAIL_SCHEMA, in their order.

        Raises:
            InputError: A worker has ended before its work was done.
        """
        expected: int | None = self.next_offset
        for (start, end), answer in zip(self._ranges, self._answers(), strict=True):
            if expected is not None and expected < end:
                if start and answer.first_offset != expected:
                    # The range begins within a message that holds what looks like another one.
                    answer = _read_range(self._file, expected, end, self._from_git, self._options, self._with_raw)
                    if answer.first_offset != expected:
                        raise InputError(f"{self._path} was changed while it was read: try again")
                expected = answer.next_offset
                following = [batch.column("offset")[0].as_py() for batch in answer.batches[1:]]
                following.append(self._size if expected is None else expected)
                for batch, self.next_offset in zip(answer.batches, following, strict=False):
                    self._read = min(self.next_offset, end)
                    yield batch
            self._read = end
        if self._ranges and self._file.seek(0, os.SEEK_END) < self._ranges[-1][1]:
            raise InputError(f"{self._path} became shorter while it was read: try again")

    def _answers(self) -> Iterator[_Answer]:
        if self._workers == 1:
            for start, end in self._ranges:
                yield _read_range(self._file, start, end, self._from_git, self._options, self._with_raw)
            return
        idle: SimpleQueue[_Worker] = SimpleQueue()
        pool = ThreadPoolExecutor(self._workers)
        # At the end the workers are killed, then the threads find that out, and then nobody needs the pipes.
        pipes = self._stack.enter_context(ExitStack())
        self._stack.callback(pool.shutdown, cancel_futures=True)
        for _ in range(self._workers):
            worker = _Worker(self._path, self._file.fileno(), self._from_git, self._options, self._with_raw)
            pipes.callback(worker.close)
            self._stack.callback(worker.kill)
            if self.closed:  # meanwhile, by another thread
                self._stack.close()
                return
            idle.put(worker)

        def read(start: int, end: int) -> _Answer:
            worker = idle.get()
            try:
                return worker.read(start, end)
            finally:
                idle.put(worker)

        asked: deque[Future[_Answer]] = deque()
        for start, end in self._ranges:
            asked.append(pool.submit(read, start, end))
            if len(asked) > self._workers:  # what is held doesn't grow, though the first takes longest
                yield asked.popleft().result()
        while asked:
            yield asked.popleft().result()


class _Worker(ServingProcess):
    """A process that reads ranges of a mailbox."""

    def __init__(self, path: str, file: int, from_git: bool, options: MailOptions, with_raw: bool) -> None:
        try:
            super().__init__(__name__, [file])
        except OSError as exc:
            raise InputError(
                f"{path}: no process can be started to read it, {exc.strerror}: try again with --workers 1"
            ) from exc
        self._reader: pa.RecordBatchStreamReader | None = None
        self._path = path
        self._task = {
            "file": file,
            "answers": self.answers_descriptor,
            "from_git": from_git,
            "options": asdict(options),
            "with_raw": with_raw,
        }

    def read(self, start: int, end: int) -> _Answer:
        """Return a range's messages.

        Raises:
            InputError: The process has ended.
        """
        try:
            if self._reader is None:
                self._write(self._task)
            self._write([start, end])
            if self._reader is None:
                self._reader = pa.ipc.open_stream(self.answers)
            batches: list[pa.RecordBatch] = []
            for batch, metadata in self._reader.iter_batches_with_custom_metadata():
                if metadata is not None and _ERROR in metadata:
                    raise InputError(f"{self._path} can't be read: {metadata[_ERROR].decode()}")
                if metadata is not None:
                    return _Answer(batches, json.loads(metadata[_NEXT_OFFSET]))
                batches.append(batch)
        except (OSError, pa.ArrowInvalid):
            pass
        reason = self.why_it_ended("gave an answer that can't be understood")
        raise InputError(f"{self._path}: a process that read it {reason}: try again with --workers 1")

    def _write(self, task: object) -> None:
        self.asked.write(json.dumps(task).encode("ascii") + b"\n")
        self.asked.flush()


_NEXT_OFFSET = b"next_offset"
_ERROR = b"error"
_NO_MEMORY = "there is not enough memory for the processes that read it: try again with --workers 1"


def _read_range(file: Any, start: int, end: int, from_git: bool, options: MailOptions, with_raw: bool) -> _Answer:
    mbox_range = MboxRange(file, start, end, from_git, max_message_bytes=options.max_held_bytes(with_raw))
    messages = mbox_range.messages() if start else beginning(mbox_range.messages())
    batches = list(read_messages(messages, options, with_raw))
    return _Answer(batches, mbox_range.next_offset)


class _SharedFile(io.RawIOBase):
    """A file that is open in several processes, with a place of its own.

    It stays the file that was opened, whatever has its name by now.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._place = 0

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence != os.SEEK_SET:
            raise io.UnsupportedOperation
        self._place = offset
        return offset

    def readinto(self, buffer: Any) -> int:
        read = os.preadv(self._descriptor, [buffer], self._place)
        self._place += read
        return read


def serve() -> NoReturn:
    """Read the ranges that come on standard input, as a worker, and end the process."""
    hide_pandas()
    gc.set_threshold(100_000)  # reading makes many objects and no cycles
    with suppress(BrokenPipeError):  # whoever asked has gone
        _answer_all()
    os._exit(0)  # without a last word to a pipe that nobody reads


def _answer_all() -> None:
    tasks = sys.stdin.buffer
    task = json.loads(tasks.readline() or b"null")
    if task is None:
        return
    options = MailOptions(**task["options"])
    schema = mail_schema(task["with_raw"])
    nothing = pa.RecordBatch.from_pylist([], schema)
    file = _SharedFile(task["file"])
    with os.fdopen(task["answers"], "wb") as answers, pa.ipc.new_stream(answers, schema) as stream:
        for line in tasks:
            start, end = json.loads(line)
            try:
                answer = _read_range(file, start, end, task["from_git"], options, task["with_raw"])
            except (OSError, MemoryError) as exc:
                reason = _NO_MEMORY if isinstance(exc, MemoryError) else str(exc)
                stream.write_batch(nothing, custom_metadata={_ERROR: reason.encode("utf-8", "replace")})
                answers.flush()
                continue
            for batch in answer.batches:
                stream.write_batch(batch)
            stream.write_batch(nothing, custom_metadata={_NEXT_OFFSET: json.dumps(answer.next_offset).encode()})
            answers.flush()
