"""Files behind URLs: on S3, Google Cloud Storage, Azure, HDFS, and whatever else fsspec knows.

`s3://`, `gs://`, `abfs://` and `hdfs://` are read and written by Arrow, which holds what that takes; any other
scheme by fsspec, if it and what it needs for that one are installed. Each of them finds credentials as is usual
there: in the environment, in the user's configuration, or from the machine's role. `file://` is a path.
"""

from __future__ import annotations

import glob
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pyarrow as pa

from textsent.errors import InputError, MissingExtraError, OutputError

_URL = re.compile(r"(?P<root>[A-Za-z][A-Za-z0-9+.-]+://[^/]*)/*(?P<path>.*?)(?P<query>\?[a-z_]+=.*)?", re.DOTALL)
_OF_ARROW = re.compile(r"(?:s3|gs|gcs|hdfs|viewfs|abfss?)://")
_WITHOUT_FOLDERS = re.compile(r"(?:s3|gs|gcs|abfss?)://")
_WILDCARD = re.compile(r"[*?[]")


def is_url(name: str) -> bool:
    """Return whether a name is a URL rather than a path."""
    return _URL.fullmatch(name) is not None


def without_file_scheme(name: str) -> str:
    """Return a name, or the path that it says where it is a `file://` URL."""
    return url2pathname(urlsplit(name).path) if name[:7].lower() == "file://" else name


@dataclass(frozen=True)
class Location:
    """A place for a file, or a folder, on some file system.

    Attributes:
        name: The URL or path, for people.
        files: Arrow's file system.
        key: The place, as the file system calls it.
        size: Bytes of the file, where it was found in a folder; else None.
    """

    name: str
    files: Any
    key: str
    size: int | None = None

    @classmethod
    def of(cls, name: str) -> Self:
        """Return the place that a URL or a path names.

        Raises:
            OSError: The URL can't be understood.
            MissingExtraError: No installed package knows its scheme.
        """
        name = without_file_scheme(name)
        url = _URL.fullmatch(name)
        if url is None:
            return cls(name, _local(), os.path.abspath(name))  # noqa: PTH100 - a link keeps its name
        if not _OF_ARROW.match(url["root"].lower()):
            return cls(name, *_by_fsspec(name))
        files, base = _by_arrow(url["root"], url["query"] or "")
        return cls(name, files, f"{base.rstrip('/')}/{url['path']}".rstrip("/"))

    def __truediv__(self, name: str) -> Self:
        return type(self)(f"{self.name.rstrip('/')}/{name}", self.files, f"{self.key.rstrip('/')}/{name}")

    @property
    def info(self) -> Any:
        """What Arrow knows of the file: its type, size and time of change."""
        return self.files.get_file_info(self.key)

    def files_below(self) -> list[Self]:
        """Return the files in a folder and below it, in the order of their names.

        What is hidden, by `_` or `.` before its name, is left out.

        Raises:
            OSError: They can't be listed.
        """
        from pyarrow.fs import FileSelector

        found = []
        for info in self.files.get_file_info(FileSelector(self.key, recursive=True, allow_not_found=True)):
            below = info.path[len(self.key) :].lstrip("/")
            if info.is_file and not any(part[0] in "_." for part in below.split("/")):
                found.append(replace(self / below, size=info.size))
        return sorted(found, key=lambda location: location.name)

    def open(self) -> IO[bytes]:
        """Open the file, to be read from any place: each read asks for that range of its bytes."""
        return self.files.open_input_file(self.key)

    def read_bytes(self) -> bytes:
        """Return the file's content."""
        with self.open() as file:
            return file.read()

    def write_bytes(self, content: bytes) -> None:
        """Write a small file."""
        self._make_parent()
        with self.files.open_output_stream(self.key) as stream:
            stream.write(content)

    def upload(self, path: Path) -> None:
        """Copy a local file to this place: on an object store it appears when all of it is there.

        Raises:
            OSError: It can't be copied, or less came than was sent.
        """
        from pyarrow.fs import copy_files

        self._make_parent()
        # Not by a stream of ours: where an exception closes it, it completes what was uploaded up to there.
        copy_files(str(path), self.key, _local(), self.files, use_threads=False)
        size = path.stat().st_size
        if self.info.size != size:
            raise OSError(f"{self.info.size:,} bytes of {size:,} came: try again")

    def delete(self) -> None:
        """Delete the file, if it is there."""
        if self.info.is_file:
            self.files.delete_file(self.key)

    def delete_folder(self) -> None:
        """Delete the folder, with all that is in it, if it is there."""
        from pyarrow.fs import FileType

        if self.info.type is FileType.Directory:
            self.files.delete_dir(self.key)

    def _make_parent(self) -> None:
        if not _WITHOUT_FOLDERS.match(self.name.lower()):
            self.files.create_dir(self.key.rpartition("/")[0] or "/")


def state_of(info: Any) -> str:
    """Return a file's size and time of change, in words that differ where they do."""
    return f"{info.size} bytes of {info.mtime:%Y-%m-%d %H:%M:%S}" if info.mtime else f"{info.size} bytes"


@lru_cache
def _local() -> Any:
    from pyarrow.fs import LocalFileSystem

    return LocalFileSystem()


@lru_cache(maxsize=64)
def _by_arrow(root: str, query: str) -> tuple[Any, str]:
    from pyarrow.fs import FileSystem

    try:
        return FileSystem.from_uri(f"{root}/{query}")
    except pa.ArrowException as exc:
        raise OSError(str(exc)) from exc


def _by_fsspec(url: str) -> tuple[Any, str]:
    from pyarrow.fs import FSSpecHandler, PyFileSystem

    scheme = url.partition("://")[0]
    try:
        import fsspec

        files, key = fsspec.core.url_to_fs(url)
    except ImportError as exc:
        package = "fsspec" if exc.name == "fsspec" else str(exc)
        raise MissingExtraError(f"{scheme}:// can't be reached with what is installed here: {package}") from exc
    except ValueError as exc:
        raise OSError(f"nothing here knows {scheme}://: {exc}") from exc
    return PyFileSystem(FSSpecHandler(files)), key.rstrip("/")


def expanded(name: str) -> list[str]:
    """Return the files that an input's name stands for, in the order of their names.

    Args:
        name: A path or a URL. A pattern stands for all files that it matches, `**` in it for any number of folders.
            A folder's URL, not its path, stands for all files in it and below, without hidden ones.

    Raises:
        InputError: There are none, or they can't be listed.
    """
    path = without_file_scheme(name)
    if path == name and not is_url(name):
        return _expanded_path(name)
    with reading(name):
        from pyarrow.fs import FileType

        if path != name and not Path(path).is_dir():
            return _expanded_path(path)
        location = Location.of(name)
        wildcard = _WILDCARD.search(location.name)
        if wildcard is None:
            if location.info.type is not FileType.Directory:
                return [name]  # where it isn't there, whoever opens it says so
            found = location.files_below()
        else:
            base = Location.of(location.name[: wildcard.start()].rpartition("/")[0])
            pattern = _pattern(location.name)
            found = [file for file in base.files_below() if pattern.fullmatch(file.name)]
    if not found:
        raise InputError(f"{name}: there is no such file: check the URL")
    return [location.name for location in found]


def _expanded_path(name: str) -> list[str]:
    if not _WILDCARD.search(name) or os.path.lexists(name):
        return [name]
    found = sorted(path for path in glob.glob(name, recursive=True) if Path(path).is_file())  # noqa: PTH207
    return found or [name]


def _pattern(url: str) -> re.Pattern[str]:
    """Return what URLs match a pattern of wildcards."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[!?[^]/]+\])", url)
    meanings = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile(
        "".join(
            re.escape(part) if number % 2 == 0 else meanings.get(part) or part.replace("[!", "[^", 1)
            for number, part in enumerate(parts)
        ),
        re.DOTALL,
    )


@contextmanager
def uploading(url: str, overwrite: bool = False) -> Iterator[Path]:
    """Yield a path for a file; what is there when the block ends well is uploaded, and what stands beside it.

    Args:
        url: Where the file is uploaded to.
        overwrite: Replace what is there.

    Raises:
        OutputError: Something is there, or it can't be written.
    """
    with writing(url):
        location = Location.of(url)
        if location.info.is_file and not overwrite:
            raise OutputError(f"{url} exists already: choose another name, or replace it with --overwrite")
    with tempfile.TemporaryDirectory(prefix="textsent-") as folder:
        name = location.key.rpartition("/")[2]
        yield Path(folder, name)
        parent = replace(location, name=url.rpartition("/")[0], key=location.key.rpartition("/")[0])
        with writing(url):
            for path in sorted(Path(folder).iterdir(), key=lambda path: path.name == name):
                (parent / path.name).upload(path)


@contextmanager
def reading(url: str) -> Iterator[None]:
    """Turn what file systems raise while something is read into an InputError of one line."""
    try:
        yield
    except (OSError, pa.ArrowException) as exc:
        raise InputError(f"{url} can't be read: {reason_of(exc)}") from exc


@contextmanager
def writing(url: str) -> Iterator[None]:
    """Turn what file systems raise while something is written into an OutputError of one line."""
    try:
        yield
    except (OSError, pa.ArrowException) as exc:
        raise OutputError(f"{url} can't be written: {reason_of(exc)}") from exc


_REASONS = (
    ("ACCESS_DENIED", "access is denied: check the credentials and what they may do"),
    ("InvalidAccessKeyId", "its server doesn't know these credentials: check them"),
    ("INVALID_ACCESS_KEY_ID", "its server doesn't know these credentials: check them"),
    ("SIGNATURE_DOES_NOT_MATCH", "its server doesn't take these credentials: check the secret key"),
    ("NO_SUCH_BUCKET", "there is no such bucket: check the URL"),
    ("NETWORK_CONNECTION", "its server can't be reached: check the network and the endpoint"),
    ("Path does not exist", "there is no such file: check the URL"),
)


def reason_of(exc: Exception) -> str:
    """Return what a file system's exception says, in one line."""
    text = (str(exc).splitlines() or [type(exc).__name__])[0]
    return next((ours for theirs, ours in _REASONS if theirs in text), text.removesuffix("."))
