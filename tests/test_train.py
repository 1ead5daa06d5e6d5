import contextlib
import io
import json
import random
import re
import shutil
import sys
from dataclasses import asdict, replace
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest
from nltk_files import install_lexicons, private_folder
from small_trainings import TONES, Observer, history_of, labelled, unlabelled, weights_of

from textsent import cli, load, recipes
from textsent.calibrate import fit_temperature
from textsent.datasets import LabelledTexts, read_labelled
from textsent.errors import DeviceError, DivergedError, InputError, OptionError, OutputError, TextsentError
from textsent.evaluate import evaluate
from textsent.fitting import Beginning
from textsent.language import MIN_COVERAGE, read_min_coverage
from textsent.options import Options
from textsent.parts import cut, validation_part
from textsent.presets import METADATA_FILE, PRESET_FILES, Calibration, read_json, write_json
from textsent.train import check_output_folder, train

OPTIONS = Options(epochs=2, batch_size=16, validation=0.3, patience=2, seed=4)
BAG = Options("small_trainings:bag")
POSITIVE, NEGATIVE, NEITHER = ("great", "fine"), ("awful", "bad"), ("the", "it", "guys")


def grouped(texts: list[str], labels: list[int], groups: list[str]) -> LabelledTexts:
    return LabelledTexts(pa.array(texts), np.array(labels, np.int8), pa.array(groups), True)


@pytest.fixture(autouse=True, scope="module")
def tiny_recipe():
    """The recipe lstm, so small that a training is little but the compilation."""
    recipe = recipes.RECIPES["lstm"]
    tiny = replace(
        recipe,
        config=recipe.config | {"embedding_size": 4, "units": 3, "bidirectional": False, "window": 6},
        vocabulary_size=6,
        learning_rate=0.05,
        keep="accuracy",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(recipes.RECIPES, "lstm", tiny)
        yield tiny


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    """A file of 300 texts of 6 or 12 words, so easy that the first epoch gets all of them right."""
    chosen = random.Random(1)
    path = tmp_path_factory.mktemp("data") / "reviews.csv"
    with path.open("w") as file:
        file.write("text,label,film\n")
        for number in range(300):
            words = [NEITHER[number % 3], *chosen.choices((NEGATIVE, POSITIVE)[number % 2], k=5)]
            words *= 1 + (number % 5 == 0)
            file.write(f"{' '.join(words)},{('neg', 'pos')[number % 2]},film{number // 4}\n")
    return path


@pytest.fixture(scope="module")
def trained(reviews, tmp_path_factory):
    """A preset that the command line trained, and what it printed."""
    folder = tmp_path_factory.mktemp("trained")
    arguments = (
        f"textsent train --data {reviews} --output {folder / 'model'} --epochs {OPTIONS.epochs} "
        f"--batch-size {OPTIONS.batch_size} --validation {OPTIONS.validation} --patience {OPTIONS.patience} "
        f"--seed {OPTIONS.seed}"
    ).split()
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", arguments)
        patch.setattr(sys, "meta_path", sys.meta_path[:])  # where the command line hides pandas
        with pytest.raises(SystemExit) as ended:
            cli.main()
    assert not ended.value.code
    return folder / "model", out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def interrupted(reviews, tmp_path_factory):
    """The same training but for pictures, interrupted in its second epoch, over an older preset; its observer."""
    folder = tmp_path_factory.mktemp("interrupted")
    (folder / "model").mkdir()
    (folder / "model" / "config.json").write_text("{}")
    (folder / "model" / "of the older one.txt").touch()
    observer = Observer(at=("step", 2, 3))
    trained = train(
        read_labelled(reviews), folder / "model", OPTIONS, observer,
        overwrite=True, pictures=False, command="textsent train",
    )  # fmt: skip
    return folder / "model", observer, trained.validation


@pytest.fixture(scope="module")
def unfinished_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unfinished")
    with pytest.raises(KeyboardInterrupt):
        train(labelled(), folder / "model", BAG, Observer(at=("step", 1, 3)))
    return folder


@pytest.fixture
def unfinished(unfinished_once, tmp_path):
    """Where the model of a training will be that was interrupted after three steps."""
    shutil.copytree(unfinished_once, tmp_path, dirs_exist_ok=True)
    return tmp_path / "model"


def parts(reviews):
    """The two parts of the reviews; a text that is held out is not trained on under another film either."""
    training, validation = read_labelled(reviews).split(OPTIONS.validation, OPTIONS.seed)
    held_out = set(validation.texts.to_pylist())
    return training.where(np.array([text not in held_out for text in training.texts.to_pylist()])), validation


def test_training_writes_every_file_of_a_preset_and_nothing_else(trained):
    model, _, _ = trained
    assert {path.name for path in model.iterdir()} == {*PRESET_FILES, "README.md", "history.json", "pictures"}
    assert [path.name for path in model.parent.iterdir()] == ["model"]


def test_the_metadata_say_how_on_what_and_with_what_result_the_model_was_trained(trained, reviews):
    metadata = read_json(trained[0] / METADATA_FILE)
    assert set(metadata) == {
        "command", "created", "minutes", "hardware", "versions", "options", "interrupted", "data", "validation",
    }  # fmt: skip
    assert metadata["command"].startswith(f"textsent train --data {reviews} --output ")
    assert metadata["options"] == {
        "recipe": "lstm", "epochs": 2, "batch_size": 16, "validation": 0.3, "patience": 2, "seed": 4,
        "test": 0, "limit": None, "class_weight": "none", "precision": "float32", "short_texts": False,
    }  # fmt: skip
    data = read_labelled(reviews)
    training, validation = parts(reviews)
    assert metadata["data"] == {
        "sha256": data.digest(),
        "training_texts": len(training),
        "unlabelled_texts": 0,
        "short_texts": 0,
        "validation_texts": len(validation),
        "validation_from_file": False,
        "test_texts": 0,
        "cut_by_group": True,
    }
    assert {"python", "textsent", "keras", "onnxruntime"} <= set(metadata["versions"])
    assert set(metadata["hardware"]) == {"machine", "cores", "gpu"}
    assert metadata["created"].endswith("+00:00")


def test_the_history_has_the_figures_of_every_epoch(trained):
    history = json.loads((trained[0] / "history.json").read_text())
    assert [set(epoch) for epoch in history] == 2 * [
        {"number", "loss", "accuracy", "validation_loss", "validation_accuracy", "seconds", "best"}
    ]
    assert [epoch["number"] for epoch in history] == [1, 2]
    assert history[0]["best"] is True
    kept = history[-1] if history[-1]["best"] else history[0]
    reported = read_json(trained[0] / METADATA_FILE)["validation"]
    assert kept["validation_accuracy"] == reported["accuracy"]
    assert kept["validation_loss"] == pytest.approx(reported["log_loss"], abs=1e-5)


def test_the_model_card_tells_command_data_and_figures_and_shows_the_pictures(trained):
    card = (trained[0] / "README.md").read_text("utf-8")
    metadata = read_json(trained[0] / METADATA_FILE)
    assert f"```sh\n{metadata['command']}\n```" in card
    assert f"SHA-256 of the data: `{metadata['data']['sha256']}`" in card
    assert f"| validation | {metadata['validation']['texts']} | 1.0000 |" in card
    assert not re.search(r"[\\&<>]|None|nan|\{", card)
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", card)
    assert pictures == [f"pictures/{name}.svg" for name in ("learning", "words", "embedding", "calibration")]
    for picture in pictures:
        assert ElementTree.parse(trained[0] / picture).getroot().tag == "{http://www.w3.org/2000/svg}svg"
        png = (trained[0] / picture).with_suffix(".png").read_bytes()
        assert png.startswith(b"\x89PNG\r\n")
    assert len(list((trained[0] / "pictures").iterdir())) == 8


def test_a_model_card_without_pictures_shows_none(interrupted):
    assert "![" not in (interrupted[0] / "README.md").read_text("utf-8")


def test_a_text_that_is_held_out_is_not_trained_on_under_another_film(trained, reviews):
    training, _ = read_labelled(reviews).split(OPTIONS.validation, OPTIONS.seed)
    assert read_json(trained[0] / METADATA_FILE)["data"]["training_texts"] < len(training)


def test_the_network_learns_what_there_is_to_learn(trained):
    metadata = read_json(trained[0] / METADATA_FILE)
    assert metadata["validation"]["accuracy"] == metadata["validation"]["auc"] == 1
    first, second = history_of(trained[0])
    assert second["loss"] < first["loss"]
    assert second["accuracy"] >= first["accuracy"] > 0.5
    scorer = load(trained[0], device="cpu")
    good, bad = scorer.score(["great fine the great it fine", "awful bad the awful it bad"])
    assert bad < 0.5 < good


def test_training_shows_its_epochs_and_its_result_on_stderr_alone(trained):
    model, out, err = trained
    assert out == ""
    lines = err.splitlines()
    metadata = read_json(model / METADATA_FILE)
    counts = metadata["data"]
    assert lines[0] == (
        f"{counts['training_texts']} texts to train on, {counts['validation_texts']} to validate with "
        "(cut by group), a vocabulary of 6 words"
    )
    assert [line.partition(":")[0] for line in lines[1:3]] == ["epoch 1", "epoch 2"]
    assert f"texts              {counts['validation_texts']}" in [line.rstrip() for line in lines]
    assert f"accuracy           {metadata['validation']['accuracy']:.4f}" in [line.rstrip() for line in lines]


def test_training_names_its_output_on_one_line_however_long(trained):
    model, _, err = trained
    assert f"The epoch kept, now in {model}, on the validation part:" in err.splitlines()


def test_the_vocabulary_holds_the_most_frequent_words_of_the_training_part_alone(trained, reviews):
    training, _ = parts(reviews)
    words = " ".join(training.texts.to_pylist()).split()
    vocabulary = (trained[0] / "vocabulary.txt").read_text().split()
    assert len(vocabulary) == 6
    assert [words.count(word) for word in vocabulary] == sorted(map(words.count, set(words)), reverse=True)[:6]


def test_an_interrupt_after_the_first_epoch_keeps_the_best_one(interrupted):
    model, observer, evaluation = interrupted
    metadata = read_json(model / METADATA_FILE)
    assert [epoch["number"] for epoch in history_of(model)] == [1]
    assert metadata["command"] == "textsent train"
    assert metadata["validation"]["accuracy"] == evaluation.accuracy
    assert [epoch.number for epoch in observer.epochs] == [1]


def test_a_preset_that_is_trained_over_is_gone(interrupted):
    model, _, _ = interrupted
    assert {path.name for path in model.iterdir()} == {*PRESET_FILES, "README.md", "history.json"}
    assert sorted(path.name for path in model.parent.iterdir()) == ["model", "model.training"]


def test_an_interrupted_training_goes_on_and_ends_as_if_it_had_not_been(interrupted, trained, reviews, tmp_path):
    shutil.copytree(interrupted[0].parent, tmp_path, dirs_exist_ok=True)
    observer = Observer()
    train(read_labelled(reviews), tmp_path / "model", OPTIONS, observer, pictures=False, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (observer.beginnings[0].epoch, observer.beginnings[0].best_accuracy) == (2, 1)
    assert observer.steps[0][:2] == (2, 4)
    assert history_of(tmp_path / "model") == history_of(trained[0])
    ours, theirs = weights_of(tmp_path / "model"), weights_of(trained[0])
    assert ours.keys() == theirs.keys()
    for name, weights in ours.items():
        np.testing.assert_array_equal(weights, theirs[name])


def test_training_again_with_the_same_seed_gives_the_same_scores(trained, interrupted):
    history = history_of(trained[0])
    assert history[0]["validation_accuracy"] == 1  # so both presets hold the first epoch's weights
    assert history_of(interrupted[0])[0] == history[0]
    texts = ["great", "bad it the", "the guys it awful fine great", "the unknown guys are great " * 4]
    once, again = (load(model, device="cpu").score(texts) for model in (trained[0], interrupted[0]))
    np.testing.assert_array_equal(once, again)
    assert once.std() > 0.01


def test_the_observer_is_told_of_each_step_and_epoch(interrupted, reviews):
    _, observer, _ = interrupted
    training, validation = parts(reviews)
    (beginning,) = observer.beginnings
    steps = -(-sum(len(text.split()) // 6 for text in training.texts.to_pylist()) // 16)  # in windows of 6 words
    assert beginning == Beginning(
        texts=len(training), validation_texts=len(validation), cut_by_group=True, words=6, steps=steps, epochs=2,
        epoch=1, best_accuracy=None,
    )  # fmt: skip
    assert [step[:2] for step in observer.steps] == [
        *((1, step) for step in range(1, steps + 1)), (2, 1), (2, 2), (2, 3),
    ]  # fmt: skip
    windows = sum(len(text.split()) // 6 for text in training.texts.to_pylist())
    assert sum(step[2] for step in observer.steps[:steps]) == windows
    assert max(step[2] for step in observer.steps) == 16
    assert all(np.isfinite(step).all() for step in observer.steps)


def test_the_reported_figures_are_those_of_scoring_the_validation_part(trained, reviews):
    part = validation_part(read_labelled(reviews), trained[0])
    evaluation = evaluate(load(trained[0], device="cpu").score(part.texts), part.labels)
    reported = read_json(trained[0] / METADATA_FILE)["validation"]
    assert [list(row) for row in evaluation.confusion] == reported.pop("confusion")
    assert {name: getattr(evaluation, name) for name in reported} == pytest.approx(reported, abs=1e-5)


def test_the_command_line_evaluates_on_the_validation_part(trained, reviews, monkeypatch, capsys):
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])
    monkeypatch.setattr(
        sys, "argv", ["textsent", "evaluate", str(reviews), "--validation", "--json", "--model", str(trained[0])]
    )
    with pytest.raises(SystemExit):
        cli.main()
    figures = json.loads(capsys.readouterr().out)
    reported = read_json(trained[0] / METADATA_FILE)["validation"]
    assert figures.pop("confusion") == reported.pop("confusion")
    assert figures == pytest.approx(reported, abs=1e-5)


def test_the_validation_part_is_exactly_what_was_held_out_whatever_the_order(trained, reviews):
    data = read_labelled(reviews)
    training, held_out = data.split(OPTIONS.validation, OPTIONS.seed)
    part = validation_part(data, trained[0])
    assert part.texts.equals(held_out.texts)
    assert part.labels.tolist() == held_out.labels.tolist()
    assert not set(part.groups.to_pylist()) & set(training.groups.to_pylist())
    backwards = np.arange(len(data))[::-1]
    turned = LabelledTexts(data.texts.take(backwards), data.labels[backwards], data.groups.take(backwards), True)
    assert validation_part(turned, trained[0]).texts.to_pylist() == held_out.texts.to_pylist()[::-1]


@pytest.mark.parametrize("change", ["text", "label", "row"])
def test_the_validation_part_of_other_data_is_refused(trained, reviews, change):
    data = read_labelled(reviews)
    texts, labels = data.texts.to_pylist(), data.labels.tolist()
    match change:
        case "text":
            texts[7] += "!"
        case "label":
            labels[7] = 1 - labels[7]
        case "row":
            texts, labels = texts[1:], labels[1:]
    other = grouped(texts, labels, data.groups.to_pylist()[-len(texts) :])
    with pytest.raises(InputError) as refused:
        validation_part(other, trained[0])
    assert str(refused.value) == (
        "the model model was trained on other data than this: leave --validation out to evaluate on all of it"
    )


def test_the_validation_part_is_refused_where_the_groups_are_others_than_in_training(trained, reviews):
    data = read_labelled(reviews)
    ungrouped = LabelledTexts(data.texts, data.labels, data.texts, named_groups=False)
    regrouped = grouped(data.texts.to_pylist(), data.labels.tolist(), [str(row) for row in range(len(data))])
    for other in (ungrouped, regrouped):
        with pytest.raises(TextsentError):
            validation_part(other, trained[0])


@pytest.mark.parametrize("metadata", [{}, {"data": {}, "options": {}}])
def test_the_validation_part_of_a_preset_that_does_not_say_its_data_is_refused(tmp_path, metadata):
    write_json(tmp_path / METADATA_FILE, metadata)
    with pytest.raises(TextsentError):
        validation_part(grouped(["great"], [1], ["a"]), tmp_path)


def test_an_interrupt_before_the_first_epoch_is_over_leaves_no_preset_but_what_it_takes_to_go_on(unfinished):
    assert [path.name for path in unfinished.parent.iterdir()] == ["model.training"]
    with pytest.raises(OutputError) as existing:
        check_output_folder(unfinished, overwrite=False)
    assert str(existing.value) == (
        f"{unfinished}.training holds an unfinished training: go on with it by --resume, "
        "or begin anew with --overwrite"
    )
    check_output_folder(unfinished, overwrite=False, resume=True)
    check_output_folder(unfinished, overwrite=True)


def test_an_interrupt_before_the_first_step_leaves_nothing(reviews, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("textsent.train.prepare", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(read_labelled(reviews), tmp_path / "model", OPTIONS, Observer())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_is_no_preset_is_never_replaced(reviews, tmp_path, overwrite):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError) as existing:
        train(read_labelled(reviews), tmp_path / "model", OPTIONS, Observer(), overwrite=overwrite)
    assert str(existing.value) == f"{tmp_path / 'model'} exists already: choose another folder with --output"
    assert (tmp_path / "model" / "mine.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_preset_is_replaced_only_on_demand(tiny_preset):
    with pytest.raises(OutputError) as existing:
        check_output_folder(tiny_preset, overwrite=False)
    assert str(existing.value) == (
        f"{tiny_preset} exists already: choose another folder with --output, or replace it with --overwrite"
    )
    check_output_folder(tiny_preset, overwrite=True)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_with_the_name_of_an_unfinished_training_that_is_none_is_never_removed(tmp_path, overwrite):
    (tmp_path / "model.training").mkdir()
    (tmp_path / "model.training" / "mine.txt").touch()
    with pytest.raises(OutputError) as refused:
        check_output_folder(tmp_path / "model", overwrite)
    assert str(refused.value) == (
        f"{tmp_path / 'model.training'} is in the way, and is no unfinished training: move it"
    )
    assert (tmp_path / "model.training" / "mine.txt").exists()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    with pytest.raises(OutputError) as homeless:
        check_output_folder(tmp_path / "nowhere" / "model", overwrite=False)
    assert str(homeless.value) == (
        f"{tmp_path / 'nowhere' / 'model'} can't be written: there is no folder {tmp_path / 'nowhere'}"
    )


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1] * 40, "all 40 texts are labelled positive: there must be texts of both labels"),
        ([0] * 40, "all 40 texts are labelled negative: there must be texts of both labels"),
        (
            [1, 0],
            "the validation part has 0 texts but not of both labels: give more data, or another --validation share",
        ),
    ],
)
def test_data_without_both_labels_on_both_sides_are_refused(tmp_path, labels, message):
    data = grouped([f"great {row}" for row in range(len(labels))], labels, [str(row) for row in range(len(labels))])
    with pytest.raises(InputError) as refused:
        train(data, tmp_path / "model", OPTIONS, Observer())
    assert str(refused.value) == message
    assert list(tmp_path.iterdir()) == []


def test_texts_that_have_no_words_are_refused(tmp_path):
    data = grouped(["..."] * 40, [1, 0] * 20, [str(row) for row in range(40)])
    with pytest.raises(InputError):
        train(data, tmp_path / "model", OPTIONS, Observer())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "the number of epochs must be 1 or more. Received: 0"),
        ({"batch_size": 0}, "the batch size must be 1 or more. Received: 0"),
        ({"validation": 0}, "the validation share must lie between 0 and 1. Received: 0"),
        ({"validation": 1.0}, "the validation share must lie between 0 and 1. Received: 1.0"),
        ({"validation": float("nan")}, "the validation share must lie between 0 and 1. Received: nan"),
        ({"patience": 0}, "the patience must be 1 or more. Received: 0"),
        ({"limit": -1}, "the limit must be a number of texts, or 0 for all of them. Received: -1"),
        (
            {"test": -0.1},
            "the test share must be 0 or more, and with the validation share less than 1. Received: -0.1",
        ),
        (
            {"test": 0.6, "validation": 0.4},
            "the test share must be 0 or more, and with the validation share less than 1. Received: 0.6",
        ),
        (
            {"test": float("nan")},
            "the test share must be 0 or more, and with the validation share less than 1. Received: nan",
        ),
        ({"class_weight": "fair"}, "the class weight must be one of none, balanced. Received: 'fair'"),
        ({"precision": "int8"}, "the precision must be one of float32, float16, bfloat16. Received: 'int8'"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(options, message):
    with pytest.raises(OptionError) as refused:
        Options(**options)
    assert str(refused.value) == message


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_keras_cannot_take_is_refused(reviews, tmp_path, seed):
    with pytest.raises(OptionError):
        train(read_labelled(reviews), tmp_path / "model", replace(OPTIONS, seed=seed), Observer())


def test_a_recipe_that_is_not_there_is_refused(reviews, tmp_path):
    with pytest.raises(OptionError) as refused:
        train(read_labelled(reviews), tmp_path / "model", replace(OPTIONS, recipe="gru"), Observer())
    assert str(refused.value) == f"there is no recipe 'gru': choose one of {', '.join(recipes.RECIPES)}"


def everything_in(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": 2}, "seed was 1, now 2"),
        ({"epochs": 5}, "epochs was 2, now 5"),
        ({"batch_size": 8, "patience": 1}, "batch_size was 16, now 8, patience was 2, now 1"),
        ({"class_weight": "balanced"}, "class_weight was 'none', now 'balanced'"),
        ({"limit": 100}, "limit was not given, now 100"),
        ({"validation": 0.2}, "validation was 0.3, now 0.2"),
        ({"test": 0.1}, "test was 0.0, now 0.1"),
        (
            {"recipe": "small_trainings:recurrent"},
            "recipe was 'small_trainings:bag', now 'small_trainings:recurrent'",
        ),
    ],
)
def test_a_training_does_not_go_on_with_other_options(unfinished, options, message):
    before = everything_in(unfinished.parent)
    with pytest.raises(OptionError) as refused:
        train(labelled(), unfinished, replace(BAG, **options), Observer(), resume=True)
    told = str(refused.value)
    assert message in told
    assert told.startswith(f"the training in {unfinished}.training can't go on, it began otherwise: ")
    assert told.endswith(": give what it began with, or begin anew with --overwrite")
    assert everything_in(unfinished.parent) == before


def test_a_training_goes_on_where_an_option_that_it_had_from_the_recipe_is_given(unfinished):
    given = replace(BAG, epochs=2, batch_size=16, validation=0.3, patience=2)
    with pytest.raises(KeyboardInterrupt):
        train(labelled(), unfinished, given, Observer(at=("began",)), resume=True)


def test_a_training_does_not_go_on_with_other_data(unfinished):
    before = everything_in(unfinished.parent)
    data = labelled()
    for other, name in (
        (labelled(seed=2), "data was "),
        (replace(data, labels=1 - data.labels), "data was "),
        (replace(data, groups=data.texts), "data was "),
        (reordered(data, range(len(data) - 1, -1, -1)), "order of the data was "),
    ):
        with pytest.raises(OptionError, match=name):
            train(other, unfinished, BAG, Observer(), resume=True)
    for sources, name in (
        ({"validation": labelled(40, seed=3)}, "validation file was not given, now "),
        ({"test": labelled(40, seed=3)}, "test file was not given, now "),
    ):
        with pytest.raises(OptionError, match=name):
            train(data, unfinished, BAG, Observer(), resume=True, **sources)
    assert everything_in(unfinished.parent) == before


def reordered(data, rows):
    rows = np.array(rows)
    return LabelledTexts(data.texts.take(rows), data.labels[rows], data.groups.take(rows), data.named_groups)


def test_where_there_is_nothing_to_go_on_with_nothing_is_begun(tmp_path):
    with pytest.raises(OptionError) as refused:
        train(labelled(), tmp_path / "model", BAG, Observer(), resume=True)
    assert str(refused.value) == (
        f"there is no unfinished training in {tmp_path / 'model.training'}: leave --resume out to begin one"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_training_with_a_damaged_checkpoint_does_not_go_on_and_loses_nothing(unfinished):
    checkpoint = unfinished.with_name("model.training") / "checkpoint.npz"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    before = everything_in(unfinished.parent)
    with pytest.raises(InputError) as damaged:
        train(labelled(), unfinished, BAG, Observer(), resume=True)
    assert str(damaged.value).startswith(f"{checkpoint} can't be read: ")
    assert str(damaged.value).endswith(": begin anew with --overwrite")
    assert everything_in(unfinished.parent) == before


def test_an_unfinished_training_is_neither_lost_nor_gone_on_with_unasked(unfinished):
    before = everything_in(unfinished.parent)
    with pytest.raises(OutputError, match="holds an unfinished training"):
        train(labelled(), unfinished, BAG, Observer())
    assert everything_in(unfinished.parent) == before


def test_a_training_that_was_killed_while_it_prepared_is_prepared_again(tmp_path, monkeypatch):
    options = replace(BAG, epochs=1)

    def killed(*_):
        raise StoppedError

    with monkeypatch.context() as patch, pytest.raises(StoppedError):  # noqa: PT012 - the patch is undone then
        patch.setattr("textsent.train.save_prepared", killed)
        patch.setattr("textsent.train.TrainingFolder.remove", lambda folder: None)
        train(labelled(), tmp_path / "model", options, Observer())
    assert [path.name for path in (tmp_path / "model.training").iterdir()] == ["run.json"]
    observer = Observer()
    train(labelled(), tmp_path / "model", options, observer, pictures=False, resume=True)
    assert observer.steps[0][:2] == (1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_overwriting_begins_an_unfinished_training_anew(unfinished):
    observer = Observer()
    train(labelled(), unfinished, replace(BAG, seed=2, epochs=1), observer, pictures=False, overwrite=True)
    assert observer.steps[0][:2] == (1, 1)
    assert [path.name for path in unfinished.parent.iterdir()] == ["model"]
    assert read_json(unfinished / METADATA_FILE)["options"]["seed"] == 2


class StoppedError(Exception):
    """Ends a training before it takes time."""


@pytest.fixture
def caught(monkeypatch):
    """Ends a training when a module calls a function; returns a list of what the function was given."""

    def catch(name, module="train"):
        def stop(*arguments):
            calls.append(arguments)
            raise StoppedError

        calls = []
        monkeypatch.setattr(f"textsent.{module}.{name}", stop)
        return calls

    return catch


def texts_in(*several):
    return {text for texts in several for text in texts.to_pylist()}


def test_shares_are_cut_by_group_into_three_parts():
    data = labelled()
    parts = cut(data, Options(validation=0.25, test=0.2).completed())
    assert len(parts.validation) / len(data) == pytest.approx(0.25, abs=0.1)
    assert len(parts.test) / len(data) == pytest.approx(0.2, abs=0.1)
    groups = [set(part.groups.to_pylist()) for part in (parts.training, parts.validation, parts.test)]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 60
    assert not texts_in(parts.training.texts) & texts_in(parts.validation.texts, parts.test.texts)
    assert texts_in(parts.held_out) == texts_in(parts.validation.texts, parts.test.texts)


def test_a_test_share_leaves_the_validation_part_its_share_of_all():
    data = grouped([f"text {row}" for row in range(4000)], [0, 1] * 2000, [str(row) for row in range(4000)])
    parts = cut(data, Options(validation=0.3, test=0.5).completed())
    assert len(parts.test) == pytest.approx(2000, abs=150)
    assert len(parts.validation) == pytest.approx(1200, abs=150)


def test_the_part_to_test_on_is_the_same_whatever_the_validation_share():
    data = labelled()
    some, others = (cut(data, Options(validation=share, test=0.2).completed()).test for share in (0.1, 0.5))
    assert some.texts.equals(others.texts)


def test_parts_from_files_are_taken_whole_and_none_of_their_texts_is_trained_on():
    data = grouped([f"text {row}" for row in range(8)], [0, 1] * 4, [str(row) for row in range(8)])
    validation = grouped(["text 0", "text 1", "elsewhere"], [0, 1, 1], ["a", "b", "c"])
    test = grouped(["text 2", "text 9"], [0, 1], ["d", "e"])
    parts = cut(data, Options(validation=0.5, test=0.4, limit=0), validation, test)
    assert parts.validation is validation
    assert parts.test is test
    assert parts.training.texts.to_pylist() == ["text 3", "text 4", "text 5", "text 6", "text 7"]


def test_no_group_is_on_two_sides_where_parts_come_from_files():
    data = grouped([f"text {row}" for row in range(6)], [0, 1] * 3, ["a", "a", "b", "b", "c", "c"])
    validation = grouped(["elsewhere", "and here", "there"], [0, 1, 1], ["a", "x", "y"])
    test = grouped(["further", "off"], [0, 1], ["b", "z"])
    parts = cut(data, Options(validation=0.5, limit=0), validation, test)
    assert parts.training.groups.to_pylist() == ["c", "c"]


def test_a_text_that_is_tested_on_is_not_validated_with_either():
    data = grouped([f"text {row // 2}" for row in range(400)], [0, 1] * 200, [str(row) for row in range(400)])
    parts = cut(data, Options(validation=0.3, test=0.3, limit=0))
    validation, test = texts_in(parts.validation.texts), texts_in(parts.test.texts)
    assert validation
    assert not validation & test


def test_an_unlabelled_text_that_is_held_out_is_not_learnt_from(tmp_path, caught):
    calls = caught("prepare")
    data, test = labelled(), grouped(["great guys", "bad guys"], [1, 0], ["a", "b"])
    more = pa.concat_arrays([data.texts, unlabelled(), test.texts])
    options = Options("small_trainings:small_lstm")
    with pytest.raises(StoppedError):
        train(data, tmp_path / "model", options, Observer(), unlabelled=more, test=test)
    ((given, sources, *_),) = calls
    parts = cut(data, options.completed(), None, test)
    held_out = texts_in(parts.validation.texts, test.texts)
    assert texts_in(given.training.texts, sources.unlabelled) == texts_in(more) - held_out
    assert list(tmp_path.iterdir()) == []


def test_a_limit_holds_for_all_parts_together_and_0_is_none():
    data = labelled()
    for limit, count in ((100, 100), (0, 240), (None, 240), (1000, 240)):
        limited = cut(data, replace(BAG, limit=limit, validation=0.3, test=0.2))
        assert len(limited.validation) + len(limited.test) <= count
        known = texts_in(limited.training.texts, limited.held_out)
        assert len(known) <= len(texts_in(data.texts))
        if count == 240:
            assert known == texts_in(data.texts)
        else:
            assert known == texts_in(data.limited(100, BAG.seed).texts)


def test_options_that_are_not_given_are_the_recipes(tmp_path):
    recipe = recipes.RECIPES["stopwords-lstm-500"]
    completed = Options("stopwords-lstm-500").completed()
    assert asdict(completed) == asdict(Options("stopwords-lstm-500")) | {
        "epochs": recipe.epochs, "batch_size": recipe.batch_size, "validation": recipe.validation,
        "patience": recipe.patience, "limit": 1000,
    }  # fmt: skip
    given = Options("stopwords-lstm-500", 3, 4, 0.5, 6, limit=0)
    assert given.completed() == given


@pytest.mark.parametrize(("class_weight", "expected"), [("none", (1, 1)), ("balanced", (100 / 150, 100 / 50))])
def test_balanced_class_weights_make_both_labels_count_the_same(tmp_path, caught, class_weight, expected):
    calls = caught("Batches", "teaching")
    data = grouped([f"the guys {row}" for row in range(100)], [0, 0, 0, 1] * 25, [str(row) for row in range(100)])
    validation = grouped(["great", "bad"], [1, 0], ["a", "b"])
    with pytest.raises(StoppedError):
        train(data, tmp_path / "model", replace(BAG, class_weight=class_weight), Observer(), validation=validation)
    ((_, _, targets, weights, size, seed, crops),) = calls
    assert crops == 0
    assert targets.tolist() == data.labels.tolist()
    assert (weights.dtype, size, seed) == (np.float32, 16, 1)
    assert set(weights[targets == 0]) == {np.float32(expected[0])}
    assert set(weights[targets == 1]) == {np.float32(expected[1])}
    if class_weight == "balanced":
        assert weights[targets == 0].sum() == pytest.approx(weights[targets == 1].sum())
        assert weights.mean() == pytest.approx(1)


def test_labels_cannot_be_balanced_where_unlabelled_texts_are_learnt_from(tmp_path):
    balanced = Options("small_trainings:small_lstm", class_weight="balanced")
    for options, more in ((balanced, unlabelled()), (replace(balanced, short_texts=True), None)):
        with pytest.raises(OptionError) as refused:
            train(labelled(), tmp_path / "model", options, Observer(), unlabelled=more)
        assert str(refused.value) == (
            "--class-weight balanced doesn't go with --unlabelled and --short-texts, whose texts have no class"
        )
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def with_short_texts(tmp_path_factory):
    """A preset that learned from short texts too."""
    folder = tmp_path_factory.mktemp("with short texts")
    with pytest.MonkeyPatch.context() as patch:
        install_lexicons(private_folder(folder, patch), TONES)
        options = Options("small_trainings:small_lstm", short_texts=True)
        result = train(labelled(), folder / "model", options, Observer(), unlabelled=unlabelled(), pictures=False)
    return folder / "model", result


def test_a_training_with_short_texts_writes_a_calibration_and_the_coverage_that_a_text_needs(with_short_texts):
    model, _ = with_short_texts
    config = read_json(model / "config.json")
    assert config["calibration"].keys() == {"temperature", "bias", "neutral"}
    assert (config["calibration"]["bias"], config["calibration"]["neutral"]) == (0, [0.33, 0.67])
    assert config["min_coverage"] == MIN_COVERAGE
    assert (Calibration.from_preset(model).neutral, read_min_coverage(model)) == ((0.33, 0.67), MIN_COVERAGE)


def test_the_temperature_is_the_best_one_on_the_validation_part_and_the_figures_are_with_it(with_short_texts):
    model, result = with_short_texts
    validation = cut(labelled(), Options("small_trainings:small_lstm").completed()).validation
    scorer = load(model, device="cpu")
    assert evaluate(scorer.score(validation.texts), validation.labels).log_loss == pytest.approx(
        result.validation.log_loss, abs=1e-5
    )
    temperature = scorer.model.calibration.temperature
    assert temperature != 1
    scorer.model.calibration = Calibration()
    assert fit_temperature(scorer.score(validation.texts), validation.labels) == pytest.approx(
        temperature, rel=1e-4
    )


def test_what_a_teacher_taught_about_n_grams_stands_beside_the_network(with_short_texts):
    model, _ = with_short_texts
    assert read_json(model / "config.json")["ngrams"] is True
    scorer = load(model, device="cpu")
    ids = scorer.preprocessor(pa.array(["the great guys are great", "the awful guys are awful", ""]))
    (great, awful, _), shares = scorer.model.ngrams.opinion(ids)
    assert great > 0 > awful
    assert shares[0] > shares[2] == 0
    together = scorer.model.predict(ids)
    scorer.model.ngrams = None
    alone = scorer.model.predict(ids)
    assert (together[:2] != alone[:2]).all()


def test_the_metadata_and_the_card_say_how_many_short_texts_there_were(with_short_texts):
    model, _ = with_short_texts
    metadata = read_json(model / METADATA_FILE)
    assert metadata["options"]["short_texts"] is True
    assert metadata["data"]["unlabelled_texts"] > 70
    assert metadata["data"]["short_texts"] > 300
    assert f"{metadata['data']['short_texts']:,} single sentences" in (model / "README.md").read_text("utf-8")


def test_without_short_texts_scores_are_as_the_network_gives_them_and_every_language_is_read(trained):
    assert read_json(trained[0] / "config.json").keys().isdisjoint({"calibration", "min_coverage", "ngrams"})


def test_unlabelled_texts_that_only_vectors_are_made_from_are_no_short_texts(tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("the")
    train(
        labelled(), tmp_path / "model", replace(BAG, recipe="small_trainings:reading", epochs=1), Observer(),
        unlabelled=unlabelled(), stop_words=words, pictures=False,
    )  # fmt: skip
    data = read_json(tmp_path / "model" / METADATA_FILE)["data"]
    assert data["unlabelled_texts"] > 70
    assert data["short_texts"] == 0


def test_patience_is_refused_where_the_last_epoch_is_kept_whatever_it_is():
    with pytest.raises(OptionError) as refused:
        Options("lstm-80", patience=2).completed()
    assert str(refused.value) == "the recipe lstm-80 trains all of its epochs: leave --patience out"


def test_where_words_tell_nothing_scores_are_the_share_of_positive_texts_or_a_half_when_balanced(tmp_path):
    data = grouped(
        [f"the guys {row}" for row in range(200)], [0, 0, 0, 0, 1] * 40, [str(row) for row in range(200)]
    )
    means = {}
    for class_weight in ("none", "balanced"):
        options = replace(BAG, class_weight=class_weight, epochs=8)
        train(data, tmp_path / class_weight, options, Observer(), pictures=False)
        means[class_weight] = load(tmp_path / class_weight, device="cpu").score(["the guys 7"])[0]
    assert means["none"] == pytest.approx(0.2, abs=0.08)
    assert means["balanced"] == pytest.approx(0.5, abs=0.08)


def test_a_part_to_test_on_is_measured_and_its_figures_are_stored(tmp_path):
    test, validation = (
        grouped(part.texts.to_pylist(), part.labels.tolist(), [f"{name} {row}" for row in range(len(part))])
        for name, part in (("test", labelled(40, seed=9)), ("validation", labelled(60, seed=8)))
    )
    observer = Observer()
    trained = train(labelled(), tmp_path / "model", BAG, observer, test=test, validation=validation, pictures=False)
    metadata = read_json(tmp_path / "model" / METADATA_FILE)
    assert metadata["test"]["texts"] == metadata["data"]["test_texts"] == 40
    assert metadata["validation"]["texts"] == metadata["data"]["validation_texts"] == 60
    assert metadata["validation"]["accuracy"] == trained.validation.accuracy
    tested = evaluate(load(tmp_path / "model", device="cpu").score(test.texts), test.labels)
    assert metadata["test"]["accuracy"] == trained.test.accuracy == tested.accuracy
    assert metadata["data"]["validation_from_file"] is True
    assert metadata["options"]["test"] == 0
    with pytest.raises(InputError) as refused:
        validation_part(labelled(), tmp_path / "model")
    assert str(refused.value) == (
        "the model model was validated on a file of its own: evaluate on that, without --validation"
    )


def test_the_validation_part_is_found_again_where_there_was_a_limit_and_a_part_to_test_on(tmp_path):
    data, options = labelled(), Options(BAG.recipe, validation=0.4, test=0.2, limit=150, seed=5).completed()
    facts = {"data": {"sha256": data.digest()}, "options": asdict(options)}
    write_json(tmp_path / METADATA_FILE, facts)
    expected = cut(data, options).validation
    assert validation_part(data, tmp_path).texts.equals(expected.texts)
    assert 20 < len(expected) < 100


@pytest.mark.parametrize(("count", "refused"), [(15, True), (16, False)])
def test_fewer_texts_than_a_batch_are_refused(tmp_path, caught, count, refused):
    caught("prepare")
    data = grouped([f"text {row}" for row in range(count)], ([0, 1] * 8)[:count], ["a"] * count)
    validation = grouped(["great", "bad"], [1, 0], ["b", "c"])
    with pytest.raises(InputError if refused else StoppedError) as error:
        train(data, tmp_path / "model", BAG, Observer(), validation=validation)
    assert list(tmp_path.iterdir()) == []
    if refused:
        assert str(error.value) == (
            "the training part has 15 texts, less than a batch of 16: give more data, or a smaller --batch-size"
        )


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            "validation",
            "the validation part has 2 texts but not of both labels: give more data, or another --validation share",
        ),
        ("test", "the test part has 2 texts but not of both labels: give more data, or another --test share"),
    ],
)
def test_a_file_of_one_label_is_refused(tmp_path, part, message):
    with pytest.raises(InputError) as refused:
        train(labelled(), tmp_path / "model", BAG, Observer(), **{part: grouped(["a", "b"], [1, 1], ["a", "b"])})
    assert str(refused.value) == message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("source", "value", "option"),
    [
        ("unlabelled", pa.array(["great"]), "--unlabelled"),
        ("embeddings", "vectors.txt", "--embeddings"),
        ("stop_words", "words.txt", "--stopwords"),
    ],
)
def test_what_a_recipe_has_no_use_for_is_refused(tmp_path, source, value, option):
    value = tmp_path / value if isinstance(value, str) else value
    with pytest.raises(OptionError) as refused:
        train(labelled(), tmp_path / "model", BAG, Observer(), **{source: value})
    assert str(refused.value) == f"the recipe small_trainings:bag has no use for {option}: leave it out"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("recipe", "source"), [("word2vec-lstm-350", "embeddings"), ("stopwords-lstm-500", "stop_words")]
)
def test_a_file_of_vectors_or_stop_words_that_is_not_there_is_an_error(tmp_path, recipe, source):
    missing = tmp_path / "missing.txt"
    with pytest.raises(InputError) as error:
        train(labelled(), tmp_path / "model", Options(recipe), Observer(), **{source: missing})
    assert str(error.value) == f"{missing} can't be opened: No such file or directory: check the path"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_a_precision_that_needs_a_gpu_is_refused_without_one(tmp_path, monkeypatch, precision):
    monkeypatch.setattr("textsent.train.keras_sees_gpu", lambda: False)
    with pytest.raises(DeviceError) as refused:
        train(labelled(), tmp_path / "model", replace(BAG, precision=precision), Observer())
    assert str(refused.value) == (
        f"training in {precision} needs a GPU, and Keras sees none: leave --precision out"
    )
    assert list(tmp_path.iterdir()) == []


def test_unlabelled_texts_that_are_all_held_out_are_refused(tmp_path):
    test = labelled(40, seed=9)
    with pytest.raises(InputError) as refused:
        train(
            labelled(), tmp_path / "model", Options("small_trainings:small_lstm"), Observer(),
            unlabelled=test.texts, test=test,
        )  # fmt: skip
    assert str(refused.value) == (
        "the unlabelled texts are all among those held out to validate or test with: "
        "give others, or leave --unlabelled out"
    )
    assert list(tmp_path.iterdir()) == []


def test_an_unlabelled_text_that_is_null_is_left_out(tmp_path, caught):
    calls = caught("prepare")
    with pytest.raises(StoppedError):
        train(
            labelled(), tmp_path / "model", Options("small_trainings:small_lstm"), Observer(),
            unlabelled=pa.array(["guys or not", None]),
        )  # fmt: skip
    assert calls[0][1].unlabelled.to_pylist() == ["guys or not"]


def test_texts_to_validate_with_that_hold_no_words_are_refused(tmp_path):
    validation = grouped(["...", "!"], [1, 0], ["a", "b"])
    with pytest.raises(InputError) as refused:
        train(labelled(), tmp_path / "model", BAG, Observer(), validation=validation)
    assert str(refused.value) == "the texts to validate with hold no words of the vocabulary: give more data"
    assert list(tmp_path.iterdir()) == []


def test_figures_that_cannot_be_had_are_null_in_the_history_and_dashes_in_the_card(tmp_path, monkeypatch):
    def without_log_loss(scores, labels):
        return replace(evaluate(scores, labels), log_loss=float("nan"))

    monkeypatch.setattr("textsent.teaching.evaluate", without_log_loss)
    train(labelled(), tmp_path / "model", replace(BAG, epochs=1), Observer(), pictures=False)
    (epoch,) = json.loads((tmp_path / "model" / "history.json").read_text(), parse_constant=pytest.fail)
    assert epoch["validation_loss"] is None
    assert re.search(r"\n\| 1 \| 0\.\d+ \| 0\.\d+ \| – \|", (tmp_path / "model" / "README.md").read_text("utf-8"))


def test_a_loss_that_is_no_number_ends_the_training_and_leaves_nothing(tmp_path, monkeypatch):
    import keras

    def diverge(self, ids, targets, weights, return_dict):
        return {"loss": float("nan"), "accuracy": 0.5}

    monkeypatch.setattr(keras.Model, "train_on_batch", diverge)
    with pytest.raises(DivergedError) as diverged:
        train(labelled(), tmp_path / "model", BAG, Observer(), pictures=False)
    assert str(diverged.value) == (
        "the loss is nan in epoch 1, step 1: lower the recipe's learning rate, or give it a clip_norm"
    )
    assert list(tmp_path.iterdir()) == []


def test_one_file_to_validate_with_and_to_test_on_is_refused(tmp_path, monkeypatch, capsys):
    (tmp_path / "held.csv").write_text("text,label\ngreat,1\nawful,0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])
    held = ["--validation", "held.csv", "--test", "held.csv"]
    monkeypatch.setattr(sys, "argv", ["textsent", "train", "--data", "held.csv", *held])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "textsent: --validation and --test are one file, held.csv: nothing may be chosen by what it is tested on\n"
    )


def test_the_recipe_says_which_epoch_to_keep_and_the_options_how_long_to_wait_for_it(tmp_path, caught):
    calls = caught("Fitting", "teaching")
    for options in (Options("small_trainings:recurrent"), replace(BAG, patience=4, epochs=7)):
        with pytest.raises(StoppedError):
            train(labelled(), tmp_path / "model", options, Observer())
    assert [call[5:] for call in calls] == [(2, None, "loss"), (7, 4, "accuracy")]
