"""What several test modules share."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas  # noqa: F401 - before a test calls textsent.cli.main, which hides it from what comes after
import pytest

from textsent.ngrams import NgramTable
from textsent.preprocess import FIRST_WORD_ID, WordIds
from textsent.presets import CONFIG_FILE, NGRAMS, read_json, write_json

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

WORDS = ("the", "great", "service", "terrible", "guys")
"""A vocabulary that fits in one's head: ids 4 to 8."""

SHARED = Path(__file__).parents[2] / "shared"
"""The labelled data of the project's developers; no part of the repository."""


def word_ids(*texts: Sequence[int]) -> WordIds:
    """Return texts of these ids."""
    return WordIds(
        np.array([word for text in texts for word in text], np.int32),
        np.cumsum([0, *(len(text) for text in texts)]),
    )


def add_ngrams(preset: Path) -> NgramTable:
    """Give a preset a table of n-grams that moves its scores by some hundredths."""
    table = NgramTable(np.random.default_rng(5).normal(0, 0.5, 1 << 10).astype(np.float16), 0.5)
    table.save(preset)
    write_json(preset / CONFIG_FILE, {**read_json(preset / CONFIG_FILE), NGRAMS: True})
    return table


class FirstWordNetwork:
    """Gives a window the score of its first word."""

    batch_words = 32
    batch_windows = 4
    batches = 16
    width_step = 1

    def __init__(self, scores: Sequence[float]) -> None:
        """Take the scores of WORDS."""
        self._scores = np.array(scores, np.float32)

    def reading(self, ids: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        return lambda starts, ends: self._scores[ids[starts] - FIRST_WORD_ID]


@pytest.fixture(scope="session")
def tiny_preset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete preset of five words with random weights and windows of 8 words."""
    folder = tmp_path_factory.mktemp("presets") / "tiny"
    write_tiny_preset(folder)
    return folder


_SIZES = {"embedding_size": 6, "units": 5, "window": 8, "dropout": 0.1, "embedding_dropout": 0.1}


def write_tiny_preset(folder: Path, recipe: str = "lstm", **sizes: int) -> None:
    """Write a preset of a recipe with few words and small sizes into a new folder."""
    import keras

    from textsent.preprocess import Preprocessor
    from textsent.presets import METADATA_FILE, write_json
    from textsent.recipes import RECIPES
    from textsent.train import write_network

    keras.utils.set_random_seed(7)
    made = RECIPES[recipe]
    config = {"recipe": recipe, "vocabulary_size": len(WORDS), **made.config, **(sizes or _SIZES)}
    folder.mkdir()
    write_network(made.build(config), config, Preprocessor(WORDS), folder)
    write_json(folder / METADATA_FILE, {"command": "made by the tests"})


@pytest.fixture
def imdb_train() -> Path:
    """The training split of the Large Movie Review Dataset, where the developers' data is at hand."""
    path = SHARED / "data" / "imdb" / "train.parquet"
    if not path.is_file():
        pytest.skip("needs ../shared/data/imdb/train.parquet")
    return path
