"""Files behind URLs: on S3, Google Cloud Storage, Azure, HDFS, and whatever else fsspec knows.

`s3://`, `gs://`, `abfs://` and `hdfs://` are read and written by Arrow, which holds what that takes; any other
scheme by fsspec, if it and what it needs for that one are installed. Each of them finds credentials as is usual
there: in the environment, in the user's configuration, or from the machine's role. `file://` is a path. What stands
behind a `?` are Arrow's own settings, as in `s3://box/mail.mbox?endpoint_override=localhost:9000&scheme=http`.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Self
from urllib.request import url2pathname

import pyarrow as pa

from textsent.atomic import take_name
from textsent.errors import InputError, MissingExtraError, OptionError, OutputError, TextsentError
from textsent.unfinished import sync

_URL = re.compile(r"(?P<root>[A-Za-z][A-Za-z0-9+.-]+://[^/?]*)/*(?P<path>.*?)(?P<query>\?[a-z_]+=.*)?", re.DOTALL)
_PASSWORD = re.compile(r"[^/]+://[^/@\[]*:(?:[^/@?]*@|(?!\d*(?:[/?]|\Z))[^@]*@)")
"""Also one with a slash in it, as Amazon's keys have; what stands behind a colon else is a port."""

_SECRET = re.compile(r"[?&]([\w-]*(?:secret|password|signature|token)[\w-]*|sig)=", re.IGNORECASE)
_OF_ARROW = re.compile(r"(?:s3|gs|gcs|hdfs|viewfs|abfss?)://")
_WITHOUT_FOLDERS = re.compile(r"(?:s3|gs|gcs|abfss?)://")


SUCCESS_FILE = "_SUCCESS"
"""Says of a folder of parts that it is complete, as Spark and others expect it."""

UNFINISHED_FOLDER = "_unfinished"
"""Is in a folder of parts that isn't complete."""


def is_url(name: str) -> bool:
    """Return whether a name is a URL rather than a path."""
    return _URL.fullmatch(name) is not None


def without_query(name: str) -> str:
    """Return a path, or a URL without the settings that stand behind it."""
    url = _URL.fullmatch(name)
    return name[: url.start("query")] if url and url["query"] else name


def is_folder_name(name: str) -> bool:
    """Return whether an output's name says that it is a folder, to be written in parts: with `/` at its end."""
    return without_query(name).endswith("/")


def without_file_scheme(name: str) -> str:
    """Return a name, or the path that it says where it is a `file://` URL."""
    return url2pathname(f"/{name[7:].partition('/')[2]}") if name[:7].lower() == "file://" else name


_ATTEMPTS = 5
"""How often a store is asked for what breaks off."""

_BROKEN_OFF = "the store's answers break off"


@dataclass(frozen=True)
class Location:
    """A place for a file, or a folder, on some file system.

    Attributes:
        name: The URL or path, for people.
        files: Arrow's file system.
        key: The place, as the file system calls it.
        listed: What a folder's list says of it, where it was found in one; else None.
    """

    name: str
    files: Any
    key: str
    listed: Any = None

    @classmethod
    def of(cls, name: str) -> Self:
        """Return the place that a URL or a path names.

        Raises:
            OSError: The URL can't be understood.
            OptionError: There is a password in it, or another secret.
            MissingExtraError: No installed package knows its scheme.
        """
        name = without_file_scheme(name)
        url = _URL.fullmatch(name)
        secret = _SECRET.search(name) if url else None
        if secret or _PASSWORD.match(name):
            raise OptionError(
                f"a URL of {name.partition('://')[0]}:// has {secret[1] if secret else 'a password'} in it, which "
                "records and messages would show: leave it out, and put it where that store's programs look for "
                "it, as the environment, or fetch the file"
            )
        if url is None:
            return cls(name, _local(), os.path.abspath(name))  # noqa: PTH100 - a link keeps its name
        if not _OF_ARROW.match(url["root"].lower()):
            return cls(name, *_by_fsspec(name))
        files, base = _by_arrow(url["root"], url["query"] or "")
        return cls(name, files, f"{base.rstrip('/')}/{url['path']}".rstrip("/"))

    def __truediv__(self, name: str) -> Self:
        own = without_query(self.name)
        query = self.name[len(own) :]
        return type(self)(f"{own.rstrip('/')}/{name}{query}", self.files, f"{self.key.rstrip('/')}/{name}")

    @property
    def info(self) -> Any:
        """What Arrow knows of the file, when it is asked: its type, size and time of change."""
        for _ in range(_ATTEMPTS):
            info = self.files.get_file_info(self.key)
            # An answer of S3's that breaks off before these is taken for one that says nothing of them.
            if self._is_local or not info.is_file or info.size or info.mtime_ns != 0:
                return info
        raise OSError(_BROKEN_OFF)

    @property
    def _is_local(self) -> bool:
        return self.files is _local()

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
            if info.is_file and not any(part.startswith(("_", ".")) for part in below.split("/")):
                found.append(replace(self / below, listed=info))
        return sorted(found, key=lambda location: location.name)

    def open(self) -> IO[bytes]:
        """Open the file, to be read from any place: each read asks for that range of its bytes."""
        for _ in range(_ATTEMPTS):
            file = self.files.open_input_file(self.key)
            if self._is_local or file.size() or not self.info.size:  # it may have broken off, as in `info`
                return file
        raise OSError(_BROKEN_OFF)

    def read_bytes(self) -> bytes:
        """Return the file's content."""
        with self.open() as file:
            return file.read()

    def write_bytes(self, content: bytes, grows_in: Self | None = None) -> None:
        """Write a small file; see `upload`."""
        if self._is_local:
            with _appearing(Path(self.key), grows_in) as partial:
                partial.write_bytes(content)
            return
        self._make_parent()
        with self.files.open_output_stream(self.key) as stream:
            stream.write(content)

    def upload(self, path: Path, grows_in: Self | None = None) -> None:
        """Copy a local file to this place.

        On an object store and on a local disk it appears when all of it is there, and on the disk.

        Args:
            path: The file.
            grows_in: A folder of the same disk in which it may stand until it is complete; by default this place's.

        Raises:
            OSError: It can't be copied, or less came than was sent.
        """
        from pyarrow.fs import copy_files

        if self._is_local:
            with _appearing(Path(self.key), grows_in) as partial:
                shutil.copyfile(path, partial)
            return
        self._make_parent()
        # Not by a stream of ours: where an exception closes it, it completes what was uploaded up to there.
        copy_files(str(path), self.key, _local(), self.files, use_threads=False)
        size = path.stat().st_size
        if self.info.size != size:
            raise OSError(f"{self.info.size or 0:,} bytes of {size:,} came: try again")

    def check_writable(self) -> None:
        """Write an empty file beside this place, and take it away again.

        Raises:
            OSError: It can't be written.
        """
        probe = replace(self, key=f"{self.key}.partial")
        probe.write_bytes(b"")
        with suppress(OSError):  # who may write may not always delete
            probe.delete()

    def delete(self) -> None:
        """Delete the file, if it is there."""
        if self.info.is_file:
            self.files.delete_file(self.key)

    def delete_folder(self) -> None:
        """Delete the folder, with all that is in it, if it is there."""
        if is_folder(self.info):
            self.files.delete_dir(self.key)

    def _make_parent(self) -> None:
        if not _WITHOUT_FOLDERS.match(self.name.lower()):
            self.files.create_dir(self.key.rpartition("/")[0] or "/")


@contextmanager
def _appearing(path: Path, grows_in: Location | None) -> Iterator[Path]:
    """Yield a path for a file that gets its name, on the disk, when the block ends well."""
    _make_folder(path.parent)
    folder = Path(grows_in.key) if grows_in else path.parent
    partial = folder / f"_{path.name}.{uuid.uuid4().hex}"  # hidden, and no other process's
    try:
        partial.touch(0o600, exist_ok=False)
        yield partial
        sync(partial)
        take_name(partial, path)
        sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Make a folder, and those that it is in, and have them on the disk."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


def is_folder(info: Any) -> bool:
    """Return whether what a file system tells is told of a folder."""
    from pyarrow.fs import FileType

    return info.type is FileType.Directory


def is_there(info: Any) -> bool:
    """Return whether what a file system tells is told of something, a file or a folder."""
    from pyarrow.fs import FileType

    return info.type is not FileType.NotFound


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


_QUESTIONS = 16  # to a store at a time


def ask_each(question: Callable[[Any], Any], files: Sequence[Any]) -> list[Any]:
    """Return what a question gives for each of some files; where some are behind URLs, several are asked at a time.

    Args:
        question: What is asked.
        files: Names, or what has a `name`.
    """
    if not any(is_url(file if isinstance(file, str) else file.name) for file in files):
        return [question(file) for file in files]
    with ThreadPoolExecutor(_QUESTIONS) as pool:
        return list(pool.map(question, files))


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
        info = location.info
        if info.is_file and not overwrite:
            raise OutputError(f"{url} exists already: choose another name, or replace it with --overwrite")
        if is_folder(info):
            raise OutputError(f"{url} is a folder: name a file in it, or put / at its end to write in parts")
        location.check_writable()
    with tempfile.TemporaryDirectory(prefix="textsent-") as folder:
        name = location.key.rpartition("/")[2]
        yield Path(folder, name)
        with writing(url):
            for path in sorted(Path(folder).iterdir(), key=lambda path: path.name == name):
                replace(location, key=location.key.removesuffix(name) + path.name).upload(path)


def reading(url: str) -> AbstractContextManager[None]:
    """Turn what file systems raise while something is read into an InputError of one line."""
    return _told(InputError, f"{url} can't be read")


def writing(url: str) -> AbstractContextManager[None]:
    """Turn what file systems raise while something is written into an OutputError of one line."""
    return _told(OutputError, f"{url} can't be written")


@contextmanager
def _told(kind: type[TextsentError], problem: str) -> Iterator[None]:
    try:
        yield
    except Exception as exc:
        if not isinstance(exc, pa.ArrowException | NotImplementedError) and not is_of_a_store(exc):
            raise
        raise kind(f"{problem}: {reason_of(exc)}") from exc


_CLIENTS = ("adlfs", "aiohttp", "azure", "botocore", "fsspec", "gcsfs", "google", "paramiko", "requests")
"""Packages by which fsspec's file systems reach stores; not all that they raise is an OSError."""


def is_of_a_store(exc: BaseException | None) -> bool:
    """Return whether an exception comes from a file system, or from what that reaches its files by."""
    return isinstance(exc, OSError) or type(exc).__module__.partition(".")[0] in _CLIENTS


REASONS = (
    ("ACCESS_DENIED", "access is denied: check the credentials and what they may do"),
    ("InvalidAccessKeyId", "its server doesn't know these credentials: check them"),
    ("INVALID_ACCESS_KEY_ID", "its server doesn't know these credentials: check them"),
    ("SIGNATURE_DOES_NOT_MATCH", "its server doesn't take these credentials: check the secret key"),
    ("NO_SUCH_BUCKET", "there is no such bucket: check the URL"),
    ("NETWORK_CONNECTION", "its server can't be reached: check the network and the endpoint"),
    ("INTERNAL_FAILURE", "its server fails: look at its log, and try again"),
    ("Path does not exist", "there is no such file: check the URL"),
    ("Unable to load lib", "Hadoop's Java libraries aren't found: set JAVA_HOME, HADOOP_HOME and CLASSPATH"),
)
"""What file systems say, and what is said of it here."""


def reason_of(exc: Exception) -> str:
    """Return what a file system's exception says, in one line."""
    if isinstance(exc, NotImplementedError):
        return "its files can't be handled so: copy them to a disk, or from one"
    text = (getattr(exc, "strerror", None) or str(exc)).partition("\n")[0] or type(exc).__name__
    return next((ours for theirs, ours in REASONS if theirs in text), text.removesuffix("."))
