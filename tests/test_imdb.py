import contextlib
import errno
import functools
import gc
import gzip
import hashlib
import http.server
import io
import shutil
import tarfile
import tempfile
import threading
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
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


def test_both_parts_are_read_together_the_one_to_train_on_first(acl_imdb):
    data = read_labelled(acl_imdb, part="all")
    assert data.texts.to_pylist() == [*TRAINING_REVIEWS, "a good test", "a bad test"]
    assert data.labels.tolist() == [1, 1, 1, 0, 0, 0, 1, 0]
    assert not data.named_groups  # the test part names no films here


def test_of_both_parts_the_one_is_read_that_is_there(acl_imdb):
    shutil.rmtree(acl_imdb / "test")
    assert read_labelled(acl_imdb, part="all").digest() == read_labelled(acl_imdb).digest()
    assert read_labelled(acl_imdb / "train", part="all").digest() == read_labelled(acl_imdb).digest()


def test_films_of_both_parts_are_groups_where_both_name_them(acl_imdb):
    for name in ("pos", "neg"):
        (acl_imdb / "test" / f"urls_{name}.txt").write_text("http://www.imdb.com/title/tt0000004/usercomments\n")
    data = read_labelled(acl_imdb, part="all")
    assert data.named_groups
    assert data.groups.to_pylist()[-3:] == ["tt0000003", "tt0000004", "tt0000004"]


def test_a_part_that_there_is_not_is_an_error_that_names_those_there_are(acl_imdb):
    with pytest.raises(OptionError) as wrong:
        read_labelled(acl_imdb, part="unsup")
    assert str(wrong.value) == "there is no part 'unsup': choose one of train, test, all"


def test_hidden_files_are_no_reviews(acl_imdb):
    for place in ("train/pos", "train/unsup"):
        (acl_imdb / place / "._0_9.txt").write_bytes(b"\xff")
    assert read_labelled(acl_imdb).texts.to_pylist() == TRAINING_REVIEWS
    assert read_unlabelled(acl_imdb).to_pylist() == ["nobody says"]


@pytest.mark.parametrize("place", ["", "train", "train/unsup"])
def test_the_unlabelled_reviews_are_found_from_each_folder(acl_imdb, place):
    assert read_unlabelled(acl_imdb / place).to_pylist() == ["nobody says"]


def member(name: str, content: bytes = b"", **attributes) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, content


def packed(members, mode="w", format=tarfile.PAX_FORMAT) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode, format=format) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return content.getvalue()


def members_of(folder: Path, prefix: str = "aclImdb/") -> list[tuple[tarfile.TarInfo, bytes]]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [member(prefix + path.relative_to(folder).as_posix(), path.read_bytes()) for path in files]


def rows(data):
    return data.texts.to_pylist(), data.labels.tolist(), data.groups.to_pylist(), data.named_groups


def error_of(path, **options):
    with pytest.raises(InputError) as broken:
        read_labelled(path, **options)
    assert "\n" not in str(broken.value)
    return str(broken.value)


@pytest.mark.parametrize(
    ("name", "mode", "prefix"),
    [
        ("aclImdb_v1.tar.gz", "w:gz", "aclImdb/"),
        ("aclImdb_v1.tgz", "w:gz", "./aclImdb/"),
        ("reviews.tar", "w", ""),
        ("reviews.TAR.BZ2", "w:bz2", "./"),
    ],
)
@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_an_archive_is_read_like_the_folder_that_it_holds(tmp_path, acl_imdb, name, mode, prefix, format):
    path = tmp_path / name
    path.write_bytes(packed(members_of(acl_imdb, prefix), mode, format))
    for part in ("train", "test", "all"):
        assert rows(read_labelled(path, part=part)) == rows(read_labelled(acl_imdb, part=part))
    assert read_unlabelled(path).equals(read_unlabelled(acl_imdb))
    assert {one.name for one in tmp_path.iterdir()} == {"aclImdb", name}  # nothing is unpacked


TEXTS = st.text("aé<\r\n\u2028", max_size=4)
FILMS = st.lists(st.sampled_from(["tt1", "tt2", "tt3", "none"]), max_size=4)
NAMES = st.builds("{}_{}.txt".format, st.integers(0, 11), st.integers(1, 10)) | st.just("notes.txt")


PARTS, LABELS = (st.sampled_from(names) for names in (["train", "test"], ["pos", "neg", "unsup"]))


@settings(deadline=None)
@given(
    st.dictionaries(st.tuples(PARTS, LABELS, NAMES), TEXTS),
    st.dictionaries(st.tuples(PARTS, LABELS), FILMS),
    st.sampled_from(["aclImdb/", ""]),
    st.randoms(use_true_random=False),
)
def test_any_archive_has_the_rows_and_the_digest_of_its_folder(reviews, films, prefix, random):
    files = {"README": b"\xff", "imdb.vocab": b"the", "train/labeledBow.feat": b"9 0:1"}
    files |= {f"{part}/{name}/5_5.txt": b"here" for part in ("train", "test") for name in ("pos", "neg", "unsup")}
    files |= {"/".join(place): text.encode() for place, text in reviews.items()}
    files |= {f"{part}/urls_{name}.txt": "\n".join(urls).encode() for (part, name), urls in films.items()}
    shuffled = list(files.items())
    random.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as folder:
        root, archive = Path(folder, "aclImdb"), Path(folder, "aclImdb_v1.tar.gz")
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        archive.write_bytes(packed((member(prefix + name, content) for name, content in shuffled), "w:gz"))
        for part in ("train", "test", "all"):
            one, other = (read_labelled(path, part=part) for path in (root, archive))
            assert rows(one) == rows(other)
            assert one.digest() == other.digest()
        assert read_unlabelled(archive).equals(read_unlabelled(root))


def test_of_a_review_that_an_archive_holds_twice_the_last_counts_as_where_it_is_unpacked(tmp_path):
    path = tmp_path / "a.tar"
    path.write_bytes(packed([member("train/pos/0_9.txt", b"first"), member("train/pos/0_9.txt", b"last")]))
    assert read_labelled(path).texts.to_pylist() == ["last"]


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("train/pos/1_9.txt", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}),
        ("train/pos/1_9.txt", {"type": tarfile.LNKTYPE, "linkname": "train/pos/0_9.txt"}),
        ("train/pos/1_9.txt", {"type": tarfile.DIRTYPE}),
        ("train/pos/1_9.txt", {"type": tarfile.FIFOTYPE}),
        ("train/pos/1_9.txt", {"type": tarfile.CHRTYPE}),
        ("/train/pos/1_9.txt", {}),
        ("../train/pos/1_9.txt", {}),
        ("other/train/pos/1_9.txt", {}),
        ("aclImdb/aclImdb/train/pos/1_9.txt", {}),
        ("train/pos/../pos/1_9.txt", {}),
        ("train/pos/deeper/1_9.txt", {}),
        ("train/pos/._1_9.txt", {}),
        ("train/pos/1_9.txt.gz", {}),
        ("train/unsup/1_0.txt", {}),
        ("train/urls_unsup.txt", {}),
        (f"train/pos/{'9' * 5000}.txt", {}),
    ],
)
def test_what_is_no_review_in_its_place_is_not_read(tmp_path, name, attributes):
    path = tmp_path / "a.tar"
    stray = member(name, b"" if attributes else b"\xff", **attributes)
    path.write_bytes(packed([stray, member("train/pos/0_9.txt", b"good"), stray]))
    assert read_labelled(path).texts.to_pylist() == ["good"]


@pytest.mark.parametrize("name", ["train/pos/0_9.txt", "train/urls_neg.txt"])
def test_a_file_that_is_too_large_for_a_review_is_an_error_and_is_not_read(tmp_path, name):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(packed([member(name, b"a" * (MAX_ARCHIVED_BYTES + 1))], "w:gz"))
    assert error_of(path) == (
        f"{path}: {name!r} has 1,000,001 bytes, and a review or a list of films has no more than 1,000,000: "
        "take it out, or unpack the archive and name its folder"
    )


def test_large_files_of_other_kinds_do_not_matter(tmp_path):
    path = tmp_path / "a.tar.gz"
    large = b"a" * (MAX_ARCHIVED_BYTES + 1)
    names = ["aclImdb/train/labeledBow.feat", "aclImdb/train/urls_unsup.txt", "aclImdb/test/pos/0_9.txt"]
    members = [member(name, large) for name in names]
    path.write_bytes(packed([*members, member("aclImdb/train/pos/0_9.txt", large[1:])], "w:gz"))
    assert read_labelled(path).texts.to_pylist() == ["a" * MAX_ARCHIVED_BYTES]


def test_a_review_in_an_archive_that_is_not_utf8_is_an_error_that_names_it(tmp_path):
    path = tmp_path / "a.tar"
    path.write_bytes(packed([member("train/pos/0\n9.txt", b"caf\xe9")]))
    assert error_of(path) == f"{path}: 'train/pos/0\\n9.txt': the text is not UTF-8"


@pytest.mark.parametrize("part", ["train", "test"])
def test_an_archive_without_reviews_is_an_error_that_says_where_they_should_be(tmp_path, part):
    path = tmp_path / "a.tar"
    path.write_bytes(packed([member("elsewhere/0_9.txt", b"good")]))
    assert error_of(path, part=part) == (
        f"{path} has no reviews in aclImdb/{part}/pos or aclImdb/{part}/neg: "
        "name the dataset's archive, or a file with a column of labels"
    )


def test_an_archive_of_one_label_is_read(tmp_path):
    path = tmp_path / "a.tar"
    path.write_bytes(packed([member("train/neg/0_1.txt", b"bad")]))
    assert read_labelled(path).labels.tolist() == [0]


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
@pytest.mark.parametrize("content", [b"", b"not an archive", b"\x1f\x8b", b"\x1f\x8b" + b"x" * 600, b"x" * 2000])
def test_a_file_that_is_no_archive_is_an_error(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert error_of(path).startswith(f"{path} can't be read: the archive is broken: ")
    assert error_of(path).endswith(": download it again")


def test_an_archive_that_breaks_off_is_an_error_wherever_it_does(tmp_path, acl_imdb):
    whole = packed(members_of(acl_imdb))
    end = len(whole.rstrip(b"\0")) // tarfile.BLOCKSIZE * tarfile.BLOCKSIZE + tarfile.BLOCKSIZE
    cuts = {*range(0, end, 200), *range(0, end, tarfile.BLOCKSIZE), end - 1}
    (tmp_path / "a.tar").write_bytes(whole)
    assert len(read_labelled(tmp_path / "a.tar"))
    for cut in cuts:
        (tmp_path / "a.tar").write_bytes(whole[:cut])
        assert "the archive is broken" in error_of(tmp_path / "a.tar")
    zipped = gzip.compress(whole)
    for cut in (*range(0, len(zipped), 9), len(zipped) - 1):
        (tmp_path / "a.tar.gz").write_bytes(zipped[:cut])
        assert "the archive is broken" in error_of(tmp_path / "a.tar.gz")


def test_a_broken_header_within_an_archive_is_an_error_not_its_end(tmp_path):
    whole = bytearray(packed([member("train/pos/0_9.txt", b"good"), member("train/neg/0_1.txt", b"bad")]))
    whole[2 * tarfile.BLOCKSIZE] ^= 1
    (tmp_path / "a.tar").write_bytes(whole)
    assert "the archive is broken: bad checksum" in error_of(tmp_path / "a.tar")


def test_a_compressed_archive_whose_checksum_is_wrong_is_an_error(tmp_path):
    zipped = bytearray(gzip.compress(packed([member("train/pos/0_9.txt", b"good")])))
    zipped[-5] ^= 1
    (tmp_path / "a.tar.gz").write_bytes(zipped)
    assert "the archive is broken" in error_of(tmp_path / "a.tar.gz")


@pytest.mark.parametrize("size", [-1, -512, 10**6 + 1, 2**62])
@pytest.mark.parametrize("type", [tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, b"Z"])
def test_a_member_that_lies_about_its_size_is_an_error_and_takes_no_time(tmp_path, type, size):
    lying = member("train/pos/1_9.txt", size=size, type=type)[0].tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "a.tar").write_bytes(lying + packed([member("train/pos/0_9.txt", b"good")]))
    error_of(tmp_path / "a.tar")


@settings(deadline=None)
@given(st.integers(0, 2**16), st.integers(0, 2**16), st.integers(0, 255), st.booleans())
def test_an_archive_with_any_byte_changed_is_read_or_is_an_error(place, header, value, is_in_header):
    content = bytearray(
        packed([member(f"train/pos/{'0' * 120}_9.txt", b"good"), member("train/neg/0_1.txt", b"bad")])
    )
    headers = [
        start
        for start in range(0, len(content), tarfile.BLOCKSIZE)
        if content[start + 257 : start + 262] == b"ustar"
    ]
    if is_in_header:
        start = headers[header % len(headers)]
        content[start + place % tarfile.BLOCKSIZE] = value
        block = content[start : start + tarfile.BLOCKSIZE]
        content[start + 148 : start + 156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 8 * ord(" "))
    else:
        content[place % len(content)] = value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.tar")
        path.write_bytes(content)
        with contextlib.suppress(InputError):
            read_labelled(path)


def test_an_archive_that_is_not_there_and_one_that_cannot_be_opened_are_errors(tmp_path, monkeypatch):
    path = tmp_path / "a.tar.gz"
    assert error_of(path) == f"{path}: there is no such file: check the path"
    path.write_bytes(b"")

    def refuse(*arguments):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    assert error_of(path) == f"{path} can't be read: Permission denied"


def test_an_archive_of_mail_is_unlabelled_texts_too(tmp_path):
    mail = b"From: ann@example.com\nSubject: Hello\n\nGood work.\n"
    (tmp_path / "mail.tar").write_bytes(packed([member("inbox/1.eml", mail)]))
    assert [text.split() for text in read_unlabelled(tmp_path / "mail.tar").to_pylist()] == [["Good", "work."]]


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
    assert "\n" not in str(refused.value)


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
