"""What files an input's name stands for, and of what format they are."""

from pathlib import Path

import pytest
from stores import store_in

from textsent.errors import InputError, MissingExtraError
from textsent.readers import open_reader
from textsent.sources import expanded, find_sources, format_by_suffix, is_text_argument, without_values
from textsent.storage import Location


@pytest.fixture
def store(tmp_path, monkeypatch):
    return store_in(tmp_path, monkeypatch)


@pytest.fixture
def box(store, tmp_path):
    """The store's folder, with some files."""
    for name in (
        "b.csv", "a.csv", "a.txt", "_hidden.csv", ".hidden.csv", "_below/c.csv", "year=2025/month=02/c.csv",
        "year=2025/month=01/d.csv", "year=2026/month=01/e.csv",
    ):  # fmt: skip
        (tmp_path / "box" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "box" / name).write_text("text\ngreat\n")
    return tmp_path / "box"


def names_of(name):
    return [listed.name for listed in expanded(name)]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.csv", ["a.csv", "b.csv"]),
        ("?.*", ["a.csv", "a.txt", "b.csv"]),
        ("[!a].csv", ["b.csv"]),
        ("year=2025/*/*.csv", ["year=2025/month=01/d.csv", "year=2025/month=02/c.csv"]),
        ("year=*/month=01/*", ["year=2025/month=01/d.csv", "year=2026/month=01/e.csv"]),
        ("**/[de].csv", ["year=2025/month=01/d.csv", "year=2026/month=01/e.csv"]),
        ("*.csv?replication=2", ["a.csv?replication=2", "b.csv?replication=2"]),
        ("a.csv", ["a.csv"]),
        ("none.csv", ["none.csv"]),
    ],
)
def test_a_pattern_stands_for_its_files_in_the_order_of_their_names(box, pattern, found):
    assert names_of(f"hdfs://box/{pattern}") == [f"hdfs://box/{name}" for name in found]


@pytest.mark.parametrize("name", ["[Gmail].csv", "what*.csv", "[Gmail]/all.csv"])
def test_a_name_that_looks_like_a_pattern_is_that_of_its_file(box, name):
    (box / "[Gmail]").mkdir()
    for own in (name, "G.csv", "whatever.csv"):
        (box / own).write_text("text\ngreat\n")
    assert names_of(f"hdfs://box/{name}") == [f"hdfs://box/{name}"]


def test_a_folder_s_url_stands_for_the_files_in_it_and_below_without_hidden_ones(box):
    assert names_of("hdfs://box/") == names_of("hdfs://box") == [
        "hdfs://box/a.csv", "hdfs://box/a.txt", "hdfs://box/b.csv", "hdfs://box/year=2025/month=01/d.csv",
        "hdfs://box/year=2025/month=02/c.csv", "hdfs://box/year=2026/month=01/e.csv",
    ]  # fmt: skip


def test_a_file_url_and_a_pattern_of_paths_are_expanded_alike(box, monkeypatch):
    monkeypatch.chdir(box)
    assert names_of("?.csv") == ["a.csv", "b.csv"]
    assert names_of(f"{box.as_uri()}/?.csv") == [f"{box}/a.csv", f"{box}/b.csv"]
    assert names_of(f"{box.as_uri()}/year=2026") == [f"{box}/year=2026/month=01/e.csv"]
    assert names_of("none*") == ["none*"]
    Path("[a].csv").touch()
    assert names_of("[a].csv") == ["[a].csv"]


def test_the_format_of_a_url_with_settings_is_that_of_its_suffix(box):
    assert find_sources(["hdfs://box/a.csv?replication=2"])[0].format == "csv"
    (box / "a.odd").touch()
    with pytest.raises(InputError, match=r"the suffix '\.odd' names no format"):
        find_sources(["hdfs://box/a.odd?replication=2"])


def test_the_sizes_of_listed_files_are_not_asked_for_again(box, store, monkeypatch):
    expected = [(source.name, source.size, source.state) for source in find_sources(["hdfs://box/*.csv"])]
    assert [size for _, size, _ in expected] == [11, 11]
    asked, info = [], Location.info.fget
    monkeypatch.setattr(Location, "info", property(lambda location: asked.append(location.name) or info(location)))
    assert [(one.name, one.size, one.state) for one in find_sources(["hdfs://box/*.csv"])] == expected
    assert asked == ["hdfs://box/*.csv"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hdfs://box/none.csv", "hdfs://box/none.csv: there is no such file: check the URL"),
        ("hdfs://box/*.none", "hdfs://box/*.none: no file has such a name: check the URL"),
        ("hdfs://box/empty", "hdfs://box/empty is a folder without files: check its name"),
        ("hdfs://box/half", "hdfs://box/half isn't complete: go on with the run that writes it, with --resume"),
    ],
)
def test_an_input_that_is_not_there_is_one_line(box, name, message):
    (box / "empty").mkdir()
    (box / "half" / "_unfinished").mkdir(parents=True)
    with pytest.raises(InputError) as failed:
        open_reader(name)
    assert str(failed.value) == message


@pytest.mark.parametrize("name", ["nonsense://box/a.csv", "abfs://box/a.csv"])
def test_a_url_that_nothing_understands_is_one_line(name):
    with pytest.raises((InputError, MissingExtraError)) as failed:
        expanded(name)
    assert "\n" not in str(failed.value)
    assert name.partition("/")[0] in str(failed.value)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.csv", ("csv", None)),
        ("a.csv.gz", ("csv", "gzip")),
        ("a.b.JSONL.ZST", ("jsonl", "zstd")),
        ("a.gz", (None, "gzip")),
        ("a.csv.docx", (None, None)),
        ("a", (None, None)),
        ("folder.csv/a", (None, None)),
        (".csv", (None, None)),
        ("-", (None, None)),
    ],
)
def test_suffixes_name_format_and_compression(path, found):
    assert format_by_suffix(path) == found


@pytest.mark.parametrize(
    "argument",
    ["some text", "You guys\tare terrible", "-5 degrees", "either/or is fine", "line\nline", "5 % off.", " "],
)
def test_an_argument_with_white_space_that_is_no_file_is_a_text(tmp_path, monkeypatch, argument):
    monkeypatch.chdir(tmp_path)
    assert is_text_argument(argument)
    assert is_text_argument(argument + " and more" * 10_000)  # longer than a file's name may be


@pytest.mark.parametrize(
    "argument",
    [
        "",
        "-",
        "word",
        "my inbox",
        "my inbox.mbox",
        "a b.csv.gz",
        "./a b",
        "../a b",
        "/a b",
        "~/a b",
        "Alte Briefe.MBOX",
    ],
)
def test_a_file_and_what_is_named_like_one_is_no_text(tmp_path, monkeypatch, argument):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my inbox").mkdir()
    assert not is_text_argument(argument)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            "CSV parse error: Expected 2 columns, got 3: my\nsecret,a,b",
            "CSV parse error: Expected 2 columns, got 3",
        ),
        (
            "Could not convert 'my '\n secret' with type str: tried to convert to int64",
            "Could not convert a value with type str: tried to convert to int64",
        ),
        (
            "Failed to parse string: 'my \n secret' as a scalar of type int64",
            "Failed to parse string: a value as a scalar of type int64",
        ),
        ("Invalid: there are 3 columns", "Invalid: there are 3 columns"),
    ],
)
def test_what_arrow_says_of_a_value_is_told_without_it(message, shown):
    assert without_values(message) == shown
