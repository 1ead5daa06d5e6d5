"""Files behind URLs. tests/test_s3.py asks a server."""

import os
import stat
from pathlib import Path

import pytest
from pyarrow.fs import FileType
from stores import store_in

from textsent import storage
from textsent.errors import InputError, OptionError, OutputError
from textsent.storage import Location, is_url, uploading, without_file_scheme, without_query


@pytest.fixture
def store(tmp_path, monkeypatch):
    return store_in(tmp_path, monkeypatch)


@pytest.fixture
def box(store, tmp_path):
    """The store's folder, with some files."""
    for name in ("b.csv", "year=2025/month=02/c.csv"):
        (tmp_path / "box" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "box" / name).write_text("text\ngreat\n")
    return tmp_path / "box"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("s3://box/a.csv", True), ("memory://a", True), ("file:///tmp/a", True), ("S3://box", True),
        ("s3:/box", False), ("a.csv", False), ("C:/a.csv", False), ("great service://", False),
        ("-", False), ("", False),
    ],
)  # fmt: skip
def test_a_url_has_a_scheme_and_two_slashes(name, expected):
    assert is_url(name) is expected


def test_a_file_url_is_the_path_that_it_names():
    assert without_file_scheme("file:///tmp/two%20words.csv") == "/tmp/two words.csv"
    assert without_file_scheme("/tmp/a%20b.csv") == "/tmp/a%20b.csv"


def test_a_url_s_settings_are_no_part_of_its_name_nor_is_a_wildcard_a_setting():
    assert without_query("s3://box/a.csv?region=eu-1") == "s3://box/a.csv"
    assert without_query("s3://box/a?.csv") == "s3://box/a?.csv"
    assert without_query("what?a=b") == "what?a=b"


def test_what_stands_below_a_url_with_settings_has_them_too(store):
    below = Location.of("hdfs://box/scored?replication=2") / "part.csv"
    assert (below.name, below.key) == ("hdfs://box/scored/part.csv?replication=2", "box/scored/part.csv")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("s3://key:hidden@box/a.csv", "a password"),
        ("s3://key:hid/den@box/a.csv", "a password"),
        ("https://ann:hidden@box:80/a.csv", "a password"),
        ("abfs://c@a.dfs.core.windows.net/a.csv?client_id=1&client_secret=hidden", "client_secret"),
        ("https://a.blob.core.windows.net/c/a.csv?sv=1&sig=hidden", "sig"),
        ("https://box.s3.amazonaws.com/a.csv?X-Amz-Date=1&X-Amz-Signature=hidden", "X-Amz-Signature"),
    ],
)
def test_a_password_or_another_secret_in_a_url_is_refused_and_not_shown(name, found):
    with pytest.raises(OptionError) as failed:
        Location.of(name)
    assert "hid" not in str(failed.value)
    scheme = name.partition("://")[0]
    assert str(failed.value).startswith(
        f"a URL of {scheme}:// has {found} in it, which records and messages would show"
    )


@pytest.mark.parametrize("name", ["hdfs://box:80/mail/ann@example.com.csv", "hdfs://box/10:00/ann@example.com.csv"])
def test_a_port_or_an_address_is_no_password(store, name):
    assert Location.of(name).name == name


def test_a_range_of_a_file_is_read_without_the_rest(store, tmp_path):
    (tmp_path / "box" / "a.mbox").write_bytes(bytes(100_000))
    with Location.of("hdfs://box/a.mbox").open() as file:
        file.seek(50_000)
        assert len(file.read(1000)) == 1000
    assert store.bytes_read == 1000


def test_a_local_file_appears_as_a_whole_with_the_usual_permissions(tmp_path):
    target = Location.of(str(tmp_path / "new" / "year=2026" / "part.csv"))
    (tmp_path / "made").write_bytes(b"a" * 1000)
    mask = os.umask(0o027)
    try:
        target.upload(tmp_path / "made")
    finally:
        os.umask(mask)
    path = Path(target.key)
    assert path.read_bytes() == b"a" * 1000
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [file.name for file in path.parent.iterdir()] == ["part.csv"]


def test_a_local_file_that_cannot_be_written_whole_leaves_what_was_there(tmp_path, monkeypatch):
    target = Location.of(str(tmp_path / "part.csv"))
    target.write_bytes(b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "sync", fail)
    with pytest.raises(OSError, match="No space left"):
        target.write_bytes(b"new")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("part.csv", b"old")]


def test_an_upload_that_came_short_is_an_error(store, tmp_path, monkeypatch):
    (tmp_path / "made").write_bytes(b"a" * 1000)
    monkeypatch.setattr("pyarrow.fs.copy_files", lambda *_, **__: (tmp_path / "box" / "a").write_bytes(b"a"))
    with pytest.raises(OSError, match="1 bytes of 1,000 came: try again"):
        Location.of("hdfs://box/a").upload(tmp_path / "made")


def test_what_is_uploaded_is_there_when_the_block_has_ended_well_and_what_stands_beside_it_too(store, tmp_path):
    with uploading("hdfs://box/new/a.csv") as path:
        path.write_text("text\n")
        path.with_name("a.csv.run.json").write_text("{}")
        assert not (tmp_path / "box" / "new" / "a.csv").exists()
    assert sorted(file.name for file in (tmp_path / "box" / "new").iterdir()) == ["a.csv", "a.csv.run.json"]
    assert not path.exists()


def test_nothing_is_uploaded_where_the_block_fails(store, tmp_path):
    def write_half(path):
        path.write_text("text\n")
        raise ValueError("half")

    with pytest.raises(ValueError, match="half"), uploading("hdfs://box/a.csv") as path:
        write_half(path)
    assert list((tmp_path / "box").iterdir()) == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "hdfs://box/b.csv",
            "hdfs://box/b.csv exists already: choose another name, or replace it with --overwrite",
        ),
        (
            "hdfs://box/year=2025",
            "hdfs://box/year=2025 is a folder: name a file in it, or put / at its end to write in parts",
        ),
    ],
)
def test_what_is_there_is_not_overwritten(box, url, message):
    with pytest.raises(OutputError) as failed, uploading(url):
        raise AssertionError("it began")
    assert str(failed.value) == message


def test_it_is_known_before_the_work_that_nothing_can_be_written(box, store, monkeypatch):
    def fail(*_):
        raise PermissionError(13, "AWS Error ACCESS_DENIED during PutObject operation")

    monkeypatch.setattr(type(store), "open_output_stream", fail)
    with pytest.raises(OutputError) as failed, uploading("hdfs://box/new.csv"):
        raise AssertionError("it began")
    assert str(failed.value) == (
        "hdfs://box/new.csv can't be written: access is denied: check the credentials and what they may do"
    )


def test_what_a_client_of_a_store_raises_is_one_line_and_a_fault_of_ours_is_none():
    of_a_client = type("HttpResponseError", (Exception,), {"__module__": "azure.core.exceptions"})
    with pytest.raises(InputError) as failed, storage.reading("az://box/a.csv"):
        raise of_a_client("Forbidden\nRequestId: 1")
    assert str(failed.value) == "az://box/a.csv can't be read: Forbidden"
    with pytest.raises(OutputError) as failed, storage.writing("https://box/a.csv"):
        raise NotImplementedError  # as fsspec does of http
    assert str(failed.value).startswith("https://box/a.csv can't be written: its files can't be handled so")
    with pytest.raises(KeyError), storage.reading("az://box/a.csv"):
        raise KeyError("ours")


def test_a_folder_is_deleted_and_one_that_is_not_there_is_no_error(box):
    folder = Location.of("hdfs://box/year=2025")
    folder.delete_folder()
    assert folder.info.type is FileType.NotFound
    folder.delete_folder()
    folder.delete()
