import contextlib
import io
import json
import random
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from textsent import cli, load, recipes
from textsent.datasets import LabelledTexts, read_labelled
from textsent.errors import InputError, OptionError, OutputError, TextsentError
from textsent.evaluate import evaluate
from textsent.presets import METADATA_FILE, PRESET_FILES, read_json, write_json
from textsent.train import Options, check_output_folder, train, validation_part

OPTIONS = Options(epochs=2, batch_size=16, validation=0.3, patience=2, seed=4)
POSITIVE, NEGATIVE, NEITHER = ("great", "fine"), ("awful", "bad"), ("the", "it", "guys")


class Observer:
    """Keeps what it is told, and interrupts the training when told a certain step."""

    def __init__(self, interrupt_at: tuple[int, int] | None = None) -> None:
        self.beginnings: list[tuple] = []
        self.steps: list[tuple[int, int, int, float]] = []
        self.epochs = []
        self._interrupt_at = interrupt_at

    def said(self, line: str) -> None:
        pass

    def began(self, *told) -> None:
        self.beginnings.append(told)

    def step_done(self, *told) -> None:
        self.steps.append(told)
        if told[:2] == self._interrupt_at:
            raise KeyboardInterrupt

    def epoch_done(self, epoch) -> None:
        self.epochs.append(epoch)


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
    """The same training, interrupted in its second epoch, over an older preset; and its observer."""
    folder = tmp_path_factory.mktemp("interrupted")
    (folder / "model").mkdir()
    (folder / "model" / "config.json").write_text("{}")
    (folder / "model" / "of the older one.txt").touch()
    observer = Observer(interrupt_at=(2, 3))
    evaluation = train(
        read_labelled(reviews), folder / "model", OPTIONS, observer, overwrite=True, command="textsent train"
    )
    return folder / "model", observer, evaluation


def parts(reviews):
    """The two parts of the reviews; a text that is held out is not trained on under another film either."""
    training, validation = read_labelled(reviews).split(OPTIONS.validation, OPTIONS.seed)
    held_out = set(validation.texts.to_pylist())
    return training.where(np.array([text not in held_out for text in training.texts.to_pylist()])), validation


def test_training_writes_every_file_of_a_preset_and_nothing_else(trained):
    model, _, _ = trained
    assert sorted(path.name for path in model.iterdir()) == sorted(PRESET_FILES)
    assert [path.name for path in model.parent.iterdir()] == ["model"]


def test_the_metadata_say_how_on_what_and_with_what_result_the_model_was_trained(trained, reviews):
    metadata = read_json(trained[0] / METADATA_FILE)
    assert set(metadata) == {
        "command", "created", "minutes", "hardware", "versions", "options", "data", "history", "validation",
    }  # fmt: skip
    assert metadata["command"].startswith(f"textsent train --data {reviews} --output ")
    assert metadata["options"] == {
        "recipe": "lstm", "epochs": 2, "batch_size": 16, "validation": 0.3, "patience": 2, "seed": 4,
    }  # fmt: skip
    data = read_labelled(reviews)
    training, validation = parts(reviews)
    assert metadata["data"] == {
        "sha256": data.digest(),
        "training_texts": len(training),
        "unlabelled_texts": 0,
        "validation_texts": len(validation),
        "cut_by_group": True,
    }
    assert {"python", "textsent", "keras", "onnxruntime"} <= set(metadata["versions"])
    assert set(metadata["hardware"]) == {"machine", "cores", "gpu"}
    assert [epoch["number"] for epoch in metadata["history"]] == [1, 2]
    assert metadata["history"][0]["best"] is True
    assert metadata["created"].endswith("+00:00")


def test_a_text_that_is_held_out_is_not_trained_on_under_another_film(trained, reviews):
    training, _ = read_labelled(reviews).split(OPTIONS.validation, OPTIONS.seed)
    assert read_json(trained[0] / METADATA_FILE)["data"]["training_texts"] < len(training)


def test_the_network_learns_what_there_is_to_learn(trained):
    metadata = read_json(trained[0] / METADATA_FILE)
    assert metadata["validation"]["accuracy"] == metadata["validation"]["auc"] == 1
    assert metadata["history"][1]["loss"] < metadata["history"][0]["loss"]
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
    assert f"The best epoch, now in {model}, on the validation part:" in err.splitlines()


def test_the_vocabulary_holds_the_most_frequent_words_of_the_training_part_alone(trained, reviews):
    training, _ = parts(reviews)
    words = " ".join(training.texts.to_pylist()).split()
    vocabulary = (trained[0] / "vocabulary.txt").read_text().split()
    assert len(vocabulary) == 6
    assert [words.count(word) for word in vocabulary] == sorted(map(words.count, set(words)), reverse=True)[:6]


def test_an_interrupt_after_the_first_epoch_keeps_the_best_one(interrupted):
    model, observer, evaluation = interrupted
    metadata = read_json(model / METADATA_FILE)
    assert [epoch["number"] for epoch in metadata["history"]] == [1]
    assert metadata["command"] == "textsent train"
    assert metadata["validation"]["accuracy"] == evaluation.accuracy
    assert [epoch.number for epoch in observer.epochs] == [1]


def test_a_preset_that_is_trained_over_is_gone(interrupted):
    model, _, _ = interrupted
    assert sorted(path.name for path in model.iterdir()) == sorted(PRESET_FILES)
    assert [path.name for path in model.parent.iterdir()] == ["model"]


def test_training_again_with_the_same_seed_gives_the_same_scores(trained, interrupted):
    history = read_json(trained[0] / METADATA_FILE)["history"]
    assert history[0]["validation_accuracy"] == 1  # so both presets hold the first epoch's weights
    assert read_json(interrupted[0] / METADATA_FILE)["history"][0]["loss"] == history[0]["loss"]
    texts = ["great", "bad it the", "the guys it awful fine great", "the unknown guys are great " * 4]
    once, again = (load(model, device="cpu").score(texts) for model in (trained[0], interrupted[0]))
    np.testing.assert_array_equal(once, again)
    assert once.std() > 0.01


def test_the_observer_is_told_of_each_step_and_epoch(interrupted, reviews):
    _, observer, _ = interrupted
    training, validation = parts(reviews)
    ((texts, validated, words, steps),) = observer.beginnings
    assert texts == len(training)
    assert validated.texts.equals(validation.texts)
    assert words == 6
    assert [step[:3] for step in observer.steps] == [
        *((1, step, 16 * step) for step in range(1, steps + 1)), (2, 1, 16), (2, 2, 32), (2, 3, 48),
    ]  # fmt: skip
    assert all(np.isfinite(loss) for *_, loss in observer.steps)


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


def test_an_interrupt_before_the_first_epoch_is_over_leaves_nothing(reviews, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(read_labelled(reviews), tmp_path / "model", OPTIONS, Observer(interrupt_at=(1, 1)))
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


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    with pytest.raises(OutputError) as homeless:
        check_output_folder(tmp_path / "nowhere" / "model", overwrite=False)
    assert str(homeless.value) == (
        f"{tmp_path / 'nowhere' / 'model'} can't be written: there is no folder {tmp_path / 'nowhere'}"
    )


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1] * 40, "the training part has 31 texts but not of both labels"),
        ([0] * 40, "the training part has 31 texts but not of both labels"),
        ([1, 0], "the validation part has 0 texts but not of both labels"),
    ],
)
def test_data_without_both_labels_on_both_sides_are_refused(tmp_path, labels, message):
    data = grouped(["great"] * len(labels), labels, [str(row) for row in range(len(labels))])
    with pytest.raises(InputError) as refused:
        train(data, tmp_path / "model", OPTIONS, Observer())
    assert str(refused.value) == f"{message}: give more data, or another --validation share"
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
    assert str(refused.value) == "there is no recipe 'gru': choose one of lstm"


def test_batches_are_full_of_windows_with_their_texts_label_and_padding_on_the_right(tiny_recipe):
    from textsent.preprocess import WordIds
    from textsent.train import _Batches

    lengths = [1, 2, 3, 12, 20, 0, 6, 5]
    ids = WordIds(np.arange(4, 4 + sum(lengths), dtype=np.int32), np.cumsum([0, *lengths]))
    targets = np.linspace(0, 1, len(lengths), dtype=np.float32)
    batches = _Batches(ids, targets, window=6, size=4, seed=1)
    owner = {word: text for text, (start, end) in enumerate(pairwise(ids.offsets)) for word in ids.ids[start:end]}
    for _ in range(2):
        seen = set()
        drawn = list(batches.shuffled())
        assert len(drawn) == len(batches)
        for padded, wanted in drawn:
            assert padded.dtype == np.int32
            assert wanted.dtype == np.float32
            assert padded.shape[0] == len(wanted) == 4
            assert wanted.shape[1] == 1
            for row, (target,) in zip(padded.tolist(), wanted, strict=True):
                words = [word for word in row if word]
                assert row == words + [0] * (len(row) - len(words))
                assert words == list(range(words[0], words[0] + len(words)))
                assert target == targets[owner[words[0]]]
                seen.update(words)
        assert seen == set(ids.ids.tolist())
