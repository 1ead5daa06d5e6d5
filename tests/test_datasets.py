import functools
import gc
import hashlib
import http.server
import io
import tarfile
import threading
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textsent.datasets import LABELS, LabelledTexts, imdb_folder, read_labelled
from textsent.errors import InputError

WORDS = st.text("ab ", max_size=3)


def labelled(texts: list[str], labels: list[int], groups: list[str] | None = None) -> LabelledTexts:
    array = pa.array(texts, pa.large_string())
    return LabelledTexts(
        array, np.array(labels, np.int8), array if groups is None else pa.array(groups), groups is not None
    )


@pytest.mark.parametrize("spelling", [*LABELS, "Pos", "NEGATIVE", " pos ", "TRUE"])
def test_a_label_may_be_spelled_in_many_ways(tmp_path, spelling):
    (tmp_path / "data.csv").write_text(f'text,label\none,"{spelling}"\n')
    data = read_labelled(tmp_path / "data.csv")
    assert data.labels.dtype == np.int8
    assert data.labels.tolist() == [LABELS[spelling.strip().lower()]]


@pytest.mark.parametrize(
    "labels",
    [
        pa.array([1, 0]),
        pa.array([1, -1]),
        pa.array([1.0, 0.0]),
        pa.array([1.0, -1.0], pa.float32()),
        pa.array([True, False]),
        pa.array(["pos", "neg"]),
        pa.array(["Positive", "Negative"]).dictionary_encode(),
    ],
    ids=str,
)
def test_a_label_may_be_of_any_type(tmp_path, labels):
    pa.parquet.write_table(pa.table({"text": ["one", "two"], "label": labels}), tmp_path / "data.parquet")
    assert read_labelled(tmp_path / "data.parquet").labels.tolist() == [1, 0]


@pytest.mark.parametrize(("label", "shown"), [("meh", "'meh'"), ("", "''"), ("2", "'2'")])
def test_an_unknown_label_is_an_error_that_names_its_row(tmp_path, label, shown):
    path = tmp_path / "data.csv"
    path.write_text(f"text,label\none,pos\ntwo,neg\nthree,{label}\n")
    with pytest.raises(InputError) as unknown:
        read_labelled(path)
    assert str(unknown.value) == (
        f"{path}, row 3: the label {shown} is not known: "
        "use pos and neg, positive and negative, 1 and 0, or 1 and -1"
    )


def test_a_missing_label_is_an_error(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text('{"text": "one", "label": 1}\n{"text": "two", "label": null}\n')
    with pytest.raises(InputError) as unknown:
        read_labelled(path)
    assert str(unknown.value).startswith(f"{path}, row 2: the label None is not known: ")


def test_the_row_of_an_unknown_label_is_counted_in_the_file_whatever_is_left_out(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text('{"text": null, "label": "pos"}\n{"text": "one", "label": "meh"}\n')
    with pytest.raises(InputError) as unknown:
        read_labelled(path)
    assert str(unknown.value).startswith(f"{path}, row 2: the label 'meh' is not known: ")


def test_rows_without_a_text_are_left_out_with_their_labels_and_groups(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text(
        '{"text": "one", "label": 1, "movie": "a"}\n'
        '{"text": null, "label": 1, "movie": "b"}\n'
        '{"text": "", "label": 0, "movie": "c"}\n'
    )
    data = read_labelled(path)
    assert data.texts.to_pylist() == ["one", ""]
    assert data.labels.tolist() == [1, 0]
    assert data.groups.to_pylist() == ["a", "c"]


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("text,label", {}),
        ("text,sentiment", {}),
        ("body,label", {}),
        ("body,verdict", {"label": "verdict"}),
        ("body,title", {"text": "body", "label": "title"}),
    ],
)
def test_the_columns_of_texts_and_labels_are_found_or_named(tmp_path, header, columns):
    (tmp_path / "data.csv").write_text(f"{header}\none,pos\ntwo,neg\n")
    data = read_labelled(tmp_path / "data.csv", **columns)
    assert data.texts.to_pylist() == data.groups.to_pylist() == ["one", "two"]
    assert data.labels.tolist() == [1, 0]
    assert not data.named_groups


def test_the_first_of_the_label_columns_counts(tmp_path):
    (tmp_path / "data.csv").write_text("sentiment,text,label\nneg,one,pos\n")
    assert read_labelled(tmp_path / "data.csv", text="text").labels.tolist() == [1]


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("text,label,movie", {}),
        ("text,label,film", {}),
        ("body,label,group", {}),
        ("text,label,author", {"group": "author"}),
    ],
)
def test_the_column_of_groups_is_found_or_named(tmp_path, header, columns):
    (tmp_path / "data.csv").write_text(f"{header}\none,pos,a\ntwo,neg,b\nthree,neg,a\n")
    data = read_labelled(tmp_path / "data.csv", **columns)
    assert data.groups.to_pylist() == ["a", "b", "a"]
    assert data.named_groups


def test_a_group_may_be_a_number_or_missing(tmp_path):
    (tmp_path / "data.jsonl").write_text(
        '{"text": "one", "label": 1, "movie": 7}\n{"text": "two", "label": 0, "movie": null}\n'
    )
    assert read_labelled(tmp_path / "data.jsonl").groups.to_pylist() == ["7", ""]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "no column 'label' or 'sentiment': choose one with --label-column. The columns are 'text', 'stars'"),
        ({"label": "x"}, "no column 'x': choose one with --label-column. The columns are 'text', 'stars'"),
        ({"label": "stars", "group": "x"}, "no column 'x': choose one with --group-column"),
    ],
)
def test_a_column_that_is_not_there_is_an_error_that_names_the_option(tmp_path, columns, message):
    path = tmp_path / "data.csv"
    path.write_text("text,stars\none,1\n")
    with pytest.raises(InputError) as missing:
        read_labelled(path, **columns)
    assert str(missing.value) == f"{path} has {message}"


def test_a_column_of_texts_that_is_not_there_is_an_error(tmp_path):
    (tmp_path / "data.csv").write_text("text,label\none,1\n")
    with pytest.raises(InputError) as missing:
        read_labelled(tmp_path / "data.csv", text="body")
    assert str(missing.value) == (
        "there is no column 'body': choose one with --text-column. The columns are 'text', 'label'"
    )


def test_two_columns_of_labels_with_one_name_are_an_error(tmp_path):
    (tmp_path / "data.csv").write_text("text,label,label\none,1,0\n")
    with pytest.raises(InputError):
        read_labelled(tmp_path / "data.csv")


@pytest.mark.parametrize("content", ["text,label\n", ""])
def test_a_file_without_rows_is_an_error(tmp_path, content):
    (tmp_path / "data.csv").write_text(content)
    with pytest.raises(InputError, match=r"data\.csv"):
        read_labelled(tmp_path / "data.csv")


def test_a_file_whose_texts_are_all_missing_is_an_error(tmp_path):
    path = tmp_path / "data.parquet"
    pa.parquet.write_table(pa.table({"text": pa.array([None], pa.string()), "label": [1]}), path)
    with pytest.raises(InputError) as empty:
        read_labelled(path)
    assert str(empty.value) == f"{path} has no rows with a text"


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(InputError) as missing:
        read_labelled(tmp_path / "data.csv")
    assert str(missing.value) == f"{tmp_path / 'data.csv'}: there is no such file: check the path"


@pytest.fixture
def acl_imdb(tmp_path):
    """The dataset's layout: six reviews to train on, of three films, and two to test on."""
    reviews = {
        "train/pos/0_9.txt": "zero is good",
        "train/pos/2_10.txt": "two is good",
        "train/pos/10_7.txt": "ten is good",
        "train/neg/0_1.txt": "zero is bad",
        "train/neg/1_2.txt": "one is bad: café<br />",
        "train/neg/3_3.txt": "three is bad",
        "test/pos/0_8.txt": "a good test",
        "test/neg/0_2.txt": "a bad test",
        "train/unsup/0_0.txt": "nobody says",
    }
    for name, text in reviews.items():
        path = tmp_path / "aclImdb" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    films = {
        "pos": "tt0000001 tt0000009 tt0000001 tt9 tt9 tt9 tt9 tt9 tt9 tt9 tt0000002",
        "neg": "tt0000002 tt0000003 tt9 tt0000003",
    }
    for name, numbers in films.items():
        urls = "".join(f"http://www.imdb.com/title/{film}/usercomments\n" for film in numbers.split())
        (tmp_path / "aclImdb" / "train" / f"urls_{name}.txt").write_text(urls)
    return tmp_path / "aclImdb"


TRAINING_REVIEWS = [
    "zero is good", "two is good", "ten is good", "zero is bad", "one is bad: café<br />", "three is bad",
]  # fmt: skip


def test_the_reviews_of_a_folder_are_read_in_the_order_of_their_numbers(acl_imdb):
    data = read_labelled(acl_imdb)
    assert data.texts.to_pylist() == TRAINING_REVIEWS
    assert data.labels.tolist() == [1, 1, 1, 0, 0, 0]


def test_the_films_of_a_folders_reviews_are_their_groups(acl_imdb):
    data = read_labelled(acl_imdb)
    assert data.groups.to_pylist() == [
        "tt0000001", "tt0000001", "tt0000002", "tt0000002", "tt0000003", "tt0000003",
    ]  # fmt: skip
    assert data.named_groups


def test_the_part_to_train_on_or_to_test_on_is_read(acl_imdb):
    assert read_labelled(acl_imdb, part="train").texts.to_pylist() == TRAINING_REVIEWS
    assert read_labelled(acl_imdb, part="test").texts.to_pylist() == ["a good test", "a bad test"]


def test_a_part_may_be_named_itself(acl_imdb):
    assert read_labelled(acl_imdb / "test", part="train").texts.to_pylist() == ["a good test", "a bad test"]


def test_where_no_films_are_named_each_review_is_its_own_group(acl_imdb):
    data = read_labelled(acl_imdb, part="test")
    assert data.groups.equals(data.texts)
    assert not data.named_groups


def test_a_folder_of_another_kind_is_an_error(tmp_path):
    (tmp_path / "pos").mkdir()
    with pytest.raises(InputError) as unlike:
        read_labelled(tmp_path)
    assert str(unlike.value) == f"{tmp_path} is a folder but has no folder 'neg' in it: name a file, or aclImdb"


def test_a_folder_without_reviews_is_an_error(tmp_path):
    (tmp_path / "pos").mkdir()
    (tmp_path / "neg").mkdir()
    with pytest.raises(InputError) as empty:
        read_labelled(tmp_path)
    assert str(empty.value) == f"{tmp_path} has no reviews in its folders pos and neg"


def test_a_review_that_is_not_utf8_is_an_error_that_names_it(acl_imdb):
    (acl_imdb / "train" / "pos" / "9_9.txt").write_bytes(b"caf\xe9")
    with pytest.raises(InputError, match=r"9_9\.txt: the text is not UTF-8"):
        read_labelled(acl_imdb)


@pytest.mark.parametrize("name", ["notes.txt", "99_9.txt"])
def test_a_review_of_any_name_is_read_and_without_its_film_each_text_is_its_own_group(acl_imdb, name):
    (acl_imdb / "train" / "pos" / name).write_bytes(b"another one")
    data = read_labelled(acl_imdb)
    assert "another one" in data.texts.to_pylist()
    assert not data.named_groups


ROWS = st.lists(st.tuples(WORDS, st.integers(0, 1), st.sampled_from("abcdefgh")), max_size=20)


@given(ROWS, st.floats(0, 1), st.integers(0, 5))
def test_a_split_keeps_every_row_and_never_a_group_on_both_sides(rows, share, seed):
    data = labelled(*(list(column) for column in (zip(*rows, strict=True) if rows else ([], [], []))))
    sides = data.split(share, seed)
    both = [
        list(zip(side.texts.to_pylist(), side.labels.tolist(), side.groups.to_pylist(), strict=True))
        for side in sides
    ]
    assert sorted(both[0] + both[1]) == sorted(rows)
    for side in both:
        rest = iter(rows)
        assert all(row in rest for row in side)  # in the order they had
    assert not {row[2] for row in both[0]} & {row[2] for row in both[1]}


@given(ROWS.filter(bool), st.floats(0, 1), st.integers(0, 5), st.data())
def test_the_side_a_group_falls_on_does_not_hang_on_the_other_groups(rows, share, seed, data):
    texts, labels, groups = (list(column) for column in zip(*rows, strict=True))
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))), bool)
    whole = labelled(texts, labels, groups)
    held_out = set(whole.split(share, seed)[1].groups.to_pylist())
    of_some = set(whole.where(kept).split(share, seed)[1].groups.to_pylist())
    assert of_some == held_out & {group for group, stays in zip(groups, kept, strict=True) if stays}


def test_a_split_holds_out_about_the_share_asked_for_and_another_seed_holds_out_others():
    data = labelled([""] * 2000, [0] * 2000, [str(number) for number in range(2000)])
    held_out = [set(data.split(0.1, seed)[1].groups.to_pylist()) for seed in (1, 2)]
    assert all(150 < len(groups) < 250 for groups in held_out)
    assert len(held_out[0] & held_out[1]) < 60
    assert len(data.split(0, 1)[1]) == 0
    assert len(data.split(1, 1)[0]) == 0


def test_texts_that_are_the_same_fall_on_the_same_side_where_no_groups_are_named():
    data = labelled(["one", "two", "three"] * 5, [0] * 15)
    for side in data.split(0.5, 3):
        assert all(side.texts.to_pylist().count(text) == 5 for text in side.texts.to_pylist())


PAIRS = st.lists(st.tuples(st.text("a\0 ", max_size=3), st.integers(0, 1)), max_size=4)


@given(PAIRS, PAIRS)
def test_the_digest_tells_sets_of_labelled_texts_apart_whatever_their_order(one, other):
    digests = [labelled([text for text, _ in rows], [label for _, label in rows]).digest() for rows in (one, other)]
    assert (digests[0] == digests[1]) == (sorted(one) == sorted(other))


def test_the_digest_is_the_same_however_the_texts_are_stored(tmp_path):
    (tmp_path / "data.csv").write_text("text,label\ngood,pos\nbad,neg\n")
    (tmp_path / "data.jsonl").write_text('{"label": 1, "text": "good"}\n{"label": 0, "text": "bad"}\n')
    pa.parquet.write_table(
        pa.table({"text": pa.array(["good", "bad"]).dictionary_encode(), "label": [True, False]}),
        tmp_path / "data.parquet",
    )
    assert len({read_labelled(path).digest() for path in tmp_path.iterdir()}) == 1


class Server(http.server.ThreadingHTTPServer):
    def __init__(self, folder):
        self.requests: list[str] = []
        super().__init__(("127.0.0.1", 0), functools.partial(Handler, directory=folder))

    def handle_error(self, request, client_address):
        pass  # the client may hang up


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *args):
        self.server.requests.append(self.requestline)


@pytest.fixture
def server(tmp_path, monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    folder = tmp_path / "served"
    folder.mkdir()
    with Server(folder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
    with warnings.catch_warnings():  # pooch leaves the response to a failed request open
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def serve(server, tmp_path):
    """Serves a tar.gz of the given files; gives its address and checksum."""

    def archive(files: dict[str, str]) -> tuple[str, str]:
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w:gz") as tar:
            for name, text in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(text)
                tar.addfile(member, io.BytesIO(text.encode()))
        (tmp_path / "served" / "tiny.tar.gz").write_bytes(content.getvalue())
        url = f"http://127.0.0.1:{server.server_port}/tiny.tar.gz"
        return url, hashlib.md5(content.getvalue()).hexdigest()

    return archive


REVIEWS = {"aclImdb/train/pos/0_9.txt": "good", "aclImdb/train/neg/0_1.txt": "bad"}
ADVICE = ": download it by hand, unpack it, and name its folder with --data"


def test_the_dataset_is_downloaded_checked_and_unpacked_once(serve, server, tmp_path):
    url, md5 = serve(REVIEWS)
    folder = imdb_folder(url, md5, tmp_path / "cache")
    assert folder == tmp_path / "cache" / "aclImdb"
    assert read_labelled(folder).texts.to_pylist() == ["good", "bad"]
    assert {path.name for path in (tmp_path / "cache").iterdir()} == {"aclImdb", "tiny.tar.gz"}
    assert server.requests == ["GET /tiny.tar.gz HTTP/1.1"]
    assert imdb_folder(url, md5, tmp_path / "cache") == folder
    assert len(server.requests) == 1


def test_an_archive_that_is_there_already_is_not_downloaded_again(serve, server, tmp_path):
    url, md5 = serve(REVIEWS)
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "tiny.tar.gz").write_bytes((tmp_path / "served" / "tiny.tar.gz").read_bytes())
    assert read_labelled(imdb_folder(url, md5, cache)).texts.to_pylist() == ["good", "bad"]
    assert server.requests == []


def test_an_archive_with_another_checksum_is_refused(serve, tmp_path):
    url, _ = serve(REVIEWS)
    with pytest.raises(InputError) as refused:
        imdb_folder(url, "0" * 32, tmp_path / "cache")
    assert str(refused.value).startswith(f"the Large Movie Review Dataset can't be had from {url}: ")
    assert str(refused.value).endswith(ADVICE)
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_archive_that_is_not_there_is_an_error(server, tmp_path):
    url = f"http://127.0.0.1:{server.server_port}/nothing.tar.gz"
    with pytest.raises(InputError) as missing:
        imdb_folder(url, "0" * 32, tmp_path / "cache")
    assert str(missing.value).startswith(f"the Large Movie Review Dataset can't be had from {url}: 404 ")
    assert str(missing.value).endswith(ADVICE)
    assert not (tmp_path / "cache" / "aclImdb").exists()


def test_a_server_that_does_not_answer_is_an_error(server, serve, tmp_path):
    url, md5 = serve(REVIEWS)
    server.shutdown()
    server.socket.close()
    with pytest.raises(InputError) as missing:
        imdb_folder(url, md5, tmp_path / "cache")
    assert str(missing.value).endswith(ADVICE)


def test_an_archive_that_would_write_outside_its_folder_is_refused(serve, tmp_path):
    url, md5 = serve(REVIEWS | {"../../climbed.txt": "out"})
    with pytest.raises(InputError) as refused:
        imdb_folder(url, md5, tmp_path / "cache")
    assert str(refused.value).startswith(f"the Large Movie Review Dataset can't be had from {url}: ")
    assert not list(tmp_path.rglob("climbed.txt"))
    assert not (tmp_path / "cache" / "aclImdb").exists()


@pytest.mark.parametrize("content", [b"", b"not an archive"])
def test_an_archive_that_is_none_is_an_error(serve, server, tmp_path, content):
    url, _ = serve({})
    (tmp_path / "served" / "tiny.tar.gz").write_bytes(content)
    with pytest.raises(InputError) as refused:
        imdb_folder(url, hashlib.md5(content).hexdigest(), tmp_path / "cache")
    assert str(refused.value).endswith(ADVICE)


def test_an_archive_without_the_dataset_is_an_error(serve, tmp_path):
    url, md5 = serve({"elsewhere/0_9.txt": "good"})
    with pytest.raises(InputError) as refused:
        imdb_folder(url, md5, tmp_path / "cache")
    assert str(refused.value).endswith(ADVICE)
    assert not (tmp_path / "cache" / "aclImdb").exists()


def test_an_unpacking_that_broke_off_is_taken_up_again(serve, tmp_path):
    url, md5 = serve(REVIEWS)
    begun = tmp_path / "cache" / ".aclImdb.unpacking" / "aclImdb" / "train" / "pos"
    begun.mkdir(parents=True)
    (begun / "0_9.txt").write_text("go")
    assert read_labelled(imdb_folder(url, md5, tmp_path / "cache")).texts.to_pylist() == ["good", "bad"]
