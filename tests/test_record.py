import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from textsent.errors import InputError
from textsent.files import ErrorOptions, score_file
from textsent.record import KEY, Record, installed_model, verify
from textsent.score import load


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in.csv").write_text("text\nthe great service\nthose terrible guys\n" * 20)
    return tmp_path


@pytest.fixture
def scorer(tiny_preset):
    return load(tiny_preset, workers=1)


@pytest.mark.parametrize("output", ["out.parquet", "out.csv", "out.jsonl", "out.csv.gz", "out.parquet.gz"])
def test_an_output_that_is_as_it_was_written_is_verified(here, scorer, tiny_preset, output):
    score_file("in.csv", output, scorer, record=True)
    record = verify(output)
    assert (record.rows, record.inputs) == (59, [("in.csv", 59)])
    assert record.facts["model"] == "tiny"
    assert record.facts["textsent"]
    assert record.facts["keep_quotes"] is False


@pytest.mark.parametrize("place", [10, 500, -1500])
def test_a_byte_of_a_parquet_file_that_is_another_is_noticed(here, scorer, place):
    Path("in.csv").write_text("text\n" + "".join(f"the great service {number}\n" for number in range(900)))
    score_file("in.csv", "out.parquet", scorer)
    content = bytearray(Path("out.parquet").read_bytes())
    record = json.loads(pyarrow.parquet.read_metadata("out.parquet").metadata[KEY.encode()])
    place = place if place > 0 else record["size"] - 5
    content[place] ^= 1
    Path("out.parquet").write_bytes(content)
    with pytest.raises(InputError) as raised:
        verify("out.parquet")
    assert str(raised.value) == "out.parquet isn't what was written: its checksum is another"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda content: content[:-2], "it has 1,714 bytes, 1,716 were written"),
        (lambda content: content + b"x", "it has 1,717 bytes, 1,716 were written"),
        (lambda content: content.replace(b"great", b"grxat"), "its checksum is another"),
    ],
)
def test_a_csv_file_that_was_changed_is_noticed(here, scorer, change, problem):
    score_file("in.csv", "out.csv", scorer, record=True)
    content = Path("out.csv").read_bytes()
    Path("out.csv").write_bytes(change(content))
    problem = problem.replace("1,716", f"{len(content):,}").replace("1,714", f"{len(content) - 2:,}")
    problem = problem.replace("1,717", f"{len(content) + 1:,}")
    with pytest.raises(InputError) as raised:
        verify("out.csv")
    assert str(raised.value) == f"out.csv isn't what was written: {problem}"


def test_a_file_without_a_record_says_how_to_get_one(here, scorer):
    score_file("in.csv", "out.csv", scorer)
    with pytest.raises(InputError) as raised:
        verify("out.csv")
    assert str(raised.value) == (
        "out.csv has no record of the run that wrote it, out.csv.run.json: only Parquet holds one by itself; for "
        "other formats score with --record"
    )


def test_a_record_does_not_outlive_the_output_that_it_is_of(here, scorer):
    score_file("in.csv", "out.csv", scorer, record=True)
    score_file("in.csv", "out.csv", scorer, overwrite=True)
    assert sorted(path.name for path in here.iterdir()) == ["in.csv", "out.csv"]


def test_a_parquet_file_of_another_program_has_no_record(here):
    pyarrow.parquet.write_table(pa.table({"text": ["a"]}), "other.parquet")
    with pytest.raises(InputError, match=r"other\.parquet has no record of the run that wrote it"):
        verify("other.parquet")


def test_a_missing_file_is_named(here):
    with pytest.raises(InputError, match=r"nothing\.parquet: there is no such file"):
        verify("nothing.parquet")


def test_a_parquet_file_that_was_cut_short_is_noticed(here, scorer):
    score_file("in.csv", "out.parquet", scorer)
    content = Path("out.parquet").read_bytes()
    for size in range(4, len(content), 97):
        Path("out.parquet").write_bytes(content[:size])
        with pytest.raises(InputError, match=r"out\.parquet isn't what was written"):
            verify("out.parquet")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"facts": 1, "inputs": [], "rows": 1, "size": 1, "sha256": ""}']
)
def test_a_record_that_was_changed_is_an_error(here, scorer, content):
    score_file("in.csv", "out.csv", scorer, record=True)
    Path("out.csv.run.json").write_text(content)
    with pytest.raises(InputError, match=r"out\.csv\.run\.json: its record can't be read, it has been changed"):
        verify("out.csv")


def test_rows_that_are_missing_in_a_record_are_noticed(here, scorer):
    score_file("in.csv", "out.csv", scorer, record=True)
    record = json.loads(Path("out.csv.run.json").read_text())
    Path("out.csv.run.json").write_text(json.dumps({**record, "rows": 58}))
    with pytest.raises(InputError, match="59 rows were read for it, 58 were written"):
        verify("out.csv")


@pytest.mark.parametrize("output", ["out.parquet", "out.csv"])
def test_an_output_that_rows_with_an_error_were_left_out_of_is_complete(here, scorer, output):
    Path("in.csv").write_text("id,text\n1,the great service\n2\n3,those terrible guys\n")
    score_file("in.csv", output, scorer, record=True, errors=ErrorOptions("skip"))
    record = verify(output)
    assert (record.rows, record.left_out, record.inputs) == (2, 1, [("in.csv", 3)])


def test_it_is_known_whether_the_model_that_scored_is_installed():
    from textsent.presets import checksum, find_preset

    own = checksum(find_preset("imdb-lstm"))
    assert installed_model(Record({"model": "imdb-lstm", "model_files": own})) is True
    assert installed_model(Record({"model": "imdb-lstm", "model_files": "another"})) is False
    assert installed_model(Record({"model": "nobody's", "model_files": own})) is None
