import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textsent.datasets import (
    LABELS,
    SHOWN_LABELS,
    LabelledTexts,
    class_weights,
    describe_labels,
    read_labelled,
)
from textsent.errors import InputError, OptionError

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
    ("spelling", "label"),
    [("1.0", 1), ("1.", 1), ("+1", 1), (" 1 ", 1), ("01", 1), ("0.0", 0), ("-0.0", 0), ("-1.0", 0), ("-1.00", 0)],
)
def test_a_number_is_the_same_label_however_it_is_written(tmp_path, spelling, label):
    (tmp_path / "data.csv").write_text(f'text,label\none,"{spelling}"\n')
    assert read_labelled(tmp_path / "data.csv").labels.tolist() == [label]


LABEL_COLUMNS_OF_EACH_TYPE = {
    "bool": pa.array([True, False, True]),
    "int8": pa.array([1, 0, 1], pa.int8()),
    "int64 with minus": pa.array([1, -1, 1]),
    "float32": pa.array([1.0, -1.0, 1.0], pa.float32()),
    "float64": pa.array([1.0, 0.0, 1.0]),
    "decimal": pa.array(["1.00", "0.00", "1.00"]).cast(pa.decimal128(3, 2)),
    "string": pa.array(["pos", "neg", "pos"]),
    "dictionary of strings": pa.array(["Positive", "Negative", "Positive"]).dictionary_encode(),
    "dictionary of integers": pa.array([1, 0, 1]).dictionary_encode(),
}


@pytest.mark.parametrize("labels", LABEL_COLUMNS_OF_EACH_TYPE.values(), ids=LABEL_COLUMNS_OF_EACH_TYPE)
def test_labels_of_any_type_are_read_beside_texts_and_groups_of_any_type(tmp_path, labels):
    groups = pa.array([7, 8, 7])
    for texts, films in (
        (pa.array(["one", "two", "three"]), groups),
        (pa.array(["one", "two", "three"]).dictionary_encode(), groups.dictionary_encode()),
        (pa.array(["one", "two", "three"], pa.large_string()), groups.cast(pa.string())),
    ):
        table = pa.table({"text": texts, "label": labels, "movie": films})
        pa.parquet.write_table(table, tmp_path / "data.parquet", compression="zstd")
        data = read_labelled(tmp_path / "data.parquet")
        assert data.texts.to_pylist() == ["one", "two", "three"]
        assert data.labels.tolist() == [1, 0, 1]
        assert data.groups.to_pylist() == ["7", "8", "7"]
        assert data.named_groups


CSV = 'text,label,movie\n"one, two",pos,7\nthree,neg,8\n'
JSON_LINES = "".join(
    json.dumps({"text": text, "label": label, "movie": movie}) + "\n"
    for text, label, movie in (("one, two", True, 7), ("three", False, 8))
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data.csv", CSV.encode()),
        ("data.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
        ("data.csv.zst", pa.compress(CSV.encode(), "zstd", asbytes=True)),
        ("data.tsv", b"text\tlabel\tmovie\none, two\t1\t7\nthree\t-1\t8\n"),
        ("data.jsonl", JSON_LINES.encode()),
        ("data.ndjson.gz", gzip.compress(JSON_LINES.encode(), mtime=0)),
    ],
)
def test_labelled_texts_are_read_from_files_of_each_format_compressed_or_not(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    data = read_labelled(tmp_path / name)
    assert data.texts.to_pylist() == ["one, two", "three"]
    assert data.labels.tolist() == [1, 0]
    assert data.groups.to_pylist() == ["7", "8"]


GENERAL_ADVICE = (
    "use pos and neg, positive and negative, 1 and 0, or 1 and -1, or name them with "
    "--positive LABEL and --negative LABEL; rows with any other label are then left out"
)


def json_lines(path, labels):
    path.write_text("".join(json.dumps({"text": "one", "label": label}) + "\n" for label in labels))
    return path


def message(path, **options):
    with pytest.raises(InputError) as unknown:
        read_labelled(path, **options)
    return str(unknown.value)


def advice_for(path, labels):
    return message(json_lines(path / "data.jsonl", map(str, labels))).rpartition("): ")[2]


@pytest.mark.parametrize(("label", "shown"), [("meh", "'meh'"), ("", "''"), (" Meh", "'meh'"), (None, "None")])
def test_an_unknown_or_missing_label_is_an_error_that_names_its_row(tmp_path, label, shown):
    path = json_lines(tmp_path / "data.jsonl", ["pos", "neg", label])
    assert message(path) == f"{path}: these labels are not known: {shown} (1×, first in row 3): {GENERAL_ADVICE}"


def test_the_row_of_an_unknown_label_is_counted_in_the_file_whatever_is_left_out(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text('{"text": null, "label": "pos"}\n{"text": "one", "label": "meh"}\n')
    assert message(path).startswith(f"{path}: these labels are not known: 'meh' (1×, first in row 2): ")


def test_all_unknown_labels_are_named_with_their_rows_the_most_frequent_first(tmp_path):
    path = json_lines(tmp_path / "data.jsonl", ["pos", "meh", "mixed", None, "mixed", "neg", "Mixed", "meh"])
    assert message(path) == (
        f"{path}: these labels are not known: 'mixed' (3×, first in row 3), 'meh' (2×), None (1×): {GENERAL_ADVICE}"
    )


def test_of_many_unknown_labels_ten_are_shown_and_of_a_long_one_its_beginning_and_nothing_unprintable(tmp_path):
    long = "a" * 100_000
    labels = [long, "\x1b[31m\n", *(f"label {number}" for number in range(15)), long]
    path = json_lines(tmp_path / "data.jsonl", labels)
    said = message(path)
    assert f"'{'a' * 40}'… (2×, first in row 1), '\\x1b[31m' (1×), 'label 0' (1×), " in said
    assert "'label 7' (1×) and 7 more: " in said
    assert said.isprintable()
    assert said.count("×") == SHOWN_LABELS


@pytest.mark.parametrize(
    ("labels", "options"),
    [
        ([0, 4], "--positive 4 --negative 0"),
        (["4.0", "0.0", ""], "--positive 4 --negative 0"),
        ([1, 2], "--positive 2 --negative 1"),
        ([-2, 2], "--positive 2 --negative -2"),
        ([-1, 0, 1], "--positive 1 --negative -1"),
        ([1, 2, 3, 4, 5], "--positive 4 --positive 5 --negative 1 --negative 2"),
        ([0, 2, 4], "--positive 4 --positive 5 --negative 1 --negative 2"),
        ([5, "unknown", 1], "--positive 4 --positive 5 --negative 1 --negative 2"),
        ([0, "nan", 1], "--positive 1 --negative 0"),
    ],
    ids=str,
)
def test_numbers_that_could_mean_anything_are_not_guessed_and_the_options_that_say_so_are_named(
    tmp_path, labels, options
):
    assert advice_for(tmp_path, labels) == (
        f"say which are positive and which negative, for instance {options}; "
        "rows with any other label are then left out"
    )


@pytest.mark.parametrize(
    ("labels", "unknown"),
    [
        (["1", "5"], ["'1'", "'5'"]),
        (["1", "0", "-1"], ["'1'", "'0'", "'-1'"]),
        (["p", "n", "neg"], ["'n'"]),
        (["positive", "negative", "n"], ["'n'"]),
    ],
)
def test_a_label_that_another_one_makes_doubtful_is_not_known(tmp_path, labels, unknown):
    said = message(json_lines(tmp_path / "data.jsonl", labels))
    assert [part.split()[-1] for part in said.split(" (1×")[:-1]] == unknown


def test_labels_that_are_named_count_and_rows_with_others_are_left_out_and_counted(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("text,label,movie\none,5,a\ntwo,3,b\nthree,1,c\nfour,,d\nfive,4.0,e\nsix,3.0,f\nseven, 2 ,g\n")
    data = read_labelled(path, positive=["4", "5"], negative=["1.0", "2"])
    assert data.texts.to_pylist() == ["one", "three", "five", "seven"]
    assert data.labels.tolist() == [1, 0, 1, 0]
    assert data.groups.to_pylist() == ["a", "c", "e", "g"]
    assert list(data.left_out.items()) == [("3", 2), ("", 1)]


@pytest.mark.parametrize(
    "column",
    [pa.array([4, 0, 2]), pa.array([4.0, 0.0, 2.0]), pa.array(["4", "0", "2"]).dictionary_encode()],
    ids=["int", "float", "dictionary"],
)
def test_labels_are_named_as_text_whatever_their_type(tmp_path, column):
    pa.parquet.write_table(pa.table({"text": ["a", "b", "c"], "label": column}), tmp_path / "data.parquet")
    data = read_labelled(tmp_path / "data.parquet", positive={"4"}, negative={"0"})
    assert data.labels.tolist() == [1, 0]
    assert data.left_out == {"2": 1}


def test_what_labels_are_named_replaces_those_that_are_known(tmp_path):
    path = json_lines(tmp_path / "data.jsonl", ["Spam", "ham", "pos", None])
    data = read_labelled(path, positive=("HAM",), negative=(" spam ",))
    assert data.labels.tolist() == [0, 1]
    assert data.left_out == {"pos": 1, "None": 1}


def test_rows_called_neutral_are_left_out_and_counted(tmp_path):
    (tmp_path / "data.csv").write_text("text,label\none,positive\ntwo,Neutral\nthree,negative\nfour, neutral \n")
    data = read_labelled(tmp_path / "data.csv")
    assert data.texts.to_pylist() == ["one", "three"]
    assert data.labels.tolist() == [1, 0]
    assert data.left_out == {"neutral": 2}


def test_the_texts_of_rows_left_out_as_neutral_are_kept_apart(tmp_path):
    rows = "one,positive\ntwo,Neutral\nthree,negative\n,neutral\nfour,neutral \n"
    (tmp_path / "data.csv").write_text("text,label\n" + rows)
    data = read_labelled(tmp_path / "data.csv")
    assert data.neutral.to_pylist() == ["two", "", "four"]
    assert data.where(np.array([True, False])).neutral.to_pylist() == []
    named = read_labelled(tmp_path / "data.csv", positive=["positive"], negative=["neutral"])
    assert named.neutral.to_pylist() == []


def test_labels_named_as_neutral_are_the_neutral_ones(tmp_path):
    path = json_lines(tmp_path / "data.jsonl", ["5", "3", "1", "3.0", "2"])
    data = read_labelled(path, positive=["5"], negative=["1"], neutral=["3"])
    assert data.labels.tolist() == [1, 0]
    assert data.left_out == {"3": 2, "2": 1}
    assert len(data.neutral) == 2
    path = json_lines(tmp_path / "other.jsonl", [1, 0, -1])
    data = read_labelled(path, neutral=["0"])
    assert data.labels.tolist() == [1, 0]
    assert len(data.neutral) == 1


def test_a_label_cannot_be_neutral_and_another(tmp_path):
    path = json_lines(tmp_path / "data.jsonl", ["5", "3", "1"])
    with pytest.raises(OptionError) as refused:
        read_labelled(path, positive=["5"], negative=["1"], neutral=["5.0"])
    assert str(refused.value) == "the label '5' can't be both neutral and another: name it once"
    with pytest.raises(OptionError) as refused:
        read_labelled(path, neutral="3")
    assert str(refused.value) == "the neutral labels must be several strings, in a list for instance. Received: one"


def test_neutral_rows_alone_or_beside_a_label_that_is_not_known_are_an_error(tmp_path):
    for rows in ("one,neutral\n", "one,neutral\ntwo,positive\nthree,meh\n"):
        (tmp_path / "data.csv").write_text("text,label\n" + rows)
        with pytest.raises(InputError, match="these labels are not known: "):
            read_labelled(tmp_path / "data.csv")


def test_an_empty_name_of_the_group_column_makes_each_text_its_own_group(tmp_path):
    (tmp_path / "data.csv").write_text("text,label,film\none,1,a\ntwo,0,a\n")
    data = read_labelled(tmp_path / "data.csv", text="text", group="")
    assert not data.named_groups
    assert data.groups.to_pylist() == ["one", "two"]


def test_what_was_left_out_is_no_part_of_the_digest_and_is_nothing_where_nothing_was(tmp_path):
    some = read_labelled(json_lines(tmp_path / "a.jsonl", ["pos", "meh"]), positive=["pos"], negative=["neg"])
    none = read_labelled(json_lines(tmp_path / "b.jsonl", ["pos"]))
    assert (some.left_out, none.left_out) == ({"meh": 1}, {})
    assert some.digest() == none.digest()


def test_a_file_that_has_none_of_the_labels_that_are_named_is_an_error(tmp_path):
    path = json_lines(tmp_path / "data.jsonl", ["a", "b", "b"])
    assert message(path, positive=["5"], negative=["1"]) == (
        f"{path}: none of its labels was named: 'b' (2×, first in row 2), 'a' (1×): check --positive and --negative"
    )


def test_texts_of_one_label_only_are_read(tmp_path):
    assert read_labelled(json_lines(tmp_path / "data.jsonl", ["pos", "pos"])).labels.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"positive": ["5"]}, "--positive says nothing of the other labels: name some with --negative too"),
        ({"negative": ["1"]}, "--negative says nothing of the other labels: name some with --positive too"),
        (
            {"positive": ["Good", "4.0"], "negative": ["bad", "4"]},
            "the label '4' can't be both positive and negative: name it once",
        ),
        (
            {"positive": "good", "negative": ["bad"]},
            "the positive labels must be several strings, in a list for instance. Received: one",
        ),
    ],
)
def test_labels_that_are_not_named_for_both_sides_once_are_an_error(tmp_path, options, said):
    with pytest.raises(OptionError) as wrong:
        read_labelled(tmp_path / "not there.csv", **options)
    assert str(wrong.value) == said


@given(st.dictionaries(st.text(max_size=60) | st.none(), st.integers(1, 10**6), max_size=15))
def test_labels_are_described_in_one_printable_line_whatever_they_are(counts):
    said = describe_labels(counts)
    assert said.isprintable()
    assert said.count("×)") >= min(len(counts), SHOWN_LABELS)


def test_groups_that_are_no_text_and_cannot_become_one_are_an_error(tmp_path):
    path = tmp_path / "data.parquet"
    pa.parquet.write_table(pa.table({"text": ["one"], "label": [1], "movie": [b"\xff"]}), path)
    assert message(path).startswith(f"{path}: the groups can't be read: ")


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


def test_a_group_may_be_a_number_and_a_text_without_one_is_its_own(tmp_path):
    (tmp_path / "data.jsonl").write_text(
        '{"text": "one", "label": 1, "movie": 7}\n{"text": "two", "label": 0, "movie": null}\n'
    )
    assert read_labelled(tmp_path / "data.jsonl").groups.to_pylist() == ["7", "two"]


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
        f"{tmp_path / 'data.csv'}: there is no column 'body': choose one with --text-column. "
        "The columns are 'text', 'label'"
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


def test_the_groups_that_a_seed_holds_out_never_change():
    data = labelled([str(row) for row in range(12)], [0] * 12, [f"tt{row:07}" for row in range(12)])
    assert data.split(0.3, 1)[1].texts.to_pylist() == ["3", "5", "7", "8", "10", "11"]
    assert data.split(0.3, 1, "test")[1].texts.to_pylist() == ["2", "3", "7", "9", "10"]


def test_draws_of_different_names_know_nothing_of_each_other():
    data = labelled([""] * 2000, [0] * 2000, [str(number) for number in range(2000)])
    rest, test = data.split(0.5, 1, "test")
    assert 900 < len(test) < 1100
    assert 0.4 < len(rest.split(0.5, 1)[1]) / len(rest) < 0.6
    assert 0.4 < len(rest.split(0.5, 1, "validation")[1]) / len(rest) < 0.6


LABEL_LISTS = st.lists(st.integers(0, 1), min_size=1, max_size=40)


@given(LABEL_LISTS, st.integers(1, 50), st.integers(0, 5))
def test_a_limit_keeps_the_order_and_each_labels_share_to_one_text(labels, texts, seed):
    data = labelled([str(row) for row in range(len(labels))], labels)
    drawn = data.limited(texts, seed)
    rows = [int(text) for text in drawn.texts.to_pylist()]
    assert len(rows) == min(texts, len(labels))
    assert rows == sorted(rows)
    assert drawn.labels.tolist() == [labels[row] for row in rows]
    assert abs(sum(drawn.labels.tolist()) - len(rows) * sum(labels) / len(labels)) <= 1
    if texts >= 2:
        assert set(drawn.labels.tolist()) == set(labels)


@given(LABEL_LISTS, st.integers(1, 40), st.integers(0, 5))
def test_a_smaller_limit_draws_some_of_what_a_larger_one_draws(labels, texts, seed):
    data = labelled([str(row) for row in range(len(labels))], labels)
    smaller, larger = (set(data.limited(count, seed).texts.to_pylist()) for count in (texts, texts + 1))
    assert smaller <= larger


def test_a_limit_draws_half_of_each_where_the_data_is_half_and_half_and_another_seed_draws_others():
    data = labelled([str(row) for row in range(5000)], [1] * 2500 + [0] * 2500)
    drawn = [data.limited(1000, seed) for seed in (1, 1, 2)]
    assert all(part.labels.sum() == 500 for part in drawn)
    first, again, other = (set(part.texts.to_pylist()) for part in drawn)
    assert first == again
    assert 130 < len(first & other) < 270  # 200, were they drawn by chance


def test_a_limit_draws_from_both_sides_of_a_split_by_the_same_seed():
    data = labelled([""] * 2000, [0, 1] * 1000, [str(row) for row in range(2000)])
    drawn = data.limited(200, 1)
    assert 60 < len(drawn.split(0.5, 1)[1]) < 140


@pytest.mark.parametrize("texts", [0, -5])
def test_a_limit_of_less_than_one_text_is_an_error(texts):
    with pytest.raises(OptionError) as wrong:
        labelled(["one"], [1]).limited(texts, 1)
    assert str(wrong.value) == f"the number of texts must be 1 or more. Received: {texts}"


@given(LABEL_LISTS.filter(lambda labels: len(set(labels)) == 2))
def test_weighted_by_class_both_labels_count_the_same_and_a_text_counts_one_on_average(labels):
    array = np.array(labels, np.int8)
    weights = class_weights(array)
    assert (weights.dtype, weights.shape) == (np.float32, (2,))
    assert weights[array][array == 0].sum() == pytest.approx(weights[array][array == 1].sum(), rel=1e-5)
    assert weights[array].mean() == pytest.approx(1, rel=1e-5)


def test_the_weight_of_a_class_is_the_texts_by_twice_its_own():
    assert class_weights(np.array([0, 0, 0, 1], np.int8)).tolist() == pytest.approx([4 / 6, 4 / 2])


@pytest.mark.parametrize(("labels", "counts"), [([1, 1], (2, 0)), ([0], (0, 1)), ([], (0, 0))])
def test_one_class_alone_has_no_weights(labels, counts):
    with pytest.raises(InputError) as alone:
        class_weights(np.array(labels, np.int8))
    assert str(alone.value) == (
        f"the labels can't be balanced: {counts[0]} texts are positive and {counts[1]} negative: "
        "give texts of both labels"
    )


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
