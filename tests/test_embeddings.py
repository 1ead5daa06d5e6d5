import bz2
import errno
import gzip
import pickle
import struct
import sys
from contextlib import nullcontext

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from textsent import embeddings
from textsent.embeddings import MAX_SIZE, read_vectors
from textsent.errors import InputError, MissingExtraError

VECTORS = {"the": [1.0, -2.5, 0.125], "Great": [0.0, 3e-5, 7.0], "café": [-1.0, 0.5, 1e30]}


def binary(vectors, newline=b"\n", count=None, size=None):
    """word2vec's binary format; the words may be bytes."""
    size = len(next(iter(vectors.values()))) if size is None else size
    lines = [b"%d %d\n" % (len(vectors) if count is None else count, size)]
    for word, values in vectors.items():
        lines += [encoded(word), b" ", struct.pack(f"<{len(values)}f", *values), newline]
    return b"".join(lines)


def text(vectors, end=b"\n", header=True, count=None):
    """word2vec's text format, or GloVe's without a header."""
    size = len(next(iter(vectors.values())))
    lines = [b"%d %d" % (len(vectors) if count is None else count, size)] if header else []
    lines += [b" ".join([encoded(word), *(repr(value).encode() for value in vectors[word])]) for word in vectors]
    return b"".join(line + end for line in lines)


def encoded(word):
    return word if isinstance(word, bytes) else word.encode()


def glove(vectors):
    return text(vectors, header=False)


FORMATS = {"binary": binary, "text": text, "glove": glove}
each_format = pytest.mark.parametrize("write", FORMATS.values(), ids=FORMATS)


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "some.file"
        path.write_bytes(content)
        return path

    return write


def assert_read(path, vectors, words=None):
    """Check that the words asked for, by default all, have these vectors in their order."""
    found, values = read_vectors(path, list(vectors) if words is None else words)
    assert found == list(vectors)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, np.array(list(vectors.values()), np.float32))


def failure(path, words=("the",)):
    with pytest.raises(InputError) as caught:
        read_vectors(path, words)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(str(path))


@each_format
@pytest.mark.parametrize(
    "compress",
    [bytes, gzip.compress, bz2.compress, lambda content: pa.compress(content, "zstd", asbytes=True)],
    ids=["plain", "gzip", "bzip2", "zstandard"],
)
def test_each_format_is_told_by_its_content_compressed_or_not(file, write, compress):
    assert_read(file(compress(write(VECTORS))), VECTORS)


@pytest.mark.parametrize("newline", [b"\n", b""], ids=["as word2vec writes", "as gensim writes"])
def test_a_binary_vector_may_end_in_a_newline(file, newline):
    assert_read(file(binary(VECTORS, newline)), VECTORS)


@pytest.mark.parametrize("end", [b"\n", b" \n", b"\r\n", b"\t\n"])
@pytest.mark.parametrize("header", [True, False])
def test_lines_may_end_in_white_space(file, end, header):
    assert_read(file(text(VECTORS, end, header)), VECTORS)


@pytest.mark.parametrize("content", [text(VECTORS), glove(VECTORS)], ids=["word2vec", "GloVe"])
def test_the_last_line_needs_no_end_and_empty_lines_are_none(file, content):
    assert_read(file(content[:-1]), VECTORS)
    assert_read(file(content + b"\n \n"), VECTORS)


def test_values_may_be_parted_by_tabs(file):
    assert_read(file(b"the\t1\t2\nof\t3\t4\n"), {"the": [1, 2], "of": [3, 4]})


@each_format
def test_words_come_in_the_order_they_were_asked_for_without_those_that_are_not_there(file, write):
    words = ["nowhere", "café", "", "the", "café", "great"]
    assert_read(file(write(VECTORS)), {word: VECTORS[word] for word in ("café", "the")}, words)


@each_format
def test_words_are_the_same_only_to_the_letter(file, write):
    path = file(write(VECTORS))
    assert read_vectors(path, ["Great", "great", "The", "the", "cafe\u0301"])[0] == ["Great", "the"]


@each_format
def test_of_a_word_that_a_file_has_twice_the_first_counts(file, write):
    content = write({"the": [1.0, 2.0], "eht": [3.0, 4.0]}).replace(b"eht", b"the")
    assert_read(file(content), {"the": [1.0, 2.0]})


@each_format
def test_words_that_are_not_utf8_are_passed_over(file, write):
    vectors = {b"caf\xe9": [1.0, 2.0], b"\xed\xa0\x80": [3.0, 4.0], "the": [5.0, 6.0]}
    words = ["caf\xe9", "caf\udce9", "\ud800", "\ufffd", "the"]
    assert_read(file(write(vectors)), {"the": [5.0, 6.0]}, words)


def test_words_with_spaces_in_them_as_one_of_glove_s_files_has(file):
    path = file(b"the 1 2\n. . . 3 4\nat name@domain.com 5 6\n. . . . 7 8\n")
    words = ["at name@domain.com", ". . .", "at", "."]
    assert_read(path, {"at name@domain.com": [5, 6], ". . .": [3, 4]}, words)


def test_words_with_unusual_white_space_stay_whole(file):
    vectors = {"a\u00a0b": [1.0, 2.0], "a\u2028b": [3.0, 4.0], "a\x1cb": [5.0, 6.0]}
    assert_read(file(glove(vectors)), vectors)


def test_a_number_may_be_a_word(file):
    assert_read(file(b"3 2\n1 5 6\n2.5 7 8\nnan 9 1\n"), {"1": [5, 6], "2.5": [7, 8], "nan": [9, 1]})


@each_format
@pytest.mark.parametrize("buffer", [30, 31, 64, 1000])
def test_where_a_buffer_ends_makes_no_difference(file, monkeypatch, write, buffer):
    monkeypatch.setattr(embeddings, "_BUFFER", buffer)
    vectors = {f"word{number}": [float(number), 0.5] for number in range(50)}
    assert_read(file(write(vectors)), vectors)


finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
a_word = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)


def drawn_vectors(sizes):
    return sizes.flatmap(
        lambda size: st.dictionaries(a_word, st.lists(finite, min_size=size, max_size=size), min_size=1, max_size=5)
    )


@given(vectors=drawn_vectors(st.integers(1, 12)), newline=st.sampled_from([b"\n", b""]))
@example(vectors={"a": [struct.unpack("<f", b"AAAA")[0]]}, newline=b"\n")
@example(vectors={"a": [struct.unpack("<f", b"\n \n ")[0]] * 3, "b": [0.0, 1.0, 2.0]}, newline=b"")
def test_what_was_written_in_binary_is_read(tmp_path_factory, vectors, newline):
    path = tmp_path_factory.mktemp("vectors") / "vectors.bin"
    path.write_bytes(binary(vectors, newline))
    assert_read(path, vectors)


@given(vectors=drawn_vectors(st.integers(1, 12)), end=st.sampled_from([b"\n", b" \n"]))
def test_what_was_written_as_text_is_read(tmp_path_factory, vectors, end):
    path = tmp_path_factory.mktemp("vectors") / "vectors.txt"
    path.write_bytes(text(vectors, end))
    assert_read(path, vectors)


@given(vectors=drawn_vectors(st.integers(2, 12)))
def test_what_was_written_without_a_header_is_read(tmp_path_factory, vectors):
    path = tmp_path_factory.mktemp("vectors") / "vectors.txt"
    path.write_bytes(glove(vectors))
    assert_read(path, vectors)


@given(
    content=st.binary(max_size=200)
    | st.builds(lambda end: b"2 3\n" + end, st.binary(max_size=60))
    | st.builds(
        lambda content, place, byte: content[:place] + bytes([byte]) + content[place + 1 :],
        st.sampled_from([text(VECTORS), binary(VECTORS), glove(VECTORS), gzip.compress(text(VECTORS))]),
        st.integers(0, 100),
        st.integers(0, 255),
    )
)
def test_a_damaged_file_gives_vectors_or_an_error_that_names_it(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("vectors") / "damaged"
    path.write_bytes(content)
    try:
        found, values = read_vectors(path, list(VECTORS))
    except InputError as exc:
        assert str(path) in str(exc)  # noqa: PT017 - not every damage is an error
    else:
        assert values.shape[0] == len(found) > 0
        assert np.isfinite(values).all()


def test_a_missing_file_and_a_folder_are_errors(tmp_path):
    assert failure(tmp_path / "none") == " can't be opened: No such file or directory: check the path"
    assert failure(tmp_path) == " can't be opened: Is a directory: check the path"


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (b"", "it is empty"),
        (b"\n", r"it begins with b'\n'"),
        (b"the\nof\n", r"it begins with b'the\nof\n'"),
        (b"the 231\nof 97\n", "it begins with"),
        (b"text,label\ngood,pos\n", "it begins with"),
        (b"Dear all, you are welcome\n", "it begins with"),
        (b"the 0.1 0.2 0,3\n", "it begins with"),
        (b"12\n", "it begins with"),
        (b"-1 3\nthe 1 2 3\n", "it begins with"),
        (b"PK\x03\x04" + bytes(50), "it begins with"),
        (bytes(100), "it begins with"),
        (b"\x93NUMPY\x01\x00v\x00", "it begins with"),
    ],
)
def test_what_holds_no_vectors_is_refused_by_what_it_begins_with(file, content, seen):
    message = failure(file(content))
    assert message.startswith(f" is no file of word vectors, {seen}")
    assert message.endswith(
        ": textsent reads word2vec's binary and text files, GloVe's, and what gensim's save() writes"
    )


def test_a_file_of_fasttext_s_own_is_told_of(file):
    assert failure(file(b"\xba\x16\x4f\x2f\x0c\x00\x00\x00")) == (
        " is a .bin file of fastText's, which isn't read: take the .vec file of the same vectors"
    )


@pytest.mark.parametrize(
    "header", [b"3 1000000000", b"3 100001", b"3 0", b"0 3", b"999999999999999999 999999999999"]
)
def test_a_header_that_makes_no_sense_is_refused_before_anything_is_allocated(file, monkeypatch, header):
    def refuse(*arguments):
        raise AssertionError("allocated")

    monkeypatch.setattr(np, "empty", refuse)
    count, size = map(int, header.split())
    assert failure(file(header + b"\nthe 1 2 3\n")) == (
        f" tells of {count:,} words with {size:,} values each in its first line: there must be a word at least, "
        "and 1 to 100,000 values: check that it is a file of word vectors"
    )


def test_vectors_may_be_as_long_as_is_said(file):
    vectors = {"the": [0.5] * MAX_SIZE, "of": [0.25] * MAX_SIZE}
    assert_read(file(binary(vectors)), vectors)
    assert_read(file(glove(vectors)), vectors)
    assert "it begins with" in failure(file(glove({"the": [0.5] * (MAX_SIZE + 1)})))


@pytest.mark.parametrize(
    ("content", "done"),
    [
        (binary(VECTORS)[:7], "0 of 3"),
        (b"3 3\n", "0 of 3"),
        (binary(VECTORS)[:-3], "2 of 3"),
        (binary(VECTORS, b"")[:-1], "2 of 3"),
        (binary(VECTORS, count=5), "3 of 5"),
        (text(VECTORS, count=5), "3 of 5"),
        (binary({"the": [0.5] * 3}, count=2_000), "1 of 2,000"),
    ],
)
def test_a_file_that_is_cut_off_says_after_how_many_words(file, content, done):
    assert failure(file(content)) == f" ends after {done} words: it is cut off: get the file anew"


@pytest.mark.parametrize("write", [binary, text])
@pytest.mark.parametrize("count", [1, 2])
def test_a_file_of_more_words_than_it_tells_of_is_refused(file, write, count):
    assert failure(file(write(VECTORS, count=count)), ["nowhere"]) == (
        f" holds more than the {count} words that its first line tells of: correct that line, or get the file anew"
    )


def test_a_size_in_the_header_that_is_not_the_vectors_is_noticed(file):
    assert "holds more than" in failure(file(binary(VECTORS, size=2)), ["nowhere"])
    assert "ends after" in failure(file(binary(VECTORS, size=4)), ["nowhere"])


@pytest.mark.parametrize(
    ("content", "line", "received"),
    [
        (b"3 3\nthe 1 2 3\nof 1 2\nto 1 2 3\n", 3, 2),
        (b"3 3\nof 1 2\nthe 1 2 3\nto 1 2 3\n", 2, 2),
        (b"3 3\nthe 1 2 3\nof 1 2 3 4\nto 1 2 3\n", 3, 4),
        (b"the 1 2 3\nof 1 2\n", 2, 2),
        (b"the 1 2 3\nof\n", 2, 0),
        (b"the 1 2 3\nof 1 2 3 4 5\n", 2, 5),
        (b"2 3\nof 1 2 3\nthe  1 2\n", 3, 2),
    ],
)
def test_a_line_of_another_size_is_refused_by_its_number(file, content, line, received):
    assert failure(file(content)) == (
        f" has {received} values in line {line} and should have 3, as its first line says: "
        "it is damaged or cut off: get the file anew"
    )


def test_where_all_lines_are_of_another_size_than_the_header_says_they_are_still_told_for_text(file):
    vectors = {"the": [0.123456] * 9, "of": [0.123456] * 9}
    message = failure(file(text(vectors).replace(b"2 9", b"2 10", 1)))
    assert message.startswith(" has 9 values in line 2 and should have 10")


def test_what_is_no_number_is_refused_by_its_line(file):
    assert failure(file(b"the 1 2\nof 1 2,5\n"), ["of"]) == (
        " has b'2,5' in line 2, where a number should be: get the file anew"
    )


@each_format
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused_where_it_is_asked_for(file, write, value):
    path = file(write({**VECTORS, "of": [1.0, float(value), 2.0]}))
    assert_read(path, VECTORS)
    assert failure(path, ["the", "of"]) == (
        f" has a value of {value} in the vector of 'of': "
        "only finite numbers can be used: train the vectors anew, or take another file"
    )


def test_a_number_too_large_for_a_float32_is_not_finite(file):
    assert "has a value of inf in the vector of 'the'" in failure(file(b"the 1 1e39\nof 1 2\n"))


@each_format
@pytest.mark.parametrize("words", [["nowhere", "THE"], ["nowhere", "nowhere", "THE"]])
def test_a_file_that_has_none_of_the_words_is_refused(file, write, words):
    assert failure(file(write(VECTORS)), words) == (
        " has a vector for none of the 2 words that are looked for: "
        "check that it is of the same language, and in lower case where they are"
    )


@pytest.mark.parametrize("content", [binary(VECTORS), text(VECTORS)], ids=["binary", "text"])
def test_a_compressed_file_that_is_cut_off_is_an_error(file, content):
    assert "can't be read any further after 0 words" in failure(file(gzip.compress(content)[:-9]))


def test_a_compressed_file_that_is_corrupt_says_after_how_many_words(file, monkeypatch):
    monkeypatch.setattr(embeddings, "_BUFFER", 4096)
    random = np.random.default_rng(7)
    content = binary({f"word{number}": random.standard_normal(100).tolist() for number in range(2000)})
    packed = bytearray(gzip.compress(content))
    packed[len(packed) // 2 : len(packed) // 2 + 100] = b"\xff" * 100
    message = failure(file(bytes(packed)), ["word0"])
    assert message.startswith(" can't be read any further after ")
    assert " of 2,000 words: " in message


def test_a_compressed_file_whose_checksum_is_wrong_is_an_error(file):
    packed = bytearray(gzip.compress(binary(VECTORS)))
    packed[-8] ^= 1
    assert "can't be read any further" in failure(file(bytes(packed)))


def test_a_disk_that_fails_is_an_error_that_says_so(file, monkeypatch):
    class Failing:
        def read(self, size):
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(embeddings, "decompressed", lambda raw: nullcontext(Failing()))
    assert failure(file(binary(VECTORS))) == (
        " can't be read any further after 0 words: Input/output error: get the file anew"
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"9 3\n" + b"\xff" * 200_000, "has no space in 65,536 bytes after 0 of 9 words, where a word should end"),
        (b"the 1 2 3\n" + b"x" * 200_000, "has a line longer than 65,728 bytes after 1 words"),
    ],
    ids=["binary", "text"],
)
def test_a_file_without_an_end_of_a_word_is_not_taken_in_whole(file, monkeypatch, content, problem):
    monkeypatch.setattr(embeddings, "_BUFFER", 1000)
    assert failure(file(content)) == f" {problem}: check that it is whole and a file of word vectors"


@each_format
def test_memory_that_is_too_small_is_said_before_anything_is_allocated(file, monkeypatch, write):
    path = file(write(VECTORS))
    words = ["the", *(f"word{number}" for number in range(99_999))]
    monkeypatch.setattr(embeddings, "usable_memory", lambda: 1_199_999)
    with monkeypatch.context() as patch:
        patch.setattr(np, "empty", None)
        assert failure(path, words) == (
            " needs 2 MB of memory for 100,000 vectors of 3 values, and 1 MB are free: "
            "look for fewer words, take shorter vectors, or use a machine with more memory"
        )
    monkeypatch.setattr(embeddings, "usable_memory", lambda: 1_200_000)
    assert_read(path, {"the": VECTORS["the"]}, words)


def test_where_the_system_does_not_say_its_memory_it_is_enough(file, monkeypatch):
    monkeypatch.setattr(embeddings, "usable_memory", lambda: None)
    assert_read(file(binary(VECTORS)), VECTORS)


@pytest.fixture
def keyed_vectors():
    models = pytest.importorskip("gensim.models", reason="needs the extra textsent[word2vec]")
    vectors = models.KeyedVectors(3)
    vectors.add_vectors(list(VECTORS), np.array(list(VECTORS.values()), np.float32))
    return vectors


@pytest.mark.parametrize("limit", [10 * 1024**2, 0], ids=["one file", "with .npy files"])
def test_what_gensim_saved_is_read(tmp_path, keyed_vectors, limit):
    path = tmp_path / "some.file"
    keyed_vectors.save(str(path), sep_limit=limit)
    assert (len(list(tmp_path.iterdir())) > 1) == (limit == 0)
    assert_read(path, VECTORS)
    assert_read(path, {word: VECTORS[word] for word in ("café", "the")}, ["nowhere", "café", "the", "café"])


@pytest.mark.parametrize("limit", [10 * 1024**2, 0], ids=["one file", "with .npz files"])
def test_what_gensim_saved_compressed_is_read(tmp_path, keyed_vectors, limit):
    path = tmp_path / "vectors.gz"
    keyed_vectors.save(str(path), sep_limit=limit)
    assert_read(path, VECTORS)


@pytest.mark.parametrize("limit", [10 * 1024**2, 0], ids=["one file", "with .npy files"])
def test_what_word2vec_trained_is_read(tmp_path, limit):
    models = pytest.importorskip("gensim.models", reason="needs the extra textsent[word2vec]")
    model = models.Word2Vec([["the", "great", "service"]] * 9, vector_size=4, min_count=1, workers=1, seed=1)
    path = tmp_path / "model"
    model.save(str(path), sep_limit=limit)
    assert_read(path, {word: model.wv[word].tolist() for word in ("service", "the")})


def test_what_gensim_writes_in_word2vec_s_formats_is_read(tmp_path, keyed_vectors):
    for binary_file in (True, False):
        path = tmp_path / "vectors"
        keyed_vectors.save_word2vec_format(str(path), binary=binary_file)
        assert_read(path, VECTORS)


def test_files_of_gensim_s_that_are_not_all_there_are_an_error(tmp_path, keyed_vectors):
    path = tmp_path / "vectors"
    keyed_vectors.save(str(path), sep_limit=0)
    (tmp_path / "vectors.vectors.npy").unlink()
    message = failure(path)
    assert message.startswith(" can't be loaded by gensim: ")
    assert "vectors.vectors.npy" in message
    assert message.endswith(
        ": check that it is whole, that the .npy files that were saved with it lie beside it, "
        "and that gensim is no older than the one that saved it"
    )


def test_a_file_of_gensim_s_that_is_cut_off_is_an_error(tmp_path, keyed_vectors):
    path = tmp_path / "vectors"
    keyed_vectors.save(str(path))
    path.write_bytes(path.read_bytes()[:-20])
    assert failure(path).startswith(" can't be loaded by gensim: ")


def test_a_value_of_gensim_s_that_is_not_finite_is_refused(tmp_path, keyed_vectors):
    path = tmp_path / "vectors"
    keyed_vectors.vectors[1, 2] = np.nan
    keyed_vectors.save(str(path))
    assert_read(path, {"the": VECTORS["the"]})
    assert "has a value of nan in the vector of 'Great'" in failure(path, ["the", "Great"])


def test_values_of_gensim_s_that_have_more_bits_become_float32(tmp_path):
    models = pytest.importorskip("gensim.models", reason="needs the extra textsent[word2vec]")
    vectors = models.KeyedVectors(2, dtype=np.float64)
    vectors.add_vectors(["the", "of"], np.array([[0.1, 0.2], [1e300, 0]]))
    path = tmp_path / "vectors"
    vectors.save(str(path))
    assert_read(path, {"the": [0.1, 0.2]})
    assert "has a value of inf" in failure(path, ["of"])


def test_a_file_of_gensim_s_that_has_none_of_the_words_is_refused(tmp_path, keyed_vectors):
    path = tmp_path / "vectors"
    keyed_vectors.save(str(path))
    assert failure(path, ["nowhere"]).startswith(" has a vector for none of the 1 words")


def test_a_file_of_gensim_s_that_memory_is_too_small_for_is_not_loaded(tmp_path, keyed_vectors, monkeypatch):
    path = tmp_path / "vectors"
    keyed_vectors.save(str(path))
    monkeypatch.setattr(embeddings, "usable_memory", lambda: path.stat().st_size - 1)
    monkeypatch.setattr("gensim.utils.SaveLoad.load", None)
    assert " needs 1 MB of memory for the file, and 0 MB are free" in failure(path)


def test_a_model_of_gensim_s_without_word_vectors_is_refused(tmp_path):
    corpora = pytest.importorskip("gensim.corpora", reason="needs the extra textsent[word2vec]")
    path = tmp_path / "words"
    corpora.Dictionary([["the"]]).save(str(path))
    assert failure(path).startswith(" holds a Dictionary, which has no word vectors: textsent reads")


class Trap:
    def __reduce__(self):
        return pytest.fail, ("the pickle was loaded",)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_is_not_gensim_s_is_not_loaded(file, protocol):
    message = failure(file(pickle.dumps(Trap(), protocol)))
    assert message.startswith(" is a pickle that gensim didn't write: textsent reads")


def test_without_gensim_the_error_names_the_command_that_installs_it(file, tmp_path, monkeypatch):
    path = file(b"\x80\x04\x8c\x1dgensim.models.keyedvectors\x94\x8c\x0cKeyedVectors\x94.")
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(MissingExtraError) as caught:
        read_vectors(path, ["the"])
    assert str(caught.value) == (
        f"{path} is a file of gensim's, which needs the package gensim: pip install 'textsent[word2vec]'"
    )
    (tmp_path / "plain").write_bytes(binary(VECTORS))
    assert_read(tmp_path / "plain", VECTORS)
