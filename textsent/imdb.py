"""The Large Movie Review Dataset: its download, its folder, and its archive as published."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Collection
from pathlib import Path
from typing import IO, NamedTuple, Self

from textsent.compression import decompressed, suffix_and_compression
from textsent.errors import InputError, OptionError

IMDB_URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
IMDB_MD5 = "7c2ac02c03563afcf9b574c7e56c153a"
"""The Large Movie Review Dataset v1.0: Maas et al., "Learning Word Vectors for Sentiment Analysis", 2011."""

IMDB_FOLDER = "aclImdb"

PARTS = {"train": ("train",), "test": ("test",), "all": ("train", "test")}
"""What may be asked for, and the folders that it is read from."""

MAX_ARCHIVED_BYTES = 1_000_000
"""An archive's review is no longer. The longest of the dataset has 14,000 bytes, its lists of films 612,500."""

_ARCHIVE_SUFFIXES = (".tar", ".tgz")
_LABELLED = {"pos": 1, "neg": 0}
_UNLABELLED = "unsup"

_REVIEW = r"[^/.][^/]{0,250}\.txt"  # no longer than a file's name can be
_LABELLED_FILES = rf"(?:pos|neg)/{_REVIEW}|urls_(?:pos|neg)\.txt"
_UNLABELLED_FILES = rf"{_UNLABELLED}/{_REVIEW}"

_CHUNK_BYTES = 1 << 20
_LONG_HEADERS = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
"""Members that tarfile reads into memory itself."""

_BROKEN = (tarfile.TarError, OSError, EOFError, ValueError, OverflowError, RecursionError)
"""What reading a broken archive may raise."""

_Files = dict[str, str]
"""The text of each file of a part, by its path within that part."""


class Review(NamedTuple):
    """A review that someone judged.

    Attributes:
        text: What it says.
        label: 1 positive, 0 negative.
        film: The number of the film that it is about; "" where the dataset doesn't say.
    """

    text: str
    label: int
    film: str


def imdb_folder(url: str = IMDB_URL, md5: str = IMDB_MD5, cache: Path | None = None) -> Path:
    """Return the folder of the Large Movie Review Dataset; it is downloaded on first use (84 MB).

    Args:
        url: Where the archive is.
        md5: Its checksum.
        cache: Folder to keep it in; by default the user's cache folder.

    Raises:
        InputError: It can't be downloaded, or isn't what it should be.
    """
    import pooch
    import requests

    cache = cache or Path(pooch.os_cache("textsent"))
    folder = cache / IMDB_FOLDER
    if folder.is_dir():
        return folder
    try:
        archive = pooch.retrieve(
            url,
            f"md5:{md5}",
            fname=url.rpartition("/")[2],
            path=cache,
            downloader=pooch.HTTPDownloader(timeout=60),
        )
        unpacking = cache / f".{IMDB_FOLDER}.unpacking"
        with tarfile.open(archive) as tar:
            tar.extractall(unpacking, filter="data")
        (unpacking / IMDB_FOLDER).rename(folder)
        unpacking.rmdir()
    except (requests.RequestException, OSError, ValueError, tarfile.TarError) as exc:
        raise InputError(
            f"the Large Movie Review Dataset can't be had from {url}: {_first_line(exc)}: "
            "download it by hand, and name the file with --data"
        ) from exc
    return folder


def is_archive(path: Path) -> bool:
    """Return whether a file's name is that of a tar archive, compressed or not."""
    return suffix_and_compression(path)[0] in _ARCHIVE_SUFFIXES and path.is_file()


def read_reviews(path: Path, part: str) -> list[Review]:
    """Return the labelled reviews of a part: the positive ones before the negative ones, each by their numbers.

    Args:
        path: The dataset's archive; its folder `aclImdb`; or a part of it that has the folders `pos` and `neg`.
        part: One of PARTS, where the path holds several; of `all`, those that are there.

    Raises:
        InputError: There are none, one isn't UTF-8, or the archive is broken.
        OptionError: There is no such part.
    """
    if part not in PARTS:
        raise OptionError(f"there is no part {part!r}: choose one of {', '.join(PARTS)}")
    names = PARTS[part]
    if path.is_dir():
        folders = [path / name for name in names if (path / name).is_dir()] or [path]
        found = [_files_of_folder(folder) for folder in folders]
        expected = "in its folders pos and neg"
    else:
        archived = _files_of_archive(path, names, _LABELLED_FILES)
        found = [archived[name] for name in names]
        places = " or ".join(f"{IMDB_FOLDER}/{name}/{label}" for name in names for label in _LABELLED)
        expected = f"in {places}: name the dataset's archive, or a file with a column of labels"
    reviews = [review for files in found for review in _reviews(files)]
    if not reviews:
        raise InputError(f"{path} has no reviews {expected}")
    return reviews


def read_unlabelled_reviews(path: Path) -> list[str]:
    """Return the texts of the reviews without a label, in the order of their files' names; [] where there are none.

    Args:
        path: The dataset's archive; its folder `aclImdb` or `aclImdb/train`; or any folder of .txt files.

    Raises:
        InputError: One isn't UTF-8, or the archive is broken.
    """
    if path.is_dir():
        places = (path / "train" / _UNLABELLED, path / _UNLABELLED, path)
        folder = next(place for place in places if place.is_dir())
        return [read_text(file) for file in sorted(_text_files(folder))]
    files = _files_of_archive(path, ("train",), _UNLABELLED_FILES)["train"] if is_archive(path) else {}
    return [files[name] for name in sorted(files)]


def read_text(file: Path) -> str:
    """Return the text of a file that holds one.

    Raises:
        InputError: It can't be opened, or isn't UTF-8.
    """
    try:
        content = file.read_bytes()
    except OSError as exc:
        raise InputError(f"{file} can't be opened: {exc.strerror}") from exc
    return _decoded(content, str(file))


def _decoded(content: bytes, name: str) -> str:
    """Return the text of a file; whatever ends its lines, a line feed does so in the text."""
    try:
        return content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as exc:
        raise InputError(f"{name}: the text is not UTF-8") from exc


def _reviews(files: _Files) -> list[Review]:
    reviews: list[Review] = []
    for folder, label in _LABELLED.items():
        films = _films(files.get(f"urls_{folder}.txt", ""))
        names = [name for name in files if name.startswith(f"{folder}/")]
        names.sort(key=lambda name: (_number(name), name))
        reviews += [Review(files[name], label, films.get(_number(name), "")) for name in names]
    return reviews


def _number(name: str) -> int:
    """Return the number that a review's name begins with, and its film's line has; -1 where there is none."""
    digits = re.match(r"\d+", name.rpartition("/")[2])
    return int(digits[0]) if digits else -1


def _films(urls: str) -> dict[int, str]:
    """Return the film of each review, by the review's number, from the addresses of the films' pages."""
    films = (re.search(r"tt\d+", line) for line in urls.splitlines())
    return {number: film[0] for number, film in enumerate(films) if film}


def _files_of_folder(part: Path) -> _Files:
    files = {}
    for name in _LABELLED:
        if not (part / name).is_dir():
            raise InputError(f"{part} is a folder but has no folder {name!r} in it: name a file, or aclImdb")
        files.update({f"{name}/{file.name}": read_text(file) for file in _text_files(part / name)})
        urls = part / f"urls_{name}.txt"
        if urls.is_file():
            files[urls.name] = read_text(urls)
    return files


def _text_files(folder: Path) -> list[Path]:
    # Archives made on a Mac hold a hidden file beside each, which is no text.
    return [file for file in folder.glob("*.txt") if not file.name.startswith(".")]


def _files_of_archive(path: Path, parts: Collection[str], names: str) -> dict[str, _Files]:
    """Return the files of an archive's parts whose paths within them match `names`; nothing is unpacked to disk.

    Of a file that is there twice the last one counts, as where an archive is unpacked.
    """
    layout = re.compile(rf"(?:\./)?(?:{IMDB_FOLDER}/)?({'|'.join(parts)})/({names})")
    found: dict[str, _Files] = {part: {} for part in parts}
    try:
        with (
            path.open("rb") as file,
            decompressed(file) as stream,
            tarfile.open(fileobj=_Ending(stream), mode="r|", tarinfo=_Member) as archive,
        ):
            for member in archive:
                fitting = layout.fullmatch(member.name)
                if fitting and member.isfile():
                    found[fitting[1]][fitting[2]] = _archived_text(path, archive, member)
            while stream.read(_CHUNK_BYTES):
                pass  # where the file is compressed, its checksum comes last
    except _BROKEN as exc:
        if isinstance(exc, OSError) and exc.strerror:
            raise InputError(f"{path} can't be read: {exc.strerror}") from exc
        raise InputError(
            f"{path} can't be read: the archive is broken: {_first_line(exc)}: download it again"
        ) from exc
    return found


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".:")


def _archived_text(path: Path, archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    if member.size > MAX_ARCHIVED_BYTES:
        raise InputError(
            f"{path}: {member.name!r} has {member.size:,} bytes, and a review or a list of films has no more than "
            f"{MAX_ARCHIVED_BYTES:,}: take it out, or unpack the archive and name its folder"
        )
    file = archive.extractfile(member)
    return _decoded(file.read() if file else b"", f"{path}: {member.name!r}")


class _Ending(io.RawIOBase):
    """A stream that is read past its end only once: tarfile would go on for as long as a member claims to be."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._has_ended = False

    def read(self, size: int = -1, /) -> bytes:
        if self._has_ended:
            raise EOFError("unexpected end of data")
        data = self._stream.read(size)
        self._has_ended = not data
        return data


class _Member(tarfile.TarInfo):
    """A member of an archive; where its header is broken or missing, tarfile takes the archive for complete."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            member = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as exc:
            if buf and not any(buf):
                raise  # a block of zeros is the archive's end
            raise tarfile.ReadError(str(exc)) from exc
        if member.size < 0 or (member.type in _LONG_HEADERS and member.size > MAX_ARCHIVED_BYTES):
            raise tarfile.ReadError(f"a member has {member.size:,} bytes")
        return member
