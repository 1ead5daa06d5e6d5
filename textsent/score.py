"""Scoring: a record batch in, the same rows with their scores out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textsent import __version__
from textsent.cores import usable_cores
from textsent.errors import OptionError, PresetError
from textsent.language import LanguageTest, read_min_coverage
from textsent.model import SentimentModel
from textsent.pipeline import ahead, pool_of
from textsent.preprocess import Preprocessor, as_text_array
from textsent.presets import CONFIG_FILE, METADATA_FILE, VOCABULARY_FILE, checksum, find_preset, read_json
from textsent.schema import (
    SCORE_SCHEMA,
    hides_text,
    is_mail,
    is_text,
    scored_schema,
    split_problems,
    text_column,
    why_no_text,
)

if TYPE_CHECKING:
    from textsent.explain import Explanation

DEFAULT_MODEL = "imdb-lstm"

WINDOW_ROWS = 4096
"""Texts among which batches of like length are cut, and each is scored once."""

_THREADS_A_WINDOW = 8  # that find work in it; it has about 16 batches

NULL_TEXT = "no text"
NO_WORDS = "no words"
NO_KNOWN_WORDS = "no known words"
NOT_IN_LANGUAGE = "not in the model's language"
"""Why a row has no score: it is null; it has nothing but white space and punctuation; it has no word of the
vocabulary; it has too few of them (`textsent.language`)."""


Finish = Callable[[], Iterator[pa.RecordBatch]]
"""Waits for what was begun, and yields the batches, scored."""


@dataclass(frozen=True)
class Scorer:
    """Adds sentiment, score, words, coverage and error to the rows of record batches.

    Attributes:
        preprocessor: Text to word ids.
        model: Word ids to probabilities.
        column: The column that holds the texts; with None `text`, or else the only column of strings.
        prefix: Put before the name of each added column.
        neutral: Scores from the first to the second value are called neutral; with `"none"` no score is; with None
            those are that the model's calibration says, which few models have.
        batch_size: Windows of text predicted together at most; with None what suits the engine.
        name: The model's, written into the metadata of what is scored.
        workers: Processes that read a large mailbox for `score_file`, beside the model's threads.
        min_coverage: Texts of which the model knows a smaller share, 0 … 1, aren't in its language and have no
            score; see `textsent.language` for what counts. With 0 all are scored that have a known word.
        threshold: Scores of it and above are called positive, those below negative and none neutral; with None it
            is 0.5, beside a neutral band.
        sentences: Also tell each text's lowest sentence and its score; takes about twice as long.
        folder: The preset's; None where it comes from none.
        precision: What the model calculates in.
    """

    preprocessor: Preprocessor
    model: SentimentModel
    column: str | None = None
    prefix: str = ""
    neutral: tuple[float, float] | Literal["none"] | None = None
    batch_size: int | None = None
    name: str | None = None
    workers: int = 1
    min_coverage: float = 0.0
    threshold: float | None = None
    sentences: bool = False
    folder: Path | None = None
    precision: str = "float32"

    def __post_init__(self) -> None:
        if isinstance(self.neutral, str):
            if self.neutral != "none":
                raise OptionError(f'a neutral band needs two values, or "none". Received: {self.neutral!r}')
        elif self.neutral and not 0 <= self.neutral[0] <= self.neutral[1] <= 1:
            raise OptionError(
                "a neutral band needs two values, 0 ≤ low ≤ high ≤ 1. "
                f"Received: {self.neutral[0]}, {self.neutral[1]}"
            )
        if self.threshold is not None:
            if not 0 <= self.threshold <= 1:
                raise OptionError(f"the threshold must be a score, 0 … 1. Received: {self.threshold}")
            if isinstance(self.neutral, tuple):
                raise OptionError("a threshold leaves no neutral band: give one of the two")
        if self.batch_size is not None and self.batch_size < 1:
            raise OptionError(f"the batch size must be 1 or more. Received: {self.batch_size}")
        if self.workers < 1:
            raise OptionError(f"there must be at least one worker. Received: {self.workers}")
        if not 0 <= self.min_coverage <= 1:
            raise OptionError(f"the least coverage must be a share, 0 … 1. Received: {self.min_coverage}")

    @classmethod
    def from_preset(
        cls,
        name: str | Path = DEFAULT_MODEL,
        *,
        device: str = "auto",
        precision: str = "float32",
        workers: int | None = None,
        trust_recipe: bool = False,
        **settings: Any,
    ) -> Self:
        """Return a scorer with a preset's preprocessor and model.

        Args:
            name: A shipped preset's name, or a preset's folder.
            device: `cpu`, `gpu`, or `auto`: a GPU where there is one.
            precision: `float32`, or, faster, `int8` on a CPU and `float16` on a GPU; see
                `SentimentModel.from_preset`.
            workers: Cores to use: threads that predict on a CPU, and processes that read a large mailbox. By
                default those that this process may use.
            trust_recipe: Where Keras is to run a recipe from outside textsent, import its code.
            **settings: The other attributes of the class.

        Raises:
            PresetError: There is no such preset, or it is incomplete.
            DeviceError: `gpu` was asked for and there is none.
            OptionError: A setting makes no sense.
        """
        workers = usable_cores() if workers is None else workers
        folder = find_preset(name)
        model = SentimentModel.from_preset(folder, device, precision, workers, trust_recipe)
        preprocessor = Preprocessor.from_preset(folder)
        expected = read_json(folder / CONFIG_FILE).get("vocabulary_size")
        if len(preprocessor.words) != expected:
            raise PresetError(
                f"{folder / VOCABULARY_FILE} holds {len(preprocessor.words)} words, "
                f"but the network was made for {expected}: take the preset's files from one place"
            )
        settings = {"min_coverage": read_min_coverage(folder), **settings}
        return cls(
            preprocessor,
            model,
            name=folder.name,
            workers=workers,
            folder=folder,
            precision=precision,
            **settings,
        )

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return `batch` with the columns of SCORE_SCHEMA after its own, all rows in their order.

        Raises:
            InputError: The column of the texts is missing.
            OptionError: The batch has a column of an added one's name already.
        """
        own, problems = _split(batch, self.column)
        return self._joined(own, problems, self.score_columns(self._texts(own, problems)))

    def begin(self, batches: Sequence[pa.RecordBatch], pool: Executor) -> Finish:
        """Begin to score batches in the threads of a pool; return a function that waits for what comes out.

        All of their rows are a window: there should not be many more than WINDOW_ROWS.
        """
        parts = [_split(batch, self.column) for batch in batches]
        texts = [as_text_array(self._texts(own, problems)) for own, problems in parts]
        finish = self._begin(pa.concat_arrays(texts), pool)

        def results() -> Iterator[pa.RecordBatch]:
            scored = finish()
            start = 0
            for own, problems in parts:
                yield self._joined(own, problems, scored.slice(start, own.num_rows))
                start += own.num_rows

        return results

    def facts(self) -> dict[str, Any]:
        """Return what the scores and the columns depend on, by name: all of it JSON."""
        own = ("column", "prefix", "neutral", "threshold", "sentences", "batch_size", "min_coverage", "precision")
        return {
            "textsent": __version__,
            "model": self.name,
            "model_files": self.model_files,
            "engine": type(self.model.network).__name__,
            **{name: getattr(self, name) for name in own},
        }

    @cached_property
    def model_files(self) -> str | None:
        """The checksum of the preset's files, see `textsent.presets.checksum`; None where it comes from none."""
        return None if self.folder is None else checksum(self.folder)

    @cached_property
    def _language(self) -> LanguageTest:
        return LanguageTest(self.preprocessor, self.min_coverage)

    def _texts(self, batch: pa.RecordBatch, problems: Sequence[_Problem]) -> pa.Array:
        texts = batch.column(text_column(batch.schema, self.column))
        if any(problem.hides_text for problem in problems):
            hidden = np.zeros(len(texts), bool)
            hidden[[problem.row for problem in problems if problem.hides_text]] = True
            texts = pc.if_else(pa.array(hidden), None, as_text_array(texts))
        return texts

    def _joined(self, batch: pa.RecordBatch, problems: Sequence[_Problem], added: pa.RecordBatch) -> pa.RecordBatch:
        schema = self.output_schema(batch.schema)
        if text_column(batch.schema, self.column) == "text" and is_mail(batch.schema):
            added = _with_reasons(added, batch.column("flags"))
        if problems:
            errors = added.column("error").to_pylist()
            for problem in problems:
                if problem.hides_text or errors[problem.row] is None:
                    errors[problem.row] = problem.name
            added = _with_errors(added, errors)
        return pa.RecordBatch.from_arrays([*batch.columns, *added.columns], schema=schema)

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        """Return the columns of what comes out where `schema` comes in."""
        return scored_schema(schema, self.prefix, self.name, self.sentences)

    @property
    def added_columns(self) -> list[str]:
        """Names of the columns that scoring adds, without the prefix."""
        return self._added_schema.names

    @property
    def _added_schema(self) -> pa.Schema:
        return scored_schema(pa.schema([]), sentences=self.sentences)

    def score(
        self, texts: Iterable[str | None] | pa.Array | pa.ChunkedArray
    ) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return the probability that each text is positive: float32, shape (texts,), NaN where there is none."""
        return self.score_columns(texts).column("score").to_numpy(zero_copy_only=False)

    def explain(self, texts: Iterable[str | None] | pa.Array) -> list[Explanation]:
        """Return which sentences and words moved the score of each text; see `textsent.explain`."""
        from textsent.explain import explain

        return explain(self, texts)

    def score_columns(
        self,
        texts: Iterable[str | None] | pa.Array | pa.ChunkedArray,
        on_rows: Callable[[int], object] | None = None,
    ) -> pa.RecordBatch:
        """Return the columns of SCORE_SCHEMA, and of SENTENCE_SCHEMA if asked for, of a number of texts.

        They are scored WINDOW_ROWS at a time, so that memory doesn't grow with their number. An Arrow array isn't
        copied as a whole.

        Args:
            texts: The texts; None where there is none.
            on_rows: Called after each window with the number of its rows.

        Raises:
            InputError: They aren't strings.
        """
        array: Any = texts
        if not (isinstance(texts, pa.Array | pa.ChunkedArray) and is_text(texts.type)):
            array = as_text_array(texts)
        if len(array) == 0:
            return pa.RecordBatch.from_pylist([], self._added_schema)
        with pool_of(self.model.threads) as pool:
            windows = (
                self._begin(as_text_array(array.slice(start, WINDOW_ROWS)), pool)
                for start in range(0, len(array), WINDOW_ROWS)
            )
            with ahead(windows, self.windows_ahead) if len(array) > WINDOW_ROWS else nullcontext(windows) as begun:
                scored = []
                for finish in begun:
                    scored.append(finish())
                    if on_rows:
                        on_rows(scored[-1].num_rows)
        return pa.concat_batches(scored)

    @property
    def windows_ahead(self) -> int:
        """How many windows should be begun before the first one is finished, so that no thread waits."""
        return -(-self.model.threads // _THREADS_A_WINDOW)

    def _begin(self, texts: pa.Array, pool: Executor) -> Callable[[], pa.RecordBatch]:
        encoded = texts.dictionary_encode(null_encoding="encode")  # a text that comes twice is scored once
        rows, distinct = encoded.indices, encoded.dictionary
        nulls = pc.is_null(distinct).to_numpy(zero_copy_only=False)
        ids = self.preprocessor(distinct)
        words, known = ids.words, ids.known_words
        finish = self.model.begin(ids, pool, self.batch_size)
        foreign = self._language.foreign(distinct, ids)
        lowest = self._begin_sentences(distinct, pool) if self.sentences else None

        def result() -> pa.RecordBatch:
            errors = np.select(
                [nulls, words == 0, known == 0, foreign],
                [NULL_TEXT, NO_WORDS, NO_KNOWN_WORDS, NOT_IN_LANGUAGE],
                "",
            )
            scored = errors == ""
            scores = finish()
            columns = pa.RecordBatch.from_arrays(
                [
                    pa.array(self._sentiments(scores), pa.string(), mask=~scored),
                    pa.array(scores, mask=~scored),
                    pa.array(words.astype(np.int32)),
                    pa.array((known / np.maximum(words, 1)).astype(np.float32), mask=words == 0),
                    pa.array(errors, pa.string(), mask=scored),
                    *(lowest(scored) if lowest else ()),
                ],
                schema=self._added_schema,
            )
            return columns.take(rows)

        return result

    def _begin_sentences(
        self, texts: pa.Array, pool: Executor
    ) -> Callable[[np.ndarray[Any, np.dtype[np.bool_]]], tuple[pa.Array, pa.Array]]:
        """Begin to score the sentences of texts; return a function that gives the columns of SENTENCE_SCHEMA.

        It is told which texts have a score; the others have no lowest sentence either.
        """
        from textsent.sentences import split

        sentences: list[str] = []
        ends = [0]
        for text in texts.to_pylist():
            sentences += [text[start:end] for start, end in split(text)] if text else []
            ends.append(len(sentences))
        ids = self.preprocessor(pa.array(sentences, pa.large_string()))
        finish, known = self.model.begin(ids, pool, self.batch_size), ids.known_words > 0

        def result(scored: np.ndarray[Any, np.dtype[np.bool_]]) -> tuple[pa.Array, pa.Array]:
            scores = np.where(known, finish(), np.float32(np.inf))
            lowest: list[str | None] = [None] * len(scored)
            lowest_scores = np.full(len(scored), np.inf, np.float32)
            for row in np.flatnonzero(scored).tolist():
                own = scores[ends[row] : ends[row + 1]]
                if len(own) and np.isfinite(own.min()):
                    lowest[row], lowest_scores[row] = sentences[ends[row] + int(own.argmin())], own.min()
            return pa.array(lowest, pa.string()), pa.array(lowest_scores, mask=np.isinf(lowest_scores))

        return result

    def _sentiments(self, scores: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, Any]:
        polar = np.where(scores >= (0.5 if self.threshold is None else self.threshold), "positive", "negative")
        if self.threshold is not None:
            return polar
        band = self.model.calibration.neutral if self.neutral is None else self.neutral
        if not band or isinstance(band, str):
            return polar
        low, high = band
        return np.where((scores >= low) & (scores <= high), "neutral", polar)


def load(name: str | Path = DEFAULT_MODEL, **settings: Any) -> Scorer:
    """Return a scorer; see `Scorer.from_preset`."""
    return Scorer.from_preset(name, **settings)


def loaded(name: str | Path = DEFAULT_MODEL, **settings: Any) -> Scorer:
    """Return what `load` does, from a few that are kept loaded as long as their presets stay as they are.

    Raises:
        PresetError: There is no such preset, or it is incomplete.
    """
    folder = find_preset(name).resolve()
    try:
        written = (folder / METADATA_FILE).stat()
    except OSError:
        return load(folder, **settings)  # which says what is missing
    return _loaded(folder, written.st_mtime_ns, written.st_ino, **settings)


@lru_cache(maxsize=4)
def _loaded(folder: Path, written: int, file: int, **settings: Any) -> Scorer:
    return load(folder, **settings)


def _with_reasons(scored: pa.RecordBatch, flags: pa.Array) -> pa.RecordBatch:
    """Return the columns of SCORE_SCHEMA with the reason why a mail has no text, where its flags tell it."""
    errors = scored.column("error").to_pylist()
    if NULL_TEXT not in errors:
        return scored
    for row, names in enumerate(flags.to_pylist()):
        if errors[row] == NULL_TEXT:
            errors[row] = why_no_text(names) or NULL_TEXT
    return _with_errors(scored, errors)


def _with_errors(scored: pa.RecordBatch, errors: list[str | None]) -> pa.RecordBatch:
    place = scored.schema.get_field_index("error")
    return scored.set_column(place, SCORE_SCHEMA.field("error"), pa.array(errors, pa.string()))


class _Problem(NamedTuple):
    """What was wrong with a row when it was read, and whether it has no text therefore."""

    row: int
    name: str
    hides_text: bool


def _split(batch: pa.RecordBatch, column: str | None) -> tuple[pa.RecordBatch, list[_Problem]]:
    """Return a batch without PROBLEM_FIELDS, and the problems in them."""
    own, found = split_problems(batch)
    if found is None or found.column("problem").null_count == found.num_rows:
        return own, []
    name = text_column(own.schema, column)
    problems = enumerate(found.column("problem").to_pylist())
    return own, [_Problem(row, problem, hides_text(problem, name)) for row, problem in problems if problem]
