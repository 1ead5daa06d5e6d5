"""Explanations: which sentences and words moved a text's score.

Each is erased in turn and the text scored again; by how much its log-odds fall is the effect. This is occlusion
(Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014; of words Li, Monroe and Jurafsky,
"Understanding Neural Networks through Representation Erasure", 2016). What is erased becomes unknown words. The
model is asked for nothing but scores, so this is right for every engine and recipe, and with n-grams. Integrated
gradients (Sundararajan et al., "Axiomatic Attribution for Deep Networks", 2017) were about as faithful and several
times slower, and they need Keras; `docs/explaining.md` has the figures.

The work is bounded, whatever a text holds. Sentences are erased first, then, one by one, the words of those with
the largest effects, until MOST_WORDS are. A text of more than PIECE_WORDS words or PIECE_SENTENCES sentences is cut
into pieces between sentences. Of these, MOST_PIECES are explained, those that pull its score most: each as a text
of its own, whose effects count by its share of the words, since the score of a long text is a mean, too.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from textsent.errors import InputError
from textsent.mail import DEFAULT_OPTIONS, MailOptions
from textsent.odds import log_odds
from textsent.positions import Part, word_parts
from textsent.preprocess import OUT_OF_VOCABULARY_ID, WordIds, as_text_array
from textsent.readers import open_reader
from textsent.schema import hides_text, is_mail, split_problems, why_no_text
from textsent.sentences import split
from textsent.tables import DEFAULT_TABLE_OPTIONS, TableOptions

if TYPE_CHECKING:
    from textsent.model import SentimentModel
    from textsent.score import Scorer
    from textsent.windows import Layout

MOST_WORDS = 128
"""Words of a text that are erased one by one; the last sentence of those is finished."""

PIECE_WORDS, PIECE_SENTENCES, MOST_PIECES = 800, 200, 8

SENTENCE_WORDS = 100
"""A longer sentence counts as several."""

_DIGITS = 4
"""Of effects: what comes after depends on which texts are scored together."""

_TEXTS_AT_ONCE, _CHARACTERS_AT_ONCE, _WORDS_AT_ONCE = 256, 1 << 20, 1 << 22
"""Texts, and their characters, that are explained together, and the words of all their versions: 16 MB."""

_Ids = np.ndarray[Any, np.dtype[np.int32]]
_Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Effect:
    """What a part of a text does to its score.

    Attributes:
        start: Where the part begins, in characters of the text.
        end: Where it ends.
        text: The part as it stands there.
        effect: By how much the text's log-odds of being positive fall when the part is erased: above 0 where it
            makes the text more positive, below 0 where it makes it more negative.
    """

    start: int
    end: int
    text: str
    effect: float


@dataclass(frozen=True)
class Explanation:
    """What moved the score of a text.

    Attributes:
        text: The text; None where it is null.
        score: 0 negative … 1 positive; None where there is none.
        sentiment: `positive`, `negative` or `neutral`; None where there is no score.
        sentences: The sentences that hold a word, in their order.
        words: The words of those with the largest effects, in their order. Some may be several words for the model,
            as `<3 days` is, or none that it knows, whose effect is 0.
        error: Why there is no score; None where there is one.
    """

    text: str | None
    score: float | None
    sentiment: str | None
    sentences: tuple[Effect, ...] = ()
    words: tuple[Effect, ...] = ()
    error: str | None = None

    @property
    def largest_effect(self) -> float:
        """The largest effect of a word, whatever its side; 1 where none has one, so that it can divide them."""
        return max((abs(word.effect) for word in self.words), default=0.0) or 1.0

    def strongest_words(self, count: int) -> list[Effect]:
        """Return the words with the largest effects, the largest first; none without an effect."""
        return _by_strength(self.words)[:count]

    def strongest_sentences(self, count: int) -> list[Effect]:
        """Return the sentences with the largest effects, the largest first."""
        return _by_strength(self.sentences)[:count]

    def runs(self) -> Iterator[tuple[str, float]]:
        """Yield all of the text in runs: a word with its effect, or what stands between words with 0."""
        start, text = 0, self.text or ""
        for word in self.words:
            yield text[start : word.start], 0.0
            yield word.text, word.effect
            start = word.end
        yield text[start:], 0.0

    def to_json(self) -> dict[str, Any]:
        """Return what can be written as JSON."""
        return asdict(self)


def _by_strength(effects: Iterable[Effect]) -> list[Effect]:
    return sorted((found for found in effects if found.effect), key=lambda found: -abs(found.effect))


def explain(scorer: Scorer, texts: Iterable[str | None] | pa.Array) -> list[Explanation]:
    """Return which sentences and words moved the score of each text.

    The same text has the same explanation whatever the others are.

    Args:
        scorer: What scores the texts.
        texts: Strings; null ones, and others without a score, have an explanation with an `error`.

    Raises:
        InputError: The values aren't strings.
    """
    array = as_text_array(texts)
    return [explanation for part in _in_parts(array) for explanation in _explained(scorer, part)]


def explain_row(
    scorer: Scorer,
    source: str | Path,
    row: int,
    *,
    format: str | None = None,
    mail: MailOptions = DEFAULT_OPTIONS,
    table: TableOptions = DEFAULT_TABLE_OPTIONS,
) -> Explanation:
    """Return which sentences and words moved the score of a row of a file.

    Args:
        scorer: What scores it; its `column` says where the text is.
        source: Path of the file; `-` is standard input.
        row: Its number, from 1 on.
        format: Format of the file, by default what its suffix says.
        mail: What of a mail counts as its text.
        table: How a CSV, JSON Lines or text file is written.

    Raises:
        InputError: The file can't be read, or has fewer rows.
    """
    rows = 0
    table = replace(table, keep_bad_rows=True, may_guess=True, text_column=scorer.column)
    with open_reader(source, format, mail, table=table) as reader:
        column = reader.text_column(scorer.column)
        for batch in reader:
            if row <= rows + batch.num_rows:
                found, problems = split_problems(batch.slice(row - rows - 1, 1))
                problem = problems.column("problem")[0].as_py() if problems else None
                texts = found.column(column)
                if problem and hides_text(problem, column):
                    return replace(explain(scorer, pa.nulls(1, pa.string()))[0], error=problem)
                explanation = explain(scorer, texts)[0]
                if explanation.text is None and column == "text" and is_mail(found.schema):
                    why = why_no_text(found.column("flags")[0].as_py())
                    return replace(explanation, error=why or explanation.error)
                return explanation
            rows += batch.num_rows
        raise InputError(f"{reader.name} has no row {row:,}: it has {rows:,}, and the first one is row 1")


def _in_parts(texts: pa.Array) -> Iterator[pa.Array]:
    """Yield the texts in parts that are explained together."""
    start = characters = 0
    for row, text in enumerate(texts.to_pylist()):
        size = len(text or "")
        if row - start == _TEXTS_AT_ONCE or (row > start and characters + size > _CHARACTERS_AT_ONCE):
            yield texts.slice(start, row - start)
            start, characters = row, 0
        characters += size
    if start < len(texts):
        yield texts.slice(start)


@dataclass
class _Span:
    """A part of a text: its characters from `start` to `end`, its words from `first` to `last`."""

    start: int
    end: int
    first: int
    last: int
    effect: float = 0.0


@dataclass
class _Sentence(_Span):
    words: Sequence[_Span] = ()
    is_strong: bool = False


@dataclass
class _Piece:
    """Sentences that are scored as a text of their own.

    Attributes:
        sentences: In their order, one or more.
        ids: int32, shape (words,): their word ids.
        share: Of the text's words, above 0 … 1.
    """

    sentences: list[_Sentence]
    ids: _Ids
    share: float

    @property
    def strong_words(self) -> list[_Span]:
        """The words of its strong sentences."""
        return [word for sentence in self.sentences if sentence.is_strong for word in sentence.words]


def _explained(scorer: Scorer, array: pa.Array) -> list[Explanation]:
    texts, verdicts = array.to_pylist(), scorer.score_columns(array).to_pylist()
    explanations = [
        Explanation(text, verdict["score"], verdict["sentiment"], error=verdict["error"])
        for text, verdict in zip(texts, verdicts, strict=True)
    ]
    rows = [row for row, verdict in enumerate(verdicts) if verdict["error"] is None]
    parts = word_parts([texts[row] for row in rows], scorer.preprocessor.settings)
    model, ids = scorer.model, scorer.preprocessor(array)
    pieces = [
        _strongest_pieces(model, _pieces(_sentences(texts[row], own), ids[row], model.layout))
        for row, own in zip(rows, parts, strict=True)
    ]
    _erase(model, [(piece, piece.sentences) for own in pieces for piece in own])
    for own in pieces:
        _mark_strongest([sentence for piece in own for sentence in piece.sentences])
    _erase(model, [(piece, piece.strong_words) for own in pieces for piece in own])
    for row, own in zip(rows, pieces, strict=True):
        explanations[row] = replace(
            explanations[row],
            sentences=_effects(texts[row], [sentence for piece in own for sentence in piece.sentences]),
            words=_effects(texts[row], [word for piece in own for word in piece.strong_words]),
        )
    return explanations


def _sentences(text: str, parts: Sequence[Part]) -> list[_Sentence]:
    """Return the sentences of a text that hold words; a long one is cut into several of like length."""
    after = list(accumulate((part.words for part in parts), initial=0))
    words = [_Span(part.start, part.end, after[number], after[number + 1]) for number, part in enumerate(parts)]
    starts, spans = [part.start for part in parts], split(text) or [(0, len(text))]
    # A word outside of all sentences, as a tag may be one, belongs to the sentence before.
    cuts = [0, *(bisect_left(starts, start) for start, _ in spans[1:]), len(words)]
    sentences: list[_Sentence] = []
    for (start, end), first, last in zip(spans, cuts[:-1], cuts[1:], strict=True):
        count = -(-(last - first) // SENTENCE_WORDS)
        ends = [first + (last - first) * number // count for number in range(1, count + 1)]
        for begin, stop in zip([first, *ends], ends, strict=False):
            own = words[begin:stop]
            left = min(start, own[0].start) if begin == first else own[0].start
            right = max(end, own[-1].end) if stop == last else own[-1].end
            if sentences:  # whose last word may reach into this one
                left = max(left, sentences[-1].end)
            sentences.append(_Sentence(left, right, own[0].first, own[-1].last, words=own))
    return sentences


def _pieces(sentences: Sequence[_Sentence], ids: _Ids, layout: Layout) -> list[_Piece]:
    """Return the pieces of what is read of a text; it is one where that isn't long."""
    first, last = layout.read_range(ids)
    groups: list[list[_Sentence]] = []
    for sentence in sentences:
        if sentence.last <= first or sentence.first >= last:
            continue
        if not groups or sentence.last - groups[-1][0].first > PIECE_WORDS or len(groups[-1]) == PIECE_SENTENCES:
            groups.append([])
        groups[-1].append(sentence)
    read = groups[-1][-1].last - groups[0][0].first if groups else 0
    bounds = [(group[0].first, group[-1].last) for group in groups]
    return [
        _Piece(group, ids[begin:end], (end - begin) / read)
        for group, (begin, end) in zip(groups, bounds, strict=True)
    ]


def _strongest_pieces(model: SentimentModel, pieces: list[_Piece]) -> list[_Piece]:
    """Return MOST_PIECES of a text's pieces at most, those that pull its score most, in their order."""
    if len(pieces) <= MOST_PIECES:
        return pieces
    odds = _log_odds(model, [(piece.ids, []) for piece in pieces])
    pulls = [round(abs(piece.share * float(alone[0])), _DIGITS) for piece, alone in zip(pieces, odds, strict=True)]
    strongest = sorted(range(len(pieces)), key=lambda number: -pulls[number])[:MOST_PIECES]
    return [pieces[number] for number in sorted(strongest)]


def _mark_strongest(sentences: Sequence[_Sentence]) -> None:
    """Mark the sentences of a text with the largest effects, until they hold MOST_WORDS."""
    marked = 0
    # Of those with hardly an effect the order would depend on the last bits.
    for sentence in sorted(sentences, key=lambda sentence: -round(abs(sentence.effect), _DIGITS - 1)):
        if marked >= MOST_WORDS:
            break
        sentence.is_strong = True
        marked += len(sentence.words)


def _erase(model: SentimentModel, erased: Iterable[tuple[_Piece, Sequence[_Span]]]) -> None:
    """Set the effects of spans of pieces."""
    jobs = []
    for piece, spans in erased:
        first, is_known = piece.sentences[0].first, piece.ids != OUT_OF_VOCABULARY_ID
        # To erase a word that isn't known changes nothing.
        found = [span for span in spans if is_known[span.first - first : span.last - first].any()]
        jobs.append((piece, found, [(span.first - first, span.last - first) for span in found]))
    odds = _log_odds(model, [(piece.ids, ranges) for piece, _, ranges in jobs])
    for (piece, spans, _), (whole, *without) in zip(jobs, odds, strict=True):
        for span, less in zip(spans, without, strict=True):
            span.effect = round(piece.share * float(whole - less), _DIGITS)


def _log_odds(model: SentimentModel, jobs: Sequence[tuple[_Ids, Sequence[tuple[int, int]]]]) -> Iterator[_Floats]:
    """Yield for each text the log-odds of being positive: of all of it, and without each of some of its ranges.

    Args:
        model: What scores.
        jobs: The texts' word ids, int32, shape (words,), and what is erased of each, in words.

    Yields:
        float64, shape (1 + ranges,). Where the network reads no word any more they are 0.
    """
    held: list[_Ids] = []
    words = 0
    for number, (ids, ranges) in enumerate(jobs):
        versions = np.tile(ids, (1 + len(ranges), 1))  # (1 + ranges, words)
        for version, (begin, end) in zip(versions[1:], ranges, strict=True):
            version[begin:end] = OUT_OF_VOCABULARY_ID
        held.append(versions)
        words += versions.size
        next_size = (1 + len(jobs[number + 1][1])) * len(jobs[number + 1][0]) if number + 1 < len(jobs) else 0
        if number + 1 == len(jobs) or words + next_size > _WORDS_AT_ONCE:
            lengths = np.concatenate([np.full(len(versions), versions.shape[1]) for versions in held])
            texts = WordIds(
                np.concatenate([versions.ravel() for versions in held]), np.append(0, np.cumsum(lengths))
            )
            odds = np.nan_to_num(log_odds(model.predict(texts)))
            yield from np.split(odds, np.cumsum([len(versions) for versions in held])[:-1])
            held, words = [], 0


def _effects(text: str, spans: Sequence[_Span]) -> tuple[Effect, ...]:
    return tuple(Effect(span.start, span.end, text[span.start : span.end], span.effect) for span in spans)
