import functools
import gc
import gzip
import hashlib
import http.server
import io
import random
import tarfile
import tempfile
import threading
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textsent.datasets import read_labelled
from textsent.errors import InputError, OptionError
from textsent.imdb import MAX_ARCHIVED_BYTES, imdb_folder
from textsent.unlabelled import read_unlabelled


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
ADVICE = ": download it by hand, and name the file with --data"


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
