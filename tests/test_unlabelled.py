import sys

import numpy as np
import pyarrow as pa
import pytest

from textsent.errors import InputError, MissingExtraError
from textsent.unlabelled import Teacher, check_extra, mean_opinion, read_unlabelled, word_vectors

GOOD = "a great film with a great cast"
BAD = "a terrible film with a terrible cast"


def test_the_teacher_judges_by_what_it_was_told():
    teacher = Teacher(pa.array([GOOD, BAD] * 20), np.array([1, 0] * 20, np.int8))
    opinions = teacher.predict(pa.array(["great", "terrible", "unheard"]))
    assert opinions.dtype == np.float32
    assert opinions[0] > 0.5 > opinions[1]


def test_the_teacher_looks_at_pairs_of_words():
    texts = pa.array(["not good", "good not", "good"] * 20)
    teacher = Teacher(texts, np.array([0, 1, 1] * 20, np.int8))
    opinions = teacher.predict(pa.array(["not good", "good not"]))
    assert opinions[0] < opinions[1]


def test_the_last_words_of_a_text_count_once_more_by_themselves():
    praise, blame = "great " + "the film " * 50, "awful " + "the film " * 50
    texts = [praise + "awful", blame + "great"]
    teacher = Teacher(pa.array(texts * 20), np.array([0, 1] * 20, np.int8))
    opinions = teacher.predict(pa.array(texts))
    assert opinions[0] < 0.4 < 0.6 < opinions[1]


OTHERS = ["great one", "great two", "terrible one", "terrible two"] * 5
IS_GREAT = np.array([True, True, False, False] * 5)
TOLD = np.where(IS_GREAT, 0.9, 0.1).astype(np.float32)


def taught():
    return Teacher(pa.array([GOOD, BAD] * 20), np.array([1, 0] * 20, np.int8), pa.array(OTHERS, pa.large_string()))


def test_an_opinion_of_the_other_texts_is_what_it_predicts_of_them():
    opinions = taught().opinions()
    np.testing.assert_allclose(opinions, taught().predict(pa.array(OTHERS)), atol=1e-6)
    np.testing.assert_array_equal(opinions > 0.5, IS_GREAT)


def test_a_teacher_without_other_texts_has_no_opinions():
    teacher = Teacher(pa.array([GOOD, BAD] * 20), np.array([1, 0] * 20, np.int8))
    assert teacher.opinions().shape == (0,)


def test_a_teacher_reconsiders_by_what_it_is_told_of_other_texts():
    agreeing, swapped = taught().reconsidered(TOLD), taught().reconsidered(1 - TOLD)
    assert (agreeing.dtype, agreeing.shape) == (np.float32, (20,))
    np.testing.assert_array_equal(agreeing > 0.5, IS_GREAT)
    np.testing.assert_array_equal(agreeing > swapped, IS_GREAT)


def test_what_a_teacher_is_told_of_a_text_doesn_t_change_what_it_thinks_of_that_text():
    before = taught().reconsidered(TOLD)
    told = TOLD.copy()
    told[0] = 0.02  # of the half that texts 0, 2, 4 … are
    after = taught().reconsidered(told)
    np.testing.assert_array_equal(after[::2], before[::2])
    assert (after[1::2] != before[1::2]).all()


def test_a_teacher_that_was_made_anew_thinks_the_same_to_the_bit():
    np.testing.assert_array_equal(taught().opinions(), taught().opinions())
    np.testing.assert_array_equal(taught().reconsidered(TOLD), taught().reconsidered(TOLD))


def test_word_vectors_are_the_same_twice_and_zero_for_a_word_unseen():
    texts = pa.array([GOOD, BAD] * 50)
    vocabulary = ["great", "terrible", "unheard"]
    vectors = word_vectors(texts, vocabulary, size=4, seed=3)
    assert vectors.shape == (3, 4)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, word_vectors(texts, vocabulary, size=4, seed=3))
    assert not vectors[2].any()
    assert vectors[0].any()


def test_a_mean_opinion_lies_between_and_skips_what_is_missing():
    one, other = np.array([0.9, 0.5, 0.2], np.float32), np.array([0.1, 0.9, np.nan], np.float32)
    np.testing.assert_allclose(mean_opinion(one, other), [0.5, 0.75, 0.2], atol=1e-6)


def test_unlabelled_texts_come_from_a_file_or_a_folder_of_text_files(tmp_path):
    (tmp_path / "more.csv").write_text("text\none\ntwo\n", "utf-8")
    folder = tmp_path / "unsup"
    folder.mkdir()
    (folder / "0_0.txt").write_text("one", "utf-8")
    (folder / "1_0.txt").write_text("two", "utf-8")
    assert read_unlabelled(tmp_path / "more.csv").to_pylist() == ["one", "two"]
    assert read_unlabelled(folder).to_pylist() == ["one", "two"]


def test_a_folder_without_text_files_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no texts"):
        read_unlabelled(tmp_path)


def test_an_unlabelled_text_that_is_not_utf8_is_an_error_that_names_it(tmp_path):
    (tmp_path / "0_0.txt").write_bytes(b"caf\xe9")
    with pytest.raises(InputError, match=r"0_0\.txt: the text is not UTF-8"):
        read_unlabelled(tmp_path)


def test_a_missing_extra_names_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "gensim", None)
    with pytest.raises(MissingExtraError) as caught:
        check_extra(teacher=True, vectors=True)
    assert str(caught.value) == "training word vectors needs the package gensim: pip install 'textsent[unlabelled]'"
    check_extra(teacher=True, vectors=False)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingExtraError) as caught:
        check_extra(teacher=True, vectors=False)
    assert str(caught.value) == "a teacher needs the package sklearn: pip install 'textsent[unlabelled]'"


def test_a_missing_extra_for_word_vectors_alone_is_another_one(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    check_extra(teacher=False, vectors=True)
    monkeypatch.setitem(sys.modules, "gensim", None)
    with pytest.raises(MissingExtraError) as caught:
        check_extra(teacher=False, vectors=True)
    assert str(caught.value) == "training word vectors needs the package gensim: pip install 'textsent[word2vec]'"
    check_extra(teacher=False, vectors=False)


@pytest.mark.parametrize("texts", [["...", "!"], [f"word{number}" for number in range(200)]])
def test_a_teacher_that_finds_nothing_to_learn_from_says_so(texts):
    teacher = Teacher(pa.array(texts), np.array([0, 1] * (len(texts) // 2), np.int8))
    with pytest.raises(InputError) as refused:
        teacher.predict(pa.array(["word1"]))
    assert str(refused.value) == (
        "the texts have no words in common that a teacher could learn from: "
        "give more of them, or leave --unlabelled and --short-texts out"
    )


def test_null_unlabelled_texts_are_left_out_and_the_column_may_be_named(tmp_path):
    (tmp_path / "more.jsonl").write_text('{"id": "a", "body": "one"}\n{"id": "b", "body": null}\n', "utf-8")
    assert read_unlabelled(tmp_path / "more.jsonl", "body").to_pylist() == ["one"]
