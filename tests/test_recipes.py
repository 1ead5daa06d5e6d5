import string
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

from textsent import recipes
from textsent.errors import OptionError
from textsent.preprocess import FIRST_WORD_ID, Settings
from textsent.recipes import RECIPES, Recipe, build_network, check_network, recipe
from textsent.windows import Layout


def built(name, **changes):
    """The network of a recipe, with its whole vocabulary."""
    own = RECIPES[name]
    return own.build({**own.config, "vocabulary_size": own.vocabulary_size, **changes})


def lstm_weights(inputs, units):
    """Weights of four gates, each of which looks at the inputs and at the states and has a bias."""
    return 4 * units * (inputs + units + 1)


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("lstm", (30_000 + 4) * 64 + 2 * lstm_weights(64, 96) + (2 * 2 * 96 + 1)),
        ("word2vec-lstm-350", (50_000 + 4) * 300 + lstm_weights(300, 200) + (200 + 1)),
        ("lstm-80", 693_301),
        ("lstm-80", 20_000 * 32 + lstm_weights(32, 100) + (100 + 1)),
        ("mlp-500", 5_000 * 32 + (500 * 32 + 1) * 250 + (250 + 1)),
        ("cnn-500", 5_000 * 32 + (3 * 32 + 1) * 32 + (250 * 32 + 1) * 250 + (250 + 1)),
        ("stacked-lstm-256", 12_000 * 32 + 2 * lstm_weights(32, 32) + (32 + 1) * 128 + (128 + 1) * 2),
        ("stopwords-lstm-500", (500 + 4) * 32 + lstm_weights(32, 100) + (100 + 1)),
    ],
)
def test_a_network_has_as_many_weights_as_its_author_s(name, weights):
    assert built(name).count_params() == weights


def test_every_recipe_s_weights_are_counted():
    (counted,) = (
        mark.args[1]
        for mark in test_a_network_has_as_many_weights_as_its_author_s.pytestmark
        if mark.name == "parametrize"
    )
    assert {name for name, _ in counted} == set(RECIPES)


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("lstm", Layout(400)),
        ("word2vec-lstm-350", Layout(350, "first", unknown="drop")),
        ("lstm-80", Layout(80, "last", start=True)),
        ("mlp-500", Layout(500, "last", start=True, padding="before", full_width=True)),
        ("cnn-500", Layout(500, "last", start=True, padding="before", full_width=True)),
        ("stacked-lstm-256", Layout(256, "first")),
        ("stopwords-lstm-500", Layout(500, "last", unknown="drop", padding="before", full_width=True)),
    ],
)
def test_a_recipe_reads_a_text_as_its_author_did(name, layout):
    assert Layout.from_config(RECIPES[name].config) == layout


@pytest.mark.parametrize("name", RECIPES)
def test_padding_changes_no_probability_of_a_network_whose_rows_are_of_several_widths(name):
    if Layout.from_config(RECIPES[name].config).full_width:
        return
    network = built(name, vocabulary_size=5)
    ids = np.array([[4, 8, 5, 2], [6, 0, 0, 0]], np.int32)
    padded = np.pad(ids, [(0, 0), (0, 3)])
    tight, wide = (keras.ops.convert_to_numpy(network(rows)) for rows in (ids, padded))
    np.testing.assert_allclose(wide, tight, atol=1e-6)
    assert tight[0, -1] != tight[1, -1]


def test_the_lstm_recipe_reads_both_ways_as_keras_s_own_layer_does_under_a_mask(tmp_path):
    ids = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(9, 6, mask_zero=True, name="embedding")(ids)
    lstm = keras.layers.LSTM(5, return_sequences=True)
    theirs = keras.Model(ids, keras.layers.Bidirectional(lstm, name="bidirectional")(vectors))
    theirs.save_weights(tmp_path / "theirs.weights.h5")

    ours = built("lstm", vocabulary_size=5, embedding_size=6, units=5)
    ours = keras.Model(ours.inputs[0], ours.get_layer("bidirectional").output)
    ours.load_weights(tmp_path / "theirs.weights.h5")
    rows = np.array([[4, 8, 5, 2, 6], [6, 7, 0, 0, 0], [3, 0, 0, 0, 0]], np.int32)
    expected, read = (keras.ops.convert_to_numpy(network(rows)) for network in (theirs, ours))
    assert read.shape == (3, 5, 2 * 5)
    np.testing.assert_allclose(read[rows != 0], expected[rows != 0], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "words", "optimizer", "batch_size", "epochs", "validation", "limit"),
    [
        ("word2vec-lstm-350", 50_000, "rmsprop", 64, 40, 0.15, None),
        ("lstm-80", 19_996, "adam", 32, 3, 0.1, None),
        ("mlp-500", 4_996, "adam", 128, 2, 0.1, None),
        ("cnn-500", 4_996, "adam", 128, 2, 0.1, None),
        ("stacked-lstm-256", 11_996, "adam", 64, 12, 0.2, None),
        ("stopwords-lstm-500", 500, "adam", 64, 10, 0.2, 1000),
    ],
)
def test_a_recipe_is_trained_as_its_author_did(name, words, optimizer, batch_size, epochs, validation, limit):
    own = RECIPES[name]
    assert (own.vocabulary_size, own.optimizer, own.batch_size) == (words, optimizer, batch_size)
    assert (own.epochs, own.validation, own.limit) == (epochs, validation, limit)
    assert own.learning_rate == 1e-3
    assert not own.cosine
    assert own.clip_norm is None


def test_the_word_vectors_recipe_stops_after_three_epochs_without_gain_and_keeps_the_least_loss():
    own = RECIPES["word2vec-lstm-350"]
    assert (own.keep, own.patience, own.vectors, own.config["trainable"]) == ("loss", 3, "fixed", False)
    embedding = built("word2vec-lstm-350", vocabulary_size=5).get_layer("embedding")
    assert not embedding.trainable


def test_only_one_recipe_leaves_stop_words_out_and_it_splits_at_hyphens_and_slashes():
    assert [name for name, own in RECIPES.items() if own.stop_words] == ["stopwords-lstm-500"]
    own = RECIPES["stopwords-lstm-500"].settings
    assert set(own.filters) == set("-/")
    assert set(own.removed) == set(string.punctuation) - set("-/")
    others = [other for name, other in RECIPES.items() if name not in ("lstm", "stopwords-lstm-500")]
    assert all(other.settings == Settings() for other in others)


def test_textsent_s_own_recipe_keeps_emoji_and_reads_through_typography_and_markup():
    own = RECIPES["lstm"]
    assert own.settings == Settings(emoji=True, typography=True, markup=True, elongated=True)
    assert [name for name, other in RECIPES.items() if other.crops] == ["lstm"]


@pytest.mark.parametrize(
    ("name", "inputs", "outputs"),
    [
        ("lstm", (None, None), (None, 1)),
        ("word2vec-lstm-350", (None, None), (None, 1)),
        ("lstm-80", (None, None), (None, 1)),
        ("mlp-500", (None, 500), (None, 1)),
        ("cnn-500", (None, 500), (None, 1)),
        ("stacked-lstm-256", (None, None), (None, 2)),
        ("stopwords-lstm-500", (None, None), (None, 1)),
    ],
)
def test_a_network_takes_word_ids_and_gives_a_probability(name, inputs, outputs):
    network = built(name, vocabulary_size=5)
    assert (network.input_shape, network.output_shape) == (inputs, outputs)
    assert network.inputs[0].dtype == "int32"
    assert network.outputs[0].dtype == "float32"
    assert network.get_layer("embedding").input_dim == 5 + FIRST_WORD_ID
    window = RECIPES[name].config["window"]
    ids = np.random.default_rng(0).integers(2, 9, (3, window), np.int32)
    probabilities = keras.ops.convert_to_numpy(network(ids))
    assert probabilities.shape == (3, outputs[1])
    assert ((probabilities > 0) & (probabilities < 1)).all()
    if outputs[1] == 2:
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_dropout_and_the_first_values_of_lstm_80_are_its_author_s():
    network = built("lstm-80")
    layer = network.get_layer("lstm")
    assert (layer.dropout, layer.recurrent_dropout) == (0.2, 0.2)
    (table,) = network.get_layer("embedding").get_weights()
    assert 0.0099 < abs(table).max() <= 0.01
    assert network.get_layer("embedding").mask_zero


def test_only_the_first_lstm_of_the_stacked_ones_drops_inputs_and_states():
    network = built("stacked-lstm-256", vocabulary_size=5)
    first, second = network.get_layer("first_lstm"), network.get_layer("second_lstm")
    assert (first.dropout, first.recurrent_dropout) == (0.2, 0.2)
    assert (second.dropout, second.recurrent_dropout) == (0, 0)


def test_a_name_that_is_no_recipe_s_is_an_error_that_lists_them():
    with pytest.raises(OptionError) as unknown:
        recipe("gru")
    assert str(unknown.value) == (
        "there is no recipe 'gru': choose one of lstm, word2vec-lstm-350, lstm-80, mlp-500, cnn-500, "
        "stacked-lstm-256, stopwords-lstm-500"
    )


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_had_by_its_name_and_says_what_it_is(name):
    own = recipe(name)
    assert own is RECIPES[name]
    assert own.shape
    assert own.origin
    assert bool(own.published) == (name != "lstm")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"optimizer": "sgd"}, "a recipe's optimizer must be one of adam, rmsprop. Received: 'sgd'"),
        ({"keep": "best"}, "a recipe's keep must be one of accuracy, loss, last. Received: 'best'"),
        ({"vectors": True}, "a recipe's vectors must be one of none, start, fixed. Received: True"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(values, message):
    with pytest.raises(OptionError) as refused:
        replace(RECIPES["lstm"], **values)
    assert str(refused.value) == message


FROM_OUTSIDE = """\
from __future__ import annotations

from dataclasses import dataclass

from textsent.recipes import Recipe


@dataclass
class Sizes:
    embedding: int = 3


def build(config):
    return Sizes()


bag = Recipe(build=build, config={"window": 8}, vocabulary_size=5, batch_size=2)
number = 5
"""
ADVICE = "An import path is my_package.my_module:name, or my_file.py:name"


@pytest.fixture
def my_recipes(tmp_path, monkeypatch):
    """A file and a package, each with a recipe, in the current folder."""
    recipes._imported.cache_clear()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_recipes.py").write_text(FROM_OUTSIDE)
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "recipes.py").write_text(FROM_OUTSIDE)
    yield tmp_path
    recipes._imported.cache_clear()
    for name in ("my_package", "my_package.recipes", "textsent_recipe_my_recipes"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("path", ["my_recipes.py:bag", "./my_recipes.py:bag", "my_package.recipes:bag"])
def test_a_recipe_from_outside_is_had_by_its_file_or_its_module(my_recipes, path):
    found = recipe(path)
    assert isinstance(found, Recipe)
    assert (found.vocabulary_size, found.origin) == (5, "the user's own")
    assert found.build({}).embedding == 3


def test_a_recipe_from_outside_is_had_by_a_file_s_whole_path_and_its_code_runs_once(my_recipes):
    path = my_recipes / "my_recipes.py"
    found = recipe(f"{path}:bag")
    path.write_text("raise AssertionError('imported twice')")
    assert recipe(f"{path}:bag") is found


def test_a_file_of_recipes_hides_no_module_that_has_its_name(my_recipes):
    (my_recipes / "string.py").write_text(FROM_OUTSIDE)
    assert recipe("string.py:bag").batch_size == 2
    assert sys.modules["string"] is string


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("nowhere.py:bag", "[Errno 2] No such file or directory: '{folder}/nowhere.py'"),
        ("no_module:bag", "No module named 'no_module'"),
        ("my_package.none:bag", "No module named 'my_package.none'"),
        ("my_recipes.py:box", "module 'textsent_recipe_my_recipes' has no attribute 'box'"),
        ("my_package.recipes:box", "module 'my_package.recipes' has no attribute 'box'"),
        ("my_recipes.py:", "module 'textsent_recipe_my_recipes' has no attribute ''"),
        (":bag", "Empty module name"),
        (".recipes:bag", "the 'package' argument is required to perform a relative import for '.recipes'"),
        ("needy.py:bag", "No module named 'not_installed'"),
        ("torn.py:bag", "'(' was never closed (torn.py, line 1)"),
    ],
)
def test_a_recipe_from_outside_that_is_not_there_is_an_error_that_says_why(my_recipes, path, problem):
    (my_recipes / "needy.py").write_text("import not_installed\n")
    (my_recipes / "torn.py").write_text("bag = (\n")
    with pytest.raises(OptionError) as missing:
        recipe(path)
    assert str(missing.value) == f"there is no recipe {path!r}: {problem.format(folder=my_recipes)}. {ADVICE}"


@pytest.mark.parametrize("path", ["my_recipes.py:{}", "my_package.recipes:{}"])
@pytest.mark.parametrize(("name", "kind"), [("number", "int"), ("build", "function"), ("Recipe", "type")])
def test_what_is_no_recipe_is_refused(my_recipes, path, name, kind):
    with pytest.raises(OptionError) as refused:
        recipe(path.format(name))
    assert str(refused.value) == f"{path.format(name)!r} must be a textsent.recipes.Recipe. Received: {kind}"


@pytest.mark.parametrize("path", ["failing.py:bag", "failing:bag"])
def test_an_error_in_a_recipe_s_own_code_is_an_error_that_says_which(my_recipes, path):
    (my_recipes / "failing.py").write_text("1 / 0\n")
    with pytest.raises(OptionError) as failed:
        recipe(path)
    assert str(failed.value) == f"the recipe {path!r} can't be imported: ZeroDivisionError: division by zero"


CONFIG = {"recipe": "my_recipes.py:bag", "vocabulary_size": 5}


def bag(rows=9, name="embedding", outputs=1):
    """The layers of a network that counts words."""
    return [
        keras.Input((None,), dtype="int32"),
        keras.layers.Embedding(rows, 3, name=name),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(outputs),
    ]


def two_inputs():
    ids, lengths = keras.Input((None,), dtype="int32"), keras.Input((1,))
    mean = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(9, 3, name="embedding")(ids))
    return keras.Model([ids, lengths], keras.layers.Dense(1)(keras.layers.Concatenate()([mean, lengths])))


def a_row_for_each_word():
    ids = keras.Input((None,), dtype="int32")
    return keras.Model(ids, keras.layers.Dense(1)(keras.layers.Embedding(9, 3, name="embedding")(ids)))


@pytest.mark.parametrize("name", RECIPES)
def test_the_network_of_each_recipe_can_be_used(name):
    check_network(built(name, vocabulary_size=5), {"recipe": name, "vocabulary_size": 5})


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_network_of_one_or_two_outputs_can_be_used(outputs):
    check_network(keras.Sequential(bag(outputs=outputs)), CONFIG)


@pytest.mark.parametrize(
    ("network", "problem"),
    [
        (lambda: None, "it must be a functional keras.Model of one input, the word ids"),
        (two_inputs, "it must be a functional keras.Model of one input, the word ids"),
        (
            lambda: keras.Sequential(bag(outputs=3)),
            "its output must have the shape (batch, 1) or (batch, 2). Received: (None, 3)",
        ),
        (
            a_row_for_each_word,
            "its output must have the shape (batch, 1) or (batch, 2). Received: (None, None, 1)",
        ),
        (lambda: keras.Sequential(bag(name="words")), "its embedding must have the name 'embedding'"),
        (
            lambda: keras.Sequential(bag(rows=5)),
            "its embedding must have vocabulary_size + 4 rows, 9. Received: 5",
        ),
    ],
)
def test_a_network_that_cannot_be_trained_or_scored_with_is_refused(network, problem):
    with pytest.raises(OptionError) as refused:
        check_network(network(), CONFIG)
    assert str(refused.value) == f"the network of the recipe my_recipes.py:bag can't be used: {problem}"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("batch_size", "8", "a recipe's batch_size must be a whole number, 1 or more. Received: '8'"),
        ("vocabulary_size", -5, "a recipe's vocabulary_size must be a whole number, 1 or more. Received: -5"),
        ("learning_rate", -1.0, "a recipe's learning_rate must be above 0. Received: -1.0"),
        ("learning_rate", float("nan"), "a recipe's learning_rate must be above 0. Received: nan"),
        ("build", 3, "a recipe's build must be a function. Received: 3"),
    ],
)
def test_a_recipe_with_a_value_that_makes_no_sense_is_refused(field, value, message):
    with pytest.raises(OptionError) as refused:
        replace(RECIPES["lstm-80"], **{field: value})
    assert str(refused.value) == message


def test_a_recipe_whose_configuration_json_cannot_hold_is_refused():
    with pytest.raises(OptionError, match="a recipe's config must hold what JSON can: "):
        replace(RECIPES["lstm-80"], config={"window": 80, "activation": max})


def test_a_network_that_cannot_be_built_is_an_error_that_names_its_recipe():
    def build(config):
        raise KeyError("units")

    with pytest.raises(OptionError) as refused:
        build_network(replace(RECIPES["lstm-80"], build=build), {"recipe": "mine.py:one", "vocabulary_size": 3})
    assert str(refused.value) == "the recipe mine.py:one can't build its network: KeyError: 'units'"
