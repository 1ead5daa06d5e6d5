"""The recipes by name: networks in pure Keras 3, which train on TensorFlow, JAX or PyTorch, and their training.

A recipe is a function that builds a network, and a row of RECIPES. The network takes padded word ids (int32, shape
(batch, words), 0 is padding) and gives the probability that the text is positive: float32, shape (batch, 1), or
(batch, 2) with the probability of negative before it. Its embedding is called `embedding`. In our own recipe
padding stands after the text, because cuDNN's LSTM asks for it.

A name with a colon is an import path, `my_recipes.py:bag_of_words` or `my_package.recipes:bag_of_words`, so that a
recipe may live anywhere.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import math
import string
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textsent.errors import OptionError
from textsent.preprocess import FIRST_WORD_ID, OUT_OF_VOCABULARY_ID, PADDING_ID, Settings
from textsent.presets import is_outside

if TYPE_CHECKING:
    import keras

OPTIMIZERS = ("adam", "rmsprop")
KEEPS = ("accuracy", "loss", "last")
VECTORS = ("none", "start", "fixed")


@dataclass(frozen=True)
class Recipe:
    """A network, how it reads texts, and how it is trained.

    Attributes:
        build: Makes the network from the configuration, to which `vocabulary_size` (words) is added.
        config: What `build` reads, and the fields of `textsent.windows.Layout`; stored as the preset's
            `config.json`.
        vocabulary_size: Words to keep.
        batch_size: Windows in a training batch.
        learning_rate: The optimizer's.
        optimizer: One of OPTIMIZERS, with Keras's defaults.
        cosine: Let the learning rate fall to zero along a cosine.
        clip_norm: Longest gradient of a weight matrix; None for any length.
        averaging: Weights are judged and kept as means over so much of an epoch, in which later steps weigh more
            (Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992); 0 takes them as
            they are.
        epochs: Passes over the training part, at most.
        patience: Epochs without a gain after which training stops; None trains all of them.
        keep: Which epoch's weights are kept: that of the best `accuracy` or the least `loss` on the validation
            part, or the `last`.
        validation: Share of the texts held out to choose the epoch by.
        limit: Texts to use, drawn so that both labels keep their shares; None uses all.
        settings: How texts are cut into words.
        stop_words: Whether stop words are left out.
        vectors: What word vectors are to the embedding: `none`; `start`, trained where there are unlabelled texts;
            `fixed`, from a file or trained, and no word without one is read.
        teacher: Whether a linear teacher labels unlabelled texts.
        crops: With short texts, share of the windows of which only a part is read, another one in each epoch.
        shape: The network in a line.
        origin: Where the recipe comes from.
        published: The figures that were published of it.
    """

    build: Callable[[dict[str, Any]], keras.Model]
    config: dict[str, Any]
    vocabulary_size: int
    batch_size: int
    learning_rate: float = 1e-3
    optimizer: str = "adam"
    cosine: bool = False
    clip_norm: float | None = None
    averaging: float = 0.0
    epochs: int = 10
    patience: int | None = 3
    keep: str = "accuracy"
    validation: float = 0.1
    limit: int | None = None
    settings: Settings = field(default_factory=Settings)
    stop_words: bool = False
    vectors: str = "none"
    teacher: bool = False
    crops: float = 0.0
    shape: str = ""
    origin: str = "the user's own"
    published: str = ""

    def __post_init__(self) -> None:
        for name, choices in (("optimizer", OPTIMIZERS), ("keep", KEEPS), ("vectors", VECTORS)):
            if getattr(self, name) not in choices:
                raise OptionError(
                    f"a recipe's {name} must be one of {', '.join(choices)}. Received: {getattr(self, name)!r}"
                )
        for name in ("vocabulary_size", "batch_size", "epochs"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise OptionError(f"a recipe's {name} must be a whole number, 1 or more. Received: {value!r}")
        if not isinstance(self.learning_rate, int | float) or not 0 < self.learning_rate < math.inf:
            raise OptionError(f"a recipe's learning_rate must be above 0. Received: {self.learning_rate!r}")
        if not callable(self.build):
            raise OptionError(f"a recipe's build must be a function. Received: {self.build!r}")
        try:
            json.dumps(self.config)
        except (TypeError, ValueError) as exc:
            raise OptionError(f"a recipe's config must hold what JSON can: {exc}") from exc


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
    vectors = _embedding(config)(words)  # (batch, words, embedding_size)
    vectors = layers.SpatialDropout1D(config["embedding_dropout"], name="embedding_dropout")(vectors)
    states = _read_words(vectors, ids, config)  # (batch, words, units or 2 × units)
    real = keras.ops.expand_dims(keras.ops.not_equal(ids, PADDING_ID), -1)  # (batch, words, 1)
    largest = keras.ops.max(keras.ops.where(real, states, -1.0), axis=1)  # an LSTM's outputs lie within -1 … 1
    number = keras.ops.sum(keras.ops.cast(real, states.dtype), axis=1)  # (batch, 1)
    mean = keras.ops.sum(keras.ops.where(real, states, 0.0), axis=1) / keras.ops.maximum(number, 1.0)
    features = layers.Concatenate(name="features")([mean, largest])
    features = layers.Dropout(config["dropout"], name="dropout")(features)
    return keras.Model(ids, _probability()(features), name=POOLED_LSTM)


def _read_words(vectors: Any, ids: Any, config: dict[str, Any]) -> Any:
    """Return an LSTM's states after each word: float, shape (batch, words, units), or 2 × units both ways.

    No mask is given to Keras's LSTM, since on PyTorch it would then step through the words in Python instead of
    calling cuDNN. It needs none: padding stands after the text, where nothing of the text is still to be read, and
    the other direction reads each text from its own end.

    Args:
        vectors: The words' vectors, shape (batch, words, embedding_size).
        ids: int32, shape (batch, words), padded after the text.
        config: `units` (of one direction), `bidirectional`.
    """
    import keras
    from keras import layers

    ops = keras.ops

    def one_way(name: str) -> Any:
        return layers.LSTM(config["units"], return_sequences=True, name=name)

    class Bidirectional(layers.Layer):  # named like Keras's, whose weights it has in a file
        def __init__(self) -> None:
            super().__init__(name="bidirectional")
            self.forward_layer, self.backward_layer = one_way("forward"), one_way("backward")

        def build(self, vectors_shape: Any, ids_shape: Any) -> None:
            self.forward_layer.build(vectors_shape)
            self.backward_layer.build(vectors_shape)

        def call(self, vectors: Any, ids: Any) -> Any:
            places = ops.arange(ops.shape(ids)[1], dtype="int32")[None, :]
            lengths = ops.sum(ops.cast(ops.not_equal(ids, PADDING_ID), "int32"), axis=1, keepdims=True)
            # From the text's end to its beginning, then the padding; the same once more turns it back.
            backwards = ops.expand_dims(ops.where(places < lengths, lengths - 1 - places, places), -1)
            read = self.backward_layer(ops.take_along_axis(vectors, backwards, axis=1))
            return ops.concatenate([self.forward_layer(vectors), ops.take_along_axis(read, backwards, axis=1)], -1)

    return Bidirectional()(vectors, ids) if config["bidirectional"] else one_way("lstm")(vectors)


POOLED_LSTM = "textsent_pooled_lstm"
"""Name of the Keras model that `lstm` returns, by which `textsent.export` knows it; no user's has it by chance."""


def last_state_lstm(config: dict[str, Any]) -> keras.Model:
    """Return embedding → LSTM → its last state → sigmoid.

    Args:
        config: `vocabulary_size` (words), `embedding_size`, `mask_zero` (whether padding is skipped), `units`,
            `input_dropout`, `recurrent_dropout` and `dropout` (shares, 0 … 1, of the LSTM's inputs, of its states
            from step to step, and of the last state); for fixed word vectors `trainable`: False; `initial_range`,
            the embedding's largest value at the start.
    """
    import keras
    from keras import layers

    ids = keras.Input((None,), dtype="int32", name="ids")
    vectors = _embedding(config, mask_zero=config["mask_zero"])(ids)  # (batch, words, embedding_size)
    state = layers.LSTM(
        config["units"],
        dropout=config["input_dropout"],
        recurrent_dropout=config["recurrent_dropout"],
        name="lstm",
    )(vectors)  # (batch, units)
    state = layers.Dropout(config["dropout"], name="dropout")(state)
    return keras.Model(ids, _probability()(state), name="last_state_lstm")


def stacked_lstm(config: dict[str, Any]) -> keras.Model:
    """Return embedding → two LSTMs, the second's last state → dense → softmax over negative and positive.

    Args:
        config: `vocabulary_size` (words), `embedding_size`, `mask_zero`, `units`, `input_dropout`,
            `recurrent_dropout` (shares, 0 … 1, of the first LSTM), `dense_units`.
    """
    import keras
    from keras import layers

    ids = keras.Input((None,), dtype="int32", name="ids")
    vectors = _embedding(config, mask_zero=config["mask_zero"])(ids)  # (batch, words, embedding_size)
    states = layers.LSTM(
        config["units"],
        dropout=config["input_dropout"],
        recurrent_dropout=config["recurrent_dropout"],
        return_sequences=True,
        name="first_lstm",
    )(vectors)  # (batch, words, units)
    state = layers.LSTM(config["units"], name="second_lstm")(states)  # (batch, units)
    features = layers.Dense(config["dense_units"], activation="relu", name="dense")(state)
    probabilities = layers.Dense(2, activation="softmax", dtype="float32", name="probabilities")(features)
    return keras.Model(ids, probabilities, name="stacked_lstm")


def mlp(config: dict[str, Any]) -> keras.Model:
    """Return embedding → all of it flat → dense → sigmoid.

    Args:
        config: `vocabulary_size` (words), `embedding_size`, `window` (words), `dense_units`.
    """
    import keras
    from keras import layers

    ids = keras.Input((config["window"],), dtype="int32", name="ids")
    vectors = _embedding(config)(ids)  # (batch, window, embedding_size)
    flat = layers.Flatten(name="flat")(vectors)  # (batch, window × embedding_size)
    features = layers.Dense(config["dense_units"], activation="relu", name="dense")(flat)
    return keras.Model(ids, _probability()(features), name="mlp")


def cnn(config: dict[str, Any]) -> keras.Model:
    """Return embedding → convolution over neighbouring words → max-pooling → all of it flat → dense → sigmoid.

    Args:
        config: `vocabulary_size` (words), `embedding_size`, `window` (words), `filters`, `kernel_size`, `pool_size`
            (words), `dense_units`.
    """
    import keras
    from keras import layers

    ids = keras.Input((config["window"],), dtype="int32", name="ids")
    vectors = _embedding(config)(ids)  # (batch, window, embedding_size)
    found = layers.Conv1D(
        config["filters"], config["kernel_size"], padding="same", activation="relu", name="convolution"
    )(vectors)  # (batch, window, filters)
    largest = layers.MaxPooling1D(config["pool_size"], name="pooling")(
        found
    )  # (batch, window / pool_size, filters)
    flat = layers.Flatten(name="flat")(largest)
    features = layers.Dense(config["dense_units"], activation="relu", name="dense")(flat)
    return keras.Model(ids, _probability()(features), name="cnn")


def _embedding(config: dict[str, Any], mask_zero: bool = False) -> keras.layers.Layer:
    import keras

    return keras.layers.Embedding(
        config["vocabulary_size"] + FIRST_WORD_ID,
        config["embedding_size"],
        embeddings_initializer=keras.initializers.RandomUniform(
            -config.get("initial_range", 0.05), config.get("initial_range", 0.05)
        ),
        mask_zero=mask_zero,
        trainable=config.get("trainable", True),
        name="embedding",
    )


def _probability() -> keras.layers.Layer:
    import keras

    return keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="probability")


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


_HYPHENS_AND_SLASHES = "-/"
_BROWNLEE = (
    "J. Brownlee, How to Predict Sentiment From Movie Reviews Using Deep Learning, machinelearningmastery.com, 2016"
)
_LAST_500 = {"window": 500, "long_texts": "last", "start": True, "padding": "before", "full_width": True}

RECIPES: dict[str, Recipe] = {
    "lstm": Recipe(
        build=lstm,
        config={
            "embedding_size": 64,
            "units": 96,
            "bidirectional": True,
            "window": 400,  # words; nine reviews in ten are shorter than 453
            "word_dropout": 0.1,
            "embedding_dropout": 0.2,
            "dropout": 0.5,
        },
        vocabulary_size=30_000,
        batch_size=256,
        learning_rate=2e-3,
        cosine=True,
        clip_norm=1.0,
        averaging=0.5,
        keep="loss",
        settings=Settings(emoji=True, typography=True, markup=True, elongated=True),
        vectors="start",
        teacher=True,
        crops=0.15,
        shape="embedding 64, LSTM of 96 units each way, mean and maximum over time, sigmoid",
        origin="textsent's own",
    ),
    "word2vec-lstm-350": Recipe(
        build=last_state_lstm,
        config={
            "embedding_size": 300,
            "trainable": False,
            "mask_zero": True,  # with 100 zeros to read after a text, it learns next to nothing in three epochs
            "units": 200,
            "input_dropout": 0.0,
            "recurrent_dropout": 0.0,
            "dropout": 0.2,
            "window": 350,
            "long_texts": "first",
            "unknown": "drop",
        },
        vocabulary_size=50_000,
        batch_size=64,
        optimizer="rmsprop",
        epochs=40,
        keep="loss",
        validation=0.15,
        vectors="fixed",
        shape="word2vec vectors of 300, the first 350 words that have one, LSTM 200, sigmoid",
        origin="a write-up of word2vec features for an LSTM",
        published="test 0.8991 (30,000 reviews to train on) and 0.8913 (25,000)",
    ),
    "lstm-80": Recipe(
        build=last_state_lstm,
        config={
            "embedding_size": 32,
            "initial_range": 0.01,
            "mask_zero": True,
            "units": 100,
            "input_dropout": 0.2,
            "recurrent_dropout": 0.2,
            "dropout": 0.0,
            "window": 80,
            "long_texts": "last",
            "start": True,
            # Zeros before a text are masked, so they may as well stand after it, where batches of like length and
            # cuDNN want them: the scores are the same.
            "padding": "after",
        },
        vocabulary_size=20_000 - FIRST_WORD_ID,
        batch_size=32,
        epochs=3,
        patience=None,
        keep="last",
        shape="embedding 32, the last 80 words, LSTM 100 with dropout, sigmoid",
        origin="a write-up after Keras's example imdb_lstm",
        published="train 0.9025, test 0.8206",
    ),
    "mlp-500": Recipe(
        build=mlp,
        config={"embedding_size": 32, "dense_units": 250, **_LAST_500},
        vocabulary_size=5_000 - FIRST_WORD_ID,
        batch_size=128,
        epochs=2,
        patience=None,
        keep="last",
        shape="embedding 32, the last 500 words flat, dense 250, sigmoid",
        origin=_BROWNLEE,
        published="test 0.8694",
    ),
    "cnn-500": Recipe(
        build=cnn,
        config={
            "embedding_size": 32,
            "filters": 32,
            "kernel_size": 3,
            "pool_size": 2,
            "dense_units": 250,
            **_LAST_500,
        },
        vocabulary_size=5_000 - FIRST_WORD_ID,
        batch_size=128,
        epochs=2,
        patience=None,
        keep="last",
        shape="embedding 32, the last 500 words, convolution of 32 filters over 3, pooling, dense 250, sigmoid",
        origin=_BROWNLEE,
        published="test 0.8779",
    ),
    "stacked-lstm-256": Recipe(
        build=stacked_lstm,
        config={
            "embedding_size": 32,
            "mask_zero": True,
            "units": 32,
            "input_dropout": 0.2,
            "recurrent_dropout": 0.2,
            "dense_units": 128,
            "window": 256,
            "long_texts": "first",
        },
        vocabulary_size=12_000 - FIRST_WORD_ID,
        batch_size=64,
        epochs=12,
        patience=None,
        validation=0.2,
        shape="embedding 32, the first 256 words, two LSTMs of 32, dense 128, softmax over two",
        origin="a write-up of stacked LSTMs",
        published="validation 0.8666",
    ),
    "stopwords-lstm-500": Recipe(
        build=last_state_lstm,
        config={
            "embedding_size": 32,
            "mask_zero": False,
            "units": 100,
            "input_dropout": 0.0,
            "recurrent_dropout": 0.0,
            "dropout": 0.0,
            "window": 500,
            "long_texts": "last",
            "unknown": "drop",
            "padding": "before",
            "full_width": True,
        },
        vocabulary_size=500,
        batch_size=64,
        epochs=10,
        patience=None,
        validation=0.2,
        limit=1000,
        settings=Settings(
            filters=_HYPHENS_AND_SLASHES,
            removed="".join(sorted(set(string.punctuation) - set(_HYPHENS_AND_SLASHES))),
        ),
        stop_words=True,
        shape="embedding 32, the last 500 of the 500 most frequent words but stop words, LSTM 100, sigmoid",
        origin="a write-up of NLTK's preprocessing before an LSTM",
        published="about 0.80",
    ),
}


_SIZES = (
    "vocabulary_size",
    "embedding_size",
    "units",
    "dense_units",
    "filters",
    "kernel_size",
    "pool_size",
    "window",
)


def least_weights(config: dict[str, Any]) -> int | None:
    """Return how many weights a recipe's network has at least, by its largest matrices; None of odd sizes.

    Of a recipe from outside textsent it is 0: its code knows.

    Args:
        config: What a preset says of it.
    """
    if is_outside(config.get("recipe")):
        return 0
    sizes = {name: config.get(name, 0) for name in _SIZES}
    if not all(type(size) is int and size >= 0 for size in sizes.values()):
        return None
    words, vector, units, dense, filters, kernel, pool, window = sizes.values()
    flat = -(-window // max(pool, 1)) * filters if filters else units or window * vector
    embedding, lstm = (words + FIRST_WORD_ID) * vector, 4 * units * max(units, vector)
    return max(embedding, lstm, kernel * vector * filters, flat * dense)


def build_network(recipe: Recipe, config: dict[str, Any]) -> keras.Model:
    """Return the network that a recipe builds, after a look at it.

    Raises:
        OptionError: It can't be built, or not be used.
    """
    try:
        model = recipe.build(config)
    except Exception as exc:  # the user's code may raise anything
        raise OptionError(
            f"the recipe {config['recipe']} can't build its network: {type(exc).__name__}: {exc}"
        ) from exc
    check_network(model, config)
    return model


def check_network(model: Any, config: dict[str, Any]) -> None:
    """Check that a network is as training and scoring need it.

    Args:
        model: What a recipe built.
        config: What it was built from.

    Raises:
        OptionError: It isn't.
    """
    shape = tuple(getattr(model, "output_shape", None) or ())
    embeddings = [layer for layer in getattr(model, "layers", ()) if layer.name == "embedding"]
    rows = config["vocabulary_size"] + FIRST_WORD_ID
    problem = ""
    if len(getattr(model, "inputs", None) or ()) != 1:
        problem = "it must be a functional keras.Model of one input, the word ids"
    elif len(shape) != 2 or shape[1] not in (1, 2):
        problem = f"its output must have the shape (batch, 1) or (batch, 2). Received: {shape}"
    elif not embeddings:
        problem = "its embedding must have the name 'embedding'"
    elif getattr(embeddings[0], "input_dim", None) != rows:
        received = getattr(embeddings[0], "input_dim", None)
        problem = f"its embedding must have vocabulary_size + {FIRST_WORD_ID} rows, {rows}. Received: {received}"
    if problem:
        raise OptionError(f"the network of the recipe {config['recipe']} can't be used: {problem}")


def recipe(name: str) -> Recipe:
    """Return the recipe called `name`, or the one at an import path such as `my_recipes.py:bag_of_words`.

    Raises:
        OptionError: There is none.
    """
    if is_outside(name):
        return _imported(name)
    try:
        return RECIPES[name]
    except (KeyError, TypeError):  # a preset may say anything
        raise OptionError(f"there is no recipe {name!r}: choose one of {', '.join(RECIPES)}") from None


@lru_cache  # its code runs once
def _imported(name: str) -> Recipe:
    from textsent.model import import_keras

    import_keras()  # before the recipe does, which takes no care of what it prints
    where, _, attribute = name.rpartition(":")
    try:
        if where.endswith(".py"):
            # A name that hides no other module, under which its dataclasses find it.
            spec = importlib.util.spec_from_file_location(f"textsent_recipe_{Path(where).stem}", where)
            if spec is None or spec.loader is None:
                raise ImportError(f"{where} can't be imported")
            module = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = module
            spec.loader.exec_module(module)
        else:
            module = importlib.import_module(where)
        found = getattr(module, attribute)
    except (ImportError, OSError, SyntaxError, AttributeError, TypeError, ValueError) as exc:
        raise OptionError(
            f"there is no recipe {name!r}: {exc}. An import path is my_package.my_module:name, or my_file.py:name"
        ) from exc
    except (Exception, SystemExit) as exc:  # the user's code may raise anything
        raise OptionError(f"the recipe {name!r} can't be imported: {type(exc).__name__}: {exc}") from exc
    if not isinstance(found, Recipe):
        raise OptionError(f"{name!r} must be a textsent.recipes.Recipe. Received: {type(found).__name__}")
    return found
