import pytest

from textsent.errors import OutputError
from textsent.partial import PartialFile


def test_a_file_appears_when_it_is_complete_and_replaces_the_one_of_its_name(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with PartialFile(path) as file:
        file.stream.write(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_after_an_error_nothing_is_left_and_what_had_the_name_stays(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    file = PartialFile(path)
    with pytest.raises(KeyboardInterrupt), file:
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_can_not_be_taken_leaves_nothing(tmp_path):
    file = PartialFile(tmp_path / "a")
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError), file:  # noqa: PT011 - systems say it in different words
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("name", ["x" * 250, "none/a", "a\0b"])
def test_what_can_not_be_opened_is_an_error_that_names_it(tmp_path, name):
    with pytest.raises(OutputError, match="can't be written: "):
        PartialFile(tmp_path / name)
