"""A store that is a folder: it counts what is read of it, and fails when it is told to."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow.fs import FileSystemHandler, LocalFileSystem, PyFileSystem, SubTreeFileSystem

from textsent import storage


class _File(io.RawIOBase):
    def __init__(self, file: Any, store: Store) -> None:
        self._file, self._store = file, store

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        self._store.ask()
        content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        self._store.bytes_read += len(content)
        return len(content)


class Store(FileSystemHandler):
    """Answers for a folder.

    Attributes:
        bytes_read: Of all files.
        requests: Reads so far.
        fails_at: Numbers of the reads that fail.
        failure: What they raise.
    """

    def __init__(self, folder: Path) -> None:
        self._files = SubTreeFileSystem(str(folder), LocalFileSystem())
        self.bytes_read = self.requests = 0
        self.fails_at: set[int] = set()
        self.failure: Exception = OSError("the line was cut")

    def ask(self) -> None:
        """Count a read.

        Raises:
            Exception: It is one of those that fail.
        """
        self.requests += 1
        if self.requests in self.fails_at:
            raise self.failure

    def open_input_file(self, path: str) -> Any:
        return pa.PythonFile(_File(self._files.open_input_file(path), self), "r")

    open_input_stream = open_input_file

    def get_type_name(self) -> str:
        return "store"

    def get_file_info_selector(self, selector: Any) -> Any:
        return self._files.get_file_info(selector)

    def create_dir(self, path: str, recursive: bool) -> None:
        self._files.create_dir(path, recursive=recursive)

    def delete_dir_contents(self, path: str, missing_dir_ok: bool = False) -> None:
        self._files.delete_dir_contents(path, missing_dir_ok=missing_dir_ok)

    def delete_root_dir_contents(self) -> None:
        raise NotImplementedError


def _as_of_the_folder(name: str) -> Any:
    return lambda store, *arguments: getattr(store._files, name)(*arguments)


for _name in FileSystemHandler.__abstractmethods__ - set(vars(Store)):
    setattr(Store, _name, _as_of_the_folder(_name))
Store.__abstractmethods__ = frozenset()


def store_in(folder: Path, monkeypatch: Any) -> Store:
    """Return a store whose files have URLs of `hdfs://box/`, until the test ends."""
    store = Store(folder)
    files = PyFileSystem(store)
    monkeypatch.setattr(storage, "_by_arrow", lambda root, query: (files, root.partition("://")[2]))
    (folder / "box").mkdir()
    return store
