"""Reading scored rows: what is needed of all of them, in one pass, and the texts of a few, in another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import getaddresses
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textsent.describe import count_words
from textsent.errors import InputError, OptionError
from textsent.headers import bare_subject
from textsent.mail import annotation, mail_schema
from textsent.preprocess import Settings, as_text_array
from textsent.readers import Reader, open_reader
from textsent.schema import (
    MODEL_KEY,
    SCORE_SCHEMA,
    SENTENCE_SCHEMA,
    is_text,
    scored_schema,
    text_column,
    why_no_text,
)
from textsent.sources import STANDARD_STREAM, without_values
from textsent.tone import NEGATIVE, NO_TIME, SENTIMENTS, UNSCORED, Rows

MOST_VALUES = 1_000_000
"""Different values of a column that are told apart; rows of further ones are in no group."""

MOST_WORDS = 2_000_000
"""Different words that are counted; at so many those that came but once are forgotten."""

_EARLIEST, _LATEST = -(2**33), 2**33
"""Seconds since 1970: from 1697 to 2242. A text has no other date."""

_Longs = np.ndarray[Any, np.dtype[np.int64]]
_Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass
class Grouping:
    """A column by whose values rows are grouped.

    Attributes:
        name: Of the column.
        title: What one calls it.
        value_of: Makes a value of what stands in the column; empty where it is none.
        values: The place of each value.
    """

    name: str
    title: str
    value_of: Callable[[str], str] = str
    values: dict[str, int] = field(default_factory=dict)
    _codes: list[_Longs] = field(default_factory=list)

    @cached_property
    def codes(self) -> _Longs:
        """The place of each row's value: int64, shape (rows,); -1 where it has none."""
        return np.concatenate([np.zeros(0, np.int64), *self._codes])

    def add(self, column: pa.Array) -> None:
        """Add the rows of a batch."""
        if not is_text(column.type):
            column = column.cast(pa.string())
        encoded = as_text_array(column).dictionary_encode()
        own = [self._place(self.value_of(text)) for text in encoded.dictionary.to_pylist()]
        indices = encoded.indices.fill_null(len(own)).to_numpy()
        self._codes.append(np.array([*own, -1], np.int64)[indices])

    def _place(self, value: str) -> int:
        if not value or (value not in self.values and len(self.values) >= MOST_VALUES):
            return -1
        return self.values.setdefault(value, len(self.values))


@dataclass(frozen=True)
class Gathered:
    """What is known of all rows.

    Attributes:
        rows: Sentiment, score and time of each.
        groupings: The columns that they are grouped by.
        threads: int64, shape (rows,): the number of each row's thread; -1 where it is in none.
        errors: Rows without a score, by reason.
        negative_words: Times that each word stands in negative texts.
        other_words: Times that it stands in others that have a score.
        models: Rows by the name of the model by which they were scored; it is empty where the input doesn't say.
        unread: Rows whose date can't be read.
        unread_example: The first of these dates; empty where there is none.
        repeated: Rows whose text is that of a row before.
        inputs: The names of the inputs, and how many rows each has.
        columns: Names of the columns.
        text: That of the texts; None where there is none.
    """

    rows: Rows
    groupings: tuple[Grouping, ...]
    threads: _Longs
    errors: Counter[str]
    negative_words: dict[str, int]
    other_words: dict[str, int]
    models: Counter[str]
    unread: int
    unread_example: str
    repeated: int
    inputs: tuple[tuple[str, int], ...]
    columns: tuple[str, ...]
    text: str | None


def sender_of(text: str) -> str:
    """Return the address in a From field, in lower case, or what stands there where it is none."""
    found = [address for _, address in getaddresses([text[:2000]]) if "@" in address]
    return (found[0] if found else text).strip().lower()[:200]


def domain_of(text: str) -> str:
    """Return the domain of the address in a From field; empty where there is none."""
    sender = sender_of(text)
    return sender.rpartition("@")[2] if "@" in sender else ""


def gather(
    sources: Sequence[str | Path],
    *,
    by: Sequence[str] = (),
    date: str | None = None,
    text: str | None = None,
    prefix: str = "",
    format: str | None = None,
    cleaned: Callable[[pa.Array], pa.Array] = lambda texts: texts,
    met: Callable[[str], object] = lambda field: None,
) -> Gathered:
    """Read scored rows once.

    Memory grows by some 80 bytes a row, and with the different senders and words, not with the texts.

    Args:
        sources: Paths of scored files, or of mailboxes with the scores in their headers; not standard input, which
            can't be read twice.
        by: Columns to group rows by, beside sender, domain and list of a mail.
        date: Column of the dates; by default `date`, where there is one that holds any.
        text: Column of the texts; by default `text`, where there is one.
        prefix: Before the names of the columns that scoring added.
        format: Format of the inputs, by default what their suffixes say.
        cleaned: Returns texts as their words are to be counted.
        met: Called with the From and To fields of mails.

    Raises:
        InputError: An input can't be read, isn't scored, or lacks a column; or the column named by `date` holds
            nothing that can be read as a date.
        OptionError: Standard input is named, or a file twice.
    """
    if STANDARD_STREAM in map(str, sources):
        raise OptionError("a report reads its input twice, and standard input comes once: give a file")
    _check_once(sources)
    sentiments: list[Any] = []
    scores: list[Any] = []
    times: list[Any] = []
    ids: list[_Longs] = []
    replies: list[_Longs] = []
    subjects: list[_Longs] = []
    is_reply: list[_Flags] = []
    own_texts: list[_Longs] = []
    models: Counter[str] = Counter()
    unread, unread_example = 0, ""
    errors: Counter[str] = Counter()
    negative_words: dict[str, int] = {}
    other_words: dict[str, int] = {}
    with _open_scored(sources, format) as reader:
        schema = scored_schema(mail_schema(), prefix) if reader.holds_mail else reader.schema
        names = schema.names
        if len(reader.names) > 1 and schema.equals(mail_schema()):
            raise InputError(
                f"{reader.name} are mailboxes and other files, which aren't read as one: make a report of each, or "
                "score the mailboxes into .parquet"
            )
        _check_scored(reader.name, names, prefix)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError(
                f"{names.count(twice[0])} columns of {reader.name} are named {twice[0]!r}: rename them"
            )
        texts, dates = text_name(schema, text, prefix), _date_name(schema, date)
        groupings = _groupings(schema, tuple(dict.fromkeys(by)))
        people = [name for name in ("from", "to") if name in names and is_text(schema.field(name).type)]
        for batch in reader:
            if reader.holds_mail:
                batch = _scored_by_headers(batch, schema, models)
            else:
                named = (batch.schema.metadata or {}).get(MODEL_KEY.encode(), b"")
                models[named.decode(errors="replace")] += batch.num_rows
            scores.append(_scores(batch.column(prefix + "score"), prefix + "score"))
            sentiments.append(_sentiments(batch.column(prefix + "sentiment"), scores[-1]))
            times.append(_times(batch.column(dates)) if dates else np.full(batch.num_rows, NO_TIME))
            if dates and len(others := _values(batch.column(dates), times[-1] == NO_TIME)):
                unread, unread_example = unread + len(others), unread_example or str(others[0].as_py())
            unscored = batch.column(prefix + "error").filter(pa.array(np.isnan(scores[-1])))
            for reason in unscored.cast(pa.string()).value_counts().to_pylist():
                if reason["values"]:
                    errors[reason["values"]] += reason["counts"]
            for grouping in groupings:
                grouping.add(batch.column(grouping.name))
            for name, hashes in (("message_id", ids), ("in_reply_to", replies)):
                hashes.append(_hashes(batch, name))
            own_subjects, own_is_reply = _subjects(batch, (ids[-1] == 0) & (replies[-1] == 0))
            subjects.append(own_subjects)
            is_reply.append(own_is_reply)
            for name in people:
                for value in filter(None, as_text_array(batch.column(name)).unique().to_pylist()):
                    met(value)
            if texts:
                own_texts.append(np.where(sentiments[-1] == UNSCORED, 0, _hashes(batch, texts)))
                _count(cleaned(as_text_array(batch.column(texts))), sentiments[-1], negative_words, other_words)
    if not sum(map(len, sentiments)):
        raise InputError(f"no rows in {reader.name}: there is nothing to report")
    if reader.holds_mail and not models:
        raise InputError(
            f"{reader.name} isn't scored, no mail in it has a score in its header: score it first with "
            "`textsent score INPUT -o scored.parquet`"
        )
    found = Rows(np.concatenate(sentiments), np.concatenate(scores), np.concatenate(times))
    if date is not None and (found.times == NO_TIME).all():
        raise InputError(
            f"nothing in the column {date!r} can be read as a date: write dates like 2026-03-02, or "
            "2026-03-02T09:30:00+01:00"
        )
    seen = np.concatenate([np.zeros(0, np.int64), *own_texts])
    seen = seen[seen != 0]
    return Gathered(
        rows=found,
        groupings=groupings,
        threads=_threads(
            np.concatenate(ids), np.concatenate(replies), np.concatenate(subjects), np.concatenate(is_reply)
        ),
        errors=errors,
        negative_words=negative_words,
        other_words=other_words,
        models=models,
        unread=unread,
        unread_example=unread_example,
        repeated=len(seen) - len(np.unique(seen)),
        inputs=tuple(zip(reader.names, reader.rows, strict=True)),
        columns=tuple(names),
        text=texts,
    )


def _check_once(sources: Sequence[str | Path]) -> None:
    """Raise OptionError where a file is named twice, whatever the names."""
    known: dict[tuple[int, int], str | Path] = {}
    for source in sources:
        try:
            found = Path(source).stat()
        except (OSError, ValueError):
            continue  # the reader says so
        key = (found.st_dev, found.st_ino)
        if key in known:
            also = "" if str(known[key]) == str(source) else f", as {known[key]} before"
            raise OptionError(f"{source} is named twice{also}: its rows would count twice, so name it once")
        known[key] = source


def _open_scored(sources: Sequence[str | Path], format: str | None) -> Reader:
    """Return a reader of scored rows; of mails with their bytes, since the scores stand in their headers."""
    reader = open_reader(sources, format)
    if not reader.holds_mail:
        return reader
    with reader:
        return open_reader(sources, format, with_raw=True)


def _scored_by_headers(batch: pa.RecordBatch, schema: pa.Schema, models: Counter[str]) -> pa.RecordBatch:
    """Return mails with the columns that scoring adds, read from what it put into their headers.

    Args:
        batch: Mails with their bytes.
        schema: The columns to return.
        models: Mails by the model that scored them; these are added.
    """
    found = [annotation(content) for content in batch.column("raw_content").to_pylist()]
    scores = [float(one["Score"]) if _SCORE.fullmatch(one.get("Score", "")) else None for one in found]
    models.update(one.get("Model", "") for one, score in zip(found, scores, strict=True) if score is not None)
    reasons = [why_no_text(flags) or "no score in its header" for flags in batch.column("flags").to_pylist()]
    added = {
        "sentiment": [one.get("Sentiment") for one in found],
        "score": scores,
        "words": [None] * len(found),
        "coverage": [None] * len(found),
        "error": [reason if score is None else None for reason, score in zip(reasons, scores, strict=True)],
    }
    columns = [pa.array(added[field.name], field.type) for field in SCORE_SCHEMA]
    return pa.RecordBatch.from_arrays([*batch.columns[: len(mail_schema())], *columns], schema=schema)


_SCORE = re.compile(r"[01]\.\d{1,8}")


def picked(
    sources: Sequence[str | Path], rows: _Longs, columns: Sequence[str], format: str | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield rows by their places, in order, with the values of some columns.

    Args:
        sources: As `gather` read them.
        rows: int64, shape (picked,): places of rows, rising.
        columns: Those to give.
        format: As of `gather`.
    """
    first = 0
    with open_reader(sources, format) as reader:
        for batch in reader:
            here = rows[(rows >= first) & (rows < first + batch.num_rows)]
            if len(here):
                taken = batch.select(list(columns)).take(pa.array(here - first))
                yield from zip(here.tolist(), taken.to_pylist(), strict=True)
            first += batch.num_rows


def text_name(schema: pa.Schema, name: str | None, prefix: str = "") -> str | None:
    """Return the name of the column that holds the texts: the one named, or that which scoring took; else None.

    Raises:
        InputError: There is no column of the name.
    """
    if name is not None:
        return text_column(schema, name)
    added = {prefix + field.name for field in (*SCORE_SCHEMA, *SENTENCE_SCHEMA)}
    strings = [field.name for field in schema if field.name not in added and is_text(field.type)]
    if "text" in strings:
        return "text"
    return strings[0] if len(strings) == 1 else None


def _check_scored(source: str, names: Sequence[str], prefix: str) -> None:
    missing = [prefix + field.name for field in SCORE_SCHEMA if prefix + field.name not in names]
    if missing:
        raise InputError(
            f"{source} isn't scored, it lacks the column{'s'[: len(missing) > 1]} {', '.join(missing)}: "
            "score it first with `textsent score INPUT -o scored.parquet`"
            + ("" if prefix else ", or say --prefix where that was given one")
        )


def _date_name(schema: pa.Schema, name: str | None) -> str | None:
    """Return the name of the column that holds the dates."""
    if name is None:
        return "date" if "date" in schema.names else None
    if name not in schema.names:
        raise InputError(f"there is no column {name!r}: choose one with --date-column. {_listed(schema.names)}")
    if not _is_date(schema.field(name).type):
        raise InputError(f"the column {name!r} holds {schema.field(name).type}, not dates: choose another one")
    return name


def _is_date(kind: pa.DataType) -> bool:
    return pa.types.is_timestamp(kind) or pa.types.is_date(kind) or is_text(kind)


def _groupings(schema: pa.Schema, by: Sequence[str]) -> tuple[Grouping, ...]:
    names = schema.names
    for name in by:
        if name not in names:
            raise InputError(f"there is no column {name!r}: choose one with --by. {_listed(names)}")
        kind = schema.field(name).type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            raise InputError(
                f"the column {name!r} holds {kind}, by which rows can't be grouped: choose another one"
            )
    usual = []
    if "from" in names and "message_id" in names:
        usual = [Grouping("from", "sender", sender_of), Grouping("from", "domain", domain_of)]
    if "list_id" in names:
        usual.append(Grouping("list_id", "list", str.strip))
    return (*(Grouping(name, name, lambda text: text.strip()[:200]) for name in by), *usual)


def _listed(names: Sequence[str]) -> str:
    return f"The columns are {', '.join(map(repr, names))}"


def _sentiments(
    column: pa.Array, scores: np.ndarray[Any, np.dtype[np.float32]]
) -> np.ndarray[Any, np.dtype[np.int8]]:
    places = pc.index_in(column.cast(pa.string()), value_set=pa.array(SENTIMENTS)).fill_null(UNSCORED)
    return np.where(np.isnan(scores), UNSCORED, places.to_numpy(zero_copy_only=False)).astype(np.int8)


def _scores(column: pa.Array, name: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return scores: float32, shape (rows,), 0 … 1; NaN where there is none.

    Raises:
        InputError: A value is no score.
    """
    if is_text(column.type):  # as in a CSV file with an empty field
        column = as_text_array(column)
        column = pc.if_else(pc.equal(pc.utf8_trim_whitespace(column), ""), None, column)
    try:
        scores = column.cast(pa.float32()).fill_null(float("nan")).to_numpy(zero_copy_only=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as exc:
        raise InputError(f"the column {name!r} must hold scores, 0 … 1: {without_values(str(exc))}") from exc
    if ((scores < 0) | (scores > 1)).any():
        least, most = np.nanmin(scores), np.nanmax(scores)
        raise InputError(f"the column {name!r} must hold scores, 0 … 1. Received: {least:g} … {most:g}")
    return scores


def _times(column: pa.Array) -> _Longs:
    """Return seconds since 1970 in UTC: int64, shape (rows,); NO_TIME where there is no date that can be read."""
    if not _is_date(column.type):
        return np.full(len(column), NO_TIME)
    if is_text(column.type):
        column = _parsed(as_text_array(column))
    seconds = column.cast(pa.timestamp("s", getattr(column.type, "tz", None)), safe=False).cast(pa.int64())
    times = seconds.fill_null(NO_TIME).to_numpy(zero_copy_only=False)
    return np.where((times >= _EARLIEST) & (times < _LATEST), times, NO_TIME)


def _values(column: pa.Array, wanted: _Flags) -> pa.Array:
    """Return those values of some rows that aren't null or blank."""
    values = column.filter(pa.array(wanted)).drop_null()
    return values.filter(pc.not_equal(pc.utf8_trim_whitespace(values), "")) if is_text(values.type) else values


def _parsed(column: pa.Array) -> pa.Array:
    """Return dates as ISO 8601 writes them, with a time and its zone or without, in UTC; others become null."""
    encoded = column.dictionary_encode()
    parsed = [_date_or_none(text) for text in encoded.dictionary.to_pylist()]
    return pa.array(parsed, pa.timestamp("us", "UTC")).take(encoded.indices)


def _date_or_none(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _hashes(batch: pa.RecordBatch, name: str) -> _Longs:
    """Return a number for each row's value, of this process alone: int64, shape (rows,); 0 for none."""
    if name not in batch.schema.names or not is_text(batch.schema.field(name).type):
        return np.zeros(batch.num_rows, np.int64)
    values = as_text_array(batch.column(name)).to_pylist()
    return np.fromiter((hash(value) if value else 0 for value in values), np.int64, len(values))


def _subjects(batch: pa.RecordBatch, wanted: _Flags) -> tuple[_Longs, _Flags]:
    """Return a number for the bare subject of some rows, and whether it is a reply's.

    Returns:
        int64, shape (rows,): the number, of this process alone; 0 for no subject, and for other rows. bool, shape
        (rows,): whether it is a reply's.
    """
    numbers, is_reply = np.zeros(batch.num_rows, np.int64), np.zeros(batch.num_rows, bool)
    if wanted.any() and "subject" in batch.schema.names and is_text(batch.schema.field("subject").type):
        values = as_text_array(batch.column("subject")).to_pylist()
        for row in np.flatnonzero(wanted).tolist():
            subject, is_reply[row] = bare_subject(values[row] or "")
            numbers[row] = hash(subject) if subject else 0
    return numbers, is_reply


def _threads(ids: _Longs, replies: _Longs, subjects: _Longs, is_reply: _Flags) -> _Longs:
    """Return the number of each row's thread: int64, shape (rows,); -1 where it stands alone.

    Answers to a mail that isn't there are a thread, too. Rows without ids are one where they have a subject in
    common, and one of them is a reply by it.

    Args:
        ids: int64, shape (rows,): of each mail; 0 where it has none.
        replies: int64, shape (rows,): of that which it answers; 0 where it answers none.
        subjects: int64, shape (rows,): of its subject; 0 where it has none, or an id.
        is_reply: bool, shape (rows,): whether that subject is a reply's.
    """
    known, firsts = np.unique(ids, return_index=True)
    places = np.searchsorted(known, replies).clip(max=max(len(known) - 1, 0))
    is_there = (replies != 0) & (known[places] == replies) if len(known) else np.zeros(0, bool)
    parents = np.where(is_there, firsts[places], np.arange(len(ids)))
    for _ in range(len(ids).bit_length()):  # twice as far each time; mails that answer each other in a ring stop it
        parents = parents[parents]
    keys = np.where(replies[parents] != 0, replies[parents], ids[parents])
    keys = np.where((subjects != 0) & np.isin(subjects, subjects[is_reply]), subjects, keys)
    _, numbers, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    return np.where((sizes[numbers] > 1) & (keys != 0), numbers, -1)


def _count(
    texts: pa.Array,
    sentiments: np.ndarray[Any, np.dtype[np.int8]],
    negative_words: dict[str, int],
    other_words: dict[str, int],
) -> None:
    """Add the words of texts that have a score to the counts of their kind."""
    scored = sentiments != UNSCORED
    others = (sentiments[scored] != NEGATIVE).astype(np.int8)
    count_words(as_text_array(texts).filter(pa.array(scored)), others, Settings(), other_words, negative_words)
    if len(other_words) > MOST_WORDS:
        rare = [word for word, count in other_words.items() if count + negative_words[word] < 2]
        for word in rare:
            del other_words[word], negative_words[word]
