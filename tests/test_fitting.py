import json
import os
import signal
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_trainings import Observer

from textsent import fitting
from textsent.checkpoint import TrainingFolder
from textsent.evaluate import Evaluation
from textsent.fitting import CROP_WORDS, NARROW_WIDTHS, WIDTHS, Batches, Fitting, Observers, State, compile_network
from textsent.model import import_keras
from textsent.preprocess import WordIds
from textsent.recipes import Recipe
from textsent.windows import Layout

SIZE = 4
STEPS = 5
LAYOUTS = [
    Layout(window=6),
    Layout(window=7, long_texts="first", start=True),
    Layout(window=20, long_texts="last", unknown="drop"),
    Layout(window=6, long_texts="last", padding="before", full_width=True),
]
LENGTHS = st.lists(st.integers(0, 25), min_size=1, max_size=40).filter(any)


def word_ids(lengths):
    """Return texts of words that stand nowhere twice, so that a window is known by any of its words."""
    return WordIds(np.arange(4, 4 + sum(lengths), dtype=np.int32), np.cumsum([0, *lengths]))


def batches_of(lengths, layout, *, size=SIZE, seed=1, crops=0.0):
    windows = layout.cut(word_ids(lengths))
    targets = np.linspace(0, 1, len(lengths), dtype=np.float32)
    weights = np.linspace(1, 2, len(lengths), dtype=np.float32)
    return Batches(windows, layout, targets, weights, size, seed, crops), windows, targets, weights


def equal(some, others):
    return len(some) == len(others) and all(
        np.array_equal(one, other)
        for ours, theirs in zip(some, others, strict=True)
        for one, other in zip(ours, theirs, strict=True)
    )


@pytest.fixture(autouse=True)
def every_width(monkeypatch):
    """Lets a width of one batch stay, so that few texts have several."""
    monkeypatch.setattr(fitting, "LEAST_BATCHES", 1)


@pytest.mark.parametrize("layout", LAYOUTS)
@given(LENGTHS, st.integers(1, 5), st.integers(1, 3))
def test_an_epoch_has_every_window_once_with_its_texts_target_and_weight(layout, lengths, size, number):
    batches, windows, targets, weights = batches_of(lengths, layout, size=size)
    drawn = list(batches.of_epoch(number))
    assert len(drawn) == len(batches)
    rows = {
        tuple(windows.ids[start:end].tolist()): owner
        for start, end, owner in zip(windows.starts, windows.ends, windows.owners, strict=True)
    }
    seen = []
    for ids, wanted, weighed in drawn:
        assert (ids.dtype, wanted.dtype, weighed.dtype) == (np.int32, np.float32, np.float32)
        assert len(ids) == size
        assert (wanted.shape, weighed.shape) == ((size, 1), (size,))
        for row, (target,), weight in zip(ids.tolist(), wanted, weighed, strict=True):
            words = tuple(word for word in row if word)
            padding = (0,) * (len(row) - len(words))
            assert tuple(row) == (words + padding if layout.padding == "after" else padding + words)
            owner = rows[words]
            assert target == targets[owner]
            assert weight in (0, weights[owner])
            if weight:
                seen.append(words)
    assert sorted(seen) == sorted(rows)


@given(LENGTHS, st.integers(1, 5), st.integers(0, 2**32 - 1), st.integers(1, 100), st.data())
def test_the_order_hangs_on_seed_and_epoch_alone_and_what_is_done_is_skipped(lengths, size, seed, number, data):
    batches, *_ = batches_of(lengths, LAYOUTS[0], size=size, seed=seed)
    again, *_ = batches_of(lengths, LAYOUTS[0], size=size, seed=seed)
    whole = list(batches.of_epoch(number))
    list(again.of_epoch(number + 1))
    assert equal(list(again.of_epoch(number)), whole)
    done = data.draw(st.integers(0, len(whole)))
    assert equal(list(batches.of_epoch(number, done)), whole[done:])


def test_another_epoch_and_another_seed_have_another_order():
    batches, *_ = batches_of([6] * 40, LAYOUTS[0])
    other, *_ = batches_of([6] * 40, LAYOUTS[0], seed=2)
    first = list(batches.of_epoch(1))
    assert not equal(list(batches.of_epoch(2)), first)
    assert not equal(list(other.of_epoch(1)), first)


@given(LENGTHS, st.integers(1, 5), st.integers(1, 4))
def test_there_are_few_widths_and_all_but_the_widest_have_many_windows(lengths, size, least):
    layout = Layout(window=20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "LEAST_BATCHES", least)
        batches, windows, *_ = batches_of(lengths, layout, size=size)
    windows_of = {}
    for ids, _, weights in batches.of_epoch(1):
        windows_of[ids.shape[1]] = windows_of.get(ids.shape[1], 0) + np.count_nonzero(weights)
    assert len(windows_of) <= WIDTHS + NARROW_WIDTHS - 1
    *narrow, widest = sorted(windows_of)
    assert all(windows_of[width] >= least * size for width in narrow)
    assert (windows.ends - windows.starts).max() <= widest <= 20


def test_windows_are_padded_no_further_than_to_the_next_sixth_of_the_window():
    batches, *_ = batches_of([1, 2, 5, 11, 12], Layout(window=12), size=1)
    widths = {int(np.count_nonzero(ids)): ids.shape[1] for ids, *_ in batches.of_epoch(1)}
    assert widths == {1: 1, 2: 2, 5: 6, 11: 12, 12: 12}


def test_windows_within_the_first_sixth_are_padded_to_the_next_quarter_of_it():
    lengths = [1, 17, 18, 34, 51, 52, 67, 68, 134]
    batches, *_ = batches_of(lengths, Layout(window=400), size=1)
    widths = {int(np.count_nonzero(ids)): ids.shape[1] for ids, *_ in batches.of_epoch(1)}
    assert widths == {1: 17, 17: 17, 18: 34, 34: 34, 51: 51, 52: 68, 67: 68, 68: 134, 134: 134}


def read_words(batches, epoch):
    """Return the words that an epoch reads, by the text that they are of; each text is one window."""
    read = {}
    for ids, targets, weights in batches.of_epoch(epoch):
        for row, (target,), weight in zip(ids, targets, weights, strict=True):
            if weight:
                read[float(target)] = row[row != 0]
    return [read[target] for target in sorted(read)]


def test_a_crop_is_a_run_of_a_window_s_words_and_another_one_in_each_epoch():
    lengths = [60] * 200
    batches, *_ = batches_of(lengths, Layout(window=60), crops=0.5)
    firsts = 4 + 60 * np.arange(200)
    first, second = read_words(batches, 1), read_words(batches, 2)
    for words, start in zip(first, firsts, strict=True):
        assert CROP_WORDS - 1 <= len(words) <= 60
        assert start <= words[0] <= words[-1] < start + 60
        np.testing.assert_array_equal(np.diff(words), 1)
    cropped = [np.array([len(words) < 60 for words in read]) for read in (first, second)]
    assert all(70 < some.sum() < 130 for some in cropped)
    assert 30 < (cropped[0] & cropped[1]).sum() < 70
    lengths = np.array([len(words) for words in first])[cropped[0]]
    assert (lengths < 22).mean() == pytest.approx(0.5, abs=0.15)  # the geometric mean of 8 and 60


@given(LENGTHS, st.integers(0, 2**32 - 1), st.integers(1, 100), st.data())
def test_crops_hang_on_seed_and_epoch_alone_and_what_is_done_is_skipped(lengths, seed, number, data):
    batches, *_ = batches_of(lengths, LAYOUTS[0], seed=seed, crops=0.7)
    again, *_ = batches_of(lengths, LAYOUTS[0], seed=seed, crops=0.7)
    whole = list(batches.of_epoch(number))
    done = data.draw(st.integers(0, len(whole)))
    assert equal(list(again.of_epoch(number, done)), whole[done:])


def test_without_crops_every_word_is_read():
    batches, *_ = batches_of([60] * 20, Layout(window=60))
    assert [len(words) for words in read_words(batches, 1)] == [60] * 20


def test_targets_that_change_between_epochs_are_those_of_the_next_batches():
    batches, _, targets, _ = batches_of([3] * 8, LAYOUTS[0])
    targets[:] = 0.25
    assert all((wanted == 0.25).all() for _, wanted, _ in batches.of_epoch(1))


class Variable:
    """What a checkpoint knows of a Keras variable."""

    def __init__(self, value):
        self.value = np.array(value, np.float64)

    def __array__(self, dtype=None, copy=None):
        return self.value.copy()

    def assign(self, value):
        if np.shape(value) != self.value.shape:
            raise ValueError("another shape")
        self.value[...] = value


class FakeModel:
    """A network of one weight, whose every step depends on all steps before it, and whose optimizer averages it."""

    def __init__(self):
        self.weight, self.momentum, self.average = Variable([1.0]), Variable(0.5), Variable([1.0])
        self.variables = self.trainable_variables = [self.weight]
        self.optimizer = SimpleNamespace(
            variables=[self.momentum, self.average],
            finalize_variable_values=lambda variables: variables[0].assign(self.average),
        )
        self.trained_on = []

    def train_on_batch(self, ids, targets, weights, return_dict):
        assert return_dict
        self.trained_on.append(ids)
        self.momentum.value = np.array(self.momentum.value / 2 + (ids.sum(axis=1) * targets[:, 0] * weights).sum())
        self.weight.value = np.sin(self.weight.value + self.momentum.value)
        self.average.value = (self.average.value + self.weight.value) / 2
        right = targets[:, 0] >= 0.5
        return {"loss": (targets[:, 0] * weights).mean(), "accuracy": (right * weights).sum() / weights.sum()}

    def get_weights(self):
        return [np.array(variable) for variable in self.variables]

    def set_weights(self, weights):
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(value)


def evaluation(accuracy=0.5, log_loss=0.5):
    return Evaluation(10, 0, accuracy, 0.5, 0.5, log_loss, 0.1, ((1, 2), (3, 4)))


def fitted(path, *, epochs=3, patience=None, keep="accuracy", figures=((0.5, 0.5), (0.6, 0.6), (0.55, 0.4))):
    """Return a network that is ready to be fitted; its targets change after every epoch."""
    folder = TrainingFolder(path / "model")
    model = FakeModel()
    batches, _, targets, _ = batches_of([3] * (SIZE * STEPS - 1), LAYOUTS[0])

    def judge(number):
        targets[:] = np.sin(model.weight.value + np.arange(len(targets))) ** 2
        return evaluation(*figures[number - 1])

    fit = Fitting(model, batches, judge, folder, {"targets": targets}, epochs, patience, keep)
    if folder.exists:
        fit.load()
    else:
        folder.begin({})
        fit.save()
    return fit


def outcome(fit):
    epochs = [replace(epoch, seconds=0) for epoch in fit.state.epochs]
    fit.load_best()
    return epochs, fit.model.weight.value.tolist(), fit.arrays["targets"].tolist()


def outcome_of_the_rest(path):
    fit = fitted(path)
    fit.run(Observer())
    return outcome(fit)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "LEAST_BATCHES", 1)
        fit = fitted(tmp_path_factory.mktemp("whole"))
        fit.run(Observer())
    return outcome(fit)


EVENTS = [
    *(("step", epoch, step) for epoch in (1, 2, 3) for step in range(1, STEPS + 1)),
    *(("epoch", epoch) for epoch in (1, 2, 3)),
]  # fmt: skip


class Killed(BaseException):
    """Ends a training as a SIGKILL does: nothing is caught, nothing is tidied up."""


def die(*_):
    raise Killed


@pytest.mark.parametrize("seconds", [0, 1e9], ids=["a checkpoint a step", "a checkpoint an epoch"])
@pytest.mark.parametrize("at", EVENTS, ids=str)
def test_a_fitting_that_is_killed_anywhere_goes_on_as_if_nothing_had_happened(
    whole, tmp_path, monkeypatch, at, seconds
):
    monkeypatch.setattr(fitting, "CHECKPOINT_SECONDS", seconds)
    with pytest.raises(Killed):
        fitted(tmp_path).run(Observer(at, die))
    fit = fitted(tmp_path)
    done = len(fit.state.epochs) * STEPS + fit.state.step
    fit.run(Observer())
    assert len(fit.model.trained_on) == 3 * STEPS - done
    assert outcome(fit) == whole


@pytest.mark.parametrize("at", EVENTS, ids=str)
def test_a_fitting_that_is_interrupted_anywhere_loses_no_step(whole, tmp_path, monkeypatch, at):
    monkeypatch.setattr(fitting, "CHECKPOINT_SECONDS", 1e9)
    interrupted = fitted(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        interrupted.run(Observer(at))
    fit = fitted(tmp_path)
    assert fit.state == interrupted.state
    fit.run(Observer())
    assert len(interrupted.model.trained_on) + len(fit.model.trained_on) == 3 * STEPS
    assert outcome(fit) == whole


@pytest.mark.parametrize("name", ["save", "save_best"])
@pytest.mark.parametrize("when", ["before", "half done", "after"])
@pytest.mark.parametrize("error", [Killed, KeyboardInterrupt])
def test_a_fitting_that_ends_while_it_writes_goes_on_as_if_nothing_had_happened(
    whole, tmp_path, monkeypatch, name, when, error
):
    write = getattr(TrainingFolder, name)
    calls = []

    def interrupted(folder, *arguments):
        calls.append(arguments)
        if len(calls) != 2:  # of best epochs the second; of checkpoints the first after an epoch
            write(folder, *arguments)
            return
        if when == "after":
            write(folder, *arguments)
        if when == "half done":
            monkeypatch.setattr(os, "fsync", fail)
            write(folder, *arguments)
        raise error

    def fail(_):
        monkeypatch.undo()
        raise error

    monkeypatch.setattr(fitting, "CHECKPOINT_SECONDS", 1e9)
    monkeypatch.setattr(TrainingFolder, name, interrupted)
    with pytest.raises(error):
        fitted(tmp_path).run(Observer())
    assert len(calls) >= 2
    assert outcome_of_the_rest(tmp_path) == whole


def test_ctrl_c_in_a_step_waits_until_the_step_is_counted(whole, tmp_path, monkeypatch):
    fit = fitted(tmp_path)
    train_on_batch = fit.model.train_on_batch

    def pressed(*arguments, **settings):
        if len(fit.model.trained_on) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return train_on_batch(*arguments, **settings)

    usual = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(fit.model, "train_on_batch", pressed)
    observer = Observer()
    with pytest.raises(KeyboardInterrupt):
        fit.run(observer)
    assert signal.getsignal(signal.SIGINT) is usual
    assert fit.state.step == len(fit.model.trained_on) == 3
    assert len(observer.steps) == 2
    assert outcome_of_the_rest(tmp_path) == whole


def test_ctrl_c_while_the_best_weights_are_written_waits_until_their_epoch_is_counted(tmp_path, monkeypatch):
    def pressed(folder, model, epoch):
        os.kill(os.getpid(), signal.SIGINT)
        save_best(folder, model, epoch)

    save_best = TrainingFolder.save_best
    monkeypatch.setattr(TrainingFolder, "save_best", pressed)
    fit, observer = fitted(tmp_path), Observer()
    with pytest.raises(KeyboardInterrupt):
        fit.run(observer)
    assert [epoch.number for epoch in fit.state.epochs] == [epoch.number for epoch in observer.epochs] == [1]
    assert len(fit.model.trained_on) == STEPS


FIGURES = [(0.6, 0.5), (0.7, 0.6), (0.7, 0.4), (0.65, 0.45), (0.6, 0.4), (0.8, 0.3)]
"""Accuracy and log loss of the validation part after each of six epochs."""


@pytest.mark.parametrize(
    ("keep", "patience", "epochs", "best"),
    [
        ("accuracy", None, 6, [1, 2, 6]),
        ("accuracy", 4, 6, [1, 2, 6]),
        ("accuracy", 3, 5, [1, 2]),
        ("accuracy", 1, 3, [1, 2]),
        ("loss", None, 6, [1, 3, 6]),
        ("loss", 2, 5, [1, 3]),
        ("loss", 1, 2, [1]),
        ("last", None, 6, [1, 2, 3, 4, 5, 6]),
        ("last", 1, 6, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_the_epoch_to_keep_is_kept_and_patience_counts_from_it(tmp_path, keep, patience, epochs, best):
    class Watching(Observer):
        def epoch_done(self, epoch):
            super().epoch_done(epoch)
            weights.append(fit.model.average.value.tolist())

    weights = []
    fit, observer = fitted(tmp_path, epochs=6, patience=patience, keep=keep, figures=FIGURES), Watching()
    fit.run(observer)
    assert fit.is_over
    assert list(fit.state.epochs) == observer.epochs
    assert [epoch.number for epoch in observer.epochs] == list(range(1, epochs + 1))
    assert [epoch.number for epoch in observer.epochs if epoch.best] == best
    assert fit.state.best.number == best[-1]
    fit.load_best()
    assert fit.model.weight.value.tolist() == weights[best[-1] - 1]
    assert len(set(map(tuple, weights))) == epochs


def test_a_fitting_that_was_over_does_nothing_when_it_goes_on(tmp_path):
    fitted(tmp_path).run(Observer())
    fit, observer = fitted(tmp_path), Observer()
    fit.run(observer)
    assert (observer.steps, observer.epochs, fit.model.trained_on) == ([], [], [])


def test_the_observer_is_told_of_each_step_with_the_means_over_the_epochs_windows_so_far(tmp_path):
    fit, observer = fitted(tmp_path, epochs=1), Observer()
    drawn = list(fit.batches.of_epoch(1))
    fit.run(observer)
    assert [np.count_nonzero(weights) for *_, weights in drawn].count(SIZE) == STEPS - 1  # one batch is filled up
    targets, weights = np.empty((0, 1)), np.empty(0)
    for step, told, (_, wanted, weighed) in zip(range(1, STEPS + 1), observer.steps, drawn, strict=True):
        targets, weights = np.append(targets, wanted), np.append(weights, weighed)
        assert told[:3] == (1, step, np.count_nonzero(weighed))
        assert told[3] == pytest.approx(np.average(targets, weights=weights))  # the fake network's loss
        assert told[4] == pytest.approx(np.average(targets >= 0.5, weights=weights))
    (epoch,) = observer.epochs
    assert (epoch.loss, epoch.accuracy) == observer.steps[-1][3:]
    assert (epoch.validation_accuracy, epoch.validation_loss) == (0.5, 0.5)


def test_the_seconds_of_an_epoch_go_on_where_they_stopped(tmp_path, monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(fitting.time, "monotonic", lambda: 10.0 * next(clock))
    with pytest.raises(KeyboardInterrupt):
        fitted(tmp_path, epochs=1).run(Observer(at=("step", 1, 3)))
    spent = fitted(tmp_path, epochs=1).state.seconds
    assert spent > 0
    monkeypatch.setattr(fitting.time, "monotonic", lambda: 0.0)
    fit = fitted(tmp_path, epochs=1)
    fit.run(Observer())
    assert fit.state.epochs[0].seconds == spent


def test_a_state_is_the_same_after_it_was_json():
    state = State((fitting.Epoch(1, 0.1, 0.2, 0.3, 0.4, 0.5, True),), 3, 1.5, 2.5, 3.5, 4.5)
    assert State.from_json(json.loads(json.dumps(asdict(state)))) == state


def test_several_observers_are_told_the_same():
    several = [Observer(), Observer()]
    both = Observers(several)
    both.said("a line")
    both.began("beginning")
    both.step_done(1, 2, 3, 0.4, 0.5)
    epoch = fitting.Epoch(1, 0.1, 0.2, 0.3, 0.4, 0.5, True)
    both.epoch_done(epoch)
    for observer in several:
        assert observer.lines == ["a line"]
        assert observer.beginnings == ["beginning"]
        assert observer.steps == [(1, 2, 3, 0.4, 0.5)]
        assert observer.epochs == [epoch]


@pytest.mark.parametrize(("units", "activation"), [(1, "sigmoid"), (2, "softmax")])
def test_loss_and_accuracy_are_those_of_the_probability_of_positive_by_weight(units, activation):
    keras = import_keras()
    keras.utils.set_random_seed(3)
    ids = keras.Input((2,), dtype="int32")
    vectors = keras.layers.Flatten()(keras.layers.Embedding(9, 3, name="embedding")(ids))
    model = keras.Model(ids, keras.layers.Dense(units, activation=activation, kernel_initializer="normal")(vectors))
    recipe = Recipe(lambda config: model, {}, vocabulary_size=5, batch_size=5, learning_rate=0.25, cosine=True)
    compile_network(model, recipe, steps=4, epochs=1)
    texts = np.array([[4, 5], [6, 7], [8, 4], [5, 5], [7, 8]], np.int32)
    targets = np.array([[1], [0], [0.75], [0.5], [0.25]], np.float32)
    weights = np.array([1, 2, 0.5, 0, 1], np.float32)
    positive = np.asarray(model(texts))[:, -1]
    given = targets[:, 0]
    losses = -given * np.log(positive) - (1 - given) * np.log(1 - positive)
    figures = model.train_on_batch(texts, targets, weights, return_dict=True)
    assert figures["loss"] * 5 / weights.sum() == pytest.approx(np.average(losses, weights=weights), rel=1e-4)
    right = (positive >= 0.5) == (given >= 0.5)
    assert figures["accuracy"] == pytest.approx(np.average(right, weights=weights))
    assert 0 < figures["accuracy"] < 1
    assert float(model.optimizer.learning_rate) == pytest.approx(0.25 * (1 + np.cos(np.pi / 4)) / 2)


@pytest.mark.parametrize(("averaging", "averaged"), [(0.0, False), (0.25, False), (0.5, True), (1.0, True)])
def test_weights_are_judged_as_means_over_a_share_of_an_epoch_of_several_steps(tmp_path, averaging, averaged):
    keras = import_keras()
    keras.utils.set_random_seed(3)
    ids = keras.Input((2,), dtype="int32")
    vectors = keras.layers.Flatten()(keras.layers.Embedding(9, 3, name="embedding")(ids))
    model = keras.Model(ids, keras.layers.Dense(1, activation="sigmoid")(vectors))
    recipe = Recipe(lambda config: model, {}, vocabulary_size=5, batch_size=5, averaging=averaging)
    compile_network(model, recipe, steps=4, epochs=1)
    texts, targets = np.array([[4, 5], [6, 7]], np.int32), np.array([[1], [0]], np.float32)
    expected = None
    for _ in range(4):
        model.train_on_batch(texts, targets, np.ones(2, np.float32))
        weights = model.get_weights()
        share = 1 - 1 / (averaging * 4) if averaged and expected is not None else 0.0
        expected = [
            share * mean + (1 - share) * own for mean, own in zip(expected or weights, weights, strict=True)
        ]
    everything = [np.array(variable) for variable in (*model.variables, *model.optimizer.variables)]
    fit = Fitting(model, None, None, TrainingFolder(tmp_path / "model"), {}, 1, None, "accuracy")
    with fit._averaged():
        for mean, weight in zip(expected, model.get_weights(), strict=True):
            np.testing.assert_allclose(weight, mean, rtol=1e-5, atol=1e-7)
    for variable, value in zip((*model.variables, *model.optimizer.variables), everything, strict=True):
        np.testing.assert_array_equal(np.array(variable), value)
