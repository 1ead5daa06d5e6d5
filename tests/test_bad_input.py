"""Tables and texts that are not as they should be: what becomes of each kind, and mutations of all of them."""

import bz2
import gzip
import io
import shutil
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textsent import encodings, lines, readers, tables
from textsent.errors import InputError, OptionError, OutputError
from textsent.files import score_file
from textsent.readers import BATCH_ROWS, open_reader
from textsent.schema import text_column
from textsent.score import load
from textsent.tables import TableOptions

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # at the end: the textsent under test is the installed one

from benchmarks import fuzz  # noqa: E402

KEPT = TableOptions(keep_bad_rows=True, may_guess=True)


def kept(**options):
    return TableOptions(keep_bad_rows=True, may_guess=True, **options)


def read(path, data, options=KEPT):
    """Return a file's columns, its rows with their problems, where they stand, and the notes."""
    path.write_bytes(data)
    with open_reader(path, table=options) as reader:
        found = [row for batch in reader for row in batch.to_pylist()]
        notes = [note.removeprefix(f"{path}: ") for note in reader.notes]
        return reader.schema.names, found, notes


def values(path, data, options=KEPT):
    """Return a file's rows as lists: their values, problem and line."""
    return [list(row.values()) for row in read(path, data, options)[1]]


def refusal(path, data, options=KEPT):
    with pytest.raises(InputError) as error:
        read(path, data, options)
    return str(error.value).removeprefix(f"{path} can't be read: ")


TEXT = "text,n\nCafé “Zum Ofen” – très bien,1\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "utf-8"])
@pytest.mark.parametrize("suffix", ["csv", "txt", "jsonl"])
def test_text_in_another_encoding_is_read_as_what_it_says(tmp_path, encoding, suffix):
    text = '{"text": "Café – très bien"}\n' if suffix == "jsonl" else TEXT
    told = {"utf-16-le": "utf-16-le", "utf-16-be": "utf-16-be", "cp1252": "cp1252"}.get(encoding)
    _, rows, notes = read(tmp_path / f"a.{suffix}", text.encode(encoding))
    assert rows[-1]["text"].removesuffix(",1") in text
    assert not any(row["problem"] for row in rows)
    assert notes == ([f"read as {told}; --encoding says otherwise"] if told else [])


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Очень хороший сервис, спасибо большое"),
        ("koi8_r", "Очень хороший сервис, спасибо большое"),
        ("cp932", "とても良いサービスでした。ありがとう"),
        ("cp949", "아주 좋은 서비스 감사합니다"),
        ("big5", "非常好的服務謝謝"),
        ("cp1253", "Πολύ καλή εξυπηρέτηση"),
        ("cp1252", "Das Gerät fällt ständig aus, schöne Grüße"),
        ("cp1252", "it’s 5 €"),
    ],
)
def test_an_encoding_is_told_by_the_beginning(tmp_path, encoding, text):
    _, rows, notes = read(tmp_path / "a.txt", f"{text}\n".encode(encoding) * 3)
    assert [row["text"] for row in rows] == [text] * 3
    assert notes == [f"read as {encoding}; --encoding says otherwise"]


def test_the_encoding_asked_for_goes_before_all_that_the_file_says(tmp_path):
    assert values(tmp_path / "a.txt", "é".encode(), kept(encoding="latin-1")) == [["Ã©", None, None]]
    assert values(tmp_path / "a.txt", "é".encode("utf-16"), kept(encoding="utf-16")) == [["é", None, None]]
    assert values(tmp_path / "a.txt", "é".encode("utf-16-le"), kept(encoding="utf-16")) == [["é", None, None]]


@pytest.mark.parametrize("name", ["latin-9000", "base64", "idna", "rot13", ""])
def test_an_encoding_that_is_none_is_refused(name):
    with pytest.raises(OptionError) as error:
        TableOptions(encoding=name)
    assert str(error.value) == (
        f"there is no encoding {name!r}: name one that Python knows, for instance utf-8, cp1252 or shift_jis"
    )


@pytest.mark.parametrize(
    ("suffix", "data", "rows"),
    [
        ("csv", b"text\ncaf\xc3\xa9\nth\xe9\nend\n", [("café", 0), ("th\ufffd", 3), ("end", 0)]),
        ("txt", b"caf\xc3\xa9\nth\xe9\nend\n", [("café", 0), ("th\ufffd", 2), ("end", 0)]),
        ("jsonl", b'{"text": "caf\xc3\xa9"}\n{"text": "th\xe9"}\n', [("café", 0), ("th\ufffd", 2)]),
        ("jsonl", b'{"text": "x\\ud83d"}\n{"text": "\\ud83d\\ude00"}\n', [("x\ufffd", 1), ("😀", 0)]),
        ("csv", b"text\n" + b"x\n" * 150_000 + b"th\xe9\n", [("x", 0)] * 150_000 + [("th\ufffd", 150_002)]),
    ],
    ids=["csv", "text", "json", "half a character", "after the sample"],
)
def test_bytes_that_cannot_be_decoded_are_replaced_and_their_row_is_flagged(tmp_path, suffix, data, rows):
    expected = [[text, "undecodable bytes" if line else None, line or None] for text, line in rows]
    assert values(tmp_path / f"a.{suffix}", data) == expected


def test_bytes_that_another_encoding_lacks_are_replaced_too(tmp_path):
    assert values(tmp_path / "a.txt", b"a\x81b\nc\n", kept(encoding="cp1252")) == [
        ["a\ufffdb", "undecodable bytes", 1],
        ["c", None, None],
    ]


FEW, MANY, OPEN = "too few fields", "too many fields", "quote not closed"


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"1,x\n2\n3,z\n", [["1", "x", None, None], ["2", None, FEW, 3], ["3", "z", None, None]]),
        (b"1,x\n2,y, z\n3,z\n", [["1", "x", None, None], ["2", "y, z", MANY, 3], ["3", "z", None, None]]),
        (b'1,"x\n2,y\n', [[None, '1,"x', OPEN, 2], ["2", "y", None, None]]),
        (b'1,"x\n2,"y"\n', [[None, '1,"x', OPEN, 2], ["2", "y", None, None]]),
        (b'1,"x\n\n2,y "z"\n', [[None, '1,"x', OPEN, 2], ["2", 'y "z"', None, None]]),
        (b'1,said "no" twice\n2,5" nails\n', [["1", 'said "no" twice', None, None], ["2", '5" nails', None, None]]),
        (b'1,"x" y\n2,"a ""b"" c"\n', [["1", "x y", None, None], ["2", 'a "b" c', None, None]]),
        (b'1,"x\r\ny\n\nz"\n2,b', [["1", "x\r\ny\n\nz", None, None], ["2", "b", None, None]]),
        (b"1,x\0y\n", [["1", "x\0y", None, None]]),
        (b"\n1,x\n\n\n2,y\n", [["1", "x", None, None], ["2", "y", None, None]]),
        (b"2,\xff\n3\n", [["2", "\ufffd", "undecodable bytes", 2], ["3", None, FEW, 3]]),
        (b'1,"a\nb"\n2\n', [["1", "a\nb", None, None], ["2", None, FEW, 4]]),
    ],
    ids=[
        "too few", "too many", "open quote", "open quote before others", "open quote before a stray one",
        "stray quotes", "text behind a quote", "lines in a field", "zero byte", "blank lines", "several",
        "lines are counted",
    ],
)  # fmt: skip
def test_a_bad_csv_row_keeps_its_place_and_says_what_is_wrong(tmp_path, data, rows):
    assert values(tmp_path / "a.csv", b"id,text\n" + data, kept(encoding="utf-8")) == rows


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_a_csv_file_says_the_same_whatever_the_blocks_it_is_read_in(tmp_path, monkeypatch, line_end):
    data = (
        b'id,text\n\n1,"so\ngood"\n2,said "no" X\n3,"open\n4,"x" X y\n5\n\n'
        b'6,"a ""b"" c"\n7,"x\n"\n8,y "z\n9,1,2\n10,x'
    ).replace(b"\n", line_end)
    end = line_end.decode()
    expected = [
        ["1", f"so{end}good", None, None],
        ["2", 'said "no" X', None, None],
        [None, '3,"open', OPEN, 6],
        ["4", "x X y", None, None],
        ["5", None, FEW, 8],
        ["6", 'a "b" c', None, None],
        ["7", f"x{end}", None, None],
        ["8", 'y "z', None, None],
        ["9", "1,2", MANY, 14],
        ["10", "x", None, None],
    ]
    for size in range(1, len(data) + 1):
        monkeypatch.setattr(encodings, "BLOCK_BYTES", size)
        assert values(tmp_path / "a.csv", data, kept(delimiter=",", encoding="utf-8")) == expected


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_lines_say_the_same_whatever_the_blocks_they_are_read_in(tmp_path, monkeypatch, line_end):
    texts = b"a\n\nso good\nth\xe9\n\ncaf\xc3\xa9".replace(b"\n", line_end)
    objects = b'{"text": "a"}\n\n{"text": "th\xe9"}\nx\n{"text": "caf\xc3\xa9"}'.replace(b"\n", line_end)
    for size in range(1, len(objects) + 1):
        monkeypatch.setattr(encodings, "BLOCK_BYTES", size)
        assert values(tmp_path / "a.txt", texts, kept(encoding="utf-8")) == [
            ["a", None, None],
            ["", None, None],
            ["so good", None, None],
            ["th\ufffd", "undecodable bytes", 4],
            ["", None, None],
            ["café", None, None],
        ]
        assert values(tmp_path / "a.jsonl", objects, kept(encoding="utf-8")) == [
            ["a", None, None],
            ["th\ufffd", "undecodable bytes", 3],
            [None, "not JSON", 4],
            ["café", None, None],
        ]


def test_blank_lines_before_the_header_are_counted(tmp_path):
    assert values(tmp_path / "a.csv", b"\r\n\nid,text\n1\n") == [["1", None, FEW, 4]]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_a_line_may_be_as_long_as_is_said(tmp_path, monkeypatch, line_end):
    monkeypatch.setattr(encodings, "BLOCK_BYTES", 1)
    monkeypatch.setattr(lines, "MAX_ROW_BYTES", 5)
    data = b"aaaaa\nbbbbbb\nccccccc\n\nd\n".replace(b"\n", line_end)
    for last in (b"", b"eeeeee", b"eeeeeeeee", b"eeeeee" + line_end):
        expected = [
            ["aaaaa", None, None],
            [None, "row too long", 2],
            [None, "row too long", 3],
            ["", None, None],
            ["d", None, None],
            *([[None, "row too long", 6]] if last else []),
        ]
        assert values(tmp_path / "a.txt", data + last, kept(encoding="utf-8")) == expected


def test_a_field_may_be_long_and_one_that_is_too_long_is_a_row_with_an_error(tmp_path, monkeypatch):
    long = "x" * 3_000_000
    data = f'id,text\n1,{long}\n2,"{long}\n"\n3,y\n'.encode()
    assert values(tmp_path / "a.csv", data)[:2] == [["1", long, None, None], ["2", long + "\n", None, None]]
    monkeypatch.setattr("textsent.delimited.MAX_ROW_BYTES", 1 << 20)
    assert values(tmp_path / "a.csv", f"id,text\n0,a\n1,{long}\n3,y\n".encode()) == [
        ["0", "a", None, None],
        [None, None, "row too long", 3],
        ["3", "y", None, None],
    ]
    monkeypatch.setattr("textsent.lines.MAX_ROW_BYTES", 1 << 20)
    assert values(tmp_path / "a.txt", f"a\n{long}\nb\n".encode()) == [
        ["a", None, None],
        [None, "row too long", 2],
        ["b", None, None],
    ]
    assert values(tmp_path / "a.jsonl", f'{{"text": "a"}}\n{{"text": "{long}"}}\n{{"text": "b"}}\n'.encode()) == [
        ["a", None, None],
        [None, "row too long", 2],
        ["b", None, None],
    ]


def test_a_quote_that_is_not_closed_takes_in_one_line_of_a_long_file(tmp_path, monkeypatch):
    monkeypatch.setattr("textsent.delimited.MAX_ROW_BYTES", 1 << 20)
    data = b'id,text\n0,"open\n' + b"1,x\n" * 600_000 + b"2\n"
    rows = values(tmp_path / "a.csv", data)
    assert rows[0] == [None, '0,"open', OPEN, 2]
    assert rows[1:-1] == [["1", "x", None, None]] * 600_000
    assert rows[-1] == ["2", None, FEW, 600_003]


@pytest.mark.parametrize(("delimiter", "name"), [(";", "semicolon"), ("\t", "tab"), ("|", "pipe"), (",", "comma")])
def test_a_delimiter_is_told_by_the_first_rows(tmp_path, delimiter, name):
    data = f"id{delimiter}text\n1{delimiter}so good; really|yes\n".replace("; really|yes", "").encode()
    usual, other = ("csv", "tsv") if name != "tab" else ("tsv", "csv")
    for suffix in (usual, other):
        names, rows, notes = read(tmp_path / f"a.{suffix}", data)
        is_usual = (suffix, name) in (("csv", "comma"), ("tsv", "tab"))
        assert (names, rows[0]["text"]) == (["id", "text"], "so good")
        assert notes == ([] if is_usual else [f"its columns are separated by a {name}; --delimiter says otherwise"])


def test_a_delimiter_that_could_be_text_must_be_said(tmp_path):
    data = b"like it; or not\nI like it\n"
    assert refusal(tmp_path / "a.csv", data) == (
        "its header has one column, or 2 that are separated by a semicolon: "
        "say which with --delimiter comma or --delimiter semicolon"
    )
    assert read(tmp_path / "a.csv", data, kept(delimiter="comma"))[0] == ["like it; or not"]
    assert values(tmp_path / "a.csv", data, kept(delimiter=";")) == [["I like it", None, FEW, 2]]


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"id;text\n", ["id", "text"]),
        (b"id;text\n1;so good\nx\n", ["id", "text"]),
        (b'"id;no";text\n1;so good\n', ["id;no", "text"]),
        (b"id;text,more;n\n1;2;3\n", ["id;text", "more;n"]),
        (b"id|text;more|n\n1|2|3\n", ["id", "text;more", "n"]),
    ],
    ids=["no rows", "half of the rows", "in quotes", "the usual one too", "the one of more columns"],
)
def test_a_delimiter_is_told_by_the_header_and_half_of_the_rows(tmp_path, data, names):
    assert read(tmp_path / "a.csv", data)[0] == names


def test_a_delimiter_of_less_than_half_of_the_rows_must_be_said(tmp_path):
    assert refusal(tmp_path / "a.csv", b"id;text\n1;so good\nx\ny\n").startswith("its header has one column, or 2")


def test_a_first_line_for_excel_names_the_delimiter(tmp_path):
    names, rows, _ = read(tmp_path / "a.csv", b"sep=;\nid;text\n1;good, so good\n2\n")
    assert names == ["id", "text"]
    assert [list(row.values()) for row in rows] == [["1", "good, so good", None, None], ["2", None, FEW, 4]]


@pytest.mark.parametrize("delimiter", ["", "ab", '"', "\n", "é"])
def test_a_delimiter_that_is_none_is_refused(delimiter):
    with pytest.raises(OptionError) as error:
        TableOptions(delimiter=delimiter)
    assert str(error.value) == (
        "a delimiter must be one ASCII character, for instance ';', or one of comma, semicolon, tab, pipe. "
        f"Received: {delimiter!r}"
    )


def test_a_file_without_a_header_has_numbered_columns_or_text(tmp_path):
    assert read(tmp_path / "a.csv", b"great,5\nbad,1\n", kept(header=False)) == (
        ["column_1", "column_2"],
        [
            {"column_1": "great", "column_2": "5", "problem": None, "line": None},
            {"column_1": "bad", "column_2": "1", "problem": None, "line": None},
        ],
        [],
    )
    assert read(tmp_path / "a.csv", b"great\nbad\n", kept(header=False))[:2] == (
        ["text"],
        [{"text": "great", "problem": None, "line": None}, {"text": "bad", "problem": None, "line": None}],
    )


@pytest.mark.parametrize(
    ("line", "shown"), [("I love it so much", "I love it so much"), ("great,5", "5"), ("great,-1.5,x", "-1.5")]
)
def test_a_first_line_that_looks_like_a_row_is_told_of(tmp_path, line, shown):
    assert read(tmp_path / "a.csv", f"{line}\n{line}\n".encode())[2] == [
        f"its first line is taken for the columns' names, {shown!r} for one; if not, say --no-header"
    ]


def test_columns_of_one_name_get_others(tmp_path):
    names, _, notes = read(tmp_path / "a.csv", b"text,n,n,n_2,n,\n1,2,3,4,5,6\n")
    assert names == ["text", "n", "n_3", "n_2", "n_4", ""]
    assert notes == ["3 of its columns are named 'n': from the second on they are n_3, n_4"]
    names, _, notes = read(tmp_path / "a.csv", b"text,n,n\n1,2,3\n")
    assert names == ["text", "n", "n_2"]
    assert notes == ["2 of its columns are named 'n': from the second on they are n_2"]


@pytest.mark.parametrize("word", ["None", "NA", "null", "NaN", "true", "001", "1e5", "2026-01-02", "", " x "])
def test_a_value_stays_the_text_it_was_in_bad_and_good_blocks(tmp_path, word):
    rows = values(tmp_path / "a.csv", f"text,id\n{word},{word}\nx\n".encode())
    assert rows[0] == [word, word, None, None]
    assert values(tmp_path / "a.csv", f"text,id\n{word},{word}\n".encode())[0] == rows[0]


def test_values_get_types_on_demand_and_those_that_have_another_one_are_null_and_told(tmp_path):
    rows = "text,n,x,day,code,flag,note\n5,1,0.5,2026-01-02,007,true,a\n6,,2,,8,false,1\n"
    path = tmp_path / "a.csv"
    path.write_text(rows + "7,many,x,soon,9,maybe,b\n")
    with open_reader(path, table=kept(infer_types=True)) as reader:
        assert [str(kind) for kind in reader.schema.types] == ["string"] * 7
    path.write_text(rows + "good,1,1,2026-01-03,9,true,b\n" * 30_000 + "7,many,x,soon,9,maybe,b\n")
    with open_reader(path, table=kept(infer_types=True)) as reader:
        kinds = ["string", "int64", "double", "date32[day]", "string", "bool", "string"]
        assert [str(kind) for kind in reader.schema.types] == kinds
        found = [list(row.values()) for batch in reader for row in batch.to_pylist()]
    assert found[0] == ["5", 1, 0.5, date(2026, 1, 2), "007", True, "a", None, None]
    assert found[1] == ["6", None, 2.0, None, "8", False, "1", None, None]
    assert found[-1] == ["7", None, None, None, "9", None, "b", "wrong type of 'n'", None]


def types(path, data, **options):
    path.write_bytes(data)
    with open_reader(path, table=kept(infer_types=True, **options)) as reader:
        return [str(kind) for kind in reader.schema.types]


@pytest.mark.parametrize(
    ("suffix", "data", "kinds"),
    [
        ("csv", b"text,n\na,1\nb\nc,2\n", ["string", "int64"]),
        ("csv", b"text,n\na,1\nb,2,3\n", ["string", "int64"]),
        ("csv", b"text,n\n", ["string", "string"]),
        ("csv", b"text,n\na,\n", ["string", "string"]),
        ("csv", b"text,n\na,-007\nb,8\n", ["string", "string"]),
        ("csv", b"text,n\na, 07\n", ["string", "string"]),
        ("csv", b"text,n\na,0.5\nb,0\n", ["string", "double"]),
        ("csv", b"text,when,at\na,2026-02-03 09:14:22,09:14:22\n", ["string", "timestamp[s]", "time32[s]"]),
        ("tsv", b"text\tn\n\t5\na\t6\n", ["string", "int64"]),
        ("csv", b"n,m\n1,2\n", ["int64", "int64"]),
    ],
    ids=[
        "too few",
        "too many",
        "no rows",
        "empty",
        "zeros",
        "zeros behind a space",
        "fractions",
        "times",
        "tabs",
        "numbers",
    ],
)
def test_types_are_those_of_the_first_rows(tmp_path, suffix, data, kinds):
    assert types(tmp_path / f"a.{suffix}", data) == kinds


def test_types_are_told_without_a_header_too_but_for_the_texts(tmp_path):
    assert types(tmp_path / "a.csv", b"1,2\n3,4\n", header=False) == ["int64", "int64"]
    assert types(tmp_path / "a.csv", b"1,2\n3,4\n", header=False, text_column="column_2") == ["int64", "string"]


JSON_LINE = b'{"text": "a", "n": 1}\n'


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b'{"text": \n', [["a", 1, None, None], [None, None, "not JSON", 2]]),
        (b'\xef\xbb\xbf{"text": "b"}\n', [["a", 1, None, None], ["b", None, None, None]]),
        (b"\n{text: 1}\n", [["a", 1, None, None], [None, None, "not JSON", 3]]),
        (b"[" * 100_000, [["a", 1, None, None], [None, None, "not JSON", 2]]),
        (b"9" * 5000, [["a", 1, None, None], [None, None, "not JSON", 2]]),
        (b"[1]\n", [["a", 1, None, None], [None, None, "not a JSON object", 2]]),
        (b"null\n", [["a", 1, None, None], [None, None, "not a JSON object", 2]]),
        (b'{"text": 5}\n', [["a", 1, None, None], ["5", None, "wrong type of 'text'", 2]]),
        (b'{"text": ["b"]}\n', [["a", 1, None, None], ['["b"]', None, "wrong type of 'text'", 2]]),
        (b'{"text": "b", "n": "x"}\n', [["a", "1", "wrong type of 'n'", 1], ["b", "x", None, None]]),
        (b'{"text": "b", "m": 1}\n', [["a", 1, None, None, None], ["b", None, 1, None, None]]),
        (b'{"text": "b", "n": 1.5}\n', [["a", 1.0, None, None], ["b", 1.5, None, None]]),
        (b'{"n": 2, "text": "b"}\n', [["a", 1, None, None], ["b", 2, None, None]]),
    ],
)
def test_a_bad_json_line_keeps_its_place_and_says_what_is_wrong(tmp_path, data, rows):
    assert values(tmp_path / "a.jsonl", JSON_LINE + data) == rows


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (b'{"text": "b", "n": "x"}\n', ["b", None, "wrong type of 'n'"]),
        (b'{"text": 1, "n": {"a": 1}}\n', ["1", None, "wrong type of 'text' and 'n'"]),
        (b'{"text": "b", "n": 1.5}\n', ["b", None, "wrong type of 'n'"]),
        (b'{"text": "b", "n": 1, "m": 1}\n', ["b", 1, "unknown field"]),
        (b'{"text": "b", "n": 1e400}\n', ["b", None, "wrong type of 'n'"]),
    ],
)
def test_a_type_or_a_field_that_comes_late_is_told_in_its_row(tmp_path, line, row):
    rows = values(tmp_path / "a.jsonl", JSON_LINE * BATCH_ROWS + line + JSON_LINE)
    assert rows[-2:] == [[*row, BATCH_ROWS + 1], ["a", 1, None, None]]


@pytest.mark.parametrize(
    ("early", "late", "value"),
    [
        (b"1", b"2.0", 2),
        (b"0.5", b"2", 2.0),
        (b"[1]", b"[2.0, null]", [2, None]),
        (b'{"a": 1, "b": {"c": "x"}}', b'{"b": {}}', {"a": None, "b": {"c": None}}),
        (b'{"a": [{"b": 1}]}', b'{"a": [{}]}', {"a": [{"b": None}]}),
    ],
    ids=["whole number", "fraction", "list", "object", "list of objects"],
)
def test_a_value_that_comes_late_takes_the_type_of_its_column_where_it_stays_the_same(tmp_path, early, late, value):
    line = b'{"text": "a", "n": %s}\n'
    rows = values(tmp_path / "a.jsonl", (line % early) * BATCH_ROWS + line % late)
    assert rows[-1] == ["a", value, None, None]
    assert type(rows[-1][1]) is type(value)


def test_a_batch_of_which_no_value_fits_keeps_the_types_of_the_first(tmp_path):
    rows = values(tmp_path / "a.jsonl", JSON_LINE * BATCH_ROWS + b'{"text": "b", "n": "x"}\n{"text": "c"}\n')
    assert rows[-2:] == [["b", None, "wrong type of 'n'", BATCH_ROWS + 1], ["c", None, None, None]]


def test_a_file_that_is_no_json_lines_is_refused(tmp_path):
    assert refusal(tmp_path / "a.jsonl", b'[\n{"text": "a"},\n{"text": "b"}\n]\n'.replace(b"\n{", b" {")) == (
        "none of its first rows is a JSON object, line 1 is not JSON: each line must be one, "
        '{"text": "…"} for instance; for other files choose another --format'
    )


def parquet(**columns):
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def invalid(data_type):
    """Two strings, of which the second one isn't UTF-8."""
    small = pa.array([b"so good", b"th\xe9"], pa.binary())
    array = pa.Array.from_buffers(pa.string(), 2, small.buffers())
    return array.cast(data_type) if data_type != pa.string() else array


@pytest.mark.parametrize("data_type", [pa.string(), pa.large_string(), pa.string_view()])
def test_every_type_of_string_of_a_parquet_file_is_read(tmp_path, data_type):
    rows = values(tmp_path / "a.parquet", parquet(text=pa.array(["so good", None], data_type)))
    assert rows == [["so good", None, None], [None, None, None]]


def test_bytes_of_a_parquet_file_that_cannot_be_decoded_are_replaced_and_their_row_is_flagged(tmp_path):
    assert values(tmp_path / "a.parquet", parquet(text=invalid(pa.string()), n=pa.array([1, 2]))) == [
        ["so good", 1, None, None],
        ["th\ufffd", 2, "undecodable bytes", None],
    ]


@pytest.mark.parametrize("data_type", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_so_are_those_of_every_type_of_string(data_type):
    batch = pa.record_batch(
        {"n": pa.array([1, 2]), "s": invalid(data_type), "m": pa.array([3, 4]), "t": invalid(data_type)}
    )
    repaired = readers._with_valid_strings(batch)
    assert repaired.schema.types[:4] == batch.schema.types
    assert [list(row.values()) for row in repaired.to_pylist()] == [
        [1, "so good", 3, "so good", None, None],
        [2, "th\ufffd", 4, "th\ufffd", "undecodable bytes", None],
    ]


EXCEL = "it is a zip archive or an Excel workbook: save the sheet as CSV, or unpack the archive"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"", "the file is empty: it needs a line with the columns' names, and rows"),
        ("a.csv", b"PK\x03\x04", EXCEL),
        ("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "it is an old Excel or Office file: save the sheet as CSV"),
        ("a.jsonl", parquet(text=["a"]), "it is a Parquet file: say --format parquet"),
        ("a.txt", b"%PDF-1.7\n", "it is a PDF file: take its text out first"),
        ("a.csv", b"SQLite format 3\0", "it is an SQLite database: export the table as CSV"),
        ("a.parquet", b"text\nx\n" * 9, "it is no Parquet file, or a part of one: write or fetch it again"),
        ("a.parquet", parquet(text=["a"])[:-7], "it is no Parquet file, or a part of one: write or fetch it again"),
        ("a.parquet", b"", "it is too short for a Parquet file: write or fetch it again"),
        ("a.parquet", b"PARE" + b"x" * 50 + b"\x10\0\0\0PARE", "it is an encrypted Parquet file: write it without "
         "encryption"),
        ("a.csv.gz", gzip.compress(b"text\nx\n")[:-4], "its compressed data end too early: it is a part of a file, "
         "fetch it again"),
    ],
    ids=[
        "empty", "Excel", "old Excel", "Parquet", "PDF", "SQLite", "no Parquet", "cut Parquet", "empty Parquet",
        "encrypted Parquet", "cut gzip",
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(tmp_path, name, data, message):
    assert refusal(tmp_path / name, data) == message


@pytest.mark.parametrize("name", [None, "text"])
def test_a_column_of_bytes_is_refused_as_texts_with_what_to_do(name):
    with pytest.raises(InputError) as error:
        text_column(pa.schema([("text", pa.binary()), ("n", pa.int64())]), name)
    assert str(error.value) == (
        "the column 'text' holds binary, not strings: write it as strings, in pandas with .str.decode('utf-8'): "
        "choose one with --text-column. The columns are 'text', 'n'"
    )


def test_nested_columns_go_from_parquet_to_parquet_and_are_refused_as_csv(tmp_path, tiny_preset):
    nested = pa.array([{"a": [1, 2]}, None])
    (tmp_path / "in.parquet").write_bytes(parquet(text=pa.array(["great", "guys"]), nested=nested))
    scorer = load(tiny_preset, device="cpu")
    score_file(tmp_path / "in.parquet", tmp_path / "out.parquet", scorer)
    assert pq.read_table(tmp_path / "out.parquet")["nested"].combine_chunks().equals(nested)
    with pytest.raises(OutputError) as error:
        score_file(tmp_path / "in.parquet", tmp_path / "out.csv", scorer)
    assert str(error.value) == (
        f"{tmp_path / 'out.csv'} can't hold these columns: Unsupported Type:struct<a: list<element: int64>>: "
        "try a .parquet file"
    )
    assert not (tmp_path / "out.csv").exists()


@pytest.fixture(scope="module")
def fuzzed_presets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzzed")
    fuzz.write_presets(folder)
    return folder


@pytest.mark.parametrize("format", fuzz.CHECKS)
def test_mutated_inputs_are_read_or_refused_and_no_row_is_lost(tmp_path, fuzzed_presets, format):
    shutil.copytree(fuzzed_presets, tmp_path, dirs_exist_ok=True)
    for seed in range(30):  # `python -m benchmarks.fuzz` reads many more
        fuzz.checked(format, tmp_path, seed)


PARQUET = parquet(
    text=pa.array(["so good", None, "bad"]), n=pa.array([1, 2, None]), tags=pa.array([["x"], None, []])
)


@pytest.mark.parametrize(("suffix", "line"), [("txt", b"so good, so good\n"), ("jsonl", b'{"text": "so good"}\n')])
def test_long_lines_come_a_few_at_a_time(tmp_path, monkeypatch, suffix, line):
    monkeypatch.setattr(lines, "MAX_BATCH_BYTES", 3 * len(line) - 10)
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(line * 8)
    with open_reader(path) as reader:
        assert [batch.num_rows for batch in reader] == [3, 3, 2]


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=80), suffix=st.sampled_from(["csv", "tsv", "txt", "jsonl", "parquet", "csv.gz"]))
def test_any_bytes_are_read_or_refused(tmp_path_factory, data, suffix):
    path = tmp_path_factory.mktemp("any") / f"a.{suffix}"
    with suppress(InputError):
        read(path, data)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_table_that_ends_at_any_byte_has_all_of_its_whole_rows(tmp_path, suffix):
    whole = {"csv": b'id,text\n1,so good\n2,"a\nb"\n3,"x ""y"""\n', "jsonl": JSON_LINE * 3}[suffix]
    ends = {"csv": [8, 18, 26, 38], "jsonl": [0, 21, 43, 65]}[suffix]
    rows = values(tmp_path / f"a.{suffix}", whole)
    for size in range(ends[0] or 1, len(whole)):
        done = sum(end <= size for end in ends[1:])
        if done or suffix == "csv":
            assert values(tmp_path / f"a.{suffix}", whole[:size])[:done] == rows[:done]
        else:
            assert refusal(tmp_path / f"a.{suffix}", whole[:size]).startswith(
                "none of its first rows is a JSON object"
            )


def test_a_parquet_file_with_fewer_rows_than_it_says_is_refused(tmp_path):
    whole = parquet(text=pa.array(["so good"] * 60))
    told = b"\x16\x78\x19\x1c"  # 60 rows, in a list with one row group
    assert whole.count(told) == 1
    assert refusal(tmp_path / "a.parquet", whole.replace(told, b"\x16\x7a\x19\x1c")) == (
        "it says that it has 61 rows, and 60 are in it: it may be damaged, write or fetch it again"
    )


@pytest.mark.parametrize("hint", [b"", b"sep=;\n"])
def test_a_table_may_begin_with_more_blank_lines_than_a_block_holds(tmp_path, hint):
    blank = b"\r\n" * (encodings.BLOCK_BYTES // 2) + b"\n"
    data = blank + hint + b"id;text\n1;so good\n2\n"
    first = blank.count(b"\n") + bool(hint)
    assert values(tmp_path / "a.csv", data, kept(delimiter=None if hint else ";")) == [
        ["1", "so good", None, None],
        ["2", None, "too few fields", first + 3],
    ]


def test_a_parquet_file_that_ends_at_any_byte_is_refused(tmp_path):
    for size in range(len(PARQUET)):
        assert refusal(tmp_path / "a.parquet", PARQUET[:size]) in (
            "it is no Parquet file, or a part of one: write or fetch it again",
            "it is too short for a Parquet file: write or fetch it again",
        )


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [("gz", gzip.compress), ("bz2", bz2.compress), ("zst", lambda data: pa.compress(data, "zstd", asbytes=True))],
)
def test_a_compressed_file_that_ends_at_any_byte_is_refused(tmp_path, suffix, compress):
    data = compress(b"id,text\n" + b"".join(b"%d,so good\n" % row for row in range(20)))
    for size in range(1, len(data)):
        assert refusal(tmp_path / f"a.csv.{suffix}", data[:size]) == (
            "its compressed data end too early: it is a part of a file, fetch it again"
        )


def test_a_mailbox_that_ends_at_any_byte_has_a_row_for_each_separator(tmp_path):
    mail = b"From ann@example.com Tue Feb  3 09:14:22 2026\nSubject: Timer\n\nIt works.\n\n"
    path = tmp_path / "a.mbox"
    for size in range(len(mail), 3 * len(mail) + 1):
        path.write_bytes((mail * 3)[:size])
        with open_reader(path) as reader:
            assert sum(batch.num_rows for batch in reader) >= size // len(mail)


def test_the_longest_row_is_longer_than_a_block():
    assert tables.MAX_ROW_BYTES > 2 * encodings.BLOCK_BYTES


@pytest.mark.parametrize("suffix", ["csv", "txt"])
def test_a_byte_order_mark_within_a_file_is_text(tmp_path, suffix):
    data = b"text\n" * (suffix == "csv") + b"\xef\xbb\xbfgood\nbad\n\xef\xbb\xbfso good\n"
    found = values(tmp_path / f"a.{suffix}", b"so\n" * (suffix == "txt") + data, kept(encoding="utf-8"))
    assert found[suffix == "txt" :] == [
        ["\ufeffgood", None, None],
        ["bad", None, None],
        ["\ufeffso good", None, None],
    ]
