"""The architectures by name, in pure Keras 3: they train on TensorFlow, JAX or PyTorch.

A recipe's network takes right-padded word ids (int32, shape (batch, words), 0 is padding) and gives the
probability that the text is positive (float32, shape (batch, 1)). Padding stands on the right because cuDNN's
LSTM asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textsent.errors import OptionError
from textsent.preprocess import FIRST_WORD_ID, OUT_OF_VOCABULARY_ID, PADDING_ID

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Recipe:
    """An architecture and the settings it is trained with.

    Attributes:
        build: Makes the network from a configuration and a vocabulary size.
        config: What `build` reads; stored as the preset's `config.json`.
        vocabulary_size: Words to keep.
        batch_size: Windows in a training batch.
        learning_rate: Adam's, at its peak; it falls to zero along a cosine.
    """

    build: Callable[[dict[str, Any]], keras.Model]
    config: dict[str, Any]
    vocabulary_size: int
    batch_size: int
    learning_rate: float


def lstm(config: dict[str, Any]) -> keras.Model:
    """Return embedding → LSTM, one way or both → mean and maximum over time → sigmoid.

    Pooling over time instead of reading the last state: Johnson and Zhang, "Supervised and semi-supervised text
    categorization using LSTM for region embeddings", 2016. Words dropped at random while training: Iyyer et al.,
    "Deep unordered composition rivals syntactic methods for text classification", 2015.

    Args:
        config: `vocabulary_size` (words), `embedding_size`, `units` (of one direction), `bidirectional`,
            `word_dropout`, `embedding_dropout`, `dropout` (shares, 0 … 1).
    """
    import keras
    from keras import layers

    ids = keras.Input((None,), dtype="int32", name="ids")
    words = _word_dropout(config["word_dropout"])(ids)  # (batch, words)
    embedding = layers.Embedding(
        config["vocabulary_size"] + FIRST_WORD_ID, config["embedding_size"], mask_zero=True, name="embedding"
    )
    vectors = embedding(words)  # (batch, words, embedding_size)
    vectors = layers.SpatialDropout1D(config["embedding_dropout"], name="embedding_dropout")(vectors)
    recurrent = layers.LSTM(config["units"], return_sequences=True, name="lstm")
    if config["bidirectional"]:
        recurrent = layers.Bidirectional(recurrent, name="bidirectional")
    states = recurrent(vectors)  # (batch, words, units or 2 × units)
    real = keras.ops.expand_dims(keras.ops.not_equal(ids, PADDING_ID), -1)  # (batch, words, 1)
    largest = keras.ops.max(keras.ops.where(real, states, -1.0), axis=1)  # an LSTM's outputs lie within -1 … 1
    mean = layers.GlobalAveragePooling1D(name="mean")(states)
    features = layers.Concatenate(name="features")([mean, largest])
    features = layers.Dropout(config["dropout"], name="dropout")(features)
    return keras.Model(ids, layers.Dense(1, activation="sigmoid", name="probability")(features), name="lstm")


def _word_dropout(rate: float) -> keras.layers.Layer:
    """Return a layer that, while training, replaces a share of the words by the out-of-vocabulary id."""
    import keras

    class WordDropout(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__(name="word_dropout")
            self.seeds = keras.random.SeedGenerator()

        def call(self, ids: Any, training: bool = False) -> Any:
            if not training:
                return ids
            dropped = keras.random.uniform(keras.ops.shape(ids), seed=self.seeds) < rate
            dropped = keras.ops.logical_and(dropped, keras.ops.not_equal(ids, PADDING_ID))
            return keras.ops.where(dropped, OUT_OF_VOCABULARY_ID, ids)

    return WordDropout()


RECIPES: dict[str, Recipe] = {
    "lstm": Recipe(
        build=lstm,
        config={
            "embedding_size": 64,
            "units": 64,
            "bidirectional": True,
            "window": 400,  # words; nine reviews in ten are shorter than 453
            "word_dropout": 0.1,
            "embedding_dropout": 0.2,
            "dropout": 0.5,
        },
        vocabulary_size=30_000,
        batch_size=128,
        learning_rate=2e-3,
    ),
}


def recipe(name: str) -> Recipe:
    """Return the recipe called `name`.

    Raises:
        OptionError: There is none.
    """
    try:
        return RECIPES[name]
    except KeyError:
        raise OptionError(f"there is no recipe {name!r}: choose one of {', '.join(RECIPES)}") from None
