import os
import signal

import pytest

from textsent.errors import OutputError
from textsent.interrupts import Uninterrupted
from textsent.unfinished import UnfinishedOutput, differences


def test_an_output_gets_its_name_when_it_is_complete_and_replaces_the_one_that_had_it(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with UnfinishedOutput(path) as unfinished:
        unfinished.path.write_text("new")
        assert path.read_text() == "old"
        unfinished.complete()
        assert unfinished.is_complete
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_output_that_is_not_complete_leaves_nothing_and_what_had_the_name_stays(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), UnfinishedOutput(path) as unfinished:  # noqa: PT012
        unfinished.path.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_worth_keeping_is_kept_without_the_output(tmp_path):
    with UnfinishedOutput(tmp_path / "a") as unfinished:
        unfinished.path.write_text("half")
        (unfinished.folder / "part").write_text("rows")
        unfinished.is_worth_keeping = True
    assert sorted(path.name for path in (tmp_path / "a.partial").iterdir()) == ["lock", "part"]


def test_a_second_run_is_refused_until_the_first_has_ended(tmp_path):
    with UnfinishedOutput(tmp_path / "a"), pytest.raises(OutputError, match="being written by another run"):
        UnfinishedOutput(tmp_path / "a")
    with UnfinishedOutput(tmp_path / "a"):
        pass


def test_a_link_is_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere" / "b")
    with UnfinishedOutput(tmp_path / "a") as unfinished:
        unfinished.path.write_text("new")
        unfinished.complete()
    assert (tmp_path / "elsewhere" / "b").read_text() == "new"
    assert (tmp_path / "a").is_symlink()


def test_a_name_that_can_not_be_taken_is_an_error_and_leaves_nothing(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError), UnfinishedOutput(tmp_path / "a") as unfinished:  # noqa: PT011, PT012
        unfinished.path.write_text("new")
        unfinished.complete()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("name", ["x" * 250, "none/a", "a\0b"])
def test_what_can_not_be_begun_is_an_error_that_names_it(tmp_path, name):
    with pytest.raises(OutputError, match="can't be written: "):
        UnfinishedOutput(tmp_path / name)


def test_differences_are_told_by_name():
    assert differences({"a": 1, "b": 2}, {"a": 1, "b": 2}) == ""
    assert (
        differences({"a": 1, "b": 2}, {"b": 3, "c": "x"})
        == "a was 1, now not given, b was 2, now 3, c was not given, now 'x'"
    )


def test_a_signal_waits_for_the_end_of_a_block(monkeypatch):
    done = []
    with pytest.raises(KeyboardInterrupt), Uninterrupted():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        done.append(1)
    assert done == [1]


def test_a_signal_is_forgotten_where_nothing_is_left_to_be_interrupted():
    with Uninterrupted(is_last=True):
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_of_many_differences_some_are_told():
    before = {f"the input s3://box/{number:04}": "1 bytes" for number in range(1000)}
    told = differences({**before, "inputs": list(before)}, {"inputs": ["a"]})
    assert told.startswith("inputs was ['the input s3://box/0000', 'the input s3://box/0001', ")
    assert told.endswith("the input s3://box/0003 was '1 bytes', now not given, and 996 more")
    assert len(told) < 600
