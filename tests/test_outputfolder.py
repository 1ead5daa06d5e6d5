"""A folder of parts: what is in it until it is complete and then, and who may write there."""

import json

import pytest

from textsent import cli
from textsent.errors import InputError, OptionError, OutputError
from textsent.outputfolder import OutputFolder, Part, verify, verify_folder
from textsent.sources import expanded
from textsent.storage import Location

FACTS = {"textsent": "0.1.0", "model": "imdb-lstm", "prefix": "", "inputs": ["a.csv", "b.csv"]}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "scored"


def write_part(folder, tmp_path, number, content, rows=2, **settings):
    """Write a part; return it."""
    from textsent.record import sha256_of

    file = tmp_path / "made"
    file.write_bytes(content)
    part = Part(
        number, f"part-{number:06}.csv", rows=rows, inputs=[(f"{'ab'[number % 2]}.csv", rows)],
        size=len(content), sha256=sha256_of(file, len(content)), **settings,
    )  # fmt: skip
    folder.put(part, file)
    return part


@pytest.fixture
def complete(path, tmp_path):
    """A folder of two parts."""
    folder = OutputFolder(f"{path}/")
    assert folder.take_up(FACTS, resume=False) == {}
    folder.complete(FACTS, [write_part(folder, tmp_path, number, b"text\ngreat\n") for number in range(2)])
    return path


def names_in(path):
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())


def test_a_part_is_what_its_report_says():
    part = Part(
        3, "a=1/part-000003.csv", 4, 1, {"positive": 4}, {"no words": 1}, {"undecodable bytes": 1},
        [("a.mbox", 5)], (7, 90), ["a.mbox: it is cp1252"], 100, "ab12",
    )  # fmt: skip
    assert Part.from_json(part.to_json()) == part
    assert Part.from_json(Part(0).to_json()) == Part(0)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b'{"number": 1}', b'{"number": 1, "inputs": [1]}'])
def test_what_is_no_report_is_no_part(content):
    with pytest.raises(ValueError, match=r".+"):
        Part.from_json(content)


def test_a_complete_folder_holds_its_parts_a_manifest_and_success(complete):
    assert names_in(complete) == ["_SUCCESS", "_manifest.json", "part-000000.csv", "part-000001.csv"]
    assert (complete / "_SUCCESS").read_bytes() == b""
    manifest = json.loads((complete / "_manifest.json").read_bytes())
    assert (manifest["rows"], manifest["left_out"]) == (4, 0)
    assert manifest["inputs"] == [["a.csv", 2], ["b.csv", 2]]
    assert [part["name"] for part in manifest["parts"]] == ["part-000000.csv", "part-000001.csv"]


def test_until_it_is_complete_nothing_says_so(path, tmp_path):
    folder = OutputFolder(str(path))
    folder.take_up(FACTS, resume=False)
    write_part(folder, tmp_path, 0, b"text\n")
    assert names_in(path) == [
        "_unfinished/000000.json", "_unfinished/plan.json", "_unfinished/run", "part-000000.csv",
    ]  # fmt: skip


def test_a_run_goes_on_with_the_parts_that_are_there(path, tmp_path):
    folder = OutputFolder(str(path))
    folder.take_up(FACTS, resume=False)
    parts = {number: write_part(folder, tmp_path, number, b"text\ngreat\n") for number in range(4)}
    folder.put_none(Part(4), "part-000004.csv")
    (path / "part-000000.csv").unlink()
    (path / "part-000001.csv").write_bytes(b"text\n")
    (path / "_unfinished" / "000002.json").write_bytes(b'{"number": 2, "na')
    assert OutputFolder(str(path)).take_up(FACTS, resume=True) == {3: parts[3], 4: Part(4)}


def test_a_run_that_finds_nothing_to_go_on_with_begins(path):
    assert OutputFolder(str(path)).take_up(FACTS, resume=True) == {}
    assert names_in(path) == ["_unfinished/plan.json", "_unfinished/run"]


def test_a_part_without_rows_takes_the_place_of_one_that_had_some(path, tmp_path):
    folder = OutputFolder(str(path))
    folder.take_up(FACTS, resume=False)
    write_part(folder, tmp_path, 0, b"text\ngreat\n")
    folder.put_none(Part(0), "part-000000.csv")
    assert not (path / "part-000000.csv").exists()


def test_a_run_that_began_otherwise_is_refused_and_told_in_what(path):
    OutputFolder(str(path)).take_up(FACTS, resume=False)
    with pytest.raises(OptionError) as failed:
        OutputFolder(str(path)).take_up({**FACTS, "prefix": "tone_", "inputs": ["a.csv"]}, resume=True)
    assert str(failed.value) == (
        f"the run in {path} can't go on, it began otherwise: inputs was ['a.csv', 'b.csv'], now ['a.csv'], prefix "
        "was '', now 'tone_': give what it began with, or name another folder"
    )


def test_a_folder_with_an_unfinished_run_is_refused(path):
    OutputFolder(str(path)).take_up(FACTS, resume=False)
    with pytest.raises(OutputError) as failed:
        OutputFolder(str(path)).take_up(FACTS, resume=False)
    assert str(failed.value) == (
        f"{path} holds parts of a run that didn't come to its end, or is still at it: go on with --resume when it "
        "is no longer, or name another folder"
    )


@pytest.mark.parametrize("resume", [False, True])
def test_a_complete_folder_is_refused(complete, resume):
    with pytest.raises(OutputError) as failed:
        OutputFolder(str(complete)).take_up(FACTS, resume)
    assert str(failed.value) == f"{complete} is complete already: name another folder"


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_that_holds_something_else_is_refused(path, resume):
    (path / "below").mkdir(parents=True)
    (path / "below" / "letter.txt").touch()
    with pytest.raises(OutputError) as failed:
        OutputFolder(str(path)).take_up(FACTS, resume)
    assert str(failed.value) == (
        f"{path} isn't empty, it holds {path}/below/letter.txt: name an empty folder, or a new one"
    )
    assert names_in(path) == ["below/letter.txt"]


def test_a_file_in_the_folder_s_place_is_refused(path):
    path.touch()
    with pytest.raises(OutputError) as failed:
        OutputFolder(f"{path}/").take_up(FACTS, resume=False)
    assert str(failed.value) == f"{path} is a file, not a folder: name another one"


def test_an_empty_folder_is_taken(path):
    path.mkdir()
    assert OutputFolder(str(path)).take_up(FACTS, resume=False) == {}


def test_a_run_whose_folder_another_one_has_taken_up_writes_no_more(path, tmp_path):
    first, second = OutputFolder(str(path)), OutputFolder(str(path))
    first.take_up(FACTS, resume=False)
    write_part(first, tmp_path, 0, b"text\n")
    second.take_up(FACTS, resume=True)
    before = names_in(path)
    for write in (
        lambda: write_part(first, tmp_path, 1, b"text\n"),
        lambda: first.put_none(Part(0), "part-000000.csv"),
        lambda: first.complete(FACTS, []),
    ):
        with pytest.raises(OutputError) as failed:
            write()
        assert str(failed.value) == (
            f"{path} was taken up by another run: let that one end, or name another folder"
        )
    first.give_up()
    assert names_in(path) == before
    write_part(OutputFolder(str(path), second.run), tmp_path, 0, b"text\n")
    second.complete(FACTS, [])
    with pytest.raises(OutputError, match="was taken up by another run"):
        write_part(second, tmp_path, 0, b"text\n")


def test_another_run_s_folder_is_left_to_it(path):
    first, second = OutputFolder(str(path)), OutputFolder(str(path))
    first.take_up(FACTS, resume=False)
    second.take_up(FACTS, resume=True)
    first.give_up()
    second.give_up()
    assert not (path / "_unfinished").exists()


@pytest.mark.parametrize("content", [b"", b'{"textsent": ', b"3"])
def test_a_plan_that_was_cut_off_is_told(path, content):
    OutputFolder(str(path)).take_up(FACTS, resume=False)
    plan = path / "_unfinished" / "plan.json"
    plan.write_bytes(content)
    with pytest.raises(OutputError) as failed:
        OutputFolder(str(path)).take_up(FACTS, resume=True)
    assert str(failed.value) == (
        f"{path} can't be gone on with, {plan} was cut off or changed: name another folder"
    )


def test_a_folder_is_complete_where_nothing_may_be_deleted(path, tmp_path, monkeypatch):
    def fail(_):
        raise PermissionError(13, "AWS Error ACCESS_DENIED during DeleteObject operation")

    monkeypatch.setattr(Location, "delete_folder", fail)
    folder = OutputFolder(str(path))
    folder.take_up(FACTS, resume=False)
    folder.complete(FACTS, [write_part(folder, tmp_path, number, b"text\ngreat\n") for number in range(2)])
    assert verify_folder(str(path)).rows == 4
    assert len(expanded(str(path))) == 2


def test_what_was_written_is_verified(complete):
    record = verify(str(complete))
    assert (record.rows, record.left_out, record.inputs) == (4, 0, [("a.csv", 2), ("b.csv", 2)])
    assert record.facts == FACTS
    assert verify(complete.as_uri()) == verify_folder(f"{complete}/") == record


def test_rows_that_were_left_out_are_counted(path, tmp_path):
    folder = OutputFolder(str(path))
    folder.take_up(FACTS, resume=False)
    file = tmp_path / "made"
    file.write_bytes(b"")
    part = Part(
        0, "part-000000.csv", rows=3, left_out=2, inputs=[("a.csv", 5)],
        sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    )  # fmt: skip
    folder.put(part, file)
    folder.complete(FACTS, [part])
    assert verify_folder(str(path)).left_out == 2


def spoil(name, content):
    return lambda path: (path / name).write_bytes(content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (spoil("part-000001.csv", b"text\nawful\n"), "{} isn't what was written: part-000001.csv was changed"),
        (lambda path: (path / "part-000001.csv").unlink(), "{} isn't what was written: part-000001.csv is missing"),
        (spoil("part-000002.csv", b""), "{} isn't what was written: part-000002.csv is none of its parts"),
        (
            lambda path: (path / "_SUCCESS").unlink(),
            "{} is no folder that textsent score has written in parts: name one, or files in it",
        ),
        (spoil("_manifest.json", b"[]"), "{}: its _manifest.json can't be read, it has been changed: "),
        (spoil("_manifest.json", b"{"), "{}: its _manifest.json can't be read, it has been changed: "),
        (
            lambda path: (path / "_manifest.json").write_text(
                (path / "_manifest.json").read_text().replace('"left_out": 0', '"left_out": 1')
            ),
            "{} isn't complete: 4 rows were read for it, 4 were written",
        ),
    ],
    ids=["changed", "missing", "stranger", "no success", "no manifest", "half a manifest", "rows"],
)
def test_what_was_changed_is_told(complete, change, message):
    change(complete)
    with pytest.raises(InputError) as failed:
        verify(str(complete))
    assert str(failed.value).startswith(message.format(complete))


def test_a_folder_that_is_not_complete_is_not_verified(path):
    OutputFolder(str(path)).take_up(FACTS, resume=False)
    with pytest.raises(InputError) as failed:
        verify(str(path))
    assert str(failed.value) == f"{path} isn't complete: go on with the run that writes it, with --resume"


def test_the_command_line_verifies_folders(complete, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["textsent", "verify", str(complete), str(complete.parent)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    assert ended.value.code == 1
    assert f"{complete}: complete, 4 rows of a.csv, b.csv, written by textsent 0.1.0" in out
    assert err.startswith(f"textsent: {complete.parent} is no folder that textsent score has written in parts: ")
