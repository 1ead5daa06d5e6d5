import re
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from nltk_files import go_offline, install_lexicons, private_folder
from small_trainings import TONES, Observer, bag, labelled, small_lstm, unlabelled

from textsent.checkpoint import TrainingFolder
from textsent.datasets import LabelledTexts
from textsent.errors import InputError, MissingExtraError, OptionError, PresetError
from textsent.options import Options
from textsent.parts import Parts
from textsent.prepare import MADE_WEIGHT, SHORT_WEIGHT, Sources, load_prepared, prepare, save_prepared
from textsent.preprocess import Settings
from textsent.recipes import RECIPES, recipe
from textsent.short_texts import EMOJI_TONES

FIXED = replace(bag, vectors="fixed")
STOPPING = replace(
    bag, stop_words=True, settings=Settings(filters="-", removed="'!"), config=bag.config | {"unknown": "drop"}
)


def reviews(*texts):
    labels = np.arange(len(texts)) % 2
    return LabelledTexts(pa.array(texts), labels.astype(np.int8), pa.array(texts), named_groups=False)


def unlabelled_source(*texts):
    return Sources(pa.array(texts, pa.large_string()))


def parts_of(training):
    return Parts(training, labelled(8, seed=9), None)


def prepared(chosen, training, sources=None, observer=None, **options):
    """Return what is prepared for a recipe that goes by the name of lstm."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textsent.prepare.recipe", lambda name: chosen)
        options = Options("lstm", **options)
        return prepare(parts_of(training), sources or Sources(), options, observer or Observer())


@pytest.fixture
def vectors(tmp_path):
    """A file of word vectors, some of which are of no use."""
    path = tmp_path / "vectors.txt"
    path.write_text("4 3\nguys 1 2 3\nnever 4 5 6\ngreat 7 8 9\nGreat 0 0 0\n")
    return path


USES = {
    "lstm": {"--unlabelled"},
    "word2vec-lstm-350": {"--unlabelled", "--embeddings"},
    "lstm-80": set(),
    "mlp-500": set(),
    "cnn-500": set(),
    "stacked-lstm-256": set(),
    "stopwords-lstm-500": {"--stopwords"},
}


def test_every_recipe_says_what_it_has_a_use_for():
    assert USES.keys() == RECIPES.keys()


@pytest.mark.parametrize("name", USES)
@pytest.mark.parametrize("option", ["--unlabelled", "--embeddings", "--stopwords"])
def test_a_source_that_a_recipe_has_no_use_for_is_refused(tmp_path, name, option):
    match option:
        case "--unlabelled":
            sources = Sources(unlabelled=pa.array(["great"]))
        case "--embeddings":
            sources = Sources(embeddings=tmp_path / "vectors.txt")
        case _:
            sources = Sources(stop_words=tmp_path / "words.txt")
    if option in USES[name]:
        sources.check(recipe(name), Options(name))
        return
    with pytest.raises(OptionError) as refused:
        sources.check(recipe(name), Options(name))
    assert str(refused.value) == f"the recipe {name} has no use for {option}: leave it out"


@pytest.mark.parametrize("name", [name for name, own in RECIPES.items() if not own.teacher])
def test_a_recipe_without_a_teacher_has_no_use_for_short_texts(name):
    with pytest.raises(OptionError) as refused:
        Sources().check(recipe(name), Options(name, short_texts=True))
    assert str(refused.value) == f"the recipe {name} has no use for --short-texts: leave it out"


def test_short_texts_alone_need_a_teacher_but_no_word_vectors(monkeypatch):
    monkeypatch.setitem(sys.modules, "gensim", None)
    Sources().check(recipe("lstm"), Options("lstm", short_texts=True))
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingExtraError) as missing:
        Sources().check(recipe("lstm"), Options("lstm", short_texts=True))
    assert str(missing.value) == "a teacher needs the package sklearn: pip install 'textsent[unlabelled]'"


@pytest.mark.parametrize(
    ("name", "sources", "package", "message"),
    [
        (
            "lstm",
            Sources(pa.array(["great"])),
            "gensim",
            "training word vectors needs the package gensim: pip install 'textsent[unlabelled]'",
        ),
        (
            "lstm",
            Sources(pa.array(["great"])),
            "sklearn",
            "a teacher needs the package sklearn: pip install 'textsent[unlabelled]'",
        ),
        (
            "word2vec-lstm-350",
            Sources(),
            "gensim",
            "training word vectors needs the package gensim: pip install 'textsent[word2vec]'",
        ),
        ("lstm", Sources(), "gensim", None),
        ("word2vec-lstm-350", Sources(), "sklearn", None),
        ("word2vec-lstm-350", Sources(pa.array(["great"])), "sklearn", None),
    ],
)
def test_a_package_that_a_source_needs_is_named_before_anything_is_read(
    monkeypatch, name, sources, package, message
):
    monkeypatch.setitem(sys.modules, package, None)
    if message is None:
        sources.check(recipe(name), Options(name))
        return
    with pytest.raises(MissingExtraError) as missing:
        sources.check(recipe(name), Options(name))
    assert str(missing.value) == message


def test_vectors_from_a_file_need_no_package(monkeypatch, vectors):
    monkeypatch.setitem(sys.modules, "gensim", None)
    Sources(embeddings=vectors).check(recipe("word2vec-lstm-350"), Options("word2vec-lstm-350"))


def test_a_recipe_without_sources_learns_from_the_labelled_texts_alone():
    made = prepared(bag, reviews("great guys great", "bad guys"))
    assert made.preprocessor.vocabulary == ("great", "guys", "bad")
    assert made.config == {"recipe": "lstm", "vocabulary_size": 3, "embedding_size": 4, "window": 12}
    assert made.texts.to_pylist() == ["great guys great", "bad guys"]
    assert (made.targets.dtype, made.targets.tolist()) == (np.float32, [0, 1])
    assert (made.weights.dtype, made.weights.tolist()) == (np.float32, [1, 1])
    assert made.opinions is None
    assert made.vectors is None


def test_a_vocabulary_is_no_larger_than_the_recipe_says():
    made = prepared(replace(bag, vocabulary_size=2), reviews("great guys great", "bad guys"))
    assert made.preprocessor.vocabulary == ("great", "guys")
    assert made.config["vocabulary_size"] == 2


@pytest.mark.parametrize("sources", [Sources(), unlabelled_source("", "!!!")])
def test_texts_that_hold_no_words_are_refused(sources):
    chosen = replace(small_lstm, teacher=False) if sources.unlabelled is not None else bag
    with pytest.raises(InputError) as refused:
        prepared(chosen, reviews("...", ""), sources)
    assert str(refused.value) == "the texts to train on hold no words"


def test_vectors_from_a_file_are_those_of_the_vocabulary_and_say_how_long_they_are(vectors):
    observer = Observer()
    made = prepared(FIXED, reviews("great guys great", "bad guys"), Sources(embeddings=vectors), observer)
    assert made.preprocessor.vocabulary == ("great", "guys")
    assert made.vectors.tolist() == [[7, 8, 9], [1, 2, 3]]
    assert (made.config["vocabulary_size"], made.config["embedding_size"]) == (2, 3)
    assert observer.lines == [f"word vectors are read from {vectors}"]


def test_only_as_many_vectors_as_the_vocabulary_may_have_are_kept_and_words_without_one_do_not_count(vectors):
    chosen = replace(FIXED, vocabulary_size=1)
    made = prepared(chosen, reviews("bad bad bad", "guys great great"), Sources(embeddings=vectors))
    assert made.preprocessor.vocabulary == ("great",)
    assert made.vectors.tolist() == [[7, 8, 9]]


def test_without_a_file_vectors_are_trained_on_labelled_and_unlabelled_texts():
    observer = Observer()
    made = prepared(
        FIXED, reviews("great guys " * 9, "bad guys " * 9), unlabelled_source("awful guys " * 9), observer
    )
    assert set(made.preprocessor.vocabulary) == {"guys", "great", "bad", "awful"}
    assert made.vectors.shape == (4, 4)
    assert made.vectors.any(axis=1).all()
    assert made.texts.to_pylist() == ["great guys " * 9, "bad guys " * 9]
    assert (len(made.targets), len(made.weights)) == (2, 2)
    assert made.opinions is None
    assert made.teacher is None
    assert observer.lines == ["word vectors are trained on 3 texts"]


def test_stop_words_are_compared_with_words_that_are_in_lower_case_and_have_lost_what_is_removed(tmp_path):
    (tmp_path / "words.txt").write_text("The\ndon't\ncant\n")
    texts = reviews("I don't like the guys! Can't", "Don't! great-guys")
    made = prepared(STOPPING, texts, Sources(stop_words=tmp_path / "words.txt"))
    assert made.preprocessor.settings.stop_words == ("the", "don't", "cant")
    assert made.preprocessor.vocabulary == ("dont", "guys", "i", "like", "great")
    assert made.preprocessor(["the don't can't like", "guys"]).words.tolist() == [2, 1]


@pytest.fixture(scope="module")
def taught():
    observer = Observer()
    return prepared(small_lstm, labelled(), unlabelled_source(*unlabelled().to_pylist()), observer), observer


def test_a_teacher_judges_the_unlabelled_texts_which_are_trained_on_after_the_labelled_ones(taught):
    made, observer = taught
    data = labelled()
    assert made.texts.to_pylist() == data.texts.to_pylist() + unlabelled().to_pylist()
    assert made.targets[: len(data)].tolist() == data.labels.tolist()
    assert made.targets[len(data) :].tolist() == made.opinions.tolist()
    assert 0 < made.opinions.min() < 0.4 < 0.6 < made.opinions.max() < 1
    assert made.vectors.shape == (len(made.preprocessor.words), 4)
    assert observer.lines == [
        "a linear teacher reads the labelled texts and judges the others",
        "word vectors are trained on 340 texts",
    ]


@pytest.fixture(scope="module")
def with_short_texts(tmp_path_factory):
    observer = Observer()
    with pytest.MonkeyPatch.context() as patch:
        install_lexicons(private_folder(tmp_path_factory.mktemp("lexicons"), patch), TONES)
        sources = unlabelled_source(*unlabelled().to_pylist())
        return prepared(small_lstm, labelled(), sources, observer, short_texts=True), observer


def test_short_texts_stand_after_the_others_with_targets_of_their_own_and_less_weight(taught, with_short_texts):
    (before, _), (made, observer) = taught, with_short_texts
    whole, short = len(before.texts), len(made.short_texts(parts_of(labelled())))
    assert made.texts.to_pylist()[:whole] == before.texts.to_pylist()
    assert short > 300
    assert len(made.texts) == whole + short
    found = int(re.search(r"judge (\d+) single", observer.lines[-1])[1])
    assert made.weights.tolist() == [1] * whole + [np.float32(SHORT_WEIGHT)] * found + [MADE_WEIGHT] * (
        short - found
    )
    np.testing.assert_array_equal(made.targets[:whole], before.targets)
    assert made.targets.dtype == np.float32
    assert 0 <= made.targets.min() < 0.1 < 0.9 < made.targets.max() <= 1


def test_a_sentence_of_one_tone_is_judged_so_by_teacher_and_lexicons(with_short_texts):
    made, _ = with_short_texts
    judged = dict(
        zip(made.texts.to_pylist()[len(labelled()) + len(unlabelled()) :], made.targets[340:], strict=True)
    )
    for text, target in judged.items():
        words = set(text.lower().split())
        if words <= {"the", "it", "guys", "great", "fine"} and words & {"great", "fine"}:
            assert target > 0.5, text
        if words <= {"the", "it", "guys", "awful", "bad"} and words & {"awful", "bad"}:
            assert target < 0.5, text


def test_the_vocabulary_has_the_words_of_lexicons_emoji_and_made_sentences_after_its_own(taught, with_short_texts):
    (before, _), (made, _) = taught, with_short_texts
    known = made.preprocessor.vocabulary
    assert known[: len(before.preprocessor.vocabulary)] == before.preprocessor.vocabulary
    assert {*TONES, *EMOJI_TONES, "parcel", "regards"} <= set(known)
    assert len(known) == len(set(known)) == made.config["vocabulary_size"]


def test_the_last_value_of_a_word_s_vector_is_its_tone(taught, with_short_texts):
    made, _ = with_short_texts
    last = dict(zip(made.preprocessor.vocabulary, made.vectors[:, -1].tolist(), strict=True))
    expected = {"great": 0.45, "hate": -0.405, "the": 0, "parcel": 0, "😀": 0.375, "😡": -0.375, "😐": 0}
    assert {word: last[word] for word in expected} == pytest.approx(expected)


def test_the_same_seed_prepares_the_same_and_another_other_sentences(with_short_texts, tmp_path, monkeypatch):
    install_lexicons(private_folder(tmp_path, monkeypatch), TONES)
    sources = unlabelled_source(*unlabelled().to_pylist())
    made, _ = with_short_texts
    again = prepared(small_lstm, labelled(), sources, short_texts=True)
    assert again.texts.to_pylist() == made.texts.to_pylist()
    assert again.preprocessor.vocabulary == made.preprocessor.vocabulary
    for name in ("targets", "weights", "opinions", "vectors"):
        np.testing.assert_array_equal(getattr(again, name), getattr(made, name))
    other = prepared(small_lstm, labelled(), sources, short_texts=True, seed=2)
    assert other.texts.to_pylist() != made.texts.to_pylist()


def test_short_texts_without_unlabelled_ones_are_judged_too_and_vectors_stay_random(tmp_path, monkeypatch):
    install_lexicons(private_folder(tmp_path, monkeypatch), TONES)
    made = prepared(small_lstm, labelled(), short_texts=True)
    assert made.opinions is None
    assert made.vectors is None
    short = made.short_texts(parts_of(labelled()))
    assert len(made.texts) == len(made.targets) == len(labelled()) + len(short)
    assert len(short) > 200


def test_of_texts_too_short_for_sentences_there_are_made_ones_alone(tmp_path, monkeypatch):
    install_lexicons(private_folder(tmp_path, monkeypatch), TONES)
    training = reviews(*["bad guys", "great guys"] * 10)
    made = prepared(small_lstm, training, short_texts=True)
    assert len(made.short_texts(parts_of(training))) == 100  # five a text
    assert len(made.texts) == len(made.targets) == len(made.weights) == 120


def test_short_texts_without_lexicons_say_how_to_get_them(tmp_path, monkeypatch):
    private_folder(tmp_path, monkeypatch)
    go_offline(monkeypatch)
    with pytest.raises(InputError) as missing:
        prepared(small_lstm, labelled(), short_texts=True)
    message = str(missing.value)
    assert message.startswith("VADER's ratings of words aren't installed and can't be downloaded: ")
    assert "run `python -m nltk.downloader vader_lexicon` on a machine with a network" in message
    assert message.endswith("or leave --short-texts out")


@pytest.mark.parametrize("which", ["taught", "with_short_texts"])
def test_what_was_prepared_is_the_same_when_it_was_kept_but_for_the_vectors(request, which, tmp_path):
    made, _ = request.getfixturevalue(which)
    folder = begun(tmp_path, made)
    again = loaded(folder)
    assert again.preprocessor.vocabulary == made.preprocessor.vocabulary
    assert again.preprocessor.settings == made.preprocessor.settings
    assert again.config == made.config
    assert again.texts.to_pylist() == made.texts.to_pylist()
    for name in ("targets", "weights", "opinions"):
        np.testing.assert_array_equal(getattr(again, name), getattr(made, name))
    assert again.vectors is None
    np.testing.assert_array_equal(
        again.teacher.reconsidered(made.opinions), made.teacher.reconsidered(made.opinions)
    )


def test_unlabelled_texts_that_nobody_judges_are_not_trained_on_after_an_interrupt_either(tmp_path):
    training, sources = reviews("great guys " * 9, "bad guys " * 9), unlabelled_source("awful guys " * 9)
    made = prepared(FIXED, training, sources)
    folder = begun(tmp_path, made, training)
    again = load_prepared(folder, parts_of(training), sources, Options("small_trainings:bag"))
    assert again.texts.to_pylist() == made.texts.to_pylist()
    assert again.opinions is None


def begun(tmp_path, made, training=None):
    folder = TrainingFolder(tmp_path / "model")
    folder.begin({})
    save_prepared(made, parts_of(training or labelled()), folder)
    return folder


def loaded(folder):
    sources = unlabelled_source(*unlabelled().to_pylist())
    return load_prepared(folder, parts_of(labelled()), sources, Options("small_trainings:small_lstm"))


@pytest.mark.parametrize("left", [0, 10, -1])
@pytest.mark.parametrize("name", ["prepared.npz", "short.parquet", "config.json", "preprocessor.json"])
def test_what_was_kept_and_is_damaged_is_an_error(taught, tmp_path, name, left):
    folder = begun(tmp_path, taught[0])
    path = folder.path / name
    path.write_bytes(path.read_bytes().rstrip()[:left])
    with pytest.raises((InputError, PresetError)):
        loaded(folder)


def test_a_file_that_is_of_another_training_or_missing_is_an_error(taught, tmp_path):
    folder = begun(tmp_path, taught[0])
    folder.save_arrays("prepared.npz", {"targets": taught[0].targets, "opinions": taught[0].opinions})
    with pytest.raises(InputError, match=r"prepared\.npz is missing or damaged: begin anew with --overwrite"):
        loaded(folder)
    (folder.path / "prepared.npz").unlink()
    with pytest.raises(InputError, match=r"prepared\.npz is missing or damaged: begin anew with --overwrite"):
        loaded(folder)
