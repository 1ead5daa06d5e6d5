from dataclasses import replace

import numpy as np
import pytest
from conftest import word_ids
from small_trainings import Observer, bag, small_lstm

from textsent.checkpoint import TrainingFolder
from textsent.errors import InputError
from textsent.options import Options
from textsent.preprocess import WordIds
from textsent.teaching import Lesson, fitting_of, part_of
from textsent.unlabelled import mean_opinion

LABELLED = word_ids([4, 5], [6, 7], [4, 4, 5], [6, 7, 7])
JUDGED = word_ids([4], [], [7], [4, 7], [5, 5, 6])
OPINIONS = np.array([0.8, 0.5, 0.3, 0.6, 0.4], np.float32)
CONFIG = {"vocabulary_size": 4, "recipe": "mine", **bag.config}


def joined(*several: WordIds) -> WordIds:
    """Return texts after texts."""
    return word_ids(*(part_of(texts, slice(row, row + 1)).ids for texts in several for row in range(len(texts))))


def lesson(opinions=OPINIONS, reconsidered=None, validation=LABELLED, more=()):
    texts = joined(LABELLED, *([] if opinions is None else [JUDGED]), *more)
    labels = np.array([1, 0, 1, 0], np.int8)
    targets = np.full(len(texts), 0.5, np.float32)
    targets[:4] = labels
    if opinions is not None:
        targets[4:9] = opinions = opinions.copy()
    weights = np.ones(len(texts), np.float32)
    return Lesson(texts, targets, weights, 4, opinions, validation, labels[: len(validation)], reconsidered)


@pytest.fixture
def begun(tmp_path):
    """Returns a fitting of a lesson, in one folder, at its beginning or where it was."""

    def begin(lesson, recipe=bag, config=CONFIG, starts=None, **options):
        folder = TrainingFolder(tmp_path / "model")
        if not folder.exists:
            folder.begin({})
        options = Options("small_trainings:bag", batch_size=2, **options)
        return fitting_of(recipe, config, lesson, folder, options, starts or {})

    return begin


def halfway(told):
    """A teacher that comes halfway to 0.9."""
    return ((told + 0.9) / 2).astype(np.float32)


def test_a_run_of_texts_has_their_words():
    part = part_of(joined(LABELLED, JUDGED), slice(4, 7))
    assert part.ids.tolist() == [4, 7]
    assert part.offsets.tolist() == [0, 1, 1, 2]
    assert len(part_of(LABELLED, slice(4, 4))) == 0


def test_a_network_begins_with_the_weights_that_it_is_given_and_else_with_those_of_the_seed(begun):
    table = np.arange(32, dtype=np.float32).reshape(8, 4)
    fitting = begun(lesson(), starts={"embedding": [table]}, seed=3)
    ours, dense, *_ = fitting.model.get_weights()
    np.testing.assert_array_equal(ours, table)
    fitting.folder.remove()
    again = begun(lesson(), seed=3)
    np.testing.assert_array_equal(again.model.get_weights()[1], dense)
    assert (again.model.get_weights()[0] != table).any()


def test_after_an_epoch_network_and_teacher_learn_from_each_other(begun):
    asked = []

    def reconsidered(told):
        asked.append(told)
        return halfway(told)

    given = lesson(reconsidered=reconsidered)
    fitting = begun(given, epochs=3)
    fitting.judge(1)
    own = predicted(fitting)
    (told,) = asked
    np.testing.assert_allclose(told, mean_opinion(OPINIONS, own), atol=1e-4)
    np.testing.assert_allclose(fitting.arrays["targets"][4:], mean_opinion(halfway(told), own), atol=1e-4)
    np.testing.assert_array_equal(fitting.arrays["targets"][:4], [1, 0, 1, 0])

    fitting.judge(2)
    np.testing.assert_allclose(asked[1], mean_opinion(halfway(told), own), atol=1e-4)


def predicted(fitting):
    """Return what the network, as it is, thinks of the judged texts; NaN of one without words."""
    import keras

    own = np.full(len(JUDGED), np.nan, np.float32)
    for row in np.flatnonzero(JUDGED.words):
        ids = part_of(JUDGED, slice(row, row + 1)).ids[None]
        own[row] = keras.ops.convert_to_numpy(fitting.model(ids))[0, -1]
    return own


def test_of_a_text_without_words_the_teacher_s_opinion_counts(begun):
    fitting = begun(lesson(reconsidered=halfway), epochs=3)
    fitting.judge(1)
    assert fitting.arrays["targets"][5] == pytest.approx((0.5 + 0.9) / 2)
    assert not np.isnan(fitting.arrays["targets"]).any()


def test_an_epoch_that_is_judged_again_after_an_interrupt_gives_the_same_targets(begun):
    fitting = begun(lesson(reconsidered=halfway), epochs=4)
    for epoch in (1, 2, 3):
        fitting.judge(epoch)
        targets = fitting.arrays["targets"].copy()
        fitting.save()  # as after Ctrl-C, before the epoch is over
        again = begun(lesson(reconsidered=halfway), epochs=4)
        again.judge(epoch)
        np.testing.assert_array_equal(again.arrays["targets"], targets)
        fitting.judge(epoch)
        np.testing.assert_array_equal(fitting.arrays["targets"], targets)


def test_nothing_is_reconsidered_after_the_last_epoch(begun):
    def forbidden(told):
        raise AssertionError("no epoch would learn from it")

    fitting = begun(lesson(reconsidered=forbidden), epochs=2)
    fitting.judge(2)
    np.testing.assert_array_equal(fitting.arrays["targets"], lesson().targets)


@pytest.mark.parametrize("opinions", [None, OPINIONS])
def test_without_a_teacher_that_reconsiders_targets_stay(begun, opinions):
    fitting = begun(lesson(opinions), epochs=3)
    fitting.judge(1)
    np.testing.assert_array_equal(fitting.arrays["targets"], lesson(opinions).targets)


def test_what_stands_after_the_judged_texts_keeps_its_target_and_the_lesson_is_left_as_it_is(begun):
    given = lesson(reconsidered=halfway, more=[word_ids([4], [7])])
    fitting = begun(given, epochs=3)
    fitting.judge(1)
    assert fitting.arrays["targets"][9:].tolist() == [0.5, 0.5]
    np.testing.assert_array_equal(given.targets, lesson(more=[word_ids([4], [7])]).targets)
    assert given.opinions.tolist() == pytest.approx([0.8, 0.5, 0.3, 0.6, 0.4])


def test_batches_are_of_the_targets_as_they_change(begun):
    fitting = begun(lesson(reconsidered=halfway), epochs=3)
    fitting.judge(1)
    seen = {
        float(target) for _, targets, weights in fitting.batches.of_epoch(2) for target in targets[weights > 0, 0]
    }
    assert seen == {0.0, 1.0, *fitting.arrays["targets"][[4, 6, 7, 8]].tolist()}


def test_a_whole_training_goes_on_to_the_same_weights_with_its_teacher(begun, tmp_path):
    whole = begun(lesson(reconsidered=halfway), epochs=3)
    whole.run(Observer())
    expected = whole.model.get_weights()
    whole.folder.remove()
    with pytest.raises(KeyboardInterrupt):
        begun(lesson(reconsidered=halfway), epochs=3).run(Observer(at=("step", 2, 2)))
    again = begun(lesson(reconsidered=halfway), epochs=3)
    again.run(Observer())
    for ours, theirs in zip(again.model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert [replace(epoch, seconds=0) for epoch in again.state.epochs] == [
        replace(epoch, seconds=0) for epoch in whole.state.epochs
    ]


@pytest.mark.parametrize(("short_texts", "crops"), [(False, 0.0), (True, 0.15)])
def test_windows_are_cropped_where_short_texts_are_learnt_from(begun, short_texts, crops):
    config = {"vocabulary_size": 4, "recipe": "lstm", **small_lstm.config}
    assert begun(lesson(), small_lstm, config, short_texts=short_texts).batches.crops == crops


def test_epochs_and_batches_are_the_recipe_s_where_options_leave_them_open(tmp_path):
    folder = TrainingFolder(tmp_path / "model")
    folder.begin({})
    fitting = fitting_of(bag, CONFIG, lesson(), folder, Options("small_trainings:bag"), {})
    assert (fitting.epochs, fitting.batches.size, fitting.patience) == (bag.epochs, bag.batch_size, None)


def test_texts_to_validate_with_that_hold_no_words_are_refused(begun):
    with pytest.raises(InputError) as refused:
        begun(lesson(validation=word_ids([], [])))
    assert str(refused.value) == "the texts to validate with hold no words of the vocabulary: give more data"
