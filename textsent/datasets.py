"""Labelled texts: CSV, Parquet and JSON Lines files, and the Large Movie Review Dataset."""

from __future__ import annotations

import hashlib
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textsent.errors import InputError
from textsent.preprocess import as_text_array
from textsent.readers import open_reader
from textsent.schema import text_column

IMDB_URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
IMDB_MD5 = "7c2ac02c03563afcf9b574c7e56c153a"
"""The Large Movie Review Dataset v1.0: Maas et al., "Learning Word Vectors for Sentiment Analysis", 2011."""

IMDB_FOLDER = "aclImdb"

LABELS = {
    "pos": 1, "positive": 1, "1": 1, "1.0": 1, "true": 1,
    "neg": 0, "negative": 0, "0": 0, "0.0": 0, "false": 0, "-1": 0, "-1.0": 0,
}  # fmt: skip
"""What a label may be, whatever its case, and whether it is positive."""

LABEL_COLUMNS = ("label", "sentiment")
GROUP_COLUMNS = ("movie", "film", "group")
"""Columns taken for the label, and for the group, when none is named."""


@dataclass(frozen=True)
class LabelledTexts:
    """Texts that someone judged.

    Attributes:
        texts: Array of strings.
        labels: int8, shape (texts,): 1 positive, 0 negative.
        groups: Array of strings: texts of one group lean on each other, as the reviews of one film do. Where
            the data names none, each text is its own.
        named_groups: Whether the data named them.
    """

    texts: pa.Array
    labels: np.ndarray[Any, np.dtype[np.int8]]
    groups: pa.Array
    named_groups: bool

    def __len__(self) -> int:
        return len(self.labels)

    def digest(self) -> str:
        """Return a SHA-256 of texts, labels and groups, which tells sets of data apart whatever their order."""
        rows = zip(self.labels.tolist(), self.groups.to_pylist(), self.texts.to_pylist(), strict=True)
        hashes = sorted(hashlib.sha256(repr(row).encode()).digest() for row in rows)
        return hashlib.sha256(b"".join(hashes)).hexdigest()

    def split(self, share: float, seed: int) -> tuple[LabelledTexts, LabelledTexts]:
        """Return two parts, no group in both: what is left, and about `share` of the groups.

        The part a group falls into hangs on its name and the seed alone, not on the other groups.
        """
        chosen = np.array([_fraction(f"{seed}:{group}") < share for group in self.groups.to_pylist()], bool)
        return self.where(~chosen), self.where(chosen)

    def where(self, chosen: np.ndarray[Any, np.dtype[np.bool_]]) -> LabelledTexts:
        """Return the texts that are chosen: bool, shape (texts,)."""
        mask = pa.array(chosen)
        return LabelledTexts(
            self.texts.filter(mask), self.labels[chosen], self.groups.filter(mask), self.named_groups
        )


def read_labelled(
    path: Path,
    *,
    part: str = "train",
    text: str | None = None,
    label: str | None = None,
    group: str | None = None,
) -> LabelledTexts:
    """Return the labelled texts of a file or of an `aclImdb` folder.

    Rows without a text are left out.

    Args:
        path: A CSV, TSV, Parquet or JSON Lines file; or the folder `aclImdb`, or a part of it that has the
            folders `pos` and `neg`.
        part: `train` or `test`, where the folder has both.
        text: Column of the texts, by default `text` or the only column of strings beside the label.
        label: Column of the labels, by default the first of LABEL_COLUMNS.
        group: Column of the groups, by default the first of GROUP_COLUMNS that there is.

    Raises:
        InputError: The data can't be read, lacks a column, or holds a label that isn't one of LABELS.
    """
    if path.is_dir():
        return _read_folder(path, part)
    with open_reader(path) as reader:
        table = pa.Table.from_batches(list(reader), reader.schema)
    label = _column(path, table, label, LABEL_COLUMNS, "--label-column")
    group = group or next((name for name in GROUP_COLUMNS if name in table.column_names), None)
    if group and group not in table.column_names:
        raise InputError(f"{path} has no column {group!r}: choose one with --group-column")
    candidates = pa.schema([field for field in table.schema if field.name not in (label, group)])
    text = text_column(table.schema if text else candidates, text)
    if group and (table.column_names.count(group) > 1 or pa.types.is_nested(table.schema.field(group).type)):
        raise InputError(f"{path}: {group!r} must be one column of plain values: name another with --group-column")
    if group:
        table = table.set_column(
            table.column_names.index(group), group, pc.fill_null(table.column(group).cast(pa.string()), "")
        )
    valid = pc.is_valid(table.column(text))
    rows = np.flatnonzero(valid.to_numpy(zero_copy_only=False))
    table = table.filter(valid)
    if table.num_rows == 0:
        raise InputError(f"{path} has no rows with a text")
    texts = as_text_array(table.column(text))
    return LabelledTexts(
        texts,
        _labels(path, table.column(label), rows),
        as_text_array(table.column(group)) if group else texts,
        named_groups=group is not None,
    )


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
            f"the Large Movie Review Dataset can't be had from {url}: {exc}: "
            "download it by hand, unpack it, and name its folder with --data"
        ) from exc
    return folder


def _read_folder(path: Path, part: str) -> LabelledTexts:
    if (path / part).is_dir():
        path /= part
    texts: list[str] = []
    labels: list[int] = []
    groups: list[str] = []
    for label, name in ((1, "pos"), (0, "neg")):
        folder = path / name
        if not folder.is_dir():
            raise InputError(f"{path} is a folder but has no folder {name!r} in it: name a file, or aclImdb")
        films = _films(path / f"urls_{name}.txt")
        for file in sorted(folder.glob("*.txt"), key=lambda file: (_number(file), file.name)):
            texts.append(read_text(file))
            labels.append(label)
            groups.append(films.get(_number(file), ""))
    if not texts:
        raise InputError(f"{path} has no reviews in its folders pos and neg")
    array = pa.array(texts, pa.large_string())
    named = "" not in groups
    return LabelledTexts(array, np.array(labels, np.int8), pa.array(groups) if named else array, named)


def read_text(file: Path) -> str:
    """Return the text of a file that holds one.

    Raises:
        InputError: It can't be opened, or isn't UTF-8.
    """
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as exc:
        raise InputError(f"{file}: the text is not UTF-8") from exc
    except OSError as exc:
        raise InputError(f"{file} can't be opened: {exc.strerror}") from exc


def _number(file: Path) -> int:
    """Return the number that a review's name begins with, and its film's line has; -1 where there is none."""
    digits = re.match(r"\d+", file.name)
    return int(digits[0]) if digits else -1


def _films(path: Path) -> dict[int, str]:
    """Return the film of each review, by the review's number; nothing where the dataset doesn't say."""
    if not path.is_file():
        return {}
    films = (re.search(r"tt\d+", line) for line in path.read_text("utf-8").splitlines())
    return {number: film[0] for number, film in enumerate(films) if film}


def _column(path: Path, table: pa.Table, name: str | None, defaults: tuple[str, ...], option: str) -> str:
    for candidate in (name,) if name else defaults:
        count = table.column_names.count(candidate)
        if count > 1:
            raise InputError(f"{path}: {count} columns are named {candidate!r}: rename them")
        if count:
            return candidate
    raise InputError(
        f"{path} has no column {' or '.join(repr(one) for one in ((name,) if name else defaults))}: "
        f"choose one with {option}. The columns are {', '.join(map(repr, table.column_names))}"
    )


def _labels(
    path: Path, column: pa.ChunkedArray, rows: np.ndarray[Any, np.dtype[np.int64]]
) -> np.ndarray[Any, np.dtype[np.int8]]:
    """Return the labels of a column as numbers; `rows` says which rows of the file they stand in."""
    labels = np.empty(len(column), np.int8)
    for place, (row, value) in enumerate(zip(rows, column.to_pylist(), strict=True)):
        try:
            labels[place] = LABELS[str(value).strip().lower()]
        except KeyError:
            raise InputError(
                f"{path}, row {row + 1}: the label {value!r} is not known: "
                "use pos and neg, positive and negative, 1 and 0, or 1 and -1"
            ) from None
    return labels


def _fraction(name: str) -> float:
    """Return a number from 0 up to 1 that hangs on the name alone, spread evenly over names."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) / 2**64
