"""A language model, whose LSTM has read what nobody labelled before it learns what is positive.

At each word one direction says the next word and the other the one before, so both learn what words mean and how
sentences go on: Dai and Le, "Semi-supervised Sequence Learning", 2015. The network for the labels starts from its
embedding and its LSTM.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from textsent.preprocess import FIRST_WORD_ID, PADDING_ID
from textsent.recipes import embedding, read_words

if TYPE_CHECKING:
    import keras

SHARED_LAYERS = ("embedding", "bidirectional")
"""What the network for the labels takes over."""


def language_model(config: dict[str, Any]) -> keras.Model:
    """Return a network that says how hard a text's words were to foresee.

    It takes padded word ids (int32, shape (batch, words)) and gives, for each text, the mean over its words of the
    cross-entropy in nats and of whether the word was the likeliest: float32, shape (batch, 2).

    Args:
        config: `vocabulary_size` (words), `embedding_size`, `units` (of one direction), `bidirectional`: True,
            `embedding_dropout` (share, 0 … 1) and `samples` (words that each is told from).
    """
    import keras
    from keras import layers, ops

    ids = keras.Input((None,), dtype="int32", name="ids")
    table = embedding(config)
    vectors = layers.SpatialDropout1D(config["embedding_dropout"], name="embedding_dropout")(table(ids))
    states = read_words(vectors, ids, config)
    units = config["units"]
    real = ops.not_equal(ids, PADDING_ID)
    pairs = ops.logical_and(real[:, 1:], real[:, :-1])  # of neighbouring words
    forward = layers.Dense(config["embedding_size"], name="next")(states[:, :-1, :units])
    backward = layers.Dense(config["embedding_size"], name="previous")(states[:, 1:, units:])
    told = _sampled_softmax(table, config["vocabulary_size"] + FIRST_WORD_ID, config["samples"])
    figures = (told(forward, ids[:, 1:]) + told(backward, ids[:, :-1])) / 2  # (batch, words - 1, 2)
    inside = ops.expand_dims(ops.cast(pairs, "float32"), -1)
    number = ops.maximum(ops.sum(inside, axis=1), 1.0)
    return keras.Model(ids, ops.sum(figures * inside, axis=1) / number, name="language_model")


def _sampled_softmax(table: Any, ids: int, samples: int) -> Any:
    """Return a layer that tells words from others drawn at random, by their vectors in an embedding.

    Jean et al., "On Using Very Large Target Vocabulary for Neural Machine Translation", 2015. The others are drawn
    once for a batch, as likely as a word of their rank is by Zipf's law.
    """
    from keras import layers, ops, random

    def log_expected(words: Any) -> Any:
        ranks = ops.cast(words, "float32")
        return ops.log(samples * ops.log1p(1 / (ranks + 1)) / math.log(ids + 1))

    class SampledSoftmax(layers.Layer):
        def __init__(self) -> None:
            super().__init__(name="sampled_softmax", dtype="float32")
            self.table = table
            self.seeds = random.SeedGenerator()
            self.bias = self.add_weight(shape=(ids,), initializer="zeros", name="bias")

        def call(self, hidden: Any, words: Any) -> Any:
            drawn = ops.exp(random.uniform((samples,), seed=self.seeds) * math.log(ids + 1)) - 1
            drawn = ops.minimum(ops.cast(drawn, "int32"), ids - 1)
            offsets = ops.convert_to_tensor(self.bias)
            vectors = ops.convert_to_tensor(self.table.embeddings)
            right = ops.sum(hidden * ops.take(vectors, words, axis=0), -1)
            right = right + ops.take(offsets, words) - log_expected(words)
            others = ops.matmul(hidden, ops.transpose(ops.take(vectors, drawn, axis=0)))
            others = others + ops.take(offsets, drawn) - log_expected(drawn)
            others = ops.where(ops.equal(drawn, ops.expand_dims(words, -1)), -1e9, others)
            loss = ops.logaddexp(right, ops.logsumexp(others, -1)) - right
            likeliest = ops.cast(right > ops.max(others, -1), "float32")
            return ops.stack([loss, likeliest], -1)

    return SampledSoftmax()
