import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from small_trainings import Observer, bag, labelled, small_lstm, unlabelled

from textsent.checkpoint import TrainingFolder
from textsent.datasets import LabelledTexts
from textsent.errors import InputError, MissingExtraError, OptionError, PresetError
from textsent.prepare import Sources, load_prepared, prepare, save_prepared
from textsent.preprocess import Settings
from textsent.recipes import RECIPES, recipe

FIXED = replace(bag, vectors="fixed")
STOPPING = replace(
    bag, stop_words=True, settings=Settings(filters="-", removed="'!"), config=bag.config | {"unknown": "drop"}
)


def reviews(*texts):
    labels = np.arange(len(texts)) % 2
    return LabelledTexts(pa.array(texts), labels.astype(np.int8), pa.array(texts), named_groups=False)


def unlabelled_source(*texts):
    return Sources(pa.array(texts, pa.large_string()))


def prepared(chosen, training, sources=None, observer=None):
    return prepare("mine", chosen, training, sources or Sources(), 1, observer or Observer())


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
        sources.check(recipe(name), name)
        return
    with pytest.raises(OptionError) as refused:
        sources.check(recipe(name), name)
    assert str(refused.value) == f"the recipe {name} has no use for {option}: leave it out"


@pytest.mark.parametrize(
    ("name", "sources", "package", "message"),
    [
        (
            "lstm",
            Sources(pa.array(["great"])),
            "gensim",
            "--unlabelled needs the package gensim: pip install 'textsent[unlabelled]'",
        ),
        (
            "lstm",
            Sources(pa.array(["great"])),
            "sklearn",
            "--unlabelled needs the package sklearn: pip install 'textsent[unlabelled]'",
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
        sources.check(recipe(name), name)
        return
    with pytest.raises(MissingExtraError) as missing:
        sources.check(recipe(name), name)
    assert str(missing.value) == message


def test_vectors_from_a_file_need_no_package(monkeypatch, vectors):
    monkeypatch.setitem(sys.modules, "gensim", None)
    Sources(embeddings=vectors).check(recipe("word2vec-lstm-350"), "word2vec-lstm-350")


def test_a_recipe_without_sources_learns_from_the_labelled_texts_alone():
    made = prepared(bag, reviews("great guys great", "bad guys"))
    assert made.preprocessor.vocabulary == ("great", "guys", "bad")
    assert made.config == {"recipe": "mine", "vocabulary_size": 3, "embedding_size": 4, "window": 12}
    assert made.texts.to_pylist() == ["great guys great", "bad guys"]
    assert (made.targets.dtype, made.targets.tolist()) == (np.float32, [0, 1])
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
    assert made.opinions is None
    assert observer.lines == ["word vectors are trained on 3 texts"]


def test_stop_words_are_compared_with_words_that_are_in_lower_case_and_have_lost_what_is_removed(tmp_path):
    (tmp_path / "words.txt").write_text("The\ndon't\ncant\n")
    texts = reviews("I don't like the guys! Can't", "Don't! great-guys")
    made = prepared(STOPPING, texts, Sources(stop_words=tmp_path / "words.txt"))
    assert made.preprocessor.settings.stop_words == ("the", "don't", "cant")
    assert made.preprocessor.vocabulary == ("dont", "guys", "i", "like", "great")
    assert made.preprocessor(["the don't can't like", "guys"]).words.tolist() == [2, 1]


@pytest.fixture
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
        "a linear teacher reads the labelled texts and judges the unlabelled ones",
        "word vectors are trained on 340 texts",
    ]


def test_what_was_prepared_is_the_same_when_it_was_kept_but_for_the_vectors(taught, tmp_path):
    made, _ = taught
    folder = begun(tmp_path, made)
    again = load_prepared(folder, labelled(), unlabelled_source(*unlabelled().to_pylist()))
    assert again.preprocessor.vocabulary == made.preprocessor.vocabulary
    assert again.preprocessor.settings == made.preprocessor.settings
    assert again.config == made.config
    assert again.texts.to_pylist() == made.texts.to_pylist()
    for ours, theirs in ((again.targets, made.targets), (again.opinions, made.opinions)):
        np.testing.assert_array_equal(ours, theirs)
    assert again.vectors is None


def begun(tmp_path, made):
    folder = TrainingFolder(tmp_path / "model")
    folder.begin({})
    save_prepared(made, folder)
    return folder


@pytest.mark.parametrize("left", [0, 10, -1])
@pytest.mark.parametrize("name", ["opinions.npy", "config.json", "preprocessor.json"])
def test_what_was_kept_and_is_damaged_is_an_error(taught, tmp_path, name, left):
    folder = begun(tmp_path, taught[0])
    path = folder.path / name
    path.write_bytes(path.read_bytes().rstrip()[:left])
    with pytest.raises((InputError, PresetError)):
        load_prepared(folder, labelled(), unlabelled_source(*unlabelled().to_pylist()))
