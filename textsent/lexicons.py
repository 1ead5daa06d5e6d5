"""Word lists that say how words and texts sound: VADER's, and Hu and Liu's opinion words, both from NLTK's data.

VADER is a lexicon of 7,500 words and emoticons that people rated, with rules for negation, degree, capitals and
exclamation marks: Hutto and Gilbert 2014, VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social
Media Text, ICWSM-14. The other is two lists of 2,000 positive and 4,800 negative words: Hu and Liu 2004, Mining and
Summarizing Customer Reviews, KDD-2004.

VADER's rules are Python's work. Of many texts several processes do it, each this module run by another
interpreter, for the reason that `textsent.mailworkers` gives: it gets texts as an Arrow stream on its standard
input and answers through a pipe with the bytes of their scores. Such a process knows nothing of this one's
TensorFlow or CUDA, and ends when its input does.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any, NoReturn, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textsent.cores import usable_cores
from textsent.errors import InputError
from textsent.nltk_data import read_nltk_file
from textsent.preprocess import Settings, as_text_array, split_words
from textsent.processes import ServingProcess

_VADER = "sentiment/vader_lexicon/vader_lexicon.txt"
_POSITIVE = "corpora/opinion_lexicon/positive-words.txt"
_NEGATIVE = "corpora/opinion_lexicon/negative-words.txt"

_OPINION_VALENCE = 2.0
"""The tone of a word that is listed with no more than a sign. Of those that VADER lists too the mean is 1.8."""

_WORD = re.compile(r"[^\W\d_]{2,}(?:'[^\W\d_]+)?")
_LETTER_EMOTICONS = {"dx", "xd", "xp"}

_NEGATIONS = (
    *("not", "no", "never", "none", "nobody", "nothing", "nowhere", "neither", "nor", "cannot", "without"),
    *("hardly", "scarcely", "barely", "rarely", "seldom"),
    *("aint", "arent", "cant", "couldnt", "didnt", "doesnt", "dont", "hadnt", "hasnt", "havent", "isnt", "mustnt"),
    *("neednt", "shouldnt", "wasnt", "werent", "wont", "wouldnt"),
)
_NEGATED_VERB = "n['’]t$"
_NEGATION_REACH = 3  # words

_OPINION_ROWS = 10_000
_COMPOUND_ROWS = 500
_FEWEST_BYTES = 2 << 20
"""Fewer bytes of text have their scores before the first other process would be ready; 20,000 sentences or so."""


@dataclass(frozen=True)
class Lexicons:
    """The word lists, and what they say of words and texts.

    Attributes:
        ratings: VADER's words and emoticons, in lower case, with their mean rating: -4 negative … 4 positive.
        positive: Hu and Liu's positive words, in lower case.
        negative: Their negative words. One that is in both lists counts as in neither.
    """

    ratings: Mapping[str, float]
    positive: tuple[str, ...]
    negative: tuple[str, ...]

    @classmethod
    def from_nltk(cls, otherwise: str = "leave out what needs them", index_url: str | None = None) -> Self:
        """Return the lists of NLTK's packages `vader_lexicon` and `opinion_lexicon`.

        Its downloader gets them on first use (about 0.1 MB), into the first of the folders in NLTK_DATA and of
        NLTK's own that can be written to.

        Args:
            otherwise: What an error gives as another way out.
            index_url: Where the downloader's list of packages is; None for NLTK's own.

        Raises:
            InputError: They are neither installed nor to be had, or don't hold what they should.
        """

        def read(path: str, what: str, encoding: str) -> str:
            content = read_nltk_file(path, what, otherwise, index_url)
            try:
                return content.decode(encoding)
            except UnicodeDecodeError as exc:
                raise _unusable(path, what, f"byte {exc.start} is not UTF-8", otherwise) from exc

        vader = "VADER's ratings of words"
        try:
            ratings = _ratings(read(_VADER, vader, "utf-8"))
        except ValueError as exc:
            raise _unusable(_VADER, vader, str(exc), otherwise) from exc
        lists = []
        for path in (_POSITIVE, _NEGATIVE):
            opinions = "Hu and Liu's opinion words"
            words = _opinion_words(read(path, opinions, "latin-1"))
            if not words:
                raise _unusable(path, opinions, "there are none", otherwise)
            lists.append(words)
        return cls(ratings, *lists)

    def valences(self) -> dict[str, float]:
        """Return the tone of single words: -4 negative … 4 positive.

        Of a word that VADER lists it is the mean rating; half of it where Hu and Liu list the word with the
        opposite sign. One that only they list has 2 or -2. Words are two letters or more, with an apostrophe within
        at most: emoticons are left out, and so is what has a space, a hyphen or a digit.
        """
        opinions = self._opinions()
        valences = {word: _OPINION_VALENCE * sign for word, sign in opinions.items()}
        for word, rating in self.ratings.items():
            valences[word] = rating / 2 if rating * opinions.get(word, 0) < 0 else rating
        return {
            word: valence
            for word, valence in valences.items()
            if word == word.lower() and _WORD.fullmatch(word) and word not in _LETTER_EMOTICONS
        }

    def compound_scores(self, texts: pa.Array, workers: int | None = None) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return VADER's compound score of each text: float32, shape (texts,), -1 negative … 1 positive.

        With s the sum of the words' ratings, changed by the rules, it is s / sqrt(s² + 15). NLTK computes it, at
        about 7,000 sentences a second on one core. A text without any of the words has 0, and so has a null one.

        Args:
            texts: Array of strings.
            workers: Processes that share the work where there are many texts; None for one on each usable core. The
                scores are the same for any number.

        Raises:
            InputError: The values aren't strings, or a process has ended before its work was done.
        """
        texts = as_text_array(texts).cast(pa.large_string())
        chunks = [texts.slice(start, _COMPOUND_ROWS) for start in range(0, len(texts), _COMPOUND_ROWS)]
        workers = min(workers or usable_cores(), len(chunks))
        size = pc.sum(pc.binary_length(texts)).as_py() or 0
        if workers < 2 or size < _FEWEST_BYTES or os.name != "posix":
            return _compound_scores(_analyzer(self.ratings), texts)
        idle: SimpleQueue[_Worker] = SimpleQueue()
        with ExitStack() as stack:
            # At the end the workers are killed, then the threads find that out, and then nobody needs the pipes.
            pipes = stack.enter_context(ExitStack())
            pool = ThreadPoolExecutor(workers)
            stack.callback(pool.shutdown, cancel_futures=True)
            for _ in range(workers):
                worker = _Worker(self.ratings)
                pipes.callback(worker.close)
                stack.callback(worker.kill)
                idle.put(worker)

            def score(chunk: pa.Array) -> np.ndarray[Any, np.dtype[np.float32]]:
                worker = idle.get()
                try:
                    return worker.score(chunk)
                finally:
                    idle.put(worker)

            return np.concatenate(list(pool.map(score, chunks)))

    def opinion_scores(self, texts: pa.Array, settings: Settings) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return how far positive words outnumber negative ones: float32, shape (texts,), -1 negative … 1 positive.

        With p of Hu and Liu's positive words in a text and n of the negative ones it is the hyperbolic tangent of
        (p - n) / sqrt(p + n + 1): one word alone gives 0.61, three 0.91. A word counts for the other side where one
        of the three words before it is a negation: *not*, *never*, *hardly*, *isn't* and the like. A text without
        any of the words has 0, and so has a null one.

        Args:
            texts: Array of strings.
            settings: How texts are cut into words. Whatever they say, words are compared in lower case and none is
                left out as a stop word, for *not* is one.

        Raises:
            InputError: The values aren't strings.
        """
        texts = as_text_array(texts)
        settings = replace(settings, lower=True, stop_words=())
        opinions = self._opinions()
        listed = pa.array(list(opinions), pa.large_string())
        signs = np.array([*opinions.values(), 0], np.int64)  # the last for words that aren't listed
        scores = np.zeros(len(texts), np.float32)
        for start in range(0, len(texts), _OPINION_ROWS):
            words, offsets = split_words(texts.slice(start, _OPINION_ROWS), settings)
            indices = pc.fill_null(pc.index_in(words, value_set=listed), len(listed)).to_numpy()
            tones = np.where(_negated(words, offsets), -1, 1) * signs[indices]
            totals = _sums(tones, offsets) / np.sqrt(_sums(np.abs(tones), offsets) + 1)
            scores[start : start + _OPINION_ROWS] = np.tanh(totals)
        return scores

    def _opinions(self) -> dict[str, int]:
        """Return Hu and Liu's words, each with 1 for a positive and -1 for a negative one."""
        both = set(self.positive) & set(self.negative)
        opinions = {**dict.fromkeys(self.positive, 1), **dict.fromkeys(self.negative, -1)}
        return {word: sign for word, sign in opinions.items() if word not in both}


def _unusable(path: str, what: str, reason: str, otherwise: str) -> InputError:
    package = path.split("/")[1]
    return InputError(
        f"{what}, {path} in NLTK's data, can't be used: {reason}: get them anew with "
        f"`python -m nltk.downloader --force {package}`, or {otherwise}"
    )


def _ratings(lexicon: str) -> dict[str, float]:
    """Return the words of VADER's file, each with its mean rating.

    A line is a word, the mean of the ratings, their standard deviation and the ratings, with tabs between.

    Raises:
        ValueError: There are none, or a line has no rating.
    """
    ratings = {}
    for number, line in enumerate(lexicon.split("\n"), 1):
        if not line.strip():
            continue
        word, _, rest = line.strip().partition("\t")
        try:
            rating = float(rest.split("\t")[0])
        except ValueError:
            rating = math.nan
        if not -4 <= rating <= 4:
            raise ValueError(f"line {number} has no rating from -4 to 4")
        ratings[word] = rating
    if not ratings:
        raise ValueError("there are none")
    return ratings


def _opinion_words(text: str) -> tuple[str, ...]:
    """Return the words of one of Hu and Liu's files, which has one a line and comments after semicolons."""
    lines = (line.strip() for line in text.split("\n"))
    return tuple(dict.fromkeys(line.lower() for line in lines if line and not line.startswith(";")))


def _negated(words: pa.Array, offsets: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return before which words a negation stands close enough, in the same text: bool, shape (words,)."""
    is_negation = pc.or_(
        pc.is_in(words, value_set=pa.array(_NEGATIONS, pa.large_string())),
        pc.match_substring_regex(words, _NEGATED_VERB),
    ).to_numpy(zero_copy_only=False)
    places = np.arange(len(words))
    last = np.maximum.accumulate(np.where(is_negation, places, -1 - _NEGATION_REACH))
    before = np.append(-1 - _NEGATION_REACH, last)[: len(words)]  # a word doesn't negate itself
    begins = np.repeat(offsets[:-1], np.diff(offsets))
    return before >= np.maximum(begins, places - _NEGATION_REACH)


def _sums(
    values: np.ndarray[Any, np.dtype[np.int64]], offsets: np.ndarray[Any, np.dtype[np.int64]]
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the sum of each text's values: shape (texts,)."""
    return np.diff(np.append(0, np.cumsum(values))[offsets])


def _analyzer(ratings: Mapping[str, float]) -> Any:
    """Return NLTK's analyzer with these ratings; by itself it would read them from NLTK's data."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NLTK's own dependencies, on import
        from nltk.sentiment.vader import SentimentIntensityAnalyzer, VaderConstants
    analyzer = SentimentIntensityAnalyzer.__new__(SentimentIntensityAnalyzer)
    analyzer.lexicon = dict(ratings)
    analyzer.constants = VaderConstants()
    return analyzer


def _compound_scores(analyzer: Any, texts: pa.Array) -> np.ndarray[Any, np.dtype[np.float32]]:
    scores = (analyzer.polarity_scores(text)["compound"] if text else 0.0 for text in texts.to_pylist())
    return np.fromiter(scores, np.float32, len(texts))


_TASK = b"task"


class _Worker(ServingProcess):
    """A process that gives texts their compound scores."""

    def __init__(self, ratings: Mapping[str, float]) -> None:
        try:
            super().__init__(__name__)
        except OSError as exc:
            raise InputError(
                f"no process can be started to compute VADER's scores, {exc.strerror}: end other programs and "
                "try again"
            ) from exc
        task = {"ratings": dict(ratings), "answers": self.answers_descriptor}
        self._schema = pa.schema([("text", pa.large_string())], {_TASK: json.dumps(task)})
        self._writer: pa.RecordBatchStreamWriter | None = None

    def score(self, texts: pa.Array) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return the texts' compound scores: float32, shape (texts,).

        Raises:
            InputError: The process has ended.
        """
        size = len(texts) * np.dtype(np.float32).itemsize
        answer = b""
        with suppress(OSError):  # it has ended, so there is no answer either
            if self._writer is None:
                self._writer = pa.ipc.new_stream(self.asked, self._schema)
            self._writer.write_batch(pa.record_batch([texts], schema=self._schema))
            self.asked.flush()
            answer = self.answers.read(size)
        if len(answer) == size:
            return np.frombuffer(answer, np.float32)
        reason = self.why_it_ended("stopped answering")
        raise InputError(f"a process that computed VADER's scores {reason}: free some memory and try again")


def serve() -> NoReturn:
    """Score the texts that come on standard input, as a worker, and end the process."""
    # As if they weren't installed: NLTK imports them where it can, for nothing that VADER needs, and that takes
    # four times as long as all else before the first score.
    sys.modules.update(dict.fromkeys(("pandas", "scipy", "sklearn")))  # type: ignore[arg-type]
    with suppress(BrokenPipeError):  # whoever asked has gone
        _answer_all()
    os._exit(0)  # without a last word to a pipe that nobody reads


def _answer_all() -> None:
    with pa.ipc.open_stream(sys.stdin.buffer) as batches:
        task = json.loads(batches.schema.metadata[_TASK])
        analyzer = _analyzer(task["ratings"])
        with os.fdopen(task["answers"], "wb") as answers:
            for batch in batches:
                answers.write(_compound_scores(analyzer, batch.column("text")).tobytes())
                answers.flush()
