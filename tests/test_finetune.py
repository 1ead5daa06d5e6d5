import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from conftest import add_ngrams
from small_trainings import Observer, history_of, labelled, weights_of, write_csv

from textsent import cli, finetune, load, recipes
from textsent.datasets import LabelledTexts
from textsent.errors import OptionError, PresetError
from textsent.evaluate import evaluate
from textsent.finetune import Start, at_best_temperature
from textsent.ngrams import NgramTable
from textsent.options import Options
from textsent.prepare import Sources
from textsent.preprocess import FIRST_WORD_ID, OUT_OF_VOCABULARY_ID, Preprocessor
from textsent.presets import CONFIG_FILE, METADATA_FILE, README_FILE, Calibration, read_json, write_json
from textsent.train import train, write_network

TEXTS = ["great service", "the guys are terrible", "awful great bad it", "service", "the the guys " * 9]


@pytest.fixture(autouse=True)
def from_little_data(monkeypatch):
    """Fine-tuning of the tests' data, which are too easy for the rate and too few for the batches of real ones."""
    monkeypatch.setattr(finetune, "RATE", 10.0)
    monkeypatch.setattr(finetune, "EPOCHS", 3)


def inverted(data):
    return LabelledTexts(data.texts, 1 - data.labels, data.groups, data.named_groups)


def by_verdict_of(preset):
    """Return the texts, labelled positive where a preset finds them more so than the others."""
    data = labelled()
    scores = predicted(preset, data)
    verdicts = (scores >= np.median(scores)).astype(np.int8)
    return LabelledTexts(data.texts, verdicts, data.groups, data.named_groups)


def fine_tuned(start, output, data=None, observer=None, **settings):
    """Fine-tune a preset; return what came of it."""
    begun = Start.from_preset(start, trust_recipe=True)
    options = Options(recipe=begun.recipe_for(None), **settings.pop("options", {}))
    return train(
        data or labelled(), output, options, observer or Observer(), start=begun, pictures=False, **settings
    )


@pytest.fixture(scope="module")
def tiny_preset(tmp_path_factory):
    """A preset of random weights that knows all words of the tests' data but one."""
    import keras

    keras.utils.set_random_seed(3)
    words = ("the", "great", "awful", "bad", "it", "guys")
    layout = {"window": 8, "word_dropout": 0.1, "embedding_dropout": 0.1, "dropout": 0.1}
    config = {"recipe": "lstm", "vocabulary_size": 6, "embedding_size": 6, "units": 5, "bidirectional": True}
    folder = tmp_path_factory.mktemp("presets") / "tiny"
    folder.mkdir()
    model = recipes.lstm(config | layout | {"initial_range": 1.0})
    write_network(model, config | layout, Preprocessor(words), folder)
    write_json(folder / METADATA_FILE, {})
    return folder


@pytest.fixture(scope="module")
def tuned(tiny_preset, tmp_path_factory):
    """A preset that was fine-tuned from another, its observer, and what came of it."""
    folder = tmp_path_factory.mktemp("tuned") / "model"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finetune, "RATE", 10.0)
        patch.setattr(finetune, "EPOCHS", 3)
        observer = Observer()
        trained = fine_tuned(tiny_preset, folder, observer=observer, options={"test": 0.2})
    return folder, observer, trained


@pytest.fixture
def preset(tiny_preset, tmp_path):
    """A copy of the tiny preset, to be changed."""
    return shutil.copytree(tiny_preset, tmp_path / "start")


def predicted(preset, data):
    """Return what a preset makes of texts, also of those that have no known word."""
    scorer = load(preset, device="cpu")
    return scorer.model.predict(scorer.preprocessor(data.texts))


def calibrated(preset, **calibration):
    write_json(preset / CONFIG_FILE, {**read_json(preset / CONFIG_FILE), "calibration": calibration})
    return preset


def test_fine_tuning_begins_with_the_model_as_it_is_and_makes_it_better(tuned):
    _, observer, trained = tuned
    assert [epoch.number for epoch in observer.epochs] == [0, 1, 2, 3]
    assert observer.steps[0][:2] == (1, 1)
    assert observer.beginnings[0].epoch == 1
    assert trained.has_learned
    assert trained.validation.accuracy > 0.8 > trained.before.validation.accuracy
    assert trained.test.log_loss < trained.before.test.log_loss


def test_what_the_model_was_before_is_measured_as_it_scores(tuned, tiny_preset):
    folder, observer, trained = tuned
    _, test = labelled().split(0.2, 1, "test")
    assert evaluate(predicted(tiny_preset, test), test.labels) == trained.before.test
    assert evaluate(predicted(folder, test), test.labels).accuracy == trained.test.accuracy
    assert read_json(folder / METADATA_FILE)["test"]["accuracy"] == trained.test.accuracy
    assert observer.epochs[0].validation_accuracy == trained.before.validation.accuracy


def test_metadata_and_card_name_the_model_that_it_started_from(tuned, tiny_preset):
    folder, _, _ = tuned
    start = Start.from_preset(tiny_preset)
    facts = read_json(folder / METADATA_FILE)
    assert facts["started_from"] == {"model": "tiny", "sha256": start.sha256, "new_words": 1}
    assert facts["options"] | {"recipe": "lstm", "batch_size": 16, "validation": 0.2} == facts["options"]
    card = (folder / README_FILE).read_text()
    assert f"it started from tiny, with 1 new word. SHA-256 of that model: `{start.sha256}`." in card
    assert "Of 3 epochs the weights of number" in card
    assert "| 0 | – | – |" in card
    assert history_of(folder)[0] | {"number": 0, "loss": None, "accuracy": None} == history_of(folder)[0]


def test_new_words_stand_after_those_that_the_model_knows(tuned, tiny_preset):
    before, after = (Preprocessor.from_preset(folder).vocabulary for folder in (tiny_preset, tuned[0]))
    assert after[: len(before)] == before
    assert after[len(before) :] == ("fine",)
    assert read_json(tuned[0] / CONFIG_FILE)["vocabulary_size"] == len(after)


def test_of_few_texts_no_word_changes_its_vector(tuned, tiny_preset):
    (before,), (after,) = (
        [weights for name, weights in weights_of(folder).items() if "embedding" in name]
        for folder in (tiny_preset, tuned[0])
    )
    np.testing.assert_array_equal(after[: len(before)], before)


def test_of_many_texts_words_change_their_vectors(tiny_preset, tmp_path, monkeypatch):
    monkeypatch.setattr(finetune, "FROZEN_UNDER", 100)
    fine_tuned(tiny_preset, tmp_path / "model")
    (before,), (after,) = (
        [weights for name, weights in weights_of(folder).items() if "embedding" in name]
        for folder in (tiny_preset, tmp_path / "model")
    )
    assert np.abs(after[: len(before)] - before).max() > 0.01


def test_where_no_epoch_is_better_the_model_is_kept_and_scores_as_it_did(tiny_preset, tmp_path):
    training, validation = by_verdict_of(tiny_preset).split(0.3, 1)
    trained = fine_tuned(tiny_preset, tmp_path / "model", inverted(training), validation=validation)
    assert not trained.has_learned
    assert trained.validation == trained.before.validation
    assert [epoch["number"] for epoch in history_of(tmp_path / "model") if epoch["best"]] == [0]
    before, after = (load(folder, device="cpu").score(TEXTS) for folder in (tiny_preset, tmp_path / "model"))
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_n_grams_are_taken_along_and_calibrated_like_the_network(preset, tmp_path):
    table = add_ngrams(preset)
    calibrated(preset, temperature=0.4, bias=0.9)
    training, validation = by_verdict_of(preset).split(0.3, 1)
    trained = fine_tuned(preset, tmp_path / "kept", inverted(training), validation=validation)
    assert not trained.has_learned
    before, after = (load(folder, device="cpu").score(TEXTS) for folder in (preset, tmp_path / "kept"))
    np.testing.assert_allclose(after, before, atol=1e-6)
    fine_tuned(preset, tmp_path / "tuned")
    for folder in (tmp_path / "kept", tmp_path / "tuned"):
        taken = NgramTable.from_preset(folder)
        np.testing.assert_array_equal(taken.weights, table.weights)
        assert (taken.scale, taken.bias) == (1 / 0.4, table.bias / 0.4 + 0.9)


def test_a_table_of_n_grams_is_part_of_what_a_model_is_told_apart_by(preset):
    add_ngrams(preset)
    before = Start.from_preset(preset).sha256
    NgramTable(np.zeros(4, np.float16), 0.0).save(preset)
    assert Start.from_preset(preset).sha256 != before


def test_the_weights_kept_lie_three_quarters_of_the_way(tiny_preset):
    start = Start.from_preset(tiny_preset)
    reached = [weights + 1 for weights in start.weights]
    for before, kept in zip(start.weights, start.kept(reached, 2), strict=True):
        np.testing.assert_allclose(kept, before + 0.75, atol=1e-6)


def test_of_epoch_0_a_new_word_is_read_as_before(tiny_preset):
    start = Start.from_preset(tiny_preset).learning_from(labelled().texts)
    assert list(start.new_words) == ["fine"]
    table = start.kept(start.weights, 0)[start.table]
    np.testing.assert_array_equal(table[FIRST_WORD_ID + 6 :], table[[OUT_OF_VOCABULARY_ID]])


def test_a_calibration_becomes_part_of_the_network_and_the_neutral_band_stays(preset, tmp_path):
    calibrated(preset, temperature=0.4, bias=0.9, neutral=[0.45, 0.6])
    start = Start.from_preset(preset)
    assert start.is_calibrated
    observer = Observer()
    fine_tuned(preset, tmp_path / "model", observer=observer)
    written = Calibration.from_preset(tmp_path / "model")
    assert written.neutral == (0.45, 0.6)
    assert written.bias == 0
    assert written.temperature != 0.4
    _, validation = labelled().split(0.2, 1)
    scores = predicted(preset, validation)
    expected = evaluate(at_best_temperature(scores, validation.labels), validation.labels)
    assert observer.epochs[0].validation_loss == pytest.approx(expected.log_loss, abs=1e-5)
    assert observer.epochs[0].validation_accuracy == expected.accuracy


def test_a_model_that_is_kept_as_it_was_keeps_its_calibration(preset, tmp_path):
    calibrated(preset, temperature=0.4, bias=0.9, neutral=[0.45, 0.6])
    start = Start.from_preset(preset)
    (tmp_path / "model").mkdir()
    write_json(tmp_path / "model" / CONFIG_FILE, start.config)
    kept = start.write_calibration(tmp_path / "model", np.array([0.2], np.float32), np.array([0], np.int8), 0)
    assert kept == Calibration(neutral=(0.45, 0.6)) == Calibration.from_preset(tmp_path / "model")


def scores_of(model, ids):
    return np.asarray(model.predict_on_batch(ids))[:, -1]


def network(*last):
    import keras

    ids = keras.Input((None,), dtype="int32")
    mean = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(9, 4, name="embedding")(ids))
    for layer in last:
        mean = layer(mean)
    return keras.Model(ids, mean)


def test_a_calibration_of_one_probability_or_two_is_part_of_the_network_afterwards():
    import keras

    ids = np.arange(8, dtype=np.int32).reshape(4, 2)
    for last in (keras.layers.Dense(1, activation="sigmoid"), keras.layers.Dense(2, activation="softmax")):
        model = network(last)
        odds = np.log(before := scores_of(model, ids)) - np.log1p(-before)
        assert finetune._calibrate(model, Calibration(0.5, 0.3))
        expected = 1 / (1 + np.exp(-(odds / 0.5 + 0.3)))
        np.testing.assert_allclose(scores_of(model, ids), expected, atol=1e-6)


def test_a_calibration_that_cannot_be_part_of_the_network_is_left_out_of_the_training():
    import keras

    for last in (
        [keras.layers.Dense(1), keras.layers.Activation("sigmoid")],
        [keras.layers.Dense(1, activation="sigmoid", use_bias=False)],
        [keras.layers.Dense(1, activation="hard_sigmoid")],
    ):
        model = network(*last)
        before = model.get_weights()
        assert not finetune._calibrate(model, Calibration(0.5, 0.3))
        for weights, other in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(weights, other)
        assert finetune._calibrate(model, Calibration(neutral=(0.4, 0.6)))


def test_the_best_temperature_changes_no_verdict_and_leaves_out_what_has_no_score():
    scores = np.array([0.9, 0.99, 0.2, np.nan, 0.6], np.float32)
    found = at_best_temperature(scores, np.array([0, 1, 0, 1, 0], np.int8))
    np.testing.assert_array_equal(found >= 0.5, scores >= 0.5)
    assert np.isnan(found).tolist() == np.isnan(scores).tolist()
    assert found[0] < 0.9


@pytest.mark.parametrize(
    "layout", [{"unknown": "drop"}, {"trainable": False}], ids=["leaves unknown words out", "fixed vectors"]
)
def test_a_model_that_leaves_unknown_words_out_or_has_fixed_vectors_gets_no_new_words(tiny_preset, layout):
    start = Start.from_preset(tiny_preset)
    start = replace(start, config={**start.config, **layout})
    assert start.learning_from(labelled().texts).new_words == {}


def test_a_network_of_which_another_layer_hangs_on_the_vocabulary_gets_no_new_words(tiny_preset, monkeypatch):
    import keras

    def build(config):
        ids = keras.Input((None,), dtype="int32")
        rows = config["vocabulary_size"] + FIRST_WORD_ID
        mean = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(rows, 6, name="embedding")(ids))
        counts = keras.layers.Dense(1)(keras.layers.Dense(rows)(mean))
        return keras.Model(ids, keras.layers.Activation("sigmoid")(counts))

    start = Start.from_preset(tiny_preset)
    start = replace(start, weights=build(start.config).get_weights())
    monkeypatch.setattr(finetune, "recipe", lambda name: replace(recipes.RECIPES["lstm"], build=build))
    assert start.learning_from(labelled().texts).new_words == {}


@pytest.mark.parametrize(
    ("options", "sources", "option"),
    [
        ({}, {"unlabelled": pa.array(["a"])}, "--unlabelled"),
        ({}, {"embeddings": "vectors.bin"}, "--embeddings"),
        ({}, {"stop_words": "words.txt"}, "--stopwords"),
        ({"short_texts": True}, {}, "--short-texts"),
    ],
)
def test_what_only_a_training_from_the_beginning_can_use_is_refused(tiny_preset, options, sources, option):
    with pytest.raises(OptionError) as refused:
        Start.from_preset(tiny_preset).check(Options(**options), Sources(**sources))
    message = f"{option} doesn't go with --init: the model has learnt its words already: leave it out"
    assert str(refused.value).removesuffix(", and see textsent adapt") == message


def test_another_recipe_than_the_model_s_is_refused(tiny_preset):
    start = Start.from_preset(tiny_preset)
    assert start.recipe_for(None) == start.recipe_for("lstm") == "lstm"
    message = "the model tiny is of the recipe lstm, and can't become one of cnn-500: leave --recipe out"
    with pytest.raises(OptionError) as refused:
        start.recipe_for("cnn-500")
    assert str(refused.value) == message
    with pytest.raises(OptionError) as refused:
        start.check(Options("cnn-500"), Sources())
    assert str(refused.value) == message


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A preset of a recipe from outside."""
    folder = tmp_path_factory.mktemp("own") / "bag"
    train(labelled(), folder, Options("small_trainings:bag", epochs=1), Observer(), pictures=False)
    return folder


def test_a_model_of_a_recipe_from_outside_is_fine_tuned_where_it_is_trusted(own, tmp_path):
    with pytest.raises(PresetError, match="if you trust it, use --trust-recipe"):
        Start.from_preset(own)
    trained = fine_tuned(own, tmp_path / "model")
    assert trained.validation.log_loss < trained.before.validation.log_loss
    assert read_json(tmp_path / "model" / METADATA_FILE)["options"]["recipe"] == "small_trainings:bag"
    assert fine_tuned(tmp_path / "model", tmp_path / "again").before.validation.accuracy > 0.8


def test_an_interrupted_fine_tuning_goes_on_to_the_same_weights(tiny_preset, tuned, tmp_path):
    output, options = tmp_path / "model", {"test": 0.2}
    with pytest.raises(KeyboardInterrupt):
        fine_tuned(tiny_preset, output, observer=Observer(("step", 1, 2)), options=options)
    assert not output.exists()
    stopped = Observer(("step", 2, 3))
    assert fine_tuned(tiny_preset, output, observer=stopped, options=options, resume=True).validation.texts
    assert stopped.epochs[0].number == 1
    fine_tuned(tiny_preset, output, options=options, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    for name, weights in weights_of(output).items():
        np.testing.assert_array_equal(weights, weights_of(tuned[0])[name], err_msg=name)
    assert history_of(output) == history_of(tuned[0])


def test_a_fine_tuning_does_not_go_on_from_another_model(tiny_preset, preset, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fine_tuned(tiny_preset, tmp_path / "model", observer=Observer(("step", 1, 2)))
    calibrated(preset, temperature=2.0)
    with pytest.raises(OptionError, match="it began otherwise: model to start from was"):
        fine_tuned(preset, tmp_path / "model", resume=True)


def run(monkeypatch, capsys, *arguments):
    """Run the command line; return its exit code, and the lines of stdout and stderr."""
    monkeypatch.setattr(sys, "argv", ["textsent", *map(str, arguments)])
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])  # where the command line hides pandas
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    return ended.value.code or 0, out, err.splitlines()


def test_the_command_line_fine_tunes_and_says_what_changed(tiny_preset, tmp_path, monkeypatch, capsys):
    data, output = write_csv(tmp_path / "mine.csv", labelled()), tmp_path / "model"
    code, out, lines = run(
        monkeypatch, capsys,
        "train", "--init", tiny_preset, "--data", data, "-o", output, "--test", 0.2, "--no-pictures",
    )  # fmt: skip
    assert (code, out) == (0, "")
    assert any(line.startswith("epoch 0: the model as it is, validation loss 0.") for line in lines)
    said = [line for line in lines if " as it was, on the " in line]
    assert [line.split(" as it was, on the ")[1].split(":")[0] for line in said] == ["validation part", "test part"]
    assert not any("did not help" in line for line in lines)
    assert json.loads((output / METADATA_FILE).read_text())["command"].startswith("textsent train --init")


def test_the_command_line_says_plainly_that_fine_tuning_did_not_help(tiny_preset, tmp_path, monkeypatch, capsys):
    training, validation = by_verdict_of(tiny_preset).split(0.3, 1)
    output, mine = tmp_path / "model", write_csv(tmp_path / "mine.csv", inverted(training))
    others = write_csv(tmp_path / "others.csv", validation)
    arguments = ("--data", mine, "--validation", others, "-o", output, "--no-pictures")
    code, _, lines = run(monkeypatch, capsys, "train", "--init", tiny_preset, *arguments)
    assert code == 0
    assert lines[-1] == (
        "Fine-tuning did not help: no epoch was better on the validation part than the model as it was, so that is "
        "what was written. Label more texts, or keep the model."
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--init", "imdb-lstm"],
            "textsent: --init imdb-lstm needs texts of your own to learn from: give them with --data",
        ),
        (
            ["--init", "imdb-lstm", "--data", "mine.csv", "--recipe", "mlp-500"],
            "textsent: the model imdb-lstm is of the recipe lstm, and can't become one of mlp-500: "
            "leave --recipe out",
        ),
        (
            ["--init", "mine", "--data", "mine.csv"],
            "textsent: there is no model 'mine': give a folder made by `textsent train`, "
            "or a shipped one: imdb-lstm",
        ),
    ],
)
def test_an_error_in_the_options_of_fine_tuning_is_one_line(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "mine.csv", labelled())
    code, out, lines = run(monkeypatch, capsys, "train", *arguments, "-o", "model")
    assert (code, out, lines) == (1, "", [message])
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]
