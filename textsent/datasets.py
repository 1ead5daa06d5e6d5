"""Labelled texts: CSV, TSV, Parquet and JSON Lines files, and the Large Movie Review Dataset."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textsent.errors import InputError, OptionError
from textsent.imdb import is_archive, read_reviews
from textsent.preprocess import as_text_array
from textsent.readers import open_reader
from textsent.schema import text_column

LABELS = {
    "pos": 1, "positive": 1, "1": 1, "true": 1, "p": 1, "good": 1, "fresh": 1,
    "neg": 0, "negative": 0, "0": 0, "-1": 0, "false": 0, "n": 0, "bad": 0, "rotten": 0,
    "__label__pos": 1, "__label__positive": 1, "__label__neg": 0, "__label__negative": 0,
}  # fmt: skip
"""What a label may be, in lower case and a whole number without its point, and whether it is positive. One that
another label of the same file makes doubtful is not known, see `known_labels`."""

NEUTRAL_LABELS = {"neutral"}
"""Labels of rows that are left out, since a network of two classes has nothing to learn from them. They come as
`LabelledTexts.neutral`."""

LABEL_COLUMNS = ("label", "sentiment")
GROUP_COLUMNS = ("movie", "film", "group")
"""Columns taken for the label, and for the group, when none is named."""

SHOWN_LABELS = 10
_SHOWN_CHARACTERS = 40
"""How many labels a message shows, and how much of each."""

_LEFT_OUT = "rows with any other label are then left out"

_WHOLE_NUMBER = re.compile(r"(?!\+-)\+?(-?[0-9]{1,18})(?:\.0*)?")

_Labels = np.ndarray[Any, np.dtype[np.int8]]


@dataclass(frozen=True)
class LabelledTexts:
    """Texts that someone judged.

    Attributes:
        texts: Array of strings.
        labels: int8, shape (texts,): 1 positive, 0 negative.
        groups: Array of strings: texts of one group lean on each other, as the reviews of one film do. Where
            the data names none, each text is its own.
        named_groups: Whether the data named them.
        left_out: How many rows were left out for their label, by label, the most frequent first. A part of the data
            doesn't say.
        neutral: Array of strings: those of the texts left out that someone judged neutral. A part of the data has
            none.
    """

    texts: pa.Array
    labels: _Labels
    groups: pa.Array
    named_groups: bool
    left_out: dict[str, int] = field(default_factory=dict)
    neutral: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))

    def __len__(self) -> int:
        return len(self.labels)

    def digest(self) -> str:
        """Return a SHA-256 of texts, labels and groups, which tells sets of data apart whatever their order."""
        rows = zip(self.labels.tolist(), self.groups.to_pylist(), self.texts.to_pylist(), strict=True)
        hashes = sorted(hashlib.sha256(repr(row).encode()).digest() for row in rows)
        return hashlib.sha256(b"".join(hashes)).hexdigest()

    def split(self, share: float, seed: int, name: str = "") -> tuple[LabelledTexts, LabelledTexts]:
        """Return two parts, no group in both: what is left, and about `share` of the groups.

        The part a group falls into hangs on its name, the seed and the draw's name alone, not on the other groups.

        Args:
            share: Of the groups, 0 … 1.
            seed: Another seed draws other groups.
            name: So does another name: a part that was left by one draw can be split again by another.
        """
        draw = f"{seed}:{name}:" if name else f"{seed}:"
        chosen = np.array([_fraction(draw + group) < share for group in self.groups.to_pylist()], bool)
        return self.where(~chosen), self.where(chosen)

    def limited(self, texts: int, seed: int) -> LabelledTexts:
        """Return at most so many of the texts, drawn at random, in the order they have.

        Each label keeps its share of them, to one text; both are kept where two or more texts are drawn. A smaller
        draw is part of a larger one.

        Args:
            texts: How many; where there are no more, the data is returned as it is.
            seed: Another seed draws other texts.

        Raises:
            OptionError: `texts` is less than 1.
        """
        if texts < 1:
            raise OptionError(f"the number of texts must be 1 or more. Received: {texts}")
        if texts >= len(self):
            return self
        positive = int((self.labels == 1).sum())
        kept = (texts * positive * 2 + len(self)) // (len(self) * 2)  # the nearest whole number
        if texts > 1 and 0 < positive < len(self):
            kept = min(max(kept, 1), texts - 1)
        # By the texts, so that their order makes no difference; with a colon one would be drawn as split() draws a
        # group of that name.
        draws = np.array([_fraction(f"{seed}/{text}") for text in self.texts.to_pylist()])
        chosen = np.zeros(len(self), bool)
        for label, count in ((1, kept), (0, texts - kept)):
            rows = np.flatnonzero(self.labels == label)
            chosen[rows[np.argsort(draws[rows], kind="stable")[:count]]] = True
        return self.where(chosen)

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
    positive: Collection[str] = (),
    negative: Collection[str] = (),
    neutral: Collection[str] = (),
) -> LabelledTexts:
    """Return the labelled texts of a file, or of the Large Movie Review Dataset.

    Rows without a text are left out.

    Args:
        path: A CSV, TSV, Parquet or JSON Lines file; or the dataset's archive `aclImdb_v1.tar.gz`, which isn't
            unpacked, or its folder `aclImdb`, or a part of it that has the folders `pos` and `neg`.
        part: Of the dataset: `train`, `test`, or `all` for both.
        text: Column of the texts, by default `text` or the only column of strings beside the label.
        label: Column of the labels, by default the first of LABEL_COLUMNS.
        group: Column of the groups, by default the first of GROUP_COLUMNS that there is; an empty name for none.
        positive: Labels of a file that are positive, by default those of LABELS. Case, white space around a label,
            and whether a number is written 4 or 4.0 make no difference.
        negative: Labels that are negative. Where these two are given, rows with any other label are left out.
        neutral: Labels that are neutral, by default those of NEUTRAL_LABELS: their rows are left out too.

    Raises:
        InputError: The data can't be read, lacks a column, or holds a label that isn't known.
        OptionError: There is no such part, or only one of `positive` and `negative` is given, or two of the three
            have a label.
    """
    named = _named_labels(positive, negative)
    neutrals = _neutral_labels(neutral, named)
    if path.is_dir() or is_archive(path):
        return _dataset(path, part)
    with open_reader(path) as reader:
        table = pa.Table.from_batches(list(reader), reader.schema)
    label = _column(path, table, label, LABEL_COLUMNS, "--label-column")
    if group is None:
        group = next((name for name in GROUP_COLUMNS if name in table.column_names), "")
    if group and group not in table.column_names:
        raise InputError(f"{path} has no column {group!r}: choose one with --group-column")
    candidates = pa.schema([field for field in table.schema if field.name not in (label, group)])
    try:
        text = text_column(table.schema if text else candidates, text)
    except InputError as exc:
        raise InputError(f"{path}: {exc}") from exc
    if group and (table.column_names.count(group) > 1 or pa.types.is_nested(table.schema.field(group).type)):
        raise InputError(f"{path}: {group!r} must be one column of plain values: name another with --group-column")
    if group:
        table = table.set_column(table.column_names.index(group), group, _as_strings(path, table.column(group)))
    valid = pc.is_valid(table.column(text))
    rows = np.flatnonzero(valid.to_numpy(zero_copy_only=False))
    table = table.filter(valid)
    if table.num_rows == 0:
        raise InputError(f"{path} has no rows with a text")
    texts = as_text_array(table.column(text))
    spellings = [spelling(value) for value in table.column(label).to_pylist()]
    labels, is_known, left_out = _labels(path, spellings, rows, named, neutrals)
    groups = texts
    if group:  # a text whose group is null is its own
        groups = pc.coalesce(as_text_array(table.column(group)).cast(texts.type), texts)
    labelled = LabelledTexts(texts, labels, groups, named_groups=bool(group))
    if not left_out:
        return labelled
    is_neutral = np.array([spelling in neutrals for spelling in spellings])
    neutral_texts = texts.filter(pa.array(is_neutral & ~is_known))
    return replace(labelled.where(is_known), left_out=left_out, neutral=neutral_texts)


def class_weights(labels: _Labels) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return what a text of each label must weigh for both labels to weigh the same, and a text 1 on average.

    The weights are texts / (2 × texts of the label): those of King and Zeng, "Logistic Regression in Rare Events
    Data", 2001, for a population with as many positive as negative texts.

    Args:
        labels: int8, shape (texts,): 1 positive, 0 negative.

    Returns:
        float32, shape (2,): the weight of negative texts, and of positive ones.

    Raises:
        InputError: All texts have one label.
    """
    counts = np.bincount(labels, minlength=2)
    if not counts.all():
        raise InputError(
            f"the labels can't be balanced: {counts[1]} texts are positive and {counts[0]} negative: "
            "give texts of both labels"
        )
    return (len(labels) / (2 * counts)).astype(np.float32)


def describe_labels(counts: Mapping[Any, int], row: int | None = None) -> str:
    """Return labels and how many rows have each, for a message of one line.

    Args:
        counts: Rows by label. Of many labels the SHOWN_LABELS most frequent are shown, of a long one its beginning.
        row: The first with the most frequent label, from 1 on, to be shown too.
    """
    ranked = sorted(counts, key=counts.__getitem__, reverse=True)
    shown = [f"{_shown(label)} ({counts[label]:,}×)" for label in ranked[:SHOWN_LABELS]]
    if row is not None:
        shown[0] = f"{shown[0][:-1]}, first in row {row})"
    more = len(ranked) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def _dataset(path: Path, part: str) -> LabelledTexts:
    reviews = read_reviews(path, part)
    texts = pa.array([review.text for review in reviews], pa.large_string())
    films = [review.film for review in reviews]
    named = "" not in films
    labels = np.array([review.label for review in reviews], np.int8)
    return LabelledTexts(texts, labels, pa.array(films) if named else texts, named)


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


def _as_strings(path: Path, column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(pa.string())
    except pa.ArrowException as exc:
        reason = str(exc).splitlines()[0]
        raise InputError(
            f"{path}: the groups can't be read: {reason}: name another column with --group-column"
        ) from exc


def spelling(label: object) -> str | None:
    """Return a label as labels are compared: " Pos " is pos, 4.0 is 4. A null has none."""
    if label is None:
        return None
    spelling = str(label).strip().lower()
    number = _WHOLE_NUMBER.fullmatch(spelling)
    return str(int(number[1])) if number else spelling


def _named_labels(positive: Collection[str], negative: Collection[str]) -> dict[str | None, int]:
    """Return which labels count as what where that was said; nothing where it wasn't."""
    for option, labels in (("positive", positive), ("negative", negative)):
        if isinstance(labels, str):
            raise OptionError(f"the {option} labels must be several strings, in a list for instance. Received: one")
    if bool(positive) != bool(negative):
        given, missing = ("--positive", "--negative") if positive else ("--negative", "--positive")
        raise OptionError(f"{given} says nothing of the other labels: name some with {missing} too")
    named = [{spelling(label) for label in labels} for labels in (negative, positive)]
    both = sorted(map(_shown, named[0] & named[1]))
    if both:
        raise OptionError(f"the label {both[0]} can't be both positive and negative: name it once")
    return {label: kind for kind, labels in enumerate(named) for label in labels}


def _neutral_labels(neutral: Collection[str], named: Mapping[str | None, int]) -> set[str | None]:
    """Return which labels count as neutral beside those that were named as positive and negative."""
    if isinstance(neutral, str):
        raise OptionError("the neutral labels must be several strings, in a list for instance. Received: one")
    spellings = {spelling(label) for label in neutral}
    both = sorted(map(_shown, spellings & named.keys()))
    if both:
        raise OptionError(f"the label {both[0]} can't be both neutral and another: name it once")
    return spellings or set(NEUTRAL_LABELS)


def _labels(
    path: Path,
    spellings: Sequence[str | None],
    rows: np.ndarray[Any, np.dtype[np.int64]],
    named: Mapping[str | None, int],
    neutral: Set[str | None],
) -> tuple[_Labels, np.ndarray[Any, np.dtype[np.bool_]], dict[str, int]]:
    """Return the labels of a column.

    Args:
        path: The file, for messages.
        spellings: The column, see `spelling`.
        rows: Which rows of the file the labels stand in, from 0 on.
        named: The labels that were named as positive (1) and negative (0); with none, those of LABELS count.
        neutral: The labels that are neutral; with none named, no others may be left out.

    Returns:
        labels: int8, shape (rows,): 1 positive, 0 negative.
        is_known: bool, shape (rows,): whether a label is among the named ones.
        left_out: How many rows have each of the others, the most frequent first.
    """
    known = named or known_labels(set(spellings), neutral)
    is_known = np.array([spelling in known for spelling in spellings])
    unknown = dict(Counter(spelling for spelling in spellings if spelling not in known).most_common())
    may_be_left_out = bool(named) or unknown.keys() <= neutral
    if unknown and not (may_be_left_out and is_known.any()):
        problem = "none of its labels was named" if named else "these labels are not known"
        advice = "check --positive and --negative" if named else _advice(set(spellings))
        row = rows[spellings.index(next(iter(unknown)))] + 1
        raise InputError(f"{path}: {problem}: {describe_labels(unknown, row)}: {advice}")
    labels = np.array([known.get(spelling, 0) for spelling in spellings], np.int8)
    return labels, is_known, {str(spelling): count for spelling, count in unknown.items()}


def known_labels(labels: Set[str | None], neutral: Set[str | None]) -> dict[str | None, int]:
    """Return those of LABELS that aren't neutral, and can't be misread beside the others of a file."""
    numbers = _numbers(labels - neutral)
    misread = set(neutral)
    if not numbers <= {0, 1} and not numbers <= {-1, 1}:
        misread.update(map(str, numbers))  # 1 is the worst of 5 stars, and 0 is neutral beside -1
    if not labels.isdisjoint(("neg", "negative")):
        misread.add("n")  # neutral
    return {label: kind for label, kind in LABELS.items() if label not in misread}


def _numbers(labels: Set[str | None]) -> set[int]:
    return {int(label) for label in labels if label and _WHOLE_NUMBER.fullmatch(label)}


def _advice(labels: Set[str | None]) -> str:
    """Return what to try where some of a file's labels are not known."""
    numbers = sorted(_numbers(labels))
    if not numbers:
        return (
            "use pos and neg, positive and negative, 1 and 0, or 1 and -1, "
            f"or name them with --positive LABEL and --negative LABEL; {_LEFT_OUT}"
        )
    if numbers == [-1, 0, 1]:
        options = "--positive 1 --negative -1"
    elif numbers == [0, 1]:
        options = "--positive 1 --negative 0"
    elif len(numbers) == 2 and len(labels - {None, ""}) == 2:
        options = f"--positive {numbers[1]} --negative {numbers[0]}"
    else:
        options = "--positive 4 --positive 5 --negative 1 --negative 2"
    return f"say which are positive and which negative, for instance {options}; {_LEFT_OUT}"


def _shown(label: object) -> str:
    text = repr(label[:_SHOWN_CHARACTERS] if isinstance(label, str) else label)
    return f"{text}…" if isinstance(label, str) and len(label) > _SHOWN_CHARACTERS else text


def _fraction(name: str) -> float:
    """Return a number from 0 up to 1 that hangs on the name alone, spread evenly over names."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) / 2**64
